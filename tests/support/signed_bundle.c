#include "support/signed_bundle.h"

#include <string.h>

#include "base/assert.h"
#include "bundle/write.h"

static cairn__signing_key make_key(void) {
    uint8_t seed[64];
    cairn__signing_key key;
    memset(seed, 7, sizeof seed);
    cairn_status status = cairn__signing_key_make((cairn_span){ seed, sizeof seed }, &key);
    CAIRN_ASSERT(status == CAIRN_OK);
    return key;
}

cairn_bundle_key signed_bundle_key(void) {
    const cairn__signing_key key = make_key();
    cairn_bundle_key public = { .id = CAIRN_STR("test") };
    memcpy(public.bytes, key.public_key, sizeof public.bytes);
    return public;
}

void signed_bundle_sign(cairn_span bundle, cairn__buffer *to) {
    uint8_t signature[CAIRN__SIGNATURE_BYTES];
    const cairn__signing_key key = make_key();
    cairn_status status = cairn__sign(&key, bundle, signature);
    CAIRN_ASSERT(status == CAIRN_OK);
    cairn__buffer_clear(to);
    status = cairn__bundle_envelope_write(bundle, CAIRN_STR("test"), signature, to);
    CAIRN_ASSERT(status == CAIRN_OK);
}

uint64_t signed_bundle_make(const cairn__catalog *catalog, cairn__buffer *to) {
    uint64_t version = 0;
    signed_bundle_sign(cairn__catalog_bundle(catalog, &version), to);
    return version;
}
