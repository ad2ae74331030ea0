/* queue.c: a singly linked list in the order of seq, with two marks into it that make the usual
 * steps (append, pop, drop the oldest, the oldest append was kept) cost the same at any length. */
#include "client/queue.h"

#include <string.h>

#include "base/assert.h"
#include "base/record.h"

size_t cairn__item_bytes(const cairn__queue_item *item) {
    return CAIRN__RECORD_HEAD_BYTES + item->len;
}

cairn__queue_item *cairn__item_new(cairn_allocator allocator, cairn_span payload, uint8_t flags) {
    cairn__queue_item *item =
        allocator.resize(allocator.self, NULL, 0, sizeof(cairn__queue_item) + payload.len);
    if (item == NULL) {
        return NULL;
    }
    *item = (cairn__queue_item){ .len = (uint32_t)payload.len, .flags = flags };
    if (payload.len > 0) {
        memcpy(item + 1, payload.data, payload.len);
    }
    return item;
}

void cairn__item_free(cairn_allocator allocator, cairn__queue_item *item) {
    allocator.resize(allocator.self, item, sizeof(cairn__queue_item) + item->len, 0);
}

void cairn__queue_free(cairn__queue *queue) {
    while (queue->first != NULL) {
        cairn__queue_item *item = queue->first;
        queue->first = item->next;
        cairn__item_free(queue->allocator, item);
    }
    *queue = (cairn__queue){ .allocator = queue->allocator };
}

/* The last item of a lower seq; NULL: none. */
static cairn__queue_item *place_of(const cairn__queue *queue, uint64_t seq) {
    if (queue->last != NULL && queue->last->seq < seq) {
        return queue->last;
    }
    cairn__queue_item *before = NULL;
    for (cairn__queue_item *at = queue->first; at != NULL && at->seq < seq; at = at->next) {
        before = at;
    }
    return before;
}

static cairn__queue_item *after(const cairn__queue *queue, const cairn__queue_item *before) {
    return before == NULL ? queue->first : before->next;
}

bool cairn__queue_add(cairn__queue *queue, cairn__queue_item *item) {
    cairn__queue_item *before = place_of(queue, item->seq);
    cairn__queue_item *next = after(queue, before);
    if (next != NULL && next->seq == item->seq) {
        return false;
    }
    item->next = next;
    if (before == NULL) {
        queue->first = item;
    } else {
        before->next = item;
    }
    if (next == NULL) {
        queue->last = item;
    } else {
        queue->critical = NULL; /* it may stand among those that are known to be critical */
    }
    if (!item->kept) {
        cairn__queue_unsettle(queue, item);
    }
    queue->count += 1;
    queue->bytes += cairn__item_bytes(item);
    return true;
}

static void unlink_after(cairn__queue *queue, cairn__queue_item *before, cairn__queue_item *item) {
    if (before == NULL) {
        queue->first = item->next;
    } else {
        before->next = item->next;
    }
    if (queue->last == item) {
        queue->last = before;
    }
    if (queue->critical == item) {
        queue->critical = before;
    }
    if (queue->unkept == item) {
        queue->unkept = item->next;
    }
    queue->count -= 1;
    queue->bytes -= cairn__item_bytes(item);
    cairn__queue_settle(queue);
}

cairn__queue_item *cairn__queue_victim(cairn__queue *queue) {
    for (cairn__queue_item *at = after(queue, queue->critical); at != NULL; at = at->next) {
        bool critical = (at->flags & CAIRN__RECORD_CRITICAL) != 0;
        if (!critical && at->seq > queue->pinned_seq) {
            return at;
        }
        if (critical && after(queue, queue->critical) == at) {
            queue->critical = at;
        }
    }
    return NULL;
}

cairn__queue_item *cairn__queue_take(cairn__queue *queue, uint64_t seq) {
    cairn__queue_item *before =
        queue->critical != NULL && queue->critical->seq < seq ? queue->critical : NULL;
    cairn__queue_item *item = after(queue, before);
    while (item != NULL && item->seq < seq) {
        before = item;
        item = item->next;
    }
    if (item == NULL || item->seq != seq) {
        return NULL;
    }
    unlink_after(queue, before, item);
    return item;
}

cairn__queue_item *cairn__queue_pop(cairn__queue *queue) {
    CAIRN_ASSERT(queue->first != NULL);
    cairn__queue_item *item = queue->first;
    unlink_after(queue, NULL, item);
    return item;
}

cairn__queue_item *cairn__queue_find_ticket(const cairn__queue *queue, uint32_t ticket) {
    cairn__queue_item *at = queue->unkept;
    while (at != NULL && at->ticket != ticket) {
        at = at->next;
    }
    return at;
}

void cairn__queue_settle(cairn__queue *queue) {
    while (queue->unkept != NULL && queue->unkept->kept) {
        queue->unkept = queue->unkept->next;
    }
}

void cairn__queue_unsettle(cairn__queue *queue, cairn__queue_item *item) {
    if (queue->unkept == NULL || item->seq < queue->unkept->seq) {
        queue->unkept = item;
    }
}
