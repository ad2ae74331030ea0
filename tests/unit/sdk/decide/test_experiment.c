/* Goal: each reason of experiment.h, and which goes before which. Method: one good definition,
 * changed in one place per case. */
#include <string.h>

#include "base/bytes.h"
#include "decide/experiment.h"
#include "support/cmocka_all.h"

/* With salt "exp" and V2 (computed by a second implementation, in Python). */
enum { U1_VARIANT = 0 };
static const double u1_bucket = 0.2302;

static cairn__experiment definition(void) {
    return (cairn__experiment){ .salt = CAIRN_STR("exp"),
                                .version = CAIRN__ASSIGN_DEFAULT,
                                .variant_count = 2,
                                .shares = { .coverage = 1 } };
}

static cairn__experiment_input about(const char *unit) {
    return (cairn__experiment_input){ .unit = cairn__span_of(unit) };
}

static void expect(const cairn__experiment *experiment, const cairn__experiment_input *input,
                   int variant, const char *reason) {
    cairn__decision decision = cairn__experiment_decide(experiment, input);
    assert_string_equal(cairn__experiment_reason_text(decision.reason), reason);
    assert_int_equal(decision.variant, variant);
    bool kept = strcmp(reason, "sticky") == 0 || strcmp(reason, "assigned") == 0;
    assert_int_equal(decision.sticky.present, kept);
}

static void assigns_and_says_what_to_keep(void **state) {
    (void)state;
    cairn__experiment experiment = definition();
    experiment.sticky_version = 4;
    cairn__experiment_input input = about("u1");
    expect(&experiment, &input, U1_VARIANT, "assigned");
    cairn__decision decision = cairn__experiment_decide(&experiment, &input);
    assert_true(decision.has_bucket && decision.bucket == u1_bucket);
    assert_int_equal(decision.sticky.version, 4);
    assert_int_equal(decision.sticky.variant, U1_VARIANT);
}

static void murmur_has_the_steps_and_the_seed_of_the_experiment(void **state) {
    (void)state;
    cairn__experiment experiment = definition();
    experiment.version = CAIRN__ASSIGN_V3;
    experiment.salt = CAIRN_STR("gr1");
    cairn__experiment_input input = about("123");
    assert_true(cairn__experiment_decide(&experiment, &input).bucket == 0.72);
    experiment.murmur = (cairn__murmur){ 86028157, 100 };
    assert_true(cairn__experiment_decide(&experiment, &input).bucket == 0.95);
}

static void refuses_definitions_over_a_limit(void **state) {
    (void)state;
    cairn__experiment_input input = about("u1");
    input.override = true; /* even then */
    cairn__experiment experiment = definition();
    experiment.variant_count = 0;
    expect(&experiment, &input, -1, "invalid");
    experiment.variant_count = CAIRN__VARIANTS_MAX + 1;
    expect(&experiment, &input, -1, "invalid");
    experiment = definition();
    experiment.version = (cairn__assign_version)0;
    expect(&experiment, &input, -1, "invalid");
    experiment = definition();
    experiment.forced_count = CAIRN__EXPERIMENT_FORCED_MAX + 1;
    expect(&experiment, &input, -1, "invalid");
    cairn__namespace layers[CAIRN__EXPERIMENT_NAMESPACES_MAX + 1] = { { .slice_count = 0 } };
    experiment = definition();
    experiment.namespaces = layers;
    experiment.namespace_count = CAIRN__EXPERIMENT_NAMESPACES_MAX + 1;
    expect(&experiment, &input, -1, "invalid");
    experiment.namespace_count = 1;
    layers[0].slice_count = CAIRN__EXPERIMENT_SLICES_MAX + 1;
    expect(&experiment, &input, -1, "invalid");
}

static void off_before_all_forced(void **state) {
    (void)state;
    cairn__experiment experiment = definition();
    cairn__experiment_input input = about("u1");
    input.override = true;
    input.override_variant = 1;
    input.mode = CAIRN__EXPERIMENT_OFF;
    expect(&experiment, &input, -1, "off");
    input.mode = CAIRN__EXPERIMENT_FORCED_ONLY;
    expect(&experiment, &input, 1, "override");
    input.override_variant = 2;
    expect(&experiment, &input, -1, "forced_unknown");
}

static void forced_unit_in_a_paused_experiment(void **state) {
    (void)state;
    const cairn__forced_unit forced[] = { { CAIRN_STR("tester"), 1 },
                                          { CAIRN_STR("wrong"), 9 },
                                          { CAIRN_STR(""), 1 } };
    cairn__experiment experiment = definition();
    experiment.forced = forced;
    experiment.forced_count = 3;
    experiment.paused = true;
    expect(&experiment, &(cairn__experiment_input){ .unit = CAIRN_STR("tester") }, 1,
           "forced_unit");
    expect(&experiment, &(cairn__experiment_input){ .unit = CAIRN_STR("wrong") }, -1,
           "forced_unknown");
    cairn__experiment_input input = about("u1");
    expect(&experiment, &input, -1, "paused");
    input.override = true;
    expect(&experiment, &input, 0, "override");
    experiment.paused = false;
    input = about("");
    expect(&experiment, &input, -1, "no_unit");
}

static void namespaces_must_all_hold(void **state) {
    (void)state;
    static const cairn__range all = { 0, 1 };
    static const cairn__range nothing = { 0.5, 0.5 };
    cairn__namespace layers[] = { { CAIRN_STR("one"), CAIRN__ASSIGN_V2, &all, 1 },
                                  { CAIRN_STR("two"), CAIRN__ASSIGN_V2, &all, 1 } };
    cairn__experiment experiment = definition();
    experiment.namespaces = layers;
    experiment.namespace_count = 2;
    cairn__experiment_input input = about("u1");
    expect(&experiment, &input, U1_VARIANT, "assigned");
    layers[1].slices = &nothing;
    expect(&experiment, &input, -1, "namespace");
}

static void targeting_and_prerequisite(void **state) {
    (void)state;
    cairn__arena arena = cairn__arena_make(cairn__heap(), 1 << 20);
    cairn__rule rule;
    cairn__rule_fault fault;
    const cairn__rule_source source = { CAIRN_STR("user.vip = true"), CAIRN__RULE_USER, 0, &arena,
                                        &fault };
    assert_int_equal(cairn__rule_compile(&source, &rule), CAIRN_OK);
    assert_int_equal(rule.slot_count, 1);
    cairn__experiment experiment = definition();
    experiment.targeting = &rule;
    cairn_value vip = { .kind = CAIRN_VALUE_BOOLEAN, .as.boolean = true };
    cairn__experiment_input input = about("u1");
    input.values = &vip;
    expect(&experiment, &input, U1_VARIANT, "assigned");
    input.prerequisite = CAIRN__PREREQUISITE_NOT_MET;
    expect(&experiment, &input, -1, "prerequisite");
    input.prerequisite = CAIRN__PREREQUISITE_UNKNOWN;
    expect(&experiment, &input, -1, "prerequisite_unknown");
    vip.as.boolean = false;
    expect(&experiment, &input, -1, "not_targeted");
    vip.kind = (cairn_value_kind)CAIRN__RULE_VALUE_UNKNOWN;
    expect(&experiment, &input, -1, "target_unknown");
    input.sticky = (cairn__sticky){ true, 0, 1 }; /* who is in stays in */
    expect(&experiment, &input, 1, "sticky");
    cairn__arena_free(&arena);
}

static void sticky_holds_until_its_version_changes(void **state) {
    (void)state;
    cairn__experiment experiment = definition();
    experiment.shares.coverage = 0;
    experiment.sticky_version = 3;
    cairn__experiment_input input = about("u1");
    expect(&experiment, &input, -1, "coverage");
    input.sticky = (cairn__sticky){ true, 3, 1 };
    expect(&experiment, &input, 1, "sticky");
    input.sticky.variant = 2; /* the definition has lost a variant */
    expect(&experiment, &input, -1, "coverage");
    experiment.shares.coverage = 1;
    expect(&experiment, &input, U1_VARIANT, "assigned");
    input.sticky = (cairn__sticky){ true, 2, 1 - U1_VARIANT };
    expect(&experiment, &input, U1_VARIANT, "assigned");
    experiment.sticky_oldest = 3;
    expect(&experiment, &input, -1, "sticky_old");
    input.sticky.version = 4; /* from a newer definition */
    expect(&experiment, &input, U1_VARIANT, "assigned");
    experiment.sticky_oldest = 5; /* even the current version is too old */
    expect(&experiment, &input, -1, "sticky_old");
    input.sticky.version = 3;
    expect(&experiment, &input, -1, "sticky_old");
}

static void force_all_only_of_those_who_take_part(void **state) {
    (void)state;
    cairn__experiment experiment = definition();
    experiment.force_all = true;
    experiment.force_all_variant = 1 - U1_VARIANT;
    cairn__experiment_input input = about("u1");
    expect(&experiment, &input, 1 - U1_VARIANT, "forced_all");
    input.mode = CAIRN__EXPERIMENT_FORCED_ONLY;
    expect(&experiment, &input, 1 - U1_VARIANT, "forced_all");
    experiment.shares.coverage = 0;
    expect(&experiment, &input, -1, "coverage");
    experiment.shares.coverage = 1;
    experiment.force_all_variant = 2;
    expect(&experiment, &input, -1, "forced_unknown");
    experiment.force_all = false;
    expect(&experiment, &input, -1, "forced_only");
}

static void ranges_go_before_shares(void **state) {
    (void)state;
    static const cairn__range ranges[] = { { 0, 0 }, { 0, 1 } };
    static const cairn__range swapped[] = { { 0, 1 }, { 0, 0 } };
    cairn__experiment experiment = definition();
    experiment.shares.coverage = 0;
    cairn__experiment_input input = about("u1");
    experiment.ranges = ranges;
    expect(&experiment, &input, 1, "assigned");
    experiment.ranges = swapped;
    expect(&experiment, &input, 0, "assigned");
}

static void reason_texts_are_distinct(void **state) {
    (void)state;
    for (int i = 0; i < CAIRN__REASON_COUNT; i++) {
        const char *text = cairn__experiment_reason_text((cairn__experiment_reason)i);
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(text,
                                    cairn__experiment_reason_text((cairn__experiment_reason)j));
        }
    }
    assert_string_equal(cairn__experiment_reason_text((cairn__experiment_reason)99), "invalid");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(assigns_and_says_what_to_keep),
        cmocka_unit_test(murmur_has_the_steps_and_the_seed_of_the_experiment),
        cmocka_unit_test(refuses_definitions_over_a_limit),
        cmocka_unit_test(off_before_all_forced),
        cmocka_unit_test(forced_unit_in_a_paused_experiment),
        cmocka_unit_test(namespaces_must_all_hold),
        cmocka_unit_test(targeting_and_prerequisite),
        cmocka_unit_test(sticky_holds_until_its_version_changes),
        cmocka_unit_test(force_all_only_of_those_who_take_part),
        cmocka_unit_test(ranges_go_before_shares),
        cmocka_unit_test(reason_texts_are_distinct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
