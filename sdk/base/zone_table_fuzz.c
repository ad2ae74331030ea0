/* zone_table_fuzz.c: any bytes are refused or are a table whose every name is found, and whose
 * zones answer; one zone's bytes likewise. */
#include "base/assert.h"
#include "base/bytes.h"
#include "base/zone_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 1 << 20 };

static void ask(const cairn__zone *zone) {
    for (int64_t ms = INT64_C(1500000000000); ms < INT64_C(2300000000000); ms += 7654321000) {
        int64_t day = cairn__zone_day(zone, ms);
        CAIRN_ASSERT(cairn__zone_day_start(zone, day) <= ms);
        (void)cairn__zone_to_utc(zone, ms);
    }
    (void)cairn__zone_offset(zone, INT64_MAX);
    (void)cairn__zone_offset(zone, INT64_MIN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const cairn_span names[] = { { (const uint8_t *)"Africa/Casablanca", 17 },
                                        { (const uint8_t *)"Europe/Berlin", 13 },
                                        { (const uint8_t *)"UTC", 3 } };
    cairn_span bytes = { data, size };
    cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    const cairn__zone *zone = NULL;
    bool good = cairn__zone_table_check(bytes);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cairn_status status = cairn__zone_table_find(bytes, names[i], &arena, &zone);
        CAIRN_ASSERT(!good || status == CAIRN_OK || status == CAIRN_NOT_FOUND);
        if (status == CAIRN_OK) {
            ask(zone);
        }
    }
    bool compact = cairn__zone_compact_check(bytes);
    cairn_status status = cairn__zone_parse_compact(bytes, &arena, &zone);
    CAIRN_ASSERT(compact == (status == CAIRN_OK));
    if (compact) {
        ask(zone);
    }
    cairn__arena_free(&arena);
    return 0;
}
