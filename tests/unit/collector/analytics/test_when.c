/* Goal: moments, durations and shifts mean what people mean by them, in zones with daylight saving,
 * and the nearest word is a near one.
 * Method: moments written as RFC 3339 on both sides. */
#include <stdio.h>

#include "analytics/when.h"
#include "base/bytes.h"
#include "base/civil.h"
#include "fault/fault.h"
#include "support/cmocka_all.h"

enum { ZONE_BYTES_MAX = 1 << 16 };

typedef struct {
    cairn__arena arena;
    const cairn__zone *berlin;
} zones;

static int load(void **state) {
    static zones z;
    z = (zones){ .arena = cairn__arena_make(cairn__heap(), 1 << 20) };
    uint8_t *bytes = cairn__arena_alloc(&z.arena, ZONE_BYTES_MAX);
    FILE *file = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
    assert_non_null(file);
    size_t len = fread(bytes, 1, ZONE_BYTES_MAX, file);
    (void)fclose(file);
    assert_int_equal(cairn__zone_parse(cairn__span(bytes, len), &z.arena, &z.berlin), CAIRN_OK);
    *state = &z;
    return 0;
}

static int unload(void **state) {
    zones *z = *state;
    cairn__arena_free(&z->arena);
    return 0;
}

static int64_t at(const char *instant) {
    int64_t ms;
    assert_true(cairn__parse_instant(cairn__span_of(instant), &ms));
    return ms;
}

static void is_moment(const cairn__zone *zone, const char *now, const char *text,
                      const char *wanted) {
    int64_t ms;
    char found[CAIRN__INSTANT_TEXT_BYTES];
    char expected[CAIRN__INSTANT_TEXT_BYTES];
    assert_true(cairn__when_read(cairn__span_of(text), zone, at(now), false, &ms));
    (void)cairn__format_instant(ms, found);
    (void)cairn__format_instant(at(wanted), expected);
    assert_string_equal(found, expected);
}

static void durations_have_a_unit_and_a_limit(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = { { "250ms", 250 },
                 { "90s", 90000 },
                 { "30m", 1800000 },
                 { "1h", 3600000 },
                 { "7d", 7 * 86400000LL },
                 { "2w", 14 * 86400000LL },
                 { "366d", 366 * 86400000LL } };
    static const char *const bad[] = { "",     "d",   "7",    "7 d",   "-7d", "0d",
                                       "367d", "53w", "1.5h", "7days", "7D",  "9999999999d" };
    int64_t ms;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(cairn__when_duration(cairn__span_of(good[i].text), &ms));
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(cairn__when_duration(cairn__span_of(bad[i]), &ms));
    }
}

static void days_back_keep_the_wall_clock_and_hours_do_not(void **state) {
    const zones *z = *state;
    const char *now = "2026-03-30T10:00:00+02:00"; /* the day after the 23-hour day */
    is_moment(z->berlin, now, "-2d", "2026-03-28T10:00:00+01:00");
    is_moment(z->berlin, now, "-48h", "2026-03-28T09:00:00+01:00");
    is_moment(z->berlin, now, "-1w", "2026-03-23T10:00:00+01:00");
    is_moment(z->berlin, now, "-90m", "2026-03-30T08:30:00+02:00");
    is_moment(NULL, now, "now", now);
}

static void a_month_back_is_at_most_the_last_day(void **state) {
    (void)state;
    is_moment(NULL, "2026-03-31T10:00:00Z", "-1M", "2026-02-28T10:00:00Z");
    is_moment(NULL, "2024-03-31T10:00:00Z", "-1M", "2024-02-29T10:00:00Z");
    is_moment(NULL, "2026-01-15T00:00:00Z", "-13M", "2024-12-15T00:00:00Z");
    is_moment(NULL, "2024-02-29T00:00:00Z", "-1y", "2023-02-28T00:00:00Z");
    is_moment(NULL, "2026-01-15T00:00:00Z", "-200y", "1826-01-15T00:00:00Z");
}

static void dates_are_local_days_and_their_ends(void **state) {
    const zones *z = *state;
    int64_t ms;
    is_moment(z->berlin, "2026-08-01T00:00:00Z", "2026-03-29", "2026-03-28T23:00:00Z");
    assert_true(
        cairn__when_read(CAIRN_STR("2026-03-29"), z->berlin, 0, true, &ms)); /* 23 hours long */
    assert_int_equal(ms, at("2026-03-29T22:00:00Z"));
    assert_true(cairn__when_read(CAIRN_STR("now"), NULL, 1000, true, &ms));
    assert_int_equal(ms, 1001);
}

static void what_is_no_moment_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",      "yesterday", "30d",        "+30d",     "-30",      "-30D",         "-d",
        "-201y", "-30dd",     "2026-13-01", "2026-8-1", "20260801", "-99999999999d"
    };
    int64_t ms;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(cairn__when_read(cairn__span_of(bad[i]), NULL, 0, false, &ms));
    }
}

static void the_nearest_word_is_near(void **state) {
    (void)state;
    static const char *const words[] = { "window", "order", "entry", "end" };
    assert_string_equal(cairn__fault_nearest(CAIRN_STR("windwo"), words, 4), "window");
    assert_string_equal(cairn__fault_nearest(CAIRN_STR("ordre"), words, 4), "order");
    assert_string_equal(cairn__fault_nearest(CAIRN_STR("en"), words, 4), "end");
    assert_null(cairn__fault_nearest(CAIRN_STR("breakdown"), words, 4));
    assert_null(cairn__fault_nearest(CAIRN_STR(""), words, 4));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_have_a_unit_and_a_limit),
        cmocka_unit_test(days_back_keep_the_wall_clock_and_hours_do_not),
        cmocka_unit_test(a_month_back_is_at_most_the_last_day),
        cmocka_unit_test(dates_are_local_days_and_their_ends),
        cmocka_unit_test(what_is_no_moment_is_refused),
        cmocka_unit_test(the_nearest_word_is_near),
    };
    return cmocka_run_group_tests_name("collector/analytics/when", tests, load, unload);
}
