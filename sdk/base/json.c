#include "base/json.h"

#include "base/bytes.h"

static void escape(cairn__buffer *to, uint8_t byte) {
    static const char digits[] = "0123456789abcdef";
    if (byte == '"' || byte == '\\') {
        cairn__buffer_byte(to, '\\');
        cairn__buffer_byte(to, byte);
        return;
    }
    CAIRN__JSON_PUT(to, "\\u00");
    cairn__buffer_byte(to, (uint8_t)digits[byte >> 4]);
    cairn__buffer_byte(to, (uint8_t)digits[byte & 15]);
}

/* May the byte stand in a text as it is? */
static bool plain(uint8_t byte, bool utf8) {
    return byte >= 0x20 && byte != '"' && byte != '\\' && (byte < 0x80 || utf8);
}

/* Most texts are names: ASCII, nothing to escape. False: it is another one, nothing was written. */
static bool put_plain(cairn__buffer *to, cairn_span text) {
    for (size_t i = 0; i < text.len; i++) {
        if (!plain(text.data[i], false)) {
            return false;
        }
    }
    uint8_t *at = cairn__buffer_extend(to, text.len + 2);
    if (at != NULL) {
        at[0] = '"';
        if (text.len > 0) {
            memcpy(at + 1, text.data, text.len);
        }
        at[text.len + 1] = '"';
    }
    return true;
}

void cairn__json_text(cairn__buffer *to, cairn_span text) {
    if (put_plain(to, text)) {
        return;
    }
    bool utf8 = cairn__utf8_valid(text);
    cairn__buffer_byte(to, '"');
    size_t done = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (plain(text.data[i], utf8)) {
            continue;
        }
        cairn__buffer_append(to, (cairn_span){ text.data + done, i - done });
        done = i + 1;
        if (text.data[i] >= 0x80) {
            CAIRN__JSON_PUT(to, "\\ufffd");
        } else {
            escape(to, text.data[i]);
        }
    }
    cairn__buffer_append(to, (cairn_span){ text.data + done, text.len - done });
    cairn__buffer_byte(to, '"');
}

void cairn__json_integer(cairn__buffer *to, int64_t number) {
    uint8_t text[20]; /* the digits of 2^63 and a sign */
    size_t at = sizeof text;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        text[--at] = (uint8_t)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0) {
        text[--at] = '-';
    }
    cairn__buffer_append(to, (cairn_span){ text + at, sizeof text - at });
}
