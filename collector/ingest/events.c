/* events.c: the JSON of POST /v1/events (docs/ARCHITECTURE.md) -> events with verdicts. jansson
 * reads the JSON; here is only what its members mean. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/civil.h"
#include "ingest/ingest.h"
#include "ingest/nul.h"
#include "model/limits.h"

enum { KEY_LENGTH_BYTES = 2, FIELD_WORD_BYTES = 64 };

typedef struct reading {
    cairn__arena *arena;
    int64_t received_ms;
    cairn__ingest_event *events;
    size_t count, capacity;
    bool no_memory;
    cairn__nul_mark mark; /* of a body with U+0000 in a name */
} reading;

static const cairn__event_fault fault_not_object = { "event_not_object", "",
                                                     "send every event as a JSON object" };
static const cairn__event_fault fault_key = {
    "key_unknown", "", "use event, type, time, ids, user, properties, seq and session only"
};
static const cairn__event_fault fault_name = { "name_invalid", "event",
                                               "give the event's name as a text" };
static const cairn__event_fault fault_type = {
    "type_unknown", "type",
    "use track, login, link, unlink, logout, profile_set, profile_set_once, profile_increment, "
    "profile_append, profile_union, profile_unset or profile_delete"
};
static const cairn__event_fault fault_time = {
    "time_invalid", "time", "write an RFC 3339 time with its offset, or milliseconds since 1970"
};
static const cairn__event_fault fault_ids = {
    "ids_invalid", "ids", "write ids as {\"login\": \"u1\"} or [\"login:u1\"]"
};
static const cairn__event_fault fault_no_ids = { "ids_missing", "ids",
                                                 "name who did it: {\"login\": \"u1\"}" };
static const cairn__event_fault fault_properties = { "properties_invalid", "properties",
                                                     "write properties as a JSON object" };
static const cairn__event_fault fault_value = {
    "value_invalid", "properties", "use null, true, false, a number, a text or a list of texts"
};
static const cairn__event_fault fault_nul = { "name_has_nul", "properties[].name",
                                              "use names without U+0000" };
static const cairn__event_fault fault_seq = { "seq_invalid", "seq",
                                              "write seq as a whole number from 1 up" };
static const cairn__event_fault fault_session = { "session_invalid", "session",
                                                  "write session as a whole number from 1 up" };

static cairn_span text_of(const json_t *value) {
    return cairn__span(json_string_value(value), json_string_length(value));
}

/* --- kinds --------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    cairn__event_kind kind;
} kinds[] = {
    { "track", CAIRN__EVENT_TRACK },
    { "login", CAIRN__EVENT_LOGIN },
    { "link", CAIRN__EVENT_LINK },
    { "unlink", CAIRN__EVENT_UNLINK },
    { "logout", CAIRN__EVENT_LOGOUT },
    { "profile_set", CAIRN__EVENT_PROFILE_SET },
    { "profile_set_once", CAIRN__EVENT_PROFILE_SET_ONCE },
    { "profile_increment", CAIRN__EVENT_PROFILE_INCREMENT },
    { "profile_append", CAIRN__EVENT_PROFILE_APPEND },
    { "profile_union", CAIRN__EVENT_PROFILE_UNION },
    { "profile_unset", CAIRN__EVENT_PROFILE_UNSET },
    { "profile_delete", CAIRN__EVENT_PROFILE_DELETE },
};

static bool read_type(reading *r, const json_t *value, cairn__ingest_event *out) {
    (void)r;
    for (size_t i = 0; json_is_string(value) && i < sizeof kinds / sizeof kinds[0]; i++) {
        if (cairn__span_equal(text_of(value), cairn__span_of(kinds[i].name))) {
            out->event.kind = kinds[i].kind;
            return true;
        }
    }
    out->fault = fault_type;
    return false;
}

/* --- members ------------------------------------------------------------------------------- */

static bool copy(reading *r, cairn_span from, cairn_span *out) {
    bool copied = cairn__arena_copy(r->arena, from, out);
    r->no_memory |= !copied;
    if (copied && r->mark.utf8[0] != 0) {
        /* the copy is the arena's own */
        out->len = cairn__nul_restore(&r->mark, (uint8_t *)(uintptr_t)out->data, out->len);
    }
    return copied;
}

/* A fault's field that says a sender's own word: "properties.x", cut after FIELD_WORD_BYTES. */
static const char *field_of(reading *r, const char *prefix, const char *word) {
    size_t prefix_len = strlen(prefix);
    size_t len = strlen(word);
    if (len > FIELD_WORD_BYTES) {
        for (len = FIELD_WORD_BYTES; ((uint8_t)word[len] & 0xC0) == 0x80; len--) {
            /* never in the middle of a character */
        }
    }
    char *field = cairn__arena_alloc_zero(r->arena, 1, prefix_len + len + 1);
    r->no_memory |= field == NULL;
    if (field == NULL) {
        return "";
    }
    (void)snprintf(field, prefix_len + len + 1, "%s%.*s", prefix, (int)len, word);
    return field;
}

static bool read_name(reading *r, const json_t *value, cairn__ingest_event *out) {
    if (!json_is_string(value)) {
        out->fault = fault_name;
        return false;
    }
    return copy(r, text_of(value), &out->event.name);
}

static bool read_time(reading *r, const json_t *value, cairn__ingest_event *out) {
    (void)r;
    if (json_is_integer(value)) {
        out->event.time_ms = json_integer_value(value);
        return true;
    }
    if (json_is_string(value) && cairn__parse_instant(text_of(value), &out->event.time_ms)) {
        return true;
    }
    out->fault = fault_time;
    return false;
}

static bool read_count(const json_t *value, uint64_t *to) {
    if (!json_is_integer(value) || json_integer_value(value) < 1) {
        return false;
    }
    *to = (uint64_t)json_integer_value(value);
    return true;
}

static bool read_seq(reading *r, const json_t *value, cairn__ingest_event *out) {
    (void)r;
    out->fault = read_count(value, &out->event.seq) ? out->fault : fault_seq;
    return out->fault.code == NULL;
}

static bool read_session(reading *r, const json_t *value, cairn__ingest_event *out) {
    (void)r;
    out->fault = read_count(value, &out->event.session) ? out->fault : fault_session;
    return out->fault.code == NULL;
}

/* --- ids ----------------------------------------------------------------------------------- */

/* An id's value may be written as a number: u1 and 1001 are both ids people have. */
static bool id_value(reading *r, const json_t *value, cairn_span *out) {
    if (json_is_string(value)) {
        return copy(r, text_of(value), out);
    }
    if (!json_is_integer(value)) {
        return false;
    }
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%lld", (long long)json_integer_value(value));
    return copy(r, cairn__span(digits, len < 0 ? 0 : (size_t)len), out);
}

static cairn_id *add_id(reading *r, cairn__ingest_event *out) {
    if (out->event.id_count == CAIRN__EVENT_IDS_MAX) {
        out->fault = fault_ids;
        return NULL;
    }
    if (out->event.ids == NULL) {
        out->event.ids =
            cairn__arena_alloc_zero(r->arena, CAIRN__EVENT_IDS_MAX, sizeof *out->event.ids);
        r->no_memory |= out->event.ids == NULL;
    }
    return out->event.ids == NULL ? NULL : (cairn_id *)&out->event.ids[out->event.id_count++];
}

static bool read_one_id(reading *r, const char *type, const json_t *value,
                        cairn__ingest_event *out) {
    cairn_id *id = add_id(r, out);
    if (id == NULL || !copy(r, cairn__span_of(type), &id->type)) {
        return false;
    }
    if (!id_value(r, value, &id->value)) {
        out->fault = fault_ids;
        return false;
    }
    return true;
}

/* "login:u1" */
static bool read_id_text(reading *r, const json_t *value, cairn__ingest_event *out) {
    cairn_span text = json_is_string(value) ? text_of(value) : cairn__span(NULL, 0);
    const uint8_t *colon = text.len == 0 ? NULL : memchr(text.data, ':', text.len);
    if (colon == NULL) {
        out->fault = fault_ids;
        return false;
    }
    size_t type_len = (size_t)(colon - text.data);
    cairn_id *id = add_id(r, out);
    return id != NULL && copy(r, cairn__span(text.data, type_len), &id->type) &&
           copy(r, cairn__span(colon + 1, text.len - type_len - 1), &id->value);
}

static bool read_ids_object(reading *r, const json_t *value, cairn__ingest_event *out) {
    const char *type;
    json_t *one;
    json_object_foreach((json_t *)value, type, one) {
        if (!read_one_id(r, type, one, out)) {
            return false;
        }
    }
    return true;
}

static bool read_ids(reading *r, const json_t *value, cairn__ingest_event *out) {
    if (json_is_object(value)) {
        return read_ids_object(r, value, out);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (!read_id_text(r, json_array_get(value, i), out)) {
            return false;
        }
    }
    out->fault = json_is_array(value) ? out->fault : fault_ids;
    return out->fault.code == NULL;
}

static bool read_user(reading *r, const json_t *value, cairn__ingest_event *out) {
    return read_one_id(r, "login", value, out);
}

/* --- properties ---------------------------------------------------------------------------- */

static bool read_list(reading *r, const json_t *value, cairn_value *out) {
    size_t count = json_array_size(value);
    if (count > CAIRN__LIST_ITEMS_MAX) {
        return false;
    }
    cairn_span *items = cairn__arena_alloc_zero(r->arena, count + 1, sizeof *items);
    r->no_memory |= items == NULL;
    for (size_t i = 0; i < count && items != NULL; i++) {
        const json_t *item = json_array_get(value, i);
        if (!json_is_string(item) || !copy(r, text_of(item), &items[i])) {
            return false;
        }
    }
    *out = (cairn_value){ .kind = CAIRN_VALUE_LIST, .as.list = { items, count } };
    return items != NULL;
}

static bool read_value(reading *r, const json_t *value, cairn_value *out) {
    switch (json_typeof(value)) {
    case JSON_NULL:
        *out = (cairn_value){ .kind = CAIRN_VALUE_NULL };
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        *out = (cairn_value){ .kind = CAIRN_VALUE_BOOLEAN, .as.boolean = json_is_true(value) };
        return true;
    case JSON_INTEGER:
        *out =
            (cairn_value){ .kind = CAIRN_VALUE_INTEGER, .as.integer = json_integer_value(value) };
        return true;
    case JSON_REAL:
        *out = (cairn_value){ .kind = CAIRN_VALUE_NUMBER, .as.number = json_real_value(value) };
        return true;
    case JSON_STRING:
        out->kind = CAIRN_VALUE_STRING;
        return copy(r, text_of(value), &out->as.string);
    case JSON_ARRAY:
        return read_list(r, value, out);
    case JSON_OBJECT:
        break;
    }
    return false;
}

static bool read_properties(reading *r, const json_t *value, cairn__ingest_event *out) {
    size_t count = json_is_object(value) ? json_object_size(value) : SIZE_MAX;
    if (count > CAIRN__PROPERTIES_MAX) {
        out->fault = fault_properties;
        return false;
    }
    cairn_property *properties = cairn__arena_alloc_zero(r->arena, count + 1, sizeof *properties);
    if (properties == NULL) {
        r->no_memory = true;
        return false;
    }
    const char *name;
    json_t *one;
    size_t at = 0;
    json_object_foreach((json_t *)value, name, one) {
        cairn_span *copied = &properties[at].name;
        if (!copy(r, cairn__span_of(name), copied)) {
            return false;
        }
        if (copied->len != 0 && memchr(copied->data, 0, copied->len) != NULL) {
            out->fault = fault_nul;
            return false;
        }
        if (!read_value(r, one, &properties[at].value)) {
            out->fault = fault_value;
            out->fault.field = field_of(r, "properties.", name);
            return false;
        }
        at++;
    }
    out->event.properties = properties;
    out->event.property_count = count;
    return true;
}

/* --- events -------------------------------------------------------------------------------- */

static const struct {
    const char *key;
    bool (*read)(reading *, const json_t *, cairn__ingest_event *);
} members[] = {
    { "event", read_name },
    { "type", read_type },
    { "time", read_time },
    { "ids", read_ids },
    { "properties", read_properties },
    { "user", read_user },
    { "seq", read_seq },
    { "session", read_session },
};

static bool read_member(reading *r, const char *key, const json_t *value,
                        cairn__ingest_event *out) {
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (strcmp(key, members[i].key) == 0) {
            return members[i].read(r, value, out);
        }
    }
    out->fault = fault_key;
    out->fault.field = field_of(r, "", key);
    return false;
}

static void judge(const json_t *value, reading *r, cairn__ingest_event *out) {
    if (!json_is_object(value)) {
        out->fault = fault_not_object;
        return;
    }
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)value, key, member) {
        if (!read_member(r, key, member, out)) {
            return;
        }
    }
    if (cairn__event_check(&out->event, &out->fault) && out->event.id_count == 0) {
        out->fault = fault_no_ids;
    }
}

static bool keep_original(const json_t *value, reading *r, cairn__ingest_event *out) {
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    bool copied = text != NULL && copy(r, cairn__span_of(text), &out->original);
    r->no_memory |= !copied;
    free(text);
    return copied;
}

static bool grow(reading *r) {
    if (r->count < r->capacity) {
        return true;
    }
    size_t capacity = r->capacity == 0 ? 8 : r->capacity * 2;
    cairn__ingest_event *events = cairn__arena_alloc_zero(r->arena, capacity, sizeof *events);
    if (events == NULL) {
        r->no_memory = true;
        return false;
    }
    if (r->count != 0) {
        memcpy(events, r->events, r->count * sizeof *events);
    }
    r->events = events;
    r->capacity = capacity;
    return true;
}

static bool add_event(reading *r, const json_t *value) {
    if (!grow(r)) {
        return false;
    }
    cairn__ingest_event *out = &r->events[r->count];
    *out = (cairn__ingest_event){ .event.time_ms = r->received_ms };
    judge(value, r, out);
    if (r->no_memory || (out->fault.code != NULL && !keep_original(value, r, out))) {
        return false;
    }
    r->count++;
    return true;
}

static cairn_status refuse(cairn__ingest_problem *out, const char *code, const char *detail,
                           const char *fix) {
    (void)snprintf(out->code, sizeof out->code, "%s", code);
    out->field[0] = '\0';
    (void)snprintf(out->detail, sizeof out->detail, "%s", detail);
    (void)snprintf(out->fix, sizeof out->fix, "%s", fix);
    return CAIRN_INVALID;
}

static cairn_status refuse_text(cairn__ingest_problem *out, const json_error_t *error, size_t line,
                                size_t offset) {
    char detail[256];
    (void)snprintf(detail, sizeof detail, "line %zu, byte %zu: %.150s", line, offset, error->text);
    if (json_error_code(error) == json_error_null_byte_in_key) { /* JSON, but nothing for names */
        return CAIRN_UNSUPPORTED;
    }
    return refuse(out, "body_not_json", detail,
                  "send one JSON object, an array of them, or one object per line");
}

static cairn_status refuse_count(cairn__ingest_problem *out) {
    char fix[64];
    (void)snprintf(fix, sizeof fix, "send at most %d events in one request",
                   (int)CAIRN__BATCH_EVENTS_MAX);
    return refuse(out, "too_many_events", "the request has too many events", fix);
}

/* Add a parsed document: an array's items, or the thing itself. */
static cairn_status add_document(reading *r, const json_t *root, cairn__ingest_problem *out) {
    size_t count = json_is_array(root) ? json_array_size(root) : 1;
    if (count > CAIRN__BATCH_EVENTS_MAX - r->count) {
        return refuse_count(out);
    }
    for (size_t i = 0; i < count; i++) {
        if (!add_event(r, json_is_array(root) ? json_array_get(root, i) : root)) {
            (void)refuse(out, "too_large", "the events do not fit in memory", "send fewer at once");
            return CAIRN_NO_MEMORY;
        }
    }
    return CAIRN_OK;
}

static bool is_blank(uint8_t byte) {
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* The blank bytes at the front of text; the ends of lines among them are counted. */
static size_t blanks(cairn_span text, size_t *lines) {
    size_t at = 0;
    for (; at < text.len && is_blank(text.data[at]); at++) {
        *lines += text.data[at] == '\n';
    }
    return at;
}

static cairn_status read_documents(reading *r, cairn_span body, cairn__ingest_problem *out) {
    json_error_t error = { 0 };
    size_t line = 1;
    size_t at = blanks(body, &line);
    bool array = false;
    for (bool first = true; first || at < body.len; first = false) {
        json_t *root =
            json_loadb((const char *)body.data + at, body.len - at,
                       JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
        if (root == NULL) {
            return refuse_text(out, &error, line + (size_t)(error.line > 0 ? error.line - 1 : 0),
                               at + (size_t)(error.position > 0 ? error.position : 0));
        }
        at += (size_t)error.position;
        array = array || json_is_array(root);
        size_t line_before = line;
        at += blanks((cairn_span){ body.data + at, body.len - at }, &line);
        cairn_status status = add_document(r, root, out);
        json_decref(root);
        if (status != CAIRN_OK) {
            return status;
        }
        if (at < body.len && (array || line == line_before)) {
            (void)snprintf(error.text, sizeof error.text, "something follows the %s",
                           array ? "array" : "value on its line");
            return refuse_text(out, &error, line, at);
        }
    }
    return CAIRN_OK;
}

cairn_status cairn__ingest_events(const cairn__ingest_json *json, cairn__arena *arena,
                                  cairn__ingest_batch *batch_out,
                                  cairn__ingest_problem *problem_out) {
    *batch_out = (cairn__ingest_batch){ 0 };
    if (json->body.len == 0) {
        return refuse(problem_out, "body_not_json", "the body is empty",
                      "send one JSON object, an array of them, or one object per line");
    }
    reading r = { .arena = arena, .received_ms = json->received_ms };
    cairn_status status = read_documents(&r, json->body, problem_out);
    if (status == CAIRN_UNSUPPORTED) { /* a name with U+0000 */
        cairn_span marked;
        status = cairn__nul_mark_body(json->body, arena, &marked, &r.mark);
        r.count = 0;
        status = status == CAIRN_OK ? read_documents(&r, marked, problem_out)
                                    : refuse(problem_out, "name_has_nul", "a name has U+0000 in it",
                                             "leave \\u0000 out of the names of members");
    }
    if (status != CAIRN_OK) {
        return status;
    }
    for (size_t i = 0; i < r.count; i++) {
        batch_out->rejected_count += r.events[i].fault.code != NULL;
        if (r.events[i].event.seq == 0) {
            r.events[i].event.seq = i + 1;
        }
    }
    batch_out->source = json->idempotency_key;
    batch_out->events = r.events;
    batch_out->event_count = r.count;
    return CAIRN_OK;
}

void cairn__ingest_events_pack(cairn__buffer *to, cairn_span idempotency_key, cairn_span body) {
    if (idempotency_key.len > CAIRN__INGEST_KEY_BYTES_MAX) {
        to->failed = true;
        return;
    }
    uint8_t length[KEY_LENGTH_BYTES];
    cairn__store_u16(length, (uint16_t)idempotency_key.len);
    cairn__buffer_append(to, cairn__span(length, sizeof length));
    cairn__buffer_append(to, idempotency_key);
    cairn__buffer_append(to, body);
}

cairn_status cairn__ingest_events_unpack(cairn_span payload, cairn_span *key_out,
                                         cairn_span *body_out) {
    size_t key_len = payload.len < KEY_LENGTH_BYTES ? SIZE_MAX : cairn__load_u16(payload.data);
    if (key_len > CAIRN__INGEST_KEY_BYTES_MAX || payload.len - KEY_LENGTH_BYTES < key_len) {
        return CAIRN_INVALID;
    }
    *key_out = cairn__span(payload.data + KEY_LENGTH_BYTES, key_len);
    *body_out = cairn__span(payload.data + KEY_LENGTH_BYTES + key_len,
                            payload.len - KEY_LENGTH_BYTES - key_len);
    return CAIRN_OK;
}
