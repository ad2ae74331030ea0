/* civil.c: the calendar as arithmetic. A year starts in March here (Hinnant's trick): the leap day
 * comes last, so that the length of every month before it is fixed. */
#include "base/civil.h"

#include "base/assert.h"

enum {
    DAYS_PER_ERA = 146097, /* 400 years */
    DAYS_TO_1970 = 719468, /* from 0000-03-01 */
    SECOND_MS = 1000,
    MINUTE_MS = 60 * SECOND_MS,
    HOUR_MS = 60 * MINUTE_MS
};

/* About 1.9e9 years either way: beyond it a year no longer fits. No int64 of ms gets there. */
static const int64_t days_max = INT64_C(700000000000);

static int64_t floor_div(int64_t value, int64_t by) {
    int64_t quotient = value / by;
    return quotient - (value % by < 0 ? 1 : 0);
}

int64_t cairn__days_from_civil(cairn__civil date) {
    CAIRN_ASSERT(date.month >= 1 && date.month <= 12 && date.day >= 1 && date.day <= 31);
    int64_t year = (int64_t)date.year - (date.month <= 2 ? 1 : 0);
    int64_t era = floor_div(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t month_from_march = (date.month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - DAYS_TO_1970;
}

cairn__civil cairn__civil_from_days(int64_t days) {
    days = days > days_max ? days_max : days < -days_max ? -days_max : days;
    days += DAYS_TO_1970;
    int64_t era = floor_div(days, DAYS_PER_ERA);
    int64_t of_era = days - era * DAYS_PER_ERA;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t from_march = (5 * of_year + 2) / 153;
    cairn__civil date;
    date.day = (uint32_t)(of_year - (153 * from_march + 2) / 5 + 1);
    date.month = (uint32_t)(from_march < 10 ? from_march + 3 : from_march - 9);
    date.year = (int32_t)(year_of_era + era * 400 + (date.month <= 2 ? 1 : 0));
    return date;
}

static bool is_leap(int32_t year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

uint32_t cairn__days_in_month(int32_t year, uint32_t month) {
    static const uint8_t length[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    CAIRN_ASSERT(month >= 1 && month <= 12);
    return length[month - 1] + (month == 2 && is_leap(year) ? 1u : 0u);
}

uint32_t cairn__weekday(int64_t days) {
    int64_t rest = (days % 7 + 3) % 7; /* 1970-01-01 was a Thursday */
    return (uint32_t)(rest < 0 ? rest + 7 : rest);
}

int64_t cairn__days_of_ms(int64_t ms, int64_t *rest_ms_out) {
    int64_t rest = ms % CAIRN__DAY_MS;
    *rest_ms_out = rest < 0 ? rest + CAIRN__DAY_MS : rest;
    return floor_div(ms, CAIRN__DAY_MS);
}

/* --- text --------------------------------------------------------------------------------- */

/* Exactly `count` digits at `from`; the caller has checked that they lie in the text. */
static bool read_digits(const uint8_t *from, size_t count, uint32_t *value_out) {
    uint32_t value = 0;
    for (size_t i = 0; i < count; i++) {
        if (from[i] < '0' || from[i] > '9') {
            return false;
        }
        value = value * 10 + (uint32_t)(from[i] - '0');
    }
    *value_out = value;
    return true;
}

bool cairn__parse_date(cairn_span text, int64_t *days_out) {
    uint32_t year = 0;
    uint32_t month = 0;
    uint32_t day = 0;
    if (text.len != 10 || text.data[4] != '-' || text.data[7] != '-' ||
        !read_digits(text.data, 4, &year) || !read_digits(text.data + 5, 2, &month) ||
        !read_digits(text.data + 8, 2, &day)) {
        return false;
    }
    if (month < 1 || month > 12 || day < 1 || day > cairn__days_in_month((int32_t)year, month)) {
        return false;
    }
    *days_out = cairn__days_from_civil((cairn__civil){ (int32_t)year, month, day });
    return true;
}

/* "10:00:00" to ms of the day. */
static bool parse_clock(const uint8_t *from, int64_t *ms_out) {
    uint32_t hour = 0;
    uint32_t minute = 0;
    uint32_t second = 0;
    if (from[2] != ':' || from[5] != ':' || !read_digits(from, 2, &hour) ||
        !read_digits(from + 3, 2, &minute) || !read_digits(from + 6, 2, &second)) {
        return false;
    }
    if (hour > 23 || minute > 59 || second > 60) {
        return false;
    }
    *ms_out = hour * (int64_t)HOUR_MS + minute * (int64_t)MINUTE_MS + second * (int64_t)SECOND_MS;
    if (second == 60) {
        *ms_out -= 1; /* a leap second has no number of its own */
    }
    return true;
}

/* ".123456" from text[*at]; nothing there is 0 ms. False: a point without a digit. */
static bool parse_fraction(cairn_span text, size_t *at, int64_t *ms_out) {
    *ms_out = 0;
    if (*at >= text.len || text.data[*at] != '.') {
        return true;
    }
    int64_t scale = 100;
    size_t start = ++*at;
    while (*at < text.len && text.data[*at] >= '0' && text.data[*at] <= '9') {
        *ms_out += (text.data[*at] - '0') * scale;
        scale /= 10;
        *at += 1;
    }
    return *at > start;
}

/* "Z" or "+08:00" must be all that is left. */
static bool parse_offset(cairn_span rest, int64_t *ms_out) {
    if (rest.len == 1 && (rest.data[0] == 'Z' || rest.data[0] == 'z')) {
        *ms_out = 0;
        return true;
    }
    uint32_t hour = 0;
    uint32_t minute = 0;
    if (rest.len != 6 || (rest.data[0] != '+' && rest.data[0] != '-') || rest.data[3] != ':' ||
        !read_digits(rest.data + 1, 2, &hour) || !read_digits(rest.data + 4, 2, &minute) ||
        hour > 23 || minute > 59) {
        return false;
    }
    int64_t ms = hour * (int64_t)HOUR_MS + minute * (int64_t)MINUTE_MS;
    *ms_out = rest.data[0] == '-' ? -ms : ms;
    return true;
}

bool cairn__parse_instant(cairn_span text, int64_t *ms_out) {
    enum { DATE = 10, CLOCK = 8 };
    int64_t days = 0;
    int64_t clock_ms = 0;
    int64_t fraction_ms = 0;
    int64_t offset_ms = 0;
    if (text.len < DATE + 1 + CLOCK + 1 ||
        !cairn__parse_date((cairn_span){ text.data, DATE }, &days)) {
        return false;
    }
    uint8_t mark = text.data[DATE];
    if ((mark != 'T' && mark != 't' && mark != ' ') ||
        !parse_clock(text.data + DATE + 1, &clock_ms)) {
        return false;
    }
    size_t at = DATE + 1 + CLOCK;
    bool leap = clock_ms % SECOND_MS != 0;
    if (!parse_fraction(text, &at, &fraction_ms) ||
        !parse_offset((cairn_span){ text.data + at, text.len - at }, &offset_ms)) {
        return false;
    }
    *ms_out = days * CAIRN__DAY_MS + clock_ms + (leap ? 0 : fraction_ms) - offset_ms;
    return true;
}

static size_t put_number(char *to, uint64_t value, size_t width) {
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0 || count < width);
    for (size_t i = 0; i < count; i++) {
        to[i] = digits[count - 1 - i];
    }
    return count;
}

size_t cairn__format_date(int64_t days, char *to) {
    cairn__civil date = cairn__civil_from_days(days);
    size_t at = 0;
    if (date.year < 0) {
        to[at++] = '-';
    }
    at += put_number(to + at, (uint64_t)(date.year < 0 ? -(int64_t)date.year : date.year), 4);
    to[at++] = '-';
    at += put_number(to + at, date.month, 2);
    to[at++] = '-';
    at += put_number(to + at, date.day, 2);
    to[at] = '\0';
    return at;
}

size_t cairn__format_instant(int64_t ms, char *to) {
    int64_t rest = 0;
    size_t at = cairn__format_date(cairn__days_of_ms(ms, &rest), to);
    to[at++] = 'T';
    at += put_number(to + at, (uint64_t)(rest / HOUR_MS), 2);
    to[at++] = ':';
    at += put_number(to + at, (uint64_t)(rest / MINUTE_MS % 60), 2);
    to[at++] = ':';
    at += put_number(to + at, (uint64_t)(rest / SECOND_MS % 60), 2);
    to[at++] = '.';
    at += put_number(to + at, (uint64_t)(rest % SECOND_MS), 3);
    to[at++] = 'Z';
    to[at] = '\0';
    CAIRN_ASSERT(at < CAIRN__INSTANT_TEXT_BYTES);
    return at;
}
