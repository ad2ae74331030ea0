/* cairn_platform.h: the seams of the client: clock, random, storage, transport, listener. The
 * client has no thread, no clock and no file of its own; whoever embeds it fills in these tables.
 *
 * Every function is called on the client's owner thread, from inside a call of cairn.h; it must not
 * block and must not call back into the client. Storage and transport are asynchronous: the client
 * submits with a ticket, the host answers later with cairn_storage_done() or cairn_http_done().
 * Spans are borrowed until the function returns. sdk/port/posix has a ready set for Unix. */
#ifndef CAIRN_PLATFORM_H
#define CAIRN_PLATFORM_H

#include "cairn/cairn_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Two clocks. */
typedef struct cairn_clock {
    /** Milliseconds since 1970-01-01T00:00:00Z; may jump when somebody sets it. */
    int64_t (*wall_ms)(void *self);
    /** Milliseconds since any fixed moment; never runs backwards. */
    int64_t (*mono_ms)(void *self);
    void *self;
} cairn_clock;

/** Random bytes: for device ids (they must differ between all devices of the world) and jitter. */
typedef struct cairn_random {
    void (*fill)(void *self, uint8_t *bytes, size_t len);
    void *self;
} cairn_random;

/**
 * Where queue and state survive the process: numbered segments that are only appended to, and four
 * slots of state that are replaced whole (0 and 1 are small, 2 and 3 hold bundles: at most 4 MiB).
 *
 * Contract: operations take effect in the order in which they are submitted. After a crash the
 * store holds the result of a beginning of them; the last one may be there in part (the client sees
 * that by checksums). Each is answered once, in that order, by cairn_storage_done(ticket): with
 * true when it survives a crash, with false when it will not be there. A failed append may leave
 * any part of its bytes behind.
 */
typedef struct cairn_storage {
    /** Add to the end of a segment; a number not seen before makes a new one. At most 64 KiB each.
     */
    void (*append)(void *self, uint32_t ticket, uint32_t segment, cairn_span bytes);
    /** Forget a segment. */
    void (*remove)(void *self, uint32_t ticket, uint32_t segment);
    /** Replace a state slot; with no bytes: forget it. */
    void (*state)(void *self, uint32_t ticket, uint32_t slot, cairn_span bytes);
    void *self;
} cairn_storage;

/** The way to the edge. */
typedef struct cairn_transport {
    /**
     * Start a POST of `body` to <edge>/v1/sync with Content-Type application/x-protobuf. The host
     * may compress it (Content-Encoding: gzip or zstd) where that makes it smaller. One request is
     * under way at a time; each is answered once with cairn_http_done(ticket), also when it timed
     * out or could not start.
     */
    void (*start)(void *self, uint32_t ticket, cairn_span body);
    void *self;
} cairn_transport;

/** What the application may want to hear. Each function may be NULL. */
typedef struct cairn_listener {
    /** Every event up to this sequence number is on the server's disk (or was refused by it). */
    void (*acked)(void *self, uint64_t acked_seq);
    /** The server does not count this event: a stable code, then ": " and what to do. */
    void (*refused)(void *self, uint64_t seq, cairn_span reason);
    /** Show this popup now: {"popup":"welcome","version":3,"variant":"a","template":"modal",
     * "content":{...}}, with "groups":[...] if it is in any. That it is shown is counted and
     * durable. Say what becomes of it with cairn_popup_done(). */
    void (*popup)(void *self, cairn_span json);
    void *self;
    /** A purge has ended: the store holds nothing of the person any more, and the server was told
     * where it had to be. The host may remove the store itself (a directory, a database), unless
     * something is submitted to it again. */
    void (*purged)(void *self);
    /** The call that is being made has chosen this popup: it is shown when it is durable, or waits.
     * For hosts with several screens, which remember whose call it was. */
    void (*popup_chosen)(void *self, cairn_span name);
} cairn_listener;

/** All seams of one client. Copied by cairn_open(); what `self` points to must outlive the client.
 */
typedef struct cairn_platform {
    cairn_clock clock;
    cairn_random random;
    cairn_storage storage;
    cairn_transport transport;
    cairn_listener listener; /**< May be all NULL. */
} cairn_platform;

#ifdef __cplusplus
}
#endif

#endif
