#include "history_gen.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/hash.h"

static const int64_t minute_ms = 60000;
static const int64_t day_ms = 86400000;

const gen_duration gen_durations[] = {
    { "1 second", 1000 },    { "30 minutes", 1800000 }, { "1 hour", 3600000 },
    { "3 hours", 10800000 }, { "1 day", 86400000 },     { "3 days", 259200000 },
    { "1 week", 604800000 }, { "1 month", 2592000000 }, { "0 days", 0 },
};
const char *const gen_event_names[GEN_NAMES] = { "a", "b", "c", "d" };
const char *const gen_ops[6] = { "=", "!=", "<", "<=", ">", ">=" };
static const char *const properties[] = { "n", "s", "l", "b", "t", "time", "$name", "gone" };

static unsigned roll(uint64_t *seed, unsigned sides) {
    *seed += 0x9E3779B97F4A7C15u;
    return (unsigned)(cairn__mix(*seed) >> 33) % sides;
}

/* --- events ---------------------------------------------------------------------------------- */

static cairn_value some_number(uint64_t *seed) {
    static const int64_t wild[] = { INT64_MAX, INT64_MIN, 9007199254740993, -1 };
    if (roll(seed, 30) == 0) {
        return (cairn_value){ .kind = CAIRN_VALUE_INTEGER, .as.integer = wild[roll(seed, 4)] };
    }
    if (roll(seed, 3) == 0) {
        return (cairn_value){ .kind = CAIRN_VALUE_NUMBER, .as.number = (double)roll(seed, 20) / 4 };
    }
    return (cairn_value){ .kind = CAIRN_VALUE_INTEGER, .as.integer = roll(seed, 5) };
}

static cairn_value some_text(uint64_t *seed) {
    static const char *const texts[] = { "a", "b", "", "ab" };
    return (cairn_value){ .kind = CAIRN_VALUE_STRING,
                          .as.string = cairn__span_of(texts[roll(seed, 4)]) };
}

static cairn_value some_list(uint64_t *seed) {
    static const cairn_span items[] = { { (const uint8_t *)"a", 1 },
                                        { (const uint8_t *)"b", 1 },
                                        { (const uint8_t *)"a", 1 },
                                        { (const uint8_t *)"c", 1 } };
    size_t from = roll(seed, 4);
    return (cairn_value){ .kind = CAIRN_VALUE_LIST,
                          .as.list = { items + from, roll(seed, (unsigned)(5 - from)) } };
}

static void make_properties(gen_case *to, uint64_t *seed, int index) {
    cairn_property *p = to->properties[index];
    size_t count = 0;
    if (roll(seed, 4) != 0) {
        cairn_value odd = roll(seed, 12) == 0 ? some_text(seed) : some_number(seed);
        p[count++] = (cairn_property){ cairn__span_of("n"), odd };
    }
    if (roll(seed, 2) == 0) {
        p[count++] = (cairn_property){ cairn__span_of("s"), some_text(seed) };
    }
    if (roll(seed, 3) == 0) {
        p[count++] = (cairn_property){ cairn__span_of("l"), some_list(seed) };
    }
    if (roll(seed, 3) == 0) {
        cairn_value truth = { .kind = CAIRN_VALUE_BOOLEAN, .as.boolean = roll(seed, 2) == 0 };
        p[count++] = (cairn_property){ cairn__span_of("b"), truth };
    }
    if (roll(seed, 3) == 0) {
        cairn_value time = { .kind = CAIRN_VALUE_TIME,
                             .as.time_ms = to->now_ms - roll(seed, 4) * minute_ms };
        p[count++] = (cairn_property){ cairn__span_of(roll(seed, 3) == 0 ? "time" : "t"), time };
    }
    to->events[index].properties = p;
    to->events[index].property_count = count;
}

/* Moments at which windows begin and end, and any others. One roll per statement, here and
 * everywhere: compilers differ in what they evaluate first. */
static int64_t some_time(const gen_case *of, uint64_t *seed, int made) {
    static const unsigned spans[] = { 5, 180, 3 * 1440, 35 * 1440 };
    const history_clock *clock = roll(seed, 2) == 0 ? of->zone : of->user_zone;
    int64_t near = (int64_t)roll(seed, 3) - 1;
    int64_t duration_ms = gen_durations[roll(seed, GEN_DURATIONS)].ms;
    unsigned span = spans[roll(seed, 4)];
    int64_t back_ms = (int64_t)roll(seed, span) * minute_ms;
    int64_t other_ms = made == 0 ? of->now_ms : of->events[roll(seed, (unsigned)made)].time_ms;
    int64_t day = 0;
    switch (roll(seed, 8)) {
    case 0:
        return of->now_ms - duration_ms + near;
    case 1:
    case 2:
        day = history_clock_day(clock, of->now_ms) - (int64_t)roll(seed, span > 180 ? 3 : 33);
        day = history_clock_day_start(clock, day);
        return day == INT64_MAX ? of->now_ms : day + near;
    case 3:
        return other_ms + duration_ms + near;
    case 4:
        return other_ms;
    case 5:
        return of->now_ms + back_ms / 7;
    default:
        return of->now_ms - back_ms - (int64_t)roll(seed, 2000);
    }
}

static void insert(gen_case *to, int index) {
    cairn__event event = to->events[index];
    for (; index > 0 && to->events[index - 1].time_ms > event.time_ms; index--) {
        to->events[index] = to->events[index - 1];
    }
    to->events[index] = event;
}

static void make_events(gen_case *to, uint64_t *seed) {
    to->event_count = (int)roll(seed, roll(seed, 3) == 0 ? GEN_EVENTS_MAX + 1 : 9);
    unsigned names = 1 + roll(seed, GEN_NAMES);
    for (int i = 0; i < to->event_count; i++) {
        const char *name = gen_event_names[roll(seed, names)];
        to->events[i] =
            (cairn__event){ .name = cairn__span_of(name), .time_ms = some_time(to, seed, i) };
        int64_t past_ms = to->now_ms - 36 * day_ms; /* a chain of events that follow each other */
        int64_t late_ms = to->now_ms + 6 * day_ms;
        int64_t at = to->events[i].time_ms;
        to->events[i].time_ms = at < past_ms ? past_ms : at > late_ms ? late_ms : at;
        make_properties(to, seed, i);
        insert(to, i);
    }
}

/* --- rules ----------------------------------------------------------------------------------- */

static gen_step some_step(uint64_t *seed) {
    gen_step step = { .names = roll(seed, 8) == 0 ? 0 : 1u << roll(seed, 3) };
    if (roll(seed, 4) == 0 && step.names != 0) {
        step.names |= 1u << roll(seed, GEN_NAMES);
    }
    if (roll(seed, 3) == 0) {
        step.where.kind = (gen_where_kind)roll(seed, GEN_WHERE_KINDS);
        step.where.negated = roll(seed, 4) == 0;
        step.where.number = (int)roll(seed, 4);
    }
    return step;
}

static void make_window(gen_query *to, uint64_t *seed, const gen_case *of) {
    int64_t today = history_clock_day(of->zone, of->now_ms);
    to->window = (gen_window)roll(seed, GEN_WINDOWS);
    to->window = roll(seed, 3) == 0 ? GEN_ROLLING : to->window;
    to->duration = (int)roll(seed, GEN_DURATIONS);
    to->user_time = to->window != GEN_EVER && roll(seed, 3) == 0;
    to->from_day = today - (int64_t)roll(seed, 10) + 1;
    to->to_day = to->from_day + (int64_t)roll(seed, 4);
}

static void make_sequence(gen_query *to, uint64_t *seed) {
    to->step_count = 2 + (int)roll(seed, GEN_STEPS_MAX - 1);
    to->duration = (int)roll(seed, GEN_DURATIONS);
    for (int i = 0; i < to->step_count; i++) {
        to->steps[i] = some_step(seed);
        to->steps[i].negated = i > 0 && roll(seed, 3) == 0;
    }
}

static void make_query(gen_query *to, uint64_t *seed, const gen_case *of) {
    *to = (gen_query){ .kind = (gen_kind)roll(seed, GEN_KINDS), .step_count = 1 };
    if (to->kind == GEN_MEMBER && roll(seed, 4) != 0) {
        to->kind = GEN_SEQUENCE;
    }
    to->property = properties[roll(seed, 3) == 0 ? 0 : roll(seed, 8)];
    if (to->kind == GEN_SEQUENCE) {
        make_sequence(to, seed);
    } else {
        to->steps[0] = some_step(seed);
        make_window(to, seed, of);
    }
}

static bool is_bare(gen_kind kind) {
    return kind == GEN_DID || kind == GEN_SEQUENCE || kind == GEN_MEMBER;
}

static bool is_kept(gen_kind kind) {
    return kind == GEN_MIN || kind == GEN_MAX || kind == GEN_FIRST || kind == GEN_LAST;
}

static void make_rule(gen_rule *to, uint64_t *seed, const gen_case *of) {
    to->count = 1 + (int)roll(seed, GEN_TESTS_MAX);
    for (int i = 0; i < to->count; i++) {
        gen_test *t = &to->tests[i];
        make_query(&t->query, seed, of);
        t->form = is_bare(t->query.kind)   ? GEN_BARE
                  : is_kept(t->query.kind) ? (gen_form)(1 + roll(seed, GEN_FORMS - 1))
                                           : GEN_COMPARE;
        t->op = (int)roll(seed, 6);
        t->halves = (int)roll(seed, 9);
        t->age = (int)roll(seed, GEN_DURATIONS);
        t->negated = roll(seed, 4) == 0;
        to->is_or[i] = roll(seed, 2) == 0;
    }
}

void history_gen_make(gen_case *to, uint64_t seed, const history_clock *zone,
                      const history_clock *user_zone) {
    int64_t middle = zone->from_ms / 2 + zone->to_ms / 2;
    uint64_t state = seed * 2;
    *to = (gen_case){ .seed = seed, .zone = zone, .user_zone = user_zone };
    int64_t hours = (int64_t)roll(&state, 25 * 24) - 12 * 24;
    to->now_ms = middle + hours * 3600000 + roll(&state, 3600000);
    if (roll(&state, 4) == 0) {
        int64_t day = history_clock_day_start(zone, history_clock_day(zone, to->now_ms));
        to->now_ms = day + (int64_t)roll(&state, 3) - 1;
    }
    make_events(to, &state);
    to->complete_from_ms = INT64_MIN;
    if (roll(&state, 3) == 0) {
        to->complete_from_ms = some_time(to, &state, to->event_count);
    }
    make_rule(&to->rule, &state, to);
}

/* --- as text --------------------------------------------------------------------------------- */

static void add(char *to, const char *text) {
    size_t at = strlen(to);
    (void)snprintf(to + at, GEN_TEXT_BYTES - at, "%s", text);
}

static void add_number(char *to, const char *before, int number, const char *after) {
    char text[64];
    (void)snprintf(text, sizeof text, "%s%d%s", before, number, after);
    add(to, text);
}

static void add_day(char *to, int64_t day) {
    char text[16];
    struct tm date;
    time_t seconds = (time_t)(day * 86400);
    (void)gmtime_r(&seconds, &date);
    (void)strftime(text, sizeof text, "%Y-%m-%d", &date);
    add(to, text);
}

static void add_where(char *to, const gen_where *where) {
    if (where->kind == GEN_WHERE_NONE) {
        return;
    }
    add(to, where->negated ? " where not (" : " where ");
    switch (where->kind) {
    case GEN_WHERE_GREATER:
        add_number(to, "n > ", where->number, "");
        break;
    case GEN_WHERE_TEXT:
        add(to, "s = \"a\"");
        break;
    case GEN_WHERE_SET:
        add(to, "event.n is set");
        break;
    case GEN_WHERE_HOUR:
        add(to, "hour($time) < 12");
        break;
    case GEN_WHERE_IN:
        add(to, "n in [1, 2.5]");
        break;
    case GEN_WHERE_CONTAINS:
        add(to, "l contains \"a\"");
        break;
    case GEN_WHERE_NAME:
    case GEN_WHERE_NONE:
    case GEN_WHERE_KINDS:
        add(to, "$name = \"a\"");
        break;
    }
    add(to, where->negated ? ")" : "");
}

static void add_events(char *to, const gen_step *step, const char *property) {
    if (step->names == 0) {
        add(to, "any event");
    } else {
        bool several = (step->names & (step->names - 1)) != 0;
        bool first = true;
        add(to, several ? "(" : "");
        for (int i = GEN_NAMES; i-- > 0;) { /* not in their order */
            if ((step->names >> i & 1) != 0) {
                add(to, first ? "" : " or ");
                add(to, gen_event_names[i]);
                first = false;
            }
        }
        add(to, several ? ")" : "");
    }
    if (property != NULL) {
        add(to, ".");
        add(to, property);
    }
    add_where(to, &step->where);
}

static void add_window(char *to, const gen_query *query) {
    static const char *const words[] = { "ever",      "",           "today",  "yesterday",
                                         "this week", "this month", "since ", "" };
    add(to, ", ");
    add(to, words[query->window]);
    if (query->window == GEN_ROLLING) {
        add(to, "last ");
        add(to, gen_durations[query->duration].text);
    } else if (query->window >= GEN_SINCE) {
        add_day(to, query->from_day);
    }
    if (query->window == GEN_DATES) {
        add(to, "..");
        add_day(to, query->to_day);
    }
    add(to, query->user_time ? " in user time" : "");
}

static void add_query(char *to, const gen_query *query) {
    static const char *const names[GEN_KINDS] = { "count", "did",  "days",     "sum",
                                                  "min",   "max",  "avg",      "distinct",
                                                  "first", "last", "sequence", "member" };
    add(to, names[query->kind]);
    add(to, "(");
    if (query->kind == GEN_MEMBER) {
        add(to, "\"vip\")");
        return;
    }
    bool measures = query->kind >= GEN_SUM && query->kind <= GEN_LAST;
    for (int i = 0; i < query->step_count; i++) {
        add(to, i > 0 ? ", " : "");
        add(to, query->steps[i].negated ? "not " : "");
        add_events(to, &query->steps[i], measures ? query->property : NULL);
    }
    if (query->kind == GEN_SEQUENCE) {
        add(to, ", within ");
        add(to, gen_durations[query->duration].text);
    } else {
        add_window(to, query);
    }
    add(to, ")");
}

static void add_test(char *to, const gen_test *test) {
    char half[32];
    add(to, test->negated ? "not (" : "(");
    add(to, test->form == GEN_AGE ? "now - " : "");
    add_query(to, &test->query);
    switch (test->form) {
    case GEN_COMPARE:
        (void)snprintf(half, sizeof half, " %s %d%s", gen_ops[test->op], test->halves / 2,
                       test->halves % 2 == 0 ? "" : ".5");
        add(to, half);
        break;
    case GEN_EQUALS:
        add(to, " = \"a\"");
        break;
    case GEN_IS_SET:
        add(to, " is set");
        break;
    case GEN_AGE:
        add(to, " > ");
        add(to, gen_durations[test->age].text);
        break;
    case GEN_BARE:
    case GEN_FORMS:
        break;
    }
    add(to, ")");
}

void history_gen_query_text(const gen_query *query, char to[GEN_TEXT_BYTES]) {
    to[0] = '\0';
    add_query(to, query);
}

void history_gen_rule_text(const gen_rule *rule, char to[GEN_TEXT_BYTES]) {
    to[0] = '\0';
    for (int i = 2; i < rule->count; i++) {
        add(to, "(");
    }
    for (int i = 0; i < rule->count; i++) {
        add(to, i == 0 ? "" : rule->is_or[i] ? " or " : " and ");
        add_test(to, &rule->tests[i]);
        add(to, i > 0 && i + 1 < rule->count ? ")" : "");
    }
}

/* --- as JSON --------------------------------------------------------------------------------- */

static void json_text(cairn__buffer *to, cairn_span text) {
    cairn__buffer_byte(to, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\') {
            cairn__buffer_byte(to, '\\');
        }
        cairn__buffer_byte(to, text.data[i]);
    }
    cairn__buffer_byte(to, '"');
}

static void json_value(cairn__buffer *to, const cairn_value *value) {
    switch (value->kind) {
    case CAIRN_VALUE_BOOLEAN:
        cairn__buffer_append(to, cairn__span_of(value->as.boolean ? "true" : "false"));
        break;
    case CAIRN_VALUE_INTEGER:
        cairn__buffer_format(to, "%lld", (long long)value->as.integer);
        break;
    case CAIRN_VALUE_NUMBER: /* quarters: with a point, so that it stays a double */
        cairn__buffer_format(to, "%.2f", value->as.number);
        break;
    case CAIRN_VALUE_STRING:
        json_text(to, value->as.string);
        break;
    case CAIRN_VALUE_TIME:
        cairn__buffer_format(to, "{\"time\":%lld}", (long long)value->as.time_ms);
        break;
    case CAIRN_VALUE_LIST:
        cairn__buffer_byte(to, '[');
        for (size_t i = 0; i < value->as.list.count; i++) {
            cairn__buffer_append(to, cairn__span_of(i > 0 ? "," : ""));
            json_text(to, value->as.list.items[i]);
        }
        cairn__buffer_byte(to, ']');
        break;
    case CAIRN_VALUE_NULL:
        cairn__buffer_append(to, cairn__span_of("null"));
        break;
    }
}

static void json_event(cairn__buffer *to, const cairn__event *event) {
    cairn__buffer_append(to, cairn__span_of("{\"name\":"));
    json_text(to, event->name);
    cairn__buffer_format(to, ",\"time\":%lld,\"properties\":{", (long long)event->time_ms);
    for (size_t i = 0; i < event->property_count; i++) {
        cairn__buffer_append(to, cairn__span_of(i > 0 ? "," : ""));
        json_text(to, event->properties[i].name);
        cairn__buffer_byte(to, ':');
        json_value(to, &event->properties[i].value);
    }
    cairn__buffer_append(to, cairn__span_of("}}"));
}

void history_gen_json(const gen_case *from, const char *answer, cairn__buffer *to) {
    char text[GEN_TEXT_BYTES];
    history_gen_rule_text(&from->rule, text);
    cairn__buffer_append(to, cairn__span_of("{\"rule\":"));
    json_text(to, cairn__span_of(text));
    cairn__buffer_format(to, ",\"now\":%lld,\"zone\":\"%s\",\"user_zone\":\"%s\"",
                         (long long)from->now_ms, from->zone->name, from->user_zone->name);
    if (from->complete_from_ms == INT64_MIN) {
        cairn__buffer_append(to, cairn__span_of(",\"complete_from\":null,\"events\":["));
    } else {
        cairn__buffer_format(to, ",\"complete_from\":%lld,\"events\":[",
                             (long long)from->complete_from_ms);
    }
    for (int i = 0; i < from->event_count; i++) {
        cairn__buffer_append(to, cairn__span_of(i > 0 ? "," : ""));
        json_event(to, &from->events[i]);
    }
    cairn__buffer_format(to, "],\"answer\":\"%s\"}\n", answer);
}
