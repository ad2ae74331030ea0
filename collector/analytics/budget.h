/* budget.h: an allocator that counts: what one question may hold at most. One owner thread. */
#ifndef CAIRN_ANALYTICS_BUDGET_H
#define CAIRN_ANALYTICS_BUDGET_H

#include "base/memory.h"

typedef struct cairn__budget {
    cairn_allocator inner;
    size_t used, max; /* bytes */
} cairn__budget;

cairn__budget cairn__budget_make(cairn_allocator inner, size_t bytes_max);
/** Allocates from the budget; NULL when it is spent. The budget must not move. */
cairn_allocator cairn__budget_allocator(cairn__budget *budget);

/** A growing list of things of one size. Zero value + allocator + item_bytes is empty. */
typedef struct cairn__list {
    cairn_allocator allocator;
    size_t item_bytes;
    void *items;
    size_t count, capacity;
} cairn__list;

cairn__list cairn__list_make(cairn_allocator allocator, size_t item_bytes);
/** Room for one more at the end, not cleared; NULL: no memory. Moves the items. */
void *cairn__list_add(cairn__list *list);
/** Room for at least `count` things in all; false: no memory. */
bool cairn__list_reserve(cairn__list *list, size_t count);
void cairn__list_free(cairn__list *list);

#endif
