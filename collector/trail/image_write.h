/* image_write.h: writes an image front to back into a sink, block by block. The caller brings rows
 * in (node, time, order), at most CAIRN__BLOCK_ROWS at a time. One owner thread. */
#ifndef CAIRN_TRAIL_IMAGE_WRITE_H
#define CAIRN_TRAIL_IMAGE_WRITE_H

#include "trail/image.h"
#include "trail/schema.h"

/** One property of one row. */
typedef struct cairn__cell {
    uint32_t field;
    uint32_t row; /* in the block */
    uint64_t bits;
} cairn__cell;

/** The rows of a block to be. */
typedef struct cairn__block_rows {
    size_t count;
    uint32_t node[CAIRN__BLOCK_ROWS];
    int64_t time_ms[CAIRN__BLOCK_ROWS];
    uint64_t order[CAIRN__BLOCK_ROWS];
    uint32_t name[CAIRN__BLOCK_ROWS];
    cairn__cell *cells; /* any order; at most one per row and field */
    size_t cell_count, cell_capacity;
} cairn__block_rows;

/** Where the bytes go, in order. False: refused; nothing more is written. */
typedef struct cairn__image_sink {
    bool (*write)(void *self, cairn_span bytes);
    void *self;
} cairn__image_sink;

typedef struct cairn__image_writer cairn__image_writer;

/** A writer for any number of images, one after the other; its memory is kept. NULL: no memory. */
cairn__image_writer *cairn__image_writer_make(cairn_allocator allocator);
/** Begin an image; one that was not finished is forgotten. The schema is borrowed and may grow
 * until finish. */
void cairn__image_writer_begin(cairn__image_writer *writer, const cairn__schema *schema,
                               cairn__image_sink sink);
/** The block to fill; empty after begin and after each put. */
cairn__block_rows *cairn__image_writer_rows(cairn__image_writer *writer);
/** Room for `count` more cells; NULL: no memory. Advance rows->cell_count by what was written. */
cairn__cell *cairn__image_writer_cells(cairn__image_writer *writer, size_t count);
/** Encode the rows as a block and empty them; no rows: nothing.
 * @retval CAIRN_NO_MEMORY, CAIRN_STORAGE (the sink said no)  The image is lost. */
cairn_status cairn__image_writer_put(cairn__image_writer *writer);
/** Put what is left, then dictionaries, directory, trailer. Once. */
cairn_status cairn__image_writer_finish(cairn__image_writer *writer);
void cairn__image_writer_free(cairn__image_writer *writer);

/** A sink into a buffer. */
cairn__image_sink cairn__image_sink_buffer(cairn__buffer *buffer);

#endif
