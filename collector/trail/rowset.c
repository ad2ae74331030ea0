/* rowset.c: growing, copying and sorting columns together. */
#include "trail/rowset.h"

#include <string.h>

#include "trail/dict.h"

enum { CAPACITY_MIN = 1024, FIXED_COLUMNS = 5 };

typedef struct column_ref {
    void *at; /* address of the pointer */
    size_t size;
} column_ref;

/* Every column, so that growing and copying are one loop. persons and starts come last. */
static column_ref column_of(cairn__rowset *set, size_t i) {
    switch (i) {
    case 0:
        return (column_ref){ &set->time_ms, sizeof *set->time_ms };
    case 1:
        return (column_ref){ &set->order, sizeof *set->order };
    case 2:
        return (column_ref){ &set->name, sizeof *set->name };
    case 3:
        return (column_ref){ &set->persons, sizeof *set->persons };
    case 4:
        return (column_ref){ &set->starts, sizeof *set->starts };
    default:
        break;
    }
    size_t column = (i - FIXED_COLUMNS) / 2;
    return i % 2 == 1 ? (column_ref){ &set->kind[column], sizeof *set->kind[column] }
                      : (column_ref){ &set->bits[column], sizeof *set->bits[column] };
}

static size_t columns_of(const cairn__rowset *set) {
    return FIXED_COLUMNS + set->column_count * 2;
}

cairn__rowset cairn__rowset_make(cairn_allocator allocator, size_t column_count) {
    return (cairn__rowset){ .allocator = allocator, .column_count = column_count };
}

size_t cairn__rowset_row_bytes(size_t column_count) {
    return 8 + 8 + 2 + 4 + 4 + column_count * 9;
}

void cairn__rowset_free(cairn__rowset *set) {
    for (size_t i = 0; i < columns_of(set); i++) {
        column_ref column = column_of(set, i);
        void *array;
        memcpy(&array, column.at, sizeof array);
        cairn__release(&set->allocator, array, set->capacity + 1, column.size);
    }
    *set = cairn__rowset_make(set->allocator, set->column_count);
}

/* All or nothing: new arrays first, because half of the columns grown is no state. */
bool cairn__rowset_reserve(cairn__rowset *set, size_t count) {
    size_t needed = set->rows + count;
    if (needed <= set->capacity) {
        return true;
    }
    size_t capacity = set->capacity < CAPACITY_MIN ? CAPACITY_MIN : set->capacity;
    while (capacity < needed) {
        capacity += capacity / 2;
    }
    if (capacity >= UINT32_MAX) {
        return false;
    }
    cairn__rowset grown = cairn__rowset_make(set->allocator, set->column_count);
    grown.capacity = capacity;
    for (size_t i = 0; i < columns_of(set); i++) {
        column_ref to = column_of(&grown, i), from = column_of(set, i);
        void *array = set->allocator.resize(set->allocator.self, NULL, 0, (capacity + 1) * to.size);
        memcpy(to.at, &array, sizeof array);
        if (array == NULL) {
            cairn__rowset_free(&grown);
            return false;
        }
        void *old;
        memcpy(&old, from.at, sizeof old);
        size_t used = i == 3 || i == 4 ? set->person_count : set->rows;
        if (used != 0) {
            memcpy(array, old, used * to.size);
        }
    }
    grown.rows = set->rows;
    grown.person_count = set->person_count;
    cairn__rowset_free(set);
    *set = grown;
    return true;
}

void cairn__rowset_clear(cairn__rowset *set) {
    set->rows = 0;
    set->person_count = 0;
}

void cairn__rowset_seal(cairn__rowset *set) {
    if (set->starts != NULL) {
        set->starts[set->person_count] = (uint32_t)set->rows;
    }
}

void cairn__rowset_copy(cairn__rowset *to, const cairn__rowset *from, size_t first, size_t end) {
    size_t count = end - first, at = to->rows;
    if (count == 0) {
        return;
    }
    memcpy(to->time_ms + at, from->time_ms + first, count * sizeof *to->time_ms);
    memcpy(to->order + at, from->order + first, count * sizeof *to->order);
    memcpy(to->name + at, from->name + first, count * sizeof *to->name);
    for (size_t c = 0; c < to->column_count; c++) {
        memcpy(to->kind[c] + at, from->kind[c] + first, count);
        memcpy(to->bits[c] + at, from->bits[c] + first, count * sizeof *to->bits[c]);
    }
    to->rows += count;
}

void cairn__rowset_pick(cairn__rowset *to, const cairn__rowset *from, const uint32_t *at,
                        size_t count) {
    size_t row = to->rows;
    for (size_t i = 0; i < count; i++) {
        to->time_ms[row + i] = from->time_ms[at[i]];
        to->order[row + i] = from->order[at[i]];
        to->name[row + i] = from->name[at[i]];
    }
    for (size_t c = 0; c < to->column_count; c++) {
        for (size_t i = 0; i < count; i++) {
            to->kind[c][row + i] = from->kind[c][at[i]];
            to->bits[c][row + i] = from->bits[c][at[i]];
        }
    }
    to->rows += count;
}

void cairn__rowset_shift(cairn__rowset *set, size_t index) {
    if (index == 0) {
        return;
    }
    size_t first = index == set->person_count ? set->rows : set->starts[index];
    size_t persons = set->person_count - index, rows = set->rows - first;
    for (size_t i = 0; i < persons; i++) {
        set->persons[i] = set->persons[index + i];
        set->starts[i] = set->starts[index + i] - (uint32_t)first;
    }
    memmove(set->time_ms, set->time_ms + first, rows * sizeof *set->time_ms);
    memmove(set->order, set->order + first, rows * sizeof *set->order);
    memmove(set->name, set->name + first, rows * sizeof *set->name);
    for (size_t c = 0; c < set->column_count; c++) {
        memmove(set->kind[c], set->kind[c] + first, rows);
        memmove(set->bits[c], set->bits[c] + first, rows * sizeof *set->bits[c]);
    }
    set->rows = rows;
    set->person_count = persons;
}

static bool is_before(const cairn__rowset *set, size_t a, size_t b) {
    return set->time_ms[a] != set->time_ms[b] ? set->time_ms[a] < set->time_ms[b]
                                              : set->order[a] < set->order[b];
}

static void merge_halves(const cairn__rowset *set, const uint32_t *from, uint32_t *to,
                         size_t middle, size_t count) {
    size_t left = 0, right = middle;
    if (middle >= count || !is_before(set, from[middle], from[middle - 1])) {
        memcpy(to, from, count * sizeof *to); /* already in order, as runs of one image are */
        return;
    }
    for (size_t i = 0; i < count; i++) {
        bool take_right =
            left == middle || (right < count && is_before(set, from[right], from[left]));
        to[i] = from[take_right ? right++ : left++];
    }
}

/* Bottom-up merge sort of row numbers; which of the two arrays holds the result. */
static uint32_t *sort_numbers(const cairn__rowset *set, uint32_t *numbers, uint32_t *spare,
                              size_t count) {
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t at = 0; at < count; at += width * 2) {
            size_t left = count - at;
            merge_halves(set, numbers + at, spare + at, width < left ? width : left,
                         width * 2 < left ? width * 2 : left);
        }
        uint32_t *swap = numbers;
        numbers = spare;
        spare = swap;
    }
    return numbers;
}

bool cairn__rowset_sort(cairn__rowset *set, size_t first) {
    size_t count = set->rows - first;
    bool sorted = true;
    for (size_t i = first + 1; i < set->rows && sorted; i++) {
        sorted = !is_before(set, i, i - 1);
    }
    if (sorted) {
        return true;
    }
    const cairn_allocator *allocator = &set->allocator;
    size_t bytes = count * 2 * sizeof(uint32_t);
    uint32_t *numbers = allocator->resize(allocator->self, NULL, 0, bytes);
    cairn__rowset copy = cairn__rowset_make(set->allocator, set->column_count);
    if (numbers == NULL || !cairn__rowset_reserve(&copy, count)) {
        cairn__release(allocator, numbers, bytes, 1);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        numbers[i] = (uint32_t)(first + i);
    }
    uint32_t *result = sort_numbers(set, numbers, numbers + count, count);
    cairn__rowset_pick(&copy, set, result, count);
    set->rows = first;
    cairn__rowset_copy(set, &copy, 0, count);
    cairn__rowset_free(&copy);
    allocator->resize(allocator->self, numbers, bytes, 0);
    return true;
}
