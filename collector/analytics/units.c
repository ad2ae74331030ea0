#include "analytics/units.h"

#include "base/assert.h"
#include "base/civil.h"

cairn_status cairn__units_make(cairn_allocator allocator, const cairn__query *query,
                               const cairn__query_side *side, cairn__units *units_out) {
    *units_out = (cairn__units){ .allocator = allocator };
    if (!query->has_unit) {
        return CAIRN_OK;
    }
    int64_t start = cairn__unit_start(query->zone, query->unit, side->from_ms);
    size_t count = 0;
    for (int64_t at = start; at < side->to_ms; count++) {
        at = cairn__unit_add(query->zone, query->unit, at, 1);
    }
    CAIRN_ASSERT(count >= 1 && count <= CAIRN__QUERY_UNITS_MAX); /* query.c has counted them */
    int64_t *starts = allocator.resize(allocator.self, NULL, 0, (count + 1) * sizeof *starts);
    if (starts == NULL) {
        return CAIRN_NO_MEMORY;
    }
    for (size_t i = 0; i <= count; i++) {
        starts[i] = start;
        start = cairn__unit_add(query->zone, query->unit, start, 1);
    }
    units_out->starts = starts;
    units_out->count = count;
    units_out->per_ms = (double)count / (double)(starts[count] - starts[0]);
    return CAIRN_OK;
}

void cairn__units_free(cairn__units *units) {
    if (units->starts != NULL) {
        units->allocator.resize(units->allocator.self, units->starts,
                                (units->count + 1) * sizeof *units->starts, 0);
    }
    *units = (cairn__units){ .allocator = units->allocator };
}

uint32_t cairn__units_find(const cairn__units *units, int64_t ms) {
    const int64_t *starts = units->starts;
    CAIRN_ASSERT(ms >= starts[0] && ms < starts[units->count]); /* the reader's range */
    /* Units are nearly of one length: days differ by an hour, months by three days. */
    size_t at = (size_t)((double)(ms - starts[0]) * units->per_ms);
    at = at < units->count ? at : units->count - 1;
    while (ms < starts[at]) {
        at--;
    }
    while (ms >= starts[at + 1]) {
        at++;
    }
    return (uint32_t)at;
}

void cairn__units_write(const cairn__units *units, const cairn__query *query, uint32_t unit,
                        cairn__buffer *to) {
    char text[CAIRN__INSTANT_TEXT_BYTES];
    int64_t start = units->starts[unit];
    if (query->unit >= CAIRN__UNIT_DAY) {
        (void)cairn__format_date(cairn__zone_day(query->zone, start), text);
        cairn__buffer_format(to, "\"%s\"", text);
        return;
    }
    int32_t offset = cairn__zone_offset(query->zone, start);
    int32_t minutes = (offset < 0 ? -offset : offset) / 60;
    (void)cairn__format_instant(start + offset * (int64_t)1000, text);
    cairn__buffer_format(to, "\"%.16s%c%02d:%02d\"", text, offset < 0 ? '-' : '+', minutes / 60,
                         minutes % 60);
}
