/* files.h: the storage seam on files: log-<number> is appended to, state-0 to state-3 are written
 * anew and renamed. What the client submits waits in a list; perform() does it in order, on a
 * thread that may wait for the disk. */
#ifndef CAIRN_PORT_POSIX_FILES_H
#define CAIRN_PORT_POSIX_FILES_H

#include "cairn/cairn.h"

typedef struct cairn__files_op cairn__files_op;

enum { CAIRN__FILES_RANGES = 4 }; /* of tickets, by their two highest bits: each room has its own */

/** Operations, oldest first. */
typedef struct cairn__files_ops {
    cairn__files_op *first;
    cairn__files_op *last;
    size_t count; /* with those for which there was no memory: */
    struct {
        uint32_t first, last; /* tickets; what is not in the list between them was not done */
    } lost[CAIRN__FILES_RANGES];
} cairn__files_ops;

/** The file that is appended to. */
typedef struct cairn__files_segment {
    int file; /* -1: none is open */
    uint32_t number;
    int64_t bytes;
    bool made; /* the directory's own entry of it is not durable yet */
} cairn__files_segment;

typedef struct cairn__files {
    char *path;               /* NULL: memory only */
    int directory;            /* -1: memory only, or not made yet */
    int lock;                 /* held as long as the directory is ours */
    cairn__files_ops waiting; /* filled by the seam: the owner's lock protects it */
    uint64_t submitted;       /* operations ever */
    uint64_t answered;        /* of those, the first so many */

    /* of the thread that performs: of the queue, and of what the device knows */
    cairn__files_segment segments[2];
} cairn__files;

/** Open the directory (NULL: memory only). Where it is not there, or was never ours, it is made at
 * once, or else (makes false) only when there is something to keep.
 * @retval CAIRN_BUSY     Another process has it.
 * @retval CAIRN_STORAGE  It cannot be made, opened or locked.
 * @retval CAIRN_NO_MEMORY  No room for its name. */
cairn_status cairn__files_open(cairn__files *files, const char *directory, bool makes);

/** cairn_listener.purged: the directory goes, where nothing but the lock is left in it and nothing
 * waits. `self` are the files. */
void cairn__files_purged(void *self);

void cairn__files_close(cairn__files *files);

cairn_storage cairn__files_seam(cairn__files *files);

/** Hand what the directory holds to the client. @retval CAIRN_STORAGE  It cannot be read. */
cairn_status cairn__files_restore(cairn__files *files, cairn_client *client);

static inline bool cairn__files_wait(const cairn__files *files) {
    return files->submitted != files->answered;
}

/** Take what waits (under the lock), do it (without), tell the client (under the lock; frees). */
cairn__files_ops cairn__files_take(cairn__files *files);
void cairn__files_perform(cairn__files *files, const cairn__files_ops *ops);
void cairn__files_answer(cairn__files *files, cairn__files_ops *ops, cairn_client *client);

#endif
