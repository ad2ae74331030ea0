/* client.h: the client behind cairn.h, and what its source files share. */
#ifndef CAIRN_CLIENT_CLIENT_H
#define CAIRN_CLIENT_CLIENT_H

#include "cairn/cairn.h"
#include "client/consent.h"
#include "client/deciding.h"
#include "client/journal.h"
#include "client/privacy.h"
#include "client/sender.h"
#include "client/timer.h"
#include "model/event.h"

enum {
    CAIRN__SESSION_PAUSE_MS = 30 * 60 * 1000, /* a longer pause begins a new session */
    CAIRN__QUEUE_EVENTS_DEFAULT = 10000,
    CAIRN__QUEUE_BYTES_DEFAULT = 1024 * 1024,
    CAIRN__SCRATCH_BYTES_MAX = 512 * 1024
};

struct cairn_client {
    cairn_allocator allocator;
    cairn_clock clock;
    cairn_random random;
    cairn__journal journal;
    cairn__sender sender;
    cairn__timers timers;
    cairn__arena scratch;    /* of one call */
    cairn__buffer encoded;   /* the event of one call */
    cairn_span texts;        /* project key and SDK, the client's own copy */
    int64_t session_mono_ms; /* when the session began, on the monotonic clock */
    cairn__consent consent;
    cairn__privacy privacy;
    cairn__deciding deciding;
    uint64_t dropped_waiting; /* given up before consent; becomes state.dropped */
    bool others_seen;         /* the store holds a bundle or segments of sdk/local */
    uint32_t slots_seen;      /* of the two slots: bits of those that held bytes */
    bool started;
    bool state_unread; /* there was no memory for a state slot */
};

/** Fill in time and session, check, encode and queue an event. Status as cairn_track(). */
cairn_status cairn__client_put(cairn_client *client, cairn__event *event);

/** The same with the properties of `more` that the event does not have itself. */
cairn_status cairn__client_put_merged(cairn_client *client, const cairn__event *more,
                                      cairn__event *event);

enum { CAIRN__DEVICE_TEXT_BYTES = 32 };
/** The device's id as identities name it: 32 hexadecimal digits, in `text`. */
cairn_span cairn__client_device_text(const cairn_client *client,
                                     uint8_t text[CAIRN__DEVICE_TEXT_BYTES]);

/** Whoever keeps more in the store's segments removes it when the person withdraws. */
void cairn__client_on_purge(cairn_client *client, cairn__purge_hook hook);

/** Set super properties and ids, and write the state if that could be. */
cairn_status cairn__client_set_person(cairn_client *client, const cairn__event *wanted);

#endif
