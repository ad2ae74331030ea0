/* decider.c: what is prepared once per bundle, so that a call looks up numbers and not names. */
#include "decide/decider.h"

#include "base/hash.h"

static const uint64_t seed = 0x636169726eu; /* names are trusted: any will do */

static cairn_span name_at(const cairn__names *names, size_t number) {
    cairn_span name;
    memcpy(&name, names->first + number * names->stride, sizeof name);
    return name;
}

int cairn__names_find(const cairn__names *names, cairn_span name) {
    if (names->count == 0) {
        return -1;
    }
    for (uint32_t at = (uint32_t)cairn__hash(name, seed) & names->mask; names->places[at] != 0;
         at = (at + 1) & names->mask) {
        if (cairn__span_equal(name_at(names, names->places[at] - 1u), name)) {
            return names->places[at] - 1;
        }
    }
    return -1;
}

/* Of two with one name the first is found. */
static bool index_names(cairn__names *names, const void *first, size_t stride, size_t count,
                        cairn__arena *arena) {
    uint32_t place_count = 2;
    while (place_count < 2 * count) {
        place_count *= 2;
    }
    uint16_t *places = cairn__arena_alloc_zero(arena, place_count, sizeof *places);
    *names = (cairn__names){ first, stride, 0, places, place_count - 1 };
    if (places == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        names->count = i;
        cairn_span name = name_at(names, i);
        if (cairn__names_find(names, name) >= 0) {
            continue;
        }
        uint32_t at = (uint32_t)cairn__hash(name, seed) & names->mask;
        while (places[at] != 0) {
            at = (at + 1) & names->mask;
        }
        places[at] = (uint16_t)(i + 1);
    }
    names->count = count;
    return true;
}

/* --- events to popups --- */

/* Calls `take` for each event that concerns a popup, in the popups' order. */
typedef struct walk {
    cairn__event_index *index;
    bool goals;
    bool fill; /* otherwise count */
} walk;

static void take(const walk *w, cairn_span event, cairn__candidate candidate) {
    int row = cairn__names_find(&w->index->names, event);
    CAIRN_ASSERT(row >= 0);
    cairn__event_row *found = &w->index->rows[row];
    if (w->fill) {
        w->index->candidates[found->first + found->count] = candidate;
    }
    found->count += 1;
}

static void walk_trigger(const walk *w, const cairn__trigger *trigger, uint16_t popup,
                         uint16_t number) {
    for (size_t i = 0; i < trigger->event_count; i++) {
        take(w, trigger->events[i], (cairn__candidate){ popup, number });
    }
}

static void walk_popups(const walk *w, const cairn__definitions *definitions) {
    for (size_t i = 0; i < definitions->popup_count; i++) {
        const cairn__popup *popup = &definitions->popups[i];
        if (w->goals && popup->goal.trigger != NULL) {
            walk_trigger(w, popup->goal.trigger, (uint16_t)i, 0);
        }
        for (size_t k = 0; !w->goals && !popup->manual && k < popup->trigger_count; k++) {
            walk_trigger(w, &popup->triggers[k], (uint16_t)i, (uint16_t)k);
        }
    }
}

static size_t list_names(const cairn__trigger *trigger, cairn__event_row *rows) {
    for (size_t i = 0; rows != NULL && i < trigger->event_count; i++) {
        rows[i] = (cairn__event_row){ .name = trigger->events[i] };
    }
    return trigger->event_count;
}

/* All event names, several times each; where `rows` is NULL they are only counted. */
static size_t list_events(const cairn__definitions *definitions, bool goals,
                          cairn__event_row *rows) {
    size_t count = 0;
    for (size_t i = 0; i < definitions->popup_count; i++) {
        const cairn__popup *popup = &definitions->popups[i];
        const cairn__trigger *triggers = goals ? popup->goal.trigger : popup->triggers;
        size_t trigger_count = goals ? popup->goal.trigger != NULL : popup->trigger_count;
        for (size_t k = 0; k < trigger_count; k++) {
            count += list_names(&triggers[k], rows == NULL ? NULL : rows + count);
        }
    }
    return count;
}

static bool index_events(cairn__event_index *index, const cairn__definitions *definitions,
                         bool goals, cairn__arena *arena) {
    size_t count = list_events(definitions, goals, NULL);
    index->rows = cairn__arena_alloc_zero(arena, count + 1, sizeof *index->rows);
    index->candidates = cairn__arena_alloc_zero(arena, count + 1, sizeof *index->candidates);
    if (index->rows == NULL || index->candidates == NULL) {
        return false;
    }
    list_events(definitions, goals, index->rows);
    if (!index_names(&index->names, index->rows, sizeof *index->rows, count, arena)) {
        return false;
    }
    walk w = { index, goals, false };
    walk_popups(&w, definitions);
    uint32_t first = 0;
    for (size_t i = 0; i < count; i++) { /* a name's later rows stay without candidates */
        index->rows[i].first = first;
        first += index->rows[i].count;
        index->rows[i].count = 0;
    }
    w.fill = true;
    walk_popups(&w, definitions);
    return true;
}

/* --- popups --- */

/* Shares of the variants' weights; equal ones where these are none. */
static const cairn__range *ranges_of(const cairn__popup *popup, cairn__arena *arena) {
    cairn__range *ranges = cairn__arena_alloc_zero(arena, popup->variant_count, sizeof *ranges);
    double sum = 0;
    for (size_t i = 0; ranges != NULL && i < popup->variant_count; i++) {
        sum += popup->variants[i].weight;
    }
    double from = 0;
    for (size_t i = 0; ranges != NULL && i < popup->variant_count; i++) {
        double share =
            sum > 0 ? popup->variants[i].weight / sum : 1.0 / (double)popup->variant_count;
        ranges[i].from = from;
        from += share;
        ranges[i].to = from;
    }
    return ranges;
}

static bool prepare_popups(cairn__decider *decider, cairn__arena *arena) {
    const cairn__definitions *definitions = decider->definitions;
    const uint32_t holdout = cairn__assign_fnv(CAIRN_STR("holdout:"));
    decider->holdout_hash = cairn__assign_fnv_more(holdout, definitions->holdout_salt);
    decider->popups =
        cairn__arena_alloc_zero(arena, definitions->popup_count + 1, sizeof *decider->popups);
    decider->group_entries = cairn__arena_alloc_zero(arena, definitions->cap_group_count + 1,
                                                     sizeof *decider->group_entries);
    if (decider->popups == NULL || decider->group_entries == NULL) {
        return false;
    }
    for (size_t i = 0; i < definitions->popup_count; i++) {
        const cairn__popup *popup = &definitions->popups[i];
        CAIRN_ASSERT(popup->variant_count >= 1 && popup->variant_count <= CAIRN__VARIANTS_MAX);
        cairn_span salt = popup->salt.len > 0 ? popup->salt : popup->name;
        decider->popups[i] = (cairn__popup_line){
            .from_ms = popup->from_ms,
            .to_ms = popup->to_ms,
            .holdout_hash = cairn__assign_fnv_more(holdout, salt),
            .variant_hash = cairn__assign_fnv(salt),
            .plain = popup->variant_count == 1 && !(popup->holdout > 0),
            .ranges = ranges_of(popup, arena),
        };
        if (decider->popups[i].ranges == NULL) {
            return false;
        }
    }
    return index_events(&decider->triggers, definitions, false, arena) &&
           index_events(&decider->goals, definitions, true, arena);
}

/* --- everything else --- */

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static size_t slots_of_popup(const cairn__popup *popup) {
    size_t most = popup->audience.rule.slot_count;
    for (size_t i = 0; i < popup->trigger_count; i++) {
        most = larger(most, popup->triggers[i].where.rule.slot_count);
    }
    return popup->goal.trigger == NULL ? most
                                       : larger(most, popup->goal.trigger->where.rule.slot_count);
}

static size_t slots_of_strategies(const cairn__slot *slot) {
    size_t most = 0;
    for (size_t i = 0; i < slot->strategy_count; i++) {
        const cairn__strategy *strategy = &slot->strategies[i];
        most = larger(most, strategy->audience.rule.slot_count);
        most = larger(most, strategy->filter.rule.slot_count);
        for (size_t k = 0; k < strategy->recall_count; k++) {
            most = larger(most, strategy->recalls[k].where.rule.slot_count);
        }
    }
    return most;
}

/* The most values that any condition of the definitions takes. */
static size_t slots_max(const cairn__definitions *definitions) {
    size_t most = 1;
    for (size_t i = 0; i < definitions->audience_count; i++) {
        most = larger(most, definitions->audiences[i].condition.rule.slot_count);
    }
    for (size_t i = 0; i < definitions->popup_count; i++) {
        most = larger(most, slots_of_popup(&definitions->popups[i]));
    }
    for (size_t i = 0; i < definitions->item_count; i++) {
        most = larger(most, definitions->items[i].audience.rule.slot_count);
    }
    for (size_t i = 0; i < definitions->slot_count; i++) {
        most = larger(most, slots_of_strategies(&definitions->slots[i]));
    }
    for (size_t i = 0; i < definitions->experiment_count; i++) {
        most = larger(most, definitions->experiments[i].condition.rule.slot_count);
    }
    return most;
}

static bool prepare_facts(cairn__decider *decider, cairn__arena *arena) {
    const cairn__definitions *definitions = decider->definitions;
    size_t count = definitions->fact_count + 1;
    decider->stamps = cairn__arena_alloc_zero(arena, count, sizeof *decider->stamps);
    decider->values = cairn__arena_alloc_zero(arena, count, sizeof *decider->values);
    decider->audience_of = cairn__arena_alloc_zero(arena, count, sizeof *decider->audience_of);
    decider->gathered =
        cairn__arena_alloc_zero(arena, slots_max(definitions), sizeof *decider->gathered);
    decider->audience_todo = cairn__arena_alloc_zero(arena, definitions->audience_count + 1,
                                                     sizeof *decider->audience_todo);
    if (decider->stamps == NULL || decider->values == NULL || decider->audience_of == NULL ||
        decider->gathered == NULL || decider->audience_todo == NULL) {
        return false;
    }
    for (size_t i = 0; i < definitions->audience_count; i++) {
        if (definitions->audiences[i].condition.rule.program != NULL) {
            decider->audience_of[definitions->audience_facts[i]] = (uint16_t)(i + 1);
        }
    }
    return true;
}

static bool prepare_slots(cairn__decider *decider, cairn__arena *arena) {
    size_t count = decider->definitions->item_count + 1;
    decider->seen = cairn__arena_alloc_zero(arena, count, sizeof *decider->seen);
    decider->bought = cairn__arena_alloc_zero(arena, count, sizeof *decider->bought);
    decider->repeated = cairn__arena_alloc_zero(arena, count, sizeof *decider->repeated);
    bool slots = decider->definitions->slot_count > 0; /* who has none needs no room for them */
    decider->pool =
        cairn__arena_alloc_zero(arena, slots ? CAIRN__SLOT_POOL_MAX : 1, sizeof *decider->pool);
    decider->texts = cairn__arena_alloc_zero(arena, slots ? CAIRN__DECIDE_RECENT_MAX : 1,
                                             sizeof *decider->texts);
    decider->last =
        cairn__arena_alloc_zero(arena, slots ? CAIRN__SLOT_REPEATS_MAX : 1, sizeof(void *));
    return decider->last != NULL && decider->seen != NULL && decider->bought != NULL &&
           decider->repeated != NULL && decider->pool != NULL && decider->texts != NULL;
}

static bool prepare_names(cairn__decider *decider, cairn__arena *arena) {
    const cairn__definitions *d = decider->definitions;
    return index_names(&decider->popup_names, d->popups, sizeof *d->popups, d->popup_count,
                       arena) &&
           index_names(&decider->group_names, d->cap_groups, sizeof *d->cap_groups,
                       d->cap_group_count, arena) &&
           index_names(&decider->slot_names, d->slots, sizeof *d->slots, d->slot_count, arena) &&
           index_names(&decider->item_names, d->items, sizeof *d->items, d->item_count, arena) &&
           index_names(&decider->experiment_names, d->experiments, sizeof *d->experiments,
                       d->experiment_count, arena);
}

static bool prepare_experiments(cairn__decider *decider, cairn__arena *arena) {
    size_t count = decider->definitions->experiment_count + 1;
    decider->decided = cairn__arena_alloc_zero(arena, count, sizeof *decider->decided);
    decider->answers = cairn__arena_alloc_zero(arena, count, sizeof *decider->answers);
    decider->behind = cairn__arena_alloc_zero(arena, count, sizeof *decider->behind);
    return decider->decided != NULL && decider->answers != NULL && decider->behind != NULL;
}

cairn_status cairn__decider_make(const cairn__definitions *definitions, cairn__arena *arena,
                                 cairn__decider **decider_out) {
    CAIRN_ASSERT(definitions->item_count < UINT16_MAX && definitions->popup_count < UINT16_MAX);
    cairn__decider *decider = cairn__arena_alloc_zero(arena, 1, sizeof *decider);
    if (decider == NULL) {
        return CAIRN_NO_MEMORY;
    }
    decider->definitions = definitions;
    if (!prepare_names(decider, arena) || !prepare_facts(decider, arena) ||
        !prepare_popups(decider, arena) || !prepare_slots(decider, arena) ||
        !prepare_experiments(decider, arena)) {
        return CAIRN_NO_MEMORY;
    }
    *decider_out = decider;
    return CAIRN_OK;
}

/* --- a call begins --- */

static void bind_entry(cairn__decider *decider, const cairn__memory_entry *entry, uint32_t place) {
    bool popup = entry->kind == CAIRN__MEMORY_POPUP;
    if (!popup && entry->kind != CAIRN__MEMORY_GROUP) {
        return;
    }
    int number =
        cairn__names_find(popup ? &decider->popup_names : &decider->group_names, entry->name);
    if (number < 0) {
        return; /* of a bundle that was */
    }
    if (popup) {
        decider->popups[number].entry = place;
    } else {
        decider->group_entries[number] = place;
    }
}

static void bind(cairn__decider *decider, const cairn__memory *memory) {
    const cairn__definitions *definitions = decider->definitions;
    uint32_t from = decider->bound_count;
    if (from > memory->count ||
        (from > 0 && memory->entries[from - 1].shape != decider->bound_shape)) {
        for (size_t i = 0; i < definitions->popup_count; i++) {
            decider->popups[i].entry = 0;
        }
        memset(decider->group_entries, 0,
               definitions->cap_group_count * sizeof *decider->group_entries);
        from = 0;
    }
    for (uint32_t i = from; i < memory->count; i++) {
        bind_entry(decider, &memory->entries[i], i + 1);
    }
    decider->bound_count = memory->count;
    decider->bound_shape = memory->shape;
}

void cairn__decider_begin(cairn__decider *decider, const cairn__decide_input *input) {
    static const cairn__memory empty;
    const cairn__definitions *definitions = decider->definitions;
    decider->input = input;
    decider->item = NULL;
    decider->wall = (cairn__wall){ .clock_known = false };
    decider->user_zone = input->user_zone != NULL ? input->user_zone : definitions->zone;
    decider->generation += 2; /* `decided` uses the odd ones */
    if (decider->generation == 0) {
        memset(decider->stamps, 0, definitions->fact_count * sizeof *decider->stamps);
        memset(decider->decided, 0, definitions->experiment_count * sizeof *decider->decided);
        decider->generation = 2;
    }
    bind(decider, input->memory != NULL ? input->memory : &empty);
}
