/* json_logic.c: values and operators. */
#include "json_logic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 128 };

static const char constant_prefix[] = "constant ";

typedef json_logic_type type;

const char *json_logic_operator(json_t *from, json_t **arguments_out) {
    if (json_object_size(from) != 1) {
        return NULL;
    }
    void *member = json_object_iter(from);
    *arguments_out = json_object_iter_value(member);
    return json_object_iter_key(member);
}

size_t json_logic_count(json_t *arguments) {
    return json_is_array(arguments) ? json_array_size(arguments) : 1;
}

json_t *json_logic_argument(json_t *arguments, size_t at) {
    return json_is_array(arguments) ? json_array_get(arguments, at) : arguments;
}

static void word(conform_text *to, const char *text) {
    conform_say(to, "%s", text);
}

void json_logic_as_fact(conform_text *to, json_t *constant) {
    char text[NAME_BYTES];
    char *json = json_dumps(constant, JSON_ENCODE_ANY);
    (void)snprintf(text, sizeof text, "%s%s", constant_prefix, json == NULL ? "" : json);
    free(json);
    conform_name(to, text);
}

const char *json_logic_fact(void *data, const cairn__rule_slot *slot, cairn__arena *arena,
                            cairn_value *value_out) {
    const size_t prefix = sizeof constant_prefix - 1;
    cairn_span name = slot->name;
    if (name.len <= prefix || memcmp(name.data, constant_prefix, prefix) != 0) {
        return conform_fact(data, slot, arena, value_out);
    }
    json_t *constant =
        json_loadb((const char *)name.data + prefix, name.len - prefix, JSON_DECODE_ANY, NULL);
    const char *why = conform_value(constant, arena, value_out);
    if (value_out->kind == CAIRN_VALUE_STRING) { /* outlives the JSON */
        (void)cairn__arena_copy(arena, value_out->as.string, &value_out->as.string);
    }
    json_decref(constant);
    return why;
}

static type refuse(conform_text *to, const char *why) {
    conform_cannot(to, why);
    return JSON_LOGIC_ANY;
}

/* --- names ----------------------------------------------------------------------------------- */

static type name(conform_text *to, const char *text) {
    if (*text == '\0') {
        return refuse(to, "the data as a whole, or a name without letters");
    }
    if (strspn(text, "0123456789.") == strlen(text) && *text != '.') {
        return refuse(to, "an item of a list by its number");
    }
    conform_name(to, text);
    return JSON_LOGIC_ANY;
}

/* {"var": "a.b"}, {"var": ["a.b", otherwise]} */
static type var(conform_text *to, json_t *arguments) {
    size_t count = json_logic_count(arguments);
    json_t *path = json_logic_argument(arguments, 0);
    if (count > 0 && !json_is_string(path)) {
        return refuse(to, json_is_integer(path) ? "an item of a list by its number"
                                                : "a name that is computed");
    }
    word(to, count == 2 ? "coalesce(" : "");
    (void)name(to, count == 0 ? "" : json_string_value(path));
    if (count == 2) {
        word(to, ", ");
        (void)json_logic_value(to, json_logic_argument(arguments, 1));
        word(to, ")");
    }
    return JSON_LOGIC_ANY;
}

/* {"val": ["a", "b"]} */
static type val(conform_text *to, json_t *arguments) {
    char path[NAME_BYTES] = "";
    size_t len = 0;
    for (size_t i = 0; i < json_logic_count(arguments); i++) {
        json_t *part = json_logic_argument(arguments, i);
        const char *text = json_string_value(part);
        if (text == NULL) {
            return refuse(to, json_is_integer(part) ? "an item of a list by its number"
                              : json_is_array(part) ? "a scope around a list's item"
                                                    : "a name that is computed");
        }
        size_t more = strlen(text);
        if (len + more + 2 > sizeof path) {
            return refuse(to, "a name that no property can have");
        }
        path[len] = '.';
        len += i > 0 ? 1 : 0;
        memcpy(path + len, text, more + 1);
        len += more;
    }
    return name(to, path);
}

/* --- operators ------------------------------------------------------------------------------- */

/* "a < b and b < c" */
static type compare(conform_text *to, json_t *arguments, const char *how) {
    size_t count = json_logic_count(arguments);
    if (count < 2) {
        return refuse(to, "comparing fewer than two values");
    }
    word(to, "(");
    for (size_t i = 0; i + 1 < count; i++) {
        word(to, i == 0 ? "" : " and ");
        (void)json_logic_value(to, json_logic_argument(arguments, i));
        conform_say(to, " %s ", how);
        (void)json_logic_value(to, json_logic_argument(arguments, i + 1));
    }
    word(to, ")");
    return JSON_LOGIC_TRUTH;
}

static bool is_scalar(json_t *from) {
    return json_is_string(from) || json_is_number(from) || json_is_boolean(from);
}

static void same(conform_text *to, json_t *left, json_t *right, bool strict) {
    bool null = json_is_null(left) || json_is_null(right);
    if (strict && !null && is_scalar(left) && is_scalar(right)) {
        json_logic_as_fact(to, left);
    } else {
        (void)json_logic_value(to, json_is_null(left) ? right : left);
    }
    word(to, null ? " is not set" : " = ");
    if (!null) {
        (void)json_logic_value(to, right);
    }
}

/* JSON Logic's != on what is not set is true. */
static type equal(conform_text *to, json_t *arguments, const char *name) {
    size_t count = json_logic_count(arguments);
    if (count < 2) {
        return refuse(to, "comparing fewer than two values");
    }
    word(to, "(");
    for (size_t i = 0; i + 1 < count; i++) {
        word(to, i == 0 ? "" : " and ");
        word(to, *name == '!' ? "not (" : "(");
        same(to, json_logic_argument(arguments, i), json_logic_argument(arguments, i + 1),
             strlen(name) == 3);
        word(to, ")");
    }
    word(to, ")");
    return JSON_LOGIC_TRUTH;
}

/* Of one operand: 0 + a, 0 - a, 1 * a, 1 / a. */
static type arithmetic(conform_text *to, json_t *arguments, const char *how) {
    size_t count = json_logic_count(arguments);
    if (count == 0 || (count == 1 && strcmp(how, " % ") == 0)) {
        return refuse(to, "a sum, product, quotient or rest of too few values");
    }
    word(to, count > 1 ? "(" : how[1] == '+' || how[1] == '-' ? "(0" : "(1");
    for (size_t i = 0; i < count; i++) {
        word(to, i == 0 && count > 1 ? "" : how);
        (void)json_logic_value(to, json_logic_argument(arguments, i));
    }
    word(to, ")");
    return JSON_LOGIC_NUMBER;
}

static type list_of_constants(conform_text *to, json_t *list) {
    size_t i = 0;
    json_t *item = NULL;
    word(to, " in [");
    json_array_foreach(list, i, item) {
        word(to, i == 0 ? "" : ", ");
        conform_constant(to, item);
    }
    word(to, "]");
    return JSON_LOGIC_TRUTH;
}

/* An item of a list, or a part of a text: `contains` is both. */
static type in(conform_text *to, json_t *arguments, const char *unused) {
    (void)unused;
    json_t *list = json_logic_argument(arguments, 1);
    if (json_logic_count(arguments) != 2 || list == NULL || json_is_null(list)) {
        return refuse(to, "asking for a part of nothing");
    }
    word(to, "(");
    if (json_is_array(list)) {
        (void)json_logic_value(to, json_logic_argument(arguments, 0));
        (void)list_of_constants(to, list);
    } else {
        (void)json_logic_value(to, list);
        word(to, " contains ");
        (void)json_logic_value(to, json_logic_argument(arguments, 0));
    }
    word(to, ")");
    return JSON_LOGIC_TRUTH;
}

static type several(conform_text *to, json_t *arguments, const char *join) {
    size_t count = json_logic_count(arguments);
    if (count == 0) {
        return refuse(to, "and, or without operands");
    }
    word(to, "(");
    for (size_t i = 0; i < count; i++) {
        word(to, i == 0 ? "" : join);
        if (json_logic_value(to, json_logic_argument(arguments, i)) != JSON_LOGIC_TRUTH) {
            conform_cannot(to, "and, or as the value of an operand that is no condition");
        }
    }
    word(to, ")");
    return JSON_LOGIC_TRUTH;
}

static type negate(conform_text *to, json_t *arguments, const char *how) {
    if (json_logic_count(arguments) == 0) {
        return refuse(to, "a negation of nothing");
    }
    conform_say(to, "(%s", how);
    json_logic_truth(to, json_logic_argument(arguments, 0));
    word(to, ")");
    return JSON_LOGIC_TRUTH;
}

static bool is_below_zero(json_t *number) {
    return json_is_integer(number) && json_integer_value(number) < 0;
}

/* Where it begins, from 1; there it is from 0, or from the end when below 0. */
static void begins(conform_text *to, json_t *text, json_t *start) {
    if (is_below_zero(start)) {
        word(to, "length(");
        (void)json_logic_value(to, text);
        word(to, ") + ");
    }
    word(to, "1 + ");
    (void)json_logic_value(to, start);
}

static type substr(conform_text *to, json_t *arguments, const char *unused) {
    (void)unused;
    json_t *text = json_logic_argument(arguments, 0);
    json_t *start = json_logic_argument(arguments, 1);
    json_t *count = json_logic_argument(arguments, 2);
    word(to, "substring(");
    (void)json_logic_value(to, text);
    word(to, ", ");
    begins(to, text, start);
    if (json_logic_count(arguments) == 3) {
        word(to, ", ");
        if (is_below_zero(count)) { /* so many are left out at the end */
            word(to, "length(");
            (void)json_logic_value(to, text);
            word(to, ") + 1 - (");
            begins(to, text, start);
            word(to, ") + ");
        }
        (void)json_logic_value(to, count);
    }
    word(to, ")");
    return JSON_LOGIC_TEXT;
}

static type coalesce(conform_text *to, json_t *arguments, const char *unused) {
    (void)unused;
    if (json_logic_count(arguments) < 2) {
        return json_logic_count(arguments) == 0
                   ? refuse(to, "the first that is set of none")
                   : json_logic_value(to, json_logic_argument(arguments, 0));
    }
    word(to, "coalesce(");
    for (size_t i = 0; i < json_logic_count(arguments); i++) {
        word(to, i == 0 ? "" : ", ");
        (void)json_logic_value(to, json_logic_argument(arguments, i));
    }
    word(to, ")");
    return JSON_LOGIC_ANY;
}

static type exists(conform_text *to, json_t *arguments, const char *unused) {
    (void)unused;
    word(to, "(");
    (void)val(to, arguments);
    word(to, " is set)");
    return JSON_LOGIC_TRUTH;
}

static type reading(conform_text *to, json_t *arguments, const char *how) {
    return *how == 'r' ? var(to, arguments) : val(to, arguments);
}

static const struct {
    const char *name;
    type (*say)(conform_text *to, json_t *arguments, const char *how);
    const char *how;
} operators[] = {
    { "var", reading, "r" },    { "val", reading, "l" },     { "==", equal, "==" },
    { "===", equal, "===" },    { "!=", equal, "!=" },       { "!==", equal, "!==" },
    { "<", compare, "<" },      { "<=", compare, "<=" },     { ">", compare, ">" },
    { ">=", compare, ">=" },    { "+", arithmetic, " + " },  { "-", arithmetic, " - " },
    { "*", arithmetic, " * " }, { "/", arithmetic, " / " },  { "%", arithmetic, " % " },
    { "in", in, "" },           { "and", several, " and " }, { "or", several, " or " },
    { "!", negate, "not " },    { "!!", negate, "" },        { "substr", substr, "" },
    { "??", coalesce, "" },     { "exists", exists, "" },
};

/* --- what has no operator here --- */

static const char *const lacking[][2] = {
    { "if", "a choice (if) inside of an expression" },
    { "?:", "a choice (if) inside of an expression" },
    { "map", "computes over each item of a list" },
    { "filter", "computes over each item of a list" },
    { "reduce", "computes over each item of a list" },
    { "all", "computes over each item of a list" },
    { "some", "computes over each item of a list" },
    { "none", "computes over each item of a list" },
    { "merge", "makes a list" },
    { "missing", "makes a list" },
    { "missing_some", "makes a list" },
    { "preserve", "data written as if it were an operator" },
    { "throw", "throws or catches an error" },
    { "try", "throws or catches an error" },
    { "cat", "joins texts" },
    { "max", "the largest or smallest of values" },
    { "min", "the largest or smallest of values" },
};

static type no_operator(conform_text *to, const char *operator) {
    for (size_t i = 0; i < sizeof lacking / sizeof lacking[0]; i++) {
        if (strcmp(lacking[i][0], operator) == 0) {
            return refuse(to, lacking[i][1]);
        }
    }
    return refuse(to, "an operator that is not JSON Logic's");
}

static type constant(conform_text *to, json_t *from) {
    if (json_is_null(from)) {
        word(to, "null");
        return JSON_LOGIC_NULL;
    }
    conform_constant(to, from);
    return json_is_boolean(from)  ? JSON_LOGIC_TRUTH
           : json_is_number(from) ? JSON_LOGIC_NUMBER
                                  : JSON_LOGIC_TEXT;
}

type json_logic_value(conform_text *to, json_t *from) {
    json_t *arguments = NULL;
    const char *operator= json_logic_operator(from, &arguments);
    if (operator== NULL) {
        return json_is_array(from) ? refuse(to, "a list as a value that is computed")
                                   : constant(to, from);
    }
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (strcmp(operators[i].name, operator) == 0) {
            return operators[i].say(to, arguments, operators[i].how);
        }
    }
    return no_operator(to, operator);
}
