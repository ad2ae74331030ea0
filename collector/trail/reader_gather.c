/* reader_gather.c: the values of the chosen rows, column by column. */
#include "trail/reader_source.h"

#include "base/assert.h"
#include "trail/schema.h"

/* The reader's number of a text or list of this field, learned at its first sight. */
static cairn_status learn_string(cairn__source *source, cairn__source_field *field, uint64_t code) {
    cairn__reader_strings *strings = source->strings;
    cairn_span string;
    uint32_t number = 0;
    if (!cairn__image_dict_string(&field->dict, code, &string)) {
        return CAIRN_STORAGE;
    }
    bool list = field->kind == CAIRN_VALUE_LIST;
    cairn__dict *dict = list ? &strings->lists : &strings->texts;
    if (list && !cairn__grow(&dict->allocator, &strings->decoded, &strings->decoded_capacity,
                             dict->count + 1, sizeof *strings->decoded)) {
        return CAIRN_NO_MEMORY;
    }
    size_t known = dict->count;
    if (!cairn__dict_borrow(dict, string, &number)) {
        return CAIRN_NO_MEMORY;
    }
    if (list && dict->count != known) {
        strings->decoded[number] = (cairn_string_list){ NULL, 0 };
        cairn_status status =
            cairn__list_decode(string, &strings->items, &strings->decoded[number]);
        if (status != CAIRN_OK) {
            return status;
        }
    }
    field->codes[code] = number + 1;
    return CAIRN_OK;
}

/* Codes of the image to numbers of the reader, in place. */
static cairn_status translate(cairn__source *source, cairn__source_field *field, uint64_t *bits,
                              size_t count) {
    cairn_status status = CAIRN_OK;
    for (size_t i = 0; i < count && status == CAIRN_OK; i++) {
        uint64_t code = bits[i];
        if (code >= field->dict.count) {
            return CAIRN_STORAGE;
        }
        if (field->codes[code] == 0) {
            status = learn_string(source, field, code);
        }
        bits[i] = field->codes[code] - 1;
    }
    return status;
}

/* Which rows have values. */
static void expand_presence(cairn__pick *present, const cairn__image_chunk *chunk, uint32_t rows) {
    uint32_t words = (rows + 63) / 64;
    present->row_count = rows;
    if (chunk->presence == CAIRN__PRESENT_BITMAP) {
        memcpy(present->words, chunk->presence_at, (size_t)words * 8);
    } else {
        uint64_t mask = cairn__pack_mask(chunk->presence_bits);
        memset(present->words, 0, (size_t)words * 8);
        for (uint32_t i = 0; i < chunk->count; i++) {
            uint64_t row = cairn__pack_get(chunk->presence_at, chunk->presence_bits, mask, i);
            present->words[row / 64] |= UINT64_C(1) << (row % 64);
        }
    }
    cairn__pick_count(present);
}

/* The chosen rows that have a value: their numbers among the chosen, and those of the values. */
static size_t find_values(cairn__scan_scratch *scratch) {
    const cairn__pick *pick = &scratch->pick, *present = &scratch->present;
    size_t count = 0;
    for (size_t i = 0; i < pick->count; i++) {
        uint32_t row = pick->rows[i];
        uint64_t word = present->words[row / 64], bit = UINT64_C(1) << (row % 64);
        scratch->place[count] = (uint16_t)i;
        scratch->value[count] =
            (uint16_t)(present->ranks[row / 64] + cairn__ones(word & (bit - 1)));
        count += (word & bit) != 0;
    }
    return count;
}

/* Decimals to the bits of numbers. */
static void make_numbers(const cairn__image_chunk *chunk, uint64_t *bits, size_t count) {
    if (chunk->scale > CAIRN__SCALE_MAX) {
        return;
    }
    double power = (double)cairn__image_powers[chunk->scale];
    for (size_t i = 0; i < count; i++) {
        double number = (double)(int64_t)bits[i] / power;
        memcpy(&bits[i], &number, sizeof number);
    }
}

/* Values at these places as the reader gives them. */
static cairn_status decode(cairn__source *source, cairn__source_field *field,
                           const cairn__image_chunk *chunk, cairn__pick_places places,
                           uint64_t *bits) {
    bool time = field->kind == CAIRN_VALUE_TIME;
    cairn__pick_values(chunk, places, time ? cairn__decode_power(chunk) : 1, bits);
    if (field->kind == CAIRN_VALUE_NUMBER) {
        make_numbers(chunk, bits, places.count);
    }
    return field->codes == NULL ? CAIRN_OK : translate(source, field, bits, places.count);
}

static cairn_status gather_field(cairn__source *source, const cairn__image_view *view,
                                 uint32_t number, cairn__rowset *set) {
    cairn__image_chunk chunk;
    cairn__scan_scratch *scratch = source->scratch;
    cairn_status status = cairn__image_chunk_open(source->image, view, number, &chunk);
    if (status != CAIRN_OK) {
        return status;
    }
    cairn__source_field *field = &source->fields[chunk.field];
    CAIRN_ASSERT(field->column != 0);
    uint8_t *kind = set->kind[field->column - 1] + set->rows;
    uint64_t *bits = set->bits[field->column - 1] + set->rows;
    if (chunk.presence == CAIRN__PRESENT_ALL) {
        memset(kind, (int)field->kind, scratch->pick.count);
        cairn__pick_places places = { scratch->pick.rows, scratch->pick.count };
        return decode(source, field, &chunk, places, bits);
    }
    expand_presence(&scratch->present, &chunk, view->block.rows);
    cairn__pick_places places = { scratch->value, find_values(scratch) };
    status = decode(source, field, &chunk, places, scratch->bits);
    for (size_t i = 0; i < places.count; i++) {
        kind[scratch->place[i]] = (uint8_t)field->kind;
        bits[scratch->place[i]] = scratch->bits[i];
    }
    return status;
}

cairn_status cairn__source_gather(cairn__source *source, const cairn__image_view *view,
                                  cairn__rowset *set) {
    size_t count = source->scratch->pick.count;
    for (size_t c = 0; c < set->column_count; c++) {
        memset(set->kind[c] + set->rows, 0, count);
        memset(set->bits[c] + set->rows, 0, count * sizeof *set->bits[c]);
    }
    for (uint32_t i = CAIRN__CHUNK_FIELDS; i < view->block.chunk_count; i++) {
        uint32_t field = cairn__image_chunk_field(view, i);
        if (source->fields[field].column == 0) {
            continue;
        }
        cairn_status status = gather_field(source, view, i, set);
        if (status != CAIRN_OK) {
            return status;
        }
    }
    return CAIRN_OK;
}
