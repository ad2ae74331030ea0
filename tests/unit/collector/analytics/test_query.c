/* Goal: a wrong query says which key, why, and the nearest right word; limits of time and memory
 * hold and leave nothing behind.
 * Method: one query per mistake; allocators that fail, a clock that runs out. */
#include <stdlib.h>
#include <string.h>

#include "fake_reader.h"
#include "support/cmocka_all.h"

#define START_MS INT64_C(1785542400000) /* 2026-08-01T00:00:00Z */
#define R "'from':'2026-08-01','to':'2026-08-31'"
#define FUNNEL "{'model':'funnel'," R ",'steps':['A','B']"
#define EVENT "{'model':'event'," R ",'series':[{'name':'n','on':'A','measure':'count'}]"

static int open_world(void **state) {
    static world w;
    world_open(&w);
    w.now_ms = START_MS;
    world_history(&w, 0, START_MS, 1000, "A0 B10 A20");
    world_history(&w, 1, START_MS, 1000, "A0");
    *state = &w;
    return 0;
}

static int close_world(void **state) {
    world_close(*state);
    return 0;
}

typedef struct {
    const char *query, *code, *field, *fix;
} mistake;

static const mistake mistakes[] = {
    { "", "bad_json", "", "JSON object" },
    { "[", "bad_json", "", "JSON object" },
    { "{'model':'event','model':'event'}", "bad_json", "", "JSON object" },
    { "[1]", "wrong_type", "", "'model'" },
    { "{}", "missing_key", "model", "funnel" },
    { "{'model':'funel'}", "unknown_word", "model", "`funnel`" },
    { "{'model':'retention'}", "model_not_available", "model", "event, funnel" },
    { "{'model':'heatmap'}", "model_not_available", "model", "event, funnel" },
    { FUNNEL ",'windwo':'7d'}", "unknown_key", "windwo", "`window`" },
    { FUNNEL ",'zzz':1}", "unknown_key", "zzz", "one of: " },
    { FUNNEL ",'series':[]}", "unknown_key", "series", "one of: " },
    { FUNNEL ",'window':'7'}", "bad_duration", "window", "7d" },
    { FUNNEL ",'window':'0d'}", "bad_duration", "window", "7d" },
    { FUNNEL ",'window':'367d'}", "bad_duration", "window", "366d" },
    { FUNNEL ",'window':7}", "wrong_type", "window", "a text" },
    { FUNNEL ",'order':'strickt'}", "unknown_word", "order", "`strict`" },
    { FUNNEL ",'entry':'every','order':'any'}", "conflict", "entry", "latest" },
    { FUNNEL ",'between':'*'}", "conflict", "between", "strict" },
    { FUNNEL ",'hold':'user.x'}", "bad_property", "hold", "event.NAME" },
    { FUNNEL ",'hold':['event.x']}", "conflict", "hold", "per step" },
    { FUNNEL ",'exclude':[{'event':'X','after':2}]}", "out_of_range", "exclude[0].after",
      "1 to 1" },
    { FUNNEL ",'exclude':[{'event':'X'}]}", "missing_key", "exclude[0].after", "whole number" },
    { FUNNEL ",'exclude':['X']}", "wrong_type", "exclude[0]", "an object" },
    { FUNNEL ",'times':1}", "wrong_type", "times", "true or false" },
    { FUNNEL ",'by':['event.x@3']}", "out_of_range", "by[0]", "1 to 2" },
    { FUNNEL ",'by':['event.x@b']}", "bad_property", "by[0]", "event.NAME" },
    { FUNNEL ",'by':['tag.x']}", "bad_property", "by[0]", "tags are not available" },
    { FUNNEL ",'by':['x']}", "bad_property", "by[0]", "user.NAME" },
    { FUNNEL ",'by':['user.x','user.x']}", "duplicate", "by[1]", "away" },
    { FUNNEL ",'by':['user.a','user.b','user.c','user.d']}", "bad_list", "by", "user." },
    { FUNNEL ",'by':[{'bins':[2,1],'of':'event.x'}]}", "bad_list", "by[0].bins", "0, 100" },
    { FUNNEL ",'by':[{'time':'days'}]}", "unknown_word", "by[0].time", "`day`" },
    { FUNNEL ",'unit':'day','by':[{'time':'week'}]}", "conflict", "by[0].time", "unit" },
    { FUNNEL ",'limit':0}", "out_of_range", "limit", "1 to 10000" },
    { FUNNEL ",'sample':0}", "out_of_range", "sample", "0.1" },
    { FUNNEL ",'sample':'x'}", "out_of_range", "sample", "0.1" },
    { FUNNEL ",'audience':'gold_buyers'}", "unknown_audience", "audience", "user." },
    { FUNNEL ",'timezone':'Asia/Peking'}", "unknown_zone", "timezone", "IANA" },
    { FUNNEL ",'unit':'fortnight'}", "unknown_word", "unit", "minute" },
    { FUNNEL ",'compare':{'shift':'1M'}}", "bad_duration", "compare.shift", "-1M" },
    { FUNNEL ",'compare':{}}", "conflict", "compare", "shift" },
    { FUNNEL ",'compare':{'filters':['x']}}", "bad_list", "compare.filters", "user." },
    { FUNNEL ",'members':{'row':{'stepp':1}}}", "unknown_key", "members.row.stepp", "`step`" },
    { FUNNEL ",'members':{'row':{'step':3}}}", "out_of_range", "members.row.step", "1 to 2" },
    { FUNNEL ",'members':{'limit':20000}}", "out_of_range", "members.limit", "10000" },
    { EVENT ",'members':{'series':'m'}}", "unknown_word", "members.series", "n" },
    { EVENT ",'members':{'dropped':true}}", "unknown_key", "members.dropped", "away" },
    { "{'model':'funnel'," R ",'steps':['A']}", "bad_list", "steps", "view_item" },
    { "{'model':'funnel'," R "}", "missing_key", "steps", "view_item" },
    { "{'model':'funnel'," R ",'steps':['A','']}", "bad_text", "steps[1]", "1 to 100" },
    { "{'model':'funnel'," R ",'steps':['A',{'events':'B'}]}", "unknown_key", "steps[1].events",
      "`event`" },
    { "{'model':'funnel'," R ",'steps':['A',{'event':[]}]}", "bad_list", "steps[1].event",
      "1 to 100" },
    { "{'model':'funnel'," R ",'steps':[{'event':'A','within':'1h'},'B']}", "conflict",
      "steps[0].within", "later step" },
    { "{'model':'funnel'," R ",'order':'any','steps':['A',{'event':'B','within':'1h'}]}",
      "conflict", "order", "window" },
    { "{'model':'funnel','to':'now','steps':['A','B']}", "missing_key", "from", "-30d" },
    { "{'model':'funnel','from':'2026-02-30','to':'now','steps':['A','B']}", "bad_time", "from",
      "2026-08-01" },
    { "{'model':'funnel','from':'now','to':'-1d','steps':['A','B']}", "bad_range", "to",
      "earlier" },
    { "{'model':'event','from':'-5y','to':'now','unit':'minute','series':[{'name':'n','on':"
      "'*','measure':'count'}]}",
      "too_many_units", "unit", "longer unit" },
    { "{'model':'event'," R "}", "missing_key", "series", "count" },
    { "{'model':'event'," R ",'series':[{'on':'A','measure':'count'}]}", "missing_key",
      "series[0].name", "a text" },
    { "{'model':'event'," R ",'series':[{'name':'n','on':'A','measure':'cuont'}]}", "unknown_word",
      "series[0].measure", "`count`" },
    { "{'model':'event'," R ",'series':[{'name':'n','on':'A','measure':{'sun':'event.x'}}]}",
      "unknown_word", "series[0].measure.sun", "`sum`" },
    { "{'model':'event'," R ",'series':[{'name':'n','on':'A','measure':{'p0':'event.x'}}]}",
      "unknown_word", "series[0].measure.p0", "p90" },
    { "{'model':'event'," R ",'series':[{'name':'n','on':'A','measure':{'sum':'user.x'}}]}",
      "bad_property", "series[0].measure.sum", "event.NAME" },
    { "{'model':'event'," R ",'series':[{'name':'n','measure':'count'}]}", "missing_key",
      "series[0].measure.on", "'on'" },
    { "{'model':'event'," R ",'series':[{'name':'n','on':'A','measure':{'formula':'a +','a':"
      "'count'}}]}",
      "bad_formula", "series[0].measure.formula", "a - b" },
    { "{'model':'event'," R ",'series':[{'name':'n','on':'A','measure':{'formula':'(a','a':"
      "'count'}}]}",
      "bad_formula", "series[0].measure.formula", "a - b" },
    { "{'model':'event'," R ",'series':[{'name':'n','on':'A','measure':{'formula':'a * x','a':"
      "'count'}}]}",
      "bad_formula", "series[0].measure.formula", "a - b" },
    { "{'model':'event'," R ",'series':[{'name':'n','on':'A','measure':{'formula':'aa','a':"
      "'count','aa':'count'}}]}",
      "unknown_key", "series[0].measure.a", "formula" },
    { "{'model':'event'," R ",'series':[{'name':'n','on':'A','measure':{'formula':'a','a':"
      "'cuont'}}]}",
      "unknown_word", "series[0].measure.a", "`count`" },
    { EVENT ",'cumulative':true}", "missing_key", "cumulative", "unit" },
    { EVENT ",'unit':'day','cumulative':true,'moving_average':7}", "conflict", "moving_average",
      "one of them" },
    { EVENT ",'moving_average':1}", "out_of_range", "moving_average", "2 to 366" },
};

static void every_mistake_is_named(void **state) {
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        char fix[128];
        size_t len = strlen(mistakes[i].fix);
        for (size_t j = 0; j <= len; j++) {
            fix[j] = mistakes[i].fix[j] == '\'' ? '"' : mistakes[i].fix[j];
        }
        world *w = *state;
        json_t *answer = world_ask(w, mistakes[i].query);
        if (answer != NULL || strcmp(w->problem.code, mistakes[i].code) != 0 ||
            strcmp(w->problem.field, mistakes[i].field) != 0 ||
            strstr(w->problem.fix, fix) == NULL) {
            print_error("%s\n  gives %s at %s: %s; %s\n", mistakes[i].query, w->problem.code,
                        w->problem.field, w->problem.detail, w->problem.fix);
        }
        world_problem(w, mistakes[i].query, mistakes[i].code, mistakes[i].field, fix);
        assert_int_equal(w->status, CAIRN_INVALID);
    }
}

static void an_oversized_query_is_refused_before_it_is_read(void **state) {
    world *w = *state;
    size_t len = 70000;
    char *text = malloc(len + 1);
    memset(text, ' ', len);
    text[len] = 0;
    world_problem(w, text, "too_large", "", "65536");
    free(text);
}

static void a_foreign_word_is_cut_at_a_whole_character(void **state) {
    world *w = *state;
    char query[1024] = "{'model':'";
    for (int i = 0; i < 200; i++) {
        strncat(query, "商", sizeof query - strlen(query) - 1);
    }
    strncat(query, "'}", sizeof query - strlen(query) - 1);
    assert_null(world_ask(w, query));
    json_t *detail = json_string(w->problem.detail); /* NULL unless it is UTF-8 */
    assert_non_null(detail);
    json_decref(detail);
}

static void dates_are_inclusive_and_instants_are_not(void **state) {
    world_rows(*state,
               "{'model':'event','from':'2026-08-01','to':'2026-08-01T00:00:20Z','series':"
               "[{'name':'n','on':'A','measure':'count'}]}",
               "[[2]]");
    world_rows(*state,
               "{'model':'event','from':'2026-08-01','to':'2026-08-01','series':"
               "[{'name':'n','on':'A','measure':'count'}]}",
               "[[3]]");
}

static void the_deadline_ends_every_model(void **state) {
    world *w = *state;
    for (uint32_t person = 0; person < 12000; person++) {
        (void)world_add(w, person, START_MS + 1, "A");
    }
    static const char *const queries[] = { EVENT "}", FUNNEL "}", FUNNEL ",'order':'strict'}",
                                           FUNNEL ",'order':'any'}" };
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        w->stops_until = 0;
        world_problem(w, queries[i], "deadline", "", "shorter range");
        assert_int_equal(w->status, CAIRN_BUSY);
        w->stops_until = -1;
        json_decref(world_ask(w, queries[i]));
        assert_int_equal(w->status, CAIRN_OK);
    }
}

static void one_busy_person_cannot_outlast_the_deadline(void **state) {
    world *w = *state;
    for (int i = 0; i < 3000; i++) {
        (void)world_add(w, 7, START_MS + i, "A");
    }
    w->stops_until = 3; /* asked more often than that by the chains of 3,000 open entries */
    world_problem(w, FUNNEL ",'entry':'every'}", "deadline", "", "shorter range");
}

static void a_small_budget_is_a_problem_and_no_leak(void **state) {
    world *w = *state;
    bool answered = false;
    for (size_t bytes = 1000; bytes < (4 << 20); bytes = bytes * 5 / 4) {
        w->bytes_max = bytes;
        json_t *answer = world_ask(w, FUNNEL ",'order':'strict','unit':'day','times':true,"
                                             "'by':['user.x']}");
        if (answer == NULL) {
            assert_int_equal(w->status, CAIRN_NO_MEMORY);
            assert_string_equal(w->problem.code, "memory");
            assert_false(answered); /* more memory is never worse */
        }
        answered = answer != NULL;
        json_decref(answer);
    }
    assert_true(answered);
}

typedef struct {
    long live, left; /* bytes; allocations until the one that fails */
} failing;

static void *failing_resize(void *self, void *at, size_t old_bytes, size_t new_bytes) {
    failing *f = self;
    if (new_bytes != 0 && f->left-- == 0) {
        return NULL;
    }
    f->live += (long)new_bytes - (at == NULL ? 0 : (long)old_bytes);
    if (new_bytes == 0) {
        free(at);
        return NULL;
    }
    return realloc(at, new_bytes);
}

static void every_failing_allocation_is_survived(void **state) {
    world *w = *state;
    static const char *const queries[] = {
        "{'model':'event'," R ",'unit':'day','cumulative':true,'by':['user.x','event.y'],"
        "'series':[{'name':'n','on':'A','measure':{'median':'event.y'}},{'name':'d','on':'A',"
        "'measure':{'distinct':'event.y'}},{'name':'f','on':'B','measure':{'formula':'a / 2','a':"
        "'persons'}}]}",
        FUNNEL ",'times':true,'unit':'day','by':['event.y'],'hold':'event.y','exclude':["
               "{'event':'C','after':1,'then':'drop person'}],'compare':{'shift':'-1d'}}",
        FUNNEL ",'order':'any','entry':'first','members':{'row':{'step':1}}}",
    };
    world_integer(&w->events[0], "y", 4);
    world_text(w, &w->events[3], "y", "four");
    world_text(w, world_person(w, 0), "x", "here");
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        json_t *answer = NULL;
        for (long fail_at = 0; answer == NULL; fail_at++) {
            failing f = { 0, fail_at };
            w->allocator = (cairn_allocator){ failing_resize, &f };
            answer = world_ask(w, queries[i]);
            assert_true(answer != NULL || w->status == CAIRN_NO_MEMORY);
            assert_int_equal(f.live, 0);
            assert_true(fail_at < 1000);
        }
        json_decref(answer);
    }
    w->allocator = cairn__heap();
}

static void a_damaged_block_is_said(void **state) {
    world *w = *state;
    for (uint32_t person = 2; person < 10; person++) {
        (void)world_add(w, person, START_MS, "A");
    }
    for (int batch = 0; batch < 3; batch++) {
        fake_reader_fail_at_batch(batch);
        world_problem(w, EVENT "}", "storage", "", "data folder");
        assert_int_equal(w->status, CAIRN_STORAGE);
        fake_reader_fail_at_batch(batch);
        world_problem(w, FUNNEL "}", "storage", "", "data folder");
    }
}

static void too_many_rows_are_refused(void **state) {
    world *w = *state;
    for (uint32_t person = 0; person < 40; person++) {
        world_integer(world_add(w, person, START_MS, "A"), "y", person);
    }
    world_problem(w,
                  "{'model':'event','from':'2026-08-01','to':'2026-08-10','unit':'minute','by':["
                  "'event.y'],'series':[{'name':'n','on':'A','measure':'count'}]}",
                  "too_many_rows", "limit", "smaller limit");
}

#define T(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(every_mistake_is_named),
        T(an_oversized_query_is_refused_before_it_is_read),
        T(a_foreign_word_is_cut_at_a_whole_character),
        T(dates_are_inclusive_and_instants_are_not),
        T(the_deadline_ends_every_model),
        T(one_busy_person_cannot_outlast_the_deadline),
        T(a_small_budget_is_a_problem_and_no_leak),
        T(every_failing_allocation_is_survived),
        T(a_damaged_block_is_said),
        T(too_many_rows_are_refused),
    };
    return cmocka_run_group_tests_name("collector/analytics/query", tests, NULL, NULL);
}
