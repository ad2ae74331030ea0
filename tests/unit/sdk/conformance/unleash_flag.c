/* unleash_flag.c: a toggle and its variants, decided by cairn__flag_decide and
 * cairn__experiment_decide. */
#include <stdlib.h>
#include <string.h>

#include "support/cmocka_all.h"
#include "unleash.h"

enum { VARIANT_SEED = 86028157, FORCED_MAX = 16 };

typedef struct strategy {
    cairn__experiment experiment;
    cairn__experiment_input input;
    conform_rule targeting;
    const char *group;      /* the rollout's salt */
    const char *stickiness; /* whose value is the unit */
} strategy;

typedef struct toggle {
    unleash_world world;
    json_t *json;
    const char *name;
    cairn__prerequisite prerequisite;
    size_t count;
    strategy strategies[UNLEASH_STRATEGIES_MAX];
    cairn__flag_rule rules[UNLEASH_STRATEGIES_MAX];
    int values[UNLEASH_STRATEGIES_MAX];
} toggle;

static const char *text_of(json_t *object, const char *name, const char *otherwise) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? otherwise : text;
}

static cairn_span field(json_t *context, const char *name) {
    const char *text = json_string_value(unleash_field(context, name));
    return text == NULL ? (cairn_span){ NULL, 0 } : cairn__span_of(text);
}

/* Unleash takes user, session, or chance. Cairn has no chance, but a device always has an id. */
static cairn_span unit_of(json_t *context, const char *stickiness) {
    bool any = strcmp(stickiness, "default") == 0 || strcmp(stickiness, "random") == 0;
    if (!any) {
        return field(context, stickiness);
    }
    cairn_span user = field(context, "userId");
    cairn_span session = field(context, "sessionId");
    return user.len > 0 ? user : session.len > 0 ? session : CAIRN_STR("a device");
}

/* --- strategies ------------------------------------------------------------------------------ */

/* "a, b, c": each by its own test. */
static void each(conform_text *to, const char *list, const char *before, const char *between) {
    conform_say(to, " and (false");
    for (const char *at = list; *at != '\0';) {
        char item[128];
        at += strspn(at, " ,");
        size_t len = strcspn(at, ",");
        assert_true(len < sizeof item);
        memcpy(item, at, len);
        item[len] = '\0';
        at += len;
        conform_say(to, " or %s", before);
        conform_say(to, "%s", between);
        conform_quoted(to, item);
        conform_say(to, "%s", *before == 'i' ? ")" : "");
    }
    conform_say(to, ")");
}

static void read_rollout(strategy *s, json_t *parameters, const char *percentage,
                         const char *stickiness) {
    json_t *share = json_loads(text_of(parameters, percentage, "0"), JSON_DECODE_ANY, NULL);
    s->experiment.shares.coverage = json_number_value(share) / 100;
    s->stickiness = stickiness;
    json_decref(share);
}

/* Who is targeted by name, and how many by chance. */
static void read_kind(strategy *s, json_t *json, conform_text *to) {
    json_t *parameters = json_object_get(json, "parameters");
    const char *kind = text_of(json, "name", "");
    if (strcmp(kind, "userWithId") == 0) {
        each(to, text_of(parameters, "userIds", ""), "user.`text:userId` = ", "");
    } else if (strcmp(kind, "remoteAddress") == 0) {
        each(to, text_of(parameters, "IPs", ""), "in_network(user.`text:remoteAddress`", ", ");
    } else if (strcmp(kind, "gradualRolloutUserId") == 0) {
        read_rollout(s, parameters, "percentage", "userId");
    } else if (strcmp(kind, "gradualRolloutSessionId") == 0) {
        read_rollout(s, parameters, "percentage", "sessionId");
    } else if (strcmp(kind, "gradualRolloutRandom") == 0) {
        read_rollout(s, parameters, "percentage", "random");
    } else if (strcmp(kind, "flexibleRollout") == 0) {
        read_rollout(s, parameters, "rollout", text_of(parameters, "stickiness", "default"));
    } else if (strcmp(kind, "default") != 0) {
        conform_cannot(to, "a strategy of somebody's own");
    }
}

/* `json` NULL: everybody. */
static const char *read_strategy(toggle *t, json_t *json) {
    size_t index = t->count++;
    strategy *s = &t->strategies[index];
    conform_text text = { .len = 0 };
    s->stickiness = "default";
    s->experiment = (cairn__experiment){ .version = CAIRN__ASSIGN_V3,
                                         .variant_count = 1,
                                         .shares = { .coverage = 1 },
                                         .targeting = &s->targeting.rule };
    s->experiment.paused = !json_is_true(json_object_get(t->json, "enabled"));
    conform_say(&text, "true");
    if (json != NULL) {
        read_kind(s, json, &text);
        unleash_constraints(&text, t->world.state, json);
    }
    s->group = text_of(json_object_get(json, "parameters"), "groupId", t->name);
    s->experiment.salt = cairn__span_of(s->group);
    const char *why = conform_compile(&s->targeting, &text, unleash_fact, t->world.context);
    s->input.values = s->targeting.values;
    s->input.unit = unit_of(t->world.context, s->stickiness);
    s->input.prerequisite = t->prerequisite;
    t->values[index] = (int)index;
    t->rules[index] = (cairn__flag_rule){ .values = &t->values[index] };
    return why;
}

static cairn__decision decide_rule(void *context, size_t index) {
    const toggle *t = context;
    return cairn__experiment_decide(&t->strategies[index].experiment, &t->strategies[index].input);
}

/* --- dependencies ---------------------------------------------------------------------------- */

/* What a rule is asked: user.on = true and user.variant in [...]. */
static const char *ask_parent(toggle *t, json_t *dependency, const unleash_answer *parent) {
    bool wants = !json_is_false(json_object_get(dependency, "enabled"));
    json_t *variants = json_object_get(dependency, "variants");
    size_t i = 0;
    json_t *variant = NULL;
    conform_text text = { .len = 0 };
    conform_say(&text, "user.on = %s", wants ? "true" : "false");
    conform_say(&text, "%s", wants && json_array_size(variants) > 0 ? " and (false" : "");
    json_array_foreach(variants, i, variant) {
        conform_say(&text, " or user.variant = ");
        conform_constant(&text, variant);
    }
    conform_say(&text, "%s", wants && json_array_size(variants) > 0 ? ")" : "");
    json_t *facts = json_pack("{sbss}", "on", parent->on, "variant",
                              text_of(parent->variant, "name", "disabled"));
    conform_rule rule;
    const char *why = conform_compile(&rule, &text, conform_fact, facts);
    if (why == NULL && cairn__rule_evaluate(&rule.rule, rule.values, 0, NULL) != CAIRN__RULE_TRUE) {
        t->prerequisite = CAIRN__PREREQUISITE_NOT_MET;
    }
    conform_free(&rule);
    json_decref(facts);
    return why;
}

static const char *read_dependencies(toggle *t) {
    size_t i = 0;
    json_t *dependency = NULL;
    const char *why = NULL;
    json_array_foreach(json_object_get(t->json, "dependencies"), i, dependency) {
        unleash_answer parent;
        unleash_world world = { t->world.state, t->world.context, t->world.depth + 1 };
        if (why == NULL) {
            why = unleash_toggle(world, text_of(dependency, "feature", ""), &parent);
        }
        if (why == NULL) {
            why = ask_parent(t, dependency, &parent);
        }
    }
    return why;
}

/* --- variants -------------------------------------------------------------------------------- */

typedef struct variants {
    cairn__experiment experiment;
    cairn__range ranges[CAIRN__VARIANTS_MAX];
    cairn__forced_unit forced[FORCED_MAX];
} variants;

static void read_weights(variants *v, json_t *list) {
    size_t i = 0;
    json_t *variant = NULL;
    json_int_t sum = 0;
    v->experiment.variant_count = json_array_size(list);
    assert_true(v->experiment.variant_count <= CAIRN__VARIANTS_MAX);
    json_array_foreach(list, i, variant) {
        sum += json_integer_value(json_object_get(variant, "weight"));
    }
    json_int_t before = 0;
    json_array_foreach(list, i, variant) {
        v->ranges[i].from = (double)before / (double)sum;
        before += json_integer_value(json_object_get(variant, "weight"));
        v->ranges[i].to = (double)before / (double)sum;
    }
    v->experiment.ranges = v->ranges;
    v->experiment.murmur = (cairn__murmur){ VARIANT_SEED, (uint32_t)sum };
}

/* An override is a forced unit; all of the cases' are by the id that is the unit. */
static void read_overrides(variants *v, json_t *list) {
    size_t i = 0;
    json_t *variant = NULL;
    json_array_foreach(list, i, variant) {
        json_t *override = json_array_get(json_object_get(variant, "overrides"), 0);
        size_t j = 0;
        json_t *unit = NULL;
        json_array_foreach(json_object_get(override, "values"), j, unit) {
            assert_string_equal(text_of(override, "contextName", ""), "userId");
            assert_true(v->experiment.forced_count < FORCED_MAX);
            v->forced[v->experiment.forced_count++] =
                (cairn__forced_unit){ cairn__span_of(json_string_value(unit)), (uint32_t)i };
        }
    }
    v->experiment.forced = v->forced;
}

static json_t *choose(const toggle *t, const strategy *s, json_t *json) {
    json_t *own = json_object_get(json, "variants");
    json_t *list = json_array_size(own) > 0 ? own : json_object_get(t->json, "variants");
    variants v = { .experiment = { .version = CAIRN__ASSIGN_V3 } };
    if (json_array_size(list) == 0) {
        return NULL;
    }
    read_weights(&v, list);
    read_overrides(&v, list);
    v.experiment.salt = cairn__span_of(list == own ? s->group : t->name);
    const char *stickiness =
        list == own ? s->stickiness : text_of(json_array_get(list, 0), "stickiness", "default");
    cairn__experiment_input input = { .unit = unit_of(t->world.context, stickiness) };
    cairn__decision decision = cairn__experiment_decide(&v.experiment, &input);
    return decision.variant < 0 ? NULL : json_array_get(list, (size_t)decision.variant);
}

/* --- toggles --------------------------------------------------------------------------------- */

static const char *read_toggle(toggle *t) {
    json_t *list = json_object_get(t->json, "strategies");
    const char *why = read_dependencies(t);
    assert_true(json_array_size(list) <= UNLEASH_STRATEGIES_MAX);
    if (why == NULL && json_array_size(list) == 0) {
        why = read_strategy(t, NULL);
    }
    for (size_t i = 0; why == NULL && i < json_array_size(list); i++) {
        why = read_strategy(t, json_array_get(list, i));
    }
    return why;
}

static const char *decide(toggle *t, unleash_answer *out) {
    const char *why = read_toggle(t);
    if (why == NULL) {
        cairn__flag_decision found = cairn__flag_decide(t->rules, t->count, decide_rule, t);
        out->on = found.value >= 0;
        json_t *list = json_object_get(t->json, "strategies");
        out->variant = out->on
                           ? choose(t, &t->strategies[found.rule], json_array_get(list, found.rule))
                           : NULL;
    }
    for (size_t i = 0; i < t->count; i++) {
        conform_free(&t->strategies[i].targeting);
    }
    return why;
}

const char *unleash_toggle(unleash_world world, const char *name, unleash_answer *out) {
    *out = (unleash_answer){ false, NULL };
    size_t i = 0;
    json_t *json = NULL;
    json_t *found = NULL;
    json_array_foreach(json_object_get(world.state, "features"), i, json) {
        found = strcmp(text_of(json, "name", ""), name) == 0 ? json : found;
    }
    if (found == NULL) {
        return "a toggle that is not defined";
    }
    if (world.depth > UNLEASH_DEPTH_MAX) {
        return "prerequisites in a circle: refused when they are saved";
    }
    toggle *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->world = world;
    t->json = found;
    t->name = name;
    const char *why = decide(t, out);
    free(t);
    return why;
}
