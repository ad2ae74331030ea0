#include "cli/progress.h"
#include "support/cmocka_all.h"

static void assert_text(cairn__progress_state state, int64_t elapsed_ms, const char *want) {
    char text[CAIRN__PROGRESS_TEXT_BYTES];
    cairn__progress_text(&state, elapsed_ms, text);
    assert_string_equal(text, want);
}

static void half_of_the_bytes_need_as_long_again(void **state) {
    (void)state;
    assert_text((cairn__progress_state){ 500, 1000, 1234567, 3 }, 90000,
                "50%  1,234,567 rows  13,717/s  1:30 left  3 bad");
}

static void a_stream_has_no_share_and_no_end(void **state) {
    (void)state;
    assert_text((cairn__progress_state){ 500, 0, 10, 0 }, 2000, "10 rows  5/s  0 bad");
}

static void a_file_that_grew_is_not_over_100_percent(void **state) {
    (void)state;
    assert_text((cairn__progress_state){ 1200, 1000, 999, 0 }, 1000,
                "100%  999 rows  999/s  0 bad");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_of_the_bytes_need_as_long_again),
        cmocka_unit_test(a_stream_has_no_share_and_no_end),
        cmocka_unit_test(a_file_that_grew_is_not_over_100_percent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
