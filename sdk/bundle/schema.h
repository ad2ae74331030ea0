/* schema.h: the Bundle message and those within it (proto/cairn.proto) as tables that the writer
 * and the reader both walk, so that they cannot disagree. */
#ifndef CAIRN_BUNDLE_SCHEMA_H
#define CAIRN_BUNDLE_SCHEMA_H

#include "base/fault.h"
#include "base/varint.h"
#include "bundle/bundle.h"
#include "model/wire.h"

enum {
    CAIRN__BUNDLE_FIELDS_MAX = 24, /* of one message */
    CAIRN__BUNDLE_DEPTH_MAX = 8    /* messages within messages; the tables reach 5 */
};

typedef enum cairn__bundle_kind {
    CAIRN__BUNDLE_TEXT,       /* UTF-8 in a cairn_span; max: bytes */
    CAIRN__BUNDLE_BYTES,      /* a cairn_span; max: bytes */
    CAIRN__BUNDLE_UNSIGNED,   /* a varint of `width` bytes in memory; max: the value, 0: any */
    CAIRN__BUNDLE_SIGNED,     /* zigzag, 4 or 8 bytes in memory */
    CAIRN__BUNDLE_DOUBLE,     /* finite */
    CAIRN__BUNDLE_SHARE,      /* a double in 0..1 */
    CAIRN__BUNDLE_NUMBERS,    /* packed varints, uint16_t[]; max: how many */
    CAIRN__BUNDLE_DOUBLES,    /* packed, finite; max: how many */
    CAIRN__BUNDLE_CONDITION,  /* a number of one; max: the spaces that its rule may name */
    CAIRN__BUNDLE_MESSAGE,    /* in place */
    CAIRN__BUNDLE_POINTER,    /* a message that may be absent */
    CAIRN__BUNDLE_TEXTS,      /* repeated: cairn_span[]; max: how many, each a name */
    CAIRN__BUNDLE_MESSAGES,   /* repeated; max: how many */
    CAIRN__BUNDLE_PROPERTIES, /* repeated: cairn_property[]; max: how many */
    CAIRN__BUNDLE_CONDITIONS, /* repeated: cairn__condition[]; the distinct ones */
    CAIRN__BUNDLE_KINDS
} cairn__bundle_kind;

typedef struct cairn__bundle_message cairn__bundle_message;

/** One field of a message, and where it lies in the struct. */
typedef struct cairn__bundle_field {
#ifndef CAIRN_QUIET_FAULTS
    const char *name; /* for faults alone */
#endif
    const cairn__bundle_message *of; /* of MESSAGE, POINTER, MESSAGES */
    uint32_t max;
    uint16_t offset;
    uint16_t count_offset; /* of lists: where their size_t count lies */
    uint8_t number;
    uint8_t kind;
    uint8_t width;
    bool follows; /* a list as long as the one whose count it names, or absent */
} cairn__bundle_field;

/** A message; its fields by number, ascending. */
struct cairn__bundle_message {
    const cairn__bundle_field *fields;
    uint16_t count;
    uint16_t bytes; /* of its struct */
    bool lists;     /* has repeated fields, which are counted before they are read */
};

extern const cairn__bundle_message cairn__bundle_schema; /* a cairn__bundle */

/** Numbers of fields within a condition. */
enum { CAIRN__CONDITION_PROGRAM = 1, CAIRN__CONDITION_FACTS = 2 };

/** What a fault says that it is about. */
static inline const char *cairn__bundle_name(const cairn__bundle_field *field) {
#ifdef CAIRN_QUIET_FAULTS
    (void)field;
    return NULL;
#else
    return field->name;
#endif
}

/** The protobuf wire type of a kind. */
static inline unsigned cairn__bundle_wire_type(uint8_t kind) {
    switch (kind) {
    case CAIRN__BUNDLE_UNSIGNED:
    case CAIRN__BUNDLE_SIGNED:
    case CAIRN__BUNDLE_CONDITION:
        return CAIRN__WIRE_VARINT;
    case CAIRN__BUNDLE_DOUBLE:
    case CAIRN__BUNDLE_SHARE:
        return CAIRN__WIRE_FIXED64;
    default:
        return CAIRN__WIRE_BYTES;
    }
}

/** May the kind's field stand more than once? */
static inline bool cairn__bundle_repeats(uint8_t kind) {
    return kind >= CAIRN__BUNDLE_TEXTS;
}

#endif
