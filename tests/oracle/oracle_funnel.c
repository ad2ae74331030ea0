#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"
#include "support/cmocka_all.h"

enum { EVENTS_MAX = 32, TIMES_MAX = 512, GROUPS_MAX = 64, DAY_MS = 86400000 };

/* One person's events in order. */
typedef struct {
    const world *w;
    const oracle_funnel *q;
    const world_event *events[EVENTS_MAX];
    int count;
} history;

typedef struct {
    int level;
    int made[EVENTS_MAX]; /* the event of the k-th step */
    int start;
    bool dropped;
} chain;

static history history_of(const world *w, const oracle_funnel *q, uint32_t person) {
    history h = { .w = w, .q = q };
    int64_t end_ms = q->end_at_range ? q->to_ms : q->to_ms + q->window_ms;
    for (size_t i = 0; i < w->count; i++) {
        const world_event *event = &w->events[i];
        if (oracle_person(w, event) != person || event->time_ms < q->from_ms ||
            event->time_ms >= end_ms || (q->filter != NULL && !q->filter->where(event, w))) {
            continue;
        }
        assert_true(h.count < EVENTS_MAX);
        int at = h.count++;
        for (; at > 0 && h.events[at - 1]->time_ms > event->time_ms; at--) {
            h.events[at] = h.events[at - 1];
        }
        h.events[at] = event; /* arrival order is kept among equal times */
    }
    return h;
}

static bool is_step(const history *h, int event, int step) {
    return oracle_matches(h->w, &h->q->steps[step], h->events[event]);
}

static const cairn_value *held(const history *h, int event, int step) {
    return oracle_value(h->events[event], h->q->hold[step]);
}

static bool keeps_hold(const history *h, int event, int step, const cairn_value *value) {
    return h->q->hold[0] == NULL ||
           (held(h, event, step) != NULL && oracle_same(held(h, event, step), value));
}

static int64_t between_ms(const history *h, int from, int to) {
    return h->events[to]->time_ms - h->events[from]->time_ms;
}

static bool excludes(const history *h, int event, int level) {
    return h->q->has_exclude && h->q->exclude_after == level &&
           oracle_matches(h->w, &h->q->exclude, h->events[event]);
}

static bool is_in_universe(const history *h, int event) {
    bool in = h->q->has_between && oracle_matches(h->w, &h->q->between, h->events[event]);
    for (int step = 0; step < h->q->step_count; step++) {
        in |= is_step(h, event, step);
    }
    return in;
}

static chain follow(const history *h, int start) {
    const oracle_funnel *q = h->q;
    chain c = { .level = 1, .start = start };
    c.made[0] = start;
    const cairn_value *value = q->hold[0] == NULL ? NULL : held(h, start, 0);
    for (int i = start + 1; i < h->count && c.level < q->step_count; i++) {
        if (between_ms(h, start, i) > q->window_ms ||
            (q->within_ms[c.level] != 0 &&
             between_ms(h, c.made[c.level - 1], i) > q->within_ms[c.level])) {
            break;
        }
        if (is_step(h, i, c.level) && keeps_hold(h, i, c.level, value)) {
            c.made[c.level++] = i;
        } else if (excludes(h, i, c.level)) {
            c.dropped = q->exclude_drops;
            break;
        } else if (q->order == ORACLE_STRICT && is_in_universe(h, i) &&
                   !is_step(h, i, c.level - 1)) {
            break;
        }
    }
    return c;
}

/* Which sets of steps can the events so far make, each event one step at most? */
static int most_steps(bool *sets, int step_count) {
    int most = 0;
    for (int set = 0; set < 1 << step_count; set++) {
        int bits = __builtin_popcount((unsigned)set);
        most = sets[set] && bits > most ? bits : most;
    }
    return most;
}

static void add_event(const history *h, int event, bool *sets) {
    bool before[1 << ORACLE_STEPS_MAX];
    memcpy(before, sets, sizeof before);
    for (int set = 0; set < 1 << h->q->step_count; set++) {
        for (int step = 0; before[set] && step < h->q->step_count; step++) {
            sets[set | 1 << step] |= is_step(h, event, step);
        }
    }
}

static bool is_any_step(const history *h, int event) {
    bool is = false;
    for (int step = 0; step < h->q->step_count; step++) {
        is |= is_step(h, event, step);
    }
    return is;
}

static chain follow_any(const history *h, int start) {
    const oracle_funnel *q = h->q;
    bool sets[1 << ORACLE_STEPS_MAX] = { true };
    chain c = { .level = 1, .start = start };
    c.made[0] = start;
    add_event(h, start, sets);
    const cairn_value *value = q->hold[0] == NULL ? NULL : held(h, start, 0);
    for (int i = start + 1; i < h->count && c.level < q->step_count; i++) {
        if (between_ms(h, start, i) > q->window_ms) {
            break;
        }
        bool grew = false;
        if (is_any_step(h, i) && keeps_hold(h, i, 0, value)) {
            add_event(h, i, sets);
            grew = most_steps(sets, q->step_count) > c.level;
        }
        if (grew) {
            c.made[c.level++] = i;
        } else if (excludes(h, i, c.level)) {
            c.dropped = q->exclude_drops;
            break;
        }
    }
    return c;
}

/* The chains that count of the starts in [from, to). */
static int chains_of(const history *h, int64_t from_ms, int64_t to_ms, chain *chains) {
    const oracle_funnel *q = h->q;
    int count = 0;
    bool dropped = false;
    chain best = { 0 };
    for (int i = 0; i < h->count; i++) {
        bool starts = q->order == ORACLE_ANY ? is_any_step(h, i) : is_step(h, i, 0);
        if (!starts || h->events[i]->time_ms < from_ms || h->events[i]->time_ms >= to_ms ||
            (q->hold[0] != NULL && held(h, i, 0) == NULL)) {
            continue;
        }
        chain c = q->order == ORACLE_ANY ? follow_any(h, i) : follow(h, i);
        dropped |= c.dropped;
        chains[count++] = c;
        best = c.level >= best.level ? c : best; /* of equals the later start */
        if (q->entry == ORACLE_FIRST) {
            break;
        }
    }
    if (count > 0 && q->entry != ORACLE_EVERY) {
        chains[0] = best;
        count = 1;
    }
    return dropped ? 0 : count;
}

/* --- counting --- */

typedef struct {
    char label[ORACLE_KEY_BYTES];
    int persons[ORACLE_STEPS_MAX], entries[ORACLE_STEPS_MAX];
    int64_t last_person[ORACLE_STEPS_MAX];
    double times[ORACLE_STEPS_MAX][TIMES_MAX];
    int time_counts[ORACLE_STEPS_MAX];
} tally;

typedef struct {
    tally groups[GROUPS_MAX];
    int count;
} tallies;

static tally *tally_of(tallies *all, const char *label) {
    for (int i = 0; i < all->count; i++) {
        if (strcmp(all->groups[i].label, label) == 0) {
            return &all->groups[i];
        }
    }
    assert_true(all->count < GROUPS_MAX);
    tally *added = &all->groups[all->count++];
    *added = (tally){ .last_person = { -1, -1, -1, -1 } };
    (void)snprintf(added->label, sizeof added->label, "%s", label);
    return added;
}

static void count_chain(tally *t, const history *h, const chain *c, uint32_t person) {
    for (int step = 0; step < c->level; step++) {
        t->entries[step]++;
        t->persons[step] += t->last_person[step] != person;
        t->last_person[step] = person;
        if (step > 0) {
            assert_true(t->time_counts[step] < TIMES_MAX);
            t->times[step][t->time_counts[step]++] =
                (double)between_ms(h, c->made[step - 1], c->made[step]) / 1000;
        }
    }
}

static void group_label(const history *h, const chain *c, uint32_t person, char *to) {
    const oracle_funnel *q = h->q;
    const cairn_value *value = NULL;
    to[0] = 0;
    if (q->by == ORACLE_BY_NONE) {
        return;
    }
    if (q->by == ORACLE_BY_USER) {
        value = oracle_user_value(h->w, person, "g");
    } else if (q->by == ORACLE_BY_EVENT) {
        value = oracle_value(h->events[c->start], "q");
    } else if (c->level >= q->by_step) {
        value = oracle_value(h->events[c->made[q->by_step - 1]], "q");
    }
    oracle_json(value, to, ORACLE_KEY_BYTES);
}

static void count_range(const history *h, const char *unit, int64_t from_ms, int64_t to_ms,
                        tallies *all) {
    chain chains[EVENTS_MAX];
    uint32_t person = h->count == 0 ? 0 : oracle_person(h->w, h->events[0]);
    int count = chains_of(h, from_ms, to_ms, chains);
    for (int i = 0; i < count; i++) {
        char group[ORACLE_KEY_BYTES];
        char label[ORACLE_KEY_BYTES * 2 + 16];
        group_label(h, &chains[i], person, group);
        (void)snprintf(label, sizeof label, "%s%.150s", unit, group);
        count_chain(tally_of(all, label), h, &chains[i], person);
    }
}

/* `by` a property of every event: each value has a funnel of its own events. */
static void count_split(const history *h, const char *unit, int64_t from_ms, int64_t to_ms,
                        tallies *all) {
    for (int i = 0; i < h->count; i++) {
        const cairn_value *value = oracle_value(h->events[i], "q");
        history part = { .w = h->w, .q = h->q };
        bool seen = false;
        for (int j = 0; j < h->count; j++) {
            if (oracle_same(oracle_value(h->events[j], "q"), value)) {
                part.events[part.count++] = h->events[j];
                seen |= j < i;
            }
        }
        if (!seen) {
            count_range(&part, unit, from_ms, to_ms, all);
        }
    }
}

static void count_person(const history *h, tallies *all) {
    const oracle_funnel *q = h->q;
    int64_t step_ms = q->by_day ? DAY_MS : q->to_ms - q->from_ms;
    for (int64_t at = q->from_ms; at < q->to_ms; at += step_ms) {
        char unit[24] = { 0 };
        if (q->by_day) {
            (void)snprintf(unit, sizeof unit, "\"2026-08-%02d\",",
                           (int)((at - q->from_ms) / DAY_MS) + 1);
        }
        if (q->by == ORACLE_BY_EVENT) {
            count_split(h, unit, at, at + step_ms, all);
        } else {
            count_range(h, unit, at, at + step_ms, all);
        }
    }
}

static double ratio(int part, int whole) {
    return whole == 0 ? (double)NAN : (double)part / whole;
}

static void write_step(const oracle_funnel *q, tally *t, int step, oracle_row *row) {
    double *to = row->values;
    *to++ = t->persons[step];
    if (q->entry == ORACLE_EVERY) {
        *to++ = t->entries[step];
    }
    *to++ = ratio(t->entries[step], t->entries[step == 0 ? 0 : step - 1]);
    *to++ = ratio(t->entries[step], t->entries[0]);
    if (q->times) {
        int count = t->time_counts[step];
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += t->times[step][i];
        }
        *to++ = oracle_percentile(t->times[step], count, 0.5);
        *to++ = oracle_percentile(t->times[step], count, 0.75);
        *to++ = oracle_percentile(t->times[step], count, 0.9);
        *to++ = count == 0 ? (double)NAN : sum / count;
    }
    row->value_count = (int)(to - row->values);
}

static void write_key(const oracle_funnel *q, const char *label, int step, char *to) {
    const oracle_pattern *pattern = &q->steps[step];
    if (q->order == ORACLE_ANY) {
        (void)snprintf(to, ORACLE_KEY_BYTES, "%.100s%d,\"any %d\",", label, step + 1, step + 1);
        return;
    }
    (void)snprintf(to, ORACLE_KEY_BYTES, "%.100s%d,\"%s%s%s\",", label, step + 1,
                   pattern->every ? "*" : pattern->names[0], pattern->names[1] == NULL ? "" : " | ",
                   pattern->names[1] == NULL ? "" : pattern->names[1]);
}

/* Every shown group has all days. */
static void complete_days(const oracle_funnel *q, tallies *all) {
    int count = all->count;
    int days = (int)((q->to_ms - q->from_ms) / DAY_MS);
    for (int day = 0; q->by_day && day < days; day++) {
        char label[ORACLE_KEY_BYTES + 24];
        for (int i = 0; i < count; i++) {
            const char *group = strchr(all->groups[i].label, ',') + 1;
            (void)snprintf(label, sizeof label, "\"2026-08-%02d\",%s", day + 1, group);
            (void)tally_of(all, label);
        }
        if (q->by == ORACLE_BY_NONE) {
            (void)snprintf(label, sizeof label, "\"2026-08-%02d\",", day + 1);
            (void)tally_of(all, label);
        }
    }
    if (!q->by_day && q->by == ORACLE_BY_NONE) {
        (void)tally_of(all, "");
    }
}

static void count_all(const world *w, const oracle_funnel *q, tallies *all) {
    uint32_t person_end = 0;
    for (size_t i = 0; i < w->count; i++) {
        uint32_t person = oracle_person(w, &w->events[i]);
        person_end = person >= person_end ? person + 1 : person_end;
    }
    all->count = 0;
    for (uint32_t person = 0; person < person_end; person++) {
        history h = history_of(w, q, person);
        count_person(&h, all);
    }
    complete_days(q, all);
}

void oracle_funnel_ask(const world *w, const oracle_funnel *question, oracle_answer *answer) {
    tallies *all = malloc(sizeof *all);
    assert_non_null(all);
    answer->count = 0;
    answer->total_count = question->step_count;
    count_all(w, question, all);
    for (int i = 0; i < all->count; i++) {
        for (int step = 0; step < question->step_count; step++) {
            char key[ORACLE_KEY_BYTES];
            write_key(question, all->groups[i].label, step, key);
            write_step(question, &all->groups[i], step, oracle_add(answer, key));
        }
    }
    oracle_funnel whole = *question; /* computed, never added up */
    whole.by_day = false;
    whole.by = ORACLE_BY_NONE;
    count_all(w, &whole, all);
    for (int step = 0; step < question->step_count; step++) {
        write_key(question, "", step, answer->totals[step].key);
        write_step(question, &all->groups[0], step, &answer->totals[step]);
    }
    free(all);
}
