/* reader_source.h: one image as one reader sees it: which names and fields it wants, and how codes
 * here are called in the reader. Internal to reader.c and its siblings. */
#ifndef CAIRN_TRAIL_READER_SOURCE_H
#define CAIRN_TRAIL_READER_SOURCE_H

#include "trail/decode.h"
#include "trail/dict.h"
#include "trail/pick.h"
#include "trail/reader.h"
#include "trail/rowset.h"

/** Strings of all sources under one number each. */
typedef struct cairn__reader_strings {
    cairn__dict texts;
    cairn__dict lists;          /* encoded */
    cairn_string_list *decoded; /* beside lists */
    size_t decoded_capacity;
    cairn__arena items;
} cairn__reader_strings;

/** Which rows to take. */
typedef struct cairn__selection {
    int64_t from_ms, to_ms;
    const uint32_t *person_of; /* NULL: every node its own */
    size_t node_count;
    bool without_order;  /* rows of the set get no order */
    bool moved;          /* rows of nodes of other persons; else of nodes that are persons */
    uint32_t first, end; /* persons; end UINT32_MAX: no end */
} cairn__selection;

/** Memory of one scan, shared by the sources of a reader. */
typedef struct cairn__scan_scratch {
    cairn__pick pick;
    uint8_t wanted[CAIRN__BLOCK_ROWS]; /* per name of the block */
    uint16_t code[CAIRN__BLOCK_ROWS];  /* per name of the block: the reader's code */
    cairn__pick present;               /* rows that have a value of the field at hand */
    uint16_t place[CAIRN__BLOCK_ROWS]; /* number of such a row among the chosen ones */
    uint16_t value[CAIRN__BLOCK_ROWS]; /* and of its value */
    uint64_t bits[CAIRN__BLOCK_ROWS];
} cairn__scan_scratch;

typedef struct cairn__source_field {
    uint32_t column; /* of the reader + 1; 0: not wanted */
    cairn_value_kind kind;
    cairn__image_dict dict;
    uint32_t *codes; /* string here -> number in the reader + 1; 0: not met yet */
} cairn__source_field;

typedef struct cairn__source {
    cairn_allocator allocator;
    cairn__image *image;
    cairn__reader_strings *strings;
    cairn__scan_scratch *scratch;
    uint32_t *names; /* name here -> the reader's code + 1; 0: not wanted */
    size_t name_count;
    cairn__source_field *fields;
    size_t field_count;
    uint64_t rows_read;
} cairn__source;

/** Learn the image. `code_of` gives the reader's code + 1 of a name, 0 if it is not wanted; false:
 * no memory. After a failure too, close it.
 * @param source  Zero but for allocator, image, strings, scratch. */
typedef bool (*cairn__code_of)(void *self, cairn_span name, uint32_t *code_out);
cairn_status cairn__source_open(cairn__source *source, const cairn__reader_options *options,
                                cairn__code_of code_of, void *self);
void cairn__source_close(cairn__source *source);

/** Append the chosen rows of a block, with their persons in the order of nodes. */
cairn_status cairn__source_scan(cairn__source *source, uint32_t block,
                                const cairn__selection *selection, cairn__rowset *set);

/** The values of all wanted fields for the rows in scratch->pick, into rows of the set from
 * set->rows on. reader_gather.c. */
cairn_status cairn__source_gather(cairn__source *source, const cairn__image_view *view,
                                  cairn__rowset *set);

static inline uint32_t cairn__person_of(const cairn__selection *selection, uint32_t node) {
    return selection->person_of != NULL && node < selection->node_count ? selection->person_of[node]
                                                                        : node;
}

#endif
