#include "fold/ledger.h"

#include "base/bytes.h"
#include "fold/json.h"

enum { ROWS_MIN = 16, GRANTED = 1, DENIED = 2, CATEGORIES = 3 };
#define TEXTS_BYTES_MAX ((size_t)256 * 1024 * 1024)

static const cairn_span categories[CATEGORIES] = {
    { (const uint8_t *)"analytics", 9 },
    { (const uint8_t *)"marketing", 9 },
    { (const uint8_t *)"personalisation", 15 },
};

struct cairn__ledger_row {
    cairn__ledger_moment at;
    size_t category; /* CATEGORIES: an erasure */
    int state;
    cairn_span source, text_version;
    cairn_span original; /* of an erasure */
};

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS consent_ledger(id INTEGER NOT NULL, category TEXT NOT NULL,"
    " node INTEGER NOT NULL, state INTEGER NOT NULL, time_ms INTEGER NOT NULL,"
    " received_ms INTEGER NOT NULL, source TEXT NOT NULL, text_version TEXT NOT NULL,"
    " PRIMARY KEY(id, category)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS consent_ledger_node ON consent_ledger(node);"
    "CREATE TABLE IF NOT EXISTS erase_requests(id INTEGER PRIMARY KEY, node INTEGER NOT NULL,"
    " time_ms INTEGER NOT NULL, received_ms INTEGER NOT NULL, state TEXT NOT NULL,"
    " original BLOB NOT NULL);"
    "CREATE INDEX IF NOT EXISTS erase_requests_node ON erase_requests(node);";

cairn_status cairn__ledger_open(cairn__ledger *ledger, sqlite3 *db, cairn_allocator allocator,
                                cairn__db_problem *problem_out) {
    *ledger = (cairn__ledger){ .allocator = allocator };
    ledger->texts = cairn__arena_make(allocator, TEXTS_BYTES_MAX);
    cairn_status status = cairn__db_run(db, tables, problem_out);
    if (status != CAIRN_OK) {
        return status;
    }
    /* folding again after a crash gives the same rows the same ids */
    ledger->put_consent = cairn__db_prepare(
        db, "INSERT OR IGNORE INTO consent_ledger VALUES(?, ?, ?, ?, ?, ?, ?, ?)", problem_out);
    ledger->put_erase = cairn__db_prepare(
        db, "INSERT OR IGNORE INTO erase_requests VALUES(?, ?, ?, ?, 'waiting', ?)", problem_out);
    ledger->newest =
        cairn__db_prepare(db,
                          "SELECT time_ms, id, state, source, text_version FROM consent_ledger"
                          " WHERE node = ? AND category = ? ORDER BY time_ms DESC, id DESC LIMIT 1",
                          problem_out);
    ledger->asked = cairn__db_prepare(db, "SELECT min(time_ms) FROM erase_requests WHERE node = ?",
                                      problem_out);
    bool prepared = ledger->put_consent != NULL && ledger->put_erase != NULL &&
                    ledger->newest != NULL && ledger->asked != NULL;
    return prepared ? CAIRN_OK : CAIRN_STORAGE;
}

void cairn__ledger_close(cairn__ledger *ledger) {
    sqlite3_finalize(ledger->put_consent);
    sqlite3_finalize(ledger->put_erase);
    sqlite3_finalize(ledger->newest);
    sqlite3_finalize(ledger->asked);
    cairn__arena_free(&ledger->texts);
    (void)ledger->allocator.resize(ledger->allocator.self, ledger->rows,
                                   ledger->capacity * sizeof *ledger->rows, 0);
}

/* --- rows --------------------------------------------------------------------------------------*/

/* Room for so many more rows. */
static bool make_room(cairn__ledger *ledger, size_t more) {
    if (ledger->count + more <= ledger->capacity) {
        return true;
    }
    cairn_allocator heap = ledger->allocator;
    size_t capacity = ledger->capacity == 0 ? (size_t)ROWS_MIN : ledger->capacity * 2;
    cairn__ledger_row *rows = heap.resize(heap.self, ledger->rows, ledger->capacity * sizeof *rows,
                                          capacity * sizeof *rows);
    if (rows == NULL) {
        return false;
    }
    ledger->rows = rows;
    ledger->capacity = capacity;
    return true;
}

static cairn_span text_of(const cairn__event *event, cairn_span name) {
    for (size_t i = 0; i < event->property_count; i++) {
        const cairn_property *property = &event->properties[i];
        if (cairn__span_equal(property->name, name) && property->value.kind == CAIRN_VALUE_STRING) {
            return property->value.as.string;
        }
    }
    return (cairn_span){ NULL, 0 };
}

static int state_of(cairn_span text) {
    if (cairn__span_equal(text, CAIRN_STR("granted"))) {
        return GRANTED;
    }
    return cairn__span_equal(text, CAIRN_STR("denied")) ? DENIED : 0;
}

cairn_status cairn__ledger_consent(cairn__ledger *ledger, const cairn__event *event,
                                   const cairn__ledger_moment *at) {
    cairn__ledger_row row = { .at = *at };
    if (!make_room(ledger, CATEGORIES) ||
        !cairn__arena_copy(&ledger->texts, text_of(event, CAIRN_STR("source")), &row.source) ||
        !cairn__arena_copy(&ledger->texts, text_of(event, CAIRN_STR("text_version")),
                           &row.text_version)) {
        return CAIRN_NO_MEMORY;
    }
    size_t first = ledger->count;
    for (row.category = 0; row.category < CATEGORIES; row.category++) {
        cairn_span said = text_of(event, categories[row.category]);
        row.state = state_of(said);
        if (row.state != 0) {
            ledger->rows[ledger->count++] = row;
        } else if (said.len > 0) {
            ledger->count = first;
            return CAIRN_INVALID;
        }
    }
    return ledger->count > first ? CAIRN_OK : CAIRN_INVALID;
}

cairn_status cairn__ledger_erase(cairn__ledger *ledger, cairn_span original,
                                 const cairn__ledger_moment *at) {
    cairn__ledger_row row = { .at = *at, .category = CATEGORIES };
    if (!make_room(ledger, 1) || !cairn__arena_copy(&ledger->texts, original, &row.original)) {
        return CAIRN_NO_MEMORY;
    }
    ledger->rows[ledger->count++] = row;
    return CAIRN_OK;
}

static cairn_status put_consent(const cairn__ledger *ledger, const cairn__ledger_row *row) {
    sqlite3_bind_int64(ledger->put_consent, 1, (int64_t)row->at.order);
    cairn__db_bind_text(ledger->put_consent, 2, categories[row->category]);
    sqlite3_bind_int64(ledger->put_consent, 3, row->at.node);
    sqlite3_bind_int64(ledger->put_consent, 4, row->state);
    sqlite3_bind_int64(ledger->put_consent, 5, row->at.time_ms);
    sqlite3_bind_int64(ledger->put_consent, 6, row->at.received_ms);
    cairn__db_bind_text(ledger->put_consent, 7, row->source);
    cairn__db_bind_text(ledger->put_consent, 8, row->text_version);
    return cairn__db_done(ledger->put_consent);
}

static cairn_status put_erase(const cairn__ledger *ledger, const cairn__ledger_row *row) {
    sqlite3_bind_int64(ledger->put_erase, 1, (int64_t)row->at.order);
    sqlite3_bind_int64(ledger->put_erase, 2, row->at.node);
    sqlite3_bind_int64(ledger->put_erase, 3, row->at.time_ms);
    sqlite3_bind_int64(ledger->put_erase, 4, row->at.received_ms);
    cairn__db_bind_blob(ledger->put_erase, 5, row->original);
    return cairn__db_done(ledger->put_erase);
}

cairn_status cairn__ledger_commit(cairn__ledger *ledger) {
    cairn_status status = CAIRN_OK;
    for (size_t i = 0; i < ledger->count && status == CAIRN_OK; i++) {
        const cairn__ledger_row *row = &ledger->rows[i];
        status = row->category == CATEGORIES ? put_erase(ledger, row) : put_consent(ledger, row);
    }
    return status;
}

void cairn__ledger_committed(cairn__ledger *ledger) {
    ledger->count = 0;
    cairn__arena_reset(&ledger->texts);
}

/* --- what holds --------------------------------------------------------------------------------*/

static json_t *json_text(cairn_span text) {
    return json_stringn(text.len == 0 ? "" : (const char *)text.data, text.len);
}

/* The row under the statement, as JSON. */
static json_t *said_in(sqlite3_stmt *row) {
    json_t *said = json_object();
    bool granted = sqlite3_column_int64(row, 2) == GRANTED;
    bool put =
        cairn__json_put(said, CAIRN_STR("state"),
                        json_text(granted ? CAIRN_STR("granted") : CAIRN_STR("denied"))) &&
        cairn__json_put(said, CAIRN_STR("time"), cairn__json_time(sqlite3_column_int64(row, 0))) &&
        cairn__json_put(said, CAIRN_STR("source"), json_text(cairn__db_column(row, 3))) &&
        cairn__json_put(said, CAIRN_STR("text_version"), json_text(cairn__db_column(row, 4)));
    if (!put) {
        json_decref(said);
        return NULL;
    }
    return said;
}

typedef struct newest {
    int64_t time_ms, order;
    json_t *said; /* NULL: nothing was */
} newest;

/* Whether the statement's row is newer than what is known; takes it then. */
static bool take_newer(sqlite3_stmt *row, newest *known) {
    int64_t time_ms = sqlite3_column_int64(row, 0);
    int64_t order = sqlite3_column_int64(row, 1);
    bool newer = known->said == NULL || time_ms > known->time_ms ||
                 (time_ms == known->time_ms && order > known->order);
    if (!newer) {
        return true;
    }
    json_decref(known->said);
    *known = (newest){ time_ms, order, said_in(row) };
    return known->said != NULL;
}

static bool find_newest(cairn__ledger *ledger, cairn_span category, const uint32_t *nodes,
                        size_t count, newest *known) {
    for (size_t i = 0; i < count; i++) {
        sqlite3_bind_int64(ledger->newest, 1, nodes[i]);
        cairn__db_bind_text(ledger->newest, 2, category);
        int result = sqlite3_step(ledger->newest);
        bool read =
            result == SQLITE_ROW ? take_newer(ledger->newest, known) : result == SQLITE_DONE;
        sqlite3_reset(ledger->newest);
        if (!read) {
            json_decref(known->said);
            return false;
        }
    }
    return true;
}

json_t *cairn__ledger_person(cairn__ledger *ledger, const uint32_t *nodes, size_t count) {
    json_t *all = json_object();
    for (size_t i = 0; all != NULL && i < CATEGORIES; i++) {
        newest known = { .said = NULL };
        bool read = find_newest(ledger, categories[i], nodes, count, &known);
        if (!read || (known.said != NULL && !cairn__json_put(all, categories[i], known.said))) {
            json_decref(all);
            return NULL;
        }
    }
    return all;
}

bool cairn__ledger_asked(cairn__ledger *ledger, const uint32_t *nodes, size_t count,
                         int64_t *time_ms_out) {
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        sqlite3_bind_int64(ledger->asked, 1, nodes[i]);
        bool row = sqlite3_step(ledger->asked) == SQLITE_ROW &&
                   sqlite3_column_type(ledger->asked, 0) == SQLITE_INTEGER;
        int64_t time_ms = row ? sqlite3_column_int64(ledger->asked, 0) : 0;
        if (row && (!found || time_ms < *time_ms_out)) {
            *time_ms_out = time_ms;
            found = true;
        }
        sqlite3_reset(ledger->asked);
    }
    return found;
}
