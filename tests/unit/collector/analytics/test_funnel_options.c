/* Goal: what a funnel's answer looks like under each option: columns, groups, members, sides.
 * Method: four persons whose ways are known; the numbers themselves are the oracle's business. */
#include <string.h>

#include "support/cmocka_all.h"
#include "world.h"

#define START_MS INT64_C(1785542400000) /* 2026-08-01T00:00:00Z */
#define HOUR_MS INT64_C(3600000)
#define FUNNEL "{'model':'funnel','from':'2026-08-01','to':'2026-08-02','window':'1d'"
#define VCP ",'steps':['view','cart','pay']"

static void act(world *w, uint32_t person, int64_t hour, const char *name, const char *channel) {
    world_event *event = world_add(w, person, START_MS + hour * HOUR_MS, name);
    world_text(w, event, "channel", channel);
    world_integer(event, "amount", hour * 10);
}

/* 0 pays, 1 puts into the cart, 2 only looks, 3 looks on the second day and pays on the third. */
static int shop(void **state) {
    static world w;
    world_open(&w);
    act(&w, 0, 1, "view", "web");
    act(&w, 0, 2, "cart", "app");
    act(&w, 0, 5, "pay", "app");
    act(&w, 1, 1, "view", "web");
    act(&w, 1, 3, "cart", "web");
    act(&w, 2, 4, "view", "app");
    act(&w, 3, 40, "view", "app");
    act(&w, 3, 41, "cart", "app");
    act(&w, 3, 50, "pay", "app");
    world_text(&w, world_person(&w, 0), "city", "Beijing");
    world_text(&w, world_person(&w, 1), "city", "Beijing");
    world_integer(world_person(&w, 3), "vip", 3);
    *state = &w;
    return 0;
}

static int close_shop(void **state) {
    world_close(*state);
    return 0;
}

static void the_plain_answer_has_one_row_per_step(void **state) {
    json_t *answer = world_ask(*state, FUNNEL VCP "}");
    assert_non_null(answer);
    world_expect(answer, "model", "'funnel'");
    world_expect(answer, "range",
                 "{'from':'2026-08-01T00:00:00.000Z','before':'2026-08-03T00:00:00.000Z',"
                 "'timezone':'UTC'}");
    world_expect(answer, "columns", "['step','name','persons','conversion','total']");
    world_expect(answer, "rows",
                 "[[1,'view',4,1,1],[2,'cart',3,0.75,0.75],[3,'pay',2,0.6666666666666666,0.5]]");
    world_expect(answer, "stats", "{'events_read':9,'persons_read':4,'ms':0}");
    json_decref(answer);
}

static void nobody_is_rows_of_zeros(void **state) {
    world_rows(*state, FUNNEL ",'steps':['nothing','cart']}",
               "[[1,'nothing',0,null,null],[2,'cart',0,null,null]]");
}

static void later_steps_may_fall_after_the_range_unless_it_ends_them(void **state) {
    world_rows(*state, FUNNEL ",'end':'range'" VCP "}",
               "[[1,'view',4,1,1],[2,'cart',3,0.75,0.75],[3,'pay',1,0.3333333333333333,0.25]]");
}

static void times_have_percentiles_and_a_histogram(void **state) {
    json_t *answer = world_ask(*state, FUNNEL ",'times':true" VCP "}");
    assert_non_null(answer);
    world_expect(
        answer, "columns",
        "['step','name','persons','conversion','total','median_s','p75_s','p90_s','mean_s']");
    world_expect(answer, "rows",
                 "[[1,'view',4,1,1,null,null,null,null],"
                 "[2,'cart',3,0.75,0.75,3600,5400,6480,4800],"
                 "[3,'pay',2,0.6666666666666666,0.5,21600,27000,30240,21600]]");
    world_expect(answer, "histogram",
                 "[{'edges_s':[0,1,10,60,600,3600,21600,86400,259200,604800,2592000],"
                 "'conversions':[0,0,0,0,0,1,1,0,0,0,0]}]");
    json_decref(answer);
}

static void every_entry_is_counted_beside_its_person(void **state) {
    world *w = *state;
    act(w, 2, 5, "view", "app");
    act(w, 2, 6, "cart", "app");
    json_t *answer = world_ask(w, FUNNEL ",'entry':'every'" VCP "}");
    assert_non_null(answer);
    world_expect(answer, "columns", "['step','name','persons','entries','conversion','total']");
    world_expect(answer, "rows", "[[1,'view',4,5,1,1],[2,'cart',4,5,1,1],[3,'pay',2,2,0.4,0.4]]");
    json_decref(answer);
}

static void groups_by_person_step_and_value(void **state) {
    world_rows(*state, FUNNEL ",'by':['user.city'],'steps':['view','pay']}",
               "[['Beijing',1,'view',2,1,1],['Beijing',2,'pay',1,0.5,0.5],"
               "[null,1,'view',2,1,1],[null,2,'pay',1,0.5,0.5]]");
    world_rows(*state, FUNNEL ",'by':['event.channel@2'],'steps':['view','cart']}",
               "[['app',1,'view',2,1,1],['app',2,'cart',2,1,1],"
               "['web',1,'view',1,1,1],['web',2,'cart',1,1,1],"
               "[null,1,'view',1,1,1],[null,2,'cart',0,0,0]]");
    /* Without a step, every value is a funnel of its own events: person 0 changes channel. */
    json_t *answer = world_ask(*state, FUNNEL ",'by':['event.channel'],'steps':['view','cart']}");
    assert_non_null(answer);
    world_expect(answer, "rows",
                 "[['app',1,'view',2,1,1],['app',2,'cart',1,0.5,0.5],"
                 "['web',1,'view',2,1,1],['web',2,'cart',1,0.5,0.5]]");
    world_expect(answer, "totals.rows", "[[1,'view',4,1,1],[2,'cart',3,0.75,0.75]]");
    json_decref(answer);
    world_rows(*state, FUNNEL ",'by':[{'bins':[40],'of':'event.amount'}],'steps':['view','cart']}",
               "[['<40',1,'view',2,1,1],['<40',2,'cart',2,1,1],"
               "['>=40',1,'view',2,1,1],['>=40',2,'cart',1,0.5,0.5]]");
}

static void the_limit_keeps_the_largest_groups_and_the_totals(void **state) {
    json_t *answer = world_ask(*state, FUNNEL ",'limit':1,'by':['event.channel@2'],"
                                              "'steps':['view','cart']}");
    assert_non_null(answer);
    world_expect(answer, "rows", "[['app',1,'view',2,1,1],['app',2,'cart',2,1,1]]");
    world_expect(answer, "totals.rows", "[[1,'view',4,1,1],[2,'cart',3,0.75,0.75]]");
    world_expect(answer, "stats.groups", "3");
    world_expect(answer, "stats.groups_shown", "1");
    json_decref(answer);
}

static void members_are_who_reached_or_dropped(void **state) {
    world *w = *state;
    world_rows(w, FUNNEL VCP ",'members':{'row':{'step':2}}}", "[[0],[1],[3]]");
    world_rows(w, FUNNEL VCP ",'members':{'row':{'step':2},'dropped':true}}", "[[1]]");
    world_rows(w, FUNNEL VCP ",'members':{'row':{'step':2},'limit':2}}", "[[0],[1]]");
    world_rows(w, FUNNEL VCP ",'members':{'row':{'step':2},'limit':2,'after':1}}", "[[3]]");
    world_rows(w, FUNNEL VCP ",'by':['event.channel'],'members':{'row':{'event.channel':'app'}}}",
               "[[2],[3]]");
    world_rows(w,
               FUNNEL VCP ",'by':['user.city'],'unit':'day','members':{'row':{'user.city':null,"
                          "'day':'2026-08-02','step':3}}}",
               "[[3]]");
    json_t *answer = world_ask(w, FUNNEL VCP ",'entry':'every','members':{'limit':4}}");
    assert_non_null(answer);
    world_expect(answer, "rows", "[[0],[1],[2],[3]]");
    world_expect(answer, "next", "null");
    json_decref(answer);
}

static void names_of_steps_are_yours_or_their_events(void **state) {
    world_rows(*state,
               FUNNEL ",'steps':[{'event':['view','look'],'name':'interest'},['cart','pay'],"
                      "{'event':'*'}]}",
               "[[1,'interest',4,1,1],[2,'cart | pay',3,0.75,0.75],"
               "[3,'*',2,0.6666666666666666,0.5]]");
    world_rows(*state, FUNNEL ",'order':'any','steps':['pay','view']}",
               "[[1,'any 1',4,1,1],[2,'any 2',2,0.5,0.5]]");
}

static void where_filter_and_audience_say_who_and_which(void **state) {
    world *w = *state;
    world_rows(w, FUNNEL ",'steps':['view',{'event':'cart','where':'amount > 25'}]}",
               "[[1,'view',4,1,1],[2,'cart',2,0.5,0.5]]");
    world_rows(w,
               FUNNEL ",'steps':['view',{'event':'cart','where':'event.amount > 25 and "
                      "user.city = \\\"Beijing\\\"'}]}",
               "[[1,'view',4,1,1],[2,'cart',1,0.25,0.25]]");
    world_rows(w, FUNNEL ",'filter':'event.channel = \\\"app\\\"','steps':['view','cart']}",
               "[[1,'view',2,1,1],[2,'cart',1,0.5,0.5]]");
    world_rows(w, FUNNEL ",'filter':'user.city = \\\"Beijing\\\"','steps':['view','pay']}",
               "[[1,'view',2,1,1],[2,'pay',1,0.5,0.5]]");
    world_rows(w, FUNNEL ",'audience':'user.vip >= 3','steps':['view','pay']}",
               "[[1,'view',1,1,1],[2,'pay',1,1,1]]");
    world_rows(w, FUNNEL ",'audience':'user.vip is not set','steps':['view','pay']}",
               "[[1,'view',3,1,1],[2,'pay',1,0.3333333333333333,0.3333333333333333]]");
}

static void a_wrong_rule_is_shown_where_it_is_wrong(void **state) {
    world *w = *state;
    world_problem(w, FUNNEL ",'steps':['view',{'event':'cart','where':'amount >'}]}",
                  "rule_invalid", "steps[1].where", "event.amount > 100");
    assert_non_null(strstr(w->problem.detail, "column"));
    world_problem(w, FUNNEL VCP ",'audience':'event.amount > 1'}", "rule_invalid", "audience",
                  "user.vip_level");
    world_problem(w, FUNNEL VCP ",'filter':'tag.gold = 1'}", "rule_invalid", "filter", "");
    world_problem(w, FUNNEL VCP ",'filter':'count(view, last 7 days) > 1'}", "rule_invalid",
                  "filter", "");
}

static void two_filters_stand_side_by_side(void **state) {
    json_t *answer =
        world_ask(*state, FUNNEL
                  ",'steps':['view','pay'],'times':true,'compare':{'filters':["
                  "'user.city = \\\"Beijing\\\"','user.city is not set'],'names':['b','no']}}");
    assert_non_null(answer);
    world_expect(answer, "rows",
                 "[['b',1,'view',2,1,1,null,null,null,null],"
                 "['b',2,'pay',1,0.5,0.5,14400,14400,14400,14400],"
                 "['no',1,'view',2,1,1,null,null,null,null],"
                 "['no',2,'pay',1,0.5,0.5,36000,36000,36000,36000]]");
    world_expect(answer, "totals.columns",
                 "['compare','step','name','persons','conversion','total','median_s','p75_s',"
                 "'p90_s','mean_s']");
    assert_int_equal(json_array_size(json_object_get(answer, "histogram")), 2);
    json_decref(answer);
    world_rows(*state,
               FUNNEL ",'steps':['view','pay'],'compare':{'filters':['user.city = \\\"Beijing\\\"',"
                      "'user.city is not set'],'names':['b','no']},'members':{'row':{'compare':"
                      "'no','step':2}}}",
               "[[3]]");
}

static void a_step_may_hold_another_property(void **state) {
    world *w = *state;
    world_text(w, &w->events[0], "item", "i1");
    world_text(w, &w->events[1], "sku", "i1");
    world_rows(w, FUNNEL ",'hold':['event.item','event.sku'],'steps':['view','cart']}",
               "[[1,'view',1,1,1],[2,'cart',1,1,1]]");
    world_rows(w, FUNNEL ",'hold':'event.item','steps':['view','cart']}",
               "[[1,'view',1,1,1],[2,'cart',0,0,0]]");
}

static void a_step_may_have_its_own_window(void **state) {
    world_rows(*state, FUNNEL ",'steps':['view','cart',{'event':'pay','within':'3h'}]}",
               "[[1,'view',4,1,1],[2,'cart',3,0.75,0.75],[3,'pay',1,0.3333333333333333,0.25]]");
}

#define SHOP(test) cmocka_unit_test_setup_teardown(test, shop, close_shop)

int main(void) {
    const struct CMUnitTest tests[] = {
        SHOP(the_plain_answer_has_one_row_per_step),
        SHOP(nobody_is_rows_of_zeros),
        SHOP(later_steps_may_fall_after_the_range_unless_it_ends_them),
        SHOP(times_have_percentiles_and_a_histogram),
        SHOP(every_entry_is_counted_beside_its_person),
        SHOP(groups_by_person_step_and_value),
        SHOP(the_limit_keeps_the_largest_groups_and_the_totals),
        SHOP(members_are_who_reached_or_dropped),
        SHOP(names_of_steps_are_yours_or_their_events),
        SHOP(where_filter_and_audience_say_who_and_which),
        SHOP(a_wrong_rule_is_shown_where_it_is_wrong),
        SHOP(two_filters_stand_side_by_side),
        SHOP(a_step_may_hold_another_property),
        SHOP(a_step_may_have_its_own_window),
    };
    return cmocka_run_group_tests_name("collector/analytics/funnel_options", tests, NULL, NULL);
}
