/* Goal: the worked cases F1..F17 of the definitions, by their names, and every option of a funnel.
 * Method: histories written as "A0 B10" in seconds from 2026-08-01, one person unless said. */
#include <string.h>

#include "support/cmocka_all.h"
#include "world.h"

#define START_MS INT64_C(1785542400000) /* 2026-08-01T00:00:00Z */
#define DAY_S 86400
#define AUGUST "'model':'funnel','from':'2026-08-01','to':'2026-08-31'"

static void one(world *w, const char *history) {
    world_open(w);
    world_history(w, 0, START_MS, 1000, history);
}

/* The persons of every step, as "1 1 0", of one history. */
static void reached(const char *history, const char *options, const char *wanted) {
    world w;
    one(&w, history);
    json_t *answer = world_askf(&w, "{" AUGUST ",%s}", options);
    if (answer == NULL) {
        print_error("%s: %s\n", w.problem.field, w.problem.detail);
    }
    assert_non_null(answer);
    char found[128] = { 0 };
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(answer, "rows"), index, row) {
        char number[16];
        (void)snprintf(number, sizeof number, "%s%d", index == 0 ? "" : " ",
                       (int)json_integer_value(json_array_get(row, 2)));
        strncat(found, number, sizeof found - strlen(found) - 1);
    }
    assert_string_equal(found, wanted);
    json_decref(answer);
    world_close(&w);
}

/* The seconds between the steps of the one person, from the medians: "10 10". */
static void times(const char *history, const char *options, const char *wanted) {
    world w;
    one(&w, history);
    json_t *answer = world_askf(&w, "{" AUGUST ",'times':true,%s}", options);
    assert_non_null(answer);
    char found[128] = { 0 };
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(answer, "rows"), index, row) {
        const json_t *median = json_array_get(row, 5);
        char number[32];
        if (index == 0 || json_is_null(median)) {
            continue;
        }
        (void)snprintf(number, sizeof number, "%s%g", found[0] == 0 ? "" : " ",
                       json_number_value(median));
        strncat(found, number, sizeof found - strlen(found) - 1);
    }
    assert_string_equal(found, wanted);
    json_decref(answer);
    world_close(&w);
}

#define ABC "'steps':['A','B','C']"
#define AB "'steps':['A','B']"

static void F1_three_steps_in_a_row(void **state) {
    (void)state;
    reached("A0 B10 C20", ABC ",'window':'30s'", "1 1 1");
    times("A0 B10 C20", ABC ",'window':'30s'", "10 10");
}

static void F2_a_later_start_can_still_make_it(void **state) {
    (void)state;
    reached("A0 A15 B20", AB ",'window':'10s'", "1 1");
    times("A0 A15 B20", AB ",'window':'10s'", "5");
    reached("A0 A15 B20", AB ",'window':'10s','entry':'first'", "1 0");
}

static void F3_the_window_runs_from_the_chains_own_start(void **state) {
    (void)state;
    reached("A0 B10 A100 C105", ABC ",'window':'20s'", "1 1 0");
}

static void F4_ties_in_time_keep_arrival_order(void **state) {
    (void)state;
    reached("A0 B0", AB ",'window':'10s'", "1 1");
    times("A0 B0", AB ",'window':'10s'", "0");
    reached("B0 A0", AB ",'window':'10s'", "1 0");
}

static void F5_one_event_feeds_one_step(void **state) {
    (void)state;
    reached("A0", "'steps':['A','A']", "1 0");
    reached("A0 A1", "'steps':['A','A']", "1 1");
}

static void F6_other_steps_in_between_do_no_harm(void **state) {
    (void)state;
    times("A0 B1 C2 B3 D4", "'steps':['A','B','C','D']", "1 1 2");
}

static void F7_strict_breaks_on_the_universe_only(void **state) {
    (void)state;
    reached("A0 B1 D2 C3", ABC ",'order':'strict'", "1 1 1");
    reached("A0 B1 D2 C3", ABC ",'order':'strict','between':'D'", "1 1 0");
    reached("A0 B1 D2 C3", ABC ",'order':'strict','between':'*'", "1 1 0");
}

static void F8_strict_begins_again(void **state) {
    (void)state;
    times("A0 X1 A2 B3", AB ",'order':'strict','between':['X']", "1");
}

static void F9_strict_forgives_a_repeat_of_the_step_just_made(void **state) {
    (void)state;
    reached("A0 B1 B2 C3", ABC ",'order':'strict'", "1 1 1");
}

static void F10_the_latest_start_of_the_deepest_wins(void **state) {
    (void)state;
    times("i0 s5 l10 i15 s20 i25 s30 l35 e40", "'steps':['i','s','l','e'],'window':'60s'", "5 5 5");
}

static void F11_entry_latest_and_first(void **state) {
    (void)state;
    times("A0 A5 B8", AB, "3");
    times("A0 A5 B8", AB ",'entry':'first'", "8");
}

static void F12_a_chain_keeps_its_own_steps(void **state) {
    (void)state;
    times("A0 A30 B45 C75", ABC ",'window':'60s'", "15 30");
}

static void F13_an_exclusion_stops_the_chain(void **state) {
    (void)state;
    reached("A0 X5 B10", AB ",'exclude':[{'event':'X','after':1}]", "1 0");
    times("A0 X5 A7 B10", AB ",'exclude':[{'event':'X','after':1}]", "3");
    reached("A0 X5 A7 B10", AB ",'exclude':[{'event':'X','after':1,'then':'drop person'}]", "0 0");
}

static void F14_the_same_event_for_two_steps(void **state) {
    (void)state;
    times("F0 P1 P1 P2", "'steps':['F','P','P']", "1 0");
}

static void F15_the_window_is_inclusive(void **state) {
    (void)state;
    reached("A0 B10", AB ",'window':'10s'", "1 1");
    reached("A0 B10", AB ",'window':'9s'", "1 0");
}

static void F16_every_unit_on_its_own(void **state) {
    (void)state;
    world w;
    world_open(&w);
    world_history(&w, 0, START_MS, DAY_S * 1000, "A0 A1 B1");
    json_t *answer = world_ask(&w, "{'model':'funnel','from':'2026-08-01','to':'2026-08-02',"
                                   "'steps':['A','B'],'window':'2d','unit':'day'}");
    assert_non_null(answer);
    world_expect(answer, "columns", "['day','step','name','persons','conversion','total']");
    world_expect(answer, "rows",
                 "[['2026-08-01',1,'A',1,1,1],['2026-08-01',2,'B',1,1,1],"
                 "['2026-08-02',1,'A',1,1,1],['2026-08-02',2,'B',1,1,1]]");
    world_expect(answer, "totals.rows", "[[1,'A',1,1,1],[2,'B',1,1,1]]");
    json_decref(answer);
    world_close(&w);
}

static void F17_any_order(void **state) {
    (void)state;
    reached("B0 A5", AB ",'order':'any','window':'10s'", "1 1");
    reached("B0 A15", AB ",'order':'any','window':'10s'", "1 0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(F1_three_steps_in_a_row),
        cmocka_unit_test(F2_a_later_start_can_still_make_it),
        cmocka_unit_test(F3_the_window_runs_from_the_chains_own_start),
        cmocka_unit_test(F4_ties_in_time_keep_arrival_order),
        cmocka_unit_test(F5_one_event_feeds_one_step),
        cmocka_unit_test(F6_other_steps_in_between_do_no_harm),
        cmocka_unit_test(F7_strict_breaks_on_the_universe_only),
        cmocka_unit_test(F8_strict_begins_again),
        cmocka_unit_test(F9_strict_forgives_a_repeat_of_the_step_just_made),
        cmocka_unit_test(F10_the_latest_start_of_the_deepest_wins),
        cmocka_unit_test(F11_entry_latest_and_first),
        cmocka_unit_test(F12_a_chain_keeps_its_own_steps),
        cmocka_unit_test(F13_an_exclusion_stops_the_chain),
        cmocka_unit_test(F14_the_same_event_for_two_steps),
        cmocka_unit_test(F15_the_window_is_inclusive),
        cmocka_unit_test(F16_every_unit_on_its_own),
        cmocka_unit_test(F17_any_order),
    };
    return cmocka_run_group_tests_name("collector/analytics/funnel", tests, NULL, NULL);
}
