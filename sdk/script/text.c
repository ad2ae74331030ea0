#include "script/text.h"

#include <string.h>

#include "base/bytes.h"

enum { SURROGATE_BYTES = 3, LONE = 0xFFFD };

static uint8_t *put_three(uint8_t *to, uint32_t code) {
    *to++ = (uint8_t)(0xE0 | (code >> 12));
    *to++ = (uint8_t)(0x80 | ((code >> 6) & 0x3F));
    *to++ = (uint8_t)(0x80 | (code & 0x3F));
    return to;
}

size_t cairn__script_text_in(cairn_span text, uint8_t *to) {
    uint8_t *at = to;
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t *from = text.data + i;
        if (*from < 0xF0 || text.len - i < 4) {
            *at++ = *from;
            continue;
        }
        uint32_t code = ((from[0] & 0x07u) << 18 | (from[1] & 0x3Fu) << 12 |
                         (from[2] & 0x3Fu) << 6 | (from[3] & 0x3Fu)) -
                        0x10000u;
        at = put_three(at, 0xD800u | ((code >> 10) & 0x3FF));
        at = put_three(at, 0xDC00u | (code & 0x3FF));
        i += 3;
    }
    return (size_t)(at - to);
}

/* The half of a pair at `from`, or 0. */
static uint32_t surrogate_at(const uint8_t *from, size_t len) {
    if (len < SURROGATE_BYTES || from[0] != 0xED || (from[1] & 0xE0) != 0xA0 ||
        (from[2] & 0xC0) != 0x80) {
        return 0;
    }
    return 0xD000u | (from[1] & 0x3Fu) << 6 | (from[2] & 0x3Fu);
}

static void append_lone(cairn__buffer *to) {
    uint8_t bytes[SURROGATE_BYTES];
    (void)put_three(bytes, LONE);
    cairn__buffer_append(to, cairn__span(bytes, sizeof bytes));
}

static size_t append_pair(const uint8_t *from, size_t len, cairn__buffer *to) {
    uint32_t high = surrogate_at(from, len);
    uint32_t low =
        len > SURROGATE_BYTES ? surrogate_at(from + SURROGATE_BYTES, len - SURROGATE_BYTES) : 0;
    if (high >= 0xDC00 || low < 0xDC00) {
        append_lone(to);
        return SURROGATE_BYTES;
    }
    uint32_t code = 0x10000u + ((high & 0x3FF) << 10) + (low & 0x3FF);
    const uint8_t bytes[] = { (uint8_t)(0xF0 | (code >> 18)),
                              (uint8_t)(0x80 | ((code >> 12) & 0x3F)),
                              (uint8_t)(0x80 | ((code >> 6) & 0x3F)),
                              (uint8_t)(0x80 | (code & 0x3F)) };
    cairn__buffer_append(to, cairn__span(bytes, sizeof bytes));
    return 2 * (size_t)SURROGATE_BYTES;
}

/* Bytes of the well-formed character at `from` that is no half of a pair; 0: there is none. */
static size_t character_bytes(const uint8_t *from, size_t len) {
    size_t bytes = from[0] < 0x80 ? 1 : from[0] < 0xE0 ? 2 : from[0] < 0xF0 ? 3 : 4;
    return bytes <= len && cairn__utf8_valid(cairn__span(from, bytes)) ? bytes : 0;
}

void cairn__script_text_out(cairn_span text, cairn__buffer *to) {
    size_t i = 0;
    while (i < text.len) {
        const uint8_t *from = text.data + i;
        size_t bytes = character_bytes(from, text.len - i);
        if (bytes > 0) {
            cairn__buffer_append(to, cairn__span(from, bytes));
        } else if (surrogate_at(from, text.len - i) != 0) {
            bytes = append_pair(from, text.len - i, to);
        } else {
            append_lone(to);
            bytes = 1;
        }
        i += bytes;
    }
}
