/* zone_table.c: see zone_table.h. Every read checks the end first: tables come from outside. */
#include "base/zone_table.h"

#include "base/bytes.h"
#include "base/varint.h"

enum { SHARED_AT = 0, REST_AT = 1, NAME_HEAD_BYTES = 2 };

/* The table's sections while they are walked. */
typedef struct walk {
    cairn__cursor cursor;
    unsigned zones, names;
} walk;

static bool open_table(cairn_span bytes, walk *out) {
    if (bytes.len < CAIRN__ZONE_TABLE_HEADER_BYTES || memcmp(bytes.data, "CZ1", 4) != 0) {
        return false;
    }
    *out = (walk){ { bytes.data + CAIRN__ZONE_TABLE_HEADER_BYTES, bytes.data + bytes.len },
                   cairn__load_u16(bytes.data + 4),
                   cairn__load_u16(bytes.data + 6) };
    return out->zones <= CAIRN__ZONE_TABLE_ZONES_MAX && out->names <= CAIRN__ZONE_TABLE_NAMES_MAX;
}

static bool take(cairn__cursor *cursor, size_t count, cairn_span *out) {
    if ((size_t)(cursor->end - cursor->at) < count) {
        return false;
    }
    *out = cairn__span(cursor->at, count);
    cursor->at += count;
    return true;
}

static bool next_zone(cairn__cursor *cursor, cairn_span *zone_out) {
    return cairn__read_bytes(cursor, zone_out);
}

/* The next name: what it shares with the one before stays in `name`. */
static bool next_name(walk *t, uint8_t *name, size_t *len, uint64_t *zone_out) {
    cairn_span head;
    cairn_span rest;
    if (!take(&t->cursor, NAME_HEAD_BYTES, &head) || !take(&t->cursor, head.data[REST_AT], &rest) ||
        !cairn__read_varint(&t->cursor, zone_out)) {
        return false;
    }
    size_t shared = head.data[SHARED_AT];
    if (shared > *len || shared + rest.len > CAIRN__ZONE_NAME_BYTES_MAX) {
        return false;
    }
    memcpy(name + shared, rest.data, rest.len);
    *len = shared + rest.len;
    return *zone_out < t->zones;
}

/* Zone `number` of a table that has been opened. */
static bool zone_at(cairn_span bytes, uint64_t number, cairn_span *zone_out) {
    walk t;
    if (!open_table(bytes, &t)) {
        return false;
    }
    for (uint64_t i = 0; i <= number; i++) {
        if (!next_zone(&t.cursor, zone_out)) {
            return false;
        }
    }
    return true;
}

static bool skip_zones(walk *t) {
    cairn_span zone;
    for (unsigned i = 0; i < t->zones; i++) {
        if (!next_zone(&t->cursor, &zone)) {
            return false;
        }
    }
    return true;
}

cairn_status cairn__zone_table_find(cairn_span table, cairn_span name, cairn__arena *arena,
                                    const cairn__zone **zone_out) {
    *zone_out = NULL;
    walk t;
    if (table.len == 0) {
        return CAIRN_NOT_FOUND;
    }
    if (!open_table(table, &t) || !skip_zones(&t)) {
        return CAIRN_INVALID;
    }
    uint8_t at[CAIRN__ZONE_NAME_BYTES_MAX];
    size_t len = 0;
    for (unsigned i = 0; i < t.names; i++) {
        uint64_t number = 0;
        if (!next_name(&t, at, &len, &number)) {
            return CAIRN_INVALID;
        }
        cairn_span zone;
        if (cairn__span_equal(cairn__span(at, len), name)) {
            return zone_at(table, number, &zone) ? cairn__zone_parse_compact(zone, arena, zone_out)
                                                 : CAIRN_INVALID;
        }
    }
    return CAIRN_NOT_FOUND;
}

bool cairn__zone_table_check(cairn_span table) {
    walk t;
    if (!open_table(table, &t)) {
        return false;
    }
    cairn_span zone;
    for (unsigned i = 0; i < t.zones; i++) {
        if (!next_zone(&t.cursor, &zone) || !cairn__zone_compact_check(zone)) {
            return false;
        }
    }
    uint8_t names[2][CAIRN__ZONE_NAME_BYTES_MAX] = { { 0 }, { 0 } };
    size_t len[2] = { 0, 0 };
    for (unsigned i = 0; i < t.names; i++) {
        uint64_t number = 0;
        memcpy(names[1], names[0], len[0]);
        len[1] = len[0];
        if (!next_name(&t, names[0], &len[0], &number) || len[0] == 0 ||
            cairn__span_compare(cairn__span(names[1], len[1]), cairn__span(names[0], len[0])) >=
                0) {
            return false;
        }
    }
    return t.cursor.at == t.cursor.end;
}
