/* oracle.h: the definitions of docs/ANALYTICS.md, written as slowly and plainly as possible: every
 * chain of a funnel is followed on its own, every cell is counted by looking at every event.
 * Nothing here is shared with the engine. */
#ifndef CAIRN_TESTS_ORACLE_H
#define CAIRN_TESTS_ORACLE_H

#include "world.h"

enum {
    ORACLE_STEPS_MAX = 4,
    ORACLE_PATTERNS_MAX = 8,
    ORACLE_VALUES_MAX = 8,
    ORACLE_ROWS_MAX = 1024,
    ORACLE_KEY_BYTES = 160,
};

/** Events by name (NULL: every event) and a condition. */
typedef struct oracle_pattern {
    const char *names[2]; /* NULL ends */
    bool every;
    bool (*where)(const world_event *event, const world *w); /* NULL: none */
    const char *where_text;
} oracle_pattern;

typedef enum { ORACLE_BY_NONE, ORACLE_BY_USER, ORACLE_BY_EVENT, ORACLE_BY_STEP } oracle_by;

typedef struct oracle_funnel {
    oracle_pattern steps[ORACLE_STEPS_MAX];
    int step_count;
    int64_t from_ms, to_ms, window_ms;
    int64_t within_ms[ORACLE_STEPS_MAX];
    enum { ORACLE_GAPS, ORACLE_STRICT, ORACLE_ANY } order;
    enum { ORACLE_LATEST, ORACLE_FIRST, ORACLE_EVERY } entry;
    bool end_at_range;
    bool has_between;
    oracle_pattern between;
    bool has_exclude;
    oracle_pattern exclude;
    int exclude_after;
    bool exclude_drops;
    const char *hold[ORACLE_STEPS_MAX]; /* NULL: no hold */
    bool by_day;
    oracle_by by;
    int by_step;
    bool times;
    const oracle_pattern *filter; /* only its condition */
} oracle_funnel;

typedef enum {
    ORACLE_COUNT,
    ORACLE_PERSONS,
    ORACLE_PER_PERSON,
    ORACLE_SUM,
    ORACLE_AVG,
    ORACLE_MIN,
    ORACLE_MAX,
    ORACLE_MEDIAN,
    ORACLE_P90,
    ORACLE_DISTINCT,
} oracle_measure;

typedef struct oracle_event {
    oracle_pattern on[2];
    oracle_measure measures[2];
    int series_count;
    int64_t from_ms, to_ms;
    bool by_day, cumulative;
    int moving;
    oracle_by by; /* none, user, event */
    const oracle_pattern *filter;
} oracle_event;

/** Rows in no order: a key (the leading columns as JSON, each with a comma after it) and numbers
 * (NaN: null). */
typedef struct oracle_row {
    char key[ORACLE_KEY_BYTES];
    double values[ORACLE_VALUES_MAX];
    int value_count;
} oracle_row;

typedef struct oracle_answer {
    oracle_row rows[ORACLE_ROWS_MAX];
    int count;
    oracle_row totals[ORACLE_STEPS_MAX];
    int total_count;
} oracle_answer;

void oracle_funnel_ask(const world *w, const oracle_funnel *question, oracle_answer *answer);
void oracle_event_ask(const world *w, const oracle_event *question, oracle_answer *answer);

/* --- what both use (oracle.c) --- */

uint32_t oracle_person(const world *w, const world_event *event);
bool oracle_matches(const world *w, const oracle_pattern *pattern, const world_event *event);
/** The property's value; NULL: absent. */
const cairn_value *oracle_value(const world_event *event, const char *name);
const cairn_value *oracle_user_value(const world *w, uint32_t person, const char *name);
bool oracle_same(const cairn_value *a, const cairn_value *b); /* NULL equals NULL */
/** As JSON with a comma, into `to`. */
void oracle_json(const cairn_value *value, char *to, size_t bytes);
double oracle_percentile(double *numbers, int count, double fraction);
/** Adds a row; its key must be new. */
oracle_row *oracle_add(oracle_answer *answer, const char *key);

#endif
