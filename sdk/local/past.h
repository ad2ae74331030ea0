/* past.h: the events that a device still holds, of all its local persons, encoded as they were
 * noted. They leave in the order in which they came; they are walked by time (ties in order of
 * arrival), since somebody may set the clock. One owner thread. */
#ifndef CAIRN_LOCAL_PAST_H
#define CAIRN_LOCAL_PAST_H

#include "base/inline.h"
#include "base/memory.h"
#include "model/event.h"

/** An event that is held; its bytes follow it. */
typedef struct cairn__held {
    struct cairn__held *later; /* the next one that came */
    int64_t time_ms;
    uint64_t seq;  /* the queue's */
    uint32_t node; /* whose it is: persons.h */
    uint32_t name; /* cairn__past_name */
    uint32_t len;
} cairn__held;

typedef struct cairn__past {
    cairn_allocator allocator;
    cairn__held *oldest, *newest; /* as they came */
    cairn__held **by_time;        /* `count` of them from `first` on */
    size_t first, count, capacity;
    size_t bytes;       /* of the encoded events */
    cairn__held *given; /* by cairn__past_after, last; NULL: none, or it has gone */
} cairn__past;

void cairn__past_free(cairn__past *past);

/** 32 bits of a name, to compare quickly; equal names have equal ones. */
uint32_t cairn__past_name(cairn_span name);

/** @param event  As it is encoded; its seq is kept, too. False: no memory. */
bool cairn__past_add(cairn__past *past, uint32_t node, const cairn__event *event,
                     cairn_span encoded);

/** Take out the one that came first; there must be one. The caller frees it with past_drop. */
cairn__held *cairn__past_pop(cairn__past *past);
void cairn__past_drop(cairn__past *past, cairn__held *held);

/** Give one node's events to another; 0: forget them. Returns the latest time among them, or
 * INT64_MIN. */
int64_t cairn__past_move(cairn__past *past, uint32_t from, uint32_t to);

/** The first one, as they came, whose seq is above this; NULL: none. Quick for whoever asks on with
 * the seq that was given last. */
const cairn__held *cairn__past_after(cairn__past *past, uint64_t seq);

/** The number of events before this time. */
size_t cairn__past_place(const cairn__past *past, int64_t time_ms);

CAIRN__INLINE const cairn__held *cairn__past_at(const cairn__past *past, size_t place) {
    return past->by_time[past->first + place];
}

CAIRN__INLINE cairn_span cairn__held_bytes(const cairn__held *held) {
    return (cairn_span){ (const uint8_t *)(held + 1), held->len };
}

/** Decode; arrays are in the arena. False: no memory, or damaged. */
bool cairn__held_read(const cairn__held *held, cairn__arena *arena, cairn__event *event_out);

#endif
