/* version.c: versions are compared as they are read: nothing is copied and no number is made. */
#include "rules/version.h"

#include <string.h>

#include "base/bytes.h"

typedef cairn__rule_value value;

typedef struct version {
    cairn_span core[3]; /* digits without leading zeros */
    value pre;          /* "alpha.1", seen as its text is; empty: a release */
} version;

static bool is_digit(uint8_t byte) {
    return byte >= '0' && byte <= '9';
}

static bool is_identifier(uint8_t byte) {
    return is_digit(byte) || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           byte == '-';
}

/* Take the bytes that satisfy `belongs` from the front of `rest`. */
static cairn_span take(cairn_span *rest, bool (*belongs)(uint8_t byte)) {
    cairn_span taken = { rest->data, 0 };
    while (taken.len < rest->len && belongs(rest->data[taken.len])) {
        taken.len += 1;
    }
    if (taken.len > 0) {
        *rest = (cairn_span){ rest->data + taken.len, rest->len - taken.len };
    }
    return taken;
}

static bool take_byte(cairn_span *rest, uint8_t byte) {
    if (rest->len == 0 || rest->data[0] != byte) {
        return false;
    }
    *rest = (cairn_span){ rest->data + 1, rest->len - 1 };
    return true;
}

static bool is_number(cairn_span identifier) {
    return take(&identifier, is_digit).len > 0 && identifier.len == 0;
}

static bool leading_zero(cairn_span digits) {
    return digits.len > 1 && digits.data[0] == '0';
}

/* "alpha.1.x-y": identifiers between dots, none empty; `numbers` must have no leading zero. */
static bool take_identifiers(cairn_span *rest, bool numbers, cairn_span *all_out) {
    *all_out = *rest;
    do {
        cairn_span identifier = take(rest, is_identifier);
        if (identifier.len == 0 || (numbers && is_number(identifier) && leading_zero(identifier))) {
            return false;
        }
    } while (take_byte(rest, '.'));
    all_out->len -= rest->len;
    return true;
}

static bool read_version(const value *text, version *to) {
    if (text->kind != CAIRN_VALUE_STRING) {
        return false;
    }
    cairn_span rest = text->as.string;
    cairn_span build;
    for (int i = 0; i < 3; i++) {
        if (i > 0 && !take_byte(&rest, '.')) {
            return false;
        }
        to->core[i] = take(&rest, is_digit);
        if (to->core[i].len == 0 || leading_zero(to->core[i])) {
            return false;
        }
    }
    to->pre = (value){ .kind = CAIRN_VALUE_STRING, .fold = text->fold };
    if (take_byte(&rest, '-') && !take_identifiers(&rest, true, &to->pre.as.string)) {
        return false;
    }
    if (take_byte(&rest, '+') && !take_identifiers(&rest, false, &build)) {
        return false;
    }
    return rest.len == 0;
}

/* Without leading zeros, the longer number is the larger. */
static int order_digits(cairn_span a, cairn_span b) {
    if (a.len != b.len) {
        return a.len < b.len ? -1 : 1;
    }
    return memcmp(a.data, b.data, a.len);
}

static value next_identifier(value *rest) {
    value identifier = *rest;
    identifier.as.string = take(&rest->as.string, is_identifier);
    (void)take_byte(&rest->as.string, '.');
    return identifier;
}

/* Numbers are before words. */
static int order_identifiers(const value *a, const value *b) {
    bool comparable = false;
    bool a_number = is_number(a->as.string);
    bool b_number = is_number(b->as.string);
    if (a_number && b_number) {
        return order_digits(a->as.string, b->as.string);
    }
    return a_number != b_number ? (a_number ? -1 : 1) : cairn__rule_order(a, b, &comparable);
}

/* Fewer identifiers are before more; but none at all, a release, is after all of its own. */
static int order_pre(value a, value b) {
    if (a.as.string.len == 0 || b.as.string.len == 0) {
        return (a.as.string.len == 0) - (b.as.string.len == 0);
    }
    int order = 0;
    while (order == 0 && a.as.string.len > 0 && b.as.string.len > 0) {
        value left = next_identifier(&a);
        value right = next_identifier(&b);
        order = order_identifiers(&left, &right);
    }
    return order != 0 ? order : (a.as.string.len > 0) - (b.as.string.len > 0);
}

value cairn__rule_version_compare(const value *a, const value *b) {
    version left;
    version right;
    if (!read_version(a, &left) || !read_version(b, &right)) {
        return cairn__rule_null();
    }
    int order = 0;
    for (int i = 0; i < 3 && order == 0; i++) {
        order = order_digits(left.core[i], right.core[i]);
    }
    order = order != 0 ? order : order_pre(left.pre, right.pre);
    return cairn__rule_integer(CAIRN_VALUE_INTEGER, (order > 0) - (order < 0));
}
