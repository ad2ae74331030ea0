#include "facts/request.h"

#include <jansson.h>
#include <string.h>

#include "base/bytes.h"
#include "base/civil.h"
#include "base/zone_table.h"
#include "ingest/event_json.h"

enum { DEVICE_HEX = 2 * CAIRN__DEVICE_ID_BYTES };

typedef struct reading {
    cairn__decide_request *to;
    cairn__arena *arena;
    cairn__fault_problem *problem;
    bool no_memory;
} reading;

static cairn__fault_path at_key(const char *key) {
    return cairn__fault_key((cairn__fault_path){ "" }, key);
}

static bool out_of_memory(reading *r) {
    r->no_memory = true;
    return cairn__fault(r->problem, "memory", (cairn__fault_path){ "" }, "no memory for this body");
}

static bool copy(reading *r, const json_t *from, cairn_span *to) {
    return cairn__arena_copy(r->arena,
                             cairn__span(json_string_value(from), json_string_length(from)), to) ||
           out_of_memory(r);
}

/* --- members ---------------------------------------------------------------------------------- */

static bool read_text(reading *r, const json_t *value, cairn__fault_path at, size_t bytes_max,
                      cairn_span *to) {
    if (!json_is_string(value) || json_string_length(value) > bytes_max) {
        (void)cairn__fault(r->problem, "text_invalid", at, "not a text of at most %zu bytes",
                           bytes_max);
        return cairn__fault_fix(r->problem, "write a shorter text, or leave it out");
    }
    return copy(r, value, to);
}

static bool read_moment(reading *r, const json_t *value, cairn__fault_path at, int64_t *to) {
    if (json_is_integer(value)) {
        *to = json_integer_value(value);
        return true;
    }
    if (json_is_string(value) &&
        cairn__parse_instant(cairn__span(json_string_value(value), json_string_length(value)),
                             to)) {
        return true;
    }
    (void)cairn__fault(r->problem, "time_invalid", at, "not a moment");
    return cairn__fault_fix(r->problem,
                            "write an RFC 3339 time with its offset, or milliseconds since 1970");
}

static bool read_what(reading *r, const json_t *value) {
    static const char *const words[] = { "event", "popup", "slot", "experiment", "experiments" };
    const size_t count = sizeof words / sizeof words[0];
    const char *word = json_string_value(value);
    for (size_t i = 0; word != NULL && i < count; i++) {
        if (strcmp(word, words[i]) == 0) {
            r->to->what = (cairn__decide_what)i;
            return true;
        }
    }
    (void)cairn__fault(r->problem, "what_unknown", at_key("what"), "not what can be decided");
    return cairn__fault_fix_words(r->problem, word == NULL ? CAIRN_STR("") : cairn__span_of(word),
                                  words, count);
}

static bool add_id(reading *r, const char *type, const json_t *value, cairn__fault_path at) {
    cairn__decide_request *to = r->to;
    size_t type_len = strlen(type);
    if (type_len == 0 || type_len > CAIRN__ID_TYPE_BYTES_MAX || !json_is_string(value) ||
        json_string_length(value) == 0 || json_string_length(value) > CAIRN__ID_VALUE_BYTES_MAX) {
        (void)cairn__fault(r->problem, "id_invalid", at,
                           "a type has 1..%d bytes, a value is a text of 1..%d bytes",
                           (int)CAIRN__ID_TYPE_BYTES_MAX, (int)CAIRN__ID_VALUE_BYTES_MAX);
        return cairn__fault_fix(r->problem, "write ids as {\"login\": \"u1\"}");
    }
    if (to->id_count == CAIRN__EVENT_IDS_MAX) {
        (void)cairn__fault(r->problem, "too_many_ids", at, "more than %d ids",
                           (int)CAIRN__EVENT_IDS_MAX);
        return cairn__fault_fix(r->problem, "name the strongest ones");
    }
    cairn_id *id = &to->ids[to->id_count];
    if (!cairn__arena_copy(r->arena, cairn__span_of(type), &id->type)) {
        return out_of_memory(r);
    }
    to->id_count += 1;
    return copy(r, value, &id->value);
}

static bool not_object(reading *r, cairn__fault_path at, const char *fix) {
    (void)cairn__fault(r->problem, "object_expected", at, "not a JSON object");
    return cairn__fault_fix(r->problem, "%s", fix);
}

static bool read_ids(reading *r, json_t *value) {
    const char *type;
    json_t *one;
    cairn__fault_path at = at_key("ids");
    if (!json_is_object(value)) {
        return not_object(r, at, "write ids as {\"login\": \"u1\"}");
    }
    json_object_foreach(value, type, one) {
        if (!add_id(r, type, one, cairn__fault_key(at, type))) {
            return false;
        }
    }
    return true;
}

static bool read_person(reading *r, const json_t *value) {
    const char *type = json_string_value(json_object_get(value, "type"));
    const json_t *of = json_object_get(value, "value");
    if (json_object_size(value) != 2 || type == NULL || of == NULL) {
        return not_object(r, at_key("person"), "write {\"type\": \"login\", \"value\": \"u1\"}");
    }
    return add_id(r, type, of, at_key("person"));
}

static bool read_device(reading *r, const json_t *value) {
    const char *text = json_string_value(value);
    if (text == NULL || strlen(text) != DEVICE_HEX ||
        strspn(text, "0123456789abcdef") != DEVICE_HEX) {
        (void)cairn__fault(r->problem, "device_invalid", at_key("device"),
                           "not a device id: 32 hexadecimal digits, small letters");
        return cairn__fault_fix(r->problem, "send the id that the SDK gives, or leave it out");
    }
    return copy(r, value, &r->to->device);
}

static bool read_session(reading *r, const json_t *value) {
    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        (void)cairn__fault(r->problem, "session_invalid", at_key("session"),
                           "not a whole number from 0 up");
        return cairn__fault_fix(r->problem, "send the device's session number, or leave it out");
    }
    r->to->session = (uint64_t)json_integer_value(value);
    return true;
}

static bool read_category(reading *r, const char *category, const json_t *value) {
    static const char *const words[] = { "marketing", "personalisation", "analytics" };
    static const unsigned bits[] = { CAIRN__DENIED_MARKETING, CAIRN__DENIED_PERSONALISATION, 0 };
    cairn__fault_path at = cairn__fault_key(at_key("consent"), category);
    const char *state = json_string_value(value);
    bool denied = state != NULL && strcmp(state, "denied") == 0;
    if (!denied && (state == NULL || strcmp(state, "granted") != 0)) {
        (void)cairn__fault(r->problem, "consent_invalid", at, "neither granted nor denied");
        return cairn__fault_fix(r->problem, "write \"granted\" or \"denied\"");
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(category, words[i]) == 0) {
            *(denied ? &r->to->denied : &r->to->granted) |= bits[i];
            return true;
        }
    }
    (void)cairn__fault(r->problem, "consent_invalid", at, "no category of this name");
    return cairn__fault_fix_words(r->problem, cairn__span_of(category), words, 3);
}

static bool read_consent(reading *r, json_t *value) {
    const char *category;
    json_t *state;
    if (!json_is_object(value)) {
        return not_object(r, at_key("consent"), "write {\"marketing\": \"granted\"}");
    }
    json_object_foreach(value, category, state) {
        if (!read_category(r, category, state)) {
            return false;
        }
    }
    return true;
}

static bool read_overrides(reading *r, const json_t *list) {
    size_t count = json_array_size(list);
    cairn__override_names *names = cairn__arena_alloc_zero(r->arena, count + 1, sizeof *names);
    if (!json_is_array(list) || count > CAIRN__DECIDE_OVERRIDES_MAX) {
        (void)cairn__fault(r->problem, "overrides_invalid", at_key("overrides"),
                           "not a list of at most %d", (int)CAIRN__DECIDE_OVERRIDES_MAX);
        return cairn__fault_fix(r->problem,
                                "write [{\"experiment\": \"NAME\", \"variant\": \"NAME\"}]");
    }
    if (names == NULL) {
        return out_of_memory(r);
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *one = json_array_get(list, i);
        cairn__fault_path at = cairn__fault_item(at_key("overrides"), i);
        if (!read_text(r, json_object_get(one, "experiment"), cairn__fault_key(at, "experiment"),
                       CAIRN__DEFINITION_NAME_BYTES_MAX, &names[i].experiment) ||
            !read_text(r, json_object_get(one, "variant"), cairn__fault_key(at, "variant"),
                       CAIRN__DEFINITION_NAME_BYTES_MAX, &names[i].variant)) {
            return false;
        }
    }
    r->to->overrides = names;
    r->to->override_count = count;
    return true;
}

/* --- events and facts: as POST /v1/events reads them ------------------------------------------ */

static bool judge(reading *r, const json_t *name, json_t *properties, const char *field,
                  cairn__event *to) {
    static const cairn__nul_mark none;
    cairn__event_reader reader = { .arena = r->arena, .mark = none };
    cairn__ingest_event read = { .event.time_ms = r->to->now_ms };
    json_t *whole = json_pack("{s:O, s:{s:s}}", "event", name, "ids", "login", "u");
    if (whole == NULL ||
        (properties != NULL && json_object_set(whole, "properties", properties) != 0)) {
        json_decref(whole);
        return out_of_memory(r);
    }
    cairn__event_judge(&reader, whole, &read);
    json_decref(whole);
    if (reader.no_memory) {
        return out_of_memory(r);
    }
    if (read.fault.code != NULL) {
        (void)cairn__fault(r->problem, read.fault.code,
                           cairn__fault_key(at_key(field), read.fault.field),
                           "not as an event of POST /v1/events");
        return cairn__fault_fix(r->problem, "%s", read.fault.fix);
    }
    *to = read.event;
    return true;
}

static bool read_event(reading *r, const json_t *value) {
    static const char *const words[] = { "name", "properties" };
    const char *key;
    json_t *one;
    if (!json_is_object(value)) {
        return not_object(r, at_key("event"),
                          "write {\"name\": \"view_cart\", \"properties\": {}}");
    }
    json_object_foreach((json_t *)(uintptr_t)value, key, one) {
        if (strcmp(key, words[0]) != 0 && strcmp(key, words[1]) != 0) {
            (void)cairn__fault(r->problem, "key_unknown", cairn__fault_key(at_key("event"), key),
                               "no key of this name");
            return cairn__fault_fix_words(r->problem, cairn__span_of(key), words, 2);
        }
    }
    json_t *name = json_object_get(value, "name");
    if (!json_is_string(name)) {
        (void)cairn__fault(r->problem, "name_invalid", at_key("event.name"), "not a text");
        return cairn__fault_fix(r->problem, "give the event's name");
    }
    return judge(r, name, json_object_get(value, "properties"), "event", &r->to->event);
}

static bool read_device_facts(reading *r, json_t *value) {
    cairn__event facts;
    json_t *name = json_string("device");
    if (name == NULL) {
        return out_of_memory(r);
    }
    bool good = json_is_object(value)
                    ? judge(r, name, value, "device_facts", &facts)
                    : not_object(r, at_key("device_facts"), "write {\"os\": \"ios\"}");
    json_decref(name);
    if (good) {
        r->to->device_facts = facts.properties;
        r->to->device_fact_count = facts.property_count;
    }
    return good;
}

/* --- the whole -------------------------------------------------------------------------------- */

static bool read_place(reading *r, const char *key, json_t *value) {
    cairn__decide_request *to = r->to;
    if (strcmp(key, "page") == 0) {
        return read_text(r, value, at_key(key), CAIRN__DECIDE_PAGE_BYTES_MAX, &to->page);
    }
    if (strcmp(key, "timezone") == 0) {
        return read_text(r, value, at_key(key), CAIRN__ZONE_NAME_BYTES_MAX, &to->timezone);
    }
    if (strcmp(key, "session") == 0) {
        return read_session(r, value);
    }
    if (strcmp(key, "session_started") == 0) {
        to->has_session_start = true;
        return read_moment(r, value, at_key(key), &to->session_start_ms);
    }
    if (strcmp(key, "consent") == 0) {
        return read_consent(r, value);
    }
    return strcmp(key, "device_facts") == 0 ? read_device_facts(r, value)
                                            : read_overrides(r, value);
}

static bool read_member(reading *r, const char *key, json_t *value) {
    static const char *const words[] = { "what",      "name",        "event",   "ids",
                                         "person",    "device",      "now",     "page",
                                         "timezone",  "session",     "consent", "session_started",
                                         "overrides", "device_facts" };
    size_t known = 0;
    const size_t count = sizeof words / sizeof words[0];
    while (known < count && strcmp(words[known], key) != 0) {
        known++;
    }
    switch (known) {
    case 0:
        return read_what(r, value);
    case 1:
        return read_text(r, value, at_key(key), CAIRN__DEFINITION_NAME_BYTES_MAX, &r->to->name);
    case 2:
        return read_event(r, value);
    case 3:
        return read_ids(r, value);
    case 4:
        return read_person(r, value);
    case 5:
        return read_device(r, value);
    case 6:
        return true; /* it was read first */
    default:
        break;
    }
    if (known < count) {
        return read_place(r, key, value);
    }
    (void)cairn__fault(r->problem, "key_unknown", at_key(key), "no key of this name");
    return cairn__fault_fix_words(r->problem, cairn__span_of(key), words, count);
}

static bool check_whole(reading *r, const json_t *body) {
    cairn__decide_request *to = r->to;
    bool of_event = to->what == CAIRN__DECIDE_EVENT;
    if (json_object_get(body, "what") == NULL) {
        (void)cairn__fault(r->problem, "what_missing", at_key("what"), "nothing is asked");
        return cairn__fault_fix(r->problem, "say event, popup, slot, experiment or experiments");
    }
    if (of_event && to->event.name.len == 0) {
        (void)cairn__fault(r->problem, "event_missing", at_key("event"), "no event is given");
        return cairn__fault_fix(r->problem, "write {\"name\": \"view_cart\", \"properties\": {}}");
    }
    if (!of_event && to->what != CAIRN__DECIDE_EXPERIMENTS && to->name.len == 0) {
        (void)cairn__fault(r->problem, "name_missing", at_key("name"), "no name is given");
        return cairn__fault_fix(r->problem, "name the popup, slot or experiment");
    }
    if (to->device.len > 0) {
        to->ids[to->id_count++] = (cairn_id){ CAIRN_STR("device"), to->device };
    }
    if (to->id_count == 0) {
        (void)cairn__fault(r->problem, "ids_missing", at_key("ids"), "nobody is named");
        return cairn__fault_fix(r->problem, "name whom: {\"login\": \"u1\"}, or a device");
    }
    to->name = of_event ? to->event.name : to->name;
    return true;
}

static bool read_body(reading *r, json_t *body) {
    const char *key;
    json_t *value;
    const json_t *now = json_object_get(body, "now");
    if (!json_is_object(body)) {
        return not_object(r, (cairn__fault_path){ "" }, "send one JSON object");
    }
    if (now != NULL && !read_moment(r, now, at_key("now"), &r->to->now_ms)) {
        return false;
    }
    json_object_foreach(body, key, value) {
        if (!read_member(r, key, value)) {
            return false;
        }
    }
    return check_whole(r, body);
}

cairn_status cairn__decide_request_read(cairn_span json, int64_t now_ms, cairn__arena *arena,
                                        cairn__decide_request *request_out,
                                        cairn__fault_problem *problem_out) {
    json_error_t error;
    reading r = { .to = request_out, .arena = arena, .problem = problem_out };
    *request_out = (cairn__decide_request){ .now_ms = now_ms };
    *problem_out = (cairn__fault_problem){ .code = "" };
    json_t *body =
        json.len > CAIRN__DECIDE_BODY_BYTES_MAX
            ? NULL
            : json_loadb((const char *)json.data, json.len, JSON_REJECT_DUPLICATES, &error);
    if (body == NULL) {
        (void)cairn__fault(problem_out, "body_not_json", (cairn__fault_path){ "" },
                           "the body is not JSON of at most %d bytes",
                           (int)CAIRN__DECIDE_BODY_BYTES_MAX);
        (void)cairn__fault_fix(problem_out, "send one JSON object");
        return CAIRN_INVALID;
    }
    bool good = read_body(&r, body);
    json_decref(body);
    return good ? CAIRN_OK : r.no_memory ? CAIRN_NO_MEMORY : CAIRN_INVALID;
}
