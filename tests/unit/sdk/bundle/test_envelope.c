/* Goal: only the project's own newest bundle is believed.
 * Method: keys made here sign bundles; each thing that can be wrong is made wrong alone. Known
 * answers: RFC 6979's P-256 example. */
#include <string.h>

#include "base/bytes.h"
#include "bundle/envelope.h"
#include "bundle/sign.h"
#include "bundle/write.h"
#include "support/cmocka_all.h"

typedef struct fixture {
    cairn__signing_key key, other;
    cairn__public_key trusted[2];
    cairn__bundle_trust trust;
    cairn__buffer bundle, message;
} fixture;

static const cairn_span seeds[2] = {
    { (const uint8_t *)"a seed of thirty-two bytes, or so", 33 },
    { (const uint8_t *)"another seed of thirty-two bytes.", 33 },
};

static int open_fixture(void **state) {
    static fixture f;
    assert_int_equal(cairn__signing_key_make(seeds[0], &f.key), CAIRN_OK);
    assert_int_equal(cairn__signing_key_make(seeds[1], &f.other), CAIRN_OK);
    f.trusted[0] = (cairn__public_key){ .id = CAIRN_STR("next") };
    f.trusted[1] = (cairn__public_key){ .id = CAIRN_STR("k1") };
    memcpy(f.trusted[0].bytes, f.other.public_key, CAIRN__KEY_BYTES);
    memcpy(f.trusted[1].bytes, f.key.public_key, CAIRN__KEY_BYTES);
    f.trust = (cairn__bundle_trust){ f.trusted, 2, CAIRN_STR("demo"), 5 };
    f.bundle = cairn__buffer_make(cairn__heap(), 1 << 16);
    f.message = cairn__buffer_make(cairn__heap(), 1 << 16);
    *state = &f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    cairn__buffer_free(&f->bundle);
    cairn__buffer_free(&f->message);
    return 0;
}

/* A small bundle, signed. */
static cairn_span signed_by(fixture *f, const cairn__signing_key *key, cairn_span key_id,
                            const cairn__bundle *bundle) {
    uint8_t signature[CAIRN__SIGNATURE_BYTES];
    cairn__buffer_clear(&f->bundle);
    cairn__buffer_clear(&f->message);
    assert_int_equal(cairn__bundle_write(bundle, &f->bundle), CAIRN_OK);
    assert_int_equal(cairn__sign(key, cairn__buffer_span(&f->bundle), signature), CAIRN_OK);
    assert_int_equal(cairn__bundle_envelope_write(cairn__buffer_span(&f->bundle), key_id, signature,
                                                  &f->message),
                     CAIRN_OK);
    return cairn__buffer_span(&f->message);
}

static cairn__bundle bundle_of(cairn_span project, uint64_t version) {
    return (cairn__bundle){ .definitions = { .version = version, .project = project },
                            .made_ms = 1790000000000 };
}

static cairn__bundle_verdict verdict_of(fixture *f, cairn_span project, uint64_t version) {
    cairn__bundle bundle = bundle_of(project, version);
    cairn_span inner;
    return cairn__bundle_judge(signed_by(f, &f->key, CAIRN_STR("k1"), &bundle), &f->trust, &inner);
}

static void a_newer_bundle_of_the_project_is_believed(void **state) {
    fixture *f = *state;
    cairn__bundle bundle = bundle_of(CAIRN_STR("demo"), 6);
    cairn_span inner;
    cairn_span message = signed_by(f, &f->key, CAIRN_STR("k1"), &bundle);
    assert_int_equal(cairn__bundle_judge(message, &f->trust, &inner), CAIRN__BUNDLE_NEW);
    assert_true(cairn__span_equal(inner, cairn__buffer_span(&f->bundle)));
}

static void an_older_version_and_another_project_are_refused(void **state) {
    fixture *f = *state;
    assert_int_equal(verdict_of(f, CAIRN_STR("demo"), 4), CAIRN__BUNDLE_OLDER);
    assert_int_equal(verdict_of(f, CAIRN_STR("demo"), 5), CAIRN__BUNDLE_SAME);
    assert_int_equal(verdict_of(f, CAIRN_STR("demo2"), 6), CAIRN__BUNDLE_OTHER_PROJECT);
    assert_int_equal(verdict_of(f, CAIRN_STR("dem"), 6), CAIRN__BUNDLE_OTHER_PROJECT);
    assert_int_equal(verdict_of(f, (cairn_span){ NULL, 0 }, 6), CAIRN__BUNDLE_DAMAGED);
    assert_int_equal(verdict_of(f, CAIRN_STR("demo"), 0), CAIRN__BUNDLE_DAMAGED);
}

static void another_key_is_refused_by_its_name_and_by_its_signature(void **state) {
    fixture *f = *state;
    cairn__bundle bundle = bundle_of(CAIRN_STR("demo"), 6);
    cairn_span inner;
    cairn_span message = signed_by(f, &f->key, CAIRN_STR("k9"), &bundle);
    assert_int_equal(cairn__bundle_judge(message, &f->trust, &inner), CAIRN__BUNDLE_KEY_UNKNOWN);
    message = signed_by(f, &f->other, CAIRN_STR("k1"), &bundle);
    assert_int_equal(cairn__bundle_judge(message, &f->trust, &inner), CAIRN__BUNDLE_NOT_SIGNED);
    message = signed_by(f, &f->other, CAIRN_STR("next"), &bundle);
    assert_int_equal(cairn__bundle_judge(message, &f->trust, &inner), CAIRN__BUNDLE_NEW);
}

static void no_flipped_bit_and_no_cut_is_believed(void **state) {
    fixture *f = *state;
    cairn__bundle bundle = bundle_of(CAIRN_STR("demo"), 6);
    cairn_span message = signed_by(f, &f->key, CAIRN_STR("k1"), &bundle);
    uint8_t bytes[256];
    assert_true(message.len <= sizeof bytes);
    for (size_t bit = 0; bit < message.len * 8; bit++) {
        cairn_span inner;
        memcpy(bytes, message.data, message.len);
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        cairn__bundle_verdict verdict =
            cairn__bundle_judge(cairn__span(bytes, message.len), &f->trust, &inner);
        assert_true(verdict > CAIRN__BUNDLE_OTHER_PROJECT && verdict < CAIRN__BUNDLE_NO_MEMORY);
        assert_int_equal(inner.len, 0);
    }
    for (size_t len = 0; len < message.len; len++) {
        cairn_span inner;
        memcpy(bytes, message.data, len);
        assert_int_equal(cairn__bundle_judge(cairn__span(bytes, len), &f->trust, &inner),
                         CAIRN__BUNDLE_DAMAGED);
    }
}

static uint8_t digit(char text) {
    return (uint8_t)(text <= '9' ? text - '0' : text - 'A' + 10);
}

static void from_hex(const char *text, uint8_t *to, size_t count) {
    for (size_t i = 0; i < count; i++) {
        to[i] = (uint8_t)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
    }
}

/* RFC 6979, A.2.5: P-256, SHA-256, message "sample". */
static void the_example_of_rfc_6979_comes_out(void **state) {
    (void)state;
    cairn__signing_key key;
    uint8_t expected[CAIRN__SIGNATURE_BYTES];
    uint8_t signature[CAIRN__SIGNATURE_BYTES];
    from_hex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721", key.secret, 32);
    key.public_key[0] = 4;
    from_hex("60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
             "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299",
             key.public_key + 1, 64);
    from_hex("EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
             "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
             expected, 64);
    assert_int_equal(cairn__sign(&key, CAIRN_STR("sample"), signature), CAIRN_OK);
    assert_memory_equal(signature, expected, 64);
    assert_int_equal(cairn__signature_verify(key.public_key, CAIRN_STR("sample"), expected),
                     CAIRN_OK);
    assert_int_equal(cairn__signature_verify(key.public_key, CAIRN_STR("samplf"), expected),
                     CAIRN_DENIED);
}

static void keys_off_the_curve_and_numbers_out_of_range_are_refused(void **state) {
    fixture *f = *state;
    uint8_t signature[CAIRN__SIGNATURE_BYTES] = { 0 };
    uint8_t key[CAIRN__KEY_BYTES];
    memcpy(key, f->key.public_key, sizeof key);
    assert_int_equal(cairn__signature_verify(key, CAIRN_STR("x"), signature), CAIRN_DENIED);
    signature[CAIRN__SIGNATURE_BYTES - 1] = 1; /* r is zero, s is not */
    assert_int_equal(cairn__signature_verify(key, CAIRN_STR("x"), signature), CAIRN_DENIED);
    memset(signature, 0xFF, sizeof signature);
    assert_int_equal(cairn__signature_verify(key, CAIRN_STR("x"), signature), CAIRN_DENIED);
    key[64] ^= 1;
    assert_int_equal(cairn__signature_verify(key, CAIRN_STR("x"), signature), CAIRN_INVALID);
    memset(key, 0, sizeof key);
    assert_int_equal(cairn__signature_verify(key, CAIRN_STR("x"), signature), CAIRN_INVALID);
}

static void a_key_comes_back_from_its_pem(void **state) {
    fixture *f = *state;
    cairn__signing_key again;
    cairn__buffer_clear(&f->message);
    assert_int_equal(cairn__signing_key_pem(&f->key, &f->message), CAIRN_OK);
    assert_int_equal(cairn__signing_key_load(cairn__buffer_span(&f->message), &again), CAIRN_OK);
    assert_memory_equal(&again, &f->key, sizeof again);
    assert_int_equal(cairn__signing_key_load(CAIRN_STR("no key"), &again), CAIRN_INVALID);
    assert_int_equal(cairn__signing_key_make(CAIRN_STR("short"), &again), CAIRN_INVALID);
    cairn__signing_key_wipe(&again);
    const cairn__signing_key empty = { { 0 }, { 0 } };
    assert_memory_equal(&again, &empty, sizeof again);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_newer_bundle_of_the_project_is_believed),
        cmocka_unit_test(an_older_version_and_another_project_are_refused),
        cmocka_unit_test(another_key_is_refused_by_its_name_and_by_its_signature),
        cmocka_unit_test(no_flipped_bit_and_no_cut_is_believed),
        cmocka_unit_test(the_example_of_rfc_6979_comes_out),
        cmocka_unit_test(keys_off_the_curve_and_numbers_out_of_range_are_refused),
        cmocka_unit_test(a_key_comes_back_from_its_pem),
    };
    return cmocka_run_group_tests_name("sdk/bundle/envelope", tests, open_fixture, close_fixture);
}
