/* groups.h: the groups of an answer: tuples of values, numbered in the order they are met.
 * Group 0 is the whole: it has no values. */
#ifndef CAIRN_ANALYTICS_GROUPS_H
#define CAIRN_ANALYTICS_GROUPS_H

#include "analytics/keyed.h"
#include "analytics/pass.h"

/** A value made comparable: equal values have equal kind and bits inside one pass. A number
 * without a fraction is an integer; lists are not grouped (as absent). */
typedef struct cairn__key {
    uint32_t kind; /* cairn_value_kind, or CAIRN__KEY_BIN, CAIRN__KEY_OWN_TEXT */
    uint64_t bits;
} cairn__key;

enum {
    CAIRN__KEY_BIN = 100,      /* bits: 0 below the first edge, i: from edge i - 1 */
    CAIRN__KEY_OWN_TEXT = 101, /* bits: a text of this table, not the reader's */
};

static inline bool cairn__key_equal(cairn__key a, cairn__key b) {
    return a.kind == b.kind && a.bits == b.bits;
}

/** The key of an event's property at a row. */
cairn__key cairn__key_of_column(const cairn__reader_column *column, uint32_t row);

/** The key of a `by` of events at a row, for comparing rows only: names by their code. */
cairn__key cairn__key_of_event(cairn__pass *pass, const cairn__query_by *by, uint32_t row);

typedef struct cairn__groups {
    cairn__pass *pass;
    cairn__keyed table;
    cairn__list keys; /* by_count per group */
    size_t by_count;
    uint32_t count; /* with group 0 */
    uint32_t last;  /* most rows repeat the group before them */
    cairn__keyed text_table;
    cairn__list texts; /* cairn_span */
    cairn__arena text_arena;
    cairn_span wanted_text; /* of the look-up under way */
    const cairn__key *wanted_keys;
} cairn__groups;

cairn__groups cairn__groups_make(cairn__pass *pass);
void cairn__groups_free(cairn__groups *groups);

/** The key of one `by` at a row of the person at hand; row UINT32_MAX: there is no such event.
 * False: no memory. */
bool cairn__groups_key(cairn__groups *groups, const cairn__query_by *by, uint32_t row,
                       cairn__key *key_out);
/** The group of by_count keys, made when it is new. False: no memory. */
bool cairn__groups_find(cairn__groups *groups, const cairn__key *keys, uint32_t *group_out);

/** Appends one value of a group as JSON. Group 0: null. */
void cairn__groups_write(const cairn__groups *groups, uint32_t group, size_t by, cairn__buffer *to);

/** Is this the group whose members are asked for (every value given is equal)? */
bool cairn__groups_wanted(const cairn__groups *groups, uint32_t group, cairn__buffer *scratch);

#endif
