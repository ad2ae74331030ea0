/* store.h: a store that a test moves by hand: what was submitted happens, fails, happens in part or
 * is forgotten with the process. Only what cairn_platform.h promises is there after a crash. (The
 * client's fake_host is a whole client's surroundings; this room needs the storage seam alone.) */
#ifndef TESTS_LOCAL_STORE_H
#define TESTS_LOCAL_STORE_H

#include "local/local.h"

enum { STORE_OPS_MAX = 4096, STORE_SEGMENTS_MAX = 1024 };

typedef struct store_op {
    bool removes;
    uint32_t ticket, number;
    cairn__buffer bytes;
} store_op;

typedef struct store_segment {
    uint32_t number;
    cairn__buffer bytes;
} store_segment;

typedef struct store {
    uint64_t random;
    store_segment segments[STORE_SEGMENTS_MAX];
    size_t segment_count;
    store_op ops[STORE_OPS_MAX];
    size_t op_count;
    size_t appends; /* ever */
} store;

void store_init(store *s, uint64_t seed);
void store_free(store *s);
cairn_storage store_seam(store *s);
uint64_t store_random(store *s, uint64_t below);

/** Do the oldest operation under way; when not `durable` a random part of it. */
void store_commit_one(store *s, cairn__local *local, bool durable);
void store_commit(store *s, cairn__local *local);
/** The process dies: the first operations have happened, the next one in part. */
void store_crash(store *s);
/** Hand everything back, and start. */
cairn_status store_boot(store *s, cairn__local *local, int64_t now_ms);

#endif
