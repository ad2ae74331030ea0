#include "cli/mapping.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

#define TEXTS_BYTES_MAX ((size_t)4 * CAIRN__MAPPING_FILE_BYTES_MAX)

void cairn__mapping_open(cairn__mapping *mapping) {
    memset(mapping, 0, sizeof *mapping);
    mapping->arena = cairn__arena_make(cairn__heap(), TEXTS_BYTES_MAX);
}

void cairn__mapping_close(cairn__mapping *mapping) {
    cairn__arena_free(&mapping->arena);
}

__attribute__((format(printf, 2, 3))) static bool refuse(cairn__mapping *mapping,
                                                         const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(mapping->problem, sizeof mapping->problem, format, arguments);
    va_end(arguments);
    return false;
}

static const char *keep(cairn__mapping *mapping, const char *text, size_t bytes) {
    char *copy = cairn__arena_alloc(&mapping->arena, bytes + 1);
    if (copy != NULL) {
        memcpy(copy, text, bytes);
        copy[bytes] = 0;
    }
    return copy;
}

static bool parse_type(const char *text, cairn__mapping_type *type) {
    static const char *const names[] = { "any",     "string", "integer", "number",
                                         "boolean", "time",   "list" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) == 0) {
            *type = (cairn__mapping_type)i;
            return true;
        }
    }
    return false;
}

bool cairn__mapping_set_user(cairn__mapping *mapping, const char *column, const char *type) {
    for (size_t i = 0; i < mapping->id_count; i++) {
        if (strcmp(mapping->ids[i].type, type) == 0) {
            mapping->ids[i].column = column; /* a flag goes before the file */
            return true;
        }
    }
    if (mapping->id_count == CAIRN__MAPPING_IDS_MAX) {
        return refuse(mapping, "id %s: an event has at most 16 ids", type);
    }
    mapping->ids[mapping->id_count++] = (cairn__mapping_id){ type, column };
    return true;
}

bool cairn__mapping_add_id(cairn__mapping *mapping, const char *text) {
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text || equals[1] == 0) {
        return refuse(mapping, "id %s: write TYPE=COLUMN, for example device=device_id", text);
    }
    const char *type = keep(mapping, text, (size_t)(equals - text));
    return type != NULL && cairn__mapping_set_user(mapping, equals + 1, type);
}

bool cairn__mapping_put_property(cairn__mapping *mapping, cairn__mapping_property property,
                                 const char *type) {
    if (type != NULL && !parse_type(type, &property.type)) {
        return refuse(mapping,
                      "property type %s: write string, integer, number, boolean, time, list or any",
                      type);
    }
    for (size_t i = 0; i < mapping->property_count; i++) {
        if (strcmp(mapping->properties[i].column, property.column) == 0) {
            mapping->properties[i] = property;
            return true;
        }
    }
    if (mapping->property_count == CAIRN__MAPPING_PROPERTIES_MAX) {
        return refuse(mapping, "property %s: an event has at most 256 properties", property.column);
    }
    mapping->properties[mapping->property_count++] = property;
    return true;
}

bool cairn__mapping_add_property(cairn__mapping *mapping, const char *text) {
    size_t length = strcspn(text, "=");
    const char *equals = text[length] == 0 ? NULL : text + length;
    const char *colon = memchr(text, ':', length);
    size_t column = colon == NULL ? length : (size_t)(colon - text);
    if (column == 0 || (equals != NULL && equals[1] == 0)) {
        return refuse(mapping, "property %s: write COLUMN, COLUMN:TYPE or COLUMN:TYPE=NAME", text);
    }
    const char *type = colon == NULL ? "any" : keep(mapping, colon + 1, length - column - 1);
    cairn__mapping_property property = { .column = keep(mapping, text, column) };
    property.name = equals == NULL ? property.column : equals + 1;
    if (property.column == NULL || type == NULL) {
        return refuse(mapping, "property %s: out of memory", text);
    }
    return cairn__mapping_put_property(mapping, property, type);
}

bool cairn__mapping_set_columns(cairn__mapping *mapping, const char *commas) {
    mapping->column_count = 0;
    for (const char *at = commas;; at++) {
        size_t length = strcspn(at, ",");
        const char *name = length == 0 ? NULL : keep(mapping, at, length);
        if (name == NULL || mapping->column_count == CAIRN__MAPPING_COLUMNS_MAX) {
            return refuse(mapping, "columns %s: write 1 to 512 names between commas", commas);
        }
        mapping->columns[mapping->column_count++] = name;
        at += length;
        if (*at == 0) {
            return true;
        }
    }
}

bool cairn__mapping_set_format(cairn__mapping *mapping, const char *text) {
    if (strcmp(text, "csv") == 0) {
        mapping->format = CAIRN__FORMAT_CSV;
        return true;
    }
    if (strcmp(text, "jsonl") == 0) {
        mapping->format = CAIRN__FORMAT_JSONL;
        return true;
    }
    return refuse(mapping, "format %s: write csv or jsonl", text);
}

bool cairn__mapping_set_delimiter(cairn__mapping *mapping, const char *text) {
    if (strcmp(text, "tab") == 0) {
        mapping->delimiter = '\t';
        return true;
    }
    if (strcmp(text, "blanks") == 0) {
        mapping->delimiter = ' ';
        return true;
    }
    if (text[0] <= ' ' || text[0] == '"' || text[0] == 0x7f || text[1] != 0) {
        return refuse(mapping, "delimiter %s: write one character, tab or blanks", text);
    }
    mapping->delimiter = text[0];
    return true;
}

bool cairn__mapping_is_native(const cairn__mapping *mapping) {
    return mapping->format == CAIRN__FORMAT_JSONL && mapping->id_count == 0 &&
           mapping->event == NULL && mapping->event_column == NULL &&
           mapping->time_column == NULL && mapping->property_count == 0;
}

bool cairn__mapping_check(cairn__mapping *mapping) {
    if (mapping->format == CAIRN__FORMAT_UNKNOWN) {
        return refuse(mapping, "%s", "is the file csv or jsonl? say so with --format");
    }
    if (cairn__mapping_is_native(mapping)) {
        return true;
    }
    if (mapping->id_count == 0) {
        return refuse(mapping, "%s", "who did it? name the column with --user COLUMN");
    }
    if ((mapping->event == NULL) == (mapping->event_column == NULL)) {
        return refuse(mapping, "%s",
                      "what happened? give one of --event NAME and --event-column COLUMN");
    }
    if (mapping->time_column == NULL) {
        return refuse(mapping, "%s", "when was it? name the column with --time COLUMN");
    }
    return true;
}
