/* Goal: version_compare and in_network mean what SemVer 2.0.0 and the system's inet_pton mean.
 * Method: the order printed in SemVer's section 11, what it refuses, random versions made of parts
 * that are compared as parts, and random addresses of which many are nearly right, against
 * inet_pton and a comparison bit by bit. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "rules/network.h"
#include "rules/version.h"
#include "support/cmocka_all.h"

static cairn__rule_value text_of(const char *text) {
    return (cairn__rule_value){ .kind = CAIRN_VALUE_STRING, .as.string = cairn__span_of(text) };
}

static cairn__rule_value compare(const char *a, const char *b) {
    cairn__rule_value left = text_of(a);
    cairn__rule_value right = text_of(b);
    return cairn__rule_version_compare(&left, &right);
}

static void versions_are_in_the_order_of_the_specification(void **state) {
    (void)state;
    static const char *const ascending[] = {
        "0.0.0",      "0.0.9",        "0.0.10",        "0.1.0",
        "1.0.0-0",    "1.0.0-2",      "1.0.0-10",      "1.0.0-99999999999999999999",
        "1.0.0--",    "1.0.0-ALPHA",  "1.0.0-alpha",   "1.0.0-alpha.1",
        "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",
        "1.0.0",      "1.9.3",        "1.10.0",        "18446744073709551616.0.0",
    };
    enum { COUNT = sizeof ascending / sizeof ascending[0] };
    for (int i = 0; i < COUNT; i++) {
        for (int j = 0; j < COUNT; j++) {
            cairn__rule_value order = compare(ascending[i], ascending[j]);
            assert_int_equal(order.kind, CAIRN_VALUE_INTEGER);
            assert_int_equal(order.as.integer, (i > j) - (i < j));
        }
    }
    assert_int_equal(compare("1.0.0+a", "1.0.0+b.01").as.integer, 0);
}

static void what_is_no_version_gives_null(void **state) {
    (void)state;
    static const char *const wrong[] = { "",          "1",          "1.2",      "1.2.3.4",
                                         "v1.2.3",    "1.2.03",     "01.2.3",   "1.2.3-",
                                         "1.2.3+",    "1.2.3-a..b", "1.2.3-01", "1.2.3-é",
                                         "1.2.3+a+b", " 1.2.3",     "-1.2.3",   "1..3" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(compare(wrong[i], "1.0.0").kind, CAIRN_VALUE_NULL);
        assert_int_equal(compare("1.0.0", wrong[i]).kind, CAIRN_VALUE_NULL);
    }
}

static unsigned roll(uint32_t *seed, unsigned sides) {
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 16) % sides;
}

/* A version as its parts; identifiers are indices into a list that is in their order. */
enum { PARTS_MAX = 3, VERSION_BYTES = 96 };

typedef struct plain_version {
    int core[3];
    int count, parts[PARTS_MAX];
} plain_version;

static plain_version some_version(uint32_t *seed, char *to) {
    static const char *const identifiers[] = { "0", "9",  "10", "100", "-",     "-1",
                                               "A", "RC", "a",  "a1",  "alpha", "b" };
    plain_version v = { .count = (int)roll(seed, PARTS_MAX + 1) };
    for (int i = 0; i < 3; i++) {
        v.core[i] = (int)(roll(seed, 8) == 0 ? roll(seed, 120) : 1);
    }
    int len = snprintf(to, VERSION_BYTES, "%d.%d.%d", v.core[0], v.core[1], v.core[2]);
    for (int i = 0; i < v.count; i++) {
        v.parts[i] = (int)roll(seed, sizeof identifiers / sizeof identifiers[0]);
        len += snprintf(to + len, VERSION_BYTES - (size_t)len, "%c%s", i == 0 ? '-' : '.',
                        identifiers[v.parts[i]]);
    }
    (void)snprintf(to + len, VERSION_BYTES - (size_t)len, "%s", roll(seed, 4) == 0 ? "+b.01" : "");
    return v;
}

static int plain_order(const plain_version *a, const plain_version *b) {
    for (int i = 0; i < 3; i++) {
        if (a->core[i] != b->core[i]) {
            return a->core[i] < b->core[i] ? -1 : 1;
        }
    }
    if (a->count == 0 || b->count == 0) {
        return (a->count == 0) - (b->count == 0);
    }
    for (int i = 0; i < a->count && i < b->count; i++) {
        if (a->parts[i] != b->parts[i]) {
            return a->parts[i] < b->parts[i] ? -1 : 1;
        }
    }
    return (a->count > b->count) - (a->count < b->count);
}

static void random_versions_are_in_the_order_of_their_parts(void **state) {
    (void)state;
    uint32_t seed = 3;
    int equal = 0;
    for (int i = 0; i < 100000; i++) {
        char left[VERSION_BYTES];
        char right[VERSION_BYTES];
        plain_version a = some_version(&seed, left);
        plain_version b = some_version(&seed, right);
        cairn__rule_value order = compare(left, right);
        assert_int_equal(order.kind, CAIRN_VALUE_INTEGER);
        assert_int_equal(order.as.integer, plain_order(&a, &b));
        equal += order.as.integer == 0;
    }
    assert_true(equal > 1000);
}

/* --- networks, against inet_pton --- */

typedef struct plain_address {
    int bits; /* 0: none */
    uint8_t bytes[16];
} plain_address;

static plain_address plain(const char *text) {
    plain_address to = { 0 };
    if (inet_pton(AF_INET, text, to.bytes) == 1) {
        to.bits = 32;
    } else if (inet_pton(AF_INET6, text, to.bytes) == 1) {
        to.bits = 128;
    }
    return to;
}

static int bit(const plain_address *of, int at) {
    return of->bytes[at / 8] >> (7 - at % 8) & 1;
}

static void check(const char *address, const char *base, int bits) {
    char network[128];
    (void)snprintf(network, sizeof network, "%s/%d", base, bits);
    cairn__rule_value left = text_of(address);
    cairn__rule_value right = text_of(network);
    cairn__rule_value found = cairn__rule_in_network(&left, &right);
    plain_address a = plain(address);
    plain_address b = plain(base);
    if (a.bits == 0 || b.bits == 0 || bits > b.bits) {
        assert_int_equal(found.kind, CAIRN_VALUE_NULL);
        return;
    }
    bool inside = a.bits == b.bits;
    for (int i = 0; i < bits && inside; i++) {
        inside = bit(&a, i) == bit(&b, i);
    }
    assert_int_equal(found.kind, CAIRN_VALUE_BOOLEAN);
    assert_int_equal(found.as.boolean, inside);
}

/* Parts that join to addresses, and to what is nearly one. */
static void some_address(uint32_t *seed, char *to, size_t room) {
    static const char *const parts[] = { "0",    "1", "10",  "255",   "256",     "01",
                                         "ffff", "a", "DB8", "12345", "1.2.3.4", "" };
    bool dots = roll(seed, 2) == 0;
    unsigned count = dots ? 3 + roll(seed, 3) : 1 + roll(seed, 9);
    size_t len = 0;
    to[0] = '\0';
    for (unsigned i = 0; i < count; i++) {
        unsigned which = dots                  ? roll(seed, 4) + (roll(seed, 12) == 0 ? 2 : 0)
                         : roll(seed, 10) == 0 ? roll(seed, 12)
                                               : roll(seed, 3) * 3;
        const char *join = i == 0 ? "" : dots ? "." : roll(seed, 4) == 0 ? "::" : ":";
        len += (size_t)snprintf(to + len, room - len, "%s%s", join, parts[which]);
    }
    if (!dots && roll(seed, 4) == 0) {
        (void)snprintf(to + len, room - len, "%s", roll(seed, 3) == 0 ? ":" : "::");
    }
}

static void networks_hold_what_the_bits_say(void **state) {
    (void)state;
    uint32_t seed = 7;
    size_t addresses = 0;
    for (int i = 0; i < 200000; i++) {
        char address[96];
        char base[96];
        some_address(&seed, address, sizeof address);
        some_address(&seed, base, sizeof base);
        addresses += plain(address).bits != 0;
        check(address, base, (int)roll(&seed, 131));
        check(address, address, (int)roll(&seed, 131));
    }
    assert_true(addresses > 20000);
}

static void addresses_at_the_edges_are_read(void **state) {
    (void)state;
    static const char *const texts[] = { "::",
                                         "::1",
                                         "1::",
                                         ":::1",
                                         "1:::2",
                                         ":1",
                                         "1:",
                                         "::1.2.3.4",
                                         "1:2:3:4:5:6:7:8",
                                         "1:2:3:4:5:6:7::",
                                         "::2:3:4:5:6:7:8",
                                         "1:2:3:4:5:6:7:8:9",
                                         "1::2::3",
                                         "1:2:3:4:5:6:1.2.3.4",
                                         "1:2:3:4:5:6:7:1.2.3.4",
                                         "::1%eth0",
                                         "",
                                         "/8",
                                         "1.2.3.4/8",
                                         "1:2:3:4:5:6:7:8::",
                                         "::1:2:3:4:5:6:7:8" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        check(texts[i], "::", 0);
        check(texts[i], texts[i], 128);
        check("::1", texts[i], 96);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_in_the_order_of_the_specification),
        cmocka_unit_test(what_is_no_version_gives_null),
        cmocka_unit_test(random_versions_are_in_the_order_of_their_parts),
        cmocka_unit_test(networks_hold_what_the_bits_say),
        cmocka_unit_test(addresses_at_the_edges_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
