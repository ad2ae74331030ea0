/* reader.c: opening, and batches: straight from the only image, or merged from several. */
#include "trail/reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "trail/reader_merge.h"
#include "trail/state.h"

enum {
    BATCH_ROWS_MAX = 16 * 1024, /* about; a batch stays in the processor's second cache */
    BATCH_ROWS_MIN = 512,
    SIDE_BUDGET_SHARE = 8, /* of the budget for rows of moved nodes: one part in this many */
    STREAM_BUDGET_SHARE = 6
};

/** Counts what it hands on. */
typedef struct budget {
    cairn_allocator allocator;
    size_t used, bytes_max;
} budget;

struct cairn__reader {
    budget memory;
    cairn_allocator allocator; /* counts in memory */
    cairn__selection selection;
    bool all_names;
    cairn__dict names;   /* wanted names, or all met */
    uint32_t *index_of;  /* name in names -> index in the caller's list */
    uint32_t *number_of; /* and back */
    size_t name_count;
    size_t property_count;
    uint32_t alias[CAIRN__READER_PROPERTIES_MAX]; /* column that holds this property's values */
    cairn__reader_column columns[CAIRN__READER_PROPERTIES_MAX];
    cairn__reader_strings strings;
    cairn__scan_scratch *scratch;
    cairn__source *sources;
    cairn__stream *streams;
    size_t source_count, source_capacity;
    bool merged; /* several images or moved nodes */
    bool moved;
    cairn__reader_merge merge;
    size_t rows_target;
};

static void *budget_resize(void *self, void *at, size_t old_bytes, size_t new_bytes) {
    budget *b = self;
    if (new_bytes > old_bytes && new_bytes - old_bytes > b->bytes_max - b->used) {
        return NULL;
    }
    void *result = b->allocator.resize(b->allocator.self, at, old_bytes, new_bytes);
    if (result != NULL || new_bytes == 0) {
        b->used = b->used - old_bytes + new_bytes;
    }
    return result;
}

/* The reader's code of a name + 1. */
static bool code_of(void *self, cairn_span name, uint32_t *code_out) {
    cairn__reader *reader = self;
    uint32_t number = 0;
    if (!reader->all_names) {
        bool wanted = cairn__dict_find(&reader->names, name, &number);
        *code_out = wanted ? reader->index_of[number] + 1 : 0;
        return true;
    }
    if (reader->names.count > CAIRN__READER_NAME_OTHER &&
        !cairn__dict_find(&reader->names, name, &number)) {
        *code_out = CAIRN__READER_NAME_OTHER + 1;
        return true;
    }
    if (!cairn__dict_borrow(&reader->names, name, &number)) {
        return false;
    }
    *code_out = (number < CAIRN__READER_NAME_OTHER ? number : CAIRN__READER_NAME_OTHER) + 1;
    return true;
}

static bool learn_names(cairn__reader *reader, const cairn__reader_options *options) {
    cairn_allocator *allocator = &reader->allocator;
    reader->names = cairn__dict_make(*allocator, cairn__mix((uint64_t)(uintptr_t)reader));
    reader->all_names = options->name_count == 0;
    reader->name_count = options->name_count;
    size_t bytes = (options->name_count + 1) * sizeof(uint32_t);
    reader->index_of = allocator->resize(allocator->self, NULL, 0, bytes);
    reader->number_of = allocator->resize(allocator->self, NULL, 0, bytes);
    if (reader->index_of == NULL || reader->number_of == NULL) {
        return false;
    }
    for (size_t i = 0; i < options->name_count; i++) {
        size_t known = reader->names.count;
        uint32_t number = 0;
        if (!cairn__dict_intern(&reader->names, options->names[i], &number)) {
            return false;
        }
        if (number == known) {
            reader->index_of[number] = (uint32_t)i; /* of equal names the first */
        }
        reader->number_of[i] = number;
    }
    return true;
}

static void learn_properties(cairn__reader *reader, const cairn__reader_options *options) {
    reader->property_count = options->property_count;
    for (size_t i = 0; i < options->property_count; i++) {
        size_t first = 0;
        while (!cairn__span_equal(options->properties[first], options->properties[i])) {
            first++;
        }
        reader->alias[i] = (uint32_t)first;
    }
}

static bool is_moved(const cairn__reader_options *options) {
    for (size_t i = 0; options->person_of != NULL && i < options->node_count; i++) {
        if (options->person_of[i] != i) {
            return true;
        }
    }
    return false;
}

static void learn_selection(cairn__reader *reader, const cairn__reader_options *options) {
    reader->moved = is_moved(options);
    reader->selection = (cairn__selection){ .from_ms = options->from_ms,
                                            .to_ms = options->to_ms,
                                            .first = options->person_first,
                                            .end = options->person_end };
    if (reader->moved) {
        reader->selection.person_of = options->person_of;
        reader->selection.node_count = options->node_count;
    }
}

/* Is anything of the image asked for? */
static bool is_relevant(const cairn__reader *reader, const cairn__image *image) {
    const cairn__selection *selection = &reader->selection;
    return image->rows != 0 && selection->from_ms < selection->to_ms &&
           image->time_max >= selection->from_ms && image->time_min < selection->to_ms &&
           (reader->moved || (image->node_max >= selection->first &&
                              (image->node_min < selection->end || selection->end == UINT32_MAX)));
}

static cairn_status open_sources(cairn__reader *reader, const cairn__trail_snapshot *snapshot,
                                 const cairn__reader_options *options) {
    const cairn_allocator *allocator = &reader->allocator;
    size_t capacity = snapshot->count + 1;
    reader->sources =
        allocator->resize(allocator->self, NULL, 0, capacity * sizeof *reader->sources);
    reader->streams =
        allocator->resize(allocator->self, NULL, 0, capacity * sizeof *reader->streams);
    reader->source_capacity = capacity;
    if (reader->sources == NULL || reader->streams == NULL) {
        return CAIRN_NO_MEMORY;
    }
    cairn_status status = CAIRN_OK;
    for (size_t i = 0; i < snapshot->count && status == CAIRN_OK; i++) {
        if (!is_relevant(reader, snapshot->images[i])) {
            continue;
        }
        cairn__source *source = &reader->sources[reader->source_count];
        *source = (cairn__source){ .allocator = *allocator,
                                   .image = snapshot->images[i],
                                   .strings = &reader->strings,
                                   .scratch = reader->scratch };
        reader->streams[reader->source_count++] = (cairn__stream){
            .source = source,
            .set = cairn__rowset_make(*allocator, options->property_count),
        };
        status = cairn__source_open(source, options, code_of, reader);
    }
    return status;
}

static int by_arrival(const void *a, const void *b) {
    const cairn__source *left = a, *right = b;
    return (left->image->order_min > right->image->order_min) -
           (left->image->order_min < right->image->order_min);
}

/* Sources in the order of arrival, and whether the newest row of each is older than all of the
 * next: then rows of one time need no order, the image alone tells who was first. */
static bool arrived_one_after_the_other(cairn__reader *reader) {
    qsort(reader->sources, reader->source_count, sizeof *reader->sources, by_arrival);
    for (size_t i = 1; i < reader->source_count; i++) {
        if (reader->sources[i - 1].image->order_max >= reader->sources[i].image->order_min) {
            return false;
        }
    }
    return true;
}

static void choose_sizes(cairn__reader *reader, const cairn__reader_options *options) {
    size_t row_bytes = cairn__rowset_row_bytes(options->property_count);
    size_t rows = options->bytes_max / STREAM_BUDGET_SHARE / (reader->source_count + 1) / row_bytes;
    rows = rows > BATCH_ROWS_MAX ? BATCH_ROWS_MAX : rows;
    reader->rows_target = rows < BATCH_ROWS_MIN ? BATCH_ROWS_MIN : rows;
    reader->merge.side.rows_max = options->bytes_max / SIDE_BUDGET_SHARE / row_bytes;
    reader->merged = reader->moved || reader->source_count > 1;
    reader->selection.without_order =
        options->without_order && !reader->moved && arrived_one_after_the_other(reader);
}

static cairn_status open_merge(cairn__reader *reader, size_t column_count) {
    cairn__reader_merge *merge = &reader->merge;
    merge->sources = reader->sources;
    merge->streams = reader->streams;
    merge->count = reader->source_count;
    merge->selection = &reader->selection;
    merge->moved = reader->moved;
    merge->rows_target = reader->rows_target;
    return cairn__reader_merge_open(merge, column_count);
}

static cairn_status open_reader(cairn__reader *reader, const cairn__trail_snapshot *snapshot,
                                const cairn__reader_options *options) {
    cairn_allocator allocator = reader->allocator;
    uint64_t seed = cairn__mix((uint64_t)(uintptr_t)reader + 1);
    reader->strings.texts = cairn__dict_make(allocator, seed);
    reader->strings.lists = cairn__dict_make(allocator, seed);
    reader->strings.items = cairn__arena_make(allocator, SIZE_MAX / 2);
    reader->merge.allocator = allocator;
    reader->merge.side.allocator = allocator;
    reader->scratch = allocator.resize(allocator.self, NULL, 0, sizeof *reader->scratch);
    if (!learn_names(reader, options) || reader->scratch == NULL) {
        return CAIRN_NO_MEMORY;
    }
    learn_properties(reader, options);
    learn_selection(reader, options);
    cairn_status status = open_sources(reader, snapshot, options);
    choose_sizes(reader, options);
    return status == CAIRN_OK ? open_merge(reader, options->property_count) : status;
}

cairn_status cairn__reader_open(const cairn__trail_snapshot *snapshot,
                                const cairn__reader_options *options, cairn__reader **reader_out) {
    if (options->property_count > CAIRN__READER_PROPERTIES_MAX ||
        options->name_count > CAIRN__READER_NAMES_MAX) {
        return CAIRN_INVALID;
    }
    const cairn_allocator *allocator = &options->allocator;
    if (options->bytes_max < sizeof(cairn__reader)) {
        return CAIRN_NO_MEMORY;
    }
    cairn__reader *reader = allocator->resize(allocator->self, NULL, 0, sizeof *reader);
    if (reader == NULL) {
        return CAIRN_NO_MEMORY;
    }
    memset(reader, 0, sizeof *reader);
    reader->memory = (budget){ *allocator, sizeof *reader, options->bytes_max };
    reader->allocator = (cairn_allocator){ budget_resize, &reader->memory };
    cairn_status status = open_reader(reader, snapshot, options);
    if (status != CAIRN_OK) {
        cairn__reader_close(reader);
        return status;
    }
    *reader_out = reader;
    return CAIRN_OK;
}

void cairn__reader_close(cairn__reader *reader) {
    if (reader == NULL) {
        return;
    }
    const cairn_allocator *allocator = &reader->allocator;
    for (size_t i = 0; i < reader->source_count; i++) {
        cairn__source_close(&reader->sources[i]);
        cairn__rowset_free(&reader->streams[i].set);
    }
    cairn__release(allocator, reader->sources, reader->source_capacity, sizeof *reader->sources);
    cairn__release(allocator, reader->streams, reader->source_capacity, sizeof *reader->streams);
    cairn__release(allocator, reader->scratch, 1, sizeof *reader->scratch);
    cairn__release(allocator, reader->index_of, reader->name_count + 1, sizeof(uint32_t));
    cairn__release(allocator, reader->number_of, reader->name_count + 1, sizeof(uint32_t));
    cairn__release(allocator, reader->strings.decoded, reader->strings.decoded_capacity,
                   sizeof *reader->strings.decoded);
    cairn__dict_free(&reader->names);
    cairn__dict_free(&reader->strings.texts);
    cairn__dict_free(&reader->strings.lists);
    cairn__arena_free(&reader->strings.items);
    cairn__reader_merge_close(&reader->merge);
    cairn_allocator owner = reader->memory.allocator;
    owner.resize(owner.self, reader, sizeof *reader, 0);
}

/* Hand out persons [first, end) of a set. */
static void hand_out(cairn__reader *reader, const cairn__rowset *set, size_t end,
                     cairn__reader_batch *batch_out) {
    for (size_t i = 0; i < reader->property_count; i++) {
        uint32_t column = reader->alias[i];
        reader->columns[i] = (cairn__reader_column){ set->kind[column], set->bits[column] };
    }
    *batch_out =
        (cairn__reader_batch){ .person_count = end,
                               .persons = set->persons,
                               .person_rows = set->starts,
                               .row_count = end == 0 ? 0 : set->starts[end],
                               .time_ms = set->time_ms,
                               .name = set->name,
                               .order = reader->selection.without_order ? NULL : set->order,
                               .columns = reader->columns };
}

static cairn_status next_direct(cairn__reader *reader, cairn__reader_batch *batch_out) {
    if (reader->source_count == 0) {
        hand_out(reader, &reader->merge.out, 0, batch_out);
        return CAIRN_OK;
    }
    cairn__stream *stream = &reader->streams[0];
    cairn_status status = cairn__stream_fill(stream, &reader->selection, reader->rows_target);
    if (status == CAIRN_OK) {
        hand_out(reader, &stream->set, stream->ready, batch_out);
        stream->at = stream->ready;
    }
    return status;
}

static cairn_status next_merged(cairn__reader *reader, cairn__reader_batch *batch_out) {
    cairn_status status = cairn__reader_merge_next(&reader->merge);
    if (status == CAIRN_OK) {
        hand_out(reader, &reader->merge.out, reader->merge.out.person_count, batch_out);
    }
    return status;
}

cairn_status cairn__reader_next(cairn__reader *reader, cairn__reader_batch *batch_out) {
    return reader->merged ? next_merged(reader, batch_out) : next_direct(reader, batch_out);
}

cairn_span cairn__reader_name(const cairn__reader *reader, uint16_t code) {
    if (!reader->all_names) {
        return code < reader->name_count
                   ? cairn__dict_string(&reader->names, reader->number_of[code])
                   : (cairn_span){ NULL, 0 };
    }
    if (code == CAIRN__READER_NAME_OTHER) {
        return CAIRN_STR("$other");
    }
    return code < reader->names.count ? cairn__dict_string(&reader->names, code)
                                      : (cairn_span){ NULL, 0 };
}

cairn_span cairn__reader_text(const cairn__reader *reader, uint64_t bits) {
    const cairn__dict *texts = &reader->strings.texts;
    return bits < texts->count ? cairn__dict_string(texts, (uint32_t)bits)
                               : (cairn_span){ NULL, 0 };
}

cairn_string_list cairn__reader_list(const cairn__reader *reader, uint64_t bits) {
    return bits < reader->strings.lists.count ? reader->strings.decoded[bits]
                                              : (cairn_string_list){ NULL, 0 };
}

uint64_t cairn__reader_rows_read(const cairn__reader *reader) {
    uint64_t rows = 0;
    for (size_t i = 0; i < reader->source_count; i++) {
        rows += reader->sources[i].rows_read;
    }
    return rows;
}
