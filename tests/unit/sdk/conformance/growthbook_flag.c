/* growthbook_flag.c: a GrowthBook feature -> a flag's rules, decided by cairn__flag_decide. */
#include <stdlib.h>

#include "growthbook.h"
#include "support/cmocka_all.h"

/* A feature's rules; values are numbered through all of them: rule * VARIANTS_MAX + variant. */
typedef struct feature {
    growthbook_world world;
    json_t *json;
    const char *name;
    size_t count;
    growthbook read[CAIRN__FLAG_RULES_MAX];
    cairn__flag_rule rules[CAIRN__FLAG_RULES_MAX];
    int values[CAIRN__FLAG_RULES_MAX][CAIRN__VARIANTS_MAX];
} feature;

static json_t *rule_of(const feature *f, size_t index) {
    return json_array_get(json_object_get(f->json, "rules"), index);
}

static bool is_gate(json_t *rule) {
    size_t i = 0;
    json_t *parent = NULL;
    bool gate = false;
    json_array_foreach(json_object_get(rule, "parentConditions"), i, parent) {
        gate = gate || json_is_true(json_object_get(parent, "gate"));
    }
    return gate;
}

/* A variant that is passed through, and a rule that gives nothing, lead on to the next rule. */
static bool gives(json_t *rule, size_t variant) {
    json_t *meta = json_array_get(json_object_get(rule, "meta"), variant);
    return (json_object_get(rule, "force") != NULL ||
            json_object_get(rule, "variations") != NULL) &&
           !json_is_true(json_object_get(meta, "passthrough"));
}

static const char *read_rule(feature *f, size_t index) {
    json_t *rule = rule_of(f, index);
    growthbook *g = &f->read[index];
    growthbook_read(g, f->world, rule, f->name);
    for (size_t i = 0; i < g->experiment.variant_count; i++) {
        f->values[index][i] =
            gives(rule, i) ? (int)(index * CAIRN__VARIANTS_MAX + i) : CAIRN__FLAG_NEXT;
    }
    f->rules[index] = (cairn__flag_rule){ .values = f->values[index], .gate = is_gate(rule) };
    return g->why;
}

static cairn__decision decide_rule(void *context, size_t index) {
    const feature *f = context;
    return cairn__experiment_decide(&f->read[index].experiment, &f->read[index].input);
}

static json_t *value_of(const feature *f, int number) {
    json_t *rule = rule_of(f, (size_t)number / CAIRN__VARIANTS_MAX);
    json_t *variants = json_object_get(rule, "variations");
    return variants == NULL ? json_object_get(rule, "force")
                            : json_array_get(variants, (size_t)number % CAIRN__VARIANTS_MAX);
}

static void decide(feature *f, growthbook_answer *out) {
    out->found = cairn__flag_decide(f->rules, f->count, decide_rule, f);
    if (out->found.value >= 0) {
        out->rule = rule_of(f, out->found.rule);
        out->value = value_of(f, out->found.value);
    } else if (out->found.reason != CAIRN__FLAG_GATED) {
        out->value = json_object_get(f->json, "defaultValue");
    }
}

const char *growthbook_flag(growthbook_world world, const char *name, growthbook_answer *out) {
    *out = (growthbook_answer){ .found = { .value = CAIRN__FLAG_DEFAULT } };
    json_t *json = json_object_get(json_object_get(world.context, "features"), name);
    if (json == NULL) {
        return world.depth == 0 ? "no such flag: nothing to decide" : NULL;
    }
    if (world.depth > GROWTHBOOK_DEPTH_MAX) {
        return "prerequisites in a circle: refused when they are saved";
    }
    feature *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->world = world;
    f->json = json;
    f->name = name;
    size_t rules = json_array_size(json_object_get(json, "rules"));
    assert_true(rules <= CAIRN__FLAG_RULES_MAX);
    const char *why = NULL;
    for (; f->count < rules && why == NULL; f->count++) {
        why = read_rule(f, f->count);
    }
    if (why == NULL) {
        decide(f, out);
    }
    for (size_t i = 0; i < f->count; i++) {
        growthbook_free(&f->read[i]);
    }
    free(f);
    return why;
}
