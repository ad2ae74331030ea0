/* pack.c: writing packed runs. */
#include "trail/pack.h"

enum { LAST_BYTES = 16 /* the slack, and the number before it */ };

uint8_t *cairn__pack_reserve(cairn__buffer *buffer, size_t count, unsigned bits) {
    size_t bytes = (size_t)cairn__pack_bytes(count, bits);
    uint8_t *run = cairn__buffer_extend(buffer, bytes);
    if (run != NULL) {
        memset(run, 0, bytes);
    }
    return run;
}

/* Numbers gather in a word that is stored when it is full. */
static void put_packed(uint8_t *run, const uint64_t *values, size_t count, uint64_t base,
                       unsigned bits) {
    uint64_t word = 0;
    unsigned filled = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t value = values[i] - base;
        word |= value << filled;
        filled += bits;
        if (filled >= 64) {
            cairn__store_u64(run, word);
            run += sizeof word;
            filled -= 64;
            word = filled == 0 ? 0 : value >> (bits - filled);
        }
    }
    cairn__store_u64(run, word); /* reaches into the slack at most */
}

void cairn__pack_put(cairn__buffer *buffer, const uint64_t *values, size_t count, uint64_t base,
                     unsigned bits) {
    size_t bytes = (size_t)cairn__pack_bytes(count, bits);
    uint8_t *run = cairn__buffer_extend(buffer, bytes);
    if (run == NULL) {
        return;
    }
    size_t end = bytes < LAST_BYTES ? 0 : bytes - LAST_BYTES;
    memset(run + end, 0, bytes - end); /* what the last store may leave */
    if (bits != 0) {
        put_packed(run, values, count, base, bits);
    }
}
