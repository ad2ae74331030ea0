/* varint.c: see varint.h. Every read checks the end before the byte. */
#include "base/varint.h"

bool cairn__read_varint_slow(cairn__cursor *cursor, uint64_t *value_out) {
    uint64_t value = 0;
    const uint8_t *at = cursor->at;
    for (unsigned shift = 0; shift < 64 && at < cursor->end; shift += 7) {
        uint8_t byte = *at++;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            cursor->at = at;
            *value_out = value;
            return true;
        }
    }
    return false;
}

bool cairn__read_bytes(cairn__cursor *cursor, cairn_span *bytes_out) {
    cairn__cursor start = *cursor;
    uint64_t length = 0;
    if (!cairn__read_varint(cursor, &length) || length > (uint64_t)(cursor->end - cursor->at)) {
        *cursor = start;
        return false;
    }
    *bytes_out = (cairn_span){ cursor->at, (size_t)length };
    cursor->at += length;
    return true;
}

bool cairn__skip_field(cairn__cursor *cursor, unsigned wire_type) {
    uint64_t number = 0;
    cairn_span bytes;
    size_t fixed = 0;
    switch (wire_type) {
    case 0:
        return cairn__read_varint(cursor, &number);
    case 1:
        fixed = 8;
        break;
    case 2:
        return cairn__read_bytes(cursor, &bytes);
    case 5:
        fixed = 4;
        break;
    default:
        return false;
    }
    if ((size_t)(cursor->end - cursor->at) < fixed) {
        return false;
    }
    cursor->at += fixed;
    return true;
}

size_t cairn__varint_bytes(uint64_t value) {
    size_t bytes = 1;
    while (value >= 0x80) {
        value >>= 7;
        bytes++;
    }
    return bytes;
}

size_t cairn__put_varint(uint8_t *to, uint64_t value) {
    size_t bytes = 0;
    while (value >= 0x80) {
        to[bytes++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    to[bytes++] = (uint8_t)value;
    return bytes;
}

void cairn__write_varint(cairn__buffer *buffer, uint64_t value) {
    uint8_t bytes[CAIRN__VARINT_BYTES_MAX];
    cairn__buffer_append(buffer, (cairn_span){ bytes, cairn__put_varint(bytes, value) });
}
