/* memory_fold.c: from one event, or from another person's memory, to what is remembered. */
#include "decide/decider.h"
#include "decide/memory_table.h"

static cairn_value property_of(const cairn__event *event, cairn_span name) {
    return cairn__property_of(event->properties, event->property_count, name);
}

/* A name of 1..100 bytes; otherwise empty. */
static cairn_span name_of(const cairn__event *event, cairn_span property) {
    cairn_value value = property_of(event, property);
    bool fits =
        value.kind == CAIRN_VALUE_STRING && value.as.string.len <= CAIRN__DEFINITION_NAME_BYTES_MAX;
    return fits ? value.as.string : (cairn_span){ NULL, 0 };
}

static uint32_t number_of(const cairn__event *event, cairn_span property) {
    cairn_value value = property_of(event, property);
    bool fits = value.kind == CAIRN_VALUE_INTEGER && value.as.integer >= 0 &&
                value.as.integer <= (int64_t)UINT32_MAX;
    return fits ? (uint32_t)value.as.integer : 0;
}

/* Is this show the newest of its entry, or as new? Asked before it is inserted. */
static int against_newest(const cairn__memory_count *shows, cairn__memory_mark mark) {
    return shows->mark_count == 0 ? 1 : cairn__memory_order(mark, shows->marks[0]);
}

static cairn__memory_mark mark_of(const cairn__event *event) {
    return (cairn__memory_mark){ event->time_ms, event->session };
}

static void count_one(cairn__memory_entry *entry, cairn__cap_count what,
                      const cairn__event *event) {
    cairn__memory_add_total(&entry->counts[what], 1);
    cairn__memory_insert(&entry->counts[what], mark_of(event));
}

/* The entries that an event about a popup counts for: it, and unless it is a control arm all popups
 * and its groups. */
typedef struct touched {
    uint32_t numbers[CAIRN__MEMORY_GROUPS_MAX + 2];
    size_t count;
} touched;

static bool touch(cairn__memory *memory, cairn__memory_kind kind, cairn_span name,
                  cairn__cap_count what, touched *all) {
    cairn__memory_entry *entry =
        cairn__memory_entry_for(memory, kind, name, (cairn_span){ NULL, 0 });
    if (entry == NULL ||
        !cairn__memory_room(memory, &entry->counts[what], entry->counts[what].mark_count + 1u)) {
        return false;
    }
    uint32_t number = (uint32_t)(entry - memory->entries);
    for (size_t i = 0; i < all->count; i++) {
        if (all->numbers[i] == number) {
            return true; /* a group named twice */
        }
    }
    all->numbers[all->count] = number;
    all->count += 1;
    entry->held = true;
    return true;
}

static bool touch_groups(cairn__memory *memory, const cairn__event *event, cairn__cap_count what,
                         touched *all) {
    cairn_value groups = property_of(event, CAIRN_STR("groups"));
    size_t count = groups.kind == CAIRN_VALUE_LIST ? groups.as.list.count : 0;
    count = count > CAIRN__MEMORY_GROUPS_MAX ? CAIRN__MEMORY_GROUPS_MAX : count;
    for (size_t i = 0; i < count; i++) {
        cairn_span name = groups.as.list.items[i];
        if (name.len > 0 && name.len <= CAIRN__DEFINITION_NAME_BYTES_MAX &&
            !touch(memory, CAIRN__MEMORY_GROUP, name, what, all)) {
            return false;
        }
    }
    return true;
}

static bool touch_all(cairn__memory *memory, const cairn__event *event, cairn__cap_count what,
                      touched *all) {
    cairn_value control = property_of(event, CAIRN_STR("control"));
    bool only_counted = control.kind == CAIRN_VALUE_BOOLEAN && control.as.boolean;
    cairn_span name = name_of(event, CAIRN_STR("popup"));
    return touch(memory, CAIRN__MEMORY_POPUP, name, what, all) &&
           (only_counted || (touch(memory, CAIRN__MEMORY_GROUP, CAIRN_STR(""), what, all) &&
                             touch_groups(memory, event, what, all)));
}

/* The variant of the newest show. */
static bool note_variant(cairn__memory *memory, const cairn__event *event,
                         cairn__memory_entry *popup) {
    cairn_span variant = name_of(event, CAIRN_STR("variant"));
    int order = against_newest(&popup->counts[CAIRN__CAP_SHOWS], mark_of(event));
    bool newer = order > 0 || (order == 0 && cairn__span_compare(variant, popup->variant) > 0);
    return !newer || cairn__memory_set_variant(memory, popup, variant);
}

static cairn_status note_popup(cairn__memory *memory, const cairn__event *event,
                               cairn__cap_count what) {
    if (name_of(event, CAIRN_STR("popup")).len == 0) {
        return CAIRN_OK;
    }
    touched all = { .count = 0 };
    bool room =
        touch_all(memory, event, what, &all) &&
        (what != CAIRN__CAP_SHOWS || note_variant(memory, event, &memory->entries[all.numbers[0]]));
    for (size_t i = 0; i < all.count; i++) {
        memory->entries[all.numbers[i]].held = false;
        if (room) {
            count_one(&memory->entries[all.numbers[i]], what, event);
        }
    }
    return room ? CAIRN_OK : CAIRN_NO_MEMORY;
}

static cairn_status note_item(cairn__memory *memory, const cairn__event *event,
                              cairn__cap_count what) {
    cairn_span slot = name_of(event, CAIRN_STR("slot"));
    cairn_span item = name_of(event, CAIRN_STR("item"));
    if (slot.len == 0 || item.len == 0) {
        return CAIRN_OK;
    }
    cairn__memory_entry *entry = cairn__memory_entry_for(memory, CAIRN__MEMORY_ITEM, slot, item);
    if (entry == NULL ||
        !cairn__memory_room(memory, &entry->counts[what], entry->counts[what].mark_count + 1u)) {
        return CAIRN_NO_MEMORY;
    }
    if (what == CAIRN__CAP_SHOWS) {
        uint32_t position = number_of(event, CAIRN_STR("position"));
        int order = against_newest(&entry->counts[what], mark_of(event));
        if (order > 0 || (order == 0 && position > entry->position)) {
            entry->position = position;
        }
    }
    count_one(entry, what, event);
    return CAIRN_OK;
}

/* Does the assignment `a` stay rather than the entry's? The higher version, then the first. */
static bool stays(const cairn__memory_entry *entry, const cairn__memory_entry *a) {
    if (entry->variant.len == 0) {
        return true;
    }
    if (a->version != entry->version) {
        return a->version > entry->version;
    }
    if (a->since_ms != entry->since_ms) {
        return a->since_ms < entry->since_ms;
    }
    int order = cairn__span_compare(a->variant, entry->variant);
    return order != 0 ? order < 0 : a->unit < entry->unit;
}

static bool keep(cairn__memory *memory, cairn__memory_entry *entry, const cairn__memory_entry *a) {
    if (a->variant.len == 0 || !stays(entry, a)) {
        return true;
    }
    if (!cairn__memory_set_variant(memory, entry, a->variant)) {
        return false;
    }
    entry->version = a->version;
    entry->since_ms = a->since_ms;
    entry->unit = a->unit;
    return true;
}

static cairn_status note_exposure(cairn__memory *memory, const cairn__event *event) {
    cairn_span name = name_of(event, CAIRN_STR("experiment"));
    cairn__memory_entry seen = { .variant = name_of(event, CAIRN_STR("variant")),
                                 .version = number_of(event, CAIRN_STR("sticky_version")),
                                 .unit = number_of(event, CAIRN_STR("unit")),
                                 .since_ms = event->time_ms };
    if (name.len == 0 || seen.variant.len == 0) {
        return CAIRN_OK;
    }
    cairn__memory_entry *entry =
        cairn__memory_entry_for(memory, CAIRN__MEMORY_EXPERIMENT, name, (cairn_span){ NULL, 0 });
    if (entry == NULL ||
        !cairn__memory_room(memory, &entry->counts[CAIRN__CAP_SHOWS],
                            entry->counts[CAIRN__CAP_SHOWS].mark_count + 1u) ||
        !keep(memory, entry, &seen)) {
        return CAIRN_NO_MEMORY;
    }
    count_one(entry, CAIRN__CAP_SHOWS, event);
    return CAIRN_OK;
}

typedef struct reserved {
    cairn_span name;
    cairn__memory_kind kind;
    cairn__cap_count what;
} reserved;

static const reserved *reserved_of(cairn_span name) {
    static const reserved all[] = {
        { { (const uint8_t *)"$popup_show", 11 }, CAIRN__MEMORY_POPUP, CAIRN__CAP_SHOWS },
        { { (const uint8_t *)"$popup_click", 12 }, CAIRN__MEMORY_POPUP, CAIRN__CAP_CLICKS },
        { { (const uint8_t *)"$popup_close", 12 }, CAIRN__MEMORY_POPUP, CAIRN__CAP_CLOSES },
        { { (const uint8_t *)"$popup_convert", 14 }, CAIRN__MEMORY_POPUP, CAIRN__CAP_CONVERSIONS },
        { { (const uint8_t *)"$slot_show", 10 }, CAIRN__MEMORY_ITEM, CAIRN__CAP_SHOWS },
        { { (const uint8_t *)"$slot_click", 11 }, CAIRN__MEMORY_ITEM, CAIRN__CAP_CLICKS },
        { { (const uint8_t *)"$experiment_exposure", 20 },
          CAIRN__MEMORY_EXPERIMENT,
          CAIRN__CAP_SHOWS },
    };
    if (name.len < 10 || name.data[0] != '$') {
        return NULL;
    }
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (cairn__span_equal(all[i].name, name)) {
            return &all[i];
        }
    }
    return NULL;
}

bool cairn__memory_takes(cairn_span event_name) {
    return reserved_of(event_name) != NULL;
}

cairn_status cairn__memory_note(cairn__memory *memory, const cairn__event *event) {
    bool kind = event->kind == CAIRN__EVENT_TRACK || event->kind == CAIRN__EVENT_DECISION;
    const reserved *which = kind ? reserved_of(event->name) : NULL;
    if (which == NULL) {
        return CAIRN_OK;
    }
    if (which->kind == CAIRN__MEMORY_POPUP) {
        return note_popup(memory, event, which->what);
    }
    return which->kind == CAIRN__MEMORY_ITEM ? note_item(memory, event, which->what)
                                             : note_exposure(memory, event);
}

/* --- two persons become one --- */

static bool merge_details(cairn__memory *memory, cairn__memory_entry *to,
                          const cairn__memory_entry *from) {
    const cairn__memory_count *shows = &from->counts[CAIRN__CAP_SHOWS];
    if (to->kind == CAIRN__MEMORY_EXPERIMENT) {
        return keep(memory, to, from);
    }
    int order = shows->mark_count == 0
                    ? -1
                    : against_newest(&to->counts[CAIRN__CAP_SHOWS], shows->marks[0]);
    if (order > 0 || (order == 0 && from->position > to->position)) {
        to->position = from->position;
    }
    bool newer = order > 0 || (order == 0 && cairn__span_compare(from->variant, to->variant) > 0);
    return !newer || cairn__memory_set_variant(memory, to, from->variant);
}

static bool merge_entry(cairn__memory *memory, cairn__memory_entry *to,
                        const cairn__memory_entry *from) {
    if (!merge_details(memory, to, from)) {
        return false;
    }
    for (size_t i = 0; i < CAIRN__MEMORY_COUNTS; i++) {
        const cairn__memory_count *more = &from->counts[i];
        if (!cairn__memory_room(memory, &to->counts[i],
                                (size_t)to->counts[i].mark_count + more->mark_count)) {
            return false;
        }
        cairn__memory_add_total(&to->counts[i], more->total);
        for (size_t k = 0; k < more->mark_count; k++) {
            cairn__memory_insert(&to->counts[i], more->marks[k]);
        }
    }
    return true;
}

cairn_status cairn__memory_merge(cairn__memory *into, const cairn__memory *from) {
    for (uint32_t i = 0; i < from->count; i++) {
        const cairn__memory_entry *source = &from->entries[i];
        cairn__memory_entry *entry = cairn__memory_entry_for(into, (cairn__memory_kind)source->kind,
                                                             source->name, source->item);
        if (entry == NULL || !merge_entry(into, entry, source)) {
            return CAIRN_NO_MEMORY;
        }
    }
    return CAIRN_OK;
}
