/* schema.h: what the codes of one image under construction mean: event names, property names, and
 * fields. A **field** is a property together with one kind of value: a property that is sometimes
 * text and sometimes a number has two, so that every column is of one kind. One owner thread. */
#ifndef CAIRN_TRAIL_SCHEMA_H
#define CAIRN_TRAIL_SCHEMA_H

#include "trail/dict.h"

enum {
    CAIRN__KINDS = 7, /* of cairn_value_kind */
    CAIRN__SCHEMA_PLACES = 32
};

typedef struct cairn__schema_field {
    uint32_t property; /* its number in schema.properties */
    cairn_value_kind kind;
    uint32_t user;    /* whoever learns fields from several images marks who came last; 0: nobody */
    cairn__dict dict; /* of texts, or of encoded lists; empty for other kinds */
} cairn__schema_field;

typedef struct cairn__schema_property {
    uint32_t field[CAIRN__KINDS]; /* number of the field + 1; 0: none yet */
} cairn__schema_property;

typedef struct cairn__schema {
    cairn_allocator allocator;
    uint64_t seed;
    cairn__dict names, properties;
    cairn__schema_field *fields;
    size_t field_count, field_capacity;
    cairn__schema_property *by_property; /* beside properties */
    size_t by_property_count, by_property_capacity;
    cairn__buffer scratch;                 /* a list being encoded */
    uint32_t places[CAIRN__SCHEMA_PLACES]; /* property last seen at each place of an event */
} cairn__schema;

cairn__schema cairn__schema_make(cairn_allocator allocator, uint64_t seed);
void cairn__schema_free(cairn__schema *schema);
/** Forget everything, keep the memory that may be used again. */
void cairn__schema_clear(cairn__schema *schema);

/** The number of a property, new or known. False: no memory. */
bool cairn__schema_property_of(cairn__schema *schema, cairn_span name, uint32_t *property_out);
/** The same for the property at this place of an event: mostly the one that the event before had
 * there, which is seen without hashing. */
bool cairn__schema_property_at(cairn__schema *schema, size_t place, cairn_span name,
                               uint32_t *property_out);
/** The field of a property for a kind, new or known. False: no memory. */
bool cairn__schema_field_of(cairn__schema *schema, uint32_t property, cairn_value_kind kind,
                            uint32_t *field_out);
/** A value as the 64 bits of a cell of this field. False: no memory. */
bool cairn__schema_bits(cairn__schema *schema, uint32_t field, const cairn_value *value,
                        uint64_t *bits_out);

/** A list as bytes: varint count, then per item varint length and bytes. */
void cairn__list_encode(cairn__buffer *to, cairn_string_list list);
/** Items borrow from `bytes`; their array from `arena`.
 * @retval CAIRN_STORAGE  Not such bytes. */
cairn_status cairn__list_decode(cairn_span bytes, cairn__arena *arena, cairn_string_list *list_out);

#endif
