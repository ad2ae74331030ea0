/* zone.c: TZif bytes to a table of segments, and local time by looking them up.
 *
 * What is kept: the moments at which the offset from UTC really changes (a new name alone is no
 * change), extended by the footer's rule until 2100, so that today's dates are a binary search even
 * in "slim" files whose table ends in 2007. Later years ask the rule. */
#include "base/zone.h"

#include <string.h>

#include "base/bytes.h"
#include "base/civil.h"
#include "base/varint.h"
#include "base/zone_rule.h"
#include "base/zone_table.h"

enum {
    HEADER_BYTES = 44,
    TYPE_BYTES = 6,
    TRANSITIONS_MAX = 10000, /* the longest real zone has about 240 */
    TYPES_MAX = 256,
    NAMES_BYTES_MAX = 4096,
    INDICATORS_MAX = TYPES_MAX,
    OFFSET_MIN = -25 * 3600 + 1, /* RFC 8536, 3.2: utoff */
    OFFSET_MAX = 26 * 3600 - 1,
    RULE_SEGMENTS_MAX = 512 /* two a year from 1900 until 2100, and room */
};

static const int64_t rule_until = INT64_C(4102444800); /* 2100-01-01 in seconds */
static const int64_t ms_max = INT64_C(1) << 61;
static const int64_t days_max = INT64_C(50000000000);

struct cairn__zone {
    int64_t *at;     /* seconds; segment i + 1 begins at at[i] */
    int32_t *offset; /* of segment i + 1 */
    size_t count;
    int32_t first; /* offset of segment 0 */
    bool has_rule; /* after the last segment's start ask the rule */
    cairn__zone_rule rule;
};

typedef struct header {
    uint8_t version;
    uint32_t indicator_ut, indicator_std, leaps, transitions, types, names_bytes;
} header;

static uint32_t load_be32(const uint8_t *from) {
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static int64_t load_be64(const uint8_t *from) {
    return (int64_t)((uint64_t)load_be32(from) << 32 | load_be32(from + 4));
}

static bool read_header(cairn_span *bytes, header *out) {
    if (bytes->len < HEADER_BYTES || memcmp(bytes->data, "TZif", 4) != 0) {
        return false;
    }
    const uint8_t *counts = bytes->data + 20;
    out->version = bytes->data[4];
    out->indicator_ut = load_be32(counts);
    out->indicator_std = load_be32(counts + 4);
    out->leaps = load_be32(counts + 8);
    out->transitions = load_be32(counts + 12);
    out->types = load_be32(counts + 16);
    out->names_bytes = load_be32(counts + 20);
    *bytes = (cairn_span){ bytes->data + HEADER_BYTES, bytes->len - HEADER_BYTES };
    return out->indicator_ut <= INDICATORS_MAX && out->indicator_std <= INDICATORS_MAX &&
           out->leaps <= TRANSITIONS_MAX && out->transitions <= TRANSITIONS_MAX &&
           out->types <= TYPES_MAX && out->names_bytes <= NAMES_BYTES_MAX;
}

/* The bytes of a block after its header; every count is bounded, so the sum cannot overflow. */
static size_t block_bytes(const header *head, size_t time_bytes) {
    return head->transitions * (time_bytes + 1) + head->types * (size_t)TYPE_BYTES +
           head->names_bytes + head->leaps * (time_bytes + 4) + head->indicator_std +
           head->indicator_ut;
}

static bool skip(cairn_span *bytes, size_t count) {
    if (bytes->len < count) {
        return false;
    }
    *bytes = (cairn_span){ bytes->data + count, bytes->len - count };
    return true;
}

static bool read_offsets(const uint8_t *types, uint32_t count, int32_t *offsets) {
    for (uint32_t i = 0; i < count; i++) {
        int64_t raw = load_be32(types + (size_t)i * TYPE_BYTES);
        int64_t offset = raw > INT32_MAX ? raw - (INT64_C(1) << 32) : raw;
        if (offset < OFFSET_MIN || offset > OFFSET_MAX) {
            return false;
        }
        offsets[i] = (int32_t)offset;
    }
    return true;
}

static void add_segment(cairn__zone *zone, int64_t at, int32_t offset) {
    int32_t last = zone->count == 0 ? zone->first : zone->offset[zone->count - 1];
    if (offset != last) {
        zone->at[zone->count] = at;
        zone->offset[zone->count] = offset;
        zone->count += 1;
    }
}

static bool read_transitions(cairn__zone *zone, cairn_span block, const header *head) {
    int32_t offsets[TYPES_MAX];
    const uint8_t *kinds = block.data + (size_t)head->transitions * 8;
    const uint8_t *types = kinds + head->transitions;
    if (head->types == 0 || !read_offsets(types, head->types, offsets)) {
        return false;
    }
    zone->first = offsets[0];
    for (uint32_t i = 0; i < head->transitions; i++) {
        int64_t at = load_be64(block.data + (size_t)i * 8);
        bool ascends = i == 0 || at > load_be64(block.data + ((size_t)i - 1) * 8);
        if (!ascends || kinds[i] >= head->types) {
            return false;
        }
        add_segment(zone, at, offsets[kinds[i]]);
    }
    return true;
}

/* The footer: "\n<rule>\n"; an empty rule says nothing about later years. */
static bool read_footer(cairn__zone *zone, cairn_span footer) {
    if (footer.len < 2 || footer.data[0] != '\n') {
        return false;
    }
    const uint8_t *text = footer.data + 1;
    const uint8_t *end = memchr(text, '\n', footer.len - 1);
    if (end == NULL) {
        return false;
    }
    zone->has_rule = end > text;
    return !zone->has_rule ||
           cairn__zone_rule_parse(cairn__span(text, (size_t)(end - text)), &zone->rule);
}

static void extend_by_rule(cairn__zone *zone, int64_t last) {
    size_t room = zone->count + RULE_SEGMENTS_MAX;
    cairn__zone_segment segment = cairn__zone_rule_segment(&zone->rule, last);
    add_segment(zone, last, segment.offset);
    /* Counted too: daylight all the year is two changes a year that change nothing. */
    for (int i = 0; i < RULE_SEGMENTS_MAX && segment.to < rule_until && zone->count < room; i++) {
        segment = cairn__zone_rule_segment(&zone->rule, segment.to);
        add_segment(zone, segment.from, segment.offset);
    }
}

static cairn_status parse_second_block(cairn__zone *zone, cairn_span block, const header *head) {
    size_t bytes = block_bytes(head, 8);
    if (bytes > block.len || !read_transitions(zone, block, head) ||
        !read_footer(zone, (cairn_span){ block.data + bytes, block.len - bytes })) {
        return CAIRN_INVALID;
    }
    if (zone->has_rule && head->transitions > 0) {
        extend_by_rule(zone, load_be64(block.data + ((size_t)head->transitions - 1) * 8));
    }
    return CAIRN_OK;
}

cairn_status cairn__zone_parse(cairn_span tzif, cairn__arena *arena, const cairn__zone **zone_out) {
    header head;
    *zone_out = NULL;
    if (!read_header(&tzif, &head)) {
        return CAIRN_INVALID;
    }
    if (head.version < '2') {
        return CAIRN_UNSUPPORTED;
    }
    if (!skip(&tzif, block_bytes(&head, 4)) || !read_header(&tzif, &head)) {
        return CAIRN_INVALID;
    }
    if (head.leaps > 0) {
        return CAIRN_UNSUPPORTED;
    }
    size_t room = (size_t)head.transitions + RULE_SEGMENTS_MAX + 1;
    cairn__zone *zone = cairn__arena_alloc_zero(arena, 1, sizeof *zone);
    int64_t *at = cairn__arena_alloc(arena, room * sizeof *at);
    int32_t *offset = cairn__arena_alloc(arena, room * sizeof *offset);
    if (zone == NULL || at == NULL || offset == NULL) {
        return CAIRN_NO_MEMORY;
    }
    zone->at = at;
    zone->offset = offset;
    cairn_status status = parse_second_block(zone, tzif, &head);
    *zone_out = status == CAIRN_OK ? zone : NULL;
    return status;
}

/* --- the compact form --------------------------------------------------------------------------*/

static const int64_t compact_from = INT64_C(1577836800); /* 2020-01-01 in seconds */

enum { COMPACT_MINUTES_MAX = 20 * 366 * 1440 }; /* a change lies within 2020..2037 */

static bool read_minutes_offset(cairn__cursor *cursor, int32_t *offset_out) {
    uint64_t raw = 0;
    if (!cairn__read_varint(cursor, &raw) || raw > UINT16_MAX) {
        return false;
    }
    int64_t seconds = cairn__unzigzag(raw) * 60;
    *offset_out = (int32_t)seconds;
    return seconds >= OFFSET_MIN && seconds <= OFFSET_MAX;
}

/* Reads into `zone`, whose tables have room for CAIRN__ZONE_CHANGES_MAX; the last change's time. */
static bool read_compact(cairn_span bytes, cairn__zone *zone, int64_t *last_out) {
    cairn__cursor cursor = cairn__cursor_of(bytes);
    uint64_t changes = 0;
    int64_t minutes = 0;
    if (!cairn__read_varint(&cursor, &changes) || changes > CAIRN__ZONE_CHANGES_MAX ||
        !read_minutes_offset(&cursor, &zone->first)) {
        return false;
    }
    for (uint64_t i = 0; i < changes; i++) {
        uint64_t delta = 0;
        int32_t offset = 0;
        if (!cairn__read_varint(&cursor, &delta) || delta == 0 || delta > COMPACT_MINUTES_MAX ||
            !read_minutes_offset(&cursor, &offset)) {
            return false;
        }
        minutes += (int64_t)delta;
        add_segment(zone, compact_from + minutes * 60, offset);
    }
    *last_out = compact_from + minutes * 60;
    cairn_span text = cairn__span(cursor.at, (size_t)(cursor.end - cursor.at));
    zone->has_rule = text.len > 0;
    return minutes <= COMPACT_MINUTES_MAX &&
           (!zone->has_rule || cairn__zone_rule_parse(text, &zone->rule));
}

bool cairn__zone_compact_check(cairn_span bytes) {
    int64_t at[CAIRN__ZONE_CHANGES_MAX];
    int32_t offset[CAIRN__ZONE_CHANGES_MAX];
    cairn__zone zone = { .at = at, .offset = offset };
    int64_t last = 0;
    return bytes.len > 0 && read_compact(bytes, &zone, &last);
}

cairn_status cairn__zone_parse_compact(cairn_span bytes, cairn__arena *arena,
                                       const cairn__zone **zone_out) {
    *zone_out = NULL;
    enum { ROOM = CAIRN__ZONE_CHANGES_MAX + RULE_SEGMENTS_MAX + 1 };
    cairn__zone *zone = cairn__arena_alloc_zero(arena, 1, sizeof *zone);
    int64_t *at = cairn__arena_alloc(arena, ROOM * sizeof *at);
    int32_t *offset = cairn__arena_alloc(arena, ROOM * sizeof *offset);
    if (zone == NULL || at == NULL || offset == NULL) {
        return CAIRN_NO_MEMORY;
    }
    zone->at = at;
    zone->offset = offset;
    int64_t last = 0;
    if (bytes.len == 0 || !read_compact(bytes, zone, &last)) {
        return CAIRN_INVALID;
    }
    if (zone->has_rule) {
        extend_by_rule(zone, last);
    }
    *zone_out = zone;
    return CAIRN_OK;
}

/* --- looking up ------------------------------------------------------------------------------- */

static int64_t clamp(int64_t value, int64_t max) {
    return value > max ? max : value < -max ? -max : value;
}

static int64_t floor_seconds(int64_t ms) {
    return ms / 1000 - (ms % 1000 < 0 ? 1 : 0);
}

/* How many of the table's changes lie at or before the moment. */
static size_t changes_until(const cairn__zone *zone, int64_t seconds) {
    size_t low = 0;
    size_t high = zone->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->at[middle] <= seconds) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

cairn__zone_segment cairn__zone_segment_at(const cairn__zone *zone, int64_t seconds) {
    if (zone == NULL) {
        return (cairn__zone_segment){ INT64_MIN, INT64_MAX, 0 };
    }
    size_t index = changes_until(zone, seconds);
    if (index == zone->count && zone->has_rule) {
        cairn__zone_segment segment = cairn__zone_rule_segment(&zone->rule, seconds);
        if (index > 0 && segment.from < zone->at[index - 1]) {
            segment.from = zone->at[index - 1];
        }
        return segment;
    }
    return (cairn__zone_segment){
        .from = index == 0 ? INT64_MIN : zone->at[index - 1],
        .to = index == zone->count ? INT64_MAX : zone->at[index],
        .offset = index == 0 ? zone->first : zone->offset[index - 1],
    };
}

int32_t cairn__zone_offset(const cairn__zone *zone, int64_t utc_ms) {
    if (zone == NULL) {
        return 0;
    }
    return cairn__zone_segment_at(zone, floor_seconds(clamp(utc_ms, ms_max))).offset;
}

int64_t cairn__zone_day(const cairn__zone *zone, int64_t utc_ms) {
    int64_t rest = 0;
    utc_ms = clamp(utc_ms, ms_max);
    return cairn__days_of_ms(utc_ms + cairn__zone_offset(zone, utc_ms) * INT64_C(1000), &rest);
}

int64_t cairn__zone_to_utc(const cairn__zone *zone, int64_t local_ms) {
    local_ms = clamp(local_ms, ms_max);
    if (zone == NULL) {
        return local_ms;
    }
    /* Walk from the earliest moment that can show this wall clock: the first hit is the first. */
    int64_t local = floor_seconds(local_ms);
    cairn__zone_segment segment = cairn__zone_segment_at(zone, local - OFFSET_MAX);
    while (local - segment.offset >= segment.to) {
        segment = cairn__zone_segment_at(zone, segment.to);
    }
    if (local - segment.offset < segment.from) {
        return segment.from * 1000;
    }
    return local_ms - segment.offset * INT64_C(1000);
}

int64_t cairn__zone_day_start(const cairn__zone *zone, int64_t local_days) {
    return cairn__zone_to_utc(zone, clamp(local_days, days_max) * CAIRN__DAY_MS);
}
