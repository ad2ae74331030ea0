/* id.c: see id.h. */
#include "model/id.h"

#include <string.h>

enum { DENIED_BYTES_MAX = 12 };

static bool only_zeros(cairn_span value) {
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] != '0' && value.data[i] != '-') {
            return false;
        }
    }
    return true; /* the empty one, too */
}

bool cairn__id_denied(cairn_id id) {
    static const char *const words[] = { "null",   "nil",     "none",      "nan", "undefined",
                                         "(null)", "unknown", "anonymous", "n/a" };
    if (only_zeros(id.value)) {
        return true;
    }
    char lower[DENIED_BYTES_MAX] = { 0 };
    if (id.value.len >= sizeof lower) {
        return false;
    }
    for (size_t i = 0; i < id.value.len; i++) {
        uint8_t byte = id.value.data[i];
        lower[i] = (char)(byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (id.value.len == strlen(words[i]) && memcmp(lower, words[i], id.value.len) == 0) {
            return true;
        }
    }
    return false;
}
