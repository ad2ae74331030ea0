/* zone_rule.h: what zone.c and zone_unit.c share: segments of constant offset, and the POSIX TZ
 * text at the end of a TZif file ("EST5EDT,M3.2.0,M11.1.0") with the wider hours of RFC 8536
 * version 3. Seconds throughout; pure. */
#ifndef CAIRN_BASE_ZONE_RULE_H
#define CAIRN_BASE_ZONE_RULE_H

#include "base/zone.h"

typedef enum cairn__zone_day_kind {
    CAIRN__ZONE_JULIAN,   /* Jn: 1..365, February 29 is never counted */
    CAIRN__ZONE_ORDINAL,  /* n: 0..365 */
    CAIRN__ZONE_MONTH_DAY /* Mm.w.d */
} cairn__zone_day_kind;

typedef struct cairn__zone_change {
    cairn__zone_day_kind kind;
    int32_t day;         /* Julian or ordinal; of a month: the weekday, Sunday is 0 */
    int32_t month, week; /* week 5: the last one */
    int32_t seconds;     /* after midnight of that day, -167..167 hours */
} cairn__zone_change;

typedef struct cairn__zone_rule {
    int32_t standard; /* seconds east of UTC */
    int32_t daylight; /* equal to standard where there is none */
    cairn__zone_change start, end;
} cairn__zone_rule;

/** One run of a constant offset: from <= t < to, in seconds since 1970. */
typedef struct cairn__zone_segment {
    int64_t from, to;
    int32_t offset;
} cairn__zone_segment;

/** False: not such a text. */
bool cairn__zone_rule_parse(cairn_span text, cairn__zone_rule *rule_out);

/** The segment that holds `seconds`. Without daylight saving it is endless (INT64 limits). */
cairn__zone_segment cairn__zone_rule_segment(const cairn__zone_rule *rule, int64_t seconds);

/** The segment of a zone that holds `seconds` (within 2^61 ms of 1970); NULL is UTC, endless. */
cairn__zone_segment cairn__zone_segment_at(const cairn__zone *zone, int64_t seconds);

#endif
