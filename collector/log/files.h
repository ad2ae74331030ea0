/* files.h: the storage seam of the collector: what is asked of a disk, and what it may answer.
 * Calls block (they are made on threads that may). Every path is absolute or relative to the
 * process; `<0` is a negative errno. Tests pass a table that fails, writes short or forgets. */
#ifndef CAIRN_LOG_FILES_H
#define CAIRN_LOG_FILES_H

#include "cairn/cairn_types.h"

typedef struct cairn__files {
    /** Open for reading and writing at the end; made when missing (with its directory entry made
     * durable). Returns a handle >= 0. */
    int (*open)(void *self, const char *path);
    /** Write at an offset; bytes written (may be fewer) or a negative errno. */
    int64_t (*write)(void *self, int handle, uint64_t offset, cairn_span bytes);
    /** Make all written bytes durable (fdatasync). */
    int (*sync)(void *self, int handle);
    int (*truncate)(void *self, int handle, uint64_t bytes);
    int (*close)(void *self, int handle);
    void *self;
} cairn__files;

/** The real ones: POSIX calls. */
cairn__files cairn__files_posix(void);

#endif
