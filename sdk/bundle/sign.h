/* sign.h: the collector's side of signature.h: a private key signs bundles. mbedTLS; not in WASM.
 * Signatures are deterministic (RFC 6979): the same bundle under the same key gives the same bytes,
 * and a poor random source cannot give the key away. */
#ifndef CAIRN_BUNDLE_SIGN_H
#define CAIRN_BUNDLE_SIGN_H

#include "bundle/signature.h"

typedef struct cairn__signing_key cairn__signing_key;

/** A P-256 private key from PEM ("EC PRIVATE KEY" or "PRIVATE KEY", not encrypted).
 * @retval CAIRN_INVALID      No such key.
 * @retval CAIRN_UNSUPPORTED  A key, but not of P-256.
 * @retval CAIRN_NO_MEMORY    */
cairn_status cairn__signing_key_load(cairn_span pem, cairn__signing_key **key_out);

/** A new key: 32 bytes or more of the system's randomness as `seed`. */
cairn_status cairn__signing_key_make(cairn_span seed, cairn__signing_key **key_out);

/** Append the private key as PEM. Whoever calls keeps it secret, and the buffer's memory too. */
cairn_status cairn__signing_key_pem(const cairn__signing_key *key, cairn__buffer *to);

/** What devices are given. */
void cairn__signing_key_public(const cairn__signing_key *key, uint8_t public_out[CAIRN__KEY_BYTES]);

cairn_status cairn__sign(const cairn__signing_key *key, cairn_span message,
                         uint8_t signature_out[CAIRN__SIGNATURE_BYTES]);

void cairn__signing_key_free(cairn__signing_key *key);

#endif
