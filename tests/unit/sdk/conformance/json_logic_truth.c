/* json_logic_truth.c: an expression as a condition, and as equal to a constant. Choices are said as
 * conditions: `if c then a else b` equals r when c and a equals r, or not c and b equals r. */
#include <stdio.h>
#include <string.h>

#include "json_logic.h"

/* What is asked of the branch of a choice: its truth, or that it equals a constant. */
typedef struct question {
    json_t *result; /* NULL: its truth */
    bool decimal;
} question;

static void ask(conform_text *to, json_t *from, const question *q);

static void word(conform_text *to, const char *text) {
    conform_say(to, "%s", text);
}

/* A choice from argument `at` on: condition, value, condition, value, ..., otherwise. */
static void choose(conform_text *to, json_t *arguments, size_t at, const question *q) {
    size_t left = json_logic_count(arguments) - at;
    json_t *null = json_null();
    if (left < 2) {
        ask(to, left == 0 ? null : json_logic_argument(arguments, at), q);
        return;
    }
    word(to, "(");
    json_logic_truth(to, json_logic_argument(arguments, at));
    word(to, " and ");
    ask(to, json_logic_argument(arguments, at + 1), q);
    word(to, " or not ");
    json_logic_truth(to, json_logic_argument(arguments, at));
    word(to, " and ");
    choose(to, arguments, at + 2, q);
    word(to, ")");
}

/* `or` is its first true operand, `and` its first that is not; else the last. */
static void several(conform_text *to, json_t *arguments, size_t at, bool all, const question *q) {
    json_t *first = json_logic_argument(arguments, at);
    if (at + 1 >= json_logic_count(arguments)) {
        ask(to, first, q);
        return;
    }
    word(to, all ? "(not " : "(");
    json_logic_truth(to, first);
    word(to, " and ");
    ask(to, first, q);
    word(to, all ? " or " : " or not ");
    json_logic_truth(to, first);
    word(to, " and ");
    several(to, arguments, at + 1, all, q);
    word(to, ")");
}

static void value_is_true(conform_text *to, json_t *from) {
    conform_text value = { .len = 0 };
    switch (json_logic_value(&value, from)) {
    case JSON_LOGIC_TRUTH:
        conform_say(to, "(%s)", value.text);
        break;
    case JSON_LOGIC_NUMBER:
        conform_say(to, "(%s != 0)", value.text);
        break;
    case JSON_LOGIC_TEXT:
        conform_say(to, "(length(%s) > 0)", value.text);
        break;
    case JSON_LOGIC_NULL:
        conform_say(to, "(%s is set)", value.text);
        break;
    case JSON_LOGIC_ANY: /* true, a number but 0, a text or a list but an empty one */
        conform_say(to, "(%s = true or 0 * %s = 0 and %s != 0 or length(%s) > 0)", value.text,
                    value.text, value.text, value.text);
        break;
    }
    if (value.why != NULL) {
        conform_cannot(to, value.why);
    }
}

static void value_equals(conform_text *to, json_t *from, const question *q) {
    if (json_is_null(q->result)) {
        word(to, "(");
        (void)json_logic_value(to, from);
        word(to, " is not set)");
    } else if (json_is_array(q->result) || json_is_object(q->result)) {
        conform_cannot(to, "a list or an object as a result");
    } else {
        word(to, q->decimal ? "(abs(" : "(");
        if (json_is_object(from) || json_is_array(from)) {
            (void)json_logic_value(to, from);
        } else {
            json_logic_as_fact(to, from);
        }
        word(to, q->decimal ? " - " : " = ");
        conform_constant(to, q->result);
        word(to, q->decimal ? ") < 0.000001)" : ")");
    }
}

static void ask(conform_text *to, json_t *from, const question *q) {
    json_t *arguments = NULL;
    const char *name = json_logic_operator(from, &arguments);
    bool operands = name != NULL && json_is_array(arguments) && json_array_size(arguments) > 0;
    if (operands && (strcmp(name, "if") == 0 || strcmp(name, "?:") == 0)) {
        choose(to, arguments, 0, q);
    } else if (operands && (strcmp(name, "and") == 0 || strcmp(name, "or") == 0)) {
        several(to, arguments, 0, *name == 'a', q);
    } else if (q->result == NULL) {
        value_is_true(to, from);
    } else {
        value_equals(to, from, q);
    }
}

void json_logic_truth(conform_text *to, json_t *from) {
    ask(to, from, &(question){ NULL, false });
}

void json_logic_equals(conform_text *to, json_t *from, json_t *result, bool decimal) {
    ask(to, from, &(question){ result, decimal });
}
