/* Goal: checksums, varints, UTF-8 and the index agree with their standards or with a plain twin. */
#include <string.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/hash.h"
#include "base/varint.h"
#include "support/cmocka_all.h"

static void crc32c_matches_rfc_3720(void **state) {
    (void)state;
    uint8_t zeros[32] = { 0 };
    uint8_t ones[32];
    uint8_t up[32];
    memset(ones, 0xFF, sizeof ones);
    for (uint8_t i = 0; i < 32; i++) {
        up[i] = i;
    }
    assert_int_equal(cairn__crc32c(0, cairn__span(zeros, 32)), 0x8A9136AA);
    assert_int_equal(cairn__crc32c(0, cairn__span(ones, 32)), 0x62A8AB43);
    assert_int_equal(cairn__crc32c(0, cairn__span(up, 32)), 0x46DD794E);
    assert_int_equal(cairn__crc32c(0, CAIRN_STR("123456789")), 0xE3069283);
    uint32_t half = cairn__crc32c(0, CAIRN_STR("1234"));
    assert_int_equal(cairn__crc32c(half, CAIRN_STR("56789")), 0xE3069283);
}

static void varints_round_trip_and_refuse_cuts(void **state) {
    (void)state;
    for (unsigned shift = 0; shift < 64; shift++) {
        for (int delta = -1; delta <= 1; delta++) {
            uint64_t value = (UINT64_C(1) << shift) + (uint64_t)(int64_t)delta;
            uint8_t bytes[10];
            size_t length = cairn__put_varint(bytes, value);
            assert_int_equal(length, cairn__varint_bytes(value));
            cairn__cursor whole = { bytes, bytes + length };
            uint64_t back = 0;
            assert_true(cairn__read_varint(&whole, &back));
            assert_int_equal(back, value);
            cairn__cursor cut = { bytes, bytes + length - 1 };
            assert_false(cairn__read_varint(&cut, &back));
            assert_int_equal(cairn__unzigzag(cairn__zigzag((int64_t)value)), value);
        }
    }
}

static void utf8_takes_the_standard_and_nothing_else(void **state) {
    (void)state;
    assert_true(cairn__utf8_valid(CAIRN_STR("plain ASCII text, long enough")));
    assert_true(cairn__utf8_valid(CAIRN_STR("旅程 \xF0\x9F\x8E\x88 é")));
    assert_false(cairn__utf8_valid(CAIRN_STR("\xC0\x80")));         /* overlong NUL */
    assert_false(cairn__utf8_valid(CAIRN_STR("\xED\xA0\x80")));     /* surrogate */
    assert_false(cairn__utf8_valid(CAIRN_STR("\xF4\x90\x80\x80"))); /* above U+10FFFF */
    assert_false(cairn__utf8_valid(CAIRN_STR("abc\xE4\xB8")));      /* cut */
    assert_false(cairn__utf8_valid(CAIRN_STR("\x80")));
}

enum { KEYS = 5000 };

typedef struct keys {
    uint64_t key[KEYS];
    uint64_t wanted;
} keys;

static bool key_matches(const void *context, uint32_t value) {
    const keys *k = context;
    return k->key[value] == k->wanted;
}

static uint64_t key_hash(const void *context, uint32_t value) {
    const keys *k = context;
    return cairn__mix(k->key[value]);
}

static void index_finds_what_was_put_and_nothing_else(void **state) {
    (void)state;
    static keys k;
    cairn__index index = { 0 };
    for (uint32_t i = 0; i < KEYS; i++) {
        k.key[i] = (uint64_t)i * 7919;
        assert_true(cairn__index_insert(&index, key_hash(&k, i), i, key_hash, &k));
    }
    for (uint32_t i = 0; i < KEYS; i++) {
        uint32_t found = UINT32_MAX;
        k.wanted = (uint64_t)i * 7919;
        assert_true(cairn__index_find(&index, cairn__mix(k.wanted), key_matches, &k, &found));
        assert_int_equal(found, i);
        k.wanted += 1;
        assert_false(cairn__index_find(&index, cairn__mix(k.wanted), key_matches, &k, &found));
    }
    cairn__index_free(&index);
}

static void hash_depends_on_every_byte_and_the_length(void **state) {
    (void)state;
    uint8_t bytes[40] = { 0 };
    for (size_t len = 0; len < 40; len++) {
        uint64_t base = cairn__hash(cairn__span(bytes, len), 1);
        assert_true(base != cairn__hash(cairn__span(bytes, len + 1), 1) || len == 39);
        assert_true(base != cairn__hash(cairn__span(bytes, len), 2));
        for (size_t i = 0; i < len; i++) {
            bytes[i] ^= 1;
            assert_true(base != cairn__hash(cairn__span(bytes, len), 1));
            bytes[i] ^= 1;
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32c_matches_rfc_3720),
        cmocka_unit_test(varints_round_trip_and_refuse_cuts),
        cmocka_unit_test(utf8_takes_the_standard_and_nothing_else),
        cmocka_unit_test(index_finds_what_was_put_and_nothing_else),
        cmocka_unit_test(hash_depends_on_every_byte_and_the_length),
    };
    return cmocka_run_group_tests_name("sdk/base/codecs", tests, NULL, NULL);
}
