/* query.c: is a run of bytes a query, and which events are its. */
#include "rules/query.h"

#include "base/bytes.h"
#include "base/civil.h"
#include "base/varint.h"
#include "model/limits.h"

typedef cairn__query query;
typedef cairn__query_step step;

static const int64_t days_max = INT64_C(50000000000); /* as base/zone.c */

/* --- reading --------------------------------------------------------------------------------- */

static bool take(cairn__cursor *from, size_t bytes, const uint8_t **at_out) {
    if ((size_t)(from->end - from->at) < bytes) {
        return false;
    }
    *at_out = from->at;
    from->at += bytes;
    return true;
}

static bool of_rows(cairn__rule_history_kind kind) {
    return kind == CAIRN__RULE_ANY_ROW || kind == CAIRN__RULE_ALL_ROWS;
}

/* What the server alone knows is asked of it as a whole: no window. */
static bool has_window(cairn__rule_history_kind kind) {
    return kind < CAIRN__RULE_SEQUENCE;
}

static bool name_is_good(const query *q) {
    bool wanted = q->kind >= CAIRN__RULE_SUM && q->kind != CAIRN__RULE_SEQUENCE;
    return wanted ? q->name.len > 0 && q->name.len <= CAIRN__NAME_BYTES_MAX : q->name.len == 0;
}

static bool steps_are_good(const query *q) {
    if (q->kind == CAIRN__RULE_SEQUENCE) {
        return q->step_count >= 2 && q->step_count <= CAIRN__RULE_SEQUENCE_STEPS_MAX;
    }
    return q->step_count == (q->kind == CAIRN__RULE_MEMBER ? 0 : 1);
}

static bool is_day(int64_t day) {
    return day <= days_max && day >= -days_max;
}

/* The two numbers of a window, and nothing where it has none. */
static bool window_is_good(const query *q, int64_t from, int64_t to) {
    bool bare = from == 0 && to == 0;
    if (!has_window(q->kind)) {
        return q->window.kind == CAIRN__RULE_WINDOW_EVER && bare && !q->window.user_time;
    }
    switch ((int)q->window.kind) {
    case CAIRN__RULE_WINDOW_LAST:
        return from >= 0 && to == 0;
    case CAIRN__RULE_WINDOW_SINCE:
        return is_day(from) && to == 0;
    case CAIRN__RULE_WINDOW_DATES:
        return is_day(from) && is_day(to) && from <= to;
    default:
        return bare && q->window.kind < CAIRN__RULE_WINDOW_DATES;
    }
}

static bool read_header(cairn_span bytes, cairn__cursor *from, query *q) {
    const uint8_t *head = NULL;
    const uint8_t *name = NULL;
    if (bytes.len > CAIRN__QUERY_BYTES_MAX || !take(from, CAIRN__QUERY_HEADER_BYTES, &head) ||
        cairn__load_u32(head) != CAIRN__QUERY_MAGIC || cairn__load_u32(head + 8) != bytes.len ||
        head[4] >= CAIRN__RULE_HISTORY_KIND_COUNT || head[6] > 1) {
        return false;
    }
    int64_t window_from = (int64_t)cairn__load_u64(head + 16);
    int64_t window_to = (int64_t)cairn__load_u64(head + 24);
    q->kind = (cairn__rule_history_kind)head[4];
    q->window = (cairn__rule_window){ .kind = (cairn__rule_window_kind)head[5],
                                      .ms = window_from,
                                      .from_day = window_from,
                                      .to_day = window_to,
                                      .user_time = head[6] != 0 };
    q->step_count = head[7];
    q->within_ms = (int64_t)cairn__load_u64(head + 32);
    if (!take(from, cairn__load_u32(head + 12), &name)) {
        return false;
    }
    q->name = cairn__span(name, cairn__load_u32(head + 12));
    bool within = q->kind == CAIRN__RULE_SEQUENCE ? q->within_ms >= 0 : q->within_ms == 0;
    return within && name_is_good(q) && steps_are_good(q) &&
           window_is_good(q, window_from, window_to);
}

/* One name, which comes after the one before it. */
static bool read_name(cairn__cursor *from, cairn_span *name) {
    const uint8_t *length = NULL;
    const uint8_t *at = NULL;
    cairn_span before = *name;
    if (!take(from, 2, &length) || !take(from, cairn__load_u16(length), &at)) {
        return false;
    }
    *name = cairn__span(at, cairn__load_u16(length));
    return name->len > 0 && name->len <= CAIRN__NAME_BYTES_MAX &&
           cairn__span_compare(before, *name) < 0;
}

typedef struct step_bytes {
    uint8_t flags;
    uint16_t names;
    cairn__cursor name_bytes; /* from the first name on */
    cairn_span where;
} step_bytes;

static bool flags_are_good(const query *q, size_t index, const step_bytes *s) {
    bool any = (s->flags & CAIRN__QUERY_STEP_ANY) != 0;
    bool negated = (s->flags & CAIRN__QUERY_STEP_NEGATED) != 0;
    if (s->flags > (CAIRN__QUERY_STEP_ANY | CAIRN__QUERY_STEP_NEGATED) ||
        (negated && (q->kind != CAIRN__RULE_SEQUENCE || index == 0))) {
        return false;
    }
    if (of_rows(q->kind)) {
        return !any && s->names == 0;
    }
    return any ? s->names == 0 : s->names > 0 && s->names <= CAIRN__RULE_EVENTS_MAX;
}

static bool read_step(cairn__cursor *from, const query *q, size_t index, step_bytes *s) {
    const uint8_t *head = NULL;
    const uint8_t *where = NULL;
    if (!take(from, CAIRN__QUERY_STEP_BYTES, &head) || head[1] != 0) {
        return false;
    }
    *s = (step_bytes){ .flags = head[0], .names = cairn__load_u16(head + 2), .name_bytes = *from };
    if (!flags_are_good(q, index, s)) {
        return false;
    }
    cairn_span name = { NULL, 0 };
    for (uint16_t i = 0; i < s->names; i++) {
        if (!read_name(from, &name)) {
            return false;
        }
    }
    if (!take(from, cairn__load_u32(head + 4), &where)) {
        return false;
    }
    s->where = cairn__span(where, cairn__load_u32(head + 4));
    unsigned space = of_rows(q->kind) ? (unsigned)CAIRN__RULE_ROW : (unsigned)CAIRN__RULE_EVENT;
    return s->where.len == 0 || cairn__rule_check_where(s->where, space);
}

bool cairn__query_check(cairn_span bytes) {
    query q;
    cairn__cursor from = cairn__cursor_of(bytes);
    if (!read_header(bytes, &from, &q)) {
        return false;
    }
    for (size_t i = 0; i < q.step_count; i++) {
        step_bytes s;
        if (!read_step(&from, &q, i, &s)) {
            return false;
        }
    }
    return from.at == from.end;
}

static bool fill_step(const step_bytes *s, cairn__arena *arena, step *to) {
    cairn_span *names = cairn__arena_alloc_zero(arena, (size_t)s->names + 1, sizeof *names);
    cairn__cursor from = s->name_bytes;
    if (names == NULL) {
        return false;
    }
    for (uint16_t i = 0; i < s->names; i++) {
        names[i] = cairn__span(from.at + 2, cairn__load_u16(from.at));
        from.at += 2 + names[i].len;
    }
    *to = (step){ .names = names,
                  .name_count = s->names,
                  .any = (s->flags & CAIRN__QUERY_STEP_ANY) != 0,
                  .negated = (s->flags & CAIRN__QUERY_STEP_NEGATED) != 0,
                  .lengths = s->names == 0 ? UINT64_MAX : 0 };
    for (uint16_t i = 0; i < s->names; i++) {
        to->lengths |= UINT64_C(1) << (names[i].len & 63);
    }
    return s->where.len == 0 || cairn__rule_fill(s->where, arena, &to->where) == CAIRN_OK;
}

cairn_status cairn__query_load(cairn_span bytes, cairn__arena *arena, const query **query_out) {
    *query_out = NULL;
    if (!cairn__query_check(bytes)) {
        return CAIRN_INVALID;
    }
    query *q = cairn__arena_alloc_zero(arena, 1, sizeof *q);
    cairn__cursor from = cairn__cursor_of(bytes);
    if (q == NULL || !read_header(bytes, &from, q)) {
        return CAIRN_NO_MEMORY;
    }
    step *steps = cairn__arena_alloc_zero(arena, q->step_count + 1, sizeof *steps);
    for (size_t i = 0; i < q->step_count; i++) {
        step_bytes s;
        if (steps == NULL || !read_step(&from, q, i, &s) || !fill_step(&s, arena, &steps[i])) {
            return CAIRN_NO_MEMORY;
        }
    }
    q->steps = steps;
    *query_out = q;
    return steps == NULL ? CAIRN_NO_MEMORY : CAIRN_OK;
}

cairn__rule_knower cairn__rule_known_by(const cairn__rule_slot *slot) {
    if (slot->space != CAIRN__RULE_QUERY) {
        return slot->space == CAIRN__RULE_TAG ? CAIRN__RULE_KNOWN_TO_SERVER
                                              : CAIRN__RULE_KNOWN_TO_ALL;
    }
    cairn__rule_history_kind kind = slot->name.len < CAIRN__QUERY_HEADER_BYTES
                                        ? CAIRN__RULE_ANY_ROW /* no query: nobody knows */
                                        : (cairn__rule_history_kind)slot->name.data[4];
    if (kind == CAIRN__RULE_MEMBER) {
        return CAIRN__RULE_KNOWN_BY_AUDIENCE;
    }
    return kind < CAIRN__RULE_MEMBER ? CAIRN__RULE_KNOWN_BY_HISTORY : CAIRN__RULE_KNOWN_TO_SERVER;
}

cairn__rule_history_kind cairn__query_kind(const query *q) {
    return q->kind;
}

cairn_span cairn__query_name(const query *q) {
    return q->name;
}

size_t cairn__query_steps(const query *q, const step **steps_out) {
    *steps_out = q->steps;
    return q->step_count;
}

/* --- events ---------------------------------------------------------------------------------- */

cairn_value cairn__rule_event_value(const cairn__event *event, cairn_span name) {
    const cairn_value time = { .kind = CAIRN_VALUE_TIME, .as.time_ms = event->time_ms };
    if (cairn__span_equal(name, CAIRN_STR("$name"))) {
        return (cairn_value){ .kind = CAIRN_VALUE_STRING, .as.string = event->name };
    }
    if (cairn__span_equal(name, CAIRN_STR("$time"))) {
        return time;
    }
    for (size_t i = 0; i < event->property_count; i++) {
        if (cairn__span_equal(event->properties[i].name, name)) {
            return event->properties[i].value;
        }
    }
    return cairn__span_equal(name, CAIRN_STR("time")) ? time
                                                      : (cairn_value){ .kind = CAIRN_VALUE_NULL };
}

static bool is_named(const step *s, cairn_span name) {
    size_t low = 0;
    size_t high = s->name_count;
    if (high == 1) { /* nearly always */
        return cairn__span_equal(s->names[0], name);
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = cairn__span_compare(s->names[middle], name);
        if (order == 0) {
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

static bool where_holds(const cairn__rule *where, const cairn__event *event,
                        const cairn__zone *zone) {
    cairn_value values[CAIRN__QUERY_WHERE_SLOTS_MAX];
    for (size_t i = 0; i < where->slot_count; i++) {
        values[i] = cairn__rule_event_value(event, where->slots[i].name);
    }
    return cairn__rule_evaluate(where, values, event->time_ms, zone) == CAIRN__RULE_TRUE;
}

bool cairn__query_step_holds(const step *s, const cairn__event *event, const cairn__zone *zone) {
    return (s->any || is_named(s, event->name)) &&
           (s->where.program == NULL || where_holds(&s->where, event, zone));
}

bool cairn__query_takes(const query *q, const cairn__query_moment *when, const cairn__event *event,
                        cairn_value *value_out) {
    bool user = q->window.user_time && when->user_zone != NULL;
    const cairn__zone *zone = user ? when->user_zone : when->zone;
    *value_out = (cairn_value){ .kind = CAIRN_VALUE_NULL };
    if (!has_window(q->kind) && q->kind != CAIRN__RULE_SEQUENCE) {
        return false;
    }
    for (size_t i = 0; i < q->step_count; i++) {
        if (cairn__query_step_takes(&q->steps[i], event, zone)) {
            *value_out = q->name.len > 0 ? cairn__rule_event_value(event, q->name) : *value_out;
            return true;
        }
    }
    return false;
}
