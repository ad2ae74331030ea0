/* bundle_wasm.c: what bundle.mjs measures: a bundle judged and read, with the core's own sources
 * and flags (wasm/build.sh bench). One instance, one bundle. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "bundle/envelope.h"
#include "bundle/read.h"

#define EXPORT(name) __attribute__((export_name(name)))

EXPORT("take") void *export_take(size_t bytes);
EXPORT("judge") int export_judge(const uint8_t *key, const uint8_t *bytes, size_t count);
EXPORT("read") int export_read(void);
EXPORT("held") size_t export_held(void);

static cairn__arena arena;
static cairn_span bundle_bytes;
static cairn__bundle bundle;

void *export_take(size_t bytes) {
    return malloc(bytes);
}

/* The verdict; 0 is "new". */
int export_judge(const uint8_t *key, const uint8_t *bytes, size_t count) {
    cairn__public_key trusted = { .id = CAIRN_STR("k1") };
    memcpy(trusted.bytes, key, sizeof trusted.bytes);
    const cairn__bundle_trust trust = { &trusted, 1, CAIRN_STR("demo"), 0 };
    return (int)cairn__bundle_judge(cairn__span(bytes, count), &trust, &bundle_bytes);
}

/* The status; 0 is CAIRN_OK. */
int export_read(void) {
    cairn__bundle_fault fault;
    cairn__arena_free(&arena);
    arena = cairn__arena_make(cairn__heap(), CAIRN__BUNDLE_ARENA_BYTES_MAX);
    return (int)cairn__bundle_read(bundle_bytes, &arena, &bundle, &fault);
}

size_t export_held(void) {
    return arena.bytes;
}
