/* sql.c: the table, its rows and their limits; questions are ask.c.
 *
 * A crash leaves the rows of the last commit (SQLite's rollback journal). Everything since is noted
 * again from the device's history, so nothing here is the only copy of anything. */
#include "sql/inside.h"

#include <string.h>

#include "base/bytes.h"
#include "model/event.h"

/* Rows hold the event once, as it was encoded; name and times are columns because questions filter
 * by them. */
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS events(seq INTEGER PRIMARY KEY, person INTEGER NOT NULL,"
    " time_ms INTEGER NOT NULL, session INTEGER NOT NULL, name TEXT NOT NULL, event BLOB NOT NULL);"
    "CREATE INDEX IF NOT EXISTS events_by_name ON events(name, time_ms);"
    "CREATE TABLE IF NOT EXISTS owner(id BLOB NOT NULL);";

void cairn__sql_say(cairn__sql_fault *fault, const char *text) {
    size_t len = strlen(text);
    len = len < sizeof fault->text - 1 ? len : sizeof fault->text - 1;
    memcpy(fault->text, text, len);
    fault->text[len] = 0;
}

static sqlite3_stmt *prepare(cairn__sql *sql, const char *text) {
    sqlite3_stmt *statement = NULL;
    (void)sqlite3_prepare_v2(sql->db, text, -1, &statement, NULL);
    return statement;
}

/* Step a statement that gives no rows, and make it ready again. */
static cairn_status done(sqlite3_stmt *statement) {
    int result = sqlite3_step(statement);
    (void)sqlite3_reset(statement);
    return result == SQLITE_DONE ? CAIRN_OK : CAIRN_STORAGE;
}

static cairn_status run(cairn__sql *sql, const char *text) {
    return sqlite3_exec(sql->db, text, NULL, NULL, NULL) == SQLITE_OK ? CAIRN_OK : CAIRN_STORAGE;
}

/* --- life ------------------------------------------------------------------------------------ */

static cairn_status read_newest(cairn__sql *sql) {
    sqlite3_stmt *statement = prepare(sql, "SELECT coalesce(max(seq), 0) FROM events");
    bool read = statement != NULL && sqlite3_step(statement) == SQLITE_ROW;
    if (read) {
        sql->newest = (uint64_t)sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_finalize(statement);
    return read ? CAIRN_OK : CAIRN_STORAGE;
}

static cairn_status open_database(cairn__sql *sql, const char *path) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &sql->db, flags, NULL) != SQLITE_OK) {
        return CAIRN_STORAGE;
    }
    (void)sqlite3_limit(sql->db, SQLITE_LIMIT_SQL_LENGTH, CAIRN__SQL_TEXT_BYTES_MAX);
    (void)sqlite3_limit(sql->db, SQLITE_LIMIT_LENGTH, CAIRN__SQL_ANSWER_BYTES_MAX);
    (void)sqlite3_limit(sql->db, SQLITE_LIMIT_COLUMN, CAIRN__SQL_COLUMNS_MAX);
    if (run(sql, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=TRUNCATE;"
                 "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-512;") != CAIRN_OK ||
        run(sql, schema) != CAIRN_OK || !cairn__sql_add_property(sql)) {
        return CAIRN_STORAGE;
    }
    sql->insert = prepare(sql, "INSERT OR IGNORE INTO events VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
    return sql->insert == NULL ? CAIRN_STORAGE : read_newest(sql);
}

cairn_status cairn__sql_open(const cairn__sql_options *options, cairn__sql **sql_out,
                             cairn__sql_fault *fault_out) {
    cairn_allocator allocator = options->allocator;
    *sql_out = NULL;
    cairn__sql *sql = allocator.resize(allocator.self, NULL, 0, sizeof *sql);
    if (sql == NULL) {
        cairn__sql_say(fault_out, "no memory");
        return CAIRN_NO_MEMORY;
    }
    *sql = (cairn__sql){ .allocator = allocator,
                         .arena = cairn__arena_make(allocator, CAIRN__SQL_ARENA_BYTES_MAX),
                         .events_max = options->events_max == 0 ? CAIRN__SQL_EVENTS_DEFAULT
                                                                : options->events_max,
                         .age_max_ms = options->age_max_ms };
    if (open_database(sql, options->path) != CAIRN_OK) {
        cairn__sql_say(fault_out, sql->db == NULL ? "no memory" : sqlite3_errmsg(sql->db));
        cairn__sql_close(sql);
        return CAIRN_STORAGE;
    }
    *sql_out = sql;
    return CAIRN_OK;
}

void cairn__sql_close(cairn__sql *sql) {
    if (sql == NULL) {
        return;
    }
    (void)sqlite3_finalize(sql->insert);
    (void)sqlite3_close(sql->db); /* rolls an open transaction back */
    cairn__arena_free(&sql->arena);
    cairn_allocator allocator = sql->allocator;
    allocator.resize(allocator.self, sql, sizeof *sql, 0);
}

uint64_t cairn__sql_newest(const cairn__sql *sql) {
    return sql->newest;
}

/* --- rows ------------------------------------------------------------------------------------ */

static cairn_status begin(cairn__sql *sql) {
    if (sql->in_transaction) {
        return CAIRN_OK;
    }
    cairn_status status = run(sql, "BEGIN");
    sql->in_transaction = status == CAIRN_OK;
    return status;
}

static void bind_bytes(sqlite3_stmt *statement, int at, cairn_span bytes) {
    const void *data = bytes.len == 0 ? "" : (const void *)bytes.data;
    (void)sqlite3_bind_blob(statement, at, data, (int)bytes.len, SQLITE_STATIC);
}

static cairn_status insert(cairn__sql *sql, uint64_t seq, uint64_t person,
                           const cairn__event *event, cairn_span encoded) {
    sqlite3_stmt *row = sql->insert;
    (void)sqlite3_bind_int64(row, 1, (int64_t)seq);
    (void)sqlite3_bind_int64(row, 2, (int64_t)person);
    (void)sqlite3_bind_int64(row, 3, event->time_ms);
    (void)sqlite3_bind_int64(row, 4, (int64_t)event->session);
    const char *name = event->name.len == 0 ? "" : (const char *)event->name.data;
    (void)sqlite3_bind_text(row, 5, name, (int)event->name.len, SQLITE_STATIC);
    bind_bytes(row, 6, encoded);
    return done(row);
}

cairn_status cairn__sql_note(cairn__sql *sql, uint64_t seq, uint64_t person, cairn_span event) {
    const cairn__dictionary no_words = { NULL, 0 };
    cairn__event decoded;
    cairn__event_fault fault;
    cairn__arena_reset(&sql->arena);
    cairn_status status = cairn__event_decode(event, &no_words, &sql->arena, &decoded, &fault);
    if (status != CAIRN_OK || !cairn__event_check(&decoded, &fault)) {
        return status == CAIRN_NO_MEMORY ? status : CAIRN_INVALID;
    }
    if (begin(sql) != CAIRN_OK || insert(sql, seq, person, &decoded, event) != CAIRN_OK) {
        return CAIRN_STORAGE;
    }
    sql->newest = seq > sql->newest ? seq : sql->newest;
    sql->newest_ms = decoded.time_ms > sql->newest_ms ? decoded.time_ms : sql->newest_ms;
    sql->since_trim += 1;
    return CAIRN_OK;
}

static cairn_status delete_up_to(cairn__sql *sql, const char *text, int64_t bound) {
    sqlite3_stmt *statement = prepare(sql, text);
    if (statement == NULL) {
        return CAIRN_STORAGE;
    }
    (void)sqlite3_bind_int64(statement, 1, bound);
    cairn_status status = done(statement);
    (void)sqlite3_finalize(statement);
    return status;
}

/* Sequence numbers have few gaps: the newest less the limit is where the oldest row may be. */
static cairn_status trim(cairn__sql *sql) {
    sql->since_trim = 0;
    cairn_status status = CAIRN_OK;
    if (sql->newest > sql->events_max) {
        status = delete_up_to(sql, "DELETE FROM events WHERE seq <= ?1",
                              (int64_t)(sql->newest - sql->events_max));
    }
    if (status == CAIRN_OK && sql->age_max_ms > 0) {
        status = delete_up_to(sql, "DELETE FROM events WHERE time_ms < ?1",
                              sql->newest_ms - sql->age_max_ms);
    }
    return status;
}

cairn_status cairn__sql_commit(cairn__sql *sql) {
    if (!sql->in_transaction) {
        return CAIRN_OK;
    }
    cairn_status status = sql->since_trim >= CAIRN__SQL_TRIM_EVERY ? trim(sql) : CAIRN_OK;
    if (status == CAIRN_OK) {
        status = run(sql, "COMMIT");
    }
    if (status != CAIRN_OK) {
        (void)run(sql, "ROLLBACK");
        (void)read_newest(sql);
    }
    sql->in_transaction = false;
    return status;
}

/* Is it this one's? *known_out: it is somebody's. */
static cairn_status is_owner(cairn__sql *sql, cairn_span owner, bool *is_out, bool *known_out) {
    sqlite3_stmt *statement = prepare(sql, "SELECT id FROM owner");
    int result = statement == NULL ? SQLITE_ERROR : sqlite3_step(statement);
    *known_out = result == SQLITE_ROW;
    *is_out = false;
    if (*known_out) {
        const void *bytes = sqlite3_column_blob(statement, 0);
        cairn_span id = { bytes, (size_t)sqlite3_column_bytes(statement, 0) };
        *is_out = cairn__span_equal(id, owner);
    }
    (void)sqlite3_finalize(statement);
    return result == SQLITE_ROW || result == SQLITE_DONE ? CAIRN_OK : CAIRN_STORAGE;
}

cairn_status cairn__sql_own(cairn__sql *sql, cairn_span owner) {
    bool is = false;
    bool known = false;
    if (owner.len > CAIRN__SQL_OWNER_BYTES_MAX) {
        return CAIRN_INVALID;
    }
    cairn_status status = is_owner(sql, owner, &is, &known);
    if (status != CAIRN_OK || is) {
        return status;
    }
    if (known || sql->newest > 0) {
        status = cairn__sql_purge(sql);
    }
    sqlite3_stmt *statement = prepare(sql, "INSERT INTO owner VALUES(?1)");
    if (status != CAIRN_OK || statement == NULL) {
        (void)sqlite3_finalize(statement);
        return CAIRN_STORAGE;
    }
    bind_bytes(statement, 1, owner);
    status = done(statement);
    (void)sqlite3_finalize(statement);
    return status;
}

cairn_status cairn__sql_purge(cairn__sql *sql) {
    if (sql->in_transaction) {
        (void)run(sql, "ROLLBACK");
        sql->in_transaction = false;
    }
    /* VACUUM, so that no page keeps what was deleted */
    if (run(sql, "PRAGMA secure_delete=ON; DELETE FROM events; DELETE FROM owner; VACUUM") !=
        CAIRN_OK) {
        return CAIRN_STORAGE;
    }
    sql->newest = 0;
    sql->newest_ms = 0;
    return CAIRN_OK;
}
