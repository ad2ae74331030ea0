#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "bundle/zones.h"

static const char *const zone_names[] = { "Asia/Shanghai", "Europe/Berlin", "UTC" };

static bool has_zone(void *self, cairn_span name) {
    (void)self;
    for (size_t i = 0; i < 3; i++) {
        if (cairn__span_equal(name, cairn__span_of(zone_names[i]))) {
            return true;
        }
    }
    return false;
}

static cairn_status write_table(void *self, const cairn_span *names, size_t count, bool all,
                                cairn__buffer *to) {
    (void)self;
    (void)all;
    (void)names;
    (void)count;
    static uint8_t bytes[3][8192];
    cairn__zone_file files[3];
    for (size_t i = 0; i < 3; i++) {
        char path[100];
        (void)snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", zone_names[i]);
        FILE *file = fopen(path, "rb");
        CAIRN_ASSERT(file != NULL);
        files[i].name = cairn__span_of(zone_names[i]);
        files[i].tzif = cairn__span(bytes[i], fread(bytes[i], 1, sizeof bytes[i], file));
        (void)fclose(file);
    }
    cairn__arena scratch = cairn__arena_make(cairn__heap(), 8 << 20);
    size_t bad;
    cairn_status status = cairn__zone_table_write(files, 3, &scratch, to, &bad);
    cairn__arena_free(&scratch);
    return status;
}

const cairn__link_zones world_zones = { has_zone, write_table, NULL };

static void on_left_out(void *self, const char *text) {
    world *w = self;
    (void)snprintf(w->left_out, sizeof w->left_out, "%s", text);
}

static void open_catalog(world *w) {
    cairn__db_problem problem;
    const cairn__catalog_options options = { .allocator = cairn__heap(),
                                             .path = w->path,
                                             .project = CAIRN_STR("shop-key"),
                                             .zone = CAIRN_STR("Asia/Shanghai"),
                                             .zones = &world_zones,
                                             .on_left_out = on_left_out,
                                             .self = w };
    CAIRN_ASSERT(cairn__catalog_open(&options, &w->catalog, &problem) == CAIRN_OK);
}

int world_open(void **state) {
    world *w = calloc(1, sizeof *w);
    (void)snprintf(w->directory, sizeof w->directory, "/tmp/cairn-definitions-XXXXXX");
    CAIRN_ASSERT(mkdtemp(w->directory) != NULL);
    (void)snprintf(w->path, sizeof w->path, "%s/shop.db", w->directory);
    w->now_ms = 1795600000000;
    open_catalog(w);
    *state = w;
    return 0;
}

int world_close(void **state) {
    world *w = *state;
    static const char *const ends[] = { "", "-wal", "-shm" };
    cairn__catalog_close(w->catalog);
    for (size_t i = 0; i < 3; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s%s", w->path, ends[i]);
        (void)unlink(path);
    }
    (void)rmdir(w->directory);
    free(w);
    return 0;
}

void world_reopen(world *w) {
    cairn__catalog_close(w->catalog);
    open_catalog(w);
}

cairn__catalog_outcome world_change(world *w, cairn__catalog_change change) {
    change.now_ms = ++w->now_ms;
    cairn__catalog_write(w->catalog, &change, &w->result);
    return w->result.outcome;
}

cairn__catalog_outcome world_put(world *w, cairn__definition_kind kind, const char *name,
                                 const char *json) {
    return world_change(w, (cairn__catalog_change){ .kind = kind,
                                                    .name = cairn__span_of(name),
                                                    .json = cairn__span_of(json) });
}

cairn__catalog_outcome world_remove(world *w, cairn__definition_kind kind, const char *name) {
    return world_change(
        w, (cairn__catalog_change){ .kind = kind, .name = cairn__span_of(name), .remove = true });
}
