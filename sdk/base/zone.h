/* zone.h: local time in a zone with daylight saving, from TZif bytes (RFC 8536, version 2+), the
 * format of the system's zoneinfo. Reading the file is the host's (sdk/port/posix); here is only
 * the meaning. Pure; a zone never changes once parsed and may be shared by threads. */
#ifndef CAIRN_BASE_ZONE_H
#define CAIRN_BASE_ZONE_H

#include "base/memory.h"

typedef struct cairn__zone cairn__zone;

/** @param arena  Owns the zone. The footer's POSIX rule gives the years after the table.
 * @retval CAIRN_INVALID      Not TZif, or damaged.
 * @retval CAIRN_UNSUPPORTED  Version 1, or a zone that counts leap seconds ("right/...").
 * @retval CAIRN_NO_MEMORY    The arena is full. */
cairn_status cairn__zone_parse(cairn_span tzif, cairn__arena *arena, const cairn__zone **zone_out);

/** Seconds east of UTC at a moment. NULL is UTC everywhere below. Moments beyond 70 million years
 * from 1970 are taken as that far. */
int32_t cairn__zone_offset(const cairn__zone *zone, int64_t utc_ms);
/** The moment a local day begins: the first moment whose local date is that day; where the zone
 * skipped the whole day (Samoa, 2011-12-30), the moment after it. */
int64_t cairn__zone_day_start(const cairn__zone *zone, int64_t local_days);
/** The local date of a moment, in days since 1970-01-01. */
int64_t cairn__zone_day(const cairn__zone *zone, int64_t utc_ms);
/** A local wall-clock time to a moment: in a gap the first moment after the gap (02:30 -> 03:00),
 * when it occurs twice the first. local_ms is the wall clock read as if it were UTC. */
int64_t cairn__zone_to_utc(const cairn__zone *zone, int64_t local_ms);

/** A unit of time for grouping. */
typedef enum cairn__unit {
    CAIRN__UNIT_MINUTE,
    CAIRN__UNIT_HOUR,
    CAIRN__UNIT_DAY,
    CAIRN__UNIT_WEEK,
    CAIRN__UNIT_MONTH,
    CAIRN__UNIT_QUARTER,
    CAIRN__UNIT_YEAR
} cairn__unit;

/** The start of the unit that holds a moment (weeks begin on Monday). Minutes and hours also begin
 * where the clock is set, so that the hour that occurs twice in autumn is two hours. */
int64_t cairn__unit_start(const cairn__zone *zone, cairn__unit unit, int64_t utc_ms);
/** The start of the next (count > 0) or earlier (count < 0) unit, from a unit's start. */
int64_t cairn__unit_add(const cairn__zone *zone, cairn__unit unit, int64_t start_ms, int32_t count);

#endif
