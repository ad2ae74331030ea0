/* past.c: node by node through the trail's reader, 64 properties at a time: the rows come again in
 * the same order, so the cells of every pass find theirs by its number. */
#include "facts/past.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "facts/session.h"

enum { NAMES_KNOWN_MAX = UINT16_MAX + 1, PROPERTIES_PER_PASS = CAIRN__READER_PROPERTIES_MAX - 1 };

cairn__person_past cairn__person_past_make(cairn_allocator allocator, size_t bytes_max) {
    return (cairn__person_past){ .rows = cairn__buffer_make(allocator, bytes_max),
                                 .loose = cairn__buffer_make(allocator, bytes_max),
                                 .texts = cairn__arena_make(allocator, bytes_max) };
}

void cairn__person_past_free(cairn__person_past *past) {
    cairn__buffer_free(&past->rows);
    cairn__buffer_free(&past->loose);
    cairn__arena_free(&past->texts);
}

/* --- one pass over one node ------------------------------------------------------------------- */

typedef struct pass {
    cairn__person_past *past;
    const cairn__person_source *source;
    cairn__reader *reader;
    const cairn_span *properties; /* of the needed ones: those of this pass */
    size_t property_count;
    bool first;         /* it makes the rows; the others find them */
    uint32_t row;       /* of the next one */
    cairn_span *called; /* by the reader's code, when every event is read */
} pass;

static cairn__past_row *row_at(const cairn__person_past *past, uint32_t row) {
    return (cairn__past_row *)(void *)past->rows.data + row;
}

/* The reader's names go away with it. */
static bool name_of(pass *p, uint16_t code, cairn_span *name_out) {
    if (p->source->needs->event_count > 0) {
        *name_out = p->source->needs->events[code];
        return true;
    }
    if (p->called[code].data == NULL &&
        !cairn__arena_copy(&p->past->texts, cairn__reader_name(p->reader, code),
                           &p->called[code])) {
        return false;
    }
    *name_out = p->called[code];
    return true;
}

static bool list_of(pass *p, uint64_t bits, cairn_string_list *list_out) {
    cairn_string_list from = cairn__reader_list(p->reader, bits);
    cairn_span *items = cairn__arena_alloc_zero(&p->past->texts, from.count + 1, sizeof *items);
    bool good = items != NULL;
    for (size_t i = 0; i < from.count && good; i++) {
        good = cairn__arena_copy(&p->past->texts, from.items[i], &items[i]);
    }
    *list_out = (cairn_string_list){ items, from.count };
    return good;
}

static bool value_of(pass *p, uint8_t kind, uint64_t bits, cairn_value *value_out) {
    *value_out = (cairn_value){ .kind = (cairn_value_kind)kind };
    switch ((cairn_value_kind)kind) {
    case CAIRN_VALUE_NULL:
        return true;
    case CAIRN_VALUE_BOOLEAN:
        value_out->as.boolean = bits != 0;
        return true;
    case CAIRN_VALUE_INTEGER:
        value_out->as.integer = (int64_t)bits;
        return true;
    case CAIRN_VALUE_TIME:
        value_out->as.time_ms = (int64_t)bits;
        return true;
    case CAIRN_VALUE_NUMBER:
        memcpy(&value_out->as.number, &bits, sizeof bits);
        return true;
    case CAIRN_VALUE_STRING:
        return cairn__arena_copy(&p->past->texts, cairn__reader_text(p->reader, bits),
                                 &value_out->as.string);
    case CAIRN_VALUE_LIST:
        return list_of(p, bits, &value_out->as.list);
    }
    return false;
}

static bool take_cells(pass *p, const cairn__reader_batch *batch, size_t at) {
    for (size_t i = 0; i < p->property_count; i++) {
        const cairn__reader_column *column = &batch->columns[i];
        cairn__past_cell cell = { .row = p->row, .property.name = p->properties[i] };
        if (column->kind[at] == CAIRN_VALUE_NULL) {
            continue;
        }
        if (!value_of(p, column->kind[at], column->bits[at], &cell.property.value)) {
            return false;
        }
        cairn__buffer_append(&p->past->loose, cairn__span(&cell, sizeof cell));
        row_at(p->past, p->row)->cell_count += 1;
    }
    return !p->past->loose.failed;
}

static cairn_status make_row(pass *p, const cairn__reader_batch *batch, size_t at) {
    const cairn__reader_column *session = &batch->columns[p->property_count];
    cairn__past_row row = { .time_ms = batch->time_ms[at], .order = batch->order[at] };
    if (p->row >= CAIRN__PERSON_EVENTS_MAX) {
        return CAIRN_FULL;
    }
    if (session->kind[at] == CAIRN_VALUE_INTEGER) {
        row.session = session->bits[at];
    }
    if (!name_of(p, batch->name[at], &row.name)) {
        return CAIRN_NO_MEMORY;
    }
    cairn__buffer_append(&p->past->rows, cairn__span(&row, sizeof row));
    return p->past->rows.failed ? CAIRN_NO_MEMORY : CAIRN_OK;
}

static cairn_status take_batch(pass *p, const cairn__reader_batch *batch) {
    cairn_status status = CAIRN_OK;
    for (size_t i = 0; i < batch->row_count && status == CAIRN_OK; i++) {
        status = p->first ? make_row(p, batch, i) : CAIRN_OK;
        if (status == CAIRN_OK && !take_cells(p, batch, i)) {
            status = CAIRN_NO_MEMORY;
        }
        p->row += status == CAIRN_OK ? 1 : 0;
    }
    return status;
}

static cairn_status take_all(pass *p) {
    for (;;) {
        cairn__reader_batch batch;
        cairn_status status = cairn__reader_next(p->reader, &batch);
        if (status == CAIRN_OK && batch.person_count > 0) {
            status = take_batch(p, &batch);
        }
        if (status != CAIRN_OK || batch.person_count == 0) {
            return status;
        }
    }
}

static cairn_status run_pass(pass *p, uint32_t node) {
    const cairn__fact_needs *needs = p->source->needs;
    cairn_span wanted[CAIRN__READER_PROPERTIES_MAX];
    for (size_t i = 0; i < p->property_count; i++) {
        wanted[i] = p->properties[i];
    }
    wanted[p->property_count] = CAIRN__SESSION_PROPERTY;
    const cairn__reader_options options = { .allocator = p->source->allocator,
                                            .bytes_max = p->source->bytes_max,
                                            .names = needs->events,
                                            .name_count = needs->event_count,
                                            .properties = wanted,
                                            .property_count = p->property_count + 1,
                                            .from_ms = INT64_MIN,
                                            .to_ms = INT64_MAX,
                                            .person_first = node,
                                            .person_end = node + 1 };
    cairn_status status = cairn__reader_open(p->source->person->snapshot, &options, &p->reader);
    if (status == CAIRN_OK) {
        status = take_all(p);
        cairn__reader_close(p->reader);
    }
    return status;
}

static cairn_status read_node(pass *p, uint32_t node) {
    const cairn__fact_needs *needs = p->source->needs;
    uint32_t base = (uint32_t)(p->past->rows.len / sizeof(cairn__past_row));
    cairn_status status = CAIRN_OK;
    size_t at = 0;
    p->first = true;
    do {
        size_t left = needs->property_count - at;
        p->properties = needs->properties + at;
        p->property_count = left < PROPERTIES_PER_PASS ? left : PROPERTIES_PER_PASS;
        p->row = base;
        if (p->called != NULL) {
            memset(p->called, 0, NAMES_KNOWN_MAX * sizeof *p->called);
        }
        status = run_pass(p, node);
        CAIRN_ASSERT(status != CAIRN_OK || p->row == p->past->rows.len / sizeof(cairn__past_row));
        at += p->property_count;
        p->first = false;
    } while (status == CAIRN_OK && at < needs->property_count &&
             p->past->rows.len / sizeof(cairn__past_row) > base);
    return status;
}

/* --- in order --------------------------------------------------------------------------------- */

static bool place_cells(cairn__person_past *past) {
    const cairn__past_cell *cells = (const cairn__past_cell *)(const void *)past->loose.data;
    size_t cell_count = past->loose.len / sizeof *cells;
    uint32_t next = 0;
    past->properties =
        cairn__arena_alloc_zero(&past->texts, cell_count + 1, sizeof *past->properties);
    for (uint32_t i = 0; i < past->count; i++) {
        cairn__past_row *row = row_at(past, i);
        row->cell_first = next;
        next += row->cell_count;
        row->cell_count = 0;
    }
    for (size_t i = 0; past->properties != NULL && i < cell_count; i++) {
        cairn__past_row *row = row_at(past, cells[i].row);
        past->properties[row->cell_first + row->cell_count++] = cells[i].property;
    }
    cairn__buffer_free(&past->loose);
    return past->properties != NULL;
}

static int by_time(const void *a, const void *b) {
    const cairn__past_row *left = a;
    const cairn__past_row *right = b;
    if (left->time_ms != right->time_ms) {
        return left->time_ms < right->time_ms ? -1 : 1;
    }
    return (left->order > right->order) - (left->order < right->order);
}

cairn_status cairn__person_past_read(cairn__person_past *past, const cairn__person_source *source) {
    const cairn__person_state *person = source->person;
    pass p = { .past = past, .source = source };
    if (source->needs->event_count == 0) {
        p.called = cairn__arena_alloc_zero(&past->texts, NAMES_KNOWN_MAX, sizeof *p.called);
        if (p.called == NULL) {
            return CAIRN_NO_MEMORY;
        }
    }
    cairn_status status = CAIRN_OK;
    for (size_t i = 0; i < person->node_count && status == CAIRN_OK; i++) {
        status = read_node(&p, person->nodes[i]);
    }
    past->count = past->rows.len / sizeof(cairn__past_row);
    if (status != CAIRN_OK || !place_cells(past)) {
        return status == CAIRN_OK ? CAIRN_NO_MEMORY : status;
    }
    if (person->node_count > 1 && past->count > 1) {
        qsort(past->rows.data, past->count, sizeof(cairn__past_row), by_time);
    }
    past->list = row_at(past, 0);
    return CAIRN_OK;
}

/* --- looking ---------------------------------------------------------------------------------- */

cairn__event cairn__person_past_event(const cairn__person_past *past, size_t row) {
    const cairn__past_row *from = &past->list[row];
    return (cairn__event){ .kind = CAIRN__EVENT_TRACK,
                           .name = from->name,
                           .time_ms = from->time_ms,
                           .session = from->session,
                           .properties = past->properties + from->cell_first,
                           .property_count = from->cell_count };
}

size_t cairn__person_past_place(const cairn__person_past *past, int64_t time_ms) {
    size_t low = 0;
    size_t high = past->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (past->list[middle].time_ms < time_ms) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}
