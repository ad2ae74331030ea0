/* zones.h: the system's time zones, read when first asked for and kept. Any thread. */
#ifndef CAIRN_EDGE_ZONES_H
#define CAIRN_EDGE_ZONES_H

#include <uv.h>

#include "analytics/analytics.h"

enum { CAIRN__ZONES_MAX = 600, CAIRN__ZONE_FILE_BYTES_MAX = 64 * 1024 };

typedef struct cairn__zones {
    const char *directory;
    uv_mutex_t mutex; /* guards the rest */
    cairn__arena arena;
    struct {
        char name[64];
        const cairn__zone *zone;
    } items[CAIRN__ZONES_MAX];
    size_t count;
} cairn__zones;

int cairn__zones_init(cairn__zones *zones, const char *directory);
void cairn__zones_free(cairn__zones *zones);
/** What analytics asks through. */
cairn__analyze_zones cairn__zones_seam(cairn__zones *zones);
/** Is there such a zone? */
bool cairn__zones_has(cairn__zones *zones, cairn_span name);

#endif
