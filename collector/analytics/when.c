#include "analytics/when.h"

#include "base/bytes.h"
#include "base/civil.h"

enum {
    DIGITS_MAX = 9,
    MINUTE_MS = 60000,
    HOUR_MS = 3600000,
    DURATION_DAYS_MAX = 366,
    YEARS_MAX = 200,
};

/* The digits at the front; text_out is what follows. */
static bool read_count(cairn_span text, int64_t *count_out, cairn_span *text_out) {
    size_t used = 0;
    int64_t count = 0;
    while (used < text.len && used < DIGITS_MAX && text.data[used] >= '0' &&
           text.data[used] <= '9') {
        count = count * 10 + (text.data[used] - '0');
        used++;
    }
    *count_out = count;
    *text_out = used == 0 ? text : cairn__span(text.data + used, text.len - used);
    return used > 0;
}

bool cairn__when_duration(cairn_span text, int64_t *ms_out) {
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {
        { "ms", 1 },      { "s", 1000 },          { "m", MINUTE_MS },
        { "h", HOUR_MS }, { "d", CAIRN__DAY_MS }, { "w", 7 * (int64_t)CAIRN__DAY_MS },
    };
    int64_t count;
    cairn_span unit;
    if (!read_count(text, &count, &unit)) {
        return false;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (!cairn__span_equal(unit, cairn__span_of(units[i].name))) {
            continue;
        }
        int64_t ms = count * units[i].ms;
        *ms_out = ms;
        return ms > 0 && ms <= DURATION_DAYS_MAX * (int64_t)CAIRN__DAY_MS;
    }
    return false;
}

static int64_t count_max(char unit) {
    switch (unit) {
    case 'm':
        return YEARS_MAX * (int64_t)366 * 24 * 60;
    case 'h':
        return YEARS_MAX * (int64_t)366 * 24;
    case 'd':
        return YEARS_MAX * (int64_t)366;
    case 'w':
        return YEARS_MAX * (int64_t)52;
    case 'M':
        return YEARS_MAX * (int64_t)12;
    case 'y':
        return YEARS_MAX;
    default:
        return -1;
    }
}

bool cairn__when_step_read(cairn_span text, cairn__when_step *step_out) {
    int64_t count;
    cairn_span unit;
    if (text.len < 3 || text.data[0] != '-' ||
        !read_count(cairn__span(text.data + 1, text.len - 1), &count, &unit) || unit.len != 1) {
        return false;
    }
    char letter = (char)unit.data[0];
    if (count > count_max(letter)) {
        return false;
    }
    *step_out = (cairn__when_step){ .count = (int32_t)-count, .unit = letter };
    return true;
}

static int64_t add_months(int64_t days, int32_t count) {
    cairn__civil date = cairn__civil_from_days(days);
    int32_t months = date.year * 12 + (int32_t)date.month - 1 + count;
    date.year = months >= 0 ? months / 12 : (months - 11) / 12;
    date.month = (uint32_t)(months - date.year * 12) + 1;
    uint32_t last = cairn__days_in_month(date.year, date.month);
    date.day = date.day < last ? date.day : last;
    return cairn__days_from_civil(date);
}

int64_t cairn__when_step_from(const cairn__zone *zone, int64_t ms, cairn__when_step step) {
    if (step.unit == 'm' || step.unit == 'h') {
        return ms + step.count * (int64_t)(step.unit == 'm' ? MINUTE_MS : HOUR_MS);
    }
    int64_t rest_ms;
    int64_t local_ms = ms + cairn__zone_offset(zone, ms) * (int64_t)1000;
    int64_t days = cairn__days_of_ms(local_ms, &rest_ms);
    if (step.unit == 'd' || step.unit == 'w') {
        days += step.count * (int64_t)(step.unit == 'd' ? 1 : 7);
    } else {
        days = add_months(days, step.unit == 'M' ? step.count : step.count * 12);
    }
    return cairn__zone_to_utc(zone, days * CAIRN__DAY_MS + rest_ms);
}

bool cairn__when_read(cairn_span text, const cairn__zone *zone, int64_t now_ms, bool end,
                      int64_t *ms_out) {
    int64_t days;
    cairn__when_step step;
    if (cairn__span_equal(text, CAIRN_STR("now"))) {
        *ms_out = now_ms + (end ? 1 : 0);
        return true;
    }
    if (cairn__when_step_read(text, &step)) {
        *ms_out = cairn__when_step_from(zone, now_ms, step);
        return true;
    }
    if (cairn__parse_date(text, &days)) {
        *ms_out = cairn__zone_day_start(zone, days + (end ? 1 : 0));
        return true;
    }
    return cairn__parse_instant(text, ms_out);
}
