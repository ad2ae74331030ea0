#include "ingest/nul.h"

#include <string.h>

enum {
    PRIVATE_FIRST = 0xE000, /* the basic plane's private-use area */
    PRIVATE_COUNT = 6400,
    ESCAPE_BYTES = 6 /* \uXXXX */
};

static int digit_of(uint8_t byte) {
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    uint8_t lower = byte | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The code of an escape \uXXXX at this place; -1: there is none. */
static int escape_at(cairn_span body, size_t at) {
    if (body.len - at < ESCAPE_BYTES || body.data[at] != '\\' || body.data[at + 1] != 'u') {
        return -1;
    }
    int code = 0;
    for (size_t i = 2; i < ESCAPE_BYTES; i++) {
        int digit = digit_of(body.data[at + i]);
        if (digit < 0) {
            return -1;
        }
        code = code * 16 + digit;
    }
    return code;
}

/* The code of a three-byte character at this place; -1: none is there. */
static int character_at(cairn_span body, size_t at) {
    const uint8_t *byte = body.data + at;
    bool three = body.len - at >= 3 && (byte[0] & 0xF0) == 0xE0 && (byte[1] & 0xC0) == 0x80 &&
                 (byte[2] & 0xC0) == 0x80;
    return three ? (byte[0] & 0x0F) << 12 | (byte[1] & 0x3F) << 6 | (byte[2] & 0x3F) : -1;
}

/* One step through a body: an escape is never entered in its middle. */
static size_t step_at(cairn_span body, size_t at) {
    return body.data[at] == '\\' && body.len - at >= 2 ? 2 : 1;
}

static int free_code(cairn_span body) {
    uint8_t used[PRIVATE_COUNT] = { 0 };
    for (size_t at = 0; at < body.len; at += step_at(body, at)) {
        int escape = escape_at(body, at);
        int code = (escape >= 0 ? escape : character_at(body, at)) - PRIVATE_FIRST;
        if (code >= 0 && code < PRIVATE_COUNT) {
            used[code] = 1;
        }
    }
    const uint8_t *unused = memchr(used, 0, sizeof used);
    return unused == NULL ? -1 : PRIVATE_FIRST + (int)(unused - used);
}

static void write_code(uint8_t *to, int code) {
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < 4; i++) {
        to[i] = (uint8_t)digits[code >> (12 - 4 * i) & 15];
    }
}

cairn_status cairn__nul_mark_body(cairn_span body, cairn__arena *arena, cairn_span *marked_out,
                                  cairn__nul_mark *mark_out) {
    int code = free_code(body);
    if (code < 0) {
        return CAIRN_FULL;
    }
    uint8_t *copy = cairn__arena_alloc(arena, body.len + 1);
    if (copy == NULL) {
        return CAIRN_NO_MEMORY;
    }
    memcpy(copy, body.data, body.len);
    for (size_t at = 0; at < body.len; at += step_at(body, at)) {
        if (escape_at(body, at) == 0) {
            write_code(copy + at + 2, code);
        }
    }
    *marked_out = (cairn_span){ copy, body.len };
    *mark_out =
        (cairn__nul_mark){ { (uint8_t)(0xE0 | code >> 12), (uint8_t)(0x80 | (code >> 6 & 0x3F)),
                             (uint8_t)(0x80 | (code & 0x3F)) } };
    return CAIRN_OK;
}

size_t cairn__nul_restore(const cairn__nul_mark *mark, uint8_t *text, size_t len) {
    size_t to = 0;
    for (size_t from = 0; from < len;) {
        bool marked = len - from >= 3 && memcmp(text + from, mark->utf8, 3) == 0;
        text[to++] = marked ? 0 : text[from];
        from += marked ? 3 : 1;
    }
    return to;
}
