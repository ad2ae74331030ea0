/* trail.c: the writer's side: take rows, commit them, show them to readers. */
#include "trail/trail.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "trail/state.h"

static bool take_segment(void *self, uint64_t id, cairn__image *image) {
    cairn__trail *trail = self;
    if (!cairn__grow(&trail->allocator, &trail->segments, &trail->segment_capacity,
                     trail->segment_count + 1, sizeof *trail->segments)) {
        return false;
    }
    trail->segments[trail->segment_count++] = (cairn__segment){ image, id };
    trail->next_id = id >= trail->next_id ? id + 1 : trail->next_id;
    return true;
}

static bool take_tail(void *self, uint64_t seq, cairn__image *image) {
    cairn__trail *trail = self;
    cairn__tail tail = { image, CAIRN__TAIL_COMMITTED, seq, seq, 1 };
    if (!cairn__tail_add(trail, &tail)) {
        return false;
    }
    trail->next_seq = seq + 1;
    trail->blob_count++;
    return true;
}

static bool is_listed(const void *self, uint64_t id) {
    const cairn__trail *trail = self;
    for (size_t i = 0; i < trail->segment_count; i++) {
        if (trail->segments[i].id == id) {
            return true;
        }
    }
    return false;
}

/* While the manifest could still be forgotten, a file that it does not list may be needed again. */
static bool keep_all(const void *self, uint64_t id) {
    (void)self;
    (void)id;
    return true;
}

static cairn_status load(cairn__trail *trail, cairn__trail_problem *problem_out) {
    cairn_status status =
        cairn__store_load_segments(&trail->store, take_segment, trail, problem_out);
    if (status == CAIRN_OK) {
        status = cairn__store_load_tail(&trail->store, take_tail, trail, problem_out);
    }
    if (status == CAIRN_OK) {
        cairn__segment_listed listed =
            cairn__store_make_durable(&trail->store) ? is_listed : keep_all;
        uint64_t highest = cairn__store_sweep(&trail->store, listed, trail);
        trail->next_id = highest >= trail->next_id ? highest + 1 : trail->next_id;
        cairn__tail_compact(trail);
    }
    return status;
}

cairn_status cairn__trail_open(sqlite3 *db, const cairn__trail_options *options,
                               cairn__trail **trail_out, cairn__trail_problem *problem_out) {
    cairn_allocator allocator = options->allocator;
    problem_out->text[0] = '\0';
    cairn__trail *trail = allocator.resize(allocator.self, NULL, 0, sizeof *trail);
    if (trail == NULL) {
        (void)snprintf(problem_out->text, sizeof problem_out->text, "trail: no memory");
        return CAIRN_NO_MEMORY;
    }
    uint64_t seed =
        cairn__mix((uint64_t)(uintptr_t)trail); /* where the heap lies is hard to guess */
    *trail = (cairn__trail){
        .allocator = allocator,
        .tail_rows_max =
            options->tail_rows_max != 0 ? options->tail_rows_max : CAIRN__TAIL_ROWS_MAX,
        .segment_rows_max =
            options->segment_rows_max != 0 ? options->segment_rows_max : CAIRN__SEGMENT_ROWS_MAX,
        .builder = cairn__builder_make(allocator, seed),
        .next_seq = 1,
        .next_id = 1,
    };
    cairn_status status =
        cairn__store_open(&trail->store, db, options->directory, allocator, problem_out);
    if (status == CAIRN_OK) {
        status = load(trail, problem_out);
    }
    if (status != CAIRN_OK) {
        cairn__trail_close(trail);
        return status;
    }
    *trail_out = trail;
    return CAIRN_OK;
}

void cairn__trail_close(cairn__trail *trail) {
    if (trail == NULL) {
        return;
    }
    if (trail->job != NULL) {
        cairn__trail_job_drop(trail, trail->job);
    }
    cairn__job_settle(trail, false);
    cairn__trail_changed(trail);
    for (size_t i = 0; i < trail->tail_count; i++) {
        cairn__image_release(trail->tails[i].image);
    }
    for (size_t i = 0; i < trail->segment_count; i++) {
        cairn__image_release(trail->segments[i].image);
    }
    cairn_allocator allocator = trail->allocator;
    cairn__release(&allocator, trail->tails, trail->tail_capacity, sizeof *trail->tails);
    cairn__release(&allocator, trail->segments, trail->segment_capacity, sizeof *trail->segments);
    cairn__release(&allocator, trail->garbage, trail->garbage_capacity, sizeof *trail->garbage);
    cairn__builder_free(&trail->builder);
    cairn__store_close(&trail->store);
    allocator.resize(allocator.self, trail, sizeof *trail, 0);
}

void cairn__trail_changed(cairn__trail *trail) {
    cairn__trail_snapshot_release(trail->latest);
    trail->latest = NULL;
}

cairn_status cairn__trail_append(cairn__trail *trail, const cairn__trail_row *row) {
    if (cairn__builder_full(&trail->builder)) {
        cairn_status status = cairn__tail_seal(trail);
        if (status != CAIRN_OK) {
            return status;
        }
    }
    cairn_status status = cairn__builder_append(&trail->builder, row);
    if (status == CAIRN_OK && trail->latest != NULL) {
        cairn__trail_changed(trail);
    }
    return status;
}

cairn_status cairn__trail_commit(cairn__trail *trail) {
    cairn_status status = cairn__tail_seal(trail);
    for (size_t i = 0; i < trail->tail_count && status == CAIRN_OK; i++) {
        cairn__tail *tail = &trail->tails[i];
        if (tail->state != CAIRN__TAIL_PENDING) {
            continue;
        }
        status = cairn__store_insert_tail(&trail->store, trail->next_seq, tail->image);
        if (status == CAIRN_OK) {
            tail->state = CAIRN__TAIL_WRITTEN;
            tail->seq_first = tail->seq_last = trail->next_seq++;
        }
    }
    return status;
}

void cairn__trail_committed(cairn__trail *trail, bool ok) {
    for (size_t i = 0; i < trail->tail_count; i++) {
        cairn__tail *tail = &trail->tails[i];
        if (tail->state == CAIRN__TAIL_WRITTEN) {
            tail->state = ok ? CAIRN__TAIL_COMMITTED : CAIRN__TAIL_PENDING;
            tail->blobs = ok ? 1 : 0;
            trail->blob_count += tail->blobs;
        }
    }
    cairn__job_settle(trail, ok);
    cairn__garbage_collect(trail);
    if (trail->tail_count > CAIRN__TAIL_LAZY_MAX) {
        cairn__tail_compact(trail);
    }
}

static cairn__trail_snapshot *make_snapshot(const cairn__trail *trail) {
    size_t count = trail->segment_count + trail->tail_count;
    cairn__trail_snapshot *snapshot =
        trail->allocator.resize(trail->allocator.self, NULL, 0, cairn__snapshot_bytes(count));
    if (snapshot == NULL) {
        return NULL;
    }
    snapshot->allocator = trail->allocator;
    atomic_init(&snapshot->references, 1);
    snapshot->rows = 0;
    snapshot->count = count;
    for (size_t i = 0; i < count; i++) {
        cairn__image *image = i < trail->segment_count
                                  ? trail->segments[i].image
                                  : trail->tails[i - trail->segment_count].image;
        cairn__image_retain(image);
        snapshot->images[i] = image;
        snapshot->rows += image->rows;
    }
    return snapshot;
}

cairn__trail_snapshot *cairn__trail_snapshot_take(cairn__trail *trail) {
    if (cairn__tail_seal(trail) != CAIRN_OK) {
        return NULL;
    }
    if (trail->latest == NULL) {
        cairn__tail_compact(trail);
        trail->latest = make_snapshot(trail);
    }
    if (trail->latest != NULL) {
        (void)atomic_fetch_add_explicit(&trail->latest->references, 1, memory_order_relaxed);
    }
    return trail->latest;
}

void cairn__trail_snapshot_release(cairn__trail_snapshot *snapshot) {
    if (snapshot == NULL ||
        atomic_fetch_sub_explicit(&snapshot->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < snapshot->count; i++) {
        cairn__image_release(snapshot->images[i]);
    }
    cairn_allocator allocator = snapshot->allocator;
    allocator.resize(allocator.self, snapshot, cairn__snapshot_bytes(snapshot->count), 0);
}

uint64_t cairn__trail_snapshot_rows(const cairn__trail_snapshot *snapshot) {
    return snapshot->rows;
}

void cairn__trail_stats_of(const cairn__trail *trail, cairn__trail_stats *stats_out) {
    *stats_out = (cairn__trail_stats){ .tail_rows = cairn__tail_rows(trail),
                                       .segments = trail->segment_count };
    for (size_t i = 0; i < trail->segment_count; i++) {
        stats_out->segment_rows += trail->segments[i].image->rows;
        stats_out->bytes += trail->segments[i].image->backing.bytes.len;
    }
    for (size_t i = 0; i < trail->tail_count; i++) {
        stats_out->bytes += trail->tails[i].image->backing.bytes.len;
    }
    stats_out->rows = stats_out->tail_rows + stats_out->segment_rows;
}
