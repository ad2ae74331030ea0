/* merge_source.h: one image under a merge: its block at hand, decoded, and how its codes are called
 * in the image being made. Internal to merge.c. */
#ifndef CAIRN_TRAIL_MERGE_SOURCE_H
#define CAIRN_TRAIL_MERGE_SOURCE_H

#include "trail/image_write.h"

typedef struct cairn__merge_field {
    uint32_t field;  /* in the new image */
    uint32_t *codes; /* string here -> string there; NULL when the values are no codes */
    uint32_t code_count;
} cairn__merge_field;

typedef struct cairn__merge_source {
    cairn_allocator allocator;
    cairn__image *image; /* borrowed */
    uint32_t number;     /* among the sources, from 1 */
    uint32_t *names;     /* name here -> name there */
    size_t name_count;
    cairn__merge_field *fields;
    size_t field_count;
    uint32_t block; /* the next one to decode */
    cairn__image_view view;
    uint32_t row, row_count; /* the next row of the block; 0 rows: the image is at its end */
    uint32_t moved;          /* rows whose cells have gone over */
    size_t capacity;         /* of the arrays below, in rows */
    uint32_t *node;
    int64_t *time_ms;
    uint64_t *order;
    uint32_t *name;
    uint16_t *place;  /* row -> row of the block being made */
    uint32_t *resume; /* per chunk: the first value that has not gone over */
    size_t resume_capacity;
} cairn__merge_source;

/** Learn the names and fields of source->image into the schema and decode its first block.
 * @param source  Zero but for allocator, image and number. After a failure too, close it. */
cairn_status cairn__merge_source_open(cairn__merge_source *source, cairn__schema *schema);
/** Decode the next block; row_count 0 at the end. */
cairn_status cairn__merge_source_next(cairn__merge_source *source);
/** Move the cells of rows [moved, row) to the block that the writer is filling. */
cairn_status cairn__merge_source_move(cairn__merge_source *source, cairn__image_writer *writer);
void cairn__merge_source_close(cairn__merge_source *source);

#endif
