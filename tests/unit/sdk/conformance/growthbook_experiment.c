/* growthbook_experiment.c: an experiment, or a rule of a flag, with whom it is about. */
#include "growthbook.h"

#include <stdio.h>
#include <string.h>

#include "support/cmocka_all.h"

enum { TEXT_BYTES = 512, STICKY_VERSIONS = 10 };

static bool is_one_of(const char *name, const char *const *known, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, known[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void only_these(growthbook *g, json_t *object, const char *const *known, size_t count) {
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(object, name, value) {
        if (!is_one_of(name, known, count)) {
            g->why = strncmp(name, "contextual", 10) == 0
                         ? "weights that depend on the context of a person"
                         : "a field that the adapter does not know";
        }
    }
}

#define ONLY(g, object, known) only_these(g, object, known, sizeof(known) / sizeof(known)[0])

static const char *text_of(json_t *object, const char *name, const char *otherwise) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? otherwise : text;
}

static double number_of(json_t *object, const char *name, double otherwise) {
    json_t *value = json_object_get(object, name);
    return value == NULL ? otherwise : json_number_value(value);
}

size_t growthbook_ranges(json_t *list, cairn__range *ranges_out, size_t room) {
    size_t count = json_array_size(list);
    assert_true(count <= room);
    for (size_t i = 0; i < count; i++) {
        json_t *pair = json_array_get(list, i);
        ranges_out[i].from = json_number_value(json_array_get(pair, 0));
        ranges_out[i].to = json_number_value(json_array_get(pair, 1));
    }
    return count;
}

/* "filters" say more than "namespace" and are read instead of it, as GrowthBook does. */
static void read_namespaces(growthbook *g, json_t *experiment) {
    json_t *filters = json_object_get(experiment, "filters");
    json_t *layer = json_object_get(experiment, "namespace");
    static const char *const known[] = { "seed", "ranges", "attribute" };
    size_t count = json_array_size(filters);
    assert_true(count <= CAIRN__EXPERIMENT_NAMESPACES_MAX);
    for (size_t i = 0; i < count; i++) {
        json_t *filter = json_array_get(filters, i);
        const char *attribute = text_of(filter, "attribute", g->attribute);
        ONLY(g, filter, known);
        if (strcmp(attribute, g->attribute) != 0) {
            g->why = "a namespace by another id than the experiment's";
        }
        g->layers[i].name = cairn__span_of(text_of(filter, "seed", ""));
        g->layers[i].version = CAIRN__ASSIGN_V2;
        g->layers[i].slices = g->slices[i];
        g->layers[i].slice_count = growthbook_ranges(json_object_get(filter, "ranges"),
                                                     g->slices[i], CAIRN__EXPERIMENT_SLICES_MAX);
    }
    if (filters == NULL && layer != NULL) {
        g->slices[0][0].from = json_number_value(json_array_get(layer, 1));
        g->slices[0][0].to = json_number_value(json_array_get(layer, 2));
        const char *name = json_string_value(json_array_get(layer, 0));
        g->layers[0] =
            (cairn__namespace){ cairn__span_of(name), CAIRN__ASSIGN_V1, g->slices[0], 1 };
        count = 1;
    }
    g->experiment.namespaces = g->layers;
    g->experiment.namespace_count = count;
}

static void read_condition(growthbook *g, json_t *context, json_t *experiment) {
    json_t *condition = json_object_get(experiment, "condition");
    if (condition == NULL || g->why != NULL) {
        return;
    }
    conform_text text = { .len = 0 };
    growthbook_condition(&text, condition, json_object_get(context, "savedGroups"));
    g->why =
        conform_compile(&g->targeting, &text, conform_fact, json_object_get(context, "attributes"));
    g->experiment.targeting = &g->targeting.rule;
    g->input.values = g->targeting.values;
}

/* {"id": "parent", "condition": {"value": true}}: the flag is decided, and a rule asks its value.
 */
static void read_prerequisite(growthbook *g, growthbook_world world, json_t *from) {
    conform_rule rule = { .rule = { .slot_count = 0 } };
    conform_text text = { .len = 0 };
    growthbook_answer answer;
    const growthbook_world inner = { world.context, world.depth + 1 };
    g->why = growthbook_flag(inner, text_of(from, "id", ""), &answer);
    if (g->why != NULL) {
        return;
    }
    json_t *facts = json_pack("{sO?}", "value", answer.value);
    growthbook_condition(&text, json_object_get(from, "condition"), NULL);
    g->why = conform_compile(&rule, &text, conform_fact, facts);
    if (g->why == NULL &&
        cairn__rule_evaluate(&rule.rule, rule.values, 0, NULL) != CAIRN__RULE_TRUE) {
        g->input.prerequisite = CAIRN__PREREQUISITE_NOT_MET;
    }
    conform_free(&rule);
    json_decref(facts);
}

static void read_prerequisites(growthbook *g, growthbook_world world, json_t *experiment) {
    size_t i = 0;
    json_t *parent = NULL;
    json_array_foreach(json_object_get(experiment, "parentConditions"), i, parent) {
        if (g->why == NULL) {
            read_prerequisite(g, world, parent);
        }
    }
}

static void read_shares(growthbook *g, json_t *experiment) {
    json_t *weights = json_object_get(experiment, "weights");
    json_t *ranges = json_object_get(experiment, "ranges");
    json_t *one = json_object_get(experiment, "range");
    g->experiment.variant_count = json_array_size(json_object_get(experiment, "variations"));
    if (g->experiment.variant_count == 0) { /* a flag's rule that forces a value */
        g->experiment.variant_count = 1;
    }
    g->experiment.shares.coverage = number_of(experiment, "coverage", 1);
    if (weights != NULL) {
        size_t count = json_array_size(weights);
        assert_true(count <= CAIRN__VARIANTS_MAX);
        for (size_t i = 0; i < count; i++) {
            g->weights[i] = json_number_value(json_array_get(weights, i));
        }
        g->experiment.shares.weights = g->weights;
        g->experiment.shares.weight_count = count;
    }
    if (ranges != NULL) {
        size_t count = growthbook_ranges(ranges, g->ranges, CAIRN__VARIANTS_MAX);
        assert_int_equal(count, g->experiment.variant_count);
        g->experiment.ranges = g->ranges;
    }
    if (one != NULL) {
        g->ranges[0].from = json_number_value(json_array_get(one, 0));
        g->ranges[0].to = json_number_value(json_array_get(one, 1));
        g->experiment.ranges = g->ranges;
    }
}

/* Ids are texts; a whole number is written as one. */
static const char *id_of(growthbook *g, json_t *attributes, const char *name) {
    json_t *id = json_object_get(attributes, name);
    if (json_is_integer(id)) {
        (void)snprintf(g->unit, sizeof g->unit, "%lld", (long long)json_integer_value(id));
        return g->unit;
    }
    return json_is_string(id) ? json_string_value(id) : "";
}

static void read_unit(growthbook *g, json_t *context, json_t *experiment) {
    json_t *attributes = json_object_get(context, "attributes");
    g->attribute = text_of(experiment, "hashAttribute", "id");
    if (*id_of(g, attributes, g->attribute) == '\0') {
        g->attribute = text_of(experiment, "fallbackAttribute", g->attribute);
    }
    g->input.unit = cairn__span_of(id_of(g, attributes, g->attribute));
}

/* A rule without chance holds for whoever asks; a device always has an id, these persons do not. */
static void read_without_chance(growthbook *g, json_t *rule) {
    bool chance =
        json_object_get(rule, "coverage") != NULL || json_object_get(rule, "range") != NULL ||
        json_object_get(rule, "filters") != NULL || json_object_get(rule, "variations") != NULL;
    if (!chance && g->input.unit.len == 0) {
        g->input.unit = CAIRN_STR("a device");
    }
}

static void read_mode(growthbook *g, json_t *context) {
    if (json_is_true(json_object_get(context, "qaMode"))) {
        g->input.mode = CAIRN__EXPERIMENT_FORCED_ONLY;
    }
    if (json_is_false(json_object_get(context, "enabled"))) {
        g->input.mode = CAIRN__EXPERIMENT_OFF;
    }
    json_t *variant = json_object_get(json_object_get(context, "forcedVariations"), g->key);
    g->input.override = variant != NULL;
    g->input.override_variant = (uint32_t)json_integer_value(variant);
}

static void check_fields(growthbook *g, json_t *context, json_t *experiment) {
    static const char *const of_context[] = { "attributes",
                                              "enabled",
                                              "features",
                                              "forcedVariations",
                                              "qaMode",
                                              "savedGroups",
                                              "stickyBucketAssignmentDocs" };
    static const char *const of_experiment[] = {
        "active",
        "banditVersion",
        "bucketVersion",
        "condition",
        "coverage",
        "disableStickyBucketing",
        "fallbackAttribute",
        "filters",
        "foo",
        "force",
        "hashAttribute",
        "hashVersion",
        "id",
        "key",
        "meta",
        "minBucketVersion",
        "name",
        "namespace",
        "parentConditions",
        "phase",
        "range",
        "ranges",
        "seed",
        "type",
        "variations",
        "weights"
    }; /* "foo" and "banditVersion" stand for fields to be passed over */
    ONLY(g, context, of_context);
    ONLY(g, experiment, of_experiment);
}

static void read_experiment(growthbook *g, json_t *experiment, const char *key) {
    json_t *force = json_object_get(experiment, "force");
    bool variants = json_object_get(experiment, "variations") != NULL;
    g->key = text_of(experiment, "key", key);
    g->experiment.salt = cairn__span_of(text_of(experiment, "seed", g->key));
    int version = (int)number_of(experiment, "hashVersion", 1);
    /* GrowthBook knows 1 and 2; Cairn's 3 is another's */
    g->experiment.version = (cairn__assign_version)(version == CAIRN__ASSIGN_V3 ? 0 : version);
    g->experiment.paused = json_is_false(json_object_get(experiment, "active"));
    g->experiment.force_all = variants && force != NULL;
    g->experiment.force_all_variant =
        g->experiment.force_all ? (uint32_t)json_integer_value(force) : 0;
    g->experiment.sticky_version = (uint32_t)number_of(experiment, "bucketVersion", 0);
    g->experiment.sticky_oldest = (uint32_t)number_of(experiment, "minBucketVersion", 0);
}

void growthbook_read(growthbook *g, growthbook_world world, json_t *experiment, const char *key) {
    *g = (growthbook){ .why = NULL };
    check_fields(g, world.context, experiment);
    read_experiment(g, experiment, key);
    read_shares(g, experiment);
    read_unit(g, world.context, experiment);
    read_without_chance(g, experiment);
    read_mode(g, world.context);
    read_namespaces(g, experiment);
    read_condition(g, world.context, experiment);
    read_prerequisites(g, world, experiment);
}

void growthbook_free(growthbook *g) {
    conform_free(&g->targeting);
}

void growthbook_sticky_name(const growthbook *g, uint32_t version, char *into, size_t room) {
    int len = snprintf(into, room, "%s__%u", g->key, version);
    assert_true(len > 0 && (size_t)len < room);
}

/* Of the versions kept: one too old to take part, else the current one, else any. */
static void read_assignments(growthbook *g, json_t *assignments) {
    for (uint32_t version = 0; version < STICKY_VERSIONS; version++) {
        char name[TEXT_BYTES];
        growthbook_sticky_name(g, version, name, sizeof name);
        const char *variant = json_string_value(json_object_get(assignments, name));
        bool current = version == g->experiment.sticky_version;
        if (variant != NULL && (current || !g->input.sticky.present)) {
            assert_true(strlen(variant) == 1); /* these cases name variants "0", "1", ... */
            g->input.sticky = (cairn__sticky){ true, version, (uint32_t)(variant[0] - '0') };
        }
        if (g->input.sticky.present && g->input.sticky.version < g->experiment.sticky_oldest) {
            return;
        }
    }
}

static void read_document(growthbook *g, json_t *document, const char *attribute,
                          const char *value) {
    if (strcmp(text_of(document, "attributeName", ""), attribute) == 0 &&
        strcmp(text_of(document, "attributeValue", ""), value) == 0) {
        read_assignments(g, json_object_get(document, "assignments"));
    }
}

void growthbook_read_sticky(growthbook *g, json_t *context, json_t *experiment, json_t *documents) {
    const char *const attributes[] = { g->attribute,
                                       text_of(experiment, "fallbackAttribute", g->attribute) };
    json_t *facts = json_object_get(context, "attributes");
    for (size_t a = 0; a < 2 && !g->input.sticky.present; a++) {
        const char *value = text_of(facts, attributes[a], "");
        for (size_t i = 0; i < json_array_size(documents); i++) {
            read_document(g, json_array_get(documents, i), attributes[a], value);
        }
    }
}
