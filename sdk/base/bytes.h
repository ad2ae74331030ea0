/* bytes.h: little-endian loads and stores, and span helpers. Pure; no memory of its own. */
#ifndef CAIRN_BASE_BYTES_H
#define CAIRN_BASE_BYTES_H

#include <string.h>

#include "base/inline.h"
#include "cairn/cairn_types.h"

CAIRN__INLINE uint16_t cairn__load_u16(const uint8_t *from) {
    uint16_t value;
    memcpy(&value, from, sizeof value);
    return value; /* every target Cairn builds for is little-endian; checked in bytes.c */
}

CAIRN__INLINE uint32_t cairn__load_u32(const uint8_t *from) {
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

CAIRN__INLINE uint64_t cairn__load_u64(const uint8_t *from) {
    uint64_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

CAIRN__INLINE void cairn__store_u16(uint8_t *to, uint16_t value) {
    memcpy(to, &value, sizeof value);
}

CAIRN__INLINE void cairn__store_u32(uint8_t *to, uint32_t value) {
    memcpy(to, &value, sizeof value);
}

CAIRN__INLINE void cairn__store_u64(uint8_t *to, uint64_t value) {
    memcpy(to, &value, sizeof value);
}

CAIRN__INLINE cairn_span cairn__span(const void *data, size_t len) {
    return (cairn_span){ (const uint8_t *)data, len };
}

/** Bytewise equality; two empty spans are equal. */
static inline bool cairn__span_equal(cairn_span a, cairn_span b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/** The span of a NUL-terminated string; borrowed. NULL gives the empty span. */
cairn_span cairn__span_of(const char *text);

/** Bytewise order as memcmp, the shorter first on a tie: < 0, 0 or > 0. */
int cairn__span_compare(cairn_span a, cairn_span b);

/** True when the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool cairn__utf8_valid(cairn_span text);

#endif
