/* past.h: the events of one person that a bundle's decisions look at, read from the trail into
 * memory: by time, ties in the order of arrival; over all nodes of the person. One owner thread. */
#ifndef CAIRN_FACTS_PAST_H
#define CAIRN_FACTS_PAST_H

#include "facts/facts.h"

typedef struct cairn__past_row {
    int64_t time_ms;
    uint64_t order;
    uint64_t session; /* cairn__session_number; 0: not kept */
    cairn_span name;
    uint32_t cell_first, cell_count;
} cairn__past_row;

typedef struct cairn__past_cell {
    uint32_t row;
    cairn_property property;
} cairn__past_cell;

typedef struct cairn__person_past {
    cairn__buffer rows;         /* of cairn__past_row */
    cairn__buffer loose;        /* of cairn__past_cell, as they are read */
    cairn_property *properties; /* the cells of row i: from cell_first on */
    cairn__arena texts;
    const cairn__past_row *list; /* rows, as read() leaves them */
    size_t count;
} cairn__person_past;

cairn__person_past cairn__person_past_make(cairn_allocator allocator, size_t bytes_max);
void cairn__person_past_free(cairn__person_past *past);

/** Read. @retval as cairn__person_facts_open. */
cairn_status cairn__person_past_read(cairn__person_past *past, const cairn__person_source *source);

/** The event of a row; borrows the past. */
cairn__event cairn__person_past_event(const cairn__person_past *past, size_t row);

/** The first row at or after this time. */
size_t cairn__person_past_place(const cairn__person_past *past, int64_t time_ms);

#endif
