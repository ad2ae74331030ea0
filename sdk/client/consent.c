/* consent.c: see consent.h. */
#include "client/consent.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "client/client.h"
#include "client/purge.h"
#include "model/limits.h"

enum { STATE_BITS = 2, STATE_MASK = 3, HOOK_POLL_MS = 1000, DAY_MS = 24 * 3600 * 1000 };

static const cairn_consent_category categories[CAIRN__CONSENT_CATEGORIES] = {
    CAIRN_CONSENT_ANALYTICS, CAIRN_CONSENT_MARKETING, CAIRN_CONSENT_PERSONALISATION
};

/* --- what is allowed ---------------------------------------------------------------------------*/

static unsigned shift_of(uint32_t category) {
    unsigned shift = 0;
    for (; (category & 1) == 0; category >>= 1) {
        shift += STATE_BITS;
    }
    return shift;
}

static cairn_consent_state said_in(uint32_t word, uint32_t category) {
    return (cairn_consent_state)(word >> shift_of(category) & STATE_MASK);
}

cairn_consent_state cairn_consent_said(const cairn_client *client,
                                       cairn_consent_category category) {
    return said_in(client->journal.state.consent, category);
}

bool cairn_consent_allows(const cairn_client *client, cairn_consent_category category) {
    const cairn_consent_options *options = &client->consent.options;
    cairn_consent_state said = cairn_consent_said(client, category);
    if (said != CAIRN_CONSENT_UNKNOWN) {
        return said == CAIRN_CONSENT_GRANTED;
    }
    return ((options->required | options->denied) & category) == 0;
}

bool cairn_purging(const cairn_client *client) {
    return client->journal.mode == CAIRN__JOURNAL_PURGING;
}

/* Analytics is denied, not merely not allowed yet. */
static bool is_denied(const cairn_client *client) {
    cairn_consent_state said = cairn_consent_said(client, CAIRN_CONSENT_ANALYTICS);
    bool by_default = (client->consent.options.denied & CAIRN_CONSENT_ANALYTICS) != 0;
    return said == CAIRN_CONSENT_DENIED || (said == CAIRN_CONSENT_UNKNOWN && by_default);
}

static uint32_t word_after(uint32_t word, const cairn_consent_choice *choice) {
    for (size_t i = 0; i < CAIRN__CONSENT_CATEGORIES; i++) {
        uint32_t category = (uint32_t)categories[i];
        uint32_t said = (choice->granted & category) != 0  ? CAIRN_CONSENT_GRANTED
                        : (choice->denied & category) != 0 ? CAIRN_CONSENT_DENIED
                                                           : (uint32_t)said_in(word, category);
        word = (word & ~((uint32_t)STATE_MASK << shift_of(category))) | said << shift_of(category);
    }
    return word;
}

/* --- waiting -----------------------------------------------------------------------------------*/

static void forget_oldest(cairn__consent *consent, const cairn__queue_item *victim) {
    cairn__item_free(consent->waiting.allocator, cairn__queue_take(&consent->waiting, victim->seq));
}

static bool is_full(const cairn__consent *consent, size_t more_bytes) {
    const cairn__queue *waiting = &consent->waiting;
    return waiting->count + 1 > consent->options.wait_events_max ||
           waiting->bytes + more_bytes > consent->options.wait_bytes_max;
}

cairn_status cairn__consent_hold(cairn_client *client, cairn_span payload, uint8_t flags) {
    cairn__consent *consent = &client->consent;
    bool allowed = cairn_consent_allows(client, CAIRN_CONSENT_ANALYTICS);
    if (is_denied(client) || (consent->options.drop_before && !allowed)) {
        return CAIRN_NO_CONSENT;
    }
    cairn__queue_item *item = cairn__item_new(client->allocator, payload, flags);
    if (item == NULL) {
        return CAIRN_NO_MEMORY;
    }
    while (is_full(consent, cairn__item_bytes(item))) {
        const cairn__queue_item *victim = cairn__queue_victim(&consent->waiting);
        if (victim == NULL) {
            cairn__item_free(client->allocator, item);
            return CAIRN_FULL;
        }
        forget_oldest(consent, victim);
        client->dropped_waiting += 1;
    }
    item->seq = ++consent->waited;
    (void)cairn__queue_add(&consent->waiting, item); /* a new seq: there is none of it */
    return CAIRN_OK;
}

/* What waited becomes durable, in its order. */
static void release(cairn_client *client) {
    cairn__consent *consent = &client->consent;
    client->journal.state.dropped += client->dropped_waiting;
    client->dropped_waiting = 0;
    while (consent->waiting.first != NULL) {
        cairn__queue_item *item = cairn__queue_pop(&consent->waiting);
        cairn_status status =
            cairn__journal_put(&client->journal, cairn__item_payload(item), item->flags);
        client->journal.state.dropped += status != CAIRN_OK;
        cairn__item_free(client->allocator, item);
    }
}

/* --- silent, open ------------------------------------------------------------------------------*/

static int64_t mono_ms(const cairn_client *client) {
    return client->clock.mono_ms(client->clock.self);
}

static void make_device(const cairn_client *client, uint8_t id[16]) {
    client->random.fill(client->random.self, id, 16);
}

/* The store may be written from now on. */
static void open_store(cairn_client *client) {
    cairn__journal *journal = &client->journal;
    bool fresh = !client->consent.stored || journal->device_unkept;
    journal->mode = CAIRN__JOURNAL_OPEN;
    client->consent.stored = true;
    if (journal->lost_seq > 0) {
        cairn__journal_drop_range(journal, journal->lost_seq);
        journal->lost_seq = 0;
    }
    bool waited = client->consent.waiting.first != NULL || client->dropped_waiting > 0;
    if (fresh) {
        cairn__journal_new_device(journal);
    }
    release(client);
    if (!fresh && waited) {
        cairn__journal_write_state(journal); /* super properties and login changed meanwhile */
    }
    if (journal->queue.first != NULL) {
        client->sender.due_ms = mono_ms(client);
    }
    cairn__deciding_started(client); /* does nothing before the client has */
}

static void settle(cairn_client *client) {
    cairn__journal *journal = &client->journal;
    bool allowed = cairn_consent_allows(client, CAIRN_CONSENT_ANALYTICS);
    if (journal->mode == CAIRN__JOURNAL_SILENT && allowed) {
        open_store(client);
    } else if (journal->mode == CAIRN__JOURNAL_OPEN && !allowed) {
        journal->mode =
            CAIRN__JOURNAL_SILENT; /* by default: what is stored stays and is not sent */
    }
}

/* Nobody is known to memory any more. */
static void forget_person(cairn_client *client) {
    cairn__journal *journal = &client->journal;
    cairn__queue_free(&client->consent.waiting);
    client->dropped_waiting = 0;
    cairn__person_free(&journal->person);
    journal->person = cairn__person_make(client->allocator);
    cairn__timers_free(&client->timers);
    make_device(client, client->consent.next_device);
}

/* Nothing is stored: the device is another from now on. */
static void forget_device(cairn_client *client) {
    cairn__state *state = &client->journal.state;
    forget_person(client);
    *state = (cairn__state){ .next_seq = 1,
                             .version = state->version,
                             .consent = state->consent,
                             .consent_text = state->consent_text };
    memcpy(state->device_id, client->consent.next_device, sizeof state->device_id);
}

/* --- purging -----------------------------------------------------------------------------------*/

/* Whether a denial must outlive the purge: the defaults would allow it again. */
static bool must_remember(const cairn_client *client) {
    const cairn_consent_options *options = &client->consent.options;
    return cairn_consent_said(client, CAIRN_CONSENT_ANALYTICS) == CAIRN_CONSENT_DENIED &&
           ((options->required | options->denied) & CAIRN_CONSENT_ANALYTICS) == 0;
}

static cairn_status purge(cairn_client *client, const cairn__event *farewell, uint32_t word) {
    cairn__journal *journal = &client->journal;
    uint32_t before = journal->state.consent;
    journal->state.consent = word;
    journal->remember = must_remember(client);
    cairn_status status = cairn__purge_begin(journal, farewell);
    if (status != CAIRN_OK) {
        journal->state.consent = before;
        return status;
    }
    cairn__sender_reset(&client->sender, mono_ms(client));
    forget_person(client);
    return CAIRN_OK;
}

static void end_purge(cairn_client *client) {
    cairn__journal *journal = &client->journal;
    cairn__purge_end(journal);
    memcpy(journal->state.device_id, client->consent.next_device, sizeof journal->state.device_id);
    client->consent.stored = false;
    cairn__sender_reset(&client->sender, mono_ms(client));
    if (must_remember(client) != journal->remember && !journal->remember) {
        journal->remember = true; /* denied in the last moment of the purge */
        cairn__purge_rest(journal);
        return;
    }
    if (client->sender.listener.purged != NULL) {
        client->sender.listener.purged(client->sender.listener.self);
    }
    settle(client);
}

/* A farewell that the server has not taken in so long will not be taken. */
static void give_up_farewell(cairn_client *client) {
    const cairn__event *farewell = &client->journal.farewell.view;
    int64_t age_ms = client->clock.wall_ms(client->clock.self) - farewell->time_ms;
    if (cairn__purge_tells(&client->journal) && client->sender.ticket == 0 &&
        age_ms > (int64_t)CAIRN__FAREWELL_DAYS_MAX * DAY_MS) {
        cairn__purge_told(&client->journal);
    }
}

void cairn__consent_step(cairn_client *client) {
    cairn__journal *journal = &client->journal;
    if (journal->mode != CAIRN__JOURNAL_PURGING) {
        return;
    }
    give_up_farewell(client);
    if (journal->stage < CAIRN__PURGE_CLEAR) {
        journal->remember = must_remember(client);
    }
    cairn__purge_step(journal);
    if (journal->stage == CAIRN__PURGE_DONE) {
        end_purge(client);
    }
}

int64_t cairn__consent_wait(const cairn_client *client) {
    const cairn__journal *journal = &client->journal;
    bool asks = journal->mode == CAIRN__JOURNAL_PURGING && journal->hook.empty != NULL &&
                journal->stage == CAIRN__PURGE_WIPE;
    return asks ? HOOK_POLL_MS : -1;
}

const uint8_t *cairn__consent_device(const cairn_client *client) {
    return client->journal.mode == CAIRN__JOURNAL_PURGING ? client->consent.next_device
                                                          : client->journal.state.device_id;
}

/* --- life --------------------------------------------------------------------------------------*/

/* Of no device, and yet in a slot: a purge died just before its end, or a grant at its beginning.
 */
static bool leaves_bytes(const cairn_client *client) {
    const cairn__journal *journal = &client->journal;
    if (journal->state.version > 0 && (client->slots_seen & 1u << (1 - journal->good_slot)) != 0) {
        return true;
    }
    bool segments = journal->segments.count > 0 || client->others_seen;
    return (segments || (journal->state.version == 0 && client->slots_seen != 0)) &&
           !cairn_consent_allows(client, CAIRN_CONSENT_ANALYTICS);
}

cairn_status cairn__consent_begin(cairn_client *client, bool known) {
    cairn__journal *journal = &client->journal;
    client->consent.stored = known || journal->segments.count > 0;
    make_device(client, client->consent.next_device);
    if (journal->state.purging) {
        client->sender.due_ms = mono_ms(client);
        return cairn__purge_resume(journal);
    }
    if (!known) {
        memcpy(journal->state.device_id, client->consent.next_device,
               sizeof journal->state.device_id);
        client->consent.stored = false;
    }
    if (!known && leaves_bytes(client)) {
        journal->remember = must_remember(client);
        cairn__purge_rest(journal);
        return CAIRN_OK;
    }
    if (known && cairn_consent_said(client, CAIRN_CONSENT_ANALYTICS) == CAIRN_CONSENT_DENIED) {
        journal->remember = must_remember(client); /* a grant was lost, what it let in was not */
        return purge(client, NULL, journal->state.consent);
    }
    settle(client);
    return CAIRN_OK;
}

void cairn__consent_free(cairn_client *client) {
    cairn__queue_free(&client->consent.waiting);
}

void cairn__consent_defaults(cairn_client *client, uint32_t required, uint32_t denied) {
    client->consent.options.required = required & CAIRN_CONSENT_ALL;
    client->consent.options.denied = denied & CAIRN_CONSENT_ALL;
    if (client->started) {
        settle(client);
    }
}

void cairn__client_on_purge(cairn_client *client, cairn__purge_hook hook) {
    client->journal.hook = hook;
}

/* --- the person's choice -----------------------------------------------------------------------*/

enum { CHOICE_PROPERTIES = CAIRN__CONSENT_CATEGORIES + 2 };

static cairn_property text_property(cairn_span name, cairn_span text) {
    return (cairn_property){ name, { CAIRN_VALUE_STRING, { .string = text } } };
}

/* The ledger's line; the properties live as long as the caller's array. */
static cairn__event event_of(const cairn_consent_choice *choice,
                             cairn_property properties[CHOICE_PROPERTIES]) {
    static const cairn_span names[CAIRN__CONSENT_CATEGORIES] = {
        { (const uint8_t *)"analytics", 9 },
        { (const uint8_t *)"marketing", 9 },
        { (const uint8_t *)"personalisation", 15 },
    };
    size_t count = 0;
    for (size_t i = 0; i < CAIRN__CONSENT_CATEGORIES; i++) {
        if (((choice->granted | choice->denied) & (uint32_t)categories[i]) != 0) {
            bool granted = (choice->granted & (uint32_t)categories[i]) != 0;
            properties[count++] =
                text_property(names[i], granted ? CAIRN_STR("granted") : CAIRN_STR("denied"));
        }
    }
    if (choice->source.len > 0) {
        properties[count++] = text_property(CAIRN_STR("source"), choice->source);
    }
    if (choice->text_version.len > 0) {
        properties[count++] = text_property(CAIRN_STR("text_version"), choice->text_version);
    }
    return (cairn__event){ .kind = CAIRN__EVENT_CONSENT,
                           .properties = properties,
                           .property_count = count };
}

static bool is_text(cairn_span text) {
    return text.len <= CAIRN__NAME_BYTES_MAX && (text.len == 0 || cairn__utf8_valid(text));
}

static bool is_choice(const cairn_consent_choice *choice) {
    uint32_t either = choice->granted | choice->denied;
    return either != 0 && (either & ~(uint32_t)CAIRN_CONSENT_ALL) == 0 &&
           (choice->granted & choice->denied) == 0 && is_text(choice->source) &&
           is_text(choice->text_version);
}

/* Analytics is denied and was not a moment ago, or something of before is stored still. */
static cairn_status withdraw(cairn_client *client, cairn__event *event, uint32_t word) {
    cairn__journal *journal = &client->journal;
    if (journal->mode == CAIRN__JOURNAL_PURGING) {
        journal->state.consent = word;
        forget_person(client); /* what was granted and waited meanwhile */
        cairn__journal_write_state(journal);
        return CAIRN_OK;
    }
    if (client->consent.stored) {
        event->time_ms = client->clock.wall_ms(client->clock.self);
        return purge(client, client->consent.options.withdraw_silently ? NULL : event, word);
    }
    journal->state.consent = word;
    forget_device(client);
    if (must_remember(client)) {
        journal->remember = true;
        cairn__purge_rest(journal);
    }
    return CAIRN_OK;
}

static cairn_status grant(cairn_client *client, cairn__event *event, uint32_t word) {
    cairn__journal *journal = &client->journal;
    journal->state.consent = word;
    settle(client);
    cairn_status status = cairn__client_put(client, event);
    cairn__journal_write_state(journal);
    /* refused: in force, but there is no device of which the ledger could tell */
    return status == CAIRN_NO_CONSENT ? CAIRN_OK : status;
}

cairn_status cairn_consent(cairn_client *client, const cairn_consent_choice *choice) {
    cairn_property properties[CHOICE_PROPERTIES];
    if (!client->started) {
        return CAIRN_CLOSED;
    }
    if (!is_choice(choice)) {
        return CAIRN_INVALID;
    }
    cairn__event event = event_of(choice, properties);
    cairn__state *state = &client->journal.state;
    uint32_t word = word_after(state->consent, choice);
    uint64_t text = cairn__crc32c(0, choice->text_version);
    if (word == state->consent && text == state->consent_text) {
        return CAIRN_OK; /* said before: a page says it at each start */
    }
    state->consent_text = text;
    if ((choice->denied & CAIRN_CONSENT_ANALYTICS) != 0) {
        return withdraw(client, &event, word);
    }
    return grant(client, &event, word);
}

cairn_status cairn_erase(cairn_client *client) {
    cairn__journal *journal = &client->journal;
    if (!client->started) {
        return CAIRN_CLOSED;
    }
    if (journal->mode == CAIRN__JOURNAL_PURGING) {
        forget_person(client);
        journal->state.consent = 0;
        cairn__journal_write_state(journal);
        return CAIRN_OK;
    }
    if (!client->consent.stored) {
        journal->state.consent = 0;
        forget_device(client);
        settle(client);
        if (journal->mode == CAIRN__JOURNAL_SILENT && journal->state.version > 0) {
            journal->remember = false;
            cairn__purge_rest(journal); /* a denial was remembered */
        }
        return CAIRN_OK;
    }
    const cairn__event *person = &journal->person.view;
    cairn__event event = { .kind = CAIRN__EVENT_ERASE,
                           .time_ms = client->clock.wall_ms(client->clock.self),
                           .ids = person->ids,
                           .id_count = person->id_count };
    return purge(client, &event, 0);
}
