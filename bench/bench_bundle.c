/* bench_bundle: what a new bundle costs a device: verify, load and index. One JSON line.
 *
 *   bench_bundle [popups [rounds]]    1000 and 20 by default; 100 audiences
 *   bench_bundle --write FILE         that bundle, signed, and its key before it (65 bytes) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "bundle/envelope.h"
#include "bundle/read.h"
#include "bundle/sign.h"
#include "bundle/write.h"
#include "support/bundle_make.h"

enum { POPUPS = 1000, AUDIENCES = 100, ROUNDS = 20, MADE_BYTES = 256 << 20 };

typedef struct device {
    cairn__public_key key;
    cairn__bundle_trust trust;
    cairn__buffer signed_bundle;
    size_t bundle_bytes;
} device;

static double now_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int by_size(const void *a, const void *b) {
    double left = *(const double *)a;
    double right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static double median(double *values, size_t count) {
    qsort(values, count, sizeof *values, by_size);
    return values[count / 2];
}

static void need(bool good, const char *what) {
    if (!good) {
        (void)fprintf(stderr, "bench_bundle: %s\n", what);
        exit(1);
    }
}

static void prepare(device *d, size_t popups) {
    const bundle_shape shape = {
        .seed = 1, .audiences = AUDIENCES, .popups = popups, .content_bytes = 200
    };
    cairn__arena made = cairn__arena_make(cairn__heap(), MADE_BYTES);
    cairn__buffer bytes = cairn__buffer_make(cairn__heap(), CAIRN__BUNDLE_BYTES_MAX);
    cairn__bundle bundle;
    cairn__signing_key key;
    uint8_t signature[CAIRN__SIGNATURE_BYTES];
    bundle_make(&shape, &made, &bundle);
    need(cairn__bundle_write(&bundle, &bytes) == CAIRN_OK, "too large a bundle");
    need(cairn__signing_key_make(CAIRN_STR("thirty-two bytes of no randomness"), &key) == CAIRN_OK,
         "no key");
    need(cairn__sign(&key, cairn__buffer_span(&bytes), signature) == CAIRN_OK, "not signed");
    d->signed_bundle = cairn__buffer_make(cairn__heap(), CAIRN__BUNDLE_BYTES_MAX + (size_t)1024);
    need(cairn__bundle_envelope_write(cairn__buffer_span(&bytes), CAIRN_STR("k1"), signature,
                                      &d->signed_bundle) == CAIRN_OK,
         "no room");
    d->key.id = CAIRN_STR("k1");
    memcpy(d->key.bytes, key.public_key, sizeof d->key.bytes);
    d->trust = (cairn__bundle_trust){ &d->key, 1, CAIRN_STR("demo"), 0 };
    d->bundle_bytes = bytes.len;
    cairn__buffer_free(&bytes);
    cairn__arena_free(&made);
}

static void write_file(const device *d, const char *path) {
    FILE *file = fopen(path, "wb");
    need(file != NULL, "cannot write the file");
    size_t written = fwrite(d->key.bytes, 1, sizeof d->key.bytes, file);
    written += fwrite(d->signed_bundle.data, 1, d->signed_bundle.len, file);
    need(fclose(file) == 0 && written == sizeof d->key.bytes + d->signed_bundle.len,
         "cannot write the file");
}

static void measure(const device *d, size_t popups, size_t rounds) {
    double *verify = calloc(rounds, sizeof *verify);
    double *load = calloc(rounds, sizeof *load);
    size_t arena_bytes = 0;
    need(verify != NULL && load != NULL, "no memory");
    for (size_t i = 0; i < rounds; i++) {
        cairn__arena arena = cairn__arena_make(cairn__heap(), CAIRN__BUNDLE_ARENA_BYTES_MAX);
        cairn_span bytes;
        cairn__bundle bundle;
        cairn__bundle_fault fault;
        double from = now_ns();
        need(cairn__bundle_judge(cairn__buffer_span(&d->signed_bundle), &d->trust, &bytes) ==
                 CAIRN__BUNDLE_NEW,
             "not believed");
        double between = now_ns();
        need(cairn__bundle_read(bytes, &arena, &bundle, &fault) == CAIRN_OK, "not read");
        load[i] = now_ns() - between;
        verify[i] = between - from;
        arena_bytes = arena.bytes;
        cairn__arena_free(&arena);
    }
    double verify_ns = median(verify, rounds);
    double load_ns = median(load, rounds);
    printf("{\"name\":\"bundle_native\",\"ns\":%.0f,\"verify_ns\":%.0f,\"load_ns\":%.0f,"
           "\"popups\":%zu,\"bytes\":%zu,\"arena_bytes\":%zu}\n",
           verify_ns + load_ns, verify_ns, load_ns, popups, d->bundle_bytes, arena_bytes);
    free(verify);
    free(load);
}

int main(int argc, char **argv) {
    device d;
    bool writing = argc == 3 && strcmp(argv[1], "--write") == 0;
    long popups = argc > 1 && !writing ? strtol(argv[1], NULL, 10) : POPUPS;
    long rounds = argc > 2 && !writing ? strtol(argv[2], NULL, 10) : ROUNDS;
    need(popups >= 0 && popups <= CAIRN__POPUPS_MAX && rounds > 0 && rounds <= 100000,
         "popups 0..2000, rounds 1..100000");
    prepare(&d, (size_t)popups);
    if (writing) {
        write_file(&d, argv[2]);
    } else {
        measure(&d, (size_t)popups, (size_t)rounds);
    }
    cairn__buffer_free(&d.signed_bundle);
    return 0;
}
