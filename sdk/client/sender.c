/* sender.c: see sender.h. */
#include "client/sender.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/record.h"
#include "client/batch.h"
#include "client/purge.h"
#include "model/limits.h"

enum {
    HTTP_OK = 200,
    HTTP_UNAUTHORIZED = 401,
    HTTP_FORBIDDEN = 403,
    HTTP_TOO_LARGE = 413,
    LAST_BATCH_TRIES = 6
};

#define SERVER_MS_MAX (INT64_C(1) << 52)

void cairn__sender_free(cairn__sender *sender) {
    cairn__arena_free(&sender->scratch);
    cairn__buffer_free(&sender->body);
}

static int64_t interval(const cairn__sender *sender) {
    return sender->asked_ms > 0 ? sender->asked_ms : sender->interval_ms;
}

void cairn__sender_queued(cairn__sender *sender, int64_t now_ms) {
    if (sender->due_ms == INT64_MAX) {
        sender->due_ms = now_ms + interval(sender);
    }
}

void cairn__sender_flush(cairn__sender *sender) {
    sender->flush_seq = sender->journal->state.next_seq - 1;
    sender->backoff_ms = INT64_MIN;
}

void cairn__sender_reset(cairn__sender *sender, int64_t now_ms) {
    sender->abandoned = sender->ticket != 0;
    sender->flush_seq = 0;
    sender->due_ms = now_ms;
    sender->backoff_ms = INT64_MIN;
    sender->failures = 0;
    sender->reported = 0;
    sender->journal->queue.pinned_seq = 0;
}

/* --- the request -------------------------------------------------------------------------------*/

/* Who the device's person is, as the request's head says it. */
static void fill_head(cairn__sender *sender) {
    const cairn__journal *journal = sender->journal;
    memcpy(sender->head.device_id, journal->state.device_id, sizeof sender->head.device_id);
    bool open = journal->mode == CAIRN__JOURNAL_OPEN; /* a farewell is of nobody else */
    sender->head.ids = open ? journal->person.view.ids : NULL;
    sender->head.id_count = open ? journal->person.view.id_count : 0;
    sender->head.consent = (int)(journal->state.consent & 3); /* analytics */
    sender->head.sent_ms = sender->clock.wall_ms(sender->clock.self);
    if (sender->news.fill != NULL) {
        sender->news.fill(sender->news.self, &sender->head);
    }
}

static cairn__batch batch_of(const cairn__sender *sender) {
    return (cairn__batch){ .queue = &sender->journal->queue,
                           .head = &sender->head,
                           .base = sender->journal->state.base,
                           .events_max = sender->batch_events,
                           .bytes_max = CAIRN__REQUEST_BYTES_MAX };
}

/* A uniform number below `below` (which is not 0). */
static uint64_t random_below(const cairn__sender *sender, uint64_t below) {
    uint8_t bytes[8] = { 0 };
    sender->random.fill(sender->random.self, bytes, sizeof bytes);
    return cairn__load_u64(bytes) % below;
}

/* Wait longer after each failure, and not all devices alike: between half and all of it. */
static void back_off(cairn__sender *sender, int64_t first_ms, int64_t now_ms) {
    int64_t wait_ms = first_ms;
    for (unsigned i = 0; i < sender->failures && wait_ms < CAIRN__BACKOFF_MS_MAX; i++) {
        wait_ms *= 2;
    }
    wait_ms = wait_ms < CAIRN__BACKOFF_MS_MAX ? wait_ms : CAIRN__BACKOFF_MS_MAX;
    wait_ms = wait_ms / 2 + (int64_t)random_below(sender, (uint64_t)wait_ms / 2 + 1);
    sender->failures += 1;
    sender->good_answers = 0;
    sender->backoff_ms = now_ms + wait_ms;
    sender->due_ms = now_ms;
}

/* The oldest events that fit; without any, the head alone: the request only asks. */
static cairn_status write_request(cairn__sender *sender, cairn__batch *batch) {
    cairn_status status = cairn__batch_write(batch, &sender->scratch, &sender->body);
    if (status == CAIRN_OK && sender->journal->queue.first == NULL) {
        status =
            cairn__sync_request_encode(&sender->head, NULL, 0, &sender->scratch, &sender->body);
    }
    cairn__arena_free(&sender->scratch);
    return status;
}

static void start(cairn__sender *sender, int64_t now_ms) {
    fill_head(sender);
    cairn__batch batch = batch_of(sender);
    cairn_status status = write_request(sender, &batch);
    if (status == CAIRN_NO_MEMORY && sender->batch_events > 1) {
        sender->batch_events /= 2;
    }
    if (status != CAIRN_OK) {
        back_off(sender, CAIRN__BACKOFF_MS, now_ms);
        cairn__buffer_free(&sender->body);
        return;
    }
    const cairn__queue_item *first = sender->journal->queue.first;
    CAIRN_ASSERT(batch.count > 0 || first == NULL);
    sender->last_ticket += 1;
    sender->ticket = sender->last_ticket == 0 ? ++sender->last_ticket : sender->last_ticket;
    sender->flight_first = first == NULL ? sender->journal->state.next_seq : first->seq;
    sender->flight_last = first == NULL ? sender->flight_first - 1 : batch.last_seq;
    sender->flight_count = batch.count;
    sender->flight_sent_ms = sender->head.sent_ms;
    sender->journal->queue.pinned_seq = sender->flight_count > 0 ? sender->flight_last : 0;
    sender->due_ms = INT64_MAX;
    sender->transport.start(sender->transport.self, sender->ticket,
                            cairn__buffer_span(&sender->body));
    cairn__buffer_free(&sender->body);
}

int64_t cairn__sender_wait(const cairn__sender *sender, int64_t now_ms) {
    int64_t until =
        sender->backoff_ms > sender->not_before_ms ? sender->backoff_ms : sender->not_before_ms;
    return until > now_ms ? until - now_ms : 0;
}

static int64_t until_due(const cairn__sender *sender, int64_t now_ms) {
    const cairn__queue *queue = &sender->journal->queue;
    if (queue->first == NULL) {
        return sender->poll_ms > now_ms ? sender->poll_ms - now_ms : 0;
    }
    if (queue->first->seq <= sender->flush_seq || queue->count >= sender->batch_events ||
        sender->due_ms <= now_ms) {
        return 0;
    }
    return sender->due_ms == INT64_MAX ? interval(sender) : sender->due_ms - now_ms;
}

int64_t cairn__sender_pump(cairn__sender *sender, int64_t now_ms) {
    const cairn__queue *queue = &sender->journal->queue;
    bool polls = sender->poll_ms != INT64_MAX && sender->journal->mode == CAIRN__JOURNAL_OPEN;
    bool nothing = queue->first == NULL ? !polls : !queue->first->kept;
    if (sender->ticket != 0 || nothing || sender->journal->device_unkept) {
        return -1;
    }
    int64_t wait_ms = cairn__sender_wait(sender, now_ms);
    int64_t due_ms = until_due(sender, now_ms);
    wait_ms = due_ms > wait_ms ? due_ms : wait_ms;
    if (wait_ms > 0) {
        return wait_ms;
    }
    start(sender, now_ms);
    return sender->ticket != 0 ? -1 : cairn__sender_wait(sender, now_ms);
}

/* --- the answer --------------------------------------------------------------------------------*/

static void tell_refused(cairn__sender *sender, const cairn__sync_response *response) {
    cairn__state *state = &sender->journal->state;
    for (size_t i = 0; i < response->rejected_count; i++) {
        uint64_t seq = response->rejected[i].seq + state->base;
        if (seq < sender->flight_first || seq > sender->flight_last) {
            continue; /* not of this request */
        }
        state->refused += 1;
        if (sender->listener.refused != NULL) {
            sender->listener.refused(sender->listener.self, seq, response->rejected[i].reason);
        }
    }
}

static void take_clock(cairn__sender *sender, int64_t server_ms) {
    cairn__state *state = &sender->journal->state;
    if (server_ms <= 0 || server_ms > SERVER_MS_MAX) {
        return;
    }
    int64_t offset_ms = server_ms - sender->flight_sent_ms;
    if (!state->has_clock_offset || offset_ms < state->clock_offset_ms) {
        state->clock_offset_ms = offset_ms;
        state->has_clock_offset = true;
    }
}

/* An event of the client's own; `reported` is not 0 for "$dropped". */
static bool put_own(cairn__sender *sender, cairn__event *event, uint64_t reported) {
    cairn__journal *journal = sender->journal;
    cairn__buffer payload = cairn__buffer_make(journal->allocator, CAIRN__PAYLOAD_BYTES_MAX);
    uint8_t flags = CAIRN__RECORD_CRITICAL;
    if (reported > 0) {
        flags |= CAIRN__RECORD_REPORT;
        cairn__buffer_u64(&payload, reported);
    }
    event->time_ms = sender->clock.wall_ms(sender->clock.self);
    event->session = journal->state.session;
    cairn__event_encode(&payload, event);
    bool put = !payload.failed &&
               cairn__journal_put(journal, cairn__buffer_span(&payload), flags) == CAIRN_OK;
    cairn__buffer_free(&payload);
    return put;
}

/* This id's events run apart from what the server has seen of it (the store was cloned). What waits
 * belongs to a new id from now on, and its count begins again at 1: base does that for all of it in
 * one write of the state. Until that is durable nothing is sent. */
static void take_new_device(cairn__sender *sender) {
    cairn__journal *journal = sender->journal;
    if (journal->mode == CAIRN__JOURNAL_PURGING) {
        cairn__purge_told(journal); /* under another id it would tell nothing */
        return;
    }
    cairn__state *state = &journal->state;
    const cairn__queue_item *first = journal->queue.first;
    sender->random.fill(sender->random.self, state->device_id, sizeof state->device_id);
    state->base = (first == NULL ? state->next_seq : first->seq) - 1;
    state->acked_seq = state->base;
    cairn__journal_new_device(journal);
    cairn__event login = { .kind = CAIRN__EVENT_LOGIN,
                           .ids = journal->person.view.ids,
                           .id_count = journal->person.view.id_count };
    if (login.id_count > 0) {
        (void)put_own(sender, &login, 0); /* the server knows the person of the old id only */
    }
}

/* How many events were given up since this was last said: as an event of its own, once the server
 * listens again. Its record carries the sum, so that no crash makes it say anything twice. */
static void report_dropped(cairn__sender *sender) {
    const cairn__state *state = &sender->journal->state;
    uint64_t dropped = state->dropped;
    uint64_t count = dropped - state->reported;
    if (count == 0 || sender->reported > state->reported) {
        return; /* one at a time: the sum of the last one must be kept first */
    }
    const cairn_property property = { CAIRN_STR("count"),
                                      { CAIRN_VALUE_INTEGER, { .integer = (int64_t)count } } };
    cairn__event event = { .name = CAIRN_STR("$dropped"),
                           .properties = &property,
                           .property_count = 1 };
    if (put_own(sender, &event, dropped)) {
        sender->reported = dropped;
    }
}

static void grow_batch(cairn__sender *sender) {
    size_t max = sender->journal->queue_events_max / 2; /* what is under way cannot be dropped */
    max = max < CAIRN__REQUEST_EVENTS_MAX ? max : CAIRN__REQUEST_EVENTS_MAX;
    sender->good_answers += 1;
    if (sender->good_answers >= CAIRN__GROW_AFTER && sender->batch_events < max) {
        sender->good_answers = 0;
        sender->batch_events = sender->batch_events * 2 < max ? sender->batch_events * 2 : max;
    }
}

static int64_t at_most(int64_t value, int64_t max) {
    return value < max ? value : max;
}

/* True when the answer got the queue forward. */
static bool take_ack(cairn__sender *sender, const cairn__sync_response *response) {
    cairn__journal *journal = sender->journal;
    uint64_t sent_last = sender->flight_last - journal->state.base;
    uint64_t acked = response->acked_seq < sent_last ? response->acked_seq : sent_last;
    uint64_t acked_seq = acked + journal->state.base;
    tell_refused(sender, response);
    take_clock(sender, response->server_ms);
    if (sender->flight_count == 0) {
        return true; /* it only asked */
    }
    if (acked_seq < sender->flight_first) {
        return false;
    }
    cairn__journal_ack(journal, acked_seq);
    if (sender->listener.acked != NULL) {
        sender->listener.acked(sender->listener.self, acked_seq);
    }
    return true;
}

static void take_response(cairn__sender *sender, const cairn__answer *answer, int64_t now_ms) {
    cairn__sync_response response;
    cairn_status status = cairn__sync_response_decode(answer->body, &sender->scratch, &response);
    bool forward = status == CAIRN_OK && take_ack(sender, &response);
    if (status == CAIRN_OK && response.new_device_id) {
        take_new_device(sender);
        forward = true;
    }
    if (!forward) {
        back_off(sender, CAIRN__BACKOFF_MS, now_ms);
        return;
    }
    if (sender->news.take != NULL) {
        sender->news.take(sender->news.self, &response, sender->flight_last);
    }
    sender->failures = 0;
    sender->backoff_ms = INT64_MIN;
    sender->asked_ms = at_most(response.next_sync_ms, CAIRN__RETRY_AFTER_MS_MAX);
    if (response.retry_after_ms > 0) {
        sender->not_before_ms =
            now_ms + at_most(response.retry_after_ms, CAIRN__RETRY_AFTER_MS_MAX);
    }
    if (sender->poll_ms != INT64_MAX) {
        sender->poll_ms = now_ms + (sender->asked_ms > 0 ? sender->asked_ms : CAIRN__POLL_MS);
    }
    grow_batch(sender);
    report_dropped(sender);
    if (sender->journal->queue.first != NULL) {
        cairn__sender_queued(sender, now_ms);
    }
}

/* The server does not take so much at once. One event alone that is too large is given up. */
static void take_too_large(cairn__sender *sender, int64_t now_ms) {
    sender->good_answers = 0;
    sender->due_ms = now_ms;
    if (sender->flight_count > 1) {
        sender->batch_events = sender->flight_count / 2;
        return;
    }
    if (sender->flight_count == 0) {
        back_off(sender, CAIRN__BACKOFF_MS, now_ms);
        return;
    }
    if (sender->listener.refused != NULL) {
        sender->listener.refused(sender->listener.self, sender->flight_first,
                                 CAIRN_STR("event_too_large: the server does not take it; "
                                           "shorten its texts"));
    }
    cairn__journal_drop(sender->journal, sender->flight_first);
}

void cairn__sender_answered(cairn__sender *sender, const cairn__answer *answer, int64_t now_ms) {
    if (answer->ticket == 0 || answer->ticket != sender->ticket) {
        return; /* of a request that is not waited for */
    }
    sender->ticket = 0;
    if (sender->abandoned) {
        sender->abandoned = false;
        return;
    }
    sender->last_status = answer->status;
    sender->journal->queue.pinned_seq = 0;
    if (answer->retry_after_ms > 0) {
        sender->not_before_ms = now_ms + at_most(answer->retry_after_ms, CAIRN__RETRY_AFTER_MS_MAX);
    }
    switch (answer->status) {
    case HTTP_OK:
        take_response(sender, answer, now_ms);
        cairn__arena_free(&sender->scratch);
        break;
    case HTTP_TOO_LARGE:
        take_too_large(sender, now_ms);
        break;
    case HTTP_UNAUTHORIZED:
    case HTTP_FORBIDDEN:
        back_off(sender, CAIRN__DENIED_MS, now_ms);
        break;
    default:
        back_off(sender, CAIRN__BACKOFF_MS, now_ms);
    }
}

cairn_span cairn__sender_last_batch(cairn__sender *sender, size_t bytes_max) {
    if (sender->journal->device_unkept) {
        return (cairn_span){ NULL, 0 }; /* they would be sent again under another id */
    }
    fill_head(sender);
    cairn__batch batch = batch_of(sender);
    batch.with_unkept = true;
    batch.bytes_max = 2 * bytes_max; /* the dictionary saves about half */
    for (unsigned i = 0; i < LAST_BATCH_TRIES; i++) {
        cairn_status status = cairn__batch_write(&batch, &sender->scratch, &sender->body);
        cairn__arena_free(&sender->scratch);
        if (status != CAIRN_OK || batch.count == 0) {
            break;
        }
        if (sender->body.len <= bytes_max) {
            return cairn__buffer_span(&sender->body);
        }
        batch.bytes_max = batch.bytes_max * 3 / 5;
    }
    return (cairn_span){ NULL, 0 };
}
