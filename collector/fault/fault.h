/* fault.h: how a reader of JSON says what is wrong with it: where, what, and the fix. Every text is
 * valid UTF-8, whatever the input holds. Pure. */
#ifndef CAIRN_FAULT_FAULT_H
#define CAIRN_FAULT_FAULT_H

#include "cairn/cairn_types.h"

/** RFC 9457's members that a reader knows; every string NUL-terminated. */
typedef struct cairn__fault_problem {
    char code[48];
    char field[128];  /* "steps[1].where" */
    char detail[256]; /* what is wrong, with the value */
    char fix[256];    /* the nearest valid word, or what to write instead */
} cairn__fault_problem;

/** A place in the JSON: "steps[1].where". Passed by value, cut when too long. */
typedef struct cairn__fault_path {
    char text[128];
} cairn__fault_path;

/** The empty path is the whole. */
cairn__fault_path cairn__fault_key(cairn__fault_path at, const char *key);
cairn__fault_path cairn__fault_item(cairn__fault_path at, size_t index);

/** Sets code, field and detail and clears fix. Always false, so that a reader can return it. */
bool cairn__fault(cairn__fault_problem *problem, const char *code, cairn__fault_path field,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));
/** Sets fix. Always false. */
bool cairn__fault_fix(cairn__fault_problem *problem, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** The word of the list that `word` was most likely meant to be; NULL when none is near. */
const char *cairn__fault_nearest(cairn_span word, const char *const *words, size_t count);

/** fix = "did you mean `x`?" when one is near, else the whole list. Always false. */
bool cairn__fault_fix_words(cairn__fault_problem *problem, cairn_span word,
                            const char *const *words, size_t count);

#endif
