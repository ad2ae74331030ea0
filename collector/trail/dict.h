/* dict.h: distinct byte strings, numbered from 0 in the order of their first sight. What a block
 * stores is the number. One owner thread. */
#ifndef CAIRN_TRAIL_DICT_H
#define CAIRN_TRAIL_DICT_H

#include "base/memory.h"

enum { CAIRN__DICT_ENTRIES_MAX = INT32_MAX };

typedef struct cairn__dict_entry {
    const uint8_t *data; /* stays where it is as long as the dictionary lives and is not cleared */
    uint32_t len;
    uint32_t tag; /* high half of its hash */
} cairn__dict_entry;

typedef struct cairn__dict {
    cairn_allocator allocator;
    uint64_t seed;
    cairn__arena text; /* copies of strings */
    uint8_t *slab;     /* where the next small copy goes */
    size_t slab_left;
    cairn__dict_entry *entries;
    size_t count, capacity;
    uint64_t text_bytes; /* of all strings together */
    uint32_t *slots;     /* number + 1; 0 is empty; linear probing */
    size_t slot_count;
} cairn__dict;

/** Empty; allocates nothing. The seed keeps outsiders from aiming at collisions. */
cairn__dict cairn__dict_make(cairn_allocator allocator, uint64_t seed);
void cairn__dict_free(cairn__dict *dict);
/** Forget the strings, keep the memory. */
void cairn__dict_clear(cairn__dict *dict);

/** The number of the string, new (then copied) or known. False: no memory; nothing changed. */
bool cairn__dict_intern(cairn__dict *dict, cairn_span string, uint32_t *number_out);
/** The same without a copy: the string outlives the dictionary. */
bool cairn__dict_borrow(cairn__dict *dict, cairn_span string, uint32_t *number_out);
/** False: not known. */
bool cairn__dict_find(const cairn__dict *dict, cairn_span string, uint32_t *number_out);

static inline cairn_span cairn__dict_string(const cairn__dict *dict, uint32_t number) {
    return (cairn_span){ dict->entries[number].data, dict->entries[number].len };
}

/** Grow an array to hold at least `needed` items of `size` bytes; false: no memory, unchanged.
 * `at` is the address of the array's pointer. */
bool cairn__grow(const cairn_allocator *allocator, void *at, size_t *capacity, size_t needed,
                 size_t size);
/** Give an array made by cairn__grow (or of that many items) back. */
void cairn__release(const cairn_allocator *allocator, void *at, size_t capacity, size_t size);

#endif
