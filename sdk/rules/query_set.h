/* query_set.h: what an evaluation keeps of events: one value, or a set of distinct ones. Copies,
 * in an arena: an event is gone when the next one comes. */
#ifndef CAIRN_RULES_QUERY_SET_H
#define CAIRN_RULES_QUERY_SET_H

#include "rules/history.h"
#include "rules/value.h"

/** One value. Zero is null. Texts and lists lie in `room`, which is used again for the next. */
typedef struct cairn__query_keep {
    cairn__rule_value value;
    uint8_t *room;
    size_t room_bytes;
} cairn__query_keep;

/** False: the arena is full. */
bool cairn__query_keep_value(cairn__query_keep *keep, cairn__arena *arena,
                             const cairn__rule_value *value);

enum {
    CAIRN__QUERY_SET_PLACES = 2048, /* a power of two, twice CAIRN__QUERY_DISTINCT_MAX */
    CAIRN__QUERY_SET_CHUNK = 64,
    CAIRN__QUERY_SET_CHUNKS = 16
};

typedef struct cairn__query_member {
    uint64_t hash, payload; /* of a scalar */
    cairn_span text;
    uint8_t kind;
} cairn__query_member;

/** Distinct values: whole numbers and doubles of the same value are one. Zero is empty. */
typedef struct cairn__query_set {
    uint16_t *places; /* index + 1; 0: empty; NULL until the first is added */
    cairn__query_member *chunks[CAIRN__QUERY_SET_CHUNKS];
    uint32_t count; /* at most CAIRN__QUERY_DISTINCT_MAX: then nothing is added any more */
} cairn__query_set;

/** A scalar, or of a list each item. False: the arena is full. */
bool cairn__query_set_add(cairn__query_set *set, cairn__arena *arena,
                          const cairn__rule_value *value);

#endif
