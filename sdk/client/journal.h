/* journal.h: keeps the queue and what the store holds in step. Every call submits at once, so that
 * a host can make what one call writes one transaction. One owner thread.
 *
 * Segments hold at most 64 KiB. A segment is removed when no event of it waits any more, oldest
 * first, after a state that no longer needs it is durable; so a DROP record always outlives its
 * event. An append that failed may have left anything behind it: its segment is never appended to
 * again, and its event is written anew (readers take the first copy of a seq). */
#ifndef CAIRN_CLIENT_JOURNAL_H
#define CAIRN_CLIENT_JOURNAL_H

#include "cairn/cairn_platform.h"
#include "client/queue.h"
#include "client/segment.h"
#include "client/state.h"

enum {
    CAIRN__PAYLOAD_BYTES_MAX = 60 * 1024, /* one event; the rest is for the segment's own records */
    CAIRN__STORAGE_RETRY_MS = 1000,
    CAIRN__STORAGE_RETRY_MS_MAX = 60 * 1000
};

/** Whether the store may be written. */
typedef enum cairn__journal_mode {
    CAIRN__JOURNAL_SILENT = 0, /* before consent: nothing goes through the storage seam */
    CAIRN__JOURNAL_OPEN,
    CAIRN__JOURNAL_PURGING /* purge.h: only what makes the store empty */
} cairn__journal_mode;

/** How far a purge is; each begins when the one before it is durable. */
typedef enum cairn__purge_stage {
    CAIRN__PURGE_TOMBSTONE = 0, /* a state that says so, in one slot */
    CAIRN__PURGE_BOTH,          /* and in the other, over the last state before it */
    CAIRN__PURGE_WIPE,          /* every segment, and what others keep */
    CAIRN__PURGE_TELL,          /* the farewell is sent */
    CAIRN__PURGE_CLEAR,         /* the older slot: empty, or what is remembered */
    CAIRN__PURGE_CLEAR_LAST,    /* the tombstone itself */
    CAIRN__PURGE_DONE
} cairn__purge_stage;

/** Somebody who keeps more in the store's segments (sdk/local: history and counters). Both are
 * called from inside calls of cairn.h, after the tombstone is durable, also at a start in the midst
 * of a purge. */
typedef struct cairn__purge_hook {
    void (*purge)(void *self); /* submit the removal of all that is there; again while not empty */
    bool (*empty)(void *self); /* every removal is durable */
    void *self;
} cairn__purge_hook;

typedef struct cairn__journal {
    cairn_allocator allocator;
    cairn_storage storage;
    cairn__queue queue;
    cairn__state state;
    cairn__person person;
    cairn__journal_mode mode;
    size_t queue_events_max;
    size_t queue_bytes_max;

    cairn__segments segments;
    cairn__buffer pending; /* records of the append that is being put together */
    uint32_t last_ticket;
    uint32_t state_ticket;     /* of the newest state; 0: none under way */
    uint32_t state_covers;     /* segments before this number may go once it is durable */
    uint32_t good_slot;        /* holds the newest durable state: the other one is written */
    uint32_t state_slot;       /* of the write under way */
    cairn__queue_item *moving; /* being copied out of the oldest segment */

    unsigned failures;
    int64_t retry_ms; /* monotonic */

    cairn__state head; /* of the newest segment that restore has seen; device_id zero: none */
    uint32_t head_segment;
    uint64_t lost_seq; /* the newest event that restore gave up for want of memory; 0: none */

    cairn__purge_stage stage; /* while PURGING */
    cairn__purge_hook hook;
    cairn__person farewell; /* what the server is still told; empty: nothing */
    uint32_t clear_ticket;  /* of the slot under way; 0: none */
    uint32_t first_segment; /* lowest number of this process's segments; 0: none yet */
    bool remember;          /* the consent outlives the purge */
    bool doubtful;          /* a removal failed: its segment may be there still */
    bool hook_asked;        /* in this purge */

    bool open;          /* the newest segment takes appends */
    bool state_wanted;  /* the newest state was not kept, or could not be written */
    bool device_unkept; /* no durable state or segment names this device yet */
    bool failing;
} cairn__journal;

cairn__journal cairn__journal_make(cairn_allocator allocator, cairn_storage storage);
void cairn__journal_free(cairn__journal *journal);

/** Append an event; journal->state.next_seq is its seq. Drops the oldest to make room.
 * @retval CAIRN_NO_CONSENT  The store may not be written.
 * @retval CAIRN_INVALID    Larger than CAIRN__PAYLOAD_BYTES_MAX.
 * @retval CAIRN_FULL       Nothing can be dropped.
 * @retval CAIRN_NO_MEMORY  No room. */
cairn_status cairn__journal_put(cairn__journal *journal, cairn_span payload, uint8_t flags);

/** Everything up to this seq is the server's: take it out, and write the state. */
void cairn__journal_ack(cairn__journal *journal, uint64_t acked_seq);

/** Give one event up (the server cannot take it), and write the state. */
void cairn__journal_drop(cairn__journal *journal, uint64_t seq);

/** Write the state, where the store may be written; tried again later where there is no memory. */
void cairn__journal_write_state(cairn__journal *journal);

/** The device's id in journal->state has just changed: write it; nothing is sent meanwhile. */
void cairn__journal_new_device(cairn__journal *journal);

/** What was submitted under this ticket is, or is not, durable. */
void cairn__journal_done(cairn__journal *journal, uint32_t ticket, bool durable, int64_t now_ms);

/** Write again what failed, if it is time; the wait until then, or -1 when nothing failed. */
int64_t cairn__journal_retry(cairn__journal *journal, int64_t now_ms);

/** One piece of a segment as the store held it (restore.c).
 * @retval CAIRN_NO_MEMORY  Some events were given up. */
cairn_status cairn__journal_restore(cairn__journal *journal, uint32_t number, cairn_span bytes);

/** After the last piece, once (restore.c). False: the store knows no device; the caller names one.
 * journal->device_unkept: a segment names it, but no slot of state. */
bool cairn__journal_recover(cairn__journal *journal);

/** A ticket for one operation of the store. */
uint32_t cairn__journal_ticket(cairn__journal *journal);

/** Append the DROP record of an event and of all before it that are not critical. */
void cairn__journal_drop_range(cairn__journal *journal, uint64_t seq);

#endif
