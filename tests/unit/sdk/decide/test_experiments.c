/* Goal: experiments by name: prerequisites, units, kept assignments, exposures, fallbacks.
 * Method: two experiments, one thing changed at a time. (One experiment's reasons by themselves:
 * test_experiment.c.) */
#include "support/cmocka_all.h"
#include "world.h"

typedef struct lab {
    world w;
    cairn__experiment_entry entries[3]; /* base, next (needs base), last (needs next) */
    cairn__prerequisite_of needs[2];
    cairn__experiment_answer answer;
} lab;

static const cairn__variant arms[] = {
    { .name = { (const uint8_t *)"red", 3 }, .content = { (const uint8_t *)"\"r\"", 3 } },
    { .name = { (const uint8_t *)"blue", 4 }, .content = { (const uint8_t *)"\"b\"", 3 } },
};

static int setup(void **state) {
    static lab l;
    static const char *const names[] = { "base", "next", "last" };
    l = (lab){ .needs = { { 0, CAIRN__NO_VARIANT }, { 1, CAIRN__NO_VARIANT } } };
    world_open(&l.w);
    for (size_t i = 0; i < 3; i++) {
        l.entries[i] = (cairn__experiment_entry){ .name = cairn__span_of(names[i]),
                                                  .version = 4,
                                                  .variants = arms,
                                                  .prerequisites = i > 0 ? &l.needs[i - 1] : NULL,
                                                  .prerequisite_count = i > 0,
                                                  .fallback = CAIRN_STR("\"off\"") };
        l.entries[i].experiment = (cairn__experiment){ .salt = cairn__span_of(names[i]),
                                                       .version = CAIRN__ASSIGN_DEFAULT,
                                                       .variant_count = 2,
                                                       .shares = { .coverage = 1 } };
    }
    l.w.definitions.experiments = l.entries;
    l.w.definitions.experiment_count = 3;
    world_ready(&l.w);
    *state = &l;
    return 0;
}

static int teardown(void **state) {
    world_close(&((lab *)*state)->w);
    return 0;
}

static void decide(lab *l, const char *name) {
    cairn__buffer_clear(&l->w.answer);
    cairn__decide_experiment(l->w.decider, &l->w.input, cairn__span_of(name), &l->w.answer,
                             &l->answer);
    assert_false(l->w.answer.failed);
}

static const char *reason(const lab *l) {
    return cairn__experiment_reason_text(l->answer.decision.reason);
}

static bool value_is(const lab *l, const char *value) {
    return cairn__span_equal(l->answer.value, cairn__span_of(value));
}

static void the_answer_is_these_bytes(void **state) {
    lab *l = *state;
    decide(l, "base");
    const char *wanted = "{\"decide\":\"experiment\",\"bundle\":7,\"now\":0,\"experiments\":["
                         "{\"name\":\"base\",\"version\":4,\"reason\":\"assigned\",\"variant\":"
                         "\"blue\",\"bucket\":5831,\"exposure\":true,\"value\":\"b\"}]}";
    assert_int_equal(l->w.answer.len, strlen(wanted));
    assert_memory_equal(l->w.answer.data, wanted, l->w.answer.len);
}

static void prerequisites_are_decided_first_and_unknown_spreads(void **state) {
    lab *l = *state;
    decide(l, "last");
    assert_string_equal(reason(l), "assigned");
    l->entries[0].condition = world_condition(&l->w, "user.vip = true");
    l->entries[0].experiment.targeting = &l->entries[0].condition.rule;
    world_ready(&l->w);
    decide(l, "last");
    assert_string_equal(reason(l), "prerequisite");
    assert_true(value_is(l, "\"off\""));
    world_set(&l->w, CAIRN__RULE_USER, "vip", world_unknown());
    decide(l, "base");
    assert_string_equal(reason(l), "target_unknown");
    decide(l, "last");
    assert_string_equal(reason(l), "prerequisite_unknown");
    assert_false(l->answer.exposure);
    world_set(&l->w, CAIRN__RULE_USER, "vip",
              (cairn_value){ .kind = CAIRN_VALUE_BOOLEAN, .as.boolean = true });
    decide(l, "base");
    int variant = l->answer.decision.variant;
    l->needs[0].variant = variant;
    decide(l, "next");
    assert_string_equal(reason(l), "assigned");
    l->needs[0].variant = 1 - variant; /* the other one */
    decide(l, "next");
    assert_string_equal(reason(l), "prerequisite");
}

static void a_kept_assignment_holds_for_its_unit_and_version(void **state) {
    lab *l = *state;
    decide(l, "base");
    const char *other = l->answer.decision.variant == 0 ? "blue" : "red";
    world_note_exposure(&l->w, "base", other, 0, "u1");
    decide(l, "base");
    assert_string_equal(reason(l), "sticky");
    assert_true(world_has(&l->w, other));
    l->entries[0].experiment.shares.coverage = 0; /* who is in stays in */
    decide(l, "base");
    assert_string_equal(reason(l), "sticky");
    l->entries[0].experiment.shares.coverage = 1;
    l->w.input.unit = CAIRN_STR("u2");
    decide(l, "base");
    assert_string_equal(reason(l), "assigned");
    l->w.input.unit = CAIRN_STR("u1");
    l->entries[0].experiment.sticky_version = 1;
    decide(l, "base");
    assert_string_equal(reason(l), "assigned");
    l->entries[0].experiment.sticky_oldest = 1;
    decide(l, "base");
    assert_string_equal(reason(l), "sticky_old");
    world_note_exposure(&l->w, "base", "green", 1, "u1"); /* a variant that is gone */
    decide(l, "base");
    assert_string_equal(reason(l), "assigned");
}

static void an_exposure_is_wanted_once_per_session(void **state) {
    lab *l = *state;
    decide(l, "base");
    assert_true(l->answer.exposure);
    cairn_property properties[CAIRN__EXPOSURE_PROPERTIES];
    const cairn__event exposure = { .name = CAIRN__EVENT_EXPOSURE,
                                    .session = 1,
                                    .properties = properties,
                                    .property_count = cairn__exposure_properties(
                                        &l->w.definitions, &l->w.input, &l->answer, properties) };
    int variant = l->answer.decision.variant;
    assert_int_equal(cairn__memory_note(&l->w.memory, &exposure), CAIRN_OK);
    decide(l, "base");
    assert_false(l->answer.exposure);
    assert_string_equal(reason(l), "sticky");
    assert_int_equal(l->answer.decision.variant, variant);
    l->w.input.session = 2;
    decide(l, "base");
    assert_true(l->answer.exposure);
    const cairn__override preview = { CAIRN_STR("base"), 0 };
    l->w.input.overrides = &preview;
    l->w.input.override_count = 1;
    decide(l, "base");
    assert_string_equal(reason(l), "override");
    assert_false(l->answer.exposure); /* who looks at it on purpose is no subject */
}

static void units_are_of_the_wanted_type(void **state) {
    lab *l = *state;
    const cairn_id ids[] = { { CAIRN_STR("device"), CAIRN_STR("d1") },
                             { CAIRN_STR("login"), CAIRN_STR("u9") } };
    l->entries[0].unit_type = CAIRN_STR("login");
    decide(l, "base");
    assert_string_equal(reason(l), "no_unit");
    l->w.input.ids = ids;
    l->w.input.id_count = 2;
    decide(l, "base");
    double bucket = 0;
    assert_int_equal(
        cairn__assign_bucket(CAIRN__ASSIGN_V2, CAIRN_STR("base"), CAIRN_STR("u9"), &bucket),
        CAIRN_OK);
    assert_true(l->answer.decision.bucket == bucket);
}

static void without_consent_the_fallback(void **state) {
    lab *l = *state;
    l->w.input.denied = CAIRN__DENIED_PERSONALISATION;
    decide(l, "base");
    assert_true(value_is(l, "\"off\""));
    assert_true(world_has(&l->w, "\"reason\":\"no_consent\""));
    l->w.input.denied = 0;
    l->w.input.experiments = CAIRN__EXPERIMENT_OFF;
    decide(l, "base");
    assert_true(world_has(&l->w, "\"reason\":\"off\""));
    decide(l, "nothing");
    assert_int_equal(l->answer.experiment, -1);
    assert_true(world_says(&l->w, "nothing", "unknown_name"));
    assert_true(value_is(l, "null"));
}

static void a_flag_is_one_variant_and_all_are_told_at_once(void **state) {
    lab *l = *state;
    l->entries[0].experiment.variant_count = 1;
    l->entries[0].fallback = (cairn_span){ NULL, 0 };
    decide(l, "base");
    assert_int_equal(l->answer.decision.variant, 0);
    assert_true(value_is(l, "\"r\""));
    cairn__buffer_clear(&l->w.answer);
    cairn__decide_experiments(l->w.decider, &l->w.input, &l->w.answer);
    assert_true(world_has(&l->w, "{\"name\":\"base\",\"version\":4,\"reason\":\"assigned\""));
    assert_true(world_has(&l->w, ",{\"name\":\"next\",\"version\":4,\"reason\":\"assigned\""));
    assert_true(world_has(&l->w, ",{\"name\":\"last\",\"version\":4,\"reason\":\"assigned\""));
}

/* --- flags with rules ----------------------------------------------------------------------- */

/* base asks for vip; next has no conditions; last is the flag of both. */
static void make_flag(lab *l, const cairn__flag_rule *rules, size_t count) {
    l->entries[0].condition = world_condition(&l->w, "user.vip = true");
    l->entries[0].experiment.targeting = &l->entries[0].condition.rule;
    l->entries[0].experiment.variant_count = 1;
    l->entries[1].prerequisite_count = 0;
    l->entries[2] = (cairn__experiment_entry){ .name = CAIRN_STR("last"),
                                               .version = 9,
                                               .rules = rules,
                                               .rule_count = count,
                                               .fallback = CAIRN_STR("\"none\"") };
    world_ready(&l->w);
}

static void set_vip(lab *l, bool vip) {
    world_set(&l->w, CAIRN__RULE_USER, "vip",
              (cairn_value){ .kind = CAIRN_VALUE_BOOLEAN, .as.boolean = vip });
}

static const cairn__flag_rule base_then_next[] = { { .experiment = 0 }, { .experiment = 1 } };

static void the_first_rule_that_gives_a_variant_decides_a_flag(void **state) {
    lab *l = *state;
    make_flag(l, base_then_next, 2);
    set_vip(l, true);
    decide(l, "last");
    assert_true(value_is(l, "\"r\""));
    assert_int_equal(l->answer.experiment, 2);
    assert_int_equal(l->answer.by, 0);
    assert_true(world_has(&l->w, "{\"name\":\"last\",\"version\":9,\"reason\":\"rule\",\"rule\":"
                                 "\"base\",\"variant\":\"red\",\"bucket\":5831,\"rules\":["
                                 "{\"name\":\"base\",\"version\":4,\"reason\":\"assigned\","
                                 "\"variant\":\"red\",\"bucket\":5831},"
                                 "{\"name\":\"next\",\"reason\":\"not_asked\"}],"
                                 "\"exposure\":true,\"value\":\"r\"}"));
    set_vip(l, false);
    decide(l, "last");
    assert_int_equal(l->answer.by, 1);
    assert_true(world_has(&l->w, "\"reason\":\"rule\",\"rule\":\"next\""));
    assert_true(world_has(&l->w, "\"rules\":[{\"name\":\"base\",\"version\":4,\"reason\":"
                                 "\"not_targeted\"},{\"name\":\"next\",\"version\":4,\"reason\":"
                                 "\"assigned\""));
    l->entries[1].experiment.paused = true;
    decide(l, "last");
    assert_true(value_is(l, "\"none\""));
    assert_int_equal(l->answer.by, -1);
    assert_false(l->answer.exposure);
    assert_true(world_has(&l->w, "\"reason\":\"no_rule\",\"rules\":["));
}

static void a_rule_that_is_not_known_ends_the_search(void **state) {
    lab *l = *state;
    make_flag(l, base_then_next, 2);
    world_set(&l->w, CAIRN__RULE_USER, "vip", world_unknown());
    decide(l, "last");
    assert_true(value_is(l, "\"none\""));
    assert_true(world_has(&l->w, "\"reason\":\"unknown\",\"rule\":\"base\""));
    assert_true(world_has(&l->w, "{\"name\":\"next\",\"reason\":\"not_asked\"}"));
}

static void a_gate_whose_prerequisite_is_not_met_turns_the_flag_off(void **state) {
    lab *l = *state;
    const cairn__flag_rule rules[] = { { .experiment = 1, .gate = true }, { .experiment = 0 } };
    make_flag(l, rules, 2);
    l->entries[0].experiment.targeting = NULL;
    l->needs[0] = (cairn__prerequisite_of){ 0, CAIRN__NO_VARIANT };
    l->entries[1].prerequisite_count = 1;
    decide(l, "last");
    assert_int_equal(l->answer.by, 1);
    l->needs[0].variant = 1; /* base has but one variant */
    decide(l, "last");
    assert_true(value_is(l, "\"none\""));
    assert_true(world_has(&l->w, "\"reason\":\"gated\",\"rule\":\"next\""));
    const cairn__flag_rule open[] = { { .experiment = 1 }, { .experiment = 0 } };
    l->entries[2].rules = open;
    decide(l, "last"); /* without a gate the rule is only passed by */
    assert_int_equal(l->answer.by, 0);
}

static void the_exposure_of_a_flag_is_of_the_experiment_that_decided(void **state) {
    lab *l = *state;
    make_flag(l, base_then_next, 2);
    set_vip(l, false);
    decide(l, "last");
    assert_true(l->answer.exposure);
    cairn_property properties[CAIRN__EXPOSURE_PROPERTIES];
    const cairn__event exposure = { .name = CAIRN__EVENT_EXPOSURE,
                                    .session = 1,
                                    .properties = properties,
                                    .property_count = cairn__exposure_properties(
                                        &l->w.definitions, &l->w.input, &l->answer, properties) };
    assert_true(cairn__span_equal(properties[0].value.as.string, CAIRN_STR("next")));
    assert_int_equal(properties[1].value.as.integer, 4);
    assert_int_equal(cairn__memory_note(&l->w.memory, &exposure), CAIRN_OK);
    decide(l, "last");
    assert_false(l->answer.exposure);
    decide(l, "next"); /* it was seen, by whatever way */
    assert_false(l->answer.exposure);
    assert_string_equal(reason(l), "sticky");
    decide(l, "last");
    assert_true(world_has(&l->w, "\"reason\":\"sticky\""));
    set_vip(l, true);
    decide(l, "last");
    assert_true(l->answer.exposure);
}

static void a_flag_that_is_paused_or_without_consent_asks_nobody(void **state) {
    lab *l = *state;
    make_flag(l, base_then_next, 2);
    l->entries[2].experiment.paused = true;
    decide(l, "last");
    assert_true(value_is(l, "\"none\""));
    assert_true(world_has(&l->w, "\"reason\":\"paused\",\"rules\":[{\"name\":\"base\","
                                 "\"reason\":\"not_asked\"},"));
    l->w.input.denied = CAIRN__DENIED_PERSONALISATION;
    decide(l, "last");
    assert_true(world_has(&l->w, "\"reason\":\"no_consent\",\"rules\":[{\"name\":\"base\","
                                 "\"reason\":\"not_asked\"},"));
    l->w.input.denied = 0;
    l->w.input.experiments = CAIRN__EXPERIMENT_OFF;
    decide(l, "last");
    assert_true(world_has(&l->w, "\"reason\":\"off\""));
}

static void flags_name_flags_and_are_prerequisites(void **state) {
    lab *l = *state;
    static const cairn__flag_rule base_only[] = { { .experiment = 0 } };
    static const cairn__flag_rule next_only[] = { { .experiment = 1 } };
    make_flag(l, next_only, 1);
    l->entries[1] =
        (cairn__experiment_entry){ .name = CAIRN_STR("next"), .rules = base_only, .rule_count = 1 };
    set_vip(l, true);
    decide(l, "last");
    assert_int_equal(l->answer.by, 0);
    assert_true(value_is(l, "\"r\""));
    assert_true(world_has(&l->w, "{\"name\":\"next\",\"version\":0,\"reason\":\"rule\",\"rule\":"
                                 "\"base\",\"variant\":\"red\""));
    set_vip(l, false);
    decide(l, "last");
    assert_true(world_has(&l->w, "\"reason\":\"no_rule\",\"rules\":[{\"name\":\"next\",\"version\":"
                                 "0,\"reason\":\"no_rule\"}]"));
    l->entries[2] = l->entries[0];
    l->entries[2].name = CAIRN_STR("last");
    l->entries[2].experiment.targeting = NULL;
    l->entries[2].prerequisites = &l->needs[1]; /* next, the flag */
    l->entries[2].prerequisite_count = 1;
    decide(l, "last");
    assert_string_equal(reason(l), "prerequisite");
    world_set(&l->w, CAIRN__RULE_USER, "vip", world_unknown());
    decide(l, "last");
    assert_string_equal(reason(l), "prerequisite_unknown");
    set_vip(l, true);
    decide(l, "last");
    assert_string_equal(reason(l), "assigned");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_answer_is_these_bytes),
        TEST(prerequisites_are_decided_first_and_unknown_spreads),
        TEST(a_kept_assignment_holds_for_its_unit_and_version),
        TEST(an_exposure_is_wanted_once_per_session),
        TEST(units_are_of_the_wanted_type),
        TEST(without_consent_the_fallback),
        TEST(a_flag_is_one_variant_and_all_are_told_at_once),
        TEST(the_first_rule_that_gives_a_variant_decides_a_flag),
        TEST(a_rule_that_is_not_known_ends_the_search),
        TEST(a_gate_whose_prerequisite_is_not_met_turns_the_flag_off),
        TEST(the_exposure_of_a_flag_is_of_the_experiment_that_decided),
        TEST(a_flag_that_is_paused_or_without_consent_asks_nobody),
        TEST(flags_name_flags_and_are_prerequisites),
    };
    return cmocka_run_group_tests_name("sdk/decide/experiments", tests, NULL, NULL);
}
