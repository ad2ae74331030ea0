/* Goal: caps and quiet hours are exact, whatever the clock, the calendar and the zone do.
 * Method: one popup, its moments to the millisecond, in zones with daylight saving. */
#include "base/civil.h"
#include "popup_world.h"
#include "support/cmocka_all.h"

enum { HOUR_MS = 3600000 };

/* A moment in a zone: the wall clock of a date. */
static int64_t at(const cairn__zone *zone, int32_t year, uint32_t month, uint32_t day,
                  int64_t minute) {
    int64_t days = cairn__days_from_civil((cairn__civil){ year, month, day });
    return cairn__zone_to_utc(zone, days * CAIRN__DAY_MS + minute * 60000);
}

static void quiet_hours_over_midnight_belong_to_the_day_they_begin_on(void **state) {
    world *w = *state;
    const cairn__quiet night[] = { { 22 * 60, 7 * 60, 0 } };
    cairn__popup p = popup("p");
    p.quiet = night;
    p.quiet_count = 1;
    use(w, &p, 1);
    const cairn__zone *shanghai = world_zone(w, "Asia/Shanghai");
    w->input.user_zone = shanghai;
    const struct {
        int64_t minute;
        const char *reason;
    } cases[] = { { 21 * 60 + 59, "show" }, { 22 * 60, "quiet" }, { 23 * 60 + 59, "quiet" },
                  { 0, "quiet" },           { 419, "quiet" },     { 420, "show" } };
    for (size_t i = 0; i < 6; i++) {
        w->input.now_ms = at(shanghai, 2026, 11, 24, cases[i].minute);
        expect(w, cases[i].reason);
    }
    const cairn__quiet friday[] = { { 22 * 60, 7 * 60, 1 << 4 } };
    p.quiet = friday;
    w->input.now_ms = at(shanghai, 2026, 11, 27, 23 * 60); /* a Friday */
    expect(w, "quiet");
    w->input.now_ms = at(shanghai, 2026, 11, 28, 6 * 60); /* the morning after it */
    expect(w, "quiet");
    w->input.now_ms = at(shanghai, 2026, 11, 27, 6 * 60); /* Thursday's night */
    expect(w, "show");
    const cairn__quiet lunch[] = { { 0, 60, 0 }, { 12 * 60, 13 * 60, 0 } };
    p.quiet = lunch;
    p.quiet_count = 2;
    w->input.now_ms = at(shanghai, 2026, 11, 27, 12 * 60 + 30);
    expect(w, "quiet");
    w->input.user_zone = NULL; /* 04:30 where nothing else is known */
    expect(w, "show");
    const cairn__quiet whole[] = { { 600, 600, 1 << 4 } }; /* a day from Friday 10:00 */
    p.quiet = whole;
    p.quiet_count = 1;
    w->input.now_ms = at(NULL, 2026, 11, 28, 599);
    expect(w, "quiet");
    w->input.now_ms = at(NULL, 2026, 11, 28, 600);
    expect(w, "show");
}

static void quiet_hours_follow_the_wall_clock_on_days_of_changing_clocks(void **state) {
    world *w = *state;
    const cairn__quiet early[] = { { 0, 180, 0 } }; /* until 03:00 */
    cairn__popup p = popup("p");
    p.quiet = early;
    p.quiet_count = 1;
    use(w, &p, 1);
    const cairn__zone *berlin = world_zone(w, "Europe/Berlin");
    w->input.user_zone = berlin;
    int64_t midnight = at(berlin, 2026, 3, 29, 0); /* 02:00 becomes 03:00 */
    w->input.now_ms = midnight + 2 * HOUR_MS - 1;
    expect(w, "quiet");
    w->input.now_ms = midnight + 2 * HOUR_MS;
    expect(w, "show");
    midnight = at(berlin, 2026, 10, 25, 0); /* 03:00 becomes 02:00: one hour more */
    w->input.now_ms = midnight + 4 * HOUR_MS - 1;
    expect(w, "quiet");
    w->input.now_ms = midnight + 4 * HOUR_MS;
    expect(w, "show");
}

/* One cap on popup "p". */
static void use_cap(world *w, cairn__popup *p, const cairn__cap *cap) {
    *p = popup("p");
    p->caps = cap;
    p->cap_count = 1;
    use(w, p, 1);
}

static void a_rolling_window_is_exact_to_the_millisecond(void **state) {
    world *w = *state;
    const cairn__cap cap = { .window = CAIRN__CAP_ROLLING, .count = 2, .window_ms = 24 * HOUR_MS };
    cairn__popup p;
    use_cap(w, &p, &cap);
    const int64_t first = 1000000;
    world_note_popup(w, "$popup_show", "p", first);
    w->input.now_ms = first + 1;
    expect(w, "show");
    world_note_popup(w, "$popup_show", "p", first + HOUR_MS);
    w->input.now_ms = first + 24 * HOUR_MS - 1;
    expect(w, "cap");
    assert_true(world_has(w, "\"cap\":{\"count\":2,\"of\":\"shows\",\"window\":\"rolling\","
                             "\"ms\":86400000}"));
    w->input.now_ms = first + 24 * HOUR_MS; /* (now - 24 h, now]: the first is out */
    expect(w, "show");
    w->input.now_ms = first - 48 * HOUR_MS; /* the clock was set back: they still count */
    expect(w, "cap");
    w->input.now_ms = INT64_MIN;
    expect(w, "cap");
    w->input.now_ms = INT64_MAX - 1;
    expect(w, "show");
}

static void calendar_days_are_those_of_the_user(void **state) {
    world *w = *state;
    const cairn__cap cap = { .window = CAIRN__CAP_DAY, .count = 1 };
    cairn__popup p;
    use_cap(w, &p, &cap);
    const cairn__zone *shanghai = world_zone(w, "Asia/Shanghai"); /* UTC+8 */
    w->input.user_zone = shanghai;
    world_note_popup(w, "$popup_show", "p", at(shanghai, 2026, 11, 24, 1439));
    w->input.now_ms = at(shanghai, 2026, 11, 25, 0) - 1;
    expect(w, "cap");
    w->input.now_ms = at(shanghai, 2026, 11, 25, 0); /* 16:00 of the 24th in UTC */
    expect(w, "show");
    w->input.user_zone = NULL; /* flown to where it is still the 24th */
    expect(w, "cap");
    w->input.user_zone = world_zone(w, "America/New_York");
    expect(w, "cap");
    w->definitions.zone = shanghai; /* without a zone of the user: the project's */
    w->input.user_zone = NULL;
    expect(w, "show");
}

static void days_of_23_and_25_hours_are_one_day(void **state) {
    world *w = *state;
    const cairn__cap cap = { .window = CAIRN__CAP_DAY, .count = 1 };
    cairn__popup p;
    use_cap(w, &p, &cap);
    const cairn__zone *berlin = world_zone(w, "Europe/Berlin");
    w->input.user_zone = berlin;
    int64_t spring = at(berlin, 2026, 3, 29, 0);
    world_note_popup(w, "$popup_show", "p", spring);
    w->input.now_ms = spring + 23 * HOUR_MS - 1;
    expect(w, "cap");
    w->input.now_ms = spring + 23 * HOUR_MS;
    expect(w, "show");
    int64_t autumn = at(berlin, 2026, 10, 25, 0);
    world_note_popup(w, "$popup_show", "p", autumn);
    w->input.now_ms = autumn + 25 * HOUR_MS - 1;
    expect(w, "cap");
    w->input.now_ms = autumn + 25 * HOUR_MS;
    expect(w, "show");
}

static void weeks_begin_on_monday_and_months_on_the_first(void **state) {
    world *w = *state;
    const cairn__cap week = { .window = CAIRN__CAP_WEEK, .count = 1 };
    const cairn__cap month = { .window = CAIRN__CAP_MONTH, .count = 1 };
    cairn__popup p;
    use_cap(w, &p, &week);
    world_note_popup(w, "$popup_show", "p", at(NULL, 2026, 11, 23, 0)); /* a Monday */
    w->input.now_ms = at(NULL, 2026, 11, 29, 1439);
    expect(w, "cap");
    w->input.now_ms = at(NULL, 2026, 11, 30, 0);
    expect(w, "show");
    p.caps = &month;
    expect(w, "cap");
    w->input.now_ms = at(NULL, 2026, 12, 1, 0);
    expect(w, "show");
}

static void caps_count_clicks_conversions_closes_sessions_and_for_ever(void **state) {
    world *w = *state;
    const cairn__cap caps[] = {
        { .counts = CAIRN__CAP_CLICKS, .window = CAIRN__CAP_EVER, .count = 1 },
        { .counts = CAIRN__CAP_CONVERSIONS, .window = CAIRN__CAP_EVER, .count = 1 },
        { .counts = CAIRN__CAP_CLOSES, .window = CAIRN__CAP_EVER, .count = 2 },
        { .counts = CAIRN__CAP_SHOWS, .window = CAIRN__CAP_SESSION, .count = 2 },
    };
    cairn__popup p;
    use_cap(w, &p, &caps[0]);
    world_note_popup(w, "$popup_show", "p", 1);
    expect(w, "show"); /* until clicked */
    world_note_popup(w, "$popup_click", "p", 2);
    expect(w, "cap");
    p.caps = &caps[1];
    expect(w, "show");
    world_note_popup(w, "$popup_convert", "p", 2);
    expect(w, "cap");
    p.caps = &caps[2];
    world_note_popup(w, "$popup_close", "p", 3);
    expect(w, "show");
    world_note_popup(w, "$popup_close", "p", 3);
    expect(w, "cap");
    p.caps = &caps[3];
    expect(w, "show");
    world_note_popup(w, "$popup_show", "p", 4);
    expect(w, "cap");
    w->input.session = 2;
    expect(w, "show");
}

static void groups_and_all_popups_have_caps_too(void **state) {
    world *w = *state;
    static const cairn__cap two[] = { { .window = CAIRN__CAP_EVER, .count = 2 } };
    static const cairn__cap three[] = { { .window = CAIRN__CAP_EVER, .count = 3 } };
    static const cairn__cap_group groups[] = {
        { .caps = three, .cap_count = 1 },
        { .name = { (const uint8_t *)"promo", 5 }, .caps = two, .cap_count = 1 },
    };
    static const uint16_t promo[] = { 1 };
    cairn__popup all[] = { popup("p"), popup("q"), popup("free") };
    all[0].groups = promo;
    all[0].group_count = 1;
    all[1].groups = promo;
    all[1].group_count = 1;
    w->definitions.cap_groups = groups;
    w->definitions.cap_group_count = 2;
    use(w, all, 3);
    world_note_popup(w, "$popup_show", "p", 1);
    expect(w, "show");
    world_note_popup(w, "$popup_show", "q", 2);
    expect(w, "cap_group");
    assert_true(world_has(w, "\"group\":\"promo\""));
    assert_true(world_says(w, "free", "show"));
    world_note_popup(w, "$popup_show", "free", 3);
    decide(w);
    assert_true(world_says(w, "free", "cap_all"));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, popup_setup, popup_teardown)
    const struct CMUnitTest tests[] = {
        TEST(quiet_hours_over_midnight_belong_to_the_day_they_begin_on),
        TEST(quiet_hours_follow_the_wall_clock_on_days_of_changing_clocks),
        TEST(a_rolling_window_is_exact_to_the_millisecond),
        TEST(calendar_days_are_those_of_the_user),
        TEST(days_of_23_and_25_hours_are_one_day),
        TEST(weeks_begin_on_monday_and_months_on_the_first),
        TEST(caps_count_clicks_conversions_closes_sessions_and_for_ever),
        TEST(groups_and_all_popups_have_caps_too),
    };
    return cmocka_run_group_tests_name("sdk/decide/caps", tests, NULL, NULL);
}
