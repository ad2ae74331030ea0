/* world.h: what the tests of definitions share: zones without a system, a catalogue on disk. */
#ifndef CAIRN_TESTS_DEFINITIONS_WORLD_H
#define CAIRN_TESTS_DEFINITIONS_WORLD_H

#include "definitions/catalog.h"

/** UTC, Asia/Shanghai and Europe/Berlin, from /usr/share/zoneinfo. */
extern const cairn__link_zones world_zones;

typedef struct world {
    char directory[64];
    char path[96];
    cairn__catalog *catalog;
    cairn__catalog_result result; /* of the last call */
    char left_out[700];           /* the last thing told at open */
    int64_t now_ms;
} world;

int world_open(void **state);
int world_close(void **state);
/** Close and open again. */
void world_reopen(world *w);

cairn__catalog_outcome world_put(world *w, cairn__definition_kind kind, const char *name,
                                 const char *json);
cairn__catalog_outcome world_remove(world *w, cairn__definition_kind kind, const char *name);
/** With a condition, or as a trial. */
cairn__catalog_outcome world_change(world *w, cairn__catalog_change change);

#endif
