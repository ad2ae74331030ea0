/* Goal: the same answers as every other SDK that speaks GrowthBook's hashing. Method: its public
 * cases (data/growthbook-cases beside the repository; skipped without them) run through an adapter;
 * growthbook_left_out.txt says which are not run, and why. */
#include "growthbook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "support/cmocka_all.h"

enum { SKIPPED = 77, PATH_BYTES = 1024, LINE_BYTES = 256, LINES_MAX = 64 };

static const double close_enough = 1e-9; /* the cases are written in decimals */

typedef struct left_out {
    char group[LINE_BYTES];
    char name[LINE_BYTES];
    bool met;
} left_out;

typedef struct cases {
    json_t *groups;
    left_out lines[LINES_MAX];
    size_t line_count;
} cases;

static cairn_span span_at(json_t *list, size_t at) {
    return cairn__span_of(json_string_value(json_array_get(list, at)));
}

static double number_at(json_t *list, size_t at) {
    return json_number_value(json_array_get(list, at));
}

static bool near(double a, double b) {
    return a - b < close_enough && b - a < close_enough;
}

/* --- one case of each group: false when the answer is another --- */

static bool run_hash(json_t *line) {
    double bucket = -1;
    cairn__assign_version version =
        (cairn__assign_version)json_integer_value(json_array_get(line, 2));
    cairn_status status =
        cairn__assign_bucket(version, span_at(line, 0), span_at(line, 1), &bucket);
    if (json_is_null(json_array_get(line, 3))) {
        return status == CAIRN_UNSUPPORTED;
    }
    return status == CAIRN_OK && bucket == number_at(line, 3);
}

static bool run_ranges(json_t *line) {
    json_t *asked = json_array_get(line, 1);
    json_t *weights = json_array_get(asked, 2);
    double given[CAIRN__VARIANTS_MAX];
    assert_true(json_array_size(weights) <= CAIRN__VARIANTS_MAX);
    for (size_t i = 0; i < json_array_size(weights); i++) {
        given[i] = number_at(weights, i);
    }
    const cairn__shares shares = { number_at(asked, 1), json_is_null(weights) ? NULL : given,
                                   json_array_size(weights) };
    cairn__range wanted[CAIRN__VARIANTS_MAX];
    cairn__range ranges[CAIRN__VARIANTS_MAX];
    size_t count = growthbook_ranges(json_array_get(line, 2), wanted, CAIRN__VARIANTS_MAX);
    assert_int_equal(count, json_integer_value(json_array_get(asked, 0)));
    cairn__assign_ranges(&shares, ranges, count);
    for (size_t i = 0; i < count; i++) {
        if (!near(ranges[i].from, wanted[i].from) || !near(ranges[i].to, wanted[i].to)) {
            return false;
        }
    }
    return true;
}

static bool run_choose(json_t *line) {
    cairn__range ranges[CAIRN__VARIANTS_MAX];
    size_t count = growthbook_ranges(json_array_get(line, 2), ranges, CAIRN__VARIANTS_MAX);
    return cairn__assign_choose(number_at(line, 1), ranges, count) ==
           json_integer_value(json_array_get(line, 3));
}

static bool run_namespace(json_t *line) {
    json_t *layer = json_array_get(line, 2);
    const cairn__range slice = { number_at(layer, 1), number_at(layer, 2) };
    const cairn__namespace in = { span_at(layer, 0), CAIRN__ASSIGN_V1, &slice, 1 };
    return cairn__assign_in_namespace(&in, span_at(line, 1)) ==
           json_is_true(json_array_get(line, 3));
}

/* [name, context, experiment, value, in the experiment, by the hash]; not in: the first value. */
static bool run_experiment(json_t *line) {
    growthbook g;
    json_t *experiment = json_array_get(line, 2);
    growthbook_read(&g, json_array_get(line, 1), experiment, "");
    cairn__decision decision = cairn__experiment_decide(&g.experiment, &g.input);
    growthbook_free(&g);
    size_t shown = decision.variant < 0 ? 0 : (size_t)decision.variant;
    json_t *value = json_array_get(json_object_get(experiment, "variations"), shown);
    return json_equal(value, json_array_get(line, 3)) &&
           (decision.variant >= 0) == json_is_true(json_array_get(line, 4)) &&
           (decision.reason == CAIRN__REASON_ASSIGNED) == json_is_true(json_array_get(line, 5));
}

/* Is what the decision says to keep what the case finds kept afterwards? */
static bool kept_is(const growthbook *g, const cairn__decision *decision, json_t *after) {
    char name[PATH_BYTES];
    int len = snprintf(name, sizeof name, "%s||%.*s", g->attribute, (int)g->input.unit.len,
                       (const char *)g->input.unit.data);
    assert_true(len > 0 && (size_t)len < sizeof name);
    json_t *assignments = json_object_get(json_object_get(after, name), "assignments");
    growthbook_sticky_name(g, g->experiment.sticky_version, name, sizeof name);
    const char *wanted = json_string_value(json_object_get(assignments, name));
    if (!decision->sticky.present) {
        return wanted == NULL;
    }
    return wanted != NULL && decision->sticky.version == g->experiment.sticky_version &&
           strlen(wanted) == 1 && wanted[0] - '0' == (int)decision->sticky.variant;
}

/* [name, context, documents kept, flag, result, documents afterwards]; a flag of one experiment. */
static bool run_sticky(json_t *line) {
    json_t *context = json_array_get(line, 1);
    const char *flag = json_string_value(json_array_get(line, 3));
    json_t *rules =
        json_object_get(json_object_get(json_object_get(context, "features"), flag), "rules");
    assert_int_equal(json_array_size(rules), 1);
    json_t *experiment = json_array_get(rules, 0);
    json_t *wanted = json_array_get(line, 4);
    bool wants = !json_is_true(json_object_get(experiment, "disableStickyBucketing"));
    growthbook g;
    growthbook_read(&g, context, experiment, flag);
    if (wants) {
        growthbook_read_sticky(&g, context, experiment, json_array_get(line, 2));
    }
    cairn__decision decision = cairn__experiment_decide(&g.experiment, &g.input);
    bool right = !wants || kept_is(&g, &decision, json_array_get(line, 5));
    growthbook_free(&g);
    if (json_is_null(wanted)) {
        return right && decision.reason == CAIRN__REASON_STICKY_OLD;
    }
    json_t *used = json_object_get(wanted, "stickyBucketUsed");
    return right &&
           decision.variant == json_integer_value(json_object_get(wanted, "variationId")) &&
           decision.bucket == json_number_value(json_object_get(wanted, "bucket")) &&
           (decision.reason == CAIRN__REASON_STICKY) == json_is_true(used);
}

/* --- all of them --- */

typedef struct group_runner {
    const char *group;
    bool (*run)(json_t *line);
} group_runner;

static bool run_case(const char *group, const char *name, json_t *line) {
    static const group_runner runners[] = {
        { "hash", run_hash },
        { "getBucketRange", run_ranges },
        { "chooseVariation", run_choose },
        { "inNamespace", run_namespace },
        { "run", run_experiment },
        { "stickyBucket", run_sticky },
    };
    for (size_t i = 0; i < sizeof runners / sizeof runners[0]; i++) {
        if (strcmp(runners[i].group, group) == 0) {
            return runners[i].run(line);
        }
    }
    fail_msg("%s: %s: neither run nor in growthbook_left_out.txt", group, name);
    return false;
}

static bool is_left_out(cases *all, const char *group, const char *name) {
    for (size_t i = 0; i < all->line_count; i++) {
        left_out *line = &all->lines[i];
        if (strcmp(line->group, group) == 0 &&
            (strcmp(line->name, "*") == 0 || strcmp(line->name, name) == 0)) {
            line->met = true;
            return true;
        }
    }
    return false;
}

typedef struct tally {
    size_t run, out, wrong;
} tally;

static void run_group(cases *all, const char *group, json_t *lines, tally *to) {
    for (size_t i = 0; i < json_array_size(lines); i++) { /* "specVersion" is no list */
        json_t *line = json_array_get(lines, i);
        const char *first = json_string_value(json_array_get(line, 0));
        const char *name = first == NULL ? "" : first;
        if (is_left_out(all, group, name)) {
            to->out++;
            continue;
        }
        to->run++;
        if (!run_case(group, name, line)) {
            print_error("%s %zu (%s): another answer\n", group, i, name);
            to->wrong++;
        }
    }
}

static void every_case_is_right_or_left_out(void **state) {
    cases *all = *state;
    tally count = { 0, 0, 0 };
    for (void *at = json_object_iter(all->groups); at != NULL;
         at = json_object_iter_next(all->groups, at)) {
        run_group(all, json_object_iter_key(at), json_object_iter_value(at), &count);
    }
    print_message("growthbook: %zu cases run, %zu left out\n", count.run, count.out);
    assert_int_equal(count.wrong, 0);
    assert_true(count.run > 0);
    for (size_t i = 0; i < all->line_count; i++) {
        const left_out *line = &all->lines[i];
        assert_string_equal(line->met ? "" : line->name, ""); /* the list names no such case */
    }
}

/* --- files --- */

/* "group | case | reason"; false when it is something else. */
static bool read_line(cases *all, const char *line) {
    const char *name = strstr(line, " | ");
    const char *reason = name == NULL ? NULL : strstr(name + 3, " | ");
    if (reason == NULL || strlen(reason) <= sizeof " | \n" || all->line_count == LINES_MAX) {
        return false;
    }
    left_out *to = &all->lines[all->line_count++];
    (void)snprintf(to->group, sizeof to->group, "%.*s", (int)(name - line), line);
    (void)snprintf(to->name, sizeof to->name, "%.*s", (int)(reason - name - 3), name + 3);
    return true;
}

static int set_up(void **state) {
    char path[PATH_BYTES];
    const char *root = getenv("CAIRN_ROOT");
    (void)snprintf(path, sizeof path, "%s/tests/unit/sdk/decide/growthbook_left_out.txt",
                   root == NULL ? "." : root);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        print_error("no %s\n", path);
        return -1;
    }
    char line[LINE_BYTES];
    bool good = true;
    while (good && fgets(line, sizeof line, file) != NULL) {
        good = line[0] == '#' || read_line(*state, line);
    }
    (void)fclose(file);
    if (!good) {
        print_error("%s: no reason, or too many lines: %s\n", path, line);
    }
    return good ? 0 : -1;
}

int main(void) {
    cases all = { .line_count = 0 };
    char path[PATH_BYTES];
    const char *shared = getenv("CAIRN_SHARED");
    (void)snprintf(path, sizeof path, "%s/data/growthbook-cases/cases.json",
                   shared == NULL ? "../shared" : shared);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        (void)printf("skipped: no %s\n", path);
        return SKIPPED;
    }
    json_error_t error;
    all.groups = json_loadf(file, 0, &error);
    (void)fclose(file);
    if (all.groups == NULL) {
        (void)fprintf(stderr, "%s: line %d: %s\n", path, error.line, error.text);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate_setup_teardown(every_case_is_right_or_left_out, set_up, NULL,
                                                 &all),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_decref(all.groups);
    return failed;
}
