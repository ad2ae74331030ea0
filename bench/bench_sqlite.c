/* bench_sqlite.c: the same questions to SQLite, one thread, tables and SQL as good as we know.
 *
 *   bench_sqlite ROWS.bin DB QUERY.sql REPEATS
 *
 * Loads the rows once (clustered by person and time, without a rowid), then prints the answer's
 * rows, and one line of JSON with the best times of REPEATS runs. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "bench/journeys.h"

enum { QUERY_BYTES_MAX = 65536, READ_ROWS = 4096 };

static void fail(sqlite3 *db, const char *what) {
    fprintf(stderr, "bench_sqlite: %s: %s\n", what, sqlite3_errmsg(db));
    exit(1);
}

static void run(sqlite3 *db, const char *sql) {
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fail(db, sql);
    }
}

static double now_s(clockid_t which) {
    struct timespec now;
    clock_gettime(which, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void insert(sqlite3 *db, sqlite3_stmt *statement, const journey_event *row) {
    const sqlite3_int64 values[7] = { row->person,   row->time_s,  row->name,  row->platform,
                                      row->province, row->channel, row->amount };
    for (int i = 0; i < 7; i++) {
        sqlite3_bind_int64(statement, i + 1, values[i]);
    }
    if (sqlite3_step(statement) != SQLITE_DONE) {
        fail(db, "insert");
    }
    sqlite3_reset(statement);
}

static void load(sqlite3 *db, const char *path) {
    journey_event rows[READ_ROWS];
    FILE *file = fopen(path, "rb");
    sqlite3_stmt *statement = NULL;
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    run(db, "CREATE TABLE ev(user_id INTEGER, time INTEGER, event INTEGER, platform INTEGER,"
            " province INTEGER, channel INTEGER, amount INTEGER, PRIMARY KEY(user_id, time))"
            " WITHOUT ROWID; BEGIN");
    if (sqlite3_prepare_v2(db, "INSERT INTO ev VALUES(?, ?, ?, ?, ?, ?, ?)", -1, &statement,
                           NULL) != SQLITE_OK) {
        fail(db, "prepare");
    }
    size_t count;
    while ((count = fread(rows, sizeof *rows, READ_ROWS, file)) > 0) {
        for (size_t i = 0; i < count; i++) {
            insert(db, statement, &rows[i]);
        }
    }
    fclose(file);
    sqlite3_finalize(statement);
    run(db, "COMMIT");
    run(db, "ANALYZE");
}

typedef struct {
    double wall_s, cpu_s;
} took;

static took ask(sqlite3 *db, const char *sql, bool print) {
    sqlite3_stmt *statement = NULL;
    took begun = { now_s(CLOCK_MONOTONIC), now_s(CLOCK_PROCESS_CPUTIME_ID) };
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
        fail(db, "query");
    }
    int result;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        for (int i = 0; print && i < sqlite3_column_count(statement); i++) {
            printf("%s%s", i == 0 ? "" : "\t", (const char *)sqlite3_column_text(statement, i));
        }
        fputs(print ? "\n" : "", stdout);
    }
    if (result != SQLITE_DONE) {
        fail(db, "query");
    }
    sqlite3_finalize(statement);
    return (took){ now_s(CLOCK_MONOTONIC) - begun.wall_s,
                   now_s(CLOCK_PROCESS_CPUTIME_ID) - begun.cpu_s };
}

static void read_query(const char *path, char *to) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    size_t count = fread(to, 1, QUERY_BYTES_MAX - 1, file);
    to[count] = 0;
    fclose(file);
}

int main(int argc, char **argv) {
    char sql[QUERY_BYTES_MAX];
    sqlite3 *db = NULL;
    struct stat status;
    if (argc != 5) {
        fputs("usage: bench_sqlite ROWS.bin DB QUERY.sql REPEATS\n", stderr);
        return 2;
    }
    read_query(argv[3], sql);
    bool fresh = stat(argv[2], &status) != 0;
    if (sqlite3_open(argv[2], &db) != SQLITE_OK) {
        fail(db, argv[2]);
    }
    run(db, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-1000000;"
            "PRAGMA mmap_size=4000000000; PRAGMA temp_store=MEMORY");
    if (fresh) {
        load(db, argv[1]);
    }
    (void)ask(db, sql, true);
    took best = { 1e9, 1e9 };
    for (long i = 0, count = strtol(argv[4], NULL, 10); i < count; i++) {
        took one = ask(db, sql, false);
        best.wall_s = one.wall_s < best.wall_s ? one.wall_s : best.wall_s;
        best.cpu_s = one.cpu_s < best.cpu_s ? one.cpu_s : best.cpu_s;
    }
    printf("{\"bytes\":%lld,\"seconds\":%.4f,\"cpu\":%.4f}\n",
           stat(argv[2], &status) == 0 ? (long long)status.st_size : 0LL, best.wall_s, best.cpu_s);
    sqlite3_close(db);
    return 0;
}
