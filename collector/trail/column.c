/* column.c: each column in as few bits per value as its range takes (frame of reference). */
#include "trail/column.h"

#include "base/assert.h"
#include "base/crc32c.h"
#include "trail/decode.h"

#define DECIMAL_MAX 9e15 /* below 2^53: integers of this size are exact in a double */

enum { TIME_SCALE = 3, TIME_POWER = 1000, ROW_BITS = 13 };

void cairn__column_scratch_free(cairn__column_scratch *scratch) {
    const cairn_allocator *allocator = &scratch->allocator;
    cairn__release(allocator, scratch->columns, scratch->column_capacity, sizeof(cairn__column));
    cairn__release(allocator, scratch->local, scratch->local_capacity, sizeof(uint32_t));
    cairn__release(allocator, scratch->starts, scratch->start_capacity, sizeof(uint32_t));
    cairn__release(allocator, scratch->sorted, scratch->sorted_capacity, sizeof(cairn__cell));
}

/* A new column whose bytes begin here; NULL: no memory. */
static cairn__column *begin(cairn__column_scratch *scratch, const cairn__buffer *payload) {
    if (!cairn__grow(&scratch->allocator, &scratch->columns, &scratch->column_capacity,
                     scratch->column_count + 1, sizeof *scratch->columns)) {
        return NULL;
    }
    cairn__column *column = &scratch->columns[scratch->column_count++];
    *column = (cairn__column){ .offset = (uint32_t)payload->len };
    return column;
}

static bool end(cairn__column *column, const cairn__buffer *payload) {
    if (payload->failed) {
        return false;
    }
    column->bytes = (uint32_t)payload->len - column->offset;
    column->crc = cairn__crc32c(0, cairn__span(payload->data + column->offset, column->bytes));
    return true;
}

/* values as signed numbers, in the fewest bits above their minimum */
static void put_signed(cairn__column *column, const uint64_t *values, size_t count,
                       cairn__buffer *payload) {
    int64_t low = (int64_t)values[0], high = low;
    for (size_t i = 1; i < count; i++) {
        int64_t value = (int64_t)values[i];
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    column->count = (uint32_t)count;
    column->base = (uint64_t)low;
    column->bits = (uint8_t)cairn__pack_bits((uint64_t)high - (uint64_t)low);
    cairn__pack_put(payload, values, count, column->base, column->bits);
}

/* Times are often whole seconds. Changes values. */
static void put_times(cairn__column *column, uint64_t *values, size_t count,
                      cairn__buffer *payload) {
    const int64_t power = TIME_POWER; /* known to the compiler: no division */
    bool whole = true;
    for (size_t i = 0; i < count && whole; i++) {
        whole = (int64_t)values[i] % power == 0;
    }
    for (size_t i = 0; i < count && whole; i++) {
        values[i] = (uint64_t)((int64_t)values[i] / power);
    }
    column->scale = whole ? TIME_SCALE : 0;
    put_signed(column, values, count, payload);
}

/* The integer that this number is, times a power of ten, when that is exact. */
static bool decimal_of(uint64_t bits, unsigned scale, int64_t *decimal_out) {
    double number = 0;
    memcpy(&number, &bits, sizeof number);
    double power = (double)cairn__image_powers[scale];
    double scaled = number * power;
    if (!(scaled > -DECIMAL_MAX && scaled < DECIMAL_MAX)) {
        return false; /* also NaN */
    }
    int64_t decimal = (int64_t)(scaled + (scaled < 0 ? -0.5 : 0.5));
    double again = (double)decimal / power;
    uint64_t again_bits = 0;
    memcpy(&again_bits, &again, sizeof again_bits);
    *decimal_out = decimal;
    return again_bits == bits; /* bits: -0.0 is not 0.0 */
}

/* Money and measures are decimals of few digits: 29.5 is 295 / 10. Changes values if they all are.
 */
static void put_numbers(cairn__column *column, uint64_t *values, size_t count,
                        cairn__buffer *payload) {
    unsigned scale = 0;
    int64_t decimal = 0;
    for (size_t i = 0; i < count && scale <= CAIRN__SCALE_MAX; i++) {
        while (scale <= CAIRN__SCALE_MAX && !decimal_of(values[i], scale, &decimal)) {
            scale++;
        }
    }
    bool exact = scale <= CAIRN__SCALE_MAX;
    for (size_t i = 0; i < count && exact; i++) {
        exact = decimal_of(values[i], scale, &decimal);
    }
    for (size_t i = 0; i < count && exact; i++) {
        (void)decimal_of(values[i], scale, &decimal);
        values[i] = (uint64_t)decimal;
    }
    column->scale = exact ? (uint8_t)scale : CAIRN__SCALE_RAW;
    put_signed(column, values, count, payload);
}

static bool put_runs(cairn__column_scratch *scratch, const cairn__block_rows *rows,
                     cairn__buffer *payload) {
    cairn__column *column = begin(scratch, payload);
    if (column == NULL) {
        return false;
    }
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++) {
        if (i + 1 == rows->count || rows->node[i + 1] != rows->node[i]) {
            scratch->values[count] = rows->node[i];
            scratch->rows[count++] = i + 1;
        }
    }
    put_signed(column, scratch->values, count, payload);
    uint8_t *ends = cairn__buffer_extend(payload, count * 2);
    for (size_t i = 0; ends != NULL && i < count; i++) {
        cairn__store_u16(ends + i * 2, (uint16_t)scratch->rows[i]);
    }
    return end(column, payload);
}

/* The widest gap of bits that are 0 in all orders, as cairn__order_squeeze takes it. */
static uint8_t order_gap(const cairn__block_rows *rows) {
    uint64_t any = 0;
    unsigned best_low = 0, best_gap = 0;
    for (size_t i = 0; i < rows->count; i++) {
        any |= rows->order[i];
    }
    for (unsigned low = 0; low <= CAIRN__ORDER_LOW_MAX && any >> low != 0; low++) {
        unsigned gap = (unsigned)__builtin_ctzll(any >> low);
        gap = gap > CAIRN__ORDER_GAP_MAX ? CAIRN__ORDER_GAP_MAX : gap;
        if (gap > best_gap) {
            best_low = low;
            best_gap = gap;
        }
    }
    return (uint8_t)(best_low | best_gap << CAIRN__ORDER_GAP_SHIFT);
}

static bool put_frame(cairn__column_scratch *scratch, const cairn__block_rows *rows,
                      cairn__buffer *payload) {
    cairn__column *time = begin(scratch, payload);
    if (time == NULL) {
        return false;
    }
    for (size_t i = 0; i < rows->count; i++) {
        scratch->values[i] = (uint64_t)rows->time_ms[i];
    }
    put_times(time, scratch->values, rows->count, payload);
    if (!end(time, payload)) {
        return false;
    }
    cairn__column *order = begin(scratch, payload);
    if (order == NULL) {
        return false;
    }
    order->presence_bits = order_gap(rows);
    for (size_t i = 0; i < rows->count; i++) {
        scratch->values[i] = cairn__order_squeeze(rows->order[i], order->presence_bits);
    }
    put_signed(order, scratch->values, rows->count, payload);
    return end(order, payload);
}

static bool put_names(cairn__column_scratch *scratch, const cairn__schema *schema,
                      const cairn__block_rows *rows, cairn__buffer *payload) {
    cairn__column *column = begin(scratch, payload);
    size_t known = scratch->local_capacity;
    if (column == NULL ||
        !cairn__grow(&scratch->allocator, &scratch->local, &scratch->local_capacity,
                     schema->names.count, sizeof *scratch->local)) {
        return false;
    }
    for (; known < scratch->local_capacity; known++) {
        scratch->local[known] = 0;
    }
    scratch->name_count = 0;
    for (size_t i = 0; i < rows->count; i++) {
        uint32_t *local = &scratch->local[rows->name[i]];
        if (*local == 0) {
            scratch->names[scratch->name_count++] = rows->name[i];
            *local = (uint32_t)scratch->name_count;
        }
        scratch->values[i] = *local - 1;
    }
    for (size_t i = 0; i < scratch->name_count; i++) {
        scratch->local[scratch->names[i]] = 0; /* clean for the next block */
    }
    column->count = (uint32_t)rows->count;
    column->bits = scratch->name_count <= 256 ? 8 : 16;
    cairn__pack_put(payload, scratch->values, rows->count, 0, column->bits);
    return end(column, payload);
}

static void put_presence(cairn__column *column, const uint64_t *present, size_t count, size_t rows,
                         cairn__buffer *payload) {
    size_t words = (rows + 63) / 64;
    if (count == rows) {
        column->presence = CAIRN__PRESENT_ALL;
    } else if (cairn__pack_bytes(count, ROW_BITS) < words * 8) {
        column->presence = CAIRN__PRESENT_LIST;
        column->presence_bits = ROW_BITS;
        cairn__pack_put(payload, present, count, 0, ROW_BITS);
    } else {
        column->presence = CAIRN__PRESENT_BITMAP;
        uint8_t *bitmap = cairn__buffer_extend(payload, words * 8);
        if (bitmap == NULL) {
            return;
        }
        memset(bitmap, 0, words * 8);
        for (size_t i = 0; i < count; i++) {
            bitmap[present[i] / 8] |= (uint8_t)(1u << (present[i] % 8));
        }
    }
}

static bool put_field(cairn__column_scratch *scratch, const cairn__schema *schema, cairn_span cells,
                      size_t rows, cairn__buffer *payload) {
    const cairn__cell *cell = (const cairn__cell *)(const void *)cells.data;
    size_t count = cells.len / sizeof *cell;
    cairn__column *column = begin(scratch, payload);
    if (column == NULL) {
        return false;
    }
    CAIRN_ASSERT(count <= rows); /* one cell per row and field */
    for (size_t i = 0; i < count; i++) {
        scratch->values[i] = cell[i].bits;
        scratch->rows[i] = cell[i].row;
    }
    column->field = cell->field;
    put_presence(column, scratch->rows, count, rows, payload);
    cairn_value_kind kind = schema->fields[cell->field].kind;
    if (kind == CAIRN_VALUE_TIME) {
        put_times(column, scratch->values, count, payload);
    } else if (kind == CAIRN_VALUE_NUMBER) {
        put_numbers(column, scratch->values, count, payload);
    } else {
        put_signed(column, scratch->values, count, payload);
    }
    return end(column, payload);
}

/* Cells by field, each field's by row: two stable counting sorts; the first is left out when the
 * rows come in order. scratch->starts[f] is then where the cells of field f end. */
static bool sort_cells(cairn__column_scratch *scratch, const cairn__block_rows *rows,
                       size_t fields) {
    size_t count = rows->cell_count, buckets = fields > rows->count ? fields : rows->count;
    if (!cairn__grow(&scratch->allocator, &scratch->sorted, &scratch->sorted_capacity, count * 2,
                     sizeof *scratch->sorted) ||
        !cairn__grow(&scratch->allocator, &scratch->starts, &scratch->start_capacity, buckets + 1,
                     sizeof *scratch->starts)) {
        return false;
    }
    const cairn__cell *cells = rows->cells;
    uint32_t *starts = scratch->starts;
    bool ordered = true;
    for (size_t i = 1; i < count && ordered; i++) {
        ordered = cells[i - 1].row <= cells[i].row;
    }
    if (!ordered) {
        memset(starts, 0, (rows->count + 1) * sizeof *starts);
        for (size_t i = 0; i < count; i++) {
            starts[cells[i].row + 1]++;
        }
        for (size_t i = 0; i < rows->count; i++) {
            starts[i + 1] += starts[i];
        }
        for (size_t i = 0; i < count; i++) {
            scratch->sorted[count + starts[cells[i].row]++] = cells[i];
        }
        cells = scratch->sorted + count;
    }
    memset(starts, 0, (fields + 1) * sizeof *starts);
    for (size_t i = 0; i < count; i++) {
        starts[cells[i].field + 1]++;
    }
    for (size_t i = 0; i < fields; i++) {
        starts[i + 1] += starts[i];
    }
    for (size_t i = 0; i < count; i++) {
        scratch->sorted[starts[cells[i].field]++] = cells[i];
    }
    return true;
}

bool cairn__columns_encode(cairn__column_scratch *scratch, const cairn__schema *schema,
                           const cairn__block_rows *rows, cairn__buffer *payload) {
    scratch->column_count = 0;
    if (!put_runs(scratch, rows, payload) || !put_frame(scratch, rows, payload) ||
        !put_names(scratch, schema, rows, payload)) {
        return false;
    }
    if (rows->cell_count == 0) {
        return true;
    }
    if (!sort_cells(scratch, rows, schema->field_count)) {
        return false;
    }
    size_t start = 0;
    for (size_t f = 0; f < schema->field_count; f++) {
        size_t stop = scratch->starts[f];
        cairn_span cells = { (const uint8_t *)(scratch->sorted + start),
                             (stop - start) * sizeof *scratch->sorted };
        if (stop != start && !put_field(scratch, schema, cells, rows->count, payload)) {
            return false;
        }
        start = stop;
    }
    return true;
}
