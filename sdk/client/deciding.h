/* deciding.h: what a client needs to decide: the bundle in force, the device's own knowledge
 * (sdk/local), popups on their way to the screen. cairn_decide.h says what is promised.
 *
 * The bundle lives in two state slots of its own beside the client's (numbers 2 and 3), written in
 * turn: the old one stays until the new one is verified and durable. Its tickets are a range of
 * their own, so that whoever completes a ticket can be found by its number. One owner thread. */
#ifndef CAIRN_CLIENT_DECIDING_H
#define CAIRN_CLIENT_DECIDING_H

#include "bundle/envelope.h"
#include "bundle/read.h"
#include "cairn/cairn.h"
#include "client/state.h"
#include "decide/decide.h"
#include "local/local.h"

enum {
    CAIRN__BUNDLE_SLOT_FIRST = 2, /* of the state slots: 2 and 3 */
    CAIRN__BUNDLE_RETRY_MS = 5000,
    CAIRN__PAGE_BYTES_MAX = 1024,
    CAIRN__ZONE_FILE_BYTES_MAX = 64 * 1024,
    CAIRN__ANSWER_BYTES_MAX = 4 * 1024 * 1024,
    CAIRN__LAST_DECISIONS = 8,             /* kept for cairn_inspect */
    CAIRN__LAST_DECISION_BYTES_MAX = 4096, /* of each; longer ones only their name */
    CAIRN__WATCH_MS = 60000,               /* from a look inside: reasons are kept so long */
    CAIRN__SUPPRESSED_ONE_IN = 20,         /* suppressions of which one is told to the server */
    CAIRN__SHOW_WAIT_MS_MAX = 10000,       /* for the store; then the popup is not shown */
    CAIRN__BUNDLE_TICKET_FIRST = 0x40000000,
    CAIRN__BUNDLE_TICKET_LAST = 0x7FFFFFFF
};

/** A bundle as it is held: signed bytes, what was read from them, the decider over it. */
typedef struct cairn__held_bundle {
    cairn__buffer bytes;
    cairn__arena arena;
    cairn__bundle *bundle; /* in the arena, as the decider over it */
    cairn__decider *decider;
    uint64_t version; /* 0: there is none */
} cairn__held_bundle;

typedef enum cairn__showing_stage {
    CAIRN__SHOWING_NONE = 0,
    CAIRN__SHOWING_UNKEPT, /* its $popup_show is not durable yet */
    CAIRN__SHOWING_OPEN    /* the listener has it */
} cairn__showing_stage;

/** A popup between the decision and the screen, or on the screen. */
typedef struct cairn__showing {
    cairn__showing_stage stage;
    uint64_t seq;          /* of its $popup_show */
    uint32_t local_ticket; /* and what it changed in sdk/local */
    int64_t asked_ms;      /* monotonic */
    cairn_span name;       /* in `shown` */
    cairn__buffer json;    /* what the listener gets */
    cairn__person shown;   /* its view's properties are those of its events */
} cairn__showing;

typedef struct cairn__deciding {
    cairn_allocator allocator;
    cairn_storage storage;
    cairn_listener listener;
    cairn_decide_options options;
    cairn__public_key keys[CAIRN__KEYS_MAX];
    uint8_t key_ids[CAIRN__KEYS_MAX][CAIRN__KEY_ID_BYTES_MAX];
    size_t key_count;   /* 0: nothing of this room is used */
    cairn_span project; /* the client's own copy */
    uint8_t region[CAIRN__BUNDLE_REGION_BYTES_MAX];
    size_t region_bytes;
    cairn_consent_options own_consent; /* as the application asked; a bundle may be stricter */
    cairn__local *local;               /* NULL while nothing may be kept */

    cairn__held_bundle held; /* in force */
    uint32_t slot;           /* that holds it durably; the other one is written next */
    uint32_t last_ticket;
    uint32_t bundle_ticket; /* of the write under way; 0: none */
    bool bundle_unkept;     /* the one in force is not durable yet */
    int64_t bundle_retry_ms;
    cairn__bundle_verdict verdict; /* on the newest that came */
    bool judged;

    cairn__buffer page;
    cairn__person device;     /* its view's properties are device.* */
    cairn__buffer zone_name;  /* as set; empty: the project's */
    cairn__buffer zone_bytes; /* zoneinfo, where it was given */
    cairn__arena zone_arena;
    const cairn__zone *zone;

    cairn__popup_queue queue;
    cairn__showing showing;
    cairn__buffer answer; /* of the newest question */
    cairn__buffer last[CAIRN__LAST_DECISIONS];
    uint32_t last_at; /* the next to be written */
    uint64_t decisions;
    int64_t watched_until_ms; /* monotonic: somebody inspects, reasons are kept for him */
    bool note_failed; /* the newest event could not be noted: what it should be remembered for */
    cairn__slot_decision slot_decision; /* of the newest question; it is large */
    uint64_t facts_person;              /* the local person when the request under way was made */
    uint64_t caught_seq;                /* the local log was told of the queue up to here */
    bool local_started;
    bool wiping;           /* a purge is under way */
    uint32_t wipe_tickets; /* of the bundle's slots, not completed yet */
    bool wipe_failed, wiped;
    int64_t wipe_retry_ms; /* monotonic: what failed is not tried again before */
} cairn__deciding;

/** @retval CAIRN_INVALID  Too many keys, or a key without id or not of P-256's form. */
cairn_status cairn__deciding_open(cairn_client *client, const cairn_options *options,
                                  const cairn_platform *platform);
void cairn__deciding_free(cairn_client *client);

/** One of the bundle's slots, before the start. @retval CAIRN_NO_MEMORY  It is not in force. */
cairn_status cairn__deciding_restore_bundle(cairn_client *client, uint32_t slot, cairn_span bytes);
/** One piece of the device's own log, before the start. */
cairn_status cairn__deciding_restore_local(cairn_client *client, uint32_t segment,
                                           cairn_span bytes);

/** The client has started, or the store may be used from now on (a grant): begin, and note again
 * what waits in the queue and is not known yet. */
void cairn__deciding_started(cairn_client *client);

/** Note what the client itself put into the queue ("$dropped"), so that no seq is missing. */
void cairn__deciding_catch_up(cairn_client *client);

/** The privacy rules and consent defaults of the bundle in force (settings.c). */
void cairn__settings_apply(cairn_client *client);

/** An event was put into the queue under this seq. */
void cairn__deciding_note(cairn_client *client, uint64_t seq, const cairn__event *event,
                          cairn_span encoded);

/** Completion of one of this room's tickets; false: it is none of them. */
bool cairn__deciding_done(cairn_client *client, uint32_t ticket, bool durable);

/** Do what is due; the wait until something is, or -1. */
int64_t cairn__deciding_pump(cairn_client *client);

/** device.* and session.*, as sdk/local asks for them; `context` is the client (context.c). */
cairn_value cairn__context_value(void *context, const cairn__rule_slot *slot);
/** The zone that was set, from what there is now. Statuses as cairn_set_zone(). */
cairn_status cairn__context_find_zone(cairn__deciding *deciding);

/* --- what the files of this part share --------------------------------------------------------*/

bool cairn__deciding_has_bundle(const cairn__deciding *deciding);
/** Is there a bundle, and may the device's knowledge be used? */
bool cairn__deciding_ready(const cairn_client *client);

/** The input of a decision now; `facts` and `ids` are the caller's room. */
typedef struct cairn__moment {
    cairn__facts facts;
    cairn_id ids[2];
    uint8_t device[32];
    cairn__decide_input input;
} cairn__moment;
void cairn__deciding_moment(cairn_client *client, cairn__moment *moment_out);

/** Keep an answer for cairn_inspect. */
void cairn__deciding_remember(cairn__deciding *deciding, cairn_span answer);

/** Decide, and do what was decided. `why`: as cairn__decide_popup. */
cairn__popup_decision cairn__popups_decide(cairn_client *client, cairn__popup_how how,
                                           const cairn__event *event, cairn_span name,
                                           cairn__buffer *why);
/** Only say what would be decided: for the moment's event, or by name. */
void cairn__popups_explain(cairn_client *client, const cairn__moment *moment, cairn_span name,
                           cairn__buffer *why);
void cairn__popups_open(cairn__deciding *deciding);
/** After an event of the application: which popups does it convert, which does it bring? */
void cairn__popups_after(cairn_client *client, const cairn__event *event);
/** Popups that are durable go to the screen, those that have waited are judged. As pump. */
int64_t cairn__popups_pump(cairn_client *client);
void cairn__popups_free(cairn__deciding *deciding);
void cairn__popups_forget(cairn__deciding *deciding);

#endif
