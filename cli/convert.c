#include "cli/convert.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/civil.h"

/* A cell of a row: text (CSV) or JSON; neither where it is empty or absent. */
typedef struct {
    const char *text;
    json_t *json;
} cell;

__attribute__((format(printf, 2, 3))) static void *refuse(cairn__convert *convert,
                                                          const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(convert->reason, sizeof convert->reason, format, arguments);
    va_end(arguments);
    return NULL;
}

static bool is_json(const cairn__convert *convert) {
    return convert->mapping->format == CAIRN__FORMAT_JSONL;
}

/* --- finding columns ------------------------------------------------------------------------ */

static bool place(cairn__convert *convert, const char *column, size_t *at) {
    *at = 0;
    if (column == NULL || is_json(convert)) {
        return true;
    }
    *at = cairn__rows_column(convert->rows, column);
    if (*at < convert->rows->column_count) {
        return true;
    }
    char names[160] = "";
    size_t used = 0;
    for (size_t i = 0; i < convert->rows->column_count && used < sizeof names; i++) {
        int wrote = snprintf(names + used, sizeof names - used, "%s%s", i == 0 ? "" : ", ",
                             convert->rows->columns[i]);
        used += wrote < 0 ? sizeof names : (size_t)wrote;
    }
    refuse(convert, "there is no column %.40s; the columns are %s", column, names);
    return false;
}

static bool is_used(const cairn__mapping *mapping, const char *column) {
    bool used = (mapping->event_column != NULL && strcmp(mapping->event_column, column) == 0) ||
                strcmp(mapping->time_column, column) == 0;
    for (size_t i = 0; i < mapping->id_count; i++) {
        used |= strcmp(mapping->ids[i].column, column) == 0;
    }
    return used;
}

static bool take_other_columns(cairn__convert *convert, cairn__mapping *mapping) {
    for (size_t i = 0; i < convert->rows->column_count; i++) {
        const char *name = convert->rows->columns[i];
        cairn__mapping_property property = { .column = name, .name = name };
        if (!is_used(mapping, name) && !cairn__mapping_put_property(mapping, property, NULL)) {
            refuse(convert, "%s", mapping->problem);
            return false;
        }
    }
    return true;
}

bool cairn__convert_open(cairn__convert *convert, cairn__rows *rows, cairn__mapping *mapping) {
    memset(convert, 0, sizeof *convert);
    convert->rows = rows;
    convert->mapping = mapping;
    if (cairn__mapping_is_native(mapping)) {
        return true;
    }
    if (mapping->zone != NULL &&
        !cairn__when_find(mapping->zone, &mapping->arena, &convert->when)) {
        refuse(convert, "zone %.60s: write UTC, +08:00 or an IANA name such as Asia/Shanghai",
               mapping->zone);
        return false;
    }
    if (mapping->property_count == 0 && !take_other_columns(convert, mapping)) {
        return false;
    }
    bool ok = place(convert, mapping->event_column, &convert->event) &&
              place(convert, mapping->time_column, &convert->time);
    for (size_t i = 0; ok && i < mapping->id_count; i++) {
        ok = place(convert, mapping->ids[i].column, &convert->ids[i]);
    }
    for (size_t i = 0; ok && i < mapping->property_count; i++) {
        ok = place(convert, mapping->properties[i].column, &convert->properties[i]);
    }
    return ok;
}

/* --- reading cells -------------------------------------------------------------------------- */

/* The member `path`, or what its dots lead to: "user.id" is {"user": {"id": ..}}. */
static json_t *member(json_t *object, const char *path) {
    json_t *found = json_object_get(object, path);
    while (found == NULL && json_is_object(object)) {
        const char *dot = strchr(path, '.');
        if (dot == NULL) {
            return json_object_get(object, path);
        }
        json_t *inner = json_object_getn(object, path, (size_t)(dot - path));
        object = inner;
        path = dot + 1;
        found = json_object_get(object, path);
    }
    return found;
}

static cell cell_at(const cairn__convert *convert, const char *column, size_t at) {
    cell found = { NULL, NULL };
    if (is_json(convert)) {
        json_t *json = member(convert->rows->object, column);
        found.json = json_is_null(json) ? NULL : json;
        if (json_is_string(found.json) && json_string_length(found.json) == 0) {
            found.json = NULL;
        }
        return found;
    }
    const char *text = cairn__csv_field(&convert->rows->csv, at);
    found.text = text[0] == 0 ? NULL : text;
    return found;
}

/* A cell's text; numbers of JSON go through `space`. NULL for lists, objects and nothing. */
static const char *text_of(cell c, char *space, size_t bytes) {
    if (c.text != NULL) {
        return c.text;
    }
    if (json_is_string(c.json)) {
        return json_string_value(c.json);
    }
    if (json_is_integer(c.json)) {
        snprintf(space, bytes, "%" JSON_INTEGER_FORMAT, json_integer_value(c.json));
    } else if (json_is_real(c.json)) {
        snprintf(space, bytes, "%.17g", json_real_value(c.json));
    } else if (json_is_boolean(c.json)) {
        snprintf(space, bytes, "%s", json_is_true(c.json) ? "true" : "false");
    } else {
        return NULL;
    }
    return space;
}

static json_t *to_string(cairn__convert *convert, const char *column, const char *text) {
    json_t *value = json_string(text);
    if (value == NULL) {
        refuse(convert, "%.60s: the text is not UTF-8; convert the file first (iconv)", column);
    }
    return value;
}

static json_t *to_number(cairn__convert *convert, const char *column, const char *text) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != 0 || !isfinite(value) || strpbrk(text, "xX \t") != NULL) {
        return refuse(convert, "%.60s: \"%.80s\" is not a number", column, text);
    }
    return json_real(value);
}

static json_t *to_integer(cairn__convert *convert, const char *column, const char *text) {
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end != 0 || errno != 0 || strpbrk(text, " \t") != NULL) {
        return refuse(convert, "%.60s: \"%.80s\" is not a whole number", column, text);
    }
    return json_integer(value);
}

static json_t *to_boolean(cairn__convert *convert, const char *column, const char *text) {
    bool is = strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0;
    if (!is && strcasecmp(text, "false") != 0 && strcmp(text, "0") != 0) {
        return refuse(convert, "%.60s: \"%.80s\" is not true, false, 1 or 0", column, text);
    }
    return json_boolean(is);
}

static const char *time_format(const cairn__convert *convert) {
    const char *format = convert->mapping->time_format;
    return format == NULL ? "rfc3339" : format;
}

static json_t *to_time(cairn__convert *convert, const char *column, const char *text) {
    int64_t ms;
    char instant[CAIRN__INSTANT_TEXT_BYTES];
    if (!cairn__when_parse(text, time_format(convert), &convert->when, &ms)) {
        return refuse(convert, "%.60s: \"%.80s\" is no time in the form %.60s", column, text,
                      time_format(convert));
    }
    (void)cairn__format_instant(ms, instant);
    return json_string(instant);
}

static json_t *to_list(cairn__convert *convert, const char *column, const char *text) {
    json_t *list = json_array();
    for (const char *at = text; list != NULL; at++) {
        size_t length = strcspn(at, ";");
        json_t *item = json_stringn(at, length);
        if (item == NULL || json_array_append_new(list, item) != 0) {
            json_decref(list);
            return refuse(convert, "%.60s: the text is not UTF-8", column);
        }
        at += length;
        if (*at == 0) {
            break;
        }
    }
    return list;
}

/* The value of a cell that is not empty, as a type; a new reference, or NULL: reason. */
static json_t *to_value(cairn__convert *convert, const cairn__mapping_property *property, cell c) {
    char space[64];
    bool as_is = property->type == CAIRN__TYPE_AS_IS ||
                 (property->type == CAIRN__TYPE_LIST && json_is_array(c.json));
    if (c.json != NULL && as_is) {
        return json_incref(c.json);
    }
    const char *text = text_of(c, space, sizeof space);
    const char *column = property->column;
    if (text == NULL) {
        return refuse(convert, "%.60s: an object or a list cannot be a single value", column);
    }
    switch (property->type) {
    case CAIRN__TYPE_INTEGER:
        return to_integer(convert, column, text);
    case CAIRN__TYPE_NUMBER:
        return to_number(convert, column, text);
    case CAIRN__TYPE_BOOLEAN:
        return to_boolean(convert, column, text);
    case CAIRN__TYPE_TIME:
        return to_time(convert, column, text);
    case CAIRN__TYPE_LIST:
        return to_list(convert, column, text);
    case CAIRN__TYPE_AS_IS:
    case CAIRN__TYPE_STRING:
        break;
    }
    return to_string(convert, column, text);
}

/* --- the event ------------------------------------------------------------------------------ */

/* Sets a member to a new reference; false when the value is NULL. */
static bool set(json_t *object, const char *name, json_t *value) {
    return value != NULL && json_object_set_new(object, name, value) == 0;
}

static bool put_ids(cairn__convert *convert, json_t *event) {
    const cairn__mapping *mapping = convert->mapping;
    json_t *ids = json_object();
    set(event, "ids", ids);
    for (size_t i = 0; i < mapping->id_count; i++) {
        char space[64];
        const cairn__mapping_id *id = &mapping->ids[i];
        const char *text =
            text_of(cell_at(convert, id->column, convert->ids[i]), space, sizeof space);
        if (text != NULL && !set(ids, id->type, to_string(convert, id->column, text))) {
            return false;
        }
    }
    if (json_object_size(ids) == 0) {
        refuse(convert, "%.60s: there is no id in this row", mapping->ids[0].column);
        return false;
    }
    return true;
}

static bool put_event(cairn__convert *convert, json_t *event) {
    char space[64];
    const cairn__mapping *mapping = convert->mapping;
    if (mapping->event != NULL) {
        return set(event, "event", to_string(convert, "event", mapping->event));
    }
    cell c = cell_at(convert, mapping->event_column, convert->event);
    const char *text = text_of(c, space, sizeof space);
    if (text == NULL) {
        refuse(convert, "%.60s: there is no event name in this row", mapping->event_column);
        return false;
    }
    return set(event, "event", to_string(convert, mapping->event_column, text));
}

static bool put_time(cairn__convert *convert, json_t *event) {
    char space[64];
    int64_t ms;
    const char *column = convert->mapping->time_column;
    cell c = cell_at(convert, column, convert->time);
    const char *text = text_of(c, space, sizeof space);
    if (text == NULL || !cairn__when_parse(text, time_format(convert), &convert->when, &ms)) {
        refuse(convert, "%.60s: \"%.80s\" is no time in the form %.60s", column,
               text == NULL ? "" : text, time_format(convert));
        return false;
    }
    return set(event, "time", json_integer(ms));
}

static bool put_properties(cairn__convert *convert, json_t *event) {
    const cairn__mapping *mapping = convert->mapping;
    json_t *properties = json_object();
    set(event, "properties", properties);
    for (size_t i = 0; i < mapping->property_count; i++) {
        const cairn__mapping_property *property = &mapping->properties[i];
        cell c = cell_at(convert, property->column, convert->properties[i]);
        if (c.text == NULL && c.json == NULL) {
            continue;
        }
        if (!set(properties, property->name, to_value(convert, property, c))) {
            return false;
        }
    }
    return true;
}

json_t *cairn__convert_row(cairn__convert *convert) {
    convert->reason[0] = 0;
    json_t *event;
    bool ok = true;
    if (cairn__mapping_is_native(convert->mapping)) {
        event = json_copy(convert->rows->object);
    } else {
        event = json_object();
        ok = put_event(convert, event) && put_time(convert, event) && put_ids(convert, event) &&
             put_properties(convert, event);
    }
    ok = ok && set(event, "seq", json_integer((json_int_t)convert->rows->line));
    if (!ok) {
        if (convert->reason[0] == 0) {
            refuse(convert, "a name or text in this row is not UTF-8, or memory is short");
        }
        json_decref(event);
        event = NULL;
    }
    return event;
}
