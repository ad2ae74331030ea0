/* signature.h: is a bundle the project's own? ECDSA over P-256 with SHA-256, through
 * BearSSL, the smallest that there is. Verifying is part of the WASM core; signing (sign.h) is the
 * collector's, through mbedTLS: two libraries must agree. */
#ifndef CAIRN_BUNDLE_SIGNATURE_H
#define CAIRN_BUNDLE_SIGNATURE_H

#include "base/memory.h"

enum {
    CAIRN__KEY_BYTES = 65,       /* 0x04, x, y: SEC 1, uncompressed */
    CAIRN__SIGNATURE_BYTES = 64, /* r, s; 32 bytes each, big-endian */
    CAIRN__KEY_ID_BYTES_MAX = 32,
    CAIRN__KEYS_MAX = 4 /* of one project at a time: the one in use, and the next */
};

/** A key whose signatures a device believes. */
typedef struct cairn__public_key {
    cairn_span id;
    uint8_t bytes[CAIRN__KEY_BYTES];
} cairn__public_key;

/**
 * @retval CAIRN_OK         The key's owner signed exactly this message.
 * @retval CAIRN_DENIED     He did not.
 * @retval CAIRN_INVALID    The key is no point of P-256.
 */
cairn_status cairn__signature_verify(const uint8_t key[CAIRN__KEY_BYTES], cairn_span message,
                                     const uint8_t signature[CAIRN__SIGNATURE_BYTES]);

#endif
