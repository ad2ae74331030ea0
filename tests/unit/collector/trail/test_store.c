/* Goal: what is committed survives, in order and exactly; what is not is gone; a failed transaction
 * and a failed job change nothing; damage is told, never answered.
 * Method: random histories of rows, commits that fail, jobs that fail, and crashes (the object is
 * dropped and the database reopened), compared with a plain array after each step. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "support/cmocka_all.h"
#include "trail_model.h"

enum { PATH_BYTES = 512 };

typedef struct fixture {
    char root[PATH_BYTES], directory[PATH_BYTES + 16], database[PATH_BYTES + 16];
    sqlite3 *db;
    cairn__trail *trail;
    model m;
    size_t committed; /* rows of the model that are durable */
    random_source random;
    size_t tail_rows_max, segment_rows_max;
    bool in_memory;
    model_shape shape;
} fixture;

static void open_trail(fixture *f) {
    assert_int_equal(sqlite3_open(f->database, &f->db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(f->db, "PRAGMA synchronous=OFF", NULL, NULL, NULL), SQLITE_OK);
    cairn__trail_options options = { .allocator = cairn__heap(),
                                     .directory = f->in_memory ? "" : f->directory,
                                     .tail_rows_max = f->tail_rows_max,
                                     .segment_rows_max = f->segment_rows_max };
    cairn__trail_problem problem;
    cairn_status status = cairn__trail_open(f->db, &options, &f->trail, &problem);
    if (status != CAIRN_OK) {
        print_message("%s\n", problem.text);
    }
    assert_int_equal(status, CAIRN_OK);
}

static void close_trail(fixture *f) {
    cairn__trail_close(f->trail);
    assert_int_equal(sqlite3_close(f->db), SQLITE_OK);
}

static int open_fixture(void **state) {
    static fixture f;
    f = (fixture){ .m = model_make(),
                   .random = { 7 },
                   .tail_rows_max = 400,
                   .shape = { 120, 15, 6, true, true } };
    (void)snprintf(f.root, sizeof f.root, "%s/cairn_trail_XXXXXX",
                   getenv("TMPDIR") == NULL ? "/tmp" : getenv("TMPDIR"));
    assert_non_null(mkdtemp(f.root));
    (void)snprintf(f.directory, sizeof f.directory, "%s/trail", f.root);
    (void)snprintf(f.database, sizeof f.database, "%s/state.db", f.root);
    open_trail(&f);
    *state = &f;
    return 0;
}

typedef struct listing {
    char path[16][PATH_BYTES + 300];
    size_t count;
} listing;

static listing list_files(const char *directory) {
    static listing found;
    found.count = 0;
    DIR *files = opendir(directory);
    for (struct dirent *file = files == NULL ? NULL : readdir(files); file != NULL;
         file = readdir(files)) {
        if (file->d_name[0] != '.' && found.count < 16) {
            (void)snprintf(found.path[found.count++], sizeof found.path[0], "%s/%s", directory,
                           file->d_name);
        }
    }
    if (files != NULL) {
        (void)closedir(files);
    }
    return found;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    close_trail(f);
    listing files = list_files(f->directory);
    for (size_t i = 0; i < files.count; i++) {
        (void)unlink(files.path[i]);
    }
    (void)rmdir(f->directory);
    (void)unlink(f->database);
    (void)rmdir(f->root);
    model_free(&f->m);
    return 0;
}

static void execute(fixture *f, const char *sql) {
    assert_int_equal(sqlite3_exec(f->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void add_rows(fixture *f, size_t count) {
    for (size_t i = 0; i < count; i++) {
        model_add(&f->m, &f->random, &f->shape);
        cairn__trail_row row = model_trail_row(&f->m.rows[f->m.count - 1]);
        assert_int_equal(cairn__trail_append(f->trail, &row), CAIRN_OK);
    }
}

/* End the transaction, well or badly. */
static void end(fixture *f, bool ok) {
    execute(f, ok ? "COMMIT" : "ROLLBACK");
    cairn__trail_committed(f->trail, ok);
}

static void commit(fixture *f, bool ok) {
    execute(f, "BEGIN");
    assert_int_equal(cairn__trail_commit(f->trail), CAIRN_OK);
    end(f, ok);
    if (ok) {
        f->committed = f->m.count;
    }
}

static void ask(fixture *f, cairn_status expected) {
    cairn_span properties[6];
    for (uint32_t i = 0; i < 6; i++) {
        properties[i] = model_property(i);
    }
    uint32_t person_of[120];
    for (uint32_t i = 0; i < 120; i++) {
        person_of[i] = i % 7 == 6 ? i - 3 : i;
    }
    cairn__reader_options options = model_everything();
    options.properties = properties;
    options.property_count = 6;
    options.person_of = random_below(&f->random, 2) == 0 ? person_of : NULL;
    options.node_count = 120;
    options.without_order = random_below(&f->random, 2) == 0;
    cairn__trail_snapshot *snapshot = cairn__trail_snapshot_take(f->trail);
    assert_non_null(snapshot);
    assert_int_equal(model_compare(&f->m, snapshot, &options), expected);
    cairn__trail_snapshot_release(snapshot);
}

static void crash(fixture *f) {
    close_trail(f);
    f->m.count = f->committed;
    open_trail(f);
}

/* Plan, run and finish a job if there is one; false when there is none. */
static bool run_job(fixture *f, bool ok) {
    cairn__trail_job *job = cairn__trail_job_plan(f->trail);
    if (job == NULL) {
        return false;
    }
    /* the writer goes on while a job runs */
    add_rows(f, random_below(&f->random, 20));
    commit(f, random_below(&f->random, 4) != 0);
    assert_int_equal(cairn__trail_job_run(job), CAIRN_OK);
    add_rows(f, random_below(&f->random, 20));
    if (random_below(&f->random, 4) == 0) {
        ask(f, CAIRN_OK);
    }
    execute(f, "BEGIN");
    assert_int_equal(cairn__trail_job_finish(f->trail, job), CAIRN_OK);
    end(f, ok);
    return true;
}

static void report_nothing(void *self, const char *text) {
    (void)self;
    print_message("%s\n", text);
    fail();
}

static void history(fixture *f, size_t steps) {
    random_source *random = &f->random;
    for (size_t i = 0; i < steps; i++) {
        switch (random_below(random, 12)) {
        case 0:
            ask(f, CAIRN_OK);
            break;
        case 1:
            commit(f, false);
            break;
        case 2:
            crash(f);
            break;
        case 3:
            (void)run_job(f, false);
            break;
        case 4:
        case 5:
            (void)run_job(f, true);
            break;
        case 6:
            commit(f, true);
            break;
        default:
            add_rows(f, random_below(random, 60));
            commit(f, true);
            break;
        }
    }
    ask(f, CAIRN_OK);
    commit(f, true);
    assert_int_equal(cairn__trail_verify(f->trail, report_nothing, NULL), CAIRN_OK);
    crash(f);
    ask(f, CAIRN_OK);
    cairn__trail_stats stats;
    cairn__trail_stats_of(f->trail, &stats);
    assert_int_equal(stats.rows, f->m.count);
    assert_true(stats.segments > 0 && stats.segments < 12);
    assert_int_equal(list_files(f->directory).count, f->in_memory ? 0 : stats.segments);
}

static void random_histories_lose_and_invent_nothing(void **state) {
    history(*state, 300);
}

static void the_same_without_a_directory(void **state) {
    fixture *f = *state;
    close_trail(f);
    f->in_memory = true;
    (void)rmdir(f->directory);
    open_trail(f);
    history(f, 300);
}

static void segments_stop_growing_at_their_limit(void **state) {
    fixture *f = *state;
    close_trail(f);
    f->segment_rows_max = 1000;
    open_trail(f);
    for (size_t i = 0; i < 60; i++) {
        add_rows(f, 100);
        commit(f, true);
        while (run_job(f, true)) {
        }
    }
    ask(f, CAIRN_OK);
    cairn__trail_stats stats;
    cairn__trail_stats_of(f->trail, &stats);
    assert_true(stats.segments >= 5);
}

static void many_small_commits_are_one_short_snapshot_after_a_restart(void **state) {
    fixture *f = *state;
    close_trail(f);
    f->tail_rows_max = 1000000;
    open_trail(f);
    for (size_t i = 0; i < 700; i++) {
        add_rows(f, 1);
        commit(f, true);
    }
    crash(f);
    ask(f, CAIRN_OK);
    add_rows(f, 5);
    commit(f, true);
    crash(f);
    ask(f, CAIRN_OK);
}

static void a_snapshot_stays_as_it_was_while_all_around_it_changes(void **state) {
    fixture *f = *state;
    add_rows(f, 500);
    commit(f, true);
    cairn__trail_snapshot *snapshot = cairn__trail_snapshot_take(f->trail);
    size_t then = f->m.count;
    add_rows(f, 300);
    commit(f, true);
    while (run_job(f, true)) {
    }
    size_t now = f->m.count;
    f->m.count = then;
    cairn__reader_options options = model_everything();
    assert_int_equal(model_compare(&f->m, snapshot, &options), CAIRN_OK);
    f->m.count = now;
    cairn__trail_snapshot_release(snapshot);
    ask(f, CAIRN_OK);
}

static void a_flush_that_cannot_write_changes_nothing(void **state) {
    fixture *f = *state;
    add_rows(f, 500);
    commit(f, true);
    assert_int_equal(rmdir(f->directory), 0);
    cairn__trail_job *job = cairn__trail_job_plan(f->trail);
    assert_non_null(job);
    assert_null(cairn__trail_job_plan(f->trail)); /* one at a time */
    assert_int_equal(cairn__trail_job_run(job), CAIRN_STORAGE);
    execute(f, "BEGIN");
    assert_int_equal(cairn__trail_job_finish(f->trail, job), CAIRN_STORAGE);
    add_rows(f, 3);
    assert_int_equal(cairn__trail_commit(f->trail), CAIRN_OK);
    end(f, true);
    f->committed = f->m.count;
    ask(f, CAIRN_OK);
    assert_int_equal(mkdir(f->directory, 0750), 0);
    while (run_job(f, true)) { /* there is room again */
    }
    crash(f);
    ask(f, CAIRN_OK);
}

static void a_job_dropped_at_the_end_leaves_no_file(void **state) {
    fixture *f = *state;
    add_rows(f, 500);
    commit(f, true);
    cairn__trail_job *job = cairn__trail_job_plan(f->trail);
    assert_int_equal(cairn__trail_job_run(job), CAIRN_OK);
    cairn__trail_job_drop(f->trail, job);
    assert_int_equal(list_files(f->directory).count, 0);
    ask(f, CAIRN_OK);
    job = cairn__trail_job_plan(f->trail);
    assert_int_equal(cairn__trail_job_run(job), CAIRN_OK);
    commit(f, true);
    crash(f); /* closing drops it, too */
    assert_int_equal(list_files(f->directory).count, 0);
    ask(f, CAIRN_OK);
}

static void write_file(const char *directory, const char *name) {
    char path[PATH_BYTES + 64];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    (void)fputs("half of a segment", file);
    (void)fclose(file);
}

static void remains_of_a_crash_are_removed_and_other_files_are_not(void **state) {
    fixture *f = *state;
    add_rows(f, 500);
    commit(f, true);
    assert_true(run_job(f, true));
    cairn__trail_stats stats;
    cairn__trail_stats_of(f->trail, &stats);
    write_file(f->directory, "00000000000000ff.tmp"); /* died while writing */
    write_file(f->directory, "00000000000000fe.seg"); /* died before the transaction */
    write_file(f->directory, "notes.txt");
    crash(f);
    assert_int_equal(list_files(f->directory).count, stats.segments + 1);
    ask(f, CAIRN_OK);
    add_rows(f, 500);
    commit(f, true);
    assert_true(run_job(f, true)); /* no number is used twice */
    ask(f, CAIRN_OK);
}

/* In WAL mode a commit may be forgotten when the power fails: until a checkpoint, which a reader of
 * the database can hold back, the old files stay. */
static void replaced_files_stay_until_that_is_durable(void **state) {
    fixture *f = *state;
    sqlite3 *reader = NULL;
    execute(f, "PRAGMA journal_mode=WAL");
    for (size_t i = 0; i < 2; i++) {
        add_rows(f, 500 + i * 600);
        commit(f, true);
        assert_true(run_job(f, true));
    }
    assert_int_equal(list_files(f->directory).count, 2);
    assert_int_equal(sqlite3_open(f->database, &reader), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM trail_segment", NULL, NULL, NULL),
        SQLITE_OK);
    cairn__trail_stats stats;
    add_rows(f, 500);
    commit(f, true);
    while (run_job(f, true)) { /* a flush, then compaction */
    }
    cairn__trail_stats_of(f->trail, &stats);
    size_t files = list_files(f->directory).count;
    assert_true(files > stats.segments);
    crash(f);
    ask(f, CAIRN_OK);
    assert_int_equal(list_files(f->directory).count, files);
    assert_int_equal(sqlite3_exec(reader, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(reader), SQLITE_OK);
    crash(f);
    cairn__trail_stats_of(f->trail, &stats);
    assert_int_equal(list_files(f->directory).count, stats.segments);
    ask(f, CAIRN_OK);
}

/* A tail that is always full must not keep segments from being merged. */
static void flushes_do_not_starve_compaction(void **state) {
    fixture *f = *state;
    f->shape.wild = false;
    cairn__trail_stats stats;
    for (size_t i = 0; i < 100; i++) {
        add_rows(f, 500);
        commit(f, true);
        assert_true(run_job(f, true));
        cairn__trail_stats_of(f->trail, &stats);
        assert_true(stats.segments <= 14);
    }
    ask(f, CAIRN_OK);
}

static void a_missing_or_cut_segment_is_named_at_open(void **state) {
    fixture *f = *state;
    add_rows(f, 500);
    commit(f, true);
    assert_true(run_job(f, true));
    close_trail(f);
    listing files = list_files(f->directory);
    assert_int_equal(files.count, 1);
    struct stat before;
    assert_int_equal(stat(files.path[0], &before), 0);
    assert_int_equal(truncate(files.path[0], before.st_size - 1), 0);
    assert_int_equal(sqlite3_open(f->database, &f->db), SQLITE_OK);
    cairn__trail_options options = { .allocator = cairn__heap(), .directory = f->directory };
    cairn__trail_problem problem;
    assert_int_equal(cairn__trail_open(f->db, &options, &f->trail, &problem), CAIRN_STORAGE);
    assert_non_null(strstr(problem.text, ".seg"));
    assert_int_equal(unlink(files.path[0]), 0);
    assert_int_equal(cairn__trail_open(f->db, &options, &f->trail, &problem), CAIRN_STORAGE);
    assert_non_null(strstr(problem.text, ".seg"));
    execute(f, "DELETE FROM trail_segment");
    assert_int_equal(sqlite3_close(f->db), SQLITE_OK);
    f->m.count = f->committed = 0;
    open_trail(f);
}

static void count_reports(void *self, const char *text) {
    assert_non_null(strstr(text, "trail"));
    *(size_t *)self += 1;
}

/* Every byte of a segment, one at a time, in the file that the store has mapped. */
static void any_changed_byte_is_told_or_does_not_matter(void **state) {
    fixture *f = *state;
    f->shape.wild = false; /* a small file, most of it not text */
    add_rows(f, 400);
    commit(f, true);
    assert_true(run_job(f, true));
    crash(f);
    commit(f, true);
    listing files = list_files(f->directory);
    struct stat found;
    assert_int_equal(stat(files.path[0], &found), 0);
    int handle = open(files.path[0], O_RDWR);
    assert_true(handle >= 0);
    size_t told = 0;
    for (off_t at = 0; at < found.st_size; at += 1 + (off_t)random_below(&f->random, 5)) {
        uint8_t byte = 0, changed;
        assert_int_equal(pread(handle, &byte, 1, at), 1);
        changed = byte ^ (uint8_t)(1u << random_below(&f->random, 8));
        assert_int_equal(pwrite(handle, &changed, 1, at), 1);
        size_t reports = 0;
        assert_int_equal(cairn__trail_verify(f->trail, count_reports, &reports), CAIRN_STORAGE);
        assert_int_equal(reports, 1);
        assert_int_equal(pwrite(handle, &byte, 1, at), 1);
        told++;
    }
    assert_true(told > 1000);
    assert_int_equal(cairn__trail_verify(f->trail, report_nothing, NULL), CAIRN_OK);
    (void)close(handle);
}

/* The same for readers that meet it first: the status, or exactly the right rows. */
static void a_reader_never_gives_a_wrong_row(void **state) {
    fixture *f = *state;
    f->shape.wild = false; /* a small file, most of it not text */
    add_rows(f, 400);
    commit(f, true);
    assert_true(run_job(f, true));
    commit(f, true);
    f->committed = f->m.count;
    listing files = list_files(f->directory);
    struct stat found;
    assert_int_equal(stat(files.path[0], &found), 0);
    int handle = open(files.path[0], O_RDWR);
    size_t refused = 0;
    cairn__reader_options options = model_everything();
    cairn_span property = model_property(3);
    options.properties = &property;
    options.property_count = 1;
    for (off_t at = 0; at < found.st_size; at += 1 + (off_t)random_below(&f->random, 40)) {
        uint8_t byte = 0, changed;
        assert_int_equal(pread(handle, &byte, 1, at), 1);
        changed = byte ^ (uint8_t)(1u << random_below(&f->random, 8));
        assert_int_equal(pwrite(handle, &changed, 1, at), 1);
        close_trail(f);
        cairn__trail_options open_options = { .allocator = cairn__heap(),
                                              .directory = f->directory };
        cairn__trail_problem problem;
        assert_int_equal(sqlite3_open(f->database, &f->db), SQLITE_OK);
        cairn_status status = cairn__trail_open(f->db, &open_options, &f->trail, &problem);
        if (status == CAIRN_OK) {
            cairn__trail_snapshot *snapshot = cairn__trail_snapshot_take(f->trail);
            status = model_compare(&f->m, snapshot, &options);
            cairn__trail_snapshot_release(snapshot);
            close_trail(f);
        } else {
            assert_int_equal(sqlite3_close(f->db), SQLITE_OK);
        }
        assert_true(status == CAIRN_OK || status == CAIRN_STORAGE || status == CAIRN_UNSUPPORTED);
        refused += status != CAIRN_OK;
        assert_int_equal(pwrite(handle, &byte, 1, at), 1);
        open_trail(f);
    }
    assert_true(refused > 100);
    (void)close(handle);
}

static void a_damaged_row_of_the_tail_is_named_at_open(void **state) {
    fixture *f = *state;
    add_rows(f, 20);
    commit(f, true);
    close_trail(f);
    assert_int_equal(sqlite3_open(f->database, &f->db), SQLITE_OK);
    execute(f, "UPDATE trail_tail SET image = zeroblob(length(image))");
    cairn__trail_options options = { .allocator = cairn__heap(), .directory = f->directory };
    cairn__trail_problem problem;
    assert_int_equal(cairn__trail_open(f->db, &options, &f->trail, &problem), CAIRN_STORAGE);
    assert_non_null(strstr(problem.text, "trail_tail 1"));
    execute(f, "DELETE FROM trail_tail");
    assert_int_equal(sqlite3_close(f->db), SQLITE_OK);
    f->m.count = f->committed = 0;
    open_trail(f);
}

int main(void) {
#define CASE(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        CASE(random_histories_lose_and_invent_nothing),
        CASE(the_same_without_a_directory),
        CASE(segments_stop_growing_at_their_limit),
        CASE(many_small_commits_are_one_short_snapshot_after_a_restart),
        CASE(a_snapshot_stays_as_it_was_while_all_around_it_changes),
        CASE(a_flush_that_cannot_write_changes_nothing),
        CASE(a_job_dropped_at_the_end_leaves_no_file),
        CASE(remains_of_a_crash_are_removed_and_other_files_are_not),
        CASE(replaced_files_stay_until_that_is_durable),
        CASE(flushes_do_not_starve_compaction),
        CASE(a_missing_or_cut_segment_is_named_at_open),
        CASE(any_changed_byte_is_told_or_does_not_matter),
        CASE(a_reader_never_gives_a_wrong_row),
        CASE(a_damaged_row_of_the_tail_is_named_at_open),
    };
    return cmocka_run_group_tests_name("collector/trail/store", tests, NULL, NULL);
}
