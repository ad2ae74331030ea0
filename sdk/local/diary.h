/* diary.h: the record log of what a device knows (base/record.h), beside the queue's: segments from
 * 2^31 on, of at most 64 KiB. It is a row of snapshots, each whole, and of entries after them:
 *
 *   BEGIN, parts of the snapshot (snapshot.c), END   and then   EVENT, SERVER, ...
 *
 * A record's seq is one more than that of the record before it, so that a hole is seen. A snapshot
 * begins a segment; when all of it is durable, the segments before it are removed. A failed write
 * is mended by a new snapshot: everything is in memory anyhow. One owner thread. */
#ifndef CAIRN_LOCAL_DIARY_H
#define CAIRN_LOCAL_DIARY_H

#include "base/record.h"
#include "cairn/cairn_platform.h"

enum {
    CAIRN__DIARY_SEGMENT_BYTES_MAX = 64 * 1024,
    CAIRN__DIARY_PART_BYTES_MAX = 62 * 1024,        /* payload of one record */
    CAIRN__DIARY_SNAPSHOT_EVERY_BYTES = 256 * 1024, /* and the size of the last one */
    CAIRN__DIARY_SEGMENTS_MAX = 64,                 /* then a snapshot is due, too */
    CAIRN__DIARY_RETRY_MS = 1000,
    CAIRN__DIARY_RETRY_MS_MAX = 60 * 1000
};

/** Numbers on disk; never renumber. */
typedef enum cairn__diary_type {
    CAIRN__DIARY_BEGIN = 32,
    CAIRN__DIARY_END = 33,
    CAIRN__DIARY_EVENT = 34,  /* u64 the queue's seq, i64 latest time before, an Event message */
    CAIRN__DIARY_SERVER = 35, /* the server's values (server.c) */
    /* parts of snapshots */
    CAIRN__DIARY_STATE = 39,   /* numbers (snapshot.c) */
    CAIRN__DIARY_PERSONS = 40, /* ids, links, who is current (persons.c) */
    CAIRN__DIARY_HELD = 41,    /* u32 node, u64 seq, an Event message: history */
    CAIRN__DIARY_QUERY = 42,   /* one query and its folds (queries.c) */
    CAIRN__DIARY_WRITE = 43,   /* profile writes (profile.c) */
    CAIRN__DIARY_MEMORY = 44   /* u32 node, a memory's bytes */
} cairn__diary_type;

typedef struct cairn__diary {
    cairn_storage storage;
    cairn__buffer pending;             /* records of the append that is being put together */
    uint32_t oldest, newest;           /* segments in the store; newest 0: none */
    uint32_t room;                     /* left in the newest; 0: it is closed */
    uint64_t seq;                      /* of the next record */
    uint32_t last_ticket, safe_ticket; /* submitted; durable with all before it */
    uint32_t first_of_snapshot, last_of_snapshot; /* tickets; 0: none is under way */
    uint32_t snapshot_segment;
    uint32_t removals_from; /* tickets from here to removals_to are of removals */
    uint32_t removals_to;
    uint32_t wipe_first, wipe_last; /* segments of a wipe; 0: there is none */
    uint32_t wipe_from, wipe_to;    /* its tickets; 0: to be submitted (again) */
    bool wipe_failed;
    uint64_t bytes;          /* submitted to the segments that are there */
    uint64_t since_bytes;    /* of these, after the last snapshot's beginning */
    uint64_t snapshot_bytes; /* of the last snapshot */
    bool snapshotting;       /* between begin and end */
    bool broken;             /* only a snapshot makes it whole again */
    unsigned failures;
    int64_t retry_ms; /* monotonic; of broken */
} cairn__diary;

cairn__diary cairn__diary_make(cairn_allocator allocator, cairn_storage storage);
void cairn__diary_free(cairn__diary *diary);

/** Begin and end a snapshot; add its parts in between. At the end all is submitted. */
void cairn__diary_begin(cairn__diary *diary);
void cairn__diary_end(cairn__diary *diary);

/** Add a record of `payload` and `tail`; outside of a snapshot it is submitted at once. While the
 * diary is broken nothing is written: the next snapshot has it. */
void cairn__diary_add(cairn__diary *diary, cairn__diary_type type, cairn_span payload,
                      cairn_span tail);

/** Something could not be written for want of memory: only a snapshot makes it whole again. */
void cairn__diary_break(cairn__diary *diary);

/** Is it time for a snapshot that shortens the diary? */
bool cairn__diary_is_long(const cairn__diary *diary);

/** Is it time for a snapshot that mends it; the wait until then, or -1 where it is not broken. */
int64_t cairn__diary_wait(const cairn__diary *diary, int64_t mono_ms);

/** Forget all segments but those of the last snapshot, durable or not, and what is broken. */
void cairn__diary_drop_older(cairn__diary *diary);

/** Remove every segment, and what follows begins as in an empty store. Call it again until it is
 * wiped: what failed is removed again. */
void cairn__diary_wipe(cairn__diary *diary);
/** Nothing of before the wipe is in the store any more. */
bool cairn__diary_is_wiped(const cairn__diary *diary);

void cairn__diary_done(cairn__diary *diary, uint32_t ticket, bool durable, int64_t mono_ms);
uint32_t cairn__diary_ticket(const cairn__diary *diary);

/** A segment that the store holds, before anything is written. */
void cairn__diary_see(cairn__diary *diary, uint32_t segment, size_t bytes);

#endif
