/* signing.h: a project's key that signs its bundles: a PEM file of the operator, or one made at the
 * first start in the data directory (keys/PROJECT.pem, mode 0600). */
#ifndef CAIRN_EDGE_SIGNING_H
#define CAIRN_EDGE_SIGNING_H

#include "bundle/sign.h"

enum { CAIRN__SIGNING_ID_BYTES = 16 };

typedef struct cairn__signing {
    cairn__signing_key key;
    char id[CAIRN__SIGNING_ID_BYTES + 1]; /* hex: the beginning of the public key's SHA-256 */
} cairn__signing;

/**
 * Read the key, or make it.
 *
 * @param path    The file.
 * @param make    Make it when it is missing.
 * @return false: text_out says what is wrong and what to do.
 */
bool cairn__signing_open(cairn__signing *signing, const char *path, bool make, char *text_out,
                         size_t text_bytes);
void cairn__signing_close(cairn__signing *signing);

/** What a developer gives the SDK: base64 of the public key's 65 bytes, with NUL. */
enum { CAIRN__PUBLIC_TEXT_BYTES = 89 };
void cairn__signing_public_text(const cairn__signing *signing, char *to);

#endif
