/* inside.h: what the files of sdk/sql share. */
#ifndef CAIRN_SQL_INSIDE_H
#define CAIRN_SQL_INSIDE_H

#include <sqlite3.h>

#include "sql/sql.h"

enum { CAIRN__SQL_ARENA_BYTES_MAX = 256 * 1024 }; /* one event, decoded */

struct cairn__sql {
    cairn_allocator allocator;
    sqlite3 *db;
    sqlite3_stmt *insert;
    cairn__arena arena;
    uint32_t events_max;
    int64_t age_max_ms;
    uint64_t newest;
    int64_t newest_ms;
    uint32_t since_trim;
    bool in_transaction;
    uint64_t steps_left; /* of the question that is answered */
};

/** Define property(event, name); false: SQLite has no memory. */
bool cairn__sql_add_property(cairn__sql *sql);

/** Cut to what fits. */
void cairn__sql_say(cairn__sql_fault *fault, const char *text);

#endif
