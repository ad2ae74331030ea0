/* dedupe.h: what has been seen of each source, and each device's clock; inside collector/fold only.
 *
 * Per source a high-water mark and the gaps below it, so that deduplication costs bytes per source
 * and not per event. */
#ifndef CAIRN_FOLD_DEDUPE_H
#define CAIRN_FOLD_DEDUPE_H

#include "base/hash.h"
#include "base/memory.h"
#include "db/db.h"

enum {
    CAIRN__GAPS_MAX = 4096,          /* gaps of one source; beyond it the oldest is given up */
    CAIRN__SOURCES_KEPT_MAX = 100000 /* clean sources kept in memory after a commit */
};

/** Days for which an idempotency key is remembered; devices are remembered for ever. */
enum { CAIRN__KEY_DAYS = 90 };

/** Numbers first..last have not been seen. */
typedef struct cairn__gap {
    uint64_t first, last;
} cairn__gap;

typedef struct cairn__source {
    cairn_span key; /* 'd' or 'k', then the source's bytes; in the table's arena */
    uint64_t hash;
    uint64_t high; /* greatest seq seen */
    cairn__gap *gaps;
    uint32_t gap_count, gap_capacity;
    bool dirty;
    bool has_offset;
    int64_t offset_ms;     /* smallest (received - sent) seen */
    int64_t newest_raw_ms; /* the device's newest time as it said it ... */
    int64_t newest_ms;     /* ... and as it was corrected */
    int64_t touched_ms;    /* received_ms of the newest request */
} cairn__source;

typedef struct cairn__dedupe {
    cairn_allocator allocator;
    cairn__arena texts;
    cairn__index index;
    cairn__source *list;
    uint32_t *dirty; /* places in the list */
    size_t count, capacity, dirty_count;
    int64_t swept_ms; /* when old keys were last removed */
    sqlite3_stmt *select, *upsert, *sweep;
} cairn__dedupe;

cairn_status cairn__dedupe_open(cairn__dedupe *dedupe, sqlite3 *db, cairn_allocator allocator,
                                cairn__db_problem *problem_out);
void cairn__dedupe_close(cairn__dedupe *dedupe);

/** The source's entry, read from the database at its first sight here; lives until the next call.
 */
cairn_status cairn__dedupe_get(cairn__dedupe *dedupe, bool device, cairn_span source,
                               cairn__source **entry_out);

bool cairn__source_seen(const cairn__source *source, uint64_t seq);
/** Remember a seq that has not been seen. CAIRN_NO_MEMORY: nothing changed. */
cairn_status cairn__dedupe_mark(cairn__dedupe *dedupe, cairn__source *source, uint64_t seq);

/** Take in a request's clocks; then correct times. The smallest offset corrects, and a device's own
 * events never change places. */
void cairn__dedupe_clock(cairn__dedupe *dedupe, cairn__source *source, int64_t sent_ms,
                         int64_t received_ms);
int64_t cairn__source_correct(cairn__source *source, int64_t time_ms);

cairn_status cairn__dedupe_commit(cairn__dedupe *dedupe, int64_t now_ms);
void cairn__dedupe_committed(cairn__dedupe *dedupe);

#endif
