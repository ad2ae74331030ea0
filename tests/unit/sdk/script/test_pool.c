/* Goal: blocks of the pool never overlap, keep their bytes when they move, and stay in the region.
 * Method: random histories against an obvious table of blocks, each filled with a byte of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "script/pool.h"
#include "support/cmocka_all.h"

enum { REGION_BYTES = 1 << 20, BLOCKS = 64, STEPS = 200000, GUARD = 64 };

typedef struct block {
    uint8_t *at;
    size_t bytes;
    uint8_t fill;
} block;

static void check(const block *b, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        assert_int_equal(b->at[i], b->fill);
    }
}

static void fill(block *b, const uint8_t *region, uint64_t number) {
    assert_true(b->at >= region && b->at + b->bytes <= region + REGION_BYTES);
    assert_int_equal((uintptr_t)b->at % 8, 0);
    b->fill = (uint8_t)number;
    memset(b->at, b->fill, b->bytes);
}

static void random_histories_keep_every_block_whole(void **state) {
    (void)state;
    uint8_t *memory = aligned_alloc(16, REGION_BYTES + GUARD);
    memset(memory + REGION_BYTES, 0x5A, GUARD);
    block blocks[BLOCKS] = { 0 };
    cairn__script_pool pool;
    cairn__script_pool_reset(&pool, memory, REGION_BYTES);
    size_t refusals = 0;
    for (uint64_t i = 0; i < STEPS; i++) {
        uint64_t random = cairn__mix(i * 0x9E3779B97F4A7C15u + 1);
        block *b = &blocks[random % BLOCKS];
        size_t bytes = (random >> 8) % ((random >> 40) % 16 == 0 ? 65536 : 300);
        uint8_t *at = cairn__script_pool_resize(&pool, b->at, bytes);
        if (at == NULL && bytes > 0) {
            refusals += 1;
            assert_true(pool.refused_bytes > 0);
            check(b, b->bytes);
            continue;
        }
        b->at = at;
        check(b, bytes < b->bytes ? bytes : b->bytes);
        b->bytes = bytes;
        if (at != NULL) {
            fill(b, memory, i);
        }
    }
    assert_true(refusals > 0); /* the limit was met */
    for (size_t i = 0; i < BLOCKS; i++) {
        check(&blocks[i], blocks[i].bytes);
    }
    for (size_t i = 0; i < GUARD; i++) {
        assert_int_equal(memory[REGION_BYTES + i], 0x5A);
    }
    free(memory);
}

static void sizes_beyond_every_class_are_refused(void **state) {
    (void)state;
    static uint64_t memory[1024];
    cairn__script_pool pool;
    cairn__script_pool_reset(&pool, (uint8_t *)memory, sizeof memory);
    assert_null(cairn__script_pool_alloc(&pool, 0));
    assert_null(cairn__script_pool_alloc(&pool, SIZE_MAX));
    assert_null(cairn__script_pool_alloc(&pool, sizeof memory));
    assert_int_equal(pool.refused_bytes, sizeof memory);
    assert_non_null(cairn__script_pool_alloc(&pool, 4000));
    assert_int_equal(pool.refused_bytes, sizeof memory); /* a smaller one proves nothing */
}

static void what_fits_after_a_refusal_was_no_lack(void **state) {
    (void)state;
    static uint64_t memory[1024];
    cairn__script_pool pool;
    cairn__script_pool_reset(&pool, (uint8_t *)memory, sizeof memory);
    void *first = cairn__script_pool_alloc(&pool, 5000);
    assert_non_null(first);
    assert_null(cairn__script_pool_alloc(&pool, 5000));
    cairn__script_pool_release(&pool, first);
    assert_non_null(cairn__script_pool_alloc(&pool, 5000));
    assert_int_equal(pool.refused_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_histories_keep_every_block_whole),
        cmocka_unit_test(sizes_beyond_every_class_are_refused),
        cmocka_unit_test(what_fits_after_a_refusal_was_no_lack),
    };
    return cmocka_run_group_tests_name("sdk/script/pool", tests, NULL, NULL);
}
