/* query.h: a question, read from JSON and checked: what the models work from.
 *
 * Everything in it lives in the arena given to cairn__query_read and borrows nothing else but the
 * zone. Meanings of the keys: docs/ANALYTICS.md. */
#ifndef CAIRN_ANALYTICS_QUERY_H
#define CAIRN_ANALYTICS_QUERY_H

#include "analytics/analytics.h"
#include "analytics/when.h"
#include "rules/rules.h"

enum {
    CAIRN__QUERY_BYTES_MAX = 64 * 1024, /* of the JSON text */
    CAIRN__QUERY_PATTERNS_MAX = 63,     /* one bit each in a row's mask; the last bit is spare */
    CAIRN__QUERY_FACTS_MAX = 64,        /* properties of events, and as many of persons */
    CAIRN__QUERY_BY_MAX = 3,            /* group expressions */
    CAIRN__QUERY_BINS_MAX = 100,        /* edges of one group expression */
    CAIRN__QUERY_STEPS_MAX = 20,        /* of a funnel */
    CAIRN__QUERY_EXCLUDES_MAX = 20,     /* of a funnel */
    CAIRN__QUERY_SERIES_MAX = 20,       /* of one question */
    CAIRN__QUERY_ATOMS_MAX = 64,        /* measures under all series */
    CAIRN__QUERY_FORMULA_BYTES_MAX = 200,
    CAIRN__QUERY_OPS_MAX = 64,      /* of one formula */
    CAIRN__QUERY_UNITS_MAX = 50000, /* units of time in the range */
    CAIRN__QUERY_MOVING_MAX = 366,  /* units in a moving average */
    CAIRN__QUERY_LIMIT_DEFAULT = 100,
    CAIRN__QUERY_LIMIT_MAX = 10000,     /* groups in an answer; persons on a page of members */
    CAIRN__QUERY_ROWS_MAX = 200 * 1000, /* rows of an answer */
};

typedef enum cairn__query_model { CAIRN__QUERY_EVENT, CAIRN__QUERY_FUNNEL } cairn__query_model;

/** Where a value comes from. */
typedef enum cairn__query_source {
    CAIRN__QUERY_OF_EVENT, /* index in facts.event */
    CAIRN__QUERY_OF_USER,  /* index in facts.user */
    CAIRN__QUERY_OF_NAME,  /* the event's own name: event.$name */
} cairn__query_source;

typedef struct cairn__query_fact {
    cairn__query_source source;
    uint16_t index;
} cairn__query_fact;

/** The distinct properties that a question needs, each once. */
typedef struct cairn__query_facts {
    cairn_span event[CAIRN__QUERY_FACTS_MAX];
    size_t event_count;
    cairn_span user[CAIRN__QUERY_FACTS_MAX];
    size_t user_count;
} cairn__query_facts;

typedef struct cairn__query_rule {
    cairn__rule rule;
    const cairn__query_fact *facts; /* one per slot */
    bool by_event;                  /* needs more than the person */
} cairn__query_rule;

typedef struct cairn__query_pattern {
    const cairn_span *names;
    size_t name_count;              /* 0: every event */
    const cairn__query_rule *where; /* NULL: all of them */
} cairn__query_pattern;

typedef struct cairn__query_by {
    cairn_span label; /* the answer's column */
    cairn__query_fact fact;
    uint32_t step;      /* funnel: of the event that made this step, from 1; 0: of every event */
    const double *bins; /* ascending edges */
    size_t bin_count;
} cairn__query_by;

typedef enum cairn__query_measure {
    CAIRN__QUERY_COUNT,
    CAIRN__QUERY_PERSONS,
    CAIRN__QUERY_PER_PERSON,
    CAIRN__QUERY_SUM,
    CAIRN__QUERY_AVG,
    CAIRN__QUERY_MIN,
    CAIRN__QUERY_MAX,
    CAIRN__QUERY_PERCENTILE,
    CAIRN__QUERY_DISTINCT,
} cairn__query_measure;

/** A measure of the events of one pattern. */
typedef struct cairn__query_atom {
    cairn__query_measure measure;
    uint32_t pattern;
    cairn__query_fact fact; /* of sum .. distinct */
    double fraction;        /* of percentile: 0..1 */
} cairn__query_atom;

/** A formula in postfix order. */
typedef enum cairn__query_op_kind {
    CAIRN__QUERY_OP_ATOM,
    CAIRN__QUERY_OP_NUMBER,
    CAIRN__QUERY_OP_ADD,
    CAIRN__QUERY_OP_SUBTRACT,
    CAIRN__QUERY_OP_MULTIPLY,
    CAIRN__QUERY_OP_DIVIDE,
    CAIRN__QUERY_OP_NEGATE,
} cairn__query_op_kind;

typedef struct cairn__query_op {
    cairn__query_op_kind kind;
    uint32_t atom;
    double number;
} cairn__query_op;

typedef struct cairn__query_series {
    cairn_span label;
    const cairn__query_op *ops;
    size_t op_count;
    uint64_t patterns; /* bits of the patterns it counts */
} cairn__query_series;

typedef struct cairn__query_event {
    cairn__query_series series[CAIRN__QUERY_SERIES_MAX];
    size_t series_count;
    cairn__query_atom atoms[CAIRN__QUERY_ATOMS_MAX];
    size_t atom_count;
    bool cumulative;
    uint32_t moving; /* units of the moving average; 0: none */
} cairn__query_event;

typedef enum cairn__query_order {
    CAIRN__QUERY_GAPS,
    CAIRN__QUERY_STRICT,
    CAIRN__QUERY_ANY,
} cairn__query_order;

typedef enum cairn__query_entry {
    CAIRN__QUERY_LATEST,
    CAIRN__QUERY_FIRST,
    CAIRN__QUERY_EVERY,
} cairn__query_entry;

/** Step i is pattern i. */
typedef struct cairn__query_step {
    cairn_span label;
    int64_t within_ms; /* since the step before; 0: no limit of its own */
    cairn__query_fact hold;
} cairn__query_step;

typedef struct cairn__query_funnel {
    cairn__query_step steps[CAIRN__QUERY_STEPS_MAX];
    uint32_t step_count;
    int64_t window_ms;
    cairn__query_order order;
    cairn__query_entry entry;
    bool end_at_range; /* later steps, too, must lie in the range */
    bool hold;
    bool times;
    bool overlap;     /* one event may fit several steps */
    bool within;      /* some step has its own window */
    uint64_t between; /* strict: patterns of the declared universe, the steps included */
    /* By how many steps are made (1..): patterns that stop a chain, and that drop the person. */
    uint64_t stop[CAIRN__QUERY_STEPS_MAX];
    uint64_t drop[CAIRN__QUERY_STEPS_MAX];
} cairn__query_funnel;

enum { CAIRN__QUERY_CELLS_MAX = CAIRN__QUERY_BY_MAX + 4 };

/** The cell whose persons are asked for. Cells are JSON text as in the answer; data NULL: any. */
typedef struct cairn__query_members {
    bool wanted;
    cairn_span by_json[CAIRN__QUERY_BY_MAX];
    cairn_span unit_json;
    uint32_t side;   /* of a comparison: 0, 1 */
    uint32_t step;   /* funnel: from 1 */
    bool dropped;    /* funnel: after `step`, and not further */
    uint32_t series; /* event: index */
    uint32_t limit;
    bool has_after; /* only persons above `after` */
    uint32_t after;
} cairn__query_members;

/** One side of a comparison, or the question itself. */
typedef struct cairn__query_side {
    cairn_span label;
    int64_t from_ms, to_ms;          /* from <= t < to */
    const cairn__query_rule *filter; /* besides the question's own; NULL: none */
} cairn__query_side;

typedef struct cairn__query {
    cairn__query_model model;
    const cairn__zone *zone; /* NULL: UTC */
    cairn_span zone_name;
    cairn__query_side sides[2];
    size_t side_count;
    bool has_unit;
    cairn__unit unit;
    const cairn__query_rule *filter;
    const cairn__query_rule *audience;
    cairn__query_by by[CAIRN__QUERY_BY_MAX];
    size_t by_count;
    uint32_t limit;
    double sample; /* part of the persons that is read; 1: all */
    cairn__query_members members;
    cairn__query_pattern patterns[CAIRN__QUERY_PATTERNS_MAX];
    size_t pattern_count;
    cairn__query_facts facts;
    cairn__query_event event;
    cairn__query_funnel funnel;
} cairn__query;

/** "day", "week", ... */
const char *cairn__query_unit_name(cairn__unit unit);

/** What reading a question needs from outside. */
typedef struct cairn__query_frame {
    const cairn__analyze_zones *zones;
    cairn_span project_zone;
    int64_t now_ms;
    cairn__arena *arena; /* owns what query_out points to */
    cairn__analyze_problem *problem;
} cairn__query_frame;

/**
 * @retval CAIRN_OK         query_out is whole and sound.
 * @retval CAIRN_INVALID    frame->problem says which key, why, and what to write.
 * @retval CAIRN_NO_MEMORY  The arena is full; no problem is set.
 */
cairn_status cairn__query_read(cairn_span json, const cairn__query_frame *frame,
                               cairn__query *query_out);

#endif
