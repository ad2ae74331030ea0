/* reader.c: opening, and batches: straight from the only image, or merged from several. */
#include "trail/reader.h"

#include <string.h>

#include "base/hash.h"
#include "trail/reader_stream.h"
#include "trail/state.h"

enum {
    BATCH_ROWS_MAX = 16 * 1024, /* about; a batch stays in the processor's second cache */
    BATCH_ROWS_MIN = 512,
    SIDE_BUDGET_SHARE = 5, /* of the budget for rows of moved nodes: one part in this many */
    STREAM_BUDGET_SHARE = 4
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
    cairn__side side;
    cairn__rowset out;
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
    return image->rows != 0 && image->time_max >= selection->from_ms &&
           image->time_min < selection->to_ms &&
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

static void choose_sizes(cairn__reader *reader, const cairn__reader_options *options) {
    size_t row_bytes = cairn__rowset_row_bytes(options->property_count);
    size_t rows = options->bytes_max / STREAM_BUDGET_SHARE / (reader->source_count + 1) / row_bytes;
    rows = rows > BATCH_ROWS_MAX ? BATCH_ROWS_MAX : rows;
    reader->rows_target = rows < BATCH_ROWS_MIN ? BATCH_ROWS_MIN : rows;
    reader->side.rows_max = options->bytes_max / SIDE_BUDGET_SHARE / row_bytes;
    reader->merged = reader->moved || reader->source_count > 1;
}

static cairn_status open_reader(cairn__reader *reader, const cairn__trail_snapshot *snapshot,
                                const cairn__reader_options *options) {
    cairn_allocator allocator = reader->allocator;
    uint64_t seed = cairn__mix((uint64_t)(uintptr_t)reader + 1);
    reader->strings.texts = cairn__dict_make(allocator, seed);
    reader->strings.lists = cairn__dict_make(allocator, seed);
    reader->strings.items = cairn__arena_make(allocator, SIZE_MAX / 2);
    reader->out = cairn__rowset_make(allocator, options->property_count);
    reader->side.allocator = allocator;
    reader->side.set = cairn__rowset_make(allocator, options->property_count);
    reader->scratch = allocator.resize(allocator.self, NULL, 0, sizeof *reader->scratch);
    if (!learn_names(reader, options) || reader->scratch == NULL) {
        return CAIRN_NO_MEMORY;
    }
    learn_properties(reader, options);
    learn_selection(reader, options);
    cairn_status status = open_sources(reader, snapshot, options);
    choose_sizes(reader, options);
    if (!reader->moved) {
        reader->side.window_end = UINT32_MAX;
        return status;
    }
    cairn__selection selection = reader->selection;
    selection.moved = true;
    return status == CAIRN_OK ? cairn__side_collect(&reader->side, reader->sources,
                                                    reader->source_count, &selection)
                              : status;
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
    cairn__rowset_free(&reader->out);
    cairn__side_free(&reader->side);
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
    *batch_out = (cairn__reader_batch){ .person_count = end,
                                        .persons = set->persons,
                                        .person_rows = set->starts,
                                        .row_count = end == 0 ? 0 : set->starts[end],
                                        .time_ms = set->time_ms,
                                        .name = set->name,
                                        .order = set->order,
                                        .columns = reader->columns };
}

static cairn_status next_direct(cairn__reader *reader, cairn__reader_batch *batch_out) {
    if (reader->source_count == 0) {
        hand_out(reader, &reader->out, 0, batch_out);
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

/* The streams' next persons: the least, who has it alone, and up to where it is alone. */
typedef struct heads {
    bool any;
    uint32_t person;
    uint64_t alone_until;  /* the next person of anybody else; at or below person: shared */
    cairn__stream *stream; /* NULL: the side */
} heads;

static void see_head(heads *h, uint32_t person, cairn__stream *stream) {
    if (!h->any || person < h->person) {
        h->alone_until = h->any ? h->person : UINT64_MAX;
        h->person = person;
        h->stream = stream;
        h->any = true;
    } else if (person < h->alone_until) {
        h->alone_until = person;
    }
}

static cairn_status find_heads(cairn__reader *reader, heads *heads_out) {
    *heads_out = (heads){ .any = false };
    for (size_t i = 0; i < reader->source_count; i++) {
        cairn__stream *stream = &reader->streams[i];
        cairn_status status = CAIRN_OK;
        if (stream->at == stream->ready) {
            status = cairn__stream_fill(stream, &reader->selection, reader->rows_target);
        }
        if (status != CAIRN_OK) {
            return status;
        }
        if (stream->at < stream->ready) {
            see_head(heads_out, stream->set.persons[stream->at], stream);
        }
    }
    const cairn__side *side = &reader->side;
    if (side->at < side->count) {
        see_head(heads_out, (uint32_t)(side->by_person[side->at] >> 32), NULL);
    }
    return CAIRN_OK;
}

static bool take_rows(cairn__reader *reader, const cairn__rowset *from, size_t first, size_t end) {
    if (!cairn__rowset_reserve(&reader->out, end - first)) {
        return false;
    }
    cairn__rowset_copy(&reader->out, from, first, end);
    return true;
}

/* Persons that only this stream has, as many as the batch takes, in one copy. */
static cairn_status take_alone(cairn__reader *reader, const heads *h) {
    cairn__stream *stream = h->stream;
    const cairn__rowset *set = &stream->set;
    cairn__rowset *out = &reader->out;
    uint64_t until = h->alone_until < reader->side.window_end || !reader->moved
                         ? h->alone_until
                         : reader->side.window_end;
    size_t first = set->starts[stream->at], room = reader->rows_target - out->rows;
    size_t end = stream->at + 1;
    while (end < stream->ready && set->persons[end] < until && set->starts[end] - first < room) {
        end++;
    }
    size_t shift = out->rows;
    if (!cairn__rowset_reserve(out, set->starts[end] - first)) {
        return CAIRN_NO_MEMORY;
    }
    for (size_t i = stream->at; i < end; i++) {
        out->persons[out->person_count] = set->persons[i];
        out->starts[out->person_count++] = (uint32_t)(shift + set->starts[i] - first);
    }
    cairn__rowset_copy(out, set, first, set->starts[end]);
    stream->at = end;
    return CAIRN_OK;
}

/* All runs of one person, put in order. */
static cairn_status take_shared(cairn__reader *reader, uint32_t person) {
    cairn__rowset *out = &reader->out;
    cairn__side *side = &reader->side;
    if (!cairn__rowset_reserve(out, 1)) {
        return CAIRN_NO_MEMORY;
    }
    size_t first = out->rows;
    cairn__rowset_person(out, person);
    for (size_t i = 0; i < reader->source_count; i++) {
        cairn__stream *stream = &reader->streams[i];
        if (stream->at == stream->ready || stream->set.persons[stream->at] != person) {
            continue;
        }
        const uint32_t *starts = stream->set.starts + stream->at++;
        if (!take_rows(reader, &stream->set, starts[0], starts[1])) {
            return CAIRN_NO_MEMORY;
        }
    }
    for (; side->at < side->count && side->by_person[side->at] >> 32 == person; side->at++) {
        const uint32_t *starts = side->set.starts + (uint32_t)side->by_person[side->at];
        if (!take_rows(reader, &side->set, starts[0], starts[1])) {
            return CAIRN_NO_MEMORY;
        }
    }
    return cairn__rowset_sort(out, first) ? CAIRN_OK : CAIRN_NO_MEMORY;
}

/* The side has given all that it collected: on with the next persons. */
static cairn_status next_window(cairn__reader *reader) {
    cairn__selection selection = reader->selection;
    selection.moved = true;
    return cairn__side_collect(&reader->side, reader->sources, reader->source_count, &selection);
}

static cairn_status next_merged(cairn__reader *reader, cairn__reader_batch *batch_out) {
    cairn__rowset_clear(&reader->out);
    while (reader->out.rows < reader->rows_target) {
        heads h;
        cairn_status status = find_heads(reader, &h);
        if (status != CAIRN_OK) {
            return status;
        }
        bool last_window = !reader->moved || reader->side.window_end == reader->selection.end;
        if (!last_window && (!h.any || h.person >= reader->side.window_end)) {
            status = next_window(reader);
        } else if (!h.any) {
            break;
        } else if (h.stream != NULL && h.person < h.alone_until) {
            status = take_alone(reader, &h);
        } else {
            status = take_shared(reader, h.person);
        }
        if (status != CAIRN_OK) {
            return status;
        }
    }
    cairn__rowset_seal(&reader->out);
    hand_out(reader, &reader->out, reader->out.person_count, batch_out);
    return CAIRN_OK;
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
