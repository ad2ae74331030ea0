#include "rules/network.h"

#include <string.h>

enum { V4_BYTES = 4, V6_BYTES = 16, GROUPS = 8, GROUP_DIGITS_MAX = 4 };

typedef struct host_address {
    uint8_t bytes[V6_BYTES];
    uint32_t bits; /* 32 or 128 */
} host_address;

static bool take_byte(cairn_span *rest, uint8_t byte) {
    if (rest->len == 0 || rest->data[0] != byte) {
        return false;
    }
    *rest = (cairn_span){ rest->data + 1, rest->len - 1 };
    return true;
}

/* A whole number up to `most`, without leading zeros. */
static bool take_decimal(cairn_span *rest, uint32_t most, uint32_t *number_out) {
    size_t digits = 0;
    uint32_t number = 0;
    for (; digits < rest->len && rest->data[digits] >= '0' && rest->data[digits] <= '9'; digits++) {
        number = number * 10 + (uint32_t)(rest->data[digits] - '0');
        if (number > most) {
            return false;
        }
    }
    if (digits == 0 || (digits > 1 && rest->data[0] == '0')) {
        return false;
    }
    *rest = (cairn_span){ rest->data + digits, rest->len - digits };
    *number_out = number;
    return true;
}

static bool read_v4(cairn_span rest, uint8_t *to) {
    for (int i = 0; i < V4_BYTES; i++) {
        uint32_t number = 0;
        if ((i > 0 && !take_byte(&rest, '.')) || !take_decimal(&rest, 255, &number)) {
            return false;
        }
        to[i] = (uint8_t)number;
    }
    return rest.len == 0;
}

static int hex_digit(uint8_t byte) {
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    uint8_t lower = byte | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool take_group(cairn_span *rest, uint8_t *to) {
    uint32_t number = 0;
    size_t digits = 0;
    for (; digits < rest->len && digits < GROUP_DIGITS_MAX; digits++) {
        int digit = hex_digit(rest->data[digits]);
        if (digit < 0) {
            break;
        }
        number = number * 16 + (uint32_t)digit;
    }
    if (digits == 0) {
        return false;
    }
    *rest = (cairn_span){ rest->data + digits, rest->len - digits };
    to[0] = (uint8_t)(number >> 8);
    to[1] = (uint8_t)number;
    return true;
}

/* Groups as they stand, and where "::" was: the zeros that it means are put in afterwards. */
typedef struct groups {
    uint8_t bytes[V6_BYTES];
    size_t count; /* bytes */
    size_t gap;   /* in bytes; SIZE_MAX: there is none */
} groups;

/* One group, or an IPv4 address as the last two. */
static bool take_part(cairn_span *rest, groups *to) {
    if (to->count + V4_BYTES <= V6_BYTES && read_v4(*rest, to->bytes + to->count)) {
        to->count += V4_BYTES;
        rest->len = 0;
        return true;
    }
    bool good = to->count < V6_BYTES && take_group(rest, to->bytes + to->count);
    to->count += good ? 2 : 0;
    return good;
}

/* "::" once, between groups or at an end. */
static bool take_gap(cairn_span *rest, groups *to) {
    if (rest->len < 2 || rest->data[0] != ':' || rest->data[1] != ':' || to->gap != SIZE_MAX) {
        return false;
    }
    *rest = (cairn_span){ rest->data + 2, rest->len - 2 };
    to->gap = to->count;
    return true;
}

static bool take_parts(cairn_span *rest, groups *to) {
    bool joined = take_gap(rest, to); /* may a group come next? */
    joined = joined || take_part(rest, to);
    while (joined && rest->len > 0) {
        bool after_gap = to->gap == to->count;
        joined = after_gap || take_gap(rest, to) || take_byte(rest, ':');
        bool ends = !after_gap && to->gap == to->count && rest->len == 0;
        joined = joined && (ends || take_part(rest, to));
    }
    return joined;
}

static bool read_v6(cairn_span rest, uint8_t *to) {
    groups parts = { .gap = SIZE_MAX };
    if (!take_parts(&rest, &parts)) {
        return false;
    }
    if (parts.gap == SIZE_MAX) {
        memcpy(to, parts.bytes, V6_BYTES);
        return parts.count == V6_BYTES;
    }
    size_t after = parts.count - parts.gap;
    memset(to, 0, V6_BYTES);
    memcpy(to, parts.bytes, parts.gap);
    memcpy(to + V6_BYTES - after, parts.bytes + parts.gap, after);
    return parts.count < V6_BYTES;
}

static bool read_address(cairn_span text, host_address *to) {
    if (read_v4(text, to->bytes)) {
        to->bits = 8 * V4_BYTES;
        return true;
    }
    to->bits = 8 * V6_BYTES;
    return read_v6(text, to->bytes);
}

/* `bits_out`: how many of the address's first bits make the network. */
static bool read_network(cairn_span text, host_address *to, uint32_t *bits_out) {
    cairn_span front = text;
    size_t slash = 0;
    while (slash < text.len && text.data[slash] != '/') {
        slash += 1;
    }
    front.len = slash;
    if (!read_address(front, to)) {
        return false;
    }
    *bits_out = to->bits;
    if (slash == text.len) {
        return true;
    }
    cairn_span rest = { text.data + slash + 1, text.len - slash - 1 };
    return take_decimal(&rest, to->bits, bits_out) && rest.len == 0;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, uint32_t bits) {
    uint32_t whole = bits / 8;
    uint32_t shift = 8 - bits % 8;
    return memcmp(a, b, whole) == 0 && (shift == 8 || a[whole] >> shift == b[whole] >> shift);
}

cairn__rule_value cairn__rule_in_network(const cairn__rule_value *address,
                                         const cairn__rule_value *network) {
    host_address asked;
    host_address base;
    uint32_t bits = 0;
    bool texts = address->kind == CAIRN_VALUE_STRING && network->kind == CAIRN_VALUE_STRING;
    if (!texts || !read_address(address->as.string, &asked) ||
        !read_network(network->as.string, &base, &bits)) {
        return cairn__rule_null();
    }
    return cairn__rule_boolean(asked.bits == base.bits && same_bits(asked.bytes, base.bytes, bits));
}
