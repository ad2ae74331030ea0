/* client.c: the life of a client and its driving; what is tracked is calls.c. */
#include "client/client.h"

#include "base/bytes.h"
#include "client/purge.h"
#include "model/limits.h"

enum { BODY_BYTES_MAX = CAIRN__BATCH_BYTES_MAX, QUEUE_EVENTS_MIN = 2 };

/* --- opening -----------------------------------------------------------------------------------*/

static bool is_text(cairn_span text, size_t bytes_max) {
    return text.len <= bytes_max && (text.len == 0 || cairn__utf8_valid(text));
}

static bool is_valid(const cairn_options *options, const cairn_platform *platform) {
    return options->project_key.len > 0 &&
           is_text(options->project_key, CAIRN__PROJECT_KEY_BYTES_MAX) &&
           is_text(options->sdk_name, CAIRN__SDK_TEXT_BYTES_MAX) &&
           is_text(options->sdk_version, CAIRN__SDK_TEXT_BYTES_MAX) &&
           is_text(options->platform, CAIRN__SDK_TEXT_BYTES_MAX) &&
           platform->clock.wall_ms != NULL && platform->clock.mono_ms != NULL &&
           platform->random.fill != NULL && platform->storage.append != NULL &&
           platform->storage.remove != NULL && platform->storage.state != NULL &&
           platform->transport.start != NULL &&
           ((options->consent.required | options->consent.denied) & ~(uint32_t)CAIRN_CONSENT_ALL) ==
               0;
}

/* Copy one text behind the others. */
static cairn_span keep_text(uint8_t **at, cairn_span text) {
    cairn_span kept = { *at, text.len };
    if (text.len > 0) {
        memcpy(*at, text.data, text.len);
    }
    *at += text.len;
    return kept;
}

static bool keep_texts(cairn_client *client, const cairn_options *options) {
    size_t len = options->project_key.len + options->sdk_name.len + options->sdk_version.len +
                 options->platform.len;
    uint8_t *at = client->allocator.resize(client->allocator.self, NULL, 0, len);
    if (at == NULL) {
        return false;
    }
    client->texts = (cairn_span){ at, len };
    client->sender.head.project_key = keep_text(&at, options->project_key);
    client->sender.head.sdk_name = keep_text(&at, options->sdk_name);
    client->sender.head.sdk_version = keep_text(&at, options->sdk_version);
    client->sender.head.platform = keep_text(&at, options->platform);
    return true;
}

static size_t bounded(uint32_t wanted, size_t by_default, size_t min) {
    size_t value = wanted == 0 ? by_default : wanted;
    return value < min ? min : value;
}

static cairn__consent make_consent(const cairn_options *options, cairn_allocator allocator) {
    cairn__consent consent = { .options = options->consent, .waiting = { .allocator = allocator } };
    consent.options.wait_events_max =
        (uint32_t)bounded(options->consent.wait_events_max, CAIRN__WAIT_EVENTS_DEFAULT, 1);
    consent.options.wait_bytes_max =
        (uint32_t)bounded(options->consent.wait_bytes_max, CAIRN__WAIT_BYTES_DEFAULT, 1);
    return consent;
}

static cairn__sender make_sender(cairn_client *client, const cairn_options *options,
                                 const cairn_platform *platform) {
    size_t batch = client->journal.queue_events_max / 2;
    return (cairn__sender){
        .journal = &client->journal,
        .transport = platform->transport,
        .listener = platform->listener,
        .clock = platform->clock,
        .random = platform->random,
        .scratch = cairn__arena_make(client->allocator, CAIRN__SCRATCH_BYTES_MAX),
        .body = cairn__buffer_make(client->allocator, BODY_BYTES_MAX),
        .interval_ms = options->flush_interval_ms,
        .due_ms = INT64_MAX,
        .poll_ms = INT64_MAX,
        .backoff_ms = INT64_MIN,
        .not_before_ms = INT64_MIN,
        .batch_events = batch < CAIRN__REQUEST_EVENTS_MAX ? batch : CAIRN__REQUEST_EVENTS_MAX
    };
}

cairn_status cairn_open(const cairn_options *options, const cairn_platform *platform,
                        cairn_client **client_out) {
    *client_out = NULL;
    if (!is_valid(options, platform)) {
        return CAIRN_INVALID;
    }
    cairn_allocator allocator =
        options->allocator.resize == NULL ? cairn__heap() : options->allocator;
    cairn_client *client = allocator.resize(allocator.self, NULL, 0, sizeof *client);
    if (client == NULL) {
        return CAIRN_NO_MEMORY;
    }
    *client = (cairn_client){ .allocator = allocator,
                              .clock = platform->clock,
                              .random = platform->random,
                              .journal = cairn__journal_make(allocator, platform->storage),
                              .timers = { .allocator = allocator },
                              .scratch = cairn__arena_make(allocator, CAIRN__SCRATCH_BYTES_MAX),
                              .encoded = cairn__buffer_make(allocator, CAIRN__SCRATCH_BYTES_MAX) };
    client->journal.queue_events_max =
        bounded(options->queue_events_max, CAIRN__QUEUE_EVENTS_DEFAULT, QUEUE_EVENTS_MIN);
    client->journal.queue_bytes_max =
        bounded(options->queue_bytes_max, CAIRN__QUEUE_BYTES_DEFAULT, 1);
    client->consent = make_consent(options, allocator);
    client->sender = make_sender(client, options, platform);
    cairn_status status = cairn__privacy_copy(&client->privacy.own, &options->privacy, allocator);
    if (status == CAIRN_OK && !keep_texts(client, options)) {
        status = CAIRN_NO_MEMORY;
    }
    if (status == CAIRN_OK) {
        status = cairn__deciding_open(client, options, platform);
    }
    if (status != CAIRN_OK) {
        cairn_close(client);
        return status;
    }
    *client_out = client;
    return CAIRN_OK;
}

void cairn_close(cairn_client *client) {
    if (client == NULL) {
        return;
    }
    cairn__deciding_free(client);
    cairn__journal_free(&client->journal);
    cairn__consent_free(client);
    cairn__privacy_free(&client->privacy, client->allocator);
    cairn__sender_free(&client->sender);
    cairn__timers_free(&client->timers);
    cairn__arena_free(&client->scratch);
    cairn__buffer_free(&client->encoded);
    cairn_allocator allocator = client->allocator;
    if (client->texts.data != NULL) {
        allocator.resize(allocator.self, (void *)(uintptr_t)client->texts.data, client->texts.len,
                         0);
    }
    allocator.resize(allocator.self, client, sizeof *client, 0);
}

/* --- reading back and starting -----------------------------------------------------------------*/

static uint64_t larger(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/* Numbers that segments have told already only grow. */
static cairn_status restore_state(cairn__journal *journal, uint32_t slot, cairn_span bytes) {
    const cairn__state before = journal->state;
    cairn_status status = cairn__state_read(bytes, &journal->state, &journal->person);
    if (journal->state.version != before.version) {
        journal->good_slot = slot & 1;
    }
    journal->state.next_seq = larger(journal->state.next_seq, before.next_seq);
    journal->state.dropped = larger(journal->state.dropped, before.dropped);
    journal->state.reported = larger(journal->state.reported, before.reported);
    return status;
}

cairn_status cairn_restore(cairn_client *client, cairn_space space, uint32_t number,
                           cairn_span bytes) {
    if (client->started) {
        return CAIRN_INVALID;
    }
    bool bundle = space == CAIRN_SPACE_STATE && number >= CAIRN__BUNDLE_SLOT_FIRST;
    bool local = space == CAIRN_SPACE_LOG && cairn__local_has_segment(number);
    client->others_seen = client->others_seen || ((bundle || local) && bytes.len > 0);
    if (bundle) {
        return cairn__deciding_restore_bundle(client, number, bytes);
    }
    if (local) {
        return cairn__deciding_restore_local(client, number, bytes);
    }
    if (space == CAIRN_SPACE_STATE) {
        cairn_status status = restore_state(&client->journal, number, bytes);
        client->slots_seen |= bytes.len > 0 ? 1u << (number & 1) : 0;
        client->state_unread = client->state_unread || status != CAIRN_OK;
        return status;
    }
    return cairn__journal_restore(&client->journal, number, bytes);
}

static int64_t mono_ms(const cairn_client *client) {
    return client->clock.mono_ms(client->clock.self);
}

/* A session that was not long ago goes on: its start is put onto this process's monotonic clock. */
static void resume_session(cairn_client *client, int64_t now_ms) {
    const cairn__state *state = &client->journal.state;
    int64_t wall_ms = client->clock.wall_ms(client->clock.self);
    int64_t ago_ms = wall_ms - state->session_start_ms;
    client->session_mono_ms = ago_ms > 0 ? now_ms - ago_ms : now_ms;
}

static void resume_item(cairn_client *client, const cairn__queue_item *item) {
    const cairn__dictionary no_words = { NULL, 0 };
    cairn__event event;
    cairn__event_fault fault;
    cairn_span payload = cairn__item_payload(item);
    cairn__arena_reset(&client->scratch);
    if ((item->flags & CAIRN__RECORD_CRITICAL) == 0 ||
        cairn__event_decode(payload, &no_words, &client->scratch, &event, &fault) != CAIRN_OK ||
        (event.kind != CAIRN__EVENT_LOGIN && event.kind != CAIRN__EVENT_LOGOUT)) {
        return;
    }
    cairn__event wanted = client->journal.person.view;
    wanted.ids = event.ids;
    wanted.id_count = event.kind == CAIRN__EVENT_LOGIN && event.id_count > 0 ? 1 : 0;
    (void)cairn__person_set(&client->journal.person, &wanted);
}

/* The newest login or logout in the queue holds, whatever the state says: it is written after them,
 * and a crash may come in between. Else whoever logged out would be logged in again. */
static void resume_person(cairn_client *client) {
    const cairn__queue_item *item = client->journal.queue.first;
    for (; item != NULL && client->journal.mode == CAIRN__JOURNAL_OPEN; item = item->next) {
        resume_item(client, item);
    }
}

cairn_status cairn_start(cairn_client *client) {
    if (client->started) {
        return CAIRN_INVALID;
    }
    if (client->state_unread) {
        return CAIRN_NO_MEMORY; /* who the device is may be in there */
    }
    cairn__journal *journal = &client->journal;
    bool known = cairn__journal_recover(journal);
    cairn_status status = cairn__consent_begin(client, known);
    if (status != CAIRN_OK) {
        return status;
    }
    client->started = true;
    resume_session(client, mono_ms(client));
    resume_person(client);
    cairn__deciding_started(client);
    return CAIRN_OK;
}

/* --- driving -----------------------------------------------------------------------------------*/

void cairn_flush(cairn_client *client) {
    cairn__sender_flush(&client->sender);
}

/* The sooner of two waits; -1: none. */
static int64_t sooner(int64_t a, int64_t b) {
    if (a < 0 || b < 0) {
        return a > b ? a : b;
    }
    return a < b ? a : b;
}

static bool may_send(const cairn_client *client) {
    return client->started &&
           (client->journal.mode == CAIRN__JOURNAL_OPEN || cairn__purge_tells(&client->journal));
}

int64_t cairn_pump(cairn_client *client) {
    if (!client->started) {
        return -1;
    }
    int64_t now_ms = mono_ms(client);
    int64_t wait_ms = cairn__journal_retry(&client->journal, now_ms);
    cairn__consent_step(client);
    wait_ms = sooner(wait_ms, cairn__consent_wait(client));
    wait_ms = sooner(wait_ms, cairn__deciding_pump(client));
    if (may_send(client)) {
        wait_ms = sooner(wait_ms, cairn__sender_pump(&client->sender, now_ms));
        cairn__deciding_catch_up(client);
    }
    return wait_ms;
}

void cairn_storage_done(cairn_client *client, uint32_t ticket, bool durable) {
    if (!cairn__deciding_done(client, ticket, durable)) {
        cairn__journal_done(&client->journal, ticket, durable, mono_ms(client));
    }
    cairn__consent_step(client);
    (void)cairn__popups_pump(client); /* one may have waited for this */
}

void cairn_http_done(cairn_client *client, uint32_t ticket, uint32_t status,
                     uint32_t retry_after_ms, cairn_span body) {
    const cairn__answer answer = { ticket, status, retry_after_ms, body };
    cairn__sender_answered(&client->sender, &answer, mono_ms(client));
    cairn__deciding_catch_up(client);
    cairn__consent_step(client);
}

cairn_span cairn_last_batch(cairn_client *client, size_t bytes_max) {
    if (!may_send(client)) {
        return (cairn_span){ NULL, 0 };
    }
    return cairn__sender_last_batch(&client->sender, bytes_max);
}

void cairn_get_status(const cairn_client *client, cairn_client_status *status_out) {
    const cairn__journal *journal = &client->journal;
    const cairn__event *person = &journal->person.view;
    *status_out = (cairn_client_status){
        .queued_events = journal->queue.count + client->consent.waiting.count,
        .queued_bytes = journal->queue.bytes + client->consent.waiting.bytes,
        .kept_seq =
            (journal->queue.unkept != NULL ? journal->queue.unkept->seq : journal->state.next_seq) -
            1,
        .last_seq = journal->state.next_seq - 1,
        .acked_seq = journal->state.acked_seq,
        .dropped_events = journal->state.dropped + client->dropped_waiting,
        .refused_events = journal->state.refused,
        .retry_in_ms = (uint64_t)cairn__sender_wait(&client->sender, mono_ms(client)),
        .last_http_status = client->sender.last_status,
        .clock_offset_ms = journal->state.clock_offset_ms,
    };
    if (client->started && journal->mode == CAIRN__JOURNAL_OPEN) {
        memcpy(status_out->device_id, journal->state.device_id, sizeof status_out->device_id);
    }
    if (person->id_count > 0) {
        status_out->login_id = person->ids[0].value;
    }
}
