/* merge.c: the k-way merge. The sources stand in a heap by the key of their next row; the one on
 * top gives rows as long as they are before the next best. Columns go over not row by row but run
 * by run: when a source leaves a block, or the block being made is full, the cells of the rows
 * that went over are moved, field by field (merge_source.c). */
#include "trail/merge.h"

#include "base/hash.h"
#include "trail/merge_source.h"

typedef struct merger {
    cairn_allocator allocator;
    cairn__schema schema;
    cairn__image_writer *writer;
    cairn__merge_source *sources;
    size_t source_count;
    uint32_t heap[CAIRN__MERGE_IMAGES_MAX];
    size_t heap_count;
} merger;

static bool is_before(const cairn__merge_source *a, const cairn__merge_source *b) {
    uint32_t i = a->row, j = b->row;
    if (a->node[i] != b->node[j]) {
        return a->node[i] < b->node[j];
    }
    if (a->time_ms[i] != b->time_ms[j]) {
        return a->time_ms[i] < b->time_ms[j];
    }
    return a->order[i] < b->order[j];
}

static bool heap_before(const merger *m, size_t i, size_t j) {
    return is_before(&m->sources[m->heap[i]], &m->sources[m->heap[j]]);
}

static void sink_down(merger *m, size_t at) {
    for (;;) {
        size_t least = at, left = at * 2 + 1;
        if (left < m->heap_count && heap_before(m, left, least)) {
            least = left;
        }
        if (left + 1 < m->heap_count && heap_before(m, left + 1, least)) {
            least = left + 1;
        }
        if (least == at) {
            return;
        }
        uint32_t swap = m->heap[at];
        m->heap[at] = m->heap[least];
        m->heap[least] = swap;
        at = least;
    }
}

/* The source that comes after the one on top; NULL: it is alone. */
static const cairn__merge_source *second(const merger *m) {
    if (m->heap_count < 2) {
        return NULL;
    }
    size_t least = m->heap_count > 2 && heap_before(m, 2, 1) ? 2 : 1;
    return &m->sources[m->heap[least]];
}

static void put_row(cairn__block_rows *rows, cairn__merge_source *source) {
    uint32_t i = source->row++;
    size_t at = rows->count++;
    rows->node[at] = source->node[i];
    rows->time_ms[at] = source->time_ms[i];
    rows->order[at] = source->order[i];
    rows->name[at] = source->name[i];
    source->place[i] = (uint16_t)at;
}

/* The block is full, or the end is near: move all cells that belong to it, then write it. */
static cairn_status put_block(merger *m) {
    for (size_t i = 0; i < m->source_count; i++) {
        cairn_status status = cairn__merge_source_move(&m->sources[i], m->writer);
        if (status != CAIRN_OK) {
            return status;
        }
    }
    return cairn__image_writer_put(m->writer);
}

/* The source on top is through with its block: on to the next one, or out of the heap. */
static cairn_status next_block(merger *m, cairn__merge_source *source) {
    cairn_status status = cairn__merge_source_move(source, m->writer);
    if (status == CAIRN_OK) {
        status = cairn__merge_source_next(source);
    }
    if (status == CAIRN_OK && source->row_count == 0) {
        m->heap[0] = m->heap[--m->heap_count];
    }
    return status;
}

/* Take rows from the source on top until another one has to come first, or its block ends. */
static cairn_status take_run(merger *m) {
    cairn__block_rows *rows = cairn__image_writer_rows(m->writer);
    cairn__merge_source *source = &m->sources[m->heap[0]];
    const cairn__merge_source *other = second(m);
    cairn_status status = CAIRN_OK;
    do {
        put_row(rows, source);
        status = rows->count == CAIRN__BLOCK_ROWS ? put_block(m) : CAIRN_OK;
    } while (status == CAIRN_OK && source->row < source->row_count &&
             (other == NULL || is_before(source, other)));
    if (status == CAIRN_OK && source->row == source->row_count) {
        status = next_block(m, source);
    }
    if (status == CAIRN_OK) {
        sink_down(m, 0);
    }
    return status;
}

static cairn_status merge_all(merger *m, const cairn__merge_plan *plan) {
    for (size_t i = 0; i < plan->count; i++) {
        cairn__merge_source *source = &m->sources[m->source_count++];
        *source = (cairn__merge_source){ .allocator = m->allocator,
                                         .image = plan->images[i],
                                         .number = (uint32_t)i + 1 };
        cairn_status status = cairn__merge_source_open(source, &m->schema);
        if (status != CAIRN_OK) {
            return status;
        }
        if (source->row_count != 0) {
            m->heap[m->heap_count++] = (uint32_t)i;
        }
    }
    for (size_t i = m->heap_count; i-- > 0;) {
        sink_down(m, i);
    }
    while (m->heap_count != 0) {
        cairn_status status = take_run(m);
        if (status != CAIRN_OK) {
            return status;
        }
    }
    cairn_status status = put_block(m);
    return status == CAIRN_OK ? cairn__image_writer_finish(m->writer) : status;
}

static cairn_status merge_with(const cairn__merge_plan *plan, cairn__image_writer *writer,
                               cairn__image_sink sink) {
    const cairn_allocator *allocator = &plan->allocator;
    size_t bytes = (plan->count + 1) * sizeof(cairn__merge_source);
    cairn__merge_source *sources = allocator->resize(allocator->self, NULL, 0, bytes);
    if (sources == NULL) {
        return CAIRN_NO_MEMORY;
    }
    merger m = { .allocator = *allocator, .sources = sources, .writer = writer };
    m.schema = cairn__schema_make(*allocator, cairn__mix((uint64_t)(uintptr_t)sources));
    cairn__image_writer_begin(writer, &m.schema, sink);
    cairn_status status = merge_all(&m, plan);
    for (size_t i = 0; i < m.source_count; i++) {
        cairn__merge_source_close(&sources[i]);
    }
    cairn__schema_free(&m.schema);
    allocator->resize(allocator->self, sources, bytes, 0);
    return status;
}

cairn_status cairn__merge(const cairn__merge_plan *plan, cairn__image_sink sink) {
    if (plan->count > CAIRN__MERGE_IMAGES_MAX) {
        return CAIRN_INVALID;
    }
    if (plan->writer != NULL) {
        return merge_with(plan, plan->writer, sink);
    }
    cairn__image_writer *writer = cairn__image_writer_make(plan->allocator);
    cairn_status status = writer == NULL ? CAIRN_NO_MEMORY : merge_with(plan, writer, sink);
    cairn__image_writer_free(writer);
    return status;
}

cairn_status cairn__merge_in_memory(const cairn__merge_plan *plan, cairn__image **image_out) {
    cairn__buffer bytes = cairn__buffer_make(plan->allocator, SIZE_MAX / 2);
    cairn_status status = cairn__merge(plan, cairn__image_sink_buffer(&bytes));
    if (status == CAIRN_OK) {
        status = cairn__image_of_buffer(&bytes, image_out);
    } else if (bytes.failed) {
        status = CAIRN_NO_MEMORY;
    }
    cairn__buffer_free(&bytes);
    return status;
}
