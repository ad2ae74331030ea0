/* segments.h: which files make up a log, and a window to read one through.
 *
 * A file holds the positions from its name up to the name of the next file; what it has beyond that
 * is the rest of a batch that failed there and was written anew into the next file. */
#ifndef CAIRN_LOG_SEGMENTS_H
#define CAIRN_LOG_SEGMENTS_H

#include "log/log.h"

enum {
    CAIRN__LOG_PATH_BYTES_MAX = 1024,
    CAIRN__LOG_SEGMENTS_MAX = 1 << 20, /* 64 TiB of segments */
    CAIRN__LOG_WINDOW_BYTES = 256 * 1024
};

typedef struct cairn__segment {
    uint64_t start; /* position of its first byte */
    uint64_t bytes; /* of the file when it was listed */
} cairn__segment;

/** Ordered by start; owned by whoever listed them. */
typedef struct cairn__segments {
    cairn_allocator allocator;
    cairn__segment *items;
    size_t count, capacity;
    bool failed; /* no memory, or too many */
} cairn__segments;

/** List the directory anew. Files that are not named like a segment are passed over.
 * @retval CAIRN_STORAGE    The directory cannot be read; problem_out.
 * @retval CAIRN_NO_MEMORY  problem_out. */
cairn_status cairn__segments_list(cairn__segments *segments, const cairn__files *files,
                                  const char *directory, cairn__log_problem *problem_out);
void cairn__segments_free(cairn__segments *segments);

/** Index of the segment that holds a position; SIZE_MAX when all begin after it. */
size_t cairn__segments_find(const cairn__segments *segments, uint64_t position);
/** Where the segment stops counting: the next one's start, UINT64_MAX for the last. */
uint64_t cairn__segments_end(const cairn__segments *segments, size_t index);

/** "DIRECTORY/00000000000000000000.log"; false when it is longer than `to` (PATH_BYTES_MAX). */
bool cairn__segment_path(char *to, const char *directory, uint64_t start);

/** A part of an open file in memory. Zero value + files + allocator is an empty one. */
typedef struct cairn__window {
    const cairn__files *files;
    cairn_allocator allocator;
    uint8_t *data;
    size_t capacity;
    uint64_t offset; /* of data[0] in the file */
    size_t len;
} cairn__window;

/** The file's bytes from `offset`: `bytes` of them, fewer at the end of the file.
 * @retval CAIRN_STORAGE    It cannot be read.
 * @retval CAIRN_NO_MEMORY */
cairn_status cairn__window_at(cairn__window *window, int handle, uint64_t offset, size_t bytes,
                              cairn_span *bytes_out);
/** Forget what was read (another file, or the file changed). */
void cairn__window_forget(cairn__window *window);
void cairn__window_free(cairn__window *window);

/** What stands at an offset of a segment. */
typedef enum cairn__found {
    CAIRN__FOUND_ENTRY, /* entry and bytes are set */
    CAIRN__FOUND_END,   /* the file ends exactly here */
    CAIRN__FOUND_BAD,   /* cut short or damaged */
    CAIRN__FOUND_ERROR  /* it could not be read, or no memory: status */
} cairn__found;

typedef struct cairn__finding {
    cairn__found found;
    cairn_status status;
    cairn__log_entry entry;
    size_t bytes;
} cairn__finding;

cairn__finding cairn__window_entry(cairn__window *window, int handle, uint64_t offset);

/** Write a problem: "PATH: WHAT (errno's words): FIX". */
void cairn__log_say(cairn__log_problem *problem, const char *path, const char *what, int error,
                    const char *fix);

#endif
