/* cairn_memory.h: where the library gets its memory from. */
#ifndef CAIRN_MEMORY_H
#define CAIRN_MEMORY_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** realloc in one function: bytes 0 frees (and returns NULL); at NULL allocates. */
typedef struct cairn_allocator {
    void *(*resize)(void *self, void *at, size_t old_bytes, size_t new_bytes);
    void *self;
} cairn_allocator;

#ifdef __cplusplus
}
#endif

#endif
