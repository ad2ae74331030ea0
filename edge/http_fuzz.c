/* Bytes of a connection, fed whole and in random pieces: the same requests come out, then the same
 * refusal or none; and no span reaches outside what was given. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "edge/http.h"

enum { HEAD_BYTES_MAX = 2048, BODY_BYTES_MAX = 4096, HELD_BYTES_MAX = 24576 };

typedef struct heard {
    uint64_t hash; /* of all requests */
    size_t count;
    bool refused;
    const char *code;
} heard;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mix(heard *h, cairn_span bytes) {
    h->hash = cairn__hash(bytes, h->hash + bytes.len);
}

static void hear_request(heard *h, const cairn__http *http) {
    h->count++;
    h->hash += (uint64_t)http->head.method * 3 + http->head.keep_alive;
    mix(h, http->head.path);
    mix(h, http->head.query);
    mix(h, http->content);
    for (size_t i = 0; i < CAIRN__HEADER_COUNT; i++) {
        mix(h, http->head.headers[i]);
    }
}

/* False once refused. */
static bool feed(cairn__http *http, cairn_span piece, heard *h) {
    uint8_t *copy = malloc(piece.len + 1);
    CAIRN_ASSERT(copy != NULL);
    memcpy(copy, piece.data, piece.len);
    cairn_span input = { copy, piece.len };
    cairn__http_step step = CAIRN__HTTP_HEAD;
    while (step == CAIRN__HTTP_HEAD || step == CAIRN__HTTP_REQUEST) {
        step = cairn__http_next(http, &input);
        if (step == CAIRN__HTTP_REQUEST) {
            hear_request(h, http);
        }
    }
    h->refused = step == CAIRN__HTTP_REFUSED;
    h->code = h->refused ? http->refusal.code : "";
    CAIRN_ASSERT(h->refused || input.len == 0);
    CAIRN_ASSERT(cairn__http_held_bytes(http) <= HELD_BYTES_MAX);
    free(copy);
    return !h->refused;
}

static heard hear(cairn_span bytes, uint64_t seed) {
    cairn__http http;
    heard h = { .code = "" };
    cairn__http_init(&http, cairn__heap(), HEAD_BYTES_MAX, BODY_BYTES_MAX);
    bool going = true;
    while (bytes.len > 0 && going) {
        seed = cairn__mix(seed + 1);
        size_t most = seed % 4 == 0 ? 200 : 7;
        size_t len = 1 + (size_t)(seed >> 8) % most;
        len = len > bytes.len ? bytes.len : len;
        going = feed(&http, cairn__span(bytes.data, len), &h);
        bytes = cairn__span(bytes.data + len, bytes.len - len);
    }
    cairn__http_free(&http);
    return h;
}

static heard hear_whole(cairn_span bytes) {
    cairn__http http;
    heard h = { .code = "" };
    cairn__http_init(&http, cairn__heap(), HEAD_BYTES_MAX, BODY_BYTES_MAX);
    if (bytes.len > 0) {
        (void)feed(&http, bytes, &h);
    }
    cairn__http_free(&http);
    return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cairn_span bytes = { data, size };
    heard whole = hear_whole(bytes);
    heard cut = hear(bytes, cairn__hash(bytes, 1));
    /* how much framing is too much is asked after each piece, so it may come sooner or later */
    bool framing =
        strcmp(whole.code, "chunk_framing") == 0 || strcmp(cut.code, "chunk_framing") == 0;
    CAIRN_ASSERT(framing || (whole.hash == cut.hash && whole.count == cut.count));
    CAIRN_ASSERT(framing || (whole.refused == cut.refused && strcmp(whole.code, cut.code) == 0));
    return 0;
}
