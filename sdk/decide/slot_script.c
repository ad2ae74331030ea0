/* slot_script.c: what a ranking script is given; docs/SCRIPTS.md, use "rank". */
#include "decide/decider.h"

static void put_list(cairn__buffer *to, const cairn_string_list *list) {
    bool first = true;
    cairn__buffer_byte(to, '[');
    for (size_t i = 0; i < list->count; i++) {
        cairn__answer_comma(to, &first);
        cairn__json_text(to, list->items[i]);
    }
    cairn__buffer_byte(to, ']');
}

static void put_value(cairn__buffer *to, const cairn_value *value) {
    switch (value->kind) {
    case CAIRN_VALUE_BOOLEAN:
        cairn__answer_put(to, value->as.boolean ? "true" : "false");
        break;
    case CAIRN_VALUE_INTEGER:
        cairn__json_integer(to, value->as.integer);
        break;
    case CAIRN_VALUE_NUMBER:
        cairn__json_number(to, value->as.number);
        break;
    case CAIRN_VALUE_STRING:
        cairn__json_text(to, value->as.string);
        break;
    case CAIRN_VALUE_TIME:
        cairn__json_integer(to, value->as.time_ms);
        break;
    case CAIRN_VALUE_LIST:
        put_list(to, &value->as.list);
        break;
    case CAIRN_VALUE_NULL:
        cairn__answer_put(to, "null");
        break;
    }
}

/* What is known of one space: absent is not there, and neither is what only the server knows. */
static void put_facts(const cairn__definitions *definitions, const cairn__facts *facts,
                      cairn__rule_space space, cairn__buffer *to) {
    bool first = true;
    cairn__buffer_byte(to, '{');
    for (size_t i = 0; i < definitions->fact_count; i++) {
        if (definitions->facts[i].space != space) {
            continue;
        }
        cairn_value value = facts->get(facts->context, (uint16_t)i);
        if (value.kind == CAIRN_VALUE_NULL || (unsigned)value.kind > CAIRN_VALUE_LIST) {
            continue;
        }
        cairn__answer_comma(to, &first);
        cairn__json_text(to, definitions->facts[i].name);
        cairn__buffer_byte(to, ':');
        put_value(to, &value);
    }
    cairn__buffer_byte(to, '}');
}

/* A property of the name "id" would be a second one. */
static void put_item(cairn__buffer *to, const cairn__item *item) {
    cairn__answer_text(to, "{\"id\":", item->id);
    for (size_t i = 0; i < item->property_count; i++) {
        if (cairn__span_equal(item->properties[i].name, CAIRN_STR("id"))) {
            continue;
        }
        cairn__buffer_byte(to, ',');
        cairn__json_text(to, item->properties[i].name);
        cairn__buffer_byte(to, ':');
        put_value(to, &item->properties[i].value);
    }
    cairn__buffer_byte(to, '}');
}

void cairn__slot_script_input(const cairn__definitions *definitions, const cairn__facts *facts,
                              const cairn__slot_decision *decision, cairn__buffer *to) {
    bool first = true;
    cairn__answer_put(to, "{\"person\":");
    put_facts(definitions, facts, CAIRN__RULE_USER, to);
    cairn__answer_put(to, ",\"tags\":");
    put_facts(definitions, facts, CAIRN__RULE_TAG, to);
    cairn__answer_put(to, ",\"items\":[");
    for (size_t i = 0; i < decision->pool_count; i++) {
        cairn__answer_comma(to, &first);
        put_item(to, &definitions->items[decision->pool[i]]);
    }
    cairn__answer_put(to, "]}");
}

bool cairn__slot_lost_named(cairn_span reason, cairn__why *why_out) {
    for (int i = CAIRN__WHY_SCRIPT_UNAVAILABLE; i <= CAIRN__WHY_SCRIPT_RESULT; i++) {
        if (cairn__span_equal(reason, cairn__span_of(cairn__why_text((cairn__why)i)))) {
            *why_out = (cairn__why)i;
            return true;
        }
    }
    return false;
}
