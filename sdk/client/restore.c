/* restore.c: what the store held becomes the queue again. Pieces come as they were appended, oldest
 * first; an event may be there twice (written anew after a failure, or copied to the end): the
 * first copy is taken. What follows damage in a piece is lost, but its sequence numbers may have
 * been sent: they are stepped over, so that none is given twice. */
#include "base/assert.h"
#include "base/bytes.h"
#include "client/journal.h"
#include "model/event.h"

enum { DECODE_BYTES_MAX = 128 * 1024 /* the arrays of one event */ };

static uint64_t max_u64(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

static void see_seq(cairn__journal *journal, uint64_t seq) {
    if (seq < UINT64_MAX / 2) {
        journal->state.next_seq = max_u64(journal->state.next_seq, seq + 1);
    }
}

/* Whether the payload is an event that a server would read: damage that the checksum did not see,
 * or another version's, must not stop the queue. */
static bool is_event(cairn__journal *journal, cairn_span message) {
    const cairn__dictionary no_words = { NULL, 0 };
    cairn__arena arena = cairn__arena_make(journal->allocator, DECODE_BYTES_MAX);
    cairn__event event;
    cairn__event_fault fault;
    cairn_status status = cairn__event_decode(message, &no_words, &arena, &event, &fault);
    cairn__arena_free(&arena);
    return message.len > 0 && status != CAIRN_INVALID;
}

static void give_up(cairn__journal *journal, uint64_t seq) {
    journal->state.dropped += 1;
    journal->lost_seq = max_u64(journal->lost_seq, seq);
}

/* Free the item; it is in no queue. */
static void discard(cairn__journal *journal, cairn__queue_item *item) {
    cairn__segments_leave(&journal->segments, item->segment);
    cairn__item_free(journal->allocator, item);
}

/* A new item, for which the oldest that is not critical makes room where there is no memory. */
static cairn__queue_item *item_for(cairn__journal *journal, const cairn__record *record) {
    cairn__queue_item *item = cairn__item_new(journal->allocator, record->payload, record->flags);
    cairn__queue_item *victim = item == NULL ? cairn__queue_victim(&journal->queue) : NULL;
    if (victim != NULL) {
        give_up(journal, victim->seq);
        discard(journal, cairn__queue_take(&journal->queue, victim->seq));
        item = cairn__item_new(journal->allocator, record->payload, record->flags);
    }
    return item;
}

static cairn_status restore_event(cairn__journal *journal, uint32_t number,
                                  const cairn__record *record) {
    bool report = (record->flags & CAIRN__RECORD_REPORT) != 0;
    cairn_span message = record->payload;
    see_seq(journal, record->seq);
    if (report && message.len < 8) {
        return CAIRN_OK;
    }
    if (report) {
        journal->state.reported = max_u64(journal->state.reported, cairn__load_u64(message.data));
        message = (cairn_span){ message.data + 8, message.len - 8 };
    }
    if (!is_event(journal, message) || record->seq == 0 || record->seq >= UINT64_MAX / 2) {
        return CAIRN_OK;
    }
    cairn__queue_item *item = item_for(journal, record);
    if (item == NULL) {
        give_up(journal, record->seq);
        return CAIRN_NO_MEMORY;
    }
    item->seq = record->seq;
    item->segment = number;
    item->kept = true;
    if (!cairn__queue_add(&journal->queue, item)) {
        cairn__item_free(journal->allocator, item);
        return CAIRN_OK;
    }
    cairn__segments_find(&journal->segments, number)->live += 1;
    return CAIRN_OK;
}

static void restore_drop(cairn__journal *journal, const cairn__record *record) {
    see_seq(journal, record->seq);
    if (record->payload.len >= 8) {
        journal->state.dropped =
            max_u64(journal->state.dropped, cairn__load_u64(record->payload.data));
    }
    cairn__queue_item *item = cairn__queue_take(&journal->queue, record->seq);
    if (item != NULL) {
        discard(journal, item);
    }
    bool range = (record->flags & CAIRN__RECORD_RANGE) != 0;
    while (range && (item = cairn__queue_victim(&journal->queue)) != NULL &&
           item->seq <= record->seq) {
        discard(journal, cairn__queue_take(&journal->queue, item->seq));
    }
}

static void restore_head(cairn__journal *journal, uint32_t number, const cairn__record *record) {
    cairn__state head;
    if (number >= journal->head_segment && cairn__head_read(record, &head)) {
        journal->head = head;
        journal->head_segment = number;
        see_seq(journal, head.next_seq - 1);
    }
}

static cairn_status restore_record(cairn__journal *journal, uint32_t number,
                                   const cairn__record *record) {
    switch (record->type) {
    case CAIRN__RECORD_EVENT:
        return restore_event(journal, number, record);
    case CAIRN__RECORD_DROP:
        restore_drop(journal, record);
        return CAIRN_OK;
    case CAIRN__RECORD_HEAD:
        restore_head(journal, number, record);
        return CAIRN_OK;
    default:
        return CAIRN_OK; /* a later version's */
    }
}

/* There is no memory to remember even the segment: its events are given up. */
static cairn_status give_up_segment(cairn__journal *journal, cairn_span bytes) {
    cairn__cursor cursor = cairn__cursor_of(bytes);
    cairn__record record;
    while (cairn__record_next(&cursor, &record)) {
        see_seq(journal, record.seq);
        if (record.type == CAIRN__RECORD_EVENT) {
            give_up(journal, record.seq);
        }
    }
    return CAIRN_NO_MEMORY;
}

cairn_status cairn__journal_restore(cairn__journal *journal, uint32_t number, cairn_span bytes) {
    if (bytes.len == 0) {
        return CAIRN_OK;
    }
    cairn__segment *segment = cairn__segments_add(&journal->segments, number);
    if (segment == NULL) {
        return give_up_segment(journal, bytes);
    }
    journal->first_segment = journal->first_segment == 0 || number < journal->first_segment
                                 ? number
                                 : journal->first_segment;
    segment->bytes += (uint32_t)bytes.len;
    journal->segments.bytes += bytes.len;
    cairn_status status = CAIRN_OK;
    cairn__cursor cursor = cairn__cursor_of(bytes);
    cairn__record record;
    while (cairn__record_next(&cursor, &record)) {
        cairn_status one = restore_record(journal, number, &record);
        status = one == CAIRN_OK ? status : one;
    }
    size_t damaged = (size_t)(cursor.end - cursor.at);
    see_seq(journal, journal->state.next_seq - 1 + damaged / CAIRN__RECORD_HEAD_BYTES);
    return status;
}

static bool is_zero(const uint8_t device_id[16]) {
    static const uint8_t zero[16];
    return memcmp(device_id, zero, sizeof zero) == 0;
}

/* The newest segment knows better where the slots were damaged or are gone. */
static void take_head(cairn__journal *journal) {
    const cairn__state *head = &journal->head;
    cairn__state *state = &journal->state;
    if (is_zero(head->device_id) || head->version <= state->version) {
        return;
    }
    memcpy(state->device_id, head->device_id, sizeof state->device_id);
    journal->device_unkept = true; /* no slot says so */
    state->version = head->version;
    state->consent = head->consent != 0 ? head->consent : state->consent;
    state->base = head->base;
    state->acked_seq = max_u64(state->acked_seq, head->base);
}

bool cairn__journal_recover(cairn__journal *journal) {
    cairn__state *state = &journal->state;
    state->dropped = max_u64(state->dropped, journal->head.dropped);
    state->reported = max_u64(state->reported, journal->head.reported);
    take_head(journal);
    see_seq(journal, state->acked_seq);
    while (journal->queue.first != NULL && journal->queue.first->seq <= state->acked_seq) {
        discard(journal, cairn__queue_pop(&journal->queue));
    }
    cairn__queue_item *item = NULL; /* what one DROP record will say of all of them */
    while ((item = cairn__queue_victim(&journal->queue)) != NULL &&
           item->seq <= journal->lost_seq) {
        state->dropped += 1;
        discard(journal, cairn__queue_take(&journal->queue, item->seq));
    }
    if (state->reported > state->dropped) {
        state->dropped = state->reported;
    }
    return !is_zero(state->device_id);
}
