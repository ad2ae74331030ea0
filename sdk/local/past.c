/* past.c: see past.h. */
#include "local/past.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"

enum { PLACES_FIRST = 64 };

static void give_back(cairn__past *past, cairn__held *held) {
    past->given = past->given == held ? NULL : past->given;
    past->allocator.resize(past->allocator.self, held, sizeof *held + held->len, 0);
}

void cairn__past_free(cairn__past *past) {
    while (past->oldest != NULL) {
        cairn__held *held = past->oldest;
        past->oldest = held->later;
        give_back(past, held);
    }
    if (past->by_time != NULL) {
        past->allocator.resize(past->allocator.self, past->by_time,
                               past->capacity * sizeof(cairn__held *), 0);
    }
    *past = (cairn__past){ .allocator = past->allocator };
}

uint32_t cairn__past_name(cairn_span name) {
    return (uint32_t)cairn__hash(name, 0);
}

size_t cairn__past_place(const cairn__past *past, int64_t time_ms) {
    size_t low = 0;
    size_t high = past->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (cairn__past_at(past, middle)->time_ms < time_ms) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Room behind the last place. */
static bool reserve(cairn__past *past) {
    if (past->first + past->count < past->capacity) {
        return true;
    }
    if (past->first > past->count) { /* each was moved over at most once since */
        memmove(past->by_time, past->by_time + past->first, past->count * sizeof(cairn__held *));
        past->first = 0;
        return true;
    }
    size_t capacity = past->capacity == 0 ? PLACES_FIRST : past->capacity * 2;
    cairn__held **grown = past->allocator.resize(past->allocator.self, past->by_time,
                                                 past->capacity * sizeof(cairn__held *),
                                                 capacity * sizeof(cairn__held *));
    if (grown == NULL) {
        return false;
    }
    past->by_time = grown;
    past->capacity = capacity;
    return true;
}

static void place(cairn__past *past, cairn__held *held) {
    size_t at = past->count;
    if (at > 0 && cairn__past_at(past, at - 1)->time_ms > held->time_ms) {
        at = cairn__past_place(past, held->time_ms + 1);
        cairn__held **from = past->by_time + past->first + at;
        memmove(from + 1, from, (past->count - at) * sizeof(cairn__held *));
    }
    past->by_time[past->first + at] = held;
    past->count += 1;
}

bool cairn__past_add(cairn__past *past, uint32_t node, const cairn__event *event,
                     cairn_span encoded) {
    if (!reserve(past)) {
        return false;
    }
    cairn__held *held =
        past->allocator.resize(past->allocator.self, NULL, 0, sizeof *held + encoded.len);
    if (held == NULL) {
        return false;
    }
    *held = (cairn__held){ .time_ms = event->time_ms < INT64_MAX ? event->time_ms : INT64_MAX - 1,
                           .seq = event->seq,
                           .node = node,
                           .name = cairn__past_name(event->name),
                           .len = (uint32_t)encoded.len };
    memcpy(held + 1, encoded.data, encoded.len);
    if (past->oldest == NULL) {
        past->oldest = held;
    } else {
        past->newest->later = held;
    }
    past->newest = held;
    past->bytes += held->len;
    place(past, held);
    return true;
}

static void unplace(cairn__past *past, const cairn__held *held) {
    size_t at = cairn__past_place(past, held->time_ms);
    while (cairn__past_at(past, at) != held) {
        at += 1;
    }
    past->count -= 1;
    if (at == 0) {
        past->first += 1;
        return;
    }
    cairn__held **from = past->by_time + past->first + at;
    memmove(from, from + 1, (past->count - at) * sizeof(cairn__held *));
}

cairn__held *cairn__past_pop(cairn__past *past) {
    cairn__held *held = past->oldest;
    CAIRN_ASSERT(held != NULL);
    unplace(past, held);
    past->bytes -= held->len;
    past->oldest = held->later;
    past->newest = past->oldest == NULL ? NULL : past->newest;
    return held;
}

void cairn__past_drop(cairn__past *past, cairn__held *held) {
    give_back(past, held);
}

int64_t cairn__past_move(cairn__past *past, uint32_t from, uint32_t to) {
    int64_t latest_ms = INT64_MIN;
    cairn__held *last = NULL;
    for (cairn__held **at = &past->oldest; *at != NULL;) {
        cairn__held *held = *at;
        if (held->node == from) {
            latest_ms = held->time_ms > latest_ms ? held->time_ms : latest_ms;
            held->node = to;
        }
        if (held->node == 0) {
            *at = held->later;
            unplace(past, held);
            past->bytes -= held->len;
            give_back(past, held);
            continue;
        }
        last = held;
        at = &held->later;
    }
    past->newest = last;
    return latest_ms;
}

const cairn__held *cairn__past_after(cairn__past *past, uint64_t seq) {
    if (past->newest == NULL || past->newest->seq <= seq) {
        return NULL;
    }
    bool goes_on = past->given != NULL && past->given->seq == seq;
    cairn__held *held = goes_on ? past->given->later : past->oldest;
    while (held != NULL && held->seq <= seq) {
        held = held->later;
    }
    past->given = held;
    return held;
}

bool cairn__held_read(const cairn__held *held, cairn__arena *arena, cairn__event *event_out) {
    const cairn__dictionary no_words = { NULL, 0 };
    cairn__event_fault fault;
    cairn_status status =
        cairn__event_decode(cairn__held_bytes(held), &no_words, arena, event_out, &fault);
    event_out->time_ms = held->time_ms;
    event_out->seq = held->seq;
    return status == CAIRN_OK;
}
