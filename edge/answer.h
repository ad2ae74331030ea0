/* answer.h: the bytes of an HTTP answer. */
#ifndef CAIRN_EDGE_ANSWER_H
#define CAIRN_EDGE_ANSWER_H

#include "base/memory.h"

typedef struct cairn__answer {
    int status;
    const char *content_type; /* NULL: no body */
    const char *headers;      /* further header lines, each with CRLF; NULL: none */
    cairn_span body;
    bool without_length; /* the body goes on (a stream); closes the connection at its end */
    bool body_left_out;  /* HEAD: its length is told, the body is not sent */
    bool close;
} cairn__answer;

/** RFC 9457. Strings are static or live for the call. */
typedef struct cairn__problem {
    int status;
    const char *code;
    const char *field;
    const char *detail;
    const char *fix;
    const char *more; /* further members, each `,"name":value` as JSON; NULL: none */
} cairn__problem;

/** Append an answer. `date` is the value of the Date header. */
void cairn__answer_write(cairn__buffer *to, const cairn__answer *answer, const char *date);
/** Append the problem's JSON. */
void cairn__problem_json(cairn__buffer *to, const cairn__problem *problem);

enum { CAIRN__DATE_BYTES = 32 };
/** "Tue, 24 Nov 2026 10:00:00 GMT" with NUL. */
void cairn__http_date(int64_t ms, char *to);

#endif
