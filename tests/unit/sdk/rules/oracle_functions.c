/* oracle_functions.c: versions by the regular expression of semver.org, cut into copies; networks
 * by inet_pton and bit after bit. */
#include <arpa/inet.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

typedef oracle_value val;

static val null(void) {
    return (val){ .kind = ORACLE_NULL };
}

/* --- versions -------------------------------------------------------------------------------- */

#define NUMBER "(0|[1-9][0-9]*)"
#define PRE "(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
#define BUILD "[0-9A-Za-z-]+"

static bool is_version(const char *text) {
    regex_t version;
    if (regcomp(&version,
                "^" NUMBER "\\." NUMBER "\\." NUMBER "(-" PRE "(\\." PRE ")*)?"
                "(\\+" BUILD "(\\." BUILD ")*)?$",
                REG_EXTENDED | REG_NOSUB) != 0) {
        return false;
    }
    bool found = regexec(&version, text, 0, NULL, 0) == 0;
    regfree(&version);
    return found;
}

/* Part `index` of "1.0.0.alpha.1" into `to`; false: there are not so many. */
static bool part_of(const char *text, int index, char *to) {
    for (; index > 0; index--) {
        text = strchr(text, '.');
        if (text == NULL) {
            return false;
        }
        text += 1;
    }
    size_t len = strcspn(text, ".");
    memcpy(to, text, len);
    to[len] = '\0';
    return true;
}

static int order_parts(const char *a, const char *b) {
    bool a_number = strspn(a, "0123456789") == strlen(a);
    bool b_number = strspn(b, "0123456789") == strlen(b);
    if (a_number && b_number) {
        return (strtoll(a, NULL, 10) > strtoll(b, NULL, 10)) -
               (strtoll(a, NULL, 10) < strtoll(b, NULL, 10));
    }
    return a_number != b_number ? (a_number ? -1 : 1) : strcmp(a, b);
}

/* "1.0.0-alpha.1+b" -> "1.0.0.alpha.1"; is it a release? */
static bool cut(char *text) {
    text[strcspn(text, "+")] = '\0';
    char *minus = strchr(text, '-');
    if (minus != NULL) {
        *minus = '.';
    }
    return minus == NULL;
}

static val version_compare(const val *a, const val *b) {
    char left[ORACLE_TEXT_BYTES];
    char right[ORACLE_TEXT_BYTES];
    if (!is_version(a->text) || !is_version(b->text)) {
        return null();
    }
    memcpy(left, a->text, sizeof left);
    memcpy(right, b->text, sizeof right);
    bool left_release = cut(left);
    bool right_release = cut(right);
    int order = 0;
    for (int i = 0; order == 0; i++) {
        char x[ORACLE_TEXT_BYTES];
        char y[ORACLE_TEXT_BYTES];
        bool has_x = part_of(left, i, x);
        bool has_y = part_of(right, i, y);
        if (i == 3 && left_release != right_release) {
            order = left_release ? 1 : -1;
        } else if (!has_x || !has_y) {
            order = has_x - has_y;
            break;
        } else {
            order = order_parts(x, y);
        }
    }
    return (val){ .kind = ORACLE_WHOLE, .whole = (order > 0) - (order < 0) };
}

/* --- networks -------------------------------------------------------------------------------- */

static int read_address(const char *text, unsigned char *to) {
    return inet_pton(AF_INET, text, to) == 1 ? 32 : inet_pton(AF_INET6, text, to) == 1 ? 128 : 0;
}

static val in_network(const val *a, const val *b) {
    char base[ORACLE_TEXT_BYTES];
    unsigned char left[16] = { 0 };
    unsigned char right[16] = { 0 };
    memcpy(base, b->text, sizeof base);
    char *slash = strchr(base, '/');
    char *end = NULL;
    if (slash != NULL) {
        *slash = '\0';
    }
    int left_bits = read_address(a->text, left);
    int right_bits = read_address(base, right);
    long bits = slash == NULL ? right_bits : strtol(slash + 1, &end, 10);
    bool good = slash == NULL || (slash[1] >= '0' && slash[1] <= '9' && *end == '\0' &&
                                  (slash[1] != '0' || slash[2] == '\0'));
    if (left_bits == 0 || right_bits == 0 || !good || bits > right_bits) {
        return null();
    }
    bool inside = left_bits == right_bits;
    for (int i = 0; i < bits; i++) {
        inside = inside && ((left[i / 8] ^ right[i / 8]) >> (7 - i % 8) & 1) == 0;
    }
    return (val){ .kind = ORACLE_TRUTH, .truth = inside };
}

val oracle_two_texts(int which, const val *a, const val *b) {
    if (a->kind != ORACLE_TEXT || b->kind != ORACLE_TEXT) {
        return null();
    }
    return which == ORACLE_VERSION_COMPARE ? version_compare(a, b) : in_network(a, b);
}
