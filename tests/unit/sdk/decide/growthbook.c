#include "growthbook.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
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

static void only_these(json_t *object, const char *const *known, size_t count) {
    const char *stranger = NULL;
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        const char *name = json_object_iter_key(at);
        stranger = is_one_of(name, known, count) ? stranger : name;
    }
    if (stranger != NULL) {
        fail_msg("the adapter does not know the field \"%s\"", stranger);
    }
}

#define ONLY(object, known) only_these(object, known, sizeof(known) / sizeof(known)[0])

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
    static const char *const known[] = { "seed", "ranges" };
    size_t count = json_array_size(filters);
    assert_true(count <= CAIRN__EXPERIMENT_NAMESPACES_MAX);
    for (size_t i = 0; i < count; i++) {
        json_t *filter = json_array_get(filters, i);
        ONLY(filter, known);
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

/* {"country": "US"} -> user.country = "US"; conditions with operators are not for this adapter. */
static void read_condition(growthbook *g, json_t *condition, json_t *attributes) {
    char text[TEXT_BYTES] = "";
    size_t len = 0;
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(condition, name, value) {
        assert_true(json_is_string(value));
        len += (size_t)snprintf(text + len, sizeof text - len, "%suser.%s = \"%s\"",
                                len == 0 ? "" : " and ", name, json_string_value(value));
        assert_true(len < sizeof text);
    }
    if (len == 0) {
        return;
    }
    cairn__rule_fault fault;
    const cairn__rule_source source = { cairn__span(text, len), CAIRN__RULE_USER, 0, &g->arena,
                                        &fault };
    assert_int_equal(cairn__rule_compile(&source, &g->rule), CAIRN_OK);
    assert_true(g->rule.slot_count <= GROWTHBOOK_SLOTS_MAX);
    for (size_t i = 0; i < g->rule.slot_count; i++) {
        cairn_span slot = g->rule.slots[i].name;
        json_t *fact = json_object_getn(attributes, (const char *)slot.data, slot.len);
        if (json_is_string(fact)) {
            g->values[i] = (cairn_value){ .kind = CAIRN_VALUE_STRING,
                                          .as.string = cairn__span_of(json_string_value(fact)) };
        }
    }
    g->experiment.targeting = &g->rule;
    g->input.values = g->values;
}

/* A flag's value is its default value here: what flags come to is not what is tested. */
static void read_prerequisites(growthbook *g, json_t *context, json_t *experiment) {
    size_t i = 0;
    json_t *parent = NULL;
    json_array_foreach(json_object_get(experiment, "parentConditions"), i, parent) {
        json_t *flag =
            json_object_get(json_object_get(context, "features"), text_of(parent, "id", ""));
        json_t *wanted = json_object_get(json_object_get(parent, "condition"), "value");
        assert_non_null(wanted);
        if (!json_equal(json_object_get(flag, "defaultValue"), wanted)) {
            g->input.prerequisite = CAIRN__PREREQUISITE_NOT_MET;
        }
    }
}

static void read_shares(growthbook *g, json_t *experiment) {
    json_t *weights = json_object_get(experiment, "weights");
    json_t *ranges = json_object_get(experiment, "ranges");
    size_t variations = json_array_size(json_object_get(experiment, "variations"));
    /* GrowthBook runs nothing with one variation; to Cairn that is a flag */
    g->experiment.variant_count = variations == 1 ? 0 : variations;
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
}

static void read_input(growthbook *g, json_t *context, json_t *experiment) {
    json_t *attributes = json_object_get(context, "attributes");
    g->attribute = text_of(experiment, "hashAttribute", "id");
    if (*text_of(attributes, g->attribute, "") == '\0') {
        g->attribute = text_of(experiment, "fallbackAttribute", g->attribute);
    }
    g->input.unit = cairn__span_of(text_of(attributes, g->attribute, ""));
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

void growthbook_read(growthbook *g, json_t *context, json_t *experiment, const char *key) {
    static const char *const of_context[] = { "attributes", "enabled",
                                              "features",   "forcedVariations",
                                              "qaMode",     "stickyBucketAssignmentDocs" };
    static const char *const of_experiment[] = { "key",
                                                 "seed",
                                                 "hashVersion",
                                                 "variations",
                                                 "weights",
                                                 "coverage",
                                                 "force",
                                                 "active",
                                                 "condition",
                                                 "hashAttribute",
                                                 "namespace",
                                                 "filters",
                                                 "ranges",
                                                 "meta",
                                                 "parentConditions",
                                                 "phase",
                                                 "bucketVersion",
                                                 "fallbackAttribute",
                                                 "minBucketVersion",
                                                 "disableStickyBucketing" };
    ONLY(context, of_context);
    ONLY(experiment, of_experiment);
    *g = (growthbook){ .arena = cairn__arena_make(cairn__heap(), 1 << 20) };
    g->key = text_of(experiment, "key", key);
    g->experiment.salt = cairn__span_of(text_of(experiment, "seed", g->key));
    g->experiment.version = (cairn__assign_version)number_of(experiment, "hashVersion", 1);
    g->experiment.paused = json_is_false(json_object_get(experiment, "active"));
    json_t *force = json_object_get(experiment, "force");
    g->experiment.force_all = force != NULL;
    g->experiment.force_all_variant = (uint32_t)json_integer_value(force);
    g->experiment.sticky_version = (uint32_t)number_of(experiment, "bucketVersion", 0);
    g->experiment.sticky_oldest = (uint32_t)number_of(experiment, "minBucketVersion", 0);
    read_shares(g, experiment);
    read_namespaces(g, experiment);
    read_condition(g, json_object_get(experiment, "condition"),
                   json_object_get(context, "attributes"));
    read_prerequisites(g, context, experiment);
    read_input(g, context, experiment);
}

void growthbook_free(growthbook *g) {
    cairn__arena_free(&g->arena);
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
