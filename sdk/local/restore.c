/* restore.c: what the store held becomes known again. A snapshot is read beside what was known
 * before it, which it replaces at its end; one without an end (the process died while it wrote it)
 * is forgotten, unless it is all there is. A hole in the numbers of the records means damage, or a
 * write that failed before the process died. */
#include "base/bytes.h"
#include "local/inside.h"

enum { DECODE_BYTES_MAX = 256 * 1024, HELD_HEAD_BYTES = 12, EVENT_HEAD_BYTES = 16 };

/* --- snapshots ---------------------------------------------------------------------------------*/

static void begin(cairn__local *local, bool hole) {
    if (local->staging) {
        cairn__known_free(&local->known); /* one without an end */
    } else {
        local->aside = local->known;
        local->was_stopped = local->stopped;
    }
    local->known = cairn__known_make(local->allocator);
    local->known.hole = hole;
    local->known.begun = true;
    local->staging = true;
    local->stopped = false;
    cairn__buffer_clear(&local->blob);
    local->blob_type = 0;
}

/* Records are missing. Where the queue still has the events since then, all that follows is left to
 * it, so that they come in their order; else what follows is better than nothing. */
static void meet_hole(cairn__local *local) {
    if (local->staging || local->known.last_seq < local->gone_seq) {
        local->known.hole = true;
    } else {
        local->stopped = true;
    }
}

static bool is_empty(const cairn__known *known) {
    return !known->begun && known->last_seq == 0;
}

/* The snapshot is over. One that is not whole counts only where nothing else is known. */
static void end(cairn__local *local, bool whole) {
    if (!local->staging) {
        return;
    }
    bool hole = local->known.hole; /* it was whole once, and what was before it may be gone */
    whole = whole && !hole;
    local->staging = false;
    local->blob_type = 0;
    bool better = is_empty(&local->aside) && local->gone_seq > 0; /* than nothing */
    if (whole || better) {
        cairn__known_free(&local->aside);
        local->known.hole = !whole;
        return;
    }
    cairn__known_free(&local->known);
    local->known = local->aside;
    local->stopped = local->was_stopped;
    if (hole) {
        meet_hole(local);
    }
}

/* --- parts -------------------------------------------------------------------------------------*/

static bool read_state(cairn__known *known, cairn_span bytes) {
    cairn__cursor from = cairn__cursor_of(bytes);
    return cairn__kept_u64(&from, &known->last_seq) &&
           cairn__kept_u64(&from, &known->trimmed_seq) &&
           cairn__kept_i64(&from, &known->newest_ms) &&
           cairn__kept_u64(&from, &known->queries.zone_print);
}

static bool read_memory(cairn__local *local, cairn_span bytes) {
    cairn__cursor from = cairn__cursor_of(bytes);
    uint32_t number = 0;
    cairn__node *node = NULL;
    if (cairn__kept_u32(&from, &number)) {
        node = cairn__persons_find(&local->known.persons, number);
    }
    if (node == NULL || node->memory.count > 0) {
        return false;
    }
    return cairn__memory_read(&node->memory,
                              (cairn_span){ from.at, (size_t)(from.end - from.at) }) == CAIRN_OK;
}

static bool read_persons(cairn__known *known, cairn_span bytes) {
    return known->persons.count == 0 && cairn__persons_read(&known->persons, bytes);
}

/* Whether the part is good. */
static bool read_blob(cairn__local *local, uint8_t type, cairn_span bytes) {
    cairn__known *known = &local->known;
    switch (type) {
    case CAIRN__DIARY_STATE:
        return read_state(known, bytes);
    case CAIRN__DIARY_PERSONS:
        return read_persons(known, bytes);
    case CAIRN__DIARY_MEMORY:
        return read_memory(local, bytes);
    case CAIRN__DIARY_QUERY:
        return cairn__queries_read_one(&known->queries, bytes);
    case CAIRN__DIARY_WRITE:
        return known->profile.count == 0 && cairn__profile_read(&known->profile, bytes);
    default:
        return cairn__server_read(&known->server, bytes);
    }
}

static bool take_piece(cairn__local *local, const cairn__record *record) {
    if (record->payload.len == 0) {
        return false;
    }
    if (local->blob_type != record->type) {
        cairn__buffer_clear(&local->blob);
        local->blob_type = record->type;
    }
    cairn__buffer_append(&local->blob,
                         (cairn_span){ record->payload.data + 1, record->payload.len - 1 });
    if (record->payload.data[0] != 0) {
        return true;
    }
    bool good = !local->blob.failed && local->blob.len > 0;
    if (good) {
        good = read_blob(local, record->type, cairn__buffer_span(&local->blob));
    }
    cairn__buffer_clear(&local->blob);
    local->blob_type = 0;
    return good;
}

static cairn_status decode(cairn_span bytes, cairn__arena *arena, cairn__event *event_out) {
    const cairn__dictionary no_words = { NULL, 0 };
    cairn__event_fault fault;
    return cairn__event_decode(bytes, &no_words, arena, event_out, &fault);
}

static bool take_held(cairn__local *local, const cairn__record *record, cairn__arena *arena) {
    if (record->payload.len < HELD_HEAD_BYTES) {
        return false;
    }
    const uint8_t *at = record->payload.data;
    uint32_t node = cairn__load_u32(at);
    cairn_span encoded = { at + HELD_HEAD_BYTES, record->payload.len - HELD_HEAD_BYTES };
    cairn__event event;
    if (cairn__persons_find(&local->known.persons, node) == NULL ||
        decode(encoded, arena, &event) != CAIRN_OK) {
        return false;
    }
    event.seq = cairn__load_u64(at + 4);
    local->known.noted_ms = event.time_ms; /* they come as they were noted */
    return cairn__past_add(&local->known.past, node, &event, encoded);
}

/* --- entries -----------------------------------------------------------------------------------*/

static bool take_event(cairn__local *local, const cairn__record *record, cairn__arena *arena) {
    if (record->payload.len < EVENT_HEAD_BYTES) {
        return false;
    }
    const uint8_t *at = record->payload.data;
    cairn_span encoded = { at + EVENT_HEAD_BYTES, record->payload.len - EVENT_HEAD_BYTES };
    cairn__event event;
    cairn__event_fault fault;
    if (decode(encoded, arena, &event) != CAIRN_OK || !cairn__event_check(&event, &fault)) {
        return false;
    }
    event.seq = cairn__load_u64(at);
    int64_t newest_ms = (int64_t)cairn__load_u64(at + 8); /* also of what was lost before */
    if (newest_ms > local->known.newest_ms) {
        local->known.newest_ms = newest_ms;
    }
    return cairn__local_apply(local, &event, encoded) != CAIRN_NO_MEMORY;
}

static bool is_part(uint8_t type) {
    return type >= CAIRN__DIARY_STATE && type <= CAIRN__DIARY_MEMORY;
}

/* Whether all of the record was good; unknown types are a later version's. */
static bool take(cairn__local *local, const cairn__record *record, cairn__arena *arena) {
    switch (record->type) {
    case CAIRN__DIARY_BEGIN:
        begin(local, false);
        return true;
    case CAIRN__DIARY_END:
        end(local, true);
        return true;
    case CAIRN__DIARY_EVENT:
        end(local, false);
        return local->stopped || take_event(local, record, arena);
    case CAIRN__DIARY_SERVER:
        return local->stopped || take_piece(local, record);
    case CAIRN__DIARY_HELD:
        return take_held(local, record, arena);
    default:
        return !is_part(record->type) || take_piece(local, record);
    }
}

static void take_record(cairn__local *local, uint32_t segment, const cairn__record *record) {
    cairn__diary *diary = &local->diary;
    bool begins = record->type == CAIRN__DIARY_BEGIN;
    if (is_part(record->type) && !local->staging) {
        begin(local, true); /* its beginning was damaged */
    }
    if (begins) {
        diary->snapshot_segment = segment;
        diary->since_bytes = 0;
    } else if (record->seq != diary->seq) {
        meet_hole(local);
    }
    if (record->seq >= diary->seq) {
        diary->seq = record->seq + 1;
    }
    cairn__arena arena = cairn__arena_make(local->allocator, DECODE_BYTES_MAX);
    if (!take(local, record, &arena)) {
        local->known.hole = true;
    }
    cairn__arena_free(&arena);
}

cairn_status cairn__local_restore(cairn__local *local, uint32_t segment, cairn_span bytes) {
    cairn__diary_see(&local->diary, segment, bytes.len);
    cairn__cursor cursor = cairn__cursor_of(bytes);
    cairn__record record;
    bool had = local->known.hole;
    while (cairn__record_next(&cursor, &record)) {
        take_record(local, segment, &record);
    }
    return local->known.hole && !had ? CAIRN_STORAGE : CAIRN_OK;
}

void cairn__local_restored(cairn__local *local) {
    local->damaged = local->staging; /* what is left of it goes with the next snapshot */
    end(local, false);
    cairn__buffer_clear(&local->blob);
    local->blob_type = 0;
}
