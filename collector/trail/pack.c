/* pack.c: writing packed runs. */
#include "trail/pack.h"

uint8_t *cairn__pack_reserve(cairn__buffer *buffer, size_t count, unsigned bits) {
    size_t bytes = (size_t)cairn__pack_bytes(count, bits);
    uint8_t *run = cairn__buffer_extend(buffer, bytes);
    if (run != NULL) {
        memset(run, 0, bytes);
    }
    return run;
}

void cairn__pack_put(cairn__buffer *buffer, const uint64_t *values, size_t count, uint64_t base,
                     unsigned bits) {
    uint8_t *run = cairn__pack_reserve(buffer, count, bits);
    if (run == NULL || bits == 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        cairn__pack_set(run, bits, i, values[i] - base);
    }
}
