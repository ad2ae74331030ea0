/* decode.h: values out of checked chunks (image.h). Pure. */
#ifndef CAIRN_TRAIL_DECODE_H
#define CAIRN_TRAIL_DECODE_H

#include "trail/image.h"

static inline uint64_t cairn__decode_integer(const cairn__image_chunk *chunk, size_t i) {
    return chunk->base +
           cairn__pack_get(chunk->values, chunk->bits, cairn__pack_mask(chunk->bits), i);
}

/** Orders are often (position << k | small index): the zeros between are left out. */
enum { CAIRN__ORDER_LOW_MAX = 15, CAIRN__ORDER_GAP_MAX = 15, CAIRN__ORDER_GAP_SHIFT = 4 };

static inline uint64_t cairn__order_squeeze(uint64_t order, unsigned how) {
    unsigned low = how & CAIRN__ORDER_LOW_MAX, gap = how >> CAIRN__ORDER_GAP_SHIFT;
    return order >> (low + gap) << low | (order & cairn__pack_mask(low));
}

static inline uint64_t cairn__order_widen(uint64_t squeezed, unsigned how) {
    unsigned low = how & CAIRN__ORDER_LOW_MAX, gap = how >> CAIRN__ORDER_GAP_SHIFT;
    return squeezed >> low << (low + gap) | (squeezed & cairn__pack_mask(low));
}

static inline uint64_t cairn__decode_order(const cairn__image_chunk *chunk, size_t i) {
    return cairn__order_widen(cairn__decode_integer(chunk, i), chunk->presence_bits);
}

/** What stored integers are multiplied with. */
static inline uint64_t cairn__decode_power(const cairn__image_chunk *chunk) {
    return chunk->scale > CAIRN__SCALE_MAX ? 1 : (uint64_t)cairn__image_powers[chunk->scale];
}

static inline int64_t cairn__decode_time(const cairn__image_chunk *chunk, size_t i) {
    return (int64_t)(cairn__decode_integer(chunk, i) * cairn__decode_power(chunk));
}

static inline uint32_t cairn__decode_code(const cairn__image_chunk *chunk, size_t i) {
    return chunk->bits == 8 ? chunk->values[i] : cairn__load_u16(chunk->values + i * 2);
}

/** A number's IEEE bits. */
static inline uint64_t cairn__decode_number(const cairn__image_chunk *chunk, size_t i) {
    uint64_t bits = cairn__decode_integer(chunk, i);
    if (chunk->scale <= CAIRN__SCALE_MAX) {
        double number = (double)(int64_t)bits / (double)cairn__image_powers[chunk->scale];
        memcpy(&bits, &number, sizeof bits);
    }
    return bits;
}

/** Value i of a field's chunk as the 64 bits of a cell (column.h), by its kind. */
static inline uint64_t cairn__decode_bits(const cairn__image_chunk *chunk, cairn_value_kind kind,
                                          size_t i) {
    if (kind == CAIRN_VALUE_NUMBER) {
        return cairn__decode_number(chunk, i);
    }
    return kind == CAIRN_VALUE_TIME ? (uint64_t)cairn__decode_time(chunk, i)
                                    : cairn__decode_integer(chunk, i);
}

/** Node of every row. */
static inline void cairn__decode_nodes(const cairn__image_chunk *runs, uint32_t *node_out) {
    uint32_t row = 0;
    for (uint32_t i = 0; i < runs->count; i++) {
        uint32_t node = (uint32_t)cairn__decode_integer(runs, i);
        uint32_t end = cairn__load_u16(runs->ends + (size_t)i * 2);
        while (row < end) {
            node_out[row++] = node;
        }
    }
}

/** Nodes, times and orders of a block, checked. */
static inline cairn_status cairn__decode_frame(cairn__image *image, const cairn__image_view *view,
                                               cairn__image_chunk *runs, cairn__image_chunk *time,
                                               cairn__image_chunk *order) {
    cairn_status status = cairn__image_chunk_open(image, view, CAIRN__CHUNK_RUNS, runs);
    if (status == CAIRN_OK) {
        status = cairn__image_chunk_open(image, view, CAIRN__CHUNK_TIME, time);
    }
    return status == CAIRN_OK ? cairn__image_chunk_open(image, view, CAIRN__CHUNK_ORDER, order)
                              : status;
}

/** A walk over the rows that have a value, ascending. */
typedef struct cairn__present {
    const cairn__image_chunk *chunk;
    uint32_t rows;
    uint32_t at; /* the next row to look at; of a list the next entry */
} cairn__present;

/** From value `first` on, whose row is at least `row`. */
static inline cairn__present cairn__present_from(const cairn__image_chunk *chunk, uint32_t rows,
                                                 uint32_t first, uint32_t row) {
    return (cairn__present){ chunk, rows, chunk->presence == CAIRN__PRESENT_LIST ? first : row };
}

static inline bool cairn__present_bit(cairn__present *present, uint32_t *row_out) {
    while (present->at < present->rows) {
        uint64_t word =
            cairn__load_u64(present->chunk->presence_at + (size_t)(present->at / 64) * 8) >>
            (present->at % 64);
        if (word != 0) {
            *row_out = present->at + (uint32_t)__builtin_ctzll(word);
            present->at = *row_out + 1;
            return true;
        }
        present->at = (present->at / 64 + 1) * 64;
    }
    return false;
}

static inline bool cairn__present_next(cairn__present *present, uint32_t *row_out) {
    const cairn__image_chunk *chunk = present->chunk;
    if (chunk->presence == CAIRN__PRESENT_BITMAP) {
        return cairn__present_bit(present, row_out);
    }
    uint32_t at = present->at++;
    if (chunk->presence == CAIRN__PRESENT_ALL) {
        *row_out = at;
        return at < present->rows;
    }
    if (at >= chunk->count) {
        return false;
    }
    *row_out = (uint32_t)cairn__pack_get(chunk->presence_at, chunk->presence_bits,
                                         cairn__pack_mask(chunk->presence_bits), at);
    return true;
}

#endif
