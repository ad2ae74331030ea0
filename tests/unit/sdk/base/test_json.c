/* Goal: what is written is JSON, whatever the bytes. Method: texts and numbers at their edges. */
#include "support/cmocka_all.h"

#include <string.h>

#include "base/bytes.h"
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_escaped_where_json_asks_for_it),
        cmocka_unit_test(bytes_that_are_not_utf8_become_replacement_characters),
        cmocka_unit_test(integers_are_written_to_their_limits),
    };
    return cmocka_run_group_tests_name("sdk/base/json", tests, NULL, NULL);
}
