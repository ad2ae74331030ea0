/* journal.c: see journal.h. Reading back is restore.c. */
#include "client/journal.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "client/purge.h"

enum {
    PENDING_BYTES_MAX = CAIRN__SEGMENT_BYTES_MAX + 4096,
    LOG_BYTES_SPARE = 2 * CAIRN__SEGMENT_BYTES_MAX
};

cairn__journal cairn__journal_make(cairn_allocator allocator, cairn_storage storage) {
    return (cairn__journal){ .allocator = allocator,
                             .storage = storage,
                             .queue = { .allocator = allocator },
                             .segments = { .allocator = allocator },
                             .person = cairn__person_make(allocator),
                             .farewell = cairn__person_make(allocator),
                             .pending = cairn__buffer_make(allocator, PENDING_BYTES_MAX),
                             .state = { .next_seq = 1 } };
}

void cairn__journal_free(cairn__journal *journal) {
    cairn__queue_free(&journal->queue);
    cairn__segments_free(&journal->segments);
    cairn__person_free(&journal->person);
    cairn__person_free(&journal->farewell);
    cairn__buffer_free(&journal->pending);
}

uint32_t cairn__journal_ticket(cairn__journal *journal) {
    journal->last_ticket += 1;
    if (journal->last_ticket == 0) {
        journal->last_ticket = 1; /* 0 means "none" everywhere */
    }
    return journal->last_ticket;
}

/* --- appending ---------------------------------------------------------------------------------*/

/* Submit the records put together so far; their ticket, or 0 when there are none. */
static uint32_t submit(cairn__journal *journal) {
    cairn_span bytes = cairn__buffer_span(&journal->pending);
    if (bytes.len == 0) {
        return 0;
    }
    CAIRN_ASSERT(journal->mode == CAIRN__JOURNAL_OPEN);
    cairn__segment *segment = cairn__segments_newest(&journal->segments);
    uint32_t ticket = cairn__journal_ticket(journal);
    segment->bytes += (uint32_t)bytes.len;
    segment->first_ticket = segment->first_ticket == 0 ? ticket : segment->first_ticket;
    segment->last_ticket = ticket;
    journal->segments.bytes += bytes.len;
    journal->storage.append(journal->storage.self, ticket, segment->number, bytes);
    cairn__buffer_clear(&journal->pending);
    return ticket;
}

static bool open_segment(cairn__journal *journal) {
    const cairn__segment *newest = cairn__segments_newest(&journal->segments);
    uint32_t number = newest == NULL ? 1 : newest->number + 1;
    cairn__head_write(&journal->pending, &journal->state);
    if (journal->pending.failed || cairn__segments_add(&journal->segments, number) == NULL) {
        cairn__buffer_clear(&journal->pending);
        return false;
    }
    journal->open = true;
    journal->first_segment = journal->first_segment == 0 ? number : journal->first_segment;
    return true;
}

static bool fits(const cairn__journal *journal, size_t bytes) {
    const cairn__segment *newest = cairn__segments_newest(&journal->segments);
    return journal->open &&
           newest->bytes + journal->pending.len + bytes <= CAIRN__SEGMENT_BYTES_MAX;
}

/* Add a record to the append under way, in a new segment where it does not fit. */
static bool add_record(cairn__journal *journal, const cairn__record *record) {
    if (!fits(journal, CAIRN__RECORD_HEAD_BYTES + record->payload.len)) {
        (void)submit(journal);
        if (!open_segment(journal)) {
            return false;
        }
    }
    cairn__record_write(&journal->pending, record);
    bool written = !journal->pending.failed;
    journal->pending.failed = false; /* a write that fails leaves what was there before it */
    return written;
}

/* The DROP record of one event; the caller counts it. */
static bool add_drop(cairn__journal *journal, uint64_t seq) {
    uint8_t total[8];
    cairn__store_u64(total, journal->state.dropped + 1);
    cairn__record record = { CAIRN__RECORD_DROP, 0, seq, { total, sizeof total } };
    return add_record(journal, &record);
}

void cairn__journal_drop_range(cairn__journal *journal, uint64_t seq) {
    uint8_t total[8];
    cairn__store_u64(total, journal->state.dropped);
    cairn__record record = {
        CAIRN__RECORD_DROP, CAIRN__RECORD_RANGE, seq, { total, sizeof total }
    };
    (void)add_record(journal, &record); /* without memory: read, and given up, once more */
    (void)submit(journal);
}

/* The item is in no queue any more. */
static void forget(cairn__journal *journal, cairn__queue_item *item) {
    if (item->segment != 0) { /* a farewell is in none */
        cairn__segments_leave(&journal->segments, item->segment);
    }
    if (journal->moving == item) {
        journal->moving = NULL; /* nobody needs the copy now */
    }
    cairn__item_free(journal->allocator, item);
}

static bool is_full(const cairn__journal *journal, size_t more_bytes) {
    return journal->queue.count + 1 > journal->queue_events_max ||
           journal->queue.bytes + more_bytes > journal->queue_bytes_max;
}

static cairn_status make_room(cairn__journal *journal, size_t more_bytes) {
    while (is_full(journal, more_bytes)) {
        cairn__queue_item *victim = cairn__queue_victim(&journal->queue);
        if (victim == NULL) {
            return CAIRN_FULL;
        }
        if (!add_drop(journal, victim->seq)) {
            return CAIRN_NO_MEMORY;
        }
        journal->state.dropped += 1;
        forget(journal, cairn__queue_take(&journal->queue, victim->seq));
    }
    return CAIRN_OK;
}

/* Append the item's record; it is in the queue or about to be. */
static bool write_item(cairn__journal *journal, cairn__queue_item *item) {
    cairn__record record = { CAIRN__RECORD_EVENT, item->flags, item->seq,
                             cairn__item_payload(item) };
    if (!add_record(journal, &record)) {
        return false;
    }
    cairn__segment *newest = cairn__segments_newest(&journal->segments);
    newest->live += 1;
    item->kept = false;
    item->segment = newest->number;
    item->ticket = submit(journal);
    return true;
}

/* The oldest kept item of a segment. */
static cairn__queue_item *kept_item_of(const cairn__journal *journal, uint32_t number) {
    cairn__queue_item *item = journal->queue.first;
    while (item != NULL && (item->segment != number || !item->kept)) {
        item = item->next;
    }
    return item;
}

/* A critical event may hold the oldest segment while thousands come and go behind it: where the log
 * has grown out of proportion, copy it to the end, so that the segment can go. */
static void move_on(cairn__journal *journal) {
    uint64_t bytes_max = 2 * (uint64_t)journal->queue_bytes_max + LOG_BYTES_SPARE;
    if (journal->segments.bytes <= bytes_max || journal->moving != NULL ||
        journal->state_ticket != 0 || journal->failing) {
        return;
    }
    const cairn__segment *needed = cairn__segments_needed(&journal->segments);
    if (needed != journal->segments.items) {
        cairn__journal_write_state(journal); /* those before it go when it is durable */
        return;
    }
    uint32_t number = needed->number;
    cairn__queue_item *item = kept_item_of(journal, number);
    if (item != NULL && item->segment != cairn__segments_newest(&journal->segments)->number &&
        write_item(journal, item)) {
        cairn__segments_leave(&journal->segments, number);
        journal->moving = item;
        cairn__queue_unsettle(&journal->queue, item);
    }
}

cairn_status cairn__journal_put(cairn__journal *journal, cairn_span payload, uint8_t flags) {
    if (journal->mode != CAIRN__JOURNAL_OPEN) {
        return CAIRN_NO_CONSENT;
    }
    if (payload.len > CAIRN__PAYLOAD_BYTES_MAX) {
        return CAIRN_INVALID;
    }
    cairn__queue_item *item = cairn__item_new(journal->allocator, payload, flags);
    if (item == NULL) {
        return CAIRN_NO_MEMORY;
    }
    cairn_status status = make_room(journal, cairn__item_bytes(item));
    item->seq = journal->state.next_seq;
    if (status == CAIRN_OK && !write_item(journal, item)) {
        status = CAIRN_NO_MEMORY;
    }
    if (status != CAIRN_OK) {
        (void)submit(journal); /* what was dropped on the way stays dropped */
        cairn__item_free(journal->allocator, item);
        return status;
    }
    journal->state.next_seq += 1;
    bool added = cairn__queue_add(&journal->queue, item);
    CAIRN_ASSERT(added);
    move_on(journal);
    return CAIRN_OK;
}

/* --- state and acknowledgements ----------------------------------------------------------------*/

void cairn__journal_write_state(cairn__journal *journal) {
    bool purging = journal->mode == CAIRN__JOURNAL_PURGING;
    if (journal->mode == CAIRN__JOURNAL_SILENT ||
        (purging && (journal->stage >= CAIRN__PURGE_CLEAR || !journal->state.purging))) {
        return;
    }
    cairn__buffer bytes = cairn__buffer_make(journal->allocator, CAIRN__STATE_BYTES_MAX);
    journal->state.version += 1;
    cairn__state_write(&bytes, &journal->state, purging ? &journal->farewell : &journal->person);
    journal->state_wanted = bytes.failed;
    if (bytes.failed) {
        journal->failing = true; /* the next retry writes it */
        cairn__buffer_free(&bytes);
        return;
    }
    const cairn__segment *needed = cairn__segments_needed(&journal->segments);
    journal->state_ticket = cairn__journal_ticket(journal);
    bool covers = journal->moving == NULL && needed != NULL && !purging;
    journal->state_covers = covers ? needed->number : 0;
    journal->state_slot = 1 - journal->good_slot;
    journal->storage.state(journal->storage.self, journal->state_ticket, journal->state_slot,
                           cairn__buffer_span(&bytes));
    cairn__buffer_free(&bytes);
}

void cairn__journal_new_device(cairn__journal *journal) {
    journal->open = false; /* the next segment's head names the new device */
    journal->device_unkept = true;
    cairn__journal_write_state(journal);
}

void cairn__journal_ack(cairn__journal *journal, uint64_t acked_seq) {
    while (journal->queue.first != NULL && journal->queue.first->seq <= acked_seq) {
        forget(journal, cairn__queue_pop(&journal->queue));
    }
    if (journal->mode == CAIRN__JOURNAL_PURGING) {
        return; /* it was the farewell: a new state is not needed */
    }
    journal->state.acked_seq = acked_seq;
    cairn__journal_write_state(journal);
}

void cairn__journal_drop(cairn__journal *journal, uint64_t seq) {
    cairn__queue_item *item = cairn__queue_take(&journal->queue, seq);
    if (item == NULL) {
        return;
    }
    if (journal->mode != CAIRN__JOURNAL_OPEN) {
        forget(journal, item);
        return;
    }
    (void)add_drop(journal, seq); /* without memory it is read, and given up, once more */
    (void)submit(journal);
    journal->state.dropped += 1;
    forget(journal, item);
    cairn__journal_write_state(journal);
}

static void remove_segments(cairn__journal *journal, uint32_t before) {
    cairn__segments *segments = &journal->segments;
    while (segments->count > 1 && segments->items[0].number < before &&
           segments->items[0].live == 0) {
        uint32_t number = segments->items[0].number;
        cairn__segments_remove_oldest(segments);
        journal->storage.remove(journal->storage.self, cairn__journal_ticket(journal), number);
    }
}

/* --- completions -------------------------------------------------------------------------------*/

static void note_failure(cairn__journal *journal, int64_t now_ms) {
    if (journal->failing) {
        return; /* one of several of the same moment */
    }
    int64_t wait_ms = CAIRN__STORAGE_RETRY_MS;
    for (unsigned i = 0; i < journal->failures && wait_ms < CAIRN__STORAGE_RETRY_MS_MAX; i++) {
        wait_ms *= 2;
    }
    journal->failing = true;
    journal->failures += 1;
    journal->retry_ms =
        now_ms + (wait_ms < CAIRN__STORAGE_RETRY_MS_MAX ? wait_ms : CAIRN__STORAGE_RETRY_MS_MAX);
}

static void state_done(cairn__journal *journal, bool durable) {
    journal->state_ticket = 0;
    journal->state_wanted = !durable;
    if (durable) {
        journal->good_slot = journal->state_slot;
        journal->device_unkept = false;
        remove_segments(journal, journal->state_covers);
    }
}

/* True when what was submitted can be relied on. */
static bool append_done(cairn__journal *journal, uint32_t ticket, bool durable) {
    cairn__segment *segment = cairn__segments_of_ticket(&journal->segments, ticket);
    if (segment != NULL && !durable) {
        segment->broken = true;
        journal->open = journal->open && segment != cairn__segments_newest(&journal->segments);
    }
    cairn__queue_item *item = cairn__queue_find_ticket(&journal->queue, ticket);
    if (item == NULL) { /* a removal, or of an event that was dropped meanwhile */
        journal->doubtful = journal->doubtful || !durable;
        return durable;
    }
    bool kept = durable && (segment == NULL || !segment->broken);
    item->ticket = 0;
    item->kept = kept; /* if not: without a ticket, the next retry writes it */
    cairn__queue_settle(&journal->queue);
    if (kept && (item->flags & CAIRN__RECORD_REPORT) != 0) {
        journal->state.reported = cairn__load_u64(cairn__item_payload(item).data);
    }
    if (kept && journal->moving == item) {
        journal->moving = NULL;
        cairn__journal_write_state(journal);
    }
    return kept;
}

void cairn__journal_done(cairn__journal *journal, uint32_t ticket, bool durable, int64_t now_ms) {
    if (ticket == 0) {
        return;
    }
    bool kept = durable;
    if (ticket == journal->state_ticket) {
        state_done(journal, durable);
    } else if (!cairn__purge_completed(journal, ticket, durable)) {
        kept = append_done(journal, ticket, durable);
    }
    if (!kept) {
        note_failure(journal, now_ms);
    } else if (!journal->failing) {
        journal->failures = 0;
    }
}

static void write_again(cairn__journal *journal) {
    for (cairn__queue_item *item = journal->queue.unkept; item != NULL; item = item->next) {
        if (item->kept || item->ticket != 0) {
            continue;
        }
        uint32_t old = item->segment;
        if (!write_item(journal, item)) {
            journal->failing = true;
            return;
        }
        cairn__segments_leave(&journal->segments, old);
    }
    if (journal->state_wanted) {
        cairn__journal_write_state(journal);
    }
}

int64_t cairn__journal_retry(cairn__journal *journal, int64_t now_ms) {
    if (journal->mode == CAIRN__JOURNAL_SILENT) {
        return -1;
    }
    if (journal->failing && now_ms >= journal->retry_ms) {
        journal->failing = false;
        journal->open = false;
        journal->retry_ms = now_ms + CAIRN__STORAGE_RETRY_MS;
        write_again(journal);
    }
    return journal->failing ? journal->retry_ms - now_ms : -1;
}
