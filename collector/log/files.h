/* files.h: the storage seam of the collector: what is asked of a disk, and what it may answer.
 * Calls block (they are made on threads that may). Every path is absolute or relative to the
 * process; `<0` is a negative errno. Tests pass a table that fails, writes short or forgets. The
 * table may be shared by threads; a handle belongs to whoever opened it. */
#ifndef CAIRN_LOG_FILES_H
#define CAIRN_LOG_FILES_H

#include "cairn/cairn_types.h"

/** Called for every file of a directory, in any order, with its size. */
typedef void (*cairn__files_each)(void *context, const char *name, uint64_t bytes);

typedef struct cairn__files {
    /** Make a directory (its parent exists), its entry durable; 0 as well when it is there. */
    int (*make_directory)(void *self, const char *path);
    int (*list)(void *self, const char *directory, cairn__files_each each, void *context);
    /** Open for reading and writing at the end; made when missing (with its directory entry made
     * durable). Returns a handle >= 0. */
    int (*open)(void *self, const char *path);
    /** Open an existing file for reading only. */
    int (*open_read)(void *self, const char *path);
    /** Read at an offset; bytes read (0 at the end, may be fewer) or a negative errno. */
    int64_t (*read)(void *self, int handle, uint64_t offset, uint8_t *to, size_t bytes);
    /** Write at an offset; bytes written (may be fewer) or a negative errno. */
    int64_t (*write)(void *self, int handle, uint64_t offset, cairn_span bytes);
    /** Make all written bytes durable (fdatasync). */
    int (*sync)(void *self, int handle);
    int (*truncate)(void *self, int handle, uint64_t bytes);
    int (*close)(void *self, int handle);
    /** Remove a file; durable at some later time. */
    int (*remove)(void *self, const char *path);
    void *self;
} cairn__files;

/** The real ones: POSIX calls. */
cairn__files cairn__files_posix(void);

#endif
