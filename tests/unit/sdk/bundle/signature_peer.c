/* signature_peer.c: one side of openssl.py.
 *   signature_peer sign KEY.pem FILE            r and s as hexadecimal digits, then the public key
 *   signature_peer verify KEY_HEX RS_HEX FILE   "yes" or "no" */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "bundle/sign.h"

enum { FILE_BYTES_MAX = 1 << 20 };

static cairn_span read_file(const char *path, uint8_t *room) {
    FILE *file = fopen(path, "rb");
    size_t len = file == NULL ? 0 : fread(room, 1, FILE_BYTES_MAX, file);
    if (file != NULL) {
        (void)fclose(file);
    }
    return cairn__span(room, len);
}

static void print_hex(const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        printf("%02x", bytes[i]);
    }
    printf("\n");
}

static bool from_hex(const char *text, uint8_t *to, size_t count) {
    if (strlen(text) != 2 * count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        unsigned byte = 0;
        if (sscanf(text + 2 * i, "%2x", &byte) != 1) {
            return false;
        }
        to[i] = (uint8_t)byte;
    }
    return true;
}

static int sign_file(const char *key_path, const char *path) {
    static uint8_t room[FILE_BYTES_MAX];
    cairn__signing_key key;
    uint8_t signature[CAIRN__SIGNATURE_BYTES];
    if (cairn__signing_key_load(read_file(key_path, room), &key) != CAIRN_OK ||
        cairn__sign(&key, read_file(path, room), signature) != CAIRN_OK) {
        return 1;
    }
    print_hex(signature, sizeof signature);
    print_hex(key.public_key, sizeof key.public_key);
    return 0;
}

static int verify_file(const char *key_hex, const char *signature_hex, const char *path) {
    static uint8_t room[FILE_BYTES_MAX];
    uint8_t key[CAIRN__KEY_BYTES];
    uint8_t signature[CAIRN__SIGNATURE_BYTES];
    if (!from_hex(key_hex, key, sizeof key) ||
        !from_hex(signature_hex, signature, sizeof signature)) {
        return 1;
    }
    cairn_status status = cairn__signature_verify(key, read_file(path, room), signature);
    puts(status == CAIRN_OK ? "yes" : "no");
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "sign") == 0) {
        return sign_file(argv[2], argv[3]);
    }
    if (argc == 5 && strcmp(argv[1], "verify") == 0) {
        return verify_file(argv[2], argv[3], argv[4]);
    }
    return 2;
}
