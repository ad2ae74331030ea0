/* pool.c: size classes over a region. A block is a header of 8 bytes with its class, and its bytes;
 * a free block holds the next free one of its class. Blocks are neither split nor joined (only the
 * last one grows and goes): a script that wastes memory so only reaches its own limit sooner. */
#include "script/pool.h"

#include <stdbool.h>
#include <string.h>

#include "base/assert.h"

enum { HEADER_BYTES = 8, BYTES_MIN = 16, STEPS = 4, STEPS_LOG2 = 2 };

/* Class c holds 16 * (1 + (c % 4) / 4) * 2^(c / 4) bytes: waste is below a quarter. */
static size_t class_bytes(uint32_t class_number) {
    size_t step = class_number % STEPS;
    size_t bytes = (((size_t)STEPS + step) * BYTES_MIN / STEPS) << (class_number / STEPS);
    return (bytes + HEADER_BYTES - 1) / HEADER_BYTES * HEADER_BYTES;
}

static uint32_t class_of(size_t bytes) {
    if (bytes <= BYTES_MIN) {
        return 0;
    }
    /* the two bits below the highest one, rounded up */
    unsigned high = (unsigned)(8 * sizeof(unsigned long long)) - 1 -
                    (unsigned)__builtin_clzll((unsigned long long)(bytes - 1));
    size_t step = ((bytes - 1) >> (high - STEPS_LOG2)) + 1 - STEPS;
    return (high - 4) * STEPS + (uint32_t)step; /* 4: log2 of BYTES_MIN */
}

static uint32_t *header_of(void *at) {
    return (uint32_t *)(void *)((uint8_t *)at - HEADER_BYTES);
}

void cairn__script_pool_reset(cairn__script_pool *pool, uint8_t *base, size_t bytes) {
    memset(pool, 0, sizeof *pool);
    pool->base = base;
    pool->bytes = bytes;
    pool->used = HEADER_BYTES; /* so that what follows a header is aligned to 16 at first */
}

/* The engine collects its garbage and asks again; what then fits was no lack of memory. */
static void make_good(cairn__script_pool *pool, size_t bytes) {
    if (bytes >= pool->refused_bytes) {
        pool->refused_bytes = 0;
    }
}

void *cairn__script_pool_alloc(cairn__script_pool *pool, size_t bytes) {
    if (bytes == 0) {
        return NULL;
    }
    uint32_t class_number = bytes > pool->bytes ? CAIRN__SCRIPT_POOL_CLASSES : class_of(bytes);
    if (class_number >= CAIRN__SCRIPT_POOL_CLASSES) {
        pool->refused_bytes = bytes;
        return NULL;
    }
    void *found = pool->free[class_number];
    if (found != NULL) {
        memcpy(&pool->free[class_number], found, sizeof found);
        make_good(pool, bytes);
        return found;
    }
    size_t whole = HEADER_BYTES + class_bytes(class_number);
    if (whole > pool->bytes - pool->used) {
        pool->refused_bytes = bytes;
        return NULL;
    }
    make_good(pool, bytes);
    found = pool->base + pool->used + HEADER_BYTES;
    *header_of(found) = class_number;
    pool->used += whole;
    return found;
}

static bool is_last(const cairn__script_pool *pool, const void *at, uint32_t class_number) {
    return (const uint8_t *)at + class_bytes(class_number) == pool->base + pool->used;
}

void cairn__script_pool_release(cairn__script_pool *pool, void *at) {
    if (at == NULL) {
        return;
    }
    uint32_t class_number = *header_of(at);
    CAIRN_ASSERT(class_number < CAIRN__SCRIPT_POOL_CLASSES);
    if (is_last(pool, at, class_number)) {
        pool->used -= HEADER_BYTES + class_bytes(class_number);
        return;
    }
    memcpy(at, &pool->free[class_number], sizeof(void *));
    pool->free[class_number] = at;
}

/* What grows step by step is often the last block: it need not leave holes behind. */
static bool grow_last(cairn__script_pool *pool, void *at, size_t bytes) {
    size_t begin = (size_t)((uint8_t *)at - pool->base);
    uint32_t class_number = bytes > pool->bytes ? CAIRN__SCRIPT_POOL_CLASSES : class_of(bytes);
    if (class_number >= CAIRN__SCRIPT_POOL_CLASSES ||
        class_bytes(class_number) > pool->bytes - begin) {
        return false;
    }
    *header_of(at) = class_number;
    pool->used = begin + class_bytes(class_number);
    make_good(pool, bytes);
    return true;
}

void *cairn__script_pool_resize(cairn__script_pool *pool, void *at, size_t bytes) {
    if (at == NULL || bytes == 0) {
        cairn__script_pool_release(pool, at);
        return cairn__script_pool_alloc(pool, bytes);
    }
    uint32_t class_number = *header_of(at);
    CAIRN_ASSERT(class_number < CAIRN__SCRIPT_POOL_CLASSES);
    size_t had = class_bytes(class_number);
    if (bytes <= had && class_of(bytes) == class_number) {
        return at;
    }
    if (bytes > had && is_last(pool, at, class_number) && grow_last(pool, at, bytes)) {
        return at;
    }
    void *moved = cairn__script_pool_alloc(pool, bytes);
    if (moved == NULL) {
        return bytes <= had ? at : NULL; /* a smaller one may always stay where it is */
    }
    memcpy(moved, at, bytes < had ? bytes : had);
    cairn__script_pool_release(pool, at);
    return moved;
}
