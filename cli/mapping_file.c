/* mapping_file.c: the mapping file, read by libyaml (JSON is YAML). Every message names the line.
 */
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/bytes.h"
#include "cli/mapping.h"

typedef struct {
    cairn__mapping *mapping;
    yaml_document_t *document;
} reading;

typedef bool (*read_value)(reading *r, yaml_node_t *value);

typedef struct {
    const char *name;
    read_value read;
} key;

static bool refuse(reading *r, const yaml_node_t *at, const char *name, const char *problem) {
    snprintf(r->mapping->problem, sizeof r->mapping->problem, "mapping file, line %zu: %s: %s",
             at->start_mark.line + 1, name, problem);
    return false;
}

/* The text of a scalar, kept in the mapping; NULL, having refused, for anything else. */
static const char *text_of(reading *r, yaml_node_t *node, const char *name) {
    cairn_span kept = { NULL, 0 };
    if (node->type != YAML_SCALAR_NODE || node->data.scalar.length == 0 ||
        memchr(node->data.scalar.value, 0, node->data.scalar.length) != NULL) {
        refuse(r, node, name, "write one text here");
        return NULL;
    }
    cairn_span text = { node->data.scalar.value, node->data.scalar.length + 1 }; /* with its zero */
    if (!cairn__arena_copy(&r->mapping->arena, text, &kept)) {
        refuse(r, node, name, "the mapping is too long");
        return NULL;
    }
    return (const char *)kept.data;
}

/* Puts the line before a problem that a setter of the mapping found. */
static bool at_line(reading *r, const yaml_node_t *node, bool ok) {
    char problem[200];
    if (!ok) {
        snprintf(problem, sizeof problem, "%.199s", r->mapping->problem);
        snprintf(r->mapping->problem, sizeof r->mapping->problem, "mapping file, line %zu: %s",
                 node->start_mark.line + 1, problem);
    }
    return ok;
}

static bool read_keys(reading *r, yaml_node_t *node, const key *keys, size_t count) {
    if (node->type != YAML_MAPPING_NODE) {
        return refuse(r, node, "here", "write `key: value` pairs");
    }
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        yaml_node_t *name_node = yaml_document_get_node(r->document, pair->key);
        const char *name = text_of(r, name_node, "key");
        size_t i = 0;
        while (name != NULL && i < count && strcmp(keys[i].name, name) != 0) {
            i++;
        }
        if (name == NULL) {
            return false;
        }
        if (i == count) {
            return refuse(r, name_node, name, "no such key; the keys are listed in cairn help");
        }
        if (!keys[i].read(r, yaml_document_get_node(r->document, pair->value))) {
            return false;
        }
    }
    return true;
}

static bool read_format(reading *r, yaml_node_t *value) {
    const char *text = text_of(r, value, "format");
    return text != NULL && at_line(r, value, cairn__mapping_set_format(r->mapping, text));
}

static bool read_delimiter(reading *r, yaml_node_t *value) {
    const char *text = text_of(r, value, "delimiter");
    return text != NULL && at_line(r, value, cairn__mapping_set_delimiter(r->mapping, text));
}

static bool read_columns(reading *r, yaml_node_t *value) {
    if (value->type != YAML_SEQUENCE_NODE) {
        return refuse(r, value, "columns", "write a list of names");
    }
    cairn__mapping *mapping = r->mapping;
    mapping->column_count = 0;
    for (yaml_node_item_t *item = value->data.sequence.items.start;
         item < value->data.sequence.items.top; item++) {
        yaml_node_t *node = yaml_document_get_node(r->document, *item);
        if (mapping->column_count == CAIRN__MAPPING_COLUMNS_MAX) {
            return refuse(r, node, "columns", "at most 512 names");
        }
        const char *name = text_of(r, node, "columns");
        if (name == NULL) {
            return false;
        }
        mapping->columns[mapping->column_count++] = name;
    }
    return true;
}

static bool read_event(reading *r, yaml_node_t *value) {
    return (r->mapping->event = text_of(r, value, "event")) != NULL;
}

static bool read_event_column(reading *r, yaml_node_t *value) {
    return (r->mapping->event_column = text_of(r, value, "event_column")) != NULL;
}

/* One value of a block such as `user: {column: c, type: login}`, or the default. */
static const char *member(reading *r, yaml_node_t *node, const char *name, const char *otherwise) {
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const char *text = text_of(r, yaml_document_get_node(r->document, pair->key), "key");
        if (text == NULL || strcmp(text, name) == 0) {
            return text == NULL
                       ? NULL
                       : text_of(r, yaml_document_get_node(r->document, pair->value), name);
        }
    }
    return otherwise;
}

/* False, having refused, when the block has a key that is not in `names` (ends in NULL). */
static bool only(reading *r, yaml_node_t *node, const char *const *names) {
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        yaml_node_t *name_node = yaml_document_get_node(r->document, pair->key);
        const char *text = text_of(r, name_node, "key");
        const char *const *name = names;
        while (text != NULL && *name != NULL && strcmp(*name, text) != 0) {
            name++;
        }
        if (text == NULL || *name == NULL) {
            return text != NULL && refuse(r, name_node, text, "no such key in this block");
        }
    }
    return true;
}

static bool read_user(reading *r, yaml_node_t *value) {
    static const char *const names[] = { "column", "type", NULL };
    if (value->type != YAML_MAPPING_NODE) {
        const char *column = text_of(r, value, "user");
        return column != NULL &&
               at_line(r, value, cairn__mapping_set_user(r->mapping, column, "login"));
    }
    const char *column = only(r, value, names) ? member(r, value, "column", "") : NULL;
    const char *type = column == NULL ? NULL : member(r, value, "type", "login");
    if (type == NULL) {
        return false;
    }
    if (column[0] == 0) {
        return refuse(r, value, "user", "name its column: {column: user_id, type: login}");
    }
    return at_line(r, value, cairn__mapping_set_user(r->mapping, column, type));
}

static bool read_ids(reading *r, yaml_node_t *value) {
    if (value->type != YAML_MAPPING_NODE) {
        return refuse(r, value, "ids", "write {TYPE: COLUMN}");
    }
    for (yaml_node_pair_t *pair = value->data.mapping.pairs.start;
         pair < value->data.mapping.pairs.top; pair++) {
        yaml_node_t *name_node = yaml_document_get_node(r->document, pair->key);
        const char *type = text_of(r, name_node, "ids");
        const char *column =
            type == NULL ? NULL
                         : text_of(r, yaml_document_get_node(r->document, pair->value), type);
        if (column == NULL ||
            !at_line(r, name_node, cairn__mapping_set_user(r->mapping, column, type))) {
            return false;
        }
    }
    return true;
}

static bool read_time(reading *r, yaml_node_t *value) {
    static const char *const names[] = { "column", "format", "zone", NULL };
    cairn__mapping *mapping = r->mapping;
    if (value->type != YAML_MAPPING_NODE) {
        return (mapping->time_column = text_of(r, value, "time")) != NULL;
    }
    if (!only(r, value, names)) {
        return false;
    }
    mapping->time_column = member(r, value, "column", "");
    mapping->time_format = member(r, value, "format", "rfc3339");
    mapping->zone = member(r, value, "zone", "UTC");
    if (mapping->time_column != NULL && mapping->time_column[0] == 0) {
        return refuse(r, value, "time", "name its column: {column: date, format: rfc3339}");
    }
    return mapping->time_column != NULL && mapping->time_format != NULL && mapping->zone != NULL;
}

static bool read_property(reading *r, const char *column, yaml_node_t *value) {
    static const char *const names[] = { "name", "type", NULL };
    cairn__mapping_property property = { .column = column, .name = column };
    const char *type;
    if (value->type == YAML_MAPPING_NODE) {
        if (!only(r, value, names)) {
            return false;
        }
        property.name = member(r, value, "name", column);
        type = member(r, value, "type", "any");
    } else {
        type = text_of(r, value, column);
    }
    return property.name != NULL && type != NULL &&
           at_line(r, value, cairn__mapping_put_property(r->mapping, property, type));
}

static bool read_properties(reading *r, yaml_node_t *value) {
    if (value->type != YAML_MAPPING_NODE) {
        return refuse(r, value, "properties", "write {COLUMN: TYPE}");
    }
    for (yaml_node_pair_t *pair = value->data.mapping.pairs.start;
         pair < value->data.mapping.pairs.top; pair++) {
        yaml_node_t *name_node = yaml_document_get_node(r->document, pair->key);
        const char *column = text_of(r, name_node, "properties");
        if (column == NULL ||
            !read_property(r, column, yaml_document_get_node(r->document, pair->value))) {
            return false;
        }
    }
    return true;
}

static bool read_document(cairn__mapping *mapping, yaml_document_t *document) {
    static const key keys[] = {
        { "format", read_format },
        { "delimiter", read_delimiter },
        { "columns", read_columns },
        { "user", read_user },
        { "ids", read_ids },
        { "event", read_event },
        { "event_column", read_event_column },
        { "time", read_time },
        { "properties", read_properties },
    };
    reading r = { mapping, document };
    yaml_node_t *root = yaml_document_get_root_node(document);
    if (root == NULL) {
        snprintf(mapping->problem, sizeof mapping->problem, "mapping file: it is empty");
        return false;
    }
    return read_keys(&r, root, keys, sizeof keys / sizeof *keys);
}

bool cairn__mapping_read(cairn__mapping *mapping, const char *text, size_t bytes) {
    yaml_parser_t parser;
    yaml_document_t document;
    if (bytes > CAIRN__MAPPING_FILE_BYTES_MAX || !yaml_parser_initialize(&parser)) {
        snprintf(mapping->problem, sizeof mapping->problem, "mapping file: longer than 1 MiB");
        return false;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, bytes);
    bool ok = false;
    if (!yaml_parser_load(&parser, &document)) {
        snprintf(mapping->problem, sizeof mapping->problem, "mapping file, line %zu: %s",
                 parser.problem_mark.line + 1,
                 parser.problem == NULL ? "not YAML" : parser.problem);
    } else {
        ok = read_document(mapping, &document);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return ok;
}
