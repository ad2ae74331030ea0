#include "fold/dedupe.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/civil.h"
#include "base/varint.h"

enum { SOURCES_MIN = 64, KEY_BYTES_MAX = 512, STATE_BYTES_MAX = 128 * 1024, GAPS_MIN = 8 };
#define SOURCES_SEED UINT64_C(0xDED0)
#define TEXTS_BYTES_MAX ((size_t)256 * 1024 * 1024)

static const char tables[] =
    "CREATE TABLE IF NOT EXISTS fold_source(key BLOB PRIMARY KEY, touched_ms INTEGER NOT NULL,"
    " state BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS fold_source_age ON fold_source(touched_ms) WHERE key >= x'6b';";

cairn_status cairn__dedupe_open(cairn__dedupe *dedupe, sqlite3 *db, cairn_allocator allocator,
                                cairn__db_problem *problem_out) {
    *dedupe = (cairn__dedupe){ .allocator = allocator };
    dedupe->texts = cairn__arena_make(allocator, TEXTS_BYTES_MAX);
    cairn_status status = cairn__db_run(db, tables, problem_out);
    if (status != CAIRN_OK) {
        return status;
    }
    dedupe->select =
        cairn__db_prepare(db, "SELECT state FROM fold_source WHERE key = ?", problem_out);
    dedupe->upsert =
        cairn__db_prepare(db, "INSERT OR REPLACE INTO fold_source VALUES(?, ?, ?)", problem_out);
    dedupe->sweep = cairn__db_prepare(
        db, "DELETE FROM fold_source WHERE key >= x'6b' AND touched_ms < ?", problem_out);
    bool ready = dedupe->select != NULL && dedupe->upsert != NULL && dedupe->sweep != NULL;
    return ready ? CAIRN_OK : CAIRN_STORAGE;
}

static void forget_all(cairn__dedupe *dedupe) {
    cairn_allocator heap = dedupe->allocator;
    for (size_t i = 0; i < dedupe->count; i++) {
        cairn__source *source = &dedupe->list[i];
        (void)heap.resize(heap.self, source->gaps, source->gap_capacity * sizeof *source->gaps, 0);
    }
    dedupe->count = 0;
}

void cairn__dedupe_close(cairn__dedupe *dedupe) {
    cairn_allocator heap = dedupe->allocator;
    sqlite3_finalize(dedupe->select);
    sqlite3_finalize(dedupe->upsert);
    sqlite3_finalize(dedupe->sweep);
    forget_all(dedupe);
    cairn__index_free(&dedupe->index);
    cairn__arena_free(&dedupe->texts);
    (void)heap.resize(heap.self, dedupe->list, dedupe->capacity * sizeof *dedupe->list, 0);
    (void)heap.resize(heap.self, dedupe->dirty, dedupe->capacity * sizeof *dedupe->dirty, 0);
}

/* --- a source's bytes ---------------------------------------------------------------------- */

static void write_state(const cairn__source *source, cairn__buffer *to) {
    cairn__write_varint(to, source->high);
    cairn__write_varint(to, source->has_offset);
    cairn__write_varint(to, cairn__zigzag(source->offset_ms));
    cairn__write_varint(to, cairn__zigzag(source->newest_raw_ms));
    cairn__write_varint(to, cairn__zigzag(source->newest_ms));
    cairn__write_varint(to, source->gap_count);
    for (uint32_t i = 0; i < source->gap_count; i++) {
        cairn__write_varint(to, source->gaps[i].first);
        cairn__write_varint(to, source->gaps[i].last);
    }
}

static bool reserve_gaps(cairn_allocator heap, cairn__source *source, uint64_t count) {
    if (count <= source->gap_capacity) {
        return true;
    }
    uint32_t capacity = source->gap_capacity == 0 ? GAPS_MIN : source->gap_capacity;
    while (capacity < count) {
        capacity *= 2;
    }
    cairn__gap *gaps = heap.resize(heap.self, source->gaps, source->gap_capacity * sizeof *gaps,
                                   capacity * sizeof *gaps);
    if (gaps == NULL) {
        return false;
    }
    source->gaps = gaps;
    source->gap_capacity = capacity;
    return true;
}

static cairn_status read_state(cairn_span bytes, cairn_allocator heap, cairn__source *source) {
    cairn__cursor cursor = cairn__cursor_of(bytes);
    uint64_t fields[6] = { 0 };
    for (size_t i = 0; i < 6; i++) {
        if (!cairn__read_varint(&cursor, &fields[i])) {
            return CAIRN_STORAGE;
        }
    }
    if (fields[5] > CAIRN__GAPS_MAX) {
        return CAIRN_STORAGE;
    }
    source->high = fields[0];
    source->has_offset = fields[1] != 0;
    source->offset_ms = cairn__unzigzag(fields[2]);
    source->newest_raw_ms = cairn__unzigzag(fields[3]);
    source->newest_ms = cairn__unzigzag(fields[4]);
    if (!reserve_gaps(heap, source, fields[5])) {
        return CAIRN_NO_MEMORY;
    }
    for (; source->gap_count < fields[5]; source->gap_count++) {
        cairn__gap *gap = &source->gaps[source->gap_count];
        if (!cairn__read_varint(&cursor, &gap->first) || !cairn__read_varint(&cursor, &gap->last)) {
            return CAIRN_STORAGE;
        }
    }
    return CAIRN_OK;
}

/* --- the table ----------------------------------------------------------------------------- */

typedef struct wanted {
    const cairn__dedupe *dedupe;
    cairn_span key;
} wanted;

static bool matches(const void *context, uint32_t value) {
    const wanted *w = context;
    return cairn__span_equal(w->dedupe->list[value].key, w->key);
}

static uint64_t rehash(const void *context, uint32_t value) {
    return ((const cairn__dedupe *)context)->list[value].hash;
}

static bool grow(cairn__dedupe *dedupe) {
    if (dedupe->count < dedupe->capacity) {
        return true;
    }
    cairn_allocator heap = dedupe->allocator;
    size_t capacity = dedupe->capacity == 0 ? (size_t)SOURCES_MIN : dedupe->capacity * 2;
    cairn__source *list = heap.resize(heap.self, dedupe->list, dedupe->capacity * sizeof *list,
                                      capacity * sizeof *list);
    if (list == NULL) {
        return false;
    }
    dedupe->list = list; /* larger than capacity says, should the next one fail: harmless */
    uint32_t *dirty = heap.resize(heap.self, dedupe->dirty, dedupe->capacity * sizeof *dirty,
                                  capacity * sizeof *dirty);
    if (dirty == NULL) {
        return false;
    }
    dedupe->dirty = dirty;
    dedupe->capacity = capacity;
    return true;
}

static cairn_status load(cairn__dedupe *dedupe, cairn__source *source) {
    cairn__db_bind_blob(dedupe->select, 1, source->key);
    int result = sqlite3_step(dedupe->select);
    cairn_status status = result == SQLITE_DONE ? CAIRN_OK : CAIRN_STORAGE;
    if (result == SQLITE_ROW) {
        status = read_state(cairn__db_column(dedupe->select, 0), dedupe->allocator, source);
    }
    sqlite3_reset(dedupe->select);
    return status;
}

cairn_status cairn__dedupe_get(cairn__dedupe *dedupe, bool device, cairn_span source,
                               cairn__source **entry_out) {
    uint8_t key_bytes[KEY_BYTES_MAX];
    CAIRN_ASSERT(source.len < sizeof key_bytes);
    key_bytes[0] = device ? 'd' : 'k';
    memcpy(key_bytes + 1, source.data, source.len);
    cairn_span key = cairn__span(key_bytes, source.len + 1);
    uint64_t hash = cairn__hash(key, SOURCES_SEED);
    uint32_t at = 0;
    if (cairn__index_find(&dedupe->index, hash, matches, &(wanted){ dedupe, key }, &at)) {
        *entry_out = &dedupe->list[at];
        return CAIRN_OK;
    }
    cairn__source entry = { .hash = hash };
    if (!grow(dedupe) || !cairn__arena_copy(&dedupe->texts, key, &entry.key)) {
        return CAIRN_NO_MEMORY;
    }
    cairn_status status = load(dedupe, &entry);
    if (status == CAIRN_OK) {
        dedupe->list[dedupe->count] = entry;
        status = cairn__index_insert(&dedupe->index, hash, (uint32_t)dedupe->count, rehash, dedupe)
                     ? CAIRN_OK
                     : CAIRN_NO_MEMORY;
    }
    if (status != CAIRN_OK) {
        cairn_allocator heap = dedupe->allocator;
        (void)heap.resize(heap.self, entry.gaps, entry.gap_capacity * sizeof *entry.gaps, 0);
        return status;
    }
    *entry_out = &dedupe->list[dedupe->count++];
    return CAIRN_OK;
}

static void touch(cairn__dedupe *dedupe, cairn__source *source) {
    if (!source->dirty) {
        source->dirty = true;
        dedupe->dirty[dedupe->dirty_count++] = (uint32_t)(source - dedupe->list);
    }
}

/* --- seen or not --------------------------------------------------------------------------- */

/* The first gap that ends at or after seq; gap_count when there is none. */
static uint32_t gap_at(const cairn__source *source, uint64_t seq) {
    uint32_t low = 0;
    uint32_t high = source->gap_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (source->gaps[middle].last < seq) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool cairn__source_seen(const cairn__source *source, uint64_t seq) {
    if (seq > source->high) {
        return false;
    }
    uint32_t at = gap_at(source, seq);
    return at == source->gap_count || source->gaps[at].first > seq;
}

static void remove_gap(cairn__source *source, uint32_t at) {
    source->gap_count--;
    memmove(&source->gaps[at], &source->gaps[at + 1],
            (source->gap_count - at) * sizeof *source->gaps);
}

/* seq lies inside the gap: it shrinks, goes, or falls into two. */
static void cut_gap(cairn__source *source, uint32_t at, uint64_t seq) {
    cairn__gap *gap = &source->gaps[at];
    if (gap->first == seq && gap->last == seq) {
        remove_gap(source, at);
    } else if (gap->first == seq) {
        gap->first++;
    } else if (gap->last == seq) {
        gap->last--;
    } else {
        memmove(gap + 1, gap, (source->gap_count - at) * sizeof *gap);
        source->gap_count++;
        gap[0].last = seq - 1;
        gap[1].first = seq + 1;
    }
}

cairn_status cairn__dedupe_mark(cairn__dedupe *dedupe, cairn__source *source, uint64_t seq) {
    if (!reserve_gaps(dedupe->allocator, source, (uint64_t)source->gap_count + 1)) {
        return CAIRN_NO_MEMORY;
    }
    if (seq > source->high) {
        if (seq > source->high + 1) {
            source->gaps[source->gap_count++] = (cairn__gap){ source->high + 1, seq - 1 };
        }
        source->high = seq;
    } else {
        cut_gap(source, gap_at(source, seq), seq);
    }
    if (source->gap_count > CAIRN__GAPS_MAX) {
        remove_gap(source, 0);
    }
    touch(dedupe, source);
    return CAIRN_OK;
}

/* --- clocks -------------------------------------------------------------------------------- */

void cairn__dedupe_clock(cairn__dedupe *dedupe, cairn__source *source, int64_t sent_ms,
                         int64_t received_ms) {
    source->touched_ms = received_ms;
    touch(dedupe, source);
    int64_t offset = 0;
    if (sent_ms <= 0 || __builtin_sub_overflow(received_ms, sent_ms, &offset)) {
        return;
    }
    if (!source->has_offset || offset < source->offset_ms) {
        source->has_offset = true;
        source->offset_ms = offset;
    }
}

int64_t cairn__source_correct(cairn__source *source, int64_t time_ms) {
    int64_t corrected = time_ms;
    if (!source->has_offset || __builtin_add_overflow(time_ms, source->offset_ms, &corrected)) {
        return time_ms;
    }
    bool later = source->newest_ms != 0 && time_ms >= source->newest_raw_ms;
    if (later && corrected < source->newest_ms) {
        corrected = source->newest_ms; /* the offset fell since: keep the device's own order */
    }
    if (source->newest_ms == 0 || time_ms >= source->newest_raw_ms) {
        source->newest_raw_ms = time_ms;
        source->newest_ms = corrected;
    }
    return corrected;
}

/* --- commits ------------------------------------------------------------------------------- */

static cairn_status sweep(cairn__dedupe *dedupe, int64_t now_ms) {
    if (now_ms - dedupe->swept_ms < CAIRN__DAY_MS / 24) {
        return CAIRN_OK;
    }
    sqlite3_bind_int64(dedupe->sweep, 1, now_ms - (int64_t)CAIRN__KEY_DAYS * CAIRN__DAY_MS);
    cairn_status status = cairn__db_done(dedupe->sweep);
    dedupe->swept_ms = status == CAIRN_OK ? now_ms : dedupe->swept_ms;
    return status;
}

cairn_status cairn__dedupe_commit(cairn__dedupe *dedupe, int64_t now_ms) {
    cairn__buffer bytes = cairn__buffer_make(dedupe->allocator, STATE_BYTES_MAX);
    cairn_status status = CAIRN_OK;
    for (size_t i = 0; i < dedupe->dirty_count && status == CAIRN_OK; i++) {
        const cairn__source *source = &dedupe->list[dedupe->dirty[i]];
        cairn__buffer_clear(&bytes);
        write_state(source, &bytes);
        if (bytes.failed) {
            status = CAIRN_NO_MEMORY;
            break;
        }
        cairn__db_bind_blob(dedupe->upsert, 1, source->key);
        sqlite3_bind_int64(dedupe->upsert, 2, source->touched_ms);
        cairn__db_bind_blob(dedupe->upsert, 3, cairn__buffer_span(&bytes));
        status = cairn__db_done(dedupe->upsert);
    }
    cairn__buffer_free(&bytes);
    return status == CAIRN_OK ? sweep(dedupe, now_ms) : status;
}

void cairn__dedupe_committed(cairn__dedupe *dedupe) {
    for (size_t i = 0; i < dedupe->dirty_count; i++) {
        dedupe->list[dedupe->dirty[i]].dirty = false;
    }
    dedupe->dirty_count = 0;
    if (dedupe->count > CAIRN__SOURCES_KEPT_MAX) {
        forget_all(dedupe);
        cairn__index_clear(&dedupe->index);
        cairn__arena_reset(&dedupe->texts);
    }
}
