/* parser_values.c: constants, names of facts, brackets and calls. */
#include "base/bytes.h"
#include "model/limits.h"
#include "rules/functions.h"
#include "rules/parser.h"

typedef cairn__rule_parser parser;
typedef cairn__rule_node node;

static const cairn__rule_words no_words = { NULL, 0 };

/* --- durations ------------------------------------------------------------------------------- */

static const struct {
    const char *one, *many;
    int64_t ms;
} units[] = {
    { "second", "seconds", 1000 },
    { "minute", "minutes", 60000 },
    { "hour", "hours", 3600000 },
    { "day", "days", 86400000 },
    { "week", "weeks", INT64_C(7) * 86400000 },
    { "month", "months", INT64_C(30) * 86400000 },
};

int64_t cairn__rule_unit_ms(const cairn__rule_token *token) {
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (token->kind == CAIRN__RULE_TOKEN_NAME &&
            (cairn__rule_word_is(token->text, units[i].one) ||
             cairn__rule_word_is(token->text, units[i].many))) {
            return units[i].ms;
        }
    }
    return 0;
}

bool cairn__rule_take_duration(parser *p, int64_t *ms_out) {
    static const char *const names[] = { "seconds", "minutes", "hours", "days", "weeks", "months",
                                         "second",  "minute",  "hour",  "day",  "week",  "month" };
    uint32_t at = p->now.at;
    int64_t count = p->now.integer;
    if (p->now.kind != CAIRN__RULE_TOKEN_INTEGER) {
        (void)cairn__rule_expected(p, "a whole number and a unit (7 days)", no_words);
        return false;
    }
    cairn__rule_advance(p);
    int64_t unit_ms = cairn__rule_unit_ms(&p->now);
    if (unit_ms == 0) {
        (void)cairn__rule_expected(p, "a unit (seconds, minutes, hours, days, weeks, months)",
                                   (cairn__rule_words){ names, sizeof names / sizeof names[0] });
        return false;
    }
    if (count > INT64_MAX / unit_ms) {
        (void)cairn__rule_refuse(p, at, "no time is that long");
        return false;
    }
    cairn__rule_advance(p);
    *ms_out = count * unit_ms;
    return p->status == CAIRN_OK;
}

/* --- constants ------------------------------------------------------------------------------- */

static node *constant(parser *p, cairn__rule_value value) {
    node *made = cairn__rule_new_node(p, CAIRN__RULE_NODE_CONSTANT, p->now.at);
    if (made != NULL) {
        made->constant = value;
    }
    return made;
}

static node *day(parser *p) {
    node *made = constant(p, cairn__rule_integer(CAIRN_VALUE_TIME, p->now.integer));
    if (made != NULL) {
        made->kind = CAIRN__RULE_NODE_DATE;
    }
    return made;
}

/* The constant that the token is, or NULL; the token is not taken. */
static node *constant_at(parser *p) {
    switch (p->now.kind) {
    case CAIRN__RULE_TOKEN_INTEGER:
        return constant(p, cairn__rule_integer(CAIRN_VALUE_INTEGER, p->now.integer));
    case CAIRN__RULE_TOKEN_NUMBER:
        return constant(p, cairn__rule_number(p->now.number));
    case CAIRN__RULE_TOKEN_INSTANT:
        return constant(p, cairn__rule_integer(CAIRN_VALUE_TIME, p->now.integer));
    case CAIRN__RULE_TOKEN_STRING:
        return constant(
            p, (cairn__rule_value){ .kind = CAIRN_VALUE_STRING, .as.string = p->now.text });
    case CAIRN__RULE_TOKEN_DATE:
        return day(p);
    case CAIRN__RULE_TOKEN_END:
    case CAIRN__RULE_TOKEN_NAME:
    case CAIRN__RULE_TOKEN_QUOTED:
    case CAIRN__RULE_TOKEN_SIGN:
        break;
    }
    if (cairn__rule_at_word(p, "true") || cairn__rule_at_word(p, "false")) {
        return constant(p, cairn__rule_boolean(cairn__rule_at_word(p, "true")));
    }
    if (cairn__rule_at_word(p, "null")) {
        return constant(p, cairn__rule_null());
    }
    return NULL;
}

node *cairn__rule_parse_literal(parser *p) {
    uint32_t at = p->now.at;
    bool minus = cairn__rule_take_sign(p, "-");
    node *made = constant_at(p);
    bool number = made != NULL && (made->constant.kind == CAIRN_VALUE_INTEGER ||
                                   made->constant.kind == CAIRN_VALUE_NUMBER);
    if (made == NULL || (minus && !number)) {
        return cairn__rule_expected(p, "a number, a string, true or false", no_words);
    }
    if (made->kind == CAIRN__RULE_NODE_DATE) {
        return cairn__rule_refuse(p, at,
                                  "a day in a list would mean its midnight only; write "
                                  "between 2026-11-24 and 2026-11-25");
    }
    if (made->constant.kind == CAIRN_VALUE_NULL) {
        return cairn__rule_refuse(p, at, "null in a list matches nothing; write \"is not set\"");
    }
    if (minus) {
        made->constant = cairn__rule_negate(&made->constant);
        made->at = at;
    }
    cairn__rule_advance(p);
    return made;
}

/* --- paths ----------------------------------------------------------------------------------- */

static const char *const space_names[] = { "event", "user", "tag", "item", "device", "session" };
enum { SPACES = sizeof space_names / sizeof space_names[0] };

/* Its bit, or 0. */
static unsigned space_named(cairn_span name) {
    for (unsigned i = 0; i < SPACES; i++) {
        if (cairn__rule_word_is(name, space_names[i])) {
            return 1u << i;
        }
    }
    return 0;
}

static bool is_name(const cairn__rule_token *token) {
    return token->kind == CAIRN__RULE_TOKEN_NAME || token->kind == CAIRN__RULE_TOKEN_QUOTED;
}

bool cairn__rule_take_dotted(parser *p, cairn_span *name) {
    while (cairn__rule_take_sign(p, ".")) {
        if (!is_name(&p->now)) {
            (void)cairn__rule_expected(p, "a name", no_words);
            return false;
        }
        size_t dot = name->len > 0 ? 1 : 0;
        size_t length = name->len + dot + p->now.text.len;
        if (length > CAIRN__NAME_BYTES_MAX) {
            (void)cairn__rule_refuse(p, p->now.at, "a name has at most 100 bytes");
            return false;
        }
        uint8_t *joined = cairn__arena_alloc(p->lexer.arena, length);
        if (joined == NULL) {
            p->status = p->status == CAIRN_OK ? CAIRN_NO_MEMORY : p->status;
            return false;
        }
        if (dot > 0) {
            memcpy(joined, name->data, name->len);
            joined[name->len] = '.';
        }
        memcpy(joined + name->len + dot, p->now.text.data, p->now.text.len);
        *name = cairn__span(joined, length);
        cairn__rule_advance(p);
    }
    return p->status == CAIRN_OK;
}

/* "known here: user., event." */
static void *refuse_space(parser *p, uint32_t at, const char *sentence, cairn_span word) {
    if (p->status != CAIRN_OK) {
        return NULL;
    }
    (void)cairn__rule_refuse_word(p, at, sentence, word);
    cairn__rule_fault *fault = p->lexer.fault;
    const char *before = "; known here: ";
    for (unsigned i = 0; i < SPACES; i++) {
        if ((p->spaces & (1u << i)) != 0) {
            cairn__rule_fault_add(fault, before);
            cairn__rule_fault_add(fault, space_names[i]);
            cairn__rule_fault_add(fault, ".");
            before = ", ";
        }
    }
    cairn__rule_fault_suggest(fault, word, space_names, SPACES);
    return NULL;
}

static node *parse_path(parser *p) {
    cairn__rule_token first = p->now;
    node *made = cairn__rule_new_node(p, CAIRN__RULE_NODE_PATH, first.at);
    cairn__rule_advance(p);
    if (made == NULL) {
        return NULL;
    }
    bool dotted = cairn__rule_at_sign(p, ".");
    unsigned space = first.kind == CAIRN__RULE_TOKEN_NAME && dotted ? space_named(first.text) : 0;
    if (space != 0 && (p->spaces & space) == 0) {
        return refuse_space(p, first.at, "no such facts where this rule is used: ", first.text);
    }
    if (space == 0 && p->bare == 0) {
        return refuse_space(p, first.at,
                            "a name says where it comes from, as user.age does, not just ",
                            first.text);
    }
    made->path.space = (cairn__rule_space)(space != 0 ? space : p->bare);
    made->path.name = space != 0 ? (cairn_span){ NULL, 0 } : first.text;
    if (made->path.name.len > CAIRN__NAME_BYTES_MAX) {
        return cairn__rule_refuse(p, first.at, "a name has at most 100 bytes");
    }
    return cairn__rule_take_dotted(p, &made->path.name) ? made : NULL;
}

/* --- calls ----------------------------------------------------------------------------------- */

static const char *const history_names[] = { "count",    "did",    "days",     "sum",   "min",
                                             "max",      "avg",    "distinct", "first", "last",
                                             "sequence", "member", "any",      "all" };
enum { HISTORIES = sizeof history_names / sizeof history_names[0] };
_Static_assert((int)HISTORIES == (int)CAIRN__RULE_HISTORY_KIND_COUNT, "one name for each kind");

static node *refuse_function(parser *p) {
    const char *names[HISTORIES + CAIRN__RULE_FUNCTION_COUNT];
    for (unsigned i = 0; i < HISTORIES; i++) {
        names[i] = history_names[i];
    }
    for (unsigned i = 0; i < CAIRN__RULE_FUNCTION_COUNT; i++) {
        names[HISTORIES + i] = cairn__rule_signature_of(i)->name;
    }
    if (p->status == CAIRN_OK) {
        (void)cairn__rule_refuse_word(p, p->now.at, "there is no function ", p->now.text);
        cairn__rule_fault_suggest(p->lexer.fault, p->now.text, names,
                                  HISTORIES + CAIRN__RULE_FUNCTION_COUNT);
    }
    return NULL;
}

static void *refuse_arguments(parser *p, uint32_t at, const cairn__rule_signature *signature) {
    return cairn__rule_refuse_word(p, at, "wrong number of arguments; it is ",
                                   cairn__span_of(signature->usage));
}

static node *parse_scalar(parser *p, unsigned function) {
    const cairn__rule_signature *signature = cairn__rule_signature_of(function);
    node *made = cairn__rule_new_node(p, CAIRN__RULE_NODE_CALL, p->now.at);
    cairn__rule_advance(p);
    cairn__rule_advance(p); /* the name and its bracket */
    if (made == NULL) {
        return NULL;
    }
    made->op = (uint8_t)function;
    do {
        if (made->child_count == signature->most || cairn__rule_at_sign(p, ")")) {
            return refuse_arguments(p, made->at, signature);
        }
        node *argument = cairn__rule_parse_expression(p);
        if (argument == NULL) {
            return NULL;
        }
        cairn__rule_add_child(made, argument);
    } while (cairn__rule_take_sign(p, ","));
    if (!cairn__rule_want_sign(p, ")")) {
        return NULL;
    }
    return made->child_count < signature->least ? refuse_arguments(p, made->at, signature) : made;
}

node *cairn__rule_parse_call(parser *p) {
    for (unsigned i = 0; i < HISTORIES; i++) {
        if (cairn__rule_at_word(p, history_names[i])) {
            return cairn__rule_parse_history(p, (cairn__rule_history_kind)i);
        }
    }
    unsigned function = cairn__rule_function_named(p->now.text);
    return function == CAIRN__RULE_FUNCTION_COUNT ? refuse_function(p) : parse_scalar(p, function);
}

/* --- primary --------------------------------------------------------------------------------- */

static bool is_keyword(const parser *p) {
    static const char *const words[] = { "and",      "or",     "not",  "in",      "between",
                                         "contains", "starts", "ends", "matches", "is" };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (cairn__rule_at_word(p, words[i])) {
            return true;
        }
    }
    return false;
}

static node *parse_brackets(parser *p) {
    cairn__rule_advance(p);
    node *inner = cairn__rule_parse_expression(p);
    return inner != NULL && cairn__rule_want_sign(p, ")") ? inner : NULL;
}

static node *parse_duration(parser *p) {
    node *made = cairn__rule_new_node(p, CAIRN__RULE_NODE_CONSTANT, p->now.at);
    int64_t ms = 0;
    if (made == NULL || !cairn__rule_take_duration(p, &ms)) {
        return NULL;
    }
    made->constant = cairn__rule_integer(CAIRN__RULE_KIND_DURATION, ms);
    return made;
}

static node *parse_name(parser *p) {
    cairn__rule_token next = cairn__rule_peek(p);
    bool call = next.kind == CAIRN__RULE_TOKEN_SIGN && next.raw.data[0] == '(';
    bool dotted =
        next.kind == CAIRN__RULE_TOKEN_SIGN && next.raw.len == 1 && next.raw.data[0] == '.';
    if (p->now.kind == CAIRN__RULE_TOKEN_NAME && call && !is_keyword(p)) {
        return cairn__rule_parse_call(p);
    }
    if (cairn__rule_at_word(p, "now") && !dotted) {
        node *made = cairn__rule_new_node(p, CAIRN__RULE_NODE_NOW, p->now.at);
        cairn__rule_advance(p);
        return made;
    }
    if (is_keyword(p)) {
        return cairn__rule_expected(p, "a value", no_words);
    }
    return parse_path(p);
}

node *cairn__rule_parse_primary(parser *p) {
    if (p->now.kind == CAIRN__RULE_TOKEN_INTEGER || p->now.kind == CAIRN__RULE_TOKEN_NUMBER) {
        cairn__rule_token next = cairn__rule_peek(p);
        if (cairn__rule_unit_ms(&next) != 0 && p->now.kind == CAIRN__RULE_TOKEN_NUMBER) {
            return cairn__rule_refuse(p, p->now.at,
                                      "a duration is a whole number of its unit: 36 hours, not "
                                      "1.5 days");
        }
        if (cairn__rule_unit_ms(&next) != 0) {
            return parse_duration(p);
        }
    }
    node *made = constant_at(p);
    if (made != NULL) {
        cairn__rule_advance(p);
        return p->status == CAIRN_OK ? made : NULL;
    }
    if (p->status != CAIRN_OK) {
        return NULL;
    }
    if (is_name(&p->now)) {
        return parse_name(p);
    }
    if (cairn__rule_at_sign(p, "(")) {
        return parse_brackets(p);
    }
    if (cairn__rule_at_sign(p, "[")) {
        return cairn__rule_refuse(p, p->now.at, "a list can stand only after \"in\" or \"not in\"");
    }
    return cairn__rule_expected(p, "a value", no_words);
}
