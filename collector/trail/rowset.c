/* rowset.c: growing, copying and sorting columns together. */
#include "trail/rowset.h"

#include <string.h>

#include "trail/dict.h"

enum { CAPACITY_MIN = 1024, PERSONS_COLUMN = 3, STARTS_COLUMN = 4, FIXED_COLUMNS = 5 };

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
    case PERSONS_COLUMN:
        return (column_ref){ &set->persons, sizeof *set->persons };
    case STARTS_COLUMN:
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
        cairn__release(&set->allocator, array, set->capacity + CAIRN__ROWSET_SLACK, column.size);
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
        void *array = set->allocator.resize(set->allocator.self, NULL, 0,
                                            (capacity + CAIRN__ROWSET_SLACK) * to.size);
        memcpy(to.at, &array, sizeof array);
        if (array == NULL) {
            cairn__rowset_free(&grown);
            return false;
        }
        void *old;
        memcpy(&old, from.at, sizeof old);
        size_t used = i == PERSONS_COLUMN || i == STARTS_COLUMN ? set->person_count : set->rows;
        memset((uint8_t *)array + capacity * to.size, 0, CAIRN__ROWSET_SLACK * to.size);
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

/** What is sorted: rows of a set by (time, order), or by time when order is NULL. */
typedef struct sort_keys {
    const int64_t *time_ms;
    const uint64_t *order;
} sort_keys;

static bool is_before(const sort_keys *keys, size_t a, size_t b) {
    if (keys->time_ms[a] != keys->time_ms[b]) {
        return keys->time_ms[a] < keys->time_ms[b];
    }
    return keys->order != NULL && keys->order[a] < keys->order[b];
}

static void merge_halves(const sort_keys *keys, const uint32_t *from, uint32_t *to, size_t middle,
                         size_t count) {
    size_t left = 0, right = middle;
    if (middle >= count || !is_before(keys, from[middle], from[middle - 1])) {
        memcpy(to, from, count * sizeof *to); /* already in order, as runs of one image are */
        return;
    }
    for (size_t i = 0; i < count; i++) {
        bool take_right =
            left == middle || (right < count && is_before(keys, from[right], from[left]));
        to[i] = from[take_right ? right++ : left++];
    }
}

/* Bottom-up merge sort of row numbers; which of the two arrays holds the result. */
static uint32_t *sort_numbers(const sort_keys *keys, uint32_t *numbers, uint32_t *spare,
                              size_t count) {
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t at = 0; at < count; at += width * 2) {
            size_t left = count - at;
            merge_halves(keys, numbers + at, spare + at, width < left ? width : left,
                         width * 2 < left ? width * 2 : left);
        }
        uint32_t *swap = numbers;
        numbers = spare;
        spare = swap;
    }
    return numbers;
}

void cairn__rowset_sorter_free(cairn__rowset_sorter *sorter) {
    cairn__release(&sorter->allocator, sorter->numbers, sorter->number_capacity,
                   sizeof *sorter->numbers);
    cairn__release(&sorter->allocator, sorter->values, sorter->value_capacity,
                   sizeof *sorter->values);
}

/* Put the items of one column in the order of the numbers. */
static void permute(column_ref column, size_t first, const uint32_t *numbers, size_t count,
                    uint8_t *spare) {
    uint8_t *array;
    memcpy(&array, column.at, sizeof array);
    for (size_t i = 0; i < count; i++) {
        memcpy(spare + i * column.size, array + numbers[i] * column.size, column.size);
    }
    memcpy(array + first * column.size, spare, count * column.size);
}

bool cairn__rowset_sort(cairn__rowset *set, size_t first, size_t end,
                        cairn__rowset_sorter *sorter) {
    size_t count = end - first;
    if (!cairn__grow(&sorter->allocator, &sorter->numbers, &sorter->number_capacity, count * 2,
                     sizeof *sorter->numbers) ||
        !cairn__grow(&sorter->allocator, &sorter->values, &sorter->value_capacity, count,
                     sizeof *sorter->values)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        sorter->numbers[i] = (uint32_t)(first + i);
    }
    sort_keys keys = { set->time_ms, sorter->by_time ? NULL : set->order };
    const uint32_t *numbers = sort_numbers(&keys, sorter->numbers, sorter->numbers + count, count);
    for (size_t i = 0; i < columns_of(set); i++) {
        if (i != PERSONS_COLUMN && i != STARTS_COLUMN) {
            permute(column_of(set, i), first, numbers, count, (uint8_t *)sorter->values);
        }
    }
    return true;
}
