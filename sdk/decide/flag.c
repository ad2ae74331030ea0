#include "decide/flag.h"

/* Does the search end with this rule? */
static bool ends(const cairn__flag_rule *rule, cairn__flag_decision *found) {
    const cairn__decision *decision = &found->decision;
    if (decision->variant != CAIRN__NO_VARIANT) {
        found->value = rule->values == NULL ? decision->variant : rule->values[decision->variant];
        found->reason = CAIRN__FLAG_BY_RULE;
        return found->value != CAIRN__FLAG_NEXT;
    }
    found->value = CAIRN__FLAG_DEFAULT;
    if (decision->reason == CAIRN__REASON_TARGET_UNKNOWN ||
        decision->reason == CAIRN__REASON_PREREQUISITE_UNKNOWN) {
        found->reason = CAIRN__FLAG_UNKNOWN;
        return true;
    }
    found->reason = CAIRN__FLAG_GATED;
    return rule->gate && decision->reason == CAIRN__REASON_PREREQUISITE;
}

cairn__flag_decision cairn__flag_decide(const cairn__flag_rule *rules, size_t rule_count,
                                        cairn__flag_asked asked, void *context) {
    const cairn__flag_decision none = { .value = CAIRN__FLAG_DEFAULT,
                                        .reason = rule_count <= CAIRN__FLAG_RULES_MAX
                                                      ? CAIRN__FLAG_NO_RULE
                                                      : CAIRN__FLAG_INVALID,
                                        .rule = rule_count,
                                        .decision = { .variant = CAIRN__NO_VARIANT } };
    for (size_t i = 0; i < rule_count && none.reason == CAIRN__FLAG_NO_RULE; i++) {
        cairn__flag_decision found = { .rule = i, .decision = asked(context, i) };
        if (ends(&rules[i], &found)) {
            return found;
        }
    }
    return none;
}

const char *cairn__flag_reason_text(cairn__flag_reason reason) {
    static const char *const texts[] = { "rule", "no_rule", "unknown", "gated", "invalid" };
    return texts[reason];
}
