/* trail.h: the event store of one project: rows clustered by node, ordered by time.
 *
 * One writer (the fold) appends rows and commits them inside its own SQLite transaction; any number
 * of readers work on snapshots, which never change. An **image** is an immutable byte block of
 * columns; the same bytes are the memory tail, a row of the state database (the tail's durability)
 * and a segment file read by mmap. docs/ARCHITECTURE.md, "Trail".
 *
 * Threads: everything that takes a cairn__trail belongs to the writer's thread, except
 * cairn__trail_job_run. Snapshots may be read and released from any thread. */
#ifndef CAIRN_TRAIL_TRAIL_H
#define CAIRN_TRAIL_TRAIL_H

#include <sqlite3.h>

#include "base/memory.h"

typedef struct cairn__trail cairn__trail;
typedef struct cairn__trail_snapshot cairn__trail_snapshot;

/** One event as stored. `order` is unique in the project and grows with arrival (log position and
 * index in the entry): it breaks ties of time. Spans are borrowed for the call. */
typedef struct cairn__trail_row {
    uint32_t node;
    int64_t time_ms;
    uint64_t order;
    cairn_span name;
    const cairn_property *properties;
    size_t property_count;
} cairn__trail_row;

typedef struct cairn__trail_options {
    cairn_allocator allocator;
    const char *directory;   /* segment files; made when missing; "" keeps all in the database */
    size_t tail_rows_max;    /* rows of tail images before a flush is planned; 0: 200,000 */
    size_t segment_rows_max; /* compaction stops merging above this; 0: 16,000,000 */
} cairn__trail_options;

/** What went wrong, for people: names the file and the fix. */
typedef struct cairn__trail_problem {
    char text[256];
} cairn__trail_problem;

/** Open (and create the tables and directory when missing). Every image's checksum is checked
 * lazily by block; the manifest at once. Costs no time per event: segments are mapped.
 * @retval CAIRN_STORAGE  problem_out says which file or table. CAIRN_UNSUPPORTED: newer format. */
cairn_status cairn__trail_open(sqlite3 *db, const cairn__trail_options *options,
                               cairn__trail **trail_out, cairn__trail_problem *problem_out);
/** Without a commit. A job that was not finished is dropped; none may be running. */
void cairn__trail_close(cairn__trail *trail);

/** Take a row into the open tail. CAIRN_NO_MEMORY: nothing changed. */
cairn_status cairn__trail_append(cairn__trail *trail, const cairn__trail_row *row);

/** Inside the fold's transaction: write the rows since the last commit as one image. */
cairn_status cairn__trail_commit(cairn__trail *trail);
/** After the transaction: keep (ok) or make the rows uncommitted again (they stay readable). */
void cairn__trail_committed(cairn__trail *trail, bool ok);

/** What readers see from now: everything appended so far (also before its commit). Reference
 * counted; release it on any thread. NULL: no memory. */
cairn__trail_snapshot *cairn__trail_snapshot_take(cairn__trail *trail);
void cairn__trail_snapshot_release(cairn__trail_snapshot *snapshot);
uint64_t cairn__trail_snapshot_rows(const cairn__trail_snapshot *snapshot);

/** Flush and compaction. plan (writer) -> run (any thread, slow) -> finish (writer, inside a
 * transaction; then cairn__trail_committed as usual). NULL from plan: nothing to do. */
typedef struct cairn__trail_job cairn__trail_job;
cairn__trail_job *cairn__trail_job_plan(cairn__trail *trail);
cairn_status cairn__trail_job_run(cairn__trail_job *job);
/** Takes the job's result into the manifest; frees the job. A failed run changes nothing (its
 * status is returned). After CAIRN_STORAGE, or when the transaction fails, roll back and call
 * cairn__trail_committed(false): everything is as before, and a later plan tries again. */
cairn_status cairn__trail_job_finish(cairn__trail *trail, cairn__trail_job *job);
/** Instead of finish, outside a transaction (shutting down): forget the job and what it made. */
void cairn__trail_job_drop(cairn__trail *trail, cairn__trail_job *job);

/** Check every checksum of every image and file; calls `report` for each damage. */
typedef void (*cairn__trail_report)(void *self, const char *text);
cairn_status cairn__trail_verify(cairn__trail *trail, cairn__trail_report report, void *self);

typedef struct cairn__trail_stats {
    uint64_t rows, tail_rows, segment_rows, segments, bytes; /* bytes: of all images */
} cairn__trail_stats;
void cairn__trail_stats_of(const cairn__trail *trail, cairn__trail_stats *stats_out);

#endif
