/* event_json.c: what the members of a JSON event mean (docs/ARCHITECTURE.md). */
#include "ingest/event_json.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/civil.h"
#include "model/limits.h"

enum { FIELD_WORD_BYTES = 64 }; /* of a sender's word in a fault */

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
    "profile_append, profile_union, profile_unset, profile_delete, consent or erase"
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
    { "consent", CAIRN__EVENT_CONSENT },
    { "erase", CAIRN__EVENT_ERASE },
};

static bool read_type(cairn__event_reader *r, const json_t *value, cairn__ingest_event *out) {
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

bool cairn__event_copy(cairn__event_reader *r, cairn_span from, cairn_span *out) {
    bool copied = cairn__arena_copy(r->arena, from, out);
    r->no_memory |= !copied;
    if (copied && r->mark.utf8[0] != 0) {
        /* the copy is the arena's own */
        out->len = cairn__nul_restore(&r->mark, (uint8_t *)(uintptr_t)out->data, out->len);
    }
    return copied;
}

/* A fault's field that says a sender's own word: "properties.x", cut after FIELD_WORD_BYTES. */
static const char *field_of(cairn__event_reader *r, const char *prefix, const char *word) {
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

static bool read_name(cairn__event_reader *r, const json_t *value, cairn__ingest_event *out) {
    if (!json_is_string(value)) {
        out->fault = fault_name;
        return false;
    }
    return cairn__event_copy(r, text_of(value), &out->event.name);
}

static bool read_time(cairn__event_reader *r, const json_t *value, cairn__ingest_event *out) {
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

static bool read_seq(cairn__event_reader *r, const json_t *value, cairn__ingest_event *out) {
    (void)r;
    out->fault = read_count(value, &out->event.seq) ? out->fault : fault_seq;
    return out->fault.code == NULL;
}

static bool read_session(cairn__event_reader *r, const json_t *value, cairn__ingest_event *out) {
    (void)r;
    out->fault = read_count(value, &out->event.session) ? out->fault : fault_session;
    return out->fault.code == NULL;
}

/* --- ids ----------------------------------------------------------------------------------- */

/* An id's value may be written as a number: u1 and 1001 are both ids people have. */
static bool id_value(cairn__event_reader *r, const json_t *value, cairn_span *out) {
    if (json_is_string(value)) {
        return cairn__event_copy(r, text_of(value), out);
    }
    if (!json_is_integer(value)) {
        return false;
    }
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%lld", (long long)json_integer_value(value));
    return cairn__event_copy(r, cairn__span(digits, len < 0 ? 0 : (size_t)len), out);
}

static cairn_id *add_id(cairn__event_reader *r, cairn__ingest_event *out) {
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

static bool read_one_id(cairn__event_reader *r, const char *type, const json_t *value,
                        cairn__ingest_event *out) {
    cairn_id *id = add_id(r, out);
    if (id == NULL || !cairn__event_copy(r, cairn__span_of(type), &id->type)) {
        return false;
    }
    if (!id_value(r, value, &id->value)) {
        out->fault = fault_ids;
        return false;
    }
    return true;
}

/* "login:u1" */
static bool read_id_text(cairn__event_reader *r, const json_t *value, cairn__ingest_event *out) {
    cairn_span text = json_is_string(value) ? text_of(value) : cairn__span(NULL, 0);
    const uint8_t *colon = text.len == 0 ? NULL : memchr(text.data, ':', text.len);
    if (colon == NULL) {
        out->fault = fault_ids;
        return false;
    }
    size_t type_len = (size_t)(colon - text.data);
    cairn_id *id = add_id(r, out);
    return id != NULL && cairn__event_copy(r, cairn__span(text.data, type_len), &id->type) &&
           cairn__event_copy(r, cairn__span(colon + 1, text.len - type_len - 1), &id->value);
}

static bool read_ids_object(cairn__event_reader *r, const json_t *value, cairn__ingest_event *out) {
    const char *type;
    json_t *one;
    json_object_foreach((json_t *)value, type, one) {
        if (!read_one_id(r, type, one, out)) {
            return false;
        }
    }
    return true;
}

static bool read_ids(cairn__event_reader *r, const json_t *value, cairn__ingest_event *out) {
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

static bool read_user(cairn__event_reader *r, const json_t *value, cairn__ingest_event *out) {
    return read_one_id(r, "login", value, out);
}

/* --- properties ---------------------------------------------------------------------------- */

static bool read_list(cairn__event_reader *r, const json_t *value, cairn_value *out) {
    size_t count = json_array_size(value);
    if (count > CAIRN__LIST_ITEMS_MAX) {
        return false;
    }
    cairn_span *items = cairn__arena_alloc_zero(r->arena, count + 1, sizeof *items);
    r->no_memory |= items == NULL;
    for (size_t i = 0; i < count && items != NULL; i++) {
        const json_t *item = json_array_get(value, i);
        if (!json_is_string(item) || !cairn__event_copy(r, text_of(item), &items[i])) {
            return false;
        }
    }
    *out = (cairn_value){ .kind = CAIRN_VALUE_LIST, .as.list = { items, count } };
    return items != NULL;
}

static bool read_value(cairn__event_reader *r, const json_t *value, cairn_value *out) {
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
        return cairn__event_copy(r, text_of(value), &out->as.string);
    case JSON_ARRAY:
        return read_list(r, value, out);
    case JSON_OBJECT:
        break;
    }
    return false;
}

static bool read_properties(cairn__event_reader *r, const json_t *value, cairn__ingest_event *out) {
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
        if (!cairn__event_copy(r, cairn__span_of(name), copied)) {
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
    bool (*read)(cairn__event_reader *, const json_t *, cairn__ingest_event *);
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

static bool read_member(cairn__event_reader *r, const char *key, const json_t *value,
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

void cairn__event_judge(cairn__event_reader *r, const json_t *value, cairn__ingest_event *out) {
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
