#include "db/db.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/bytes.h"

enum { DB_BUSY_MS = 2000 }; /* only the command line's offline tools ever meet the writer */

static cairn_status fail(sqlite3 *db, const char *what, cairn__db_problem *problem_out) {
    if (problem_out != NULL) {
        (void)snprintf(problem_out->text, sizeof problem_out->text, "%.120s: %.120s", what,
                       db == NULL ? "no memory" : sqlite3_errmsg(db));
    }
    return CAIRN_STORAGE;
}

static cairn_status open_with(const char *path, int flags, const char *settings, sqlite3 **db_out,
                              cairn__db_problem *problem_out) {
    *db_out = NULL;
    sqlite3 *db = NULL;
    bool opened = sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK;
    if (opened) {
        sqlite3_busy_timeout(db, DB_BUSY_MS);
        opened = sqlite3_exec(db, settings, NULL, NULL, NULL) == SQLITE_OK;
    }
    if (!opened) {
        cairn_status status = fail(db, path, problem_out);
        sqlite3_close(db);
        return status;
    }
    *db_out = db;
    return CAIRN_OK;
}

cairn_status cairn__db_open(const char *path, sqlite3 **db_out, cairn__db_problem *problem_out) {
    return open_with(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                     "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                     "PRAGMA cache_size=-4096; PRAGMA journal_size_limit=16777216;",
                     db_out, problem_out);
}

cairn_status cairn__db_open_moment(const char *path, sqlite3 **db_out,
                                   cairn__db_problem *problem_out) {
    /* a transaction sees its moment from its first read on */
    return open_with(path, SQLITE_OPEN_READONLY,
                     "PRAGMA cache_size=-4096; BEGIN; SELECT count(*) FROM sqlite_schema;", db_out,
                     problem_out);
}

cairn_status cairn__db_run(sqlite3 *db, const char *sql, cairn__db_problem *problem_out) {
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? CAIRN_OK
                                                                : fail(db, sql, problem_out);
}

sqlite3_stmt *cairn__db_prepare(sqlite3 *db, const char *sql, cairn__db_problem *problem_out) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK) {
        (void)fail(db, sql, problem_out);
        return NULL;
    }
    return statement;
}

cairn_status cairn__db_done(sqlite3_stmt *statement) {
    int result = sqlite3_step(statement);
    sqlite3_reset(statement);
    return result == SQLITE_DONE ? CAIRN_OK : CAIRN_STORAGE;
}

void cairn__db_bind_blob(sqlite3_stmt *statement, int at, cairn_span bytes) {
    const void *data = bytes.len == 0 ? "" : (const void *)bytes.data;
    int result = sqlite3_bind_blob64(statement, at, data, bytes.len, SQLITE_STATIC);
    CAIRN_ASSERT(result == SQLITE_OK || result == SQLITE_NOMEM);
}

void cairn__db_bind_text(sqlite3_stmt *statement, int at, cairn_span text) {
    const char *data = text.len == 0 ? "" : (const char *)text.data;
    int result = sqlite3_bind_text64(statement, at, data, text.len, SQLITE_STATIC, SQLITE_UTF8);
    CAIRN_ASSERT(result == SQLITE_OK || result == SQLITE_NOMEM);
}

cairn_span cairn__db_column(sqlite3_stmt *statement, int at) {
    const void *data = sqlite3_column_blob(statement, at);
    return cairn__span(data, (size_t)sqlite3_column_bytes(statement, at));
}
