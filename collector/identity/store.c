/* store.c: how the map, new nodes and the journal reach the database and come back. */
#include "identity/store.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"

enum {
    MAP_FIELDS = 4,
    MAP_ROW_BYTES = MAP_FIELDS * 4,
    CHUNK_BYTES = CAIRN__MAP_CHUNK_NODES * MAP_ROW_BYTES
};

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS identity_node(node INTEGER PRIMARY KEY, type TEXT NOT NULL,"
    " value TEXT NOT NULL, seen_order INTEGER NOT NULL, seen_ms INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS identity_map(chunk INTEGER PRIMARY KEY, nodes BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS identity_journal(id INTEGER PRIMARY KEY, seen_order INTEGER NOT "
    "NULL,"
    " seen_ms INTEGER NOT NULL, kind INTEGER NOT NULL, a INTEGER NOT NULL, b INTEGER NOT NULL,"
    " person_from INTEGER NOT NULL, person_into INTEGER NOT NULL);";

/* --- the map ------------------------------------------------------------------------------- */

static bool grow_field(cairn_allocator heap, uint32_t **field, size_t from, size_t to) {
    uint32_t *grown = heap.resize(heap.self, *field, from * sizeof **field, to * sizeof **field);
    if (grown == NULL) {
        return false;
    }
    memset(grown + from, 0, (to - from) * sizeof *grown);
    *field = grown;
    return true;
}

bool cairn__map_reserve(cairn__person_map *map, cairn_allocator allocator) {
    if (map->count < map->capacity) {
        return true;
    }
    size_t from = map->capacity;
    size_t to = from == 0 ? (size_t)CAIRN__MAP_CHUNK_NODES : from * 2;
    size_t words_from = from / CAIRN__MAP_CHUNK_NODES / 64 + (from != 0);
    size_t words_to = to / CAIRN__MAP_CHUNK_NODES / 64 + 1;
    uint64_t *dirty = allocator.resize(allocator.self, map->dirty, words_from * sizeof *dirty,
                                       words_to * sizeof *dirty);
    if (dirty == NULL) {
        return false;
    }
    memset(dirty + words_from, 0, (words_to - words_from) * sizeof *dirty);
    map->dirty = dirty;
    if (!grow_field(allocator, &map->person, from, to) ||
        !grow_field(allocator, &map->ring, from, to) ||
        !grow_field(allocator, &map->login, from, to) ||
        !grow_field(allocator, &map->size, from, to)) {
        return false; /* capacity stays: what has grown is only larger than it need be */
    }
    map->capacity = (uint32_t)to;
    return true;
}

void cairn__map_free(cairn__person_map *map, cairn_allocator allocator) {
    size_t bytes = map->capacity * sizeof *map->person;
    (void)allocator.resize(allocator.self, map->person, bytes, 0);
    (void)allocator.resize(allocator.self, map->ring, bytes, 0);
    (void)allocator.resize(allocator.self, map->login, bytes, 0);
    (void)allocator.resize(allocator.self, map->size, bytes, 0);
    (void)allocator.resize(allocator.self, map->dirty, 0, 0);
    *map = (cairn__person_map){ 0 };
}

void cairn__map_touch(cairn__person_map *map, uint32_t node) {
    CAIRN_ASSERT(node < map->count);
    uint32_t chunk = node / CAIRN__MAP_CHUNK_NODES;
    map->dirty[chunk / 64] |= UINT64_C(1) << (chunk % 64);
}

/* --- reading ------------------------------------------------------------------------------- */

static bool chunk_is_sound(const cairn__person_map *map, uint32_t first, uint32_t count) {
    for (uint32_t node = first; node < first + count; node++) {
        if (map->person[node] > node || map->ring[node] >= map->capacity) {
            return false;
        }
    }
    return true;
}

static cairn_status load_chunk(cairn__identity *identity, uint32_t chunk, cairn_span bytes) {
    cairn__person_map *map = &identity->map;
    uint32_t first = chunk * CAIRN__MAP_CHUNK_NODES;
    if (bytes.len % MAP_ROW_BYTES != 0 || bytes.len > CHUNK_BYTES || first != map->count) {
        return CAIRN_STORAGE;
    }
    uint32_t count = (uint32_t)(bytes.len / MAP_ROW_BYTES);
    if (!cairn__map_reserve(map, identity->allocator)) {
        return CAIRN_NO_MEMORY;
    }
    size_t field_bytes = (size_t)count * 4;
    memcpy(map->person + first, bytes.data, field_bytes);
    memcpy(map->ring + first, bytes.data + field_bytes, field_bytes);
    memcpy(map->login + first, bytes.data + 2 * field_bytes, field_bytes);
    memcpy(map->size + first, bytes.data + 3 * field_bytes, field_bytes);
    map->count += count;
    return CAIRN_OK;
}

static cairn_status load_map(cairn__identity *identity, cairn__db_problem *problem_out) {
    sqlite3_stmt *select = cairn__db_prepare(
        identity->db, "SELECT chunk, nodes FROM identity_map ORDER BY chunk", problem_out);
    if (select == NULL) {
        return CAIRN_STORAGE;
    }
    cairn_status status = CAIRN_OK;
    int result = sqlite3_step(select);
    for (; result == SQLITE_ROW && status == CAIRN_OK; result = sqlite3_step(select)) {
        status = load_chunk(identity, (uint32_t)sqlite3_column_int64(select, 0),
                            cairn__db_column(select, 1));
    }
    sqlite3_finalize(select);
    if (status == CAIRN_OK &&
        (result != SQLITE_DONE || !chunk_is_sound(&identity->map, 0, identity->map.count))) {
        status = CAIRN_STORAGE;
    }
    if (status == CAIRN_STORAGE) {
        (void)snprintf(problem_out->text, sizeof problem_out->text,
                       "identity_map is damaged; rebuild the state from the log");
    }
    return status;
}

static void count_persons(cairn__identity *identity) {
    const cairn__person_map *map = &identity->map;
    for (uint32_t node = 1; node < map->count; node++) {
        identity->stats.persons += map->person[node] == node;
    }
    identity->stats.nodes = map->count - 1;
}

cairn_status cairn__identity_load(cairn__identity *identity, cairn__db_problem *problem_out) {
    sqlite3 *db = identity->db;
    cairn_status status = cairn__db_run(db, tables, problem_out);
    if (status == CAIRN_OK) {
        status = cairn__ids_open(&identity->ids, db, identity->allocator, problem_out);
    }
    if (status == CAIRN_OK) {
        status = load_map(identity, problem_out);
    }
    if (status != CAIRN_OK) {
        return status;
    }
    if (identity->map.count == 0) { /* a new store: node 0 is nobody */
        if (!cairn__map_reserve(&identity->map, identity->allocator)) {
            return CAIRN_NO_MEMORY;
        }
        identity->map.count = 1;
        cairn__map_touch(&identity->map, 0);
    }
    count_persons(identity);
    identity->insert_node =
        cairn__db_prepare(db, "INSERT INTO identity_node VALUES(?, ?, ?, ?, ?)", problem_out);
    identity->insert_journal = cairn__db_prepare(
        db, "INSERT INTO identity_journal VALUES(NULL, ?, ?, ?, ?, ?, ?, ?)", problem_out);
    identity->put_chunk =
        cairn__db_prepare(db, "INSERT OR REPLACE INTO identity_map VALUES(?, ?)", problem_out);
    identity->select_node =
        cairn__db_prepare(db, "SELECT type, value FROM identity_node WHERE node = ?", problem_out);
    bool ready = identity->insert_node != NULL && identity->insert_journal != NULL &&
                 identity->put_chunk != NULL && identity->select_node != NULL;
    return ready ? CAIRN_OK : CAIRN_STORAGE;
}

cairn_status cairn__identity_id_of(cairn__identity *identity, uint32_t node, cairn__arena *arena,
                                   cairn_id *id_out) {
    sqlite3_stmt *select = identity->select_node;
    sqlite3_bind_int64(select, 1, node);
    int result = sqlite3_step(select);
    cairn_status status = result == SQLITE_DONE ? CAIRN_NOT_FOUND : CAIRN_STORAGE;
    if (result == SQLITE_ROW) {
        bool copied = cairn__arena_copy(arena, cairn__db_column(select, 0), &id_out->type) &&
                      cairn__arena_copy(arena, cairn__db_column(select, 1), &id_out->value);
        status = copied ? CAIRN_OK : CAIRN_NO_MEMORY;
    }
    sqlite3_reset(select);
    return status;
}

/* --- writing ------------------------------------------------------------------------------- */

static cairn_status write_nodes(cairn__identity *identity) {
    sqlite3_stmt *insert = identity->insert_node;
    cairn_status status = CAIRN_OK;
    for (size_t i = 0; i < identity->new_count && status == CAIRN_OK; i++) {
        const cairn__new_node *node = &identity->new_nodes[i];
        sqlite3_bind_int64(insert, 1, node->node);
        cairn__db_bind_text(insert, 2, node->id.type);
        cairn__db_bind_text(insert, 3, node->id.value);
        sqlite3_bind_int64(insert, 4, (int64_t)node->moment.order);
        sqlite3_bind_int64(insert, 5, node->moment.time_ms);
        status = cairn__db_done(insert);
    }
    return status;
}

static cairn_status write_journal(cairn__identity *identity) {
    sqlite3_stmt *insert = identity->insert_journal;
    cairn_status status = CAIRN_OK;
    for (size_t i = 0; i < identity->journal_count && status == CAIRN_OK; i++) {
        const cairn__journal_row *row = &identity->journal[i];
        sqlite3_bind_int64(insert, 1, (int64_t)row->moment.order);
        sqlite3_bind_int64(insert, 2, row->moment.time_ms);
        sqlite3_bind_int(insert, 3, (int)row->kind);
        sqlite3_bind_int64(insert, 4, row->a);
        sqlite3_bind_int64(insert, 5, row->b);
        sqlite3_bind_int64(insert, 6, row->from);
        sqlite3_bind_int64(insert, 7, row->into);
        status = cairn__db_done(insert);
    }
    return status;
}

static cairn_status write_chunk(cairn__identity *identity, uint32_t chunk) {
    const cairn__person_map *map = &identity->map;
    uint8_t bytes[CHUNK_BYTES];
    uint32_t first = chunk * CAIRN__MAP_CHUNK_NODES;
    uint32_t count = map->count - first;
    count = count < CAIRN__MAP_CHUNK_NODES ? count : CAIRN__MAP_CHUNK_NODES;
    size_t field_bytes = (size_t)count * 4;
    memcpy(bytes, map->person + first, field_bytes);
    memcpy(bytes + field_bytes, map->ring + first, field_bytes);
    memcpy(bytes + 2 * field_bytes, map->login + first, field_bytes);
    memcpy(bytes + 3 * field_bytes, map->size + first, field_bytes);
    sqlite3_bind_int64(identity->put_chunk, 1, chunk);
    cairn__db_bind_blob(identity->put_chunk, 2, cairn__span(bytes, 4 * field_bytes));
    return cairn__db_done(identity->put_chunk);
}

static uint32_t chunk_count(const cairn__person_map *map) {
    return (map->count + CAIRN__MAP_CHUNK_NODES - 1) / CAIRN__MAP_CHUNK_NODES;
}

static cairn_status write_map(cairn__identity *identity) {
    const cairn__person_map *map = &identity->map;
    cairn_status status = CAIRN_OK;
    for (uint32_t word = 0; word <= chunk_count(map) / 64 && status == CAIRN_OK; word++) {
        for (uint64_t bits = map->dirty[word]; bits != 0 && status == CAIRN_OK; bits &= bits - 1) {
            status = write_chunk(identity, word * 64 + (uint32_t)__builtin_ctzll(bits));
        }
    }
    return status;
}

cairn_status cairn__identity_commit(cairn__identity *identity) {
    cairn_status status = cairn__ids_commit(&identity->ids);
    if (status == CAIRN_OK) {
        status = write_nodes(identity);
    }
    if (status == CAIRN_OK) {
        status = write_journal(identity);
    }
    return status == CAIRN_OK ? write_map(identity) : status;
}

void cairn__identity_committed(cairn__identity *identity, bool ok) {
    if (!ok) {
        return;
    }
    cairn__ids_committed(&identity->ids);
    cairn__arena_reset(&identity->texts);
    identity->new_count = 0;
    identity->journal_count = 0;
    memset(identity->map.dirty, 0,
           (chunk_count(&identity->map) / 64 + 1) * sizeof *identity->map.dirty);
}

/* --- checking ------------------------------------------------------------------------------ */

static uint64_t nodes_in_table(cairn__identity *identity) {
    cairn__db_problem problem;
    sqlite3_stmt *select =
        cairn__db_prepare(identity->db, "SELECT count(*) FROM identity_node", &problem);
    uint64_t count = UINT64_MAX;
    if (select != NULL && sqlite3_step(select) == SQLITE_ROW) {
        count = (uint64_t)sqlite3_column_int64(select, 0);
    }
    sqlite3_finalize(select);
    return count;
}

static uint32_t ring_faults(const cairn__person_map *map) {
    uint32_t faults = 0;
    for (uint32_t node = 1; node < map->count; node++) {
        uint32_t person = map->person[node];
        faults += map->ring[node] == 0 || map->person[map->ring[node]] != person ||
                  map->person[person] != person || map->size[person] > CAIRN__PERSON_IDS_MAX;
    }
    return faults;
}

cairn_status cairn__identity_verify(cairn__identity *identity, cairn__identity_report report,
                                    void *self) {
    char text[160];
    uint32_t faults = ring_faults(&identity->map);
    if (faults != 0) {
        (void)snprintf(text, sizeof text, "identity_map: %u nodes contradict their person", faults);
        report(self, text);
    }
    uint64_t rows = nodes_in_table(identity) + identity->new_count;
    if (rows != identity->map.count - 1u) {
        (void)snprintf(text, sizeof text, "identity_node: %llu rows for %u nodes",
                       (unsigned long long)rows, identity->map.count - 1u);
        report(self, text);
    }
    return faults == 0 && rows == identity->map.count - 1u ? CAIRN_OK : CAIRN_STORAGE;
}
