/* fault.h: how a part of the engine says what is wrong with a query. Fills the caller's
 * cairn__analyze_problem; every text is valid UTF-8, whatever the query holds. Pure. */
#ifndef CAIRN_ANALYTICS_FAULT_H
#define CAIRN_ANALYTICS_FAULT_H

#include "analytics/analytics.h"

/** A place in the query: "steps[1].where". Passed by value, cut when too long. */
typedef struct cairn__fault_path {
    char text[128];
} cairn__fault_path;

/** The empty path is the query itself. */
cairn__fault_path cairn__fault_key(cairn__fault_path at, const char *key);
cairn__fault_path cairn__fault_item(cairn__fault_path at, size_t index);

/** Sets code, field and detail and clears fix. Always false, so that a reader can return it. */
bool cairn__fault(cairn__analyze_problem *problem, const char *code, cairn__fault_path field,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));
/** Sets fix. Always false. */
bool cairn__fault_fix(cairn__analyze_problem *problem, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** The word of the list that `word` was most likely meant to be; NULL when none is near. */
const char *cairn__fault_nearest(cairn_span word, const char *const *words, size_t count);

/** fix = "did you mean `x`?" when one is near, else the whole list. Always false. */
bool cairn__fault_fix_words(cairn__analyze_problem *problem, cairn_span word,
                            const char *const *words, size_t count);

#endif
