/* bytes.c: span helpers and the UTF-8 check (the table of RFC 3629, section 4). */
#include "base/bytes.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "formats are little-endian in memory");

cairn_span cairn__span_of(const char *text) {
    return text == NULL ? (cairn_span){ NULL, 0 } : cairn__span(text, strlen(text));
}

int cairn__span_compare(cairn_span a, cairn_span b) {
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    if (order != 0) {
        return order;
    }
    return a.len == b.len ? 0 : (a.len < b.len ? -1 : 1);
}

/* The length of the well-formed sequence at `at`, or 0. The second byte's range
 * depends on the first: that is what keeps out overlong forms and surrogates. */
static size_t sequence_length(const uint8_t *at, size_t left) {
    uint8_t lead = at[0];
    size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (length == 0 || lead > 0xF4 || length > left) {
        return 0;
    }
    if (length == 1) {
        return 1;
    }
    uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (at[1] < low || at[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((at[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return length;
}

bool cairn__utf8_valid(cairn_span text) {
    size_t i = 0;
    while (i < text.len) {
        if (text.len - i >= 8 && (cairn__load_u64(text.data + i) & 0x8080808080808080u) == 0) {
            i += 8; /* eight ASCII bytes at once: most names and values are ASCII */
            continue;
        }
        size_t length = sequence_length(text.data + i, text.len - i);
        if (length == 0) {
            return false;
        }
        i += length;
    }
    return true;
}
