/* deciding.c: the bundle's and the device's knowledge's life; see deciding.h. */
#include "client/deciding.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/record.h"
#include "bundle/facts.h"
#include "client/client.h"

enum { ZONE_ARENA_BYTES_MAX = 64 * 1024, FACTS_ARENA_BYTES_MAX = 512 * 1024, WIPE_RETRY_MS = 1000 };

static int64_t mono_ms(const cairn_client *client) {
    return client->clock.mono_ms(client->clock.self);
}

bool cairn__deciding_has_bundle(const cairn__deciding *deciding) {
    return deciding->held.version > 0;
}

/* --- opening ---------------------------------------------------------------------------------- */

static bool take_keys(cairn__deciding *deciding, const cairn_decide_options *options) {
    if (options->key_count > CAIRN__KEYS_MAX || options->region.len > sizeof deciding->region) {
        return false;
    }
    deciding->region_bytes = options->region.len;
    if (options->region.len > 0) {
        memcpy(deciding->region, options->region.data, options->region.len);
    }
    for (size_t i = 0; i < options->key_count; i++) {
        const cairn_bundle_key *key = &options->keys[i];
        if (key->id.len == 0 || key->id.len > CAIRN__KEY_ID_BYTES_MAX || key->bytes[0] != 0x04) {
            return false;
        }
        memcpy(deciding->key_ids[i], key->id.data, key->id.len);
        deciding->keys[i].id = (cairn_span){ deciding->key_ids[i], key->id.len };
        memcpy(deciding->keys[i].bytes, key->bytes, sizeof key->bytes);
    }
    deciding->key_count = options->key_count;
    return true;
}

static cairn__held_bundle make_held(cairn_allocator allocator) {
    return (
        cairn__held_bundle){ .bytes = cairn__buffer_make(allocator, CAIRN__BUNDLE_BYTES_MAX + 256),
                             .arena = cairn__arena_make(allocator, CAIRN__BUNDLE_ARENA_BYTES_MAX) };
}

static void free_held(cairn__held_bundle *held) {
    cairn__buffer_free(&held->bytes);
    cairn__arena_free(&held->arena);
    held->version = 0;
    held->bundle = NULL;
    held->decider = NULL;
}

static void fill_head(void *self, cairn__sync_head *head);
static void take_answer(void *self, const cairn__sync_response *response, uint64_t last_seq);
static void purge(void *self);
static bool is_purged(void *self);

static cairn_status open_local(cairn_client *client) {
    cairn__deciding *deciding = &client->deciding;
    const cairn__local_options options = {
        .allocator = deciding->allocator,
        .storage = deciding->storage,
        .history_events_max = deciding->options.history_events_max,
        .history_bytes_max = deciding->options.history_bytes_max,
        .history_days_max = deciding->options.history_days_max,
        .value_of = cairn__context_value,
        .context = client,
    };
    return cairn__local_open(&options, &deciding->local);
}

cairn_status cairn__deciding_open(cairn_client *client, const cairn_options *options,
                                  const cairn_platform *platform) {
    cairn__deciding *deciding = &client->deciding;
    cairn_allocator allocator = client->allocator;
    *deciding =
        (cairn__deciding){ .allocator = allocator,
                           .storage = platform->storage,
                           .listener = platform->listener,
                           .options = options->decide,
                           .own_consent = options->consent,
                           .project = client->sender.head.project_key,
                           .held = make_held(allocator),
                           .slot = CAIRN__BUNDLE_SLOT_FIRST + 1,
                           .last_ticket = CAIRN__BUNDLE_TICKET_FIRST,
                           .page = cairn__buffer_make(allocator, CAIRN__PAGE_BYTES_MAX),
                           .device = cairn__person_make(allocator),
                           .zone_name = cairn__buffer_make(allocator, CAIRN__ZONE_NAME_BYTES_MAX),
                           .zone_bytes = cairn__buffer_make(allocator, CAIRN__ZONE_FILE_BYTES_MAX),
                           .zone_arena = cairn__arena_make(allocator, ZONE_ARENA_BYTES_MAX),
                           .answer = cairn__buffer_make(allocator, CAIRN__ANSWER_BYTES_MAX) };
    deciding->options.keys = NULL; /* copied below */
    for (size_t i = 0; i < CAIRN__LAST_DECISIONS; i++) {
        deciding->last[i] = cairn__buffer_make(allocator, CAIRN__LAST_DECISION_BYTES_MAX);
    }
    cairn__popups_open(deciding);
    if (!take_keys(deciding, &options->decide)) {
        return CAIRN_INVALID;
    }
    if (deciding->key_count == 0 && !options->decide.keep_history) {
        return CAIRN_OK;
    }
    if (deciding->key_count > 0) {
        client->sender.news = (cairn__sender_news){ fill_head, take_answer, client };
        client->sender.poll_ms = INT64_MIN;
    }
    cairn__client_on_purge(client, (cairn__purge_hook){ purge, is_purged, client });
    return open_local(client);
}

void cairn__deciding_free(cairn_client *client) {
    cairn__deciding *deciding = &client->deciding;
    cairn__local_close(deciding->local);
    deciding->local = NULL;
    free_held(&deciding->held);
    cairn__buffer_free(&deciding->page);
    cairn__person_free(&deciding->device);
    cairn__buffer_free(&deciding->zone_name);
    cairn__buffer_free(&deciding->zone_bytes);
    cairn__arena_free(&deciding->zone_arena);
    cairn__buffer_free(&deciding->answer);
    for (size_t i = 0; i < CAIRN__LAST_DECISIONS; i++) {
        cairn__buffer_free(&deciding->last[i]);
    }
    cairn__popups_free(deciding);
}

/* --- the bundle ------------------------------------------------------------------------------- */

static cairn__bundle_trust trust_of(const cairn__deciding *deciding) {
    return (cairn__bundle_trust){ .keys = deciding->keys,
                                  .key_count = deciding->key_count,
                                  .project = deciding->project,
                                  .held_version = deciding->held.version };
}

/* Everything that can fail, before anything in force is touched. */
static cairn_status read_held(cairn__held_bundle *fresh, const cairn__bundle_trust *trust,
                              cairn_span signed_bundle, cairn__bundle_verdict *verdict_out) {
    cairn_span bytes;
    cairn__bundle_fault fault;
    cairn__buffer_append(&fresh->bytes, signed_bundle);
    *verdict_out = fresh->bytes.failed
                       ? CAIRN__BUNDLE_NO_MEMORY
                       : cairn__bundle_judge(cairn__buffer_span(&fresh->bytes), trust, &bytes);
    if (*verdict_out != CAIRN__BUNDLE_NEW) {
        return CAIRN_OK;
    }
    fresh->bundle = cairn__arena_alloc_zero(&fresh->arena, 1, sizeof *fresh->bundle);
    cairn_status status = fresh->bundle == NULL
                              ? CAIRN_NO_MEMORY
                              : cairn__bundle_read(bytes, &fresh->arena, fresh->bundle, &fault);
    if (status == CAIRN_OK) {
        status = cairn__decider_make(&fresh->bundle->definitions, &fresh->arena, &fresh->decider);
    }
    if (status != CAIRN_OK) {
        *verdict_out = status == CAIRN_NO_MEMORY ? CAIRN__BUNDLE_NO_MEMORY : CAIRN__BUNDLE_DAMAGED;
        return status;
    }
    fresh->version = fresh->bundle->definitions.version;
    return CAIRN_OK;
}

static cairn_status status_of(cairn__bundle_verdict verdict) {
    switch (verdict) {
    case CAIRN__BUNDLE_NEW:
    case CAIRN__BUNDLE_SAME:
        return CAIRN_OK;
    case CAIRN__BUNDLE_DAMAGED:
        return CAIRN_INVALID;
    case CAIRN__BUNDLE_NO_MEMORY:
        return CAIRN_NO_MEMORY;
    case CAIRN__BUNDLE_OLDER:
    case CAIRN__BUNDLE_OTHER_PROJECT:
    case CAIRN__BUNDLE_KEY_UNKNOWN:
    case CAIRN__BUNDLE_NOT_SIGNED:
        break;
    }
    return CAIRN_DENIED;
}

/* The facts that rules ask for are counted from now on. */
static void use_definitions(cairn__deciding *deciding) {
    const cairn__definitions *definitions = &deciding->held.bundle->definitions;
    if (deciding->local != NULL) {
        (void)cairn__local_use(deciding->local, definitions->facts, definitions->fact_count,
                               definitions->zone);
    }
    if (deciding->zone == NULL) {
        (void)cairn__context_find_zone(deciding);
    }
}

/* Put a bundle in force, whole; the one that was stays when it cannot be. */
static cairn_status adopt(cairn__deciding *deciding, cairn_span signed_bundle) {
    cairn__held_bundle fresh = make_held(deciding->allocator);
    const cairn__bundle_trust trust = trust_of(deciding);
    deciding->judged = true;
    (void)read_held(&fresh, &trust, signed_bundle, &deciding->verdict);
    if (deciding->verdict != CAIRN__BUNDLE_NEW) {
        free_held(&fresh);
        return status_of(deciding->verdict);
    }
    bool of_table = deciding->zone != NULL && deciding->zone_bytes.len == 0;
    deciding->zone = of_table ? NULL : deciding->zone;
    cairn__held_bundle old = deciding->held;
    deciding->held = fresh;
    use_definitions(deciding);
    free_held(&old);
    return CAIRN_OK;
}

static bool may_keep(const cairn_client *client) {
    return client->started && client->journal.mode == CAIRN__JOURNAL_OPEN;
}

static uint32_t take_ticket(cairn__deciding *deciding) {
    deciding->last_ticket = deciding->last_ticket == CAIRN__BUNDLE_TICKET_LAST
                                ? CAIRN__BUNDLE_TICKET_FIRST
                                : deciding->last_ticket + 1;
    return deciding->last_ticket;
}

static uint32_t other_slot(const cairn__deciding *deciding) {
    return deciding->slot == CAIRN__BUNDLE_SLOT_FIRST ? CAIRN__BUNDLE_SLOT_FIRST + 1
                                                      : CAIRN__BUNDLE_SLOT_FIRST;
}

static void write_bundle(cairn_client *client) {
    cairn__deciding *deciding = &client->deciding;
    if (!deciding->bundle_unkept || deciding->bundle_ticket != 0 || !may_keep(client)) {
        return;
    }
    deciding->bundle_ticket = take_ticket(deciding);
    deciding->storage.state(deciding->storage.self, deciding->bundle_ticket, other_slot(deciding),
                            cairn__buffer_span(&deciding->held.bytes));
}

cairn_status cairn_set_bundle(cairn_client *client, cairn_span signed_bundle) {
    cairn__deciding *deciding = &client->deciding;
    if (!client->started) {
        return CAIRN_CLOSED;
    }
    if (deciding->key_count == 0) {
        return CAIRN_UNSUPPORTED;
    }
    uint64_t before = deciding->held.version;
    cairn_status status = adopt(deciding, signed_bundle);
    if (deciding->held.version != before) {
        deciding->bundle_unkept = true;
        write_bundle(client); /* before its settings may forbid it */
        cairn__settings_apply(client);
    }
    return status;
}

cairn_status cairn__deciding_restore_bundle(cairn_client *client, uint32_t slot, cairn_span bytes) {
    cairn__deciding *deciding = &client->deciding;
    if (deciding->key_count == 0 || bytes.len == 0) {
        return CAIRN_OK;
    }
    uint64_t before = deciding->held.version;
    cairn_status status = adopt(deciding, bytes);
    if (deciding->held.version != before) {
        deciding->slot = slot;
        cairn__settings_apply(client);
    }
    return status == CAIRN_NO_MEMORY ? status : CAIRN_OK; /* what is damaged comes again */
}

/* --- the device's own log --------------------------------------------------------------------- */

/* What has left the queue, whose segments come before the log's. Not next_seq: after a crash
 * numbers are stepped over that no event ever had, and nothing is missing because of them. */
static uint64_t gone_seq(const cairn_client *client) {
    return client->journal.state.acked_seq;
}

cairn_status cairn__deciding_restore_local(cairn_client *client, uint32_t segment,
                                           cairn_span bytes) {
    cairn__local *local = client->deciding.local;
    if (local == NULL) {
        return CAIRN_OK;
    }
    cairn__local_expect(local, gone_seq(client));
    return cairn__local_restore(local, segment, bytes);
}

static void note_item(cairn_client *client, const cairn__queue_item *item) {
    const cairn__dictionary no_words = { NULL, 0 };
    cairn__event event;
    cairn__event_fault fault;
    cairn_span payload = cairn__item_payload(item);
    if ((item->flags & CAIRN__RECORD_REPORT) != 0 && payload.len >= 8) {
        payload = (cairn_span){ payload.data + 8, payload.len - 8 };
    }
    cairn__arena_reset(&client->scratch);
    if (cairn__event_decode(payload, &no_words, &client->scratch, &event, &fault) == CAIRN_OK &&
        cairn__event_check(&event, &fault)) {
        (void)cairn__local_note(client->deciding.local, item->seq, &event, payload);
    }
}

/* The queue is never behind: what a crash kept from the device's log is in it still. */
static void note_again(cairn_client *client) {
    uint64_t last_seq = cairn__local_last_seq(client->deciding.local);
    for (const cairn__queue_item *item = client->journal.queue.first; item != NULL;
         item = item->next) {
        if (item->seq > last_seq) {
            note_item(client, item);
        }
    }
}

void cairn__deciding_catch_up(cairn_client *client) {
    cairn__deciding *deciding = &client->deciding;
    uint64_t newest = client->journal.state.next_seq - 1;
    if (deciding->local != NULL && deciding->local_started && may_keep(client) &&
        deciding->caught_seq != newest) {
        deciding->caught_seq = newest;
        note_again(client);
    }
}

/* A log that is new or was damaged, or lacks a login or logout that could not be written, does not
 * know who is logged in; the client's state does. */
static void log_in_again(cairn_client *client) {
    const cairn__event *person = &client->journal.person.view;
    const cairn_id known = cairn__local_current(client->deciding.local);
    const cairn_id nobody = { { NULL, 0 }, { NULL, 0 } };
    const cairn_id wanted = person->id_count > 0 ? person->ids[0] : nobody;
    if (!cairn__span_equal(known.type, wanted.type) ||
        !cairn__span_equal(known.value, wanted.value)) {
        cairn__event event = { .kind = CAIRN__EVENT_LOGOUT };
        if (person->id_count > 0) {
            event = (cairn__event){ .kind = CAIRN__EVENT_LOGIN, .ids = person->ids, .id_count = 1 };
        }
        (void)cairn__client_put(client, &event);
    }
}

void cairn__deciding_started(cairn_client *client) {
    cairn__deciding *deciding = &client->deciding;
    if (deciding->local == NULL || !may_keep(client)) {
        return;
    }
    deciding->wiping = false;
    if (!deciding->local_started) {
        cairn__local_expect(deciding->local, gone_seq(client));
        (void)cairn__local_start(deciding->local, client->clock.wall_ms(client->clock.self));
        deciding->local_started = true;
    }
    note_again(client);
    log_in_again(client);
    if (cairn__deciding_has_bundle(deciding)) {
        use_definitions(deciding);
    }
    write_bundle(client);
}

static void clear_slots(cairn__deciding *deciding) {
    const cairn_span nothing = { NULL, 0 };
    deciding->wipe_failed = false;
    deciding->wipe_tickets = 2;
    for (uint32_t i = 0; i < 2; i++) {
        deciding->storage.state(deciding->storage.self, take_ticket(deciding),
                                CAIRN__BUNDLE_SLOT_FIRST + i, nothing);
    }
}

/* Asked again and again until all is gone; the bundle goes too, and stays in force in memory. */
static void purge(void *self) {
    cairn_client *client = self;
    cairn__deciding *deciding = &client->deciding;
    if (deciding->wiping) {
        return;
    }
    deciding->wiping = true;
    deciding->wiped = false;
    deciding->bundle_unkept = cairn__deciding_has_bundle(deciding);
    cairn__popups_forget(deciding);
    for (size_t i = 0; i < CAIRN__LAST_DECISIONS; i++) {
        cairn__buffer_clear(&deciding->last[i]);
    }
    deciding->wipe_retry_ms = mono_ms(client) + WIPE_RETRY_MS;
    cairn__local_purge(deciding->local);
    clear_slots(deciding);
}

/* What failed is tried again, but not all the time. */
static bool is_purged(void *self) {
    cairn_client *client = self;
    cairn__deciding *deciding = &client->deciding;
    bool local_gone = cairn__local_is_purged(deciding->local);
    if (local_gone && deciding->wiped) {
        return true;
    }
    int64_t now_ms = mono_ms(client);
    if (now_ms >= deciding->wipe_retry_ms) {
        deciding->wipe_retry_ms = now_ms + WIPE_RETRY_MS;
        cairn__local_purge(deciding->local);
        if (deciding->wipe_tickets == 0 && !deciding->wiped) {
            clear_slots(deciding);
        }
    }
    return false;
}

void cairn__deciding_note(cairn_client *client, uint64_t seq, const cairn__event *event,
                          cairn_span encoded) {
    cairn__deciding *deciding = &client->deciding;
    if (deciding->local != NULL) {
        cairn_status status = cairn__local_note(deciding->local, seq, event, encoded);
        deciding->note_failed = status == CAIRN_NO_MEMORY;
        deciding->caught_seq = seq;
    }
}

/* --- what the server sends -------------------------------------------------------------------- */

static void fill_head(void *self, cairn__sync_head *head) {
    cairn_client *client = self;
    cairn__deciding *deciding = &client->deciding;
    head->capabilities = CAIRN__CAPABILITY_DECIDES;
    head->bundle_version = deciding->held.version;
    head->facts_version = cairn__local_server_version(deciding->local);
    deciding->facts_person = cairn__local_person(deciding->local);
}

/* The same facts as sdk/local takes them; NULL: no memory. */
static const cairn__local_fact *local_facts(const cairn__fact_message *message,
                                            cairn__arena *arena) {
    cairn__local_fact *facts = cairn__arena_alloc_zero(arena, message->count + 1, sizeof *facts);
    for (size_t i = 0; facts != NULL && i < message->count; i++) {
        const cairn__fact_value *from = &message->facts[i];
        facts[i] = (cairn__local_fact){ from->key, from->value, from->until_ms };
    }
    return facts;
}

static void take_facts(cairn__deciding *deciding, cairn_span bytes, uint64_t last_seq) {
    cairn__fact_message message;
    cairn__arena arena = cairn__arena_make(deciding->allocator, FACTS_ARENA_BYTES_MAX);
    const cairn__local_fact *facts = NULL;
    if (cairn__facts_read(bytes, &arena, &message) == CAIRN_OK) {
        facts = local_facts(&message, &arena);
    }
    if (facts != NULL) {
        const cairn__local_server server = { .version = message.version,
                                             .token = cairn__load_u64(message.person),
                                             .person = deciding->facts_person,
                                             .covers_seq = last_seq,
                                             .facts = facts,
                                             .count = message.count };
        (void)cairn__local_set_server(deciding->local, &server);
    }
    cairn__arena_free(&arena);
}

static void take_answer(void *self, const cairn__sync_response *response, uint64_t last_seq) {
    cairn_client *client = self;
    if (response->bundle.len > 0) {
        (void)cairn_set_bundle(client, response->bundle);
    }
    if (response->facts.len > 0 && may_keep(client)) {
        take_facts(&client->deciding, response->facts, last_seq);
    } else if (response->facts_version > 0 && may_keep(client)) {
        (void)cairn__local_same_server(client->deciding.local, response->facts_version,
                                       client->deciding.facts_person, last_seq);
    }
}

/* --- driving ---------------------------------------------------------------------------------- */

static void bundle_done(cairn_client *client, bool durable) {
    cairn__deciding *deciding = &client->deciding;
    deciding->bundle_ticket = 0;
    deciding->bundle_retry_ms = mono_ms(client) + CAIRN__BUNDLE_RETRY_MS;
    if (durable) {
        deciding->slot = other_slot(deciding);
        deciding->bundle_unkept = deciding->wiping;
    }
}

static void wipe_done(cairn__deciding *deciding, bool durable) {
    deciding->wipe_tickets -= 1;
    deciding->wipe_failed = deciding->wipe_failed || !durable;
    deciding->wiped = deciding->wipe_tickets == 0 && !deciding->wipe_failed;
}

bool cairn__deciding_done(cairn_client *client, uint32_t ticket, bool durable) {
    cairn__deciding *deciding = &client->deciding;
    if (cairn__local_has_ticket(ticket)) {
        if (deciding->local != NULL) {
            cairn__local_done(deciding->local, ticket, durable, mono_ms(client));
        }
        return true;
    }
    if (ticket < CAIRN__BUNDLE_TICKET_FIRST) {
        return false;
    }
    if (ticket == deciding->bundle_ticket) {
        bundle_done(client, durable);
    } else if (deciding->wipe_tickets > 0) {
        wipe_done(deciding, durable);
    }
    return true;
}

static int64_t sooner(int64_t a, int64_t b) {
    if (a < 0 || b < 0) {
        return a > b ? a : b;
    }
    return a < b ? a : b;
}

static int64_t pump_bundle(cairn_client *client, int64_t now_ms) {
    cairn__deciding *deciding = &client->deciding;
    if (!deciding->bundle_unkept || deciding->bundle_ticket != 0) {
        return -1;
    }
    if (now_ms < deciding->bundle_retry_ms) {
        return deciding->bundle_retry_ms - now_ms;
    }
    write_bundle(client);
    return -1;
}

int64_t cairn__deciding_pump(cairn_client *client) {
    cairn__deciding *deciding = &client->deciding;
    if (deciding->local == NULL || !may_keep(client)) {
        return -1;
    }
    int64_t now_ms = mono_ms(client);
    int64_t wait_ms = sooner(pump_bundle(client, now_ms), cairn__popups_pump(client));
    return sooner(wait_ms, cairn__local_pump(deciding->local, now_ms));
}

/* Where the memory of what was shown could not be made, nothing may be shown. */
bool cairn__deciding_ready(const cairn_client *client) {
    cairn__local *local = client->deciding.local;
    return local != NULL && cairn__deciding_has_bundle(&client->deciding) && may_keep(client) &&
           cairn__local_memory(local) != NULL;
}

/* --- a moment --------------------------------------------------------------------------------- */

void cairn__deciding_moment(cairn_client *client, cairn__moment *moment_out) {
    cairn__deciding *deciding = &client->deciding;
    const cairn__event *person = &client->journal.person.view;
    const cairn__definitions *definitions = &deciding->held.bundle->definitions;
    const cairn__query_moment when = { .now_ms = client->clock.wall_ms(client->clock.self),
                                       .zone = definitions->zone,
                                       .user_zone = deciding->zone };
    cairn__moment *m = moment_out;
    CAIRN_ASSERT(cairn__deciding_has_bundle(deciding) && deciding->local != NULL);
    m->facts = cairn__local_facts(deciding->local, &when);
    size_t count = 0;
    if (person->id_count > 0) {
        m->ids[count++] = person->ids[0];
    }
    m->ids[count++] =
        (cairn_id){ CAIRN_STR("device"), cairn__client_device_text(client, m->device) };
    unsigned denied = 0;
    denied |= cairn_consent_allows(client, CAIRN_CONSENT_MARKETING) ? 0 : CAIRN__DENIED_MARKETING;
    denied |= cairn_consent_allows(client, CAIRN_CONSENT_PERSONALISATION)
                  ? 0
                  : CAIRN__DENIED_PERSONALISATION;
    m->input = (cairn__decide_input){ .now_ms = when.now_ms,
                                      .session = client->journal.state.session,
                                      .user_zone = deciding->zone,
                                      .unit = m->ids[0].value,
                                      .ids = m->ids,
                                      .id_count = count,
                                      .page = cairn__buffer_span(&deciding->page),
                                      .denied = denied,
                                      .seed = client->journal.state.session,
                                      .facts = &m->facts,
                                      .memory = cairn__local_memory(deciding->local) };
}

void cairn__deciding_remember(cairn__deciding *deciding, cairn_span answer) {
    cairn__buffer *to = &deciding->last[deciding->last_at];
    deciding->last_at = (deciding->last_at + 1) % CAIRN__LAST_DECISIONS;
    deciding->decisions += 1;
    cairn__buffer_clear(to);
    if (answer.len <= CAIRN__LAST_DECISION_BYTES_MAX) {
        cairn__buffer_append(to, answer);
    }
}
