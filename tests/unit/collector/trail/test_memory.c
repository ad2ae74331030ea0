/* Goal: without memory nothing is lost, nothing leaks, and a reader keeps its budget.
 * Method: an allocator that fails the n-th call, for every n; small budgets; names by the ten
 * thousand. */
#include <stdio.h>
#include <stdlib.h>

#include "support/cmocka_all.h"
#include "trail_model.h"

typedef struct failing {
    size_t live_bytes, peak_bytes;
    long calls_until_failure; /* < 0: never */
} failing;

static void *failing_resize(void *self, void *at, size_t old_bytes, size_t new_bytes) {
    failing *f = self;
    if (new_bytes > old_bytes && f->calls_until_failure == 0) {
        return NULL;
    }
    f->calls_until_failure -= new_bytes > old_bytes && f->calls_until_failure > 0;
    f->live_bytes = f->live_bytes - old_bytes + new_bytes;
    f->peak_bytes = f->live_bytes > f->peak_bytes ? f->live_bytes : f->peak_bytes;
    if (new_bytes == 0) {
        free(at);
        return NULL;
    }
    void *result = realloc(at, new_bytes);
    assert_non_null(result);
    return result;
}

typedef struct fixture {
    failing memory;
    sqlite3 *db;
    cairn__trail *trail;
    model m;
    random_source random;
} fixture;

static const model_shape shape = { 40, 12, 6, true, true };

static cairn_status open_trail(fixture *f) {
    cairn__trail_options options = { .allocator = { failing_resize, &f->memory },
                                     .directory = "",
                                     .tail_rows_max = 100 };
    cairn__trail_problem problem;
    return cairn__trail_open(f->db, &options, &f->trail, &problem);
}

static int open_fixture(void **state) {
    static fixture f;
    f = (fixture){ .m = model_make(), .random = { 11 }, .memory = { 0, 0, -1 } };
    assert_int_equal(sqlite3_open(":memory:", &f.db), SQLITE_OK);
    assert_int_equal(open_trail(&f), CAIRN_OK);
    *state = &f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    cairn__trail_close(f->trail);
    assert_int_equal(f->memory.live_bytes, 0);
    assert_int_equal(sqlite3_close(f->db), SQLITE_OK);
    model_free(&f->m);
    return 0;
}

/* Append a row although the allocator fails first after 0, then 1, 2, .. calls. */
static void add_row(fixture *f, bool with_failures) {
    model_add(&f->m, &f->random, &shape);
    cairn__trail_row row = model_trail_row(&f->m.rows[f->m.count - 1]);
    cairn_status status = CAIRN_NO_MEMORY;
    for (long calls = with_failures ? 0 : -1; status == CAIRN_NO_MEMORY; calls++) {
        f->memory.calls_until_failure = calls;
        status = cairn__trail_append(f->trail, &row);
    }
    f->memory.calls_until_failure = -1;
    assert_int_equal(status, CAIRN_OK);
}

static void execute(fixture *f, const char *sql) {
    assert_int_equal(sqlite3_exec(f->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* Commit; with every possible failure before the one that goes well. */
static void commit(fixture *f, bool with_failures) {
    bool ok = false;
    for (long calls = with_failures ? 0 : -1; !ok; calls++) {
        f->memory.calls_until_failure = calls;
        execute(f, "BEGIN");
        ok = cairn__trail_commit(f->trail) == CAIRN_OK;
        execute(f, ok ? "COMMIT" : "ROLLBACK");
        cairn__trail_committed(f->trail, ok);
    }
    f->memory.calls_until_failure = -1;
}

static cairn__reader_options every_property(cairn_span *properties) {
    cairn__reader_options options = model_everything();
    for (uint32_t i = 0; i < 6; i++) {
        properties[i] = model_property(i);
    }
    options.properties = properties;
    options.property_count = 6;
    return options;
}

static void ask(fixture *f) {
    cairn_span properties[6];
    cairn__reader_options options = every_property(properties);
    cairn__trail_snapshot *snapshot = cairn__trail_snapshot_take(f->trail);
    assert_non_null(snapshot);
    assert_int_equal(model_compare(&f->m, snapshot, &options), CAIRN_OK);
    cairn__trail_snapshot_release(snapshot);
}

static void a_row_without_memory_can_be_given_again(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < 60; i++) {
        add_row(f, true);
    }
    ask(f);
}

static void a_commit_without_memory_can_be_done_again(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < 20; i++) {
        add_row(f, false);
        add_row(f, false);
        commit(f, true);
    }
    ask(f);
}

static void a_job_without_memory_changes_nothing(void **state) {
    fixture *f = *state;
    bool done = false;
    for (size_t i = 0; i < 120; i++) {
        add_row(f, false);
    }
    commit(f, false);
    for (long calls = 0; !done; calls++) {
        f->memory.calls_until_failure = calls;
        cairn__trail_job *job = cairn__trail_job_plan(f->trail);
        if (job == NULL) {
            continue;
        }
        (void)cairn__trail_job_run(job);
        execute(f, "BEGIN");
        done = cairn__trail_job_finish(f->trail, job) == CAIRN_OK;
        execute(f, done ? "COMMIT" : "ROLLBACK");
        cairn__trail_committed(f->trail, done);
        f->memory.calls_until_failure = -1;
        if (calls % 20 == 0) {
            ask(f);
        }
    }
    ask(f);
    cairn__trail_stats stats;
    cairn__trail_stats_of(f->trail, &stats);
    assert_int_equal(stats.segments, 1);
    assert_int_equal(stats.tail_rows, 0);
}

static void opening_without_memory_leaves_nothing_behind(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < 40; i++) {
        add_row(f, false);
        commit(f, false);
    }
    cairn__trail_close(f->trail);
    assert_int_equal(f->memory.live_bytes, 0);
    cairn_status status = CAIRN_NO_MEMORY;
    for (long calls = 0; status == CAIRN_NO_MEMORY; calls++) {
        f->memory.calls_until_failure = calls;
        status = open_trail(f);
        assert_true(status == CAIRN_OK || f->memory.live_bytes == 0);
    }
    f->memory.calls_until_failure = -1;
    assert_int_equal(status, CAIRN_OK);
    ask(f);
}

static void a_reader_without_memory_says_so_and_leaves_nothing_behind(void **state) {
    fixture *f = *state;
    failing memory = { 0, 0, -1 };
    uint32_t person_of[40];
    cairn_span properties[6];
    for (uint32_t i = 0; i < 40; i++) {
        person_of[i] = i % 3 == 2 ? i - 2 : i;
    }
    for (size_t i = 0; i < 300; i++) {
        add_row(f, false);
        if (i % 90 == 0) {
            commit(f, false);
        }
    }
    cairn__reader_options options = every_property(properties);
    options.allocator = (cairn_allocator){ failing_resize, &memory };
    options.person_of = person_of;
    options.node_count = 40;
    cairn__trail_snapshot *snapshot = cairn__trail_snapshot_take(f->trail);
    cairn_status status = CAIRN_NO_MEMORY;
    long calls = 0;
    for (; status == CAIRN_NO_MEMORY; calls++) {
        memory.calls_until_failure = calls;
        status = model_compare(&f->m, snapshot, &options);
        assert_int_equal(memory.live_bytes, 0);
    }
    assert_int_equal(status, CAIRN_OK);
    assert_true(calls > 50);
    cairn__trail_snapshot_release(snapshot);
}

/* Half of all nodes are other persons': what does not fit at once is collected in rounds. */
static void a_small_budget_is_kept_and_still_gives_every_row(void **state) {
    fixture *f = *state;
    enum { NODES = 3000 };
    model_shape many = { NODES, 5, 2, true, false };
    uint32_t *person_of = malloc(NODES * sizeof *person_of);
    for (uint32_t i = 0; i < NODES; i++) {
        person_of[i] = i % 2 == 1 ? random_below(&f->random, i / 2 + 1) * 2 : i;
    }
    for (size_t i = 0; i < 60000; i++) {
        model_add(&f->m, &f->random, &many);
        f->m.rows[f->m.count - 1].node = random_below(&f->random, NODES); /* nobody is too busy */
        cairn__trail_row row = model_trail_row(&f->m.rows[f->m.count - 1]);
        assert_int_equal(cairn__trail_append(f->trail, &row), CAIRN_OK);
        if (i % 25000 == 0) {
            commit(f, false);
        }
    }
    cairn__trail_snapshot *snapshot = cairn__trail_snapshot_take(f->trail);
    size_t refused = 0, answered = 0;
    for (size_t budget = 100000; budget < 20000000; budget += budget / 4) {
        failing memory = { 0, 0, -1 };
        cairn_span property = model_property(0);
        cairn__reader_options options = model_everything();
        options.allocator = (cairn_allocator){ failing_resize, &memory };
        options.bytes_max = budget;
        options.properties = &property;
        options.property_count = 1;
        options.person_of = person_of;
        options.node_count = NODES;
        cairn_status status = model_compare(&f->m, snapshot, &options);
        assert_true(status == CAIRN_OK || status == CAIRN_NO_MEMORY);
        assert_true(memory.peak_bytes <= budget);
        refused += status != CAIRN_OK;
        answered += status == CAIRN_OK;
        assert_true(status == CAIRN_OK || answered == 0); /* more memory never does worse */
    }
    assert_true(refused > 3 && answered > 5);
    cairn__trail_snapshot_release(snapshot);
    free(person_of);
}

/* 70,000 names: those asked for are told apart; when all are asked for, the last share a code. */
static void names_beyond_the_codes_are_other(void **state) {
    fixture *f = *state;
    enum { NAMES = 70000 };
    char text[32];
    for (uint32_t i = 0; i < NAMES; i++) {
        int len = snprintf(text, sizeof text, "name %u", i);
        cairn__trail_row row = { .node = i % 7, .time_ms = i, .order = i };
        row.name = (cairn_span){ (const uint8_t *)text, (size_t)len };
        assert_int_equal(cairn__trail_append(f->trail, &row), CAIRN_OK);
    }
    cairn__trail_snapshot *snapshot = cairn__trail_snapshot_take(f->trail);
    cairn__reader_options options = model_everything();
    cairn__reader *reader = NULL;
    cairn__reader_batch batch = { .person_count = 1 };
    size_t others = 0, rows = 0;
    assert_int_equal(cairn__reader_open(snapshot, &options, &reader), CAIRN_OK);
    while (batch.person_count != 0) {
        assert_int_equal(cairn__reader_next(reader, &batch), CAIRN_OK);
        rows += batch.row_count;
        for (size_t i = 0; i < batch.row_count; i++) {
            others += batch.name[i] == CAIRN__READER_NAME_OTHER;
        }
    }
    assert_int_equal(rows, NAMES);
    assert_int_equal(others, NAMES - CAIRN__READER_NAME_OTHER);
    assert_int_equal(cairn__reader_name(reader, CAIRN__READER_NAME_OTHER).len, 6);
    cairn__reader_close(reader);
    cairn_span last = CAIRN_STR("name 69999");
    options.names = &last;
    options.name_count = 1;
    assert_int_equal(cairn__reader_open(snapshot, &options, &reader), CAIRN_OK);
    assert_int_equal(cairn__reader_next(reader, &batch), CAIRN_OK);
    assert_int_equal(batch.row_count, 1);
    assert_true(batch.time_ms[0] == 69999);
    cairn__reader_close(reader);
    cairn__trail_snapshot_release(snapshot);
}

static void too_many_names_or_properties_are_refused(void **state) {
    fixture *f = *state;
    cairn__trail_snapshot *snapshot = cairn__trail_snapshot_take(f->trail);
    cairn__reader_options options = model_everything();
    cairn__reader *reader = NULL;
    options.property_count = CAIRN__READER_PROPERTIES_MAX + 1;
    assert_int_equal(cairn__reader_open(snapshot, &options, &reader), CAIRN_INVALID);
    options.property_count = 0;
    options.name_count = CAIRN__READER_NAMES_MAX + 1;
    assert_int_equal(cairn__reader_open(snapshot, &options, &reader), CAIRN_INVALID);
    cairn__trail_snapshot_release(snapshot);
}

int main(void) {
#define CASE(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        CASE(a_row_without_memory_can_be_given_again),
        CASE(a_commit_without_memory_can_be_done_again),
        CASE(a_job_without_memory_changes_nothing),
        CASE(opening_without_memory_leaves_nothing_behind),
        CASE(a_reader_without_memory_says_so_and_leaves_nothing_behind),
        CASE(a_small_budget_is_kept_and_still_gives_every_row),
        CASE(names_beyond_the_codes_are_other),
        CASE(too_many_names_or_properties_are_refused),
    };
    return cmocka_run_group_tests_name("collector/trail/memory", tests, NULL, NULL);
}
