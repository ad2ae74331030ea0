/* A question to a data directory whose edge is stopped. */
#ifndef CAIRN_CLI_OFFLINE_H
#define CAIRN_CLI_OFFLINE_H

#include "cairn/cairn_types.h"

typedef struct {
    const char *data;    /* the directory */
    const char *project; /* NULL: the only one there is */
    const char *zone;    /* where the question names none; NULL: UTC */
    const char *query;   /* the JSON of /v1/analyze, or NULL: */
    cairn_id person;     /* who is looked up */
} cairn__offline;

/* The answer as JSON, ended by a zero byte; free it with free(). NULL, having said on standard
 * error why there is none. */
char *cairn__offline_ask(const cairn__offline *offline);

#endif
