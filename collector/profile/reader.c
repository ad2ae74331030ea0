#include "profile/reader.h"

#include <string.h>

#include "base/bytes.h"

enum { READ_BYTES_MAX = 16 * 1024 * 1024 };

/* One property's pass: a cursor over (node, record) in node order. */
typedef struct pass {
    cairn_span name;
    int64_t name_id;      /* -1: nobody has such a property */
    sqlite3_stmt *cursor; /* stands on `node` */
    uint32_t node;        /* UINT32_MAX: at the end */
    uint32_t asked;       /* for which node it was asked last */
} pass;

struct cairn__profile_reader {
    cairn_allocator allocator;
    sqlite3 *db;
    sqlite3_stmt *point;
    cairn__arena names, values;
    pass passes[CAIRN__PROFILE_READ_NAMES_MAX];
    size_t pass_count;
};

cairn_status cairn__profile_reader_open(sqlite3 *db, cairn_allocator allocator,
                                        cairn__profile_reader **reader_out,
                                        cairn__db_problem *problem_out) {
    *reader_out = NULL;
    cairn__profile_reader *reader = allocator.resize(allocator.self, NULL, 0, sizeof *reader);
    if (reader == NULL) {
        return CAIRN_NO_MEMORY;
    }
    *reader = (cairn__profile_reader){ .allocator = allocator, .db = db };
    reader->names = cairn__arena_make(allocator, READ_BYTES_MAX);
    reader->values = cairn__arena_make(allocator, READ_BYTES_MAX);
    reader->point = cairn__db_prepare(
        db, "SELECT record FROM profile_value WHERE name = ? AND node = ?", problem_out);
    if (reader->point == NULL) {
        cairn__profile_reader_close(reader);
        return CAIRN_STORAGE;
    }
    *reader_out = reader;
    return CAIRN_OK;
}

void cairn__profile_reader_close(cairn__profile_reader *reader) {
    if (reader == NULL) {
        return;
    }
    for (size_t i = 0; i < reader->pass_count; i++) {
        sqlite3_finalize(reader->passes[i].cursor);
    }
    sqlite3_finalize(reader->point);
    cairn__arena_free(&reader->names);
    cairn__arena_free(&reader->values);
    (void)reader->allocator.resize(reader->allocator.self, reader, sizeof *reader, 0);
}

static cairn_status step(pass *p) {
    int result = sqlite3_step(p->cursor);
    p->node = result == SQLITE_ROW ? (uint32_t)sqlite3_column_int64(p->cursor, 0) : UINT32_MAX;
    return result == SQLITE_ROW || result == SQLITE_DONE ? CAIRN_OK : CAIRN_STORAGE;
}

static cairn_status find_name(cairn__profile_reader *reader, pass *p) {
    sqlite3_stmt *select =
        cairn__db_prepare(reader->db, "SELECT id FROM profile_name WHERE name = ?", NULL);
    if (select == NULL) {
        return CAIRN_STORAGE;
    }
    cairn__db_bind_text(select, 1, p->name);
    int result = sqlite3_step(select);
    p->name_id = result == SQLITE_ROW ? sqlite3_column_int64(select, 0) : -1;
    sqlite3_finalize(select);
    return result == SQLITE_ROW || result == SQLITE_DONE ? CAIRN_OK : CAIRN_STORAGE;
}

static cairn_status begin(cairn__profile_reader *reader, cairn_span name, uint32_t first,
                          pass **pass_out) {
    if (reader->pass_count == CAIRN__PROFILE_READ_NAMES_MAX) {
        return CAIRN_FULL;
    }
    pass *p = &reader->passes[reader->pass_count];
    *p = (pass){ .node = UINT32_MAX };
    if (!cairn__arena_copy(&reader->names, name, &p->name)) {
        return CAIRN_NO_MEMORY;
    }
    cairn_status status = find_name(reader, p);
    if (status == CAIRN_OK && p->name_id >= 0) {
        p->cursor = cairn__db_prepare(reader->db,
                                      "SELECT node, record FROM profile_value"
                                      " WHERE name = ? AND node >= ? ORDER BY node",
                                      NULL);
        if (p->cursor == NULL) {
            return CAIRN_STORAGE;
        }
        sqlite3_bind_int64(p->cursor, 1, p->name_id);
        sqlite3_bind_int64(p->cursor, 2, first);
        status = step(p);
    }
    reader->pass_count++;
    *pass_out = p;
    return status;
}

static cairn_status pass_of(cairn__profile_reader *reader, cairn_span name, uint32_t first,
                            pass **pass_out) {
    for (size_t i = 0; i < reader->pass_count; i++) {
        if (cairn__span_equal(reader->passes[i].name, name)) {
            *pass_out = &reader->passes[i];
            return CAIRN_OK;
        }
    }
    return begin(reader, name, first, pass_out);
}

/* Copies first: the statement's bytes go away with its next step. */
static cairn_status take(cairn__profile_reader *reader, sqlite3_stmt *statement, int column,
                         cairn__profile_record *record_out) {
    cairn_span bytes;
    return cairn__arena_copy(&reader->values, cairn__db_column(statement, column), &bytes)
               ? cairn__profile_record_read(bytes, &reader->values, record_out)
               : CAIRN_NO_MEMORY;
}

static cairn_status read_own(cairn__profile_reader *reader, pass *p, uint32_t node,
                             cairn__profile_record *record_out) {
    cairn_status status = CAIRN_OK;
    if (node < p->asked) { /* another pass over all persons begins */
        sqlite3_reset(p->cursor);
        sqlite3_bind_int64(p->cursor, 2, node);
        status = step(p);
    }
    p->asked = node;
    while (status == CAIRN_OK && p->node < node) {
        status = step(p);
    }
    return status == CAIRN_OK && p->node == node ? take(reader, p->cursor, 1, record_out) : status;
}

static cairn_status read_joined(cairn__profile_reader *reader, const pass *p, uint32_t node,
                                cairn__profile_record *record_out) {
    sqlite3_bind_int64(reader->point, 1, p->name_id);
    sqlite3_bind_int64(reader->point, 2, node);
    int result = sqlite3_step(reader->point);
    cairn_status status = result == SQLITE_DONE ? CAIRN_OK : CAIRN_STORAGE;
    if (result == SQLITE_ROW) {
        status = take(reader, reader->point, 0, record_out);
    }
    sqlite3_reset(reader->point);
    return status;
}

static cairn_status read_property(cairn__profile_reader *reader, pass *p, cairn__nodes nodes,
                                  cairn_value *value_out) {
    value_out->kind = CAIRN_VALUE_NULL;
    if (p->name_id < 0) {
        return CAIRN_OK;
    }
    cairn__profile_record *records =
        cairn__arena_alloc_zero(&reader->values, nodes.count, sizeof *records);
    if (records == NULL) {
        return CAIRN_NO_MEMORY;
    }
    cairn_status status = read_own(reader, p, nodes.list[0], &records[0]);
    for (size_t i = 1; i < nodes.count && status == CAIRN_OK; i++) {
        status = read_joined(reader, p, nodes.list[i], &records[i]);
    }
    return status == CAIRN_OK
               ? cairn__records_fold(records, nodes.count, &reader->values, value_out)
               : status;
}

cairn_status cairn__profile_reader_read(cairn__profile_reader *reader, cairn__nodes nodes,
                                        cairn_string_list names, cairn_value *values_out) {
    cairn__arena_reset(&reader->values);
    cairn_status status = CAIRN_OK;
    for (size_t i = 0; i < names.count && status == CAIRN_OK; i++) {
        pass *p = NULL;
        status = pass_of(reader, names.items[i], nodes.list[0], &p);
        if (status == CAIRN_OK) {
            status = read_property(reader, p, nodes, &values_out[i]);
        }
    }
    return status;
}
