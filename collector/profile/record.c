#include "profile/record.h"

#include <string.h>

#include "base/bytes.h"
#include "base/varint.h"
#include "model/limits.h"

static bool newer(cairn__written a, cairn__written b) {
    return a.time_ms != b.time_ms ? a.time_ms > b.time_ms : a.order > b.order;
}

/* --- values -------------------------------------------------------------------------------- */

static bool copy_list(cairn_string_list from, cairn__arena *arena, cairn_string_list *out) {
    cairn_span *items = cairn__arena_alloc_zero(arena, from.count + 1, sizeof *items);
    for (size_t i = 0; items != NULL && i < from.count; i++) {
        if (!cairn__arena_copy(arena, from.items[i], &items[i])) {
            return false;
        }
    }
    *out = (cairn_string_list){ items, from.count };
    return items != NULL;
}

static bool copy_value(const cairn_value *from, cairn__arena *arena, cairn_value *out) {
    *out = *from;
    if (from->kind == CAIRN_VALUE_STRING) {
        return cairn__arena_copy(arena, from->as.string, &out->as.string);
    }
    return from->kind != CAIRN_VALUE_LIST || copy_list(from->as.list, arena, &out->as.list);
}

static bool is_number(const cairn_value *value) {
    return value->kind == CAIRN_VALUE_INTEGER || value->kind == CAIRN_VALUE_NUMBER;
}

static double as_number(const cairn_value *value) {
    return value->kind == CAIRN_VALUE_INTEGER ? (double)value->as.integer : value->as.number;
}

/* Whole numbers stay whole while they fit; what overflows becomes a double. */
static cairn_value sum(const cairn_value *a, const cairn_value *b) {
    if (!is_number(a)) {
        return *b;
    }
    if (!is_number(b)) {
        return *a;
    }
    cairn_value out = { .kind = CAIRN_VALUE_INTEGER };
    if (a->kind == CAIRN_VALUE_INTEGER && b->kind == CAIRN_VALUE_INTEGER &&
        !__builtin_add_overflow(a->as.integer, b->as.integer, &out.as.integer)) {
        return out;
    }
    out.kind = CAIRN_VALUE_NUMBER;
    out.as.number = as_number(a) + as_number(b);
    return out;
}

/* --- operations ---------------------------------------------------------------------------- */

static bool holds(cairn_string_list list, cairn_span item) {
    for (size_t i = 0; i < list.count; i++) {
        if (cairn__span_equal(list.items[i], item)) {
            return true;
        }
    }
    return false;
}

/* The items of b after those of a; without repeats when `distinct`; the first 500 stay. */
static bool join(cairn_string_list a, cairn_string_list b, bool distinct, cairn__arena *arena,
                 cairn_string_list *out) {
    size_t room = a.count + b.count;
    room = room < CAIRN__LIST_ITEMS_MAX ? room : CAIRN__LIST_ITEMS_MAX;
    cairn_span *items = cairn__arena_alloc_zero(arena, room + 1, sizeof *items);
    if (items == NULL) {
        return false;
    }
    if (a.count != 0) {
        memcpy(items, a.items, a.count * sizeof *items);
    }
    cairn_string_list joined = { items, a.count };
    for (size_t i = 0; i < b.count && joined.count < room; i++) {
        if (!distinct || !holds(joined, b.items[i])) {
            items[joined.count++] = b.items[i];
        }
    }
    *out = joined;
    return true;
}

static bool is_firm(cairn__base_kind kind) {
    return kind == CAIRN__BASE_SET || kind == CAIRN__BASE_UNSET;
}

static cairn_status set_base(cairn__profile_record *record, cairn__base_kind kind,
                             const cairn_value *value, cairn__written at, cairn__arena *arena) {
    if (is_firm(record->base) && newer(record->base_at, at)) {
        return CAIRN_OK;
    }
    cairn_value kept = { .kind = CAIRN_VALUE_NULL };
    if (kind == CAIRN__BASE_SET && !copy_value(value, arena, &kept)) {
        return CAIRN_NO_MEMORY;
    }
    record->base = kind;
    record->base_at = at;
    record->value = kept;
    if (record->delta.kind != CAIRN_VALUE_NULL && newer(at, record->delta_at)) {
        record->delta = (cairn_value){ .kind = CAIRN_VALUE_NULL };
    }
    if (record->items.count != 0 && newer(at, record->items_at)) {
        record->items = (cairn_string_list){ 0 };
    }
    return CAIRN_OK;
}

/* After an unset the first writer may come again; before, the oldest one stays. */
static cairn_status set_once(cairn__profile_record *record, const cairn_value *value,
                             cairn__written at, cairn__arena *arena) {
    bool takes = record->base == CAIRN__BASE_NONE ||
                 (record->base == CAIRN__BASE_SET_ONCE && newer(record->base_at, at)) ||
                 (record->base == CAIRN__BASE_UNSET && newer(at, record->base_at));
    if (!takes) {
        return CAIRN_OK;
    }
    cairn_value kept;
    if (!copy_value(value, arena, &kept)) {
        return CAIRN_NO_MEMORY;
    }
    record->base = CAIRN__BASE_SET_ONCE;
    record->base_at = at;
    record->value = kept;
    return CAIRN_OK;
}

static cairn_status increment(cairn__profile_record *record, const cairn_value *value,
                              cairn__written at) {
    if (!is_number(value)) {
        return CAIRN_INVALID;
    }
    if (is_firm(record->base) && newer(record->base_at, at)) {
        return CAIRN_OK;
    }
    bool first = record->delta.kind == CAIRN_VALUE_NULL;
    record->delta = first ? *value : sum(&record->delta, value);
    record->delta_at = first || newer(at, record->delta_at) ? at : record->delta_at;
    return CAIRN_OK;
}

static cairn_status add_items(cairn__profile_record *record, bool distinct,
                              const cairn_value *value, cairn__written at, cairn__arena *arena) {
    cairn_string_list added = value->as.list;
    if (value->kind == CAIRN_VALUE_STRING) {
        added = (cairn_string_list){ &value->as.string, 1 };
    } else if (value->kind != CAIRN_VALUE_LIST) {
        return CAIRN_INVALID;
    }
    if (is_firm(record->base) && newer(record->base_at, at)) {
        return CAIRN_OK;
    }
    cairn_string_list joined;
    if (!copy_list(added, arena, &added) || !join(record->items, added, distinct, arena, &joined)) {
        return CAIRN_NO_MEMORY;
    }
    bool first = record->items.count == 0;
    record->items = joined;
    record->items_at = first || newer(at, record->items_at) ? at : record->items_at;
    return CAIRN_OK;
}

cairn_status cairn__profile_record_apply(cairn__profile_record *record, cairn__event_kind kind,
                                         const cairn_value *value, cairn__written at,
                                         cairn__arena *arena) {
    if (kind == CAIRN__EVENT_PROFILE_SET) {
        return set_base(record, CAIRN__BASE_SET, value, at, arena);
    }
    if (kind == CAIRN__EVENT_PROFILE_UNSET) {
        return set_base(record, CAIRN__BASE_UNSET, value, at, arena);
    }
    if (kind == CAIRN__EVENT_PROFILE_SET_ONCE) {
        return set_once(record, value, at, arena);
    }
    if (kind == CAIRN__EVENT_PROFILE_INCREMENT) {
        return increment(record, value, at);
    }
    bool distinct = kind == CAIRN__EVENT_PROFILE_UNION;
    return distinct || kind == CAIRN__EVENT_PROFILE_APPEND
               ? add_items(record, distinct, value, at, arena)
               : CAIRN_INVALID;
}

/* --- folding ------------------------------------------------------------------------------- */

static const cairn__profile_record *winning_base(const cairn__profile_record *records,
                                                 size_t count) {
    const cairn__profile_record *best = NULL;
    for (size_t i = 0; i < count; i++) {
        const cairn__profile_record *record = &records[i];
        if (record->base == CAIRN__BASE_NONE) {
            continue;
        }
        bool firm = is_firm(record->base);
        bool better = best == NULL || (firm && !is_firm(best->base));
        if (!better && firm == is_firm(best->base)) {
            better = firm ? newer(record->base_at, best->base_at)
                          : newer(best->base_at, record->base_at);
        }
        best = better ? record : best;
    }
    return best;
}

static bool counts(const cairn__profile_record *base, cairn__written at) {
    return base == NULL || !is_firm(base->base) || !newer(base->base_at, at);
}

static cairn_status fold_items(const cairn__profile_record *records, size_t count,
                               const cairn__profile_record *base, cairn__arena *arena,
                               cairn_string_list *list) {
    *list = (cairn_string_list){ 0 };
    if (base != NULL && base->value.kind == CAIRN_VALUE_LIST) {
        *list = base->value.as.list;
    } else if (base != NULL && base->value.kind == CAIRN_VALUE_STRING) {
        *list = (cairn_string_list){ &base->value.as.string, 1 };
    }
    size_t contributors = 0;
    for (size_t i = 0; i < count; i++) {
        contributors += records[i].items.count != 0 && counts(base, records[i].items_at);
    }
    for (size_t i = 0; i < count; i++) {
        bool takes = records[i].items.count != 0 && counts(base, records[i].items_at);
        /* one node's own repeats stay; what several nodes say is united */
        if (takes && !join(*list, records[i].items, contributors > 1, arena, list)) {
            return CAIRN_NO_MEMORY;
        }
    }
    return CAIRN_OK;
}

cairn_status cairn__records_fold(const cairn__profile_record *records, size_t count,
                                 cairn__arena *arena, cairn_value *value_out) {
    const cairn__profile_record *base = winning_base(records, count);
    cairn_value delta = { .kind = CAIRN_VALUE_NULL };
    bool has_items = false;
    cairn__written delta_at = { INT64_MIN, 0 };
    cairn__written items_at = { INT64_MIN, 0 };
    for (size_t i = 0; i < count; i++) {
        const cairn__profile_record *record = &records[i];
        if (record->delta.kind != CAIRN_VALUE_NULL && counts(base, record->delta_at)) {
            delta = sum(&delta, &record->delta);
            delta_at = newer(record->delta_at, delta_at) ? record->delta_at : delta_at;
        }
        if (record->items.count != 0 && counts(base, record->items_at)) {
            has_items = true;
            items_at = newer(record->items_at, items_at) ? record->items_at : items_at;
        }
    }
    *value_out = base == NULL ? (cairn_value){ .kind = CAIRN_VALUE_NULL } : base->value;
    bool has_delta = delta.kind != CAIRN_VALUE_NULL;
    if (has_items && (!has_delta || newer(items_at, delta_at))) {
        value_out->kind = CAIRN_VALUE_LIST;
        return fold_items(records, count, base, arena, &value_out->as.list);
    }
    if (has_delta) {
        *value_out = sum(value_out, &delta);
    }
    return CAIRN_OK;
}

/* --- bytes --------------------------------------------------------------------------------- */

enum { HAS_DELTA = 1 << 4, HAS_ITEMS = 1 << 5, BASE_MASK = 3 };

static void write_bytes(cairn__buffer *to, cairn_span bytes) {
    cairn__write_varint(to, bytes.len);
    cairn__buffer_append(to, bytes);
}

static void write_list(cairn__buffer *to, cairn_string_list list) {
    cairn__write_varint(to, list.count);
    for (size_t i = 0; i < list.count; i++) {
        write_bytes(to, list.items[i]);
    }
}

static void write_at(cairn__buffer *to, cairn__written at) {
    cairn__write_varint(to, cairn__zigzag(at.time_ms));
    cairn__write_varint(to, at.order);
}

static void write_value(cairn__buffer *to, const cairn_value *value) {
    cairn__buffer_byte(to, (uint8_t)value->kind);
    uint64_t bits = 0;
    switch (value->kind) {
    case CAIRN_VALUE_NULL:
        break;
    case CAIRN_VALUE_BOOLEAN:
        cairn__buffer_byte(to, value->as.boolean);
        break;
    case CAIRN_VALUE_INTEGER:
        cairn__write_varint(to, cairn__zigzag(value->as.integer));
        break;
    case CAIRN_VALUE_NUMBER:
        memcpy(&bits, &value->as.number, sizeof bits);
        cairn__buffer_u64(to, bits);
        break;
    case CAIRN_VALUE_STRING:
        write_bytes(to, value->as.string);
        break;
    case CAIRN_VALUE_TIME:
        cairn__write_varint(to, cairn__zigzag(value->as.time_ms));
        break;
    case CAIRN_VALUE_LIST:
        write_list(to, value->as.list);
        break;
    }
}

void cairn__profile_record_write(const cairn__profile_record *record, cairn__buffer *to) {
    bool has_delta = record->delta.kind != CAIRN_VALUE_NULL;
    bool has_items = record->items.count != 0;
    cairn__buffer_byte(to, (uint8_t)((unsigned)record->base | (has_delta ? HAS_DELTA : 0u) |
                                     (has_items ? HAS_ITEMS : 0u)));
    if (record->base != CAIRN__BASE_NONE) {
        write_at(to, record->base_at);
        write_value(to, &record->value);
    }
    if (has_delta) {
        write_at(to, record->delta_at);
        write_value(to, &record->delta);
    }
    if (has_items) {
        write_at(to, record->items_at);
        write_list(to, record->items);
    }
}

static bool read_at(cairn__cursor *cursor, cairn__written *out) {
    uint64_t time = 0;
    bool whole = cairn__read_varint(cursor, &time) && cairn__read_varint(cursor, &out->order);
    out->time_ms = cairn__unzigzag(time);
    return whole;
}

static cairn_status read_list(cairn__cursor *cursor, cairn__arena *arena, cairn_string_list *out) {
    uint64_t count = 0;
    if (!cairn__read_varint(cursor, &count) || count > CAIRN__LIST_ITEMS_MAX) {
        return CAIRN_STORAGE;
    }
    cairn_span *items = cairn__arena_alloc_zero(arena, count + 1, sizeof *items);
    if (items == NULL) {
        return CAIRN_NO_MEMORY;
    }
    for (uint64_t i = 0; i < count; i++) {
        if (!cairn__read_bytes(cursor, &items[i])) {
            return CAIRN_STORAGE;
        }
    }
    *out = (cairn_string_list){ items, count };
    return CAIRN_OK;
}

/* A value of fixed or varint size; false: cut off, or no such kind. */
static bool read_scalar(cairn__cursor *cursor, cairn_value *out) {
    uint64_t bits = 0;
    if (out->kind == CAIRN_VALUE_NULL) {
        return true;
    }
    if (out->kind == CAIRN_VALUE_STRING) {
        return cairn__read_bytes(cursor, &out->as.string);
    }
    if (out->kind == CAIRN_VALUE_NUMBER) {
        if (cursor->end - cursor->at < 8) {
            return false;
        }
        bits = cairn__load_u64(cursor->at);
        cursor->at += 8;
        memcpy(&out->as.number, &bits, sizeof bits);
        return true;
    }
    if (!cairn__read_varint(cursor, &bits)) {
        return false;
    }
    if (out->kind == CAIRN_VALUE_BOOLEAN) {
        out->as.boolean = bits == 1;
        return bits <= 1;
    }
    out->as.integer = cairn__unzigzag(bits); /* INTEGER and TIME share their place */
    return true;
}

static cairn_status read_value(cairn__cursor *cursor, cairn__arena *arena, cairn_value *out) {
    if (cursor->at == cursor->end || *cursor->at > CAIRN_VALUE_LIST) {
        return CAIRN_STORAGE;
    }
    out->kind = (cairn_value_kind)*cursor->at++;
    if (out->kind == CAIRN_VALUE_LIST) {
        return read_list(cursor, arena, &out->as.list);
    }
    return read_scalar(cursor, out) ? CAIRN_OK : CAIRN_STORAGE;
}

cairn_status cairn__profile_record_read(cairn_span bytes, cairn__arena *arena,
                                        cairn__profile_record *record_out) {
    *record_out = (cairn__profile_record){ 0 };
    cairn__cursor cursor = cairn__cursor_of(bytes);
    if (bytes.len == 0 || (bytes.data[0] & ~(unsigned)(BASE_MASK | HAS_DELTA | HAS_ITEMS)) != 0) {
        return CAIRN_STORAGE;
    }
    unsigned flags = *cursor.at++;
    record_out->base = (cairn__base_kind)(flags & BASE_MASK);
    cairn_status status = CAIRN_OK;
    if (record_out->base != CAIRN__BASE_NONE) {
        status = read_at(&cursor, &record_out->base_at)
                     ? read_value(&cursor, arena, &record_out->value)
                     : CAIRN_STORAGE;
    }
    if (status == CAIRN_OK && (flags & HAS_DELTA) != 0) {
        status = read_at(&cursor, &record_out->delta_at)
                     ? read_value(&cursor, arena, &record_out->delta)
                     : CAIRN_STORAGE;
        if (status == CAIRN_OK && !is_number(&record_out->delta)) {
            status = CAIRN_STORAGE;
        }
    }
    if (status == CAIRN_OK && (flags & HAS_ITEMS) != 0) {
        status = read_at(&cursor, &record_out->items_at)
                     ? read_list(&cursor, arena, &record_out->items)
                     : CAIRN_STORAGE;
    }
    return status == CAIRN_OK && cursor.at != cursor.end ? CAIRN_STORAGE : status;
}
