/* slot_try.c: one strategy of a slot: recall, filter, fill, rank, diversity, cut. */
#include "decide/decider.h"

enum { SHARES = 10000 }; /* parts in which an exploration share is counted */

/* --- recall --- */

/* The item takes part, if it does not yet and there is room. */
static bool add(cairn__decider *decider, uint16_t item) {
    if (item >= decider->definitions->item_count || decider->seen[item] == decider->pass ||
        decider->pool_count == CAIRN__SLOT_POOL_MAX) {
        return false;
    }
    decider->seen[item] = decider->pass;
    decider->pool[decider->pool_count] = (cairn__pooled){ .item = item,
                                                          .place = (uint16_t)decider->pool_count,
                                                          .why = CAIRN__WHY_COUNT };
    decider->pool_count += 1;
    return true;
}

static size_t recall_list(cairn__decider *decider, const cairn__recall *recall, size_t most) {
    if (recall->list >= decider->definitions->list_count) {
        return 0;
    }
    const cairn__item_list *list = &decider->definitions->lists[recall->list];
    size_t added = 0;
    for (size_t i = 0; i < list->item_count && added < most; i++) {
        bool wanted = true;
        if (recall->kind == CAIRN__RECALL_RULE) {
            decider->item = &decider->definitions->items[list->items[i]];
            wanted = cairn__decider_judge(decider, &recall->where) == CAIRN__RULE_TRUE;
        }
        added += wanted && add(decider, list->items[i]);
    }
    return added;
}

static const cairn__related *related_to(const cairn__definitions *definitions, uint16_t item) {
    size_t from = 0;
    size_t to = definitions->related_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (definitions->related[middle].item < item) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    bool found = from < definitions->related_count && definitions->related[from].item == item;
    return found ? &definitions->related[from] : NULL;
}

static size_t ask_recent(cairn__decider *decider, cairn_span event, cairn_span property) {
    const cairn__facts *facts = decider->input->facts;
    if (facts->recent == NULL || event.len == 0) {
        return 0;
    }
    size_t count =
        facts->recent(facts->context, event, property, decider->texts, CAIRN__DECIDE_RECENT_MAX);
    CAIRN_ASSERT(count <= CAIRN__DECIDE_RECENT_MAX);
    return count;
}

static void recall_recent(cairn__decider *decider, const cairn__recall *recall, size_t most) {
    size_t count = ask_recent(decider, recall->event, recall->property);
    size_t added = 0;
    for (size_t i = 0; i < count && added < most; i++) {
        int item = cairn__names_find(&decider->item_names, decider->texts[i]);
        if (item >= 0 && recall->kind == CAIRN__RECALL_RECENT) {
            added += add(decider, (uint16_t)item);
        }
        const cairn__related *related = item >= 0 && recall->kind == CAIRN__RECALL_RELATED
                                            ? related_to(decider->definitions, (uint16_t)item)
                                            : NULL;
        for (size_t k = 0; related != NULL && k < related->item_count && added < most; k++) {
            added += add(decider, related->items[k]);
        }
    }
}

static void recall_all(cairn__decider *decider, const cairn__strategy *strategy) {
    for (size_t i = 0; i < strategy->recall_count; i++) {
        const cairn__recall *recall = &strategy->recalls[i];
        size_t most = recall->count_max == 0 ? CAIRN__SLOT_POOL_MAX : recall->count_max;
        if (recall->kind == CAIRN__RECALL_LIST || recall->kind == CAIRN__RECALL_RULE) {
            recall_list(decider, recall, most);
        } else {
            recall_recent(decider, recall, most);
        }
    }
}

/* --- filter --- */

static void mark_bought(cairn__decider *decider, const cairn__strategy *strategy) {
    size_t count = ask_recent(decider, strategy->bought_event, strategy->bought_property);
    for (size_t i = 0; i < count; i++) {
        int item = cairn__names_find(&decider->item_names, decider->texts[i]);
        if (item >= 0) {
            decider->bought[item] = decider->pass;
        }
    }
}

/* By the newest show; of two at one moment that further down, then the larger id. */
static bool newer(const cairn__memory_entry *a, const cairn__memory_entry *b) {
    const cairn__memory_mark *x = &a->counts[CAIRN__CAP_SHOWS].marks[0];
    const cairn__memory_mark *y = &b->counts[CAIRN__CAP_SHOWS].marks[0];
    if (x->time_ms != y->time_ms) {
        return x->time_ms > y->time_ms;
    }
    if (a->position != b->position) {
        return a->position > b->position;
    }
    return cairn__span_compare(a->item, b->item) > 0;
}

static void mark_repeated(cairn__decider *decider, const cairn__slot *slot, uint32_t no_repeat) {
    const cairn__memory_entry **last = decider->last;
    const cairn__memory *memory = decider->input->memory;
    size_t most = no_repeat < CAIRN__SLOT_REPEATS_MAX ? no_repeat : CAIRN__SLOT_REPEATS_MAX;
    size_t count = 0;
    for (uint32_t i = 0; most > 0 && memory != NULL && i < memory->count; i++) {
        const cairn__memory_entry *entry = &memory->entries[i];
        if (entry->kind != CAIRN__MEMORY_ITEM || !cairn__span_equal(entry->name, slot->name) ||
            entry->counts[CAIRN__CAP_SHOWS].mark_count == 0) {
            continue;
        }
        size_t at = count;
        while (at > 0 && newer(entry, last[at - 1])) {
            at -= 1;
        }
        if (at == most) {
            continue;
        }
        count += count < most;
        memmove(last + at + 1, last + at, (count - 1 - at) * sizeof(void *));
        last[at] = entry;
    }
    for (size_t i = 0; i < count; i++) {
        int item = cairn__names_find(&decider->item_names, last[i]->item);
        if (item >= 0) {
            decider->repeated[item] = decider->pass;
        }
    }
}

static cairn__why against(cairn__rule_answer answer, cairn__why no, cairn__why unknown) {
    return answer == CAIRN__RULE_TRUE      ? CAIRN__WHY_COUNT
           : answer == CAIRN__RULE_UNKNOWN ? unknown
                                           : no;
}

static cairn__why filter(cairn__decider *decider, const cairn__slot *slot,
                         const cairn__strategy *strategy, uint16_t number) {
    const cairn__item *item = &decider->definitions->items[number];
    const cairn__decide_input *input = decider->input;
    if (input->now_ms < item->from_ms) {
        return CAIRN__WHY_NOT_YET;
    }
    if (input->now_ms >= item->to_ms) {
        return CAIRN__WHY_ENDED;
    }
    decider->item = item;
    cairn__why why = against(cairn__decider_judge(decider, &item->audience), CAIRN__WHY_AUDIENCE,
                             CAIRN__WHY_AUDIENCE_UNKNOWN);
    if (why == CAIRN__WHY_COUNT) {
        why = against(cairn__decider_judge(decider, &strategy->filter), CAIRN__WHY_FILTER,
                      CAIRN__WHY_FILTER_UNKNOWN);
    }
    if (why != CAIRN__WHY_COUNT) {
        return why;
    }
    if (decider->bought[number] == decider->pass) {
        return CAIRN__WHY_BOUGHT;
    }
    if (strategy->item_cap_count > 0 && input->memory != NULL &&
        cairn__caps_reached(
            decider, strategy->item_caps, strategy->item_cap_count,
            cairn__memory_find(input->memory, CAIRN__MEMORY_ITEM, slot->name, item->id)) != NULL) {
        return CAIRN__WHY_CAP;
    }
    return decider->repeated[number] == decider->pass ? CAIRN__WHY_REPEAT : CAIRN__WHY_COUNT;
}

static size_t filter_from(cairn__decider *decider, const cairn__slot *slot,
                          const cairn__strategy *strategy, size_t from) {
    size_t good = 0;
    for (size_t i = from; i < decider->pool_count; i++) {
        cairn__pooled *pooled = &decider->pool[i];
        pooled->why = (uint8_t)filter(decider, slot, strategy, pooled->item);
        good += pooled->why == CAIRN__WHY_COUNT;
    }
    return good;
}

/* --- fill --- */

static void fill(cairn__decider *decider, const cairn__slot *slot, const cairn__strategy *strategy,
                 size_t good) {
    if (strategy->fallback >= decider->definitions->list_count) {
        return;
    }
    const cairn__item_list *list = &decider->definitions->lists[strategy->fallback];
    for (size_t i = 0; i < list->item_count && good < strategy->min; i++) {
        size_t from = decider->pool_count;
        if (add(decider, list->items[i])) {
            good += filter_from(decider, slot, strategy, from);
        }
    }
}

/* --- rank, diversity, cut --- */

bool cairn__slot_script_lost(const cairn__slot_scores *scores) {
    return scores->lost >= CAIRN__WHY_SCRIPT_UNAVAILABLE &&
           scores->lost <= CAIRN__WHY_SCRIPT_RESULT;
}

/* The script's score of an item; one that is not a number is none. */
static void take_score(cairn__pooled *pooled, cairn_span id, const cairn__slot_scores *scores) {
    for (size_t i = 0; i < scores->count && !pooled->scored; i++) {
        double score = scores->scores[i];
        if (score == score && cairn__span_equal(scores->items[i], id)) {
            pooled->score = score;
            pooled->scored = true;
        }
    }
}

/* Has the strategy's script been run, for better or worse? */
static bool was_run(const cairn__strategy *strategy, const cairn__slot_ask *ask) {
    return strategy->script.len > 0 && ask->scores != NULL &&
           cairn__span_equal(ask->scores->script, strategy->script);
}

/* The scores: the script's if it gave some, otherwise those of the terms. */
static void rank(cairn__decider *decider, const cairn__slot *slot, const cairn__strategy *strategy,
                 const cairn__slot_ask *ask) {
    bool scripted = was_run(strategy, ask) && !cairn__slot_script_lost(ask->scores);
    for (size_t i = 0; i < decider->pool_count; i++) {
        cairn__pooled *pooled = &decider->pool[i];
        if (pooled->why != CAIRN__WHY_COUNT) {
            continue;
        }
        const cairn__item *item = &decider->definitions->items[pooled->item];
        decider->item = item;
        if (scripted) {
            take_score(pooled, item->id, ask->scores);
        } else {
            pooled->score = cairn__slot_score(decider, strategy, item, pooled->place);
        }
        if (strategy->exploration > 0) {
            pooled->draw = cairn__slot_draw(decider, slot->name, item);
        }
    }
}

static cairn_span category_of(const cairn__item *item) {
    cairn_value value =
        cairn__property_of(item->properties, item->property_count, CAIRN_STR("category"));
    return value.kind == CAIRN_VALUE_STRING ? value.as.string : (cairn_span){ NULL, 0 };
}

/* Is there still room in the item's category? One without a category has always. */
static bool category_full(const cairn__decider *decider, const cairn__slot_decision *decision,
                          const cairn__strategy *strategy, uint16_t number) {
    const cairn__item *items = decider->definitions->items;
    cairn_span category = category_of(&items[number]);
    size_t count = 0;
    for (size_t i = 0; i < decision->item_count && category.len > 0; i++) {
        count += cairn__span_equal(category_of(&items[decision->items[i]]), category);
    }
    return strategy->category_max > 0 && count >= strategy->category_max;
}

/* Before: an item without a score comes after all that have one; ties in order of recall. */
static bool before(const cairn__pooled *a, const cairn__pooled *b, bool explore) {
    if (explore) {
        return a->draw > b->draw;
    }
    return a->scored != b->scored ? a->scored : a->score > b->score;
}

static cairn__pooled *best(cairn__decider *decider, bool explore) {
    cairn__pooled *found = NULL;
    for (size_t i = 0; i < decider->pool_count; i++) {
        cairn__pooled *pooled = &decider->pool[i];
        if (pooled->why == CAIRN__WHY_COUNT && (found == NULL || before(pooled, found, explore))) {
            found = pooled;
        }
    }
    return found;
}

/* Whether place `at` is one for exploration: they are spread evenly, the first places last. */
static bool explores(const cairn__strategy *strategy, size_t at) {
    double share = strategy->exploration;
    if (!(share > 0)) {
        return false;
    }
    double parts = share >= 1 ? SHARES : share * SHARES;
    uint32_t whole = (uint32_t)(parts + 0.5);
    return (at + 1) * whole / SHARES > at * whole / SHARES;
}

static void place_all(cairn__decider *decider, const cairn__slot *slot,
                      const cairn__strategy *strategy, cairn__slot_decision *decision) {
    size_t size = slot->size < CAIRN__SLOT_SIZE_MAX ? slot->size : CAIRN__SLOT_SIZE_MAX;
    while (decision->item_count < size) {
        bool explore = explores(strategy, decision->item_count);
        cairn__pooled *next = best(decider, explore);
        if (next == NULL) {
            break;
        }
        if (category_full(decider, decision, strategy, next->item)) {
            next->why = CAIRN__WHY_CATEGORY; /* for good: its category only gets fuller */
            continue;
        }
        next->why = explore ? CAIRN__WHY_EXPLORED : CAIRN__WHY_RANKED;
        decision->items[decision->item_count] = next->item;
        decision->item_count += 1;
    }
    for (size_t i = 0; i < decider->pool_count; i++) {
        if (decider->pool[i].why == CAIRN__WHY_COUNT) {
            decider->pool[i].why = CAIRN__WHY_SIZE;
        }
    }
}

static void want_script(const cairn__decider *decider, const cairn__strategy *strategy,
                        const cairn__slot_ask *ask, cairn__slot_decision *decision) {
    bool wanted = strategy->script.len > 0 && !was_run(strategy, ask);
    decision->script = wanted ? strategy->script : (cairn_span){ NULL, 0 };
    decision->pool_count = 0;
    for (size_t i = 0; wanted && i < decider->pool_count; i++) {
        if (decider->pool[i].why == CAIRN__WHY_COUNT) {
            decision->pool[decision->pool_count] = decider->pool[i].item;
            decision->pool_count += 1;
        }
    }
}

bool cairn__slot_try(cairn__decider *decider, const cairn__slot *slot,
                     const cairn__strategy *strategy, const cairn__slot_ask *ask,
                     cairn__slot_decision *decision) {
    decider->pass += 1;
    if (decider->pass == 0) {
        size_t bytes = decider->definitions->item_count * sizeof *decider->seen;
        memset(decider->seen, 0, bytes);
        memset(decider->bought, 0, bytes);
        memset(decider->repeated, 0, bytes);
        decider->pass = 1;
    }
    decider->pool_count = 0;
    decision->item_count = 0;
    recall_all(decider, strategy);
    mark_bought(decider, strategy);
    mark_repeated(decider, slot, strategy->no_repeat);
    size_t good = filter_from(decider, slot, strategy, 0);
    fill(decider, slot, strategy, good);
    want_script(decider, strategy, ask, decision);
    rank(decider, slot, strategy, ask);
    place_all(decider, slot, strategy, decision);
    decider->item = NULL;
    return decision->item_count >= (strategy->min > 0 ? strategy->min : 1);
}
