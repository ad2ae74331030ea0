/* Goal: experiments with prerequisites, flags with rules, kept assignments and unknown facts come
 * to what the documents say. Method: random experiments and flags that depend on each other, random
 * exposures of this and of other units; each decision compared with one made by recursion over the
 * list of all exposures. */
#include <stdio.h>

#include "oracle.h"
#include "support/cmocka_all.h"

enum { EXPERIMENTS = 6, RULES = 3, EXPOSURES_MAX = 40, WORLDS = 500, ROUNDS = 12, VARIANTS = 2 };

typedef struct exposure {
    int experiment, variant, version, unit;
    int64_t time_ms;
    uint64_t session;
} exposure;

typedef struct lab {
    world w;
    oracle o;
    uint64_t seed;
    cairn__audience audiences[ORACLE_AUDIENCES];
    cairn__experiment_entry entries[EXPERIMENTS];
    oracle_need needs[EXPERIMENTS];
    cairn__prerequisite_of prerequisites[EXPERIMENTS][2];
    cairn__flag_rule rules[EXPERIMENTS][RULES];
    exposure exposures[EXPOSURES_MAX];
    size_t exposure_count;
    size_t met[CAIRN__REASON_COUNT];
    size_t flags_met[CAIRN__FLAG_INVALID + 1];
    size_t through_flags; /* decisions of flags by what a flag within them gave */
} lab;

static const cairn__variant arms[VARIANTS] = { { .name = { (const uint8_t *)"a", 1 } },
                                               { .name = { (const uint8_t *)"b", 1 } } };
static const char *const units[] = { "u1", "u2", "u3", "" };
static const char *const names[EXPERIMENTS] = { "e0", "e1", "e2", "e3", "e4", "e5" };

static uint64_t upto(lab *l, uint64_t limit) {
    l->seed = l->seed * 6364136223846793005u + 1442695040888963407u;
    return (l->seed >> 33) % limit;
}

static void make_audiences(lab *l) {
    static const char *const audience_names[] = { "m0", "m1", "m2", "m3" };
    for (size_t i = 0; i < ORACLE_AUDIENCES; i++) {
        char text[64];
        l->o.audiences[i] = (oracle_need){ ORACLE_USER, (int)i, (int64_t)upto(l, 6) };
        oracle_need_text(&l->o.audiences[i], text);
        l->audiences[i] =
            (cairn__audience){ cairn__span_of(audience_names[i]), world_condition(&l->w, text) };
    }
    world_audiences(&l->w, l->audiences, ORACLE_AUDIENCES);
}

static void make_flag(lab *l, size_t i) {
    for (size_t k = 0; k < RULES; k++) {
        l->rules[i][k] =
            (cairn__flag_rule){ .experiment = (uint16_t)upto(l, i), .gate = upto(l, 2) == 0 };
    }
    l->entries[i] = (cairn__experiment_entry){ .name = cairn__span_of(names[i]),
                                               .experiment.paused = upto(l, 8) == 0,
                                               .rules = l->rules[i],
                                               .rule_count = 1 + upto(l, RULES) };
}

static void make_experiment(lab *l, size_t i) {
    cairn__experiment_entry *entry = &l->entries[i];
    char text[64];
    l->needs[i] =
        (oracle_need){ upto(l, 2) == 0 ? ORACLE_ALWAYS : ORACLE_MEMBER, (int)upto(l, 4), 0 };
    oracle_need_text(&l->needs[i], text);
    *entry = (cairn__experiment_entry){ .name = cairn__span_of(names[i]),
                                        .variants = arms,
                                        .prerequisites = l->prerequisites[i],
                                        .prerequisite_count = i == 0 ? 0 : upto(l, 3) };
    for (size_t k = 0; k < 2 && i > 0; k++) {
        uint16_t other = (uint16_t)upto(l, i);
        int wanted = (int)upto(l, VARIANTS + 1) - 1; /* of a flag any: it has no variants */
        l->prerequisites[i][k] =
            (cairn__prerequisite_of){ other, l->entries[other].rule_count > 0 ? CAIRN__NO_VARIANT
                                                                              : wanted };
    }
    entry->experiment = (cairn__experiment){ .salt = entry->name,
                                             .version = CAIRN__ASSIGN_DEFAULT,
                                             .variant_count = VARIANTS,
                                             .shares = { .coverage = (double)upto(l, 3) / 2 },
                                             .paused = upto(l, 8) == 0,
                                             .sticky_version = (uint32_t)upto(l, 3) };
    entry->experiment.sticky_oldest = (uint32_t)upto(l, entry->experiment.sticky_version + 1u);
    if (text[0] != '\0') {
        entry->condition = world_condition(&l->w, text);
        entry->experiment.targeting = &entry->condition.rule;
    }
}

static void make_person(lab *l) {
    for (size_t i = 0; i < ORACLE_FACTS; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "f%zu", i);
        oracle_fact fact = { upto(l, 4) == 0 ? CAIRN__RULE_UNKNOWN : CAIRN__RULE_TRUE,
                             (int64_t)upto(l, 8) };
        l->o.facts[i] = fact;
        world_set(&l->w, CAIRN__RULE_USER, name,
                  fact.known == CAIRN__RULE_TRUE ? world_integer(fact.value) : world_unknown());
    }
}

static void expose(lab *l) {
    exposure *e = &l->exposures[l->exposure_count];
    *e = (exposure){ (int)upto(l, EXPERIMENTS),
                     (int)upto(l, VARIANTS),
                     (int)upto(l, 3),
                     (int)upto(l, 3),
                     (int64_t)(l->exposure_count * 7 % EXPOSURES_MAX),
                     upto(l, 4) };
    l->exposure_count += 1;
    const cairn_property properties[] = {
        { CAIRN_STR("experiment"), world_text(names[e->experiment]) },
        { CAIRN_STR("variant"), world_text(e->variant == 0 ? "a" : "b") },
        { CAIRN_STR("sticky_version"), world_integer(e->version) },
        { CAIRN_STR("unit"), world_integer(cairn__assign_fnv(cairn__span_of(units[e->unit]))) },
    };
    const cairn__event event = { .name = CAIRN__EVENT_EXPOSURE,
                                 .time_ms = e->time_ms,
                                 .session = e->session,
                                 .properties = properties,
                                 .property_count = 4 };
    assert_int_equal(cairn__memory_note(&l->w.memory, &event), CAIRN_OK);
}

/* --- the slow way --- */

typedef struct verdict {
    int variant;
    cairn__experiment_reason reason;
    int by; /* whose variant */
    cairn__flag_reason flag;
} verdict;

/* The assignment that is kept: of the highest version, of these the first. No two at one time. */
static const exposure *kept(const lab *l, int experiment) {
    const exposure *found = NULL;
    for (size_t i = 0; i < l->exposure_count; i++) {
        const exposure *e = &l->exposures[i];
        if (e->experiment == experiment &&
            (found == NULL || e->version > found->version ||
             (e->version == found->version && e->time_ms < found->time_ms))) {
            found = e;
        }
    }
    return found;
}

static verdict slow(const lab *l, int number, int unit);

static int prerequisites(const lab *l, int number, int unit) {
    const cairn__experiment_entry *entry = &l->entries[number];
    bool unknown = false;
    bool unmet = false;
    for (size_t i = 0; i < entry->prerequisite_count; i++) {
        verdict other = slow(l, entry->prerequisites[i].experiment, unit);
        int wanted = entry->prerequisites[i].variant;
        if (wanted == -1 ? other.variant >= 0 : other.variant == wanted) {
            continue;
        }
        bool open = other.reason == CAIRN__REASON_TARGET_UNKNOWN ||
                    other.reason == CAIRN__REASON_PREREQUISITE_UNKNOWN;
        unknown = unknown || open;
        unmet = unmet || !open;
    }
    return unmet ? CAIRN__PREREQUISITE_NOT_MET
                 : (unknown ? CAIRN__PREREQUISITE_UNKNOWN : CAIRN__PREREQUISITE_MET);
}

/* Rules in their order, each decided by itself. */
static verdict slow_flag(const lab *l, int number, int unit) {
    const cairn__experiment_entry *flag = &l->entries[number];
    if (flag->experiment.paused) {
        return (verdict){ .variant = -1, .reason = CAIRN__REASON_PAUSED };
    }
    for (size_t i = 0; i < flag->rule_count; i++) {
        verdict one = slow(l, flag->rules[i].experiment, unit);
        if (one.variant >= 0) {
            one.flag = CAIRN__FLAG_BY_RULE;
            return one;
        }
        one.flag = CAIRN__FLAG_UNKNOWN;
        if (one.reason == CAIRN__REASON_TARGET_UNKNOWN ||
            one.reason == CAIRN__REASON_PREREQUISITE_UNKNOWN) {
            return one;
        }
        one.flag = CAIRN__FLAG_GATED;
        if (one.reason == CAIRN__REASON_PREREQUISITE && flag->rules[i].gate) {
            return one;
        }
    }
    return (verdict){ .variant = -1, .flag = CAIRN__FLAG_NO_RULE };
}

static verdict by_chance(const cairn__experiment_entry *entry, int unit) {
    uint32_t bucket = oracle_bucket("", entry->name, cairn__span_of(units[unit]));
    uint32_t width = (uint32_t)(entry->experiment.shares.coverage * 5000);
    for (int i = 0; i < VARIANTS; i++) {
        if (bucket >= (uint32_t)i * 5000 && bucket < (uint32_t)i * 5000 + width) {
            return (verdict){ .variant = i, .reason = CAIRN__REASON_ASSIGNED };
        }
    }
    return (verdict){ .variant = -1, .reason = CAIRN__REASON_COVERAGE };
}

static verdict slow_experiment(const lab *l, int number, int unit) {
    const cairn__experiment_entry *entry = &l->entries[number];
    const cairn__experiment *experiment = &entry->experiment;
    if (experiment->paused || units[unit][0] == '\0') {
        return (verdict){ .variant = -1,
                          .reason =
                              experiment->paused ? CAIRN__REASON_PAUSED : CAIRN__REASON_NO_UNIT };
    }
    const exposure *e = kept(l, number);
    bool sticky = e != NULL && e->unit == unit;
    if (sticky && e->version == (int)experiment->sticky_version) {
        return (verdict){ .variant = e->variant, .reason = CAIRN__REASON_STICKY };
    }
    cairn__rule_answer target = oracle_judge(&l->o, &l->needs[number], -1);
    if (target != CAIRN__RULE_TRUE) {
        return (verdict){ .variant = -1,
                          .reason = target == CAIRN__RULE_FALSE ? CAIRN__REASON_NOT_TARGETED
                                                                : CAIRN__REASON_TARGET_UNKNOWN };
    }
    int prerequisite = prerequisites(l, number, unit);
    if (prerequisite != CAIRN__PREREQUISITE_MET) {
        return (verdict){ .variant = -1,
                          .reason = prerequisite == CAIRN__PREREQUISITE_NOT_MET
                                        ? CAIRN__REASON_PREREQUISITE
                                        : CAIRN__REASON_PREREQUISITE_UNKNOWN };
    }
    if (sticky && e->version < (int)experiment->sticky_oldest) {
        return (verdict){ .variant = -1, .reason = CAIRN__REASON_STICKY_OLD };
    }
    return by_chance(entry, unit);
}

static verdict slow(const lab *l, int number, int unit) {
    if ((l->w.input.denied & CAIRN__DENIED_PERSONALISATION) != 0) {
        return (verdict){ .variant = -1, .reason = CAIRN__REASON_OFF, .by = -1 };
    }
    if (l->entries[number].rule_count > 0) {
        verdict flag = slow_flag(l, number, unit);
        flag.by = flag.variant < 0 ? -1 : flag.by;
        return flag;
    }
    verdict one = slow_experiment(l, number, unit);
    one.by = one.variant < 0 ? -1 : number;
    return one;
}

static bool seen_in(const lab *l, int experiment, uint64_t session) {
    for (size_t i = 0; i < l->exposure_count; i++) {
        if (l->exposures[i].experiment == experiment && l->exposures[i].session == session) {
            return true;
        }
    }
    return false;
}

/* Of a flag whose rules were asked. */
static void compare_flag(lab *l, int number, const cairn__experiment_answer *answer,
                         const verdict *wanted) {
    char text[80];
    const cairn__experiment_entry *flag = &l->entries[number];
    (void)snprintf(text, sizeof text, "{\"name\":\"%s\",\"version\":0,\"reason\":\"%s\"",
                   names[number], cairn__flag_reason_text(wanted->flag));
    assert_true(world_has(&l->w, text));
    l->flags_met[wanted->flag] += 1;
    bool named = false;
    for (size_t i = 0; i < flag->rule_count; i++) {
        named = named || flag->rules[i].experiment == answer->by;
    }
    l->through_flags += answer->by >= 0 && !named;
}

static void compare(lab *l, int number, int unit) {
    cairn__experiment_answer answer;
    cairn__buffer_clear(&l->w.answer);
    cairn__decide_experiment(l->w.decider, &l->w.input, l->entries[number].name, &l->w.answer,
                             &answer);
    verdict wanted = slow(l, number, unit);
    if (answer.decision.variant != wanted.variant || answer.decision.reason != wanted.reason ||
        answer.by != wanted.by) {
        print_error("wanted %d %s\n%.*s\n", wanted.variant,
                    cairn__experiment_reason_text(wanted.reason), (int)l->w.answer.len,
                    (const char *)l->w.answer.data);
        fail();
    }
    bool in = wanted.reason == CAIRN__REASON_ASSIGNED || wanted.reason == CAIRN__REASON_STICKY;
    assert_int_equal(answer.exposure, in && !seen_in(l, wanted.by, l->w.input.session));
    bool flag = l->entries[number].rule_count > 0;
    if (flag && wanted.reason != CAIRN__REASON_OFF && wanted.reason != CAIRN__REASON_PAUSED) {
        compare_flag(l, number, &answer, &wanted);
    }
    l->met[wanted.reason] += flag ? 0 : 1;
}

static void one_world(lab *l, uint64_t seed) {
    world_open(&l->w);
    l->seed = seed;
    l->exposure_count = 0;
    make_audiences(l);
    for (size_t i = 0; i < EXPERIMENTS; i++) {
        if (i > 0 && upto(l, 3) == 0) {
            make_flag(l, i);
        } else {
            make_experiment(l, i);
        }
    }
    make_person(l);
    l->w.definitions.experiments = l->entries;
    l->w.definitions.experiment_count = EXPERIMENTS;
    world_ready(&l->w);
    for (size_t round = 0; round < ROUNDS; round++) {
        make_person(l);
        int unit = (int)upto(l, 4);
        l->w.input.unit = cairn__span_of(units[unit]);
        l->w.input.session = upto(l, 4);
        l->w.input.denied = upto(l, 10) == 0 ? CAIRN__DENIED_PERSONALISATION : 0;
        for (int i = 0; i < EXPERIMENTS; i++) {
            compare(l, EXPERIMENTS - 1 - i, unit);
        }
        for (size_t i = 0; i < EXPOSURES_MAX / ROUNDS; i++) {
            expose(l);
        }
    }
    world_close(&l->w);
}

static void experiments_come_to_what_the_documents_say(void **state) {
    (void)state;
    static lab l;
    for (uint64_t seed = 1; seed <= WORLDS; seed++) {
        one_world(&l, seed);
    }
    static const cairn__experiment_reason wanted[] = { CAIRN__REASON_OFF,
                                                       CAIRN__REASON_PAUSED,
                                                       CAIRN__REASON_NO_UNIT,
                                                       CAIRN__REASON_NOT_TARGETED,
                                                       CAIRN__REASON_TARGET_UNKNOWN,
                                                       CAIRN__REASON_PREREQUISITE,
                                                       CAIRN__REASON_PREREQUISITE_UNKNOWN,
                                                       CAIRN__REASON_STICKY_OLD,
                                                       CAIRN__REASON_COVERAGE,
                                                       CAIRN__REASON_STICKY,
                                                       CAIRN__REASON_ASSIGNED };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        print_message("%s %zu\n", cairn__experiment_reason_text(wanted[i]), l.met[wanted[i]]);
        assert_true(l.met[wanted[i]] > 50);
    }
    for (int i = CAIRN__FLAG_BY_RULE; i <= CAIRN__FLAG_GATED; i++) {
        print_message("%s %zu\n", cairn__flag_reason_text((cairn__flag_reason)i), l.flags_met[i]);
        assert_true(l.flags_met[i] > 50);
    }
    print_message("through flags %zu\n", l.through_flags);
    assert_true(l.through_flags > 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(experiments_come_to_what_the_documents_say),
    };
    return cmocka_run_group_tests_name("sdk/decide/oracle_experiments", tests, NULL, NULL);
}
