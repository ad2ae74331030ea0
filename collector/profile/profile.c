#include "profile/profile.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"

enum { NAMES_MIN = 64, KEPT_MIN = 256, RECORD_BYTES_MAX = 8 * 1024 * 1024 };
#define NAMES_SEED UINT64_C(0x9A3E)
#define TEXTS_BYTES_MAX ((size_t)1024 * 1024 * 1024)
#define TEXTS_BYTES_KEPT ((size_t)64 * 1024 * 1024)

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS profile_name(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE IF NOT EXISTS profile_value(name INTEGER NOT NULL, node INTEGER NOT NULL,"
    " record BLOB NOT NULL, PRIMARY KEY(name, node)) WITHOUT ROWID;";

/* A record in memory. */
typedef struct kept {
    uint32_t name;
    uint32_t node;
    bool present; /* in the database or to be: else only remembered as missing */
    bool dirty;
    cairn__profile_record record;
} kept;

struct cairn__profile {
    cairn_allocator allocator;
    sqlite3 *db;
    sqlite3_stmt *insert_name, *select, *upsert;
    cairn__arena name_texts;
    cairn_span names[CAIRN__PROFILE_NAMES_MAX];
    uint32_t name_count, names_written;
    cairn__index name_index;
    cairn__arena texts; /* of the records in memory */
    kept *list;
    uint32_t *dirty; /* places in the list */
    size_t count, capacity, dirty_count;
    cairn__index index;
};

/* --- names --------------------------------------------------------------------------------- */

typedef struct wanted_name {
    const cairn__profile *profile;
    cairn_span name;
} wanted_name;

static bool name_matches(const void *context, uint32_t value) {
    const wanted_name *w = context;
    return cairn__span_equal(w->profile->names[value], w->name);
}

static uint64_t name_hash(const void *context, uint32_t value) {
    return cairn__hash(((const cairn__profile *)context)->names[value], NAMES_SEED);
}

static cairn_status add_name(cairn__profile *profile, cairn_span name, uint32_t *id_out) {
    if (profile->name_count == CAIRN__PROFILE_NAMES_MAX) {
        return CAIRN_FULL;
    }
    uint32_t id = profile->name_count;
    if (!cairn__arena_copy(&profile->name_texts, name, &profile->names[id]) ||
        !cairn__index_insert(&profile->name_index, cairn__hash(name, NAMES_SEED), id, name_hash,
                             profile)) {
        return CAIRN_NO_MEMORY;
    }
    profile->name_count++;
    *id_out = id;
    return CAIRN_OK;
}

static cairn_status name_id(cairn__profile *profile, cairn_span name, uint32_t *id_out) {
    bool found = cairn__index_find(&profile->name_index, cairn__hash(name, NAMES_SEED),
                                   name_matches, &(wanted_name){ profile, name }, id_out);
    return found ? CAIRN_OK : add_name(profile, name, id_out);
}

static cairn_status load_names(cairn__profile *profile, cairn__db_problem *problem_out) {
    sqlite3_stmt *select = cairn__db_prepare(
        profile->db, "SELECT id, name FROM profile_name ORDER BY id", problem_out);
    if (select == NULL) {
        return CAIRN_STORAGE;
    }
    cairn_status status = CAIRN_OK;
    int result = sqlite3_step(select);
    for (; result == SQLITE_ROW && status == CAIRN_OK; result = sqlite3_step(select)) {
        uint32_t id = 0;
        status = add_name(profile, cairn__db_column(select, 1), &id);
        if (status == CAIRN_OK && sqlite3_column_int64(select, 0) != id) {
            status = CAIRN_STORAGE;
            (void)snprintf(problem_out->text, sizeof problem_out->text,
                           "profile_name has a gap before id %u; rebuild the state from the log",
                           id);
        }
    }
    sqlite3_finalize(select);
    profile->names_written = profile->name_count;
    return status == CAIRN_OK && result != SQLITE_DONE ? CAIRN_STORAGE : status;
}

/* --- life ---------------------------------------------------------------------------------- */

static cairn_status load(cairn__profile *profile, cairn__db_problem *problem_out) {
    sqlite3 *db = profile->db;
    cairn_status status = cairn__db_run(db, tables, problem_out);
    if (status == CAIRN_OK) {
        status = load_names(profile, problem_out);
    }
    if (status != CAIRN_OK) {
        return status;
    }
    profile->insert_name =
        cairn__db_prepare(db, "INSERT INTO profile_name VALUES(?, ?)", problem_out);
    profile->select = cairn__db_prepare(
        db, "SELECT record FROM profile_value WHERE name = ? AND node = ?", problem_out);
    profile->upsert =
        cairn__db_prepare(db, "INSERT OR REPLACE INTO profile_value VALUES(?, ?, ?)", problem_out);
    bool ready = profile->insert_name != NULL && profile->select != NULL && profile->upsert != NULL;
    return ready ? CAIRN_OK : CAIRN_STORAGE;
}

cairn_status cairn__profile_open(sqlite3 *db, cairn_allocator allocator,
                                 cairn__profile **profile_out, cairn__db_problem *problem_out) {
    *profile_out = NULL;
    cairn__profile *profile = allocator.resize(allocator.self, NULL, 0, sizeof *profile);
    if (profile == NULL) {
        return CAIRN_NO_MEMORY;
    }
    memset(profile, 0, sizeof *profile);
    profile->allocator = allocator;
    profile->db = db;
    profile->name_texts = cairn__arena_make(allocator, TEXTS_BYTES_MAX);
    profile->texts = cairn__arena_make(allocator, TEXTS_BYTES_MAX);
    cairn_status status = load(profile, problem_out);
    if (status != CAIRN_OK) {
        cairn__profile_close(profile);
        return status;
    }
    *profile_out = profile;
    return CAIRN_OK;
}

void cairn__profile_close(cairn__profile *profile) {
    if (profile == NULL) {
        return;
    }
    cairn_allocator heap = profile->allocator;
    sqlite3_finalize(profile->insert_name);
    sqlite3_finalize(profile->select);
    sqlite3_finalize(profile->upsert);
    cairn__index_free(&profile->name_index);
    cairn__index_free(&profile->index);
    cairn__arena_free(&profile->name_texts);
    cairn__arena_free(&profile->texts);
    (void)heap.resize(heap.self, profile->list, profile->capacity * sizeof *profile->list, 0);
    (void)heap.resize(heap.self, profile->dirty, profile->capacity * sizeof *profile->dirty, 0);
    (void)heap.resize(heap.self, profile, sizeof *profile, 0);
}

/* --- records ------------------------------------------------------------------------------- */

static uint64_t key_of(uint32_t name, uint32_t node) {
    return cairn__mix((uint64_t)name << 32 | node);
}

typedef struct wanted_record {
    const cairn__profile *profile;
    uint32_t name, node;
} wanted_record;

static bool record_matches(const void *context, uint32_t value) {
    const wanted_record *w = context;
    const kept *entry = &w->profile->list[value];
    return entry->name == w->name && entry->node == w->node;
}

static uint64_t record_hash(const void *context, uint32_t value) {
    const kept *entry = &((const cairn__profile *)context)->list[value];
    return key_of(entry->name, entry->node);
}

static bool grow(cairn__profile *profile) {
    if (profile->count < profile->capacity) {
        return true;
    }
    cairn_allocator heap = profile->allocator;
    size_t capacity = profile->capacity == 0 ? (size_t)KEPT_MIN : profile->capacity * 2;
    kept *list = heap.resize(heap.self, profile->list, profile->capacity * sizeof *list,
                             capacity * sizeof *list);
    if (list == NULL) {
        return false;
    }
    profile->list = list; /* larger than capacity says, should the next one fail: harmless */
    uint32_t *dirty = heap.resize(heap.self, profile->dirty, profile->capacity * sizeof *dirty,
                                  capacity * sizeof *dirty);
    if (dirty == NULL) {
        return false;
    }
    profile->dirty = dirty;
    profile->capacity = capacity;
    return true;
}

/* The borrowed spans of a record as read must outlive the statement: copy the bytes first. */
static cairn_status load_record(cairn__profile *profile, kept *entry) {
    if (entry->name >= profile->names_written) {
        return CAIRN_OK; /* the name itself is not in the database yet */
    }
    sqlite3_bind_int64(profile->select, 1, entry->name);
    sqlite3_bind_int64(profile->select, 2, entry->node);
    int result = sqlite3_step(profile->select);
    cairn_status status = result == SQLITE_DONE ? CAIRN_OK : CAIRN_STORAGE;
    if (result == SQLITE_ROW) {
        cairn_span bytes;
        status = cairn__arena_copy(&profile->texts, cairn__db_column(profile->select, 0), &bytes)
                     ? cairn__profile_record_read(bytes, &profile->texts, &entry->record)
                     : CAIRN_NO_MEMORY;
        entry->present = true;
    }
    sqlite3_reset(profile->select);
    return status;
}

static cairn_status get(cairn__profile *profile, uint32_t name, uint32_t node, kept **entry_out) {
    uint64_t hash = key_of(name, node);
    uint32_t at = 0;
    if (cairn__index_find(&profile->index, hash, record_matches,
                          &(wanted_record){ profile, name, node }, &at)) {
        *entry_out = &profile->list[at];
        return CAIRN_OK;
    }
    kept entry = { .name = name, .node = node };
    if (!grow(profile)) {
        return CAIRN_NO_MEMORY;
    }
    cairn_status status = load_record(profile, &entry);
    if (status != CAIRN_OK) {
        return status;
    }
    profile->list[profile->count] = entry;
    if (!cairn__index_insert(&profile->index, hash, (uint32_t)profile->count, record_hash,
                             profile)) {
        return CAIRN_NO_MEMORY;
    }
    *entry_out = &profile->list[profile->count++];
    return CAIRN_OK;
}

static cairn_status apply_to(cairn__profile *profile, kept *entry, cairn__event_kind kind,
                             const cairn_value *value, cairn__written at) {
    cairn_status status =
        cairn__profile_record_apply(&entry->record, kind, value, at, &profile->texts);
    if (status == CAIRN_OK && !entry->dirty) {
        entry->dirty = true;
        entry->present = true;
        profile->dirty[profile->dirty_count++] = (uint32_t)(entry - profile->list);
    }
    return status;
}

cairn_status cairn__profile_apply(cairn__profile *profile, uint32_t node, cairn__event_kind kind,
                                  const cairn_property *property, cairn__written at) {
    uint32_t name = 0;
    kept *entry = NULL;
    cairn_status status = name_id(profile, property->name, &name);
    if (status == CAIRN_OK) {
        status = get(profile, name, node, &entry);
    }
    return status == CAIRN_OK ? apply_to(profile, entry, kind, &property->value, at) : status;
}

cairn_status cairn__profile_delete(cairn__profile *profile, uint32_t node, cairn__written at) {
    static const cairn_value nothing = { .kind = CAIRN_VALUE_NULL };
    for (uint32_t name = 0; name < profile->name_count; name++) {
        kept *entry = NULL;
        cairn_status status = get(profile, name, node, &entry);
        if (status == CAIRN_OK && entry->present) {
            status = apply_to(profile, entry, CAIRN__EVENT_PROFILE_UNSET, &nothing, at);
        }
        if (status != CAIRN_OK) {
            return status;
        }
    }
    return CAIRN_OK;
}

static cairn_status fold_property(cairn__profile *profile, uint32_t name, cairn__nodes nodes,
                                  cairn__arena *arena, cairn_value *value_out) {
    cairn__profile_record *records =
        cairn__arena_alloc_zero(arena, nodes.count + 1, sizeof *records);
    if (records == NULL) {
        return CAIRN_NO_MEMORY;
    }
    for (size_t i = 0; i < nodes.count; i++) {
        kept *entry = NULL;
        cairn_status status = get(profile, name, nodes.list[i], &entry);
        if (status != CAIRN_OK) {
            return status;
        }
        records[i] = entry->record;
    }
    return cairn__records_fold(records, nodes.count, arena, value_out);
}

cairn_status cairn__profile_person(cairn__profile *profile, cairn__nodes nodes, cairn__arena *arena,
                                   cairn__profile_properties *properties_out) {
    cairn_property *properties =
        cairn__arena_alloc_zero(arena, profile->name_count + 1, sizeof *properties);
    if (properties == NULL) {
        return CAIRN_NO_MEMORY;
    }
    size_t found = 0;
    for (uint32_t name = 0; name < profile->name_count; name++) {
        cairn_property *property = &properties[found];
        cairn_status status = fold_property(profile, name, nodes, arena, &property->value);
        if (status != CAIRN_OK) {
            return status;
        }
        property->name = profile->names[name];
        found += property->value.kind != CAIRN_VALUE_NULL;
    }
    *properties_out = (cairn__profile_properties){ properties, found };
    return CAIRN_OK;
}

static bool copy_value(cairn__arena *arena, cairn_value *value) {
    if (value->kind == CAIRN_VALUE_STRING) {
        return cairn__arena_copy(arena, value->as.string, &value->as.string);
    }
    if (value->kind != CAIRN_VALUE_LIST) {
        return true;
    }
    cairn_span *items = cairn__arena_alloc_zero(arena, value->as.list.count + 1, sizeof *items);
    bool good = items != NULL;
    for (size_t i = 0; i < value->as.list.count && good; i++) {
        good = cairn__arena_copy(arena, value->as.list.items[i], &items[i]);
    }
    value->as.list.items = items;
    return good;
}

cairn_status cairn__profile_values(cairn__profile *profile, cairn__nodes nodes,
                                   cairn_string_list names, cairn__arena *arena,
                                   cairn_value *values_out) {
    cairn_status status = CAIRN_OK;
    for (size_t i = 0; i < names.count && status == CAIRN_OK; i++) {
        uint32_t id = 0;
        values_out[i] = (cairn_value){ .kind = CAIRN_VALUE_NULL };
        if (!cairn__index_find(&profile->name_index, cairn__hash(names.items[i], NAMES_SEED),
                               name_matches, &(wanted_name){ profile, names.items[i] }, &id)) {
            continue;
        }
        status = fold_property(profile, id, nodes, arena, &values_out[i]);
        if (status == CAIRN_OK && !copy_value(arena, &values_out[i])) {
            status = CAIRN_NO_MEMORY;
        }
    }
    return status;
}

/* --- commits ------------------------------------------------------------------------------- */

static cairn_status write_names(cairn__profile *profile) {
    cairn_status status = CAIRN_OK;
    for (uint32_t id = profile->names_written; id < profile->name_count && status == CAIRN_OK;
         id++) {
        sqlite3_bind_int64(profile->insert_name, 1, id);
        cairn__db_bind_text(profile->insert_name, 2, profile->names[id]);
        status = cairn__db_done(profile->insert_name);
    }
    return status;
}

cairn_status cairn__profile_commit(cairn__profile *profile) {
    cairn_status status = write_names(profile);
    cairn__buffer bytes = cairn__buffer_make(profile->allocator, RECORD_BYTES_MAX);
    for (size_t i = 0; i < profile->dirty_count && status == CAIRN_OK; i++) {
        const kept *entry = &profile->list[profile->dirty[i]];
        cairn__buffer_clear(&bytes);
        cairn__profile_record_write(&entry->record, &bytes);
        if (bytes.failed) {
            status = CAIRN_NO_MEMORY;
            break;
        }
        sqlite3_bind_int64(profile->upsert, 1, entry->name);
        sqlite3_bind_int64(profile->upsert, 2, entry->node);
        cairn__db_bind_blob(profile->upsert, 3, cairn__buffer_span(&bytes));
        status = cairn__db_done(profile->upsert);
    }
    cairn__buffer_free(&bytes);
    return status;
}

void cairn__profile_committed(cairn__profile *profile, bool ok) {
    if (!ok) {
        return;
    }
    profile->names_written = profile->name_count;
    for (size_t i = 0; i < profile->dirty_count; i++) {
        profile->list[profile->dirty[i]].dirty = false;
    }
    profile->dirty_count = 0;
    if (profile->count > CAIRN__PROFILE_KEPT_MAX || profile->texts.bytes > TEXTS_BYTES_KEPT) {
        cairn__index_clear(&profile->index);
        cairn__arena_reset(&profile->texts);
        profile->count = 0;
    }
}

cairn_status cairn__profile_verify(cairn__profile *profile, cairn__profile_report report,
                                   void *self) {
    cairn__db_problem problem;
    sqlite3_stmt *select =
        cairn__db_prepare(profile->db, "SELECT name, node, record FROM profile_value", &problem);
    if (select == NULL) {
        report(self, problem.text);
        return CAIRN_STORAGE;
    }
    cairn__arena arena = cairn__arena_make(profile->allocator, RECORD_BYTES_MAX);
    cairn_status status = CAIRN_OK;
    int result = sqlite3_step(select);
    for (; result == SQLITE_ROW; result = sqlite3_step(select)) {
        cairn__profile_record record;
        bool sound =
            cairn__profile_record_read(cairn__db_column(select, 2), &arena, &record) == CAIRN_OK;
        cairn__arena_reset(&arena);
        if (!sound || sqlite3_column_int64(select, 0) >= profile->name_count) {
            char text[120];
            (void)snprintf(text, sizeof text, "profile_value: name %lld, node %lld is damaged",
                           (long long)sqlite3_column_int64(select, 0),
                           (long long)sqlite3_column_int64(select, 1));
            report(self, text);
            status = CAIRN_STORAGE;
        }
    }
    sqlite3_finalize(select);
    cairn__arena_free(&arena);
    return result == SQLITE_DONE ? status : CAIRN_STORAGE;
}
