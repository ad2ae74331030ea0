/* parser_history.c: count(...), sequence(...) and their kin: questions about a person's history.
 * They are read and checked in full; who cannot evaluate them says so (compile.c). */
#include "base/bytes.h"
#include "model/limits.h"
#include "rules/parser.h"

typedef cairn__rule_parser parser;
typedef cairn__rule_node node;

static const cairn__rule_words no_words = { NULL, 0 };

static void *make(parser *p, size_t bytes) {
    void *made = p->status == CAIRN_OK ? cairn__arena_alloc_zero(p->lexer.arena, 1, bytes) : NULL;
    if (made == NULL && p->status == CAIRN_OK) {
        p->status = CAIRN_NO_MEMORY;
    }
    return made;
}

static bool is_name(const parser *p) {
    return p->now.kind == CAIRN__RULE_TOKEN_NAME || p->now.kind == CAIRN__RULE_TOKEN_QUOTED;
}

/* --- windows --------------------------------------------------------------------------------- */

static bool take_day(parser *p, int64_t *day_out) {
    if (p->now.kind != CAIRN__RULE_TOKEN_DATE) {
        (void)cairn__rule_expected(p, "a date (2026-11-24)", no_words);
        return false;
    }
    *day_out = p->now.integer;
    cairn__rule_advance(p);
    return p->status == CAIRN_OK;
}

static bool take_dates(parser *p, cairn__rule_window *window) {
    uint32_t at = p->now.at;
    window->kind = CAIRN__RULE_WINDOW_DATES;
    if (!take_day(p, &window->from_day)) {
        return false;
    }
    if (!cairn__rule_want_sign(p, "..") || !take_day(p, &window->to_day)) {
        return false;
    }
    if (window->to_day < window->from_day) {
        (void)cairn__rule_refuse(p, at, "the second date of a window comes before the first");
        return false;
    }
    return true;
}

static bool take_this(parser *p, cairn__rule_window *window) {
    static const char *const words[] = { "week", "month" };
    window->kind = CAIRN__RULE_WINDOW_THIS_WEEK;
    if (cairn__rule_take_word(p, "week")) {
        return true;
    }
    window->kind = CAIRN__RULE_WINDOW_THIS_MONTH;
    if (cairn__rule_take_word(p, "month")) {
        return true;
    }
    (void)cairn__rule_expected(p, "\"week\" or \"month\"", (cairn__rule_words){ words, 2 });
    return false;
}

static bool take_window_kind(parser *p, cairn__rule_window *window) {
    static const char *const words[] = { "last", "today", "yesterday", "this", "since", "ever" };
    if (p->now.kind == CAIRN__RULE_TOKEN_DATE) {
        return take_dates(p, window);
    }
    if (cairn__rule_take_word(p, "last")) {
        window->kind = CAIRN__RULE_WINDOW_LAST;
        return cairn__rule_take_duration(p, &window->ms);
    }
    if (cairn__rule_take_word(p, "this")) {
        return take_this(p, window);
    }
    if (cairn__rule_take_word(p, "since")) {
        window->kind = CAIRN__RULE_WINDOW_SINCE;
        return take_day(p, &window->from_day);
    }
    window->kind = cairn__rule_at_word(p, "today")       ? CAIRN__RULE_WINDOW_TODAY
                   : cairn__rule_at_word(p, "yesterday") ? CAIRN__RULE_WINDOW_YESTERDAY
                                                         : CAIRN__RULE_WINDOW_EVER;
    if (window->kind != CAIRN__RULE_WINDOW_EVER || cairn__rule_at_word(p, "ever")) {
        cairn__rule_advance(p);
        return p->status == CAIRN_OK;
    }
    (void)cairn__rule_expected(
        p, "a window (last 7 days, today, yesterday, this week, this month, since, ever)",
        (cairn__rule_words){ words, sizeof words / sizeof words[0] });
    return false;
}

static bool take_window(parser *p, cairn__rule_window *window) {
    if (!take_window_kind(p, window)) {
        return false;
    }
    if (!cairn__rule_take_word(p, "in")) {
        return p->status == CAIRN_OK;
    }
    window->user_time = true;
    if (!cairn__rule_take_word(p, "user") || !cairn__rule_take_word(p, "time")) {
        (void)cairn__rule_expected(p, "\"user time\"", no_words);
        return false;
    }
    return p->status == CAIRN_OK;
}

/* --- events ---------------------------------------------------------------------------------- */

static bool take_event_name(parser *p, cairn__rule_events *events) {
    if (!is_name(p)) {
        (void)cairn__rule_expected(p, "the name of an event", no_words);
        return false;
    }
    if (events->count == CAIRN__RULE_EVENTS_MAX || p->now.text.len > CAIRN__NAME_BYTES_MAX) {
        (void)cairn__rule_refuse(p, p->now.at,
                                 "at most 64 events, each with a name of at most 100 bytes");
        return false;
    }
    events->names[events->count++] = p->now.text;
    cairn__rule_advance(p);
    return p->status == CAIRN_OK;
}

/* E = name | "any event" | "(" name { "or" name } ")" */
static bool take_event_names(parser *p, cairn__rule_events *events) {
    cairn__rule_token next = cairn__rule_peek(p);
    bool event_next =
        next.kind == CAIRN__RULE_TOKEN_NAME && cairn__rule_word_is(next.text, "event");
    if (cairn__rule_at_word(p, "any") && event_next) {
        events->any = true;
        cairn__rule_advance(p);
        cairn__rule_advance(p);
        return p->status == CAIRN_OK;
    }
    bool several = cairn__rule_take_sign(p, "(");
    size_t room = several ? CAIRN__RULE_EVENTS_MAX : 1;
    events->names = make(p, room * sizeof *events->names);
    if (events->names == NULL || !take_event_name(p, events)) {
        return false;
    }
    while (several && cairn__rule_take_word(p, "or")) {
        if (!take_event_name(p, events)) {
            return false;
        }
    }
    return !several || cairn__rule_want_sign(p, ")");
}

/* where expr: a bare name in it belongs to the event, or to the relation's row. */
static bool take_where(parser *p, cairn__rule_events *events, unsigned space) {
    if (!cairn__rule_take_word(p, "where")) {
        return p->status == CAIRN_OK;
    }
    unsigned spaces = p->spaces;
    unsigned bare = p->bare;
    p->spaces |= space & CAIRN__RULE_EVENT;
    p->bare = space;
    events->where = cairn__rule_parse_expression(p);
    p->spaces = spaces;
    p->bare = bare;
    return events->where != NULL;
}

static bool of_property(cairn__rule_history_kind kind) {
    return kind >= CAIRN__RULE_SUM && kind <= CAIRN__RULE_LAST;
}

static bool take_property(parser *p, cairn__rule_history *history) {
    uint32_t at = p->now.at;
    bool wanted = of_property(history->kind);
    bool there = cairn__rule_at_sign(p, ".");
    if (wanted && !there) {
        (void)cairn__rule_expected(p, "\".\" and a property of the event", no_words);
        return false;
    }
    if (!wanted && there) {
        (void)cairn__rule_refuse(p, at,
                                 "this counts events; a property belongs to sum, min, max, "
                                 "avg, distinct, first, last; a condition after \"where\"");
        return false;
    }
    return !wanted || cairn__rule_take_dotted(p, &history->name);
}

static bool take_measure(parser *p, cairn__rule_history *history) {
    static const char *const words[] = { "where" };
    cairn__rule_events *events = make(p, sizeof *events);
    history->events = events;
    if (events == NULL || !take_event_names(p, events) || !take_property(p, history) ||
        !take_where(p, events, CAIRN__RULE_EVENT)) {
        return false;
    }
    if (cairn__rule_take_sign(p, ",")) {
        return take_window(p, &history->window);
    }
    if (!cairn__rule_at_sign(p, ")")) {
        (void)cairn__rule_expected(p, "\"where\", \",\" and a window, or \")\"",
                                   (cairn__rule_words){ words, 1 });
        return false;
    }
    return true;
}

/* --- sequence, member, any, all -------------------------------------------------------------- */

static bool take_within(parser *p, cairn__rule_history *history, uint32_t steps, uint32_t at) {
    cairn__rule_advance(p);
    if (!cairn__rule_take_duration(p, &history->within_ms)) {
        return false;
    }
    if (steps < 2) {
        (void)cairn__rule_refuse(p, at, "a sequence has at least two steps");
        return false;
    }
    return true;
}

static cairn__rule_events *take_step(parser *p) {
    cairn__rule_events *step = make(p, sizeof *step);
    if (step == NULL) {
        return NULL;
    }
    step->negated = cairn__rule_take_word(p, "not");
    return take_event_names(p, step) && take_where(p, step, CAIRN__RULE_EVENT) ? step : NULL;
}

static bool take_sequence(parser *p, cairn__rule_history *history) {
    uint32_t at = p->now.at;
    uint32_t steps = 0;
    cairn__rule_events **end = &history->events;
    if (cairn__rule_at_word(p, "not")) {
        (void)cairn__rule_refuse(p, at, "a sequence begins with something that happens");
        return false;
    }
    for (; steps == 0 || !cairn__rule_at_word(p, "within"); steps++) {
        if (steps == CAIRN__RULE_SEQUENCE_STEPS_MAX) {
            (void)cairn__rule_refuse(p, p->now.at, "a sequence has at most 32 steps");
            return false;
        }
        *end = take_step(p);
        if (*end == NULL) {
            return false;
        }
        if (!cairn__rule_take_sign(p, ",")) {
            (void)cairn__rule_expected(p, "\",\" and the next step or \"within 1 hour\"", no_words);
            return false;
        }
        end = &(*end)->next;
    }
    return take_within(p, history, steps, at);
}

static bool take_member(parser *p, cairn__rule_history *history) {
    bool good = p->now.kind == CAIRN__RULE_TOKEN_STRING && p->now.text.len > 0 &&
                p->now.text.len <= CAIRN__NAME_BYTES_MAX;
    if (!good) {
        (void)cairn__rule_expected(
            p, "the name of an audience in double quotes, at most 100 bytes,", no_words);
        return false;
    }
    history->name = p->now.text;
    cairn__rule_advance(p);
    return p->status == CAIRN_OK;
}

static bool take_relation(parser *p, cairn__rule_history *history) {
    history->events = make(p, sizeof *history->events);
    if (history->events == NULL) {
        return false;
    }
    if (!is_name(p) || p->now.text.len > CAIRN__NAME_BYTES_MAX) {
        (void)cairn__rule_expected(p, "the name of a relation", no_words);
        return false;
    }
    history->name = p->now.text;
    cairn__rule_advance(p);
    return take_where(p, history->events, CAIRN__RULE_ROW);
}

static bool take_inside(parser *p, cairn__rule_history *history) {
    switch (history->kind) {
    case CAIRN__RULE_SEQUENCE:
        return take_sequence(p, history);
    case CAIRN__RULE_MEMBER:
        return take_member(p, history);
    case CAIRN__RULE_ANY_ROW:
    case CAIRN__RULE_ALL_ROWS:
        return take_relation(p, history);
    case CAIRN__RULE_COUNT:
    case CAIRN__RULE_DID:
    case CAIRN__RULE_DAYS:
    case CAIRN__RULE_SUM:
    case CAIRN__RULE_MIN:
    case CAIRN__RULE_MAX:
    case CAIRN__RULE_AVG:
    case CAIRN__RULE_DISTINCT:
    case CAIRN__RULE_FIRST:
    case CAIRN__RULE_LAST:
    case CAIRN__RULE_HISTORY_KIND_COUNT:
        break;
    }
    return take_measure(p, history);
}

node *cairn__rule_parse_history(parser *p, cairn__rule_history_kind kind) {
    node *made = cairn__rule_new_node(p, CAIRN__RULE_NODE_HISTORY, p->now.at);
    cairn__rule_history *history = make(p, sizeof *history);
    if (made == NULL || history == NULL) {
        return NULL;
    }
    made->history = history;
    history->kind = kind;
    cairn__rule_advance(p);
    cairn__rule_advance(p); /* the name and its bracket */
    return take_inside(p, history) && cairn__rule_want_sign(p, ")") ? made : NULL;
}
