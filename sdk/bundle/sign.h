/* sign.h: the collector's side of signature.h: a private key signs bundles. mbedTLS; not in WASM.
 * Signatures are deterministic (RFC 6979): the same bundle under the same key gives the same bytes,
 * and a poor random source cannot give the key away. */
#ifndef CAIRN_BUNDLE_SIGN_H
#define CAIRN_BUNDLE_SIGN_H

#include "bundle/signature.h"

enum { CAIRN__SECRET_BYTES = 32, CAIRN__KEY_PEM_BYTES_MAX = 4096, CAIRN__KEY_SEED_BYTES_MIN = 32 };

/** A P-256 key. Secret: see cairn__signing_key_wipe. */
typedef struct cairn__signing_key {
    uint8_t secret[CAIRN__SECRET_BYTES];
    uint8_t public_key[CAIRN__KEY_BYTES]; /* what devices are given */
} cairn__signing_key;

/** From PEM ("EC PRIVATE KEY" or "PRIVATE KEY", not encrypted), as `openssl ecparam -genkey -name
 * prime256v1` writes it.
 * @retval CAIRN_INVALID      No such key, or more than CAIRN__KEY_PEM_BYTES_MAX.
 * @retval CAIRN_UNSUPPORTED  A key, but not of P-256. */
cairn_status cairn__signing_key_load(cairn_span pem, cairn__signing_key *key_out);

/** A new key from a seed: at least CAIRN__KEY_SEED_BYTES_MIN bytes of the system's randomness, used
 * for nothing else. The same seed gives the same key.
 * @retval CAIRN_INVALID  Too short a seed. */
cairn_status cairn__signing_key_make(cairn_span seed, cairn__signing_key *key_out);

/** Append the private key as PEM. The caller keeps it secret, and wipes the buffer. */
cairn_status cairn__signing_key_pem(const cairn__signing_key *key, cairn__buffer *to);

/** @retval CAIRN_INVALID  The key is none. */
cairn_status cairn__sign(const cairn__signing_key *key, cairn_span message,
                         uint8_t signature_out[CAIRN__SIGNATURE_BYTES]);

/** Overwrite the secret, for sure. */
void cairn__signing_key_wipe(cairn__signing_key *key);

#endif
