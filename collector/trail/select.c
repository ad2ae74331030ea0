/* select.c: without branches: whether a row matches decides only how far the output moves on. */
#include "trail/select.h"

#include "trail/decode.h"

size_t cairn__select_all(uint32_t count, uint16_t *rows_out) {
    for (uint32_t i = 0; i < count; i++) {
        rows_out[i] = (uint16_t)i;
    }
    return count;
}

size_t cairn__select(const cairn__image_chunk *names, const uint8_t *wanted, uint16_t *rows_out) {
    size_t count = 0;
    if (names->bits == 8) {
        for (uint32_t i = 0; i < names->count; i++) {
            rows_out[count] = (uint16_t)i;
            count += wanted[names->values[i]];
        }
        return count;
    }
    for (uint32_t i = 0; i < names->count; i++) {
        rows_out[count] = (uint16_t)i;
        count += wanted[cairn__decode_code(names, i)];
    }
    return count;
}
