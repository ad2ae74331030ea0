/* funnel.h: model `funnel`. docs/ANALYTICS.md says what its words mean.
 *
 * A chain is one way through the funnel, opened by one step-1 event; a person's result is the best
 * of their chains. funnel_plain.c walks the common case over the reader's columns in registers;
 * funnel_chain.c knows every option; both end in funnel_count.c. */
#ifndef CAIRN_ANALYTICS_FUNNEL_H
#define CAIRN_ANALYTICS_FUNNEL_H

#include "analytics/groups.h"
#include "analytics/report.h"
#include "analytics/units.h"

/** One way through the funnel. */
typedef struct cairn__funnel_chain {
    uint32_t start; /* the row that opened it */
    uint32_t level; /* steps made: 1.. */
    uint32_t done;  /* order any: one bit per step made */
    uint32_t unit;  /* of its start; 0 where units do not matter */
    cairn__key hold;
    uint32_t rows[CAIRN__QUERY_STEPS_MAX]; /* by step; in a result: in time order */
} cairn__funnel_chain;

typedef struct cairn__funnel_result {
    cairn__funnel_chain chain;
    bool dropped; /* an exclusion drops the person */
} cairn__funnel_result;

/** Finds the results of one person. */
typedef struct cairn__funnel_machine {
    cairn__pass *pass;
    const cairn__units *units; /* NULL: the whole range is one */
    bool split;                /* `by` of every event: a funnel per value */
    const uint64_t *masks;
    cairn__list open;    /* cairn__funnel_chain, by start */
    cairn__list results; /* cairn__funnel_result */
    cairn__list marks;   /* cairn__funnel_chain: funnels whose first entry is taken, or dropped */
    bool no_memory;
} cairn__funnel_machine;

cairn__funnel_machine cairn__funnel_machine_make(cairn__pass *pass, const cairn__units *units,
                                                 bool split);
void cairn__funnel_machine_free(cairn__funnel_machine *machine);
/** The person at hand; results are valid until the next call. False: pass->status. */
bool cairn__funnel_machine_run(cairn__funnel_machine *machine, const uint64_t *masks);

/** How far the persons of one group and unit came, per step. */
typedef struct cairn__funnel_count {
    uint64_t entries;
    uint32_t persons;
    uint32_t last_person; /* + 1; 0: none yet */
    cairn__list times;    /* double, seconds since the step before; of step 1: the whole way */
} cairn__funnel_count;

/** The counts of every group and unit. Group 0 is the whole range. */
typedef struct cairn__funnel_counts {
    cairn__run *run;
    uint32_t step_count;
    size_t unit_count;  /* at least 1 */
    cairn__list blocks; /* cairn__funnel_count *, by group */
} cairn__funnel_counts;

cairn__funnel_counts cairn__funnel_counts_make(cairn__run *run, const cairn__units *units);
void cairn__funnel_counts_free(cairn__funnel_counts *counts);
/** The steps of a group's unit; NULL: no memory. */
cairn__funnel_count *cairn__funnel_counts_at(cairn__funnel_counts *counts, uint32_t group,
                                             uint32_t unit);
/** Counts a result. False: no memory. */
bool cairn__funnel_counts_add(cairn__funnel_count *steps, const cairn__pass *pass,
                              const cairn__funnel_chain *chain);

/** Everything one side of a question works with. */
typedef struct cairn__funnel {
    cairn__run *run;
    cairn__report *report;
    cairn__pass pass;
    cairn__units units;
    cairn__groups groups;
    cairn__funnel_counts counts;
    cairn__list wanted;  /* members: uint8_t per group: 0 not asked yet, 1 no, 2 yes */
    cairn__buffer label; /* members: scratch */
    bool failed;         /* no memory */
    bool full;           /* the page of members is full */
} cairn__funnel;

/** Counts, or takes as a member, the person's result. False: stop (failed or full). */
bool cairn__funnel_take(cairn__funnel *funnel, const cairn__funnel_chain *chain, bool whole);

/** Can this question be answered by the plain walk? */
bool cairn__funnel_is_plain(const cairn__funnel *funnel);
/** Walks all persons. */
void cairn__funnel_plain(cairn__funnel *funnel);

/** Appends rows and totals. CAIRN_INVALID: more rows than an answer may have. */
cairn_status cairn__funnel_write(cairn__funnel *funnel, const cairn__query_side *side);

/** Answers one side. @retval as cairn__analyze. */
cairn_status cairn__funnel_run(cairn__run *run, const cairn__query_side *side,
                               cairn__report *report);
/** Appends the names of the columns that follow the groups, as JSON texts. */
void cairn__funnel_columns(const cairn__query *query, cairn__buffer *to);

#endif
