/* json_logic.h: JSON Logic's expressions -> the text of a rule. JSON Logic gives values and takes
 * any value as a condition; Cairn's rules are conditions over values that have types. So an
 * expression is said in three ways, as what is asked of it: its value, its truth, or that it equals
 * a constant. */
#ifndef CAIRN_TESTS_JSON_LOGIC_H
#define CAIRN_TESTS_JSON_LOGIC_H

#include "conform.h"

/** What can be known of a value without data. */
typedef enum json_logic_type {
    JSON_LOGIC_ANY,
    JSON_LOGIC_TRUTH,
    JSON_LOGIC_NUMBER,
    JSON_LOGIC_TEXT,
    JSON_LOGIC_NULL
} json_logic_type;

/** The expression as a value. */
json_logic_type json_logic_value(conform_text *to, json_t *from);

/** As a condition: neither false, 0, "", null nor an empty list. */
void json_logic_truth(conform_text *to, json_t *from);

/** That its value is `result`; `decimal`: but for rounding. */
void json_logic_equals(conform_text *to, json_t *from, json_t *result, bool decimal);

/** A constant as a fact, user.`constant ...`: where types that differ shall be met as data is, and
 * not be refused as a rule that can never hold. */
void json_logic_as_fact(conform_text *to, json_t *constant);

/** conform_value_of of the case's data and of such constants. */
const char *json_logic_fact(void *data, const cairn__rule_slot *slot, cairn__arena *arena,
                            cairn_value *value_out);

/** The arguments of an operator: a list, or the one that stands alone. */
size_t json_logic_count(json_t *arguments);
json_t *json_logic_argument(json_t *arguments, size_t at);

/** The operator of {"op": ...}; NULL: a constant, a list, or no expression. */
const char *json_logic_operator(json_t *from, json_t **arguments_out);

#endif
