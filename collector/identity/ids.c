#include "identity/ids.h"

#include <string.h>

#include "base/bytes.h"

#define IDS_SEED UINT64_C(0x1D5)
#define IDS_ARENA_BYTES_MAX ((size_t)512 * 1024 * 1024)

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS identity_id(type TEXT NOT NULL, value TEXT NOT NULL,"
    " node INTEGER NOT NULL, closed INTEGER NOT NULL, PRIMARY KEY(type, value)) WITHOUT ROWID;";

cairn_status cairn__ids_open(cairn__ids *ids, sqlite3 *db, cairn_allocator allocator,
                             cairn__db_problem *problem_out) {
    *ids = (cairn__ids){ .allocator = allocator };
    ids->arena = cairn__arena_make(allocator, IDS_ARENA_BYTES_MAX);
    cairn_status status = cairn__db_run(db, tables, problem_out);
    if (status != CAIRN_OK) {
        return status;
    }
    ids->select = cairn__db_prepare(
        db, "SELECT node, closed FROM identity_id WHERE type = ? AND value = ?", problem_out);
    ids->upsert = cairn__db_prepare(
        db,
        "INSERT INTO identity_id(type, value, node, closed) VALUES(?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET node = excluded.node, closed = excluded.closed",
        problem_out);
    return ids->select != NULL && ids->upsert != NULL ? CAIRN_OK : CAIRN_STORAGE;
}

void cairn__ids_close(cairn__ids *ids) {
    sqlite3_finalize(ids->select);
    sqlite3_finalize(ids->upsert);
    cairn__index_free(&ids->index);
    cairn__arena_free(&ids->arena);
    cairn_allocator heap = ids->allocator;
    (void)heap.resize(heap.self, ids->list, ids->capacity * sizeof *ids->list, 0);
    (void)heap.resize(heap.self, ids->dirty, ids->capacity * sizeof *ids->dirty, 0);
}

static uint64_t hash_of(cairn_id id) {
    return cairn__hash(id.value, cairn__hash(id.type, IDS_SEED));
}

typedef struct wanted {
    const cairn__ids *ids;
    cairn_id id;
} wanted;

static bool matches(const void *context, uint32_t value) {
    const wanted *w = context;
    const cairn_id *id = &w->ids->list[value].id;
    return cairn__span_equal(id->value, w->id.value) && cairn__span_equal(id->type, w->id.type);
}

static uint64_t rehash(const void *context, uint32_t value) {
    return ((const cairn__ids *)context)->list[value].hash;
}

static cairn_status load(cairn__ids *ids, cairn__known_id *entry) {
    cairn__db_bind_text(ids->select, 1, entry->id.type);
    cairn__db_bind_text(ids->select, 2, entry->id.value);
    int result = sqlite3_step(ids->select);
    if (result == SQLITE_ROW) {
        entry->node = (uint32_t)sqlite3_column_int64(ids->select, 0);
        entry->closed = sqlite3_column_int(ids->select, 1) != 0;
    }
    sqlite3_reset(ids->select);
    return result == SQLITE_ROW || result == SQLITE_DONE ? CAIRN_OK : CAIRN_STORAGE;
}

static bool grow(cairn__ids *ids) {
    if (ids->count < ids->capacity) {
        return true;
    }
    size_t capacity = ids->capacity == 0 ? 64 : ids->capacity * 2;
    cairn_allocator heap = ids->allocator;
    cairn__known_id *list =
        heap.resize(heap.self, ids->list, ids->capacity * sizeof *list, capacity * sizeof *list);
    if (list == NULL) {
        return false;
    }
    ids->list = list; /* larger than capacity says, should the next one fail: harmless */
    uint32_t *dirty =
        heap.resize(heap.self, ids->dirty, ids->capacity * sizeof *dirty, capacity * sizeof *dirty);
    if (dirty == NULL) {
        return false;
    }
    ids->dirty = dirty;
    ids->capacity = capacity;
    return true;
}

void cairn__ids_touch(cairn__ids *ids, cairn__known_id *entry) {
    if (!entry->dirty) {
        entry->dirty = true;
        ids->dirty[ids->dirty_count++] = (uint32_t)(entry - ids->list);
    }
}

cairn_status cairn__ids_get(cairn__ids *ids, cairn_id id, cairn__known_id **entry_out) {
    uint64_t hash = hash_of(id);
    uint32_t at = 0;
    if (cairn__index_find(&ids->index, hash, matches, &(wanted){ ids, id }, &at)) {
        *entry_out = &ids->list[at];
        return CAIRN_OK;
    }
    cairn__known_id entry = { .hash = hash };
    if (!grow(ids) || !cairn__arena_copy(&ids->arena, id.type, &entry.id.type) ||
        !cairn__arena_copy(&ids->arena, id.value, &entry.id.value)) {
        return CAIRN_NO_MEMORY;
    }
    cairn_status status = load(ids, &entry);
    if (status != CAIRN_OK) {
        return status;
    }
    ids->list[ids->count] = entry;
    if (!cairn__index_insert(&ids->index, hash, (uint32_t)ids->count, rehash, ids)) {
        return CAIRN_NO_MEMORY;
    }
    *entry_out = &ids->list[ids->count++];
    return CAIRN_OK;
}

cairn_status cairn__ids_commit(cairn__ids *ids) {
    cairn_status status = CAIRN_OK;
    for (size_t i = 0; i < ids->dirty_count && status == CAIRN_OK; i++) {
        const cairn__known_id *entry = &ids->list[ids->dirty[i]];
        cairn__db_bind_text(ids->upsert, 1, entry->id.type);
        cairn__db_bind_text(ids->upsert, 2, entry->id.value);
        sqlite3_bind_int64(ids->upsert, 3, entry->node);
        sqlite3_bind_int(ids->upsert, 4, entry->closed);
        status = cairn__db_done(ids->upsert);
    }
    return status;
}

void cairn__ids_committed(cairn__ids *ids) {
    for (size_t i = 0; i < ids->dirty_count; i++) {
        ids->list[ids->dirty[i]].dirty = false;
    }
    ids->dirty_count = 0;
    if (ids->count > CAIRN__IDS_KEPT_MAX) {
        cairn__index_clear(&ids->index);
        cairn__arena_reset(&ids->arena);
        ids->count = 0;
    }
}
