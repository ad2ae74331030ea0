/* slot_rank.c: the arithmetic of ranking and of exploration (docs/DECISIONS.md, "Ranking"). Single
 * IEEE operations, each kept in a variable, so that no compiler joins two into one: every platform
 * comes to the same bits. */
#include "decide/decider.h"

enum { HALVINGS_MAX = 64 };

/* A number, whichever way it is written; 0 for everything else. */
static double number_of(const cairn_value *value) {
    if (value->kind == CAIRN_VALUE_INTEGER) {
        return (double)value->as.integer;
    }
    if (value->kind == CAIRN_VALUE_NUMBER) {
        return value->as.number;
    }
    return value->kind == CAIRN_VALUE_BOOLEAN && value->as.boolean ? 1 : 0;
}

static bool is_number(const cairn_value *value) {
    return value->kind == CAIRN_VALUE_INTEGER || value->kind == CAIRN_VALUE_NUMBER;
}

static bool list_has(const cairn_string_list *list, cairn_span text) {
    for (size_t i = 0; i < list->count; i++) {
        if (cairn__span_equal(list->items[i], text)) {
            return true;
        }
    }
    return false;
}

/* Does what is known of the person equal what the item says? A list: does it hold it? */
static bool agrees(const cairn_value *person, const cairn_value *item) {
    if (person->kind == CAIRN_VALUE_LIST && item->kind == CAIRN_VALUE_STRING) {
        return list_has(&person->as.list, item->as.string);
    }
    if (item->kind == CAIRN_VALUE_LIST && person->kind == CAIRN_VALUE_STRING) {
        return list_has(&item->as.list, person->as.string);
    }
    if (is_number(person) && is_number(item)) {
        return number_of(person) == number_of(item);
    }
    if (person->kind != item->kind) {
        return false;
    }
    if (person->kind == CAIRN_VALUE_STRING) {
        return cairn__span_equal(person->as.string, item->as.string);
    }
    return person->kind == CAIRN_VALUE_BOOLEAN && person->as.boolean == item->as.boolean;
}

/* 1 at age 0, halved with every half-life, on a straight line in between. */
static double recency(const cairn_value *value, int64_t half_life_ms, int64_t now_ms) {
    bool time = value->kind == CAIRN_VALUE_TIME || value->kind == CAIRN_VALUE_INTEGER;
    if (!time || half_life_ms <= 0) {
        return 0;
    }
    int64_t time_ms = value->kind == CAIRN_VALUE_TIME ? value->as.time_ms : value->as.integer;
    uint64_t age = time_ms >= now_ms ? 0 : (uint64_t)now_ms - (uint64_t)time_ms;
    uint64_t halvings = age / (uint64_t)half_life_ms;
    double part = (double)(age % (uint64_t)half_life_ms) / (double)half_life_ms;
    double half = part / 2;
    double result = 1 - half;
    for (uint64_t i = 0; i < halvings && i < HALVINGS_MAX; i++) {
        result = result / 2;
    }
    return halvings >= HALVINGS_MAX ? 0 : result;
}

static double term(cairn__decider *decider, const cairn__rank *rank, const cairn__item *item,
                   uint16_t place) {
    cairn_value value = cairn__property_of(item->properties, item->property_count, rank->property);
    switch (rank->kind) {
    case CAIRN__RANK_PROPERTY:
        return number_of(&value);
    case CAIRN__RANK_TAG: {
        cairn_value person = cairn__decider_fact(decider, rank->fact);
        return agrees(&person, &value) ? 1 : 0;
    }
    case CAIRN__RANK_RECENCY:
        return recency(&value, rank->half_life_ms, decider->input->now_ms);
    case CAIRN__RANK_RECALL:
        return 1.0 / (1.0 + (double)place);
    }
    return 0;
}

double cairn__slot_score(cairn__decider *decider, const cairn__strategy *strategy,
                         const cairn__item *item, uint16_t place) {
    double score = 0;
    for (size_t i = 0; i < strategy->rank_count; i++) {
        double value = term(decider, &strategy->ranks[i], item, place);
        double weighted = strategy->ranks[i].weight * value;
        score = score + weighted;
    }
    return score;
}

/* --- exploration --- */

/* SplitMix64 (Steele, Lea, Flood 2014): part of the promise, so not that of base/hash.h. */
static uint64_t next(uint64_t *state) {
    *state += 0x9E3779B97F4A7C15u;
    uint64_t value = *state;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
    return value ^ (value >> 31);
}

/* Beta(clicks + 1, shows - clicks + 1) is the (clicks + 1)-th smallest of shows + 1 even draws. */
static uint32_t beta(uint32_t clicks, uint32_t shows, uint64_t state) {
    uint32_t draws[CAIRN__SLOT_THOMPSON_SHOWS_MAX + 1];
    CAIRN_ASSERT(clicks <= shows && shows <= CAIRN__SLOT_THOMPSON_SHOWS_MAX);
    for (uint32_t count = 0; count <= shows; count++) { /* kept ascending */
        uint32_t draw = (uint32_t)(next(&state) >> 32);
        uint32_t at = count;
        for (; at > 0 && draws[at - 1] > draw; at--) {
            draws[at] = draws[at - 1];
        }
        draws[at] = draw;
    }
    return draws[clicks];
}

uint32_t cairn__slot_draw(cairn__decider *decider, cairn_span slot, const cairn__item *item) {
    const cairn__decide_input *input = decider->input;
    const cairn__memory_entry *entry =
        input->memory == NULL
            ? NULL
            : cairn__memory_find(input->memory, CAIRN__MEMORY_ITEM, slot, item->id);
    uint32_t shows = entry == NULL ? 0 : entry->counts[CAIRN__CAP_SHOWS].total;
    uint32_t clicks = entry == NULL ? 0 : entry->counts[CAIRN__CAP_CLICKS].total;
    clicks = clicks < shows ? clicks : shows;
    while (shows > CAIRN__SLOT_THOMPSON_SHOWS_MAX) {
        shows /= 2;
        clicks /= 2;
    }
    uint32_t hash = cairn__assign_fnv(slot);
    hash = cairn__assign_fnv_more(hash, CAIRN_STR(":"));
    hash = cairn__assign_fnv_more(hash, item->id);
    hash = cairn__assign_fnv_more(hash, CAIRN_STR(":"));
    hash = cairn__assign_fnv_more(hash, input->unit);
    return beta(clicks, shows, input->seed ^ hash);
}
