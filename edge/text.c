#include "edge/text.h"

#include <string.h>

#include "base/bytes.h"

/* Bytes of the well-formed sequence at `at`; 0: none is. */
static size_t sequence_bytes(const uint8_t *at, size_t left) {
    size_t bytes = at[0] < 0x80 ? 1 : at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
    return bytes <= left && cairn__utf8_valid(cairn__span(at, bytes)) ? bytes : 0;
}

void cairn__json_string(cairn__buffer *to, cairn_span text) {
    cairn__buffer_byte(to, '"');
    for (size_t i = 0; i < text.len;) {
        uint8_t byte = text.data[i];
        size_t bytes = sequence_bytes(text.data + i, text.len - i);
        if (bytes == 0) {
            cairn__buffer_append(to, CAIRN_STR("\\ufffd"));
            i++;
            continue;
        }
        if (byte < 0x20 || byte == 0x7F) {
            cairn__buffer_format(to, "\\u%04x", byte);
        } else if (byte == '"' || byte == '\\') {
            cairn__buffer_byte(to, '\\');
            cairn__buffer_byte(to, byte);
        } else {
            cairn__buffer_append(to, cairn__span(text.data + i, bytes));
        }
        i += bytes;
    }
    cairn__buffer_byte(to, '"');
}

static int hex_digit(uint8_t byte) {
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* The byte that an escape's two digits spell; -1: they are none, or not there. */
static int escaped(cairn_span text, size_t at) {
    int high = text.len - at > 2 ? hex_digit(text.data[at + 1]) : -1;
    int low = text.len - at > 2 ? hex_digit(text.data[at + 2]) : -1;
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool cairn__url_decode(cairn_span text, uint8_t *to, size_t *len_out) {
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        int byte = text.data[i];
        if (byte == '%') {
            byte = escaped(text, i);
            i += 2;
        }
        if (byte <= 0) {
            return false;
        }
        to[len++] = (uint8_t)byte;
    }
    *len_out = len;
    return true;
}

cairn_span cairn__query_value(cairn_span query, const char *name) {
    size_t name_len = strlen(name);
    const uint8_t *at = query.data;
    const uint8_t *end = query.data + query.len;
    while (at != NULL && at < end) {
        const uint8_t *amp = memchr(at, '&', (size_t)(end - at));
        const uint8_t *pair_end = amp == NULL ? end : amp;
        size_t len = (size_t)(pair_end - at);
        if (len > name_len && memcmp(at, name, name_len) == 0 && at[name_len] == '=') {
            return cairn__span(at + name_len + 1, len - name_len - 1);
        }
        at = pair_end + 1;
    }
    return (cairn_span){ NULL, 0 };
}

bool cairn__same_secret(cairn_span given, const char *secret) {
    size_t len = strlen(secret);
    unsigned different = given.len != len;
    for (size_t i = 0; i < given.len; i++) {
        different |= (unsigned)(given.data[i] ^ (uint8_t)secret[len == 0 ? 0 : i % len]);
    }
    return different == 0;
}
