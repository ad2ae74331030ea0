#include "edge/signing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include <mbedtls/base64.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>

#include "base/assert.h"
#include "base/bytes.h"

enum { PATH_BYTES_MAX = 1100, SECRET_MODE = 0600, HASH_BYTES = 32, SEED_BYTES = 48 };

static void set_id(cairn__signing *signing) {
    uint8_t hash[HASH_BYTES];
    int code = mbedtls_sha256_ret(signing->key.public_key, CAIRN__KEY_BYTES, hash, 0);
    CAIRN_ASSERT(code == 0);
    for (size_t i = 0; i < CAIRN__SIGNING_ID_BYTES / 2; i++) {
        (void)snprintf(signing->id + 2 * i, 3, "%02x", hash[i]);
    }
}

static bool write_all(int handle, cairn_span bytes) {
    while (bytes.len > 0) {
        ssize_t done = write(handle, bytes.data, bytes.len);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return false;
        }
        bytes = cairn__span(bytes.data + done, bytes.len - (size_t)done);
    }
    return true;
}

/* The directory's entry, too, must outlive a power cut: a key that is lost makes every device that
 * knows it refuse all that comes later. */
static bool sync_directory(const char *path) {
    char directory[PATH_BYTES_MAX];
    (void)snprintf(directory, sizeof directory, "%s", path);
    char *slash = strrchr(directory, '/');
    if (slash == NULL) {
        return true;
    }
    *slash = 0;
    int handle = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = handle >= 0 && fsync(handle) == 0;
    if (handle >= 0) {
        (void)close(handle);
    }
    return good;
}

/* A new file beside it, made durable, then renamed: a crash leaves a whole key or none. */
static bool write_key(const char *path, cairn_span pem) {
    char next[PATH_BYTES_MAX];
    int length = snprintf(next, sizeof next, "%s.new", path);
    if (length < 0 || (size_t)length >= sizeof next) {
        errno = ENAMETOOLONG;
        return false;
    }
    (void)unlink(next);
    int handle = open(next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, SECRET_MODE);
    if (handle < 0) {
        return false;
    }
    bool good = write_all(handle, pem) && fsync(handle) == 0;
    (void)close(handle);
    return good && rename(next, path) == 0 && sync_directory(path);
}

static bool make_key(cairn__signing *signing, const char *path, char *text_out, size_t text_bytes) {
    uint8_t seed[SEED_BYTES];
    cairn__buffer pem = cairn__buffer_make(cairn__heap(), CAIRN__KEY_PEM_BYTES_MAX);
    bool good =
        uv_random(NULL, NULL, seed, sizeof seed, 0, NULL) == 0 &&
        cairn__signing_key_make(cairn__span(seed, sizeof seed), &signing->key) == CAIRN_OK &&
        cairn__signing_key_pem(&signing->key, &pem) == CAIRN_OK && !pem.failed;
    mbedtls_platform_zeroize(seed, sizeof seed);
    if (!good) {
        (void)snprintf(text_out, text_bytes, "%s: a key could not be made", path);
    } else if (!write_key(path, cairn__buffer_span(&pem))) {
        (void)snprintf(text_out, text_bytes, "%s: cannot be written (%s): check the disk", path,
                       strerror(errno));
        good = false;
    }
    if (pem.data != NULL) {
        mbedtls_platform_zeroize(pem.data, pem.len);
    }
    cairn__buffer_free(&pem);
    return good;
}

static bool read_key(cairn__signing *signing, int handle, const char *path, char *text_out,
                     size_t text_bytes) {
    uint8_t pem[CAIRN__KEY_PEM_BYTES_MAX + 1];
    ssize_t got = pread(handle, pem, sizeof pem, 0);
    cairn_status status =
        got < 0 ? CAIRN_STORAGE
                : cairn__signing_key_load(cairn__span(pem, (size_t)got), &signing->key);
    mbedtls_platform_zeroize(pem, sizeof pem);
    if (status != CAIRN_OK) {
        (void)snprintf(text_out, text_bytes,
                       "%s: %s: write a P-256 private key as PEM (openssl ecparam -genkey -name "
                       "prime256v1 -noout)",
                       path,
                       status == CAIRN_UNSUPPORTED ? "a key, but not of P-256" : "no private key");
    }
    return status == CAIRN_OK;
}

bool cairn__signing_open(cairn__signing *signing, const char *path, bool make, char *text_out,
                         size_t text_bytes) {
    *signing = (cairn__signing){ 0 };
    int handle = open(path, O_RDONLY | O_CLOEXEC);
    bool good = false;
    if (handle < 0 && (errno != ENOENT || !make)) {
        (void)snprintf(text_out, text_bytes, "%s: cannot be read (%s): check its name and rights",
                       path, strerror(errno));
    } else if (handle < 0) {
        good = make_key(signing, path, text_out, text_bytes);
    } else {
        good = read_key(signing, handle, path, text_out, text_bytes);
        (void)close(handle);
    }
    if (good) {
        set_id(signing);
    }
    return good;
}

void cairn__signing_close(cairn__signing *signing) {
    cairn__signing_key_wipe(&signing->key);
}

void cairn__signing_public_text(const cairn__signing *signing, char *to) {
    size_t written = 0;
    int code = mbedtls_base64_encode((unsigned char *)to, CAIRN__PUBLIC_TEXT_BYTES, &written,
                                     signing->key.public_key, CAIRN__KEY_BYTES);
    CAIRN_ASSERT(code == 0 && written + 1 == CAIRN__PUBLIC_TEXT_BYTES);
}
