/* builder.h: the open tail: rows in the order of arrival, until they are sealed into an image.
 * One owner thread. */
#ifndef CAIRN_TRAIL_BUILDER_H
#define CAIRN_TRAIL_BUILDER_H

#include "trail/image_write.h"
#include "trail/schema.h"
#include "trail/trail.h"

typedef struct cairn__builder_row {
    uint32_t node;
    uint32_t name;
    int64_t time_ms;
    uint64_t order;
    uint32_t cell_first, cell_count;
} cairn__builder_row;

typedef struct cairn__builder_cell {
    uint64_t bits;
    uint32_t field;
    uint32_t property;
} cairn__builder_cell;

typedef struct cairn__builder {
    cairn_allocator allocator;
    cairn__schema schema;
    cairn__builder_row *rows;
    size_t row_count, row_capacity;
    cairn__builder_cell *cells;
    size_t cell_count, cell_capacity;
    size_t text_bytes;           /* about, of all strings taken in */
    cairn__image_writer *writer; /* made at first use */
} cairn__builder;

enum { CAIRN__BUILDER_ROWS_MAX = 256 * 1024, CAIRN__BUILDER_TEXT_BYTES_MAX = 64 * 1024 * 1024 };

cairn__builder cairn__builder_make(cairn_allocator allocator, uint64_t seed);
void cairn__builder_free(cairn__builder *builder);

/** So big that it should be sealed before the next row. */
bool cairn__builder_full(const cairn__builder *builder);
/** Take a row in. A property without a value is left out; of two with one name the last counts.
 * @retval CAIRN_NO_MEMORY  No row was added. */
cairn_status cairn__builder_append(cairn__builder *builder, const cairn__trail_row *row);
/** The builder's writer, for other images too while the builder does not seal. NULL: no memory. */
cairn__image_writer *cairn__builder_writer(cairn__builder *builder);
/** The rows as an image; the builder is empty after it.
 * @retval CAIRN_NO_MEMORY  The builder still holds every row. */
cairn_status cairn__builder_seal(cairn__builder *builder, cairn__image **image_out);

#endif
