/* reader_stream.c: blocks in, whole persons out. */
#include "trail/reader_stream.h"

#include "base/assert.h"

enum { RADIX_BITS = 11, RADIX_SIZE = 1 << RADIX_BITS };

static bool overlaps_time(const cairn__image_block *block, const cairn__selection *selection) {
    return block->time_max >= selection->from_ms && block->time_min < selection->to_ms;
}

static bool is_beyond(const cairn__selection *selection, uint32_t person) {
    return selection->end != UINT32_MAX && person >= selection->end;
}

/* The last person goes on in the next block when that begins with the same node. */
static size_t whole_persons(const cairn__stream *stream) {
    const cairn__rowset *set = &stream->set;
    const cairn__image *image = stream->source->image;
    if (set->person_count == 0 || stream->block == image->block_count) {
        return set->person_count;
    }
    uint32_t next = cairn__image_block_at(image, stream->block).node_min;
    return set->persons[set->person_count - 1] >= next ? set->person_count - 1 : set->person_count;
}

cairn_status cairn__stream_fill(cairn__stream *stream, const cairn__selection *selection,
                                size_t rows_target) {
    cairn__image *image = stream->source->image;
    if (stream->at < stream->ready) {
        return CAIRN_OK;
    }
    cairn__rowset_shift(&stream->set, stream->at);
    stream->at = stream->ready = 0;
    if (stream->block == 0 && selection->first != 0) {
        stream->block = cairn__image_find(image, selection->first);
    }
    while (stream->block < image->block_count &&
           (stream->ready == 0 || stream->set.rows < rows_target)) {
        cairn__image_block block = cairn__image_block_at(image, stream->block);
        if (is_beyond(selection, block.node_min)) {
            stream->block = image->block_count;
            break;
        }
        cairn_status status = CAIRN_OK;
        if (overlaps_time(&block, selection)) {
            status = cairn__source_scan(stream->source, stream->block, selection, &stream->set);
        }
        if (status != CAIRN_OK) {
            return status;
        }
        stream->block++;
        stream->ready = whole_persons(stream);
    }
    stream->ready = whole_persons(stream);
    cairn__rowset_seal(&stream->set);
    return CAIRN_OK;
}

static bool has_moved(const cairn__selection *selection, const cairn__image_block *block) {
    uint64_t end = (uint64_t)block->node_max + 1;
    end = end < selection->node_count ? end : selection->node_count;
    for (uint64_t node = block->node_min; node < end; node++) {
        if (selection->person_of[node] != node) {
            return true;
        }
    }
    return false;
}

void cairn__rowset_keep_below(cairn__rowset *set, uint32_t person) {
    size_t rows = set->rows, persons = set->person_count;
    cairn__rowset_seal(set);
    set->rows = set->person_count = 0;
    for (size_t i = 0; i < persons; i++) {
        size_t first = set->starts[i], count = set->starts[i + 1] - first, at = set->rows;
        if (set->persons[i] >= person) {
            continue;
        }
        memmove(set->time_ms + at, set->time_ms + first, count * sizeof *set->time_ms);
        memmove(set->order + at, set->order + first, count * sizeof *set->order);
        memmove(set->name + at, set->name + first, count * sizeof *set->name);
        for (size_t c = 0; c < set->column_count; c++) {
            memmove(set->kind[c] + at, set->kind[c] + first, count);
            memmove(set->bits[c] + at, set->bits[c] + first, count * sizeof *set->bits[c]);
        }
        set->persons[set->person_count] = set->persons[i];
        set->starts[set->person_count++] = (uint32_t)at;
        set->rows += count;
    }
    CAIRN_ASSERT(set->rows <= rows);
}

/* Too many rows for the budget: leave the upper half of the persons to a later round. */
static void narrow(cairn__side *side, cairn__selection *window) {
    cairn__rowset *set = &side->set;
    uint32_t low = UINT32_MAX, high = 0;
    for (size_t i = 0; i < set->person_count; i++) {
        low = set->persons[i] < low ? set->persons[i] : low;
        high = set->persons[i] > high ? set->persons[i] : high;
    }
    if (low < high) { /* one person alone must fit, or the allocator says no */
        window->end = low + (high - low) / 2 + 1;
        cairn__rowset_keep_below(set, window->end);
    }
}

static cairn_status collect_image(cairn__side *side, cairn__source *source,
                                  cairn__selection *window) {
    const cairn__image *image = source->image;
    for (uint32_t i = 0; i < image->block_count; i++) {
        cairn__image_block block = cairn__image_block_at(image, i);
        if (!overlaps_time(&block, window) || !has_moved(window, &block)) {
            continue;
        }
        cairn_status status = cairn__source_scan(source, i, window, &side->set);
        if (status != CAIRN_OK) {
            return status;
        }
        if (side->set.rows > side->rows_max) {
            narrow(side, window);
        }
    }
    return CAIRN_OK;
}

static void radix_pass(const uint64_t *from, uint64_t *to, size_t count, unsigned shift) {
    uint32_t starts[RADIX_SIZE] = { 0 }, sum = 0;
    for (size_t i = 0; i < count; i++) {
        starts[(from[i] >> shift) & (RADIX_SIZE - 1)]++;
    }
    for (size_t i = 0; i < RADIX_SIZE; i++) {
        uint32_t here = starts[i];
        starts[i] = sum;
        sum += here;
    }
    for (size_t i = 0; i < count; i++) {
        to[starts[(from[i] >> shift) & (RADIX_SIZE - 1)]++] = from[i];
    }
}

/* by_person[0 .. count) by person; numbers keep their order. */
static bool sort_persons(cairn__side *side) {
    size_t count = side->set.person_count;
    if (!cairn__grow(&side->allocator, &side->by_person, &side->capacity, count * 2 + 1,
                     sizeof *side->by_person)) {
        return false;
    }
    uint64_t *from = side->by_person, *to = side->by_person + count;
    for (size_t i = 0; i < count; i++) {
        from[i] = (uint64_t)side->set.persons[i] << CAIRN__SIDE_SHIFT | i;
    }
    for (unsigned shift = CAIRN__SIDE_SHIFT; shift < 64; shift += RADIX_BITS) {
        radix_pass(from, to, count, shift);
        uint64_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != side->by_person) {
        memcpy(side->by_person, from, count * sizeof *from);
    }
    side->count = count;
    side->at = 0;
    return true;
}

cairn_status cairn__side_collect(cairn__side *side, cairn__source *sources, size_t count,
                                 const cairn__selection *selection) {
    cairn__selection window = *selection;
    window.first = side->window_end > selection->first ? side->window_end : selection->first;
    cairn__rowset_clear(&side->set);
    for (size_t i = 0; i < count; i++) {
        cairn_status status = collect_image(side, &sources[i], &window);
        if (status != CAIRN_OK) {
            return status;
        }
    }
    side->window_end = window.end;
    side->started = true;
    cairn__rowset_seal(&side->set);
    return sort_persons(side) ? CAIRN_OK : CAIRN_NO_MEMORY;
}

void cairn__side_free(cairn__side *side) {
    cairn__rowset_free(&side->set);
    cairn__release(&side->allocator, side->by_person, side->capacity, sizeof *side->by_person);
}
