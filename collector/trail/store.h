/* store.h: where images live: rows of two tables of the state database, and segment files.
 *
 *   trail_tail     one row per committed tail image; gone when a flush has taken its rows
 *   trail_segment  the manifest; `image` holds the bytes only when there is no directory
 *
 * A segment file is written to NAME.tmp, made durable, renamed to NAME.seg, the directory made
 * durable, and only then listed in the manifest, in the transaction that deletes what it replaces.
 * So a crash at any point leaves the old images listed, or the new one; files that are not listed
 * are remains and are removed when the store is opened.
 *
 * A commit in WAL mode may be forgotten when the power fails (synchronous=NORMAL), and then the old
 * files are needed again: none is removed before a checkpoint has put the manifest on the disk.
 * One owner thread. */
#ifndef CAIRN_TRAIL_STORE_H
#define CAIRN_TRAIL_STORE_H

#include <sqlite3.h>

#include "trail/image.h"
#include "trail/image_write.h"
#include "trail/segment_file.h"
#include "trail/trail.h"

typedef struct cairn__store {
    cairn_allocator allocator;
    sqlite3 *db;
    char *directory; /* "" when all is in the database */
    size_t directory_bytes;
    sqlite3_stmt *insert_tail, *delete_tail, *insert_segment, *delete_segment;
} cairn__store;

/** Make tables and directory. @retval CAIRN_STORAGE  problem_out. */
cairn_status cairn__store_open(cairn__store *store, sqlite3 *db, const char *directory,
                               cairn_allocator allocator, cairn__trail_problem *problem_out);
void cairn__store_close(cairn__store *store);

/** Takes an image over, oldest first. False stops: no memory. */
typedef bool (*cairn__store_take)(void *self, uint64_t number, cairn__image *image);
cairn_status cairn__store_load_segments(cairn__store *store, cairn__store_take take, void *self,
                                        cairn__trail_problem *problem_out);
cairn_status cairn__store_load_tail(cairn__store *store, cairn__store_take take, void *self,
                                    cairn__trail_problem *problem_out);
/** Remove temporary files and files that `listed` does not know; the highest number seen. */
uint64_t cairn__store_sweep(const cairn__store *store, cairn__segment_listed listed,
                            const void *self);

/** Inside the owner's transaction. @retval CAIRN_STORAGE */
cairn_status cairn__store_insert_tail(cairn__store *store, uint64_t seq, const cairn__image *image);
cairn_status cairn__store_delete_tail(cairn__store *store, uint64_t first, uint64_t last);
cairn_status cairn__store_insert_segment(cairn__store *store, uint64_t id,
                                         const cairn__image *image);
cairn_status cairn__store_delete_segment(cairn__store *store, uint64_t id);

/** Put all that is committed on the disk. False: not possible now (a reader holds it back, or a
 * transaction is open); ask again later. */
bool cairn__store_make_durable(cairn__store *store);
/** Remove a segment's file; images that map it live on. */
void cairn__store_remove_file(const cairn__store *store, uint64_t id);

#endif
