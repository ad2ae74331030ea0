/* parser.c: expressions, by recursive descent; each level of the grammar is a function. */
#include "rules/parser.h"

#include "base/bytes.h"

typedef cairn__rule_parser parser;
typedef cairn__rule_node node;

/* --- tokens, nodes, faults ------------------------------------------------------------------- */

void cairn__rule_advance(parser *p) {
    p->before = p->now.raw;
    cairn_status status = cairn__rule_next(&p->lexer, &p->now);
    if (status != CAIRN_OK) {
        p->status = p->status == CAIRN_OK ? status : p->status;
        p->now.kind = CAIRN__RULE_TOKEN_END; /* so that nothing goes on */
    }
}

cairn__rule_token cairn__rule_peek(const parser *p) {
    cairn__rule_fault ignored;
    cairn__rule_lexer copy = p->lexer;
    cairn__rule_token next;
    copy.fault = &ignored; /* it will be said when the token is read */
    if (cairn__rule_next(&copy, &next) != CAIRN_OK) {
        next.kind = CAIRN__RULE_TOKEN_END;
    }
    return next;
}

bool cairn__rule_at_word(const parser *p, const char *word) {
    return p->now.kind == CAIRN__RULE_TOKEN_NAME && cairn__rule_word_is(p->now.text, word);
}

static bool is_sign(const cairn__rule_token *token, const char *sign) {
    return token->kind == CAIRN__RULE_TOKEN_SIGN &&
           cairn__span_equal(token->raw, cairn__span_of(sign));
}

bool cairn__rule_at_sign(const parser *p, const char *sign) {
    return is_sign(&p->now, sign);
}

bool cairn__rule_take_word(parser *p, const char *word) {
    if (!cairn__rule_at_word(p, word)) {
        return false;
    }
    cairn__rule_advance(p);
    return true;
}

bool cairn__rule_take_sign(parser *p, const char *sign) {
    if (!cairn__rule_at_sign(p, sign)) {
        return false;
    }
    cairn__rule_advance(p);
    return true;
}

void *cairn__rule_expected(parser *p, const char *what, cairn__rule_words words) {
    cairn__rule_fault *fault = p->lexer.fault;
    if (p->status != CAIRN_OK) {
        return NULL;
    }
    p->status = CAIRN_INVALID;
    cairn__rule_fault_begin(fault, p->lexer.text, p->now.at);
    cairn__rule_fault_add(fault, "expected ");
    cairn__rule_fault_add(fault, what);
    if (p->before.len > 0) {
        cairn__rule_fault_add(fault, " after ");
        cairn__rule_fault_quote(fault, p->before);
    }
    if (p->now.kind == CAIRN__RULE_TOKEN_END) {
        cairn__rule_fault_add(fault, ", but the rule ends here");
        return NULL;
    }
    cairn__rule_fault_add(fault, ", found ");
    cairn__rule_fault_quote(fault, p->now.raw);
    if (p->now.kind == CAIRN__RULE_TOKEN_NAME) {
        cairn__rule_fault_suggest(fault, p->now.text, words.words, words.count);
    }
    return NULL;
}

void *cairn__rule_refuse(parser *p, uint32_t at, const char *sentence) {
    if (p->status == CAIRN_OK) {
        p->status = CAIRN_INVALID;
        cairn__rule_fault_begin(p->lexer.fault, p->lexer.text, at);
        cairn__rule_fault_add(p->lexer.fault, sentence);
    }
    return NULL;
}

void *cairn__rule_refuse_word(parser *p, uint32_t at, const char *sentence, cairn_span word) {
    if (p->status == CAIRN_OK) {
        (void)cairn__rule_refuse(p, at, sentence);
        cairn__rule_fault_quote(p->lexer.fault, word);
    }
    return NULL;
}

bool cairn__rule_want_sign(parser *p, const char *sign) {
    char quoted[8] = "\"";
    size_t length = 1;
    for (const char *at = sign; *at != '\0' && length < sizeof quoted - 2; at++) {
        quoted[length++] = *at;
    }
    quoted[length] = '"';
    if (!cairn__rule_take_sign(p, sign)) {
        (void)cairn__rule_expected(p, quoted, (cairn__rule_words){ NULL, 0 });
        return false;
    }
    return p->status == CAIRN_OK;
}

node *cairn__rule_new_node(parser *p, cairn__rule_node_kind kind, uint32_t at) {
    node *made =
        p->status == CAIRN_OK ? cairn__arena_alloc_zero(p->lexer.arena, 1, sizeof *made) : NULL;
    if (made == NULL) {
        p->status = p->status == CAIRN_OK ? CAIRN_NO_MEMORY : p->status;
        return NULL;
    }
    made->kind = kind;
    made->at = at;
    return made;
}

void cairn__rule_add_child(node *parent, node *child) {
    if (parent->last == NULL) {
        parent->first = child;
    } else {
        parent->last->next = child;
    }
    parent->last = child;
    parent->child_count += 1;
}

bool cairn__rule_deeper(parser *p) {
    if (p->depth == CAIRN__RULE_DEPTH_MAX) {
        (void)cairn__rule_refuse(p, p->now.at, "brackets within brackets: at most 64 deep");
        return false;
    }
    p->depth += 1;
    return p->status == CAIRN_OK;
}

/* Its text is from `begin` to what was read last. The first to say so is right: the brackets around
 * a node belong to what they stand in. */
static node *mark(const parser *p, node *made, uint32_t begin) {
    if (made != NULL && made->end == 0) {
        made->begin = begin;
        made->end = (uint32_t)(p->before.data + p->before.len - p->lexer.text.data);
    }
    return made;
}

/* --- arithmetic ------------------------------------------------------------------------------ */

static node *parse_unary(parser *p) {
    uint32_t at = p->now.at;
    if (!cairn__rule_take_sign(p, "-")) {
        return mark(p, cairn__rule_parse_primary(p), at);
    }
    if (!cairn__rule_deeper(p)) {
        return NULL;
    }
    node *inner = parse_unary(p);
    p->depth -= 1;
    if (inner == NULL) {
        return NULL;
    }
    bool fold =
        inner->kind == CAIRN__RULE_NODE_CONSTANT &&
        (inner->constant.kind == CAIRN_VALUE_INTEGER || inner->constant.kind == CAIRN_VALUE_NUMBER);
    if (fold) {
        inner->constant = cairn__rule_negate(&inner->constant);
        inner->at = at;
        inner->end = 0;
        return mark(p, inner, at);
    }
    node *made = cairn__rule_new_node(p, CAIRN__RULE_NODE_NEGATE, at);
    if (made != NULL) {
        cairn__rule_add_child(made, inner);
    }
    return mark(p, made, at);
}

typedef struct joiner {
    const char *sign;
    cairn__rule_arithmetic join;
} joiner;

static const joiner sums[] = { { "+", CAIRN__RULE_ADD },
                               { "-", CAIRN__RULE_SUBTRACT },
                               { NULL, CAIRN__RULE_ARITHMETIC_COUNT } };
static const joiner terms[] = { { "*", CAIRN__RULE_MULTIPLY },
                                { "/", CAIRN__RULE_DIVIDE },
                                { "%", CAIRN__RULE_REMAINDER },
                                { NULL, CAIRN__RULE_ARITHMETIC_COUNT } };

static const joiner *take_joiner(parser *p, const joiner *joiners) {
    while (joiners->sign != NULL && !cairn__rule_take_sign(p, joiners->sign)) {
        joiners += 1;
    }
    return joiners->sign == NULL ? NULL : joiners;
}

/* first { joiner next }: one node for the whole chain. */
static node *parse_chain(parser *p, const joiner *joiners, node *(*parse)(parser *)) {
    uint32_t begin = p->now.at;
    node *first = parse(p);
    uint32_t at = p->now.at;
    const joiner *joint = first == NULL ? NULL : take_joiner(p, joiners);
    if (joint == NULL) {
        return p->status == CAIRN_OK ? first : NULL;
    }
    node *chain = cairn__rule_new_node(p, CAIRN__RULE_NODE_CHAIN, at);
    if (chain == NULL) {
        return NULL;
    }
    cairn__rule_add_child(chain, first);
    for (; joint != NULL; joint = take_joiner(p, joiners)) {
        node *next = parse(p);
        if (next == NULL) {
            return NULL;
        }
        next->join = (uint8_t)joint->join;
        cairn__rule_add_child(chain, next);
    }
    return p->status == CAIRN_OK ? mark(p, chain, begin) : NULL;
}

static node *parse_term(parser *p) {
    return parse_chain(p, terms, parse_unary);
}

static node *parse_sum(parser *p) {
    return parse_chain(p, sums, parse_term);
}

/* --- tests ----------------------------------------------------------------------------------- */

/* A node over one child, and a second that is parsed now. */
static node *with_sum(parser *p, node *made, node *left) {
    node *right = made == NULL ? NULL : parse_sum(p);
    if (right == NULL) {
        return NULL;
    }
    cairn__rule_add_child(made, left);
    cairn__rule_add_child(made, right);
    return made;
}

static node *parse_list(parser *p) {
    node *list = cairn__rule_new_node(p, CAIRN__RULE_NODE_LIST, p->now.at);
    cairn__rule_advance(p);
    if (list == NULL || cairn__rule_take_sign(p, "]")) {
        return list;
    }
    do {
        if (list->child_count == CAIRN__RULE_LIST_ITEMS_MAX) {
            return cairn__rule_refuse(p, p->now.at, "a list has at most 10,000 items");
        }
        node *item = cairn__rule_parse_literal(p);
        if (item == NULL) {
            return NULL;
        }
        cairn__rule_add_child(list, item);
    } while (cairn__rule_take_sign(p, ","));
    return cairn__rule_want_sign(p, "]") ? list : NULL;
}

static node *parse_in(parser *p, node *left, bool negated) {
    node *made = cairn__rule_new_node(p, CAIRN__RULE_NODE_IN, p->now.at);
    cairn__rule_advance(p);
    if (made == NULL) {
        return NULL;
    }
    made->negated = negated;
    node *list = cairn__rule_at_sign(p, "[") ? parse_list(p) : parse_sum(p);
    if (list == NULL) {
        return NULL;
    }
    cairn__rule_add_child(made, left);
    cairn__rule_add_child(made, list);
    return made;
}

static node *parse_between(parser *p, node *left) {
    node *made = cairn__rule_new_node(p, CAIRN__RULE_NODE_BETWEEN, p->now.at);
    cairn__rule_advance(p);
    made = with_sum(p, made, left);
    if (made == NULL) {
        return NULL;
    }
    if (!cairn__rule_take_word(p, "and")) {
        return cairn__rule_expected(p, "\"and\" and the upper end of \"between\"",
                                    (cairn__rule_words){ NULL, 0 });
    }
    node *high = parse_sum(p);
    if (high == NULL) {
        return NULL;
    }
    cairn__rule_add_child(made, high);
    return made;
}

static node *parse_text_test(parser *p, node *left, cairn__rule_text_test how) {
    static const char *const with[] = { "with" };
    node *made = cairn__rule_new_node(p, CAIRN__RULE_NODE_TEXT, p->now.at);
    cairn__rule_advance(p);
    if (made == NULL) {
        return NULL;
    }
    made->op = (uint8_t)how;
    if (how != CAIRN__RULE_CONTAINS && !cairn__rule_take_word(p, "with")) {
        return cairn__rule_expected(p, "\"with\"", (cairn__rule_words){ with, 1 });
    }
    return with_sum(p, made, left);
}

static node *parse_matches(parser *p, node *left) {
    node *made = cairn__rule_new_node(p, CAIRN__RULE_NODE_MATCHES, p->now.at);
    cairn__rule_advance(p);
    if (made == NULL) {
        return NULL;
    }
    if (p->now.kind != CAIRN__RULE_TOKEN_STRING) {
        return cairn__rule_expected(p, "a pattern in double quotes",
                                    (cairn__rule_words){ NULL, 0 });
    }
    made->at = p->now.at;
    made->constant.as.string = p->now.text;
    cairn__rule_advance(p);
    cairn__rule_add_child(made, left);
    return made;
}

/* is set | is not set | is today [every year] */
static node *parse_is(parser *p, node *left) {
    static const char *const words[] = { "set", "not", "today" };
    node *made = cairn__rule_new_node(p, CAIRN__RULE_NODE_IS_SET, p->now.at);
    cairn__rule_advance(p);
    if (made == NULL) {
        return NULL;
    }
    cairn__rule_add_child(made, left);
    made->negated = cairn__rule_take_word(p, "not");
    if (cairn__rule_take_word(p, "set")) {
        return made;
    }
    if (made->negated || !cairn__rule_take_word(p, "today")) {
        return cairn__rule_expected(p,
                                    made->negated ? "\"set\"" : "\"set\", \"not set\" or \"today\"",
                                    (cairn__rule_words){ words, 3 });
    }
    made->kind = CAIRN__RULE_NODE_IS_TODAY;
    if (cairn__rule_take_word(p, "every")) {
        made->op = 1;
        if (!cairn__rule_take_word(p, "year")) {
            return cairn__rule_expected(p, "\"year\"", (cairn__rule_words){ NULL, 0 });
        }
    }
    return made;
}

static node *parse_compare(parser *p, node *left, cairn__rule_compare how) {
    node *made = cairn__rule_new_node(p, CAIRN__RULE_NODE_COMPARE, p->now.at);
    cairn__rule_advance(p);
    if (made != NULL) {
        made->op = (uint8_t)how;
    }
    return with_sum(p, made, left);
}

static cairn__rule_compare comparison_at(const parser *p) {
    static const char *const signs[] = { "=", "!=", "<", "<=", ">", ">=" };
    unsigned how = 0;
    while (how < CAIRN__RULE_COMPARE_COUNT && !cairn__rule_at_sign(p, signs[how])) {
        how += 1;
    }
    return (cairn__rule_compare)how;
}

static node *parse_not_in(parser *p, node *left) {
    uint32_t at = p->now.at;
    cairn__rule_advance(p);
    if (!cairn__rule_at_word(p, "in")) {
        return cairn__rule_refuse(p, at,
                                  "after a value only \"not in\" begins with not; other tests "
                                  "are negated as a whole: not (...)");
    }
    return parse_in(p, left, true);
}

/* What follows a value and makes a test of it; the value itself when nothing does. */
static node *parse_test_of(parser *p, node *left) {
    cairn__rule_compare how = comparison_at(p);
    if (how != CAIRN__RULE_COMPARE_COUNT) {
        return parse_compare(p, left, how);
    }
    if (cairn__rule_at_word(p, "in")) {
        return parse_in(p, left, false);
    }
    if (cairn__rule_at_word(p, "not")) {
        return parse_not_in(p, left);
    }
    if (cairn__rule_at_word(p, "between")) {
        return parse_between(p, left);
    }
    if (cairn__rule_at_word(p, "contains")) {
        return parse_text_test(p, left, CAIRN__RULE_CONTAINS);
    }
    if (cairn__rule_at_word(p, "starts")) {
        return parse_text_test(p, left, CAIRN__RULE_STARTS_WITH);
    }
    if (cairn__rule_at_word(p, "ends")) {
        return parse_text_test(p, left, CAIRN__RULE_ENDS_WITH);
    }
    if (cairn__rule_at_word(p, "matches")) {
        return parse_matches(p, left);
    }
    return cairn__rule_at_word(p, "is") ? parse_is(p, left) : left;
}

static node *parse_test(parser *p) {
    uint32_t begin = p->now.at;
    node *left = parse_sum(p);
    return left == NULL ? NULL : mark(p, parse_test_of(p, left), begin);
}

/* --- logic ----------------------------------------------------------------------------------- */

static node *parse_not(parser *p) {
    uint32_t at = p->now.at;
    if (!cairn__rule_take_word(p, "not")) {
        return parse_test(p);
    }
    if (!cairn__rule_deeper(p)) {
        return NULL;
    }
    node *inner = parse_not(p);
    p->depth -= 1;
    node *made = inner == NULL ? NULL : cairn__rule_new_node(p, CAIRN__RULE_NODE_NOT, at);
    if (made != NULL) {
        cairn__rule_add_child(made, inner);
    }
    return mark(p, made, at);
}

/* first { word next } */
static node *parse_logic(parser *p, cairn__rule_node_kind kind, node *(*parse)(parser *)) {
    const char *word = kind == CAIRN__RULE_NODE_AND ? "and" : "or";
    uint32_t at = p->now.at;
    node *first = parse(p);
    if (first == NULL || !cairn__rule_at_word(p, word)) {
        return first;
    }
    node *made = cairn__rule_new_node(p, kind, at);
    for (node *next = first; made != NULL; next = parse(p)) {
        if (next == NULL) {
            return NULL;
        }
        cairn__rule_add_child(made, next);
        if (!cairn__rule_take_word(p, word)) {
            break;
        }
    }
    return mark(p, made, at);
}

static node *parse_and(parser *p) {
    return parse_logic(p, CAIRN__RULE_NODE_AND, parse_not);
}

node *cairn__rule_parse_expression(parser *p) {
    if (!cairn__rule_deeper(p)) {
        return NULL;
    }
    node *made = parse_logic(p, CAIRN__RULE_NODE_OR, parse_and);
    p->depth -= 1;
    return p->status == CAIRN_OK ? made : NULL;
}

static void expect_end(parser *p) {
    static const char *const words[] = { "and",     "or",       "not",     "in",
                                         "between", "contains", "starts",  "ends",
                                         "matches", "is",       "seconds", "minutes",
                                         "hours",   "days",     "weeks",   "months" };
    if (p->now.kind != CAIRN__RULE_TOKEN_END) {
        (void)cairn__rule_expected(p, "\"and\", \"or\" or a test",
                                   (cairn__rule_words){ words, sizeof words / sizeof words[0] });
    }
}

cairn_status cairn__rule_parse(const cairn__rule_source *source, node **tree_out) {
    parser p = { .lexer = { source->text, 0, source->arena, source->fault },
                 .spaces = source->spaces,
                 .bare = source->bare };
    *tree_out = NULL;
    cairn__rule_advance(&p);
    p.before = (cairn_span){ NULL, 0 };
    if (p.status == CAIRN_OK && p.now.kind == CAIRN__RULE_TOKEN_END) {
        (void)cairn__rule_refuse(&p, 0, "the rule is empty; write a condition, user.age >= 18");
    }
    node *tree = p.status == CAIRN_OK ? cairn__rule_parse_expression(&p) : NULL;
    if (tree != NULL) {
        expect_end(&p);
    }
    *tree_out = p.status == CAIRN_OK ? tree : NULL;
    return p.status;
}
