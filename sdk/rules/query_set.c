/* query_set.c: values kept beyond the event that brought them. */
#include "rules/query_set.h"

#include "base/bytes.h"
#include "base/hash.h"

typedef cairn__rule_value value;
typedef cairn__query_set set;
typedef cairn__query_member member;

/* --- one value ------------------------------------------------------------------------------- */

static size_t bytes_of(const value *v) {
    size_t bytes = v->kind == CAIRN_VALUE_STRING ? v->as.string.len : 0;
    for (size_t i = 0; v->kind == CAIRN_VALUE_LIST && i < v->as.list.count; i++) {
        bytes += sizeof(cairn_span) + v->as.list.items[i].len;
    }
    return bytes;
}

static cairn_span put(uint8_t **to, cairn_span text) {
    uint8_t *at = *to;
    if (text.len > 0) {
        memcpy(at, text.data, text.len);
    }
    *to += text.len;
    return cairn__span(at, text.len);
}

bool cairn__query_keep_value(cairn__query_keep *keep, cairn__arena *arena, const value *v) {
    size_t bytes = bytes_of(v);
    if (bytes > keep->room_bytes) {
        size_t more = bytes > 2 * keep->room_bytes ? bytes : 2 * keep->room_bytes;
        uint8_t *room = cairn__arena_alloc(arena, more);
        if (room == NULL) {
            return false;
        }
        keep->room = room;
        keep->room_bytes = more;
    }
    keep->value = *v;
    uint8_t *to = keep->room;
    if (v->kind == CAIRN_VALUE_STRING) {
        keep->value.as.string = put(&to, v->as.string);
    } else if (v->kind == CAIRN_VALUE_LIST && bytes > 0) {
        cairn_span *items = (cairn_span *)(void *)keep->room; /* an arena aligns for anything */
        to += v->as.list.count * sizeof *items;
        for (size_t i = 0; i < v->as.list.count; i++) {
            items[i] = put(&to, v->as.list.items[i]);
        }
        keep->value.as.list.items = items;
    }
    return true;
}

/* --- a set ----------------------------------------------------------------------------------- */

static member member_of_text(cairn_span text) {
    return (member){ .hash = cairn__hash(text, CAIRN_VALUE_STRING),
                     .text = text,
                     .kind = CAIRN_VALUE_STRING };
}

/* 1 and 1.0 are one value: a double that is whole and fits is the whole number. */
static member member_of(const value *v) {
    const double two_63 = 9223372036854775808.0;
    member m = { .kind = v->kind };
    if (v->kind == CAIRN_VALUE_STRING) {
        return member_of_text(v->as.string);
    }
    if (v->kind == CAIRN_VALUE_BOOLEAN) {
        m.payload = v->as.boolean ? 1 : 0;
    } else if (v->kind != CAIRN_VALUE_NUMBER) {
        m.payload = (uint64_t)v->as.integer;
    } else if (v->as.number >= -two_63 && v->as.number < two_63 &&
               (double)(int64_t)v->as.number - v->as.number == 0) {
        m.kind = CAIRN_VALUE_INTEGER;
        m.payload = (uint64_t)(int64_t)v->as.number;
    } else {
        memcpy(&m.payload, &v->as.number, sizeof m.payload);
    }
    m.hash = cairn__mix(m.payload + m.kind);
    return m;
}

static bool same(const member *a, const member *b) {
    return a->hash == b->hash && a->kind == b->kind && a->payload == b->payload &&
           cairn__span_equal(a->text, b->text);
}

static member *member_at(const set *s, uint32_t index) {
    return &s->chunks[index / CAIRN__QUERY_SET_CHUNK][index % CAIRN__QUERY_SET_CHUNK];
}

/* Where it is, or the empty place where it belongs. */
static uint32_t place_of(const set *s, const member *m) {
    uint32_t place = (uint32_t)m->hash & (CAIRN__QUERY_SET_PLACES - 1);
    while (s->places[place] != 0 && !same(member_at(s, s->places[place] - 1u), m)) {
        place = (place + 1) & (CAIRN__QUERY_SET_PLACES - 1);
    }
    return place;
}

static bool make_room(set *s, cairn__arena *arena) {
    member **chunk = &s->chunks[s->count / CAIRN__QUERY_SET_CHUNK];
    if (s->places == NULL) {
        s->places = cairn__arena_alloc_zero(arena, CAIRN__QUERY_SET_PLACES, sizeof *s->places);
    }
    if (*chunk == NULL) {
        *chunk = cairn__arena_alloc_zero(arena, CAIRN__QUERY_SET_CHUNK, sizeof **chunk);
    }
    return s->places != NULL && *chunk != NULL;
}

static bool add(set *s, cairn__arena *arena, member m) {
    if (s->count == CAIRN__QUERY_DISTINCT_MAX) {
        return true;
    }
    if (!make_room(s, arena)) {
        return false;
    }
    uint32_t place = place_of(s, &m);
    if (s->places[place] != 0) {
        return true;
    }
    if (m.text.len > 0 && !cairn__arena_copy(arena, m.text, &m.text)) {
        return false;
    }
    *member_at(s, s->count) = m;
    s->count += 1;
    s->places[place] = (uint16_t)s->count;
    return true;
}

bool cairn__query_set_add(set *s, cairn__arena *arena, const value *v) {
    if (v->kind != CAIRN_VALUE_LIST) {
        return add(s, arena, member_of(v));
    }
    for (size_t i = 0; i < v->as.list.count; i++) {
        if (!add(s, arena, member_of_text(v->as.list.items[i]))) {
            return false;
        }
    }
    return true;
}
