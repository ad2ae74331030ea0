/* Goal: the hash is the documented one, and what it promises of shares and namespaces holds.
 * Method: published FNV vectors, fixed buckets, and counts over many generated units (the same ones
 * at every run). */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "decide/assign.h"
#include "support/cmocka_all.h"

enum { UNITS = 100000, UNIT_BYTES = 32 };

static double bucket_of(cairn__assign_version version, const char *salt, cairn_span unit) {
    double bucket = -1;
    assert_int_equal(cairn__assign_bucket(version, cairn__span_of(salt), unit, &bucket), CAIRN_OK);
    assert_true(bucket >= 0 && bucket < 1);
    return bucket;
}

static cairn_span unit_of(size_t number, char *into) {
    int len = snprintf(into, UNIT_BYTES, "user-%zu", number);
    return cairn__span(into, (size_t)len);
}

static void published_fnv_vectors(void **state) {
    (void)state;
    assert_int_equal(cairn__assign_fnv(CAIRN_STR("")), 0x811c9dc5u);
    assert_int_equal(cairn__assign_fnv(CAIRN_STR("a")), 0xe40c292cu);
    assert_int_equal(cairn__assign_fnv(CAIRN_STR("b")), 0xe70c2de5u);
    assert_int_equal(cairn__assign_fnv(CAIRN_STR("foobar")), 0xbf9cf968u);
}

static void published_murmur_vectors(void **state) {
    (void)state;
    assert_int_equal(cairn__assign_murmur(0, CAIRN_STR("")), 0);
    assert_int_equal(cairn__assign_murmur(1, CAIRN_STR("")), 0x514E28B7u);
    assert_int_equal(cairn__assign_murmur(0xFFFFFFFFu, CAIRN_STR("")), 0x81F16F39u);
    assert_int_equal(cairn__assign_murmur(0, CAIRN_STR("test")), 0xBA6BD213u);
    assert_int_equal(cairn__assign_murmur(0, CAIRN_STR("Hello, world!")), 0xC0363E43u);
    assert_int_equal(cairn__assign_murmur(0x9747B28Cu, CAIRN_STR("Hello, world!")), 0x24884CBAu);
    assert_int_equal(
        cairn__assign_murmur(0x9747B28Cu, CAIRN_STR("The quick brown fox jumps over the lazy dog")),
        0x2FA826CDu);
}

static void unknown_version_writes_nothing(void **state) {
    (void)state;
    double bucket = 7;
    cairn_status status = cairn__assign_bucket((cairn__assign_version)99, CAIRN_STR("salt"),
                                               CAIRN_STR("unit"), &bucket);
    assert_int_equal(status, CAIRN_UNSUPPORTED);
    assert_true(bucket == 7);
    const cairn__range all = { 0, 1 };
    const cairn__namespace layer = { CAIRN_STR("layer"), (cairn__assign_version)99, &all, 1 };
    assert_false(cairn__assign_in_namespace(&layer, CAIRN_STR("unit")));
}

/* Kept for ever: a change of one of these numbers moves people between variants. */
static void fixed_buckets_of_chinese_and_empty(void **state) {
    (void)state;
    assert_true(bucket_of(CAIRN__ASSIGN_V1, "实验", CAIRN_STR("用户一")) == 0.399);
    assert_true(bucket_of(CAIRN__ASSIGN_V2, "实验", CAIRN_STR("用户一")) == 0.9098);
    assert_true(bucket_of(CAIRN__ASSIGN_V2, "", CAIRN_STR("")) == 0.2305);
    assert_true(bucket_of(CAIRN__ASSIGN_V3, "gr1", CAIRN_STR("123")) == 0.72); /* Unleash: 73 */
    assert_true(bucket_of(CAIRN__ASSIGN_V3, "groupX", CAIRN_STR("999")) == 0.24);
    const cairn__murmur variants = { 86028157, 100 };
    assert_true(cairn__assign_murmur_bucket(&variants, CAIRN_STR("gr1"), CAIRN_STR("123")) == 0.95);
}

static void buckets_are_even(void **state) {
    (void)state;
    static const char *const salts[] = { "", "a", "checkout-button", "checkout-button-2", "实验" };
    for (size_t s = 0; s < sizeof salts / sizeof salts[0]; s++) {
        size_t counts[20] = { 0 };
        char text[UNIT_BYTES];
        for (size_t i = 0; i < UNITS; i++) {
            counts[(size_t)(bucket_of(CAIRN__ASSIGN_DEFAULT, salts[s], unit_of(i, text)) * 20)]++;
        }
        double chi = 0;
        for (size_t i = 0; i < 20; i++) {
            double off = (double)counts[i] - UNITS / 20.0;
            chi += off * off / (UNITS / 20.0);
        }
        assert_true(chi < 43.82); /* 19 degrees of freedom: a fair hash is over in 1 of 1,000 */
    }
}

/* Being in variant 0 of one experiment says nothing of the other's. V1 fails this. */
static void experiments_are_independent(void **state) {
    (void)state;
    size_t both = 0;
    size_t first = 0;
    size_t second = 0;
    char text[UNIT_BYTES];
    for (size_t i = 0; i < UNITS; i++) {
        cairn_span unit = unit_of(i, text);
        bool one = bucket_of(CAIRN__ASSIGN_DEFAULT, "exp-1", unit) < 0.5;
        bool two = bucket_of(CAIRN__ASSIGN_DEFAULT, "exp-2", unit) < 0.5;
        first += one;
        second += two;
        both += one && two;
    }
    double expected = (double)first * (double)second / UNITS;
    double off = (double)both - expected;
    assert_true(off > -500 && off < 500); /* over 6 standard deviations of a fair one (79) */
}

static void more_coverage_moves_nobody(void **state) {
    (void)state;
    static const double weights[] = { 0.2, 0.3, 0.5 };
    cairn__range narrow[3];
    cairn__range wide[3];
    cairn__assign_ranges(&(cairn__shares){ 0.3, weights, 3 }, narrow, 3);
    cairn__assign_ranges(&(cairn__shares){ 0.8, weights, 3 }, wide, 3);
    size_t in_narrow = 0;
    size_t in_wide = 0;
    char text[UNIT_BYTES];
    for (size_t i = 0; i < UNITS; i++) {
        double bucket = bucket_of(CAIRN__ASSIGN_DEFAULT, "ramp", unit_of(i, text));
        int before = cairn__assign_choose(bucket, narrow, 3);
        int after = cairn__assign_choose(bucket, wide, 3);
        assert_true(before == CAIRN__NO_VARIANT || before == after);
        in_narrow += before != CAIRN__NO_VARIANT;
        in_wide += after != CAIRN__NO_VARIANT;
    }
    assert_true(in_narrow > UNITS * 29 / 100 && in_narrow < UNITS * 31 / 100);
    assert_true(in_wide > UNITS * 79 / 100 && in_wide < UNITS * 81 / 100);
}

static void slices_exclude_each_other(void **state) {
    (void)state;
    static const cairn__range low[] = { { 0, 0.25 }, { 0.5, 0.75 } };
    static const cairn__range high[] = { { 0.25, 0.5 }, { 0.75, 1 } };
    for (int version = CAIRN__ASSIGN_V1; version <= CAIRN__ASSIGN_V3; version++) {
        cairn__namespace one = { CAIRN_STR("layer"), (cairn__assign_version)version, low, 2 };
        cairn__namespace two = { CAIRN_STR("layer"), (cairn__assign_version)version, high, 2 };
        size_t in_one = 0;
        char text[UNIT_BYTES];
        for (size_t i = 0; i < UNITS; i++) {
            cairn_span unit = unit_of(i, text);
            bool is_in = cairn__assign_in_namespace(&one, unit);
            assert_true(is_in != cairn__assign_in_namespace(&two, unit));
            in_one += is_in;
        }
        assert_true(in_one > UNITS * 45 / 100 && in_one < UNITS * 55 / 100);
    }
}

static void damaged_shares_are_tamed(void **state) {
    (void)state;
    const double nan = __builtin_nan("");
    const double bad[][2] = { { nan, 0.5 }, { -0.5, 1.5 }, { 0.2, 0.2 }, { 2, 2 } };
    cairn__range ranges[2];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cairn__assign_ranges(&(cairn__shares){ 1, bad[i], 2 }, ranges, 2);
        assert_true(ranges[0].to == 0.5 && ranges[1].from == 0.5 && ranges[1].to == 1);
    }
    cairn__assign_ranges(&(cairn__shares){ nan, NULL, 0 }, ranges, 2);
    assert_int_equal(cairn__assign_choose(0, ranges, 2), CAIRN__NO_VARIANT);
    assert_int_equal(cairn__assign_choose(0.5, ranges, 2), CAIRN__NO_VARIANT);
    const cairn__range not_numbers[] = { { nan, nan }, { 0, nan } };
    assert_int_equal(cairn__assign_choose(0.1, not_numbers, 2), CAIRN__NO_VARIANT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_fnv_vectors),
        cmocka_unit_test(published_murmur_vectors),
        cmocka_unit_test(unknown_version_writes_nothing),
        cmocka_unit_test(fixed_buckets_of_chinese_and_empty),
        cmocka_unit_test(buckets_are_even),
        cmocka_unit_test(experiments_are_independent),
        cmocka_unit_test(more_coverage_moves_nobody),
        cmocka_unit_test(slices_exclude_each_other),
        cmocka_unit_test(damaged_shares_are_tamed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
