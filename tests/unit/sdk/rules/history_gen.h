/* history_gen.h: random rules over random histories, the same from the same seed, with nothing of
 * sdk/rules in them: a rule is a tree here, and text when it is printed. `history_gen_json` writes
 * a case as one line for whoever else evaluates it (WASM, the collector). */
#ifndef CAIRN_TESTS_RULES_HISTORY_GEN_H
#define CAIRN_TESTS_RULES_HISTORY_GEN_H

#include "history_clock.h"
#include "model/event.h"

enum {
    GEN_EVENTS_MAX = 16,
    GEN_STEPS_MAX = 5,
    GEN_TESTS_MAX = 3,
    GEN_PROPERTIES_MAX = 5,
    GEN_NAMES = 4, /* of events: a b c d */
    GEN_TEXT_BYTES = 4000
};

typedef enum gen_where_kind {
    GEN_WHERE_NONE,
    GEN_WHERE_GREATER,  /* n > number */
    GEN_WHERE_TEXT,     /* s = "a" */
    GEN_WHERE_SET,      /* n is set */
    GEN_WHERE_HOUR,     /* hour($time) < 12 */
    GEN_WHERE_IN,       /* n in [1, 2.5] */
    GEN_WHERE_CONTAINS, /* l contains "a" */
    GEN_WHERE_NAME,     /* $name = "a" */
    GEN_WHERE_KINDS
} gen_where_kind;

typedef struct gen_where {
    gen_where_kind kind;
    bool negated;
    int number;
} gen_where;

/** As cairn__rule_history_kind. */
typedef enum gen_kind {
    GEN_COUNT,
    GEN_DID,
    GEN_DAYS,
    GEN_SUM,
    GEN_MIN,
    GEN_MAX,
    GEN_AVG,
    GEN_DISTINCT,
    GEN_FIRST,
    GEN_LAST,
    GEN_SEQUENCE,
    GEN_MEMBER,
    GEN_KINDS
} gen_kind;

typedef enum gen_window {
    GEN_EVER,
    GEN_ROLLING,
    GEN_TODAY,
    GEN_YESTERDAY,
    GEN_WEEK,
    GEN_MONTH,
    GEN_SINCE,
    GEN_DATES,
    GEN_WINDOWS
} gen_window;

typedef struct gen_step {
    unsigned names; /* bit i: event i; 0: any event */
    bool negated;
    gen_where where;
} gen_step;

typedef struct gen_query {
    gen_kind kind;
    gen_step steps[GEN_STEPS_MAX];
    int step_count;
    const char *property; /* n s l b t time $name gone */
    gen_window window;
    int duration; /* of a rolling window, of a sequence: index of gen_durations */
    int64_t from_day, to_day;
    bool user_time;
} gen_query;

/** How a function's value becomes a truth. */
typedef enum gen_form {
    GEN_BARE,    /* did, sequence, member */
    GEN_COMPARE, /* op, number / 2 */
    GEN_EQUALS,  /* = "a" */
    GEN_IS_SET,
    GEN_AGE, /* now - it > duration */
    GEN_FORMS
} gen_form;

typedef struct gen_test {
    gen_query query;
    gen_form form;
    int op; /* = != < <= > >= */
    int halves, age;
    bool negated;
} gen_test;

typedef struct gen_rule {
    gen_test tests[GEN_TESTS_MAX];
    bool is_or[GEN_TESTS_MAX]; /* how test i is joined to what stands before it, in brackets */
    int count;
} gen_rule;

typedef struct gen_case {
    uint64_t seed;
    const history_clock *zone, *user_zone;
    int64_t now_ms, complete_from_ms;
    cairn__event events[GEN_EVENTS_MAX]; /* in order */
    cairn_property properties[GEN_EVENTS_MAX][GEN_PROPERTIES_MAX];
    int event_count;
    gen_rule rule;
} gen_case;

typedef struct gen_duration {
    const char *text;
    int64_t ms;
} gen_duration;
extern const gen_duration gen_durations[];
enum { GEN_DURATIONS = 9 };
extern const char *const gen_event_names[GEN_NAMES];
extern const char *const gen_ops[6];

/** A case from a seed; the clocks are of one place. */
void history_gen_make(gen_case *to, uint64_t seed, const history_clock *zone,
                      const history_clock *user_zone);

/** The text of the function alone, and of the whole rule; with NUL. */
void history_gen_query_text(const gen_query *query, char to[GEN_TEXT_BYTES]);
void history_gen_rule_text(const gen_rule *rule, char to[GEN_TEXT_BYTES]);

/** One line of JSON: {"rule":...,"now":ms,"zone":...,"user_zone":...,"complete_from":ms or null,
 * "events":[{"name":...,"time":ms,"properties":{...}}],"answer":...}; a time among properties is
 * {"time":ms}. */
void history_gen_json(const gen_case *from, const char *answer, cairn__buffer *to);

#endif
