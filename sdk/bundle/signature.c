/* signature.c: see signature.h. BearSSL does all of it; here only its types are kept away. */
#include "bundle/signature.h"

#include <string.h>

#include <bearssl/bearssl_ec.h>
#include <bearssl/bearssl_hash.h>

enum { NUMBER_BYTES = CAIRN__SIGNATURE_BYTES / 2 };

/* Numbers below the curve's order are BearSSL's to check, but that r is not zero: x of no point. */
static bool is_zero(const uint8_t number[NUMBER_BYTES]) {
    static const uint8_t zero[NUMBER_BYTES];
    return memcmp(number, zero, NUMBER_BYTES) == 0;
}

/* A point of the curve, times one: BearSSL decodes it, and says whether it could. */
static bool is_point(const uint8_t key[CAIRN__KEY_BYTES]) {
    uint8_t point[CAIRN__KEY_BYTES];
    uint8_t one = 1;
    memcpy(point, key, sizeof point);
    return br_ec_prime_i31.mul(point, sizeof point, &one, 1, BR_EC_secp256r1) != 0;
}

cairn_status cairn__signature_verify(const uint8_t key[CAIRN__KEY_BYTES], cairn_span message,
                                     const uint8_t signature[CAIRN__SIGNATURE_BYTES]) {
    uint8_t hash[br_sha256_SIZE];
    uint8_t point[CAIRN__KEY_BYTES];
    br_sha256_context context;
    br_sha256_init(&context);
    br_sha256_update(&context, message.data, message.len);
    br_sha256_out(&context, hash);
    memcpy(point, key, sizeof point);
    br_ec_public_key public = { BR_EC_secp256r1, point, sizeof point };
    if (!is_zero(signature) && br_ecdsa_i31_vrfy_raw(&br_ec_prime_i31, hash, sizeof hash, &public,
                                                     signature, CAIRN__SIGNATURE_BYTES) != 0) {
        return CAIRN_OK;
    }
    return is_point(key) ? CAIRN_DENIED : CAIRN_INVALID;
}
