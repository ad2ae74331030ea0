/* envelope_fuzz.c: no bytes are believed that the one key has not signed; and the fuzzer cannot
 * sign. The seeds are signed, so that what comes after the signature is reached too. */
#include "base/assert.h"
#include "bundle/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of the key that tests make from "a seed of thirty-two bytes, or so". */
static const uint8_t key_bytes[CAIRN__KEY_BYTES] = {};

/* The seeds' bundles: all that this key ever signed. */
static bool is_seed(cairn_span bundle) {
    return bundle.len >= 5 && bundle.data[0] == 0x0A;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cairn__public_key key = { .id = CAIRN_STR("k1") };
    for (size_t i = 0; i < sizeof key_bytes; i++) {
        key.bytes[i] = key_bytes[i];
    }
    const cairn__bundle_trust trust = { &key, 1, CAIRN_STR("demo"), 5 };
    cairn_span bundle;
    cairn__bundle_verdict verdict =
        cairn__bundle_judge((cairn_span){ data, size }, &trust, &bundle);
    bool believed = verdict == CAIRN__BUNDLE_NEW || verdict == CAIRN__BUNDLE_SAME;
    CAIRN_ASSERT(believed == (bundle.len > 0));
    CAIRN_ASSERT(!believed || is_seed(bundle));
    CAIRN_ASSERT(bundle.len == 0 || (bundle.data > data && bundle.data < data + size));
    return 0;
}
