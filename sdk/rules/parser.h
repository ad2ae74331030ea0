/* parser.h: what the files of the parser share. parser.c reads expressions; parser_values.c paths,
 * constants and calls; parser_history.c the functions over a person's history. */
#ifndef CAIRN_RULES_PARSER_H
#define CAIRN_RULES_PARSER_H

#include "rules/ast.h"
#include "rules/lexer.h"

typedef struct cairn__rule_parser {
    cairn__rule_lexer lexer;
    cairn__rule_token now; /* the token to be read next */
    cairn_span before;     /* what was read last; empty at the start */
    cairn_status status;   /* the first thing that went wrong */
    unsigned spaces, bare; /* what names may stand for here */
    uint32_t depth;
} cairn__rule_parser;

/* Every cairn__rule_parse_x returns NULL after a fault; then `status` says which kind. */
cairn__rule_node *cairn__rule_parse_expression(cairn__rule_parser *parser);
cairn__rule_node *cairn__rule_parse_primary(cairn__rule_parser *parser);
/** `name(`: its arguments; a history function or a scalar one. */
cairn__rule_node *cairn__rule_parse_call(cairn__rule_parser *parser);
cairn__rule_node *cairn__rule_parse_history(cairn__rule_parser *parser,
                                            cairn__rule_history_kind kind);
/** [ "-" ] number, a string, a moment, true or false: what may stand in a list. */
cairn__rule_node *cairn__rule_parse_literal(cairn__rule_parser *parser);

/* --- tokens ---------------------------------------------------------------------------------- */

void cairn__rule_advance(cairn__rule_parser *parser);
cairn__rule_token cairn__rule_peek(const cairn__rule_parser *parser);
bool cairn__rule_at_word(const cairn__rule_parser *parser, const char *word);
bool cairn__rule_at_sign(const cairn__rule_parser *parser, const char *sign);
bool cairn__rule_take_word(cairn__rule_parser *parser, const char *word);
bool cairn__rule_take_sign(cairn__rule_parser *parser, const char *sign);
/** Take it, or the fault `expected ...`. */
bool cairn__rule_want_sign(cairn__rule_parser *parser, const char *sign);

/** A whole number, a unit: "7 days" in ms. A month is 30 days. */
bool cairn__rule_take_duration(cairn__rule_parser *parser, int64_t *ms_out);
/** Is the token the name of a unit of time? Its ms, or 0. */
int64_t cairn__rule_unit_ms(const cairn__rule_token *token);

/** `.name` after what has been read; appends to a dotted name in the arena. */
bool cairn__rule_take_dotted(cairn__rule_parser *parser, cairn_span *name);

/* --- nodes and faults ------------------------------------------------------------------------ */

cairn__rule_node *cairn__rule_new_node(cairn__rule_parser *parser, cairn__rule_node_kind kind,
                                       uint32_t at);
void cairn__rule_add_child(cairn__rule_node *parent, cairn__rule_node *child);

/** Words that were possible, for "did you mean". */
typedef struct cairn__rule_words {
    const char *const *words;
    size_t count;
} cairn__rule_words;

/** `expected WHAT after "before", found "token"; did you mean "x"?` Always NULL. */
void *cairn__rule_expected(cairn__rule_parser *parser, const char *what, cairn__rule_words words);
/** A sentence of its own at a place. Always NULL. */
void *cairn__rule_refuse(cairn__rule_parser *parser, uint32_t at, const char *sentence);
/** The same and a quoted word between two halves. */
void *cairn__rule_refuse_word(cairn__rule_parser *parser, uint32_t at, const char *sentence,
                              cairn_span word);
bool cairn__rule_deeper(cairn__rule_parser *parser);

#endif
