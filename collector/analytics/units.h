/* units.h: the units of time of a range: which one a moment lies in. Read-only once made. */
#ifndef CAIRN_ANALYTICS_UNITS_H
#define CAIRN_ANALYTICS_UNITS_H

#include "analytics/query.h"

typedef struct cairn__units {
    cairn_allocator allocator;
    int64_t *starts; /* count + 1: the last is the end of the last unit */
    size_t count;    /* 0: the question has no unit */
    double per_ms;   /* units in a millisecond, on average: the first guess */
} cairn__units;

/** @retval CAIRN_NO_MEMORY  Nothing to free. */
cairn_status cairn__units_make(cairn_allocator allocator, const cairn__query *query,
                               const cairn__query_side *side, cairn__units *units_out);
void cairn__units_free(cairn__units *units);

/** The unit of a moment of the range. */
uint32_t cairn__units_find(const cairn__units *units, int64_t ms);

/** Appends the unit's label as a JSON text: the local date of its start; for minutes and hours
 * the local time with its offset. */
void cairn__units_write(const cairn__units *units, const cairn__query *query, uint32_t unit,
                        cairn__buffer *to);

#endif
