/* civil.h: dates of the proleptic Gregorian calendar as numbers. Pure.
 * Days count from 1970-01-01; the algorithms are Howard Hinnant's "chrono-compatible low-level
 * date algorithms" (2013). */
#ifndef CAIRN_BASE_CIVIL_H
#define CAIRN_BASE_CIVIL_H

#include "cairn/cairn_types.h"

enum { CAIRN__DAY_MS = 86400000 };

typedef struct cairn__civil {
    int32_t year;
    uint32_t month, day; /* from 1 */
} cairn__civil;

/** Any year. Month and day may not be out of range (a caller's bug). */
int64_t cairn__days_from_civil(cairn__civil date);
/** Every day that an int64 of milliseconds can name; beyond 7e11 days they are taken as 7e11. */
cairn__civil cairn__civil_from_days(int64_t days);
/** 1..31; leap years included. */
uint32_t cairn__days_in_month(int32_t year, uint32_t month);
/** Monday is 0. */
uint32_t cairn__weekday(int64_t days);
/** Floor division of a moment into days, and the rest in ms. */
int64_t cairn__days_of_ms(int64_t ms, int64_t *rest_ms_out);

/** RFC 3339 ("2026-11-24T10:00:00.123+08:00", "Z"; a space or t for T) to ms; the fraction beyond
 * ms is dropped, second 60 is read as 59.999. False: not such a text. */
bool cairn__parse_instant(cairn_span text, int64_t *ms_out);
/** "YYYY-MM-DD" to days; false when it is not one, or no such day. */
bool cairn__parse_date(cairn_span text, int64_t *days_out);

enum { CAIRN__INSTANT_TEXT_BYTES = 32 };
/** "2026-11-24T10:00:00.123Z" with NUL into `to` (CAIRN__INSTANT_TEXT_BYTES); returns the length.
 */
size_t cairn__format_instant(int64_t ms, char *to);
/** "2026-11-24" with NUL. */
size_t cairn__format_date(int64_t days, char *to);

#endif
