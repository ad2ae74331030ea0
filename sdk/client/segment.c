/* segment.c: see segment.h. Payload of a HEAD record = device id, u64 version, base, dropped,
 * reported, consent (not in those of before there was any); its seq is the next one. */
#include "client/segment.h"

#include "base/assert.h"
#include "base/bytes.h"

enum {
    SEGMENTS_FIRST = 8,
    DEVICE_BYTES = 16,
    HEAD_BYTES_MIN = DEVICE_BYTES + 4 * 8,
    HEAD_BYTES = HEAD_BYTES_MIN + 8
};

void cairn__segments_free(cairn__segments *segments) {
    if (segments->items != NULL) {
        segments->allocator.resize(segments->allocator.self, segments->items,
                                   segments->capacity * sizeof *segments->items, 0);
    }
    *segments = (cairn__segments){ .allocator = segments->allocator };
}

/* Where the number is or would be. */
static size_t place_of(const cairn__segments *segments, uint32_t number) {
    size_t low = 0;
    size_t high = segments->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (segments->items[middle].number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

cairn__segment *cairn__segments_find(const cairn__segments *segments, uint32_t number) {
    size_t at = place_of(segments, number);
    bool found = at < segments->count && segments->items[at].number == number;
    return found ? &segments->items[at] : NULL;
}

cairn__segment *cairn__segments_newest(const cairn__segments *segments) {
    return segments->count == 0 ? NULL : &segments->items[segments->count - 1];
}

static bool grow(cairn__segments *segments) {
    size_t capacity = segments->capacity == 0 ? SEGMENTS_FIRST : segments->capacity * 2;
    cairn__segment *items =
        segments->allocator.resize(segments->allocator.self, segments->items,
                                   segments->capacity * sizeof *items, capacity * sizeof *items);
    if (items == NULL) {
        return false;
    }
    segments->items = items;
    segments->capacity = capacity;
    return true;
}

cairn__segment *cairn__segments_add(cairn__segments *segments, uint32_t number) {
    size_t at = place_of(segments, number);
    if (at < segments->count && segments->items[at].number == number) {
        return &segments->items[at];
    }
    if (segments->count == segments->capacity && !grow(segments)) {
        return NULL;
    }
    memmove(segments->items + at + 1, segments->items + at,
            (segments->count - at) * sizeof *segments->items);
    segments->items[at] = (cairn__segment){ .number = number };
    segments->count += 1;
    return &segments->items[at];
}

cairn__segment *cairn__segments_of_ticket(const cairn__segments *segments, uint32_t ticket) {
    for (size_t i = segments->count; i > 0; i--) {
        cairn__segment *segment = &segments->items[i - 1];
        /* differences, since tickets wrap around */
        if (segment->first_ticket != 0 &&
            ticket - segment->first_ticket <= segment->last_ticket - segment->first_ticket) {
            return segment;
        }
    }
    return NULL;
}

cairn__segment *cairn__segments_needed(const cairn__segments *segments) {
    size_t at = 0;
    while (at + 1 < segments->count && segments->items[at].live == 0) {
        at += 1;
    }
    return segments->count == 0 ? NULL : &segments->items[at];
}

void cairn__segments_leave(cairn__segments *segments, uint32_t number) {
    cairn__segment *segment = cairn__segments_find(segments, number);
    CAIRN_ASSERT(segment != NULL && segment->live > 0);
    segment->live -= 1;
}

void cairn__segments_remove(cairn__segments *segments, cairn__segment *segment) {
    if (segment == NULL) {
        return;
    }
    size_t at = (size_t)(segment - segments->items);
    segments->bytes -= segment->bytes;
    segments->count -= 1;
    memmove(segment, segment + 1, (segments->count - at) * sizeof *segment);
}

void cairn__segments_remove_oldest(cairn__segments *segments) {
    CAIRN_ASSERT(segments->count > 0);
    cairn__segments_remove(segments, segments->items);
}

void cairn__head_write(cairn__buffer *buffer, const cairn__state *state) {
    uint8_t payload[HEAD_BYTES];
    memcpy(payload, state->device_id, DEVICE_BYTES);
    cairn__store_u64(payload + DEVICE_BYTES, state->version);
    cairn__store_u64(payload + DEVICE_BYTES + 8, state->base);
    cairn__store_u64(payload + DEVICE_BYTES + 16, state->dropped);
    cairn__store_u64(payload + DEVICE_BYTES + 24, state->reported);
    cairn__store_u64(payload + DEVICE_BYTES + 32, state->consent);
    cairn__record record = { CAIRN__RECORD_HEAD, 0, state->next_seq, { payload, sizeof payload } };
    cairn__record_write(buffer, &record);
}

bool cairn__head_read(const cairn__record *record, cairn__state *state_out) {
    const uint8_t *payload = record->payload.data;
    if (record->type != CAIRN__RECORD_HEAD || record->payload.len < HEAD_BYTES_MIN) {
        return false;
    }
    *state_out = (cairn__state){ .next_seq = record->seq };
    memcpy(state_out->device_id, payload, DEVICE_BYTES);
    state_out->version = cairn__load_u64(payload + DEVICE_BYTES);
    state_out->base = cairn__load_u64(payload + DEVICE_BYTES + 8);
    state_out->dropped = cairn__load_u64(payload + DEVICE_BYTES + 16);
    state_out->reported = cairn__load_u64(payload + DEVICE_BYTES + 24);
    if (record->payload.len >= HEAD_BYTES) {
        state_out->consent = (uint32_t)cairn__load_u64(payload + DEVICE_BYTES + 32);
    }
    return state_out->next_seq > 0 && state_out->base < state_out->next_seq &&
           state_out->reported <= state_out->dropped;
}
