/* metrics.h: the numbers of /metrics. Any thread adds; relaxed order is enough for counting. */
#ifndef CAIRN_EDGE_METRICS_H
#define CAIRN_EDGE_METRICS_H

#include <stdatomic.h>

#include "base/memory.h"

#define CAIRN_METRIC(field, name, type, doc) _Atomic uint64_t field;
typedef struct cairn__metrics {
#include "edge/metrics.def"
} cairn__metrics;
#undef CAIRN_METRIC

static inline void cairn__count(_Atomic uint64_t *metric, uint64_t more) {
    atomic_fetch_add_explicit(metric, more, memory_order_relaxed);
}

static inline void cairn__gauge(_Atomic uint64_t *metric, uint64_t value) {
    atomic_store_explicit(metric, value, memory_order_relaxed);
}

/** Prometheus' text format, version 0.0.4. */
void cairn__metrics_text(const cairn__metrics *metrics, cairn__buffer *to);

/** docs/METRICS.md, whole. */
void cairn__metrics_docs(cairn__buffer *to);

#endif
