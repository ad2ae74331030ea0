/* The arguments after a command's name: options from a table and at most one subject. */
#ifndef CAIRN_CLI_ARGS_H
#define CAIRN_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAIRN__ARGS_REPEATS_MAX 256u

typedef enum {
    CAIRN__ARG_FLAG,  /* to: bool */
    CAIRN__ARG_TEXT,  /* to: const char * */
    CAIRN__ARG_WHOLE, /* to: uint64_t, between min and max */
    CAIRN__ARG_MANY   /* to: cairn__args_list; may be given again and again */
} cairn__arg_kind;

typedef struct {
    const char *items[CAIRN__ARGS_REPEATS_MAX];
    size_t count;
} cairn__args_list;

typedef struct {
    const char *name; /* with its dashes */
    cairn__arg_kind kind;
    void *to;
    uint64_t min;
    uint64_t max;
} cairn__arg;

/* Reads argv[0..argc) by the table of `count` rows; `--name value` and `--name=value` are the same,
 * and what is no option is the subject. False, having said on standard error what is not understood
 * and what is. Texts point into argv. */
bool cairn__args_read(int argc, char **argv, const cairn__arg *table, size_t count,
                      const char **subject);

#endif
