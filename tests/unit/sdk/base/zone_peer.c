/* zone_peer.c: answers questions about one zoneinfo file, for zone_peer.py to compare.
 *   zone_peer FILE < lines of "offset MS" | "utc LOCAL_MS" | "day MS" | "day_start DAYS"
 *                   | "start UNIT MS" | "add UNIT START_MS COUNT" */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/zone.h"

static int64_t answer(const cairn__zone *zone, const char *verb, const int64_t *n) {
    if (strcmp(verb, "offset") == 0) {
        return cairn__zone_offset(zone, n[0]);
    }
    if (strcmp(verb, "utc") == 0) {
        return cairn__zone_to_utc(zone, n[0]);
    }
    if (strcmp(verb, "day") == 0) {
        return cairn__zone_day(zone, n[0]);
    }
    if (strcmp(verb, "day_start") == 0) {
        return cairn__zone_day_start(zone, n[0]);
    }
    if (strcmp(verb, "start") == 0) {
        return cairn__unit_start(zone, (cairn__unit)n[0], n[1]);
    }
    return cairn__unit_add(zone, (cairn__unit)n[0], n[1], (int32_t)n[2]);
}

int main(int argc, char **argv) {
    static uint8_t bytes[1 << 20];
    char line[200];
    FILE *file = fopen(argc > 1 ? argv[1] : "", "rb");
    if (file == NULL) {
        return 2;
    }
    size_t size = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    cairn__arena arena = cairn__arena_make(cairn__heap(), 1 << 20);
    const cairn__zone *zone = NULL;
    cairn_status status = cairn__zone_parse((cairn_span){ bytes, size }, &arena, &zone);
    if (status != CAIRN_OK) {
        (void)printf("%s\n", cairn_status_name(status));
        return 1;
    }
    while (fgets(line, sizeof line, stdin) != NULL) {
        char verb[20];
        int64_t n[3] = { 0, 0, 0 };
        if (sscanf(line, "%19s %" SCNd64 " %" SCNd64 " %" SCNd64, verb, &n[0], &n[1], &n[2]) < 2) {
            return 3;
        }
        (void)printf("%" PRId64 "\n", answer(zone, verb, n));
    }
    cairn__arena_free(&arena);
    return 0;
}
