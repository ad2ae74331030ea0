/* sign.c: see sign.h. */
#include "bundle/sign.h"

#include <string.h>

#include <mbedtls/ecdsa.h>
#include <mbedtls/hmac_drbg.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>

enum { HASH_BYTES = 32, NUMBER_BYTES = 32 };

/* A stream of bytes from a seed: for making keys, and for the blinding of secrets in use. */
static int seed_stream(mbedtls_hmac_drbg_context *stream, cairn_span seed) {
    mbedtls_hmac_drbg_init(stream);
    return mbedtls_hmac_drbg_seed_buf(stream, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256),
                                      seed.data, seed.len);
}

/* The key's numbers as the struct's bytes; the public one is computed from the secret. */
static int export_key(mbedtls_ecp_group *curve, const mbedtls_mpi *secret,
                      mbedtls_hmac_drbg_context *stream, cairn__signing_key *key_out) {
    mbedtls_ecp_point point;
    size_t len = 0;
    mbedtls_ecp_point_init(&point);
    int error = mbedtls_ecp_mul(curve, &point, secret, &curve->G, mbedtls_hmac_drbg_random, stream);
    if (error == 0) {
        error = mbedtls_ecp_point_write_binary(curve, &point, MBEDTLS_ECP_PF_UNCOMPRESSED, &len,
                                               key_out->public_key, CAIRN__KEY_BYTES);
    }
    if (error == 0) {
        error = mbedtls_mpi_write_binary(secret, key_out->secret, CAIRN__SECRET_BYTES);
    }
    mbedtls_ecp_point_free(&point);
    return error;
}

static cairn_status key_of_pem(mbedtls_pk_context *pk, cairn__signing_key *key_out) {
    if (!mbedtls_pk_can_do(pk, MBEDTLS_PK_ECKEY)) {
        return CAIRN_UNSUPPORTED;
    }
    mbedtls_ecp_keypair *pair = mbedtls_pk_ec(*pk);
    if (pair == NULL || pair->grp.id != MBEDTLS_ECP_DP_SECP256R1) {
        return CAIRN_UNSUPPORTED;
    }
    uint8_t seed[CAIRN__SECRET_BYTES] = { 0 };
    mbedtls_hmac_drbg_context stream;
    int error = mbedtls_mpi_write_binary(&pair->d, seed, sizeof seed);
    if (error == 0) {
        error = seed_stream(&stream, (cairn_span){ seed, sizeof seed });
        error = error == 0 ? export_key(&pair->grp, &pair->d, &stream, key_out) : error;
        mbedtls_hmac_drbg_free(&stream);
    }
    mbedtls_platform_zeroize(seed, sizeof seed);
    return error == 0 ? CAIRN_OK : CAIRN_INVALID;
}

cairn_status cairn__signing_key_load(cairn_span pem, cairn__signing_key *key_out) {
    uint8_t text[CAIRN__KEY_PEM_BYTES_MAX + 1]; /* mbedTLS wants a NUL after it */
    *key_out = (cairn__signing_key){ { 0 }, { 0 } };
    if (pem.len == 0 || pem.len > CAIRN__KEY_PEM_BYTES_MAX) {
        return CAIRN_INVALID;
    }
    memcpy(text, pem.data, pem.len);
    text[pem.len] = 0;
    mbedtls_pk_context pk;
    mbedtls_pk_init(&pk);
    int error = mbedtls_pk_parse_key(&pk, text, pem.len + 1, NULL, 0);
    cairn_status status = error == 0 ? key_of_pem(&pk, key_out) : CAIRN_INVALID;
    mbedtls_pk_free(&pk);
    mbedtls_platform_zeroize(text, sizeof text);
    return status;
}

cairn_status cairn__signing_key_make(cairn_span seed, cairn__signing_key *key_out) {
    *key_out = (cairn__signing_key){ { 0 }, { 0 } };
    if (seed.len < CAIRN__KEY_SEED_BYTES_MIN) {
        return CAIRN_INVALID;
    }
    mbedtls_ecp_group curve;
    mbedtls_mpi secret;
    mbedtls_hmac_drbg_context stream;
    mbedtls_ecp_group_init(&curve);
    mbedtls_mpi_init(&secret);
    int error = seed_stream(&stream, seed);
    if (error == 0) {
        error = mbedtls_ecp_group_load(&curve, MBEDTLS_ECP_DP_SECP256R1);
    }
    if (error == 0) {
        error = mbedtls_ecp_gen_privkey(&curve, &secret, mbedtls_hmac_drbg_random, &stream);
    }
    if (error == 0) {
        error = export_key(&curve, &secret, &stream, key_out);
    }
    mbedtls_hmac_drbg_free(&stream);
    mbedtls_mpi_free(&secret);
    mbedtls_ecp_group_free(&curve);
    return error == 0 ? CAIRN_OK : CAIRN_NO_MEMORY;
}

static int fill_pair(const cairn__signing_key *key, mbedtls_ecp_keypair *pair) {
    int error = mbedtls_ecp_group_load(&pair->grp, MBEDTLS_ECP_DP_SECP256R1);
    if (error == 0) {
        error = mbedtls_mpi_read_binary(&pair->d, key->secret, CAIRN__SECRET_BYTES);
    }
    if (error == 0) {
        error =
            mbedtls_ecp_point_read_binary(&pair->grp, &pair->Q, key->public_key, CAIRN__KEY_BYTES);
    }
    return error == 0 ? mbedtls_ecp_check_privkey(&pair->grp, &pair->d) : error;
}

cairn_status cairn__signing_key_pem(const cairn__signing_key *key, cairn__buffer *to) {
    uint8_t text[CAIRN__KEY_PEM_BYTES_MAX] = { 0 };
    mbedtls_pk_context pk;
    mbedtls_pk_init(&pk);
    int error = mbedtls_pk_setup(&pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
    if (error == 0) {
        error = fill_pair(key, mbedtls_pk_ec(pk));
    }
    if (error == 0) {
        error = mbedtls_pk_write_key_pem(&pk, text, sizeof text);
    }
    if (error == 0) {
        size_t len = 0;
        while (len < sizeof text && text[len] != 0) {
            len += 1;
        }
        cairn__buffer_append(to, (cairn_span){ text, len });
    }
    mbedtls_pk_free(&pk);
    mbedtls_platform_zeroize(text, sizeof text);
    if (error != 0) {
        return CAIRN_INVALID;
    }
    return to->failed ? CAIRN_NO_MEMORY : CAIRN_OK;
}

static int sign_hash(mbedtls_ecp_keypair *pair, const uint8_t hash[HASH_BYTES],
                     mbedtls_hmac_drbg_context *stream, uint8_t *signature) {
    mbedtls_mpi r;
    mbedtls_mpi s;
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    int error = mbedtls_ecdsa_sign_det_ext(&pair->grp, &r, &s, &pair->d, hash, HASH_BYTES,
                                           MBEDTLS_MD_SHA256, mbedtls_hmac_drbg_random, stream);
    if (error == 0) {
        error = mbedtls_mpi_write_binary(&r, signature, NUMBER_BYTES);
    }
    if (error == 0) {
        error = mbedtls_mpi_write_binary(&s, signature + NUMBER_BYTES, NUMBER_BYTES);
    }
    mbedtls_mpi_free(&r);
    mbedtls_mpi_free(&s);
    return error;
}

cairn_status cairn__sign(const cairn__signing_key *key, cairn_span message,
                         uint8_t signature_out[CAIRN__SIGNATURE_BYTES]) {
    uint8_t seed[CAIRN__SECRET_BYTES + HASH_BYTES];
    uint8_t *hash = seed + CAIRN__SECRET_BYTES;
    mbedtls_ecp_keypair pair;
    mbedtls_hmac_drbg_context stream;
    mbedtls_ecp_keypair_init(&pair);
    memcpy(seed, key->secret, CAIRN__SECRET_BYTES);
    int error = mbedtls_sha256_ret(message.data, message.len, hash, 0);
    if (error == 0) {
        error = fill_pair(key, &pair);
    }
    if (error == 0) {
        error = seed_stream(&stream, (cairn_span){ seed, sizeof seed });
        error = error == 0 ? sign_hash(&pair, hash, &stream, signature_out) : error;
        mbedtls_hmac_drbg_free(&stream);
    }
    mbedtls_ecp_keypair_free(&pair);
    mbedtls_platform_zeroize(seed, sizeof seed);
    return error == 0 ? CAIRN_OK : CAIRN_INVALID;
}

void cairn__signing_key_wipe(cairn__signing_key *key) {
    mbedtls_platform_zeroize(key, sizeof *key);
}
