/* inspect.c: where the client stands, as JSON; docs/DECISIONS.md, "Inspecting". */
#include "base/bytes.h"
#include "base/json.h"
#include "client/client.h"
#include "client/deciding.h"

enum { COUNTERS_MAX = 100 }; /* names of which the counts are shown */

static void number(cairn__buffer *to, const char *name, int64_t value) {
    if (to->len > 0 && to->data[to->len - 1] != '{') {
        cairn__buffer_byte(to, ',');
    }
    cairn__json_text(to, cairn__span_of(name));
    cairn__buffer_byte(to, ':');
    cairn__json_integer(to, value);
}

static void text(cairn__buffer *to, const char *name, cairn_span value) {
    if (to->len > 0 && to->data[to->len - 1] != '{') {
        cairn__buffer_byte(to, ',');
    }
    cairn__json_text(to, cairn__span_of(name));
    cairn__buffer_byte(to, ':');
    cairn__json_text(to, value);
}

/* A time that may be "always" or "never": those are left out. */
static void moment(cairn__buffer *to, const char *name, int64_t ms) {
    if (ms != INT64_MIN && ms != INT64_MAX) {
        number(to, name, ms);
    }
}

static void write_queue(const cairn_client *client, cairn__buffer *to) {
    cairn_client_status status;
    cairn_get_status(client, &status);
    CAIRN__JSON_PUT(to, "\"queue\":{");
    number(to, "events", (int64_t)status.queued_events);
    number(to, "bytes", (int64_t)status.queued_bytes);
    number(to, "last_seq", (int64_t)status.last_seq);
    number(to, "kept_seq", (int64_t)status.kept_seq);
    number(to, "acked_seq", (int64_t)status.acked_seq);
    number(to, "dropped", (int64_t)status.dropped_events);
    number(to, "refused", (int64_t)status.refused_events);
    number(to, "retry_in_ms", (int64_t)status.retry_in_ms);
    number(to, "last_http_status", status.last_http_status);
    number(to, "clock_offset_ms", status.clock_offset_ms);
    cairn__buffer_byte(to, '}');
}

static void write_ids(const cairn_client *client, cairn__buffer *to) {
    const cairn__event *person = &client->journal.person.view;
    uint8_t device[32];
    CAIRN__JSON_PUT(to, ",\"ids\":{");
    text(to, "device", cairn__client_device_text(client, device));
    if (person->id_count > 0) {
        text(to, "type", person->ids[0].type);
        text(to, "value", person->ids[0].value);
    }
    number(to, "session", (int64_t)client->journal.state.session);
    cairn__buffer_byte(to, '}');
}

static void write_consent(const cairn_client *client, cairn__buffer *to) {
    static const struct {
        const char *name;
        cairn_consent_category category;
    } categories[] = { { "analytics", CAIRN_CONSENT_ANALYTICS },
                       { "marketing", CAIRN_CONSENT_MARKETING },
                       { "personalisation", CAIRN_CONSENT_PERSONALISATION } };
    static const char *const said[] = { "unknown", "granted", "denied" };
    CAIRN__JSON_PUT(to, ",\"consent\":{");
    for (size_t i = 0; i < sizeof categories / sizeof categories[0]; i++) {
        text(to, categories[i].name,
             cairn__span_of(said[cairn_consent_said(client, categories[i].category)]));
    }
    cairn__buffer_byte(to, '}');
}

static void write_bundle(const cairn__deciding *deciding, cairn__buffer *to) {
    CAIRN__JSON_PUT(to, ",\"bundle\":{");
    number(to, "version", (int64_t)deciding->held.version);
    if (deciding->judged) {
        text(to, "last_verdict", cairn__span_of(cairn__bundle_verdict_text(deciding->verdict)));
    }
    if (cairn__deciding_has_bundle(deciding)) {
        const cairn__definitions *definitions = &deciding->held.bundle->definitions;
        number(to, "made_ms", deciding->held.bundle->made_ms);
        number(to, "bytes", (int64_t)deciding->held.bytes.len);
        number(to, "popups", (int64_t)definitions->popup_count);
        number(to, "slots", (int64_t)definitions->slot_count);
        number(to, "experiments", (int64_t)definitions->experiment_count);
        number(to, "audiences", (int64_t)definitions->audience_count);
        number(to, "facts", (int64_t)definitions->fact_count);
        number(to, "durable", deciding->bundle_unkept ? 0 : 1);
    }
    cairn__buffer_byte(to, '}');
}

static void write_local(const cairn__deciding *deciding, cairn__buffer *to) {
    cairn__local_status status;
    if (deciding->local == NULL) {
        return;
    }
    cairn__local_get_status(deciding->local, &status);
    CAIRN__JSON_PUT(to, ",\"local\":{");
    number(to, "person", (int64_t)cairn__local_person(deciding->local));
    number(to, "persons", (int64_t)status.persons);
    number(to, "ids", (int64_t)status.ids);
    number(to, "events", (int64_t)status.events);
    number(to, "event_bytes", (int64_t)status.event_bytes);
    number(to, "counters", (int64_t)status.queries);
    number(to, "server_facts", (int64_t)status.server_facts);
    number(to, "facts_version", (int64_t)cairn__local_server_version(deciding->local));
    number(to, "log_bytes", (int64_t)status.log_bytes);
    number(to, "forgotten_persons", (int64_t)status.forgotten);
    moment(to, "oldest_ms", status.oldest_ms);
    moment(to, "complete_from_ms", status.complete_ms);
    number(to, "damaged", status.damaged ? 1 : 0);
    number(to, "failing", status.failing ? 1 : 0);
    cairn__buffer_byte(to, '}');
}

/* What decisions remember of the person: the first names, in order of first sight. */
static void write_counters(const cairn__deciding *deciding, cairn__buffer *to) {
    static const char *const kinds[] = { "popup", "group", "item", "experiment" };
    static const char *const counts[] = { "shows", "clicks", "conversions", "closes" };
    const cairn__memory *memory =
        deciding->local == NULL ? NULL : cairn__local_memory(deciding->local);
    CAIRN__JSON_PUT(to, ",\"counters\":[");
    for (uint32_t i = 0; memory != NULL && i < memory->count && i < COUNTERS_MAX; i++) {
        const cairn__memory_entry *entry = &memory->entries[i];
        cairn__buffer_append(to, i > 0 ? CAIRN_STR(",{") : CAIRN_STR("{"));
        text(to, kinds[entry->kind], entry->name);
        if (entry->item.len > 0) {
            text(to, "of", entry->item);
        }
        for (size_t count = 0; count < CAIRN__MEMORY_COUNTS; count++) {
            number(to, counts[count], entry->counts[count].total);
        }
        cairn__buffer_byte(to, '}');
    }
    cairn__buffer_byte(to, ']');
}

static void write_popups(const cairn__deciding *deciding, cairn__buffer *to) {
    static const char *const stages[] = { "none", "being_kept", "open" };
    const cairn__showing *showing = &deciding->showing;
    CAIRN__JSON_PUT(to, ",\"popup\":{");
    text(to, "stage", cairn__span_of(stages[showing->stage]));
    if (showing->stage != CAIRN__SHOWING_NONE) {
        text(to, "name", showing->name);
    }
    CAIRN__JSON_PUT(to, ",\"waiting\":[");
    for (size_t i = 0; i < deciding->queue.count; i++) {
        const cairn__popup_wait *wait = &deciding->queue.waiting[i];
        cairn__buffer_append(to, i > 0 ? CAIRN_STR(",{") : CAIRN_STR("{"));
        text(to, "name", (cairn_span){ wait->name, wait->name_bytes });
        number(to, "due_ms", wait->due_ms);
        cairn__buffer_byte(to, '}');
    }
    CAIRN__JSON_PUT(to, "]}");
}

/* The newest first. */
static void write_decisions(const cairn__deciding *deciding, cairn__buffer *to) {
    CAIRN__JSON_PUT(to, ",\"decisions\":[");
    bool first = true;
    for (uint32_t i = 1; i <= CAIRN__LAST_DECISIONS; i++) {
        uint32_t at = (deciding->last_at + CAIRN__LAST_DECISIONS - i) % CAIRN__LAST_DECISIONS;
        cairn_span answer = cairn__buffer_span(&deciding->last[at]);
        if (answer.len == 0) {
            continue;
        }
        if (!first) {
            cairn__buffer_byte(to, ',');
        }
        first = false;
        cairn__buffer_append(to, answer);
    }
    cairn__buffer_byte(to, ']');
}

cairn_status cairn_inspect(cairn_client *client, cairn_span *json_out) {
    cairn__deciding *deciding = &client->deciding;
    cairn__buffer *to = &deciding->answer;
    if (!client->started) {
        return CAIRN_CLOSED;
    }
    deciding->watched_until_ms = client->clock.mono_ms(client->clock.self) + CAIRN__WATCH_MS;
    cairn__buffer_clear(to);
    cairn__buffer_byte(to, '{');
    write_queue(client, to);
    write_ids(client, to);
    write_consent(client, to);
    write_bundle(deciding, to);
    write_local(deciding, to);
    write_counters(deciding, to);
    write_popups(deciding, to);
    write_decisions(deciding, to);
    cairn__buffer_byte(to, '}');
    if (to->failed) {
        return CAIRN_NO_MEMORY;
    }
    *json_out = cairn__buffer_span(to);
    return CAIRN_OK;
}
