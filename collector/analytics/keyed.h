/* keyed.h: from a key that the caller keeps to the caller's number, in an allocator's memory
 * (base/hash.h's index takes its own). Linear probing, no removal. */
#ifndef CAIRN_ANALYTICS_KEYED_H
#define CAIRN_ANALYTICS_KEYED_H

#include "base/memory.h"

typedef struct cairn__keyed_entry {
    uint64_t hash;
    uint32_t value; /* caller's number + 1; 0 is empty */
} cairn__keyed_entry;

typedef struct cairn__keyed {
    cairn_allocator allocator;
    cairn__keyed_entry *entries;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
} cairn__keyed;

cairn__keyed cairn__keyed_make(cairn_allocator allocator);
void cairn__keyed_free(cairn__keyed *table);

/** Is `value` the key that is looked for? Asked of entries whose hash is equal. */
typedef bool (*cairn__keyed_match)(const void *context, uint32_t value);
bool cairn__keyed_find(const cairn__keyed *table, uint64_t hash, cairn__keyed_match match,
                       const void *context, uint32_t *value_out);
/** False: no memory. The key must not be there yet. */
bool cairn__keyed_add(cairn__keyed *table, uint64_t hash, uint32_t value);

#endif
