#include "cli/when.h"
#include "support/cmocka_all.h"

static void assert_ms(const char *text, const char *format, int offset_minutes, int64_t want) {
    int64_t ms = 0;
    assert_true(cairn__when_parse(text, format, &(cairn__when){ offset_minutes, NULL }, &ms));
    assert_true(ms == want);
}

static void assert_refused(const char *text, const char *format) {
    int64_t ms = 0;
    assert_false(cairn__when_parse(text, format, &(cairn__when){ 0, NULL }, &ms));
}

static void a_pattern_is_wall_time_at_the_offset(void **state) {
    (void)state;
    assert_ms("19970101", "%Y%m%d", 0, 852076800000);
    assert_ms("19970101", "%Y%m%d", 480, 852048000000);
}

static void rfc3339_carries_its_own_offset(void **state) {
    (void)state;
    assert_ms("1997-01-01T00:00:00Z", "rfc3339", 480, 852076800000);
    assert_ms("1997-01-01T08:00:00.250+08:00", "rfc3339", 0, 852076800250);
}

static void epochs_are_whole_numbers(void **state) {
    (void)state;
    assert_ms("852076800", "epoch_s", 0, 852076800000);
    assert_ms("-1", "epoch_ms", 0, -1);
    assert_refused("12.5", "epoch_s");
    assert_refused("99999999999999", "epoch_s");
}

static void what_is_no_date_is_refused(void **state) {
    (void)state;
    assert_refused("19970231", "%Y%m%d");
    assert_refused("19970101x", "%Y%m%d");
    assert_refused("1997-02-29T00:00:00Z", "rfc3339");
    assert_refused("1997-01-01T00:00:00", "rfc3339");
    assert_refused("", "epoch_ms");
}

static void a_zone_is_utc_or_an_offset(void **state) {
    (void)state;
    int minutes = 0;
    assert_true(cairn__when_zone("-03:30", &minutes));
    assert_int_equal(minutes, -210);
    assert_false(cairn__when_zone("Mars/Base", &minutes));
}

static void an_iana_zone_knows_daylight_saving(void **state) {
    (void)state;
    cairn__arena arena = cairn__arena_make(cairn__heap(), 1 << 20);
    cairn__when when;
    int64_t ms = 0;
    assert_true(cairn__when_find("Europe/Berlin", &arena, &when));
    assert_true(cairn__when_parse("2026-01-15 12:00", "%Y-%m-%d %H:%M", &when, &ms));
    assert_true(ms == 1768474800000); /* 11:00 in UTC */
    assert_true(cairn__when_parse("2026-07-15 12:00", "%Y-%m-%d %H:%M", &when, &ms));
    assert_true(ms == 1784109600000); /* 10:00 in UTC */
    assert_false(cairn__when_find("../../etc/passwd", &arena, &when));
    assert_false(cairn__when_find("Mars/Base", &arena, &when));
    cairn__arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_is_wall_time_at_the_offset),
        cmocka_unit_test(rfc3339_carries_its_own_offset),
        cmocka_unit_test(epochs_are_whole_numbers),
        cmocka_unit_test(what_is_no_date_is_refused),
        cmocka_unit_test(a_zone_is_utc_or_an_offset),
        cmocka_unit_test(an_iana_zone_knows_daylight_saving),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
