/* mbedtls_config.h: of all of mbedTLS, what verifies a P-256 signature; for the WASM core, whose
 * build compiles mbedTLS's own sources with this in place of its config.h. Small before fast.
 * Natively Debian's libmbedcrypto is used as it is. */
#ifndef CAIRN_BUNDLE_MBEDTLS_CONFIG_H
#define CAIRN_BUNDLE_MBEDTLS_CONFIG_H

#define MBEDTLS_BIGNUM_C
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECDSA_C
#define MBEDTLS_SHA256_C

/* Verifying has no secret to hide: no blinding, no random numbers. */
#define MBEDTLS_ECP_NO_INTERNAL_RNG

/* Tables: small ones, none that is kept. */
#define MBEDTLS_ECP_WINDOW_SIZE 3
#define MBEDTLS_ECP_FIXED_POINT_OPTIM 0
#define MBEDTLS_ECP_MAX_BITS 256
#define MBEDTLS_MPI_WINDOW_SIZE 1
#define MBEDTLS_MPI_MAX_SIZE 64

#endif
