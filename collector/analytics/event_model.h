/* event_model.h: model `event`: measures of events by group and unit of time.
 * docs/ANALYTICS.md says what its words mean. */
#ifndef CAIRN_ANALYTICS_EVENT_MODEL_H
#define CAIRN_ANALYTICS_EVENT_MODEL_H

#include "analytics/groups.h"
#include "analytics/report.h"
#include "analytics/units.h"

/** What one measure has gathered in one group and unit. */
typedef struct cairn__cell {
    uint64_t count;   /* events; of property measures: events with a number */
    double sum, lost; /* lost: what rounding took away (Neumaier) */
    double min, max;
    uint32_t persons;
    uint32_t last_person; /* + 1; 0: none yet */
    uint32_t distinct;
    uint32_t first;      /* persons or values that the group meets in this unit first */
    cairn__list *values; /* double, of percentiles; NULL: of other measures */
} cairn__cell;

_Static_assert(sizeof(cairn__cell) == 64, "one line of the cache: a row counts in one of many");

/** A value that a cell has met: distinct counts each once. */
typedef struct cairn__seen {
    uint64_t cell;
    cairn__key key;
    uint32_t unit; /* the earliest */
} cairn__seen;

/** Per group a block of (units + 1) x atoms: the last row of a block is the whole range.
 * Group 0 has that row only: it is everything. */
typedef struct cairn__cells {
    cairn__pass *pass;
    const cairn__query_event *event;
    size_t unit_count;  /* 0: the question has no unit */
    cairn__list blocks; /* cairn__cell *, by group */
    cairn__keyed seen_table;
    cairn__list seen;   /* cairn__seen */
    cairn__seen wanted; /* of the look-up under way */
} cairn__cells;

cairn__cells cairn__cells_make(cairn__pass *pass, size_t unit_count);
void cairn__cells_free(cairn__cells *cells);

/** The measures of a group's unit; unit_count: of its whole range. NULL: no memory. */
cairn__cell *cairn__cells_at(cairn__cells *cells, uint32_t group, uint32_t unit);

/** Where a row counts: the measures of its unit, of its group's range, of everything. */
typedef struct cairn__place {
    uint32_t row, group, unit;
    cairn__cell *leaf, *range, *whole;
} cairn__place;

/** Finds the cells of the place's group and unit. False: no memory. */
bool cairn__cells_find(cairn__cells *cells, cairn__place *place);

/** Counts a row whose patterns are in mask. False: no memory. */
bool cairn__cells_add(cairn__cells *cells, const cairn__place *place, uint64_t mask);

/** After the last row: the whole ranges. False: no memory. */
bool cairn__cells_finish(cairn__cells *cells);

/** A cell that has gathered nothing. False: no memory. */
bool cairn__cell_make(cairn__run *run, const cairn__query_atom *atom, cairn__cell *cell_out);
void cairn__cell_free(cairn__run *run, cairn__cell *cell);

/** Adds `from` to a running total of units; persons and distinct count what is new in `from`.
 * False: no memory. */
bool cairn__cell_accumulate(cairn__cell *total, cairn__cell *from);

/** A series' number over its measures' cells (NaN: null). */
double cairn__cells_number(const cairn__cells *cells, const cairn__query_series *series,
                           cairn__cell *row);

/** Answers one side. @retval as cairn__analyze. */
cairn_status cairn__event_run(cairn__run *run, const cairn__query_side *side,
                              cairn__report *report);

#endif
