/* facts.h: one imaginary person and event whose facts every rule test asks about. */
#ifndef CAIRN_TESTS_RULES_FACTS_H
#define CAIRN_TESTS_RULES_FACTS_H

#include "base/bytes.h"
#include "base/civil.h"
#include "rules/rules.h"

enum {
    FACTS_SPACES = CAIRN__RULE_EVENT | CAIRN__RULE_USER | CAIRN__RULE_TAG,
    FACTS_VALUES_MAX = 64
};

/** 2026-11-24T10:00:00Z, a Tuesday: what `now` means. */
static const int64_t facts_now_ms = 1795514400000;

typedef struct fact {
    cairn__rule_space space;
    const char *name;
    cairn_value value;
} fact;

static inline cairn_value fact_text(const char *text) {
    return (cairn_value){ .kind = CAIRN_VALUE_STRING, .as.string = cairn__span_of(text) };
}

static inline cairn_value fact_whole(int64_t number) {
    return (cairn_value){ .kind = CAIRN_VALUE_INTEGER, .as.integer = number };
}

static inline cairn_value fact_number(double number) {
    return (cairn_value){ .kind = CAIRN_VALUE_NUMBER, .as.number = number };
}

static inline cairn_value fact_truth(bool truth) {
    return (cairn_value){ .kind = CAIRN_VALUE_BOOLEAN, .as.boolean = truth };
}

static inline cairn_value fact_time(int64_t ms) {
    return (cairn_value){ .kind = CAIRN_VALUE_TIME, .as.time_ms = ms };
}

static inline cairn_value fact_unknown(void) {
    return (cairn_value){ .kind = (cairn_value_kind)CAIRN__RULE_VALUE_UNKNOWN };
}

/** The value of a name; null when the person has no such fact. */
static inline cairn_value fact_of(const cairn__rule_slot *slot) {
    static const cairn_span colours[] = { { (const uint8_t *)"red", 3 },
                                          { (const uint8_t *)"green", 5 } };
    const fact facts[] = {
        { CAIRN__RULE_EVENT, "amount", fact_number(120.5) },
        { CAIRN__RULE_EVENT, "channel", fact_text("web") },
        { CAIRN__RULE_EVENT, "count", fact_whole(3) },
        { CAIRN__RULE_EVENT, "商品 名", fact_text("苹果手机") },
        { CAIRN__RULE_EVENT, "path.to", fact_text("/Shop/Cart?id=7") },
        { CAIRN__RULE_EVENT, "and", fact_whole(1) },
        { CAIRN__RULE_USER, "age", fact_whole(30) },
        { CAIRN__RULE_USER, "big", fact_whole(INT64_MAX) },
        { CAIRN__RULE_USER, "small", fact_whole(INT64_MIN) },
        { CAIRN__RULE_USER, "huge", fact_number(9223372036854775808.0) },
        { CAIRN__RULE_USER, "score", fact_number(2.5) },
        { CAIRN__RULE_USER, "zero", fact_whole(0) },
        { CAIRN__RULE_USER, "city", fact_text("Beijing") },
        { CAIRN__RULE_USER, "blank", fact_text("") },
        { CAIRN__RULE_USER, "padded", fact_text("  Ab \t") },
        { CAIRN__RULE_USER, "vip", fact_truth(true) },
        { CAIRN__RULE_USER, "banned", fact_truth(false) },
        { CAIRN__RULE_USER, "born", fact_text("1990-11-24") },
        { CAIRN__RULE_USER, "since", fact_time(1795478400000) }, /* 2026-11-24T00:00:00Z */
        { CAIRN__RULE_USER, "old", fact_time(1792836000000) },   /* 31 days before now */
        { CAIRN__RULE_USER, "colours", { .kind = CAIRN_VALUE_LIST, .as.list = { colours, 2 } } },
        { CAIRN__RULE_USER, "odd", { .kind = (cairn_value_kind)77 } },
        { CAIRN__RULE_USER, "nan", fact_number(__builtin_nan("")) },
        { CAIRN__RULE_USER, "hidden", fact_unknown() },
        { CAIRN__RULE_TAG, "lifecycle", fact_text("churn_risk") },
    };
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        if (facts[i].space == slot->space &&
            cairn__span_equal(cairn__span_of(facts[i].name), slot->name)) {
            return facts[i].value;
        }
    }
    return (cairn_value){ .kind = CAIRN_VALUE_NULL };
}

/** Evaluate for that person. */
static inline cairn__rule_answer facts_answer(const cairn__rule *rule, const cairn__zone *zone) {
    cairn_value values[FACTS_VALUES_MAX];
    for (size_t i = 0; i < rule->slot_count && i < FACTS_VALUES_MAX; i++) {
        values[i] = fact_of(&rule->slots[i]);
    }
    return cairn__rule_evaluate(rule, values, facts_now_ms, zone);
}

#endif
