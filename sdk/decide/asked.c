/* asked.c: facts and conditions of one call. A fact is asked for at most once: its value is stamped
 * with the call's generation. Audiences that have a condition are facts computed here. */
#include "decide/decider.h"

cairn_value cairn__property_of(const cairn_property *properties, size_t count, cairn_span name) {
    for (size_t i = 0; i < count; i++) {
        if (cairn__span_equal(properties[i].name, name)) {
            return properties[i].value;
        }
    }
    return (cairn_value){ .kind = CAIRN_VALUE_NULL };
}

static void keep(cairn__decider *decider, uint16_t number, cairn_value value) {
    decider->values[number] = value;
    decider->stamps[number] = decider->generation;
}

static cairn_value value_of(cairn__rule_answer answer) {
    if (answer == CAIRN__RULE_UNKNOWN) {
        return (cairn_value){ .kind = (cairn_value_kind)CAIRN__RULE_VALUE_UNKNOWN };
    }
    return (cairn_value){ .kind = CAIRN_VALUE_BOOLEAN, .as.boolean = answer == CAIRN__RULE_TRUE };
}

static const cairn__condition *audience_condition(const cairn__decider *decider, uint16_t number) {
    return &decider->definitions->audiences[number].condition;
}

/* An audience that this condition needs and that is not known yet, or -1. */
static int missing_audience(const cairn__decider *decider, const cairn__condition *condition) {
    for (size_t i = 0; i < condition->rule.slot_count; i++) {
        uint16_t fact = condition->facts[i];
        if (decider->stamps[fact] != decider->generation && decider->audience_of[fact] != 0) {
            return decider->audience_of[fact] - 1;
        }
    }
    return -1;
}

/* The fact's value; its audience, if it is one, is known. */
static const cairn_value *plain_fact(cairn__decider *decider, uint16_t number) {
    if (decider->stamps[number] == decider->generation) {
        return &decider->values[number];
    }
    const cairn__decide_input *input = decider->input;
    const cairn__rule_slot *slot = &decider->definitions->facts[number];
    if (slot->space == CAIRN__RULE_ITEM) { /* another with every item: never stamped */
        const cairn__item *item = decider->item;
        decider->values[number] =
            item == NULL ? (cairn_value){ .kind = CAIRN_VALUE_NULL }
                         : cairn__property_of(item->properties, item->property_count, slot->name);
        return &decider->values[number];
    }
    if (slot->space == CAIRN__RULE_EVENT) {
        const cairn__event *event = input->event;
        keep(decider, number,
             event == NULL
                 ? (cairn_value){ .kind = CAIRN_VALUE_NULL }
                 : cairn__property_of(event->properties, event->property_count, slot->name));
    } else {
        keep(decider, number, input->facts->get(input->facts->context, number));
    }
    return &decider->values[number];
}

static cairn__rule_answer evaluate(cairn__decider *decider, const cairn__condition *condition) {
    for (size_t i = 0; i < condition->rule.slot_count; i++) {
        decider->gathered[i] = *plain_fact(decider, condition->facts[i]);
    }
    return cairn__rule_evaluate(&condition->rule, decider->gathered, decider->input->now_ms,
                                decider->definitions->zone);
}

/* Compute an audience and before it those that it needs; they have lower numbers, so that the list
 * of what is to do never holds one twice. */
static void settle_audience(cairn__decider *decider, int audience) {
    size_t todo = 0;
    decider->audience_todo[todo++] = (uint16_t)audience;
    while (todo > 0) {
        uint16_t now = decider->audience_todo[todo - 1];
        const cairn__condition *condition = audience_condition(decider, now);
        int first = missing_audience(decider, condition);
        if (first >= 0) {
            CAIRN_ASSERT(first < now);
            decider->audience_todo[todo++] = (uint16_t)first;
            continue;
        }
        keep(decider, decider->definitions->audience_facts[now],
             value_of(evaluate(decider, condition)));
        todo -= 1;
    }
}

static void settle(cairn__decider *decider, const cairn__condition *condition) {
    int audience = missing_audience(decider, condition);
    while (audience >= 0) {
        settle_audience(decider, audience);
        audience = missing_audience(decider, condition);
    }
}

cairn_value cairn__decider_fact(cairn__decider *decider, uint16_t number) {
    CAIRN_ASSERT(number < decider->definitions->fact_count);
    if (decider->stamps[number] != decider->generation && decider->audience_of[number] != 0) {
        settle_audience(decider, decider->audience_of[number] - 1);
    }
    return *plain_fact(decider, number);
}

void cairn__decider_gather(cairn__decider *decider, const cairn__condition *condition) {
    settle(decider, condition);
    for (size_t i = 0; i < condition->rule.slot_count; i++) {
        decider->gathered[i] = *plain_fact(decider, condition->facts[i]);
    }
}

cairn__rule_answer cairn__decider_judge(cairn__decider *decider,
                                        const cairn__condition *condition) {
    if (condition->rule.program == NULL) {
        return CAIRN__RULE_TRUE;
    }
    settle(decider, condition);
    return evaluate(decider, condition);
}
