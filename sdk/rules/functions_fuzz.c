/* functions_fuzz.c: two texts, a zero byte between them, as versions and as addresses: the order is
 * an order, and an address is in the network that is itself. */
#include <string.h>

#include "base/assert.h"
#include "rules/network.h"
#include "rules/version.h"

static cairn__rule_value text_of(const uint8_t *data, size_t size) {
    return (cairn__rule_value){ .kind = CAIRN_VALUE_STRING, .as.string = { data, size } };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *middle = size == 0 ? NULL : memchr(data, 0, size);
    size_t first = middle == NULL ? size : (size_t)(middle - data);
    cairn__rule_value a = text_of(data, first);
    cairn__rule_value b = middle == NULL ? a : text_of(middle + 1, size - first - 1);
    cairn__rule_value forth = cairn__rule_version_compare(&a, &b);
    cairn__rule_value back = cairn__rule_version_compare(&b, &a);
    cairn__rule_value same = cairn__rule_version_compare(&a, &a);
    CAIRN_ASSERT(forth.kind == back.kind);
    CAIRN_ASSERT(forth.kind == CAIRN_VALUE_NULL || forth.as.integer == -back.as.integer);
    CAIRN_ASSERT(same.kind == CAIRN_VALUE_NULL || same.as.integer == 0);
    cairn__rule_value inside = cairn__rule_in_network(&a, &b);
    cairn__rule_value itself = cairn__rule_in_network(&a, &a);
    CAIRN_ASSERT(inside.kind == CAIRN_VALUE_NULL || itself.as.boolean);
    return 0;
}
