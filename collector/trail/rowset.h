/* rowset.h: rows of whole persons as plain columns: what a reader hands out and what it merges.
 * One owner thread. */
#ifndef CAIRN_TRAIL_ROWSET_H
#define CAIRN_TRAIL_ROWSET_H

#include "trail/reader.h"

/** Columns may be read and written this many items beyond their rows: short runs are copied with
 * one fixed-size copy, without a loop. */
enum { CAIRN__ROWSET_SLACK = 4 };

typedef struct cairn__rowset {
    cairn_allocator allocator;
    size_t column_count;
    size_t rows, capacity;
    int64_t *time_ms;
    uint64_t *order;
    uint16_t *name;
    uint8_t *kind[CAIRN__READER_PROPERTIES_MAX];
    uint64_t *bits[CAIRN__READER_PROPERTIES_MAX];
    size_t person_count; /* never more than rows */
    uint32_t *persons;
    uint32_t *starts; /* first row of each; one more entry after cairn__rowset_seal */
} cairn__rowset;

cairn__rowset cairn__rowset_make(cairn_allocator allocator, size_t column_count);
void cairn__rowset_free(cairn__rowset *set);
/** Room for `count` more rows and persons. False: no memory. */
bool cairn__rowset_reserve(cairn__rowset *set, size_t count);
void cairn__rowset_clear(cairn__rowset *set);
/** Rows that follow belong to this person; the last one named may be named again. */
static inline void cairn__rowset_person(cairn__rowset *set, uint32_t person) {
    if (set->person_count == 0 || set->persons[set->person_count - 1] != person) {
        set->persons[set->person_count] = person;
        set->starts[set->person_count++] = (uint32_t)set->rows;
    }
}
/** Write the end of the last person. */
void cairn__rowset_seal(cairn__rowset *set);
/** Keep only the rows from the start of person `index` on, at the front. */
void cairn__rowset_shift(cairn__rowset *set, size_t index);
/** Memory of cairn__rowset_sort, kept from call to call. */
typedef struct cairn__rowset_sorter {
    cairn_allocator allocator;
    uint32_t *numbers; /* two runs of them */
    size_t number_capacity;
    uint64_t *values; /* one column */
    size_t value_capacity;
    bool by_time;
} cairn__rowset_sorter;
/** Order rows [first, end) by (time, order), or by time alone, equal ones staying as they are, when
 * sorter->by_time. False: no memory. */
bool cairn__rowset_sort(cairn__rowset *set, size_t first, size_t end, cairn__rowset_sorter *sorter);
void cairn__rowset_sorter_free(cairn__rowset_sorter *sorter);
/** Bytes per row, for budgets. */
size_t cairn__rowset_row_bytes(size_t column_count);

#endif
