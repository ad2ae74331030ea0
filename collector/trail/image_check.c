/* image_check.c: the inside of a block: header, chunks, dictionaries, each checked at first use. */
#include "trail/image_check.h"

#include "base/crc32c.h"

enum { HEADER_FIXED_BYTES = 8, NAME_BYTES = 4 };

/* Flags: one per chunk, then one per block's header, then one per dictionary. */
static bool is_checked(const cairn__image *image, size_t flag) {
    return atomic_load_explicit(&image->checked[flag], memory_order_relaxed) != 0;
}

/* Relaxed is enough: the flag guards bytes that never change. */
static void set_checked(cairn__image *image, size_t flag) {
    atomic_store_explicit(&image->checked[flag], 1, memory_order_relaxed);
}

static bool check_names(const cairn__image *image, const cairn__image_view *view) {
    uint32_t known = cairn__image_dict_entry(image, CAIRN__DICT_NAMES).count;
    for (uint32_t i = 0; i < view->name_count; i++) {
        if (cairn__load_u32(view->names + (size_t)i * NAME_BYTES) >= known) {
            return false;
        }
    }
    return true;
}

static bool check_fields(const cairn__image *image, const cairn__image_view *view) {
    for (uint32_t i = CAIRN__CHUNK_FIELDS; i < view->block.chunk_count; i++) {
        uint32_t field = cairn__image_chunk_field(view, i);
        if (field >= image->dict_count - CAIRN__DICT_FIELDS ||
            (i > CAIRN__CHUNK_FIELDS && field <= cairn__image_chunk_field(view, i - 1))) {
            return false;
        }
    }
    return true;
}

cairn_status cairn__image_view_open(cairn__image *image, uint32_t index,
                                    cairn__image_view *view_out) {
    cairn__image_block block = cairn__image_block_at(image, index);
    const uint8_t *at = image->backing.bytes.data + block.offset;
    size_t flag = (size_t)image->chunk_count + index;
    bool fresh = !is_checked(image, flag);
    if (fresh && (block.header_bytes < HEADER_FIXED_BYTES ||
                  cairn__crc32c(0, cairn__span(at, block.header_bytes)) != block.header_crc)) {
        return CAIRN_STORAGE;
    }
    uint32_t names = cairn__load_u32(at);
    uint64_t needed = HEADER_FIXED_BYTES + (uint64_t)names * NAME_BYTES +
                      (uint64_t)block.chunk_count * CAIRN__IMAGE_CHUNK_BYTES;
    if (needed != block.header_bytes || names == 0 || names > block.rows) {
        return CAIRN_STORAGE;
    }
    *view_out =
        (cairn__image_view){ .block = block,
                             .name_count = names,
                             .names = at + HEADER_FIXED_BYTES,
                             .chunks = at + HEADER_FIXED_BYTES + (size_t)names * NAME_BYTES };
    if (fresh && (!check_names(image, view_out) || !check_fields(image, view_out))) {
        return CAIRN_STORAGE;
    }
    set_checked(image, flag);
    return CAIRN_OK;
}

static const uint8_t *entry_of(const cairn__image_view *view, uint32_t number) {
    return view->chunks + (size_t)number * CAIRN__IMAGE_CHUNK_BYTES;
}

uint32_t cairn__image_chunk_field(const cairn__image_view *view, uint32_t number) {
    return cairn__load_u32(entry_of(view, number));
}

/* The chunk's bytes inside its block, or an empty span. */
static cairn_span chunk_bytes(const cairn__image_view *view, const uint8_t *block_bytes,
                              uint32_t number) {
    const uint8_t *entry = entry_of(view, number);
    uint64_t offset = (uint64_t)view->block.header_bytes + cairn__load_u32(entry + 4);
    uint32_t bytes = cairn__load_u32(entry + 8);
    if (offset > view->block.bytes || bytes > view->block.bytes - offset) {
        return (cairn_span){ NULL, 0 };
    }
    return (cairn_span){ block_bytes + offset, bytes };
}

/* Bytes of the part that says which rows have values. */
static uint64_t presence_bytes(const cairn__image_chunk *chunk, uint32_t rows) {
    switch (chunk->presence) {
    case CAIRN__PRESENT_ALL:
        return 0;
    case CAIRN__PRESENT_BITMAP:
        return (uint64_t)(rows + 63) / 64 * 8;
    case CAIRN__PRESENT_LIST:
        return cairn__pack_bytes(chunk->count, chunk->presence_bits);
    default:
        return UINT64_MAX / 2;
    }
}

bool cairn__chunk_parse(const cairn__image_view *view, const uint8_t *block_bytes, uint32_t number,
                        cairn__image_chunk *chunk_out) {
    const uint8_t *entry = entry_of(view, number);
    cairn_span bytes = chunk_bytes(view, block_bytes, number);
    cairn__image_chunk chunk = { .field = cairn__load_u32(entry),
                                 .base = cairn__load_u64(entry + 16),
                                 .count = cairn__load_u32(entry + 24),
                                 .bits = entry[28],
                                 .presence = entry[29],
                                 .scale = entry[30],
                                 .presence_bits = entry[31] };
    if (bytes.data == NULL || chunk.count == 0 || chunk.count > view->block.rows ||
        !cairn__pack_bits_valid(chunk.bits) ||
        (chunk.presence == CAIRN__PRESENT_LIST && !cairn__pack_bits_valid(chunk.presence_bits)) ||
        (chunk.scale > CAIRN__SCALE_MAX && chunk.scale != CAIRN__SCALE_RAW)) {
        return false;
    }
    uint64_t before = presence_bytes(&chunk, view->block.rows);
    uint64_t needed = before + cairn__pack_bytes(chunk.count, chunk.bits);
    if (number == CAIRN__CHUNK_RUNS) {
        needed += (uint64_t)chunk.count * 2;
    }
    if (needed > bytes.len) {
        return false;
    }
    chunk.presence_at = bytes.data;
    chunk.values = bytes.data + before;
    chunk.ends = chunk.values + cairn__pack_bytes(chunk.count, chunk.bits);
    *chunk_out = chunk;
    return true;
}

static bool check_runs(const cairn__image_view *view, const cairn__image_chunk *chunk) {
    uint64_t mask = cairn__pack_mask(chunk->bits), node_before = 0;
    uint32_t end_before = 0;
    if (chunk->presence != CAIRN__PRESENT_ALL) {
        return false;
    }
    for (uint32_t i = 0; i < chunk->count; i++) {
        uint64_t node = chunk->base + cairn__pack_get(chunk->values, chunk->bits, mask, i);
        uint32_t end = cairn__load_u16(chunk->ends + (size_t)i * 2);
        if (node < view->block.node_min || node > view->block.node_max || end <= end_before ||
            (i > 0 && node <= node_before)) {
            return false;
        }
        node_before = node;
        end_before = end;
    }
    return end_before == view->block.rows;
}

static bool check_codes(const cairn__image_view *view, const cairn__image_chunk *chunk) {
    uint32_t worst = 0;
    if (chunk->bits != 8 && chunk->bits != 16) {
        return false;
    }
    for (size_t i = 0; i < chunk->count; i++) {
        uint32_t code =
            chunk->bits == 8 ? chunk->values[i] : cairn__load_u16(chunk->values + i * 2);
        worst = code > worst ? code : worst;
    }
    return worst < view->name_count;
}

static bool check_bitmap(const cairn__image_view *view, const cairn__image_chunk *chunk) {
    uint32_t rows = view->block.rows, count = 0;
    for (uint32_t row = 0; row < rows; row += 64) {
        uint64_t word = cairn__load_u64(chunk->presence_at + row / 8);
        if (rows - row < 64 && (word >> (rows - row)) != 0) {
            return false;
        }
        count += (uint32_t)__builtin_popcountll(word);
    }
    return count == chunk->count;
}

static bool check_list(const cairn__image_view *view, const cairn__image_chunk *chunk) {
    uint64_t mask = cairn__pack_mask(chunk->presence_bits), before = 0;
    for (uint32_t i = 0; i < chunk->count; i++) {
        uint64_t row = cairn__pack_get(chunk->presence_at, chunk->presence_bits, mask, i);
        if (row >= view->block.rows || (i > 0 && row <= before)) {
            return false;
        }
        before = row;
    }
    return true;
}

bool cairn__chunk_check(const cairn__image_view *view, uint32_t number,
                        const cairn__image_chunk *chunk) {
    if (number == CAIRN__CHUNK_RUNS) {
        return check_runs(view, chunk);
    }
    if (number < CAIRN__CHUNK_FIELDS || chunk->presence == CAIRN__PRESENT_ALL) {
        return chunk->presence == CAIRN__PRESENT_ALL && chunk->count == view->block.rows &&
               (number != CAIRN__CHUNK_NAME || check_codes(view, chunk)) &&
               (number >= CAIRN__CHUNK_FIELDS || chunk->scale <= CAIRN__SCALE_MAX);
    }
    return chunk->presence == CAIRN__PRESENT_BITMAP ? check_bitmap(view, chunk)
                                                    : check_list(view, chunk);
}

cairn_status cairn__image_chunk_open(cairn__image *image, const cairn__image_view *view,
                                     uint32_t number, cairn__image_chunk *chunk_out) {
    const uint8_t *block_bytes = image->backing.bytes.data + view->block.offset;
    size_t flag = (size_t)view->block.first_chunk + number;
    if (!cairn__chunk_parse(view, block_bytes, number, chunk_out)) {
        return CAIRN_STORAGE;
    }
    if (is_checked(image, flag)) {
        return CAIRN_OK;
    }
    if (cairn__crc32c(0, chunk_bytes(view, block_bytes, number)) !=
            cairn__load_u32(entry_of(view, number) + 12) ||
        !cairn__chunk_check(view, number, chunk_out)) {
        return CAIRN_STORAGE;
    }
    set_checked(image, flag);
    return CAIRN_OK;
}

cairn_status cairn__image_dict_open(cairn__image *image, uint32_t number,
                                    cairn__image_dict *dict_out) {
    const uint8_t *entry = image->dicts + (size_t)number * CAIRN__IMAGE_DICT_BYTES;
    cairn__image_dict dict = cairn__image_dict_entry(image, number);
    cairn_span bytes = { image->backing.bytes.data + cairn__load_u64(entry),
                         (size_t)cairn__load_u64(entry + 8) };
    size_t flag = (size_t)image->chunk_count + image->block_count + number;
    if (!is_checked(image, flag)) {
        if (cairn__crc32c(0, bytes) != cairn__load_u32(entry + 20)) {
            return CAIRN_STORAGE;
        }
        set_checked(image, flag);
    }
    size_t ends = (size_t)cairn__pack_bytes(dict.count, dict.bits);
    dict.ends = bytes.data;
    dict.text = (cairn_span){ bytes.data + ends, bytes.len - ends };
    *dict_out = dict;
    return CAIRN_OK;
}

bool cairn__image_dict_string(const cairn__image_dict *dict, uint64_t i, cairn_span *string_out) {
    uint64_t mask = cairn__pack_mask(dict->bits);
    if (i >= dict->count) {
        return false;
    }
    uint64_t start = i == 0 ? 0 : cairn__pack_get(dict->ends, dict->bits, mask, (size_t)i - 1);
    uint64_t end = cairn__pack_get(dict->ends, dict->bits, mask, (size_t)i);
    if (start > end || end > dict->text.len) {
        return false;
    }
    *string_out = (cairn_span){ dict->text.data + start, (size_t)(end - start) };
    return true;
}
