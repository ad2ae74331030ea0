/* reader_merge.h: persons whose rows lie in several images, or under several nodes, put together.
 * Internal to reader.c. */
#ifndef CAIRN_TRAIL_READER_MERGE_H
#define CAIRN_TRAIL_READER_MERGE_H

#include "trail/reader_stream.h"

/** Neighbouring rows of one set that the batch takes. */
typedef struct cairn__piece {
    const cairn__rowset *set;
    uint32_t first, count;
} cairn__piece;

typedef struct cairn__reader_merge {
    cairn_allocator allocator;
    cairn__source *sources;
    cairn__stream *streams; /* beside sources */
    size_t count;
    const cairn__selection *selection;
    bool moved; /* some node is another person's */
    cairn__side side;
    size_t rows_target;
    cairn__rowset out;
    uint64_t *heads;      /* next person of each stream, and of the side; NO_PERSON at the end */
    cairn__piece *pieces; /* taken, not yet copied */
    size_t piece_count, piece_capacity;
    size_t piece_rows;
    uint32_t *unsorted; /* persons of the batch whose rows are not in order yet */
    size_t unsorted_count, unsorted_capacity;
    cairn__rowset_sorter sorter;
} cairn__reader_merge;

/** After allocator .. rows_target and side's limits are set. @retval CAIRN_NO_MEMORY,
 * CAIRN_STORAGE */
cairn_status cairn__reader_merge_open(cairn__reader_merge *merge, size_t column_count);
void cairn__reader_merge_close(cairn__reader_merge *merge);
/** The next whole persons in merge->out; none at the end. */
cairn_status cairn__reader_merge_next(cairn__reader_merge *merge);

#endif
