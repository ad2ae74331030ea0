/* queue.h: the unacknowledged events in memory, oldest first. Knows nothing of storage: journal.c
 * keeps it and the log on disk in step. One owner thread. */
#ifndef CAIRN_CLIENT_QUEUE_H
#define CAIRN_CLIENT_QUEUE_H

#include "base/inline.h"
#include "base/memory.h"

/** One event; its payload follows the struct in memory. */
typedef struct cairn__queue_item {
    struct cairn__queue_item *next;
    uint64_t seq;
    uint32_t segment; /* where its newest copy is */
    uint32_t ticket;  /* of the append under way; 0: none */
    uint32_t len;
    uint8_t flags; /* of its record */
    bool kept;     /* the store has it */
} cairn__queue_item;

typedef struct cairn__queue {
    cairn_allocator allocator;
    cairn__queue_item *first;
    cairn__queue_item *last;
    cairn__queue_item *critical; /* all up to this one are critical; NULL: not known of any */
    cairn__queue_item *unkept;   /* all before this one are kept; NULL: all are */
    size_t count;
    size_t bytes;        /* of the records */
    uint64_t pinned_seq; /* what is under way to the server is not dropped */
} cairn__queue;

CAIRN__INLINE cairn_span cairn__item_payload(const cairn__queue_item *item) {
    return (cairn_span){ (const uint8_t *)(item + 1), item->len };
}

/** Bytes that the item's record takes in the log. */
size_t cairn__item_bytes(const cairn__queue_item *item);

/** A new item with a copy of the payload, in no queue; NULL: no memory. */
cairn__queue_item *cairn__item_new(cairn_allocator allocator, cairn_span payload, uint8_t flags);
void cairn__item_free(cairn_allocator allocator, cairn__queue_item *item);

void cairn__queue_free(cairn__queue *queue);

/** Add an item where its seq belongs (at the end, but for copies read back from disk). False: there
 * is one of that seq; the item is still the caller's. */
bool cairn__queue_add(cairn__queue *queue, cairn__queue_item *item);

/** The oldest that may be dropped: not critical and not pinned. NULL: there is none. */
cairn__queue_item *cairn__queue_victim(cairn__queue *queue);

/** The item of this seq, taken out; NULL: there is none. The caller frees it. */
cairn__queue_item *cairn__queue_take(cairn__queue *queue, uint64_t seq);

/** The first item, taken out; the queue must not be empty. The caller frees it. */
cairn__queue_item *cairn__queue_pop(cairn__queue *queue);

/** The item whose append has this ticket. */
cairn__queue_item *cairn__queue_find_ticket(const cairn__queue *queue, uint32_t ticket);

/** Move the mark of the first unkept item on, and back to this one. */
void cairn__queue_settle(cairn__queue *queue);
void cairn__queue_unsettle(cairn__queue *queue, cairn__queue_item *item);

#endif
