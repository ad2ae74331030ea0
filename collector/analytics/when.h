/* when.h: the moments, durations and shifts that people write in a query. Pure. */
#ifndef CAIRN_ANALYTICS_WHEN_H
#define CAIRN_ANALYTICS_WHEN_H

#include "base/zone.h"

/** A step in time: minutes and hours are exact, the rest moves the calendar in the query's zone
 * and keeps the wall clock; a day that a month does not have becomes its last. */
typedef struct cairn__when_step {
    int32_t count;
    char unit; /* 'm' 'h' 'd' 'w' 'M' (month) 'y' */
} cairn__when_step;

/** "7d", "30m", "90s", "250ms", "1h", "2w": 1 ms up to 366 days. m is minutes. */
bool cairn__when_duration(cairn_span text, int64_t *ms_out);

/** "-30d", "-6h", "-1M", "-1y"; at most 200 years. */
bool cairn__when_step_read(cairn_span text, cairn__when_step *step_out);
int64_t cairn__when_step_from(const cairn__zone *zone, int64_t ms, cairn__when_step step);

/** "2026-08-01" (its local begin; its local end when `end`), RFC 3339, "now" or "-30d".
 * "now" as an end includes this very millisecond. */
bool cairn__when_read(cairn_span text, const cairn__zone *zone, int64_t now_ms, bool end,
                      int64_t *ms_out);

#endif
