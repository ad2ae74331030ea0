/* history_person.h: a person's events in an array, and what a function over them comes to. */
#ifndef CAIRN_TESTS_RULES_HISTORY_PERSON_H
#define CAIRN_TESTS_RULES_HISTORY_PERSON_H

#include "base/bytes.h"
#include "rules/history.h"

enum { PERSON_ARENA_BYTES = 1 << 26 };

typedef struct person {
    const cairn__event *events;
    size_t count, at;
} person;

static inline const cairn__event *person_next(void *context) {
    person *p = context;
    return p->at < p->count ? &p->events[p->at++] : NULL;
}

/** From the first event on. */
static inline cairn__history person_history(person *p, int64_t complete_from_ms) {
    p->at = 0;
    return (cairn__history){ person_next, p, complete_from_ms };
}

#endif
