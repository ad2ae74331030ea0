/* zone_rule.c: when daylight saving begins and ends in years that no table lists. */
#include "base/zone_rule.h"

#include "base/civil.h"

enum { HOUR = 3600, DAY = 86400, NAME_BYTES_MIN = 3, YEARS_SEEN = 4 };

typedef struct reader {
    const uint8_t *at;
    const uint8_t *end;
} reader;

static bool take(reader *in, uint8_t byte) {
    if (in->at < in->end && *in->at == byte) {
        in->at += 1;
        return true;
    }
    return false;
}

static bool read_number(reader *in, int32_t max, int32_t *value_out) {
    const uint8_t *start = in->at;
    int32_t value = 0;
    while (in->at < in->end && *in->at >= '0' && *in->at <= '9') {
        value = value * 10 + (*in->at - '0');
        in->at += 1;
        if (value > max) {
            return false;
        }
    }
    *value_out = value;
    return in->at > start;
}

static bool is_letter(uint8_t byte) {
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

/* A name is only stepped over: "EST", or "<+03>" for what is not letters. */
static bool skip_name(reader *in) {
    bool quoted = take(in, '<');
    const uint8_t *start = in->at;
    while (in->at < in->end && (quoted ? *in->at != '>' : is_letter(*in->at))) {
        in->at += 1;
    }
    bool long_enough = in->at - start >= NAME_BYTES_MIN;
    return long_enough && (!quoted || take(in, '>'));
}

/* "[+-]hh[:mm[:ss]]" */
static bool read_time(reader *in, int32_t hours_max, int32_t *seconds_out) {
    bool minus = take(in, '-');
    if (!minus) {
        (void)take(in, '+');
    }
    int32_t hour = 0;
    int32_t minute = 0;
    int32_t second = 0;
    if (!read_number(in, hours_max, &hour)) {
        return false;
    }
    if (take(in, ':')) {
        if (!read_number(in, 59, &minute)) {
            return false;
        }
        if (take(in, ':') && !read_number(in, 59, &second)) {
            return false;
        }
    }
    int32_t seconds = hour * HOUR + minute * 60 + second;
    *seconds_out = minus ? -seconds : seconds;
    return true;
}

static bool read_month_day(reader *in, cairn__zone_change *change) {
    return read_number(in, 12, &change->month) && change->month >= 1 && take(in, '.') &&
           read_number(in, 5, &change->week) && change->week >= 1 && take(in, '.') &&
           read_number(in, 6, &change->day);
}

static bool read_change(reader *in, cairn__zone_change *change) {
    bool good = false;
    *change = (cairn__zone_change){ .seconds = 2 * HOUR };
    if (take(in, 'M')) {
        change->kind = CAIRN__ZONE_MONTH_DAY;
        good = read_month_day(in, change);
    } else if (take(in, 'J')) {
        change->kind = CAIRN__ZONE_JULIAN;
        good = read_number(in, 365, &change->day) && change->day >= 1;
    } else {
        change->kind = CAIRN__ZONE_ORDINAL;
        good = read_number(in, 365, &change->day);
    }
    return good && (!take(in, '/') || read_time(in, 167, &change->seconds));
}

bool cairn__zone_rule_parse(cairn_span text, cairn__zone_rule *rule_out) {
    enum { OFFSET_HOURS_MAX = 24 };
    reader in = { text.data, text.data + text.len };
    int32_t west = 0;
    *rule_out = (cairn__zone_rule){ 0 };
    if (!skip_name(&in) || !read_time(&in, OFFSET_HOURS_MAX, &west)) {
        return false;
    }
    rule_out->standard = -west; /* POSIX counts westwards */
    rule_out->daylight = rule_out->standard;
    if (in.at == in.end) {
        return true;
    }
    if (!skip_name(&in)) {
        return false;
    }
    rule_out->daylight = rule_out->standard + HOUR;
    if (in.at < in.end && *in.at != ',') {
        if (!read_time(&in, OFFSET_HOURS_MAX, &west)) {
            return false;
        }
        rule_out->daylight = -west;
    }
    return take(&in, ',') && read_change(&in, &rule_out->start) && take(&in, ',') &&
           read_change(&in, &rule_out->end) && in.at == in.end;
}

static int64_t change_day(const cairn__zone_change *change, int32_t year) {
    int64_t january = cairn__days_from_civil((cairn__civil){ year, 1, 1 });
    if (change->kind == CAIRN__ZONE_ORDINAL) {
        return january + change->day;
    }
    if (change->kind == CAIRN__ZONE_JULIAN) {
        bool leap_passed = change->day >= 60 && cairn__days_in_month(year, 2) == 29;
        return january + change->day - 1 + (leap_passed ? 1 : 0);
    }
    uint32_t month = (uint32_t)change->month;
    int64_t first = cairn__days_from_civil((cairn__civil){ year, month, 1 });
    int32_t first_weekday = (int32_t)((cairn__weekday(first) + 1) % 7); /* Sunday is 0 */
    int32_t day = (change->day - first_weekday + 7) % 7 + 7 * (change->week - 1);
    while (day >= (int32_t)cairn__days_in_month(year, month)) {
        day -= 7; /* week 5 means the last one */
    }
    return first + day;
}

/* When the change of a year comes, in UTC: its wall clock is that of the offset before it. */
static int64_t change_moment(const cairn__zone_change *change, int32_t year, int32_t before) {
    return change_day(change, year) * DAY + change->seconds - before;
}

/* A change at `moment` to `offset`: the segment around `seconds` begins or ends there, or beyond.
 */
static void narrow(cairn__zone_segment *segment, int64_t seconds, int64_t moment, int32_t offset) {
    if (moment <= seconds && moment >= segment->from) {
        segment->from = moment;
        segment->offset = offset;
    }
    if (moment > seconds && moment < segment->to) {
        segment->to = moment;
    }
}

cairn__zone_segment cairn__zone_rule_segment(const cairn__zone_rule *rule, int64_t seconds) {
    cairn__zone_segment segment = { INT64_MIN, INT64_MAX, rule->standard };
    if (rule->standard == rule->daylight) {
        return segment;
    }
    int64_t days = seconds / DAY - (seconds % DAY < 0 ? 1 : 0);
    int32_t first = cairn__civil_from_days(days).year - 2;
    /* A change may lie up to a week outside its year, so the neighbours are asked too. Daylight all
     * the year ends and starts at one moment: the start, asked later, wins. */
    for (int32_t year = first; year <= first + YEARS_SEEN; year++) {
        narrow(&segment, seconds, change_moment(&rule->end, year, rule->daylight), rule->standard);
        narrow(&segment, seconds, change_moment(&rule->start, year, rule->standard),
               rule->daylight);
    }
    return segment;
}
