/* history.h: the functions over a person's history: count(...), sum(...), sequence(...) and their
 * kin.
 *
 * A program names each such function as a **query slot**: a slot of space CAIRN__RULE_QUERY whose
 * name is the query's own bytes (canonical: the same function always gives the same bytes, so that
 * one answer serves every rule that asks it). Whoever evaluates fills the slot's value: the device
 * from its local history, the collector from the trail; both call cairn__query_evaluate, so that
 * they agree. What only the server can say (member, any, all, and windows that reach beyond what is
 * held) is CAIRN__RULE_VALUE_UNKNOWN on the device, until the server has sent the value as a fact.
 *
 * Pure: same query, same events, same moment, same zones: the same value on every platform. */
#ifndef CAIRN_RULES_HISTORY_H
#define CAIRN_RULES_HISTORY_H

#include "model/event.h"
#include "rules/rules.h"

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

/** The times that can matter at this moment: from_ms <= time < to_ms. */
typedef struct cairn__query_times {
    int64_t from_ms, to_ms;
} cairn__query_times;
cairn__query_times cairn__query_window(const cairn__query *query, const cairn__query_moment *when);

/** A person's events, oldest first; ties in order of arrival. */
typedef struct cairn__history {
    /** The next event, or NULL after the last; borrowed until the next call. Events outside the
     * query's times may be left out, and need not be. */
    const cairn__event *(*next)(void *context);
    void *context;
    int64_t complete_from_ms; /* no event since then is missing; INT64_MIN: none ever */
} cairn__history;

/** Facts that a `where` may name beside the event's own properties (user.x, tag.x). */
typedef cairn_value (*cairn__query_fact)(void *context, const cairn__rule_slot *slot);

/**
 * Does this event count for the query (its name, its `where`)? With the value it brings (sum, min,
 * ...); of a sequence: is it any of its steps? For whoever keeps only what matters.
 */
bool cairn__query_takes(const cairn__query *query, const cairn__event *event,
                        cairn_value *value_out);

/**
 * The function's value: an integer, a number, a boolean, or what `first` and `last` found (borrowed
 * from the event that next() gave: the history must keep it until the value is used).
 * @param until_ms_out  The first moment after now_ms at which the value may be another although no
 *                      event has come (events leave a window, a day begins); INT64_MAX: never.
 */
cairn_value cairn__query_evaluate(const cairn__query *query, const cairn__query_moment *when,
                                  const cairn__history *history, int64_t *until_ms_out);

/** What a query is of, for those who index: the kind, and of MEMBER the audience's name. */
int cairn__query_kind(const cairn__query *query); /* cairn__rule_history_kind */
cairn_span cairn__query_name(const cairn__query *query);

#endif
