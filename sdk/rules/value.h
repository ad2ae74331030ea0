/* value.h: values while a rule is evaluated: the language's meaning of comparing and computing.
 * Pure; nothing allocates: a string is a view into a slot or the program, and lower() and upper()
 * only mark how its letters are to be seen. */
#ifndef CAIRN_RULES_VALUE_H
#define CAIRN_RULES_VALUE_H

#include "base/inline.h"
#include "rules/pattern.h"
#include "rules/rules.h"

/** Kinds: those of cairn_value_kind, and these. */
enum { CAIRN__RULE_KIND_DURATION = 7, CAIRN__RULE_KIND_UNKNOWN = CAIRN__RULE_VALUE_UNKNOWN };

typedef struct cairn__rule_value {
    uint8_t kind;
    uint8_t fold; /* cairn__pattern_fold, of a string or of a list's items */
    union {
        bool boolean;
        int64_t integer; /* a whole number, ms of a time or of a duration */
        double number;
        cairn_span string;
        cairn_string_list list;
    } as;
} cairn__rule_value;

typedef enum cairn__rule_compare {
    CAIRN__RULE_EQUAL,
    CAIRN__RULE_NOT_EQUAL,
    CAIRN__RULE_LESS,
    CAIRN__RULE_LESS_EQUAL,
    CAIRN__RULE_GREATER,
    CAIRN__RULE_GREATER_EQUAL,
    CAIRN__RULE_COMPARE_COUNT
} cairn__rule_compare;

typedef enum cairn__rule_arithmetic {
    CAIRN__RULE_ADD,
    CAIRN__RULE_SUBTRACT,
    CAIRN__RULE_MULTIPLY,
    CAIRN__RULE_DIVIDE,
    CAIRN__RULE_REMAINDER,
    CAIRN__RULE_ARITHMETIC_COUNT
} cairn__rule_arithmetic;

typedef enum cairn__rule_text_test {
    CAIRN__RULE_CONTAINS,
    CAIRN__RULE_STARTS_WITH,
    CAIRN__RULE_ENDS_WITH,
    CAIRN__RULE_TEXT_TEST_COUNT
} cairn__rule_text_test;

CAIRN__INLINE cairn__rule_value cairn__rule_boolean(bool value) {
    return (cairn__rule_value){ .kind = CAIRN_VALUE_BOOLEAN, .as.boolean = value };
}

CAIRN__INLINE cairn__rule_value cairn__rule_integer(uint8_t kind, int64_t value) {
    return (cairn__rule_value){ .kind = kind, .as.integer = value };
}

CAIRN__INLINE cairn__rule_value cairn__rule_null(void) {
    return (cairn__rule_value){ .kind = CAIRN_VALUE_NULL };
}

CAIRN__INLINE cairn__rule_value cairn__rule_unknown(void) {
    return (cairn__rule_value){ .kind = CAIRN__RULE_KIND_UNKNOWN };
}

/** A number, or null when it is none (infinite, not a number). */
cairn__rule_value cairn__rule_number(double number);

/** A slot's value. What is none of the known kinds is null. */
cairn__rule_value cairn__rule_value_of(const cairn_value *from);

/** < 0, 0 or > 0 as whole number and double compare without rounding either. */
int cairn__rule_order_mixed(int64_t whole, double number);

/** Order of two values of one comparable type (numbers, strings, times, durations); false in
 * *comparable_out for any others. */
int cairn__rule_order(const cairn__rule_value *a, const cairn__rule_value *b, bool *comparable_out);

/** true, false or unknown. */
cairn__rule_value cairn__rule_compare_values(cairn__rule_compare how, const cairn__rule_value *a,
                                             const cairn__rule_value *b);

/** A number, time, duration, null or unknown. */
cairn__rule_value cairn__rule_compute(cairn__rule_arithmetic how, const cairn__rule_value *a,
                                      const cairn__rule_value *b);
cairn__rule_value cairn__rule_negate(const cairn__rule_value *a);

/** Strings as seen through their fold. */
bool cairn__rule_text_test_holds(cairn__rule_text_test how, const cairn__rule_value *text,
                                 const cairn__rule_value *part);

/** Is the string an item of the list? Both as seen through their fold. */
bool cairn__rule_list_has(const cairn__rule_value *list, const cairn__rule_value *item);

#endif
