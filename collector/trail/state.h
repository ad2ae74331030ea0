/* state.h: what a cairn__trail holds; shared by trail.c, tail.c, job.c, verify.c. */
#ifndef CAIRN_TRAIL_STATE_H
#define CAIRN_TRAIL_STATE_H

#include <stdatomic.h>

#include "trail/builder.h"
#include "trail/store.h"
#include "trail/trail.h"

enum {
    CAIRN__TAIL_ROWS_MAX = 200 * 1000,          /* default of tail_rows_max */
    CAIRN__SEGMENT_ROWS_MAX = 16 * 1000 * 1000, /* default of segment_rows_max */
    CAIRN__TAIL_IMAGES_MAX = 8,                 /* of a snapshot; merged in memory above it */
    CAIRN__TAIL_LAZY_MAX = 64,                  /* while nobody takes a snapshot */
    CAIRN__TAIL_BLOBS_MAX = 2048,               /* rows of trail_tail before a flush is planned */
    CAIRN__TAIL_MERGE_ROWS_MAX = 32 * 1024,     /* larger ones wait for TAIL_IMAGES_MAX */
    CAIRN__SEGMENTS_FEW = 8 /* beyond it every other job is a compaction, though the tail be full */
};

/** How far a tail image's way into the database has come. */
typedef enum cairn__tail_state {
    CAIRN__TAIL_PENDING,  /* sealed; the next commit writes it */
    CAIRN__TAIL_WRITTEN,  /* inside the transaction under way */
    CAIRN__TAIL_COMMITTED /* in trail_tail as seq_first .. seq_last */
} cairn__tail_state;

typedef struct cairn__tail {
    cairn__image *image;
    cairn__tail_state state;
    uint64_t seq_first, seq_last; /* rows of trail_tail that hold the same events */
    size_t blobs;                 /* how many rows those are */
} cairn__tail;

typedef struct cairn__segment {
    cairn__image *image;
    uint64_t id;
} cairn__segment;

struct cairn__trail_snapshot {
    cairn_allocator allocator;
    atomic_uint references;
    uint64_t rows;
    size_t count;
    cairn__image *images[];
};

static inline size_t cairn__snapshot_bytes(size_t count) {
    return sizeof(cairn__trail_snapshot) +
           count * sizeof(cairn__image *); /* NOLINT(bugprone-sizeof-expression): pointers */
}

struct cairn__trail {
    cairn_allocator allocator;
    cairn__store store;
    size_t tail_rows_max, segment_rows_max;
    cairn__builder builder;
    cairn__tail *tails; /* oldest first */
    size_t tail_count, tail_capacity;
    cairn__segment *segments;
    size_t segment_count, segment_capacity;
    uint64_t next_seq, next_id;
    size_t blob_count; /* rows of trail_tail */
    bool flushed;      /* the last job was a flush */
    uint64_t *garbage; /* segments replaced, whose files may go once that is durable */
    size_t garbage_count, garbage_capacity;
    cairn__trail_snapshot *latest; /* what snapshot_take gave, while nothing has changed */
    cairn__trail_job *job;         /* planned and not finished */
    cairn__trail_job *installing;  /* finished inside the transaction under way */
};

/** Seal the open rows as a pending tail image. */
cairn_status cairn__tail_seal(cairn__trail *trail);
/** Add an image to the tail, taking the reference over. False: no memory, not taken. */
bool cairn__tail_add(cairn__trail *trail, const cairn__tail *tail);
/** Merge small neighbours, so that a snapshot stays short. Without memory they stay as they are. */
void cairn__tail_compact(cairn__trail *trail);
uint64_t cairn__tail_rows(const cairn__trail *trail);
/** Readers see other images from now. */
void cairn__trail_changed(cairn__trail *trail);

/** Is the image one that the job under way replaces? */
bool cairn__job_reads(const cairn__trail *trail, const cairn__image *image);
/** Remove the files of replaced segments, if the database can no longer forget that they were. */
void cairn__garbage_collect(cairn__trail *trail);
/** After the transaction: take the job's result in, or drop it. job.c. */
void cairn__job_settle(cairn__trail *trail, bool ok);

#endif
