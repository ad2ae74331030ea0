/* zones.c: see zones.h. A zone becomes the changes that its rule does not foretell, and the rule.
 */
#include "bundle/zones.h"

#include "base/bytes.h"
#include "base/varint.h"
#include "base/zone_rule.h"

enum { ZONE_BYTES_MAX = 512, RULE_BYTES_MAX = 100 };

static const int64_t from_seconds = INT64_C(1577836800);  /* 2020-01-01 */
static const int64_t until_seconds = INT64_C(2145916800); /* 2038-01-01 */

/* A zone's local time in the years of the table. Segment 0 begins with the table's years, segment
 * i > 0 at at[i - 1]; the last one ends with them. */
typedef struct shape {
    int64_t at[CAIRN__ZONE_CHANGES_MAX];
    int32_t offset[CAIRN__ZONE_CHANGES_MAX + 1];
    size_t changes;
    cairn_span rule; /* empty: none */
} shape;

/* The text between the last two line feeds of a TZif file. */
static cairn_span footer_of(cairn_span tzif) {
    size_t end = tzif.len;
    if (end == 0 || tzif.data[end - 1] != '\n') {
        return (cairn_span){ NULL, 0 };
    }
    size_t from = end - 1;
    while (from > 0 && tzif.data[from - 1] != '\n') {
        from -= 1;
    }
    return cairn__span(tzif.data + from, end - 1 - from);
}

static bool collect(const cairn__zone *zone, shape *out) {
    cairn__zone_segment segment = cairn__zone_segment_at(zone, from_seconds);
    out->offset[0] = segment.offset;
    out->changes = 0;
    while (segment.to < until_seconds) {
        if (out->changes == CAIRN__ZONE_CHANGES_MAX) {
            return false;
        }
        segment = cairn__zone_segment_at(zone, segment.to);
        if (segment.offset == out->offset[out->changes]) {
            continue;
        }
        out->at[out->changes] = segment.from;
        out->offset[++out->changes] = segment.offset;
    }
    return true;
}

/* Does the rule give this offset all the time from..to? */
static bool foretells(const cairn__zone_rule *rule, int64_t from, int64_t to, int32_t offset) {
    for (int64_t at = from; at < to;) {
        cairn__zone_segment segment = cairn__zone_rule_segment(rule, at);
        if (segment.offset != offset) {
            return false;
        }
        at = segment.to;
    }
    return true;
}

/* Drop the changes at the end that the rule makes too; where it is wrong in the end, drop it. */
static void trim(shape *s) {
    cairn__zone_rule rule;
    if (s->rule.len == 0 || s->rule.len > RULE_BYTES_MAX ||
        !cairn__zone_rule_parse(s->rule, &rule)) {
        s->rule.len = 0;
        return;
    }
    size_t kept = s->changes + 1; /* segments from this one on are the rule's */
    while (kept > 0) {
        size_t i = kept - 1;
        int64_t from = i == 0 ? from_seconds : s->at[i - 1];
        int64_t to = i == s->changes ? until_seconds : s->at[i];
        if (!foretells(&rule, from, to, s->offset[i])) {
            break;
        }
        kept = i;
    }
    if (kept > s->changes) {
        s->rule.len = 0;
    } else {
        s->changes = kept;
    }
}

static bool whole_minutes(const shape *s) {
    bool whole = s->offset[0] % 60 == 0;
    for (size_t i = 0; i < s->changes; i++) {
        whole = whole && s->at[i] % 60 == 0 && s->offset[i + 1] % 60 == 0;
    }
    return whole;
}

static size_t put_shape(const shape *s, uint8_t bytes[ZONE_BYTES_MAX]) {
    size_t len = cairn__put_varint(bytes, s->changes);
    len += cairn__put_varint(bytes + len, cairn__zigzag(s->offset[0] / 60));
    int64_t last = from_seconds;
    for (size_t i = 0; i < s->changes; i++) {
        len += cairn__put_varint(bytes + len, (uint64_t)((s->at[i] - last) / 60));
        len += cairn__put_varint(bytes + len, cairn__zigzag(s->offset[i + 1] / 60));
        last = s->at[i];
    }
    if (s->rule.len > 0) {
        memcpy(bytes + len, s->rule.data, s->rule.len);
    }
    return len + s->rule.len;
}

_Static_assert(CAIRN__ZONE_CHANGES_MAX * 6 + 5 + RULE_BYTES_MAX <= ZONE_BYTES_MAX,
               "a change takes at most 4 + 2 bytes");

/* One file's zone as bytes of the table, in the arena. */
static cairn_status shape_file(const cairn__zone_file *file, cairn__arena *scratch,
                               cairn_span *bytes_out) {
    const cairn__zone *zone = NULL;
    shape s;
    cairn_status status = cairn__zone_parse(file->tzif, scratch, &zone);
    if (status != CAIRN_OK) {
        return status;
    }
    s.rule = footer_of(file->tzif);
    if (!collect(zone, &s)) {
        return CAIRN_UNSUPPORTED;
    }
    trim(&s);
    if (!whole_minutes(&s)) {
        return CAIRN_UNSUPPORTED;
    }
    uint8_t bytes[ZONE_BYTES_MAX];
    size_t len = put_shape(&s, bytes);
    return cairn__arena_copy(scratch, cairn__span(bytes, len), bytes_out) ? CAIRN_OK
                                                                          : CAIRN_NO_MEMORY;
}

/* The distinct zones so far, and which one each file has. */
typedef struct shapes {
    cairn_span *zones;
    size_t count;
    uint16_t *zone_of;
} shapes;

static cairn_status add_shape(shapes *all, cairn_span zone, size_t file) {
    size_t i = 0;
    while (i < all->count && !cairn__span_equal(all->zones[i], zone)) {
        i += 1;
    }
    if (i == CAIRN__ZONE_TABLE_ZONES_MAX) {
        return CAIRN_UNSUPPORTED;
    }
    all->zones[i] = zone;
    all->count += i == all->count;
    all->zone_of[file] = (uint16_t)i;
    return CAIRN_OK;
}

static bool name_good(const cairn__zone_file *files, size_t i) {
    cairn_span name = files[i].name;
    return name.len > 0 && name.len <= CAIRN__ZONE_NAME_BYTES_MAX &&
           (i == 0 || cairn__span_compare(files[i - 1].name, name) < 0);
}

static size_t shared_bytes(cairn_span a, cairn_span b) {
    size_t shared = 0;
    while (shared < a.len && shared < b.len && a.data[shared] == b.data[shared]) {
        shared += 1;
    }
    return shared;
}

static void put_table(const cairn__zone_file *files, size_t count, const shapes *all,
                      cairn__buffer *to) {
    const uint8_t counts[4] = { (uint8_t)all->count, (uint8_t)(all->count >> 8), (uint8_t)count,
                                (uint8_t)(count >> 8) };
    cairn__buffer_append(to, cairn__span("CZ1", 4));
    cairn__buffer_append(to, cairn__span(counts, sizeof counts));
    for (size_t i = 0; i < all->count; i++) {
        cairn__write_varint(to, all->zones[i].len);
        cairn__buffer_append(to, all->zones[i]);
    }
    cairn_span before = { NULL, 0 };
    for (size_t i = 0; i < count; i++) {
        cairn_span name = files[i].name;
        size_t shared = shared_bytes(before, name);
        cairn__buffer_byte(to, (uint8_t)shared);
        cairn__buffer_byte(to, (uint8_t)(name.len - shared));
        cairn__buffer_append(to, cairn__span(name.data + shared, name.len - shared));
        cairn__write_varint(to, all->zone_of[i]);
        before = name;
    }
}

cairn_status cairn__zone_table_write(const cairn__zone_file *files, size_t count,
                                     cairn__arena *scratch, cairn__buffer *to, size_t *bad_out) {
    *bad_out = 0;
    if (count > CAIRN__ZONE_TABLE_NAMES_MAX) {
        return CAIRN_UNSUPPORTED;
    }
    shapes all = { .zones = cairn__arena_alloc(scratch, (CAIRN__ZONE_TABLE_ZONES_MAX + 1) *
                                                            sizeof *all.zones),
                   .zone_of = cairn__arena_alloc(scratch, (count + 1) * sizeof *all.zone_of) };
    if (all.zones == NULL || all.zone_of == NULL) {
        return CAIRN_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        cairn_span zone;
        *bad_out = i;
        if (!name_good(files, i)) {
            return CAIRN_INVALID;
        }
        cairn_status status = shape_file(&files[i], scratch, &zone);
        status = status == CAIRN_OK ? add_shape(&all, zone, i) : status;
        if (status != CAIRN_OK) {
            return status;
        }
    }
    put_table(files, count, &all, to);
    return to->failed ? CAIRN_NO_MEMORY : CAIRN_OK;
}
