/* fake_reader.c: trail/reader.h over a list of rows, as plainly as possible. Batches are tiny, so
 * that every test crosses from one to the next; `fail_at_batch` breaks one of them. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "fake_reader.h"
#include "support/cmocka_all.h"
#include "trail/reader.h"

enum { BATCH_PERSONS = 3, TEXTS_MAX = 4096 };

typedef struct {
    const world_event *event;
    uint32_t person;
} fake_row;

struct cairn__trail_snapshot {
    const world *w;
    fake_row *rows; /* by (person, time, order) */
    size_t count;
    int fail_at_batch; /* -1: never */
};

struct cairn__reader {
    const cairn__trail_snapshot *snapshot;
    cairn__reader_options options;
    size_t next;
    int batches;
    cairn_span *texts; /* names and values alike */
    size_t text_count;
    uint64_t rows_read;
    /* the batch */
    uint32_t persons[BATCH_PERSONS];
    uint32_t person_rows[BATCH_PERSONS + 1];
    size_t person_count, row_count;
    int64_t *time_ms;
    uint16_t *name;
    uint64_t *order;
    uint8_t *kinds;
    uint64_t *bits;
    cairn__reader_column *columns;
};

static int fail_at_batch_of_next = -1;

void fake_reader_fail_at_batch(int batch) {
    fail_at_batch_of_next = batch;
}

static uint32_t person_of(const world *w, uint32_t node) {
    return node < w->node_count ? w->person_of[node] : node;
}

static int compare(const void *a, const void *b) {
    const fake_row *left = a;
    const fake_row *right = b;
    if (left->person != right->person) {
        return left->person < right->person ? -1 : 1;
    }
    if (left->event->time_ms != right->event->time_ms) {
        return left->event->time_ms < right->event->time_ms ? -1 : 1;
    }
    return left->event->order < right->event->order ? -1 : 1;
}

cairn__trail_snapshot *world_snapshot_take(const world *w) {
    cairn__trail_snapshot *snapshot = calloc(1, sizeof *snapshot);
    snapshot->w = w;
    snapshot->count = w->count;
    snapshot->rows = calloc(w->count + 1, sizeof *snapshot->rows);
    for (size_t i = 0; i < w->count; i++) {
        snapshot->rows[i] = (fake_row){ &w->events[i], person_of(w, w->events[i].node) };
    }
    qsort(snapshot->rows, w->count, sizeof *snapshot->rows, compare);
    snapshot->fail_at_batch = fail_at_batch_of_next;
    fail_at_batch_of_next = -1;
    return snapshot;
}

void world_snapshot_release(cairn__trail_snapshot *snapshot) {
    free(snapshot->rows);
    free(snapshot);
}

cairn_status cairn__reader_open(const cairn__trail_snapshot *snapshot,
                                const cairn__reader_options *options, cairn__reader **reader_out) {
    /* One allocation from the budget, so that a failing allocator is met here, too. */
    cairn__reader *reader =
        options->allocator.resize(options->allocator.self, NULL, 0, sizeof *reader);
    if (reader == NULL || options->bytes_max < sizeof *reader) {
        if (reader != NULL) {
            options->allocator.resize(options->allocator.self, reader, sizeof *reader, 0);
        }
        return CAIRN_NO_MEMORY;
    }
    memset(reader, 0, sizeof *reader);
    reader->snapshot = snapshot;
    reader->options = *options;
    reader->texts = calloc(TEXTS_MAX, sizeof(cairn_span));
    for (size_t i = 0; i < options->name_count; i++) {
        reader->texts[reader->text_count++] = options->names[i];
    }
    size_t rows = snapshot->count + 1;
    size_t cells = rows * (options->property_count + 1);
    reader->time_ms = calloc(rows, sizeof *reader->time_ms);
    reader->name = calloc(rows, sizeof *reader->name);
    reader->order = calloc(rows, sizeof *reader->order);
    reader->kinds = calloc(cells, sizeof *reader->kinds);
    reader->bits = calloc(cells, sizeof *reader->bits);
    reader->columns = calloc(options->property_count + 1, sizeof *reader->columns);
    for (size_t i = 0; i < options->property_count; i++) {
        reader->columns[i] =
            (cairn__reader_column){ reader->kinds + i * rows, reader->bits + i * rows };
    }
    *reader_out = reader;
    return CAIRN_OK;
}

void cairn__reader_close(cairn__reader *reader) {
    cairn_allocator allocator = reader->options.allocator;
    free(reader->texts);
    free(reader->time_ms);
    free(reader->name);
    free(reader->order);
    free(reader->kinds);
    free(reader->bits);
    free(reader->columns);
    allocator.resize(allocator.self, reader, sizeof *reader, 0);
}

static size_t code_of(cairn__reader *reader, cairn_span text) {
    for (size_t i = 0; i < reader->text_count; i++) {
        if (cairn__span_equal(reader->texts[i], text)) {
            return i;
        }
    }
    assert_true(reader->text_count < TEXTS_MAX);
    reader->texts[reader->text_count] = text;
    return reader->text_count++;
}

static uint64_t bits_of(cairn__reader *reader, const cairn_value *value) {
    uint64_t bits = 0;
    switch (value->kind) {
    case CAIRN_VALUE_STRING:
        return code_of(reader, value->as.string);
    case CAIRN_VALUE_BOOLEAN:
        return value->as.boolean;
    case CAIRN_VALUE_NUMBER:
        memcpy(&bits, &value->as.number, sizeof bits);
        return bits;
    case CAIRN_VALUE_TIME:
    case CAIRN_VALUE_INTEGER:
    case CAIRN_VALUE_LIST:
    case CAIRN_VALUE_NULL:
    default:
        return (uint64_t)value->as.integer;
    }
}

static bool is_named(const cairn__reader_options *options, cairn_span name) {
    bool named = options->name_count == 0;
    for (size_t i = 0; i < options->name_count; i++) {
        named |= cairn__span_equal(options->names[i], name);
    }
    return named;
}

static bool is_wanted(const cairn__reader *reader, const world_event *event) {
    const cairn__reader_options *options = &reader->options;
    uint32_t person = person_of(reader->snapshot->w, event->node);
    return event->time_ms >= options->from_ms && event->time_ms < options->to_ms &&
           person >= options->person_first && person < options->person_end &&
           is_named(options, cairn__span_of(event->name));
}

static void add_row(cairn__reader *reader, const world_event *event) {
    size_t row = reader->row_count++;
    size_t rows = reader->snapshot->count + 1;
    reader->time_ms[row] = event->time_ms;
    reader->name[row] = (uint16_t)code_of(reader, cairn__span_of(event->name));
    reader->order[row] = event->order;
    for (size_t i = 0; i < reader->options.property_count; i++) {
        reader->kinds[i * rows + row] = CAIRN_VALUE_NULL;
        for (size_t j = 0; j < event->property_count; j++) {
            if (cairn__span_equal(event->properties[j].name, reader->options.properties[i])) {
                reader->kinds[i * rows + row] = (uint8_t)event->properties[j].value.kind;
                reader->bits[i * rows + row] = bits_of(reader, &event->properties[j].value);
            }
        }
    }
}

cairn_status cairn__reader_next(cairn__reader *reader, cairn__reader_batch *batch_out) {
    const cairn__trail_snapshot *snapshot = reader->snapshot;
    reader->person_count = 0;
    reader->row_count = 0;
    if (reader->batches++ == snapshot->fail_at_batch) {
        return CAIRN_STORAGE;
    }
    for (; reader->next < snapshot->count; reader->next++) {
        const world_event *event = snapshot->rows[reader->next].event;
        uint32_t person = snapshot->rows[reader->next].person;
        reader->rows_read++;
        if (!is_wanted(reader, event)) {
            continue;
        }
        if (reader->person_count == 0 || reader->persons[reader->person_count - 1] != person) {
            if (reader->person_count == BATCH_PERSONS) {
                reader->rows_read--;
                break;
            }
            reader->person_rows[reader->person_count] = (uint32_t)reader->row_count;
            reader->persons[reader->person_count++] = person;
        }
        add_row(reader, event);
    }
    reader->person_rows[reader->person_count] = (uint32_t)reader->row_count;
    *batch_out = (cairn__reader_batch){ .person_count = reader->person_count,
                                        .persons = reader->persons,
                                        .person_rows = reader->person_rows,
                                        .row_count = reader->row_count,
                                        .time_ms = reader->time_ms,
                                        .name = reader->name,
                                        .order = reader->order,
                                        .columns = reader->columns };
    return CAIRN_OK;
}

cairn_span cairn__reader_name(const cairn__reader *reader, uint16_t code) {
    return reader->texts[code];
}

cairn_span cairn__reader_text(const cairn__reader *reader, uint64_t bits) {
    return reader->texts[bits];
}

cairn_string_list cairn__reader_list(const cairn__reader *reader, uint64_t bits) {
    (void)reader;
    (void)bits;
    return (cairn_string_list){ NULL, 0 };
}

uint64_t cairn__reader_rows_read(const cairn__reader *reader) {
    return reader->rows_read;
}
