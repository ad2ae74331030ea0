/* Goal: the engine gives what the definitions say, whatever is asked of whatever history.
 * Method: random small histories (few names, few values, many ties in time) under random options,
 * compared row by row with the oracle. A failure prints its seed: CAIRN_SEED runs that one alone.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "oracle.h"
#include "support/cmocka_all.h"

enum {
    PERSONS_MAX = 26,
    EVENTS_MAX = 13, /* of one person */
    SLOT_MS = 6 * 3600 * 1000,
    DAYS = 3,
    QUERIES = 8000, /* of each model, unless the command line says: over 200,000 histories */
    QUERY_BYTES = 4096,
};

#define START_MS INT64_C(1785542400000) /* 2026-08-01T00:00:00Z */

typedef struct {
    uint64_t state;
} dice;

static uint32_t throw(dice * d, uint32_t sides) {
    d->state += UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(cairn__mix(d->state) >> 33) % sides;
}

static bool chance(dice *d, uint32_t percent) {
    return throw(d, 100) < percent;
}

/* --- conditions, as rules and as C --- */

static bool number_of(const world_event *event, double *number_out) {
    const cairn_value *value = oracle_value(event, "p");
    *number_out = 0;
    if (value != NULL && value->kind == CAIRN_VALUE_INTEGER) {
        *number_out = (double)value->as.integer;
        return true;
    }
    if (value != NULL && value->kind == CAIRN_VALUE_NUMBER) {
        *number_out = value->as.number;
        return true;
    }
    return false;
}

static bool p_is_1(const world_event *event, const world *w) {
    double number;
    (void)w;
    return number_of(event, &number) && number == 1;
}

static bool p_above_1(const world_event *event, const world *w) {
    double number;
    (void)w;
    return number_of(event, &number) && number > 1;
}

static bool is_text(const cairn_value *value, char text) {
    return value != NULL && value->kind == CAIRN_VALUE_STRING && value->as.string.len == 1 &&
           value->as.string.data[0] == text;
}

static bool q_is_s(const world_event *event, const world *w) {
    (void)w;
    return is_text(oracle_value(event, "q"), 's');
}

static bool g_is_x(const world_event *event, const world *w) {
    return is_text(oracle_user_value(w, oracle_person(w, event), "g"), 'x');
}

static bool g_is_x_or_p_is_1(const world_event *event, const world *w) {
    return g_is_x(event, w) || p_is_1(event, w);
}

static bool q_is_set(const world_event *event, const world *w) {
    (void)w;
    return oracle_value(event, "q") != NULL;
}

static const struct {
    const char *text;
    bool (*where)(const world_event *event, const world *w);
} conditions[] = {
    { "event.p = 1", p_is_1 },
    { "event.p > 1", p_above_1 },
    { "event.q = \\\"s\\\"", q_is_s },
    { "user.g = \\\"x\\\"", g_is_x },
    { "user.g = \\\"x\\\" or event.p = 1", g_is_x_or_p_is_1 },
    { "event.q is set", q_is_set },
};

static void add_where(dice *d, oracle_pattern *pattern) {
    uint32_t index = throw(d, sizeof conditions / sizeof conditions[0]);
    pattern->where = conditions[index].where;
    pattern->where_text = conditions[index].text;
}

/* --- histories --- */

static const char *const names[] = { "A", "B", "C", "D", "X" };
enum { NAMES = 5 };

static void random_value(dice *d, world *w, world_event *event, const char *name) {
    switch (throw(d, 7)) {
    case 0:
        world_integer(event, name, 1);
        return;
    case 1:
        world_integer(event, name, 2);
        return;
    case 2:
        world_number(event, name, 2.0);
        return;
    case 3:
        world_number(event, name, 1.5);
        return;
    case 4:
        world_text(w, event, name, "s");
        return;
    case 5:
        world_text(w, event, name, "t");
        return;
    default:
        return; /* absent */
    }
}

/* Two nodes in five belong to the person before. */
static void random_world(dice *d, world *w) {
    uint32_t nodes = 1 + throw(d, PERSONS_MAX);
    world_open(w);
    w->person_of = malloc(nodes * sizeof *w->person_of);
    w->node_count = nodes;
    for (uint32_t node = 0; node < nodes; node++) {
        bool merged = node > 0 && chance(d, 15);
        w->person_of[node] = merged ? w->person_of[node - 1] : node;
        uint32_t count = throw(d, merged ? 5 : EVENTS_MAX);
        if (chance(d, 70) && !merged) {
            world_text(w, world_person(w, node), "g", chance(d, 50) ? "x" : "y");
        }
        for (uint32_t i = 0; i < count; i++) {
            int64_t slot = (int64_t) throw(d, chance(d, 50) ? 12 : 26) - 4;
            world_event *event =
                world_add(w, node, START_MS + slot * SLOT_MS, names[throw(d, NAMES)]);
            random_value(d, w, event, "p");
            random_value(d, w, event, "q");
        }
    }
}

/* --- questions --- */

typedef struct {
    char text[QUERY_BYTES];
    size_t len;
} query;

static void say(query *q, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(query *q, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(q->text + q->len, sizeof q->text - q->len, format, arguments);
    va_end(arguments);
    assert_true(length >= 0 && q->len + (size_t)length < sizeof q->text);
    q->len += (size_t)length;
}

static oracle_pattern random_pattern(dice *d, uint32_t two_names_percent) {
    oracle_pattern pattern = { .every = chance(d, 5) };
    uint32_t first = throw(d, NAMES - 1);
    pattern.names[0] = names[first];
    if (chance(d, two_names_percent) && !pattern.every) {
        pattern.names[1] = names[(first + 1) % NAMES];
    }
    if (chance(d, 20)) {
        add_where(d, &pattern);
    }
    return pattern;
}

static void say_event(query *q, const oracle_pattern *pattern) {
    if (pattern->every) {
        say(q, "'event':'*'");
    } else if (pattern->names[1] != NULL) {
        say(q, "'event':['%s','%s']", pattern->names[0], pattern->names[1]);
    } else {
        say(q, "'event':'%s'", pattern->names[0]);
    }
    if (pattern->where != NULL) {
        say(q, ",'where':'%s'", pattern->where_text);
    }
}

static void say_filter(dice *d, query *q, oracle_pattern *pattern,
                       const oracle_pattern **filter_out) {
    *filter_out = NULL;
    if (chance(d, 15)) {
        add_where(d, pattern);
        *filter_out = pattern;
        say(q, ",'filter':'%s'", pattern->where_text);
    }
}

static void random_steps(dice *d, query *q, oracle_funnel *f) {
    f->step_count = 2 + (int) throw(d, ORACLE_STEPS_MAX - 1);
    say(q, ",'steps':[");
    for (int i = 0; i < f->step_count; i++) {
        f->steps[i] = random_pattern(d, f->order == ORACLE_ANY ? 40 : 10);
        if (i > 0 && chance(d, 10) && f->order != ORACLE_ANY) {
            f->within_ms[i] = (1 + throw(d, 5)) * (int64_t)SLOT_MS;
        }
        say(q, "%s{", i == 0 ? "" : ",");
        say_event(q, &f->steps[i]);
        if (f->within_ms[i] != 0) {
            say(q, ",'within':'%dh'", (int)(f->within_ms[i] / 3600000));
        }
        say(q, "}");
    }
    say(q, "]");
}

static void random_words(dice *d, query *q, oracle_funnel *f) {
    static const char *const orders[] = { "gaps", "strict", "any" };
    static const char *const entries[] = { "latest", "first", "every" };
    f->order = throw(d, 3);
    f->entry = throw(d, f->order == ORACLE_ANY ? 2 : 3);
    f->window_ms = (1 + throw(d, 8)) * (int64_t)SLOT_MS;
    f->end_at_range = chance(d, 30);
    f->times = chance(d, 40);
    f->by_day = chance(d, 30);
    say(q, ",'order':'%s','entry':'%s','window':'%dh'", orders[f->order], entries[f->entry],
        (int)(f->window_ms / 3600000));
    say(q, "%s%s%s", f->end_at_range ? ",'end':'range'" : "", f->times ? ",'times':true" : "",
        f->by_day ? ",'unit':'day'" : "");
}

static void random_conditions(dice *d, query *q, oracle_funnel *f) {
    if (f->order == ORACLE_STRICT && chance(d, 40)) {
        f->has_between = true;
        f->between = random_pattern(d, 10);
        say(q, ",'between':{");
        say_event(q, &f->between);
        say(q, "}");
    }
    if (chance(d, 30)) {
        f->has_exclude = true;
        f->exclude = random_pattern(d, 10);
        f->exclude.names[0] = chance(d, 70) ? "X" : f->exclude.names[0];
        f->exclude_after = 1 + (int) throw(d, (uint32_t)f->step_count - 1);
        f->exclude_drops = chance(d, 30);
        say(q, ",'exclude':[{'after':%d,'then':'%s',", f->exclude_after,
            f->exclude_drops ? "drop person" : "stop");
        say_event(q, &f->exclude);
        say(q, "}]");
    }
    if (chance(d, 30)) {
        bool each = chance(d, 30) && f->order != ORACLE_ANY;
        say(q, ",'hold':%s", each ? "[" : "");
        for (int i = 0; i < f->step_count; i++) {
            f->hold[i] = each && chance(d, 50) ? "p" : "q";
            if (each || i == 0) {
                say(q, "%s'event.%s'", i == 0 ? "" : ",", f->hold[i]);
            }
        }
        say(q, "%s", each ? "]" : "");
    }
}

static void random_groups(dice *d, query *q, oracle_funnel *f) {
    switch (throw(d, 6)) {
    case 0:
        f->by = ORACLE_BY_USER;
        say(q, ",'by':['user.g']");
        return;
    case 1:
        f->by = ORACLE_BY_EVENT;
        say(q, ",'by':['event.q']");
        return;
    case 2:
        f->by = ORACLE_BY_STEP;
        f->by_step = 1 + (int) throw(d, (uint32_t)f->step_count);
        say(q, ",'by':['event.q@%d']", f->by_step);
        return;
    default:
        return;
    }
}

/* The plain walk has its share, too: it is the one that people use. */
static void simplify(dice *d, query *q, oracle_funnel *f) {
    f->window_ms = (1 + throw(d, 8)) * (int64_t)SLOT_MS;
    f->step_count = 2 + (int) throw(d, 3);
    f->end_at_range = chance(d, 20);
    say(q, "%s,'window':'%dh','steps':[", f->end_at_range ? ",'end':'range'" : "",
        (int)(f->window_ms / 3600000));
    uint32_t first = throw(d, NAMES);
    for (int i = 0; i < f->step_count; i++) {
        f->steps[i].names[0] = names[(first + (uint32_t)i * 2) % NAMES];
        say(q, "%s'%s'", i == 0 ? "" : ",", f->steps[i].names[0]);
    }
    say(q, "]");
    random_groups(d, q, f);
}

static void random_funnel(dice *d, query *q, oracle_funnel *f, oracle_pattern *filter) {
    *f = (oracle_funnel){ .from_ms = START_MS, .to_ms = START_MS + DAYS * 4 * (int64_t)SLOT_MS };
    q->len = 0;
    say(q, "{'model':'funnel','from':'2026-08-01','to':'2026-08-%02d','limit':1000", DAYS);
    if (chance(d, 25)) {
        simplify(d, q, f);
        if (chance(d, 20)) {
            *filter = (oracle_pattern){ .every = true, .where = g_is_x };
            f->filter = filter;
            say(q, ",'audience':'user.g = \\\"x\\\"'");
        }
    } else {
        random_words(d, q, f);
        random_steps(d, q, f);
        random_conditions(d, q, f);
        random_groups(d, q, f);
        say_filter(d, q, filter, &f->filter);
    }
}

static void random_event(dice *d, query *q, oracle_event *e, oracle_pattern *filter) {
    static const char *const measures[] = {
        "'count'",           "'persons'",
        "'per_person'",      "{'sum':'event.p'}",
        "{'avg':'event.p'}", "{'min':'event.p'}",
        "{'max':'event.p'}", "{'median':'event.p'}",
        "{'p90':'event.p'}", "{'distinct':'event.p'}",
    };
    *e = (oracle_event){ .from_ms = START_MS, .to_ms = START_MS + DAYS * 4 * (int64_t)SLOT_MS };
    q->len = 0;
    say(q, "{'model':'event','from':'2026-08-01','to':'2026-08-%02d','limit':1000,'series':[",
        DAYS);
    e->series_count = 1 + (int) throw(d, 2);
    for (int i = 0; i < e->series_count; i++) {
        e->on[i] = random_pattern(d, 10);
        e->measures[i] = throw(d, 10);
        say(q, "%s{'name':'s%d','measure':%s,'on':{", i == 0 ? "" : ",", i,
            measures[e->measures[i]]);
        say_event(q, &e->on[i]);
        say(q, "}}");
    }
    say(q, "]");
    e->by_day = chance(d, 60);
    say(q, "%s", e->by_day ? ",'unit':'day'" : "");
    if (e->by_day && chance(d, 30)) {
        e->cumulative = true;
        say(q, ",'cumulative':true");
    } else if (e->by_day && chance(d, 20)) {
        e->moving = 2;
        say(q, ",'moving_average':2");
    }
    e->by = throw(d, 3);
    say(q, "%s",
        e->by == ORACLE_BY_USER    ? ",'by':['user.g']"
        : e->by == ORACLE_BY_EVENT ? ",'by':['event.q']"
                                   : "");
    say_filter(d, q, filter, &e->filter);
}

/* --- comparing --- */

static void read_row(const json_t *row, int values, oracle_row *to) {
    size_t size = json_array_size(row);
    size_t used = 0;
    *to = (oracle_row){ .value_count = values };
    for (size_t i = 0; i + (size_t)values < size; i++) {
        char *cell = json_dumps(json_array_get(row, i), JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
        int length = snprintf(to->key + used, sizeof to->key - used, "%s,", cell);
        free(cell);
        assert_true(length > 0 && used + (size_t)length < sizeof to->key);
        used += (size_t)length;
    }
    for (int i = 0; i < values; i++) {
        const json_t *cell = json_array_get(row, size - (size_t)values + (size_t)i);
        to->values[i] = json_is_null(cell) ? (double)NAN : json_number_value(cell);
    }
}

static bool same_row(const oracle_row *a, const oracle_row *b) {
    bool same = strcmp(a->key, b->key) == 0 && a->value_count == b->value_count;
    for (int i = 0; same && i < a->value_count; i++) {
        double x = a->values[i];
        double y = b->values[i];
        same = isnan(x) || isnan(y) ? isnan(x) && isnan(y) : fabs(x - y) <= 1e-9 * (1 + fabs(x));
    }
    return same;
}

static int by_key(const void *a, const void *b) {
    return strcmp(((const oracle_row *)a)->key, ((const oracle_row *)b)->key);
}

static void print_row(const char *who, const oracle_row *row) {
    print_error("  %-6s %s", who, row->key);
    for (int i = 0; i < row->value_count; i++) {
        print_error(" %.12g", row->values[i]);
    }
    print_error("\n");
}

static bool same_rows(const json_t *found, oracle_row *wanted, int count) {
    oracle_row *rows = test_malloc(((size_t)count + 1) * sizeof *rows);
    bool same = json_array_size(found) == (size_t)count;
    if (!same) {
        print_error("  %zu rows instead of %d\n", json_array_size(found), count);
    }
    for (int i = 0; same && i < count; i++) {
        read_row(json_array_get(found, (size_t)i), wanted[0].value_count, &rows[i]);
    }
    if (same && count > 0) {
        qsort(rows, (size_t)count, sizeof *rows, by_key);
        qsort(wanted, (size_t)count, sizeof *wanted, by_key);
    }
    for (int i = 0; same && i < count; i++) {
        same = same_row(&rows[i], &wanted[i]);
        if (!same) {
            print_row("oracle", &wanted[i]);
            print_row("engine", &rows[i]);
        }
    }
    test_free(rows);
    return same;
}

static bool same_answer(const world *w, const json_t *found, oracle_answer *wanted) {
    if (found == NULL) {
        print_error("  no answer: %s %s: %s\n", w->problem.code, w->problem.field,
                    w->problem.detail);
        return false;
    }
    const json_t *totals = json_object_get(json_object_get(found, "totals"), "rows");
    return same_rows(json_object_get(found, "rows"), wanted->rows, wanted->count) &&
           same_rows(totals, wanted->totals, wanted->total_count);
}

/* The members of a random cell are as many as the row says. */
static bool same_members(dice *d, world *w, const query *q, const json_t *answer) {
    const json_t *rows = json_object_get(answer, "rows");
    if (json_array_size(rows) == 0) {
        return true;
    }
    const json_t *columns = json_object_get(answer, "columns");
    const json_t *row = json_array_get(rows, throw(d, (uint32_t)json_array_size(rows)));
    query asked = *q;
    asked.len--; /* the closing bracket */
    say(&asked, ",'members':{'limit':1000,'row':{");
    json_int_t persons = -1;
    bool some = false;
    for (size_t i = 0; persons < 0; i++) {
        const char *column = json_string_value(json_array_get(columns, i));
        if (strcmp(column, "persons") == 0) {
            persons = json_integer_value(json_array_get(row, i));
        } else if (strcmp(column, "name") != 0) {
            char *cell = json_dumps(json_array_get(row, i), JSON_ENCODE_ANY);
            say(&asked, "%s'%s':%s", some ? "," : "", column, cell);
            free(cell);
            some = true;
        }
    }
    say(&asked, "}}}");
    json_t *members = world_ask(w, asked.text);
    bool same =
        members != NULL && json_array_size(json_object_get(members, "rows")) == (size_t)persons;
    if (!same) {
        print_error("  members: not %d: %s\n", (int)persons, asked.text);
    }
    json_decref(members);
    return same;
}

static bool one_funnel(uint64_t seed) {
    dice d = { seed };
    world w;
    query q;
    oracle_funnel question;
    oracle_pattern filter = { .every = true };
    oracle_answer *wanted = malloc(sizeof *wanted);
    random_world(&d, &w);
    random_funnel(&d, &q, &question, &filter);
    say(&q, "}");
    json_t *found = world_ask(&w, q.text);
    oracle_funnel_ask(&w, &question, wanted);
    bool same =
        same_answer(&w, found, wanted) && (!chance(&d, 20) || same_members(&d, &w, &q, found));
    if (!same) {
        print_error("  CAIRN_SEED=%llu funnel\n  %s\n", (unsigned long long)seed, q.text);
    }
    json_decref(found);
    free(wanted);
    world_close(&w);
    return same;
}

static bool one_event(uint64_t seed) {
    dice d = { seed };
    world w;
    query q;
    oracle_event question;
    oracle_pattern filter = { .every = true };
    oracle_answer *wanted = malloc(sizeof *wanted);
    random_world(&d, &w);
    random_event(&d, &q, &question, &filter);
    say(&q, "}");
    json_t *found = world_ask(&w, q.text);
    oracle_event_ask(&w, &question, wanted);
    bool same = same_answer(&w, found, wanted);
    if (!same) {
        print_error("  CAIRN_SEED=%llu event\n  %s\n", (unsigned long long)seed, q.text);
    }
    json_decref(found);
    free(wanted);
    world_close(&w);
    return same;
}

static void run_all(bool (*one)(uint64_t seed), uint64_t first, uint64_t count) {
    const char *seed = getenv("CAIRN_SEED");
    if (seed != NULL) {
        assert_true(one(strtoull(seed, NULL, 10)));
        return;
    }
    for (uint64_t i = 0; i < count; i++) {
        assert_true(one(first + i));
    }
}

static void funnels_are_what_the_oracle_says(void **state) {
    const uint64_t *count = *state;
    run_all(one_funnel, 1000000, *count);
}

static void events_are_what_the_oracle_says(void **state) {
    const uint64_t *count = *state;
    run_all(one_event, 2000000, *count);
}

/* The number of queries per model may be given. */
int main(int argc, char **argv) {
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : QUERIES;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(funnels_are_what_the_oracle_says, &count),
        cmocka_unit_test_prestate(events_are_what_the_oracle_says, &count),
    };
    return cmocka_run_group_tests_name("oracle/random", tests, NULL, NULL);
}
