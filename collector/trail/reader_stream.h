/* reader_stream.h: persons in ascending order from one image, or from the moved nodes of all of
 * them. Internal to reader.c. */
#ifndef CAIRN_TRAIL_READER_STREAM_H
#define CAIRN_TRAIL_READER_STREAM_H

#include "trail/reader_source.h"

typedef struct cairn__stream {
    cairn__source *source;
    uint32_t block; /* the next one to scan */
    cairn__rowset set;
    size_t at, ready; /* persons [at, ready) of the set are whole and not handed out */
} cairn__stream;

/** Make at least one whole person ready, unless the image is at its end.
 * @param rows_target  Stop scanning at about so many rows. */
cairn_status cairn__stream_fill(cairn__stream *stream, const cairn__selection *selection,
                                size_t rows_target);

/** Has the stream given all it had? */
static inline bool cairn__stream_ended(const cairn__stream *stream) {
    return stream->at == stream->ready && stream->block == stream->source->image->block_count &&
           stream->ready == stream->set.person_count;
}

/** Rows of moved nodes (of another person than the node itself): collected from all images at
 * once, for as many persons as the budget holds, and then handed out by person. */
typedef struct cairn__side {
    cairn_allocator allocator;
    cairn__rowset set;   /* in the order of images and nodes */
    uint64_t *by_person; /* person << CAIRN__SIDE_SHIFT | number in set.persons */
    size_t capacity, count, at;
    uint32_t window_end; /* all persons below it are collected */
    size_t rows_max;
    bool started;
} cairn__side;

enum { CAIRN__SIDE_SHIFT = 32 };

/** Have all persons of the selection been collected? */
static inline bool cairn__side_ended(const cairn__side *side, const cairn__selection *selection) {
    return side->started && side->window_end == selection->end;
}

/** Collect persons from side->window_end on. selection: of the whole query, moved = true. */
cairn_status cairn__side_collect(cairn__side *side, cairn__source *sources, size_t count,
                                 const cairn__selection *selection);
void cairn__side_free(cairn__side *side);

/** Keep only rows of persons below `person`, in their order. */
void cairn__rowset_keep_below(cairn__rowset *set, uint32_t person);

#endif
