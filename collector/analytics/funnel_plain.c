/* funnel_plain.c: the common funnel (gaps, latest entry, no conditions on events) without chains.
 *
 * One slot per step: the start of the latest chain that has made this step. An event of step k
 * hands the start in slot k - 1 on to slot k when the window still holds. Nothing is compared but
 * times, nothing branches on the data, and the deepest slot that was ever filled is the person's
 * result with its latest start. */
#include "analytics/funnel.h"

#define NEVER_MS (INT64_MIN / 4) /* no window reaches it */

typedef struct {
    const int64_t *time_ms;
    const uint16_t *name;
    const uint8_t *step_of; /* by name: every name that is read is of one step */
    int64_t to_ms, window_ms;
    uint32_t step_count;
} walk;

/* slots[0] is the event at hand, slots[k] the latest start that has made k steps. */
typedef struct {
    int64_t start_ms[CAIRN__QUERY_STEPS_MAX + 1];
    uint32_t start[CAIRN__QUERY_STEPS_MAX + 1];
} slots;

/* The funnel of one value of a property, for a person. */
typedef struct {
    cairn__key key;
    slots s;
} part;

/* `by` a property of every event: its column, when it is the only one; -1: there is none. */
static int split_column(const cairn__query *query) {
    int column = -1;
    for (size_t i = 0; i < query->by_count; i++) {
        if (query->by[i].fact.source == CAIRN__QUERY_OF_EVENT && query->by[i].step == 0) {
            column = query->by[i].fact.index;
        }
    }
    return column;
}

/* Groups by the person, by the first step's event, or by one property of every event. */
static bool are_plain_groups(const cairn__query *query) {
    bool plain = true;
    size_t of_events = 0;
    bool split = split_column(query) >= 0;
    for (size_t i = 0; i < query->by_count; i++) {
        const cairn__query_by *by = &query->by[i];
        bool of_event = by->fact.source != CAIRN__QUERY_OF_USER;
        bool of_value = by->fact.source == CAIRN__QUERY_OF_EVENT && by->bins == NULL;
        of_events += of_event;
        plain = plain && (!of_event || by->step == 1 || (by->step == 0 && of_value));
    }
    return plain && (!split || of_events == 1);
}

bool cairn__funnel_is_plain(const cairn__funnel *funnel) {
    const cairn__query *query = funnel->run->query;
    const cairn__query_funnel *options = &query->funnel;
    return options->order == CAIRN__QUERY_GAPS && options->entry == CAIRN__QUERY_LATEST &&
           !options->hold && !options->within && !options->times && !options->overlap &&
           !query->has_unit && query->pattern_count == options->step_count &&
           cairn__pass_name_masks(&funnel->pass) != NULL && are_plain_groups(query);
}

static uint32_t level_of(const walk *w, const slots *s) {
    uint32_t level = w->step_count;
    while (level > 0 && s->start_ms[level] == NEVER_MS) {
        level--;
    }
    return level;
}

static inline void clear(const walk *w, slots *s) {
    for (uint32_t i = 1; i <= w->step_count; i++) {
        s->start_ms[i] = NEVER_MS;
    }
}

/* with_start: remember which event was the start, too. */
static inline void step_row(const walk *w, uint32_t row, slots *s, bool with_start) {
    int64_t now = w->time_ms[row];
    uint32_t step = w->step_of[w->name[row]];
    s->start_ms[0] = now < w->to_ms ? now : NEVER_MS;
    int64_t from = s->start_ms[step];
    bool inside = now - from <= w->window_ms;
    s->start_ms[step + 1] = inside ? from : s->start_ms[step + 1];
    if (with_start) {
        s->start[0] = row;
        s->start[step + 1] = inside ? s->start[step] : s->start[step + 1];
    }
}

/* How deep the person came. */
static inline uint32_t walk_rows(const walk *w, uint32_t first, uint32_t end, slots *s,
                                 bool with_start) {
    clear(w, s);
    for (uint32_t row = first; row < end; row++) {
        step_row(w, row, s, with_start);
    }
    return level_of(w, s);
}

/* Persons by level into the counts of a group. */
static void count_persons(cairn__funnel *funnel, uint32_t group, const uint64_t *persons_at) {
    cairn__funnel_count *counts = cairn__funnel_counts_at(&funnel->counts, group, 0);
    uint64_t persons = 0;
    funnel->failed |= counts == NULL;
    for (uint32_t step = funnel->counts.step_count; step > 0 && counts != NULL; step--) {
        persons += persons_at[step];
        counts[step - 1].persons = (uint32_t)persons;
        counts[step - 1].entries = persons;
    }
}

/* Everyone, ungrouped: whole batches, and a count per level. */
static void walk_batches(cairn__funnel *funnel, walk *w) {
    slots s;
    uint64_t persons_at[CAIRN__QUERY_STEPS_MAX + 1] = { 0 };
    while (cairn__pass_next_batch(&funnel->pass)) {
        const cairn__reader_batch *batch = &funnel->pass.batch;
        w->time_ms = batch->time_ms;
        w->name = batch->name;
        for (size_t i = 0; i < batch->person_count; i++) {
            persons_at[walk_rows(w, batch->person_rows[i], batch->person_rows[i + 1], &s, false)]++;
        }
    }
    count_persons(funnel, 0, persons_at);
    count_persons(funnel, 1, persons_at); /* the only group */
}

static bool take(cairn__funnel *funnel, const walk *w, const slots *s, bool whole) {
    cairn__funnel_chain chain = { .level = level_of(w, s) };
    chain.start = s->start[chain.level];
    chain.rows[0] = chain.start;
    return chain.level == 0 || cairn__funnel_take(funnel, &chain, whole);
}

static void walk_persons(cairn__funnel *funnel, walk *w) {
    slots s = { { 0 }, { 0 } };
    do {
        if (!cairn__pass_next(&funnel->pass)) {
            return;
        }
        w->time_ms = funnel->pass.batch.time_ms;
        w->name = funnel->pass.batch.name;
        (void)walk_rows(w, funnel->pass.first, funnel->pass.end, &s, true);
    } while (take(funnel, w, &s, true));
}

/* The part of a value; NULL: no memory, or no time. */
static part *find_part(cairn__funnel *funnel, const walk *w, cairn__list *parts, cairn__key key) {
    part *list = parts->items;
    if (!cairn__pass_work(&funnel->pass, parts->count)) {
        return NULL;
    }
    for (size_t i = 0; i < parts->count; i++) {
        if (cairn__key_equal(list[i].key, key)) {
            return &list[i];
        }
    }
    part *added = cairn__list_add(parts);
    if (added == NULL) {
        funnel->failed = true;
        return NULL;
    }
    added->key = key;
    clear(w, &added->s);
    return added;
}

/* Most persons have one value, or stay with one for a while. */
static bool walk_parts(cairn__funnel *funnel, const walk *w, cairn__list *parts, int column_index) {
    const cairn__pass *pass = &funnel->pass;
    const cairn__reader_column *column = &pass->batch.columns[column_index];
    part *at = NULL;
    parts->count = 0;
    for (uint32_t row = pass->first; row < pass->end; row++) {
        cairn__key key = cairn__key_of_column(column, row);
        if (at == NULL || !cairn__key_equal(at->key, key)) {
            at = find_part(funnel, w, parts, key);
        }
        if (at == NULL) {
            return false;
        }
        step_row(w, row, &at->s, true);
    }
    return true;
}

/* A funnel per value, and the whole without them for the totals. */
static void walk_split(cairn__funnel *funnel, walk *w, int column) {
    slots s;
    uint64_t persons_at[CAIRN__QUERY_STEPS_MAX + 1] = { 0 };
    cairn__list parts = cairn__list_make(funnel->run->allocator, sizeof(part));
    bool good = true;
    while (good && cairn__pass_next(&funnel->pass)) {
        w->time_ms = funnel->pass.batch.time_ms;
        w->name = funnel->pass.batch.name;
        good = walk_parts(funnel, w, &parts, column);
        const part *list = parts.items;
        for (size_t i = 0; good && i < parts.count; i++) {
            good = take(funnel, w, &list[i].s, false);
        }
        persons_at[walk_rows(w, funnel->pass.first, funnel->pass.end, &s, false)]++;
    }
    cairn__list_free(&parts);
    count_persons(funnel, 0, persons_at);
}

void cairn__funnel_plain(cairn__funnel *funnel) {
    const cairn__query *query = funnel->run->query;
    const uint64_t *masks = cairn__pass_name_masks(&funnel->pass);
    uint8_t step_of[CAIRN__READER_NAMES_MAX];
    for (size_t i = 0; i < funnel->pass.name_count; i++) {
        step_of[i] = (uint8_t)__builtin_ctzll(masks[i]);
    }
    walk w = { .step_of = step_of,
               .to_ms = funnel->pass.side->to_ms,
               .window_ms = query->funnel.window_ms,
               .step_count = query->funnel.step_count };
    int column = split_column(query);
    if (query->by_count == 0 && !query->members.wanted && cairn__pass_everyone(&funnel->pass)) {
        walk_batches(funnel, &w);
    } else if (column >= 0) {
        walk_split(funnel, &w, column);
    } else {
        walk_persons(funnel, &w);
    }
}
