/* log.h: the append-only log of everything accepted: the one thing that must never be lost.
 *
 * An entry is a header (length, CRC32C, type, received_ms, project) and a payload. A **position**
 * is the byte offset of an entry since the log began; segment files are named by the position of
 * their first byte. The owner frames entries into a buffer (any thread), then writes whole buffers:
 * one write and one fdatasync for all of them, the group commit. Only then may anybody be told 200.
 *
 * Threads: framing is pure; a writer belongs to one thread; readers are independent of it and read
 * only up to the position that they are given. No threads, locks or clocks in here. */
#ifndef CAIRN_LOG_LOG_H
#define CAIRN_LOG_LOG_H

#include "base/memory.h"
#include "log/files.h"

enum {
    CAIRN__LOG_SEGMENT_BYTES = 64 * 1024 * 1024,   /* a new file begins beyond it */
    CAIRN__LOG_ENTRY_BYTES_MAX = 17 * 1024 * 1024, /* header and payload */
    CAIRN__LOG_PROJECT_BYTES_MAX = 64
};

typedef enum cairn__log_type {
    CAIRN__LOG_SYNC = 1,   /* a SyncRequest as received, decompressed */
    CAIRN__LOG_EVENTS = 2, /* a JSON body with its idempotency key (ingest/ingest.h) */
    CAIRN__LOG_TICK = 3    /* the clock: received_ms says all */
} cairn__log_type;

typedef struct cairn__log_entry {
    cairn__log_type type;
    int64_t received_ms;
    cairn_span project; /* name, not key */
    cairn_span payload;
    uint64_t position; /* set by readers */
    uint64_t end;      /* position of the next entry; set by readers */
} cairn__log_entry;

typedef struct cairn__log_problem {
    char text[256]; /* names the file, what failed and the fix */
} cairn__log_problem;

/** Append the framed entry. batch->failed tells of no room. */
void cairn__log_frame(cairn__buffer *batch, const cairn__log_entry *entry);

typedef struct cairn__log_writer cairn__log_writer;

typedef struct cairn__log_options {
    const cairn__files *files;
    const char *directory;
    cairn_allocator allocator;
    uint64_t known; /* a position that was durable once: the state's; 0: none is known */
} cairn__log_options;

/** Open or make the log. What follows the last whole entry of the last segment is a torn tail: it
 * was not acknowledged. It is cut off, and kept beside the segments as torn-POSITION, because
 * damage after `known` looks the same (its length is told in problem_out->text, with CAIRN_OK).
 * Nothing before `known` is ever cut: what is damaged there was folded.
 * @retval CAIRN_STORAGE  problem_out: a file is damaged or missing, or the log ends before `known`.
 */
cairn_status cairn__log_writer_open(const cairn__log_options *options,
                                    cairn__log_writer **writer_out,
                                    cairn__log_problem *problem_out);
/** Begin a new file beyond this size instead of CAIRN__LOG_SEGMENT_BYTES. */
void cairn__log_writer_segment_bytes(cairn__log_writer *writer, uint64_t bytes);
/** Where the next batch will begin. All before it is durable. */
uint64_t cairn__log_writer_position(const cairn__log_writer *writer);
/**
 * Write a batch of framed entries and make it durable.
 *
 * After a failed write or sync nothing that was in the file is trusted: what was durable before is
 * kept, and the whole batch goes into a new segment, once. CAIRN_OK means on disk.
 *
 * @retval CAIRN_STORAGE  Not durable; the position is unchanged; later calls may succeed again
 *                        (disk full, then room): nothing needs to be reopened.
 */
cairn_status cairn__log_write(cairn__log_writer *writer, cairn_span batch,
                              cairn__log_problem *problem_out);
void cairn__log_writer_close(cairn__log_writer *writer);

/** Remove whole segments that end at or before `position` and are older than the newest. */
cairn_status cairn__log_trim(cairn__log_writer *writer, uint64_t position);

typedef struct cairn__log_reader cairn__log_reader;

/** A reader that stands at `position` (0: the oldest entry there is). A log without segments reads
 * as empty at 0.
 * @retval CAIRN_NOT_FOUND  The position is older than the oldest segment, inside an entry, or
 *                          beyond the end.
 * @retval CAIRN_STORAGE    The directory or a file cannot be read. */
cairn_status cairn__log_reader_open(const cairn__files *files, const char *directory,
                                    uint64_t position, cairn_allocator allocator,
                                    cairn__log_reader **reader_out);
/** The next entry below `limit` (the writer's durable position); spans live until the next call.
 * UINT64_MAX reads to the end without a writer: a torn tail is an end then, not damage.
 * @retval CAIRN_NOT_FOUND  No entry below the limit yet.
 * @retval CAIRN_NO_MEMORY  The entry does not fit; the reader stands where it stood.
 * @retval CAIRN_STORAGE    Damage; problem_out names the file and offset. */
cairn_status cairn__log_read(cairn__log_reader *reader, uint64_t limit, cairn__log_entry *entry_out,
                             cairn__log_problem *problem_out);
void cairn__log_reader_close(cairn__log_reader *reader);

/** Check every entry of every segment; `report` is called per damage (a torn tail is told, too). */
typedef void (*cairn__log_report)(void *self, const char *text);
cairn_status cairn__log_verify(const cairn__files *files, const char *directory,
                               cairn_allocator allocator, cairn__log_report report, void *self);

#endif
