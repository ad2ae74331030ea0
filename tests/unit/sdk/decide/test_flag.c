/* Goal: the first rule that gives a value decides, and nothing decides behind a rule that is not
 * known. Method: rules that are paused, forced, gated or waiting, in all orders of three. */
#include <string.h>

#include "base/bytes.h"
#include "decide/flag.h"
#include "support/cmocka_all.h"

typedef enum kind { OUT, GIVES, PASSES, WAITS, GATE_CLOSED, KINDS } kind;

typedef struct world {
    kind kinds[3];
    size_t asked;
} world;

static const cairn__experiment on = { .salt = { (const uint8_t *)"flag", 4 },
                                      .version = CAIRN__ASSIGN_DEFAULT,
                                      .variant_count = 1,
                                      .shares = { .coverage = 1 } };

static cairn__decision asked(void *context, size_t index) {
    world *w = context;
    assert_int_equal(index, w->asked); /* in order, none twice */
    w->asked++;
    cairn__experiment experiment = on;
    experiment.paused = w->kinds[index] == OUT;
    const cairn__experiment_input input = {
        .unit = CAIRN_STR("u1"),
        .prerequisite = w->kinds[index] == WAITS         ? CAIRN__PREREQUISITE_UNKNOWN
                        : w->kinds[index] == GATE_CLOSED ? CAIRN__PREREQUISITE_NOT_MET
                                                         : CAIRN__PREREQUISITE_MET,
    };
    return cairn__experiment_decide(&experiment, &input);
}

static void check(world *w) {
    static const int next[] = { CAIRN__FLAG_NEXT };
    static const int values[] = { 10, 11, 12 };
    cairn__flag_rule rules[3];
    size_t end = 3;
    for (size_t i = 0; i < 3; i++) {
        kind k = w->kinds[i];
        rules[i] = (cairn__flag_rule){ .values = k == PASSES ? next : &values[i],
                                       .gate = k == GATE_CLOSED };
        end = end == 3 && k != OUT && k != PASSES ? i : end;
    }
    cairn__flag_decision found = cairn__flag_decide(rules, 3, asked, w);
    kind last = end == 3 ? OUT : w->kinds[end];
    assert_int_equal(found.rule, end);
    assert_int_equal(w->asked, end == 3 ? 3 : end + 1);
    assert_int_equal(found.value, last == GIVES ? values[end] : CAIRN__FLAG_DEFAULT);
    assert_int_equal(found.reason, last == GIVES   ? CAIRN__FLAG_BY_RULE
                                   : last == WAITS ? CAIRN__FLAG_UNKNOWN
                                   : last == OUT   ? CAIRN__FLAG_NO_RULE
                                                   : CAIRN__FLAG_GATED);
}

static void the_first_rule_that_says_something_decides(void **state) {
    (void)state;
    for (int i = 0; i < KINDS * KINDS * KINDS; i++) {
        world w = { { (kind)(i % KINDS), (kind)(i / KINDS % KINDS), (kind)(i / KINDS / KINDS) },
                    0 };
        check(&w);
    }
}

static void prerequisites_without_a_gate_only_skip_the_rule(void **state) {
    (void)state;
    static const int value = 1;
    const cairn__flag_rule rules[] = { { .values = &value }, { .values = &value } };
    world w = { { GATE_CLOSED, GIVES }, 0 };
    cairn__flag_decision found = cairn__flag_decide(rules, 2, asked, &w);
    assert_int_equal(found.rule, 1);
    assert_int_equal(found.value, 1);
}

static void without_a_table_a_variant_is_its_number(void **state) {
    (void)state;
    const cairn__flag_rule rules[] = { { .values = NULL }, { .values = NULL } };
    world w = { { OUT, GIVES }, 0 };
    cairn__flag_decision found = cairn__flag_decide(rules, 2, asked, &w);
    assert_int_equal(found.rule, 1);
    assert_int_equal(found.value, 0);
    assert_string_equal(cairn__flag_reason_text(found.reason), "rule");
    assert_string_equal(cairn__flag_reason_text(CAIRN__FLAG_INVALID), "invalid");
}

static void too_many_rules_give_the_default(void **state) {
    (void)state;
    static const cairn__flag_rule rules[CAIRN__FLAG_RULES_MAX + 1] = { { .values = NULL } };
    world w = { { OUT }, 0 };
    cairn__flag_decision found = cairn__flag_decide(rules, CAIRN__FLAG_RULES_MAX + 1, asked, &w);
    assert_int_equal(found.reason, CAIRN__FLAG_INVALID);
    assert_int_equal(found.value, CAIRN__FLAG_DEFAULT);
    assert_int_equal(w.asked, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_rule_that_says_something_decides),
        cmocka_unit_test(prerequisites_without_a_gate_only_skip_the_rule),
        cmocka_unit_test(without_a_table_a_variant_is_its_number),
        cmocka_unit_test(too_many_rules_give_the_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
