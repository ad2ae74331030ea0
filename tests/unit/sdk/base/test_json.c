/* Goal: what is written is JSON, whatever the bytes. Method: texts and numbers at their edges. */
#include "support/cmocka_all.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"

static void expect_text(cairn_span text, const char *wanted) {
    cairn__buffer to = cairn__buffer_make(cairn__heap(), 1 << 10);
    cairn__json_text(&to, text);
    assert_false(to.failed);
    assert_int_equal(to.len, strlen(wanted));
    assert_memory_equal(to.data, wanted, to.len);
    cairn__buffer_free(&to);
}

static void expect_integer(int64_t number, const char *wanted) {
    cairn__buffer to = cairn__buffer_make(cairn__heap(), 1 << 10);
    cairn__json_integer(&to, number);
    assert_false(to.failed);
    assert_int_equal(to.len, strlen(wanted));
    assert_memory_equal(to.data, wanted, to.len);
    cairn__buffer_free(&to);
}

static void text_is_escaped_where_json_asks_for_it(void **state) {
    (void)state;
    expect_text(CAIRN_STR(""), "\"\"");
    expect_text(CAIRN_STR("a\"b\\c\n\x01"), "\"a\\\"b\\\\c\\u000a\\u0001\"");
    expect_text(CAIRN_STR("购买"), "\"购买\"");
}

static void bytes_that_are_not_utf8_become_replacement_characters(void **state) {
    (void)state;
    expect_text(CAIRN_STR("a\xFF\x80z"), "\"a\\ufffd\\ufffdz\"");
}

static void integers_are_written_to_their_limits(void **state) {
    (void)state;
    expect_integer(0, "0");
    expect_integer(-7, "-7");
    expect_integer(INT64_MAX, "9223372036854775807");
    expect_integer(INT64_MIN, "-9223372036854775808");
}

static void expect_number(double number, const char *wanted) {
    cairn__buffer to = cairn__buffer_make(cairn__heap(), 1 << 10);
    cairn__json_number(&to, number);
    cairn__buffer_byte(&to, 0);
    assert_false(to.failed);
    assert_string_equal((const char *)to.data, wanted);
    cairn__buffer_free(&to);
}

static void numbers_are_decimals_at_their_edges(void **state) {
    (void)state;
    expect_number(0, "0");
    expect_number(-42, "-42");
    expect_number(0.5, "5e-1");
    expect_number(-2.5, "-2.5");
    expect_number(29.95, "2.9949999999999999e1");
    expect_number(9007199254740992.0, "9.007199254740992e15");
    expect_number(1e23, "9.9999999999999992e22");
    expect_number(DBL_MAX, "1.7976931348623157e308");
    expect_number(DBL_TRUE_MIN, "4.9406564584124654e-324");
    expect_number(-DBL_MIN, "-2.2250738585072014e-308");
    expect_number(HUGE_VAL, "null");
    expect_number(-HUGE_VAL, "null");
    expect_number(nan(""), "null");
}

/* Against the C library, which reads what was written. */
static void every_number_reads_as_itself(void **state) {
    (void)state;
    cairn__buffer to = cairn__buffer_make(cairn__heap(), 1 << 10);
    uint64_t seed = 1;
    for (int i = 0; i < 200000; i++) {
        double number = 0;
        seed += 0x9E3779B97F4A7C15u;
        uint64_t bits = cairn__mix(seed);
        memcpy(&number, &bits, sizeof number);
        number = i % 3 == 0 ? (double)(int64_t)(bits % 1000000) / 100 : number;
        if (number - number != 0) {
            continue;
        }
        cairn__buffer_clear(&to);
        cairn__json_number(&to, number);
        cairn__buffer_byte(&to, 0);
        assert_false(to.failed);
        char *end = NULL;
        double again = strtod((const char *)to.data, &end);
        assert_int_equal(*end, 0);
        assert_memory_equal(&again, &number, sizeof number);
    }
    cairn__buffer_free(&to);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_escaped_where_json_asks_for_it),
        cmocka_unit_test(bytes_that_are_not_utf8_become_replacement_characters),
        cmocka_unit_test(integers_are_written_to_their_limits),
        cmocka_unit_test(numbers_are_decimals_at_their_edges),
        cmocka_unit_test(every_number_reads_as_itself),
    };
    return cmocka_run_group_tests_name("sdk/base/json", tests, NULL, NULL);
}
