/* purge.c: see purge.h. */
#include "client/purge.h"

#include "base/assert.h"

/* --- beginning ---------------------------------------------------------------------------------*/

static void throw_queue_away(cairn__journal *journal) {
    cairn__queue_free(&journal->queue);
    for (size_t i = 0; i < journal->segments.count; i++) {
        journal->segments.items[i].live = 0;
    }
    cairn__buffer_clear(&journal->pending);
    journal->moving = NULL;
    journal->open = false;
}

/* The farewell as the queue's only event; the tombstone keeps it, no segment. */
static cairn__queue_item *farewell_item(const cairn__journal *journal,
                                        const cairn__person *farewell) {
    cairn__queue_item *item = cairn__item_new(
        journal->allocator, cairn__buffer_span(&farewell->bytes), CAIRN__RECORD_CRITICAL);
    if (item != NULL) {
        item->seq = journal->state.acked_seq + 1;
        item->kept = true;
    }
    return item;
}

static void enter(cairn__journal *journal, cairn__purge_stage stage, cairn__queue_item *item) {
    journal->mode = CAIRN__JOURNAL_PURGING;
    journal->stage = stage;
    journal->clear_ticket = 0;
    journal->hook_asked = false;
    if (item != NULL) {
        bool added = cairn__queue_add(&journal->queue, item);
        CAIRN_ASSERT(added);
    }
}

cairn_status cairn__purge_begin(cairn__journal *journal, const cairn__event *farewell) {
    cairn__person kept = cairn__person_make(journal->allocator);
    cairn__queue_item *item = NULL;
    uint64_t seq = journal->state.next_seq;
    if (farewell != NULL) {
        cairn_status status = cairn__person_set(&kept, farewell);
        item = status == CAIRN_OK ? farewell_item(journal, &kept) : NULL;
        if (item == NULL) {
            cairn__person_free(&kept);
            return CAIRN_NO_MEMORY;
        }
        item->seq = seq;
        journal->state.next_seq += 1;
    }
    cairn__person_free(&journal->farewell);
    journal->farewell = kept;
    throw_queue_away(journal);
    journal->state.acked_seq = seq - 1;
    journal->state.purging = true;
    journal->state.session = 0;
    journal->state.session_start_ms = 0;
    journal->state.last_event_ms = 0;
    enter(journal, CAIRN__PURGE_TOMBSTONE, item);
    cairn__journal_write_state(journal);
    return CAIRN_OK;
}

cairn_status cairn__purge_resume(cairn__journal *journal) {
    cairn__queue_item *item = NULL;
    if (journal->person.bytes.len > 0) {
        item = farewell_item(journal, &journal->person);
        if (item == NULL) {
            return CAIRN_NO_MEMORY;
        }
    }
    journal->farewell = journal->person;
    journal->person = cairn__person_make(journal->allocator);
    throw_queue_away(journal);
    enter(journal, CAIRN__PURGE_BOTH, item);
    cairn__journal_write_state(journal); /* the other slot may be of before the tombstone */
    return CAIRN_OK;
}

void cairn__purge_rest(cairn__journal *journal) {
    throw_queue_away(journal);
    enter(journal, CAIRN__PURGE_WIPE, NULL);
    cairn__purge_step(journal);
}

/* --- segments ----------------------------------------------------------------------------------*/

/* Removals that failed before the purge: their segments are on the list again. */
static bool list_doubtful(cairn__journal *journal) {
    const cairn__segment *newest = cairn__segments_newest(&journal->segments);
    if (!journal->doubtful || journal->first_segment == 0 || newest == NULL) {
        return true;
    }
    uint32_t end = newest->number;
    for (uint32_t number = journal->first_segment; number < end; number++) {
        if (cairn__segments_add(&journal->segments, number) == NULL) {
            return false;
        }
    }
    journal->doubtful = false;
    return true;
}

/* True when all segments are gone. */
static bool wipe(cairn__journal *journal) {
    if (journal->failing) {
        return false; /* after the wait */
    }
    if (!list_doubtful(journal)) {
        journal->failing = true;
        return false;
    }
    for (size_t i = 0; i < journal->segments.count; i++) {
        cairn__segment *segment = &journal->segments.items[i];
        if (segment->remove_ticket == 0) {
            segment->remove_ticket = cairn__journal_ticket(journal);
            journal->storage.remove(journal->storage.self, segment->remove_ticket, segment->number);
        }
    }
    bool empty = journal->hook.purge == NULL;
    if (!empty) { /* what was emptied once may have been filled again: asked first, then looked at
                   */
        empty = journal->hook_asked && journal->hook.empty(journal->hook.self);
    }
    if (!empty) {
        journal->hook_asked = true;
        journal->hook.purge(journal->hook.self);
        empty = journal->hook.empty(journal->hook.self);
    }
    return journal->segments.count == 0 && empty;
}

/* --- slots -------------------------------------------------------------------------------------*/

/* What outlives the purge: the consent, of no device. */
static bool write_remembered(cairn__journal *journal, cairn__buffer *bytes) {
    cairn__person nobody = cairn__person_make(journal->allocator);
    const cairn__state remembered = { .version = journal->state.version + 1,
                                      .next_seq = 1,
                                      .consent = journal->state.consent,
                                      .consent_text = journal->state.consent_text };
    cairn__state_write(bytes, &remembered, &nobody);
    cairn__person_free(&nobody);
    return !bytes->failed;
}

static void clear(cairn__journal *journal, uint32_t slot) {
    cairn__buffer bytes = cairn__buffer_make(journal->allocator, CAIRN__STATE_BYTES_MAX);
    bool remembers = journal->remember && journal->stage == CAIRN__PURGE_CLEAR;
    if (journal->failing || (remembers && !write_remembered(journal, &bytes))) {
        journal->failing = true;
    } else {
        journal->clear_ticket = cairn__journal_ticket(journal);
        journal->storage.state(journal->storage.self, journal->clear_ticket, slot,
                               cairn__buffer_span(&bytes));
    }
    cairn__buffer_free(&bytes);
}

bool cairn__purge_completed(cairn__journal *journal, uint32_t ticket, bool durable) {
    for (size_t i = 0; i < journal->segments.count; i++) {
        cairn__segment *segment = &journal->segments.items[i];
        if (segment->remove_ticket != ticket) {
            continue;
        }
        segment->remove_ticket = 0;
        if (durable) {
            cairn__segments_remove(&journal->segments, segment);
        }
        return true;
    }
    if (ticket != journal->clear_ticket) {
        return false;
    }
    journal->clear_ticket = 0;
    if (durable) {
        journal->stage =
            journal->stage == CAIRN__PURGE_CLEAR ? CAIRN__PURGE_CLEAR_LAST : CAIRN__PURGE_DONE;
    }
    return true;
}

/* --- going on ----------------------------------------------------------------------------------*/

void cairn__purge_told(cairn__journal *journal) {
    cairn__queue_free(&journal->queue);
}

static bool state_is_kept(const cairn__journal *journal) {
    return journal->state_ticket == 0 && !journal->state_wanted;
}

/* One stage further, where the present one is done. */
static bool advance(cairn__journal *journal) {
    switch (journal->stage) {
    case CAIRN__PURGE_TOMBSTONE:
        if (!state_is_kept(journal)) {
            return false;
        }
        journal->stage = CAIRN__PURGE_BOTH;
        cairn__journal_write_state(journal);
        return true;
    case CAIRN__PURGE_BOTH:
        if (!state_is_kept(journal)) {
            return false;
        }
        journal->stage = CAIRN__PURGE_WIPE;
        return true;
    case CAIRN__PURGE_WIPE:
        if (!wipe(journal)) {
            return false;
        }
        journal->stage = CAIRN__PURGE_TELL;
        return true;
    case CAIRN__PURGE_TELL:
        if (journal->queue.first != NULL || !state_is_kept(journal)) {
            return false;
        }
        journal->stage = CAIRN__PURGE_CLEAR;
        return true;
    case CAIRN__PURGE_CLEAR:
    case CAIRN__PURGE_CLEAR_LAST:
        if (journal->clear_ticket == 0) {
            bool first = journal->stage == CAIRN__PURGE_CLEAR;
            clear(journal, first ? 1 - journal->good_slot : journal->good_slot);
        }
        return false;
    case CAIRN__PURGE_DONE:
        return false;
    }
    return false;
}

void cairn__purge_step(cairn__journal *journal) {
    while (journal->mode == CAIRN__JOURNAL_PURGING && advance(journal)) {
    }
}

void cairn__purge_end(cairn__journal *journal) {
    CAIRN_ASSERT(journal->stage == CAIRN__PURGE_DONE && journal->segments.count == 0);
    const cairn__state before = journal->state;
    journal->state = (cairn__state){ .next_seq = 1,
                                     .version = journal->remember ? before.version + 1 : 0,
                                     .consent = before.consent,
                                     .consent_text = before.consent_text,
                                     .session = before.session,
                                     .session_start_ms = before.session_start_ms,
                                     .last_event_ms = before.last_event_ms };
    journal->good_slot = journal->remember ? 1 - journal->good_slot : 0;
    cairn__person_free(&journal->farewell);
    journal->farewell = cairn__person_make(journal->allocator);
    journal->mode = CAIRN__JOURNAL_SILENT;
    journal->device_unkept = false;
    journal->lost_seq = 0;
    journal->head = (cairn__state){ 0 };
    journal->first_segment = 0;
    journal->doubtful = false;
}
