/* sql_entry.c: what cairn-full.wasm exports beside the core: the local history in SQL. Run by a
 * dedicated worker, whose instance has the files (vfs.c); the page's instance of the same module
 * runs the core and never calls these.
 *
 * One instance is one database: it lives at file scope here, as the core's does in entry.c. */
#include "base/bytes.h"
#include "sql/sql.h"

#define EXPORT(name) __attribute__((export_name(name)))

enum { DAY_MS = 24 * 60 * 60 * 1000 };

static struct {
    cairn__sql *sql;
    cairn__buffer answer; /* JSON, or what is wrong */
} the;

static void keep(const char *text) {
    cairn__buffer_clear(&the.answer);
    cairn__buffer_append(&the.answer, cairn__span_of(text));
}

/** Open the database. @returns a cairn_status; where it is not CAIRN_OK, sql_answer says why. */
EXPORT("sql_open") cairn_status export_sql_open(uint32_t events_max, uint32_t days_max) {
    cairn__sql_fault fault;
    const cairn__sql_options options = { .allocator = cairn__heap(),
                                         .path = "history.db",
                                         .events_max = events_max,
                                         .age_max_ms = (int64_t)days_max * DAY_MS };
    the.answer = cairn__buffer_make(cairn__heap(), CAIRN__SQL_ANSWER_BYTES_MAX + 64 * 1024);
    cairn_status status = cairn__sql_open(&options, &the.sql, &fault);
    if (status != CAIRN_OK) {
        keep(fault.text);
    }
    return status;
}

/** Whose events these are: rows of anybody else are removed. */
EXPORT("sql_own") cairn_status export_sql_own(const uint8_t *owner, size_t len) {
    cairn_status status = cairn__sql_own(the.sql, (cairn_span){ owner, len });
    if (status != CAIRN_OK) {
        keep("the rows of another device cannot be removed");
    }
    return status;
}

EXPORT("sql_newest") double export_sql_newest(void) {
    return (double)cairn__sql_newest(the.sql);
}

EXPORT("sql_note")
cairn_status export_sql_note(double seq, double person, const uint8_t *event, size_t len) {
    return cairn__sql_note(the.sql, (uint64_t)seq, (uint64_t)person, (cairn_span){ event, len });
}

EXPORT("sql_commit") cairn_status export_sql_commit(void) {
    return cairn__sql_commit(the.sql);
}

EXPORT("sql_ask") cairn_status export_sql_ask(const uint8_t *text, size_t len, double now_ms) {
    cairn__sql_fault fault;
    cairn__buffer_clear(&the.answer);
    cairn_status status =
        cairn__sql_ask(the.sql, (cairn_span){ text, len }, (int64_t)now_ms, &the.answer, &fault);
    if (status != CAIRN_OK) {
        keep(fault.text);
    }
    return status;
}

EXPORT("sql_answer") const uint8_t *export_sql_answer(void) {
    return the.answer.data;
}

EXPORT("sql_answer_bytes") size_t export_sql_answer_bytes(void) {
    return the.answer.len;
}
