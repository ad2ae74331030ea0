/* image_write.c: blocks, dictionaries, directory, trailer, in the order of image.h. */
#include "trail/image_write.h"

#include "base/assert.h"
#include "base/crc32c.h"
#include "trail/column.h"

#define BLOCK_BYTES_MAX ((size_t)UINT32_MAX)

enum { DICT_PIECE_BYTES = 1 << 20 };

struct cairn__image_writer {
    cairn_allocator allocator;
    const cairn__schema *schema;
    cairn__image_sink sink;
    uint64_t offset; /* bytes written so far */
    uint64_t rows_total;
    uint64_t order_min, order_max;
    uint32_t block_count, chunk_count;
    cairn_status status; /* the first failure; nothing is written after it */
    cairn__buffer header, payload, directory;
    cairn__column_scratch scratch;
    cairn__block_rows rows;
};

static bool sink_buffer(void *self, cairn_span bytes) {
    cairn__buffer *buffer = self;
    cairn__buffer_append(buffer, bytes);
    return !buffer->failed;
}

cairn__image_sink cairn__image_sink_buffer(cairn__buffer *buffer) {
    return (cairn__image_sink){ sink_buffer, buffer };
}

static void emit(cairn__image_writer *writer, cairn_span bytes) {
    if (writer->status != CAIRN_OK) {
        return;
    }
    if (!writer->sink.write(writer->sink.self, bytes)) {
        writer->status = CAIRN_STORAGE;
        return;
    }
    writer->offset += bytes.len;
}

/* Emit a buffer made for it, unless it ran out of memory. */
static void emit_buffer(cairn__image_writer *writer, const cairn__buffer *buffer) {
    if (buffer->failed && writer->status == CAIRN_OK) {
        writer->status = CAIRN_NO_MEMORY;
    }
    emit(writer, cairn__buffer_span(buffer));
}

cairn__image_writer *cairn__image_writer_make(cairn_allocator allocator) {
    cairn__image_writer *writer = allocator.resize(allocator.self, NULL, 0, sizeof *writer);
    if (writer == NULL) {
        return NULL;
    }
    memset(writer, 0, sizeof *writer);
    writer->allocator = allocator;
    writer->header = cairn__buffer_make(allocator, BLOCK_BYTES_MAX);
    writer->payload = cairn__buffer_make(allocator, BLOCK_BYTES_MAX);
    writer->directory = cairn__buffer_make(allocator, SIZE_MAX / 2);
    writer->scratch.allocator = allocator;
    return writer;
}

void cairn__image_writer_begin(cairn__image_writer *writer, const cairn__schema *schema,
                               cairn__image_sink sink) {
    writer->schema = schema;
    writer->sink = sink;
    writer->status = CAIRN_OK;
    writer->offset = writer->rows_total = writer->order_max = 0;
    writer->order_min = UINT64_MAX;
    writer->block_count = writer->chunk_count = 0;
    writer->rows.count = writer->rows.cell_count = 0;
    cairn__buffer_clear(&writer->directory);
    emit(writer, CAIRN__IMAGE_MAGIC);
}

void cairn__image_writer_free(cairn__image_writer *writer) {
    if (writer == NULL) {
        return;
    }
    cairn__buffer_free(&writer->header);
    cairn__buffer_free(&writer->payload);
    cairn__buffer_free(&writer->directory);
    cairn__column_scratch_free(&writer->scratch);
    cairn__release(&writer->allocator, writer->rows.cells, writer->rows.cell_capacity,
                   sizeof *writer->rows.cells);
    writer->allocator.resize(writer->allocator.self, writer, sizeof *writer, 0);
}

cairn__block_rows *cairn__image_writer_rows(cairn__image_writer *writer) {
    return &writer->rows;
}

cairn__cell *cairn__image_writer_cells(cairn__image_writer *writer, size_t count) {
    cairn__block_rows *rows = &writer->rows;
    if (!cairn__grow(&writer->allocator, &rows->cells, &rows->cell_capacity,
                     rows->cell_count + count + 1, sizeof *rows->cells)) {
        return NULL;
    }
    return rows->cells + rows->cell_count;
}

static void put_chunk_entry(cairn__buffer *header, const cairn__column *column) {
    uint8_t *at = cairn__buffer_extend(header, CAIRN__IMAGE_CHUNK_BYTES);
    if (at == NULL) {
        return;
    }
    cairn__store_u32(at, column->field);
    cairn__store_u32(at + 4, column->offset);
    cairn__store_u32(at + 8, column->bytes);
    cairn__store_u32(at + 12, column->crc);
    cairn__store_u64(at + 16, column->base);
    cairn__store_u32(at + 24, column->count);
    at[28] = column->bits;
    at[29] = column->presence;
    at[30] = column->scale;
    at[31] = column->presence_bits;
}

static void put_block_entry(cairn__image_writer *writer, size_t columns) {
    const cairn__block_rows *rows = &writer->rows;
    uint8_t *at = cairn__buffer_extend(&writer->directory, CAIRN__IMAGE_BLOCK_BYTES);
    if (at == NULL) {
        return;
    }
    int64_t time_min = rows->time_ms[0], time_max = rows->time_ms[0];
    for (size_t i = 1; i < rows->count; i++) {
        time_min = rows->time_ms[i] < time_min ? rows->time_ms[i] : time_min;
        time_max = rows->time_ms[i] > time_max ? rows->time_ms[i] : time_max;
    }
    cairn__store_u64(at, writer->offset);
    cairn__store_u32(at + 8, (uint32_t)(writer->header.len + writer->payload.len));
    cairn__store_u32(at + 12, (uint32_t)rows->count);
    cairn__store_u32(at + 16, rows->node[0]);
    cairn__store_u32(at + 20, rows->node[rows->count - 1]);
    cairn__store_u64(at + 24, (uint64_t)time_min);
    cairn__store_u64(at + 32, (uint64_t)time_max);
    cairn__store_u32(at + 40, writer->chunk_count);
    cairn__store_u32(at + 44, (uint32_t)columns);
    cairn__store_u32(at + 48, (uint32_t)writer->header.len);
    cairn__store_u32(at + 52, cairn__crc32c(0, cairn__buffer_span(&writer->header)));
}

static void learn_orders(cairn__image_writer *writer) {
    const cairn__block_rows *rows = &writer->rows;
    for (size_t i = 0; i < rows->count; i++) {
        uint64_t order = rows->order[i];
        writer->order_min = order < writer->order_min ? order : writer->order_min;
        writer->order_max = order > writer->order_max ? order : writer->order_max;
    }
}

static cairn_status put_rows(cairn__image_writer *writer) {
    cairn__column_scratch *scratch = &writer->scratch;
    cairn__buffer_clear(&writer->header);
    cairn__buffer_clear(&writer->payload);
    if (!cairn__columns_encode(scratch, writer->schema, &writer->rows, &writer->payload)) {
        return CAIRN_NO_MEMORY;
    }
    cairn__buffer_u32(&writer->header, (uint32_t)scratch->name_count);
    cairn__buffer_u32(&writer->header, 0);
    for (size_t i = 0; i < scratch->name_count; i++) {
        cairn__buffer_u32(&writer->header, scratch->names[i]);
    }
    for (size_t i = 0; i < scratch->column_count; i++) {
        put_chunk_entry(&writer->header, &scratch->columns[i]);
    }
    if (writer->header.failed || writer->header.len + writer->payload.len > BLOCK_BYTES_MAX) {
        return CAIRN_NO_MEMORY;
    }
    put_block_entry(writer, scratch->column_count);
    emit_buffer(writer, &writer->header);
    emit_buffer(writer, &writer->payload);
    writer->block_count++;
    writer->chunk_count += (uint32_t)scratch->column_count;
    writer->rows_total += writer->rows.count;
    learn_orders(writer);
    return writer->directory.failed ? CAIRN_NO_MEMORY : writer->status;
}

cairn_status cairn__image_writer_put(cairn__image_writer *writer) {
    if (writer->status == CAIRN_OK && writer->rows.count != 0) {
        writer->status = put_rows(writer);
    }
    writer->rows.count = 0;
    writer->rows.cell_count = 0;
    return writer->status;
}

static void put_dict_ends(cairn__image_writer *writer, const cairn__dict *dict, unsigned bits) {
    uint8_t *run = cairn__pack_reserve(&writer->payload, dict->count, bits);
    uint64_t end = 0;
    for (size_t i = 0; run != NULL && bits != 0 && i < dict->count; i++) {
        end += dict->entries[i].len;
        cairn__pack_set(run, bits, i, end);
    }
}

/* The packed ends of a dictionary, then its text, by the piece; its entry goes to the directory. */
static void put_dict(cairn__image_writer *writer, const cairn__dict *dict, uint32_t property,
                     cairn_value_kind kind) {
    unsigned bits = cairn__pack_bits(dict->text_bytes);
    uint64_t offset = writer->offset;
    uint32_t crc = 0;
    cairn__buffer_clear(&writer->payload);
    put_dict_ends(writer, dict, bits);
    for (size_t i = 0; i <= dict->count; i++) {
        if (i == dict->count || writer->payload.len >= DICT_PIECE_BYTES) {
            crc = cairn__crc32c(crc, cairn__buffer_span(&writer->payload));
            emit_buffer(writer, &writer->payload);
            cairn__buffer_clear(&writer->payload);
        }
        if (i < dict->count) {
            cairn__buffer_append(&writer->payload, cairn__dict_string(dict, (uint32_t)i));
        }
    }
    uint8_t *at = cairn__buffer_extend(&writer->directory, CAIRN__IMAGE_DICT_BYTES);
    if (at == NULL || writer->status != CAIRN_OK) {
        return;
    }
    cairn__store_u64(at, offset);
    cairn__store_u64(at + 8, writer->offset - offset);
    cairn__store_u32(at + 16, (uint32_t)dict->count);
    cairn__store_u32(at + 20, crc);
    cairn__store_u32(at + 24, property);
    at[28] = (uint8_t)bits;
    at[29] = (uint8_t)kind;
    cairn__store_u16(at + 30, 0);
}

static void put_trailer(cairn__image_writer *writer, uint64_t directory_offset) {
    uint8_t at[CAIRN__IMAGE_TRAILER_BYTES];
    memcpy(at, CAIRN__IMAGE_MAGIC.data, CAIRN__IMAGE_MAGIC_BYTES);
    cairn__store_u32(at + 8, CAIRN__IMAGE_VERSION);
    cairn__store_u32(at + 12, writer->block_count);
    cairn__store_u64(at + 16, writer->rows_total);
    cairn__store_u32(at + 24, writer->chunk_count);
    cairn__store_u32(at + 28, CAIRN__DICT_FIELDS + (uint32_t)writer->schema->field_count);
    cairn__store_u64(at + 32, directory_offset);
    cairn__store_u64(at + 40, writer->directory.len);
    cairn__store_u64(at + 48, writer->order_min);
    cairn__store_u64(at + 56, writer->order_max);
    cairn__store_u32(at + 64, cairn__crc32c(0, cairn__buffer_span(&writer->directory)));
    cairn__store_u32(at + 68, cairn__crc32c(0, cairn__span(at, sizeof at - 4)));
    emit(writer, cairn__span(at, sizeof at));
}

cairn_status cairn__image_writer_finish(cairn__image_writer *writer) {
    const cairn__schema *schema = writer->schema;
    (void)cairn__image_writer_put(writer);
    put_dict(writer, &schema->names, 0, CAIRN_VALUE_NULL);
    put_dict(writer, &schema->properties, 0, CAIRN_VALUE_NULL);
    for (size_t i = 0; i < schema->field_count; i++) {
        const cairn__schema_field *field = &schema->fields[i];
        put_dict(writer, &field->dict, field->property, field->kind);
    }
    uint64_t directory_offset = writer->offset;
    emit_buffer(writer, &writer->directory);
    put_trailer(writer, directory_offset);
    return writer->status;
}
