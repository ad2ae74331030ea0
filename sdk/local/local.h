/* local.h: what a device knows by itself: its persons and their ids, their events (bounded), the
 * values of the history functions that the bundle asks for, what was written to profiles, what must
 * be remembered of decisions, and the values that the server has sent. Durable, through a record
 * log of its own beside the queue's (diary.h).
 *
 *     cairn__local *local = NULL;
 *     if (cairn__local_open(&options, &local) != CAIRN_OK) return;
 *     cairn__local_expect(local, gone_seq);
 *     // for each piece of each segment from CAIRN__LOCAL_SEGMENT_FIRST on that the store holds:
 *     cairn__local_restore(local, segment, bytes);
 *     cairn__local_start(local, now_ms);
 *     // events that wait in the queue with a seq above cairn__local_last_seq(): note them again
 *     cairn__local_use(local, definitions->facts, definitions->fact_count, definitions->zone);
 *
 *     cairn__local_note(local, seq, &event, encoded); // every event that was put into the queue
 *     cairn__facts facts = cairn__local_facts(local, &when);
 *     const cairn__memory *memory = cairn__local_memory(local);
 *
 * **Exact or unknown.** A value is what cairn__query_evaluate gives over all events that this
 * device has ever noted for the local person, or CAIRN__RULE_VALUE_UNKNOWN; never something else.
 * What was lost (damage, a person that was forgotten for want of room) makes the times before it
 * unknown.
 *
 * **Durable.** Every call submits at once. What must be on the disk before something is shown waits
 * until cairn__local_is_durable(local, cairn__local_ticket(local)).
 *
 * **Order.** Submit an event to the queue first, then note it: after a crash the queue is never
 * behind, and what it has more is noted again.
 *
 * Threads: one owner. Memory: history_bytes_max and some 100 bytes per event, query and id. */
#ifndef CAIRN_LOCAL_LOCAL_H
#define CAIRN_LOCAL_LOCAL_H

#include "cairn/cairn_platform.h"
#include "decide/definitions.h"
#include "decide/memory.h"
#include "model/event.h"
#include "rules/history.h"

enum {
    CAIRN__LOCAL_EVENTS_DEFAULT = 4000,
    CAIRN__LOCAL_EVENTS_MAX = 100 * 1000,
    CAIRN__LOCAL_BYTES_DEFAULT = 1024 * 1024,
    CAIRN__LOCAL_DAYS_DEFAULT = 90,
    CAIRN__LOCAL_PERSONS_MAX = 16, /* then the one that was away longest is forgotten */
    CAIRN__LOCAL_IDS_MAX = 1000,   /* of all persons together */
    CAIRN__LOCAL_FACTS_BYTES_MAX = 1024 * 1024, /* of one Facts message */
    CAIRN__LOCAL_WRITES_MAX = 128               /* writes to profiles that are kept one by one */
};

/** This room's segments and tickets: the queue's are below. */
#define CAIRN__LOCAL_SEGMENT_FIRST UINT32_C(0x80000000)
#define CAIRN__LOCAL_TICKET_FIRST UINT32_C(0x80000000)

static inline bool cairn__local_has_segment(uint32_t segment) {
    return segment >= CAIRN__LOCAL_SEGMENT_FIRST;
}
static inline bool cairn__local_has_ticket(uint32_t ticket) {
    return ticket >= CAIRN__LOCAL_TICKET_FIRST;
}

typedef struct cairn__local cairn__local;

/** Zero means the default wherever one is named. */
typedef struct cairn__local_options {
    cairn_allocator allocator;
    cairn_storage storage;
    uint32_t history_events_max; /* default 4,000, of all local persons */
    uint32_t history_bytes_max;  /* of the encoded events; default 1 MiB */
    uint32_t history_days_max;   /* default 90 */
    /** device.* and session.*: the value, kind NULL where it is absent; borrowed until the decision
     * is written. NULL: all of them are unknown. */
    cairn_value (*value_of)(void *context, const cairn__rule_slot *slot);
    void *context;
} cairn__local_options;

/* --- life --------------------------------------------------------------------------------------*/

/** @retval CAIRN_NO_MEMORY  local_out is NULL. */
cairn_status cairn__local_open(const cairn__local_options *options, cairn__local **local_out);

/**
 * Before the first piece: every event after `gone_seq` is still in the queue, and will be noted
 * again where it is missing here; of those up to it (acknowledged, or dropped) some may not be.
 * Without this call the queue is taken to have them all.
 */
void cairn__local_expect(cairn__local *local, uint64_t gone_seq);

/**
 * Hand back one piece of a segment, by ascending number and in order, before the start. Damage
 * costs what follows it in the same piece.
 * @retval CAIRN_STORAGE  Something is missing, or there was no memory for it: it is unknown.
 */
cairn_status cairn__local_restore(cairn__local *local, uint32_t segment, cairn_span bytes);

/**
 * Begin. Writes a snapshot where the store had damage.
 * @retval CAIRN_NO_MEMORY  Some history functions could not be read: their values are unknown.
 */
cairn_status cairn__local_start(cairn__local *local, int64_t now_ms);

/** Free everything; the store keeps what it has. NULL is fine. */
void cairn__local_close(cairn__local *local);

/** Forget everything, in memory and in the store (consent was withdrawn, the person erased): every
 * segment is removed, and none is written before the next note. What follows starts from nothing.
 * Where a removal fails, call it again. */
void cairn__local_purge(cairn__local *local);
/** No byte of before the purge is in the store any more. */
bool cairn__local_is_purged(const cairn__local *local);

/* --- storage -----------------------------------------------------------------------------------*/

/** The ticket after which everything noted so far is durable. */
uint32_t cairn__local_ticket(const cairn__local *local);
bool cairn__local_is_durable(const cairn__local *local, uint32_t ticket);

/** What was submitted under this ticket is, or is not, durable. */
void cairn__local_done(cairn__local *local, uint32_t ticket, bool durable, int64_t mono_ms);

/** Write again what failed, if it is time; the wait until then, or -1 when nothing failed. */
int64_t cairn__local_pump(cairn__local *local, int64_t mono_ms);

/* --- what happens ------------------------------------------------------------------------------*/

/**
 * Take an event in, of any kind: tracked events become history, login, logout, link and unlink move
 * persons, profile writes are remembered until the server has them; other kinds change nothing.
 * An event whose seq was noted before changes nothing.
 *
 * @param event    As it was encoded; checked (model/event.h).
 * @param encoded  The same, as bytes; at most 60 KiB.
 * @retval CAIRN_OK         Noted and submitted to the store.
 * @retval CAIRN_FULL       A link that would make a person of too many ids: not followed.
 * @retval CAIRN_NO_MEMORY  Not noted; what it may have changed is unknown from now on. After this,
 *                          an event that a decision's memory needs was not remembered: do not show.
 */
cairn_status cairn__local_note(cairn__local *local, uint64_t seq, const cairn__event *event,
                               cairn_span encoded);

/** The highest seq that was noted; 0: none. */
uint64_t cairn__local_last_seq(const cairn__local *local);

/** The current local person, as a number that no other person of this store ever had; it changes
 * with login, logout, and links that join or part. Facts are for one of these. */
uint64_t cairn__local_person(const cairn__local *local);

/** The id that is logged in; empty: the device is anonymous. Where damage made the device forget
 * who is logged in, the client, who knows it from its own state, logs in once more. Borrowed until
 * the next call. */
cairn_id cairn__local_current(const cairn__local *local);

/* --- what the server knows ---------------------------------------------------------------------*/

/** One value of the server's Facts message. */
typedef struct cairn__local_fact {
    uint64_t key;      /* cairn__rule_slot_key */
    cairn_value value; /* NULL: known to be absent */
    int64_t until_ms;  /* it holds before this moment; 0: until others come */
} cairn__local_fact;

typedef struct cairn__local_server {
    uint64_t version;
    uint64_t token;  /* the server's name for whose facts these are (its 8 bytes) */
    uint64_t person; /* cairn__local_person() when the request was made: the facts of another person
                        than the current one are dropped */
    uint64_t covers_seq; /* the values have in them what this device wrote up to this seq */
    const cairn__local_fact *facts;
    size_t count; /* at most CAIRN__FACTS_MAX */
} cairn__local_server;

/**
 * Replace the server's values.
 * @retval CAIRN_INVALID    Another person's, or an older version for the same token: dropped.
 * @retval CAIRN_FULL       More than the limits above. @retval CAIRN_NO_MEMORY  The old ones stay.
 */
cairn_status cairn__local_set_server(cairn__local *local, const cairn__local_server *server);

/** The server says that the values of this version hold still, with what this device wrote up to
 * covers_seq in them. Nothing is written: after a restart the device knows less until the next
 * answer. @retval CAIRN_INVALID  Another person's, or not the version that is held. */
cairn_status cairn__local_same_server(cairn__local *local, uint64_t version, uint64_t person,
                                      uint64_t covers_seq);

/** Version and token of the server's values; 0: none are held for the current person. */
uint64_t cairn__local_server_version(const cairn__local *local);
uint64_t cairn__local_server_token(const cairn__local *local);

/* --- what is asked -----------------------------------------------------------------------------*/

/**
 * The facts that the bundle's rules need, by their numbers (cairn__definitions.facts). History
 * functions that were asked for before keep what they know; new ones are computed from the history
 * that is held; the others are forgotten.
 *
 * @param slots  Borrowed until the next call of this, or close, as is the project's zone.
 * @retval CAIRN_NO_MEMORY  No facts are in use: all are unknown.
 */
cairn_status cairn__local_use(cairn__local *local, const cairn__rule_slot *slots, size_t count,
                              const cairn__zone *zone);

/**
 * The provider of facts for decisions at one moment; its context is `local`. Where a value comes
 * from: docs/DECISIONS.md, "Facts on the device". Nothing is allocated while the same is asked
 * again. Borrowed values live until the next call of this or any call that changes something.
 */
cairn__facts cairn__local_facts(cairn__local *local, const cairn__query_moment *when);

/** What decisions remember of the current person; until the next call that changes something.
 * NULL: no memory to put it together: do not decide. */
const cairn__memory *cairn__local_memory(cairn__local *local);

/* --- the events themselves ---------------------------------------------------------------------*/

/** An event of the history, borrowed until the next call that changes something. */
typedef struct cairn__local_event {
    uint64_t seq;
    uint64_t person; /* whose it is now, by a number that no other person of this store ever had */
    cairn_span encoded;
} cairn__local_event;

/** The first event of the history whose seq is above this; false: there is none. What has left the
 * history is not given any more. */
bool cairn__local_history_after(cairn__local *local, uint64_t seq, cairn__local_event *event_out);

/* --- looking inside ----------------------------------------------------------------------------*/

typedef struct cairn__local_status {
    uint64_t persons, ids, events, event_bytes;
    uint64_t queries, server_facts, writes;
    uint64_t log_bytes; /* in the store, as submitted */
    uint64_t forgotten; /* persons given up for want of room, ever */
    int64_t oldest_ms;  /* of the events held; INT64_MAX: none */
    int64_t
        complete_ms; /* the current person's history is whole from here; INT64_MIN: always was */
    bool damaged;    /* the store had damage when this process started */
    bool failing;    /* writes fail at the moment */
} cairn__local_status;

void cairn__local_get_status(const cairn__local *local, cairn__local_status *status_out);

#endif
