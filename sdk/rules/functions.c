/* functions.c: functions of one value. Letters are ASCII letters: no locale, no tables of Unicode,
 * the same answer everywhere. */
#include "rules/functions.h"

#include <math.h>

#include "base/bytes.h"
#include "base/civil.h"
#include "base/fault.h"
#include "rules/fault.h"
#include "rules/network.h"
#include "rules/version.h"

typedef cairn__rule_value value;

enum {
    TRUTH = CAIRN__RULE_TYPE_BOOLEAN,
    TEXT = CAIRN__RULE_TYPE_STRING,
    NUMBER = CAIRN__RULE_TYPE_NUMBER,
    DATE = CAIRN__RULE_TYPE_TIME | CAIRN__RULE_TYPE_STRING,
    CLOCK = CAIRN__RULE_TYPE_TIME
};

/* Who parses rules reads these, nobody else. */
#define SPELT(name, usage) CAIRN__FAULT_TEXT(name), CAIRN__FAULT_TEXT(usage)

static const cairn__rule_signature signatures[CAIRN__RULE_FUNCTION_COUNT] = {
    [CAIRN__RULE_LOWER] = { SPELT("lower", "lower(text or list)"), 1, 1,
                            TEXT | CAIRN__RULE_TYPE_LIST, NUMBER, 0 },
    [CAIRN__RULE_UPPER] = { SPELT("upper", "upper(text or list)"), 1, 1,
                            TEXT | CAIRN__RULE_TYPE_LIST, NUMBER, 0 },
    [CAIRN__RULE_TRIM] = { SPELT("trim", "trim(text)"), 1, 1, TEXT, NUMBER, TEXT },
    [CAIRN__RULE_LENGTH] = { SPELT("length", "length(text or list)"), 1, 1,
                             TEXT | CAIRN__RULE_TYPE_LIST, NUMBER, NUMBER },
    [CAIRN__RULE_SUBSTRING] = { SPELT("substring", "substring(text, start, count)"), 2, 3, TEXT,
                                NUMBER, TEXT },
    [CAIRN__RULE_ABS] = { SPELT("abs", "abs(number)"), 1, 1, NUMBER | CAIRN__RULE_TYPE_DURATION,
                          NUMBER, 0 },
    [CAIRN__RULE_ROUND] = { SPELT("round", "round(number)"), 1, 1, NUMBER, NUMBER, NUMBER },
    [CAIRN__RULE_FLOOR] = { SPELT("floor", "floor(number)"), 1, 1, NUMBER, NUMBER, NUMBER },
    [CAIRN__RULE_CEIL] = { SPELT("ceil", "ceil(number)"), 1, 1, NUMBER, NUMBER, NUMBER },
    [CAIRN__RULE_YEAR] = { SPELT("year", "year(time)"), 1, 1, DATE, NUMBER, NUMBER },
    [CAIRN__RULE_MONTH] = { SPELT("month", "month(time)"), 1, 1, DATE, NUMBER, NUMBER },
    [CAIRN__RULE_DAY] = { SPELT("day", "day(time)"), 1, 1, DATE, NUMBER, NUMBER },
    [CAIRN__RULE_WEEKDAY] = { SPELT("weekday", "weekday(time)"), 1, 1, DATE, NUMBER, NUMBER },
    [CAIRN__RULE_HOUR] = { SPELT("hour", "hour(time)"), 1, 1, CLOCK, NUMBER, NUMBER },
    [CAIRN__RULE_MINUTE] = { SPELT("minute", "minute(time)"), 1, 1, CLOCK, NUMBER, NUMBER },
    [CAIRN__RULE_COALESCE] = { SPELT("coalesce", "coalesce(value, value, ...)"), 2,
                               CAIRN__RULE_ARGUMENTS_MAX, CAIRN__RULE_TYPE_ANY,
                               CAIRN__RULE_TYPE_ANY, 0 },
    [CAIRN__RULE_VERSION_COMPARE] = { SPELT("version_compare", "version_compare(version, version)"),
                                      2, 2, TEXT, TEXT, NUMBER },
    [CAIRN__RULE_IN_NETWORK] = { SPELT("in_network", "in_network(address, network)"), 2, 2, TEXT,
                                 TEXT, TRUTH },
};

const cairn__rule_signature *cairn__rule_signature_of(unsigned function) {
    return &signatures[function];
}

unsigned cairn__rule_function_named(cairn_span name) {
    unsigned function = 0;
    while (function < CAIRN__RULE_FUNCTION_COUNT &&
           !cairn__rule_word_is(name, signatures[function].name)) {
        function += 1;
    }
    return function;
}

static value whole(int64_t number) {
    return cairn__rule_integer(CAIRN_VALUE_INTEGER, number);
}

/* --- text ------------------------------------------------------------------------------------ */

static bool is_space(uint8_t byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static value trim(value text) {
    cairn_span *span = &text.as.string;
    while (span->len > 0 && is_space(span->data[span->len - 1])) {
        span->len -= 1;
    }
    while (span->len > 0 && is_space(span->data[0])) {
        *span = (cairn_span){ span->data + 1, span->len - 1 };
    }
    return text;
}

static bool is_lead(uint8_t byte) {
    return (byte & 0xC0) != 0x80;
}

static int64_t characters(cairn_span text) {
    int64_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += is_lead(text.data[i]) ? 1 : 0;
    }
    return count;
}

/* Bytes of the first `count` characters. */
static size_t bytes_of(cairn_span text, int64_t count) {
    size_t at = 0;
    for (; at < text.len; at++) {
        if (is_lead(text.data[at]) && count-- == 0) {
            break;
        }
    }
    return at;
}

/* A whole number, not negative, from a number; false: it is none. No text is longer than the most.
 */
static bool as_count(const value *from, int64_t *count_out) {
    const double most = 9007199254740992.0;
    if (from->kind == CAIRN_VALUE_INTEGER) {
        *count_out = from->as.integer;
        return *count_out >= 0;
    }
    bool good = from->kind == CAIRN_VALUE_NUMBER && from->as.number >= 0 &&
                floor(from->as.number) == from->as.number;
    *count_out = good ? (int64_t)(from->as.number < most ? from->as.number : most) : 0;
    return good;
}

/* start counts from 1, as people do. */
static value substring(value text, const value *arguments, uint32_t count) {
    int64_t start = 0;
    int64_t length = INT64_MAX;
    if (text.kind != CAIRN_VALUE_STRING || !as_count(&arguments[1], &start) || start < 1 ||
        (count == 3 && !as_count(&arguments[2], &length))) {
        return cairn__rule_null();
    }
    size_t skip = start == 1 ? 0 : bytes_of(text.as.string, start - 1);
    if (skip > 0) {
        text.as.string = (cairn_span){ text.as.string.data + skip, text.as.string.len - skip };
    }
    text.as.string.len = length == 0 ? 0 : bytes_of(text.as.string, length);
    return text;
}

static value of_text(unsigned function, value text, const value *arguments, uint32_t count) {
    if (function == CAIRN__RULE_LENGTH && text.kind == CAIRN_VALUE_LIST) {
        return whole((int64_t)text.as.list.count);
    }
    bool folds = function == CAIRN__RULE_LOWER || function == CAIRN__RULE_UPPER;
    if (text.kind != CAIRN_VALUE_STRING && !(folds && text.kind == CAIRN_VALUE_LIST)) {
        return cairn__rule_null();
    }
    switch (function) {
    case CAIRN__RULE_LOWER:
        text.fold = CAIRN__FOLD_LOWER;
        return text;
    case CAIRN__RULE_UPPER:
        text.fold = CAIRN__FOLD_UPPER;
        return text;
    case CAIRN__RULE_TRIM:
        return trim(text);
    case CAIRN__RULE_LENGTH:
        return whole(characters(text.as.string));
    default:
        return substring(text, arguments, count);
    }
}

/* --- numbers --------------------------------------------------------------------------------- */

/* As a whole number when it fits, so that it compares and counts exactly. */
static value rounded(double number) {
    const double limit = 9223372036854775808.0;
    return number >= -limit && number < limit ? whole((int64_t)number) : cairn__rule_number(number);
}

static double round_half_away(double number) {
    double size = fabs(number);
    double down = floor(size);
    double result = size - down >= 0.5 ? down + 1 : down;
    return number < 0 ? -result : result;
}

static value of_number(unsigned function, const value *from) {
    if (function == CAIRN__RULE_ABS) {
        bool below = from->kind == CAIRN_VALUE_NUMBER ? from->as.number < 0 : from->as.integer < 0;
        return below ? cairn__rule_negate(from) : *from;
    }
    if (from->kind == CAIRN_VALUE_INTEGER) {
        return *from;
    }
    double number = from->as.number;
    return rounded(function == CAIRN__RULE_ROUND   ? round_half_away(number)
                   : function == CAIRN__RULE_FLOOR ? floor(number)
                                                   : ceil(number));
}

static bool takes_number(unsigned function, const value *from) {
    bool number = from->kind == CAIRN_VALUE_INTEGER || from->kind == CAIRN_VALUE_NUMBER;
    return number || (function == CAIRN__RULE_ABS && from->kind == CAIRN__RULE_KIND_DURATION);
}

/* --- times ----------------------------------------------------------------------------------- */

bool cairn__rule_day_of(const value *from, const cairn__zone *zone, int64_t *day_out) {
    if (from->kind == CAIRN_VALUE_TIME) {
        *day_out = cairn__zone_day(zone, from->as.integer);
        return true;
    }
    return from->kind == CAIRN_VALUE_STRING && cairn__parse_date(from->as.string, day_out);
}

static value of_date(unsigned function, const value *from, const cairn__zone *zone) {
    int64_t day = 0;
    if (!cairn__rule_day_of(from, zone, &day)) {
        return cairn__rule_null();
    }
    if (function == CAIRN__RULE_WEEKDAY) {
        return whole((int64_t)cairn__weekday(day) + 1);
    }
    cairn__civil date = cairn__civil_from_days(day);
    return whole(function == CAIRN__RULE_YEAR    ? date.year
                 : function == CAIRN__RULE_MONTH ? (int64_t)date.month
                                                 : (int64_t)date.day);
}

static value of_clock(unsigned function, const value *from, const cairn__zone *zone) {
    const int64_t far = INT64_MAX / 2; /* room to add an offset */
    int64_t rest = 0;
    if (from->kind != CAIRN_VALUE_TIME || from->as.integer > far || from->as.integer < -far) {
        return cairn__rule_null();
    }
    int64_t offset_ms = cairn__zone_offset(zone, from->as.integer) * INT64_C(1000);
    (void)cairn__days_of_ms(from->as.integer + offset_ms, &rest);
    int64_t minutes = rest / 60000;
    return whole(function == CAIRN__RULE_HOUR ? minutes / 60 : minutes % 60);
}

/* --- calling --------------------------------------------------------------------------------- */

static value coalesce(const value *arguments, uint32_t count) {
    uint32_t at = 0;
    while (at + 1 < count && arguments[at].kind == CAIRN_VALUE_NULL) {
        at += 1;
    }
    return arguments[at]; /* unknown stays unknown: it may be set */
}

value cairn__rule_call(unsigned function, const value *arguments, uint32_t count,
                       const cairn__zone *zone) {
    if (function == CAIRN__RULE_COALESCE) {
        return coalesce(arguments, count);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (arguments[i].kind == CAIRN_VALUE_NULL) {
            return cairn__rule_null();
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (arguments[i].kind == CAIRN__RULE_KIND_UNKNOWN) {
            return cairn__rule_unknown();
        }
    }
    if (function == CAIRN__RULE_VERSION_COMPARE) {
        return cairn__rule_version_compare(&arguments[0], &arguments[1]);
    }
    if (function == CAIRN__RULE_IN_NETWORK) {
        return cairn__rule_in_network(&arguments[0], &arguments[1]);
    }
    if (function <= CAIRN__RULE_SUBSTRING) {
        return of_text(function, arguments[0], arguments, count);
    }
    if (function <= CAIRN__RULE_CEIL) {
        return takes_number(function, arguments) ? of_number(function, arguments)
                                                 : cairn__rule_null();
    }
    return function <= CAIRN__RULE_WEEKDAY ? of_date(function, arguments, zone)
                                           : of_clock(function, arguments, zone);
}
