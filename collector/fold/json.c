#include "fold/json.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/civil.h"
#include "fold/state.h"

static json_t *text(cairn_span from) {
    return json_stringn(from.len == 0 ? "" : (const char *)from.data, from.len);
}

json_t *cairn__json_time(int64_t time_ms) {
    char written[CAIRN__INSTANT_TEXT_BYTES];
    size_t len = cairn__format_instant(time_ms, written);
    return json_stringn(written, len);
}

bool cairn__json_put(json_t *object, cairn_span name, json_t *member) {
    if (member == NULL || object == NULL) {
        json_decref(member);
        return false;
    }
    return json_object_setn_new(object, (const char *)name.data, name.len, member) == 0;
}

static json_t *list(cairn_string_list from) {
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < from.count; i++) {
        if (json_array_append_new(array, text(from.items[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

json_t *cairn__json_value(const cairn_value *value) {
    switch (value->kind) {
    case CAIRN_VALUE_NULL:
        return json_null();
    case CAIRN_VALUE_BOOLEAN:
        return json_boolean(value->as.boolean);
    case CAIRN_VALUE_INTEGER:
        return json_integer(value->as.integer);
    case CAIRN_VALUE_NUMBER:
        return json_real(value->as.number);
    case CAIRN_VALUE_STRING:
        return text(value->as.string);
    case CAIRN_VALUE_TIME:
        return cairn__json_time(value->as.time_ms);
    case CAIRN_VALUE_LIST:
        return list(value->as.list);
    }
    return NULL;
}

json_t *cairn__json_properties(const cairn_property *properties, size_t count) {
    json_t *object = json_object();
    for (size_t i = 0; object != NULL && i < count; i++) {
        if (!cairn__json_put(object, properties[i].name, cairn__json_value(&properties[i].value))) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

/* --- the live view's line ------------------------------------------------------------------ */

static const char *kind_name(cairn__event_kind kind) {
    static const char *const names[] = {
        "",
        "$login",
        "$link",
        "$unlink",
        "$logout",
        "$profile_set",
        "$profile_set_once",
        "$profile_increment",
        "$profile_append",
        "$profile_union",
        "$profile_unset",
        "$profile_delete",
        "$item_set",
        "$item_delete",
        "$consent",
        "$decision",
        "$erase",
    };
    return (size_t)kind < sizeof names / sizeof names[0] ? names[kind] : "";
}

static json_t *ids_of(const cairn__folding *folding) {
    json_t *object = json_object();
    const cairn__ingest_batch *batch = folding->batch;
    const cairn__event *event = &folding->in->event;
    bool put = object != NULL;
    for (size_t i = 0; put && i < batch->id_count; i++) {
        put = cairn__json_put(object, batch->ids[i].type, text(batch->ids[i].value));
    }
    for (size_t i = 0; put && i < event->id_count; i++) {
        put = cairn__json_put(object, event->ids[i].type, text(event->ids[i].value));
    }
    if (put && batch->device.len != 0) {
        put = cairn__json_put(object, CAIRN_STR("device"), text(batch->device));
    }
    if (!put) {
        json_decref(object);
        return NULL;
    }
    return object;
}

void cairn__fold_tell(cairn__fold *fold, const cairn__folding *folding, uint32_t person) {
    const cairn__event *event = &folding->in->event;
    cairn_span name = event->name.len != 0 ? event->name : cairn__span_of(kind_name(event->kind));
    json_t *line = json_object();
    bool whole = cairn__json_put(line, CAIRN_STR("time"), cairn__json_time(folding->time_ms)) &&
                 cairn__json_put(line, CAIRN_STR("person"), json_integer(person)) &&
                 cairn__json_put(line, CAIRN_STR("event"), text(name)) &&
                 cairn__json_put(line, CAIRN_STR("ids"), ids_of(folding)) &&
                 cairn__json_put(line, CAIRN_STR("properties"),
                                 cairn__json_properties(event->properties, event->property_count));
    char *written = whole ? json_dumps(line, JSON_COMPACT) : NULL;
    json_decref(line);
    if (written != NULL) {
        fold->options.on_event(fold->options.self, cairn__span_of(written));
    }
    free(written);
}
