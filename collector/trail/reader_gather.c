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
static cairn_status translate(cairn__source *source, cairn__source_field *field,
                              const uint8_t *kind, uint64_t *bits, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (kind[i] != (uint8_t)field->kind) {
            continue;
        }
        uint64_t code = bits[i];
        if (code >= field->dict.count) {
            return CAIRN_STORAGE;
        }
        if (field->codes[code] == 0) {
            cairn_status status = learn_string(source, field, code);
            if (status != CAIRN_OK) {
                return status;
            }
        }
        bits[i] = field->codes[code] - 1;
    }
    return CAIRN_OK;
}

/* Bits set, without an instruction that old processors lack. */
static uint32_t ones(uint64_t word) {
    word -= (word >> 1) & UINT64_C(0x5555555555555555);
    word = (word & UINT64_C(0x3333333333333333)) + ((word >> 2) & UINT64_C(0x3333333333333333));
    word = (word + (word >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
    return (uint32_t)((word * UINT64_C(0x0101010101010101)) >> 56);
}

/* A bitmap of the rows with values, and how many are before each word. */
static void expand_presence(cairn__scan_scratch *scratch, const cairn__image_chunk *chunk,
                            uint32_t rows) {
    uint32_t words = (rows + 63) / 64, before = 0;
    if (chunk->presence == CAIRN__PRESENT_BITMAP) {
        memcpy(scratch->words, chunk->presence_at, (size_t)words * 8);
    } else {
        uint64_t mask = cairn__pack_mask(chunk->presence_bits);
        memset(scratch->words, 0, (size_t)words * 8);
        for (uint32_t i = 0; i < chunk->count; i++) {
            uint64_t row = cairn__pack_get(chunk->presence_at, chunk->presence_bits, mask, i);
            scratch->words[row / 64] |= UINT64_C(1) << (row % 64);
        }
    }
    for (uint32_t i = 0; i < words; i++) {
        scratch->ranks[i] = (uint16_t)before;
        before += ones(scratch->words[i]);
    }
}

/* Fill kind and bits of the chosen rows that have a value in this chunk. */
static void gather_chunk(cairn__scan_scratch *scratch, const cairn__image_chunk *chunk,
                         cairn_value_kind kind, size_t count, cairn__reader_column out) {
    uint8_t *kind_out = (uint8_t *)(uintptr_t)out.kind;
    uint64_t *bits_out = (uint64_t *)(uintptr_t)out.bits;
    if (chunk->presence == CAIRN__PRESENT_ALL) {
        for (size_t i = 0; i < count; i++) {
            kind_out[i] = (uint8_t)kind;
            bits_out[i] = cairn__decode_bits(chunk, kind, scratch->rows[i]);
        }
        return;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t row = scratch->rows[i];
        uint64_t word = scratch->words[row / 64], bit = UINT64_C(1) << (row % 64);
        if ((word & bit) != 0) {
            uint32_t value = scratch->ranks[row / 64] + ones(word & (bit - 1));
            kind_out[i] = (uint8_t)kind;
            bits_out[i] = cairn__decode_bits(chunk, kind, value);
        }
    }
}

static cairn_status gather_field(cairn__source *source, const cairn__image_view *view,
                                 uint32_t number, size_t count, cairn__rowset *set) {
    cairn__image_chunk chunk;
    cairn_status status = cairn__image_chunk_open(source->image, view, number, &chunk);
    if (status != CAIRN_OK) {
        return status;
    }
    cairn__source_field *field = &source->fields[chunk.field];
    CAIRN_ASSERT(field->column != 0);
    uint8_t *kind = set->kind[field->column - 1] + set->rows;
    uint64_t *bits = set->bits[field->column - 1] + set->rows;
    if (chunk.presence != CAIRN__PRESENT_ALL) {
        expand_presence(source->scratch, &chunk, view->block.rows);
    }
    gather_chunk(source->scratch, &chunk, field->kind, count, (cairn__reader_column){ kind, bits });
    return field->codes == NULL ? CAIRN_OK : translate(source, field, kind, bits, count);
}

cairn_status cairn__source_gather(cairn__source *source, const cairn__image_view *view,
                                  size_t count, cairn__rowset *set) {
    for (size_t c = 0; c < set->column_count; c++) {
        memset(set->kind[c] + set->rows, 0, count);
        memset(set->bits[c] + set->rows, 0, count * sizeof *set->bits[c]);
    }
    for (uint32_t i = CAIRN__CHUNK_FIELDS; i < view->block.chunk_count; i++) {
        uint32_t field = cairn__image_chunk_field(view, i);
        if (source->fields[field].column == 0) {
            continue;
        }
        cairn_status status = gather_field(source, view, i, count, set);
        if (status != CAIRN_OK) {
            return status;
        }
    }
    return CAIRN_OK;
}
