/* db.h: SQLite as the collector uses it: settings, statements, one kind of error.
 *
 * Threads: a connection and its statements belong to one thread at a time. */
#ifndef CAIRN_DB_DB_H
#define CAIRN_DB_DB_H

#include <sqlite3.h>

#include "cairn/cairn_types.h"

/** What went wrong, for people: names the file or the table. */
typedef struct cairn__db_problem {
    char text[256];
} cairn__db_problem;

/** Open for writing; made when missing. WAL, synchronous=NORMAL, foreign keys off.
 * @retval CAIRN_STORAGE  problem_out names the file and SQLite's reason. */
cairn_status cairn__db_open(const char *path, sqlite3 **db_out, cairn__db_problem *problem_out);

/** Open for reading only and begin a read transaction: one moment of the database. */
cairn_status cairn__db_open_moment(const char *path, sqlite3 **db_out,
                                   cairn__db_problem *problem_out);

/** Run statements without results, such as CREATE TABLE. */
cairn_status cairn__db_run(sqlite3 *db, const char *sql, cairn__db_problem *problem_out);

/** A statement that is kept. NULL and problem_out when SQLite refuses it. */
sqlite3_stmt *cairn__db_prepare(sqlite3 *db, const char *sql, cairn__db_problem *problem_out);

/** Step a statement that gives no rows, and make it ready again. */
cairn_status cairn__db_done(sqlite3_stmt *statement);

/** Bind borrowed bytes: they must live until the statement is reset. */
void cairn__db_bind_blob(sqlite3_stmt *statement, int at, cairn_span bytes);
void cairn__db_bind_text(sqlite3_stmt *statement, int at, cairn_span text);

/** The bytes of a column; live until the next step or reset. */
cairn_span cairn__db_column(sqlite3_stmt *statement, int at);

#endif
