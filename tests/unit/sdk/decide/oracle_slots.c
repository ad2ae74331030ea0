/* oracle_slots.c: a slot, step by step over plain arrays. */
#include <stdio.h>
#include <stdlib.h>

#include "oracle.h"

enum { POOL_MAX = ORACLE_SUBJECTS };

typedef struct pool {
    int items[POOL_MAX];
    size_t count;
} pool;

static bool holds(const pool *p, int item) {
    for (size_t i = 0; i < p->count; i++) {
        if (p->items[i] == item) {
            return true;
        }
    }
    return false;
}

static bool live(const oracle *o, int item) {
    const cairn__item *it = &o->definitions->items[item];
    return it->from_ms <= o->input->now_ms && o->input->now_ms < it->to_ms;
}

/* The newest show of an item, or NULL; of two at once that further down. */
static const oracle_event *last_show(const oracle *o, int item) {
    const oracle_event *found = NULL;
    for (size_t i = 0; i < o->history_count; i++) {
        const oracle_event *e = &o->history[i];
        if (!e->of_item || e->subject != item || e->what != CAIRN__CAP_SHOWS) {
            continue;
        }
        if (found == NULL || e->time_ms > found->time_ms ||
            (e->time_ms == found->time_ms &&
             (e->session > found->session ||
              (e->session == found->session && e->position > found->position)))) {
            found = e;
        }
    }
    return found;
}

/* Is it one of the last n different items that were shown? How many were shown after it? */
static bool repeats(const oracle *o, int item, uint32_t n) {
    const oracle_event *own = last_show(o, item);
    uint32_t after = 0;
    for (int other = 0; own != NULL && other < (int)o->definitions->item_count; other++) {
        const oracle_event *e = last_show(o, other);
        after += e != NULL && other != item &&
                 (e->time_ms > own->time_ms ||
                  (e->time_ms == own->time_ms && (e->position > own->position ||
                                                  (e->position == own->position && other > item))));
    }
    return own != NULL && after < n;
}

static bool passes(const oracle *o, int s, int item) {
    const cairn__strategy *strategy = &o->definitions->slots[0].strategies[s];
    if (!live(o, item) || oracle_judge(o, &o->item_needs[item], item) != CAIRN__RULE_TRUE ||
        oracle_judge(o, &o->filter_needs[s], item) != CAIRN__RULE_TRUE) {
        return false;
    }
    for (size_t i = 0; i < strategy->item_cap_count; i++) {
        if (oracle_capped(o, &strategy->item_caps[i], true, item, -2)) {
            return false;
        }
    }
    return !repeats(o, item, strategy->no_repeat);
}

static uint64_t splitmix(uint64_t *state) {
    *state += 0x9E3779B97F4A7C15u;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static int by_number(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static uint32_t draw(const oracle *o, int item) {
    uint32_t shows = 0;
    uint32_t clicks = 0;
    for (size_t i = 0; i < o->history_count; i++) {
        const oracle_event *e = &o->history[i];
        shows += e->of_item && e->subject == item && e->what == CAIRN__CAP_SHOWS;
        clicks += e->of_item && e->subject == item && e->what == CAIRN__CAP_CLICKS;
    }
    clicks = clicks < shows ? clicks : shows;
    while (shows > 62) {
        shows /= 2;
        clicks /= 2;
    }
    char key[200];
    cairn_span id = o->definitions->items[item].id;
    (void)snprintf(key, sizeof key, "home:%.*s:%.*s", (int)id.len, (const char *)id.data,
                   (int)o->input->unit.len, (const char *)o->input->unit.data);
    uint32_t hash = 2166136261u;
    for (const char *c = key; *c != '\0'; c++) {
        hash = (hash ^ (uint8_t)*c) * 16777619u;
    }
    uint64_t state = o->input->seed ^ hash;
    uint32_t draws[63];
    for (uint32_t i = 0; i <= shows; i++) {
        draws[i] = (uint32_t)(splitmix(&state) >> 32);
    }
    qsort(draws, shows + 1, sizeof draws[0], by_number);
    return draws[clicks];
}

static double score(const oracle *o, const cairn__strategy *strategy, int item, size_t place) {
    double sum = 0;
    for (size_t i = 0; i < strategy->rank_count; i++) {
        const cairn__rank *rank = &strategy->ranks[i];
        double value = (double)o->prices[item];
        if (rank->kind == CAIRN__RANK_RECALL) {
            value = 1.0 / (double)(1 + place);
        } else if (rank->kind == CAIRN__RANK_RECENCY) {
            int64_t age = o->input->now_ms - o->made_ms[item];
            age = age < 0 ? 0 : age;
            value = 1;
            for (; age >= rank->half_life_ms; age -= rank->half_life_ms) {
                value /= 2;
            }
            value *= 1 - (double)age / (double)rank->half_life_ms / 2;
        }
        sum += rank->weight * value;
    }
    return sum;
}

static bool category_full(const oracle *o, const oracle_slot_answer *answer, int item,
                          uint32_t most) {
    uint32_t count = 0; /* categories: the items' numbers modulo 3, none for 2 */
    for (size_t i = 0; i < answer->item_count; i++) {
        count += answer->items[i] % 3 == item % 3;
    }
    (void)o;
    return most > 0 && item % 3 != 2 && count >= most;
}

static void place(const oracle *o, int s, const pool *p, oracle_slot_answer *answer) {
    const cairn__slot *slot = &o->definitions->slots[0];
    const cairn__strategy *strategy = &slot->strategies[s];
    bool gone[POOL_MAX] = { false };
    uint32_t share = (uint32_t)(strategy->exploration * 10000 + 0.5);
    answer->item_count = 0;
    for (;;) {
        size_t at = answer->item_count;
        bool explore = (at + 1) * share / 10000 > at * share / 10000;
        int best = -1;
        for (int i = 0; i < (int)p->count && at < slot->size; i++) {
            bool out = gone[i] || !passes(o, s, p->items[i]) ||
                       category_full(o, answer, p->items[i], strategy->category_max);
            if (out) {
                continue;
            }
            if (best < 0 || (explore ? draw(o, p->items[i]) > draw(o, p->items[best])
                                     : score(o, strategy, p->items[i], (size_t)i) >
                                           score(o, strategy, p->items[best], (size_t)best))) {
                best = i;
            }
        }
        if (best < 0) {
            return;
        }
        gone[best] = true;
        answer->items[answer->item_count++] = p->items[best];
    }
}

static bool try_strategy(const oracle *o, int s, oracle_slot_answer *answer) {
    const cairn__strategy *strategy = &o->definitions->slots[0].strategies[s];
    pool p = { .count = 0 };
    if (oracle_judge(o, &o->strategy_needs[s], -1) != CAIRN__RULE_TRUE) {
        return false;
    }
    const cairn__item_list *list = &o->definitions->lists[strategy->recalls[0].list];
    size_t most = strategy->recalls[0].count_max;
    for (size_t i = 0; i < list->item_count; i++) {
        int item = list->items[i];
        if (!holds(&p, item) && (most == 0 || p.count < most) &&
            oracle_judge(o, &o->recall_needs[s], item) == CAIRN__RULE_TRUE) {
            p.items[p.count++] = item;
        }
    }
    size_t good = 0;
    for (size_t i = 0; i < p.count; i++) {
        good += passes(o, s, p.items[i]);
    }
    for (size_t i = 0; strategy->fallback != CAIRN__NO_LIST && good < strategy->min &&
                       i < o->definitions->lists[strategy->fallback].item_count;
         i++) {
        int item = o->definitions->lists[strategy->fallback].items[i];
        if (!holds(&p, item)) {
            p.items[p.count++] = item;
            good += passes(o, s, item);
        }
    }
    place(o, s, &p, answer);
    return answer->item_count > 0 && answer->item_count >= strategy->min;
}

static void last_good(const oracle *o, oracle_slot_answer *answer) {
    const oracle_event *last = NULL;
    for (int item = 0; item < (int)o->definitions->item_count; item++) {
        const oracle_event *e = last_show(o, item);
        if (e != NULL && (last == NULL || e->time_ms > last->time_ms ||
                          (e->time_ms == last->time_ms && e->session > last->session))) {
            last = e;
        }
    }
    for (int64_t position = 0; last != NULL && position < 10; position++) {
        for (int item = 0; item < (int)o->definitions->item_count; item++) {
            const oracle_event *e = last_show(o, item);
            if (e != NULL && e->session == last->session && e->position == position &&
                live(o, item) && answer->item_count < o->definitions->slots[0].size) {
                answer->items[answer->item_count++] = item;
            }
        }
    }
    answer->source = CAIRN__SLOT_LAST_GOOD;
}

static void take_default(const oracle *o, bool any, oracle_slot_answer *answer) {
    const cairn__slot *slot = &o->definitions->slots[0];
    const cairn__item_list *list = &o->definitions->lists[slot->default_list];
    for (size_t i = 0; i < list->item_count && answer->item_count < slot->size; i++) {
        if (any || live(o, list->items[i])) {
            answer->items[answer->item_count++] = list->items[i];
        }
    }
    answer->source = CAIRN__SLOT_DEFAULT;
}

oracle_slot_answer oracle_slot(const oracle *o) {
    const cairn__slot *slot = &o->definitions->slots[0];
    oracle_slot_answer answer = { .strategy = -1 };
    bool personal = (o->input->denied & CAIRN__DENIED_PERSONALISATION) == 0 && !slot->paused;
    for (int s = 0; personal && s < (int)slot->strategy_count; s++) {
        if (try_strategy(o, s, &answer)) {
            answer.source = CAIRN__SLOT_STRATEGY;
            answer.strategy = s;
            return answer;
        }
        answer.item_count = 0;
    }
    if (personal) {
        last_good(o, &answer);
    }
    if (answer.item_count == 0) {
        take_default(o, false, &answer);
    }
    if (answer.item_count == 0) {
        take_default(o, true, &answer);
    }
    return answer;
}
