/* functions.h: the scalar functions of the language, one table for parser, checker and evaluator.
 */
#ifndef CAIRN_RULES_FUNCTIONS_H
#define CAIRN_RULES_FUNCTIONS_H

#include "rules/ast.h"

/** Numbers in programs: never renumber. */
typedef enum cairn__rule_function {
    CAIRN__RULE_LOWER = 0,
    CAIRN__RULE_UPPER = 1,
    CAIRN__RULE_TRIM = 2,
    CAIRN__RULE_LENGTH = 3,
    CAIRN__RULE_SUBSTRING = 4,
    CAIRN__RULE_ABS = 5,
    CAIRN__RULE_ROUND = 6,
    CAIRN__RULE_FLOOR = 7,
    CAIRN__RULE_CEIL = 8,
    CAIRN__RULE_YEAR = 9,
    CAIRN__RULE_MONTH = 10,
    CAIRN__RULE_DAY = 11,
    CAIRN__RULE_WEEKDAY = 12,
    CAIRN__RULE_HOUR = 13,
    CAIRN__RULE_MINUTE = 14,
    CAIRN__RULE_COALESCE = 15,
    CAIRN__RULE_VERSION_COMPARE = 16,
    CAIRN__RULE_IN_NETWORK = 17,
    CAIRN__RULE_FUNCTION_COUNT = 18
} cairn__rule_function;

enum { CAIRN__RULE_ARGUMENTS_MAX = 8 };

typedef struct cairn__rule_signature {
    const char *name;
    const char *usage; /* "substring(text, start, count)" */
    uint8_t least, most;
    uint8_t first, rest; /* types of the first argument, and of every other */
    uint8_t result;      /* types; 0: those of the arguments */
} cairn__rule_signature;

/** By number. */
const cairn__rule_signature *cairn__rule_signature_of(unsigned function);

/** CAIRN__RULE_FUNCTION_COUNT: there is no such function. */
unsigned cairn__rule_function_named(cairn_span name);

/** Call with `count` arguments, as many as the signature allows. */
cairn__rule_value cairn__rule_call(unsigned function, const cairn__rule_value *arguments,
                                   uint32_t count, const cairn__zone *zone);

/** The local day of a time, or of a string "2026-11-24"; false: neither. */
bool cairn__rule_day_of(const cairn__rule_value *from, const cairn__zone *zone, int64_t *day_out);

#endif
