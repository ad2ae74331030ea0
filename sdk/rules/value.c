/* value.c: comparing and computing, the same bits on every platform. */
#include "rules/value.h"

#include <math.h>

#include "base/bytes.h"

typedef cairn__rule_value value;

static const double two_63 = 9223372036854775808.0;

value cairn__rule_number(double number) {
    if (!isfinite(number)) {
        return cairn__rule_null();
    }
    return (value){ .kind = CAIRN_VALUE_NUMBER, .as.number = number };
}

value cairn__rule_value_of(const cairn_value *from) {
    switch ((unsigned)from->kind) {
    case CAIRN_VALUE_BOOLEAN:
        return cairn__rule_boolean(from->as.boolean);
    case CAIRN_VALUE_INTEGER:
        return cairn__rule_integer(CAIRN_VALUE_INTEGER, from->as.integer);
    case CAIRN_VALUE_NUMBER:
        return cairn__rule_number(from->as.number);
    case CAIRN_VALUE_STRING:
        return (value){ .kind = CAIRN_VALUE_STRING, .as.string = from->as.string };
    case CAIRN_VALUE_TIME:
        return cairn__rule_integer(CAIRN_VALUE_TIME, from->as.time_ms);
    case CAIRN_VALUE_LIST:
        return (value){ .kind = CAIRN_VALUE_LIST, .as.list = from->as.list };
    case CAIRN__RULE_KIND_UNKNOWN:
        return cairn__rule_unknown();
    default:
        return cairn__rule_null();
    }
}

/* --- order ----------------------------------------------------------------------------------- */

int cairn__rule_order_mixed(int64_t whole, double number) {
    if (number >= two_63) {
        return -1;
    }
    if (number < -two_63) {
        return 1;
    }
    int64_t truncated = (int64_t)number;
    if (whole != truncated) {
        return whole < truncated ? -1 : 1;
    }
    double rest = number - (double)truncated;
    return rest > 0 ? -1 : rest < 0 ? 1 : 0;
}

static int order_numbers(const value *a, const value *b) {
    bool a_whole = a->kind == CAIRN_VALUE_INTEGER;
    bool b_whole = b->kind == CAIRN_VALUE_INTEGER;
    if (a_whole && b_whole) {
        return (a->as.integer > b->as.integer) - (a->as.integer < b->as.integer);
    }
    if (a_whole) {
        return cairn__rule_order_mixed(a->as.integer, b->as.number);
    }
    if (b_whole) {
        return -cairn__rule_order_mixed(b->as.integer, a->as.number);
    }
    return (a->as.number > b->as.number) - (a->as.number < b->as.number);
}

static uint8_t folded(uint8_t byte, uint8_t fold) {
    if (fold == CAIRN__FOLD_LOWER && byte >= 'A' && byte <= 'Z') {
        return (uint8_t)(byte + 32);
    }
    if (fold == CAIRN__FOLD_UPPER && byte >= 'a' && byte <= 'z') {
        return (uint8_t)(byte - 32);
    }
    return byte;
}

/* memcmp as both are seen. */
static int order_bytes(const value *a, size_t a_from, const value *b, size_t count) {
    const uint8_t *x = count == 0 ? NULL : a->as.string.data + a_from;
    const uint8_t *y = b->as.string.data;
    if (count == 0) {
        return 0;
    }
    if (a->fold == CAIRN__FOLD_NONE && b->fold == CAIRN__FOLD_NONE) {
        return memcmp(x, y, count);
    }
    for (size_t i = 0; i < count; i++) {
        int difference = folded(x[i], a->fold) - folded(y[i], b->fold);
        if (difference != 0) {
            return difference;
        }
    }
    return 0;
}

static int order_strings(const value *a, const value *b) {
    size_t a_len = a->as.string.len;
    size_t b_len = b->as.string.len;
    int order = order_bytes(a, 0, b, a_len < b_len ? a_len : b_len);
    return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

static bool is_number(const value *a) {
    return a->kind == CAIRN_VALUE_INTEGER || a->kind == CAIRN_VALUE_NUMBER;
}

int cairn__rule_order(const value *a, const value *b, bool *comparable_out) {
    *comparable_out = true;
    if (is_number(a) && is_number(b)) {
        return order_numbers(a, b);
    }
    if (a->kind == b->kind && a->kind == CAIRN_VALUE_STRING) {
        return order_strings(a, b);
    }
    if (a->kind == b->kind &&
        (a->kind == CAIRN_VALUE_TIME || a->kind == CAIRN__RULE_KIND_DURATION)) {
        return (a->as.integer > b->as.integer) - (a->as.integer < b->as.integer);
    }
    *comparable_out = false;
    return 0;
}

static value item_of(const value *list, size_t at) {
    return (value){ .kind = CAIRN_VALUE_STRING,
                    .fold = list->fold,
                    .as.string = list->as.list.items[at] };
}

static bool lists_equal(const value *a, const value *b) {
    bool equal = a->as.list.count == b->as.list.count;
    for (size_t i = 0; equal && i < a->as.list.count; i++) {
        value left = item_of(a, i);
        value right = item_of(b, i);
        equal = order_strings(&left, &right) == 0;
    }
    return equal;
}

static bool values_equal(const value *a, const value *b) {
    bool comparable = false;
    int order = cairn__rule_order(a, b, &comparable);
    if (comparable) {
        return order == 0;
    }
    if (a->kind != b->kind) {
        return false;
    }
    if (a->kind == CAIRN_VALUE_BOOLEAN) {
        return a->as.boolean == b->as.boolean;
    }
    return a->kind == CAIRN_VALUE_LIST && lists_equal(a, b);
}

static bool ordered_as(cairn__rule_compare how, int order) {
    switch (how) {
    case CAIRN__RULE_LESS:
        return order < 0;
    case CAIRN__RULE_LESS_EQUAL:
        return order <= 0;
    case CAIRN__RULE_GREATER:
        return order > 0;
    case CAIRN__RULE_GREATER_EQUAL:
        return order >= 0;
    case CAIRN__RULE_EQUAL:
    case CAIRN__RULE_NOT_EQUAL:
    case CAIRN__RULE_COMPARE_COUNT:
        break;
    }
    return false;
}

value cairn__rule_compare_values(cairn__rule_compare how, const value *a, const value *b) {
    if (a->kind == CAIRN_VALUE_NULL || b->kind == CAIRN_VALUE_NULL) {
        return cairn__rule_boolean(false); /* whatever the other is, even unknown */
    }
    if (a->kind == CAIRN__RULE_KIND_UNKNOWN || b->kind == CAIRN__RULE_KIND_UNKNOWN) {
        return cairn__rule_unknown();
    }
    if (how == CAIRN__RULE_EQUAL || how == CAIRN__RULE_NOT_EQUAL) {
        return cairn__rule_boolean(values_equal(a, b) == (how == CAIRN__RULE_EQUAL));
    }
    bool comparable = false;
    int order = cairn__rule_order(a, b, &comparable);
    return cairn__rule_boolean(comparable && ordered_as(how, order));
}

/* --- arithmetic ------------------------------------------------------------------------------ */

static double as_double(const value *a) {
    return a->kind == CAIRN_VALUE_NUMBER ? a->as.number : (double)a->as.integer;
}

static value divide_whole(int64_t a, int64_t b) {
    if (b == 0) {
        return cairn__rule_null();
    }
    if (b == -1) { /* INT64_MIN / -1 does not fit */
        return a == INT64_MIN ? cairn__rule_number(two_63)
                              : cairn__rule_integer(CAIRN_VALUE_INTEGER, -a);
    }
    return a % b == 0 ? cairn__rule_integer(CAIRN_VALUE_INTEGER, a / b)
                      : cairn__rule_number((double)a / (double)b);
}

/* Whole numbers stay whole and exact; what does not fit 64 bits goes on as a double. */
static value compute_whole(cairn__rule_arithmetic how, int64_t a, int64_t b) {
    int64_t result = 0;
    switch (how) {
    case CAIRN__RULE_ADD:
        return __builtin_add_overflow(a, b, &result)
                   ? cairn__rule_number((double)a + (double)b)
                   : cairn__rule_integer(CAIRN_VALUE_INTEGER, result);
    case CAIRN__RULE_SUBTRACT:
        return __builtin_sub_overflow(a, b, &result)
                   ? cairn__rule_number((double)a - (double)b)
                   : cairn__rule_integer(CAIRN_VALUE_INTEGER, result);
    case CAIRN__RULE_MULTIPLY:
        return __builtin_mul_overflow(a, b, &result)
                   ? cairn__rule_number((double)a * (double)b)
                   : cairn__rule_integer(CAIRN_VALUE_INTEGER, result);
    case CAIRN__RULE_DIVIDE:
        return divide_whole(a, b);
    case CAIRN__RULE_REMAINDER:
        if (b == 0) {
            return cairn__rule_null();
        }
        return cairn__rule_integer(CAIRN_VALUE_INTEGER, b == -1 ? 0 : a % b);
    case CAIRN__RULE_ARITHMETIC_COUNT:
        break;
    }
    return cairn__rule_null();
}

static value compute_doubles(cairn__rule_arithmetic how, double a, double b) {
    switch (how) {
    case CAIRN__RULE_ADD:
        return cairn__rule_number(a + b);
    case CAIRN__RULE_SUBTRACT:
        return cairn__rule_number(a - b);
    case CAIRN__RULE_MULTIPLY:
        return cairn__rule_number(a * b);
    case CAIRN__RULE_DIVIDE:
        return b == 0 ? cairn__rule_null() : cairn__rule_number(a / b);
    case CAIRN__RULE_REMAINDER:
        return b == 0 ? cairn__rule_null() : cairn__rule_number(fmod(a, b));
    case CAIRN__RULE_ARITHMETIC_COUNT:
        break;
    }
    return cairn__rule_null();
}

/* ms that fit, or null: no time lies that far away. */
static value whole_ms(uint8_t kind, const value *result) {
    if (result->kind == CAIRN_VALUE_INTEGER) {
        return cairn__rule_integer(kind, result->as.integer);
    }
    bool fits = result->kind == CAIRN_VALUE_NUMBER && result->as.number >= -two_63 &&
                result->as.number < two_63;
    return fits ? cairn__rule_integer(kind, (int64_t)result->as.number) : cairn__rule_null();
}

static value compute_ms(cairn__rule_arithmetic how, uint8_t kind, const value *a, const value *b) {
    value result =
        a->kind == CAIRN_VALUE_NUMBER   ? compute_doubles(how, a->as.number, (double)b->as.integer)
        : b->kind == CAIRN_VALUE_NUMBER ? compute_doubles(how, (double)a->as.integer, b->as.number)
                                        : compute_whole(how, a->as.integer, b->as.integer);
    return whole_ms(kind, &result);
}

/* At least one of them is a time or a duration. */
static value compute_times(cairn__rule_arithmetic how, const value *a, const value *b) {
    enum { DURATION = CAIRN__RULE_KIND_DURATION };
    bool sum = how == CAIRN__RULE_ADD || how == CAIRN__RULE_SUBTRACT;
    if (a->kind == CAIRN_VALUE_TIME && b->kind == CAIRN_VALUE_TIME) {
        return how == CAIRN__RULE_SUBTRACT ? compute_ms(how, DURATION, a, b) : cairn__rule_null();
    }
    if (a->kind == CAIRN_VALUE_TIME && b->kind == DURATION && sum) {
        return compute_ms(how, CAIRN_VALUE_TIME, a, b);
    }
    if (a->kind == DURATION && b->kind == CAIRN_VALUE_TIME && how == CAIRN__RULE_ADD) {
        return compute_ms(how, CAIRN_VALUE_TIME, a, b);
    }
    if (a->kind == DURATION && b->kind == DURATION) {
        return sum || how == CAIRN__RULE_REMAINDER ? compute_ms(how, DURATION, a, b)
               : how == CAIRN__RULE_DIVIDE         ? divide_whole(a->as.integer, b->as.integer)
                                                   : cairn__rule_null();
    }
    bool scaled = (a->kind == DURATION && is_number(b) &&
                   (how == CAIRN__RULE_MULTIPLY || how == CAIRN__RULE_DIVIDE)) ||
                  (is_number(a) && b->kind == DURATION && how == CAIRN__RULE_MULTIPLY);
    return scaled ? compute_ms(how, DURATION, a, b) : cairn__rule_null();
}

value cairn__rule_compute(cairn__rule_arithmetic how, const value *a, const value *b) {
    if (a->kind == CAIRN_VALUE_NULL || b->kind == CAIRN_VALUE_NULL) {
        return cairn__rule_null();
    }
    if (a->kind == CAIRN__RULE_KIND_UNKNOWN || b->kind == CAIRN__RULE_KIND_UNKNOWN) {
        return cairn__rule_unknown();
    }
    if (a->kind == CAIRN_VALUE_INTEGER && b->kind == CAIRN_VALUE_INTEGER) {
        return compute_whole(how, a->as.integer, b->as.integer);
    }
    if (is_number(a) && is_number(b)) {
        return compute_doubles(how, as_double(a), as_double(b));
    }
    return compute_times(how, a, b);
}

value cairn__rule_negate(const value *a) {
    if (a->kind == CAIRN_VALUE_NUMBER) {
        return cairn__rule_number(-a->as.number);
    }
    if (a->kind == CAIRN_VALUE_INTEGER || a->kind == CAIRN__RULE_KIND_DURATION) {
        value zero = cairn__rule_integer(a->kind, 0);
        return a->kind == CAIRN_VALUE_INTEGER
                   ? compute_whole(CAIRN__RULE_SUBTRACT, 0, a->as.integer)
                   : cairn__rule_compute(CAIRN__RULE_SUBTRACT, &zero, a);
    }
    return a->kind == CAIRN__RULE_KIND_UNKNOWN ? *a : cairn__rule_null();
}

/* --- text ------------------------------------------------------------------------------------ */

static bool contains(const value *text, const value *part) {
    size_t length = part->as.string.len;
    if (length == 0) {
        return true;
    }
    for (size_t at = 0; at + length <= text->as.string.len; at++) {
        if (order_bytes(text, at, part, length) == 0) {
            return true;
        }
    }
    return false;
}

bool cairn__rule_text_test_holds(cairn__rule_text_test how, const value *text, const value *part) {
    size_t length = part->as.string.len;
    if (length > text->as.string.len) {
        return false;
    }
    if (how == CAIRN__RULE_CONTAINS) {
        return contains(text, part);
    }
    size_t from = how == CAIRN__RULE_STARTS_WITH ? 0 : text->as.string.len - length;
    return order_bytes(text, from, part, length) == 0;
}

bool cairn__rule_list_has(const value *list, const value *item) {
    for (size_t i = 0; i < list->as.list.count; i++) {
        value other = item_of(list, i);
        if (order_strings(&other, item) == 0) {
            return true;
        }
    }
    return false;
}
