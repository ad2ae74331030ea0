/* analytics.h: answers one question (the JSON of POST /v1/analyze) over one snapshot.
 *
 * Pure but for memory: it reads the snapshot, never the state behind it, and may run on any thread.
 * Exact; meanings in docs/ANALYTICS.md. */
#ifndef CAIRN_ANALYTICS_ANALYTICS_H
#define CAIRN_ANALYTICS_ANALYTICS_H

#include "base/zone.h"
#include "fault/fault.h"
#include "trail/reader.h"

/** Gives user.* values. Called per person in ascending order; the answer is valid until the next
 * call. Absent properties: kind NULL. */
typedef struct cairn__analyze_profiles {
    void (*read)(void *self, uint32_t person, const cairn_span *names, size_t count,
                 cairn_value *values_out);
    void *self;
} cairn__analyze_profiles;

/** Finds a time zone by its IANA name; NULL when there is none. */
typedef struct cairn__analyze_zones {
    const cairn__zone *(*find)(void *self, cairn_span name);
    void *self;
} cairn__analyze_zones;

typedef struct cairn__analyze_source {
    const cairn__trail_snapshot *snapshot;
    const uint32_t *person_of; /* node -> person */
    size_t node_count;
    cairn__analyze_profiles profiles;
    cairn__analyze_zones zones;
    cairn_span project_zone; /* IANA name used where the query names none */
} cairn__analyze_source;

typedef struct cairn__analyze_options {
    cairn_allocator allocator;
    size_t bytes_max; /* memory budget; beyond it the answer says so */
    int64_t now_ms;   /* what `now` and relative times mean */
    /** Is the time up? Asked about every 10,000 rows. NULL: never. */
    bool (*stop)(void *self);
    /** A monotonic clock for stats.ms; NULL leaves it 0. */
    int64_t (*mono_ms)(void *self);
    void *self;
} cairn__analyze_options;

/** code: "unknown_key", "bad_time", "rule_invalid", "deadline", "memory", ... */
typedef cairn__fault_problem cairn__analyze_problem;

/**
 * @retval CAIRN_OK         answer holds the JSON answer.
 * @retval CAIRN_INVALID    The query is wrong: problem_out.
 * @retval CAIRN_BUSY       Stopped by `stop` (code "deadline").
 * @retval CAIRN_NO_MEMORY  Over bytes_max (code "memory").
 * @retval CAIRN_STORAGE    A damaged block (code "storage").
 */
cairn_status cairn__analyze(const cairn__analyze_source *source, cairn_span query,
                            const cairn__analyze_options *options, cairn__buffer *answer,
                            cairn__analyze_problem *problem_out);

#endif
