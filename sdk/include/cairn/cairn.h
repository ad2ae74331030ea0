/* cairn.h: the client: durable event tracking for one project on one device.
 *
 *     cairn_options options = { .project_key = CAIRN_STR("demo"), .sdk_name = CAIRN_STR("my-app"),
 *                               .sdk_version = CAIRN_STR("1.0"), .platform = CAIRN_STR("linux") };
 *     cairn_client *client = NULL;
 *     if (cairn_open(&options, &platform, &client) != CAIRN_OK) return;
 *     // hand back what the store holds: cairn_restore(client, ...) for each state slot and segment
 *     cairn_start(client);
 *
 *     cairn_property price = { CAIRN_STR("price"), { CAIRN_VALUE_NUMBER, { .number = 29.5 } } };
 *     cairn_track(client, CAIRN_STR("purchase"), &price, 1);
 *     int64_t wait_ms = cairn_pump(client); // again after this time, or after any completion
 *
 * Whoever wants files, a thread and HTTP ready-made takes cairn_posix.h (sdk/port/posix) instead.
 *
 * Threads: one owner thread per client; no call blocks, none may be made from inside a seam.
 * Ownership: every span, property and id that is passed in is borrowed and copied before return.
 * Memory: bounded by queue_bytes_max and some 300 KiB of buffers; CAIRN_NO_MEMORY leaves everything
 * as it was, except that events which were dropped to make room stay dropped (and counted).
 * Statuses that any call may give: CAIRN_CLOSED before cairn_start() or without success of it. */
#ifndef CAIRN_H
#define CAIRN_H

#include "cairn/cairn_consent.h"
#include "cairn/cairn_decide.h"
#include "cairn/cairn_memory.h"
#include "cairn/cairn_platform.h"
#include "cairn/cairn_types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cairn_client cairn_client;

/* --- life --------------------------------------------------------------------------------------*/

/** What cairn_open() needs to know. Zero means the default wherever one is named. */
typedef struct cairn_options {
    cairn_span project_key;        /**< Required: the project's public write key, 1..64 bytes. */
    cairn_span sdk_name;           /**< At most 32 bytes of UTF-8, as the next two. */
    cairn_span sdk_version;        /**< */
    cairn_span platform;           /**< "web", "linux", "ios", ... */
    uint32_t flush_interval_ms;    /**< Longest wait from an event to its request; 0: no wait. */
    uint32_t queue_events_max;     /**< Events kept while offline; default 10000. */
    uint32_t queue_bytes_max;      /**< And their bytes; default 1 MiB. The store holds at most
                                        twice as much and 128 KiB. */
    cairn_allocator allocator;     /**< Default (resize NULL): the process's heap. */
    cairn_decide_options decide;   /**< Default: no keys, no decisions (cairn_decide.h). */
    cairn_consent_options consent; /**< Default: nothing is asked, everything is allowed. */
    cairn_privacy_options privacy; /**< Default: nothing is left out. */
} cairn_options;

/**
 * Make a client. Nothing is stored or sent before cairn_start().
 *
 * @param options     Copied.
 * @param platform    Copied; clock, random, storage and transport are required.
 * @param client_out  The client, or NULL.
 * @retval CAIRN_OK         Give it to cairn_close() in the end.
 * @retval CAIRN_INVALID    A key, text or rule beyond its limit, or a seam without a function.
 * @retval CAIRN_NO_MEMORY  No room.
 */
cairn_status cairn_open(const cairn_options *options, const cairn_platform *platform,
                        cairn_client **client_out);

/** What a store holds. */
typedef enum cairn_space {
    CAIRN_SPACE_LOG = 0,  /**< Segments of the queue; `number` is the segment's. */
    CAIRN_SPACE_STATE = 1 /**< The slots of state; `number` is 0 to 3. */
} cairn_space;

/**
 * Hand back what the store holds, between cairn_open() and cairn_start(): the state slots, then
 * the segments by ascending number, each whole or in pieces that were single appends, in order.
 * Damaged bytes cost what follows them in the same piece; nothing else is lost.
 *
 * @retval CAIRN_OK         Read as far as it is good.
 * @retval CAIRN_INVALID    Called after cairn_start().
 * @retval CAIRN_NO_MEMORY  Of a segment: not everything fits, and the oldest non-critical events
 * are given up (and counted). Of a state: cairn_start() will refuse.
 */
cairn_status cairn_restore(cairn_client *client, cairn_space space, uint32_t number,
                           cairn_span bytes);

/**
 * Begin: from here on calls are taken. A device that the store does not know gets a random id.
 *
 * @retval CAIRN_OK         Running; call cairn_pump() soon.
 * @retval CAIRN_INVALID    Started already.
 * @retval CAIRN_NO_MEMORY  A state could not be read for want of memory: close, open again later.
 */
cairn_status cairn_start(cairn_client *client);

/** Free everything. What is not acknowledged stays in the store for the next start. NULL is fine.
 */
void cairn_close(cairn_client *client);

/* --- tracking ----------------------------------------------------------------------------------*/

/**
 * Append one event to the durable queue.
 *
 * @param name        1..100 bytes of UTF-8. Names that begin with "$" are Cairn's own.
 * @param properties  `count` of them, at most 256 together with the super properties; those of the
 *                    event win over super properties of the same name.
 * @retval CAIRN_OK         Submitted to the store; it is sent once the store has kept it. Before
 *                          consent: kept in memory.
 * @retval CAIRN_NO_CONSENT Analytics is denied, or not allowed yet and calls are not to be kept.
 * @retval CAIRN_INVALID    A limit of the data model is broken, or the event is larger than 60 KiB.
 * @retval CAIRN_FULL       The queue holds nothing but critical events (identities, profiles).
 * @retval CAIRN_NO_MEMORY  No room.
 */
cairn_status cairn_track(cairn_client *client, cairn_span name, const cairn_property *properties,
                         size_t count);

/**
 * Super properties: go onto every later tracked event, and outlive the process.
 *
 * @param once  Keep the value of a name that is registered already.
 * @retval CAIRN_OK         In force.
 * @retval CAIRN_INVALID    A limit of the data model is broken.
 * @retval CAIRN_FULL       More than 64 names or 16 KiB in all.
 * @retval CAIRN_NO_MEMORY  No room.
 */
cairn_status cairn_register(cairn_client *client, const cairn_property *properties, size_t count,
                            bool once);

/** Take super properties away; names that are not registered are ignored. Statuses as above. */
cairn_status cairn_unregister(cairn_client *client, const cairn_span *names, size_t count);

typedef enum cairn_timer_step {
    CAIRN_TIMER_START, /**< From zero, also when the timer runs already. */
    CAIRN_TIMER_PAUSE,
    CAIRN_TIMER_RESUME
} cairn_timer_step;

/**
 * A timer per event name, on the monotonic clock; it lives as long as the client.
 *
 * @retval CAIRN_OK         Done (pausing a paused timer changes nothing).
 * @retval CAIRN_INVALID    Not a name of 1..100 bytes of UTF-8.
 * @retval CAIRN_NOT_FOUND  There is no such timer.
 * @retval CAIRN_FULL       64 timers are running.
 * @retval CAIRN_NO_MEMORY  No room.
 */
cairn_status cairn_timer(cairn_client *client, cairn_span name, cairn_timer_step step);

/**
 * Track the event with the time since the start, without the pauses, in the property "duration_ms".
 *
 * @retval CAIRN_NOT_FOUND  There is no such timer. Nothing tracked.
 * @retval others           As cairn_track(); the timer goes on unless the event was stored.
 */
cairn_status cairn_timer_end(cairn_client *client, cairn_span name,
                             const cairn_property *properties, size_t count);

/* --- who ---------------------------------------------------------------------------------------*/

/**
 * From now on this device's person is the one with this id (type "login" or another of the
 * project). The same id again changes nothing and costs nothing.
 *
 * @retval CAIRN_OK         Stored.
 * @retval CAIRN_INVALID    The type has not 1..32 or the value not 1..256 bytes of UTF-8.
 * @retval CAIRN_DENIED     A rule of privacy drops ids of this type.
 * @retval CAIRN_FULL, CAIRN_NO_MEMORY  As cairn_track().
 */
cairn_status cairn_login(cairn_client *client, cairn_id id);

/** The device's next events are a new anonymous person's. Statuses as cairn_track(). */
cairn_status cairn_logout(cairn_client *client);

/** Say that this id is (bind) or no longer is (unbind) the same person as the current one: the
 * login id, or the device where nobody is logged in. Statuses as cairn_login(). */
cairn_status cairn_bind(cairn_client *client, cairn_id id);
cairn_status cairn_unbind(cairn_client *client, cairn_id id);

typedef enum cairn_profile_change {
    CAIRN_PROFILE_SET,
    CAIRN_PROFILE_SET_ONCE,
    CAIRN_PROFILE_INCREMENT, /**< Integers or numbers. */
    CAIRN_PROFILE_APPEND,    /**< Strings or lists; repeats are kept. */
    CAIRN_PROFILE_UNION,     /**< Strings or lists; repeats are not. */
    CAIRN_PROFILE_UNSET,     /**< The names; values are ignored. */
    CAIRN_PROFILE_DELETE     /**< All of the profile; takes no properties. */
} cairn_profile_change;

/**
 * Change properties of the person.
 *
 * @retval CAIRN_OK         Stored.
 * @retval CAIRN_INVALID    A limit of the data model, or a kind of value that cannot be so changed.
 * @retval CAIRN_DENIED     Rules of privacy leave nothing of it.
 * @retval CAIRN_FULL, CAIRN_NO_MEMORY  As cairn_track().
 */
cairn_status cairn_profile(cairn_client *client, cairn_profile_change change,
                           const cairn_property *properties, size_t count);

/* --- driving -----------------------------------------------------------------------------------*/

/** Send what is queued as soon as possible: a wait after failures is cut short, one that the server
 * asked for (Retry-After) is not. Takes effect with the next cairn_pump(). */
void cairn_flush(cairn_client *client);

/**
 * Do what is due: write again what the store failed to keep, start a request.
 * Call it after calls, after completions, and when the time it returned has passed.
 *
 * @returns Milliseconds until something is due, or -1: nothing before the next call or completion.
 */
int64_t cairn_pump(cairn_client *client);

/** The store has (durable) or has not done what was submitted under this ticket. */
void cairn_storage_done(cairn_client *client, uint32_t ticket, bool durable);

/**
 * A request has ended.
 *
 * @param status          The HTTP status, 0 where there was no answer.
 * @param retry_after_ms  Of the Retry-After header; 0 without one. At most an hour is obeyed.
 * @param body            The answer's body, decompressed; borrowed.
 */
void cairn_http_done(cairn_client *client, uint32_t ticket, uint32_t status,
                     uint32_t retry_after_ms, cairn_span body);

/**
 * The request for a last moment, when nobody will hear the answer (a page that goes): the oldest
 * events that fit, also those that the store has not kept yet. They stay queued until a later
 * request is acknowledged; the server drops what it has already.
 *
 * @param bytes_max  Longest body.
 * @returns Borrowed until the next call; empty when nothing waits or fits.
 */
cairn_span cairn_last_batch(cairn_client *client, size_t bytes_max);

/** Where a client stands. Sequence numbers here count from the first event of the store and are
 * never given twice; after a new device id (docs/WIRE.md) those on the wire are smaller. */
typedef struct cairn_client_status {
    uint64_t queued_events;
    uint64_t queued_bytes;
    uint64_t kept_seq;       /**< Every event up to it is durable here, or no longer needed. */
    uint64_t last_seq;       /**< Of the newest event; 0 before the first. */
    uint64_t acked_seq;      /**< Every event up to it is the server's. */
    uint64_t dropped_events; /**< Given up, by this device, ever. */
    uint64_t refused_events; /**< Not counted by the server, ever. */
    uint64_t retry_in_ms;    /**< Wait after failures, or as the server asked; 0: none. */
    uint32_t last_http_status;
    int64_t clock_offset_ms; /**< Smallest (server - device) seen; add it to the wall clock. */
    uint8_t device_id[16];   /**< All zero before cairn_start() and while nothing may be kept. */
    cairn_span login_id;     /**< The value; empty: nobody. Borrowed until the next call. */
} cairn_client_status;

void cairn_get_status(const cairn_client *client, cairn_client_status *status_out);

#ifdef __cplusplus
}
#endif

#endif
