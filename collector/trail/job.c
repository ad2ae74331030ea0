/* job.c: flush (tail images into a segment) and compaction (segments into a larger one).
 *
 * Sizes of segments are like the digits of a binary number: a run of the newest ones is merged
 * when together they are about as large as the next older one. So a row is merged about log2(rows /
 * flush) times and there are about as many segments. A job that fails, or whose transaction fails,
 * leaves everything as it was; its file is removed, now or at the next open. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "trail/merge.h"
#include "trail/segment_file.h"
#include "trail/state.h"

/* A blob of SQLite is below 1e9 bytes; merged images are not larger than their sources. */
enum { IMAGE_IN_DATABASE_BYTES_MAX = 512 * 1024 * 1024 };

struct cairn__trail_job {
    cairn_allocator allocator;
    char *directory; /* a copy: run is on another thread */
    size_t directory_bytes;
    uint64_t id;
    bool flush; /* of tail images; else a compaction of segments */
    size_t count;
    cairn_status status; /* of run; CAIRN_CLOSED before it */
    cairn__image *result;
    cairn__image *images[CAIRN__MERGE_IMAGES_MAX];
};

static bool has_image(const cairn__trail_job *job, const cairn__image *image) {
    for (size_t i = 0; i < job->count; i++) {
        if (job->images[i] == image) {
            return true;
        }
    }
    return false;
}

bool cairn__job_reads(const cairn__trail *trail, const cairn__image *image) {
    return (trail->job != NULL && has_image(trail->job, image)) ||
           (trail->installing != NULL && has_image(trail->installing, image));
}

static void destroy(cairn__trail_job *job) {
    for (size_t i = 0; i < job->count; i++) {
        cairn__image_release(job->images[i]);
    }
    cairn__image_release(job->result);
    cairn_allocator allocator = job->allocator;
    cairn__release(&allocator, job->directory, job->directory_bytes, 1);
    allocator.resize(allocator.self, job, sizeof *job, 0);
}

static cairn__trail_job *make_job(cairn__trail *trail, bool flush) {
    const cairn_allocator *allocator = &trail->allocator;
    cairn__trail_job *job = allocator->resize(allocator->self, NULL, 0, sizeof *job);
    if (job == NULL) {
        return NULL;
    }
    *job = (cairn__trail_job){ .allocator = *allocator,
                               .directory_bytes = trail->store.directory_bytes,
                               .id = trail->next_id,
                               .flush = flush,
                               .status = CAIRN_CLOSED };
    job->directory = allocator->resize(allocator->self, NULL, 0, job->directory_bytes);
    if (job->directory == NULL) {
        destroy(job);
        return NULL;
    }
    memcpy(job->directory, trail->store.directory, job->directory_bytes);
    return job;
}

static void add_image(cairn__trail_job *job, cairn__image *image) {
    cairn__image_retain(image);
    job->images[job->count++] = image;
}

static cairn__trail_job *plan_flush(cairn__trail *trail) {
    uint64_t rows = 0;
    for (size_t i = 0; i < trail->tail_count; i++) {
        rows += trail->tails[i].state == CAIRN__TAIL_COMMITTED ? trail->tails[i].image->rows : 0;
    }
    if (rows == 0 || (rows < trail->tail_rows_max && trail->blob_count < CAIRN__TAIL_BLOBS_MAX)) {
        return NULL;
    }
    cairn__trail_job *job = make_job(trail, true);
    for (size_t i = 0; job != NULL && i < trail->tail_count; i++) {
        if (trail->tails[i].state == CAIRN__TAIL_COMMITTED &&
            job->count < CAIRN__MERGE_IMAGES_MAX) {
            add_image(job, trail->tails[i].image);
        }
    }
    return job;
}

static int by_arrival(const void *a, const void *b) {
    const cairn__image *const *left = a, *const *right = b;
    return ((*left)->order_min < (*right)->order_min) - ((*left)->order_min > (*right)->order_min);
}

/* How many of the images, newest first, to merge; 0: none. */
static size_t choose(const cairn__trail *trail, cairn__image *const *images, size_t count) {
    bool inside = trail->store.directory[0] == '\0';
    uint64_t rows = 0, bytes = 0;
    size_t chosen = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t here = images[i]->rows;
        bytes += images[i]->backing.bytes.len;
        if (rows + here > trail->segment_rows_max ||
            (inside && bytes > IMAGE_IN_DATABASE_BYTES_MAX)) {
            break;
        }
        if (i > 0 && rows * 4 >= here * 3) { /* about as large: flushes differ a little */
            chosen = i + 1;
        }
        rows += here;
    }
    return chosen;
}

/* Only neighbours in arrival are merged: then no two segments overlap in it, and a reader need not
 * look at the order of rows to put them together. */
static cairn__trail_job *plan_compaction(cairn__trail *trail) {
    cairn__image *images[CAIRN__MERGE_IMAGES_MAX];
    size_t count = 0, first = 0, chosen = 0;
    for (size_t i = 0; i < trail->segment_count && count < CAIRN__MERGE_IMAGES_MAX; i++) {
        images[count++] = trail->segments[i].image;
    }
    qsort(images, count, sizeof(cairn__image *),
          by_arrival); /* NOLINT(bugprone-sizeof-expression) */
    for (; first < count && chosen == 0; first += chosen == 0) {
        chosen = choose(trail, images + first, count - first);
    }
    cairn__trail_job *job = chosen == 0 ? NULL : make_job(trail, false);
    for (size_t i = 0; job != NULL && i < chosen; i++) {
        add_image(job, images[first + i]);
    }
    return job;
}

cairn__trail_job *cairn__trail_job_plan(cairn__trail *trail) {
    if (trail->job != NULL || trail->installing != NULL) {
        return NULL;
    }
    if (trail->flushed && trail->segment_count > CAIRN__SEGMENTS_FEW) {
        trail->job = plan_compaction(trail);
    }
    if (trail->job == NULL) {
        trail->job = plan_flush(trail);
    }
    if (trail->job == NULL) {
        trail->job = plan_compaction(trail);
    }
    trail->flushed = trail->job != NULL && trail->job->flush;
    trail->next_id += trail->job != NULL ? 1 : 0;
    return trail->job;
}

static cairn_status run_to_file(cairn__trail_job *job) {
    cairn__segment_file file;
    if (!cairn__segment_create(&file, job->directory, job->id, job->allocator)) {
        return CAIRN_STORAGE;
    }
    const cairn__merge_plan plan = { job->allocator, NULL, job->images, job->count };
    cairn_status status = cairn__merge(&plan, cairn__segment_sink(&file));
    uint64_t bytes = file.bytes;
    if (status != CAIRN_OK) {
        cairn__segment_abandon(&file, job->directory, job->id);
        return status;
    }
    if (!cairn__segment_publish(&file, job->directory, job->id)) {
        return CAIRN_STORAGE;
    }
    cairn__trail_problem problem;
    cairn__segment_name name = { job->directory, job->id, bytes };
    status = cairn__segment_map(job->allocator, &name, &job->result, &problem);
    if (status != CAIRN_OK) {
        cairn__segment_remove(job->directory, job->id);
    }
    return status;
}

cairn_status cairn__trail_job_run(cairn__trail_job *job) {
    CAIRN_ASSERT(job->status == CAIRN_CLOSED); /* once */
    const cairn__merge_plan plan = { job->allocator, NULL, job->images, job->count };
    job->status =
        job->directory[0] == '\0' ? cairn__merge_in_memory(&plan, &job->result) : run_to_file(job);
    return job->status;
}

/* Remove a job and what it made. */
static void drop(cairn__trail *trail, cairn__trail_job *job) {
    if (job->result != NULL) {
        cairn__store_remove_file(&trail->store, job->id);
    }
    destroy(job);
}

void cairn__trail_job_drop(cairn__trail *trail, cairn__trail_job *job) {
    CAIRN_ASSERT(trail->job == job);
    trail->job = NULL;
    drop(trail, job);
}

/* The rows of the state database that the job's result stands for. */
static cairn_status delete_sources(cairn__trail *trail, const cairn__trail_job *job) {
    cairn_status status = CAIRN_OK;
    for (size_t i = 0; i < trail->tail_count && status == CAIRN_OK; i++) {
        const cairn__tail *tail = &trail->tails[i];
        if (has_image(job, tail->image)) {
            status = cairn__store_delete_tail(&trail->store, tail->seq_first, tail->seq_last);
        }
    }
    for (size_t i = 0; i < trail->segment_count && status == CAIRN_OK; i++) {
        if (has_image(job, trail->segments[i].image)) {
            status = cairn__store_delete_segment(&trail->store, trail->segments[i].id);
        }
    }
    return status;
}

static bool make_room(cairn__trail *trail, const cairn__trail_job *job) {
    return cairn__grow(&trail->allocator, &trail->segments, &trail->segment_capacity,
                       trail->segment_count + 1, sizeof *trail->segments) &&
           cairn__grow(&trail->allocator, &trail->garbage, &trail->garbage_capacity,
                       trail->garbage_count + job->count, sizeof *trail->garbage);
}

cairn_status cairn__trail_job_finish(cairn__trail *trail, cairn__trail_job *job) {
    CAIRN_ASSERT(trail->job == job);
    trail->job = NULL;
    cairn_status status = job->status;
    if (status == CAIRN_OK && !make_room(trail, job)) {
        status = CAIRN_NO_MEMORY; /* now, so that nothing can fail after the transaction */
    }
    if (status != CAIRN_OK) {
        drop(trail, job);
        return status;
    }
    trail->installing = job; /* from here on its owner settles it, by commit or by rollback */
    status = cairn__store_insert_segment(&trail->store, job->id, job->result);
    return status == CAIRN_OK ? delete_sources(trail, job) : status;
}

static void remove_tails(cairn__trail *trail, const cairn__trail_job *job) {
    size_t kept = 0;
    for (size_t i = 0; i < trail->tail_count; i++) {
        if (has_image(job, trail->tails[i].image)) {
            trail->blob_count -= trail->tails[i].blobs;
            cairn__image_release(trail->tails[i].image);
        } else {
            trail->tails[kept++] = trail->tails[i];
        }
    }
    trail->tail_count = kept;
}

static void remove_segments(cairn__trail *trail, const cairn__trail_job *job) {
    size_t kept = 0;
    for (size_t i = 0; i < trail->segment_count; i++) {
        if (has_image(job, trail->segments[i].image)) {
            trail->garbage[trail->garbage_count++] = trail->segments[i].id; /* there is room */
            cairn__image_release(trail->segments[i].image);
        } else {
            trail->segments[kept++] = trail->segments[i];
        }
    }
    trail->segment_count = kept;
}

void cairn__garbage_collect(cairn__trail *trail) {
    if (trail->garbage_count == 0 || !cairn__store_make_durable(&trail->store)) {
        return;
    }
    for (size_t i = 0; i < trail->garbage_count; i++) {
        cairn__store_remove_file(&trail->store, trail->garbage[i]);
    }
    trail->garbage_count = 0;
}

void cairn__job_settle(cairn__trail *trail, bool ok) {
    cairn__trail_job *job = trail->installing;
    if (job == NULL) {
        return;
    }
    trail->installing = NULL;
    if (!ok) {
        drop(trail, job);
        return;
    }
    remove_tails(trail, job);
    remove_segments(trail, job);
    trail->segments[trail->segment_count++] = (cairn__segment){ job->result, job->id };
    job->result = NULL; /* the manifest's reference now */
    destroy(job);
    cairn__trail_changed(trail);
}
