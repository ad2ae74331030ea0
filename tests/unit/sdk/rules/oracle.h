/* oracle.h: the rule language once more, written as plainly as possible: a tree is printed as text
 * and evaluated by walking it, with 128-bit integers, long doubles and strings that are copied. It
 * shares nothing with sdk/rules but the meaning. */
#ifndef CAIRN_TESTS_RULES_ORACLE_H
#define CAIRN_TESTS_RULES_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ORACLE_TEXT_BYTES = 32,
    ORACLE_LIST_ITEMS = 4,
    ORACLE_CHILDREN = 4,
    ORACLE_SLOTS = 10,
    ORACLE_NODES = 4000,
    ORACLE_RULE_BYTES = 60000
};

typedef enum oracle_kind {
    ORACLE_UNKNOWN,
    ORACLE_NULL,
    ORACLE_TRUTH,
    ORACLE_WHOLE,
    ORACLE_DOUBLE,
    ORACLE_TEXT,
    ORACLE_TIME,
    ORACLE_DURATION,
    ORACLE_LIST
} oracle_kind;

typedef struct oracle_value {
    oracle_kind kind;
    bool truth;
    int64_t whole; /* or ms */
    double number;
    char text[ORACLE_TEXT_BYTES];
    int items;
    char list[ORACLE_LIST_ITEMS][8];
} oracle_value;

typedef enum oracle_op {
    ORACLE_CONSTANT, /* printed as `literal` */
    ORACLE_SLOT,
    ORACLE_NOW,
    ORACLE_AND,
    ORACLE_OR,
    ORACLE_NOT,
    ORACLE_COMPARE, /* which: = != < <= > >= */
    ORACLE_IN,      /* which 1: not in; list: constants */
    ORACLE_IN_LIST, /* the second child is a list's slot */
    ORACLE_BETWEEN,
    ORACLE_PART, /* which: contains, starts with, ends with */
    ORACLE_IS_SET,
    ORACLE_IS_TODAY,
    ORACLE_ARITHMETIC, /* which: + - * / % */
    ORACLE_NEGATE,
    ORACLE_CALL /* which: index of oracle_functions */
} oracle_op;

typedef struct oracle_node {
    oracle_op op;
    int which;
    int slot;
    oracle_value constant;
    char literal[48];
    int count;
    struct oracle_node *child[ORACLE_CHILDREN];
} oracle_node;

/** Write the rule as text, with no more brackets than needed; returns the length. */
size_t oracle_print(const oracle_node *from, char *to);

/** Walk the tree. */
oracle_value oracle_evaluate(const oracle_node *from, const oracle_value *slots, int64_t now_ms);

extern const char *const oracle_functions[];
enum { ORACLE_FUNCTIONS = 18, ORACLE_VERSION_COMPARE = 16, ORACLE_IN_NETWORK = 17 };

/** version_compare and in_network of two values that are neither null nor unknown
 * (oracle_functions.c). */
oracle_value oracle_two_texts(int which, const oracle_value *a, const oracle_value *b);

#endif
