/* event_check.c: what is wrong with an event, as data. One pass; the first fault is told. The sum
 * of all texts is bounded too: codes of the dictionary make a small message a large event. */
#include "base/bytes.h"
#include "base/fault.h"
#include "model/event.h"
#include "model/limits.h"

enum { YEAR_10000_DAYS = 2932897 };
static const int64_t time_ms_max = (int64_t)YEAR_10000_DAYS * 86400000 - 1;

typedef cairn__event_fault fault;

/* What is wrong; the faults of names come twice, in the same order. */
typedef enum wrong {
    NOTHING = 0,
    NAME_MISSING,
    NAME_TOO_LONG,
    NAME_NOT_UTF8,
    PROPERTY_NAME_MISSING,
    PROPERTY_NAME_TOO_LONG,
    PROPERTY_NAME_NOT_UTF8,
    TEXT_TOO_LONG,
    TEXT_NOT_UTF8,
    LIST_TOO_LONG,
    NUMBER_NOT_FINITE,
    VALUE_TIME_OUT_OF_RANGE,
    VALUE_UNKNOWN,
    INCREMENT_KIND,
    APPEND_KIND,
    PROPERTIES_TOO_MANY,
    EVENT_TOO_LARGE,
    IDS_TOO_MANY,
    ID_TYPE,
    ID_VALUE,
    FIRST_ID_MISSING,
    SECOND_ID_MISSING,
    PROPERTIES_MISSING,
    KIND_UNKNOWN,
    TIME_OUT_OF_RANGE
} wrong;

static const fault faults[] = {
    [NAME_MISSING] = { "name_missing", "name", "give it a name of 1 to 100 bytes" },
    [NAME_TOO_LONG] = { "name_too_long", "name", "shorten the name to 100 bytes" },
    [NAME_NOT_UTF8] = { "name_not_utf8", "name", "encode the name as UTF-8" },
    [PROPERTY_NAME_MISSING] = { "name_missing", "properties[].name",
                                "give it a name of 1 to 100 bytes" },
    [PROPERTY_NAME_TOO_LONG] = { "name_too_long", "properties[].name",
                                 "shorten the name to 100 bytes" },
    [PROPERTY_NAME_NOT_UTF8] = { "name_not_utf8", "properties[].name", "encode the name as UTF-8" },
    [TEXT_TOO_LONG] = { "text_too_long", "properties[].text", "shorten the text to 8192 bytes" },
    [TEXT_NOT_UTF8] = { "text_not_utf8", "properties[].text", "encode the text as UTF-8" },
    [LIST_TOO_LONG] = { "list_too_long", "properties[].list", "send at most 500 items" },
    [NUMBER_NOT_FINITE] = { "number_not_finite", "properties[].number",
                            "leave the property out where there is no number" },
    [VALUE_TIME_OUT_OF_RANGE] = { "time_out_of_range", "properties[].time_ms",
                                  "send milliseconds since 1970, before the year 10000" },
    [VALUE_UNKNOWN] = { "value_unknown", "properties[]", "use one of the seven kinds of values" },
    [INCREMENT_KIND] = { "value_kind", "properties[].value", "increments are integers or numbers" },
    [APPEND_KIND] = { "value_kind", "properties[].value",
                      "what is appended is a text or a list of texts" },
    [PROPERTIES_TOO_MANY] = { "properties_too_many", "properties", "send at most 256 properties" },
    [EVENT_TOO_LARGE] = { "event_too_large", "event", "send at most 64 KiB in one event" },
    [IDS_TOO_MANY] = { "ids_too_many", "ids", "send at most 16 ids on one event" },
    [ID_TYPE] = { "id_type", "ids[].type", "give the type as 1 to 32 bytes of UTF-8" },
    [ID_VALUE] = { "id_value", "ids[].value", "give the value as 1 to 256 bytes of UTF-8" },
    [FIRST_ID_MISSING] = { "id_missing", "ids[0]", "name the id that the event is about" },
    [SECOND_ID_MISSING] = { "id_missing", "ids[1]", "name the two ids that are one person" },
    [PROPERTIES_MISSING] = { "properties_missing", "properties",
                             "name the profile properties to change" },
    [KIND_UNKNOWN] = { "kind_unknown", "kind", "use a kind that this version knows" },
    [TIME_OUT_OF_RANGE] = { "time_out_of_range", "time_ms",
                            "send milliseconds since 1970, before the year 10000" },
};

/* Most texts are short and ASCII: two overlapping loads tell so without a loop over bytes. */
static bool is_short_ascii(cairn_span text) {
    if (text.len >= 8 && text.len <= 16) {
        uint64_t either = cairn__load_u64(text.data) | cairn__load_u64(text.data + text.len - 8);
        return (either & 0x8080808080808080u) == 0;
    }
    if (text.len >= 4 && text.len < 8) {
        uint32_t either = cairn__load_u32(text.data) | cairn__load_u32(text.data + text.len - 4);
        return (either & 0x80808080u) == 0;
    }
    return false;
}

static bool is_text(cairn_span text) {
    return is_short_ascii(text) || cairn__utf8_valid(text);
}

static wrong check_name(cairn_span name, wrong missing) {
    if (name.len == 0) {
        return missing;
    }
    if (name.len > CAIRN__NAME_BYTES_MAX) {
        return missing + (NAME_TOO_LONG - NAME_MISSING);
    }
    if (!is_text(name)) {
        return missing + (NAME_NOT_UTF8 - NAME_MISSING);
    }
    return NOTHING;
}

static wrong check_text(cairn_span text, size_t *bytes) {
    *bytes += text.len;
    if (text.len > CAIRN__TEXT_BYTES_MAX) {
        return TEXT_TOO_LONG;
    }
    if (!is_text(text)) {
        return TEXT_NOT_UTF8;
    }
    return NOTHING;
}

static wrong check_list(cairn_string_list list, size_t *bytes) {
    if (list.count > CAIRN__LIST_ITEMS_MAX) {
        return LIST_TOO_LONG;
    }
    for (size_t i = 0; i < list.count; i++) {
        wrong found = check_text(list.items[i], bytes);
        if (found != NOTHING) {
            return found;
        }
    }
    return NOTHING;
}

static bool is_finite(double number) {
    return number - number == 0.0; /* NaN and the infinities give NaN */
}

static wrong check_value(const cairn_value *value, size_t *bytes) {
    switch (value->kind) {
    case CAIRN_VALUE_NULL:
    case CAIRN_VALUE_BOOLEAN:
    case CAIRN_VALUE_INTEGER:
        return NOTHING;
    case CAIRN_VALUE_NUMBER:
        if (!is_finite(value->as.number)) {
            return NUMBER_NOT_FINITE;
        }
        return NOTHING;
    case CAIRN_VALUE_STRING:
        return check_text(value->as.string, bytes);
    case CAIRN_VALUE_TIME:
        if (value->as.time_ms < -time_ms_max || value->as.time_ms > time_ms_max) {
            return VALUE_TIME_OUT_OF_RANGE;
        }
        return NOTHING;
    case CAIRN_VALUE_LIST:
        return check_list(value->as.list, bytes);
    }
    return VALUE_UNKNOWN;
}

/* What the kind of the event asks of each value. */
static wrong check_kind_of_value(cairn__event_kind kind, cairn_value_kind value) {
    if (kind == CAIRN__EVENT_PROFILE_INCREMENT && value != CAIRN_VALUE_INTEGER &&
        value != CAIRN_VALUE_NUMBER) {
        return INCREMENT_KIND;
    }
    bool appends = kind == CAIRN__EVENT_PROFILE_APPEND || kind == CAIRN__EVENT_PROFILE_UNION;
    if (appends && value != CAIRN_VALUE_STRING && value != CAIRN_VALUE_LIST) {
        return APPEND_KIND;
    }
    return NOTHING;
}

static wrong check_properties(const cairn__event *event) {
    if (event->property_count > CAIRN__PROPERTIES_MAX) {
        return PROPERTIES_TOO_MANY;
    }
    size_t bytes = event->name.len;
    for (size_t i = 0; i < event->property_count; i++) {
        const cairn_property *p = &event->properties[i];
        wrong found = check_name(p->name, PROPERTY_NAME_MISSING);
        bytes += p->name.len;
        if (found == NOTHING) {
            found = check_value(&p->value, &bytes);
        }
        if (found == NOTHING) {
            found = check_kind_of_value(event->kind, p->value.kind);
        }
        if (found != NOTHING) {
            return found;
        }
    }
    if (bytes > CAIRN__EVENT_BYTES_MAX) {
        return EVENT_TOO_LARGE;
    }
    return NOTHING;
}

static wrong check_ids(const cairn__event *event) {
    if (event->id_count > CAIRN__EVENT_IDS_MAX) {
        return IDS_TOO_MANY;
    }
    for (size_t i = 0; i < event->id_count; i++) {
        cairn_span type = event->ids[i].type;
        cairn_span value = event->ids[i].value;
        if (type.len == 0 || type.len > CAIRN__ID_TYPE_BYTES_MAX || !is_text(type)) {
            return ID_TYPE;
        }
        if (value.len == 0 || value.len > CAIRN__ID_VALUE_BYTES_MAX || !is_text(value)) {
            return ID_VALUE;
        }
    }
    return NOTHING;
}

/* The operands that a kind cannot do without. */
static wrong check_operands(const cairn__event *event) {
    switch (event->kind) {
    case CAIRN__EVENT_TRACK:
    case CAIRN__EVENT_LOGOUT:
    case CAIRN__EVENT_PROFILE_DELETE:
    case CAIRN__EVENT_CONSENT:
    case CAIRN__EVENT_DECISION:
    case CAIRN__EVENT_ERASE:
        return NOTHING;
    case CAIRN__EVENT_LOGIN:
    case CAIRN__EVENT_ITEM_SET:
    case CAIRN__EVENT_ITEM_DELETE:
        if (event->id_count < 1) {
            return FIRST_ID_MISSING;
        }
        return NOTHING;
    case CAIRN__EVENT_LINK:
    case CAIRN__EVENT_UNLINK:
        if (event->id_count < 2) {
            return SECOND_ID_MISSING;
        }
        return NOTHING;
    case CAIRN__EVENT_PROFILE_SET:
    case CAIRN__EVENT_PROFILE_SET_ONCE:
    case CAIRN__EVENT_PROFILE_INCREMENT:
    case CAIRN__EVENT_PROFILE_APPEND:
    case CAIRN__EVENT_PROFILE_UNION:
    case CAIRN__EVENT_PROFILE_UNSET:
        if (event->property_count == 0) {
            return PROPERTIES_MISSING;
        }
        return NOTHING;
    }
    return KIND_UNKNOWN;
}

static wrong check_frame(const cairn__event *event) {
    if (event->kind == CAIRN__EVENT_TRACK || event->name.len > 0) {
        wrong found = check_name(event->name, NAME_MISSING);
        if (found != NOTHING) {
            return found;
        }
    }
    if (event->time_ms < 0 || event->time_ms > time_ms_max) {
        return TIME_OUT_OF_RANGE;
    }
    return check_operands(event);
}

bool cairn__event_check(const cairn__event *event, cairn__event_fault *fault_out) {
    wrong found = check_frame(event);
    if (found == NOTHING) {
        found = check_ids(event);
    }
    if (found == NOTHING) {
        found = check_properties(event);
    }
    if (CAIRN__FAULTS_ARE_TOLD) {
        *fault_out = faults[found];
    }
    return found == NOTHING;
}
