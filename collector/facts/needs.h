/* needs.h: what of a person a bundle's decisions look at: so that only this is read. Made once per
 * bundle, immutable, read by many threads. */
#ifndef CAIRN_FACTS_NEEDS_H
#define CAIRN_FACTS_NEEDS_H

#include "bundle/bundle.h"

typedef struct cairn__fact_needs {
    const cairn_span *events;     /* their names, ascending */
    size_t event_count;           /* 0: every event */
    const cairn_span *properties; /* of these events, ascending */
    size_t property_count;
    const cairn_span *user; /* properties of the profile, ascending */
    size_t user_count;
} cairn__fact_needs;

/** What queries, slots and the memory of decisions need. Borrows the bundle; lists lie in the
 * arena.
 * @retval CAIRN_NO_MEMORY  The arena is full. */
cairn_status cairn__fact_needs_of(const cairn__bundle *bundle, cairn__arena *arena,
                                  cairn__fact_needs *needs_out);

/** Of an ascending list; SIZE_MAX: it is not there. */
size_t cairn__fact_needs_find(const cairn_span *names, size_t count, cairn_span name);

#endif
