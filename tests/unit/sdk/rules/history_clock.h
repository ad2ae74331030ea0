/* history_clock.h: local dates by the C library, minute by minute: what the tests of windows hold
 * against base/zone.h. A clock knows some months around a moment at which something odd happens. */
#ifndef CAIRN_TESTS_RULES_HISTORY_CLOCK_H
#define CAIRN_TESTS_RULES_HISTORY_CLOCK_H

#include "base/zone.h"

enum { CLOCK_DAYS = 140, CLOCK_MINUTES = CLOCK_DAYS * 24 * 60 };

typedef struct history_clock {
    const char *name; /* "UTC", or as in /usr/share/zoneinfo */
    const cairn__zone *zone;
    int64_t from_ms, to_ms;          /* what it knows */
    int32_t offset_s[CLOCK_MINUTES]; /* east of UTC in that minute */
    int64_t first_day;               /* a local date that is whole within */
    int64_t day_ms[CLOCK_DAYS];      /* when first_day + i is first shown; INT64_MAX: never */
} history_clock;

/** A place and a time at which the clock does something, and a second zone for the user. */
typedef struct history_place {
    const char *zone, *user_zone;
    int64_t base_ms;
} history_place;
extern const history_place history_places[];
enum { HISTORY_PLACES = 9 };

/** Reads the system's zone into the arena, and asks the C library about each minute. False: the
 * system does not have the zone. */
bool history_clock_open(history_clock *clock, const char *name, int64_t base_ms,
                        cairn__arena *arena);

int64_t history_clock_day(const history_clock *clock, int64_t ms);
int history_clock_hour(const history_clock *clock, int64_t ms);
/** When a local date is first shown; INT64_MAX: it never is. */
int64_t history_clock_day_start(const history_clock *clock, int64_t day);

#endif
