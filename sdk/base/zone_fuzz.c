/* zone_fuzz.c: any bytes are refused or are a zone whose answers keep their promises: units hold
 * their moment, the next unit comes later, and a wall clock comes back unless it was skipped. */
#include "base/assert.h"
#include "base/bytes.h"
#include "base/civil.h"
#include "base/zone.h"
#include "base/zone_rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 1 << 20, YEARS = 60 };

static const int64_t far_ms = INT64_C(1) << 60;

static void check_moment(const cairn__zone *zone, int64_t ms) {
    int64_t local = ms + cairn__zone_offset(zone, ms) * INT64_C(1000);
    int64_t back = cairn__zone_to_utc(zone, local);
    CAIRN_ASSERT(back <= ms); /* the first moment that shows this clock */
    CAIRN_ASSERT(back + cairn__zone_offset(zone, back) * INT64_C(1000) == local);
    for (int unit = CAIRN__UNIT_MINUTE; unit <= CAIRN__UNIT_YEAR; unit++) {
        int64_t start = cairn__unit_start(zone, (cairn__unit)unit, ms);
        CAIRN_ASSERT(start <= ms);
        if (unit <= CAIRN__UNIT_HOUR) {
            int64_t next = cairn__unit_add(zone, (cairn__unit)unit, start, 1);
            CAIRN_ASSERT(next > ms);
            CAIRN_ASSERT(cairn__unit_add(zone, (cairn__unit)unit, next, -1) == start);
            int64_t many = cairn__unit_add(zone, (cairn__unit)unit, start, 1000);
            CAIRN_ASSERT(cairn__unit_add(zone, (cairn__unit)unit, many, -1000) == start);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    const cairn__zone *zone = NULL;
    if (cairn__zone_parse((cairn_span){ data, size }, &arena, &zone) == CAIRN_OK) {
        for (int i = 0; i < YEARS; i++) {
            check_moment(zone, i * INT64_C(31556952000) * 3 + i * INT64_C(7654321));
        }
        check_moment(zone, far_ms);
        check_moment(zone, -far_ms);
        (void)cairn__zone_offset(zone, INT64_MAX);
        (void)cairn__zone_day(zone, INT64_MIN);
        (void)cairn__zone_day_start(zone, INT64_MAX);
        (void)cairn__unit_add(zone, CAIRN__UNIT_YEAR, INT64_MAX, INT32_MAX);
        (void)cairn__unit_add(zone, CAIRN__UNIT_HOUR, INT64_MIN, INT32_MIN);
    } else {
        CAIRN_ASSERT(zone == NULL);
    }
    cairn__zone_rule rule;
    if (cairn__zone_rule_parse((cairn_span){ data, size }, &rule)) {
        for (int64_t at = -100; at < 100; at++) {
            cairn__zone_segment segment = cairn__zone_rule_segment(&rule, at * 40000000);
            CAIRN_ASSERT(segment.from <= at * 40000000 && at * 40000000 < segment.to);
        }
    }
    cairn__arena_free(&arena);
    return 0;
}
