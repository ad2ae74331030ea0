/* pool.h: the memory of one script heap: one region, given out in size classes. Allocation and
 * release take constant time whatever a script does; nothing outside the region is ever touched, so
 * a copy of its used part is a copy of the whole heap. */
#ifndef CAIRN_SCRIPT_POOL_H
#define CAIRN_SCRIPT_POOL_H

#include <stddef.h>
#include <stdint.h>

enum { CAIRN__SCRIPT_POOL_CLASSES = 80 /* four per doubling, 16 bytes to 16 MiB */ };

typedef struct cairn__script_pool {
    uint8_t *base; /* 16-aligned, never moves */
    size_t bytes;  /* of the region */
    size_t used;   /* everything ever given out lies below */
    size_t
        refused_bytes; /* the last request that did not fit and was not made good since; 0: none */
    void *free[CAIRN__SCRIPT_POOL_CLASSES];
} cairn__script_pool;

/** The region becomes empty. */
void cairn__script_pool_reset(cairn__script_pool *pool, uint8_t *base, size_t bytes);

/** `bytes` bytes aligned to 8, not cleared; NULL when there is no room, or for 0 bytes. */
void *cairn__script_pool_alloc(cairn__script_pool *pool, size_t bytes);

/** As realloc: NULL at allocates, 0 bytes frees; on failure the old block stays. */
void *cairn__script_pool_resize(cairn__script_pool *pool, void *at, size_t bytes);

void cairn__script_pool_release(cairn__script_pool *pool, void *at);

#endif
