/* One HTTP exchange with an edge, through libcurl. Blocks; not thread-safe. */
#ifndef CAIRN_CLI_HTTP_H
#define CAIRN_CLI_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#define CAIRN__ANSWER_BYTES_MAX 67108864u
#define CAIRN__EXCHANGE_SECONDS_MAX 120L

typedef struct {
    long status;     /* of HTTP */
    char *body;      /* ends in a zero byte; owned, free with free() */
    size_t bytes;    /* of body */
    char error[256]; /* what went wrong when the exchange failed */
} cairn__answer;

typedef struct {
    const char *edge;
    const char *path;
    const char *json;   /* NULL: a GET */
    const char *token;  /* sent as a bearer's when it is not NULL */
    const char *method; /* NULL: GET, or POST with json */
    const char *header; /* one more header line; NULL: none */
} cairn__http_request;

/* GETs `edge` + `path`, or POSTs `json` there (or what `method` says). True when any answer came,
 * of whatever status; false with `error` set when none did or it was longer than the limit. */
bool cairn__http(const cairn__http_request *request, cairn__answer *answer);

#endif
