/* query_evaluate.c: count, sum, first and their kin over a person's events, oldest first. One walk,
 * whatever the function; what it brings is kept in a tally. */
#include "rules/query.h"
#include "rules/query_set.h"

typedef cairn__query query;
typedef cairn__rule_value value;

enum { DAYS_BACK = 64 };

typedef struct tally {
    const query *of;
    cairn__query_bounds bounds;
    cairn__arena *scratch;
    int64_t count;             /* of the events that brought something */
    int64_t first_ms, last_ms; /* the first and the last of them */
    value sum;
    cairn__query_keep kept; /* of min, max, first, last */
    int64_t kept_ms;
    cairn__query_set set;
    int64_t day;          /* of days: the latest so far */
    uint64_t before;      /* bit i: day - i was one of them */
    int64_t day_until_ms; /* the last event of the first day */
    int64_t first_day;
    bool failed; /* scratch is full */
} tally;

/* --- what an event brings -------------------------------------------------------------------- */

static bool is_number(const value *v) {
    return v->kind == CAIRN_VALUE_INTEGER || v->kind == CAIRN_VALUE_NUMBER;
}

/* Does the function look at a value of this type? Others are passed over. */
static bool brings(cairn__rule_history_kind kind, const value *v) {
    bool set = v->kind != CAIRN_VALUE_NULL && v->kind != CAIRN__RULE_KIND_UNKNOWN;
    switch (kind) {
    case CAIRN__RULE_COUNT:
    case CAIRN__RULE_DID:
    case CAIRN__RULE_DAYS:
        return true;
    case CAIRN__RULE_SUM:
    case CAIRN__RULE_AVG:
        return is_number(v);
    case CAIRN__RULE_MIN:
    case CAIRN__RULE_MAX:
        return is_number(v) || v->kind == CAIRN_VALUE_STRING || v->kind == CAIRN_VALUE_TIME;
    case CAIRN__RULE_DISTINCT:
    case CAIRN__RULE_FIRST:
    case CAIRN__RULE_LAST:
    case CAIRN__RULE_SEQUENCE:
    case CAIRN__RULE_MEMBER:
    case CAIRN__RULE_ANY_ROW:
    case CAIRN__RULE_ALL_ROWS:
    case CAIRN__RULE_HISTORY_KIND_COUNT:
        break;
    }
    return set;
}

/* Time goes forward, the local date nearly so: it can come back when a clock is set back. */
static void add_day(tally *t, int64_t time_ms) {
    int64_t day = cairn__zone_day(t->bounds.zone, time_ms);
    if (t->count == 0) {
        t->first_day = day;
        t->day = day;
    }
    if (day > t->day) {
        int64_t step = day - t->day;
        t->before = step < DAYS_BACK ? t->before << step : 0;
        t->day = day;
    }
    uint64_t back = (uint64_t)(t->day - day);
    uint64_t bit = back < DAYS_BACK ? UINT64_C(1) << back : 0;
    t->sum.as.integer += (t->before & bit) == 0 ? 1 : 0;
    t->before |= bit;
    if (day == t->first_day) {
        t->day_until_ms = time_ms;
    }
}

/* Is it the one to be kept now? Of equal ones the earliest stays. */
static bool replaces(const tally *t, const value *v) {
    cairn__rule_history_kind kind = t->of->kind;
    if (t->count == 0 || kind == CAIRN__RULE_LAST) {
        return true;
    }
    if (kind == CAIRN__RULE_FIRST) {
        return false;
    }
    int order = cairn__rule_set_order(v, &t->kept.value);
    return kind == CAIRN__RULE_MIN ? order < 0 : order > 0;
}

static void add_kept(tally *t, const value *v, int64_t time_ms) {
    if (replaces(t, v)) {
        t->failed |= !cairn__query_keep_value(&t->kept, t->scratch, v);
        t->kept_ms = time_ms;
    }
}

static void add_event(tally *t, const value *v, int64_t time_ms) {
    switch ((int)t->of->kind) {
    case CAIRN__RULE_COUNT:
    case CAIRN__RULE_DID:
        break;
    case CAIRN__RULE_DAYS:
        add_day(t, time_ms);
        break;
    case CAIRN__RULE_SUM:
    case CAIRN__RULE_AVG:
        t->sum = cairn__rule_compute(CAIRN__RULE_ADD, &t->sum, v);
        break;
    case CAIRN__RULE_DISTINCT:
        t->failed |= !cairn__query_set_add(&t->set, t->scratch, v);
        break;
    default:
        add_kept(t, v, time_ms);
        break;
    }
    t->first_ms = t->count == 0 ? time_ms : t->first_ms;
    t->last_ms = time_ms;
    t->count += 1;
}

/* --- what it comes to ------------------------------------------------------------------------ */

static cairn_value to_public(const value *v) {
    cairn_value to = { .kind = (cairn_value_kind)v->kind };
    switch (v->kind) {
    case CAIRN_VALUE_BOOLEAN:
        to.as.boolean = v->as.boolean;
        break;
    case CAIRN_VALUE_NUMBER:
        to.as.number = v->as.number;
        break;
    case CAIRN_VALUE_STRING:
        to.as.string = v->as.string;
        break;
    case CAIRN_VALUE_LIST:
        to.as.list = v->as.list;
        break;
    default:
        to.as.integer = v->as.integer;
        break;
    }
    return to;
}

static value result_of(const tally *t) {
    value count = cairn__rule_integer(CAIRN_VALUE_INTEGER, t->count);
    switch ((int)t->of->kind) {
    case CAIRN__RULE_COUNT:
        return count;
    case CAIRN__RULE_DID:
        return cairn__rule_boolean(t->count > 0);
    case CAIRN__RULE_DAYS:
    case CAIRN__RULE_SUM:
        return t->sum;
    case CAIRN__RULE_AVG:
        return t->count == 0 ? cairn__rule_null()
                             : cairn__rule_compute(CAIRN__RULE_DIVIDE, &t->sum, &count);
    case CAIRN__RULE_DISTINCT:
        return cairn__rule_integer(CAIRN_VALUE_INTEGER, t->set.count);
    default:
        return t->kept.value;
    }
}

/* The event whose leaving a rolling window may change the value. */
static int64_t holds_by(const tally *t) {
    switch ((int)t->of->kind) {
    case CAIRN__RULE_DID:
        return t->last_ms;
    case CAIRN__RULE_DAYS:
        return t->day_until_ms;
    case CAIRN__RULE_MIN:
    case CAIRN__RULE_MAX:
    case CAIRN__RULE_FIRST:
    case CAIRN__RULE_LAST:
        return t->kept_ms;
    default:
        return t->first_ms;
    }
}

/* Can what may be missing not change it? */
static bool is_certain(const tally *t, int64_t complete_from_ms) {
    switch ((int)t->of->kind) {
    case CAIRN__RULE_DID:
        return t->count > 0;
    case CAIRN__RULE_LAST:
        return t->count > 0 && t->last_ms >= complete_from_ms;
    case CAIRN__RULE_DISTINCT:
        return t->set.count == CAIRN__QUERY_DISTINCT_MAX;
    default:
        return false;
    }
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* What happened before complete_from may be missing. Is a part of the window before it, and not
 * after now? Then: when will it be so no longer? */
static bool is_complete(const tally *t, int64_t now_ms, int64_t complete_from_ms,
                        int64_t *until_ms) {
    const cairn__rule_window *window = &t->of->window;
    if (complete_from_ms <= t->bounds.from_ms) {
        return true;
    }
    if (t->bounds.from_ms > now_ms) {
        *until_ms = least(*until_ms, t->bounds.from_ms);
        return true;
    }
    if (window->kind == CAIRN__RULE_WINDOW_LAST) {
        *until_ms =
            least(*until_ms, cairn__query_add(cairn__query_add(complete_from_ms, window->ms), -1));
    }
    return false;
}

static bool takes(const tally *t, const cairn__event *event, value *v) {
    const query *q = t->of;
    if (event->time_ms < t->bounds.from_ms || event->time_ms >= t->bounds.to_ms ||
        !cairn__query_step_takes(q->steps, event, t->bounds.zone) ||
        !cairn__query_within(&t->bounds, event->time_ms)) {
        return false;
    }
    v->kind = CAIRN_VALUE_NULL;
    if (q->name.len > 0) {
        cairn_value found = cairn__rule_event_value(event, q->name);
        *v = cairn__rule_value_of(&found);
    }
    return brings(q->kind, v);
}

/* All events until now; returns the time of the first one after it that will count. */
static int64_t walk(tally *t, const cairn__history *history, int64_t now_ms) {
    const cairn__event *event = NULL;
    while ((event = history->next(history->context)) != NULL) {
        value v;
        if (!takes(t, event, &v)) {
            continue;
        }
        if (event->time_ms > now_ms) {
            return event->time_ms;
        }
        add_event(t, &v, event->time_ms);
    }
    return INT64_MAX;
}

cairn_value cairn__query_evaluate(const query *q, const cairn__query_moment *when,
                                  const cairn__history *history, cairn__arena *scratch,
                                  int64_t *until_ms_out) {
    const cairn_value unknown = { .kind = (cairn_value_kind)CAIRN__RULE_VALUE_UNKNOWN };
    *until_ms_out = INT64_MAX;
    if (q->kind == CAIRN__RULE_SEQUENCE) {
        return cairn__query_sequence(q, when, history, until_ms_out);
    }
    if (q->kind > CAIRN__RULE_SEQUENCE) {
        return unknown;
    }
    tally t = { .of = q,
                .bounds = cairn__query_bounds_at(q, when),
                .scratch = scratch,
                .sum = cairn__rule_integer(CAIRN_VALUE_INTEGER, 0) };
    int64_t until_ms = least(walk(&t, history, when->now_ms), t.bounds.until_ms);
    if (t.count > 0 && q->window.kind == CAIRN__RULE_WINDOW_LAST) {
        until_ms = least(until_ms, cairn__query_add(holds_by(&t), q->window.ms));
    }
    bool known = is_certain(&t, history->complete_from_ms) ||
                 is_complete(&t, when->now_ms, history->complete_from_ms, &until_ms);
    *until_ms_out = until_ms;
    value result = result_of(&t);
    return known && !t.failed ? to_public(&result) : unknown;
}
