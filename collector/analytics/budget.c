#include "analytics/budget.h"

enum { LIST_CAPACITY_MIN = 8 };

static void *resize(void *self, void *at, size_t old_bytes, size_t new_bytes) {
    cairn__budget *budget = self;
    if (new_bytes > old_bytes && new_bytes - old_bytes > budget->max - budget->used) {
        return NULL;
    }
    void *moved = budget->inner.resize(budget->inner.self, at, old_bytes, new_bytes);
    if (moved != NULL || new_bytes == 0) {
        budget->used = budget->used - (at == NULL ? 0 : old_bytes) + new_bytes;
    }
    return moved;
}

cairn__budget cairn__budget_make(cairn_allocator inner, size_t bytes_max) {
    return (cairn__budget){ .inner = inner, .max = bytes_max };
}

cairn_allocator cairn__budget_allocator(cairn__budget *budget) {
    return (cairn_allocator){ .resize = resize, .self = budget };
}

cairn__list cairn__list_make(cairn_allocator allocator, size_t item_bytes) {
    return (cairn__list){ .allocator = allocator, .item_bytes = item_bytes };
}

bool cairn__list_reserve(cairn__list *list, size_t count) {
    if (count <= list->capacity) {
        return true;
    }
    size_t capacity = list->capacity < LIST_CAPACITY_MIN ? LIST_CAPACITY_MIN : list->capacity;
    while (capacity < count) {
        capacity *= 2;
    }
    if (capacity > SIZE_MAX / 2 / list->item_bytes) {
        return false;
    }
    void *items =
        list->allocator.resize(list->allocator.self, list->items, list->capacity * list->item_bytes,
                               capacity * list->item_bytes);
    if (items == NULL) {
        return false;
    }
    list->items = items;
    list->capacity = capacity;
    return true;
}

void *cairn__list_add(cairn__list *list) {
    if (list->count == list->capacity && !cairn__list_reserve(list, list->count + 1)) {
        return NULL;
    }
    return (uint8_t *)list->items + list->count++ * list->item_bytes;
}

void cairn__list_free(cairn__list *list) {
    if (list->items != NULL) {
        list->allocator.resize(list->allocator.self, list->items, list->capacity * list->item_bytes,
                               0);
    }
    *list = cairn__list_make(list->allocator, list->item_bytes);
}
