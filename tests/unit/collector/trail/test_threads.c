/* Goal: snapshots may be read and released on any thread while the writer appends, commits and
 * takes jobs in, and while a job runs on another. What ThreadSanitizer is for; every preset runs
 * it. Method: readers count rows of snapshots that the writer hands them. */
#include <pthread.h>
#include <stdatomic.h>

#include "support/cmocka_all.h"
#include "trail_model.h"

enum { READERS = 3, ROUNDS = 60, ROWS = 200 };

typedef struct exchange {
    pthread_mutex_t lock;
    cairn__trail_snapshot *snapshot; /* the newest; a reader takes it */
    cairn__trail_job *job;
    atomic_bool done;
    atomic_size_t answers;
    atomic_bool wrong;
} exchange;

static void count_rows(exchange *x, cairn__trail_snapshot *snapshot) {
    cairn__reader_options options = model_everything();
    cairn_span property = CAIRN_STR("property 3");
    options.properties = &property;
    options.property_count = 1;
    cairn__reader *reader = NULL;
    cairn__reader_batch batch = { .person_count = 1 };
    cairn_status status = cairn__reader_open(snapshot, &options, &reader);
    uint64_t rows = 0;
    while (status == CAIRN_OK && batch.person_count != 0) {
        status = cairn__reader_next(reader, &batch);
        rows += batch.row_count;
    }
    cairn__reader_close(reader);
    if (status != CAIRN_OK || rows != cairn__trail_snapshot_rows(snapshot)) {
        atomic_store(&x->wrong, true);
    }
    (void)atomic_fetch_add(&x->answers, 1);
}

static void *read_snapshots(void *self) {
    exchange *x = self;
    while (!atomic_load(&x->done)) {
        (void)pthread_mutex_lock(&x->lock);
        cairn__trail_snapshot *snapshot = x->snapshot;
        x->snapshot = NULL;
        (void)pthread_mutex_unlock(&x->lock);
        if (snapshot != NULL) {
            count_rows(x, snapshot);
            cairn__trail_snapshot_release(snapshot);
        }
    }
    return NULL;
}

static void *run_job(void *self) {
    (void)cairn__trail_job_run(self);
    return NULL;
}

static void show(exchange *x, cairn__trail *trail) {
    cairn__trail_snapshot *snapshot = cairn__trail_snapshot_take(trail);
    assert_non_null(snapshot);
    (void)pthread_mutex_lock(&x->lock);
    cairn__trail_snapshot *old = x->snapshot;
    x->snapshot = snapshot;
    (void)pthread_mutex_unlock(&x->lock);
    cairn__trail_snapshot_release(old);
}

static void add_rows(cairn__trail *trail, model *m, random_source *random) {
    model_shape shape = { 30, 8, 4, true, false };
    for (size_t i = 0; i < ROWS; i++) {
        model_add(m, random, &shape);
        cairn__trail_row row = model_trail_row(&m->rows[m->count - 1]);
        assert_int_equal(cairn__trail_append(trail, &row), CAIRN_OK);
    }
    assert_int_equal(cairn__trail_commit(trail), CAIRN_OK);
    cairn__trail_committed(trail, true);
}

static void readers_and_jobs_beside_the_writer(void **state) {
    (void)state;
    exchange x = { .lock = PTHREAD_MUTEX_INITIALIZER };
    sqlite3 *db = NULL;
    cairn__trail *trail = NULL;
    cairn__trail_problem problem;
    cairn__trail_options options = { .allocator = cairn__heap(),
                                     .directory = "",
                                     .tail_rows_max = 1000 };
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    assert_int_equal(cairn__trail_open(db, &options, &trail, &problem), CAIRN_OK);
    pthread_t readers[READERS], worker;
    for (size_t i = 0; i < READERS; i++) {
        assert_int_equal(pthread_create(&readers[i], NULL, read_snapshots, &x), 0);
    }
    model m = model_make();
    random_source random = { 1 };
    for (size_t round = 0; round < ROUNDS; round++) {
        cairn__trail_job *job = cairn__trail_job_plan(trail);
        if (job != NULL) {
            assert_int_equal(pthread_create(&worker, NULL, run_job, job), 0);
        }
        add_rows(trail, &m, &random);
        show(&x, trail);
        add_rows(trail, &m, &random);
        if (job != NULL) {
            assert_int_equal(pthread_join(worker, NULL), 0);
            assert_int_equal(cairn__trail_job_finish(trail, job), CAIRN_OK);
            cairn__trail_committed(trail, true);
        }
        show(&x, trail);
    }
    while (atomic_load(&x.answers) == 0) {
        show(&x, trail);
    }
    atomic_store(&x.done, true);
    for (size_t i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(readers[i], NULL), 0);
    }
    cairn__trail_snapshot_release(x.snapshot);
    assert_false(atomic_load(&x.wrong));
    cairn__trail_close(trail);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    model_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_and_jobs_beside_the_writer),
    };
    return cmocka_run_group_tests_name("collector/trail/threads", tests, NULL, NULL);
}
