/* reader_source.c: choosing the rows of a block: by name, by time, by person. */
#include "trail/reader_source.h"

#include "trail/select.h"

static cairn_status map_names(cairn__source *source, cairn__code_of code_of, void *self) {
    cairn__image_dict dict;
    cairn_status status = cairn__image_dict_open(source->image, CAIRN__DICT_NAMES, &dict);
    if (status != CAIRN_OK) {
        return status;
    }
    size_t bytes = ((size_t)dict.count + 1) * sizeof *source->names;
    source->names = source->allocator.resize(source->allocator.self, NULL, 0, bytes);
    source->name_count = dict.count;
    if (source->names == NULL) {
        return CAIRN_NO_MEMORY;
    }
    for (uint32_t i = 0; i < dict.count; i++) {
        cairn_span name;
        if (!cairn__image_dict_string(&dict, i, &name)) {
            return CAIRN_STORAGE;
        }
        if (!code_of(self, name, &source->names[i])) {
            return CAIRN_NO_MEMORY;
        }
    }
    return CAIRN_OK;
}

/* The column of a property + 1; 0: nobody wants it. */
static uint32_t column_of(const cairn__reader_options *options, cairn_span name) {
    for (size_t i = 0; i < options->property_count; i++) {
        if (cairn__span_equal(options->properties[i], name)) {
            return (uint32_t)i + 1;
        }
    }
    return 0;
}

static cairn_status map_field(cairn__source *source, uint32_t number, uint32_t column) {
    cairn__source_field *field = &source->fields[number];
    cairn__image_dict entry = cairn__image_dict_entry(source->image, CAIRN__DICT_FIELDS + number);
    field->kind = (cairn_value_kind)entry.kind;
    field->column = column;
    if (column == 0 || (field->kind != CAIRN_VALUE_STRING && field->kind != CAIRN_VALUE_LIST)) {
        return CAIRN_OK;
    }
    cairn_status status =
        cairn__image_dict_open(source->image, CAIRN__DICT_FIELDS + number, &field->dict);
    if (status != CAIRN_OK) {
        return status;
    }
    size_t bytes = ((size_t)entry.count + 1) * sizeof *field->codes;
    field->codes = source->allocator.resize(source->allocator.self, NULL, 0, bytes);
    if (field->codes == NULL) {
        return CAIRN_NO_MEMORY;
    }
    memset(field->codes, 0, bytes);
    return CAIRN_OK;
}

static cairn_status map_fields(cairn__source *source, const cairn__reader_options *options) {
    cairn__image_dict properties;
    size_t count = source->image->dict_count - CAIRN__DICT_FIELDS;
    cairn_status status =
        cairn__image_dict_open(source->image, CAIRN__DICT_PROPERTIES, &properties);
    if (status != CAIRN_OK || options->property_count == 0) {
        return status;
    }
    size_t bytes = (count + 1) * sizeof *source->fields;
    source->fields = source->allocator.resize(source->allocator.self, NULL, 0, bytes);
    if (source->fields == NULL) {
        return CAIRN_NO_MEMORY;
    }
    memset(source->fields, 0, bytes);
    source->field_count = count;
    for (uint32_t i = 0; i < count && status == CAIRN_OK; i++) {
        uint32_t property = cairn__image_dict_entry(source->image, CAIRN__DICT_FIELDS + i).property;
        cairn_span name;
        if (!cairn__image_dict_string(&properties, property, &name)) {
            return CAIRN_STORAGE;
        }
        status = map_field(source, i, column_of(options, name));
    }
    return status;
}

cairn_status cairn__source_open(cairn__source *source, const cairn__reader_options *options,
                                cairn__code_of code_of, void *self) {
    cairn_status status = map_names(source, code_of, self);
    return status == CAIRN_OK ? map_fields(source, options) : status;
}

void cairn__source_close(cairn__source *source) {
    const cairn_allocator *allocator = &source->allocator;
    cairn__release(allocator, source->names, source->name_count + 1, sizeof *source->names);
    for (size_t i = 0; i < source->field_count; i++) {
        cairn__release(allocator, source->fields[i].codes, (size_t)source->fields[i].dict.count + 1,
                       sizeof(uint32_t));
    }
    cairn__release(allocator, source->fields, source->field_count + 1, sizeof *source->fields);
}

/* Which names of the block are wanted, and as what; how many. */
static uint32_t learn_names(const cairn__source *source, const cairn__image_view *view) {
    cairn__scan_scratch *scratch = source->scratch;
    uint32_t wanted = 0;
    for (uint32_t i = 0; i < view->name_count; i++) {
        uint32_t code = source->names[cairn__load_u32(view->names + (size_t)i * 4)];
        scratch->wanted[i] = code != 0;
        scratch->code[i] = (uint16_t)(code - 1);
        wanted += code != 0;
    }
    return wanted;
}

static size_t keep_times(cairn__scan_scratch *scratch, size_t count, const cairn__image_chunk *time,
                         const cairn__selection *selection) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        uint16_t row = scratch->rows[i];
        int64_t at = cairn__decode_time(time, row);
        scratch->rows[kept] = row;
        kept += at >= selection->from_ms && at < selection->to_ms;
    }
    return kept;
}

static bool is_chosen(const cairn__selection *selection, uint32_t node, uint32_t *person_out) {
    uint32_t person = cairn__person_of(selection, node);
    *person_out = person;
    return (person != node) == selection->moved && person >= selection->first &&
           (person < selection->end || selection->end == UINT32_MAX);
}

/* Name the persons of the chosen rows; rows of other nodes are dropped. */
static size_t keep_persons(cairn__scan_scratch *scratch, size_t count,
                           const cairn__image_chunk *runs, const cairn__selection *selection,
                           cairn__rowset *set) {
    size_t at = 0, kept = 0, rows_before = set->rows;
    uint64_t mask = cairn__pack_mask(runs->bits);
    for (uint32_t i = 0; i < runs->count && at < count; i++) {
        uint32_t end = cairn__load_u16(runs->ends + (size_t)i * 2);
        size_t first = at;
        while (at < count && scratch->rows[at] < end) {
            at++;
        }
        uint32_t person = 0;
        uint32_t node = (uint32_t)(runs->base + cairn__pack_get(runs->values, runs->bits, mask, i));
        if (at == first || !is_chosen(selection, node, &person)) {
            continue;
        }
        set->rows = rows_before + kept;
        cairn__rowset_person(set, person);
        if (kept != first) {
            memmove(scratch->rows + kept, scratch->rows + first,
                    (at - first) * sizeof *scratch->rows);
        }
        kept += at - first;
    }
    set->rows = rows_before;
    return kept;
}

static bool is_inside(const cairn__image_block *block, const cairn__selection *selection) {
    return block->time_min >= selection->from_ms && block->time_max < selection->to_ms;
}

static cairn_status gather_frame(cairn__source *source, const cairn__image_view *view,
                                 const cairn__image_chunk *time, size_t count, cairn__rowset *set) {
    cairn__image_chunk order;
    cairn_status status = cairn__image_chunk_open(source->image, view, CAIRN__CHUNK_ORDER, &order);
    if (status != CAIRN_OK) {
        return status;
    }
    const uint16_t *rows = source->scratch->rows;
    uint64_t power = cairn__decode_power(time), mask = cairn__pack_mask(time->bits);
    int64_t *time_out = set->time_ms + set->rows;
    for (size_t i = 0; i < count; i++) {
        uint64_t value = time->base + cairn__pack_get(time->values, time->bits, mask, rows[i]);
        time_out[i] = (int64_t)(value * power);
    }
    uint64_t *order_out = set->order + set->rows;
    mask = cairn__pack_mask(order.bits);
    for (size_t i = 0; i < count; i++) {
        order_out[i] = order.base + cairn__pack_get(order.values, order.bits, mask, rows[i]);
    }
    return CAIRN_OK;
}

static void gather_names(const cairn__scan_scratch *scratch, const cairn__image_chunk *names,
                         size_t count, uint16_t *name_out) {
    if (names->bits == 8) {
        for (size_t i = 0; i < count; i++) {
            name_out[i] = scratch->code[names->values[scratch->rows[i]]];
        }
        return;
    }
    for (size_t i = 0; i < count; i++) {
        name_out[i] = scratch->code[cairn__decode_code(names, scratch->rows[i])];
    }
}

cairn_status cairn__source_scan(cairn__source *source, uint32_t block,
                                const cairn__selection *selection, cairn__rowset *set) {
    cairn__image_view view;
    cairn__image_chunk names, runs, time;
    cairn_status status = cairn__image_view_open(source->image, block, &view);
    if (status != CAIRN_OK) {
        return status;
    }
    uint32_t wanted = learn_names(source, &view);
    if (wanted == 0) {
        return CAIRN_OK;
    }
    source->rows_read += view.block.rows;
    status = cairn__image_chunk_open(source->image, &view, CAIRN__CHUNK_NAME, &names);
    if (status == CAIRN_OK) {
        status = cairn__image_chunk_open(source->image, &view, CAIRN__CHUNK_RUNS, &runs);
    }
    if (status == CAIRN_OK) {
        status = cairn__image_chunk_open(source->image, &view, CAIRN__CHUNK_TIME, &time);
    }
    if (status != CAIRN_OK) {
        return status;
    }
    size_t count = wanted == view.name_count
                       ? cairn__select_all(view.block.rows, source->scratch->rows)
                       : cairn__select(&names, source->scratch->wanted, source->scratch->rows);
    if (!is_inside(&view.block, selection)) {
        count = keep_times(source->scratch, count, &time, selection);
    }
    if (!cairn__rowset_reserve(set, count)) {
        return CAIRN_NO_MEMORY;
    }
    count = keep_persons(source->scratch, count, &runs, selection, set);
    if (count == 0) {
        return CAIRN_OK;
    }
    status = gather_frame(source, &view, &time, count, set);
    gather_names(source->scratch, &names, count, set->name + set->rows);
    if (status == CAIRN_OK && set->column_count != 0) {
        status = cairn__source_gather(source, &view, count, set);
    }
    set->rows += count;
    return status;
}
