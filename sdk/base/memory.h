/* memory.h: where bytes come from. Two tools, chosen by lifetime, not by object:
 *   arena   many small things that die together (a batch, a request, a query)
 *   buffer  one run of bytes that grows
 * Both take an allocator, so that tests can fail the n-th allocation. One owner thread each. */
#ifndef CAIRN_BASE_MEMORY_H
#define CAIRN_BASE_MEMORY_H

#include "base/inline.h"
#include "cairn/cairn_memory.h"
#include "cairn/cairn_types.h"

/** The process's own malloc. */
cairn_allocator cairn__heap(void);

/** An arena: blocks of memory, freed together. Zero value + an allocator is empty and ready. */
typedef struct cairn__arena_block cairn__arena_block;
typedef struct cairn__arena {
    cairn_allocator allocator;
    cairn__arena_block *newest;
    size_t bytes;     /**< Held from the allocator. */
    size_t bytes_max; /**< Named by the owner; 0 means no allocation is ever granted. */
} cairn__arena;

/** An empty arena that will hold at most bytes_max bytes. Allocates nothing yet. */
cairn__arena cairn__arena_make(cairn_allocator allocator, size_t bytes_max);

/** `bytes` bytes aligned to 16, not cleared; NULL when the limit or the allocator says no. */
void *cairn__arena_alloc(cairn__arena *arena, size_t bytes);

/** As alloc, cleared, for `count` things of `size` bytes; NULL also on overflow. */
void *cairn__arena_alloc_zero(cairn__arena *arena, size_t count, size_t size);

/** A copy of the span's bytes in the arena; false when there is no room. */
bool cairn__arena_copy(cairn__arena *arena, cairn_span from, cairn_span *copy_out);

/** Forget everything but keep one block for the next round. */
void cairn__arena_reset(cairn__arena *arena);

/** Give everything back. The arena is empty and usable again. */
void cairn__arena_free(cairn__arena *arena);

/** A growing run of bytes. Zero value + allocator + bytes_max is empty and ready.
 * A failed write sets `failed` and later writes do nothing: check once, at the end. */
typedef struct cairn__buffer {
    cairn_allocator allocator;
    uint8_t *data;
    size_t len;
    size_t capacity;
    size_t bytes_max;
    bool failed;
} cairn__buffer;

cairn__buffer cairn__buffer_make(cairn_allocator allocator, size_t bytes_max);

/** Room for `bytes` more at the end, len advanced past it; NULL (and failed) when refused. */
uint8_t *cairn__buffer_extend(cairn__buffer *buffer, size_t bytes);

void cairn__buffer_append(cairn__buffer *buffer, cairn_span bytes);
void cairn__buffer_byte(cairn__buffer *buffer, uint8_t byte);
void cairn__buffer_u32(cairn__buffer *buffer, uint32_t value);
void cairn__buffer_u64(cairn__buffer *buffer, uint64_t value);

/** Append printf-formatted text. */
void cairn__buffer_format(cairn__buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** len = 0 and failed = false; the memory is kept. */
void cairn__buffer_clear(cairn__buffer *buffer);
void cairn__buffer_free(cairn__buffer *buffer);

CAIRN__INLINE cairn_span cairn__buffer_span(const cairn__buffer *buffer) {
    return (cairn_span){ buffer->data, buffer->len };
}

#endif
