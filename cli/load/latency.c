#include "cli/load/latency.h"

static size_t bucket_of(uint64_t us) {
    if (us < CAIRN__LATENCY_STEPS) {
        return (size_t)us;
    }
    unsigned shift = 63u - (unsigned)__builtin_clzll(us) - 5u; /* 32 steps: five bits */
    size_t bucket = (shift + 1) * CAIRN__LATENCY_STEPS + (us >> shift) - CAIRN__LATENCY_STEPS;
    return bucket < CAIRN__LATENCY_BUCKETS ? bucket : CAIRN__LATENCY_BUCKETS - 1;
}

/* The longest duration in a bucket. */
static int64_t top_of(size_t bucket) {
    if (bucket < CAIRN__LATENCY_STEPS) {
        return (int64_t)bucket;
    }
    size_t shift = bucket / CAIRN__LATENCY_STEPS - 1;
    uint64_t step = bucket % CAIRN__LATENCY_STEPS + CAIRN__LATENCY_STEPS;
    return (int64_t)(((step + 1) << shift) - 1);
}

void cairn__latency_add(cairn__latency *latency, int64_t us) {
    us = us < 0 ? 0 : us;
    latency->buckets[bucket_of((uint64_t)us)]++;
    latency->count++;
    latency->max_us = us > latency->max_us ? us : latency->max_us;
}

int64_t cairn__latency_percentile(const cairn__latency *latency, double percent) {
    uint64_t want = (uint64_t)((double)latency->count * percent / 100.0);
    uint64_t seen = 0;
    for (size_t i = 0; i < CAIRN__LATENCY_BUCKETS && latency->count > 0; i++) {
        seen += latency->buckets[i];
        if (seen > want || seen == latency->count) {
            int64_t top = top_of(i);
            return top < latency->max_us ? top : latency->max_us;
        }
    }
    return 0;
}
