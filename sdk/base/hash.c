/* hash.c: multiply-and-fold hashing (the idea of wyhash, Wang Yi, public domain) and the index. */
#include "base/hash.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/bytes.h"

#define HASH_K0 UINT64_C(0x9E3779B97F4A7C15)
#define HASH_K1 UINT64_C(0xD6E8FEB86659FD93)

enum { INDEX_CAPACITY_MIN = 16 };

static uint64_t fold(uint64_t a, uint64_t b) {
#if defined(__SIZEOF_INT128__) && !defined(__EMSCRIPTEN__)
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    return cairn__mix(a ^ (b * HASH_K1)) + b;
#endif
}

uint64_t cairn__hash(cairn_span bytes, uint64_t seed) {
    const uint8_t *at = bytes.data;
    size_t left = bytes.len;
    uint64_t state = seed ^ HASH_K0;
    for (; left > 16; left -= 16, at += 16) {
        state = fold(cairn__load_u64(at) ^ HASH_K1, cairn__load_u64(at + 8) ^ state);
    }
    uint8_t tail[16] = { 0 };
    if (left != 0) {
        memcpy(tail, at, left);
    }
    uint64_t low = cairn__load_u64(tail) ^ HASH_K1;
    uint64_t high = cairn__load_u64(tail + 8) ^ state;
    return cairn__mix(fold(low, high) ^ (uint64_t)bytes.len * HASH_K0);
}

bool cairn__index_find(const cairn__index *index, uint64_t hash, cairn__index_match match,
                       const void *context, uint32_t *value_out) {
    if (index->capacity == 0) {
        return false;
    }
    size_t mask = index->capacity - 1;
    uint32_t tag = (uint32_t)(hash >> 32);
    for (size_t i = hash & mask; index->entries[i].value != 0; i = (i + 1) & mask) {
        const cairn__index_entry *entry = &index->entries[i];
        if (entry->tag == tag && match(context, entry->value - 1)) {
            *value_out = entry->value - 1;
            return true;
        }
    }
    return false;
}

static void place(cairn__index *index, uint64_t hash, uint32_t value) {
    size_t mask = index->capacity - 1;
    size_t i = hash & mask;
    while (index->entries[i].value != 0) {
        i = (i + 1) & mask;
    }
    index->entries[i] = (cairn__index_entry){ (uint32_t)(hash >> 32), value + 1 };
}

static bool grow(cairn__index *index, cairn__index_rehash rehash, const void *context) {
    cairn__index old = *index;
    size_t capacity = old.capacity == 0 ? INDEX_CAPACITY_MIN : old.capacity * 2;
    cairn__index_entry *entries = calloc(capacity, sizeof *entries);
    if (entries == NULL) {
        return false;
    }
    index->entries = entries;
    index->capacity = capacity;
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.entries[i].value != 0) {
            uint32_t value = old.entries[i].value - 1;
            place(index, rehash(context, value), value);
        }
    }
    free(old.entries);
    return true;
}

bool cairn__index_insert(cairn__index *index, uint64_t hash, uint32_t value,
                         cairn__index_rehash rehash, const void *context) {
    CAIRN_ASSERT(value != UINT32_MAX);
    if ((index->count + 1) * 4 > index->capacity * 3 && !grow(index, rehash, context)) {
        return false;
    }
    place(index, hash, value);
    index->count++;
    return true;
}

void cairn__index_clear(cairn__index *index) {
    if (index->capacity != 0) {
        memset(index->entries, 0, index->capacity * sizeof *index->entries);
    }
    index->count = 0;
}

void cairn__index_free(cairn__index *index) {
    free(index->entries);
    *index = (cairn__index){ 0 };
}
