/* schema.c: names, properties and fields of an image under construction. */
#include "trail/schema.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/varint.h"

cairn__schema cairn__schema_make(cairn_allocator allocator, uint64_t seed) {
    return (cairn__schema){ .allocator = allocator,
                            .seed = seed,
                            .names = cairn__dict_make(allocator, seed),
                            .properties = cairn__dict_make(allocator, seed),
                            .scratch = cairn__buffer_make(allocator, SIZE_MAX / 2) };
}

void cairn__schema_free(cairn__schema *schema) {
    for (size_t i = 0; i < schema->field_capacity; i++) {
        cairn__dict_free(&schema->fields[i].dict);
    }
    cairn__release(&schema->allocator, schema->fields, schema->field_capacity,
                   sizeof *schema->fields);
    cairn__release(&schema->allocator, schema->by_property, schema->by_property_capacity,
                   sizeof *schema->by_property);
    cairn__dict_free(&schema->names);
    cairn__dict_free(&schema->properties);
    cairn__buffer_free(&schema->scratch);
    *schema = cairn__schema_make(schema->allocator, schema->seed);
}

void cairn__schema_clear(cairn__schema *schema) {
    for (size_t i = 0; i < schema->field_count; i++) {
        cairn__dict_clear(&schema->fields[i].dict);
    }
    cairn__dict_clear(&schema->names);
    cairn__dict_clear(&schema->properties);
    schema->field_count = 0;
    schema->by_property_count = 0;
}

bool cairn__schema_property_of(cairn__schema *schema, cairn_span name, uint32_t *property_out) {
    if (!cairn__grow(&schema->allocator, &schema->by_property, &schema->by_property_capacity,
                     schema->properties.count + 1, sizeof *schema->by_property) ||
        !cairn__dict_intern(&schema->properties, name, property_out)) {
        return false;
    }
    for (; schema->by_property_count < schema->properties.count; schema->by_property_count++) {
        schema->by_property[schema->by_property_count] = (cairn__schema_property){ { 0 } };
    }
    return true;
}

bool cairn__schema_property_at(cairn__schema *schema, size_t place, cairn_span name,
                               uint32_t *property_out) {
    if (place >= CAIRN__SCHEMA_PLACES) {
        return cairn__schema_property_of(schema, name, property_out);
    }
    uint32_t *last = &schema->places[place];
    if (*last < schema->properties.count &&
        cairn__span_equal(cairn__dict_string(&schema->properties, *last), name)) {
        *property_out = *last;
        return true;
    }
    bool ok = cairn__schema_property_of(schema, name, property_out);
    *last = ok ? *property_out : *last;
    return ok;
}

static bool grow_fields(cairn__schema *schema) {
    size_t old = schema->field_capacity;
    if (!cairn__grow(&schema->allocator, &schema->fields, &schema->field_capacity,
                     schema->field_count + 1, sizeof *schema->fields)) {
        return false;
    }
    for (size_t i = old; i < schema->field_capacity; i++) {
        schema->fields[i].dict = cairn__dict_make(schema->allocator, schema->seed);
    }
    return true;
}

bool cairn__schema_field_of(cairn__schema *schema, uint32_t property, cairn_value_kind kind,
                            uint32_t *field_out) {
    CAIRN_ASSERT(property < schema->by_property_count);
    CAIRN_ASSERT(kind > CAIRN_VALUE_NULL && (int)kind < CAIRN__KINDS);
    uint32_t *known = &schema->by_property[property].field[kind];
    if (*known == 0) {
        if (schema->field_count >= UINT32_MAX - 1 || !grow_fields(schema)) {
            return false;
        }
        cairn__schema_field *field = &schema->fields[schema->field_count++];
        field->property = property;
        field->kind = kind;
        field->user = 0;
        *known = (uint32_t)schema->field_count;
    }
    *field_out = *known - 1;
    return true;
}

static bool intern_bits(cairn__dict *dict, cairn_span string, uint64_t *bits_out) {
    uint32_t number = 0;
    bool ok = cairn__dict_intern(dict, string, &number);
    *bits_out = number;
    return ok;
}

bool cairn__schema_bits(cairn__schema *schema, uint32_t field, const cairn_value *value,
                        uint64_t *bits_out) {
    switch (value->kind) {
    case CAIRN_VALUE_BOOLEAN:
        *bits_out = value->as.boolean ? 1 : 0;
        return true;
    case CAIRN_VALUE_INTEGER:
        *bits_out = (uint64_t)value->as.integer;
        return true;
    case CAIRN_VALUE_TIME:
        *bits_out = (uint64_t)value->as.time_ms;
        return true;
    case CAIRN_VALUE_NUMBER:
        memcpy(bits_out, &value->as.number, sizeof *bits_out);
        return true;
    case CAIRN_VALUE_STRING:
        return intern_bits(&schema->fields[field].dict, value->as.string, bits_out);
    case CAIRN_VALUE_LIST:
        cairn__buffer_clear(&schema->scratch);
        cairn__list_encode(&schema->scratch, value->as.list);
        return !schema->scratch.failed &&
               intern_bits(&schema->fields[field].dict, cairn__buffer_span(&schema->scratch),
                           bits_out);
    case CAIRN_VALUE_NULL:
    default:
        CAIRN_ASSERT(false);
        return false;
    }
}

void cairn__list_encode(cairn__buffer *to, cairn_string_list list) {
    cairn__write_varint(to, list.count);
    for (size_t i = 0; i < list.count; i++) {
        cairn__write_varint(to, list.items[i].len);
        cairn__buffer_append(to, list.items[i]);
    }
}

cairn_status cairn__list_decode(cairn_span bytes, cairn__arena *arena,
                                cairn_string_list *list_out) {
    cairn__cursor cursor = cairn__cursor_of(bytes);
    uint64_t count = 0;
    if (!cairn__read_varint(&cursor, &count) || count > bytes.len) {
        return CAIRN_STORAGE; /* every item takes a byte at least */
    }
    cairn_span *items = cairn__arena_alloc_zero(arena, (size_t)count, sizeof *items);
    if (items == NULL) {
        return CAIRN_NO_MEMORY;
    }
    for (uint64_t i = 0; i < count; i++) {
        if (!cairn__read_bytes(&cursor, &items[i])) {
            return CAIRN_STORAGE;
        }
    }
    if (cursor.at != cursor.end) {
        return CAIRN_STORAGE;
    }
    *list_out = (cairn_string_list){ items, (size_t)count };
    return CAIRN_OK;
}
