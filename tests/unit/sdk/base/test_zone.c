/* Goal: days of 23 and 25 hours, skipped midnights and damaged files come out as zone.h says.
 * Method: TZif files made here, known moments; zone_peer.py compares with Python on real files. */
#include <string.h>

#include "base/bytes.h"
#include "base/civil.h"
#include "base/zone.h"
#include "support/cmocka_all.h"

enum { HOUR_MS = 3600000, FILE_BYTES = 1024 };

static const char new_york[] = "EST5EDT,M3.2.0,M11.1.0";
static const char sao_paulo[] = "<-03>3<-02>,M11.1.0/0,M2.3.0/0";
static const char lord_howe[] = "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0";

typedef struct fixture {
    uint8_t bytes[FILE_BYTES];
    size_t size;
    cairn__arena arena;
} fixture;

static int open_arena(void **state) {
    static fixture f;
    f.arena = cairn__arena_make(cairn__heap(), 1 << 20);
    *state = &f;
    return 0;
}

static int close_arena(void **state) {
    cairn__arena_free(&((fixture *)*state)->arena);
    return 0;
}

static void put(fixture *f, const void *bytes, size_t count) {
    memcpy(f->bytes + f->size, bytes, count);
    f->size += count;
}

static void put_big(fixture *f, uint64_t value, size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t shift = 8 * (count - 1 - i);
        f->bytes[f->size++] = (uint8_t)(shift < 64 ? value >> shift : 0);
    }
}

static void put_header(fixture *f, uint32_t changes, uint32_t types) {
    put(f, "TZif2", 5);
    put_big(f, 0, 15 + 12);
    put_big(f, changes, 4);
    put_big(f, types, 4);
    put_big(f, 4, 4); /* bytes of names */
}

/* A file of two types (0: before everything, 1: other), `changes` turning to each in turn. */
static void make(fixture *f, const int64_t *at, uint32_t changes, const int32_t offsets[2],
                 const char *footer) {
    f->size = 0;
    put_header(f, 0, 1);
    put_big(f, 0, 6 + 4);
    put_header(f, changes, 2);
    for (uint32_t i = 0; i < changes; i++) {
        put_big(f, (uint64_t)at[i], 8);
    }
    for (uint32_t i = 0; i < changes; i++) {
        put_big(f, (i + 1) % 2, 1);
    }
    for (int i = 0; i < 2; i++) {
        put_big(f, (uint32_t)offsets[i], 4);
        put_big(f, 0, 2);
    }
    put(f, "ABC", 4);
    put(f, "\n", 1);
    put(f, footer, strlen(footer));
    put(f, "\n", 1);
}

static const cairn__zone *zone_of(fixture *f, const char *rule) {
    static const int32_t offsets[2] = { 0, 0 };
    const cairn__zone *zone = NULL;
    make(f, NULL, 0, offsets, rule);
    assert_int_equal(cairn__zone_parse(cairn__span(f->bytes, f->size), &f->arena, &zone), CAIRN_OK);
    return zone;
}

static int64_t at(const char *text) {
    int64_t ms = 0;
    assert_true(cairn__parse_instant(cairn__span_of(text), &ms));
    return ms;
}

static int64_t date(const char *text) {
    int64_t days = 0;
    assert_true(cairn__parse_date(cairn__span_of(text), &days));
    return days;
}

static void days_of_23_and_25_hours(void **state) {
    const cairn__zone *zone = zone_of(*state, new_york);
    assert_int_equal(cairn__zone_offset(zone, at("2026-03-08T06:59:59.999Z")), -5 * 3600);
    assert_int_equal(cairn__zone_offset(zone, at("2026-03-08T07:00:00Z")), -4 * 3600);
    assert_int_equal(cairn__zone_offset(zone, at("2026-11-01T05:59:59Z")), -4 * 3600);
    assert_int_equal(cairn__zone_offset(zone, at("2026-11-01T06:00:00Z")), -5 * 3600);
    int64_t spring = cairn__zone_day_start(zone, date("2026-03-08"));
    assert_int_equal(spring, at("2026-03-08T05:00:00Z"));
    assert_int_equal(cairn__unit_add(zone, CAIRN__UNIT_DAY, spring, 1), spring + 23 * HOUR_MS);
    int64_t autumn = cairn__unit_start(zone, CAIRN__UNIT_DAY, at("2026-11-01T20:00:00Z"));
    assert_int_equal(autumn, at("2026-11-01T04:00:00Z"));
    assert_int_equal(cairn__unit_add(zone, CAIRN__UNIT_DAY, autumn, 1), autumn + 25 * HOUR_MS);
    assert_int_equal(cairn__unit_add(zone, CAIRN__UNIT_DAY, autumn, -1), autumn - 24 * HOUR_MS);
    /* 02:30 was skipped: the moment after the gap; 01:30 comes twice: the first */
    int64_t half_past = at("2026-03-08T02:30:00Z");
    assert_int_equal(cairn__zone_to_utc(zone, half_past), at("2026-03-08T07:00:00Z"));
    int64_t twice = at("2026-11-01T01:30:00Z");
    assert_int_equal(cairn__zone_to_utc(zone, twice), at("2026-11-01T05:30:00Z"));
}

static void a_day_whose_midnight_is_skipped_begins_later(void **state) {
    const cairn__zone *zone = zone_of(*state, sao_paulo);
    int64_t start = cairn__zone_day_start(zone, date("2026-11-01"));
    assert_int_equal(start, at("2026-11-01T03:00:00Z")); /* 01:00 local */
    assert_int_equal(cairn__zone_day(zone, start), date("2026-11-01"));
    assert_int_equal(cairn__zone_day(zone, start - 1), date("2026-10-31"));
    assert_int_equal(cairn__unit_start(zone, CAIRN__UNIT_MONTH, start + HOUR_MS), start);
    assert_int_equal(cairn__unit_add(zone, CAIRN__UNIT_DAY, start, 1), start + 23 * HOUR_MS);
    /* at the end of summer 23:00 comes again: that day has 25 hours */
    int64_t last = cairn__zone_day_start(zone, date("2026-02-14"));
    assert_int_equal(cairn__unit_add(zone, CAIRN__UNIT_DAY, last, 1), last + 25 * HOUR_MS);
}

static void an_hour_ends_where_the_clock_is_set(void **state) {
    const cairn__zone *zone = zone_of(*state, new_york);
    int64_t first = at("2026-11-01T05:00:00Z"); /* 01:00 in summer */
    int64_t second = at("2026-11-01T06:00:00Z");
    assert_int_equal(cairn__unit_start(zone, CAIRN__UNIT_HOUR, second - 1), first);
    assert_int_equal(cairn__unit_start(zone, CAIRN__UNIT_HOUR, second + 60000), second);
    assert_int_equal(cairn__unit_add(zone, CAIRN__UNIT_HOUR, first, 1), second);
    assert_int_equal(cairn__unit_add(zone, CAIRN__UNIT_HOUR, second, -1), first);

    zone = zone_of(*state, lord_howe); /* half an hour back at 02:00, 2026-04-05 */
    int64_t half = at("2026-04-04T15:00:00Z");
    assert_int_equal(cairn__unit_start(zone, CAIRN__UNIT_HOUR, half + 60000), half);
    assert_int_equal(cairn__unit_add(zone, CAIRN__UNIT_HOUR, half, 1), half + HOUR_MS / 2);
    assert_int_equal(cairn__unit_add(zone, CAIRN__UNIT_HOUR, half, -1), half - HOUR_MS);
    assert_int_equal(cairn__unit_add(zone, CAIRN__UNIT_HOUR, half, 2),
                     half + HOUR_MS / 2 + HOUR_MS);
}

static void jumps_of_many_hours_equal_single_steps(void **state) {
    const cairn__zone *zone = zone_of(*state, lord_howe);
    int64_t start = cairn__unit_start(zone, CAIRN__UNIT_HOUR, at("2026-01-01T00:10:00Z"));
    int64_t step = start;
    for (int32_t count = 0; count < 9000; count++) {
        assert_int_equal(cairn__unit_add(zone, CAIRN__UNIT_HOUR, start, count), step);
        assert_int_equal(cairn__unit_add(zone, CAIRN__UNIT_HOUR, step, -count), start);
        assert_int_equal(cairn__unit_start(zone, CAIRN__UNIT_HOUR, step), step);
        int64_t next = cairn__unit_add(zone, CAIRN__UNIT_HOUR, step, 1);
        assert_true(next > step && next <= step + HOUR_MS);
        assert_int_equal(cairn__unit_start(zone, CAIRN__UNIT_HOUR, next - 1), step);
        step = next;
    }
}

static void units_of_utc(void **state) {
    (void)state;
    int64_t when = at("2026-08-20T13:14:15.161Z"); /* a Thursday */
    static const char *const starts[] = { "2026-08-20T13:14:00Z", "2026-08-20T13:00:00Z",
                                          "2026-08-20T00:00:00Z", "2026-08-17T00:00:00Z",
                                          "2026-08-01T00:00:00Z", "2026-07-01T00:00:00Z",
                                          "2026-01-01T00:00:00Z" };
    static const char *const fives[] = { "2026-08-20T13:19:00Z", "2026-08-20T18:00:00Z",
                                         "2026-08-25T00:00:00Z", "2026-09-21T00:00:00Z",
                                         "2027-01-01T00:00:00Z", "2027-10-01T00:00:00Z",
                                         "2031-01-01T00:00:00Z" };
    for (int unit = CAIRN__UNIT_MINUTE; unit <= CAIRN__UNIT_YEAR; unit++) {
        int64_t start = cairn__unit_start(NULL, (cairn__unit)unit, when);
        int64_t five = cairn__unit_add(NULL, (cairn__unit)unit, start, 5);
        assert_int_equal(start, at(starts[unit]));
        assert_int_equal(five, at(fives[unit]));
        assert_int_equal(cairn__unit_add(NULL, (cairn__unit)unit, five, -5), start);
    }
}

static void the_table_is_followed_by_the_rule(void **state) {
    fixture *f = *state;
    const int64_t moments[3] = { 0, 1000000000, 1100000000 };
    const int32_t offsets[2] = { -17762, -5 * 3600 };
    const cairn__zone *zone = NULL;
    make(f, moments, 3, offsets, new_york);
    assert_int_equal(cairn__zone_parse(cairn__span(f->bytes, f->size), &f->arena, &zone), CAIRN_OK);
    assert_int_equal(cairn__zone_offset(zone, -1), -17762);
    assert_int_equal(cairn__zone_offset(zone, 0), -5 * 3600);
    assert_int_equal(cairn__zone_offset(zone, 1000000000000), -17762);
    assert_int_equal(cairn__zone_offset(zone, at("2026-07-01T00:00:00Z")), -4 * 3600);
    assert_int_equal(cairn__zone_offset(zone, at("2026-12-01T00:00:00Z")), -5 * 3600);
    assert_int_equal(cairn__zone_offset(zone, at("2150-07-01T00:00:00Z")), -4 * 3600);
    assert_int_equal(cairn__zone_offset(zone, at("2150-12-01T00:00:00Z")), -5 * 3600);
    /* no footer: the last type stays */
    make(f, moments, 1, offsets, "");
    assert_int_equal(cairn__zone_parse(cairn__span(f->bytes, f->size), &f->arena, &zone), CAIRN_OK);
    assert_int_equal(cairn__zone_offset(zone, at("2150-07-01T00:00:00Z")), -5 * 3600);
}

static void rules_of_every_form(void **state) {
    static const struct {
        const char *rule, *when;
        int32_t offset;
    } cases[] = {
        { "UTC0", "2026-07-01T00:00:00Z", 0 },
        { "<+0545>-5:45", "2026-07-01T00:00:00Z", 20700 },
        { "XYZ+1:02:03", "2026-07-01T00:00:00Z", -3723 },
        { "AAA0BBB,J60,J305", "2024-03-01T01:59:59Z", 0 },
        { "AAA0BBB,J60,J305", "2024-03-01T02:00:00Z", 3600 },
        { "AAA0BBB,59,300", "2024-02-29T02:00:00Z", 3600 },
        { "AAA0BBB,59,300", "2023-03-01T01:00:00Z", 0 },
        { "IST-1GMT0,M10.5.0,M3.5.0/1", "2026-12-01T00:00:00Z", 0 },
        { "IST-1GMT0,M10.5.0,M3.5.0/1", "2026-07-01T00:00:00Z", 3600 },
        { "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T00:59:59Z", -7200 },
        { "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00:00Z", -3600 },
        { "EST5EDT,0/0,J365/25", "2026-01-01T04:59:59Z", -14400 },
        { "EST5EDT,0/0,J365/25", "2026-01-01T05:00:00Z", -14400 },
        { "AAA0BBB,M1.1.0/-167,M6.1.0/167", "2025-12-29T01:00:00Z", 3600 },
        { "AAA0BBB,M1.1.0/-167,M6.1.0/167", "2025-12-28T00:59:59Z", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int32_t offset = cairn__zone_offset(zone_of(*state, cases[i].rule), at(cases[i].when));
        if (offset != cases[i].offset) {
            fail_msg("%s at %s: %d", cases[i].rule, cases[i].when, offset);
        }
    }
}

static void rules_that_are_none_are_refused(void **state) {
    fixture *f = *state;
    static const char *const bad[] = {
        "EST",
        "ES5",
        "<EST5",
        "EST25",
        "EST5EDT",
        "EST5EDT,M3.2.0",
        "EST5EDT,M3.2.0,M11.1.0,",
        "EST5EDT,M13.2.0,M11.1.0",
        "EST5EDT,M3.6.0,M11.1.0",
        "EST5EDT,M3.2.7,M11.1.0",
        "EST5EDT,M3.2.0/168,M11.1.0",
        "EST5EDT,J0,J365",
        "EST5EDT,J366,J365",
        "EST5:60",
        "EST99999999999999999999",
    };
    const int32_t offsets[2] = { 0, 0 };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const cairn__zone *zone = NULL;
        make(f, NULL, 0, offsets, bad[i]);
        cairn_span file = cairn__span(f->bytes, f->size);
        if (cairn__zone_parse(file, &f->arena, &zone) != CAIRN_INVALID || zone != NULL) {
            fail_msg("taken for a rule: %s", bad[i]);
        }
    }
}

static void damaged_files_are_refused(void **state) {
    fixture *f = *state;
    const int64_t moments[3] = { 0, 1000000000, 1100000000 };
    const int32_t offsets[2] = { 0, 3600 };
    const cairn__zone *zone = NULL;
    make(f, moments, 3, offsets, new_york);
    for (size_t cut = 0; cut < f->size; cut++) {
        cairn_span part = cairn__span(f->bytes, cut);
        assert_int_equal(cairn__zone_parse(part, &f->arena, &zone), CAIRN_INVALID);
    }
    cairn_span whole = cairn__span(f->bytes, f->size);
    f->bytes[4] = 0;
    assert_int_equal(cairn__zone_parse(whole, &f->arena, &zone), CAIRN_UNSUPPORTED);
    const int64_t falling[2] = { 10, 10 };
    make(f, falling, 2, offsets, new_york);
    whole.len = f->size;
    assert_int_equal(cairn__zone_parse(whole, &f->arena, &zone), CAIRN_INVALID);
    const int32_t wild[2] = { 0, 26 * 3600 };
    make(f, moments, 3, wild, new_york);
    whole.len = f->size;
    assert_int_equal(cairn__zone_parse(whole, &f->arena, &zone), CAIRN_INVALID);
    cairn__arena none = cairn__arena_make(cairn__heap(), 0);
    make(f, moments, 3, offsets, new_york);
    whole.len = f->size;
    assert_int_equal(cairn__zone_parse(whole, &none, &zone), CAIRN_NO_MEMORY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(days_of_23_and_25_hours, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(a_day_whose_midnight_is_skipped_begins_later, open_arena,
                                        close_arena),
        cmocka_unit_test_setup_teardown(an_hour_ends_where_the_clock_is_set, open_arena,
                                        close_arena),
        cmocka_unit_test_setup_teardown(jumps_of_many_hours_equal_single_steps, open_arena,
                                        close_arena),
        cmocka_unit_test(units_of_utc),
        cmocka_unit_test_setup_teardown(the_table_is_followed_by_the_rule, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(rules_of_every_form, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(rules_that_are_none_are_refused, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(damaged_files_are_refused, open_arena, close_arena),
    };
    return cmocka_run_group_tests_name("sdk/base/zone", tests, NULL, NULL);
}
