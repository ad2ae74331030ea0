/* evaluate.c: a small machine with a stack of values. It trusts the program (compiled here, or
 * checked by program.c) and nothing about the values. */
#include "base/civil.h"
#include "rules/program.h"

typedef cairn__rule_value value;

typedef struct machine {
    cairn__rule_view view;
    const cairn_value *values;
    const cairn__zone *zone;
    int64_t now_ms;
} machine;

/* --- three-valued logic (Kleene) ------------------------------------------------------------- */

static bool is_true(const value *v) {
    return v->kind == CAIRN_VALUE_BOOLEAN && v->as.boolean;
}

static bool is_unknown(const value *v) {
    return v->kind == CAIRN__RULE_KIND_UNKNOWN;
}

/* Whatever is neither true nor unknown counts as false: null, a number, a text. */
static bool is_false(const value *v) {
    return !is_true(v) && !is_unknown(v);
}

static value both(const value *a, const value *b) {
    if (is_false(a) || is_false(b)) {
        return cairn__rule_boolean(false);
    }
    return is_unknown(a) || is_unknown(b) ? cairn__rule_unknown() : cairn__rule_boolean(true);
}

static value either(const value *a, const value *b) {
    if (is_true(a) || is_true(b)) {
        return cairn__rule_boolean(true);
    }
    return is_unknown(a) || is_unknown(b) ? cairn__rule_unknown() : cairn__rule_boolean(false);
}

static value opposite(const value *a) {
    return is_unknown(a) ? *a : cairn__rule_boolean(!is_true(a));
}

/* --- tests ----------------------------------------------------------------------------------- */

/* null: false; unknown: unknown; else what the test says. */
static bool settled(const value *a, const value *b, value *result_out) {
    if (a->kind == CAIRN_VALUE_NULL || b->kind == CAIRN_VALUE_NULL) {
        *result_out = cairn__rule_boolean(false);
        return true;
    }
    *result_out = cairn__rule_unknown();
    return is_unknown(a) || is_unknown(b);
}

static bool set_has(const machine *m, const cairn__rule_constant *set, const value *item) {
    uint32_t low = 0;
    uint32_t high = set->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        value other = cairn__rule_constant_value(&m->view, (uint32_t)set->payload + middle, NULL);
        int order = cairn__rule_set_order(&other, item);
        if (order == 0) {
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

static value in_set(const machine *m, const cairn__rule_code *code, const value *item) {
    value result;
    if (settled(item, item, &result)) {
        return result;
    }
    bool comparable = item->kind != CAIRN_VALUE_LIST && item->kind != CAIRN__RULE_KIND_DURATION;
    cairn__rule_constant set = cairn__rule_constant_at(&m->view, code->c);
    return cairn__rule_boolean((comparable && set_has(m, &set, item)) == (code->a == 0));
}

static value in_list(const cairn__rule_code *code, const value *item, const value *list) {
    value result;
    if (settled(item, list, &result)) {
        return result;
    }
    bool found = item->kind == CAIRN_VALUE_STRING && list->kind == CAIRN_VALUE_LIST &&
                 cairn__rule_list_has(&list->as.list, item);
    return cairn__rule_boolean(found == (code->a == 0));
}

static value between(const value *v) {
    value low = cairn__rule_compare_values(CAIRN__RULE_GREATER_EQUAL, &v[0], &v[1]);
    value high = cairn__rule_compare_values(CAIRN__RULE_LESS_EQUAL, &v[0], &v[2]);
    return both(&low, &high);
}

static value text_test(cairn__rule_text_test how, const value *text, const value *part) {
    value result;
    if (settled(text, part, &result)) {
        return result;
    }
    if (text->kind == CAIRN_VALUE_LIST && how == CAIRN__RULE_CONTAINS) {
        return cairn__rule_boolean(part->kind == CAIRN_VALUE_STRING &&
                                   cairn__rule_list_has(&text->as.list, part));
    }
    return cairn__rule_boolean(text->kind == CAIRN_VALUE_STRING &&
                               part->kind == CAIRN_VALUE_STRING &&
                               cairn__rule_text_test_holds(how, text, part));
}

static value matches(const machine *m, const cairn__rule_code *code, const value *text) {
    value result;
    if (settled(text, text, &result)) {
        return result;
    }
    cairn__rule_constant pattern = cairn__rule_constant_at(&m->view, code->c);
    cairn_span program = cairn__span(m->view.data + pattern.payload, pattern.count);
    return cairn__rule_boolean(
        text->kind == CAIRN_VALUE_STRING &&
        cairn__pattern_matches(program, text->as.string, (cairn__fold)text->fold));
}

/* The 29th of February is the 28th in years that have none. */
static bool same_day_of_year(int64_t day, int64_t today) {
    cairn__civil then = cairn__civil_from_days(day);
    cairn__civil now = cairn__civil_from_days(today);
    if (then.month == 2 && then.day == 29 && cairn__days_in_month(now.year, 2) == 28) {
        then.day = 28;
    }
    return then.month == now.month && then.day == now.day;
}

static value is_today(const machine *m, const cairn__rule_code *code, const value *v) {
    value result;
    int64_t day = 0;
    if (settled(v, v, &result)) {
        return result;
    }
    int64_t today = cairn__zone_day(m->zone, m->now_ms);
    bool found = cairn__rule_day_of(v, m->zone, &day) &&
                 (code->a == 0 ? day == today : same_day_of_year(day, today));
    return cairn__rule_boolean(found);
}

/* --- the machine ----------------------------------------------------------------------------- */

static value slot(const machine *m, uint32_t index) {
    return cairn__rule_value_of(&m->values[index]);
}

/* v: the values that the instruction takes; the result takes their place. */
static value compute(const machine *m, const cairn__rule_code *code, const value *v) {
    switch ((cairn__rule_operation)code->op) {
    case CAIRN__RULE_OP_AND:
        return both(&v[0], &v[1]);
    case CAIRN__RULE_OP_OR:
        return either(&v[0], &v[1]);
    case CAIRN__RULE_OP_NOT:
        return opposite(&v[0]);
    case CAIRN__RULE_OP_COMPARE:
        return cairn__rule_compare_values((cairn__rule_compare)code->a, &v[0], &v[1]);
    case CAIRN__RULE_OP_IN_SET:
        return in_set(m, code, &v[0]);
    case CAIRN__RULE_OP_IN_LIST:
        return in_list(code, &v[0], &v[1]);
    case CAIRN__RULE_OP_BETWEEN:
        return between(v);
    case CAIRN__RULE_OP_TEXT:
        return text_test((cairn__rule_text_test)code->a, &v[0], &v[1]);
    case CAIRN__RULE_OP_MATCHES:
        return matches(m, code, &v[0]);
    case CAIRN__RULE_OP_IS_SET:
        return is_unknown(&v[0])
                   ? v[0]
                   : cairn__rule_boolean((v[0].kind != CAIRN_VALUE_NULL) == (code->a == 0));
    case CAIRN__RULE_OP_IS_TODAY:
        return is_today(m, code, &v[0]);
    case CAIRN__RULE_OP_ARITHMETIC:
        return cairn__rule_compute((cairn__rule_arithmetic)code->a, &v[0], &v[1]);
    case CAIRN__RULE_OP_NEGATE:
        return cairn__rule_negate(&v[0]);
    case CAIRN__RULE_OP_CALL:
        return cairn__rule_call(code->a, v, code->b, m->zone);
    case CAIRN__RULE_OP_END:
    case CAIRN__RULE_OP_SLOT:
    case CAIRN__RULE_OP_CONSTANT:
    case CAIRN__RULE_OP_NOW:
    case CAIRN__RULE_OP_COMPARE_SLOT:
    case CAIRN__RULE_OP_JUMP_FALSE:
    case CAIRN__RULE_OP_JUMP_TRUE:
    case CAIRN__RULE_OP_COUNT:
        break;
    }
    return cairn__rule_null();
}

/* What is pushed without taking anything. */
static value load(const machine *m, const cairn__rule_code *code) {
    if (code->op == CAIRN__RULE_OP_SLOT) {
        return slot(m, code->c);
    }
    if (code->op == CAIRN__RULE_OP_CONSTANT) {
        return cairn__rule_constant_value(&m->view, code->c, m->zone);
    }
    if (code->op == CAIRN__RULE_OP_NOW) {
        return cairn__rule_integer(CAIRN_VALUE_TIME, m->now_ms);
    }
    value left = slot(m, code->b);
    value right = cairn__rule_constant_value(&m->view, code->c, m->zone);
    return cairn__rule_compare_values((cairn__rule_compare)code->a, &left, &right);
}

static value run(const machine *m) {
    value stack[CAIRN__RULE_STACK_MAX];
    uint32_t depth = 0;
    for (uint32_t at = 0;; at++) {
        cairn__rule_code code = cairn__rule_code_at(&m->view, at);
        switch (code.op) {
        case CAIRN__RULE_OP_END:
            return stack[0];
        case CAIRN__RULE_OP_SLOT:
        case CAIRN__RULE_OP_CONSTANT:
        case CAIRN__RULE_OP_NOW:
        case CAIRN__RULE_OP_COMPARE_SLOT:
            stack[depth++] = load(m, &code);
            break;
        case CAIRN__RULE_OP_JUMP_FALSE:
            if (is_false(&stack[depth - 1])) {
                stack[depth - 1] = cairn__rule_boolean(false);
                at = code.c - 1;
            }
            break;
        case CAIRN__RULE_OP_JUMP_TRUE:
            at = is_true(&stack[depth - 1]) ? code.c - 1 : at;
            break;
        default:
            depth -= cairn__rule_code_takes(&code);
            stack[depth] = compute(m, &code, &stack[depth]);
            depth += 1;
            break;
        }
    }
}

cairn__rule_answer cairn__rule_evaluate(const cairn__rule *rule, const cairn_value *values,
                                        int64_t now_ms, const cairn__zone *zone) {
    machine m = { cairn__rule_open(rule->program), values, zone, now_ms };
    value result = run(&m);
    return is_unknown(&result) ? CAIRN__RULE_UNKNOWN
           : is_true(&result)  ? CAIRN__RULE_TRUE
                               : CAIRN__RULE_FALSE;
}
