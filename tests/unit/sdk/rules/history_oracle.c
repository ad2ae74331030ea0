#include "history_oracle.h"

#include <string.h>
#include <time.h>

#include "base/bytes.h"

static const cairn_value nothing = { .kind = CAIRN_VALUE_NULL };
static const cairn_value unknown = { .kind = (cairn_value_kind)ORACLE_UNKNOWN_KIND };

static cairn_value whole(int64_t number) {
    return (cairn_value){ .kind = CAIRN_VALUE_INTEGER, .as.integer = number };
}

static cairn_value truth(bool what) {
    return (cairn_value){ .kind = CAIRN_VALUE_BOOLEAN, .as.boolean = what };
}

static bool is_number(const cairn_value *v) {
    return v->kind == CAIRN_VALUE_INTEGER || v->kind == CAIRN_VALUE_NUMBER;
}

static int order_whole(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

/* A long double holds every 64-bit number and every double of the tests exactly. */
static int order_numbers(const cairn_value *a, const cairn_value *b) {
    long double x = a->kind == CAIRN_VALUE_INTEGER ? (long double)a->as.integer : a->as.number;
    long double y = b->kind == CAIRN_VALUE_INTEGER ? (long double)b->as.integer : b->as.number;
    return (x > y) - (x < y);
}

static bool text_is(cairn_span text, const char *other) {
    return cairn__span_equal(text, cairn__span_of(other));
}

/* --- events ---------------------------------------------------------------------------------- */

static cairn_value property_of(const cairn__event *event, const char *name) {
    cairn_value time = { .kind = CAIRN_VALUE_TIME, .as.time_ms = event->time_ms };
    for (size_t i = 0; i < event->property_count; i++) {
        if (text_is(event->properties[i].name, name)) {
            return event->properties[i].value;
        }
    }
    if (strcmp(name, "$name") == 0) {
        return (cairn_value){ .kind = CAIRN_VALUE_STRING, .as.string = event->name };
    }
    return strcmp(name, "time") == 0 ? time : nothing;
}

static bool list_has_a(const cairn_value *v) {
    bool found = false;
    for (size_t i = 0; v->kind == CAIRN_VALUE_LIST && i < v->as.list.count; i++) {
        found |= text_is(v->as.list.items[i], "a");
    }
    return found;
}

static bool where_holds(const gen_where *where, const cairn__event *event,
                        const history_clock *clock) {
    const cairn_value one = whole(1);
    const cairn_value half = { .kind = CAIRN_VALUE_NUMBER, .as.number = 2.5 };
    const cairn_value most = whole(where->number);
    cairn_value n = property_of(event, "n");
    cairn_value s = property_of(event, "s");
    cairn_value l = property_of(event, "l");
    switch (where->kind) {
    case GEN_WHERE_GREATER:
        return is_number(&n) && order_numbers(&n, &most) > 0;
    case GEN_WHERE_TEXT:
        return s.kind == CAIRN_VALUE_STRING && text_is(s.as.string, "a");
    case GEN_WHERE_SET:
        return n.kind != CAIRN_VALUE_NULL;
    case GEN_WHERE_HOUR:
        return history_clock_hour(clock, event->time_ms) < 12;
    case GEN_WHERE_IN:
        return is_number(&n) && (order_numbers(&n, &one) == 0 || order_numbers(&n, &half) == 0);
    case GEN_WHERE_CONTAINS:
        return list_has_a(&l);
    case GEN_WHERE_NAME:
        return text_is(event->name, "a");
    case GEN_WHERE_NONE:
    case GEN_WHERE_KINDS:
        break;
    }
    return true;
}

static const history_clock *clock_of(const gen_case *of, const gen_query *query) {
    return query->user_time ? of->user_zone : of->zone;
}

bool history_oracle_takes(const gen_case *of, const gen_query *query, const gen_step *step,
                          const cairn__event *event) {
    bool named = step->names == 0;
    for (int i = 0; i < GEN_NAMES; i++) {
        named |= (step->names >> i & 1) != 0 && text_is(event->name, gen_event_names[i]);
    }
    if (!named || step->where.kind == GEN_WHERE_NONE) {
        return named;
    }
    bool holds = where_holds(&step->where, event, clock_of(of, query));
    return holds != step->where.negated;
}

/* --- windows --------------------------------------------------------------------------------- */

static int month_of(int64_t day) {
    struct tm date;
    time_t seconds = (time_t)(day * 86400);
    (void)gmtime_r(&seconds, &date);
    return date.tm_year * 12 + date.tm_mon;
}

/* 1970-01-05 was a Monday. */
static int64_t week_of(int64_t day) {
    return (day - 4 + 7000000) / 7;
}

static bool day_within(const gen_query *query, int64_t day, int64_t today) {
    switch (query->window) {
    case GEN_TODAY:
        return day == today;
    case GEN_YESTERDAY:
        return day == today - 1;
    case GEN_WEEK:
        return week_of(day) == week_of(today);
    case GEN_MONTH:
        return month_of(day) == month_of(today);
    case GEN_SINCE:
        return day >= query->from_day;
    case GEN_DATES:
        return day >= query->from_day && day <= query->to_day;
    case GEN_EVER:
    case GEN_ROLLING:
    case GEN_WINDOWS:
        break;
    }
    return true;
}

static bool within(const gen_case *of, const gen_query *query, int64_t time_ms, int64_t now_ms) {
    const history_clock *clock = clock_of(of, query);
    if (time_ms > now_ms) {
        return false;
    }
    if (query->window == GEN_ROLLING) {
        return time_ms > now_ms - gen_durations[query->duration].ms;
    }
    return query->window == GEN_EVER ||
           day_within(query, history_clock_day(clock, time_ms), history_clock_day(clock, now_ms));
}

/* Does the window begin before the moment since when nothing is missing? */
static bool may_miss(const gen_case *of, const gen_query *query, int64_t now_ms) {
    const history_clock *clock = clock_of(of, query);
    int64_t from_ms = INT64_MIN;
    if (query->window == GEN_ROLLING) {
        from_ms = now_ms - gen_durations[query->duration].ms + 1;
    } else if (query->window != GEN_EVER) {
        int64_t today = history_clock_day(clock, now_ms);
        int64_t day = query->window >= GEN_SINCE ? query->from_day : today - 40;
        from_ms = INT64_MAX;
        for (int i = 0; i < 60 && from_ms == INT64_MAX; i++) {
            from_ms = day_within(query, day + i, today) ? history_clock_day_start(clock, day + i)
                                                        : INT64_MAX;
        }
    }
    return of->complete_from_ms > from_ms && from_ms <= now_ms;
}

/* --- measures -------------------------------------------------------------------------------- */

typedef struct found {
    const cairn__event *events[GEN_EVENTS_MAX];
    cairn_value values[GEN_EVENTS_MAX];
    int count;
} found;

static bool looks_at(gen_kind kind, const cairn_value *v) {
    if (kind == GEN_SUM || kind == GEN_AVG) {
        return is_number(v);
    }
    if (kind == GEN_MIN || kind == GEN_MAX) {
        return is_number(v) || v->kind == CAIRN_VALUE_STRING || v->kind == CAIRN_VALUE_TIME;
    }
    return v->kind != CAIRN_VALUE_NULL;
}

static void find(const gen_case *of, const gen_query *query, int64_t now_ms, found *to) {
    to->count = 0;
    for (int i = 0; i < of->event_count; i++) {
        const cairn__event *event = &of->events[i];
        cairn_value value = property_of(event, query->property);
        bool bare = query->kind == GEN_COUNT || query->kind == GEN_DID || query->kind == GEN_DAYS;
        if (within(of, query, event->time_ms, now_ms) &&
            history_oracle_takes(of, query, &query->steps[0], event) &&
            (bare || looks_at(query->kind, &value))) {
            to->events[to->count] = event;
            to->values[to->count++] = value;
        }
    }
}

static double as_double(const cairn_value *v) {
    return v->kind == CAIRN_VALUE_INTEGER ? (double)v->as.integer : v->as.number;
}

static cairn_value sum_of(const found *f) {
    cairn_value sum = whole(0);
    for (int i = 0; i < f->count; i++) {
        const cairn_value *v = &f->values[i];
        __extension__ __int128 exact = (__int128)sum.as.integer + v->as.integer;
        bool fits = exact >= INT64_MIN && exact <= INT64_MAX;
        if (sum.kind == CAIRN_VALUE_INTEGER && v->kind == CAIRN_VALUE_INTEGER && fits) {
            sum.as.integer = (int64_t)exact;
        } else {
            sum = (cairn_value){ .kind = CAIRN_VALUE_NUMBER,
                                 .as.number = as_double(&sum) + as_double(v) };
        }
    }
    return sum;
}

static cairn_value average_of(const found *f) {
    cairn_value sum = sum_of(f);
    if (f->count == 0) {
        return nothing;
    }
    if (sum.kind == CAIRN_VALUE_INTEGER && sum.as.integer % f->count == 0) {
        return whole(sum.as.integer / f->count);
    }
    return (cairn_value){ .kind = CAIRN_VALUE_NUMBER,
                          .as.number = as_double(&sum) / (double)f->count };
}

/* Numbers, then texts, then times. */
static int order(const cairn_value *a, const cairn_value *b) {
    if (is_number(a) && is_number(b)) {
        return order_numbers(a, b);
    }
    if (a->kind != b->kind) {
        return (is_number(a) ? 0 : (int)a->kind) - (is_number(b) ? 0 : (int)b->kind);
    }
    return a->kind == CAIRN_VALUE_STRING ? cairn__span_compare(a->as.string, b->as.string)
                                         : order_whole(a->as.time_ms, b->as.time_ms);
}

static cairn_value extreme_of(const found *f, int sign) {
    cairn_value best = f->count == 0 ? nothing : f->values[0];
    for (int i = 1; i < f->count; i++) {
        best = order(&f->values[i], &best) * sign > 0 ? f->values[i] : best;
    }
    return best;
}

static cairn_value days_of(const found *f, const history_clock *clock) {
    int64_t count = 0;
    for (int i = 0; i < f->count; i++) {
        bool again = false;
        for (int k = 0; k < i; k++) {
            again |= history_clock_day(clock, f->events[i]->time_ms) ==
                     history_clock_day(clock, f->events[k]->time_ms);
        }
        count += again ? 0 : 1;
    }
    return whole(count);
}

static bool equal(const cairn_value *a, const cairn_value *b) {
    if (is_number(a) && is_number(b)) {
        return order_numbers(a, b) == 0;
    }
    return a->kind == b->kind && history_oracle_same(a, b);
}

static cairn_value distinct_of(const found *f) {
    cairn_value all[GEN_EVENTS_MAX * 8];
    int count = 0;
    for (int i = 0; i < f->count; i++) {
        const cairn_value *v = &f->values[i];
        size_t items = v->kind == CAIRN_VALUE_LIST ? v->as.list.count : 1;
        for (size_t k = 0; k < items; k++) {
            cairn_value item = *v;
            if (v->kind == CAIRN_VALUE_LIST) {
                item =
                    (cairn_value){ .kind = CAIRN_VALUE_STRING, .as.string = v->as.list.items[k] };
            }
            bool again = false;
            for (int j = 0; j < count; j++) {
                again |= equal(&all[j], &item);
            }
            all[count] = item;
            count += again ? 0 : 1;
        }
    }
    return whole(count);
}

static cairn_value measure(const gen_case *of, const gen_query *query, const found *f) {
    switch (query->kind) {
    case GEN_COUNT:
        return whole(f->count);
    case GEN_DID:
        return truth(f->count > 0);
    case GEN_DAYS:
        return days_of(f, clock_of(of, query));
    case GEN_SUM:
        return sum_of(f);
    case GEN_AVG:
        return average_of(f);
    case GEN_MIN:
        return extreme_of(f, -1);
    case GEN_MAX:
        return extreme_of(f, 1);
    case GEN_DISTINCT:
        return distinct_of(f);
    case GEN_FIRST:
        return f->count == 0 ? nothing : f->values[0];
    case GEN_LAST:
        return f->count == 0 ? nothing : f->values[f->count - 1];
    case GEN_SEQUENCE:
    case GEN_MEMBER:
    case GEN_KINDS:
        break;
    }
    return unknown;
}

/* --- sequences ------------------------------------------------------------------------------- */

typedef struct trial {
    const gen_case *of;
    const gen_query *query;
    int64_t now_ms, from_ms; /* what counts */
} trial;

static bool takes_at(const trial *t, int step, int event) {
    const cairn__event *e = &t->of->events[event];
    return e->time_ms <= t->now_ms && e->time_ms >= t->from_ms &&
           history_oracle_takes(t->of, t->query, &t->query->steps[step], e);
}

/* Has nothing of the steps [from, to) happened between two events (neither included)? */
static bool absent(const trial *t, int from, int to, int after, int before) {
    bool none = true;
    for (int step = from; step < to; step++) {
        for (int event = after + 1; event < before; event++) {
            none &= !takes_at(t, step, event);
        }
    }
    return none;
}

/* Is there any way to go on: `step` is next, `last` was the event of the one before it? */
static bool goes_on(const trial *t, int step, int first, int last) {
    int64_t within_ms = gen_durations[t->query->duration].ms;
    const cairn__event *events = t->of->events;
    int next = step;
    while (next < t->query->step_count && t->query->steps[next].negated) {
        next += 1;
    }
    if (next == t->query->step_count) {
        int64_t until_ms = events[last].time_ms + within_ms;
        int end = last + 1;
        while (end < t->of->event_count && events[end].time_ms <= until_ms) {
            end += 1;
        }
        return next == step || (t->now_ms > until_ms && absent(t, step, next, last, end));
    }
    for (int event = last + 1; event < t->of->event_count; event++) {
        int begin = first < 0 ? event : first;
        if (takes_at(t, next, event) &&
            events[event].time_ms - events[begin].time_ms <= within_ms &&
            absent(t, step, next, last, event) && goes_on(t, next + 1, begin, event)) {
            return true;
        }
    }
    return false;
}

static cairn_value sequence(const gen_case *of, const gen_query *query, int64_t now_ms) {
    trial t = { of, query, now_ms, INT64_MIN };
    for (int i = 0; i < query->step_count; i++) {
        t.from_ms = query->steps[i].negated ? of->complete_from_ms : t.from_ms;
    }
    if (goes_on(&t, 0, -1, -1)) {
        return truth(true);
    }
    return of->complete_from_ms == INT64_MIN ? truth(false) : unknown;
}

/* --- the whole ------------------------------------------------------------------------------- */

cairn_value history_oracle_value(const gen_case *of, const gen_query *query, int64_t now_ms) {
    found f;
    if (query->kind == GEN_SEQUENCE) {
        return sequence(of, query, now_ms);
    }
    if (query->kind == GEN_MEMBER) {
        return unknown;
    }
    find(of, query, now_ms, &f);
    bool certain = !may_miss(of, query, now_ms);
    if (query->kind == GEN_DID) {
        certain |= f.count > 0;
    }
    if (query->kind == GEN_LAST && f.count > 0) {
        certain |= f.events[f.count - 1]->time_ms >= of->complete_from_ms;
    }
    return certain ? measure(of, query, &f) : unknown;
}

bool history_oracle_same(const cairn_value *a, const cairn_value *b) {
    if (a->kind != b->kind) {
        return false;
    }
    switch ((int)a->kind) {
    case CAIRN_VALUE_BOOLEAN:
        return a->as.boolean == b->as.boolean;
    case CAIRN_VALUE_INTEGER:
    case CAIRN_VALUE_TIME:
        return a->as.integer == b->as.integer;
    case CAIRN_VALUE_NUMBER:
        return memcmp(&a->as.number, &b->as.number, sizeof a->as.number) == 0;
    case CAIRN_VALUE_STRING:
        return cairn__span_equal(a->as.string, b->as.string);
    case CAIRN_VALUE_LIST: {
        bool same = a->as.list.count == b->as.list.count;
        for (size_t i = 0; same && i < a->as.list.count; i++) {
            same = cairn__span_equal(a->as.list.items[i], b->as.list.items[i]);
        }
        return same;
    }
    default:
        return true;
    }
}

/* 0 false, 1 true, 2 unknown. */
static int ordered_as(int op, int difference) {
    const bool holds[] = { difference == 0, difference != 0,
                           difference<0, difference <= 0, difference> 0, difference >= 0 };
    return holds[op] ? 1 : 0;
}

static int compared(const gen_test *test, const cairn_value *v) {
    const cairn_value half = { .kind = CAIRN_VALUE_NUMBER, .as.number = test->halves / 2.0 };
    if (v->kind == CAIRN_VALUE_NULL) {
        return 0;
    }
    if (!is_number(v)) {
        return test->op == 1 ? 1 : 0; /* of another type */
    }
    return ordered_as(test->op, order_numbers(v, &half));
}

static int holds(const gen_case *of, const gen_test *test, int64_t now_ms) {
    cairn_value v = history_oracle_value(of, &test->query, now_ms);
    if ((int)v.kind == ORACLE_UNKNOWN_KIND) {
        return 2;
    }
    switch (test->form) {
    case GEN_BARE:
        return v.as.boolean ? 1 : 0;
    case GEN_COMPARE:
        return compared(test, &v);
    case GEN_EQUALS:
        return v.kind == CAIRN_VALUE_STRING && text_is(v.as.string, "a") ? 1 : 0;
    case GEN_IS_SET:
        return v.kind != CAIRN_VALUE_NULL ? 1 : 0;
    case GEN_AGE:
        return v.kind == CAIRN_VALUE_TIME && now_ms - v.as.time_ms > gen_durations[test->age].ms;
    case GEN_FORMS:
        break;
    }
    return 0;
}

const char *history_oracle_answer(const gen_case *of, int64_t now_ms) {
    static const char *const names[] = { "false", "true", "unknown" };
    int all = 0;
    for (int i = 0; i < of->rule.count; i++) {
        int one = holds(of, &of->rule.tests[i], now_ms);
        one = of->rule.tests[i].negated && one != 2 ? 1 - one : one;
        if (i == 0) {
            all = one;
        } else if (of->rule.is_or[i]) {
            all = all == 1 || one == 1 ? 1 : all == 2 || one == 2 ? 2 : 0;
        } else {
            all = all == 0 || one == 0 ? 0 : all == 2 || one == 2 ? 2 : 1;
        }
    }
    return names[all];
}
