/* A histogram of durations: 32 steps per doubling, so a percentile is off by at most 3 %. */
#ifndef CAIRN_CLI_LOAD_LATENCY_H
#define CAIRN_CLI_LOAD_LATENCY_H

#include <stddef.h>
#include <stdint.h>

#define CAIRN__LATENCY_STEPS ((size_t)32)
#define CAIRN__LATENCY_BUCKETS (CAIRN__LATENCY_STEPS * 36)

typedef struct {
    uint64_t buckets[CAIRN__LATENCY_BUCKETS];
    uint64_t count;
    int64_t max_us;
} cairn__latency;

void cairn__latency_add(cairn__latency *latency, int64_t us);
/* The duration that `percent` of all stay at or below; 0 when there are none. */
int64_t cairn__latency_percentile(const cairn__latency *latency, double percent);

#endif
