/* Goal: a block is read as it was written, and never past its end.
 * Method: one block with every kind of value; every beginning of it is refused. */
#include "support/cmocka_all.h"

#include <string.h>

#include "base/bytes.h"
#include "wasm/block.h"

static const uint8_t every_kind[] = {
    3, 0, 'b', 'u', 'y', 1,   0,   'v', 7,   0,                        /* name, value, count */
    0, 1, 0,   'a',                                                    /* null */
    1, 1, 0,   'b', 1,                                                 /* boolean */
    2, 1, 0,   'c', 254, 255, 255, 255, 255, 255, 255,  255,           /* integer -2 */
    3, 1, 0,   'd', 0,   0,   0,   0,   0,   0,   0xE0, 0x3F,          /* number 0.5 */
    4, 1, 0,   'e', 2,   0,   0,   0,   'h', 'i',                      /* string */
    5, 1, 0,   'f', 1,   0,   0,   0,   0,   0,   0,    0,             /* time 1 */
    6, 1, 0,   'g', 2,   0,   1,   0,   0,   0,   'x',  0,    0, 0, 0, /* list "x", "" */
};

static void a_block_with_every_kind_is_read_as_written(void **state) {
    (void)state;
    cairn__arena arena = cairn__arena_make(cairn__heap(), 1 << 16);
    cairn__block block;

    cairn_status status =
        cairn__block_read(cairn__span(every_kind, sizeof every_kind), &arena, &block);

    assert_int_equal(status, CAIRN_OK);
    assert_true(cairn__span_equal(block.name, CAIRN_STR("buy")));
    assert_true(cairn__span_equal(block.value, CAIRN_STR("v")));
    assert_int_equal(block.property_count, 7);
    const cairn_property *p = block.properties;
    assert_int_equal(p[0].value.kind, CAIRN_VALUE_NULL);
    assert_true(p[1].value.as.boolean);
    assert_int_equal(p[2].value.as.integer, -2);
    assert_true(p[3].value.as.number > 0.49 && p[3].value.as.number < 0.51);
    assert_true(cairn__span_equal(p[4].value.as.string, CAIRN_STR("hi")));
    assert_int_equal(p[5].value.as.time_ms, 1);
    assert_int_equal(p[6].value.as.list.count, 2);
    assert_true(cairn__span_equal(p[6].value.as.list.items[0], CAIRN_STR("x")));
    assert_int_equal(p[6].value.as.list.items[1].len, 0);
    cairn__arena_free(&arena);
}

static void every_beginning_of_a_block_is_refused(void **state) {
    (void)state;
    for (size_t len = 0; len < sizeof every_kind; len++) {
        cairn__arena arena = cairn__arena_make(cairn__heap(), 1 << 16);
        cairn__block block;
        assert_int_equal(cairn__block_read(cairn__span(every_kind, len), &arena, &block),
                         CAIRN_INVALID);
        cairn__arena_free(&arena);
    }
}

static void left_over_bytes_and_unknown_kinds_are_refused(void **state) {
    (void)state;
    cairn__arena arena = cairn__arena_make(cairn__heap(), 1 << 16);
    cairn__block block;
    const uint8_t left_over[] = { 0, 0, 0, 0, 0, 0, 9 };
    const uint8_t unknown_kind[] = { 0, 0, 0, 0, 1, 0, 7, 1, 0, 'a' };
    assert_int_equal(cairn__block_read(cairn__span(left_over, sizeof left_over), &arena, &block),
                     CAIRN_INVALID);
    assert_int_equal(
        cairn__block_read(cairn__span(unknown_kind, sizeof unknown_kind), &arena, &block),
        CAIRN_INVALID);
    cairn__arena_free(&arena);
}

static void a_full_arena_is_told(void **state) {
    (void)state;
    cairn__arena arena = cairn__arena_make(cairn__heap(), 0);
    cairn__block block;
    assert_int_equal(cairn__block_read(cairn__span(every_kind, sizeof every_kind), &arena, &block),
                     CAIRN_NO_MEMORY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_with_every_kind_is_read_as_written),
        cmocka_unit_test(every_beginning_of_a_block_is_refused),
        cmocka_unit_test(left_over_bytes_and_unknown_kinds_are_refused),
        cmocka_unit_test(a_full_arena_is_told),
    };
    return cmocka_run_group_tests_name("wasm/block", tests, NULL, NULL);
}
