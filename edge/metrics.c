#include "edge/metrics.h"

#include <string.h>

typedef struct metric {
    const char *name; /* with labels */
    const char *type;
    const char *doc; /* empty: another label of the one before */
    size_t offset;
} metric;

#define TYPE_COUNTER "counter"
#define TYPE_GAUGE "gauge"
#define CAIRN_METRIC(field, name, type, doc)                                                       \
    { name, TYPE_##type, doc, offsetof(cairn__metrics, field) },
static const metric metrics_table[] = {
#include "edge/metrics.def"
};
enum { METRIC_COUNT = sizeof metrics_table / sizeof metrics_table[0] };

void cairn__metrics_text(const cairn__metrics *metrics, cairn__buffer *to) {
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        const metric *m = &metrics_table[i];
        int bare = (int)strcspn(m->name, "{");
        const _Atomic uint64_t *value =
            (const _Atomic uint64_t *)(const void *)((const uint8_t *)metrics + m->offset);
        if (m->doc[0] != 0) {
            cairn__buffer_format(to, "# HELP %.*s %s\n# TYPE %.*s %s\n", bare, m->name, m->doc,
                                 bare, m->name, m->type);
        }
        cairn__buffer_format(to, "%s %llu\n", m->name,
                             (unsigned long long)atomic_load_explicit(value, memory_order_relaxed));
    }
}

static const char before[] = "# Metrics of cairn-edge\n\n"
                             "`GET /metrics` on the admin listener, in Prometheus' text format. "
                             "Counters begin at 0 with the\n"
                             "process. This page is written by `cairn-edge --print-metrics-docs` "
                             "from `edge/metrics.def`.\n\n"
                             "| name | type | meaning |\n|---|---|---|\n";

void cairn__metrics_docs(cairn__buffer *to) {
    const char *doc = "";
    cairn__buffer_format(to, "%s", before);
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        const metric *m = &metrics_table[i];
        doc = m->doc[0] != 0 ? m->doc : doc;
        cairn__buffer_format(to, "| `%s` | %s | %s |\n", m->name, m->type, doc);
    }
}
