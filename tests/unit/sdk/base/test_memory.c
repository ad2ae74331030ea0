/* Goal: arena and buffer never pass their limits, and fail whole.
 * Method: an allocator that counts and fails on command. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "support/cmocka_all.h"

typedef struct counting {
    size_t live_bytes;
    int calls_until_failure; /* < 0: never */
} counting;

static void *counting_resize(void *self, void *at, size_t old_bytes, size_t new_bytes) {
    counting *c = self;
    if (new_bytes != 0 && c->calls_until_failure == 0) {
        return NULL;
    }
    c->calls_until_failure -= c->calls_until_failure > 0;
    c->live_bytes = c->live_bytes - (at == NULL ? 0 : old_bytes) + new_bytes;
    if (new_bytes == 0) {
        free(at);
        return NULL;
    }
    return realloc(at, new_bytes);
}

static cairn_allocator allocator_of(counting *c) {
    return (cairn_allocator){ counting_resize, c };
}

static void arena_keeps_its_limit_and_gives_everything_back(void **state) {
    (void)state;
    counting c = { 0, -1 };
    cairn__arena arena = cairn__arena_make(allocator_of(&c), 64 * 1024);
    size_t granted = 0;
    while (cairn__arena_alloc(&arena, 1000) != NULL) {
        granted++;
    }
    assert_true(granted >= 60 && granted <= 64);
    assert_true(arena.bytes <= 64 * 1024);
    assert_int_equal(arena.bytes, c.live_bytes);
    cairn__arena_reset(&arena);
    assert_non_null(cairn__arena_alloc(&arena, 1000));
    cairn__arena_free(&arena);
    assert_int_equal(c.live_bytes, 0);
}

static void arena_memory_is_aligned_and_apart(void **state) {
    (void)state;
    cairn__arena arena = cairn__arena_make(cairn__heap(), 1 << 20);
    uint8_t *at[200];
    for (size_t i = 0; i < 200; i++) {
        at[i] = cairn__arena_alloc(&arena, i + 1);
        assert_non_null(at[i]);
        assert_int_equal((uintptr_t)at[i] % 16, 0);
        memset(at[i], (int)i, i + 1);
    }
    for (size_t i = 0; i < 200; i++) {
        assert_int_equal(at[i][0], i);
        assert_int_equal(at[i][i], i);
    }
    assert_null(cairn__arena_alloc_zero(&arena, SIZE_MAX / 4, 8));
    cairn__arena_free(&arena);
}

static void buffer_fails_once_and_stays_failed(void **state) {
    (void)state;
    counting c = { 0, -1 };
    cairn__buffer buffer = cairn__buffer_make(allocator_of(&c), 300);
    cairn__buffer_format(&buffer, "%s-%d", "abc", 7);
    assert_true(cairn__span_equal(cairn__buffer_span(&buffer), CAIRN_STR("abc-7")));
    for (int i = 0; i < 100; i++) {
        cairn__buffer_u32(&buffer, 1);
    }
    assert_true(buffer.failed);
    assert_true(buffer.len <= 300);
    size_t len = buffer.len;
    cairn__buffer_byte(&buffer, 1);
    assert_int_equal(buffer.len, len);
    cairn__buffer_free(&buffer);
    assert_int_equal(c.live_bytes, 0);
}

static void every_failing_allocation_is_survived(void **state) {
    (void)state;
    for (int fail_at = 0; fail_at < 8; fail_at++) {
        counting c = { 0, fail_at };
        cairn__buffer buffer = cairn__buffer_make(allocator_of(&c), 1 << 16);
        for (int i = 0; i < 5000; i++) {
            cairn__buffer_u64(&buffer, 5);
        }
        assert_int_equal(buffer.failed, fail_at < 8);
        cairn__buffer_free(&buffer);
        assert_int_equal(c.live_bytes, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_keeps_its_limit_and_gives_everything_back),
        cmocka_unit_test(arena_memory_is_aligned_and_apart),
        cmocka_unit_test(buffer_fails_once_and_stays_failed),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests_name("sdk/base/memory", tests, NULL, NULL);
}
