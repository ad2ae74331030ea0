/* ask.c: questions. Whoever asks is trusted with the rows and with nothing else: one reading
 * statement over `events`, bounded in work, rows and bytes. */
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "model/event.h"
#include "sql/inside.h"

enum { STEPS_BETWEEN_LOOKS = 1000 };

/* --- property(event, name) -------------------------------------------------------------------- */

static void give_list(sqlite3_context *context, cairn__sql *sql, const cairn_string_list *list) {
    cairn__buffer to = cairn__buffer_make(sql->allocator, CAIRN__SQL_ANSWER_BYTES_MAX);
    cairn__buffer_byte(&to, '[');
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0) {
            cairn__buffer_byte(&to, ',');
        }
        cairn__json_text(&to, list->items[i]);
    }
    cairn__buffer_byte(&to, ']');
    if (to.failed) {
        sqlite3_result_error_nomem(context);
    } else {
        sqlite3_result_text(context, (const char *)to.data, (int)to.len, SQLITE_TRANSIENT);
    }
    cairn__buffer_free(&to);
}

static void give(sqlite3_context *context, cairn__sql *sql, const cairn_value *value) {
    switch (value->kind) {
    case CAIRN_VALUE_BOOLEAN:
        sqlite3_result_int(context, value->as.boolean ? 1 : 0);
        break;
    case CAIRN_VALUE_INTEGER:
        sqlite3_result_int64(context, value->as.integer);
        break;
    case CAIRN_VALUE_TIME:
        sqlite3_result_int64(context, value->as.time_ms);
        break;
    case CAIRN_VALUE_NUMBER:
        sqlite3_result_double(context, value->as.number);
        break;
    case CAIRN_VALUE_STRING:
        sqlite3_result_text(context,
                            value->as.string.len == 0 ? "" : (const char *)value->as.string.data,
                            (int)value->as.string.len, SQLITE_TRANSIENT);
        break;
    case CAIRN_VALUE_LIST:
        give_list(context, sql, &value->as.list);
        break;
    case CAIRN_VALUE_NULL:
        sqlite3_result_null(context);
        break;
    }
}

static cairn_span bytes_of(sqlite3_value *from) {
    const void *data = sqlite3_value_blob(from);
    return cairn__span(data, (size_t)sqlite3_value_bytes(from));
}

static void property(sqlite3_context *context, int count, sqlite3_value **arguments) {
    const cairn__dictionary no_words = { NULL, 0 };
    cairn__sql *sql = sqlite3_user_data(context);
    cairn__event event;
    cairn__event_fault fault;
    (void)count; /* two, as it was defined */
    cairn__arena_reset(&sql->arena);
    if (sqlite3_value_type(arguments[0]) != SQLITE_BLOB ||
        cairn__event_decode(bytes_of(arguments[0]), &no_words, &sql->arena, &event, &fault) !=
            CAIRN_OK) {
        sqlite3_result_error(context, "property(event, name): the first is the column event", -1);
        return;
    }
    cairn_span name = bytes_of(arguments[1]);
    for (size_t i = 0; i < event.property_count; i++) {
        if (cairn__span_equal(event.properties[i].name, name)) {
            give(context, sql, &event.properties[i].value);
            return;
        }
    }
}

bool cairn__sql_add_property(cairn__sql *sql) {
    return sqlite3_create_function(sql->db, "property", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, sql,
                                   property, NULL, NULL) == SQLITE_OK;
}

/* --- bounds ----------------------------------------------------------------------------------- */

/* Names of tables, columns and functions as SQLite's parser gives them. A table of which no column
 * is read is one that the question itself makes, or no more than counted. */
/* NOLINTNEXTLINE(readability-function-size): the signature is SQLite's */
static int may(void *context, int action, const char *table, const char *column,
               const char *database, const char *inside) {
    (void)context;
    (void)database;
    (void)inside;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_FUNCTION:
    case SQLITE_RECURSIVE:
        return SQLITE_OK;
    case SQLITE_READ:
        return column[0] == 0 || strcmp(table, "events") == 0 ? SQLITE_OK : SQLITE_DENY;
    default:
        return SQLITE_DENY;
    }
}

static int look(void *context) {
    cairn__sql *sql = context;
    sql->steps_left -=
        sql->steps_left < STEPS_BETWEEN_LOOKS ? sql->steps_left : STEPS_BETWEEN_LOOKS;
    return sql->steps_left == 0;
}

static void guard(cairn__sql *sql) {
    sql->steps_left = CAIRN__SQL_STEPS_MAX;
    (void)sqlite3_set_authorizer(sql->db, may, NULL);
    sqlite3_progress_handler(sql->db, STEPS_BETWEEN_LOOKS, look, sql);
}

static void unguard(cairn__sql *sql) {
    (void)sqlite3_set_authorizer(sql->db, NULL, NULL);
    sqlite3_progress_handler(sql->db, 0, NULL, NULL);
}

/* --- answers ---------------------------------------------------------------------------------- */

static cairn_span text_of(sqlite3_stmt *row, int at) {
    const void *data = sqlite3_column_text(row, at);
    return cairn__span(data, (size_t)sqlite3_column_bytes(row, at));
}

/* SQLite writes a double so that JSON can read it, but the infinite, which become null. */
static void write_number(sqlite3_stmt *row, int at, cairn__buffer *to) {
    double number = sqlite3_column_double(row, at);
    if (number - number != 0) {
        CAIRN__JSON_PUT(to, "null");
        return;
    }
    cairn__buffer_append(to, text_of(row, at));
}

static void write_cell(sqlite3_stmt *row, int at, cairn__buffer *to) {
    switch (sqlite3_column_type(row, at)) {
    case SQLITE_INTEGER:
        cairn__json_integer(to, sqlite3_column_int64(row, at));
        break;
    case SQLITE_FLOAT:
        write_number(row, at, to);
        break;
    case SQLITE_TEXT:
        cairn__json_text(to, text_of(row, at));
        break;
    case SQLITE_BLOB:
        CAIRN__JSON_PUT(to, "{\"bytes\":");
        cairn__json_integer(to, sqlite3_column_bytes(row, at));
        cairn__buffer_byte(to, '}');
        break;
    default:
        CAIRN__JSON_PUT(to, "null");
        break;
    }
}

static void write_head(sqlite3_stmt *statement, cairn__buffer *to) {
    CAIRN__JSON_PUT(to, "{\"columns\":[");
    for (int i = 0; i < sqlite3_column_count(statement); i++) {
        const char *name = sqlite3_column_name(statement, i);
        if (i > 0) {
            cairn__buffer_byte(to, ',');
        }
        cairn__json_text(to, cairn__span_of(name == NULL ? "" : name));
    }
    CAIRN__JSON_PUT(to, "],\"rows\":[");
}

static void write_row(sqlite3_stmt *row, bool first, cairn__buffer *to) {
    if (!first) {
        cairn__buffer_byte(to, ',');
    }
    cairn__buffer_byte(to, '[');
    for (int i = 0; i < sqlite3_column_count(row); i++) {
        if (i > 0) {
            cairn__buffer_byte(to, ',');
        }
        write_cell(row, i, to);
    }
    cairn__buffer_byte(to, ']');
}

static cairn_status status_of(const cairn__sql *sql, int result, cairn__sql_fault *fault) {
    if (result == SQLITE_INTERRUPT) {
        cairn__sql_say(fault, "the question takes too long: ask for fewer rows, or by name");
        return CAIRN_BUSY;
    }
    cairn__sql_say(fault, sqlite3_errmsg(sql->db));
    if (result == SQLITE_NOMEM) {
        return CAIRN_NO_MEMORY;
    }
    bool broken = result == SQLITE_IOERR || result == SQLITE_CORRUPT || result == SQLITE_FULL;
    return broken ? CAIRN_STORAGE : CAIRN_INVALID;
}

static cairn_status write_rows(cairn__sql *sql, sqlite3_stmt *statement, cairn__buffer *to,
                               cairn__sql_fault *fault) {
    uint32_t rows = 0;
    int result = SQLITE_ROW;
    size_t start = to->len;
    write_head(statement, to);
    while (rows < CAIRN__SQL_ROWS_MAX && (result = sqlite3_step(statement)) == SQLITE_ROW) {
        write_row(statement, rows == 0, to);
        rows += 1;
        if (to->failed || to->len - start > CAIRN__SQL_ANSWER_BYTES_MAX) {
            cairn__sql_say(fault, "the answer is too large: ask for fewer rows or columns");
            return CAIRN_FULL;
        }
    }
    if (result != SQLITE_ROW && result != SQLITE_DONE) {
        return status_of(sql, result, fault);
    }
    bool cut = result == SQLITE_ROW && sqlite3_step(statement) == SQLITE_ROW;
    cairn__buffer_append(to, cairn__span_of(cut ? "],\"cut\":true}" : "],\"cut\":false}"));
    return to->failed ? CAIRN_FULL : CAIRN_OK;
}

static bool only_space(const char *rest, const char *end) {
    for (; rest < end; rest++) {
        if (*rest != ' ' && *rest != '\n' && *rest != '\t' && *rest != '\r' && *rest != ';') {
            return false;
        }
    }
    return true;
}

static cairn_status prepare(cairn__sql *sql, cairn_span text, sqlite3_stmt **statement_out,
                            cairn__sql_fault *fault) {
    const char *rest = NULL;
    int result =
        sqlite3_prepare_v2(sql->db, (const char *)text.data, (int)text.len, statement_out, &rest);
    if (result != SQLITE_OK) {
        return status_of(sql, result, fault);
    }
    if (*statement_out == NULL || !only_space(rest, (const char *)text.data + text.len)) {
        cairn__sql_say(fault, "a question is one SELECT statement");
        return CAIRN_INVALID;
    }
    return CAIRN_OK;
}

cairn_status cairn__sql_ask(cairn__sql *sql, cairn_span text, int64_t now_ms, cairn__buffer *to,
                            cairn__sql_fault *fault_out) {
    sqlite3_stmt *statement = NULL;
    size_t start = to->len;
    if (text.len == 0 || text.len > CAIRN__SQL_TEXT_BYTES_MAX) {
        cairn__sql_say(fault_out, "a question has 1 byte to 16 KiB");
        return CAIRN_INVALID;
    }
    guard(sql);
    cairn_status status = prepare(sql, text, &statement, fault_out);
    if (status == CAIRN_OK) {
        int now = sqlite3_bind_parameter_index(statement, ":now");
        if (now > 0) {
            (void)sqlite3_bind_int64(statement, now, now_ms);
        }
        status = write_rows(sql, statement, to, fault_out);
    }
    (void)sqlite3_finalize(statement);
    unguard(sql);
    if (status != CAIRN_OK) {
        to->len = start;
        to->failed = false;
    }
    return status;
}
