/* query_sequence.c: did these things happen in this order?
 *
 * For each number of steps done the latest possible time of the first step is kept: of two ways to
 * have done as many steps, the one that began later can be finished whenever the other can. So one
 * time per step stands for all ways, and no greedy choice is made (sequence(a, not b, c) over
 * a b a c). Where things must stay away at the end, the way that was finished first has waited the
 * longest: it alone is kept. */
#include "rules/query.h"

typedef cairn__query_step step;

typedef struct link {
    const step *happens;
    const step *absent; /* what must not happen after it, before the next one; one or more */
    size_t absent_count;
    int64_t began_ms; /* of the latest way to have come so far */
    bool reached;
} link;

typedef struct chain {
    link links[CAIRN__RULE_SEQUENCE_STEPS_MAX];
    size_t count;
    int64_t within_ms;
    const cairn__zone *zone;
    bool found;
    bool waiting; /* all has happened; now things must stay away: */
    int64_t since_ms;
} chain;

static void make_links(const cairn__query *query, chain *c) {
    for (size_t i = 0; i < query->step_count; i++) {
        const step *s = &query->steps[i];
        if (!s->negated) {
            c->links[c->count++] = (link){ .happens = s, .absent = s + 1 };
        } else {
            c->links[c->count - 1].absent_count += 1;
        }
    }
}

static bool is_absent(const chain *c, const link *l, const cairn__event *event) {
    bool found = false;
    for (size_t i = 0; i < l->absent_count && !found; i++) {
        found = cairn__query_step_takes(&l->absent[i], event, c->zone);
    }
    return found;
}

/* Nothing that comes at or after `now` can undo a wait that is over before it. */
static bool wait_is_over(const chain *c, int64_t now_ms) {
    return c->waiting && now_ms > cairn__query_add(c->since_ms, c->within_ms);
}

static void finish(chain *c, int64_t time_ms) {
    if (c->links[c->count - 1].absent_count == 0) {
        c->found = true;
    } else if (!c->waiting) {
        c->waiting = true;
        c->since_ms = time_ms;
    }
}

/* From the last link to the first, so that one event is one step of a way. An event that must be
 * absent after a step undoes the ways that stand there, and may still carry one of them on. */
static void carry_on(chain *c, const cairn__event *event) {
    link *last = &c->links[c->count - 1];
    int64_t time_ms = event->time_ms;
    if (c->waiting && is_absent(c, last, event)) {
        c->waiting = false;
    }
    for (size_t i = c->count; i-- > 0;) {
        link *l = &c->links[i];
        link *before = i > 0 ? &c->links[i - 1] : NULL;
        if (l->reached && l != last && is_absent(c, l, event)) {
            l->reached = false;
            /* the way that it ends may go on with it: that was seen one link further on */
        }
        bool can = before == NULL ||
                   (before->reached && time_ms <= cairn__query_add(before->began_ms, c->within_ms));
        if (!can || !cairn__query_step_takes(l->happens, event, c->zone)) {
            continue;
        }
        int64_t began_ms = before == NULL ? time_ms : before->began_ms;
        l->began_ms = l->reached && l->began_ms > began_ms ? l->began_ms : began_ms;
        l->reached = true;
        if (l == last) {
            finish(c, time_ms);
        }
    }
}

static void add_event(chain *c, const cairn__event *event, int64_t from_ms) {
    c->found = wait_is_over(c, event->time_ms);
    if (!c->found && event->time_ms >= from_ms) {
        carry_on(c, event);
    }
}

/* Is it one that any step asks for? An event to come can change the answer then. */
static bool concerns(const cairn__query *query, const chain *c, const cairn__event *event) {
    bool found = false;
    for (size_t i = 0; i < query->step_count && !found; i++) {
        found = cairn__query_step_takes(&query->steps[i], event, c->zone);
    }
    return found;
}

/* Events that are missing cannot undo what is found, unless something must not happen: then only
 * what is complete counts. */
static int64_t counts_from(const cairn__query *query, const cairn__history *history) {
    int64_t from_ms = INT64_MIN;
    for (size_t i = 0; i < query->step_count; i++) {
        from_ms = query->steps[i].negated ? history->complete_from_ms : from_ms;
    }
    return from_ms;
}

/* All events until it is found; returns the time of the first one after now that concerns it. */
static int64_t walk(const cairn__query *query, chain *c, const cairn__history *history,
                    int64_t now_ms) {
    int64_t from_ms = counts_from(query, history);
    const cairn__event *event = NULL;
    while (!c->found && (event = history->next(history->context)) != NULL) {
        if (event->time_ms <= now_ms) {
            add_event(c, event, from_ms);
        } else if (concerns(query, c, event)) {
            return event->time_ms;
        }
    }
    return INT64_MAX;
}

cairn_value cairn__query_sequence(const cairn__query *query, const cairn__query_moment *when,
                                  const cairn__history *history, int64_t *until_ms_out) {
    const cairn_value yes = { .kind = CAIRN_VALUE_BOOLEAN, .as.boolean = true };
    const cairn_value no = { .kind = CAIRN_VALUE_BOOLEAN, .as.boolean = false };
    const cairn_value unknown = { .kind = (cairn_value_kind)CAIRN__RULE_VALUE_UNKNOWN };
    chain c = { .within_ms = query->within_ms, .zone = when->zone };
    make_links(query, &c);
    int64_t next_ms = walk(query, &c, history, when->now_ms);
    if (c.found || wait_is_over(&c, when->now_ms)) {
        *until_ms_out = INT64_MAX;
        return yes;
    }
    int64_t over_ms =
        c.waiting ? cairn__query_add(cairn__query_add(c.since_ms, c.within_ms), 1) : INT64_MAX;
    *until_ms_out = over_ms < next_ms ? over_ms : next_ms;
    return history->complete_from_ms == INT64_MIN ? no : unknown;
}
