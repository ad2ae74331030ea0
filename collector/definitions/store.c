/* store.c: the tables.
 *
 *   definition  every version: (kind, name, version) -> JSON, when, whether it is a removal. A
 *               removal is a version, too, so that numbers go on when the name comes back.
 *   meta        one row: the bundle's version and when it was made.
 *
 * A crash leaves all of a write or nothing of it (one transaction). A write that returned is on the
 * disk: synchronous=FULL syncs the write-ahead log at every commit. A commit that failed may stand
 * in the log and come back when it is opened next: whoever saw it fail opens the store again, and
 * reads what there is. */
#include "definitions/store.h"

#include "base/assert.h"
#include "base/bytes.h"

struct cairn__definition_store {
    cairn_allocator allocator;
    sqlite3 *db;
    sqlite3_stmt *newest, *version, *each, *insert, *meta, *bump, *forget;
};

static const char schema[] =
    "PRAGMA synchronous=FULL;"
    "PRAGMA wal_checkpoint(TRUNCATE);" /* nothing rests on a log that a failed sync may have lost */
    "CREATE TABLE IF NOT EXISTS definition(kind INTEGER NOT NULL, name TEXT NOT NULL,"
    " version INTEGER NOT NULL, json TEXT NOT NULL, updated_ms INTEGER NOT NULL,"
    " removed INTEGER NOT NULL, PRIMARY KEY(kind, name, version)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS meta(id INTEGER PRIMARY KEY CHECK(id = 1),"
    " bundle_version INTEGER NOT NULL, updated_ms INTEGER NOT NULL);"
    "INSERT OR IGNORE INTO meta VALUES(1, 0, 0);";

#define COLUMNS "SELECT kind, name, json, version, updated_ms, removed FROM definition "

static bool prepare(cairn__definition_store *store, cairn__db_problem *problem_out) {
    const struct {
        sqlite3_stmt **to;
        const char *sql;
    } table[] = {
        { &store->newest, COLUMNS "WHERE kind=? AND name=? ORDER BY version DESC LIMIT 1" },
        { &store->version, COLUMNS "WHERE kind=? AND name=? AND version=?" },
        { &store->each, COLUMNS "AS d WHERE removed=0 AND version=(SELECT max(version) FROM "
                                "definition WHERE kind=d.kind AND name=d.name) "
                                "ORDER BY kind, name" },
        { &store->insert, "INSERT INTO definition VALUES(?,?,?,?,?,?)" },
        { &store->meta, "SELECT bundle_version, updated_ms FROM meta" },
        { &store->bump, "UPDATE meta SET bundle_version=?, updated_ms=?" },
        { &store->forget, "DELETE FROM definition WHERE kind=? AND name=? AND version<=?" },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        *table[i].to = cairn__db_prepare(store->db, table[i].sql, problem_out);
        if (*table[i].to == NULL) {
            return false;
        }
    }
    return true;
}

cairn_status cairn__definition_store_open(const char *path, cairn_allocator allocator,
                                          cairn__definition_store **store_out,
                                          cairn__db_problem *problem_out) {
    *store_out = NULL;
    cairn__definition_store *store = allocator.resize(allocator.self, NULL, 0, sizeof *store);
    if (store == NULL) {
        return CAIRN_NO_MEMORY;
    }
    *store = (cairn__definition_store){ .allocator = allocator };
    cairn_status status = cairn__db_open(path, &store->db, problem_out);
    status = status == CAIRN_OK ? cairn__db_run(store->db, schema, problem_out) : status;
    if (status == CAIRN_OK && !prepare(store, problem_out)) {
        status = CAIRN_STORAGE;
    }
    if (status != CAIRN_OK) {
        cairn__definition_store_close(store);
        return status;
    }
    *store_out = store;
    return CAIRN_OK;
}

void cairn__definition_store_close(cairn__definition_store *store) {
    if (store == NULL) {
        return;
    }
    sqlite3_stmt *const statements[] = { store->newest, store->version, store->each,  store->insert,
                                         store->meta,   store->bump,    store->forget };
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        sqlite3_finalize(statements[i]);
    }
    sqlite3_close(store->db);
    store->allocator.resize(store->allocator.self, store, sizeof *store, 0);
}

/* --- reading ---------------------------------------------------------------------------------- */

static cairn_status read_meta(cairn__definition_store *store, int64_t *version_out,
                              int64_t *ms_out) {
    bool found = sqlite3_step(store->meta) == SQLITE_ROW;
    *version_out = found ? sqlite3_column_int64(store->meta, 0) : 0;
    *ms_out = found ? sqlite3_column_int64(store->meta, 1) : 0;
    sqlite3_reset(store->meta);
    return found ? CAIRN_OK : CAIRN_STORAGE;
}

cairn_status cairn__definition_store_bundle_version(cairn__definition_store *store,
                                                    uint64_t *version_out) {
    int64_t version;
    int64_t ms;
    cairn_status status = read_meta(store, &version, &ms);
    *version_out = (uint64_t)version;
    return status;
}

cairn_status cairn__definition_store_updated_ms(cairn__definition_store *store, int64_t *ms_out) {
    int64_t version;
    return read_meta(store, &version, ms_out);
}

/* Damage is a status: a kind that there is not, a version that is none. */
static bool take_row(sqlite3_stmt *row, cairn__stored *stored) {
    int64_t kind = sqlite3_column_int64(row, 0);
    int64_t version = sqlite3_column_int64(row, 3);
    *stored = (cairn__stored){ .kind = (cairn__definition_kind)kind,
                               .name = cairn__db_column(row, 1),
                               .json = cairn__db_column(row, 2),
                               .version = (uint32_t)version,
                               .updated_ms = sqlite3_column_int64(row, 4),
                               .removed = sqlite3_column_int(row, 5) != 0 };
    return kind >= 0 && kind < CAIRN__DEFINITION_KIND_COUNT && version > 0 && version < UINT32_MAX;
}

static cairn_status read_one(sqlite3_stmt *statement, cairn__arena *arena,
                             cairn__stored *stored_out) {
    int result = sqlite3_step(statement);
    cairn_status status = result == SQLITE_DONE ? CAIRN_NOT_FOUND : CAIRN_STORAGE;
    if (result == SQLITE_ROW && take_row(statement, stored_out)) {
        bool copied = cairn__arena_copy(arena, stored_out->name, &stored_out->name) &&
                      cairn__arena_copy(arena, stored_out->json, &stored_out->json);
        status = copied ? CAIRN_OK : CAIRN_NO_MEMORY;
    }
    sqlite3_reset(statement);
    return status;
}

cairn_status cairn__definition_store_newest(cairn__definition_store *store,
                                            cairn__definition_kind kind, cairn_span name,
                                            cairn__arena *arena, cairn__stored *stored_out) {
    sqlite3_bind_int(store->newest, 1, (int)kind);
    cairn__db_bind_text(store->newest, 2, name);
    return read_one(store->newest, arena, stored_out);
}

cairn_status cairn__definition_store_version(cairn__definition_store *store,
                                             const cairn__stored *which, cairn__arena *arena,
                                             cairn__stored *stored_out) {
    sqlite3_bind_int(store->version, 1, (int)which->kind);
    cairn__db_bind_text(store->version, 2, which->name);
    sqlite3_bind_int64(store->version, 3, which->version);
    return read_one(store->version, arena, stored_out);
}

cairn_status cairn__definition_store_each(cairn__definition_store *store,
                                          cairn__definition_store_visit *visit, void *self) {
    int result = sqlite3_step(store->each);
    cairn_status status = CAIRN_OK;
    while (status == CAIRN_OK && result == SQLITE_ROW) {
        cairn__stored stored;
        if (!take_row(store->each, &stored)) {
            status = CAIRN_STORAGE;
        } else if (!visit(self, &stored)) {
            status = CAIRN_NO_MEMORY;
        } else {
            result = sqlite3_step(store->each);
        }
    }
    sqlite3_reset(store->each);
    return status == CAIRN_OK && result != SQLITE_DONE ? CAIRN_STORAGE : status;
}

/* --- writing ---------------------------------------------------------------------------------- */

static cairn_status write_rows(cairn__definition_store *store, const cairn__stored *stored,
                               uint64_t bundle_version) {
    sqlite3_stmt *insert = store->insert;
    sqlite3_bind_int(insert, 1, (int)stored->kind);
    cairn__db_bind_text(insert, 2, stored->name);
    sqlite3_bind_int64(insert, 3, stored->version);
    cairn__db_bind_text(insert, 4, stored->json);
    sqlite3_bind_int64(insert, 5, stored->updated_ms);
    sqlite3_bind_int(insert, 6, stored->removed ? 1 : 0);
    cairn_status status = cairn__db_done(insert);
    sqlite3_bind_int64(store->bump, 1, (int64_t)bundle_version);
    sqlite3_bind_int64(store->bump, 2, stored->updated_ms);
    status = status == CAIRN_OK ? cairn__db_done(store->bump) : status;
    if (status == CAIRN_OK && stored->version > CAIRN__STORE_VERSIONS_KEPT) {
        sqlite3_bind_int(store->forget, 1, (int)stored->kind);
        cairn__db_bind_text(store->forget, 2, stored->name);
        sqlite3_bind_int64(store->forget, 3, (int64_t)stored->version - CAIRN__STORE_VERSIONS_KEPT);
        status = cairn__db_done(store->forget);
    }
    return status;
}

cairn_status cairn__definition_store_write(cairn__definition_store *store,
                                           const cairn__stored *stored, uint64_t bundle_version) {
    CAIRN_ASSERT(stored->version > 0 && bundle_version > 0 && bundle_version <= INT64_MAX);
    cairn_status status = cairn__db_run(store->db, "BEGIN IMMEDIATE", NULL);
    if (status != CAIRN_OK) {
        return status;
    }
    status = write_rows(store, stored, bundle_version);
    status = status == CAIRN_OK ? cairn__db_run(store->db, "COMMIT", NULL) : status;
    if (status != CAIRN_OK) {
        (void)cairn__db_run(store->db, "ROLLBACK", NULL);
    }
    return status;
}
