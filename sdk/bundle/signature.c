/* signature.c: see signature.h. mbedTLS does all of it; here only its types are kept away. */
#include "bundle/signature.h"

#include <mbedtls/ecdsa.h>
#include <mbedtls/sha256.h>

enum { HASH_BYTES = 32, NUMBER_BYTES = 32 };

/* mbedTLS's objects of one verification; they take memory from the process's heap. */
typedef struct verifier {
    mbedtls_ecp_group curve;
    mbedtls_ecp_point key;
    mbedtls_mpi r, s;
} verifier;

static cairn_status status_of(int error, cairn_status otherwise) {
    if (error == 0) {
        return CAIRN_OK;
    }
    bool memory = error == MBEDTLS_ERR_MPI_ALLOC_FAILED || error == MBEDTLS_ERR_ECP_ALLOC_FAILED;
    return memory ? CAIRN_NO_MEMORY : otherwise;
}

static cairn_status load_key(verifier *v, const uint8_t key[CAIRN__KEY_BYTES]) {
    int error = mbedtls_ecp_group_load(&v->curve, MBEDTLS_ECP_DP_SECP256R1);
    if (error == 0) {
        error = mbedtls_ecp_point_read_binary(&v->curve, &v->key, key, CAIRN__KEY_BYTES);
    }
    if (error == 0) {
        error = mbedtls_ecp_check_pubkey(&v->curve, &v->key);
    }
    return status_of(error, CAIRN_INVALID);
}

static cairn_status verify(verifier *v, cairn_span message, const uint8_t *signature) {
    uint8_t hash[HASH_BYTES];
    int error = mbedtls_sha256_ret(message.data, message.len, hash, 0);
    if (error == 0) {
        error = mbedtls_mpi_read_binary(&v->r, signature, NUMBER_BYTES);
    }
    if (error == 0) {
        error = mbedtls_mpi_read_binary(&v->s, signature + NUMBER_BYTES, NUMBER_BYTES);
    }
    if (error == 0) {
        error = mbedtls_ecdsa_verify(&v->curve, hash, sizeof hash, &v->key, &v->r, &v->s);
    }
    return status_of(error, CAIRN_DENIED);
}

cairn_status cairn__signature_verify(const uint8_t key[CAIRN__KEY_BYTES], cairn_span message,
                                     const uint8_t signature[CAIRN__SIGNATURE_BYTES]) {
    verifier v;
    mbedtls_ecp_group_init(&v.curve);
    mbedtls_ecp_point_init(&v.key);
    mbedtls_mpi_init(&v.r);
    mbedtls_mpi_init(&v.s);
    cairn_status status = load_key(&v, key);
    if (status == CAIRN_OK) {
        status = verify(&v, message, signature);
    }
    mbedtls_mpi_free(&v.s);
    mbedtls_mpi_free(&v.r);
    mbedtls_ecp_point_free(&v.key);
    mbedtls_ecp_group_free(&v.curve);
    return status;
}
