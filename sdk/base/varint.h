/* varint.h: protobuf's varints and zigzag (developers' guide "Encoding"), and a bounded cursor. */
#ifndef CAIRN_BASE_VARINT_H
#define CAIRN_BASE_VARINT_H

#include "base/inline.h"
#include "base/memory.h"
#include "cairn/cairn_types.h"

enum { CAIRN__VARINT_BYTES_MAX = 10 };

/** Where a reader stands in a span. A failed read leaves the cursor where it was. */
typedef struct cairn__cursor {
    const uint8_t *at;
    const uint8_t *end;
} cairn__cursor;

CAIRN__INLINE cairn__cursor cairn__cursor_of(cairn_span bytes) {
    return (cairn__cursor){ bytes.data, bytes.data + bytes.len };
}

/** False when the varint is cut off or longer than 10 bytes. */
bool cairn__read_varint_slow(cairn__cursor *cursor, uint64_t *value_out);

static inline bool cairn__read_varint(cairn__cursor *cursor, uint64_t *value_out) {
    if (cursor->at < cursor->end && *cursor->at < 0x80) {
        *value_out = *cursor->at++;
        return true;
    }
    return cairn__read_varint_slow(cursor, value_out);
}

/** A length-delimited field's bytes, borrowed; false when it does not fit. */
bool cairn__read_bytes(cairn__cursor *cursor, cairn_span *bytes_out);

/** Step over a field of this protobuf wire type (0, 1, 2 or 5); false for others or a cut. */
bool cairn__skip_field(cairn__cursor *cursor, unsigned wire_type);

/** Bytes that a varint of this value takes: 1..10. */
size_t cairn__varint_bytes(uint64_t value);

/** Write at `to` (room for 10 bytes); returns the bytes written. */
size_t cairn__put_varint(uint8_t *to, uint64_t value);

void cairn__write_varint(cairn__buffer *buffer, uint64_t value);

static inline uint64_t cairn__zigzag(int64_t value) {
    return ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
}

static inline int64_t cairn__unzigzag(uint64_t value) {
    return (int64_t)((value >> 1) ^ (~(value & 1) + 1));
}

#endif
