/* memory.c: arena and buffer. Blocks double up to 1 MiB so that a big batch costs few calls. */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"

enum {
    ARENA_ALIGN_BYTES = 16,
    ARENA_BLOCK_BYTES_MIN = 4096,
    ARENA_BLOCK_BYTES_MAX = 1 << 20,
    BUFFER_BYTES_MIN = 256
};

/* emscripten's realloc is half as large as the rest of its heap, and seldom finds room in place. */
#ifdef __EMSCRIPTEN__
enum { IN_PLACE = 0 };
#else
enum { IN_PLACE = 1 };
#endif

struct cairn__arena_block {
    cairn__arena_block *older;
    size_t capacity; /* of the bytes after this header */
    size_t used;
    size_t pad;
};

_Static_assert(sizeof(cairn__arena_block) % ARENA_ALIGN_BYTES == 0, "block data must stay aligned");

static void *heap_resize(void *self, void *at, size_t old_bytes, size_t new_bytes) {
    (void)self;
    if (new_bytes == 0) {
        free(at);
        return NULL;
    }
    if (!IN_PLACE) {
        void *fresh = malloc(new_bytes);
        if (fresh != NULL && at != NULL) {
            memcpy(fresh, at, old_bytes < new_bytes ? old_bytes : new_bytes);
            free(at);
        }
        return fresh;
    }
    return realloc(at, new_bytes);
}

cairn_allocator cairn__heap(void) {
    return (cairn_allocator){ .resize = heap_resize, .self = NULL };
}

cairn__arena cairn__arena_make(cairn_allocator allocator, size_t bytes_max) {
    return (cairn__arena){ .allocator = allocator, .bytes_max = bytes_max };
}

static bool add_block(cairn__arena *arena, size_t bytes) {
    size_t capacity = arena->newest == NULL ? ARENA_BLOCK_BYTES_MIN : arena->newest->capacity * 2;
    if (capacity > ARENA_BLOCK_BYTES_MAX) {
        capacity = ARENA_BLOCK_BYTES_MAX;
    }
    if (capacity < bytes) {
        capacity = bytes;
    }
    size_t total = sizeof(cairn__arena_block) + capacity;
    size_t left = arena->bytes_max - arena->bytes;
    if (total > left) {
        total = sizeof(cairn__arena_block) + bytes; /* the last block takes just what is asked */
        if (total > left) {
            return false;
        }
    }
    cairn__arena_block *block = arena->allocator.resize(arena->allocator.self, NULL, 0, total);
    if (block == NULL) {
        return false;
    }
    *block = (cairn__arena_block){ .older = arena->newest,
                                   .capacity = total - sizeof(cairn__arena_block) };
    arena->newest = block;
    arena->bytes += total;
    return true;
}

void *cairn__arena_alloc(cairn__arena *arena, size_t bytes) {
    if (bytes > SIZE_MAX / 2) {
        return NULL;
    }
    size_t rounded = (bytes + ARENA_ALIGN_BYTES - 1) & ~(size_t)(ARENA_ALIGN_BYTES - 1);
    cairn__arena_block *block = arena->newest;
    if (block == NULL || block->capacity - block->used < rounded) {
        if (!add_block(arena, rounded)) {
            return NULL;
        }
        block = arena->newest;
    }
    uint8_t *at = (uint8_t *)(block + 1) + block->used;
    block->used += rounded;
    return at;
}

void *cairn__arena_alloc_zero(cairn__arena *arena, size_t count, size_t size) {
    if (size != 0 && count > SIZE_MAX / 2 / size) {
        return NULL;
    }
    void *at = cairn__arena_alloc(arena, count * size);
    if (at != NULL) {
        memset(at, 0, count * size);
    }
    return at;
}

bool cairn__arena_copy(cairn__arena *arena, cairn_span from, cairn_span *copy_out) {
    uint8_t *at = cairn__arena_alloc(arena, from.len);
    if (at == NULL) {
        return false;
    }
    if (from.len != 0) {
        memcpy(at, from.data, from.len);
    }
    *copy_out = cairn__span(at, from.len);
    return true;
}

static void free_block(cairn__arena *arena, cairn__arena_block *block) {
    size_t total = sizeof *block + block->capacity;
    arena->bytes -= total;
    arena->allocator.resize(arena->allocator.self, block, total, 0);
}

void cairn__arena_reset(cairn__arena *arena) {
    cairn__arena_block *keep = arena->newest;
    if (keep == NULL) {
        return;
    }
    while (keep->older != NULL) {
        cairn__arena_block *older = keep->older;
        keep->older = older->older;
        free_block(arena, older);
    }
    keep->used = 0;
}

void cairn__arena_free(cairn__arena *arena) {
    while (arena->newest != NULL) {
        cairn__arena_block *block = arena->newest;
        arena->newest = block->older;
        free_block(arena, block);
    }
    CAIRN_ASSERT(arena->bytes == 0);
}

cairn__buffer cairn__buffer_make(cairn_allocator allocator, size_t bytes_max) {
    return (cairn__buffer){ .allocator = allocator, .bytes_max = bytes_max };
}

static bool grow(cairn__buffer *buffer, size_t needed) {
    size_t capacity = buffer->capacity < BUFFER_BYTES_MIN ? BUFFER_BYTES_MIN : buffer->capacity;
    while (capacity < needed) {
        capacity *= 2;
    }
    if (capacity > buffer->bytes_max) {
        capacity = buffer->bytes_max;
    }
    uint8_t *data =
        buffer->allocator.resize(buffer->allocator.self, buffer->data, buffer->capacity, capacity);
    if (data == NULL) {
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

uint8_t *cairn__buffer_extend(cairn__buffer *buffer, size_t bytes) {
    if (buffer->failed || bytes > buffer->bytes_max - buffer->len) {
        buffer->failed = true;
        return NULL;
    }
    size_t needed = buffer->len + bytes;
    if ((needed > buffer->capacity || buffer->data == NULL) && !grow(buffer, needed)) {
        buffer->failed = true;
        return NULL;
    }
    uint8_t *at = buffer->data + buffer->len;
    buffer->len = needed;
    return at;
}

void cairn__buffer_append(cairn__buffer *buffer, cairn_span bytes) {
    if (bytes.len == 0) {
        return;
    }
    uint8_t *at = cairn__buffer_extend(buffer, bytes.len);
    if (at != NULL) {
        memcpy(at, bytes.data, bytes.len);
    }
}

void cairn__buffer_byte(cairn__buffer *buffer, uint8_t byte) {
    uint8_t *at = cairn__buffer_extend(buffer, 1);
    if (at != NULL) {
        *at = byte;
    }
}

void cairn__buffer_u32(cairn__buffer *buffer, uint32_t value) {
    uint8_t *at = cairn__buffer_extend(buffer, sizeof value);
    if (at != NULL) {
        cairn__store_u32(at, value);
    }
}

void cairn__buffer_u64(cairn__buffer *buffer, uint64_t value) {
    uint8_t *at = cairn__buffer_extend(buffer, sizeof value);
    if (at != NULL) {
        cairn__store_u64(at, value);
    }
}

void cairn__buffer_clear(cairn__buffer *buffer) {
    buffer->len = 0;
    buffer->failed = false;
}

void cairn__buffer_free(cairn__buffer *buffer) {
    if (buffer->data != NULL) {
        buffer->allocator.resize(buffer->allocator.self, buffer->data, buffer->capacity, 0);
    }
    *buffer = cairn__buffer_make(buffer->allocator, buffer->bytes_max);
}
