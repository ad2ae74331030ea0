/* store.c: the tables. Files: segment_file.c. */
#include "trail/store.h"

#include <stdio.h>
#include <string.h>

static const char SCHEMA[] =
    "CREATE TABLE IF NOT EXISTS trail_tail("
    "seq INTEGER PRIMARY KEY, rows INTEGER NOT NULL, image BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS trail_segment("
    "id INTEGER PRIMARY KEY, rows INTEGER NOT NULL, bytes INTEGER NOT NULL, image BLOB);";

static void tell(cairn__trail_problem *problem, const char *what, const char *why) {
    (void)snprintf(problem->text, sizeof problem->text, "%s: %s", what, why);
}

static cairn_status prepare(cairn__store *store, const char *sql, sqlite3_stmt **statement_out) {
    return sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement_out, NULL) ==
                   SQLITE_OK
               ? CAIRN_OK
               : CAIRN_STORAGE;
}

static cairn_status prepare_all(cairn__store *store) {
    if (sqlite3_exec(store->db, SCHEMA, NULL, NULL, NULL) != SQLITE_OK ||
        prepare(store, "INSERT INTO trail_tail(seq, rows, image) VALUES(?1, ?2, ?3)",
                &store->insert_tail) != CAIRN_OK ||
        prepare(store, "DELETE FROM trail_tail WHERE seq BETWEEN ?1 AND ?2", &store->delete_tail) !=
            CAIRN_OK ||
        prepare(store, "INSERT INTO trail_segment(id, rows, bytes, image) VALUES(?1, ?2, ?3, ?4)",
                &store->insert_segment) != CAIRN_OK) {
        return CAIRN_STORAGE;
    }
    return prepare(store, "DELETE FROM trail_segment WHERE id = ?1", &store->delete_segment);
}

cairn_status cairn__store_open(cairn__store *store, sqlite3 *db, const char *directory,
                               cairn_allocator allocator, cairn__trail_problem *problem_out) {
    *store = (cairn__store){ .allocator = allocator, .db = db };
    store->directory_bytes = strlen(directory) + 1;
    store->directory = allocator.resize(allocator.self, NULL, 0, store->directory_bytes);
    if (store->directory == NULL) {
        tell(problem_out, "trail", "no memory");
        return CAIRN_NO_MEMORY;
    }
    memcpy(store->directory, directory, store->directory_bytes);
    if (prepare_all(store) != CAIRN_OK) {
        tell(problem_out, "tables trail_tail and trail_segment of the state database",
             sqlite3_errmsg(db));
        cairn__store_close(store);
        return CAIRN_STORAGE;
    }
    if (directory[0] != '\0' && !cairn__segment_directory(directory, problem_out)) {
        cairn__store_close(store);
        return CAIRN_STORAGE;
    }
    return CAIRN_OK;
}

void cairn__store_close(cairn__store *store) {
    (void)sqlite3_finalize(store->insert_tail);
    (void)sqlite3_finalize(store->delete_tail);
    (void)sqlite3_finalize(store->insert_segment);
    (void)sqlite3_finalize(store->delete_segment);
    if (store->directory != NULL) {
        store->allocator.resize(store->allocator.self, store->directory, store->directory_bytes, 0);
    }
    *store = (cairn__store){ .allocator = store->allocator };
}

static cairn_span column_blob(sqlite3_stmt *row, int column) {
    const void *data = sqlite3_column_blob(row, column);
    return cairn__span(data, (size_t)sqlite3_column_bytes(row, column));
}

static void tell_row(cairn__trail_problem *problem, const char *table, uint64_t number,
                     const char *why) {
    (void)snprintf(problem->text, sizeof problem->text,
                   "%s %llu of the state database: %s; restore it from a backup, or remove that "
                   "row to go on without its events",
                   table, (unsigned long long)number, why);
}

static const char *why_of(cairn_status status) {
    switch ((int)status) {
    case CAIRN_NO_MEMORY:
        return "no memory";
    case CAIRN_UNSUPPORTED:
        return "written by a newer version";
    default:
        return "the image is damaged";
    }
}

/* One row of either table: number, rows, bytes (-1: as long as the blob), blob or NULL. */
static cairn_status load_row(const cairn__store *store, sqlite3_stmt *row, cairn__image **image_out,
                             cairn__trail_problem *problem_out) {
    uint64_t number = (uint64_t)sqlite3_column_int64(row, 0);
    const char *table = sqlite3_column_int64(row, 2) < 0 ? "trail_tail" : "trail_segment";
    cairn_status status = CAIRN_OK;
    if (sqlite3_column_type(row, 3) == SQLITE_NULL) {
        cairn__segment_name name = { store->directory, number,
                                     (uint64_t)sqlite3_column_int64(row, 2) };
        status = cairn__segment_map(store->allocator, &name, image_out, problem_out);
        if (status != CAIRN_OK) {
            return status;
        }
    } else {
        status = cairn__image_of_bytes(store->allocator, column_blob(row, 3), image_out);
    }
    if (status == CAIRN_OK && (*image_out)->rows != (uint64_t)sqlite3_column_int64(row, 1)) {
        cairn__image_release(*image_out);
        status = CAIRN_STORAGE;
    }
    if (status != CAIRN_OK) {
        tell_row(problem_out, table, number, why_of(status));
    }
    return status;
}

static cairn_status load(cairn__store *store, const char *sql, cairn__store_take take, void *self,
                         cairn__trail_problem *problem_out) {
    sqlite3_stmt *row = NULL;
    cairn_status status = prepare(store, sql, &row);
    int step = status == CAIRN_OK ? sqlite3_step(row) : SQLITE_ERROR;
    for (; step == SQLITE_ROW && status == CAIRN_OK; step = sqlite3_step(row)) {
        cairn__image *image = NULL;
        status = load_row(store, row, &image, problem_out);
        if (status == CAIRN_OK && !take(self, (uint64_t)sqlite3_column_int64(row, 0), image)) {
            cairn__image_release(image);
            tell(problem_out, "trail", "no memory");
            status = CAIRN_NO_MEMORY;
        }
    }
    if (status == CAIRN_OK && step != SQLITE_DONE) {
        tell(problem_out, "reading the trail's tables of the state database",
             sqlite3_errmsg(store->db));
        status = CAIRN_STORAGE;
    }
    (void)sqlite3_finalize(row);
    return status;
}

cairn_status cairn__store_load_segments(cairn__store *store, cairn__store_take take, void *self,
                                        cairn__trail_problem *problem_out) {
    return load(store, "SELECT id, rows, bytes, image FROM trail_segment ORDER BY id", take, self,
                problem_out);
}

cairn_status cairn__store_load_tail(cairn__store *store, cairn__store_take take, void *self,
                                    cairn__trail_problem *problem_out) {
    return load(store, "SELECT seq, rows, -1, image FROM trail_tail ORDER BY seq", take, self,
                problem_out);
}

static cairn_status run(sqlite3_stmt *statement) {
    int step = sqlite3_step(statement);
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
    return step == SQLITE_DONE ? CAIRN_OK : CAIRN_STORAGE;
}

/* Binding keeps the image's bytes where they are: the statement runs before they can go. */
static bool bind_image(sqlite3_stmt *statement, int column, const cairn__image *image) {
    return sqlite3_bind_blob64(statement, column, image->backing.bytes.data,
                               image->backing.bytes.len, SQLITE_STATIC) == SQLITE_OK;
}

cairn_status cairn__store_insert_tail(cairn__store *store, uint64_t seq,
                                      const cairn__image *image) {
    sqlite3_stmt *statement = store->insert_tail;
    bool bound = sqlite3_bind_int64(statement, 1, (int64_t)seq) == SQLITE_OK &&
                 sqlite3_bind_int64(statement, 2, (int64_t)image->rows) == SQLITE_OK &&
                 bind_image(statement, 3, image);
    return bound ? run(statement) : CAIRN_STORAGE;
}

cairn_status cairn__store_delete_tail(cairn__store *store, uint64_t first, uint64_t last) {
    bool bound = sqlite3_bind_int64(store->delete_tail, 1, (int64_t)first) == SQLITE_OK &&
                 sqlite3_bind_int64(store->delete_tail, 2, (int64_t)last) == SQLITE_OK;
    return bound ? run(store->delete_tail) : CAIRN_STORAGE;
}

cairn_status cairn__store_insert_segment(cairn__store *store, uint64_t id,
                                         const cairn__image *image) {
    sqlite3_stmt *statement = store->insert_segment;
    bool inside = store->directory[0] == '\0';
    bool bound =
        sqlite3_bind_int64(statement, 1, (int64_t)id) == SQLITE_OK &&
        sqlite3_bind_int64(statement, 2, (int64_t)image->rows) == SQLITE_OK &&
        sqlite3_bind_int64(statement, 3, (int64_t)image->backing.bytes.len) == SQLITE_OK &&
        (inside ? bind_image(statement, 4, image) : sqlite3_bind_null(statement, 4) == SQLITE_OK);
    return bound ? run(statement) : CAIRN_STORAGE;
}

cairn_status cairn__store_delete_segment(cairn__store *store, uint64_t id) {
    bool bound = sqlite3_bind_int64(store->delete_segment, 1, (int64_t)id) == SQLITE_OK;
    return bound ? run(store->delete_segment) : CAIRN_STORAGE;
}

uint64_t cairn__store_sweep(const cairn__store *store, cairn__segment_listed listed,
                            const void *self) {
    return store->directory[0] == '\0' ? 0 : cairn__segment_sweep(store->directory, listed, self);
}

bool cairn__store_make_durable(cairn__store *store) {
    int frames = 0, moved = 0;
    int result = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames,
                                           &moved); /* -1 and -1 when there is no WAL */
    return result == SQLITE_OK && frames == moved;
}

void cairn__store_remove_file(const cairn__store *store, uint64_t id) {
    if (store->directory[0] != '\0') {
        cairn__segment_remove(store->directory, id);
    }
}
