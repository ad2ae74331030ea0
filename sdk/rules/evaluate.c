/* evaluate.c: a small machine with a stack of values. It trusts the program (compiled here, or
 * checked by program.c) and nothing about the values. */
#include "base/assert.h"
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

typedef cairn__rule_answer answer;

/* Whatever is neither true nor unknown counts as false: null, a number, a text. */
static answer answer_of(const value *v) {
    if (v->kind == CAIRN_VALUE_BOOLEAN) {
        return v->as.boolean ? CAIRN__RULE_TRUE : CAIRN__RULE_FALSE;
    }
    return v->kind == CAIRN__RULE_KIND_UNKNOWN ? CAIRN__RULE_UNKNOWN : CAIRN__RULE_FALSE;
}

/* Field by field: a truth is read again at once, and a whole value is slower to store. */
static void set_answer(value *to, answer what) {
    to->kind = what == CAIRN__RULE_UNKNOWN ? CAIRN__RULE_KIND_UNKNOWN : CAIRN_VALUE_BOOLEAN;
    to->as.boolean = what == CAIRN__RULE_TRUE;
}

static answer truth(bool what) {
    return what ? CAIRN__RULE_TRUE : CAIRN__RULE_FALSE;
}

static answer both(answer a, answer b) {
    if (a == CAIRN__RULE_FALSE || b == CAIRN__RULE_FALSE) {
        return CAIRN__RULE_FALSE;
    }
    return a == CAIRN__RULE_UNKNOWN ? a : b;
}

static answer either(answer a, answer b) {
    if (a == CAIRN__RULE_TRUE || b == CAIRN__RULE_TRUE) {
        return CAIRN__RULE_TRUE;
    }
    return a == CAIRN__RULE_UNKNOWN ? a : b;
}

static answer opposite(answer a) {
    return a == CAIRN__RULE_UNKNOWN ? a : truth(a == CAIRN__RULE_FALSE);
}

/* --- tests ----------------------------------------------------------------------------------- */

static bool is_unknown(const value *v) {
    return v->kind == CAIRN__RULE_KIND_UNKNOWN;
}

/* null: false; unknown: unknown; else what the test says. */
static bool settled(const value *a, const value *b, answer *result_out) {
    if (a->kind == CAIRN_VALUE_NULL || b->kind == CAIRN_VALUE_NULL) {
        *result_out = CAIRN__RULE_FALSE;
        return true;
    }
    *result_out = CAIRN__RULE_UNKNOWN;
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

static answer in_set(const machine *m, const cairn__rule_code *code, const value *item) {
    answer result;
    if (settled(item, item, &result)) {
        return result;
    }
    bool comparable = item->kind != CAIRN_VALUE_LIST && item->kind != CAIRN__RULE_KIND_DURATION;
    cairn__rule_constant set = cairn__rule_constant_at(&m->view, code->c);
    return truth((comparable && set_has(m, &set, item)) == (code->a == 0));
}

static answer in_list(const cairn__rule_code *code, const value *item, const value *list) {
    answer result;
    if (settled(item, list, &result)) {
        return result;
    }
    bool found = item->kind == CAIRN_VALUE_STRING && list->kind == CAIRN_VALUE_LIST &&
                 cairn__rule_list_has(list, item);
    return truth(found == (code->a == 0));
}

static answer between(const value *v) {
    value low = cairn__rule_compare_values(CAIRN__RULE_GREATER_EQUAL, &v[0], &v[1]);
    value high = cairn__rule_compare_values(CAIRN__RULE_LESS_EQUAL, &v[0], &v[2]);
    return both(answer_of(&low), answer_of(&high));
}

static answer text_test(cairn__rule_text_test how, const value *text, const value *part) {
    answer result;
    if (settled(text, part, &result)) {
        return result;
    }
    if (text->kind == CAIRN_VALUE_LIST && how == CAIRN__RULE_CONTAINS) {
        return truth(part->kind == CAIRN_VALUE_STRING && cairn__rule_list_has(text, part));
    }
    return truth(text->kind == CAIRN_VALUE_STRING && part->kind == CAIRN_VALUE_STRING &&
                 cairn__rule_text_test_holds(how, text, part));
}

static answer matches(const machine *m, const cairn__rule_code *code, const value *text) {
    answer result;
    if (settled(text, text, &result)) {
        return result;
    }
    cairn__rule_constant pattern = cairn__rule_constant_at(&m->view, code->c);
    cairn_span program = cairn__span(m->view.data + pattern.payload, pattern.count);
    return truth(text->kind == CAIRN_VALUE_STRING &&
                 cairn__pattern_matches(program, text->as.string, (cairn__pattern_fold)text->fold));
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

static answer is_today(const machine *m, const cairn__rule_code *code, const value *v) {
    answer result;
    int64_t day = 0;
    if (settled(v, v, &result)) {
        return result;
    }
    int64_t today = cairn__zone_day(m->zone, m->now_ms);
    bool found = cairn__rule_day_of(v, m->zone, &day) &&
                 (code->a == 0 ? day == today : same_day_of_year(day, today));
    return truth(found);
}

/* --- the machine ----------------------------------------------------------------------------- */

static value slot(const machine *m, uint32_t index) {
    return cairn__rule_value_of(&m->values[index]);
}

static answer ordered(cairn__rule_compare how, bool less, bool greater) {
    switch (how) {
    case CAIRN__RULE_EQUAL:
        return truth(!less && !greater);
    case CAIRN__RULE_NOT_EQUAL:
        return truth(less || greater);
    case CAIRN__RULE_LESS:
        return truth(less);
    case CAIRN__RULE_LESS_EQUAL:
        return truth(!greater);
    case CAIRN__RULE_GREATER:
        return truth(greater);
    case CAIRN__RULE_GREATER_EQUAL:
    case CAIRN__RULE_COMPARE_COUNT:
        break;
    }
    return truth(!less);
}

/* A number that is exact as a double: any double, small whole numbers. */
static bool exact_number(unsigned kind, uint64_t bits, double *number_out) {
    const int64_t exact_max = INT64_C(1) << 53;
    int64_t whole = (int64_t)bits;
    if (kind == CAIRN_VALUE_NUMBER) {
        memcpy(number_out, &bits, sizeof *number_out);
        return *number_out - *number_out == 0; /* neither infinite nor NaN */
    }
    *number_out = (double)whole;
    return kind == CAIRN_VALUE_INTEGER && whole <= exact_max && whole >= -exact_max;
}

/* What nearly every rule is made of, numbers and equal strings, without building values. False: it
 * is something else, compare in general. */
static bool compare_quickly(const machine *m, const cairn__rule_code *code, answer *result_out) {
    const cairn_value *left = &m->values[code->b];
    cairn__rule_constant right = cairn__rule_constant_at(&m->view, code->c);
    cairn__rule_compare how = (cairn__rule_compare)code->a;
    if (left->kind == CAIRN_VALUE_STRING) {
        if (right.kind != CAIRN_VALUE_STRING || how > CAIRN__RULE_NOT_EQUAL) {
            return false;
        }
        cairn_span text = cairn__span(m->view.data + right.payload, right.count);
        bool equal = cairn__span_equal(left->as.string, text);
        *result_out = truth(equal == (how == CAIRN__RULE_EQUAL));
        return true;
    }
    double a = 0;
    double b = 0;
    uint64_t bits = 0;
    if (left->kind != CAIRN_VALUE_INTEGER && left->kind != CAIRN_VALUE_NUMBER) {
        return false;
    }
    memcpy(&bits, &left->as, sizeof bits);
    if (!exact_number(left->kind, bits, &a) || !exact_number(right.kind, right.payload, &b)) {
        return false;
    }
    *result_out = ordered(how, a<b, a> b);
    return true;
}

static answer compare_slot(const machine *m, const cairn__rule_code *code) {
    answer result = CAIRN__RULE_FALSE;
    if (compare_quickly(m, code, &result)) {
        return result;
    }
    value left = slot(m, code->b);
    value right = cairn__rule_constant_value(&m->view, code->c, m->zone);
    value general = cairn__rule_compare_values((cairn__rule_compare)code->a, &left, &right);
    return answer_of(&general);
}

static answer is_set(const cairn__rule_code *code, const value *v) {
    return is_unknown(v) ? CAIRN__RULE_UNKNOWN
                         : truth((v->kind != CAIRN_VALUE_NULL) == (code->a == 0));
}

/* The tests of one to three values; v: the first of them. */
static answer test(const machine *m, const cairn__rule_code *code, const value *v) {
    switch (code->op) {
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
    case CAIRN__RULE_OP_IS_TODAY:
        return is_today(m, code, &v[0]);
    default:
        return is_set(code, &v[0]);
    }
}

/* What becomes of the values that an instruction takes. */
static value compute(const machine *m, const cairn__rule_code *code, const value *v) {
    value result = { 0 };
    switch (code->op) {
    case CAIRN__RULE_OP_COMPARE:
        return cairn__rule_compare_values((cairn__rule_compare)code->a, &v[0], &v[1]);
    case CAIRN__RULE_OP_ARITHMETIC:
        return cairn__rule_compute((cairn__rule_arithmetic)code->a, &v[0], &v[1]);
    case CAIRN__RULE_OP_NEGATE:
        return cairn__rule_negate(&v[0]);
    case CAIRN__RULE_OP_CALL:
        return cairn__rule_call(code->a, v, code->b, m->zone);
    default:
        set_answer(&result, test(m, code, v));
        return result;
    }
}

/* What is pushed without taking anything. */
static value load(const machine *m, const cairn__rule_code *code) {
    if (code->op == CAIRN__RULE_OP_SLOT) {
        return slot(m, code->c);
    }
    if (code->op == CAIRN__RULE_OP_CONSTANT) {
        return cairn__rule_constant_value(&m->view, code->c, m->zone);
    }
    return cairn__rule_integer(CAIRN_VALUE_TIME, m->now_ms);
}

/* Then it becomes a truth, whatever it was: it may be the answer. */
static bool is_false(value *top) {
    bool result = answer_of(top) == CAIRN__RULE_FALSE;
    if (result) {
        set_answer(top, CAIRN__RULE_FALSE);
    }
    return result;
}

/* `top` is the highest value on the stack. Logic is done here; the rest has functions. */
static answer run(const machine *m) {
    value stack[CAIRN__RULE_STACK_MAX + 1];
    value *top = stack; /* the stack proper begins at stack[1] */
    top->kind = CAIRN_VALUE_NULL;
    for (uint32_t at = 0;; at++) {
        cairn__rule_code code = cairn__rule_code_at(&m->view, at);
        switch (code.op) {
        case CAIRN__RULE_OP_END:
            return answer_of(top);
        case CAIRN__RULE_OP_SLOT:
        case CAIRN__RULE_OP_CONSTANT:
        case CAIRN__RULE_OP_NOW:
            *++top = load(m, &code);
            break;
        case CAIRN__RULE_OP_COMPARE_SLOT:
            set_answer(++top, compare_slot(m, &code));
            break;
        case CAIRN__RULE_OP_AND:
            CAIRN_ASSERT(top - stack >= 2); /* what program.c has checked */
            top -= 1;
            set_answer(top, both(answer_of(&top[0]), answer_of(&top[1])));
            break;
        case CAIRN__RULE_OP_OR:
            CAIRN_ASSERT(top - stack >= 2); /* what program.c has checked */
            top -= 1;
            set_answer(top, either(answer_of(&top[0]), answer_of(&top[1])));
            break;
        case CAIRN__RULE_OP_NOT:
            set_answer(top, opposite(answer_of(top)));
            break;
        case CAIRN__RULE_OP_JUMP_FALSE:
            at = is_false(top) ? code.c - 1 : at;
            break;
        case CAIRN__RULE_OP_JUMP_TRUE:
            at = answer_of(top) == CAIRN__RULE_TRUE ? code.c - 1 : at;
            break;
        default:
            top -= (ptrdiff_t)cairn__rule_code_takes(&code) - 1;
            *top = compute(m, &code, top);
            break;
        }
    }
}

static void trace_logic(uint8_t op, value *top) {
    if (op == CAIRN__RULE_OP_NOT) {
        set_answer(top, opposite(answer_of(top)));
        return;
    }
    answer a = answer_of(&top[0]);
    answer b = answer_of(&top[1]);
    set_answer(top, op == CAIRN__RULE_OP_AND ? both(a, b) : either(a, b));
}

void cairn__rule_trace(const cairn__rule *rule, const cairn_value *values, int64_t now_ms,
                       const cairn__zone *zone, value *trace) {
    machine m = { cairn__rule_open(rule->program), values, zone, now_ms };
    value stack[CAIRN__RULE_STACK_MAX + 1] = { 0 };
    value *top = stack;
    for (uint32_t at = 0;; at++) {
        cairn__rule_code code = cairn__rule_code_at(&m.view, at);
        bool jump = code.op == CAIRN__RULE_OP_JUMP_FALSE || code.op == CAIRN__RULE_OP_JUMP_TRUE;
        if (code.op == CAIRN__RULE_OP_END) {
            return;
        }
        if (jump) {
            continue;
        }
        top -= (ptrdiff_t)cairn__rule_code_takes(&code) - 1;
        CAIRN_ASSERT(top > stack && top <= stack + CAIRN__RULE_STACK_MAX);
        if (code.op >= CAIRN__RULE_OP_SLOT && code.op <= CAIRN__RULE_OP_NOW) {
            *top = load(&m, &code);
        } else if (code.op == CAIRN__RULE_OP_COMPARE_SLOT) {
            set_answer(top, compare_slot(&m, &code));
        } else if (code.op >= CAIRN__RULE_OP_AND && code.op <= CAIRN__RULE_OP_NOT) {
            trace_logic(code.op, top);
        } else {
            *top = compute(&m, &code, top);
        }
        trace[at] = *top;
    }
}

cairn__rule_answer cairn__rule_evaluate(const cairn__rule *rule, const cairn_value *values,
                                        int64_t now_ms, const cairn__zone *zone) {
    machine m = { cairn__rule_open(rule->program), values, zone, now_ms };
    return run(&m);
}
