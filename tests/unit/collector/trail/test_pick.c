/* Goal: the loops that choose rows say what a plain walk over the rows says, in the version for
 * every processor and in the wide one (this file is built with each; see CMakeLists.txt).
 * Method: random columns, random filters, compared row by row. */
#include <string.h>

#include "support/cmocka_all.h"
#include "trail/decode.h"
#include "trail/pick.h"
#include "trail_model.h"

enum { ROWS = CAIRN__BLOCK_ROWS };

typedef struct column {
    cairn__buffer bytes;
    cairn__image_chunk chunk;
} column;

static column make_column(const uint64_t *values, uint32_t count, uint64_t base, unsigned bits) {
    column made = { .bytes = cairn__buffer_make(cairn__heap(), 1 << 24) };
    cairn__pack_put(&made.bytes, values, count, base, bits);
    made.chunk = (cairn__image_chunk){
        .count = count, .base = base, .bits = (uint8_t)bits, .values = made.bytes.data
    };
    return made;
}

static void packed_numbers_come_back_at_every_width(void **state) {
    (void)state;
    random_source random = { 3 };
    static uint64_t values[ROWS], again[ROWS];
    static uint16_t at[ROWS];
    for (unsigned bits = 0; bits <= 64; bits = bits == CAIRN__PACK_BITS_MAX ? 64 : bits + 1) {
        uint32_t count = 1 + random_below(&random, 300);
        uint64_t base = random_next(&random);
        for (uint32_t i = 0; i < count; i++) {
            values[i] = base + (random_next(&random) & cairn__pack_mask(bits));
            at[i] = (uint16_t)random_below(&random, count);
        }
        column c = make_column(values, count, base, bits);
        assert_int_equal(c.bytes.len, cairn__pack_bytes(count, bits));
        cairn__pick_values(&c.chunk, (cairn__pick_places){ at, count }, 1000, again);
        for (uint32_t i = 0; i < count; i++) {
            assert_true(again[i] == values[at[i]] * 1000);
            assert_true(cairn__decode_integer(&c.chunk, i) == values[i]);
        }
        cairn__buffer_free(&c.bytes);
    }
}

static void check_pick(cairn__pick *pick, const bool *expected, uint32_t count) {
    cairn__pick_count(pick);
    cairn__pick_rows(pick);
    uint32_t at = 0;
    for (uint32_t row = 0; row < count; row++) {
        if (expected[row]) {
            assert_int_equal(pick->rows[at], row);
            at++;
        }
    }
    assert_int_equal(pick->count, at);
}

static void check_runs(const cairn__pick *pick, const bool *expected, uint32_t count,
                       random_source *random) {
    static uint64_t nodes[ROWS];
    static uint8_t ends[ROWS * 2];
    static uint32_t found[ROWS + 8], starts[ROWS + 8];
    uint32_t runs = 0, node = 100;
    for (uint32_t row = 0; row < count;) {
        row += 1 + random_below(random, 30);
        row = row < count ? row : count;
        cairn__store_u16(ends + (size_t)runs * 2, (uint16_t)row);
        nodes[runs++] = node += 1 + random_below(random, 5);
    }
    column c = make_column(nodes, runs, nodes[0], 20);
    c.chunk.ends = ends;
    size_t persons = cairn__pick_runs(pick, &c.chunk, (cairn__pick_nodes){ found, starts, 7 });
    uint32_t chosen = 0, person = 0, row = 0;
    for (uint32_t i = 0; i < runs; i++) {
        uint32_t before = chosen;
        for (; row < cairn__load_u16(ends + (size_t)i * 2); row++) {
            chosen += expected[row];
        }
        if (chosen != before) {
            assert_int_equal(found[person], nodes[i]);
            assert_int_equal(starts[person++], before + 7);
        }
    }
    assert_int_equal(persons, person);
    cairn__buffer_free(&c.bytes);
}

static void filters_agree_with_a_walk(uint32_t count, uint32_t names, random_source *random) {
    static uint64_t codes[ROWS], times[ROWS];
    static bool expected[ROWS];
    static uint8_t wanted[CAIRN__BLOCK_ROWS];
    static cairn__pick pick;
    memset(wanted, 0, sizeof wanted);
    for (uint32_t i = 0; i < names; i++) {
        wanted[i] = random_below(random, 4) == 0;
    }
    uint64_t base = random_below(random, 2) == 0 ? 1700000000 : (uint64_t)-50000;
    for (uint32_t i = 0; i < count; i++) {
        codes[i] = random_below(random, names);
        times[i] = base + random_below(random, 100000);
        expected[i] = wanted[codes[i]] != 0;
    }
    column code = make_column(codes, count, 0, names <= 256 ? 8 : 16);
    column time = make_column(times, count, base, 17);
    time.chunk.scale = 3;
    cairn__pick_names(&pick, &code.chunk, wanted);
    check_pick(&pick, expected, count);
    check_runs(&pick, expected, count, random);
    int64_t from = ((int64_t)base + 20000) * 1000 + 1, to = ((int64_t)base + 70000) * 1000;
    uint32_t first = random_below(random, count + 1);
    uint32_t end = first + random_below(random, count - first + 1);
    cairn__pick_drop(&pick, first, end);
    cairn__pick_times(&pick, &time.chunk, from, to);
    for (uint32_t i = 0; i < count; i++) {
        int64_t at = (int64_t)times[i] * 1000;
        expected[i] = expected[i] && at >= from && at < to && (i < first || i >= end);
    }
    check_pick(&pick, expected, count);
    check_runs(&pick, expected, count, random);
    cairn__buffer_free(&code.bytes);
    cairn__buffer_free(&time.bytes);
}

static void chosen_rows_are_those_of_a_walk(void **state) {
    (void)state;
    random_source random = { 5 };
    static const uint32_t counts[] = { 1, 2, 63, 64, 65, 127, 128, 1000, 8191, 8192 };
    static const uint32_t names[] = { 1, 2, 30, 127, 128, 129, 200, 256, 257, 3000 };
    for (size_t i = 0; i < 10; i++) {
        for (size_t j = 0; j < 10; j++) {
            filters_agree_with_a_walk(counts[i], names[j], &random);
        }
    }
}

static void all_rows_are_all_rows(void **state) {
    (void)state;
    static bool expected[ROWS];
    static cairn__pick pick;
    memset(expected, 1, sizeof expected);
    for (uint32_t count = 1; count <= ROWS; count += 1 + count / 3) {
        cairn__pick_all(&pick, count);
        check_pick(&pick, expected, count);
    }
    cairn__pick_all(&pick, ROWS);
    check_pick(&pick, expected, ROWS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_numbers_come_back_at_every_width),
        cmocka_unit_test(chosen_rows_are_those_of_a_walk),
        cmocka_unit_test(all_rows_are_all_rows),
    };
    return cmocka_run_group_tests_name("collector/trail/pick", tests, NULL, NULL);
}
