/* check.c: types that can be known without values. A property may be anything, so only what can
 * never be right is refused: comparing text with a number, adding to a list, `user.age and ...` is
 * fine. */
#include "rules/ast.h"
#include "rules/fault.h"
#include "rules/functions.h"

typedef cairn__rule_node node;

enum {
    BOOLEAN = CAIRN__RULE_TYPE_BOOLEAN,
    NUMBER = CAIRN__RULE_TYPE_NUMBER,
    TEXT = CAIRN__RULE_TYPE_STRING,
    TIME = CAIRN__RULE_TYPE_TIME,
    DURATION = CAIRN__RULE_TYPE_DURATION,
    LIST = CAIRN__RULE_TYPE_LIST,
    NOTHING = CAIRN__RULE_TYPE_NULL,
    ANY = CAIRN__RULE_TYPE_ANY,
    ORDERED = NUMBER | TEXT | TIME | DURATION
};

typedef struct checker {
    const cairn__rule_source *source;
    bool in_where;
} checker;

static unsigned types_of(checker *c, const node *from);

/* --- faults ---------------------------------------------------------------------------------- */

static const char *type_name(unsigned types) {
    switch (types & ~(unsigned)NOTHING) {
    case BOOLEAN:
        return "a condition";
    case NUMBER:
        return "a number";
    case TEXT:
        return "a text";
    case TIME:
        return "a time";
    case DURATION:
        return "a duration";
    case LIST:
        return "a list";
    case NUMBER | DURATION:
        return "a number or a duration";
    case TIME | DURATION:
        return "a time or a duration";
    case TIME | TEXT:
        return "a time or a date as text";
    case TEXT | LIST:
        return "a text or a list";
    case 0:
        return "null";
    default:
        return "a number, a time or a duration";
    }
}

/* begin: the sentence; 0 is the types of a fault. */
static unsigned refuse(const checker *c, const node *at, const char *sentence) {
    cairn__rule_fault_begin(c->source->fault, c->source->text, at->at);
    cairn__rule_fault_add(c->source->fault, sentence);
    return 0;
}

static unsigned refuse_types(const checker *c, const node *at, unsigned wanted, unsigned found) {
    (void)refuse(c, at, "expected ");
    cairn__rule_fault_add(c->source->fault, type_name(wanted));
    cairn__rule_fault_add(c->source->fault, " here, this is ");
    cairn__rule_fault_add(c->source->fault, type_name(found));
    return 0;
}

static unsigned refuse_pair(const checker *c, const node *at, unsigned left, unsigned right) {
    unsigned both = left | right;
    cairn__rule_fault *fault = c->source->fault;
    (void)refuse(c, at, type_name(left));
    cairn__rule_fault_add(fault, " and ");
    cairn__rule_fault_add(fault, type_name(right));
    cairn__rule_fault_add(fault, " do not go together here");
    if ((both & TIME) != 0 && (both & TEXT) != 0) {
        cairn__rule_fault_add(fault, "; write a date without quotes, 2026-11-24");
    } else if ((both & (TIME | DURATION)) != 0 && (both & NUMBER) != 0) {
        cairn__rule_fault_add(fault, "; write how long with its unit, 30 days");
    }
    return 0;
}

/* The types of a child that must have one of `wanted`. */
static unsigned want(checker *c, const node *child, unsigned wanted) {
    unsigned types = types_of(c, child);
    if (types != 0 && (types & wanted) == 0) {
        return refuse_types(c, child, wanted, types);
    }
    return types;
}

/* --- tests ----------------------------------------------------------------------------------- */

static unsigned logic(checker *c, const node *from) {
    for (const node *child = from->first; child != NULL; child = child->next) {
        if (want(c, child, BOOLEAN) == 0) {
            return 0;
        }
    }
    return BOOLEAN;
}

/* May the two ever be comparable? */
static unsigned comparable(const checker *c, const node *at, unsigned left, unsigned right) {
    if (left == NOTHING || right == NOTHING) {
        return refuse(c, at,
                      "comparing with null is never true; write \"is set\" or "
                      "\"is not set\"");
    }
    unsigned common = left & right & ~(unsigned)NOTHING;
    return common == 0 ? refuse_pair(c, at, left, right) : common;
}

static unsigned compare(checker *c, const node *from) {
    unsigned left = types_of(c, from->first);
    unsigned right = left == 0 ? 0 : types_of(c, from->last);
    unsigned common = right == 0 ? 0 : comparable(c, from, left, right);
    if (common == 0) {
        return 0;
    }
    bool ordered = from->op != CAIRN__RULE_EQUAL && from->op != CAIRN__RULE_NOT_EQUAL;
    if (ordered && (common & ORDERED) == 0) {
        return refuse(c, from, "conditions and lists have no order; use = or !=");
    }
    return BOOLEAN;
}

static unsigned between(checker *c, const node *from) {
    unsigned value = types_of(c, from->first);
    for (const node *end = from->first->next; value != 0 && end != NULL; end = end->next) {
        unsigned types = types_of(c, end);
        unsigned common = types == 0 ? 0 : comparable(c, end, value, types);
        if (common == 0) {
            return 0;
        }
        if ((common & ORDERED) == 0) {
            return refuse(c, end, "conditions and lists have no order");
        }
    }
    return value == 0 ? 0 : BOOLEAN;
}

static unsigned in(checker *c, const node *from) {
    unsigned value = types_of(c, from->first);
    if (value == 0) {
        return 0;
    }
    if (from->last->kind != CAIRN__RULE_NODE_LIST) {
        bool text = (value & TEXT) != 0 || refuse_types(c, from->first, TEXT, value) != 0;
        return text && want(c, from->last, LIST) != 0 ? BOOLEAN : 0;
    }
    for (const node *item = from->last->first; item != NULL; item = item->next) {
        unsigned types = types_of(c, item);
        if (types == 0 || comparable(c, item, value, types) == 0) {
            return 0;
        }
    }
    return BOOLEAN;
}

static unsigned text_test(checker *c, const node *from) {
    unsigned left = from->op == CAIRN__RULE_CONTAINS ? TEXT | LIST : TEXT;
    return want(c, from->first, left) != 0 && want(c, from->last, TEXT) != 0 ? BOOLEAN : 0;
}

/* --- values ---------------------------------------------------------------------------------- */

/* The type that two single types give, or 0. */
static unsigned joined(unsigned left, cairn__rule_arithmetic how, unsigned right) {
    enum {
        PLUS = 1 << CAIRN__RULE_ADD,
        MINUS = 1 << CAIRN__RULE_SUBTRACT,
        TIMES = 1 << CAIRN__RULE_MULTIPLY,
        OVER = 1 << CAIRN__RULE_DIVIDE,
        REST = 1 << CAIRN__RULE_REMAINDER
    };
    static const struct {
        unsigned left, how, right, result;
    } table[] = {
        { NUMBER, PLUS | MINUS | TIMES | OVER | REST, NUMBER, NUMBER },
        { TIME, MINUS, TIME, DURATION },
        { TIME, PLUS | MINUS, DURATION, TIME },
        { DURATION, PLUS, TIME, TIME },
        { DURATION, PLUS | MINUS | REST, DURATION, DURATION },
        { DURATION, OVER, DURATION, NUMBER },
        { DURATION, TIMES | OVER, NUMBER, DURATION },
        { NUMBER, TIMES, DURATION, DURATION },
    };
    unsigned result = 0;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        bool here =
            table[i].left == left && table[i].right == right && (table[i].how & (1u << how)) != 0;
        result = here ? table[i].result : result;
    }
    return result;
}

static unsigned join(unsigned left, cairn__rule_arithmetic how, unsigned right) {
    static const unsigned single[] = { NUMBER, TIME, DURATION };
    unsigned result = 0;
    for (int pair = 0; pair < 9; pair++) {
        unsigned a = single[pair / 3];
        unsigned b = single[pair % 3];
        result |= (left & a) != 0 && (right & b) != 0 ? joined(a, how, b) : 0;
    }
    return result;
}

static unsigned chain(checker *c, const node *from) {
    unsigned left = want(c, from->first, NUMBER | TIME | DURATION);
    for (const node *child = from->first->next; left != 0 && child != NULL; child = child->next) {
        unsigned right = want(c, child, NUMBER | TIME | DURATION);
        unsigned result = right == 0 ? 0 : join(left, (cairn__rule_arithmetic)child->join, right);
        if (right != 0 && result == 0) {
            return refuse_pair(c, child, left, right);
        }
        left = result;
    }
    return left;
}

static unsigned call(checker *c, const node *from) {
    const cairn__rule_signature *signature = cairn__rule_signature_of(from->op);
    unsigned types = want(c, from->first, signature->first);
    for (const node *child = from->first->next; types != 0 && child != NULL; child = child->next) {
        unsigned more = want(c, child, signature->rest);
        types = more == 0 ? 0 : types | more;
    }
    if (types == 0) {
        return 0;
    }
    return signature->result != 0 ? signature->result : types & signature->first;
}

static unsigned history_type(cairn__rule_history_kind kind) {
    switch (kind) {
    case CAIRN__RULE_COUNT:
    case CAIRN__RULE_DAYS:
    case CAIRN__RULE_SUM:
    case CAIRN__RULE_AVG:
    case CAIRN__RULE_DISTINCT:
        return NUMBER;
    case CAIRN__RULE_DID:
    case CAIRN__RULE_SEQUENCE:
    case CAIRN__RULE_MEMBER:
    case CAIRN__RULE_ANY_ROW:
    case CAIRN__RULE_ALL_ROWS:
        return BOOLEAN;
    case CAIRN__RULE_MIN:
    case CAIRN__RULE_MAX:
    case CAIRN__RULE_FIRST:
    case CAIRN__RULE_LAST:
    case CAIRN__RULE_HISTORY_KIND_COUNT:
        break;
    }
    return ANY;
}

static unsigned history(checker *c, const node *from) {
    if (c->in_where) {
        return refuse(c, from,
                      "a function over the history cannot stand inside \"where\": there "
                      "is one event, not a history");
    }
    c->in_where = true;
    const cairn__rule_events *events = from->history->events;
    for (; events != NULL; events = events->next) {
        if (events->where != NULL && want(c, events->where, BOOLEAN) == 0) {
            return 0;
        }
    }
    c->in_where = false;
    return history_type(from->history->kind);
}

static unsigned constant(const node *from) {
    switch (from->constant.kind) {
    case CAIRN_VALUE_BOOLEAN:
        return BOOLEAN;
    case CAIRN_VALUE_STRING:
        return TEXT;
    case CAIRN_VALUE_TIME:
        return TIME;
    case CAIRN__RULE_KIND_DURATION:
        return DURATION;
    case CAIRN_VALUE_NULL:
        return NOTHING;
    default:
        return NUMBER;
    }
}

static unsigned test_types(checker *c, const node *from) {
    switch ((int)from->kind) {
    case CAIRN__RULE_NODE_COMPARE:
        return compare(c, from);
    case CAIRN__RULE_NODE_IN:
        return in(c, from);
    case CAIRN__RULE_NODE_BETWEEN:
        return between(c, from);
    case CAIRN__RULE_NODE_TEXT:
        return text_test(c, from);
    case CAIRN__RULE_NODE_MATCHES:
        return want(c, from->first, TEXT) == 0 ? 0 : BOOLEAN;
    case CAIRN__RULE_NODE_IS_SET:
        return types_of(c, from->first) == 0 ? 0 : BOOLEAN;
    case CAIRN__RULE_NODE_IS_TODAY:
        return want(c, from->first, TIME | TEXT) == 0 ? 0 : BOOLEAN;
    default:
        return logic(c, from);
    }
}

/* A set of types, never empty; 0 after a fault. */
static unsigned types_of(checker *c, const node *from) {
    switch ((int)from->kind) {
    case CAIRN__RULE_NODE_CONSTANT:
        return constant(from);
    case CAIRN__RULE_NODE_DATE:
    case CAIRN__RULE_NODE_NOW:
        return TIME;
    case CAIRN__RULE_NODE_PATH:
        return ANY;
    case CAIRN__RULE_NODE_CHAIN:
        return chain(c, from);
    case CAIRN__RULE_NODE_NEGATE: {
        unsigned types = want(c, from->first, NUMBER | DURATION);
        return types & (NUMBER | DURATION);
    }
    case CAIRN__RULE_NODE_CALL:
        return call(c, from);
    case CAIRN__RULE_NODE_HISTORY:
        return history(c, from);
    default:
        return test_types(c, from);
    }
}

cairn_status cairn__rule_check_types(const cairn__rule_source *source, const node *tree) {
    checker c = { .source = source };
    return want(&c, tree, BOOLEAN) == 0 ? CAIRN_INVALID : CAIRN_OK;
}

const node *cairn__rule_find_history(const node *tree) {
    if (tree->kind == CAIRN__RULE_NODE_HISTORY) {
        return tree;
    }
    for (const node *child = tree->first; child != NULL; child = child->next) {
        const node *found = cairn__rule_find_history(child);
        if (found != NULL) {
            return found;
        }
    }
    return NULL;
}
