#include "analytics/keyed.h"

#include <string.h>

#include "base/assert.h"

enum { CAPACITY_MIN = 16 };

cairn__keyed cairn__keyed_make(cairn_allocator allocator) {
    return (cairn__keyed){ .allocator = allocator };
}

void cairn__keyed_free(cairn__keyed *table) {
    if (table->entries != NULL) {
        table->allocator.resize(table->allocator.self, table->entries,
                                table->capacity * sizeof *table->entries, 0);
    }
    *table = cairn__keyed_make(table->allocator);
}

bool cairn__keyed_find(const cairn__keyed *table, uint64_t hash, cairn__keyed_match match,
                       const void *context, uint32_t *value_out) {
    if (table->capacity == 0) {
        return false;
    }
    size_t mask = table->capacity - 1;
    for (size_t i = hash & mask; table->entries[i].value != 0; i = (i + 1) & mask) {
        const cairn__keyed_entry *entry = &table->entries[i];
        if (entry->hash == hash && match(context, entry->value - 1)) {
            *value_out = entry->value - 1;
            return true;
        }
    }
    return false;
}

static void place(cairn__keyed *table, cairn__keyed_entry entry) {
    size_t mask = table->capacity - 1;
    size_t i = entry.hash & mask;
    while (table->entries[i].value != 0) {
        i = (i + 1) & mask;
    }
    table->entries[i] = entry;
}

static bool grow(cairn__keyed *table) {
    cairn__keyed old = *table;
    size_t capacity = old.capacity == 0 ? CAPACITY_MIN : old.capacity * 2;
    cairn__keyed_entry *entries =
        old.allocator.resize(old.allocator.self, NULL, 0, capacity * sizeof *entries);
    if (entries == NULL) {
        return false;
    }
    memset(entries, 0, capacity * sizeof *entries);
    table->entries = entries;
    table->capacity = capacity;
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.entries[i].value != 0) {
            place(table, old.entries[i]);
        }
    }
    cairn__keyed_free(&old);
    return true;
}

bool cairn__keyed_add(cairn__keyed *table, uint64_t hash, uint32_t value) {
    CAIRN_ASSERT(value != UINT32_MAX);
    if ((table->count + 1) * 4 > table->capacity * 3 && !grow(table)) {
        return false;
    }
    place(table, (cairn__keyed_entry){ hash, value + 1 });
    table->count++;
    return true;
}
