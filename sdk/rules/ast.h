/* ast.h: a rule as a tree: what the parser makes and the checker and the compiler walk. Chains of
 * equal operators (`a and b and c`, `a - b + c`) are one node with many children, so that the depth
 * of the tree is the depth of the brackets. Everything lies in the arena of the compilation. */
#ifndef CAIRN_RULES_AST_H
#define CAIRN_RULES_AST_H

#include "rules/value.h"

enum {
    CAIRN__RULE_TEXT_BYTES_MAX = 64 * 1024,
    CAIRN__RULE_DEPTH_MAX = 64,
    CAIRN__RULE_LIST_ITEMS_MAX = 10000,
    CAIRN__RULE_SEQUENCE_STEPS_MAX = 32,
    CAIRN__RULE_EVENTS_MAX = 64 /* names in one (a or b or ...) */
};

/** A relation's own columns, in `any(holdings where code = ...)`; beside cairn__rule_space. */
enum { CAIRN__RULE_ROW = 1 << 6 };

typedef enum cairn__rule_node_kind {
    CAIRN__RULE_NODE_CONSTANT,
    CAIRN__RULE_NODE_DATE, /* constant.as.integer: the day; a time once the zone is known */
    CAIRN__RULE_NODE_NOW,
    CAIRN__RULE_NODE_PATH,
    CAIRN__RULE_NODE_AND,
    CAIRN__RULE_NODE_OR,
    CAIRN__RULE_NODE_NOT,
    CAIRN__RULE_NODE_COMPARE,  /* op: cairn__rule_compare */
    CAIRN__RULE_NODE_IN,       /* second child: a list, or a value that may be one */
    CAIRN__RULE_NODE_LIST,     /* children: constants */
    CAIRN__RULE_NODE_BETWEEN,  /* three children */
    CAIRN__RULE_NODE_TEXT,     /* op: cairn__rule_text_test */
    CAIRN__RULE_NODE_MATCHES,  /* constant: the pattern's text */
    CAIRN__RULE_NODE_IS_SET,   /* negated: is not set */
    CAIRN__RULE_NODE_IS_TODAY, /* op 1: every year */
    CAIRN__RULE_NODE_CHAIN,    /* + - * / %: join of each child but the first */
    CAIRN__RULE_NODE_NEGATE,
    CAIRN__RULE_NODE_CALL,    /* op: cairn__rule_function */
    CAIRN__RULE_NODE_HISTORY, /* count(...) and its kin */
    CAIRN__RULE_NODE_KIND_COUNT
} cairn__rule_node_kind;

/** Types an expression may have, as a set. */
enum {
    CAIRN__RULE_TYPE_BOOLEAN = 1 << 0,
    CAIRN__RULE_TYPE_NUMBER = 1 << 1,
    CAIRN__RULE_TYPE_STRING = 1 << 2,
    CAIRN__RULE_TYPE_TIME = 1 << 3,
    CAIRN__RULE_TYPE_DURATION = 1 << 4,
    CAIRN__RULE_TYPE_LIST = 1 << 5,
    CAIRN__RULE_TYPE_NULL = 1 << 6,
    CAIRN__RULE_TYPE_ANY = (1 << 7) - 1
};

typedef enum cairn__rule_history_kind {
    CAIRN__RULE_COUNT,
    CAIRN__RULE_DID,
    CAIRN__RULE_DAYS,
    CAIRN__RULE_SUM,
    CAIRN__RULE_MIN,
    CAIRN__RULE_MAX,
    CAIRN__RULE_AVG,
    CAIRN__RULE_DISTINCT,
    CAIRN__RULE_FIRST,
    CAIRN__RULE_LAST,
    CAIRN__RULE_SEQUENCE,
    CAIRN__RULE_MEMBER,
    CAIRN__RULE_ANY_ROW,
    CAIRN__RULE_ALL_ROWS,
    CAIRN__RULE_HISTORY_KIND_COUNT
} cairn__rule_history_kind;

typedef enum cairn__rule_window_kind {
    CAIRN__RULE_WINDOW_EVER,
    CAIRN__RULE_WINDOW_LAST, /* ms: rolling */
    CAIRN__RULE_WINDOW_TODAY,
    CAIRN__RULE_WINDOW_YESTERDAY,
    CAIRN__RULE_WINDOW_THIS_WEEK,
    CAIRN__RULE_WINDOW_THIS_MONTH,
    CAIRN__RULE_WINDOW_SINCE, /* from: a day */
    CAIRN__RULE_WINDOW_DATES  /* from, to: days, both included */
} cairn__rule_window_kind;

typedef struct cairn__rule_window {
    cairn__rule_window_kind kind;
    int64_t ms;
    int64_t from_day, to_day;
    bool user_time; /* calendar days in the user's zone */
} cairn__rule_window;

struct cairn__rule_node;

/** An event, or one of several, with a condition. */
typedef struct cairn__rule_events {
    cairn_span *names;
    uint32_t count;
    bool any;                       /* any event */
    bool negated;                   /* a step that must not happen */
    struct cairn__rule_node *where; /* NULL: none */
    struct cairn__rule_events *next;
} cairn__rule_events;

typedef struct cairn__rule_history {
    cairn__rule_history_kind kind;
    cairn__rule_events *events; /* one; of a sequence its steps; of a relation its where */
    cairn_span name;            /* E.prop, the audience, the relation */
    cairn__rule_window window;
    int64_t within_ms;
} cairn__rule_history;

typedef struct cairn__rule_node {
    cairn__rule_node_kind kind;
    uint8_t op;
    uint8_t join; /* cairn__rule_arithmetic, as a child of a chain */
    bool negated;
    uint32_t at;         /* in the text, for faults */
    uint32_t begin, end; /* its text, without the brackets around it; of all but items of lists */
    uint32_t code;       /* the instruction that gives its value, + 1; 0: it is part of another */
    uint32_t child_count;
    cairn__rule_value constant;
    cairn__rule_slot path;
    cairn__rule_history *history;
    struct cairn__rule_node *first, *last, *next;
} cairn__rule_node;

/** Parse. @retval CAIRN_INVALID: the fault says what was expected. */
cairn_status cairn__rule_parse(const cairn__rule_source *source, cairn__rule_node **tree_out);

/** What can be known of types without values. @retval CAIRN_INVALID: the fault says which. */
cairn_status cairn__rule_check_types(const cairn__rule_source *source,
                                     const cairn__rule_node *tree);

/** The first history function in the tree; NULL: there is none. */
const cairn__rule_node *cairn__rule_find_history(const cairn__rule_node *tree);

#endif
