/* history.h: the functions over a person's history: count(...), sum(...), sequence(...) and their
 * kin (docs/RULES.md, "A person's history": what each of them means, exactly).
 *
 * A program names each such function as a **query slot**: a slot of space CAIRN__RULE_QUERY whose
 * name is the query's own bytes (canonical: the same function always gives the same bytes, so that
 * one answer serves every rule that asks it). Whoever evaluates fills the slot's value: the device
 * from its local history, the collector from the trail; both call cairn__query_evaluate, so that
 * they agree. A query depends on events, the moment and the zones, and on nothing else: its `where`
 * may name only the event's own properties.
 *
 * Pure: same query, same events, same moment, same zones: the same value on every platform. */
#ifndef CAIRN_RULES_HISTORY_H
#define CAIRN_RULES_HISTORY_H

#include "model/event.h"
#include "rules/ast.h"

enum {
    CAIRN__QUERY_DISTINCT_MAX = 1000,          /* distinct() counts so far and stays there */
    CAIRN__QUERY_SCRATCH_BYTES_MAX = 10 << 20, /* no evaluation needs more (1,000 long texts) */
    CAIRN__QUERY_WHERE_SLOTS_MAX = 64,         /* different names in one `where` */
    CAIRN__QUERY_BYTES_MAX = 65535             /* of one query */
};

/** A query read from its bytes; everything in it lies in the arena or borrows the bytes. */
typedef struct cairn__query cairn__query;

/** @retval CAIRN_INVALID    Damaged, or made by something else.
 * @retval CAIRN_NO_MEMORY  The arena is full. */
cairn_status cairn__query_load(cairn_span bytes, cairn__arena *arena,
                               const cairn__query **query_out);

/** When a query is asked. */
typedef struct cairn__query_moment {
    int64_t now_ms;
    const cairn__zone *zone;      /* the project's; NULL: UTC */
    const cairn__zone *user_zone; /* of windows "in user time"; NULL: as zone */
} cairn__query_moment;

/** The times that can matter at this moment: from_ms <= time < to_ms. Events after now_ms are
 * among them: they do not count yet, but say until when the value holds. */
typedef struct cairn__query_times {
    int64_t from_ms, to_ms;
} cairn__query_times;
cairn__query_times cairn__query_window(const cairn__query *query, const cairn__query_moment *when);

/** A person's events, oldest first; ties in order of arrival. Those that are no CAIRN__EVENT_TRACK
 * never count. */
typedef struct cairn__history {
    /** The next event, or NULL after the last; borrowed until the next call. Events outside the
     * query's times, and those that it does not take, may be left out, and need not be. */
    const cairn__event *(*next)(void *context);
    void *context;
    int64_t complete_from_ms; /* no event since then is missing; INT64_MIN: none ever */
} cairn__history;

/**
 * Does this event count for the query (its name, its `where`), whenever it was? With the value it
 * brings (sum, min, ...; null: none). Of a sequence: is it any of its steps, also those that must
 * not happen? For whoever keeps only what matters.
 */
bool cairn__query_takes(const cairn__query *query, const cairn__query_moment *when,
                        const cairn__event *event, cairn_value *value_out);

/**
 * The function's value: an integer, a number, a boolean, or what min, max, first and last found
 * (a copy in `scratch`). CAIRN__RULE_VALUE_UNKNOWN where events that may be missing could change
 * it, where only the server can say (member, any, all), and where `scratch` is full.
 * Cost: per event one look at its name for each step; of those that bear one, the `where`'s cost.
 * @param scratch       Takes copies of texts; what is in it must live as long as the value is used.
 * @param until_ms_out  The value is the same at every moment from now_ms to before this one, as
 *                      long as no event comes (INT64_MAX: for ever). Not always the last such
 *                      moment, but always right.
 */
cairn_value cairn__query_evaluate(const cairn__query *query, const cairn__query_moment *when,
                                  const cairn__history *history, cairn__arena *scratch,
                                  int64_t *until_ms_out);

/** What a query is of, for those who index: the kind, and the name: of MEMBER the audience's, of
 * ANY_ROW and ALL_ROWS the relation's, of sum and its kin the property's. */
cairn__rule_history_kind cairn__query_kind(const cairn__query *query);
cairn_span cairn__query_name(const cairn__query *query);

/** The events that a query looks at: of a sequence one entry per step, else at most one. */
typedef struct cairn__query_step {
    const cairn_span *names; /* ascending */
    size_t name_count;
    bool any;         /* every event, whatever its name */
    bool negated;     /* of a sequence: must not happen */
    uint64_t lengths; /* bit n % 64: a name of n bytes is among them; all: any event */
    cairn__rule where;
} cairn__query_step;
size_t cairn__query_steps(const cairn__query *query, const cairn__query_step **steps_out);

/** The value of `event.NAME`: a property; "$name" and "$time" are the event's own; "time" is the
 * event's own where it has no property of that name. Null: there is none. */
cairn_value cairn__rule_event_value(const cairn__event *event, cairn_span name);

#endif
