/* Goal: a reader gives exactly the rows of a plain array: every kind of value, any filter, merged
 * persons, however the rows are spread over images.
 * Method: random histories against the oracle in trail_model.c, everything in memory. */
#include <string.h>

#include "support/cmocka_all.h"
#include "trail_model.h"

typedef struct fixture {
    sqlite3 *db;
    cairn__trail *trail;
    model m;
    random_source random;
} fixture;

static int open_fixture(void **state) {
    static fixture f;
    f = (fixture){ .m = model_make(), .random = { 20261124 } };
    assert_int_equal(sqlite3_open(":memory:", &f.db), SQLITE_OK);
    cairn__trail_options options = { .allocator = cairn__heap(), .directory = "" };
    cairn__trail_problem problem;
    assert_int_equal(cairn__trail_open(f.db, &options, &f.trail, &problem), CAIRN_OK);
    *state = &f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    cairn__trail_close(f->trail);
    assert_int_equal(sqlite3_close(f->db), SQLITE_OK);
    model_free(&f->m);
    return 0;
}

static void add_rows(fixture *f, const model_shape *shape, size_t count) {
    for (size_t i = 0; i < count; i++) {
        model_add(&f->m, &f->random, shape);
        cairn__trail_row row = model_trail_row(&f->m.rows[f->m.count - 1]);
        assert_int_equal(cairn__trail_append(f->trail, &row), CAIRN_OK);
    }
}

static void commit(fixture *f) {
    assert_int_equal(cairn__trail_commit(f->trail), CAIRN_OK);
    cairn__trail_committed(f->trail, true);
}

static void ask(fixture *f, const cairn__reader_options *options) {
    cairn__trail_snapshot *snapshot = cairn__trail_snapshot_take(f->trail);
    assert_non_null(snapshot);
    assert_int_equal(cairn__trail_snapshot_rows(snapshot), f->m.count);
    assert_int_equal(model_compare(&f->m, snapshot, options), CAIRN_OK);
    cairn__trail_snapshot_release(snapshot);
}

static void an_empty_trail_has_no_rows(void **state) {
    cairn__reader_options options = model_everything();
    ask(*state, &options);
}

static void one_row_comes_back_whole(void **state) {
    fixture *f = *state;
    model_shape shape = { 4, 5, 6, false, false };
    cairn_span properties[6];
    for (uint32_t i = 0; i < 6; i++) {
        properties[i] = model_property(i);
    }
    cairn__reader_options options = model_everything();
    options.properties = properties;
    options.property_count = 6;
    for (size_t i = 0; i < 40; i++) {
        add_rows(f, &shape, 1);
        ask(f, &options);
    }
}

/* Random filters over random history; persons merged at random. */
static void ask_at_random(fixture *f, const model_shape *shape) {
    random_source *random = &f->random;
    cairn_span names[8], properties[8];
    uint32_t person_of[1000];
    cairn__reader_options options = model_everything();
    options.without_order = random_below(random, 2) == 0;
    options.names = names;
    options.name_count = random_below(random, 6);
    for (size_t i = 0; i < options.name_count; i++) {
        names[i] = model_name(random_below(random, shape->names + 2));
    }
    options.properties = properties;
    options.property_count = random_below(random, 7);
    for (size_t i = 0; i < options.property_count; i++) {
        properties[i] = model_property(random_below(random, shape->properties + 1));
    }
    if (random_below(random, 2) == 0) {
        int64_t middle =
            1700000000000 + (int64_t)random_below(random, 500 * (uint32_t)f->m.count + 1);
        options.from_ms = middle;
        options.to_ms = middle + random_below(random, 10000000);
    }
    if (random_below(random, 2) == 0) {
        options.person_first = random_below(random, shape->nodes);
        options.person_end = options.person_first + random_below(random, shape->nodes);
    }
    if (random_below(random, 2) == 0) {
        options.person_of = person_of;
        options.node_count = random_below(random, shape->nodes);
        for (uint32_t i = 0; i < options.node_count; i++) {
            person_of[i] = random_below(random, 3) == 0 ? random_below(random, i + 1) : i;
            person_of[i] = person_of[person_of[i]];
        }
    }
    ask(f, &options);
}

static void random_histories(fixture *f, const model_shape *shape, size_t rounds, size_t rows) {
    for (size_t round = 0; round < rounds; round++) {
        add_rows(f, shape, 1 + random_below(&f->random, (uint32_t)rows));
        if (random_below(&f->random, 3) != 0) {
            commit(f);
        }
        ask_at_random(f, shape);
    }
}

static void random_histories_agree_with_the_array(void **state) {
    model_shape shape = { 300, 20, 6, true, false };
    random_histories(*state, &shape, 60, 2000);
}

static void wild_values_agree_with_the_array(void **state) {
    model_shape shape = { 50, 12, 8, false, true };
    random_histories(*state, &shape, 60, 200);
}

static void more_names_than_a_byte_numbers_agree(void **state) {
    model_shape shape = { 20, 600, 1, true, false };
    random_histories(*state, &shape, 10, 9000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_trail_has_no_rows, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(one_row_comes_back_whole, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(random_histories_agree_with_the_array, open_fixture,
                                        close_fixture),
        cmocka_unit_test_setup_teardown(wild_values_agree_with_the_array, open_fixture,
                                        close_fixture),
        cmocka_unit_test_setup_teardown(more_names_than_a_byte_numbers_agree, open_fixture,
                                        close_fixture),
    };
    return cmocka_run_group_tests_name("collector/trail/reader", tests, NULL, NULL);
}
