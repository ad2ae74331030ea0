/* query.h: the bytes of a query, shared by its writer (compile_history.c), its reader (query.c) and
 * its evaluator (query_evaluate.c, query_sequence.c). Little-endian; the same function gives the
 * same bytes wherever it is compiled.
 *
 *   header  40 bytes: "CRQ1", u8 kind, u8 kind of window, u8 1: in user time, u8 steps, u32 all
 *           bytes, u32 bytes of the name, i64 and i64 of the window (ms, 0; days: first, last),
 *           i64 within ms
 *   name    a property, an audience or a relation
 *   steps   each: u8 flags (1 any event, 2 must not happen), u8 0, u16 names, u32 bytes of the
 *           where; the names, ascending, each u16 bytes and those; the where, a program
 *
 * What a kind has no use for is zero. */
#ifndef CAIRN_RULES_QUERY_H
#define CAIRN_RULES_QUERY_H

#include "rules/history.h"
#include "rules/program.h"

enum {
    CAIRN__QUERY_MAGIC = 0x31515243, /* "CRQ1" */
    CAIRN__QUERY_HEADER_BYTES = 40,
    CAIRN__QUERY_STEP_BYTES = 8,
    CAIRN__QUERY_STEP_ANY = 1,
    CAIRN__QUERY_STEP_NEGATED = 2
};

struct cairn__query {
    cairn__rule_history_kind kind;
    cairn__rule_window window;
    int64_t within_ms;
    cairn_span name;
    const cairn__query_step *steps;
    size_t step_count;
};

/** May these bytes be a query? All but the arena's size that cairn__query_load can refuse. */
bool cairn__query_check(cairn_span bytes);

/** A history node's query, in the source's arena; false: the fault says why, or no memory. */
cairn_status cairn__query_write(const cairn__rule_source *source, const cairn__rule_node *from,
                                cairn_span *bytes_out);

/** A window at a moment. */
typedef struct cairn__query_bounds {
    const cairn__zone *zone;
    int64_t from_ms, to_ms; /* from: exactly; to: nothing at or after it is within */
    bool by_day;            /* and within only where the local date is one of these: */
    int64_t first_day, last_day;
    int64_t until_ms; /* the bounds may be others from here on; not of rolling windows */
} cairn__query_bounds;
cairn__query_bounds cairn__query_bounds_at(const cairn__query *query,
                                           const cairn__query_moment *when);

/** Is a time that lies between from_ms and to_ms within the window? */
bool cairn__query_within(const cairn__query_bounds *bounds, int64_t time_ms);

/** Is the event one of the step's? By its name and its `where`. */
bool cairn__query_step_holds(const cairn__query_step *step, const cairn__event *event,
                             const cairn__zone *zone);

/** The same, of what was tracked: a login or a profile's change is no event of a history. Most are
 * told by the length of their name. */
static inline bool cairn__query_step_takes(const cairn__query_step *step, const cairn__event *event,
                                           const cairn__zone *zone) {
    return (step->lengths >> (event->name.len & 63) & 1) != 0 &&
           event->kind == CAIRN__EVENT_TRACK && cairn__query_step_holds(step, event, zone);
}

/** a + b, at most INT64_MAX and at least INT64_MIN. */
static inline int64_t cairn__query_add(int64_t a, int64_t b) {
    int64_t sum = 0;
    if (__builtin_add_overflow(a, b, &sum)) {
        return b < 0 ? INT64_MIN : INT64_MAX;
    }
    return sum;
}

/** cairn__query_evaluate for sequences; *until_ms_out as there. */
cairn_value cairn__query_sequence(const cairn__query *query, const cairn__query_moment *when,
                                  const cairn__history *history, int64_t *until_ms_out);

#endif
