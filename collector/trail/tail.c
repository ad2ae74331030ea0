/* tail.c: the newest images. Commits come many times a second and each leaves an image. They are
 * merged in memory when a snapshot is to be short, or when they have become many: the newest ones
 * as long as together they are not small against the next older one. So a row is merged few times.
 * The database keeps one row per commit until a flush. */
#include "trail/merge.h"
#include "trail/state.h"

bool cairn__tail_add(cairn__trail *trail, const cairn__tail *tail) {
    if (!cairn__grow(&trail->allocator, &trail->tails, &trail->tail_capacity, trail->tail_count + 1,
                     sizeof *trail->tails)) {
        return false;
    }
    trail->tails[trail->tail_count++] = *tail;
    cairn__trail_changed(trail);
    return true;
}

cairn_status cairn__tail_seal(cairn__trail *trail) {
    cairn__tail tail = { .state = CAIRN__TAIL_PENDING };
    if (trail->builder.row_count == 0) {
        return CAIRN_OK;
    }
    if (!cairn__grow(&trail->allocator, &trail->tails, &trail->tail_capacity, trail->tail_count + 1,
                     sizeof *trail->tails)) {
        return CAIRN_NO_MEMORY;
    }
    cairn_status status = cairn__builder_seal(&trail->builder, &tail.image);
    if (status == CAIRN_OK) {
        (void)cairn__tail_add(trail, &tail); /* there is room */
    }
    return status;
}

uint64_t cairn__tail_rows(const cairn__trail *trail) {
    uint64_t rows = trail->builder.row_count;
    for (size_t i = 0; i < trail->tail_count; i++) {
        rows += trail->tails[i].image->rows;
    }
    return rows;
}

/* Only images on the same side of the database may become one, and none that a job reads: what it
 * makes of them replaces exactly them. */
static bool may_join(const cairn__trail *trail, size_t first, size_t end) {
    for (size_t i = first; i < end; i++) {
        if (trail->tails[i].state != trail->tails[first].state ||
            trail->tails[i].state == CAIRN__TAIL_WRITTEN ||
            cairn__job_reads(trail, trail->tails[i].image)) {
            return false;
        }
    }
    return true;
}

/* Replace tails[first, end) by one. False: no memory; they stay. */
static bool join(cairn__trail *trail, size_t first, size_t end) {
    size_t count = end - first;
    cairn__image *images[CAIRN__MERGE_IMAGES_MAX], *merged = NULL;
    for (size_t i = 0; i < count; i++) {
        images[i] = trail->tails[first + i].image;
    }
    cairn__image_writer *writer = cairn__builder_writer(&trail->builder);
    const cairn__merge_plan plan = { trail->allocator, writer, images, count };
    if (cairn__merge_in_memory(&plan, &merged) != CAIRN_OK) {
        return false;
    }
    trail->tails[first].seq_last = trail->tails[end - 1].seq_last;
    trail->tails[first].image = merged;
    for (size_t i = first + 1; i < end; i++) {
        trail->tails[first].blobs += trail->tails[i].blobs;
    }
    for (size_t i = 0; i < count; i++) {
        cairn__image_release(images[i]);
    }
    memmove(&trail->tails[first + 1], &trail->tails[end],
            (trail->tail_count - end) * sizeof *trail->tails);
    trail->tail_count -= count - 1;
    cairn__trail_changed(trail);
    return true;
}

/* At open there may be one image per commit of a long time: join them by the hundred. */
static void join_many(cairn__trail *trail) {
    size_t at = 0;
    while (trail->tail_count > (size_t)CAIRN__TAIL_IMAGES_MAX * 2 && at + 1 < trail->tail_count) {
        size_t end = at;
        uint64_t rows = 0;
        while (end < trail->tail_count && end - at < CAIRN__MERGE_IMAGES_MAX &&
               rows < CAIRN__BUILDER_ROWS_MAX) {
            rows += trail->tails[end++].image->rows;
        }
        if (end - at > 1 && may_join(trail, at, end) && !join(trail, at, end)) {
            return;
        }
        at++;
    }
}

static uint64_t rows_at(const cairn__trail *trail, size_t i) {
    return trail->tails[i].image->rows;
}

/* The neighbours that cost least to join; tail_count when there are none. */
static size_t cheapest_pair(const cairn__trail *trail) {
    size_t best = trail->tail_count;
    for (size_t i = 0; i + 1 < trail->tail_count; i++) {
        if (may_join(trail, i, i + 2) &&
            (best == trail->tail_count || rows_at(trail, i) + rows_at(trail, i + 1) <
                                              rows_at(trail, best) + rows_at(trail, best + 1))) {
            best = i;
        }
    }
    return best;
}

/* Merge the newest images before `end` that are small against the next older one. */
static bool join_newest(cairn__trail *trail, size_t end) {
    size_t first = end - 1;
    uint64_t rows = rows_at(trail, first);
    while (first > 0 && end - first < CAIRN__MERGE_IMAGES_MAX &&
           rows_at(trail, first - 1) < rows * 2 &&
           rows + rows_at(trail, first - 1) <= CAIRN__TAIL_MERGE_ROWS_MAX &&
           may_join(trail, first - 1, first + 1)) {
        rows += rows_at(trail, --first);
    }
    return end - first < 2 || join(trail, first, end);
}

/* Where the images end that are in the database; pending ones follow. */
static size_t committed_end(const cairn__trail *trail) {
    size_t end = trail->tail_count;
    while (end > 0 && trail->tails[end - 1].state == CAIRN__TAIL_PENDING) {
        end--;
    }
    return end;
}

void cairn__tail_compact(cairn__trail *trail) {
    join_many(trail);
    size_t end = committed_end(trail);
    if (trail->tail_count > end && !join_newest(trail, trail->tail_count)) {
        return;
    }
    if (end > 0 && !join_newest(trail, end)) {
        return;
    }
    while (trail->tail_count > CAIRN__TAIL_IMAGES_MAX) {
        size_t pair = cheapest_pair(trail);
        if (pair == trail->tail_count || !join(trail, pair, pair + 2)) {
            return;
        }
    }
}
