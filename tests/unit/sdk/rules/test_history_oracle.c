/* Goal: a function over a history means what docs/RULES.md says, for any rule, history and moment,
 * and its value holds for as long as it says. Method: random cases (history_gen) around moments at
 * which clocks do odd things; a slow evaluator that tries everything (history_oracle) must agree on
 * the value, on the rule's answer, and at moments until which the value is said to hold; leaving
 * out what does not matter changes nothing; knowing more only settles what was unknown. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "history_oracle.h"
#include "history_person.h"
#include "support/cmocka_all.h"

enum { CASES_OF_PLACE = 7000, SPACES = 255 & ~CAIRN__RULE_ROW, SLOTS_MAX = 8 };

typedef struct place {
    history_clock zone, user_zone;
    cairn__arena arena;
} place;

typedef struct asked {
    const gen_case *of;
    cairn__query_moment when;
    cairn__arena arena, scratch;
    long answers[3]; /* false, true, unknown */
    long chains;     /* sequences that were found */
} asked;

static void wrong(const gen_case *of, const char *text, const char *what) {
    cairn__buffer json = cairn__buffer_make(cairn__heap(), 1 << 20);
    history_gen_json(of, "?", &json);
    print_error("%s: %s\nseed %" PRIu64 ": %.*s", text, what, of->seed, (int)json.len,
                (const char *)json.data);
    cairn__buffer_free(&json);
    fail();
}

static cairn_status compile(asked *a, const char *text, cairn__rule *rule) {
    cairn__rule_fault fault;
    const cairn__rule_source source = { cairn__span_of(text), SPACES, 0, &a->arena, &fault };
    cairn_status status = cairn__rule_compile(&source, rule);
    if (status != CAIRN_OK) {
        print_error("%s: %u:%u %s\n", text, fault.line, fault.column, fault.text);
    }
    return status;
}

/* The query of a function alone. */
static const cairn__query *load(asked *a, const gen_query *from, char text[GEN_TEXT_BYTES]) {
    cairn__rule rule;
    const cairn__query *query = NULL;
    char whole[GEN_TEXT_BYTES + 8];
    history_gen_query_text(from, text);
    bool truth = from->kind == GEN_DID || from->kind == GEN_SEQUENCE || from->kind == GEN_MEMBER;
    (void)snprintf(whole, sizeof whole, "%s%s", text, truth ? "" : " is set");
    assert_int_equal(compile(a, whole, &rule), CAIRN_OK);
    assert_int_equal(rule.slot_count, 1);
    assert_int_equal(cairn__query_load(rule.slots[0].name, &a->arena, &query), CAIRN_OK);
    return query;
}

static cairn_value evaluate(asked *a, const cairn__query *query, person *p, int64_t *until_ms) {
    cairn__history history = person_history(p, a->of->complete_from_ms);
    return cairn__query_evaluate(query, &a->when, &history, &a->scratch, until_ms);
}

/* --- one function ---------------------------------------------------------------------------- */

static void check_value(asked *a, const gen_query *from, const cairn__query *query,
                        const char *text) {
    person all = { a->of->events, (size_t)a->of->event_count, 0 };
    int64_t until_ms = 0;
    cairn_value got = evaluate(a, query, &all, &until_ms);
    cairn_value want = history_oracle_value(a->of, from, a->of->now_ms);
    if (!history_oracle_same(&got, &want)) {
        wrong(a->of, text, "another value than the oracle's");
    }
    if (until_ms <= a->of->now_ms) {
        wrong(a->of, text, "does not even hold now");
    }
    a->chains += from->kind == GEN_SEQUENCE && got.kind == CAIRN_VALUE_BOOLEAN && got.as.boolean;
    uint64_t seed = a->of->seed;
    int64_t last_ms = a->of->now_ms + 40 * INT64_C(86400000);
    last_ms = until_ms - 1 < last_ms ? until_ms - 1 : last_ms;
    for (int i = 0; i < 4; i++) {
        seed = cairn__mix(seed + 1);
        int64_t span = last_ms - a->of->now_ms + 1;
        int64_t at = i == 0 ? last_ms : a->of->now_ms + (int64_t)(seed >> 1) % span;
        want = history_oracle_value(a->of, from, at);
        if (!history_oracle_same(&got, &want)) {
            wrong(a->of, text, "changes before it says so");
        }
    }
}

/* Only events that it takes, and whose time can matter: the same value for as long. */
static void check_leaving_out(asked *a, const cairn__query *query, const char *text) {
    cairn__event some[GEN_EVENTS_MAX];
    person all = { a->of->events, (size_t)a->of->event_count, 0 };
    person few = { some, 0, 0 };
    cairn__query_times times = cairn__query_window(query, &a->when);
    for (size_t i = 0; i < all.count; i++) {
        cairn_value value;
        const cairn__event *event = &all.events[i];
        if (event->time_ms >= times.from_ms && event->time_ms < times.to_ms &&
            cairn__query_takes(query, &a->when, event, &value)) {
            some[few.count++] = *event;
        }
    }
    int64_t until_all = 0;
    int64_t until_few = 0;
    cairn_value one = evaluate(a, query, &all, &until_all);
    cairn_value other = evaluate(a, query, &few, &until_few);
    if (!history_oracle_same(&one, &other) || until_all != until_few) {
        wrong(a->of, text, "another value without what it does not take");
    }
}

/* All is there; then some of what came before complete_from is not. */
static void check_knowing_more(asked *a, const cairn__query *query, const char *text) {
    cairn__event some[GEN_EVENTS_MAX];
    person all = { a->of->events, (size_t)a->of->event_count, 0 };
    person few = { some, 0, 0 };
    for (size_t i = 0; i < all.count; i++) {
        if (all.events[i].time_ms >= a->of->complete_from_ms ||
            (cairn__mix(a->of->seed + i) & 1) != 0) {
            some[few.count++] = all.events[i];
        }
    }
    int64_t until_ms = 0;
    cairn__history whole = person_history(&all, INT64_MIN);
    cairn_value more = cairn__query_evaluate(query, &a->when, &whole, &a->scratch, &until_ms);
    cairn_value less = evaluate(a, query, &few, &until_ms);
    if ((int)less.kind != ORACLE_UNKNOWN_KIND && !history_oracle_same(&more, &less)) {
        wrong(a->of, text, "knew something that was not so");
    }
}

/* --- the whole rule -------------------------------------------------------------------------- */

static void check_rule(asked *a) {
    static const char *const answers[] = { "false", "true", "unknown" };
    char text[GEN_TEXT_BYTES];
    cairn__rule rule;
    cairn_value values[SLOTS_MAX];
    history_gen_rule_text(&a->of->rule, text);
    assert_int_equal(compile(a, text, &rule), CAIRN_OK);
    assert_true(rule.slot_count <= SLOTS_MAX);
    for (size_t i = 0; i < rule.slot_count; i++) {
        const cairn__query *query = NULL;
        person all = { a->of->events, (size_t)a->of->event_count, 0 };
        int64_t until_ms = 0;
        assert_int_equal(cairn__query_load(rule.slots[i].name, &a->arena, &query), CAIRN_OK);
        values[i] = evaluate(a, query, &all, &until_ms);
    }
    cairn__rule_answer got = cairn__rule_evaluate(&rule, values, a->when.now_ms, a->of->zone->zone);
    a->answers[got] += 1;
    if (strcmp(answers[got], history_oracle_answer(a->of, a->when.now_ms)) != 0) {
        wrong(a->of, text, answers[got]);
    }
}

static void check_case(asked *a) {
    char text[GEN_TEXT_BYTES];
    bool utc = strcmp(a->of->zone->name, "UTC") == 0; /* as none at all */
    a->when = (cairn__query_moment){ a->of->now_ms, utc ? NULL : a->of->zone->zone,
                                     a->of->user_zone->zone };
    for (int i = 0; i < a->of->rule.count; i++) {
        const gen_query *from = &a->of->rule.tests[i].query;
        const cairn__query *query = load(a, from, text);
        check_value(a, from, query, text);
        check_leaving_out(a, query, text);
        check_knowing_more(a, query, text);
    }
    check_rule(a);
    cairn__arena_reset(&a->arena);
    cairn__arena_reset(&a->scratch);
}

static void check_place(const history_place *at, uint64_t first_seed) {
    static place here;
    static gen_case made;
    here.arena = cairn__arena_make(cairn__heap(), PERSON_ARENA_BYTES);
    bool good = history_clock_open(&here.zone, at->zone, at->base_ms, &here.arena) &&
                history_clock_open(&here.user_zone, at->user_zone, at->base_ms, &here.arena);
    if (!good) {
        print_message("%s, %s: not in /usr/share/zoneinfo, skipped\n", at->zone, at->user_zone);
        cairn__arena_free(&here.arena);
        return;
    }
    asked a = { .of = &made,
                .arena = cairn__arena_make(cairn__heap(), PERSON_ARENA_BYTES),
                .scratch = cairn__arena_make(cairn__heap(), PERSON_ARENA_BYTES) };
    for (uint64_t i = 0; i < CASES_OF_PLACE; i++) {
        history_gen_make(&made, first_seed + i, &here.zone, &here.user_zone);
        check_case(&a);
    }
    for (int i = 0; i < 3; i++) { /* not all of one kind */
        assert_true(a.answers[i] > CASES_OF_PLACE / 20);
    }
    assert_true(a.chains > CASES_OF_PLACE / 50);
    cairn__arena_free(&a.arena);
    cairn__arena_free(&a.scratch);
    cairn__arena_free(&here.arena);
}

static void random_rules_over_random_histories(void **state) {
    (void)state;
    const char *seed = getenv("CAIRN_SEED"); /* another run of seeds, by hand */
    uint64_t first_seed = seed == NULL ? 1 : strtoull(seed, NULL, 10);
    for (size_t i = 0; i < HISTORY_PLACES; i++) {
        check_place(&history_places[i], first_seed + i * CASES_OF_PLACE);
    }
}

/* What others are fed does not change from run to run. */
static void the_same_seed_is_the_same_case(void **state) {
    (void)state;
    static history_clock clock;
    static gen_case made;
    cairn__arena arena = cairn__arena_make(cairn__heap(), PERSON_ARENA_BYTES);
    cairn__buffer lines[3];
    for (uint64_t i = 0; i < 3; i++) {
        lines[i] = cairn__buffer_make(cairn__heap(), 1 << 20);
        assert_true(history_clock_open(&clock, "UTC", history_places[0].base_ms, &arena));
        for (uint64_t seed = 0; seed < 50; seed++) {
            history_gen_make(&made, i / 2 * 50 + seed, &clock, &clock);
            history_gen_json(&made, history_oracle_answer(&made, made.now_ms), &lines[i]);
        }
        assert_false(lines[i].failed);
    }
    assert_true(cairn__span_equal(cairn__buffer_span(&lines[0]), cairn__buffer_span(&lines[1])));
    assert_false(cairn__span_equal(cairn__buffer_span(&lines[0]), cairn__buffer_span(&lines[2])));
    for (int i = 0; i < 3; i++) {
        cairn__buffer_free(&lines[i]);
    }
    cairn__arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_rules_over_random_histories),
        cmocka_unit_test(the_same_seed_is_the_same_case),
    };
    return cmocka_run_group_tests_name("sdk/rules/history_oracle", tests, NULL, NULL);
}
