/* pack.h: numbers of 0..56 or 64 bits each, side by side without gaps; any one is read with one
 * load, one shift and one mask. A packed run ends in 8 bytes of slack, so that the load of the last
 * number stays inside. Pure. */
#ifndef CAIRN_TRAIL_PACK_H
#define CAIRN_TRAIL_PACK_H

#include "base/bytes.h"
#include "base/memory.h"

enum {
    CAIRN__PACK_BITS_MAX = 56, /* wider numbers take 64: one unaligned load must hold any of them */
    CAIRN__PACK_SLACK_BYTES = 8
};

/** Bits that a number up to `max` takes: 0..56 or 64. */
static inline unsigned cairn__pack_bits(uint64_t max) {
    unsigned bits = max == 0 ? 0 : 64 - (unsigned)__builtin_clzll(max);
    return bits > CAIRN__PACK_BITS_MAX ? 64 : bits;
}

static inline bool cairn__pack_bits_valid(unsigned bits) {
    return bits <= CAIRN__PACK_BITS_MAX || bits == 64;
}

static inline uint64_t cairn__pack_mask(unsigned bits) {
    return bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

/** Bytes of a packed run, slack included. count must be below 2^56. */
static inline uint64_t cairn__pack_bytes(uint64_t count, unsigned bits) {
    return (count * bits + 7) / 8 + CAIRN__PACK_SLACK_BYTES;
}

/** Number i of a run. mask is cairn__pack_mask(bits), kept by the caller outside its loop. */
static inline uint64_t cairn__pack_get(const uint8_t *run, unsigned bits, uint64_t mask, size_t i) {
    size_t bit = i * bits;
    return (cairn__load_u64(run + (bit >> 3)) >> (bit & 7)) & mask;
}

/** Set number i of a run whose bytes were all zero before. */
static inline void cairn__pack_set(uint8_t *run, unsigned bits, size_t i, uint64_t value) {
    size_t bit = i * bits;
    uint8_t *at = run + (bit >> 3);
    cairn__store_u64(at, cairn__load_u64(at) | (value << (bit & 7)));
}

/** Append a zeroed run of `count` numbers; NULL (and buffer->failed): no memory. */
uint8_t *cairn__pack_reserve(cairn__buffer *buffer, size_t count, unsigned bits);

/** Append a packed run of values[i] - base. */
void cairn__pack_put(cairn__buffer *buffer, const uint64_t *values, size_t count, uint64_t base,
                     unsigned bits);

#endif
