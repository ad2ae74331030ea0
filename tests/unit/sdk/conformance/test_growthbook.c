/* Goal: the same answers as every other SDK that speaks GrowthBook's hashing and conditions.
 * Method: its public cases (data/growthbook-cases beside the repository; skipped without them)
 * through an adapter; growthbook_left_out.txt says which are not run, and why. */
#include <stdio.h>
#include <string.h>

#include "growthbook.h"
#include "support/cmocka_all.h"

enum { NAME_BYTES = 512 };

static const double close_enough = 1e-9; /* the cases are written in decimals */

static cairn_span span_at(json_t *list, size_t at) {
    return cairn__span_of(json_string_value(json_array_get(list, at)));
}

static double number_at(json_t *list, size_t at) {
    return json_number_value(json_array_get(list, at));
}

static bool near(double a, double b) {
    return a - b < close_enough && b - a < close_enough;
}

/* --- one case of each group: why it is not right, or NULL --- */

static const char *unless(bool right) {
    return right ? NULL : "another answer";
}

static const char *run_hash(json_t *line) {
    double bucket = -1;
    cairn__assign_version version =
        (cairn__assign_version)json_integer_value(json_array_get(line, 2));
    cairn_status status =
        cairn__assign_bucket(version, span_at(line, 0), span_at(line, 1), &bucket);
    if (json_is_null(json_array_get(line, 3))) {
        return unless(status == CAIRN_UNSUPPORTED);
    }
    return unless(status == CAIRN_OK && bucket == number_at(line, 3));
}

static const char *run_ranges(json_t *line) {
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
            return "another range";
        }
    }
    return NULL;
}

/* Equal weights are what shares without weights give. */
static const char *run_equal(json_t *line) {
    cairn__range ranges[CAIRN__VARIANTS_MAX];
    json_int_t count = json_integer_value(json_array_get(line, 0));
    json_t *wanted = json_array_get(line, 1);
    if (count < 0) {
        return "a number of variants below 0 is no call of Cairn's";
    }
    assert_true(count <= CAIRN__VARIANTS_MAX);
    cairn__assign_ranges(&(cairn__shares){ 1, NULL, 0 }, ranges, (size_t)count);
    for (size_t i = 0; i < (size_t)count; i++) {
        if (ranges[i].to - ranges[i].from - number_at(wanted, i) > 1e-8) {
            return "another weight";
        }
    }
    return unless(json_array_size(wanted) == (size_t)count);
}

static const char *run_choose(json_t *line) {
    cairn__range ranges[CAIRN__VARIANTS_MAX];
    size_t count = growthbook_ranges(json_array_get(line, 2), ranges, CAIRN__VARIANTS_MAX);
    return unless(cairn__assign_choose(number_at(line, 1), ranges, count) ==
                  json_integer_value(json_array_get(line, 3)));
}

static const char *run_namespace(json_t *line) {
    json_t *layer = json_array_get(line, 2);
    const cairn__range slice = { number_at(layer, 1), number_at(layer, 2) };
    const cairn__namespace in = { span_at(layer, 0), CAIRN__ASSIGN_V1, &slice, 1 };
    return unless(cairn__assign_in_namespace(&in, span_at(line, 1)) ==
                  json_is_true(json_array_get(line, 3)));
}

/* [name, context, experiment, value, in the experiment, by the hash]; not in: the first value. */
static const char *run_experiment(json_t *line) {
    growthbook g;
    json_t *experiment = json_array_get(line, 2);
    growthbook_read(&g, (growthbook_world){ json_array_get(line, 1), 0 }, experiment, "");
    if (g.why != NULL) {
        growthbook_free(&g);
        return g.why;
    }
    cairn__decision decision = cairn__experiment_decide(&g.experiment, &g.input);
    growthbook_free(&g);
    size_t shown = decision.variant < 0 ? 0 : (size_t)decision.variant;
    json_t *value = json_array_get(json_object_get(experiment, "variations"), shown);
    return unless(json_equal(value, json_array_get(line, 3)) &&
                  (decision.variant >= 0) == json_is_true(json_array_get(line, 4)) &&
                  (decision.reason == CAIRN__REASON_ASSIGNED) ==
                      json_is_true(json_array_get(line, 5)));
}

/* Is what the decision says to keep what the case finds kept afterwards? */
static bool kept_is(const growthbook *g, const cairn__decision *decision, json_t *after) {
    char name[NAME_BYTES];
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
static const char *run_sticky(json_t *line) {
    json_t *context = json_array_get(line, 1);
    const char *flag = json_string_value(json_array_get(line, 3));
    json_t *rules =
        json_object_get(json_object_get(json_object_get(context, "features"), flag), "rules");
    assert_int_equal(json_array_size(rules), 1);
    json_t *experiment = json_array_get(rules, 0);
    json_t *wanted = json_array_get(line, 4);
    bool wants = !json_is_true(json_object_get(experiment, "disableStickyBucketing"));
    growthbook g;
    growthbook_read(&g, (growthbook_world){ context, 0 }, experiment, flag);
    assert_null(g.why);
    if (wants) {
        growthbook_read_sticky(&g, context, experiment, json_array_get(line, 2));
    }
    cairn__decision decision = cairn__experiment_decide(&g.experiment, &g.input);
    bool right = !wants || kept_is(&g, &decision, json_array_get(line, 5));
    growthbook_free(&g);
    if (json_is_null(wanted)) {
        return unless(right && decision.reason == CAIRN__REASON_STICKY_OLD);
    }
    json_t *used = json_object_get(wanted, "stickyBucketUsed");
    return unless(right &&
                  decision.variant == json_integer_value(json_object_get(wanted, "variationId")) &&
                  decision.bucket == json_number_value(json_object_get(wanted, "bucket")) &&
                  (decision.reason == CAIRN__REASON_STICKY) == json_is_true(used));
}

/* [name, condition, attributes, answer, groups] */
static const char *run_condition(json_t *line) {
    conform_text text = { .len = 0 };
    growthbook_condition(&text, json_array_get(line, 1), json_array_get(line, 4));
    return conform_ask(&text, conform_fact, json_array_get(line, 2),
                       json_is_true(json_array_get(line, 3)));
}

static const char *source_of(const growthbook_answer *answer) {
    if (answer->rule != NULL) {
        return json_object_get(answer->rule, "variations") != NULL ? "experiment" : "force";
    }
    return answer->found.reason == CAIRN__FLAG_GATED ? "prerequisite" : "defaultValue";
}

/* The experiment's own result, where a rule with chance gave the value. */
static bool same_result(const cairn__decision *decision, json_t *wanted) {
    json_t *bucket = json_object_get(wanted, "bucket");
    return wanted == NULL ||
           (decision->variant == json_integer_value(json_object_get(wanted, "variationId")) &&
            (decision->reason == CAIRN__REASON_ASSIGNED) ==
                json_is_true(json_object_get(wanted, "hashUsed")) &&
            decision->has_bucket == (bucket != NULL) &&
            (bucket == NULL || decision->bucket == json_number_value(bucket)));
}

/* [name, context, flag, result] */
static const char *run_flag(json_t *line) {
    growthbook_answer answer;
    json_t *wanted = json_array_get(line, 3);
    const char *why = growthbook_flag((growthbook_world){ json_array_get(line, 1), 0 },
                                      json_string_value(json_array_get(line, 2)), &answer);
    if (why != NULL) {
        return why;
    }
    json_t *value = json_object_get(wanted, "value");
    bool same = answer.value == NULL ? json_is_null(value) : json_equal(answer.value, value);
    const char *rule = json_string_value(json_object_get(answer.rule, "id"));
    bool right =
        same && same_result(&answer.found.decision, json_object_get(wanted, "experimentResult")) &&
        strcmp(source_of(&answer), json_string_value(json_object_get(wanted, "source"))) == 0 &&
        strcmp(rule == NULL ? "" : rule, json_string_value(json_object_get(wanted, "ruleId"))) == 0;
    return unless(right);
}

/* --- all of them --- */

typedef struct group_runner {
    const char *group;
    const char *(*run)(json_t *line);
} group_runner;

static const char *run_case(const char *group, json_t *line) {
    static const group_runner runners[] = {
        { "evalCondition", run_condition },
        { "hash", run_hash },
        { "getBucketRange", run_ranges },
        { "chooseVariation", run_choose },
        { "inNamespace", run_namespace },
        { "getEqualWeights", run_equal },
        { "run", run_experiment },
        { "stickyBucket", run_sticky },
        { "feature", run_flag },
    };
    for (size_t i = 0; i < sizeof runners / sizeof runners[0]; i++) {
        if (strcmp(runners[i].group, group) == 0) {
            return runners[i].run(line);
        }
    }
    return "a group that the adapter does not run";
}

static void run(conform_suite *suite, json_t *groups) {
    const char *group = NULL;
    json_t *lines = NULL;
    json_object_foreach(groups, group, lines) {
        for (size_t i = 0; i < json_array_size(lines); i++) { /* "specVersion" is no list */
            char id[CONFORM_ID_BYTES];
            json_t *line = json_array_get(lines, i);
            const char *name = json_string_value(json_array_get(line, 0));
            (void)snprintf(id, sizeof id, "%s %zu %s", group, i, name == NULL ? "" : name);
            conform_case(suite, id, run_case(group, line));
        }
    }
}

int main(void) {
    return conform_main("growthbook", "growthbook-cases/cases.json", run);
}
