/* funnel_chain.c: every option of a funnel, one event at a time over the open chains of a person.
 *
 * Chains are kept by start. Of two chains of one unit and held value at the same level only the
 * later start is kept: whatever comes, it can do what the earlier one can, and at equal depth it is
 * the better result. (In any order, too: the earlier chain has seen all that the later one has, and
 * where as many steps are made, the same events can add one: the closures of a matroid.) So there
 * are at most as many open chains as steps, times held values and units; only entry "every" keeps
 * all. */
#include "analytics/funnel.h"

#include <string.h>

typedef enum {
    STAYS,    /* the event did not touch it */
    ADVANCED, /* it made a step and is open */
    ENDED,    /* it is what it is */
    DROPPED,  /* it met an exclusion that drops the person */
} fate;

typedef struct {
    uint32_t row;
    uint64_t mask;
} event;

static const cairn__query_funnel *options_of(const cairn__funnel_machine *m) {
    return &m->pass->run->query->funnel;
}

static uint64_t step_bits(const cairn__funnel_machine *m) {
    return (UINT64_C(1) << options_of(m)->step_count) - 1;
}

static int64_t time_at(const cairn__funnel_machine *m, uint32_t row) {
    return m->pass->batch.time_ms[row];
}

cairn__funnel_machine cairn__funnel_machine_make(cairn__pass *pass, const cairn__units *units,
                                                 bool split) {
    cairn_allocator allocator = pass->run->allocator;
    return (cairn__funnel_machine){
        .pass = pass,
        .units = units,
        .split = split,
        .open = cairn__list_make(allocator, sizeof(cairn__funnel_chain)),
        .results = cairn__list_make(allocator, sizeof(cairn__funnel_result)),
        .marks = cairn__list_make(allocator, sizeof(cairn__funnel_chain)),
    };
}

void cairn__funnel_machine_free(cairn__funnel_machine *machine) {
    cairn__list_free(&machine->open);
    cairn__list_free(&machine->results);
    cairn__list_free(&machine->marks);
}

/* --- which funnel of the person an event belongs to --- */

static bool same_split(const cairn__funnel_machine *m, uint32_t a, uint32_t b) {
    const cairn__query *query = m->pass->run->query;
    for (size_t i = 0; m->split && i < query->by_count; i++) {
        const cairn__query_by *by = &query->by[i];
        if (by->step == 0 && by->fact.source != CAIRN__QUERY_OF_USER &&
            !cairn__key_equal(cairn__key_of_event(m->pass, by, a),
                              cairn__key_of_event(m->pass, by, b))) {
            return false;
        }
    }
    return true;
}

static bool same_funnel(const cairn__funnel_machine *m, const cairn__funnel_chain *a,
                        const cairn__funnel_chain *b) {
    return a->unit == b->unit && same_split(m, a->start, b->start);
}

/* Marks a funnel of the person: entry first has taken its first, entry every has dropped it. */
static bool is_marked(const cairn__funnel_machine *m, const cairn__funnel_chain *chain) {
    const cairn__funnel_chain *marks = m->marks.items;
    for (size_t i = m->marks.count; i > 0; i--) {
        if (same_funnel(m, &marks[i - 1], chain)) {
            return true;
        }
    }
    return false;
}

static void mark(cairn__funnel_machine *m, const cairn__funnel_chain *chain) {
    cairn__funnel_chain *added = is_marked(m, chain) ? NULL : cairn__list_add(&m->marks);
    if (added != NULL) {
        *added = *chain;
    } else {
        m->no_memory |= !is_marked(m, chain);
    }
}

/* --- results --- */

/* In any order the k-th step is the k-th that was made. */
static void put_in_time_order(const cairn__funnel_machine *m, cairn__funnel_chain *chain) {
    uint32_t count = 0;
    for (uint32_t step = 0; step < options_of(m)->step_count; step++) {
        if ((chain->done >> step & 1) == 0) {
            continue;
        }
        uint32_t row = chain->rows[step];
        uint32_t at = count++;
        for (; at > 0 && chain->rows[at - 1] > row; at--) {
            chain->rows[at] = chain->rows[at - 1];
        }
        chain->rows[at] = row;
    }
}

static bool is_better(const cairn__funnel_chain *a, const cairn__funnel_chain *b) {
    return a->level > b->level || (a->level == b->level && a->start > b->start);
}

static void offer(cairn__funnel_machine *m, const cairn__funnel_chain *chain, bool dropped) {
    bool every = options_of(m)->entry == CAIRN__QUERY_EVERY;
    cairn__funnel_result *results = m->results.items;
    cairn__funnel_result *found = NULL;
    for (size_t i = m->results.count; i > 0 && !every && found == NULL; i--) {
        found = same_funnel(m, &results[i - 1].chain, chain) ? &results[i - 1] : NULL;
    }
    if (found == NULL) {
        found = cairn__list_add(&m->results);
        if (found == NULL) {
            m->no_memory = true;
            return;
        }
        *found = (cairn__funnel_result){ .chain = *chain };
    } else if (is_better(chain, &found->chain)) {
        found->chain = *chain;
    }
    found->dropped |= dropped;
    if (every && dropped) {
        mark(m, chain);
    }
}

/* --- order any: which event makes which step --- */

/* Moves each event on the path one step on, from the free step back to where the new one enters. */
static void move_along(cairn__funnel_chain *chain, uint32_t step, const uint32_t *parent,
                       uint32_t row) {
    chain->done |= 1u << step;
    for (; parent[step] != UINT32_MAX; step = parent[step]) {
        chain->rows[step] = chain->rows[parent[step]];
    }
    chain->rows[step] = row;
}

/* Frees a step for the event by moving events that could make another one (an augmenting path), so
 * that as many steps as possible are made whatever order the patterns are written in. */
static bool make_room(const cairn__funnel_machine *m, cairn__funnel_chain *chain, event e) {
    uint32_t queue[CAIRN__QUERY_STEPS_MAX];
    uint32_t parent[CAIRN__QUERY_STEPS_MAX];
    size_t head = 0;
    size_t tail = 0;
    uint64_t seen = e.mask & step_bits(m);
    for (uint64_t left = seen; left != 0; left &= left - 1) {
        uint32_t step = (uint32_t)__builtin_ctzll(left);
        parent[step] = UINT32_MAX;
        queue[tail++] = step;
    }
    while (head < tail) {
        uint32_t step = queue[head++];
        if ((chain->done >> step & 1) == 0) {
            move_along(chain, step, parent, e.row);
            return true;
        }
        uint64_t next = m->masks[chain->rows[step] - m->pass->first] & step_bits(m) & ~seen;
        seen |= next;
        for (; next != 0; next &= next - 1) {
            uint32_t to = (uint32_t)__builtin_ctzll(next);
            parent[to] = step;
            queue[tail++] = to;
        }
    }
    return false;
}

/* --- one event --- */

static bool holds(const cairn__funnel_machine *m, const cairn__funnel_chain *chain, uint32_t step,
                  uint32_t row) {
    const cairn__query_funnel *options = options_of(m);
    if (!options->hold) {
        return true;
    }
    const cairn__reader_column *column = &m->pass->batch.columns[options->steps[step].hold.index];
    return cairn__key_equal(cairn__key_of_column(column, row), chain->hold);
}

static bool is_over(const cairn__funnel_machine *m, const cairn__funnel_chain *chain,
                    uint32_t row) {
    const cairn__query_funnel *options = options_of(m);
    int64_t now = time_at(m, row);
    if (now - time_at(m, chain->start) > options->window_ms) {
        return true;
    }
    int64_t within = options->steps[chain->level].within_ms;
    return within != 0 && now - time_at(m, chain->rows[chain->level - 1]) > within;
}

static bool makes_step(const cairn__funnel_machine *m, cairn__funnel_chain *chain, event e) {
    if (options_of(m)->order == CAIRN__QUERY_ANY) {
        return (e.mask & step_bits(m)) != 0 && holds(m, chain, 0, e.row) && make_room(m, chain, e);
    }
    if ((e.mask >> chain->level & 1) == 0 || !holds(m, chain, chain->level, e.row)) {
        return false;
    }
    chain->rows[chain->level] = e.row;
    return true;
}

static fate meet(const cairn__funnel_machine *m, cairn__funnel_chain *chain, event e) {
    const cairn__query_funnel *options = options_of(m);
    if (is_over(m, chain, e.row)) {
        return ENDED;
    }
    if (m->split && !same_split(m, chain->start, e.row)) {
        return STAYS;
    }
    if (makes_step(m, chain, e)) {
        chain->level++;
        return chain->level == options->step_count ? ENDED : ADVANCED;
    }
    if ((options->stop[chain->level] & e.mask) != 0) {
        return (options->drop[chain->level] & e.mask) != 0 ? DROPPED : ENDED;
    }
    bool repeats = (e.mask >> (chain->level - 1) & 1) != 0;
    bool breaks = options->order == CAIRN__QUERY_STRICT && (options->between & e.mask) != 0;
    return breaks && !repeats ? ENDED : STAYS;
}

static bool same_state(const cairn__funnel_machine *m, const cairn__funnel_chain *a,
                       const cairn__funnel_chain *b) {
    return a->level == b->level && cairn__key_equal(a->hold, b->hold) && same_funnel(m, a, b);
}

/* Of chains[0, count) at most one can be in the state of chains[count], the newest. It is no result
 * either: the newer one ends at least as deep, with the later start. */
static size_t forget_earlier(cairn__funnel_machine *m, cairn__funnel_chain *chains, size_t count) {
    if (options_of(m)->entry == CAIRN__QUERY_EVERY) {
        return count;
    }
    for (size_t i = 0; i < count; i++) {
        if (same_state(m, &chains[i], &chains[count])) {
            memmove(&chains[i], &chains[i + 1], (count - i) * sizeof *chains);
            return count - 1;
        }
    }
    return count;
}

static void meet_all(cairn__funnel_machine *m, event e) {
    cairn__funnel_chain *chains = m->open.items;
    size_t kept = 0;
    for (size_t i = 0; i < m->open.count; i++) {
        cairn__funnel_chain *chain = &chains[i];
        fate now = meet(m, chain, e);
        if (now == ENDED || now == DROPPED) {
            offer(m, chain, now == DROPPED);
            continue;
        }
        if (kept != i) {
            chains[kept] = *chain;
        }
        kept = (now == ADVANCED ? forget_earlier(m, chains, kept) : kept) + 1;
    }
    m->open.count = kept;
}

/* --- opening --- */

static void open_chain(cairn__funnel_machine *m, event e) {
    const cairn__query_funnel *options = options_of(m);
    uint64_t starts = options->order == CAIRN__QUERY_ANY ? e.mask & step_bits(m) : e.mask & 1;
    if (starts == 0 || time_at(m, e.row) >= m->pass->side->to_ms) {
        return;
    }
    uint32_t step = (uint32_t)__builtin_ctzll(starts);
    cairn__funnel_chain chain = { .start = e.row, .level = 1, .done = 1u << step };
    chain.rows[step] = e.row;
    if (options->order != CAIRN__QUERY_ANY) {
        chain.done = 0; /* the level says it all */
    }
    if (options->hold) {
        const cairn__reader_column *column =
            &m->pass->batch.columns[options->steps[step].hold.index];
        chain.hold = cairn__key_of_column(column, e.row);
        if (chain.hold.kind == CAIRN_VALUE_NULL) {
            return;
        }
    }
    if (m->units != NULL) {
        chain.unit = cairn__units_find(m->units, time_at(m, e.row));
    }
    if (options->entry == CAIRN__QUERY_FIRST && is_marked(m, &chain)) {
        return;
    }
    if (options->entry == CAIRN__QUERY_FIRST) {
        mark(m, &chain);
    }
    cairn__funnel_chain *added = cairn__list_add(&m->open);
    if (added == NULL) {
        m->no_memory = true;
        return;
    }
    *added = chain;
    m->open.count = forget_earlier(m, m->open.items, m->open.count - 1) + 1;
}

/* Entry every: a drop is for all entries of the same funnel. */
static void spread_drops(cairn__funnel_machine *m) {
    cairn__funnel_result *results = m->results.items;
    for (size_t i = 0; m->marks.count > 0 && i < m->results.count; i++) {
        results[i].dropped = is_marked(m, &results[i].chain);
    }
}

bool cairn__funnel_machine_run(cairn__funnel_machine *m, const uint64_t *masks) {
    const cairn__query_funnel *options = options_of(m);
    m->masks = masks;
    m->open.count = 0;
    m->results.count = 0;
    m->marks.count = 0;
    for (uint32_t row = m->pass->first; row < m->pass->end && !m->no_memory; row++) {
        event e = { row, masks[row - m->pass->first] };
        if (e.mask == 0) {
            continue;
        }
        if (!cairn__pass_work(m->pass, m->open.count)) {
            return false;
        }
        meet_all(m, e);
        open_chain(m, e);
    }
    const cairn__funnel_chain *chains = m->open.items;
    for (size_t i = 0; i < m->open.count; i++) {
        offer(m, &chains[i], false);
    }
    if (options->entry == CAIRN__QUERY_EVERY) {
        spread_drops(m);
    }
    cairn__funnel_result *results = m->results.items;
    for (size_t i = 0; options->order == CAIRN__QUERY_ANY && i < m->results.count; i++) {
        put_in_time_order(m, &results[i].chain);
    }
    if (m->no_memory) {
        m->pass->status = CAIRN_NO_MEMORY;
    }
    return !m->no_memory;
}
