/* answer.c: the values of queries for the current person, and how an event changes them. */
#include "base/bytes.h"
#include "local/fold.h"
#include "model/wire.h"
#include "rules/query.h"
#include "rules/value.h"

enum { UNKNOWN = CAIRN__RULE_VALUE_UNKNOWN };

/* --- a walk over the person's events of a query's names ----------------------------------------*/

typedef struct walk {
    cairn__queries *queries;
    const cairn__queries_view *view;
    const cairn__query_step *steps;
    size_t step_count;
    bool any;
    bool plain; /* of an event only its name and time are asked */
    size_t at;
    int64_t to_ms;
    uint64_t after_seq; /* only events with a higher one */
    bool failed;
    cairn__event event;
} walk;

static bool is_of_step(const cairn__query_step *step, uint32_t name) {
    for (size_t i = 0; i < step->name_count; i++) {
        if (cairn__past_name(step->names[i]) == name) {
            return true;
        }
    }
    return false;
}

static bool has_name(const walk *w, uint32_t name) {
    for (size_t i = 0; i < w->step_count; i++) {
        if (is_of_step(&w->steps[i], name)) {
            return true;
        }
    }
    return false;
}

/* The one name of most queries is hashed once per walk. */
static bool wants(const walk *w, const cairn__held *held, const uint32_t *only) {
    if (held->seq <= w->after_seq) {
        return false;
    }
    bool named = w->any || (only != NULL ? *only == held->name : has_name(w, held->name));
    return named && cairn__persons_is_current(w->view->persons, held->node);
}

static bool is_plain(const walk *w, cairn__rule_history_kind kind) {
    for (size_t i = 0; i < w->step_count; i++) {
        if (w->steps[i].where.program != NULL) {
            return false;
        }
    }
    return kind == CAIRN__RULE_COUNT || kind == CAIRN__RULE_DID || kind == CAIRN__RULE_DAYS;
}

/* The name comes first in what this device writes: of one that is written so, nothing else need be
 * decoded, which takes ten times as long. */
static bool read_plain(const cairn__held *held, cairn__event *event_out) {
    cairn_span bytes = cairn__held_bytes(held);
    bool leads = bytes.len >= 2 && bytes.data[0] == CAIRN__TAG_EVENT_NAME && bytes.data[1] < 0x80 &&
                 bytes.len - 2 >= bytes.data[1];
    if (leads) {
        *event_out = (cairn__event){ .kind = CAIRN__EVENT_TRACK,
                                     .name = { bytes.data + 2, bytes.data[1] },
                                     .time_ms = held->time_ms,
                                     .seq = held->seq };
    }
    return leads;
}

static const cairn__event *next(void *context) {
    walk *w = context;
    bool one = w->step_count == 1 && w->steps[0].name_count == 1;
    uint32_t only = one ? cairn__past_name(w->steps[0].names[0]) : 0;
    while (w->at < w->view->past->count) {
        const cairn__held *held = cairn__past_at(w->view->past, w->at);
        if (held->time_ms >= w->to_ms) {
            return NULL;
        }
        w->at += 1;
        if (!wants(w, held, one ? &only : NULL)) {
            continue;
        }
        if (w->plain && read_plain(held, &w->event)) {
            return &w->event;
        }
        cairn__arena_reset(&w->queries->decoding);
        if (cairn__held_read(held, &w->queries->decoding, &w->event)) {
            return &w->event;
        }
        w->failed = true;
    }
    return NULL;
}

static bool takes_any(const walk *w) {
    for (size_t i = 0; i < w->step_count; i++) {
        if (w->steps[i].any) {
            return true;
        }
    }
    return false;
}

static walk walk_of(cairn__queries *queries, const cairn__asked *asked,
                    const cairn__queries_view *view) {
    walk w = { .queries = queries, .view = view };
    cairn__query_times times = cairn__query_window(asked->query, view->when);
    w.step_count = cairn__query_steps(asked->query, &w.steps);
    w.any = takes_any(&w);
    w.plain = is_plain(&w, cairn__query_kind(asked->query));
    w.at = cairn__past_place(view->past, times.from_ms);
    w.to_ms = times.to_ms;
    return w;
}

static cairn_value evaluate(cairn__queries *queries, const cairn__asked *asked,
                            const cairn__queries_view *view, int64_t complete_ms,
                            int64_t *until_ms) {
    walk w = walk_of(queries, asked, view);
    cairn__arena_reset(&queries->scratch);
    const cairn__history history = { next, &w, complete_ms };
    cairn_value value =
        cairn__query_evaluate(asked->query, view->when, &history, &queries->scratch, until_ms);
    if (w.failed) {
        value.kind = (cairn_value_kind)UNKNOWN;
    }
    return value;
}

/* --- values ------------------------------------------------------------------------------------*/

static int64_t later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* From where on everything, and from where on the history, is whole for the current person. */
static void complete_of(const cairn__persons *persons, int64_t *floor_ms, int64_t *trimmed_ms) {
    *floor_ms = persons->current == 0 ? persons->anonymous_floor_ms : INT64_MIN;
    *trimmed_ms = INT64_MIN;
    for (size_t i = 0; i < persons->count; i++) {
        const cairn__node *node = &persons->nodes[i];
        if (cairn__persons_is_current(persons, node->number)) {
            *floor_ms = later(*floor_ms, node->floor_ms);
            *trimmed_ms = later(*trimmed_ms, node->trimmed_ms);
        }
    }
}

static int64_t oldest_held(const cairn__queries_view *view) {
    for (size_t i = 0; i < view->past->count; i++) {
        const cairn__held *held = cairn__past_at(view->past, i);
        if (cairn__persons_is_current(view->persons, held->node)) {
            return held->time_ms;
        }
    }
    return INT64_MAX;
}

static cairn_value answer(cairn__queries *queries, const cairn__asked *asked,
                          const cairn__queries_view *view, int64_t *until_ms) {
    int64_t floor_ms = INT64_MIN;
    int64_t trimmed_ms = INT64_MIN;
    complete_of(view->persons, &floor_ms, &trimmed_ms);
    int64_t held_ms = later(floor_ms, trimmed_ms);
    int64_t folded_ms = later(floor_ms, asked->from_ms);
    cairn_value value = evaluate(queries, asked, view, held_ms, until_ms);
    if ((int)value.kind != UNKNOWN || folded_ms >= held_ms || !cairn__folds_can(asked)) {
        return value;
    }
    value = evaluate(queries, asked, view, folded_ms, until_ms);
    if ((int)value.kind == UNKNOWN) {
        return value;
    }
    return cairn__folds_join(asked, view, value, oldest_held(view), until_ms);
}

/* What this device did since the server counted: of count and did the value, else: did it anything
 * that matters? */
static cairn_value since_server(cairn__queries *queries, const cairn__asked *asked,
                                const cairn__queries_view *view, int64_t *until_ms) {
    cairn_value value = { .kind = CAIRN_VALUE_BOOLEAN, .as.boolean = false };
    cairn__rule_history_kind kind = cairn__query_kind(asked->query);
    walk w = walk_of(queries, asked, view);
    w.after_seq = view->server_covers;
    cairn__arena_reset(&queries->scratch);
    if (kind == CAIRN__RULE_COUNT || kind == CAIRN__RULE_DID) {
        const cairn__history history = { next, &w, INT64_MIN };
        value =
            cairn__query_evaluate(asked->query, view->when, &history, &queries->scratch, until_ms);
    } else if (kind <= CAIRN__RULE_SEQUENCE) {
        value.as.boolean = next(&w) != NULL;
    }
    value.kind = w.failed || view->trimmed_seq > view->server_covers ? (cairn_value_kind)UNKNOWN
                                                                     : value.kind;
    return value;
}

static cairn_value with_server(cairn__queries *queries, const cairn__asked *asked,
                               const cairn__queries_view *view, int64_t *until_ms) {
    const cairn_value unknown = { .kind = (cairn_value_kind)UNKNOWN };
    cairn_value value = *view->server;
    cairn_value own = since_server(queries, asked, view, until_ms);
    cairn__rule_history_kind kind = cairn__query_kind(asked->query);
    *until_ms = view->server_until_ms < *until_ms ? view->server_until_ms : *until_ms;
    if (kind == CAIRN__RULE_COUNT) {
        bool whole = own.kind == CAIRN_VALUE_INTEGER && value.kind == CAIRN_VALUE_INTEGER &&
                     value.as.integer >= 0 && value.as.integer <= INT64_MAX / 2;
        value.as.integer += whole ? own.as.integer : 0;
        return whole ? value : unknown;
    }
    if (own.kind != CAIRN_VALUE_BOOLEAN || (own.as.boolean && kind != CAIRN__RULE_DID)) {
        return unknown;
    }
    return own.as.boolean ? own : value;
}

cairn_value cairn__queries_value(cairn__queries *queries, size_t place,
                                 const cairn__queries_view *view) {
    cairn__asked *asked = &queries->items[place];
    int64_t now_ms = view->when->now_ms;
    cairn_value unknown = { .kind = (cairn_value_kind)UNKNOWN };
    if (asked->query == NULL) {
        return unknown;
    }
    if (asked->valid && now_ms >= asked->at_ms && now_ms < asked->until_ms) {
        return asked->value.value;
    }
    int64_t until_ms = INT64_MAX;
    bool served = view->server != NULL && now_ms < view->server_until_ms;
    cairn_value value = served ? with_server(queries, asked, view, &until_ms)
                               : answer(queries, asked, view, &until_ms);
    if ((int)value.kind == UNKNOWN && until_ms > now_ms + CAIRN__QUERY_AGAIN_MS) {
        until_ms = now_ms + CAIRN__QUERY_AGAIN_MS;
    }
    asked->valid = cairn__kept_set(&asked->value, queries->allocator, value);
    asked->served = served;
    asked->at_ms = now_ms;
    asked->until_ms = until_ms;
    return asked->valid ? asked->value.value : unknown;
}

/* --- an event more -----------------------------------------------------------------------------*/

/* Can the value be counted on? Only where it is certain that the event is within the window, and
 * comes after all that were counted. */
static bool counts_on(const cairn__asked *asked, const cairn__event *event) {
    cairn__rule_window_kind window = asked->query->window.kind;
    if (asked->served && cairn__query_kind(asked->query) > CAIRN__RULE_DID) {
        return false;
    }
    return (int)asked->value.value.kind != UNKNOWN && event->time_ms >= asked->at_ms &&
           event->time_ms < asked->until_ms &&
           (window == CAIRN__RULE_WINDOW_EVER || window == CAIRN__RULE_WINDOW_LAST);
}

static bool add_to_sum(cairn_value *sum, const cairn_value *more) {
    cairn__rule_value a = cairn__rule_value_of(sum);
    cairn__rule_value b = cairn__rule_value_of(more);
    if (more->kind != CAIRN_VALUE_INTEGER && more->kind != CAIRN_VALUE_NUMBER) {
        return true; /* passed over, as by the evaluation */
    }
    cairn__rule_value added = cairn__rule_compute(CAIRN__RULE_ADD, &a, &b);
    sum->kind = (cairn_value_kind)added.kind;
    if (added.kind == CAIRN_VALUE_INTEGER) {
        sum->as.integer = added.as.integer;
    } else {
        sum->as.number = added.as.number;
    }
    return added.kind == CAIRN_VALUE_INTEGER || added.kind == CAIRN_VALUE_NUMBER;
}

/* False: it has to be evaluated again. */
static bool count_value(cairn__queries *queries, cairn__asked *asked, const cairn_value *brought) {
    cairn_value *value = &asked->value.value;
    bool none = value->kind == CAIRN_VALUE_NULL;
    switch ((int)cairn__query_kind(asked->query)) {
    case CAIRN__RULE_COUNT:
        value->as.integer += 1;
        return true;
    case CAIRN__RULE_DID:
        value->as.boolean = true;
        return true;
    case CAIRN__RULE_SUM:
        return add_to_sum(value, brought);
    case CAIRN__RULE_FIRST:
        return !none || brought->kind == CAIRN_VALUE_NULL ||
               cairn__kept_set(&asked->value, queries->allocator, *brought);
    case CAIRN__RULE_LAST:
        return brought->kind == CAIRN_VALUE_NULL ||
               cairn__kept_set(&asked->value, queries->allocator, *brought);
    default:
        return false;
    }
}

static void count_on(cairn__queries *queries, cairn__asked *asked, const cairn__event *event,
                     const cairn_value *brought) {
    asked->valid = counts_on(asked, event) && count_value(queries, asked, brought);
    asked->at_ms = event->time_ms; /* before it, the event does not count */
    if (asked->query->window.kind == CAIRN__RULE_WINDOW_LAST) {
        int64_t leaves_ms = cairn__query_add(event->time_ms, asked->query->window.ms);
        asked->until_ms = leaves_ms < asked->until_ms ? leaves_ms : asked->until_ms;
    }
}

void cairn__queries_note(cairn__queries *queries, const cairn__event *event) {
    uint32_t name = cairn__past_name(event->name);
    size_t at = 0;
    size_t place = 0;
    size_t counted = 0;
    while (cairn__queries_next(queries, name, &at, &place)) {
        cairn__asked *asked = &queries->items[place];
        if (!asked->valid) {
            continue;
        }
        const cairn__query_moment when = { event->time_ms, queries->zone, NULL };
        cairn_value value;
        bool soon = counted++ < CAIRN__QUERY_COUNTED_ON_MAX && !asked->query->window.user_time;
        if (soon && !cairn__query_takes(asked->query, &when, event, &value)) {
            continue;
        }
        if (soon) {
            count_on(queries, asked, event, &value);
        } else {
            asked->valid = false;
        }
    }
}
