/* Goal: funnels agree with what PostHog's and ClickHouse's own tests say, wherever the definitions
 * agree; where they do not, the case is listed with the reason.
 * Method: every case of ../shared/data is restated as a world and a query of ours. Without the data
 * folder the test says so and is skipped (return code 77). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/civil.h"
#include "support/cmocka_all.h"
#include "world.h"

#define START_MS INT64_C(1785542400000) /* 2026-08-01T00:00:00Z */

enum { TEXT_BYTES = 8192, USERS_MAX = 64, STEPS_MAX = 20, SKIPPED = 77, PATH_BYTES = 1024 };

typedef struct {
    char text[TEXT_BYTES];
    size_t len;
} text;

static void say(text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(text *t, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(t->text + t->len, sizeof t->text - t->len, format, arguments);
    va_end(arguments);
    assert_true(length >= 0 && t->len + (size_t)length < sizeof t->text);
    t->len += (size_t)length;
}

static const char *text_of(const json_t *object, const char *key) {
    const char *value = json_string_value(json_object_get(object, key));
    return value == NULL ? "" : value;
}

/* --- data --- */

static json_t *load(const char *folder) {
    char path[PATH_BYTES];
    const char *shared = getenv("CAIRN_SHARED");
    (void)snprintf(path, sizeof path, "%s/data/%s/cases.json", shared == NULL ? "" : shared,
                   folder);
    return json_load_file(path, 0, NULL);
}

typedef struct {
    char *text;
    size_t listed, met;
} exclusions;

static exclusions load_exclusions(void) {
    char path[PATH_BYTES];
    const char *root = getenv("CAIRN_ROOT");
    exclusions e = { .text = calloc(1, 1 << 16) };
    (void)snprintf(path, sizeof path, "%s/tests/unit/collector/analytics/peer_exclusions.txt",
                   root == NULL ? "." : root);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(e.text, 1, (1 << 16) - 1, file);
    (void)fclose(file);
    assert_true(len < (1 << 16) - 1);
    for (const char *line = e.text; *line != 0; line = strchr(line, '\n') + 1) {
        e.listed += *line != '#';
    }
    return e;
}

static bool is_excluded(exclusions *e, const char *id) {
    size_t len = strlen(id);
    for (const char *line = e->text; *line != 0; line = strchr(line, '\n') + 1) {
        if (strncmp(line, id, len) == 0 && line[len] == ' ') {
            assert_true(strcspn(line + len, "\n") > 10); /* a reason */
            e->met++;
            return true;
        }
    }
    return false;
}

/* --- asking --- */

/* One expected number per step against a column of the answer; null is not asked. */
static bool column_is(const json_t *answer, const char *column, const json_t *wanted) {
    const json_t *columns = json_object_get(answer, "columns");
    const json_t *rows = json_object_get(answer, "rows");
    size_t at = 0;
    while (strcmp(json_string_value(json_array_get(columns, at)), column) != 0) {
        at++;
        assert_true(at < json_array_size(columns));
    }
    bool same = true;
    for (size_t i = 0; i < json_array_size(wanted); i++) {
        const json_t *expected = json_array_get(wanted, i);
        double found = json_number_value(json_array_get(json_array_get(rows, i), at));
        if (!json_is_null(expected) && found != json_number_value(expected)) {
            print_error("  step %zu: %s is %g, not %g\n", i + 1, column, found,
                        json_number_value(expected));
            same = false;
        }
    }
    return same;
}

static int level_of(const json_t *answer) {
    int level = 0;
    const json_t *rows = json_object_get(answer, "rows");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        level += json_integer_value(json_array_get(json_array_get(rows, i), 2)) > 0;
    }
    return level;
}

static json_t *ask(world *w, const text *query) {
    json_t *answer = world_ask(w, query->text);
    if (answer == NULL) {
        print_error("  %s: %s\n  %s\n", w->problem.field, w->problem.detail, query->text);
    }
    return answer;
}

/* --- ClickHouse: windowFunnel --- */

/* A step is an event ("a", 1001), a comparison of its number ("<=1007"), or of its properties. */
static void say_step(text *q, const json_t *step) {
    const char *word = json_string_value(step);
    if (word == NULL) {
        say(q, "{'event':'*','where':'event.e = %lld'}", (long long)json_integer_value(step));
    } else if (word[0] == '<' || word[0] == '>') {
        say(q, "{'event':'*','where':'event.e %.2s %s'}", word, word + 2);
    } else if (strncmp(word + 1, "==", 2) == 0) {
        say(q, "{'event':'*','where':'event.%c = \\\"%s\\\"'}", word[0], word + 3);
    } else if (strcmp(word, "a is null and b is null") == 0) {
        say(q, "{'event':'*','where':'event.a is not set and event.b is not set'}");
    } else {
        say(q, "{'event':'%s'}", word);
    }
}

static bool has_mode(const json_t *c, const char *mode) {
    size_t index;
    json_t *word;
    json_array_foreach(json_object_get(c, "modes"), index, word) {
        if (strcmp(json_string_value(word), mode) == 0) {
            return true;
        }
    }
    return false;
}

/* strict_deduplication: an event of a step already made stops the chain. */
static void say_no_repeats(text *q, const json_t *steps) {
    bool named = json_is_string(json_array_get(steps, 0));
    say(q, ",'exclude':[");
    for (size_t after = 1; after < json_array_size(steps); after++) {
        say(q, "%s{'after':%zu,%s", after == 1 ? "" : ",", after,
            named ? "'event':[" : "'event':'*','where':'");
        for (size_t i = 0; i < after; i++) {
            const json_t *step = json_array_get(steps, i);
            if (named) {
                say(q, "%s'%s'", i == 0 ? "" : ",", json_string_value(step));
            } else {
                say(q, "%sevent.e = %lld", i == 0 ? "" : " or ",
                    (long long)json_integer_value(step));
            }
        }
        say(q, "%s}", named ? "]" : "'");
    }
    say(q, "]");
}

static void add_clickhouse_event(world *w, const json_t *event) {
    const json_t *what = json_array_get(event, 1);
    int64_t at_ms = START_MS + json_integer_value(json_array_get(event, 0)) * 1000;
    bool named = json_is_string(what) && json_array_size(event) == 2;
    world_event *added = world_add(w, 0, at_ms, named ? json_string_value(what) : "e");
    if (json_is_integer(what)) {
        world_integer(added, "e", json_integer_value(what));
    }
    static const char *const names[] = { "a", "b" };
    for (size_t i = 0; i < 2 && json_array_size(event) == 3; i++) {
        const char *value = json_string_value(json_array_get(event, i + 1));
        if (value != NULL) {
            world_text(w, added, names[i], value);
        }
    }
}

static bool run_window_funnel(const json_t *c) {
    world w;
    text q = { .len = 0 };
    size_t index;
    json_t *item;
    json_t *steps = json_object_get(c, "steps");
    bool single = json_array_size(steps) == 1; /* a funnel has two: the second cannot be met */
    world_open(&w);
    json_array_foreach(json_object_get(c, "events"), index, item) {
        add_clickhouse_event(&w, item);
    }
    say(&q, "{'model':'funnel','from':'2026-08-01','to':'2026-08-31','window':'%llds','steps':[",
        (long long)json_integer_value(json_object_get(c, "window")));
    json_array_foreach(steps, index, item) {
        say(&q, "%s", index == 0 ? "" : ",");
        say_step(&q, item);
    }
    say(&q, "%s]%s", single ? ",'never'" : "",
        has_mode(c, "strict_order") ? ",'order':'strict','between':'*'" : "");
    if (has_mode(c, "strict_deduplication")) {
        say_no_repeats(&q, steps);
    }
    say(&q, "}");
    json_t *answer = ask(&w, &q);
    int wanted = (int)json_integer_value(json_object_get(c, "expect"));
    bool same = answer != NULL && level_of(answer) == wanted;
    if (answer != NULL && !same) {
        print_error("  reached %d, not %d\n  %s\n", level_of(answer), wanted, q.text);
    }
    json_decref(answer);
    world_close(&w);
    return same;
}

/* --- PostHog: funnels --- */

typedef struct {
    const char *names[USERS_MAX];
    uint32_t person_of[USERS_MAX];
    uint32_t count;
} users;

static uint32_t user_index(users *u, const char *name) {
    for (uint32_t i = 0; i < u->count; i++) {
        if (strcmp(u->names[i], name) == 0) {
            return i;
        }
    }
    assert_true(u->count < USERS_MAX);
    u->names[u->count] = name;
    u->person_of[u->count] = u->count;
    return u->count++;
}

static void add_posthog_events(world *w, users *u, const json_t *events) {
    size_t index;
    json_t *event;
    json_array_foreach(events, index, event) {
        int64_t at_ms;
        assert_true(cairn__parse_instant(cairn__span_of(text_of(event, "time")), &at_ms));
        world_event *added =
            world_add(w, user_index(u, text_of(event, "user")), at_ms, text_of(event, "event"));
        const char *key;
        json_t *value;
        json_object_foreach(json_object_get(event, "props"), key, value) {
            world_text(w, added, key, json_string_value(value));
        }
    }
}

/* Several names of one person: all are the one with the smallest number. */
static void join_aliases(world *w, users *u, json_t *aliases) {
    const char *person;
    json_t *names;
    json_object_foreach(aliases, person, names) {
        uint32_t first = user_index(u, json_string_value(json_array_get(names, 0)));
        for (size_t i = 1; i < json_array_size(names); i++) {
            uint32_t other = user_index(u, json_string_value(json_array_get(names, i)));
            uint32_t oldest = u->person_of[first] < other ? u->person_of[first] : other;
            u->person_of[first] = oldest;
            u->person_of[other] = oldest;
        }
        u->names[u->person_of[first]] = person; /* what the result calls them */
    }
    w->person_of = calloc(u->count, sizeof *w->person_of);
    w->node_count = u->count;
    for (uint32_t i = 0; i < u->count; i++) {
        w->person_of[i] = u->person_of[i];
    }
}

static void say_range(text *q, const json_t *c) {
    const json_t *range = json_object_get(c, "range");
    say(q, "'from':'%s','to':'%s'",
        range == NULL ? "2024-01-01" : json_string_value(json_array_get(range, 0)),
        range == NULL ? "2024-01-31" : json_string_value(json_array_get(range, 1)));
}

static void say_posthog(text *q, json_t *c) {
    const char *order = text_of(c, "order");
    size_t index;
    json_t *item;
    say(q, "{'model':'funnel','end':'range','times':true,");
    say_range(q, c);
    say(q, ",'window':'%s'",
        json_is_null(json_object_get(c, "window")) ? "366d" : text_of(c, "window"));
    say(q, "%s,'steps':[",
        strcmp(order, "strict") == 0      ? ",'order':'strict','between':'*'"
        : strcmp(order, "unordered") == 0 ? ",'order':'any'"
                                          : "");
    json_array_foreach(json_object_get(c, "steps"), index, item) {
        say(q, "%s'%s'", index == 0 ? "" : ",", json_string_value(item));
    }
    say(q, "]");
    json_array_foreach(json_object_get(c, "exclusions"), index, item) {
        assert_int_equal(index, 0);
        say(q, ",'exclude':[{'event':'%s','after':%lld}]", text_of(item, "event"),
            (long long)json_integer_value(json_object_get(item, "to_step")));
    }
    const char *property;
    json_object_foreach(json_object_get(c, "filter"), property, item) {
        say(q, ",'filter':'event.%s = \\\"%s\\\"'", property, json_string_value(item));
    }
}

/* Who reached step k, by name and in any order. */
static bool reached_is(world *w, const users *u, const text *q, const char *step,
                       const json_t *wanted) {
    text asked = *q;
    say(&asked, ",'members':{'row':{'step':%s}}}", step);
    json_t *answer = ask(w, &asked);
    const json_t *rows = json_object_get(answer, "rows");
    bool same = answer != NULL && json_array_size(rows) == json_array_size(wanted);
    for (size_t i = 0; same && i < json_array_size(wanted); i++) {
        bool found = false;
        for (size_t j = 0; j < json_array_size(rows); j++) {
            json_int_t person = json_integer_value(json_array_get(json_array_get(rows, j), 0));
            found |= strcmp(u->names[person], json_string_value(json_array_get(wanted, i))) == 0;
        }
        same = found;
    }
    if (!same) {
        print_error("  other persons reached step %s\n", step);
    }
    json_decref(answer);
    return same;
}

static bool expectations_hold(world *w, const users *u, const text *q, json_t *expect) {
    text asked = *q;
    say(&asked, "}");
    json_t *answer = ask(w, &asked);
    if (answer == NULL) {
        return false;
    }
    const json_t *last = json_object_get(expect, "last_count");
    const json_t *rows = json_object_get(answer, "rows");
    const json_t *last_row = json_array_get(rows, json_array_size(rows) - 1);
    bool same =
        column_is(answer, "persons", json_object_get(expect, "counts")) &&
        column_is(answer, "mean_s", json_object_get(expect, "average_conversion_time_s")) &&
        column_is(answer, "median_s", json_object_get(expect, "median_conversion_time_s")) &&
        (last == NULL ||
         json_integer_value(last) == json_integer_value(json_array_get(last_row, 2)));
    const char *step;
    json_t *names;
    json_object_foreach(json_object_get(expect, "reached"), step, names) {
        same = same && reached_is(w, u, q, step, names);
    }
    json_decref(answer);
    return same;
}

static bool run_posthog(json_t *c) {
    world w;
    users u = { .count = 0 };
    text q = { .len = 0 };
    world_open(&w);
    add_posthog_events(&w, &u, json_object_get(c, "events"));
    join_aliases(&w, &u, json_object_get(c, "aliases"));
    say_posthog(&q, c);
    bool same = expectations_hold(&w, &u, &q, json_object_get(c, "expect"));
    world_close(&w);
    return same;
}

/* --- all of them --- */

typedef struct {
    json_t *clickhouse, *posthog;
} data;

static void every_case_agrees_or_is_listed(void **state) {
    data *d = *state;
    exclusions e = load_exclusions();
    size_t index;
    size_t run = 0;
    size_t wrong = 0;
    json_t *c;
    json_array_foreach(json_object_get(d->clickhouse, "cases"), index, c) {
        if (!is_excluded(&e, text_of(c, "id"))) {
            bool same = strcmp(text_of(c, "fn"), "windowFunnel") == 0 && run_window_funnel(c);
            if (!same) {
                print_error("%s differs\n", text_of(c, "id"));
            }
            wrong += !same;
            run++;
        }
    }
    json_array_foreach(json_object_get(d->posthog, "cases"), index, c) {
        if (!is_excluded(&e, text_of(c, "id"))) {
            bool same = strcmp(text_of(c, "kind"), "funnel") == 0 && run_posthog(c);
            if (!same) {
                print_error("%s differs\n", text_of(c, "id"));
            }
            wrong += !same;
            run++;
        }
    }
    print_message("%zu cases run, %zu left out with a reason\n", run, e.met);
    free(e.text);
    assert_int_equal(e.met, e.listed); /* no reason for a case that is not there */
    assert_int_equal(wrong, 0);
}

int main(void) {
    data d = { load("clickhouse-behavioral"), load("posthog-analytics-cases") };
    if (d.clickhouse == NULL || d.posthog == NULL) {
        (void)printf("skipped: no case files under CAIRN_SHARED/data\n");
        return SKIPPED;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(every_case_agrees_or_is_listed, &d),
    };
    int failed = cmocka_run_group_tests_name("collector/analytics/peer", tests, NULL, NULL);
    json_decref(d.clickhouse);
    json_decref(d.posthog);
    return failed;
}
