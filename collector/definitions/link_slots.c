/* link_slots.c: slots have items of their own; a bundle has each item once. Items of one id in two
 * slots must be the same, so that "recently viewed" means one thing. */
#include "base/assert.h"
#include "base/bytes.h"
#include "definitions/link.h"

typedef struct gathering {
    cairn__linker *linker;
    cairn__item *items;
    cairn_span *texts;
    const cairn__definition **from; /* the slot that an item was first seen in */
    uint32_t *buckets;              /* number + 1 */
    size_t bucket_count, item_count;
    cairn__item_list *lists;
    size_t list_count;
    cairn__related *related; /* by the number of the item; item_count 0 and NULL: none */
    const cairn__definition **related_from;
    uint16_t *numbers; /* of the slot's items, while it is linked */
} gathering;

/* Two slots that say different things of one item. */
typedef struct difference {
    const char *field;
    const cairn__definition *slot, *other; /* the later one, and where it was seen first */
    cairn_span id;
} difference;

static bool differs(gathering *g, const difference *d) {
    cairn__fault_problem *problem = &g->linker->problem->fault;
    const cairn__definition *theirs = d->slot == g->linker->source->changed ? d->other : d->slot;
    cairn__fault(problem, "item_differs", cairn__fault_key((cairn__fault_path){ { 0 } }, d->field),
                 "slot `%.*s` says something else of item `%.*s`", (int)theirs->name.len,
                 (const char *)theirs->name.data, (int)d->id.len, (const char *)d->id.data);
    return cairn__fault_fix(problem, "write the same there and here, or use another id");
}

static bool too_many(cairn__linker *linker, const char *what, size_t most) {
    cairn__fault(&linker->problem->fault, "too_many", (cairn__fault_path){ { 0 } },
                 "all slots together have more than %zu %s", most, what);
    return cairn__fault_fix(&linker->problem->fault, "remove some that are not needed any more");
}

static size_t bucket_of(const gathering *g, cairn_span id) {
    CAIRN_ASSERT(g->buckets != NULL && g->items != NULL); /* make_room has been */
    size_t mask = g->bucket_count - 1;
    size_t at = cairn__assign_fnv(id) & mask;
    while (g->buckets[at] != 0 && !cairn__span_equal(g->items[g->buckets[at] - 1].id, id)) {
        at = (at + 1) & mask;
    }
    return at;
}

/* The number of an item: of the one of its id that was there before, or a new one. */
static bool number_item(gathering *g, const cairn__definition *slot, size_t index,
                        uint16_t *number_out) {
    const cairn__item *item = &slot->as.slot.items[index];
    cairn_span text = slot->as.slot.item_texts[index];
    size_t bucket = bucket_of(g, item->id);
    CAIRN_ASSERT(g->buckets != NULL && g->texts != NULL && g->from != NULL);
    if (g->buckets[bucket] == 0) {
        if (g->item_count == CAIRN__BUNDLE_ITEMS_MAX) {
            return too_many(g->linker, "items", CAIRN__BUNDLE_ITEMS_MAX);
        }
        g->items[g->item_count] = *item;
        g->texts[g->item_count] = text;
        g->from[g->item_count] = slot;
        g->buckets[bucket] = (uint32_t)++g->item_count;
    }
    size_t number = g->buckets[bucket] - 1;
    *number_out = (uint16_t)number;
    if (!cairn__span_equal(g->texts[number], text)) {
        const difference d = { "items", slot, g->from[number], item->id };
        return differs(g, &d);
    }
    return true;
}

static bool gather_items(gathering *g, const cairn__definition *slot) {
    bool good = true;
    for (size_t i = 0; good && i < slot->as.slot.item_count; i++) {
        good = number_item(g, slot, i, &g->numbers[i]);
    }
    return good;
}

static const uint16_t *renumber(gathering *g, const uint16_t *items, size_t count) {
    uint16_t *numbers = cairn__linker_make(g->linker, count, sizeof *numbers);
    CAIRN_ASSERT(g->numbers != NULL);
    for (size_t i = 0; numbers != NULL && i < count; i++) {
        numbers[i] = g->numbers[items[i]];
    }
    return numbers;
}

/* A list's name is "slot/list". */
static bool gather_lists(gathering *g, const cairn__definition *slot) {
    const cairn__slot_parts *parts = &slot->as.slot;
    CAIRN_ASSERT(g->lists != NULL);
    for (size_t i = 0; i < parts->list_count; i++) {
        const cairn__item_list *from = &parts->lists[i];
        cairn__item_list *to = &g->lists[g->list_count++];
        size_t len = slot->name.len + 1 + from->name.len;
        uint8_t *name = cairn__linker_make(g->linker, len, 1);
        to->items = renumber(g, from->items, from->item_count);
        to->item_count = from->item_count;
        if (name == NULL || to->items == NULL) {
            return false;
        }
        memcpy(name, slot->name.data, slot->name.len);
        name[slot->name.len] = '/';
        memcpy(name + slot->name.len + 1, from->name.data, from->name.len);
        to->name = cairn__span(name, len);
    }
    return true;
}

static bool gather_related(gathering *g, const cairn__definition *slot) {
    const cairn__slot_parts *parts = &slot->as.slot;
    CAIRN_ASSERT(g->numbers != NULL && g->related != NULL);
    for (size_t i = 0; i < parts->related_count; i++) {
        const cairn__related *from = &parts->related[i];
        uint16_t number = g->numbers[from->item];
        const uint16_t *items = renumber(g, from->items, from->item_count);
        cairn__related *to = &g->related[number];
        if (items == NULL) {
            return false;
        }
        bool same =
            to->items == NULL || (to->item_count == from->item_count &&
                                  memcmp(to->items, items, from->item_count * sizeof *items) == 0);
        if (!same) {
            const difference d = { "related", slot, g->related_from[number], g->items[number].id };
            return differs(g, &d);
        }
        *to = (cairn__related){ number, items, from->item_count };
        g->related_from[number] = slot;
    }
    return true;
}

/* --- strategies: lists get their numbers in the bundle, TAG terms their facts ----------------- */

static uint16_t list_number(uint16_t own, size_t first) {
    return own == CAIRN__NO_LIST ? own : (uint16_t)(own + first);
}

static bool link_strategy(gathering *g, const cairn__strategy_parts *from, size_t first_list,
                          cairn__strategy *to) {
    size_t recall_count = from->strategy.recall_count;
    size_t rank_count = from->strategy.rank_count;
    cairn__recall *recalls = cairn__linker_make(g->linker, recall_count, sizeof *recalls);
    cairn__rank *ranks = cairn__linker_make(g->linker, rank_count, sizeof *ranks);
    if (recalls == NULL || ranks == NULL) {
        return false;
    }
    for (size_t i = 0; i < recall_count; i++) {
        recalls[i] = from->recalls[i];
        recalls[i].list = list_number(recalls[i].list, first_list);
    }
    for (size_t i = 0; i < rank_count; i++) {
        ranks[i] = from->ranks[i];
        ranks[i].fact = ranks[i].kind == CAIRN__RANK_TAG ? from->rank_facts[i].facts[0] : 0;
    }
    *to = from->strategy;
    to->recalls = recalls;
    to->ranks = ranks;
    to->fallback = list_number(to->fallback, first_list);
    return true;
}

static bool link_slot(gathering *g, const cairn__definition *from, cairn__slot *to) {
    const cairn__slot_parts *parts = &from->as.slot;
    size_t first_list = g->list_count;
    *to = parts->slot;
    to->version = from->version;
    to->default_list = list_number(to->default_list, first_list);
    cairn__strategy *strategies =
        cairn__linker_make(g->linker, to->strategy_count, sizeof *strategies);
    if (strategies == NULL || !gather_items(g, from) || !gather_lists(g, from) ||
        !gather_related(g, from)) {
        return false;
    }
    for (size_t i = 0; i < to->strategy_count; i++) {
        if (!link_strategy(g, &parts->strategies[i], first_list, &strategies[i])) {
            return false;
        }
    }
    to->strategies = strategies;
    return true;
}

static bool make_room(gathering *g) {
    size_t items = 0;
    size_t lists = 0;
    size_t most = 0;
    size_t count = cairn__linker_count(g->linker, CAIRN__DEFINITION_SLOT);
    for (size_t i = 0; i < count; i++) {
        const cairn__slot_parts *parts =
            &cairn__linker_at(g->linker, CAIRN__DEFINITION_SLOT, i)->as.slot;
        items += parts->item_count;
        lists += parts->list_count;
        most = parts->item_count > most ? parts->item_count : most;
    }
    if (lists > CAIRN__BUNDLE_LISTS_MAX) {
        return too_many(g->linker, "lists", CAIRN__BUNDLE_LISTS_MAX);
    }
    g->bucket_count = 16;
    while (g->bucket_count < 2 * items) {
        g->bucket_count *= 2;
    }
    g->items = cairn__linker_make(g->linker, items, sizeof *g->items);
    g->texts = cairn__linker_make(g->linker, items, sizeof *g->texts);
    g->from = cairn__linker_make(g->linker, items, sizeof(cairn__definition *));
    g->related = cairn__linker_make(g->linker, items, sizeof *g->related);
    g->related_from = cairn__linker_make(g->linker, items, sizeof(cairn__definition *));
    g->buckets = cairn__linker_make(g->linker, g->bucket_count, sizeof *g->buckets);
    g->lists = cairn__linker_make(g->linker, lists, sizeof *g->lists);
    g->numbers = cairn__linker_make(g->linker, most, sizeof *g->numbers);
    return g->items != NULL && g->texts != NULL && g->from != NULL && g->related != NULL &&
           g->related_from != NULL && g->buckets != NULL && g->lists != NULL && g->numbers != NULL;
}

/* Only items that have some; by number, as they are. */
static bool pack_related(gathering *g) {
    size_t filled = 0;
    for (size_t i = 0; i < g->item_count; i++) {
        if (g->related[i].items != NULL) {
            g->related[filled++] = g->related[i];
        }
    }
    g->linker->bundle->definitions.related = g->related;
    g->linker->bundle->definitions.related_count = filled;
    return filled <= CAIRN__BUNDLE_RELATED_MAX ||
           too_many(g->linker, "items with related ones", CAIRN__BUNDLE_RELATED_MAX);
}

bool cairn__link_slots(cairn__linker *linker) {
    cairn__definitions *to = &linker->bundle->definitions;
    gathering g = { .linker = linker };
    size_t count = cairn__linker_count(linker, CAIRN__DEFINITION_SLOT);
    cairn__slot *slots = cairn__linker_make(linker, count, sizeof *slots);
    if (slots == NULL || !make_room(&g)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const cairn__definition *from = cairn__linker_at(linker, CAIRN__DEFINITION_SLOT, i);
        if (!link_slot(&g, from, &slots[i])) {
            return false;
        }
    }
    to->items = g.items;
    to->item_count = g.item_count;
    to->lists = g.lists;
    to->list_count = g.list_count;
    to->slots = slots;
    to->slot_count = count;
    return pack_related(&g);
}
