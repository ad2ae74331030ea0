/* state.c: payload of a STATE record = u16 bytes of the numbers, the numbers, the person's message.
 * A later version may add numbers at their end: readers take those that they know. */
#include "client/state.h"

#include "base/bytes.h"

enum {
    DEVICE_BYTES = 16,
    NUMBERS = 14,
    NUMBERS_FIRST = 11, /* of the first version: as many as there must be */
    NUMBERS_BYTES = DEVICE_BYTES + NUMBERS * 8,
    NUMBERS_BYTES_MIN = DEVICE_BYTES + NUMBERS_FIRST * 8,
    ARENA_BYTES_MAX =
        16 * 1024 /* the view's arrays: 64 properties, lists of a few thousand bytes */
};

#define TIME_MS_MAX (INT64_C(1) << 53)

static const cairn__dictionary no_words = { NULL, 0 };

cairn__person cairn__person_make(cairn_allocator allocator) {
    return (cairn__person){ .allocator = allocator,
                            .bytes = cairn__buffer_make(allocator, CAIRN__PERSON_BYTES_MAX),
                            .arena = cairn__arena_make(allocator, ARENA_BYTES_MAX) };
}

void cairn__person_free(cairn__person *person) {
    cairn__buffer_free(&person->bytes);
    cairn__arena_free(&person->arena);
    person->view = (cairn__event){ 0 };
}

/* The view of message.bytes; on failure `fresh` is freed. */
static cairn_status adopt(cairn__person *person, cairn__person *fresh) {
    cairn__event_fault fault;
    cairn_status status = cairn__event_decode(cairn__buffer_span(&fresh->bytes), &no_words,
                                              &fresh->arena, &fresh->view, &fault);
    if (status != CAIRN_OK) {
        cairn__person_free(fresh);
        return status;
    }
    cairn__person_free(person);
    *person = *fresh;
    return CAIRN_OK;
}

cairn_status cairn__person_set(cairn__person *person, const cairn__event *wanted) {
    if (wanted->property_count > CAIRN__SUPER_PROPERTIES_MAX) {
        return CAIRN_FULL;
    }
    cairn__person fresh = cairn__person_make(person->allocator);
    /* an unlimited buffer first, so that "too much" and "no memory" are told apart */
    fresh.bytes.bytes_max = SIZE_MAX / 2;
    cairn__event_encode(&fresh.bytes, wanted);
    bool failed = fresh.bytes.failed;
    bool full = fresh.bytes.len > CAIRN__PERSON_BYTES_MAX;
    fresh.bytes.bytes_max = CAIRN__PERSON_BYTES_MAX;
    if (failed || full) {
        cairn__person_free(&fresh);
        return failed ? CAIRN_NO_MEMORY : CAIRN_FULL;
    }
    return adopt(person, &fresh);
}

static void numbers_of(const cairn__state *state, uint64_t numbers[NUMBERS]) {
    const uint64_t values[NUMBERS] = { state->base,
                                       state->acked_seq,
                                       state->next_seq,
                                       state->dropped,
                                       state->reported,
                                       state->refused,
                                       state->session,
                                       (uint64_t)state->session_start_ms,
                                       (uint64_t)state->last_event_ms,
                                       (uint64_t)state->clock_offset_ms,
                                       state->has_clock_offset ? 1 : 0,
                                       state->consent,
                                       state->purging ? 1 : 0,
                                       state->consent_text };
    memcpy(numbers, values, sizeof values);
}

static void take_numbers(cairn__state *state, const uint64_t numbers[NUMBERS]) {
    state->base = numbers[0];
    state->acked_seq = numbers[1];
    state->next_seq = numbers[2];
    state->dropped = numbers[3];
    state->reported = numbers[4];
    state->refused = numbers[5];
    state->session = numbers[6];
    state->session_start_ms = (int64_t)numbers[7];
    state->last_event_ms = (int64_t)numbers[8];
    state->clock_offset_ms = (int64_t)numbers[9];
    state->has_clock_offset = numbers[10] != 0;
    state->consent = (uint32_t)numbers[11];
    state->purging = numbers[12] != 0;
    state->consent_text = numbers[13];
}

void cairn__state_write(cairn__buffer *buffer, const cairn__state *state,
                        const cairn__person *person) {
    uint64_t numbers[NUMBERS];
    uint8_t head[2];
    numbers_of(state, numbers);
    cairn__store_u16(head, NUMBERS_BYTES);
    cairn__buffer payload = cairn__buffer_make(buffer->allocator, buffer->bytes_max);
    cairn__buffer_append(&payload, (cairn_span){ head, sizeof head });
    cairn__buffer_append(&payload, (cairn_span){ state->device_id, DEVICE_BYTES });
    cairn__buffer_append(&payload, cairn__span(numbers, sizeof numbers));
    cairn__buffer_append(&payload, cairn__buffer_span(&person->bytes));
    cairn__record record = { CAIRN__RECORD_STATE, 0, state->version, cairn__buffer_span(&payload) };
    if (payload.failed) {
        buffer->failed = true;
    } else {
        cairn__record_write(buffer, &record);
    }
    cairn__buffer_free(&payload);
}

static bool is_time(int64_t ms) {
    return ms >= -TIME_MS_MAX && ms <= TIME_MS_MAX;
}

/* Numbers that our own writer could not have written are damage that the checksum did not see. */
static bool is_sane(const cairn__state *state) {
    return state->next_seq > state->acked_seq && state->base <= state->acked_seq &&
           state->next_seq < UINT64_MAX / 2 && state->reported <= state->dropped &&
           is_time(state->session_start_ms) && is_time(state->last_event_ms) &&
           is_time(state->clock_offset_ms);
}

static cairn_status take_payload(cairn_span payload, cairn__state *fresh, cairn__person *person) {
    uint64_t numbers[NUMBERS] = { 0 };
    size_t len = payload.len < 2 ? 0 : cairn__load_u16(payload.data);
    if (len < NUMBERS_BYTES_MIN || payload.len - 2 < len) {
        return CAIRN_INVALID;
    }
    memcpy(fresh->device_id, payload.data + 2, DEVICE_BYTES);
    memcpy(numbers, payload.data + 2 + DEVICE_BYTES,
           (len < NUMBERS_BYTES ? len : NUMBERS_BYTES) - DEVICE_BYTES);
    take_numbers(fresh, numbers);
    cairn__person read = cairn__person_make(person->allocator);
    cairn_span message = { payload.data + 2 + len, payload.len - 2 - len };
    if (!is_sane(fresh) || message.len > CAIRN__PERSON_BYTES_MAX) {
        return CAIRN_INVALID;
    }
    cairn__buffer_append(&read.bytes, message);
    if (read.bytes.failed) {
        cairn__person_free(&read);
        return CAIRN_NO_MEMORY;
    }
    return adopt(person, &read);
}

cairn_status cairn__state_read(cairn_span bytes, cairn__state *state, cairn__person *person) {
    cairn__record record;
    if (bytes.len == 0) {
        return CAIRN_OK;
    }
    cairn__cursor cursor = cairn__cursor_of(bytes);
    if (!cairn__record_next(&cursor, &record) || record.type != CAIRN__RECORD_STATE ||
        record.seq <= state->version) {
        return CAIRN_OK;
    }
    cairn__state fresh = { .version = record.seq };
    cairn_status status = take_payload(record.payload, &fresh, person);
    if (status == CAIRN_OK) {
        *state = fresh;
    }
    return status == CAIRN_NO_MEMORY ? CAIRN_NO_MEMORY : CAIRN_OK;
}
