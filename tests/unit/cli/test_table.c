#include "cli/table.h"
#include "support/cmocka_all.h"

static void wide_characters_take_two_cells(void **state) {
    (void)state;
    assert_int_equal(cairn__table_width("ab"), 2);
    assert_int_equal(cairn__table_width("\xe4\xb8\xad\xe6\x96\x87"), 4);
    assert_int_equal(cairn__table_width("e\xcc\x81"), 1);
}

static void columns_are_aligned_and_numbers_stand_right(void **state) {
    (void)state;
    char out[256] = { 0 };
    json_t *answer =
        json_loads("{\"columns\":[\"city\",{\"name\":\"n\"}],"
                   "\"rows\":[[\"\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\",5],[null,120]]}",
                   0, NULL);
    FILE *to = fmemopen(out, sizeof out, "w");
    assert_true(cairn__table_print(answer, to));
    fclose(to);
    json_decref(answer);
    assert_string_equal(out, "city    n\n\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad    5\n-       120\n");
}

static void what_is_no_table_is_not_printed(void **state) {
    (void)state;
    json_t *answer = json_loads("{\"rows\":[]}", 0, NULL);
    assert_false(cairn__table_print(answer, stdout));
    json_decref(answer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wide_characters_take_two_cells),
        cmocka_unit_test(columns_are_aligned_and_numbers_stand_right),
        cmocka_unit_test(what_is_no_table_is_not_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
