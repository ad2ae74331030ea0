/* reader_source.c: choosing the rows of a block: by name, by time, by person. */
#include "trail/reader_source.h"

#include "trail/pick.h"

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
    for (uint32_t i = view->name_count; i < CAIRN__PICK_CODES; i++) {
        scratch->wanted[i] = 0; /* codes that no row has */
    }
    return wanted;
}

static bool is_chosen(const cairn__selection *selection, uint32_t node) {
    uint32_t person = cairn__person_of(selection, node);
    return (person != node) == selection->moved && person >= selection->first &&
           (person < selection->end || selection->end == UINT32_MAX);
}

/* Drop the rows of nodes that the selection does not take. */
static void drop_nodes(cairn__pick *pick, const cairn__image_chunk *runs,
                       const cairn__selection *selection) {
    uint64_t mask = cairn__pack_mask(runs->bits);
    uint32_t first = 0;
    for (uint32_t i = 0; i < runs->count; i++) {
        uint32_t end = cairn__load_u16(runs->ends + (size_t)i * 2);
        uint64_t node = runs->base + cairn__pack_get(runs->values, runs->bits, mask, i);
        if (!is_chosen(selection, (uint32_t)node)) {
            cairn__pick_drop(pick, first, end);
        }
        first = end;
    }
}

/* Name the persons of the chosen rows. A person who goes on from the block before is not named
 * again. */
static void name_persons(const cairn__pick *pick, const cairn__image_chunk *runs,
                         const cairn__selection *selection, cairn__rowset *set) {
    uint32_t *persons = set->persons + set->person_count;
    uint32_t *starts = set->starts + set->person_count;
    size_t count =
        cairn__pick_runs(pick, runs, (cairn__pick_nodes){ persons, starts, (uint32_t)set->rows });
    for (size_t i = 0; selection->moved && i < count; i++) {
        persons[i] = cairn__person_of(selection, persons[i]);
    }
    if (set->person_count != 0 && count != 0 && persons[0] == persons[-1]) {
        count--;
        memmove(persons, persons + 1, count * sizeof *persons);
        memmove(starts, starts + 1, count * sizeof *starts);
    }
    set->person_count += count;
}

static bool is_inside(const cairn__image_block *block, const cairn__selection *selection) {
    return block->time_min >= selection->from_ms && block->time_max < selection->to_ms;
}

static bool takes_all_nodes(const cairn__image_block *block, const cairn__selection *selection) {
    return selection->person_of == NULL && !selection->moved &&
           block->node_min >= selection->first &&
           (block->node_max < selection->end || selection->end == UINT32_MAX);
}

static void gather_names(const cairn__scan_scratch *scratch, const cairn__image_chunk *names,
                         uint16_t *name_out) {
    const uint16_t *rows = scratch->pick.rows;
    size_t count = scratch->pick.count;
    if (names->bits == 8) {
        for (size_t i = 0; i < count; i++) {
            name_out[i] = scratch->code[names->values[rows[i]]];
        }
        return;
    }
    for (size_t i = 0; i < count; i++) {
        name_out[i] = scratch->code[cairn__decode_code(names, rows[i])];
    }
}

/* The block's columns that every scan needs. */
typedef struct frame {
    cairn__image_view view;
    cairn__image_chunk names, runs, time, order;
} frame;

static cairn_status open_frame(cairn__source *source, const cairn__selection *selection, frame *f) {
    cairn__image_chunk *chunks[] = { &f->runs, &f->time, &f->order, &f->names };
    cairn_status status = CAIRN_OK;
    for (uint32_t i = 0; i < CAIRN__CHUNK_FIELDS && status == CAIRN_OK; i++) {
        if (i != CAIRN__CHUNK_ORDER || !selection->without_order) {
            status = cairn__image_chunk_open(source->image, &f->view, i, chunks[i]);
        }
    }
    return status;
}

/* Narrow the rows of the block down to those that are asked for. */
static void choose(cairn__source *source, const frame *f, bool all_names,
                   const cairn__selection *selection) {
    cairn__pick *pick = &source->scratch->pick;
    if (all_names) {
        cairn__pick_all(pick, f->view.block.rows);
    } else {
        cairn__pick_names(pick, &f->names, source->scratch->wanted);
    }
    if (!takes_all_nodes(&f->view.block, selection)) {
        drop_nodes(pick, &f->runs, selection);
    }
    if (!is_inside(&f->view.block, selection)) {
        cairn__pick_times(pick, &f->time, selection->from_ms, selection->to_ms);
    }
    cairn__pick_count(pick);
}

static void take_orders(const cairn__image_chunk *chunk, cairn__pick_places places,
                        uint64_t *orders_out) {
    cairn__pick_values(chunk, places, 1, orders_out);
    for (size_t i = 0; chunk->presence_bits != 0 && i < places.count; i++) {
        orders_out[i] = cairn__order_widen(orders_out[i], chunk->presence_bits);
    }
}

static cairn_status take(cairn__source *source, const frame *f, const cairn__selection *selection,
                         cairn__rowset *set) {
    cairn__pick *pick = &source->scratch->pick;
    if (!cairn__rowset_reserve(set, pick->count)) {
        return CAIRN_NO_MEMORY;
    }
    name_persons(pick, &f->runs, selection, set);
    cairn__pick_rows(pick);
    cairn__pick_places places = { pick->rows, pick->count };
    uint64_t *times = (uint64_t *)(void *)(set->time_ms + set->rows);
    cairn__pick_values(&f->time, places, cairn__decode_power(&f->time), times);
    if (!selection->without_order) {
        take_orders(&f->order, places, set->order + set->rows);
    }
    gather_names(source->scratch, &f->names, set->name + set->rows);
    cairn_status status =
        set->column_count == 0 ? CAIRN_OK : cairn__source_gather(source, &f->view, set);
    set->rows += pick->count;
    return status;
}

cairn_status cairn__source_scan(cairn__source *source, uint32_t block,
                                const cairn__selection *selection, cairn__rowset *set) {
    frame f;
    cairn_status status = cairn__image_view_open(source->image, block, &f.view);
    if (status != CAIRN_OK) {
        return status;
    }
    uint32_t wanted = learn_names(source, &f.view);
    if (wanted == 0) {
        return CAIRN_OK;
    }
    source->rows_read += f.view.block.rows;
    status = open_frame(source, selection, &f);
    if (status != CAIRN_OK) {
        return status;
    }
    choose(source, &f, wanted == f.view.name_count, selection);
    return source->scratch->pick.count == 0 ? CAIRN_OK : take(source, &f, selection, set);
}
