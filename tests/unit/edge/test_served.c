/* Goal: a gzip stream that is put together from blocks compressed before is one that zlib reads, of
 * exactly the bytes that go out plain.
 * Method: bundles and answers of many sizes, undone with zlib; the signature is verified. */
#include "edge/served.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "bundle/write.h"
#include "edge/inflate.h"
#include "support/cmocka_all.h"

enum { BYTES_MAX = 8 << 20 };

static int open_signing(void **state) {
    cairn__signing *signing = calloc(1, sizeof *signing);
    uint8_t seed[48] = { 1, 2, 3 };
    assert_int_equal(cairn__signing_key_make(cairn__span(seed, sizeof seed), &signing->key),
                     CAIRN_OK);
    memcpy(signing->id, "test", 5);
    *state = signing;
    return 0;
}

static int close_signing(void **state) {
    free(*state);
    return 0;
}

/* Text that compresses, and bytes that do not. */
static uint8_t *make_bytes(size_t count, bool text) {
    uint8_t *bytes = malloc(count + 1);
    uint64_t random = 7;
    assert_non_null(bytes);
    for (size_t i = 0; i < count; i++) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        bytes[i] = text ? (uint8_t)('a' + i % 7) : (uint8_t)(random >> 56);
    }
    return bytes;
}

static void check(const cairn__served *served, cairn_span response) {
    cairn__buffer plain = cairn__buffer_make(cairn__heap(), BYTES_MAX);
    cairn__buffer packed = cairn__buffer_make(cairn__heap(), BYTES_MAX);
    cairn__buffer undone = cairn__buffer_make(cairn__heap(), BYTES_MAX);
    cairn__served_append(served, &plain);
    cairn__buffer_append(&plain, response);
    cairn__served_gzip(served, response, &packed);
    assert_int_equal(cairn__inflate(CAIRN__ENCODING_GZIP, cairn__buffer_span(&packed), &undone),
                     CAIRN_OK);
    assert_true(cairn__span_equal(cairn__buffer_span(&undone), cairn__buffer_span(&plain)));
    cairn__buffer_free(&plain);
    cairn__buffer_free(&packed);
    cairn__buffer_free(&undone);
}

static void what_was_compressed_once_frames_every_answer(void **state) {
    static const size_t bundles[] = { 1000, 1001, 65535, 70000, 3 << 20 };
    static const size_t answers[] = { 0, 1, 100, 65534, 65535, 65536, 131070, 131071, 200000 };
    for (size_t i = 0; i < sizeof bundles / sizeof bundles[0]; i++) {
        uint8_t *bundle = make_bytes(bundles[i], i % 2 == 0);
        cairn__served *served = cairn__served_make(cairn__span(bundle, bundles[i]), 7, *state);
        assert_non_null(served);
        assert_true(served->packed.len > 0);
        for (size_t j = 0; j < sizeof answers / sizeof answers[0]; j++) {
            uint8_t *answer = make_bytes(answers[j], j % 2 == 0);
            check(served, cairn__span(answer, answers[j]));
            free(answer);
        }
        cairn__served_free(served);
        free(bundle);
    }
}

static void a_small_bundle_is_not_compressed(void **state) {
    uint8_t *bundle = make_bytes(500, true);
    cairn__served *served = cairn__served_make(cairn__span(bundle, 500), 7, *state);
    assert_non_null(served);
    assert_int_equal(served->packed.len, 0);
    cairn__served_free(served);
    free(bundle);
}

static void what_goes_out_is_signed(void **state) {
    const cairn__signing *signing = *state;
    const cairn_span bundle = CAIRN_STR("a bundle");
    uint8_t signature[CAIRN__SIGNATURE_BYTES];
    cairn__buffer expected = cairn__buffer_make(cairn__heap(), 4096);
    cairn__served *served = cairn__served_make(bundle, 7, signing);
    assert_non_null(served);
    assert_int_equal(cairn__sign(&signing->key, bundle, signature), CAIRN_OK);
    assert_int_equal(cairn__signature_verify(signing->key.public_key, bundle, signature), CAIRN_OK);
    assert_int_equal(cairn__bundle_envelope_write(bundle, CAIRN_STR("test"), signature, &expected),
                     CAIRN_OK);
    assert_true(cairn__span_equal(cairn__served_signed(served), cairn__buffer_span(&expected)));
    cairn__buffer_free(&expected);
    cairn__served_free(served);
}

static void only_who_takes_gzip_gets_it(void **state) {
    (void)state;
    static const struct {
        const char *header;
        bool takes;
    } cases[] = {
        { "gzip", true },         { "GZIP", true },           { "br, gzip", true },
        { "gzip;q=0.1", true },   { "gzip ; q=1", true },     { "deflate,gzip,br", true },
        { "gzip;q=0", false },    { "gzip; q=0.000", false }, { "", false },
        { "identity", false },    { "gzi", false },           { "x-gzip", false },
        { "br;q=1,zstd", false }, { ",,,", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(cairn__accepts_gzip(cairn__span_of(cases[i].header)), cases[i].takes);
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_signing, close_signing)
    const struct CMUnitTest tests[] = {
        TEST(what_was_compressed_once_frames_every_answer),
        TEST(a_small_bundle_is_not_compressed),
        TEST(what_goes_out_is_signed),
        cmocka_unit_test(only_who_takes_gzip_gets_it),
    };
    return cmocka_run_group_tests_name("edge/served", tests, NULL, NULL);
}
