/* pick.h: which rows of a block a query takes: the inner loops of every query. A set of rows is a
 * bitmap that filters narrow; at the end it becomes row numbers, and columns are read at those.
 * On x86-64 with AVX2 the loops run in the wider instructions; the results are the same. Pure. */
#ifndef CAIRN_TRAIL_PICK_H
#define CAIRN_TRAIL_PICK_H

#include "trail/image.h"

enum { CAIRN__PICK_WORDS = CAIRN__BLOCK_ROWS / 64 };

typedef struct cairn__pick {
    uint32_t row_count;                    /* rows of the block */
    uint32_t count;                        /* chosen, after cairn__pick_count */
    uint64_t words[CAIRN__PICK_WORDS + 1]; /* bit r: row r is chosen; the last word stays 0 */
    uint16_t ranks[CAIRN__PICK_WORDS + 1]; /* chosen rows before each word */
    uint16_t rows[CAIRN__BLOCK_ROWS + 8];  /* their numbers, after cairn__pick_rows */
} cairn__pick;

/** Every row of a block of `row_count`. */
void cairn__pick_all(cairn__pick *pick, uint32_t row_count);
/** The rows whose name code c has wanted[c] == 1 (else 0).
 * @param wanted  CAIRN__PICK_CODES entries when the chunk's codes are bytes. */
enum { CAIRN__PICK_CODES = 256 };
void cairn__pick_names(cairn__pick *pick, const cairn__image_chunk *names, const uint8_t *wanted);
/** Keep rows with from <= time < to; from < to. */
void cairn__pick_times(cairn__pick *pick, const cairn__image_chunk *time, int64_t from_ms,
                       int64_t to_ms);
/** Drop rows [first, end). */
void cairn__pick_drop(cairn__pick *pick, uint32_t first, uint32_t end);
/** Count the chosen rows; no filters after it. */
void cairn__pick_count(cairn__pick *pick);
/** Where nodes with chosen rows are written: room for one more than pick->count. */
typedef struct cairn__pick_nodes {
    uint32_t *nodes;
    uint32_t *starts; /* where each one's rows begin, counted from `first` */
    uint32_t first;
} cairn__pick_nodes;
/** The nodes that have chosen rows; how many. */
size_t cairn__pick_runs(const cairn__pick *pick, const cairn__image_chunk *runs,
                        cairn__pick_nodes out);
/** Write the numbers of the chosen rows. */
void cairn__pick_rows(cairn__pick *pick);

/** out[i] = (base + packed[at[i]]) * power: values of a chunk at these places. */
typedef struct cairn__pick_places {
    const uint16_t *at;
    size_t count;
} cairn__pick_places;
void cairn__pick_values(const cairn__image_chunk *chunk, cairn__pick_places places, uint64_t power,
                        uint64_t *values_out);

/** Bits set, without an instruction that old processors lack. */
static inline uint32_t cairn__ones(uint64_t word) {
    word -= (word >> 1) & UINT64_C(0x5555555555555555);
    word = (word & UINT64_C(0x3333333333333333)) + ((word >> 2) & UINT64_C(0x3333333333333333));
    word = (word + (word >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
    return (uint32_t)((word * UINT64_C(0x0101010101010101)) >> 56);
}

#endif
