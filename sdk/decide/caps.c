/* caps.c: how often is too often, and when it is quiet. A cap of n within a window is reached when
 * the n-th newest time lies in it: one comparison, as times are kept newest first. Times after now
 * (the clock was set back) lie in every window: better one too few than one too many. */
#include "base/civil.h"
#include "decide/decider.h"

enum { MINUTE_MS = 60000, WEEK_DAYS = 7 };

static int64_t calendar_start(cairn__decider *decider, cairn__cap_window window) {
    static const cairn__unit units[] = { CAIRN__UNIT_DAY, CAIRN__UNIT_WEEK, CAIRN__UNIT_MONTH };
    size_t which = (size_t)window - CAIRN__CAP_DAY;
    CAIRN_ASSERT(which < sizeof units / sizeof units[0]);
    cairn__wall *wall = &decider->wall;
    if ((wall->starts_known & 1u << which) == 0) {
        wall->starts_ms[which] =
            cairn__unit_start(decider->user_zone, units[which], decider->input->now_ms);
        wall->starts_known |= (uint8_t)(1u << which);
    }
    return wall->starts_ms[which];
}

static uint32_t in_session(const cairn__memory_count *count, uint64_t session) {
    uint32_t found = 0;
    for (size_t i = 0; i < count->mark_count; i++) {
        found += count->marks[i].session == session;
    }
    return found;
}

/* Is this moment less than window_ms before now, or later? Exact for every two moments. */
static bool within(int64_t now_ms, int64_t window_ms, int64_t time_ms) {
    return time_ms >= now_ms || (uint64_t)now_ms - (uint64_t)time_ms < (uint64_t)window_ms;
}

bool cairn__cap_reached(cairn__decider *decider, const cairn__cap *cap,
                        const cairn__memory_entry *entry) {
    if (entry == NULL || (size_t)cap->counts >= CAIRN__MEMORY_COUNTS) {
        return false;
    }
    const cairn__memory_count *count = &entry->counts[cap->counts];
    if (count->total < cap->count) {
        return false;
    }
    if (cap->window == CAIRN__CAP_EVER) {
        return true;
    }
    if (cap->window == CAIRN__CAP_SESSION) {
        return in_session(count, decider->input->session) >= cap->count;
    }
    CAIRN_ASSERT(cap->count >= 1);
    if (cap->count > count->mark_count) {
        return false;
    }
    int64_t time_ms = count->marks[cap->count - 1].time_ms;
    return cap->window == CAIRN__CAP_ROLLING
               ? within(decider->input->now_ms, cap->window_ms, time_ms)
               : time_ms >= calendar_start(decider, cap->window);
}

const cairn__cap *cairn__caps_reached(cairn__decider *decider, const cairn__cap *caps, size_t count,
                                      const cairn__memory_entry *entry) {
    for (size_t i = 0; i < count && entry != NULL; i++) {
        if (cairn__cap_reached(decider, &caps[i], entry)) {
            return &caps[i];
        }
    }
    return NULL;
}

static void read_clock(cairn__decider *decider) {
    cairn__wall *wall = &decider->wall;
    int64_t now_ms = decider->input->now_ms;
    int64_t rest_ms = 0;
    int64_t offset_ms = (int64_t)cairn__zone_offset(decider->user_zone, now_ms) * 1000;
    int64_t days = cairn__days_of_ms(now_ms, &rest_ms);
    rest_ms += offset_ms; /* less than two days away from it */
    while (rest_ms < 0) {
        rest_ms += CAIRN__DAY_MS;
        days -= 1;
    }
    while (rest_ms >= CAIRN__DAY_MS) {
        rest_ms -= CAIRN__DAY_MS;
        days += 1;
    }
    wall->minute = (uint16_t)(rest_ms / MINUTE_MS);
    wall->weekday = (uint8_t)cairn__weekday(days);
    wall->clock_known = true;
}

static bool on_day(const cairn__quiet *quiet, unsigned weekday) {
    return quiet->days == 0 || (quiet->days >> weekday & 1) != 0;
}

bool cairn__quiet_now(cairn__decider *decider, const cairn__quiet *quiet, size_t count) {
    if (count > 0 && !decider->wall.clock_known) {
        read_clock(decider);
    }
    const cairn__wall *wall = &decider->wall;
    unsigned yesterday = (wall->weekday + WEEK_DAYS - 1u) % WEEK_DAYS;
    for (size_t i = 0; i < count; i++) {
        const cairn__quiet *period = &quiet[i];
        bool over_midnight = period->from_minute >= period->to_minute;
        bool begun = wall->minute >= period->from_minute && on_day(period, wall->weekday);
        bool not_over = wall->minute < period->to_minute;
        if (over_midnight ? begun || (not_over && on_day(period, yesterday)) : begun && not_over) {
            return true;
        }
    }
    return false;
}
