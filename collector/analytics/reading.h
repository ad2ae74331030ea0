/* reading.h: typed access to the JSON of a query, with a problem for everything that is not as it
 * should be. Every reader returns false when it has said why (or `no_memory` is set). */
#ifndef CAIRN_ANALYTICS_READING_H
#define CAIRN_ANALYTICS_READING_H

#include <jansson.h>

#include "analytics/query.h"
#include "fault/fault.h"

typedef struct cairn__reading {
    const cairn__query_frame *frame;
    cairn__query *query;
    bool no_memory;
} cairn__reading;

typedef struct cairn__reading_words {
    const char *const *words;
    size_t count;
} cairn__reading_words;

#define CAIRN__READING_WORDS(list)                                                                 \
    ((cairn__reading_words){ (list), sizeof(list) / sizeof((list)[0]) })

/** Says where and what; false. */
#define CAIRN__READING_FAULT(reading, ...) cairn__fault((reading)->frame->problem, __VA_ARGS__)
#define CAIRN__READING_FIX(reading, ...) cairn__fault_fix((reading)->frame->problem, __VA_ARGS__)

bool cairn__reading_no_memory(cairn__reading *reading); /* false */

/** Is it an object, and does it hold these keys only? */
bool cairn__reading_object(cairn__reading *reading, const json_t *value, cairn__fault_path at,
                           cairn__reading_words keys);

/** A text of 1..max bytes, borrowed from the JSON. */
bool cairn__reading_text(cairn__reading *reading, const json_t *value, cairn__fault_path at,
                         size_t bytes_max, cairn_span *text_out);
/** The same, copied into the arena. */
bool cairn__reading_copy(cairn__reading *reading, cairn_span text, cairn_span *copy_out);

bool cairn__reading_choice(cairn__reading *reading, const json_t *value, cairn__fault_path at,
                           cairn__reading_words words, size_t *index_out);
bool cairn__reading_flag(cairn__reading *reading, const json_t *value, cairn__fault_path at,
                         bool *flag_out);

typedef struct cairn__reading_bounds {
    int64_t min, max;
} cairn__reading_bounds;
bool cairn__reading_integer(cairn__reading *reading, const json_t *value, cairn__fault_path at,
                            cairn__reading_bounds bounds, int64_t *number_out);
bool cairn__reading_duration(cairn__reading *reading, const json_t *value, cairn__fault_path at,
                             int64_t *ms_out);

/* --- what every model uses (query_parts.c) --- */

/** "event.x", "user.x" or "event.$name". `at_step` (may be NULL): allow "event.x@2" and give 2. */
bool cairn__reading_fact(cairn__reading *reading, cairn_span text, cairn__fault_path at,
                         uint32_t *at_step, cairn__query_fact *fact_out);
/** As above, of an event's property only. */
bool cairn__reading_property(cairn__reading *reading, const json_t *value, cairn__fault_path at,
                             cairn__query_fact *fact_out);

/** A rule; `spaces` and `bare` as in rules.h. */
bool cairn__reading_rule(cairn__reading *reading, const json_t *value, cairn__fault_path at,
                         unsigned spaces, const cairn__query_rule **rule_out);

/** "name", or {"event": ..., "where": ...} with more keys allowed; appends a pattern. */
bool cairn__reading_pattern(cairn__reading *reading, const json_t *value, cairn__fault_path at,
                            cairn__reading_words keys, uint32_t *pattern_out);
/** The names of a pattern joined by " | ", "*" for every event. */
bool cairn__reading_pattern_label(cairn__reading *reading, uint32_t pattern, cairn_span *label_out);

/* --- the parts of a query, each in its own file --- */

bool cairn__reading_event(cairn__reading *reading, const json_t *json);   /* query_event.c */
bool cairn__reading_funnel(cairn__reading *reading, const json_t *json);  /* query_funnel.c */
bool cairn__reading_by(cairn__reading *reading, const json_t *json);      /* query_shared.c */
bool cairn__reading_shared(cairn__reading *reading, const json_t *json);  /* query_shared.c */
bool cairn__reading_compare(cairn__reading *reading, const json_t *json); /* query_compare.c */
bool cairn__reading_members(cairn__reading *reading, const json_t *json); /* query_members.c */

/** Where formulas find the measures that they name. */
typedef enum cairn__reading_find {
    CAIRN__READING_FOUND,
    CAIRN__READING_UNKNOWN, /* nothing has this name */
    CAIRN__READING_WRONG,   /* it has a fault of its own, which is said */
} cairn__reading_find;

typedef struct cairn__reading_names {
    cairn__reading_find (*find)(void *self, cairn_span name, cairn__query_op *op_out);
    void *self;
} cairn__reading_names;

typedef struct cairn__reading_ops {
    cairn__query_op list[CAIRN__QUERY_OPS_MAX];
    size_t count;
} cairn__reading_ops;

/** "(a - b) / c" into postfix order (formula.c). */
bool cairn__reading_formula(cairn__reading *reading, cairn_span text, cairn__fault_path at,
                            const cairn__reading_names *names, cairn__reading_ops *ops_out);

#endif
