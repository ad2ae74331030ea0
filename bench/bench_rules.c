/* bench_rules: what a rule costs to evaluate, and a function over the history per event, each
 * beside a plain loop in the same run that does the least that could give the answer. One JSON line
 * per measurement, the best of nine rounds.
 *
 *   bench_rules [rounds]      20,000 evaluations and 500 walks over 4,000 events by default */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "rules/history.h"

enum { ARENA_BYTES = 1 << 24, EVENTS = 4000, REPEATS = 9, EVALUATIONS = 20000, WALKS = 500 };

typedef struct person {
    cairn__event events[EVENTS];
    cairn_property properties[EVENTS];
    size_t at;
} person;

static const int64_t now_ms = 1795514400000;

static double now_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void fail(const char *what) {
    (void)fprintf(stderr, "bench_rules: %s\n", what);
    exit(1);
}

static cairn__rule compile(const char *text, cairn__arena *arena) {
    cairn__rule rule;
    cairn__rule_fault fault;
    const cairn__rule_source source = { cairn__span_of(text),
                                        CAIRN__RULE_USER | CAIRN__RULE_TAG | CAIRN__RULE_QUERY, 0,
                                        arena, &fault };
    if (cairn__rule_compile(&source, &rule) != CAIRN_OK) {
        fail(fault.text);
    }
    return rule;
}

/* --- rules over properties ------------------------------------------------------------------- */

static bool plain_rule(const cairn_value *v) {
    return v[0].as.integer >= 18 && v[1].as.number > 2.5 &&
           cairn__span_equal(v[2].as.string, CAIRN_STR("Beijing")) && v[3].as.integer < 100 &&
           v[4].as.integer != 7 && !v[5].as.boolean;
}

static void measure_scalar(long rounds) {
    cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    cairn__rule rule =
        compile("user.age >= 18 and user.score > 2.5 and user.city = \"Beijing\" and "
                "user.visits < 100 and user.level != 7 and not user.banned",
                &arena);
    cairn_value values[] = {
        { .kind = CAIRN_VALUE_INTEGER, .as.integer = 30 },
        { .kind = CAIRN_VALUE_NUMBER, .as.number = 3.5 },
        { .kind = CAIRN_VALUE_STRING, .as.string = CAIRN_STR("Beijing") },
        { .kind = CAIRN_VALUE_INTEGER, .as.integer = 3 },
        { .kind = CAIRN_VALUE_INTEGER, .as.integer = 1 },
        { .kind = CAIRN_VALUE_BOOLEAN, .as.boolean = false },
    };
    double best = 1e18;
    double plain = 1e18;
    volatile long held = 0;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        double from = now_ns();
        for (long i = 0; i < rounds; i++) {
            values[3].as.integer = i & 1;
            held += cairn__rule_evaluate(&rule, values, now_ms, NULL) == CAIRN__RULE_TRUE;
        }
        double middle = now_ns();
        for (long i = 0; i < rounds; i++) {
            values[3].as.integer = i & 1;
            held += plain_rule(values);
        }
        double end = now_ns();
        best = middle - from < best ? middle - from : best;
        plain = end - middle < plain ? end - middle : plain;
    }
    if (held != 2 * (long)REPEATS * rounds) {
        fail("a rule that holds does not");
    }
    printf("{\"name\":\"rule\",\"ns\":%.1f,\"ns_per_node\":%.2f,\"plain_ns\":%.1f,\"nodes\":%u}\n",
           best / (double)rounds, best / (double)rounds / rule.cost, plain / (double)rounds,
           (unsigned)rule.cost);
    cairn__arena_free(&arena);
}

/* --- functions over the history -------------------------------------------------------------- */

static const cairn__event *next(void *context) {
    person *p = context;
    return p->at < EVENTS ? &p->events[p->at++] : NULL;
}

/* One event in ten is a purchase, the others are views of three kinds; 90 days. */
static void make_person(person *p) {
    static const char *const names[] = { "view_item", "view_list", "app_open" };
    const int64_t step_ms = 90 * INT64_C(86400000) / EVENTS;
    for (size_t i = 0; i < EVENTS; i++) {
        p->properties[i] =
            (cairn_property){ CAIRN_STR("amount"),
                              { .kind = CAIRN_VALUE_INTEGER, .as.integer = (int64_t)(i % 500) } };
        p->events[i] = (cairn__event){ .name = i % 10 == 9 ? CAIRN_STR("purchase")
                                                           : cairn__span_of(names[i % 3]),
                                       .time_ms = now_ms - (int64_t)(EVENTS - i) * step_ms,
                                       .properties = &p->properties[i],
                                       .property_count = 1 };
    }
}

static double walk_plainly(person *p, long rounds) {
    volatile size_t count = 0;
    double from = now_ns();
    for (long i = 0; i < rounds; i++) {
        cairn__history history = { next, p, INT64_MIN };
        const cairn__event *event = NULL;
        p->at = 0;
        while ((event = history.next(history.context)) != NULL) {
            count += event->time_ms > now_ms;
        }
    }
    return (now_ns() - from) / (double)rounds / EVENTS;
}

static double walk(const cairn__query *query, person *p, long rounds) {
    cairn__arena scratch = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    const cairn__query_moment when = { now_ms, NULL, NULL };
    double from = now_ns();
    for (long i = 0; i < rounds; i++) {
        cairn__history history = { next, p, INT64_MIN };
        int64_t until_ms = 0;
        p->at = 0;
        cairn__arena_reset(&scratch);
        cairn_value value = cairn__query_evaluate(query, &when, &history, &scratch, &until_ms);
        if ((int)value.kind == CAIRN__RULE_VALUE_UNKNOWN) {
            fail("a whole history leaves something unknown");
        }
    }
    double ns = (now_ns() - from) / (double)rounds / EVENTS;
    cairn__arena_free(&scratch);
    return ns;
}

static void measure_history(const char *name, const char *text, person *p, long rounds) {
    cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    cairn__rule rule = compile(text, &arena);
    const cairn__query *query = NULL;
    if (cairn__query_load(rule.slots[0].name, &arena, &query) != CAIRN_OK) {
        fail("a query does not load");
    }
    double best = 1e18;
    double plain = 1e18;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        double ns = walk(query, p, rounds);
        double plain_ns = walk_plainly(p, rounds);
        best = ns < best ? ns : best;
        plain = plain_ns < plain ? plain_ns : plain;
    }
    printf("{\"name\":\"%s\",\"ns_per_event\":%.2f,\"plain_ns\":%.2f,\"events\":%d}\n", name, best,
           plain, EVENTS);
    cairn__arena_free(&arena);
}

int main(int argc, char **argv) {
    static person p;
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : EVALUATIONS;
    long walks = rounds * WALKS / EVALUATIONS + 1;
    make_person(&p);
    measure_scalar(rounds);
    measure_history("history_none", "did(refund)", &p, walks);
    measure_history("history_count", "count(purchase, last 90 days) > 1", &p, walks);
    measure_history("history_where", "count(purchase where amount > 100) > 1", &p, walks);
    measure_history("history_sum", "sum(purchase.amount, last 30 days) > 1", &p, walks);
    measure_history("history_days", "days(any event, this month) > 1", &p, walks);
    measure_history("history_distinct", "distinct(purchase.amount) > 1", &p, walks);
    measure_history("history_sequence",
                    "sequence(view_item, view_list, not app_open, refund, within 1 day)", &p,
                    walks);
    return 0;
}
