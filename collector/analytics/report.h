/* report.h: an answer while it is made. Models append rows; analyze.c writes what is around them.
 */
#ifndef CAIRN_ANALYTICS_REPORT_H
#define CAIRN_ANALYTICS_REPORT_H

#include "analytics/pass.h"
#include "fault/fault.h"

typedef struct cairn__report {
    const cairn__query *query;
    cairn__analyze_problem *problem;
    cairn__buffer *rows;        /* "[1,2],[3,4]" */
    cairn__buffer totals;       /* the same: everything */
    cairn__buffer group_totals; /* the same: of each group, over the units */
    cairn__buffer details;      /* more members of the answer, each with a comma before it */
    size_t row_count;
    size_t groups, groups_shown;
    /* The members of a cell: persons in ascending order. */
    cairn__list members; /* uint32_t */
    bool has_more;
} cairn__report;

/** Is there room for so many more rows? False has said why. */
bool cairn__report_room(cairn__report *report, size_t rows);

/** Begins a row: "[", and the side's label when two are compared. The caller goes on with values
 * and ends with "]". */
void cairn__report_row(cairn__report *report, const cairn__query_side *side, cairn__buffer *to);

/** Takes a person into the page; false when the page is full (or out of memory: *failed). */
bool cairn__report_member(cairn__report *report, uint32_t person, bool *failed);

/** Exact, by linear interpolation between the two nearest of the sorted numbers. */
double cairn__report_percentile(const double *sorted, size_t count, double fraction);
void cairn__report_sort(double *numbers, size_t count);

#endif
