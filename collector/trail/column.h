/* column.h: turns the rows of a block into its chunks. Internal to image_write.c. */
#ifndef CAIRN_TRAIL_COLUMN_H
#define CAIRN_TRAIL_COLUMN_H

#include "trail/image_write.h"

/** The entry of one chunk. */
typedef struct cairn__column {
    uint32_t field;
    uint32_t offset, bytes, crc; /* offset: in the block's payload */
    uint64_t base;
    uint32_t count;
    uint8_t bits, presence, scale, presence_bits;
} cairn__column;

/** Memory kept from block to block, and what the last encode found. */
typedef struct cairn__column_scratch {
    cairn_allocator allocator;
    cairn__column *columns;
    size_t column_count, column_capacity;
    uint32_t names[CAIRN__BLOCK_ROWS]; /* of the block, in the order of first sight */
    size_t name_count;
    uint32_t *local; /* image's name -> number in names + 1 */
    size_t local_capacity;
    uint32_t *starts; /* per field: where its cells begin */
    size_t start_capacity;
    cairn__cell *sorted;
    size_t sorted_capacity;
    uint64_t values[CAIRN__BLOCK_ROWS];
    uint64_t rows[CAIRN__BLOCK_ROWS];
} cairn__column_scratch;

/** Append the chunks' bytes to payload. False: no memory. */
bool cairn__columns_encode(cairn__column_scratch *scratch, const cairn__schema *schema,
                           const cairn__block_rows *rows, cairn__buffer *payload);
void cairn__column_scratch_free(cairn__column_scratch *scratch);

#endif
