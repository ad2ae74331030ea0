/* profile.c: see profile.h. */
#include "local/profile.h"

#include "base/bytes.h"
#include "local/local.h"
#include "model/limits.h"

enum { UNKNOWN = CAIRN__RULE_VALUE_UNKNOWN };

cairn__profile cairn__profile_make(cairn_allocator allocator) {
    return (cairn__profile){ .allocator = allocator,
                             .arena = cairn__arena_make(allocator, CAIRN__PROFILE_BYTES_MAX) };
}

static void remove_at(cairn__profile *profile, size_t at) {
    cairn__write *write = &profile->writes[at];
    profile->bytes -= write->name.bytes + write->value.bytes;
    cairn__kept_free(&write->name, profile->allocator);
    cairn__kept_free(&write->value, profile->allocator);
    profile->count -= 1;
    memmove(write, write + 1, (profile->count - at) * sizeof *write);
}

void cairn__profile_free(cairn__profile *profile) {
    while (profile->count > 0) {
        remove_at(profile, profile->count - 1);
    }
    if (profile->writes != NULL) {
        profile->allocator.resize(profile->allocator.self, profile->writes,
                                  profile->capacity * sizeof *profile->writes, 0);
    }
    cairn__arena_free(&profile->arena);
    *profile = cairn__profile_make(profile->allocator);
}

/* --- writing -----------------------------------------------------------------------------------*/

static bool is_absolute(cairn__event_kind kind) {
    return kind == CAIRN__EVENT_PROFILE_SET || kind == CAIRN__EVENT_PROFILE_UNSET ||
           kind == CAIRN__EVENT_PROFILE_DELETE;
}

static bool is_of(const cairn__write *write, cairn_span name) {
    return write->kind == CAIRN__EVENT_PROFILE_DELETE ||
           cairn__span_equal(write->name.value.as.string, name);
}

/* What an absolute write of the same node makes needless. */
static void remove_before(cairn__profile *profile, uint32_t node, cairn__event_kind kind,
                          cairn_span name) {
    for (size_t i = profile->count; i > 0; i--) {
        const cairn__write *write = &profile->writes[i - 1];
        bool same = kind == CAIRN__EVENT_PROFILE_DELETE ||
                    (write->kind != CAIRN__EVENT_PROFILE_DELETE && is_of(write, name));
        if (write->node == node && same) {
            remove_at(profile, i - 1);
        }
    }
}

static void lose_oldest(cairn__profile *profile) {
    uint64_t seq = profile->writes[0].seq;
    profile->lost_seq = seq > profile->lost_seq ? seq : profile->lost_seq;
    remove_at(profile, 0);
}

static bool add(cairn__profile *profile, const cairn__write *head, cairn_span name,
                cairn_value value) {
    if (is_absolute(head->kind)) {
        remove_before(profile, head->node, head->kind, name);
    }
    cairn__write write = *head;
    const cairn_value text = { .kind = CAIRN_VALUE_STRING, .as.string = name };
    if (!cairn__kept_reserve(profile->allocator, (void **)&profile->writes, sizeof write,
                             profile->count, &profile->capacity) ||
        !cairn__kept_set(&write.name, profile->allocator, text) ||
        !cairn__kept_set(&write.value, profile->allocator, value)) {
        cairn__kept_free(&write.name, profile->allocator);
        return false;
    }
    profile->writes[profile->count++] = write;
    profile->bytes += write.name.bytes + write.value.bytes;
    while (profile->count > CAIRN__LOCAL_WRITES_MAX || profile->bytes > CAIRN__PROFILE_BYTES_MAX) {
        lose_oldest(profile);
    }
    return true;
}

/* No memory for it: neither what was written before nor what the server says holds any more. */
static bool give_up(cairn__profile *profile, uint64_t seq) {
    while (profile->count > 0) {
        lose_oldest(profile);
    }
    profile->lost_seq = seq > profile->lost_seq ? seq : profile->lost_seq;
    return false;
}

bool cairn__profile_note(cairn__profile *profile, uint32_t node, const cairn__event *event) {
    const cairn__write head = { .seq = event->seq, .node = node, .kind = event->kind };
    const cairn_value none = { .kind = CAIRN_VALUE_NULL };
    if (event->kind == CAIRN__EVENT_PROFILE_DELETE) {
        return add(profile, &head, (cairn_span){ NULL, 0 }, none) || give_up(profile, event->seq);
    }
    for (size_t i = 0; i < event->property_count; i++) {
        const cairn_property *property = &event->properties[i];
        bool unset = event->kind == CAIRN__EVENT_PROFILE_UNSET;
        if (!add(profile, &head, property->name, unset ? none : property->value)) {
            return give_up(profile, event->seq);
        }
    }
    return true;
}

void cairn__profile_move(cairn__profile *profile, uint32_t from, uint32_t to) {
    for (size_t i = profile->count; i > 0; i--) {
        cairn__write *write = &profile->writes[i - 1];
        if (write->node == from && to == 0) {
            remove_at(profile, i - 1);
        } else if (write->node == from) {
            write->node = to;
        }
    }
}

void cairn__profile_settle(cairn__profile *profile, const cairn__persons *persons, cairn_span name,
                           uint64_t covers_seq) {
    for (size_t i = profile->count; i > 0; i--) {
        const cairn__write *write = &profile->writes[i - 1];
        if (write->seq <= covers_seq && write->kind != CAIRN__EVENT_PROFILE_DELETE &&
            is_of(write, name) && cairn__persons_is_current(persons, write->node)) {
            remove_at(profile, i - 1);
        }
    }
}

/* --- reading -----------------------------------------------------------------------------------*/

static cairn_value unknown(void) {
    return (cairn_value){ .kind = (cairn_value_kind)UNKNOWN };
}

static cairn_value incremented(cairn_value before, cairn_value by) {
    bool null = before.kind == CAIRN_VALUE_NULL;
    if (by.kind != CAIRN_VALUE_INTEGER || (before.kind != CAIRN_VALUE_INTEGER && !null)) {
        return unknown(); /* sums of doubles depend on the order, which the server knows */
    }
    cairn_value sum = { .kind = CAIRN_VALUE_INTEGER };
    int64_t from = null ? 0 : before.as.integer;
    return __builtin_add_overflow(from, by.as.integer, &sum.as.integer) ? unknown() : sum;
}

static cairn_string_list items_of(const cairn_value *value) {
    cairn_string_list list = { NULL, 0 };
    if (value->kind == CAIRN_VALUE_LIST) {
        return value->as.list;
    }
    if (value->kind == CAIRN_VALUE_STRING) {
        list = (cairn_string_list){ &value->as.string, 1 };
    }
    return list;
}

static bool has_item(const cairn_span *items, size_t count, cairn_span item) {
    for (size_t i = 0; i < count; i++) {
        if (cairn__span_equal(items[i], item)) {
            return true;
        }
    }
    return false;
}

static cairn_value appended(cairn__profile *profile, cairn_value before, const cairn_value *more,
                            bool distinct) {
    if (before.kind != CAIRN_VALUE_LIST && before.kind != CAIRN_VALUE_NULL) {
        return unknown();
    }
    cairn_string_list old = items_of(&before);
    cairn_string_list add = items_of(more);
    size_t count = old.count;
    cairn_span *items = cairn__arena_alloc(&profile->arena, (count + add.count) * sizeof *items);
    if (items == NULL || count + add.count > CAIRN__LIST_ITEMS_MAX) {
        return unknown();
    }
    if (count > 0) {
        memcpy(items, old.items, count * sizeof *items);
    }
    for (size_t i = 0; i < add.count; i++) {
        if (!distinct || !has_item(items, count, add.items[i])) {
            items[count++] = add.items[i];
        }
    }
    return (cairn_value){ .kind = CAIRN_VALUE_LIST, .as.list = { items, count } };
}

static cairn_value after(cairn__profile *profile, cairn_value before, const cairn__write *write) {
    bool known = (int)before.kind != UNKNOWN;
    switch ((int)write->kind) {
    case CAIRN__EVENT_PROFILE_SET_ONCE:
        return known && before.kind == CAIRN_VALUE_NULL ? write->value.value : before;
    case CAIRN__EVENT_PROFILE_INCREMENT:
        return known ? incremented(before, write->value.value) : before;
    case CAIRN__EVENT_PROFILE_APPEND:
    case CAIRN__EVENT_PROFILE_UNION:
        return known ? appended(profile, before, &write->value.value,
                                write->kind == CAIRN__EVENT_PROFILE_UNION)
                     : before;
    default: /* set; of unset and delete null */
        return write->value.value;
    }
}

cairn_value cairn__profile_value(cairn__profile *profile, const cairn__persons *persons,
                                 cairn_span name, cairn__profile_base base) {
    bool based = base.value != NULL && base.covers_seq >= profile->lost_seq;
    cairn_value value = based ? *base.value : unknown();
    uint32_t node = 0; /* of the writes so far; 0: none */
    for (size_t i = 0; i < profile->count; i++) {
        const cairn__write *write = &profile->writes[i];
        bool old = based && write->seq <= base.covers_seq;
        if (old || !is_of(write, name) || !cairn__persons_is_current(persons, write->node)) {
            continue;
        }
        bool other = node != 0 && node != write->node;
        if (other && !is_absolute(write->kind)) {
            value = unknown(); /* how profiles of two ids are joined is the server's */
        } else {
            value = after(profile, value, write);
        }
        node = write->node;
    }
    return value;
}

/* --- bytes -------------------------------------------------------------------------------------*/

void cairn__profile_write(const cairn__profile *profile, cairn__buffer *to) {
    cairn__buffer_u64(to, profile->lost_seq);
    cairn__buffer_u32(to, (uint32_t)profile->count);
    for (size_t i = 0; i < profile->count; i++) {
        const cairn__write *write = &profile->writes[i];
        cairn__buffer_u64(to, write->seq);
        cairn__buffer_u32(to, write->node);
        cairn__buffer_u32(to, (uint32_t)write->kind);
        cairn__kept_write(write->name.value, to);
        cairn__kept_write(write->value.value, to);
    }
}

static bool read_write(cairn__profile *profile, cairn__cursor *from) {
    cairn__write head = { .seq = 0 };
    uint32_t kind = 0;
    cairn_value name;
    cairn_value value;
    cairn__arena_reset(&profile->arena);
    bool good = cairn__kept_u64(from, &head.seq) && cairn__kept_u32(from, &head.node) &&
                cairn__kept_u32(from, &kind) && cairn__kept_read(from, &profile->arena, &name) &&
                cairn__kept_read(from, &profile->arena, &value) &&
                name.kind == CAIRN_VALUE_STRING && kind >= CAIRN__EVENT_PROFILE_SET &&
                kind <= CAIRN__EVENT_PROFILE_DELETE;
    head.kind = (cairn__event_kind)kind;
    return good && add(profile, &head, name.as.string, value);
}

bool cairn__profile_read(cairn__profile *profile, cairn_span bytes) {
    cairn__cursor from = cairn__cursor_of(bytes);
    uint32_t count = 0;
    uint64_t lost_seq = 0;
    if (!cairn__kept_u64(&from, &lost_seq) || !cairn__kept_u32(&from, &count)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!read_write(profile, &from)) {
            return false;
        }
    }
    profile->lost_seq = lost_seq > profile->lost_seq ? lost_seq : profile->lost_seq;
    return true;
}
