/* pick.c: each loop is written once and compiled twice: for every processor, and for those with
 * AVX2, BMI and POPCNT (Haswell, 2013). Which one runs is asked of the processor, per block. */
#include "trail/pick.h"

#include "trail/decode.h"

#if defined(__x86_64__) && !defined(CAIRN__PICK_PLAIN)
#    include <immintrin.h>
#    define PICK_WIDE __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))
#endif

#define PICK_BODY static inline __attribute__((always_inline))

static uint32_t words_of(uint32_t row_count) {
    return (row_count + 63) / 64;
}

void cairn__pick_all(cairn__pick *pick, uint32_t row_count) {
    uint32_t words = words_of(row_count);
    pick->row_count = row_count;
    memset(pick->words, 0xFF, words * sizeof pick->words[0]);
    if (row_count % 64 != 0) {
        pick->words[words - 1] = (UINT64_C(1) << (row_count % 64)) - 1;
    }
    pick->words[words] = 0;
}

void cairn__pick_drop(cairn__pick *pick, uint32_t first, uint32_t end) {
    while (first < end) {
        uint32_t bit = first % 64, count = 64 - bit < end - first ? 64 - bit : end - first;
        uint64_t ones = count == 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
        pick->words[first / 64] &= ~(ones << bit);
        first += count;
    }
}

/* --- names --- */

static uint64_t wanted_word(const cairn__image_chunk *names, const uint8_t *wanted, uint32_t first,
                            uint32_t count) {
    uint64_t word = 0;
    if (names->bits == 8) {
        for (uint32_t i = 0; i < count; i++) {
            word |= (uint64_t)wanted[names->values[first + i]] << i;
        }
        return word;
    }
    for (uint32_t i = 0; i < count; i++) {
        word |= (uint64_t)wanted[cairn__decode_code(names, first + i)] << i;
    }
    return word;
}

static void names_plain(cairn__pick *pick, const cairn__image_chunk *names, const uint8_t *wanted,
                        uint32_t first) {
    for (uint32_t row = first; row < pick->row_count; row += 64) {
        uint32_t left = pick->row_count - row;
        pick->words[row / 64] = wanted_word(names, wanted, row, left < 64 ? left : 64);
    }
}

#if defined(PICK_WIDE)
/* Codes below 128 by two lookups of 16 entries: the low half of a code gives a byte in which bit h
 * says that the code with high half h is wanted; the high half gives that bit. */
PICK_WIDE static uint32_t wanted_32(const uint8_t *codes, __m256i low_table, __m256i high_table) {
    __m256i mask = _mm256_set1_epi8(15);
    __m256i code = _mm256_loadu_si256((const __m256i *)(const void *)codes);
    __m256i low = _mm256_shuffle_epi8(low_table, _mm256_and_si256(code, mask));
    __m256i half = _mm256_and_si256(_mm256_srli_epi16(code, 4), mask);
    __m256i both = _mm256_and_si256(low, _mm256_shuffle_epi8(high_table, half));
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(both, _mm256_setzero_si256()));
}

PICK_WIDE static void names_wide(cairn__pick *pick, const cairn__image_chunk *names,
                                 const uint8_t *wanted) {
    uint8_t low[16] = { 0 }, high[16] = { 1, 2, 4, 8, 16, 32, 64, 128 };
    for (unsigned code = 0; code < 128; code++) {
        low[code % 16] |= (uint8_t)(wanted[code] << (code / 16));
    }
    __m256i low_table =
        _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)low));
    __m256i high_table =
        _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)high));
    uint32_t row = 0;
    for (; row + 64 <= pick->row_count; row += 64) {
        uint64_t first = wanted_32(names->values + row, low_table, high_table);
        uint64_t second = wanted_32(names->values + row + 32, low_table, high_table);
        pick->words[row / 64] = first | second << 32;
    }
    names_plain(pick, names, wanted, row);
}

static bool is_wide(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("popcnt");
}
#endif

void cairn__pick_names(cairn__pick *pick, const cairn__image_chunk *names, const uint8_t *wanted) {
    pick->row_count = names->count;
    pick->words[words_of(names->count)] = 0;
#if defined(PICK_WIDE)
    bool low_codes = names->bits == 8;
    for (unsigned code = 128; low_codes && code < CAIRN__PICK_CODES; code++) {
        low_codes = wanted[code] == 0;
    }
    if (low_codes && is_wide()) {
        names_wide(pick, names, wanted);
        return;
    }
#endif
    names_plain(pick, names, wanted, 0);
}

/* --- times --- */

PICK_BODY void times_body(cairn__pick *pick, const cairn__image_chunk *time, uint64_t from,
                          uint64_t span) {
    uint64_t mask = cairn__pack_mask(time->bits), power = cairn__decode_power(time);
    uint32_t words = words_of(pick->row_count);
    for (uint32_t w = 0; w < words; w++) {
        uint64_t keep = 0;
        for (uint64_t left = pick->words[w]; left != 0; left &= left - 1) {
            size_t row = w * (size_t)64 + (size_t)__builtin_ctzll(left);
            uint64_t at =
                (time->base + cairn__pack_get(time->values, time->bits, mask, row)) * power;
            uint64_t bit = left & (~left + 1);
            keep |= bit & (0 - (uint64_t)(at - from < span)); /* no branch */
        }
        pick->words[w] = keep;
    }
}

/* --- counting and numbering --- */

PICK_BODY uint32_t ones_body(uint64_t word, bool wide) {
    return wide ? (uint32_t)__builtin_popcountll(word) : cairn__ones(word);
}

PICK_BODY void count_body(cairn__pick *pick, bool wide) {
    uint32_t words = words_of(pick->row_count), count = 0;
    for (uint32_t w = 0; w < words; w++) {
        pick->ranks[w] = (uint16_t)count;
        count += ones_body(pick->words[w], wide);
    }
    pick->ranks[words] = (uint16_t)count;
    pick->count = count;
}

PICK_BODY size_t runs_body(const cairn__pick *pick, const cairn__image_chunk *runs,
                           cairn__pick_nodes out, bool wide) {
    uint64_t mask = cairn__pack_mask(runs->bits);
    uint32_t before = 0;
    size_t count = 0;
    for (uint32_t i = 0; i < runs->count; i++) {
        uint32_t end = cairn__load_u16(runs->ends + (size_t)i * 2);
        uint64_t below = (UINT64_C(1) << (end % 64)) - 1;
        uint32_t rank = pick->ranks[end / 64] + ones_body(pick->words[end / 64] & below, wide);
        out.nodes[count] =
            (uint32_t)(runs->base + cairn__pack_get(runs->values, runs->bits, mask, i));
        out.starts[count] = out.first + before;
        count += rank != before; /* without a branch: it would be wrong every other time */
        before = rank;
    }
    return count;
}

PICK_BODY void rows_body(cairn__pick *pick) {
    uint32_t words = words_of(pick->row_count);
    uint16_t *out = pick->rows;
    for (uint32_t w = 0; w < words; w++) {
        uint16_t first = (uint16_t)(w * 64);
        for (uint64_t left = pick->words[w]; left != 0; left &= left - 1) {
            *out++ = (uint16_t)(first + (uint16_t)__builtin_ctzll(left));
        }
    }
}

PICK_BODY void values_body(const cairn__image_chunk *chunk, cairn__pick_places places,
                           uint64_t power, uint64_t *values_out) {
    const uint8_t *values = chunk->values;
    uint64_t mask = cairn__pack_mask(chunk->bits), base = chunk->base;
    unsigned bits = chunk->bits;
    for (size_t i = 0; i < places.count; i++) {
        values_out[i] = (base + cairn__pack_get(values, bits, mask, places.at[i])) * power;
    }
}

/* --- the two versions --- */

static void times_plain(cairn__pick *pick, const cairn__image_chunk *time, uint64_t from,
                        uint64_t span) {
    times_body(pick, time, from, span);
}

static size_t runs_plain(const cairn__pick *pick, const cairn__image_chunk *runs,
                         cairn__pick_nodes out) {
    return runs_body(pick, runs, out, false);
}

#if defined(PICK_WIDE)
PICK_WIDE static void times_wide(cairn__pick *pick, const cairn__image_chunk *time, uint64_t from,
                                 uint64_t span) {
    times_body(pick, time, from, span);
}

PICK_WIDE static void count_wide(cairn__pick *pick) {
    count_body(pick, true);
}

PICK_WIDE static size_t runs_wide(const cairn__pick *pick, const cairn__image_chunk *runs,
                                  cairn__pick_nodes out) {
    return runs_body(pick, runs, out, true);
}

PICK_WIDE static void rows_wide(cairn__pick *pick) {
    rows_body(pick);
}

PICK_WIDE static void values_wide(const cairn__image_chunk *chunk, cairn__pick_places places,
                                  uint64_t power, uint64_t *values_out) {
    values_body(chunk, places, power, values_out);
}
#endif

void cairn__pick_times(cairn__pick *pick, const cairn__image_chunk *time, int64_t from_ms,
                       int64_t to_ms) {
    uint64_t span = (uint64_t)to_ms - (uint64_t)from_ms;
#if defined(PICK_WIDE)
    if (is_wide()) {
        times_wide(pick, time, (uint64_t)from_ms, span);
        return;
    }
#endif
    times_plain(pick, time, (uint64_t)from_ms, span);
}

void cairn__pick_count(cairn__pick *pick) {
#if defined(PICK_WIDE)
    if (is_wide()) {
        count_wide(pick);
        return;
    }
#endif
    count_body(pick, false);
}

size_t cairn__pick_runs(const cairn__pick *pick, const cairn__image_chunk *runs,
                        cairn__pick_nodes out) {
#if defined(PICK_WIDE)
    if (is_wide()) {
        return runs_wide(pick, runs, out);
    }
#endif
    return runs_plain(pick, runs, out);
}

void cairn__pick_rows(cairn__pick *pick) {
#if defined(PICK_WIDE)
    if (is_wide()) {
        rows_wide(pick);
        return;
    }
#endif
    rows_body(pick);
}

void cairn__pick_values(const cairn__image_chunk *chunk, cairn__pick_places places, uint64_t power,
                        uint64_t *values_out) {
#if defined(PICK_WIDE)
    if (is_wide()) {
        values_wide(chunk, places, power, values_out);
        return;
    }
#endif
    values_body(chunk, places, power, values_out);
}
