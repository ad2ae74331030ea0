/* segment_file.h: segment files: DIRECTORY/0000000000000001.seg, an image each, read by mmap.
 * Blocking calls; any thread. The order of steps is in store.h. */
#ifndef CAIRN_TRAIL_SEGMENT_FILE_H
#define CAIRN_TRAIL_SEGMENT_FILE_H

#include "trail/image_write.h"
#include "trail/trail.h"

/** Make the directory when missing (its parent must exist). False: problem_out. */
bool cairn__segment_directory(const char *directory, cairn__trail_problem *problem_out);

/** A file that the manifest lists. */
typedef struct cairn__segment_name {
    const char *directory;
    uint64_t id;
    uint64_t bytes;
} cairn__segment_name;

/** Map a listed file. @retval CAIRN_STORAGE, CAIRN_UNSUPPORTED, CAIRN_NO_MEMORY  problem_out. */
cairn_status cairn__segment_map(cairn_allocator allocator, const cairn__segment_name *name,
                                cairn__image **image_out, cairn__trail_problem *problem_out);

/** A file being written under its temporary name. */
typedef struct cairn__segment_file {
    int handle; /* < 0: closed */
    uint64_t bytes;
    cairn__buffer pending; /* written in large pieces */
} cairn__segment_file;

/** False: the file cannot be made; nothing is left. */
bool cairn__segment_create(cairn__segment_file *file, const char *directory, uint64_t id,
                           cairn_allocator allocator);
cairn__image_sink cairn__segment_sink(cairn__segment_file *file);
/** Make it durable under its name. False: removed. */
bool cairn__segment_publish(cairn__segment_file *file, const char *directory, uint64_t id);
/** Close and remove the unfinished file. */
void cairn__segment_abandon(cairn__segment_file *file, const char *directory, uint64_t id);

/** Remove a published file; nothing when it is not there. */
void cairn__segment_remove(const char *directory, uint64_t id);
/** Does the manifest list this id? */
typedef bool (*cairn__segment_listed)(const void *self, uint64_t id);
/** Remove temporary files, and segments that are not listed. The highest id seen. */
uint64_t cairn__segment_sweep(const char *directory, cairn__segment_listed listed,
                              const void *self);

#endif
