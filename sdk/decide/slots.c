/* slots.c: what in a slot: the first strategy that gives enough, else what was there last, else the
 * default. The answer is written as the strategies are tried. */
#include "decide/decider.h"

typedef struct call {
    cairn__decider *decider;
    const cairn__slot *slot;
    const cairn__slot_ask *ask;
    cairn__slot_decision *decision;
    cairn__buffer *to; /* NULL: no answer is wanted */
} call;

static bool live(const cairn__decider *decider, uint16_t number) {
    const cairn__item *item = &decider->definitions->items[number];
    return decider->input->now_ms >= item->from_ms && decider->input->now_ms < item->to_ms;
}

static size_t size_of(const cairn__slot *slot) {
    return slot->size < CAIRN__SLOT_SIZE_MAX ? slot->size : CAIRN__SLOT_SIZE_MAX;
}

/* --- strategies --- */

static void answer_left_out(const call *c) {
    bool first = true;
    cairn__answer_put(c->to, ",\"left_out\":[");
    for (size_t i = 0; i < c->decider->pool_count; i++) {
        const cairn__pooled *pooled = &c->decider->pool[i];
        if (pooled->why == CAIRN__WHY_RANKED || pooled->why == CAIRN__WHY_EXPLORED) {
            continue;
        }
        cairn__answer_comma(c->to, &first);
        cairn__answer_text(c->to, "{\"id\":", c->decider->definitions->items[pooled->item].id);
        cairn__answer_why(c->to, (cairn__why)pooled->why);
        cairn__buffer_byte(c->to, '}');
    }
    cairn__buffer_byte(c->to, ']');
}

/* Why the strategy's script did not rank; CAIRN__WHY_COUNT: it did, or there is none. */
static cairn__why script_why(const call *c, const cairn__strategy *strategy) {
    const cairn__slot_scores *scores = c->ask->scores;
    if (strategy->script.len == 0) {
        return CAIRN__WHY_COUNT;
    }
    if (scores == NULL || !cairn__span_equal(scores->script, strategy->script)) {
        return CAIRN__WHY_SCRIPT_UNAVAILABLE;
    }
    return cairn__slot_script_lost(scores) ? scores->lost : CAIRN__WHY_COUNT;
}

static void answer_strategy(const call *c, size_t number, cairn__why why, bool tried) {
    const cairn__strategy *strategy = &c->slot->strategies[number];
    bool first = number == 0;
    cairn__answer_comma(c->to, &first);
    cairn__answer_text(c->to, "{\"name\":", strategy->name);
    cairn__answer_why(c->to, why);
    if (tried && script_why(c, strategy) != CAIRN__WHY_COUNT) {
        cairn__answer_word(c->to, ",\"script\":", cairn__why_text(script_why(c, strategy)));
    }
    if (tried) {
        answer_left_out(c);
    }
    cairn__buffer_byte(c->to, '}');
}

static bool try_strategy(const call *c, size_t number) {
    const cairn__strategy *strategy = &c->slot->strategies[number];
    cairn__rule_answer answer = cairn__decider_judge(c->decider, &strategy->audience);
    bool tried = answer == CAIRN__RULE_TRUE;
    bool enough = tried && cairn__slot_try(c->decider, c->slot, strategy, c->ask, c->decision);
    cairn__why why = answer == CAIRN__RULE_UNKNOWN ? CAIRN__WHY_AUDIENCE_UNKNOWN
                     : !tried                      ? CAIRN__WHY_AUDIENCE
                     : enough                      ? CAIRN__WHY_CHOSEN
                                                   : CAIRN__WHY_TOO_FEW;
    if (c->to != NULL) {
        answer_strategy(c, number, why, tried);
    }
    return enough;
}

static void try_strategies(const call *c) {
    cairn__slot_decision *decision = c->decision;
    size_t i = 0;
    for (; i < c->slot->strategy_count && decision->source != CAIRN__SLOT_STRATEGY; i++) {
        if (try_strategy(c, i)) {
            decision->source = CAIRN__SLOT_STRATEGY;
            decision->strategy = (int)i;
        }
    }
    for (; i < c->slot->strategy_count && c->to != NULL; i++) {
        answer_strategy(c, i, CAIRN__WHY_NOT_ASKED, false);
    }
    if (decision->source != CAIRN__SLOT_STRATEGY) {
        decision->item_count = 0;
        decision->script = (cairn_span){ NULL, 0 };
        decision->pool_count = 0;
    }
}

/* --- what is always there --- */

static const cairn__memory_mark *shown_last(const cairn__memory_entry *entry, cairn_span slot) {
    const cairn__memory_count *shows = &entry->counts[CAIRN__CAP_SHOWS];
    bool of_slot = entry->kind == CAIRN__MEMORY_ITEM && shows->mark_count > 0 &&
                   cairn__span_equal(entry->name, slot);
    return of_slot ? &shows->marks[0] : NULL;
}

/* The session in which the slot was last seen. */
static const cairn__memory_mark *last_seen(const cairn__memory *memory, cairn_span slot) {
    const cairn__memory_mark *found = NULL;
    for (uint32_t i = 0; i < memory->count; i++) {
        const cairn__memory_mark *mark = shown_last(&memory->entries[i], slot);
        if (mark != NULL && (found == NULL || mark->time_ms > found->time_ms ||
                             (mark->time_ms == found->time_ms && mark->session > found->session))) {
            found = mark;
        }
    }
    return found;
}

static bool above(const cairn__memory_entry *a, const cairn__memory_entry *b) {
    return a->position != b->position ? a->position < b->position
                                      : cairn__span_compare(a->item, b->item) < 0;
}

/* The items that the person saw last in this slot, in their places. */
static void last_good(const call *c) {
    const cairn__memory *memory = c->decider->input->memory;
    const cairn__memory_mark *last = memory == NULL ? NULL : last_seen(memory, c->slot->name);
    const cairn__memory_entry *found[CAIRN__SLOT_SIZE_MAX];
    size_t count = 0;
    for (uint32_t i = 0; last != NULL && i < memory->count; i++) {
        const cairn__memory_entry *entry = &memory->entries[i];
        const cairn__memory_mark *mark = shown_last(entry, c->slot->name);
        int item = mark == NULL || mark->session != last->session
                       ? -1
                       : cairn__names_find(&c->decider->item_names, entry->item);
        if (item < 0 || !live(c->decider, (uint16_t)item)) {
            continue;
        }
        size_t at = count;
        while (at > 0 && above(entry, found[at - 1])) {
            at -= 1;
        }
        if (at == size_of(c->slot)) {
            continue;
        }
        count += count < size_of(c->slot);
        memmove(found + at + 1, found + at, (count - 1 - at) * sizeof(void *));
        found[at] = entry;
    }
    for (size_t i = 0; i < count; i++) {
        c->decision->items[i] =
            (uint16_t)cairn__names_find(&c->decider->item_names, found[i]->item);
    }
    c->decision->item_count = count;
    c->decision->source = count > 0 ? CAIRN__SLOT_LAST_GOOD : CAIRN__SLOT_NOTHING;
}

static void take_from(const call *c, const cairn__item_list *list, bool any) {
    cairn__slot_decision *decision = c->decision;
    for (size_t i = 0; i < list->item_count && decision->item_count < size_of(c->slot); i++) {
        if (any || live(c->decider, list->items[i])) {
            decision->items[decision->item_count] = list->items[i];
            decision->item_count += 1;
        }
    }
}

/* The default's live items; if none is live, all: an empty slot is a bug. */
static void take_default(const call *c) {
    const cairn__definitions *definitions = c->decider->definitions;
    if (c->slot->default_list >= definitions->list_count) {
        return;
    }
    const cairn__item_list *list = &definitions->lists[c->slot->default_list];
    cairn__slot_decision *decision = c->decision;
    take_from(c, list, false);
    if (decision->item_count == 0) {
        take_from(c, list, true);
    }
    decision->source = decision->item_count > 0 ? CAIRN__SLOT_DEFAULT : CAIRN__SLOT_NOTHING;
}

/* --- the answer --- */

static cairn__why why_of(const call *c, uint16_t item) {
    if (c->decision->source != CAIRN__SLOT_STRATEGY) {
        return c->decision->source == CAIRN__SLOT_DEFAULT ? CAIRN__WHY_DEFAULT
                                                          : CAIRN__WHY_LAST_GOOD;
    }
    size_t i = 0; /* it is in the pool of the strategy that was tried last */
    while (c->decider->pool[i].item != item) {
        i += 1;
    }
    return (cairn__why)c->decider->pool[i].why;
}

static void answer_items(const call *c) {
    bool first = true;
    cairn__answer_put(c->to, ",\"items\":[");
    for (size_t i = 0; i < c->decision->item_count; i++) {
        const cairn__item *item = &c->decider->definitions->items[c->decision->items[i]];
        cairn__answer_comma(c->to, &first);
        cairn__answer_text(c->to, "{\"id\":", item->id);
        cairn__answer_integer(c->to, ",\"position\":", (int64_t)i + 1);
        cairn__answer_why(c->to, why_of(c, c->decision->items[i]));
        cairn__answer_json(c->to, ",\"content\":", item->content);
        cairn__buffer_byte(c->to, '}');
    }
    cairn__buffer_byte(c->to, ']');
}

static void answer_end(const call *c) {
    static const char *const sources[] = { "nothing", "strategy", "last_good", "default" };
    cairn__answer_word(c->to, "],\"source\":", sources[c->decision->source]);
    if (c->decision->strategy >= 0) {
        cairn__answer_text(c->to,
                           ",\"strategy\":", c->slot->strategies[c->decision->strategy].name);
    }
    if (c->decision->script.len > 0) {
        cairn__answer_text(c->to, ",\"wants_script\":", c->decision->script);
    }
    answer_items(c);
    cairn__buffer_byte(c->to, '}');
}

static void answer_unknown(cairn__decider *decider, const cairn__slot_ask *ask, cairn__buffer *to) {
    cairn__answer_head(to, decider, "slot");
    cairn__answer_text(to, ",\"slot\":", ask->name);
    cairn__answer_why(to, CAIRN__WHY_UNKNOWN_NAME);
    cairn__answer_put(to, ",\"strategies\":[],\"source\":\"nothing\",\"items\":[]}");
}

static void answer_begin(const call *c, cairn__why why) {
    cairn__answer_head(c->to, c->decider, "slot");
    cairn__answer_text(c->to, ",\"slot\":", c->slot->name);
    cairn__answer_integer(c->to, ",\"version\":", c->slot->version);
    if (why != CAIRN__WHY_COUNT) {
        cairn__answer_why(c->to, why);
    }
    cairn__answer_put(c->to, ",\"strategies\":[");
}

void cairn__decide_slot(cairn__decider *decider, const cairn__decide_input *input,
                        const cairn__slot_ask *ask, cairn__buffer *why,
                        cairn__slot_decision *decision_out) {
    cairn__decider_begin(decider, input);
    decision_out->source = CAIRN__SLOT_NOTHING;
    decision_out->slot = cairn__names_find(&decider->slot_names, ask->name);
    decision_out->strategy = -1;
    decision_out->item_count = 0;
    decision_out->script = (cairn_span){ NULL, 0 };
    decision_out->pool_count = 0;
    if (decision_out->slot < 0) {
        if (why != NULL) {
            answer_unknown(decider, ask, why);
        }
        return;
    }
    const call c = { decider, &decider->definitions->slots[decision_out->slot], ask, decision_out,
                     why };
    bool denied = (input->denied & CAIRN__DENIED_PERSONALISATION) != 0;
    if (why != NULL) {
        answer_begin(&c, denied           ? CAIRN__WHY_NO_CONSENT
                         : c.slot->paused ? CAIRN__WHY_PAUSED
                                          : CAIRN__WHY_COUNT);
    }
    if (!denied && !c.slot->paused) {
        try_strategies(&c);
        if (decision_out->item_count == 0) {
            last_good(&c);
        }
    }
    if (decision_out->item_count == 0) {
        take_default(&c);
    }
    if (why != NULL) {
        answer_end(&c);
    }
}
