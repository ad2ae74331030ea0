/* event_check.c: what is wrong with an event, as data. One pass; the first fault is told. The sum
 * of all texts is bounded too: codes of the dictionary make a small message a large event. */
#include "base/bytes.h"
#include "model/event.h"
#include "model/limits.h"

enum { YEAR_10000_DAYS = 2932897 };
static const int64_t time_ms_max = (int64_t)YEAR_10000_DAYS * 86400000 - 1;

typedef cairn__event_fault fault;

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

static fault check_name(cairn_span name, const char *field) {
    if (name.len == 0) {
        return (fault){ "name_missing", field, "give it a name of 1 to 100 bytes" };
    }
    if (name.len > CAIRN__NAME_BYTES_MAX) {
        return (fault){ "name_too_long", field, "shorten the name to 100 bytes" };
    }
    if (!is_text(name)) {
        return (fault){ "name_not_utf8", field, "encode the name as UTF-8" };
    }
    return (fault){ 0 };
}

static fault check_text(cairn_span text, size_t *bytes) {
    *bytes += text.len;
    if (text.len > CAIRN__TEXT_BYTES_MAX) {
        return (fault){ "text_too_long", "properties[].text", "shorten the text to 8192 bytes" };
    }
    if (!is_text(text)) {
        return (fault){ "text_not_utf8", "properties[].text", "encode the text as UTF-8" };
    }
    return (fault){ 0 };
}

static fault check_list(cairn_string_list list, size_t *bytes) {
    if (list.count > CAIRN__LIST_ITEMS_MAX) {
        return (fault){ "list_too_long", "properties[].list", "send at most 500 items" };
    }
    for (size_t i = 0; i < list.count; i++) {
        fault found = check_text(list.items[i], bytes);
        if (found.code != NULL) {
            return found;
        }
    }
    return (fault){ 0 };
}

static bool is_finite(double number) {
    return number - number == 0.0; /* NaN and the infinities give NaN */
}

static fault check_value(const cairn_value *value, size_t *bytes) {
    switch (value->kind) {
    case CAIRN_VALUE_NULL:
    case CAIRN_VALUE_BOOLEAN:
    case CAIRN_VALUE_INTEGER:
        return (fault){ 0 };
    case CAIRN_VALUE_NUMBER:
        if (!is_finite(value->as.number)) {
            return (fault){ "number_not_finite", "properties[].number",
                            "leave the property out where there is no number" };
        }
        return (fault){ 0 };
    case CAIRN_VALUE_STRING:
        return check_text(value->as.string, bytes);
    case CAIRN_VALUE_TIME:
        if (value->as.time_ms < -time_ms_max || value->as.time_ms > time_ms_max) {
            return (fault){ "time_out_of_range", "properties[].time_ms",
                            "send milliseconds since 1970, before the year 10000" };
        }
        return (fault){ 0 };
    case CAIRN_VALUE_LIST:
        return check_list(value->as.list, bytes);
    }
    return (fault){ "value_unknown", "properties[]", "use one of the seven kinds of values" };
}

/* What the kind of the event asks of each value. */
static fault check_kind_of_value(cairn__event_kind kind, cairn_value_kind value) {
    if (kind == CAIRN__EVENT_PROFILE_INCREMENT && value != CAIRN_VALUE_INTEGER &&
        value != CAIRN_VALUE_NUMBER) {
        return (fault){ "value_kind", "properties[].value", "increments are integers or numbers" };
    }
    bool appends = kind == CAIRN__EVENT_PROFILE_APPEND || kind == CAIRN__EVENT_PROFILE_UNION;
    if (appends && value != CAIRN_VALUE_STRING && value != CAIRN_VALUE_LIST) {
        return (fault){ "value_kind", "properties[].value",
                        "what is appended is a text or a list of texts" };
    }
    return (fault){ 0 };
}

static fault check_properties(const cairn__event *event) {
    if (event->property_count > CAIRN__PROPERTIES_MAX) {
        return (fault){ "properties_too_many", "properties", "send at most 256 properties" };
    }
    size_t bytes = event->name.len;
    for (size_t i = 0; i < event->property_count; i++) {
        const cairn_property *p = &event->properties[i];
        fault found = check_name(p->name, "properties[].name");
        bytes += p->name.len;
        if (found.code == NULL) {
            found = check_value(&p->value, &bytes);
        }
        if (found.code == NULL) {
            found = check_kind_of_value(event->kind, p->value.kind);
        }
        if (found.code != NULL) {
            return found;
        }
    }
    if (bytes > CAIRN__EVENT_BYTES_MAX) {
        return (fault){ "event_too_large", "event", "send at most 64 KiB in one event" };
    }
    return (fault){ 0 };
}

static fault check_ids(const cairn__event *event) {
    if (event->id_count > CAIRN__EVENT_IDS_MAX) {
        return (fault){ "ids_too_many", "ids", "send at most 16 ids on one event" };
    }
    for (size_t i = 0; i < event->id_count; i++) {
        cairn_span type = event->ids[i].type;
        cairn_span value = event->ids[i].value;
        if (type.len == 0 || type.len > CAIRN__ID_TYPE_BYTES_MAX || !is_text(type)) {
            return (fault){ "id_type", "ids[].type", "give the type as 1 to 32 bytes of UTF-8" };
        }
        if (value.len == 0 || value.len > CAIRN__ID_VALUE_BYTES_MAX || !is_text(value)) {
            return (fault){ "id_value", "ids[].value",
                            "give the value as 1 to 256 bytes of UTF-8" };
        }
    }
    return (fault){ 0 };
}

/* The operands that a kind cannot do without. */
static fault check_operands(const cairn__event *event) {
    switch (event->kind) {
    case CAIRN__EVENT_TRACK:
    case CAIRN__EVENT_LOGOUT:
    case CAIRN__EVENT_PROFILE_DELETE:
    case CAIRN__EVENT_CONSENT:
    case CAIRN__EVENT_DECISION:
    case CAIRN__EVENT_ERASE:
        return (fault){ 0 };
    case CAIRN__EVENT_LOGIN:
    case CAIRN__EVENT_ITEM_SET:
    case CAIRN__EVENT_ITEM_DELETE:
        if (event->id_count < 1) {
            return (fault){ "id_missing", "ids[0]", "name the id that the event is about" };
        }
        return (fault){ 0 };
    case CAIRN__EVENT_LINK:
    case CAIRN__EVENT_UNLINK:
        if (event->id_count < 2) {
            return (fault){ "id_missing", "ids[1]", "name the two ids that are one person" };
        }
        return (fault){ 0 };
    case CAIRN__EVENT_PROFILE_SET:
    case CAIRN__EVENT_PROFILE_SET_ONCE:
    case CAIRN__EVENT_PROFILE_INCREMENT:
    case CAIRN__EVENT_PROFILE_APPEND:
    case CAIRN__EVENT_PROFILE_UNION:
    case CAIRN__EVENT_PROFILE_UNSET:
        if (event->property_count == 0) {
            return (fault){ "properties_missing", "properties",
                            "name the profile properties to change" };
        }
        return (fault){ 0 };
    }
    return (fault){ "kind_unknown", "kind", "use a kind that this version knows" };
}

static fault check_frame(const cairn__event *event) {
    if (event->kind == CAIRN__EVENT_TRACK || event->name.len > 0) {
        fault found = check_name(event->name, "name");
        if (found.code != NULL) {
            return found;
        }
    }
    if (event->time_ms < 0 || event->time_ms > time_ms_max) {
        return (fault){ "time_out_of_range", "time_ms",
                        "send milliseconds since 1970, before the year 10000" };
    }
    return check_operands(event);
}

bool cairn__event_check(const cairn__event *event, cairn__event_fault *fault_out) {
    fault found = check_frame(event);
    if (found.code == NULL) {
        found = check_ids(event);
    }
    if (found.code == NULL) {
        found = check_properties(event);
    }
    *fault_out = found;
    return found.code == NULL;
}
