/* zone_unit.c: minutes to years, as groups of moments in local time. */
#include "base/civil.h"
#include "base/zone.h"
#include "base/zone_rule.h"

static const int64_t ms_max = INT64_C(1) << 61;

/* --- minutes and hours: aligned within a segment of constant offset -------------------------- */

typedef struct run {
    int64_t from, to; /* ms; a run of constant offset */
    int64_t offset;   /* ms */
} run;

static int64_t to_ms(int64_t seconds) {
    int64_t limit = ms_max / 1000;
    return seconds > limit ? ms_max : seconds < -limit ? -ms_max : seconds * 1000;
}

static run run_at(const cairn__zone *zone, int64_t ms) {
    int64_t seconds = ms / 1000 - (ms % 1000 < 0 ? 1 : 0);
    cairn__zone_segment segment = cairn__zone_segment_at(zone, seconds);
    return (run){ to_ms(segment.from), to_ms(segment.to), segment.offset * INT64_C(1000) };
}

static int64_t clock_start(const run *within, int64_t unit_ms, int64_t ms) {
    int64_t rest = (ms + within->offset) % unit_ms;
    int64_t start = ms - (rest < 0 ? rest + unit_ms : rest);
    return start < within->from ? within->from : start;
}

/* How many starts lie after `start` in the run, its end counted as the last. */
static int64_t starts_after(const run *within, int64_t unit_ms, int64_t start) {
    int64_t next = clock_start(within, unit_ms, start);
    int64_t rest = (next + within->offset) % unit_ms;
    next += unit_ms - (rest < 0 ? rest + unit_ms : rest); /* a run may begin inside a unit */
    return next >= within->to ? 1 : 1 + (within->to - next + unit_ms - 1) / unit_ms;
}

static int64_t clock_forward(const cairn__zone *zone, int64_t unit_ms, int64_t at, int64_t count) {
    run within = run_at(zone, at);
    int64_t here = starts_after(&within, unit_ms, at);
    while (count >= here && within.to < ms_max) {
        count -= here;
        at = within.to;
        within = run_at(zone, at);
        here = starts_after(&within, unit_ms, at);
    }
    if (count == 0) {
        return at;
    }
    int64_t rest = (at + within.offset) % unit_ms;
    return at - (rest < 0 ? rest + unit_ms : rest) + count * unit_ms;
}

static int64_t clock_back(const cairn__zone *zone, int64_t unit_ms, int64_t at, int64_t count) {
    while (count > 0 && at > -ms_max) {
        run within = run_at(zone, at - 1); /* the unit before `at` lies in this run */
        at = clock_start(&within, unit_ms, at - 1);
        count -= 1;
        int64_t before = (at - within.from + unit_ms - 1) / unit_ms;
        int64_t jump = count < before ? count : before;
        at = jump == before ? within.from : at - jump * unit_ms;
        count -= jump;
    }
    return at;
}

/* --- days and more: dates --------------------------------------------------------------------- */

static int64_t floor_div(int64_t value, int64_t by) {
    int64_t quotient = value / by;
    return quotient - (value % by < 0 ? 1 : 0);
}

static uint32_t months_of(cairn__unit unit) {
    return unit == CAIRN__UNIT_YEAR ? 12 : unit == CAIRN__UNIT_QUARTER ? 3 : 1;
}

/* The first day of the unit `count` units after the one that holds `day`. */
static int64_t date_start(cairn__unit unit, int64_t day, int64_t count) {
    if (unit == CAIRN__UNIT_DAY) {
        return day + count;
    }
    if (unit == CAIRN__UNIT_WEEK) {
        return day - (int64_t)cairn__weekday(day) + 7 * count;
    }
    cairn__civil date = cairn__civil_from_days(day);
    int64_t length = months_of(unit);
    int64_t month = (int64_t)date.year * 12 + date.month - 1;
    month = (floor_div(month, length) + count) * length;
    int64_t year = floor_div(month, 12);
    year = year > INT32_MAX ? INT32_MAX : year < INT32_MIN ? INT32_MIN : year;
    date = (cairn__civil){ (int32_t)year, (uint32_t)(month - floor_div(month, 12) * 12 + 1), 1 };
    return cairn__days_from_civil(date);
}

static int64_t clock_unit_ms(cairn__unit unit) {
    return unit == CAIRN__UNIT_MINUTE ? 60000 : unit == CAIRN__UNIT_HOUR ? 3600000 : 0;
}

static int64_t clamp_ms(int64_t ms) {
    return ms > ms_max ? ms_max : ms < -ms_max ? -ms_max : ms;
}

int64_t cairn__unit_start(const cairn__zone *zone, cairn__unit unit, int64_t utc_ms) {
    int64_t unit_ms = clock_unit_ms(unit);
    utc_ms = clamp_ms(utc_ms);
    if (unit_ms > 0) {
        run within = run_at(zone, utc_ms);
        return clock_start(&within, unit_ms, utc_ms);
    }
    return cairn__zone_day_start(zone, date_start(unit, cairn__zone_day(zone, utc_ms), 0));
}

int64_t cairn__unit_add(const cairn__zone *zone, cairn__unit unit, int64_t start_ms,
                        int32_t count) {
    int64_t unit_ms = clock_unit_ms(unit);
    start_ms = clamp_ms(start_ms);
    if (unit_ms > 0) {
        return count >= 0 ? clock_forward(zone, unit_ms, start_ms, count)
                          : clock_back(zone, unit_ms, start_ms, -(int64_t)count);
    }
    return cairn__zone_day_start(zone, date_start(unit, cairn__zone_day(zone, start_ms), count));
}
