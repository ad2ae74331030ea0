/* merge_source.c: decoding the blocks of an image, and moving its cells. */
#include "trail/merge_source.h"

#include "trail/decode.h"

static void *make_array(const cairn_allocator *allocator, size_t count, size_t size) {
    return allocator->resize(allocator->self, NULL, 0, (count + 1) * size);
}

static void free_array(const cairn_allocator *allocator, void *at, size_t count, size_t size) {
    if (at != NULL) {
        allocator->resize(allocator->self, at, (count + 1) * size, 0);
    }
}

/* Numbers of all strings of a dictionary of the source in a dictionary of the schema. The source
 * outlives the schema, so the strings stay where they are. */
static cairn_status map_dict(cairn__merge_source *source, uint32_t number, cairn__dict *to,
                             uint32_t **codes_out) {
    cairn__image_dict dict;
    cairn_status status = cairn__image_dict_open(source->image, number, &dict);
    if (status != CAIRN_OK) {
        return status;
    }
    uint32_t *codes = make_array(&source->allocator, dict.count, sizeof *codes);
    *codes_out = codes;
    if (codes == NULL) {
        return CAIRN_NO_MEMORY;
    }
    for (uint32_t i = 0; i < dict.count; i++) {
        cairn_span string;
        if (!cairn__image_dict_string(&dict, i, &string)) {
            return CAIRN_STORAGE;
        }
        if (!cairn__dict_borrow(to, string, &codes[i])) {
            return CAIRN_NO_MEMORY;
        }
    }
    return CAIRN_OK;
}

static cairn_status map_field(cairn__merge_source *source, uint32_t number,
                              const cairn__image_dict *properties, cairn__schema *schema) {
    cairn__merge_field *field = &source->fields[number];
    cairn__image_dict entry = cairn__image_dict_entry(source->image, CAIRN__DICT_FIELDS + number);
    cairn_span name;
    uint32_t property = 0;
    cairn_value_kind kind = (cairn_value_kind)entry.kind;
    if (!cairn__image_dict_string(properties, entry.property, &name)) {
        return CAIRN_STORAGE;
    }
    if (!cairn__schema_property_of(schema, name, &property) ||
        !cairn__schema_field_of(schema, property, kind, &field->field)) {
        return CAIRN_NO_MEMORY;
    }
    cairn__schema_field *to = &schema->fields[field->field];
    if (to->user == source->number) {
        return CAIRN_STORAGE; /* no image that we wrote has a field twice */
    }
    to->user = source->number;
    if (kind != CAIRN_VALUE_STRING && kind != CAIRN_VALUE_LIST) {
        return CAIRN_OK;
    }
    field->code_count = entry.count;
    return map_dict(source, CAIRN__DICT_FIELDS + number, &to->dict, &field->codes);
}

static cairn_status map_fields(cairn__merge_source *source, cairn__schema *schema) {
    cairn__image_dict properties;
    cairn_status status =
        cairn__image_dict_open(source->image, CAIRN__DICT_PROPERTIES, &properties);
    size_t count = source->image->dict_count - CAIRN__DICT_FIELDS;
    if (status != CAIRN_OK) {
        return status;
    }
    source->fields = make_array(&source->allocator, count, sizeof *source->fields);
    if (source->fields == NULL) {
        return CAIRN_NO_MEMORY;
    }
    memset(source->fields, 0, (count + 1) * sizeof *source->fields);
    source->field_count = count;
    for (size_t i = 0; i < count && status == CAIRN_OK; i++) {
        status = map_field(source, (uint32_t)i, &properties, schema);
    }
    return status;
}

static bool make_arrays(cairn__merge_source *source) {
    const cairn_allocator *allocator = &source->allocator;
    uint32_t rows = 0;
    for (uint32_t i = 0; i < source->image->block_count; i++) {
        uint32_t here = cairn__image_block_at(source->image, i).rows;
        rows = here > rows ? here : rows;
    }
    source->capacity = rows;
    source->node = make_array(allocator, rows, sizeof *source->node);
    source->time_ms = make_array(allocator, rows, sizeof *source->time_ms);
    source->order = make_array(allocator, rows, sizeof *source->order);
    source->name = make_array(allocator, rows, sizeof *source->name);
    source->place = make_array(allocator, rows, sizeof *source->place);
    return source->node != NULL && source->time_ms != NULL && source->order != NULL &&
           source->name != NULL && source->place != NULL;
}

cairn_status cairn__merge_source_open(cairn__merge_source *source, cairn__schema *schema) {
    source->name_count = cairn__image_dict_entry(source->image, CAIRN__DICT_NAMES).count;
    if (!make_arrays(source)) {
        return CAIRN_NO_MEMORY;
    }
    cairn_status status = map_dict(source, CAIRN__DICT_NAMES, &schema->names, &source->names);
    if (status == CAIRN_OK) {
        status = map_fields(source, schema);
    }
    return status == CAIRN_OK ? cairn__merge_source_next(source) : status;
}

void cairn__merge_source_close(cairn__merge_source *source) {
    const cairn_allocator *allocator = &source->allocator;
    free_array(allocator, source->node, source->capacity, sizeof *source->node);
    free_array(allocator, source->time_ms, source->capacity, sizeof *source->time_ms);
    free_array(allocator, source->order, source->capacity, sizeof *source->order);
    free_array(allocator, source->name, source->capacity, sizeof *source->name);
    free_array(allocator, source->place, source->capacity, sizeof *source->place);
    free_array(allocator, source->names, source->name_count, sizeof *source->names);
    for (size_t i = 0; i < source->field_count; i++) {
        free_array(allocator, source->fields[i].codes, source->fields[i].code_count,
                   sizeof *source->fields[i].codes);
    }
    free_array(allocator, source->fields, source->field_count, sizeof *source->fields);
    cairn__release(allocator, source->resume, source->resume_capacity, sizeof *source->resume);
}

static cairn_status decode_block(cairn__merge_source *source) {
    cairn__image_chunk runs, time, order, name;
    cairn_status status = cairn__decode_frame(source->image, &source->view, &runs, &time, &order);
    if (status == CAIRN_OK) {
        status = cairn__image_chunk_open(source->image, &source->view, CAIRN__CHUNK_NAME, &name);
    }
    if (status != CAIRN_OK) {
        return status;
    }
    cairn__decode_nodes(&runs, source->node);
    for (uint32_t i = 0; i < source->view.block.rows; i++) {
        source->time_ms[i] = cairn__decode_time(&time, i);
        source->order[i] = cairn__decode_order(&order, i);
        uint32_t local = cairn__decode_code(&name, i);
        source->name[i] = source->names[cairn__load_u32(source->view.names + (size_t)local * 4)];
    }
    return CAIRN_OK;
}

cairn_status cairn__merge_source_next(cairn__merge_source *source) {
    source->row = source->row_count = source->moved = 0;
    if (source->block == source->image->block_count) {
        return CAIRN_OK;
    }
    cairn_status status = cairn__image_view_open(source->image, source->block++, &source->view);
    if (status == CAIRN_OK) {
        status = decode_block(source);
    }
    if (status != CAIRN_OK) {
        return status;
    }
    size_t chunks = source->view.block.chunk_count;
    if (!cairn__grow(&source->allocator, &source->resume, &source->resume_capacity, chunks,
                     sizeof *source->resume)) {
        return CAIRN_NO_MEMORY;
    }
    memset(source->resume, 0, chunks * sizeof *source->resume);
    source->row_count = source->view.block.rows;
    return CAIRN_OK;
}

/* Value i of the chunk as a cell's bits; false: a code that its dictionary does not have. */
static bool cell_bits(const cairn__merge_field *field, const cairn__image_chunk *chunk,
                      cairn_value_kind kind, uint32_t i, uint64_t *bits_out) {
    uint64_t bits = cairn__decode_bits(chunk, kind, i);
    if (field->codes != NULL) {
        if (bits >= field->code_count) {
            return false;
        }
        bits = field->codes[bits];
    }
    *bits_out = bits;
    return true;
}

static cairn_status move_chunk(cairn__merge_source *source, uint32_t number,
                               cairn__image_writer *writer) {
    cairn__image_chunk chunk;
    cairn_status status = cairn__image_chunk_open(source->image, &source->view, number, &chunk);
    if (status != CAIRN_OK) {
        return status;
    }
    const cairn__merge_field *field = &source->fields[chunk.field];
    cairn_value_kind kind =
        (cairn_value_kind)cairn__image_dict_entry(source->image, CAIRN__DICT_FIELDS + chunk.field)
            .kind;
    cairn__cell *cells = cairn__image_writer_cells(writer, source->row - source->moved);
    if (cells == NULL) {
        return CAIRN_NO_MEMORY;
    }
    uint32_t i = source->resume[number];
    size_t count = 0;
    cairn__present present = cairn__present_from(&chunk, source->view.block.rows, i, source->moved);
    uint32_t row = 0;
    for (; i < chunk.count && cairn__present_next(&present, &row) && row < source->row; i++) {
        cairn__cell *cell = &cells[count++];
        cell->field = field->field;
        cell->row = source->place[row];
        if (!cell_bits(field, &chunk, kind, i, &cell->bits)) {
            return CAIRN_STORAGE;
        }
    }
    source->resume[number] = i;
    cairn__image_writer_rows(writer)->cell_count += count;
    return CAIRN_OK;
}

cairn_status cairn__merge_source_move(cairn__merge_source *source, cairn__image_writer *writer) {
    if (source->row == source->moved) {
        return CAIRN_OK;
    }
    for (uint32_t i = CAIRN__CHUNK_FIELDS; i < source->view.block.chunk_count; i++) {
        cairn_status status = move_chunk(source, i, writer);
        if (status != CAIRN_OK) {
            return status;
        }
    }
    source->moved = source->row;
    return CAIRN_OK;
}
