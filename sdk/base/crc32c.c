/* crc32c.c: the processor's own instruction where there is one (SSE4.2, chosen at run time),
 * else a table. The WASM build takes a 16-entry table: 1 KiB less to download. */
#include "base/crc32c.h"

#include "base/bytes.h"

/* Remainders of the 16 nibbles under the reflected polynomial 0x82F63B78. */
static const uint32_t nibble_table[16] = { 0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1,
                                           0x417B1DBC, 0x5125DAD3, 0x61C69362, 0x7198540D,
                                           0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9,
                                           0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75 };

static uint32_t crc_portable(uint32_t crc, cairn_span bytes) {
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= bytes.data[i];
        crc = (crc >> 4) ^ nibble_table[crc & 15];
        crc = (crc >> 4) ^ nibble_table[crc & 15];
    }
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_hardware(uint32_t crc, cairn_span bytes) {
    const uint8_t *at = bytes.data;
    size_t left = bytes.len;
    uint64_t wide = crc;
    for (; left >= 8; left -= 8, at += 8) {
        wide = __builtin_ia32_crc32di(wide, cairn__load_u64(at));
    }
    uint32_t narrow = (uint32_t)wide;
    for (; left > 0; left--, at++) {
        narrow = __builtin_ia32_crc32qi(narrow, *at);
    }
    return narrow;
}
#endif

uint32_t cairn__crc32c(uint32_t crc, cairn_span bytes) {
    crc = ~crc;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) {
        return ~crc_hardware(crc, bytes);
    }
#endif
    return ~crc_portable(crc, bytes);
}
