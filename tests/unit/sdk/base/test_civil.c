/* Goal: dates and their texts agree with the calendar, counted day by day, and with RFC 3339. */
#include <string.h>

#include "base/bytes.h"
#include "base/civil.h"
#include "support/cmocka_all.h"

static void every_day_of_eight_centuries_in_a_row(void **state) {
    (void)state;
    cairn__civil want = { 1599, 12, 31 };
    int64_t day = cairn__days_from_civil(want);
    uint32_t weekday = 4; /* a Friday; Monday is 0 */
    for (int i = 0; i < 800 * 365; i++) {
        cairn__civil got = cairn__civil_from_days(day);
        assert_int_equal(got.year, want.year);
        assert_int_equal(got.month, want.month);
        assert_int_equal(got.day, want.day);
        assert_int_equal(cairn__days_from_civil(want), day);
        assert_int_equal(cairn__weekday(day), weekday);
        bool leap = want.year % 400 == 0 || (want.year % 4 == 0 && want.year % 100 != 0);
        uint32_t length = want.month == 2                         ? (leap ? 29 : 28)
                          : strchr("\4\6\11\13", (int)want.month) ? 30
                                                                  : 31;
        assert_int_equal(cairn__days_in_month(want.year, want.month), length);
        want.day = want.day == length ? 1 : want.day + 1;
        want.month = want.day > 1 ? want.month : want.month % 12 + 1;
        want.year += want.day == 1 && want.month == 1 ? 1 : 0;
        weekday = (weekday + 1) % 7;
        day += 1;
    }
}

static void known_days_and_the_far_ends(void **state) {
    (void)state;
    assert_int_equal(cairn__days_from_civil((cairn__civil){ 1970, 1, 1 }), 0);
    assert_int_equal(cairn__days_from_civil((cairn__civil){ 2000, 3, 1 }), 11017);
    assert_int_equal(cairn__days_from_civil((cairn__civil){ 0, 3, 1 }), -719468);
    assert_int_equal(cairn__weekday(0), 3);
    assert_int_equal(cairn__weekday(-1), 2);
    int64_t rest = 0;
    assert_int_equal(cairn__days_of_ms(-1, &rest), -1);
    assert_int_equal(rest, CAIRN__DAY_MS - 1);
    int64_t first = cairn__days_of_ms(INT64_MIN, &rest);
    cairn__civil date = cairn__civil_from_days(first);
    assert_int_equal(date.year, -292275055); /* what Java's Long.MIN_VALUE shows too */
    assert_int_equal(cairn__days_from_civil(date), first);
    (void)cairn__civil_from_days(INT64_MAX); /* taken as the last year there is; no overflow */
    (void)cairn__civil_from_days(INT64_MIN);
}

static void assert_instant(const char *text, int64_t want_ms) {
    int64_t ms = -1;
    assert_true(cairn__parse_instant(cairn__span_of(text), &ms));
    assert_int_equal(ms, want_ms);
}

static void instants_are_read(void **state) {
    (void)state;
    assert_instant("1970-01-01T00:00:00Z", 0);
    assert_instant("2026-11-24T10:00:00Z", 1795514400000);
    assert_instant("2026-11-24t10:00:00z", 1795514400000);
    assert_instant("2026-11-24 18:00:00+08:00", 1795514400000);
    assert_instant("2026-11-24T04:30:00-05:30", 1795514400000);
    assert_instant("2026-11-24T10:00:00.1Z", 1795514400100);
    assert_instant("2026-11-24T10:00:00.1239999999999999Z", 1795514400123);
    assert_instant("2016-12-31T23:59:60Z", 1483228799999);
    assert_instant("2016-12-31T23:59:60.5Z", 1483228799999);
    assert_instant("0000-02-29T00:00:00Z", -62162121600000);
}

static void what_is_not_an_instant_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "2026-11-24",
        "2026-11-24T10:00:00",
        "2026-11-24T10:00Z",
        "2026-11-24T10:00:00.Z",
        "2026-11-24T10:00:00+0800",
        "2026-11-24T10:00:00+24:00",
        "2026-11-24T10:00:00+08:60",
        "2026-11-24T24:00:00Z",
        "2026-11-24T10:60:00Z",
        "2026-11-24T10:00:61Z",
        "2026-02-29T10:00:00Z",
        "2026-13-01T10:00:00Z",
        "2026-00-01T10:00:00Z",
        "2026-11-00T10:00:00Z",
        "2026/11/24T10:00:00Z",
        "2026-11-24_10:00:00Z",
        "2026-11-24T10:00:00Z ",
        " 2026-11-24T10:00:00Z",
        "+026-11-24T10:00:00Z",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t ms = 0;
        if (cairn__parse_instant(cairn__span_of(bad[i]), &ms)) {
            fail_msg("taken for an instant: %s", bad[i]);
        }
    }
    int64_t days = 0;
    assert_false(cairn__parse_date(CAIRN_STR("2026-11-31"), &days));
    assert_false(cairn__parse_date(CAIRN_STR("2026-11-3"), &days));
    assert_true(cairn__parse_date(CAIRN_STR("2024-02-29"), &days));
    assert_int_equal(days, 19782);
}

static void texts_round_trip(void **state) {
    (void)state;
    char text[CAIRN__INSTANT_TEXT_BYTES];
    assert_int_equal(cairn__format_instant(1795514400123, text), 24);
    assert_string_equal(text, "2026-11-24T10:00:00.123Z");
    assert_int_equal(cairn__format_instant(INT64_MIN, text), 30);
    assert_string_equal(text, "-292275055-05-16T16:47:04.192Z");
    cairn__format_instant(INT64_MAX, text);
    assert_string_equal(text, "292278994-08-17T07:12:55.807Z");
    assert_int_equal(cairn__format_date(0, text), 10);
    assert_string_equal(text, "1970-01-01");
    for (int64_t ms = -62162121600000; ms < INT64_C(253402300799999); ms += 98765432101) {
        int64_t back = 0;
        size_t length = cairn__format_instant(ms, text);
        assert_true(cairn__parse_instant(cairn__span(text, length), &back));
        assert_int_equal(back, ms);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_eight_centuries_in_a_row),
        cmocka_unit_test(known_days_and_the_far_ends),
        cmocka_unit_test(instants_are_read),
        cmocka_unit_test(what_is_not_an_instant_is_refused),
        cmocka_unit_test(texts_round_trip),
    };
    return cmocka_run_group_tests_name("sdk/base/civil", tests, NULL, NULL);
}
