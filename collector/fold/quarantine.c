#include "fold/quarantine.h"

#include "base/bytes.h"

enum { LIST_MIN = 16 };
#define TEXTS_BYTES_MAX ((size_t)256 * 1024 * 1024)

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS quarantine(id INTEGER PRIMARY KEY, received_ms INTEGER NOT NULL,"
    " code TEXT NOT NULL, field TEXT NOT NULL, fix TEXT NOT NULL, original BLOB NOT NULL);";

cairn_status cairn__quarantine_open(cairn__quarantine *quarantine, sqlite3 *db,
                                    cairn_allocator allocator, cairn__db_problem *problem_out) {
    *quarantine = (cairn__quarantine){ .allocator = allocator };
    quarantine->texts = cairn__arena_make(allocator, TEXTS_BYTES_MAX);
    cairn_status status = cairn__db_run(db, tables, problem_out);
    if (status != CAIRN_OK) {
        return status;
    }
    quarantine->insert = cairn__db_prepare(
        db, "INSERT OR REPLACE INTO quarantine VALUES(?, ?, ?, ?, ?, ?)", problem_out);
    quarantine->trim =
        cairn__db_prepare(db,
                          "DELETE FROM quarantine WHERE id <="
                          " (SELECT id FROM quarantine ORDER BY id DESC LIMIT 1 OFFSET ?)",
                          problem_out);
    return quarantine->insert != NULL && quarantine->trim != NULL ? CAIRN_OK : CAIRN_STORAGE;
}

void cairn__quarantine_close(cairn__quarantine *quarantine) {
    sqlite3_finalize(quarantine->insert);
    sqlite3_finalize(quarantine->trim);
    cairn__arena_free(&quarantine->texts);
    (void)quarantine->allocator.resize(quarantine->allocator.self, quarantine->list,
                                       quarantine->capacity * sizeof *quarantine->list, 0);
}

cairn_status cairn__quarantine_add(cairn__quarantine *quarantine, const cairn__quarantined *event) {
    if (quarantine->count == quarantine->capacity) {
        cairn_allocator heap = quarantine->allocator;
        size_t capacity = quarantine->capacity == 0 ? (size_t)LIST_MIN : quarantine->capacity * 2;
        cairn__quarantined *list =
            heap.resize(heap.self, quarantine->list, quarantine->capacity * sizeof *list,
                        capacity * sizeof *list);
        if (list == NULL) {
            return CAIRN_NO_MEMORY;
        }
        quarantine->list = list;
        quarantine->capacity = capacity;
    }
    cairn__quarantined kept = *event;
    cairn_span field = cairn__span_of(event->fault.field);
    field.len++; /* its end, too */
    if (!cairn__arena_copy(&quarantine->texts, event->original, &kept.original) ||
        !cairn__arena_copy(&quarantine->texts, field, &field)) {
        return CAIRN_NO_MEMORY;
    }
    kept.fault.field = (const char *)field.data;
    quarantine->list[quarantine->count++] = kept;
    return CAIRN_OK;
}

cairn_status cairn__quarantine_commit(cairn__quarantine *quarantine) {
    cairn_status status = CAIRN_OK;
    for (size_t i = 0; i < quarantine->count && status == CAIRN_OK; i++) {
        const cairn__quarantined *event = &quarantine->list[i];
        sqlite3_bind_int64(quarantine->insert, 1, (int64_t)event->order);
        sqlite3_bind_int64(quarantine->insert, 2, event->received_ms);
        cairn__db_bind_text(quarantine->insert, 3, cairn__span_of(event->fault.code));
        cairn__db_bind_text(quarantine->insert, 4, cairn__span_of(event->fault.field));
        cairn__db_bind_text(quarantine->insert, 5, cairn__span_of(event->fault.fix));
        cairn__db_bind_blob(quarantine->insert, 6, event->original);
        status = cairn__db_done(quarantine->insert);
    }
    if (status == CAIRN_OK && quarantine->count != 0) {
        sqlite3_bind_int64(quarantine->trim, 1, CAIRN__QUARANTINE_ROWS_MAX);
        status = cairn__db_done(quarantine->trim);
    }
    return status;
}

void cairn__quarantine_committed(cairn__quarantine *quarantine) {
    quarantine->count = 0;
    cairn__arena_reset(&quarantine->texts);
}
