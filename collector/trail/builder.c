/* builder.c: from rows in the order of arrival to an image in (node, time, order). */
#include "trail/builder.h"

enum { RADIX_BITS = 11, RADIX_SIZE = 1 << RADIX_BITS, RADIX_PASSES = 3 };

typedef cairn__builder_row row_type;

cairn__builder cairn__builder_make(cairn_allocator allocator, uint64_t seed) {
    return (cairn__builder){ .allocator = allocator,
                             .schema = cairn__schema_make(allocator, seed) };
}

void cairn__builder_free(cairn__builder *builder) {
    cairn__schema_free(&builder->schema);
    cairn__image_writer_free(builder->writer);
    cairn__release(&builder->allocator, builder->rows, builder->row_capacity, sizeof(row_type));
    cairn__release(&builder->allocator, builder->cells, builder->cell_capacity,
                   sizeof(cairn__builder_cell));
}

bool cairn__builder_full(const cairn__builder *builder) {
    return builder->row_count >= CAIRN__BUILDER_ROWS_MAX ||
           builder->text_bytes >= CAIRN__BUILDER_TEXT_BYTES_MAX;
}

/* The cell of this property in the row under way, or the next free one. */
static cairn__builder_cell *cell_for(cairn__builder *builder, uint32_t property, uint32_t *count) {
    cairn__builder_cell *cells = builder->cells + builder->cell_count;
    for (uint32_t i = 0; i < *count; i++) {
        if (cells[i].property == property) {
            return &cells[i];
        }
    }
    return &cells[(*count)++];
}

static size_t text_of(const cairn_value *value) {
    size_t bytes = value->kind == CAIRN_VALUE_STRING ? value->as.string.len : 0;
    if (value->kind == CAIRN_VALUE_LIST) {
        for (size_t i = 0; i < value->as.list.count; i++) {
            bytes += value->as.list.items[i].len;
        }
    }
    return bytes;
}

static bool take_cells(cairn__builder *builder, const cairn__trail_row *row, uint32_t *count_out) {
    cairn__schema *schema = &builder->schema;
    *count_out = 0;
    for (size_t i = 0; i < row->property_count; i++) {
        const cairn_property *property = &row->properties[i];
        uint32_t code = 0, field = 0;
        uint64_t bits = 0;
        if (property->value.kind == CAIRN_VALUE_NULL) {
            continue;
        }
        if (!cairn__schema_property_at(schema, i, property->name, &code) ||
            !cairn__schema_field_of(schema, code, property->value.kind, &field) ||
            !cairn__schema_bits(schema, field, &property->value, &bits)) {
            return false;
        }
        *cell_for(builder, code, count_out) =
            (cairn__builder_cell){ .bits = bits, .field = field, .property = code };
        builder->text_bytes += text_of(&property->value);
    }
    return true;
}

cairn_status cairn__builder_append(cairn__builder *builder, const cairn__trail_row *row) {
    uint32_t name = 0, cells = 0;
    if (!cairn__grow(&builder->allocator, &builder->rows, &builder->row_capacity,
                     builder->row_count + 1, sizeof(row_type)) ||
        !cairn__grow(&builder->allocator, &builder->cells, &builder->cell_capacity,
                     builder->cell_count + row->property_count + 1, sizeof(cairn__builder_cell)) ||
        builder->cell_count > UINT32_MAX - row->property_count ||
        !cairn__dict_intern(&builder->schema.names, row->name, &name) ||
        !take_cells(builder, row, &cells)) {
        return CAIRN_NO_MEMORY; /* strings may stay behind in the dictionaries: no harm */
    }
    builder->rows[builder->row_count++] = (row_type){ .node = row->node,
                                                      .name = name,
                                                      .time_ms = row->time_ms,
                                                      .order = row->order,
                                                      .cell_first = (uint32_t)builder->cell_count,
                                                      .cell_count = cells };
    builder->cell_count += cells;
    return CAIRN_OK;
}

/* One stable pass by 11 bits of the node. False: all rows have the same, nothing was moved. */
static bool radix_pass(const row_type *from, row_type *to, size_t count, unsigned shift) {
    uint32_t starts[RADIX_SIZE] = { 0 };
    for (size_t i = 0; i < count; i++) {
        starts[(from[i].node >> shift) & (RADIX_SIZE - 1)]++;
    }
    if (starts[(from[0].node >> shift) & (RADIX_SIZE - 1)] == count) {
        return false;
    }
    uint32_t sum = 0;
    for (size_t i = 0; i < RADIX_SIZE; i++) {
        uint32_t here = starts[i];
        starts[i] = sum;
        sum += here;
    }
    for (size_t i = 0; i < count; i++) {
        to[starts[(from[i].node >> shift) & (RADIX_SIZE - 1)]++] = from[i];
    }
    return true;
}

static bool is_before(const row_type *a, const row_type *b) {
    return a->time_ms != b->time_ms ? a->time_ms < b->time_ms : a->order < b->order;
}

static void merge_halves(const row_type *from, row_type *to, size_t middle, size_t count) {
    size_t left = 0, right = middle;
    for (size_t i = 0; i < count; i++) {
        bool take_right = left == middle || (right < count && is_before(&from[right], &from[left]));
        to[i] = from[take_right ? right++ : left++];
    }
}

/* Bottom-up merge sort of one node's rows by (time, order); the result is in rows. */
static void sort_run(row_type *rows, row_type *spare, size_t count) {
    row_type *from = rows, *to = spare;
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t at = 0; at < count; at += width * 2) {
            size_t left = count - at;
            size_t middle = width < left ? width : left;
            merge_halves(from + at, to + at, middle, width * 2 < left ? width * 2 : left);
        }
        row_type *swap = from;
        from = to;
        to = swap;
    }
    if (from != rows) {
        memcpy(rows, from, count * sizeof *rows);
    }
}

/* Rows by (node, time, order); spare has as much room. Returns where they are. */
static row_type *sort_rows(row_type *rows, row_type *spare, size_t count) {
    row_type *from = rows, *to = spare;
    for (unsigned pass = 0; pass < RADIX_PASSES; pass++) {
        if (radix_pass(from, to, count, pass * RADIX_BITS)) {
            row_type *swap = from;
            from = to;
            to = swap;
        }
    }
    for (size_t start = 0, i = 0; start < count; start = i) {
        bool sorted = true;
        for (i = start + 1; i < count && from[i].node == from[start].node; i++) {
            sorted = sorted && !is_before(&from[i], &from[i - 1]);
        }
        if (!sorted) {
            sort_run(from + start, to + start, i - start);
        }
    }
    return from;
}

static cairn_status put_row(cairn__image_writer *writer, const cairn__builder *builder,
                            const row_type *row) {
    cairn__block_rows *rows = cairn__image_writer_rows(writer);
    cairn__cell *cells = cairn__image_writer_cells(writer, row->cell_count);
    if (cells == NULL) {
        return CAIRN_NO_MEMORY;
    }
    size_t at = rows->count++;
    rows->node[at] = row->node;
    rows->time_ms[at] = row->time_ms;
    rows->order[at] = row->order;
    rows->name[at] = row->name;
    const cairn__builder_cell *from = builder->cells + row->cell_first;
    for (uint32_t i = 0; i < row->cell_count; i++) {
        cells[i] = (cairn__cell){ from[i].field, (uint32_t)at, from[i].bits };
    }
    rows->cell_count += row->cell_count;
    return rows->count == CAIRN__BLOCK_ROWS ? cairn__image_writer_put(writer) : CAIRN_OK;
}

cairn__image_writer *cairn__builder_writer(cairn__builder *builder) {
    if (builder->writer == NULL) {
        builder->writer = cairn__image_writer_make(builder->allocator);
    }
    return builder->writer;
}

static cairn_status write_rows(cairn__builder *builder, const row_type *sorted,
                               cairn__buffer *bytes) {
    cairn__image_writer *writer = cairn__builder_writer(builder);
    if (writer == NULL) {
        return CAIRN_NO_MEMORY;
    }
    cairn__image_writer_begin(writer, &builder->schema, cairn__image_sink_buffer(bytes));
    cairn_status status = CAIRN_OK;
    for (size_t i = 0; i < builder->row_count && status == CAIRN_OK; i++) {
        status = put_row(writer, builder, &sorted[i]);
    }
    if (status == CAIRN_OK) {
        status = cairn__image_writer_finish(writer);
    }
    return status == CAIRN_OK ? CAIRN_OK
                              : CAIRN_NO_MEMORY; /* a buffer refuses for no other reason */
}

cairn_status cairn__builder_seal(cairn__builder *builder, cairn__image **image_out) {
    const cairn_allocator *allocator = &builder->allocator;
    size_t spare_bytes = (builder->row_count + 1) * sizeof(row_type);
    row_type *spare = allocator->resize(allocator->self, NULL, 0, spare_bytes);
    if (spare == NULL) {
        return CAIRN_NO_MEMORY;
    }
    row_type *sorted = sort_rows(builder->rows, spare, builder->row_count);
    if (sorted != builder->rows) {
        memcpy(builder->rows, sorted, builder->row_count * sizeof *sorted);
    }
    allocator->resize(allocator->self, spare, spare_bytes, 0);
    cairn__buffer bytes = cairn__buffer_make(*allocator, SIZE_MAX / 2);
    cairn_status status = write_rows(builder, builder->rows, &bytes);
    if (status == CAIRN_OK) {
        status = cairn__image_of_buffer(&bytes, image_out);
    }
    cairn__buffer_free(&bytes);
    if (status == CAIRN_OK) {
        builder->row_count = 0;
        builder->cell_count = 0;
        builder->text_bytes = 0;
        cairn__schema_clear(&builder->schema);
    }
    return status;
}
