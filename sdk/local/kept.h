/* kept.h: a value that somebody keeps: its texts in one block of its own. Also values and events to
 * and from bytes, by the way of model/event.h. One owner thread. */
#ifndef CAIRN_LOCAL_KEPT_H
#define CAIRN_LOCAL_KEPT_H

#include "base/varint.h"
#include "cairn/cairn_types.h"

/** Zeroed is empty: null. */
typedef struct cairn__kept {
    cairn_value value;
    uint8_t *block; /* the texts' bytes, and the items before them */
    uint32_t bytes; /* of the block */
} cairn__kept;

/** Replace by a copy; a block that is large enough is used again.
 * False: no memory, and what is kept is null. */
bool cairn__kept_set(cairn__kept *kept, cairn_allocator allocator, cairn_value value);
void cairn__kept_free(cairn__kept *kept, cairn_allocator allocator);

/** Append a value to bytes: u8 kind, then 8 bytes, or u32 length and bytes (of a list: u32 items,
 * and each so). A kind outside cairn_value_kind is written without anything behind it. */
void cairn__kept_write(cairn_value value, cairn__buffer *to);

/** Read what was written; texts are borrowed, items of lists are in the arena. False: damaged, or
 * no memory. */
bool cairn__kept_read(cairn__cursor *from, cairn__arena *arena, cairn_value *value_out);

/** Fixed numbers from bytes; false at the end. */
bool cairn__kept_u32(cairn__cursor *from, uint32_t *value_out);
bool cairn__kept_u64(cairn__cursor *from, uint64_t *value_out);
bool cairn__kept_i64(cairn__cursor *from, int64_t *value_out);
/** u32 length and so many bytes, borrowed. */
bool cairn__kept_span(cairn__cursor *from, cairn_span *bytes_out);
void cairn__kept_write_span(cairn_span bytes, cairn__buffer *to);

/** A list that grows: room for one more of `item_bytes`; false: no memory. */
bool cairn__kept_reserve(cairn_allocator allocator, void **list, size_t item_bytes, size_t count,
                         size_t *capacity);

#endif
