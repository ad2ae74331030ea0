/* lexer.h: a rule's text as tokens, one at a time. A copy of the lexer looks ahead. */
#ifndef CAIRN_RULES_LEXER_H
#define CAIRN_RULES_LEXER_H

#include "rules/fault.h"

typedef enum cairn__rule_token_kind {
    CAIRN__RULE_TOKEN_END,
    CAIRN__RULE_TOKEN_NAME,   /* a word: a keyword or a name, who asks decides */
    CAIRN__RULE_TOKEN_QUOTED, /* a back-quoted name: never a keyword */
    CAIRN__RULE_TOKEN_INTEGER,
    CAIRN__RULE_TOKEN_NUMBER,
    CAIRN__RULE_TOKEN_STRING,
    CAIRN__RULE_TOKEN_DATE,    /* integer: days since 1970 */
    CAIRN__RULE_TOKEN_INSTANT, /* integer: ms since 1970 */
    CAIRN__RULE_TOKEN_SIGN     /* sign: "(", "<=", ... */
} cairn__rule_token_kind;

typedef struct cairn__rule_token {
    cairn__rule_token_kind kind;
    uint32_t at;     /* where it begins, in bytes */
    cairn_span raw;  /* as written */
    cairn_span text; /* a name, or a string's value (in the arena when it had escapes) */
    int64_t integer;
    double number;
} cairn__rule_token;

typedef struct cairn__rule_lexer {
    cairn_span text;
    size_t at;
    cairn__arena *arena;
    cairn__rule_fault *fault;
} cairn__rule_lexer;

/** The next token. CAIRN_INVALID: the fault says why. CAIRN_NO_MEMORY: the arena is full. */
cairn_status cairn__rule_next(cairn__rule_lexer *in, cairn__rule_token *token_out);

#endif
