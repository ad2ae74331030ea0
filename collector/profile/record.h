/* record.h: what one node says about one property, and what several nodes together say.
 *
 * A record keeps a base (set, set_once or unset, with its time), what increments added since, and
 * what lists took in since: enough to fold the nodes of a person in any order and get the same.
 * Pure. */
#ifndef CAIRN_PROFILE_RECORD_H
#define CAIRN_PROFILE_RECORD_H

#include "base/memory.h"
#include "model/event.h"

/** Numbers on disk: never renumber. */
typedef enum cairn__base_kind {
    CAIRN__BASE_NONE = 0,
    CAIRN__BASE_SET = 1,
    CAIRN__BASE_SET_ONCE = 2,
    CAIRN__BASE_UNSET = 3
} cairn__base_kind;

/** A person: its nodes, the oldest first. Borrowed. */
typedef struct cairn__nodes {
    const uint32_t *list;
    size_t count;
} cairn__nodes;

/** When it was written: the event's time, then its order in the log. */
typedef struct cairn__written {
    int64_t time_ms;
    uint64_t order;
} cairn__written;

typedef struct cairn__profile_record {
    cairn__base_kind base;
    cairn__written base_at;
    cairn_value value;       /* of the base */
    cairn_value delta;       /* INTEGER or NUMBER: the sum of increments; NULL: none */
    cairn__written delta_at; /* of the newest */
    cairn_string_list items; /* appended or united since the base */
    cairn__written items_at; /* of the newest */
} cairn__profile_record;

/** Apply one operation. Text and items are copied into the arena.
 * @retval CAIRN_INVALID    The value does not fit the operation (a text as an increment).
 * @retval CAIRN_NO_MEMORY  The arena is full; the record is as it was. */
cairn_status cairn__profile_record_apply(cairn__profile_record *record, cairn__event_kind kind,
                                         const cairn_value *value, cairn__written at,
                                         cairn__arena *arena);

/** The value of a property that these records (one per node) together have; kind NULL: none.
 * Identity rule 5: the newest set wins, of set_once the oldest; increments are summed; lists are
 * united. What is older than the winning set no longer counts. */
cairn_status cairn__records_fold(const cairn__profile_record *records, size_t count,
                                 cairn__arena *arena, cairn_value *value_out);

/** Append the record's bytes. */
void cairn__profile_record_write(const cairn__profile_record *record, cairn__buffer *to);
/** @retval CAIRN_STORAGE  Damaged bytes. Spans borrow `bytes`; items live in the arena. */
cairn_status cairn__profile_record_read(cairn_span bytes, cairn__arena *arena,
                                        cairn__profile_record *record_out);

#endif
