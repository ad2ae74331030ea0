#include <math.h>
#include <stdio.h>
#include <string.h>

#include "oracle.h"
#include "support/cmocka_all.h"

enum { DAY_MS = 86400000, NUMBERS_MAX = 4096, DAYS_MAX = 32 };

/* Which events a cell looks at. */
typedef struct {
    const world *w;
    const oracle_event *q;
    int64_t from_ms, to_ms;
    const char *group; /* its label; NULL: all */
} cell;

static void label_of(const cell *c, const world_event *event, char *to) {
    to[0] = 0;
    if (c->q->by == ORACLE_BY_USER) {
        oracle_json(oracle_user_value(c->w, oracle_person(c->w, event), "g"), to, ORACLE_KEY_BYTES);
    } else if (c->q->by == ORACLE_BY_EVENT) {
        oracle_json(oracle_value(event, "q"), to, ORACLE_KEY_BYTES);
    }
}

static bool is_in(const cell *c, int series, const world_event *event) {
    char label[ORACLE_KEY_BYTES];
    if (event->time_ms < c->from_ms || event->time_ms >= c->to_ms ||
        (c->q->filter != NULL && !c->q->filter->where(event, c->w)) ||
        !oracle_matches(c->w, &c->q->on[series], event)) {
        return false;
    }
    label_of(c, event, label);
    return c->group == NULL || strcmp(label, c->group) == 0;
}

static bool number_of(const world_event *event, double *number_out) {
    const cairn_value *value = oracle_value(event, "p");
    if (value == NULL ||
        (value->kind != CAIRN_VALUE_INTEGER && value->kind != CAIRN_VALUE_NUMBER)) {
        return false;
    }
    *number_out = value->kind == CAIRN_VALUE_INTEGER ? (double)value->as.integer : value->as.number;
    return true;
}

static bool is_first_of_person(const cell *c, int series, size_t at) {
    for (size_t i = 0; i < at; i++) {
        if (is_in(c, series, &c->w->events[i]) &&
            oracle_person(c->w, &c->w->events[i]) == oracle_person(c->w, &c->w->events[at])) {
            return false;
        }
    }
    return true;
}

static bool is_first_of_value(const cell *c, int series, size_t at) {
    const cairn_value *value = oracle_value(&c->w->events[at], "p");
    for (size_t i = 0; i < at && value != NULL; i++) {
        if (is_in(c, series, &c->w->events[i]) &&
            oracle_same(oracle_value(&c->w->events[i], "p"), value)) {
            return false;
        }
    }
    return value != NULL;
}

static double measure(const cell *c, int series) {
    double numbers[NUMBERS_MAX];
    int count = 0;
    double events = 0;
    double persons = 0;
    double values = 0;
    double sum = 0;
    for (size_t i = 0; i < c->w->count; i++) {
        if (!is_in(c, series, &c->w->events[i])) {
            continue;
        }
        events++;
        persons += is_first_of_person(c, series, i);
        values += is_first_of_value(c, series, i);
        if (number_of(&c->w->events[i], &numbers[count])) {
            sum += numbers[count++];
        }
    }
    switch (c->q->measures[series]) {
    case ORACLE_COUNT:
        return events;
    case ORACLE_PERSONS:
        return persons;
    case ORACLE_PER_PERSON:
        return persons == 0 ? (double)NAN : events / persons;
    case ORACLE_SUM:
        return sum;
    case ORACLE_AVG:
        return count == 0 ? (double)NAN : sum / count;
    case ORACLE_MIN:
        return oracle_percentile(numbers, count, 0);
    case ORACLE_MAX:
        return oracle_percentile(numbers, count, 1);
    case ORACLE_MEDIAN:
        return oracle_percentile(numbers, count, 0.5);
    case ORACLE_P90:
        return oracle_percentile(numbers, count, 0.9);
    case ORACLE_DISTINCT:
    default:
        return values;
    }
}

static double at_day(const cell *range, int series, int day) {
    cell c = *range;
    c.to_ms = range->from_ms + (day + 1) * (int64_t)DAY_MS;
    c.from_ms = range->q->cumulative ? range->from_ms : c.to_ms - DAY_MS;
    return measure(&c, series);
}

static double moving_at_day(const cell *range, int series, int day) {
    double sum = 0;
    int count = 0;
    if (range->q->moving == 0) {
        return at_day(range, series, day);
    }
    for (int i = day - range->q->moving + 1; i <= day; i++) {
        double number = i < 0 ? (double)NAN : at_day(range, series, i);
        if (i < 0) {
            return (double)NAN;
        }
        sum += isnan(number) ? 0 : number;
        count += !isnan(number);
    }
    return count == 0 ? (double)NAN : sum / count;
}

static void write_group(const cell *range, oracle_answer *answer) {
    const oracle_event *q = range->q;
    int days = q->by_day ? (int)((q->to_ms - q->from_ms) / DAY_MS) : 1;
    for (int day = 0; day < days; day++) {
        char key[ORACLE_KEY_BYTES];
        char unit[24] = { 0 };
        if (q->by_day) {
            (void)snprintf(unit, sizeof unit, "\"2026-08-%02d\",", day + 1);
        }
        (void)snprintf(key, sizeof key, "%s%.100s", unit, range->group == NULL ? "" : range->group);
        oracle_row *row = oracle_add(answer, key);
        for (int series = 0; series < q->series_count; series++) {
            row->values[row->value_count++] =
                q->by_day ? moving_at_day(range, series, day) : measure(range, series);
        }
    }
}

void oracle_event_ask(const world *w, const oracle_event *question, oracle_answer *answer) {
    cell range = { .w = w, .q = question, .from_ms = question->from_ms, .to_ms = question->to_ms };
    char labels[64][ORACLE_KEY_BYTES];
    int label_count = 0;
    answer->count = 0;
    for (size_t i = 0; i < w->count && question->by != ORACLE_BY_NONE; i++) {
        bool in = false;
        for (int series = 0; series < question->series_count; series++) {
            in |= is_in(&range, series, &w->events[i]);
        }
        if (!in) {
            continue;
        }
        label_of(&range, &w->events[i], labels[label_count]);
        bool known = false;
        for (int j = 0; j < label_count; j++) {
            known |= strcmp(labels[j], labels[label_count]) == 0;
        }
        label_count += !known;
        assert_true(label_count < 64);
    }
    if (question->by == ORACLE_BY_NONE) {
        write_group(&range, answer);
    }
    for (int i = 0; i < label_count; i++) {
        range.group = labels[i];
        write_group(&range, answer);
    }
    range.group = NULL;
    answer->total_count = 1;
    answer->totals[0] = (oracle_row){ .value_count = question->series_count };
    for (int series = 0; series < question->series_count; series++) {
        answer->totals[0].values[series] = measure(&range, series);
    }
}
