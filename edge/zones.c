#include "edge/zones.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum { ARENA_BYTES_MAX = 64 * 1024 * 1024, PATH_BYTES_MAX = 1024 };

/* Letters, digits, '+', '-', '_' in segments: nothing that leads out of the directory. */
static bool good_name(cairn_span name) {
    bool begins = true;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t byte = name.data[i];
        uint8_t low = (uint8_t)(byte | 0x20);
        bool plain = (low >= 'a' && low <= 'z') || (byte >= '0' && byte <= '9') || byte == '+' ||
                     byte == '-' || byte == '_';
        if (!plain && (byte != '/' || begins)) {
            return false;
        }
        begins = byte == '/';
    }
    return name.len > 0 && !begins;
}

static const cairn__zone *load(cairn__zones *zones, const char *name) {
    char path[PATH_BYTES_MAX];
    uint8_t *bytes = malloc(CAIRN__ZONE_FILE_BYTES_MAX);
    const cairn__zone *zone = NULL;
    (void)snprintf(path, sizeof path, "%s/%s", zones->directory, name);
    FILE *file = bytes == NULL ? NULL : fopen(path, "rb");
    if (file != NULL) {
        size_t len = fread(bytes, 1, CAIRN__ZONE_FILE_BYTES_MAX, file);
        (void)fclose(file);
        if (cairn__zone_parse(cairn__span(bytes, len), &zones->arena, &zone) != CAIRN_OK) {
            zone = NULL;
        }
    }
    free(bytes);
    return zone;
}

static const cairn__zone *find_locked(cairn__zones *zones, cairn_span name) {
    for (size_t i = 0; i < zones->count; i++) {
        if (cairn__span_equal(cairn__span_of(zones->items[i].name), name)) {
            return zones->items[i].zone;
        }
    }
    if (zones->count == CAIRN__ZONES_MAX || name.len >= sizeof zones->items[0].name ||
        !good_name(name)) {
        return NULL;
    }
    char text[sizeof zones->items[0].name];
    memcpy(text, name.data, name.len);
    text[name.len] = 0;
    const cairn__zone *zone = load(zones, text);
    if (zone != NULL) {
        memcpy(zones->items[zones->count].name, text, name.len + 1);
        zones->items[zones->count++].zone = zone;
    }
    return zone;
}

static const cairn__zone *find(void *self, cairn_span name) {
    cairn__zones *zones = self;
    uv_mutex_lock(&zones->mutex);
    const cairn__zone *zone = find_locked(zones, name);
    uv_mutex_unlock(&zones->mutex);
    return zone;
}

int cairn__zones_init(cairn__zones *zones, const char *directory) {
    zones->directory = directory;
    zones->arena = cairn__arena_make(cairn__heap(), ARENA_BYTES_MAX);
    zones->count = 0;
    return uv_mutex_init(&zones->mutex);
}

void cairn__zones_free(cairn__zones *zones) {
    cairn__arena_free(&zones->arena);
    uv_mutex_destroy(&zones->mutex);
}

cairn__analyze_zones cairn__zones_seam(cairn__zones *zones) {
    return (cairn__analyze_zones){ .find = find, .self = zones };
}

bool cairn__zones_has(cairn__zones *zones, cairn_span name) {
    return find(zones, name) != NULL;
}
