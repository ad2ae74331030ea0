/* ids.h: (type, value) -> current node; inside collector/identity only. */
#ifndef CAIRN_IDENTITY_IDS_H
#define CAIRN_IDENTITY_IDS_H

#include "base/hash.h"
#include "base/memory.h"
#include "db/db.h"

enum { CAIRN__IDS_KEPT_MAX = 200000 }; /* clean ids kept in memory after a commit */

/** An id in memory. */
typedef struct cairn__known_id {
    cairn_id id; /* in the table's arena */
    uint64_t hash;
    uint32_t node; /* current, or the last one when closed; 0: never seen */
    bool closed;   /* logged out: the next sight opens a new node */
    bool dirty;
} cairn__known_id;

typedef struct cairn__ids {
    cairn_allocator allocator;
    cairn__arena arena;
    cairn__index index;
    cairn__known_id *list;
    uint32_t *dirty; /* places in the list; room for `capacity` of them */
    size_t count, capacity, dirty_count;
    sqlite3_stmt *select, *upsert;
} cairn__ids;

cairn_status cairn__ids_open(cairn__ids *ids, sqlite3 *db, cairn_allocator allocator,
                             cairn__db_problem *problem_out);
void cairn__ids_close(cairn__ids *ids);

/** The entry of an id; read from the database at its first sight here. The pointer lives until the
 * next call. An id that nobody has gets an entry with node 0. */
cairn_status cairn__ids_get(cairn__ids *ids, cairn_id id, cairn__known_id **entry_out);

/** The entry was changed: write it at the next commit. */
void cairn__ids_touch(cairn__ids *ids, cairn__known_id *entry);

cairn_status cairn__ids_commit(cairn__ids *ids);
void cairn__ids_committed(cairn__ids *ids);

#endif
