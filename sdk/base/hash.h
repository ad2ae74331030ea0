/* hash.h: a fast 64-bit hash for tables in memory. Not for disks, wires or assignment: it may
 * change between versions (experiments have their own documented hash). */
#ifndef CAIRN_BASE_HASH_H
#define CAIRN_BASE_HASH_H

#include "cairn/cairn_types.h"

/** A well-mixed hash of the bytes under a seed (a random seed keeps outsiders from aiming). */
uint64_t cairn__hash(cairn_span bytes, uint64_t seed);

/** SplitMix64's finaliser (Steele, Lea, Flood 2014): a bijection of 64-bit numbers. */
static inline uint64_t cairn__mix(uint64_t value) {
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
    return value ^ (value >> 31);
}

/** A table from hash to a number the caller gives (an index into its own array). Linear probing,
 * grows at 3/4 full, no removal. The caller compares keys. */
typedef struct cairn__index_entry {
    uint32_t tag;   /* high half of the hash */
    uint32_t value; /* caller's number + 1; 0 is empty */
} cairn__index_entry;

typedef struct cairn__index {
    cairn__index_entry *entries;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
} cairn__index;

/** Is `value` (as given to insert) the key that is looked for? */
typedef bool (*cairn__index_match)(const void *context, uint32_t value);

/** True and the value when an entry with this hash matches. */
bool cairn__index_find(const cairn__index *index, uint64_t hash, cairn__index_match match,
                       const void *context, uint32_t *value_out);

/** Add; `rehash` gives the full hash of a value again when the table grows. False: no memory. */
typedef uint64_t (*cairn__index_rehash)(const void *context, uint32_t value);
bool cairn__index_insert(cairn__index *index, uint64_t hash, uint32_t value,
                         cairn__index_rehash rehash, const void *context);

void cairn__index_clear(cairn__index *index);
void cairn__index_free(cairn__index *index);

#endif
