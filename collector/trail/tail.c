/* tail.c: the newest images. Commits come many times a second and each leaves an image; small
 * neighbours are merged in memory like the digits of a binary counter, so that a row is merged a
 * few times and a snapshot stays short. The database keeps one row per commit until a flush. */
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
    if (cairn__merge_in_memory(trail->allocator, images, count, &merged) != CAIRN_OK) {
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

void cairn__tail_compact(cairn__trail *trail) {
    join_many(trail);
    while (trail->tail_count >= 2) {
        size_t last = trail->tail_count - 1;
        uint64_t older = rows_at(trail, last - 1), newer = rows_at(trail, last);
        if (older >= newer * 2 || older + newer > CAIRN__TAIL_MERGE_ROWS_MAX ||
            !may_join(trail, last - 1, last + 1) || !join(trail, last - 1, last + 1)) {
            break;
        }
    }
    while (trail->tail_count > CAIRN__TAIL_IMAGES_MAX) {
        size_t pair = cheapest_pair(trail);
        if (pair == trail->tail_count || !join(trail, pair, pair + 2)) {
            return;
        }
    }
}
