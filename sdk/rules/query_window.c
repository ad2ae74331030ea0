/* query_window.c: which times a window holds at a moment, and until when it holds those.
 *
 * A calendar window holds the moments whose local date is one of its days. Those need not be one
 * run: where clocks are set back over midnight, a day ends, goes on after the next one has begun,
 * and ends again. So the bounds are a little wide at the end, and dates decide. */
#include "base/civil.h"
#include "base/zone_rule.h"
#include "rules/query.h"

typedef cairn__query_bounds bounds;

/* After a day's successor began, the day can come back for as long as a clock can be set back. */
static const int64_t slack_ms = 3 * (int64_t)CAIRN__DAY_MS;
static const int64_t ms_max = INT64_C(1) << 61;

static int64_t clamp(int64_t ms) {
    return ms > ms_max ? ms_max : ms < -ms_max ? -ms_max : ms;
}

/* The first moment after `now` at which the local date may be `day` or more: where the clock is
 * set before that, then, as all may be otherwise from there on. */
static int64_t next_day(const cairn__zone *zone, int64_t now_ms, int64_t day) {
    int64_t rest = 0;
    int64_t now = clamp(now_ms);
    int64_t today = cairn__days_of_ms(now, &rest);
    int64_t second = today * (CAIRN__DAY_MS / 1000) + rest / 1000;
    cairn__zone_segment segment = cairn__zone_segment_at(zone, second);
    int64_t begins = day * CAIRN__DAY_MS - segment.offset * INT64_C(1000);
    int64_t turn = segment.to > ms_max / 1000 ? INT64_MAX : segment.to * 1000;
    int64_t next = begins < turn ? begins : turn;
    return next > now_ms ? next : INT64_MAX; /* at the end of time nothing changes */
}

/* Dates that were never shown (Samoa went from the 29th to the 31st of December 2011) hold nothing:
 * then the bounds begin where time ends. */
static void set_days(bounds *b, int64_t first, int64_t last) {
    int64_t from_ms = cairn__zone_day_start(b->zone, first);
    bool shown = cairn__zone_day(b->zone, from_ms) <= last;
    b->by_day = true;
    b->first_day = first;
    b->last_day = last;
    b->from_ms = shown ? from_ms : INT64_MAX;
    if (last < INT64_MAX) {
        b->to_ms = cairn__query_add(cairn__zone_day_start(b->zone, last + 1), slack_ms);
    }
}

static void set_month(bounds *b, int64_t today, int64_t now_ms) {
    cairn__civil date = cairn__civil_from_days(today);
    int64_t first = today - (int64_t)date.day + 1;
    int64_t next = first + (int64_t)cairn__days_in_month(date.year, date.month);
    set_days(b, first, next - 1);
    b->until_ms = next_day(b->zone, now_ms, next);
}

static void set_calendar(bounds *b, const cairn__rule_window *window, int64_t now_ms) {
    int64_t today = cairn__zone_day(b->zone, now_ms);
    int64_t monday = today - (int64_t)cairn__weekday(today);
    switch ((int)window->kind) {
    case CAIRN__RULE_WINDOW_TODAY:
        set_days(b, today, today);
        b->until_ms = next_day(b->zone, now_ms, today + 1);
        break;
    case CAIRN__RULE_WINDOW_YESTERDAY:
        set_days(b, today - 1, today - 1);
        b->until_ms = next_day(b->zone, now_ms, today + 1);
        break;
    case CAIRN__RULE_WINDOW_THIS_WEEK:
        set_days(b, monday, monday + 6);
        b->until_ms = next_day(b->zone, now_ms, monday + 7);
        break;
    case CAIRN__RULE_WINDOW_THIS_MONTH:
        set_month(b, today, now_ms);
        break;
    case CAIRN__RULE_WINDOW_SINCE:
        set_days(b, window->from_day, INT64_MAX);
        break;
    default:
        set_days(b, window->from_day, window->to_day);
        break;
    }
}

bounds cairn__query_bounds_at(const cairn__query *query, const cairn__query_moment *when) {
    const cairn__rule_window *window = &query->window;
    bool user = window->user_time && when->user_zone != NULL;
    bounds b = { .zone = user ? when->user_zone : when->zone,
                 .from_ms = INT64_MIN,
                 .to_ms = INT64_MAX,
                 .until_ms = INT64_MAX };
    if (window->kind == CAIRN__RULE_WINDOW_LAST) {
        /* (now - ms, now]; the first moment of time itself lies in no rolling window */
        b.from_ms = cairn__query_add(cairn__query_add(when->now_ms, -window->ms), 1);
    } else if (window->kind != CAIRN__RULE_WINDOW_EVER) {
        set_calendar(&b, window, when->now_ms);
    }
    return b;
}

bool cairn__query_within(const bounds *b, int64_t time_ms) {
    if (time_ms < b->from_ms || time_ms >= b->to_ms) {
        return false;
    }
    if (!b->by_day) {
        return true;
    }
    int64_t day = cairn__zone_day(b->zone, time_ms);
    return day >= b->first_day && day <= b->last_day;
}

cairn__query_times cairn__query_window(const cairn__query *query, const cairn__query_moment *when) {
    bounds b = cairn__query_bounds_at(query, when);
    return (cairn__query_times){ b.from_ms, b.to_ms };
}
