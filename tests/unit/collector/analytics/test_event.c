/* Goal: model `event` counts what its definition says, by unit, group and side.
 * Method: a few purchases whose numbers can be added in the head. */
#include "support/cmocka_all.h"
#include "world.h"

#define START_MS INT64_C(1785542400000) /* 2026-08-01T00:00:00Z */
#define HOUR_MS INT64_C(3600000)
#define DAYS(n) (START_MS + (n)*24 * HOUR_MS)

static void buy(world *w, uint32_t person, int64_t at_ms, double amount, const char *channel) {
    world_event *event = world_add(w, person, at_ms, "purchase");
    world_number(event, "amount", amount);
    world_text(w, event, "channel", channel);
}

/* Persons 0 and 1 buy on the 1st and 3rd; person 2 only looks. */
static int shop(void **state) {
    static world w; /* the test's own; opened and closed around each */
    world_open(&w);
    buy(&w, 0, DAYS(0) + HOUR_MS, 10, "web");
    buy(&w, 0, DAYS(0) + 2 * HOUR_MS, 20, "app");
    buy(&w, 1, DAYS(0) + 3 * HOUR_MS, 5, "web");
    buy(&w, 0, DAYS(2) + HOUR_MS, 2.5, "web");
    (void)world_add(&w, 2, DAYS(1), "view");
    world_text(&w, world_person(&w, 0), "city", "Beijing");
    world_text(&w, world_person(&w, 1), "city", "Shanghai");
    w.now_ms = DAYS(3);
    *state = &w;
    return 0;
}

static int close_shop(void **state) {
    world_close(*state);
    return 0;
}

#define RANGE "'model':'event','from':'2026-08-01','to':'2026-08-03'"
#define N "{'name':'n','on':'purchase','measure':'count'}"
#define BUYERS "{'name':'buyers','on':'purchase','measure':'persons'}"
#define EACH "{'name':'each','on':'purchase','measure':'per_person'}"
#define GMV "{'name':'gmv','on':'purchase','measure':{'sum':'event.amount'}}"
#define AVG "{'name':'avg','on':'purchase','measure':{'avg':'event.amount'}}"
#define MID "{'name':'mid','on':'purchase','measure':{'median':'event.amount'}}"
#define KINDS "{'name':'kinds','on':'purchase','measure':{'distinct':'event.channel'}}"
#define PURCHASES "'on':'purchase','measure'"

static void counts_persons_and_sums_of_the_whole_range(void **state) {
    json_t *answer = world_ask(*state, "{" RANGE ",'series':[" N "," BUYERS "," EACH "," GMV
                                       ",{'name':'all','on':'*','"
                                       "measure':'count'}]}");
    assert_non_null(answer);
    world_expect(answer, "columns", "['n','buyers','each','gmv','all']");
    world_expect(answer, "rows", "[[4,2,2,37.5,5]]");
    world_expect(answer, "totals",
                 "{'columns':['n','buyers','each','gmv','all'],'rows':[[4,2,2,37.5,5]]}");
    world_expect(answer, "stats.persons_read", "3");
    world_expect(answer, "stats.ms", "0");
    json_decref(answer);
}

static void every_measure_of_a_property(void **state) {
    world_rows(*state,
               "{" RANGE ",'series':[" AVG "," MID "," KINDS ",{'name':'min'," PURCHASES
               ":{'min':'event.amount'}},"
               "{'name':'max'," PURCHASES ":{'max':'event.amount'}},"
               "{'name':'p90'," PURCHASES ":{'p90':'event.amount'}},"
               "{'name':'none'," PURCHASES ":{'sum':'event.channel'}},"
               "{'name':'nothing'," PURCHASES ":{'avg':'event.channel'}}]}",
               "[[9.375,7.5,2,2.5,20,17,0,null]]");
}

static void units_without_events_are_zero_and_totals_are_computed(void **state) {
    json_t *answer =
        world_ask(*state, "{" RANGE ",'unit':'day','series':[" N "," BUYERS "," AVG "]}");
    assert_non_null(answer);
    world_expect(answer, "columns", "['day','n','buyers','avg']");
    world_expect(answer, "rows",
                 "[['2026-08-01',3,2,11.666666666666666],['2026-08-02',0,0,null],"
                 "['2026-08-03',1,1,2.5]]");
    world_expect(answer, "totals.rows", "[[4,2,9.375]]");
    assert_null(json_object_get(answer, "group_totals"));
    json_decref(answer);
}

static void days_are_the_querys_days_in_its_zone(void **state) {
    /* 16:00 UTC is midnight in Shanghai: the last purchase lies on the 3rd there, too. */
    world_rows(*state, "{" RANGE ",'timezone':'Asia/Shanghai','unit':'day','series':[" N "]}",
               "[['2026-08-01',3],['2026-08-02',0],['2026-08-03',1]]");
    world_rows(*state, "{" RANGE ",'timezone':'America/New_York','unit':'day','series':[" N "]}",
               "[['2026-08-01',0],['2026-08-02',1],['2026-08-03',0]]");
}

static void a_day_of_23_hours_is_one_day(void **state) {
    world *w = *state;
    (void)world_add(w, 5, INT64_C(1774738800000), "dst"); /* 2026-03-28T23:00Z: the 29th */
    (void)world_add(w, 5, INT64_C(1774821599999), "dst"); /* its last millisecond */
    (void)world_add(w, 5, INT64_C(1774821600000), "dst"); /* the 30th */
    world_rows(w,
               "{'model':'event','from':'2026-03-29','to':'2026-03-30','timezone':'Europe/Berlin',"
               "'unit':'day','series':[{'name':'n','on':'dst','measure':'count'}]}",
               "[['2026-03-29',2],['2026-03-30',1]]");
    world_rows(w,
               "{'model':'event','from':'2026-03-29T00:00:00Z','to':'2026-03-29T03:00:00Z',"
               "'timezone':'Europe/Berlin','unit':'hour',"
               "'series':[{'name':'n','on':'dst','measure':'count'}]}",
               "[['2026-03-29T01:00+01:00',0],['2026-03-29T03:00+02:00',0],"
               "['2026-03-29T04:00+02:00',0]]");
}

static void groups_lead_and_the_largest_is_first(void **state) {
    json_t *answer = world_ask(*state, "{" RANGE ",'by':['user.city','event.channel'],'series':[" N
                                       "," BUYERS "]}");
    assert_non_null(answer);
    world_expect(answer, "columns", "['user.city','event.channel','n','buyers']");
    world_expect(answer, "rows",
                 "[['Beijing','web',2,1],['Beijing','app',1,1],['Shanghai','web',1,1]]");
    world_expect(answer, "totals.rows", "[[4,2]]");
    world_expect(answer, "stats.groups", "3");
    json_decref(answer);
}

static void groups_by_unit_have_their_own_totals(void **state) {
    json_t *answer = world_ask(
        *state, "{" RANGE ",'unit':'day','limit':1,'by':['event.channel'],'series':[" BUYERS "]}");
    assert_non_null(answer);
    world_expect(answer, "rows",
                 "[['2026-08-01','web',2],['2026-08-02','web',0],['2026-08-03','web',1]]");
    world_expect(answer, "group_totals",
                 "{'columns':['event.channel','buyers'],'rows':[['web',2]]}");
    world_expect(answer, "totals.rows", "[[2]]");
    world_expect(answer, "stats.groups_shown", "1");
    json_decref(answer);
}

static void groups_by_name_bins_and_time(void **state) {
    world_rows(*state,
               "{" RANGE
               ",'by':['event.$name'],'series':[{'name':'n','on':'*','measure':'count'}]}",
               "[['purchase',4],['view',1]]");
    world_rows(*state,
               "{" RANGE ",'by':[{'bins':[5,20],'of':'event.amount'}],'series':[{'name':'n',"
               "'on':'*','measure':'count'}]}",
               "[['[5,20)',2],['<5',1],['>=20',1],[null,1]]");
    world_rows(*state, "{" RANGE ",'by':[{'time':'week'}],'series':[" N "]}",
               "[['2026-07-27',3],['2026-08-03',1]]");
    world_rows(*state, "{" RANGE ",'unit':'month','series':[" N "]}", "[['2026-08-01',4]]");
    world_rows(*state, "{" RANGE ",'unit':'quarter','series':[" N "]}", "[['2026-07-01',4]]");
}

static void formulas_know_brackets_signs_and_null(void **state) {
    world_rows(
        *state,
        "{" RANGE ",'unit':'day','series':[" GMV ","
        "{'name':'f','on':'purchase','measure':{'formula':'(a "
        "- 2 * b) / -c','a':{'sum':"
        "'event.amount'},'b':'count','c':'persons'}},"
        "{'name':'share','measure':{'formula':'gmv / "
        "views','views':{'on':'view','measure':"
        "'count'}}}]}",
        "[['2026-08-01',35,-14.5,null],['2026-08-02',0,null,0],['2026-08-03',2.5,-0.5,null]]");
}

static void cumulative_persons_are_counted_once(void **state) {
    json_t *answer = world_ask(*state, "{" RANGE ",'unit':'day','cumulative':true,'series':[" N
                                       "," BUYERS "," KINDS "," MID "," EACH "]}");
    assert_non_null(answer);
    world_expect(answer, "rows",
                 "[['2026-08-01',3,2,2,10,1.5],['2026-08-02',3,2,2,10,1.5],"
                 "['2026-08-03',4,2,2,7.5,2]]");
    world_expect(answer, "totals.rows", "[[4,2,2,7.5,2]]");
    json_decref(answer);
}

static void a_moving_average_waits_for_its_units(void **state) {
    world_rows(*state, "{" RANGE ",'unit':'day','moving_average':2,'series':[" N "," AVG "]}",
               "[['2026-08-01',null,null],['2026-08-02',1.5,11.666666666666666],"
               "['2026-08-03',0.5,2.5]]");
}

static void a_comparison_with_the_period_before_stands_in_the_first_column(void **state) {
    json_t *answer =
        world_ask(*state, "{'model':'event','from':'2026-08-03','to':'2026-08-03','unit':'day',"
                          "'compare':{'shift':'-2d'},'series':[" N "]}");
    assert_non_null(answer);
    world_expect(answer, "columns", "['compare','day','n']");
    world_expect(answer, "rows", "[['current','2026-08-03',1],['-2d','2026-08-01',3]]");
    world_expect(answer, "totals", "{'columns':['compare','n'],'rows':[['current',1],['-2d',3]]}");
    json_decref(answer);
}

static void the_persons_behind_a_cell_come_in_pages(void **state) {
    world *w = *state;
    json_t *answer = world_ask(w, "{" RANGE ",'unit':'day','by':['event.channel'],'series':[" BUYERS
                                  "],'members':{'row':{'day':'2026-08-01',"
                                  "'event.channel':'web'},'limit':1}}");
    assert_non_null(answer);
    world_expect(answer, "columns", "['person']");
    world_expect(answer, "rows", "[[0]]");
    world_expect(answer, "next", "0");
    json_decref(answer);
    answer = world_ask(w, "{" RANGE ",'unit':'day','by':['event.channel'],'series':[" BUYERS
                          "],'members':{'row':{'day':'2026-08-01',"
                          "'event.channel':'web'},'limit':1,'after':0}}");
    assert_non_null(answer);
    world_expect(answer, "rows", "[[1]]");
    world_expect(answer, "next", "null");
    json_decref(answer);
    world_rows(w,
               "{" RANGE ",'series':[" BUYERS ",{'name':'lookers','on':"
               "'view','measure':'persons'}],'members':{'series':'lookers'}}",
               "[[2]]");
}

static void merged_nodes_are_one_person(void **state) {
    world *w = *state;
    uint32_t *person_of = test_malloc(3 * sizeof *person_of);
    person_of[0] = 0;
    person_of[1] = 0;
    person_of[2] = 2;
    w->person_of = person_of;
    w->node_count = 3;
    world_rows(w, "{" RANGE ",'series':[" BUYERS "," N "]}", "[[1,4]]");
    w->person_of = NULL;
    test_free(person_of);
}

static void nobody_is_a_row_of_zeros_and_no_group(void **state) {
    world_rows(*state,
               "{'model':'event','from':'2020-01-01','to':'2020-01-01','unit':'day','series':[" N
               "," EACH "]}",
               "[['2020-01-01',0,null]]");
    world_rows(*state,
               "{'model':'event','from':'2020-01-01','to':'2020-01-01','by':['user.city'],"
               "'series':[" N "]}",
               "[]");
}

static void relative_ranges_end_with_now(void **state) {
    world *w = *state;
    w->now_ms = DAYS(2) + HOUR_MS; /* the very millisecond of the last purchase */
    world_rows(w, "{'model':'event','from':'-1d','to':'now','series':[" N "]}", "[[1]]");
    w->now_ms -= 1;
    world_rows(w, "{'model':'event','from':'-1d','to':'now','series':[" N "]}", "[[0]]");
}

static void a_sample_is_some_of_the_persons(void **state) {
    world *w = *state;
    for (uint32_t person = 10; person < 1010; person++) {
        (void)world_add(w, person, DAYS(0), "x");
    }
    json_t *answer = world_ask(w, "{" RANGE ",'sample':0.2,'series':[{'name':'n','on':'x',"
                                  "'measure':'persons'}]}");
    assert_non_null(answer);
    json_int_t count =
        json_integer_value(json_array_get(json_array_get(json_object_get(answer, "rows"), 0), 0));
    assert_in_range(count, 150, 250);
    world_expect(answer, "stats.sample", "0.2");
    json_decref(answer);
}

#define SHOP(test) cmocka_unit_test_setup_teardown(test, shop, close_shop)

int main(void) {
    const struct CMUnitTest tests[] = {
        SHOP(counts_persons_and_sums_of_the_whole_range),
        SHOP(every_measure_of_a_property),
        SHOP(units_without_events_are_zero_and_totals_are_computed),
        SHOP(days_are_the_querys_days_in_its_zone),
        SHOP(a_day_of_23_hours_is_one_day),
        SHOP(groups_lead_and_the_largest_is_first),
        SHOP(groups_by_unit_have_their_own_totals),
        SHOP(groups_by_name_bins_and_time),
        SHOP(formulas_know_brackets_signs_and_null),
        SHOP(cumulative_persons_are_counted_once),
        SHOP(a_moving_average_waits_for_its_units),
        SHOP(a_comparison_with_the_period_before_stands_in_the_first_column),
        SHOP(the_persons_behind_a_cell_come_in_pages),
        SHOP(merged_nodes_are_one_person),
        SHOP(nobody_is_a_row_of_zeros_and_no_group),
        SHOP(relative_ranges_end_with_now),
        SHOP(a_sample_is_some_of_the_persons),
    };
    return cmocka_run_group_tests_name("collector/analytics/event", tests, NULL, NULL);
}
