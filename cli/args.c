#include "cli/args.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cairn__arg *find(const cairn__arg *table, size_t count, const char *text) {
    size_t length = strcspn(text, "=");
    for (size_t i = 0; i < count; i++) {
        if (strlen(table[i].name) == length && strncmp(table[i].name, text, length) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

static void say_unknown(const cairn__arg *table, size_t count, const char *text) {
    fprintf(stderr, "cairn: %s: no such option here; there are", text);
    for (size_t i = 0; i < count; i++) {
        fprintf(stderr, "%s %s", i == 0 ? "" : ",", table[i].name);
    }
    fputs("\n", stderr);
}

static bool take_whole(const cairn__arg *arg, const char *value) {
    char *end;
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    bool whole = value[0] >= '0' && value[0] <= '9' && *end == 0 && errno == 0;
    if (!whole || number < arg->min || number > arg->max) {
        fprintf(stderr, "cairn: %s %s: give a whole number from %" PRIu64 " to %" PRIu64 "\n",
                arg->name, value, arg->min, arg->max);
        return false;
    }
    *(uint64_t *)arg->to = number;
    return true;
}

static bool take_one_more(const cairn__arg *arg, const char *value) {
    cairn__args_list *list = arg->to;
    if (list->count == CAIRN__ARGS_REPEATS_MAX) {
        fprintf(stderr, "cairn: %s: given more than %u times\n", arg->name,
                CAIRN__ARGS_REPEATS_MAX);
        return false;
    }
    list->items[list->count++] = value;
    return true;
}

static bool take(const cairn__arg *arg, const char *value) {
    switch (arg->kind) {
    case CAIRN__ARG_FLAG:
        *(bool *)arg->to = true;
        return true;
    case CAIRN__ARG_TEXT:
        *(const char **)arg->to = value;
        return true;
    case CAIRN__ARG_WHOLE:
        return take_whole(arg, value);
    case CAIRN__ARG_MANY:
        return take_one_more(arg, value);
    }
    return false;
}

/* The value of an option: after `=`, or the next argument; NULL when there is none. */
static const char *value_of(int argc, char **argv, int *i) {
    const char *equals = strchr(argv[*i], '=');
    if (equals != NULL) {
        return equals + 1;
    }
    return *i + 1 < argc ? argv[++*i] : NULL;
}

static bool take_option(const cairn__arg *arg, int argc, char **argv, int *i) {
    const char *text = argv[*i];
    const char *value = arg->kind == CAIRN__ARG_FLAG ? "" : value_of(argc, argv, i);
    if (value == NULL) {
        fprintf(stderr, "cairn: %s: a value must follow\n", text);
        return false;
    }
    return take(arg, value);
}

static bool take_subject(const char **subject, const char *text) {
    if (*subject != NULL) {
        fprintf(stderr, "cairn: %s: one argument too many after %s\n", text, *subject);
        return false;
    }
    *subject = text;
    return true;
}

bool cairn__args_read(int argc, char **argv, const cairn__arg *table, size_t count,
                      const char **subject) {
    for (int i = 0; i < argc; i++) {
        const char *text = argv[i];
        bool option = text[0] == '-' && text[1] != 0;
        const cairn__arg *arg = option ? find(table, count, text) : NULL;
        if (option && arg == NULL) {
            say_unknown(table, count, text);
            return false;
        }
        if (!(option ? take_option(arg, argc, argv, &i) : take_subject(subject, text))) {
            return false;
        }
    }
    return true;
}
