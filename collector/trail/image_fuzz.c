/* image_fuzz.c: an image from anybody. Checksums are repaired first, so that the bytes behind them
 * are reached: a checksum keeps accidents out, not people. Readers, merges and verification may
 * refuse; they may not crash, and what verification accepts they must agree about. */
#include <stdlib.h>

#include "base/assert.h"
#include "base/crc32c.h"
#include "trail/merge.h"
#include "trail/reader.h"
#include "trail/state.h"
#include "trail/verify.h"

enum { MEMORY_BYTES_MAX = 64 << 20, BLOCKS_MAX = 64, CHUNKS_MAX = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t crc_of(const uint8_t *at, size_t bytes) {
    return cairn__crc32c(0, cairn__span(at, bytes));
}

/* Checksums of the header of a block and of its chunks, as far as they lie inside. */
static void repair_block(uint8_t *bytes, size_t size, uint8_t *entry) {
    uint64_t offset = cairn__load_u64(entry);
    uint32_t length = cairn__load_u32(entry + 8), header = cairn__load_u32(entry + 48);
    uint32_t chunks = cairn__load_u32(entry + 44);
    if (offset > size || length > size - offset || header > length || header < 8) {
        return;
    }
    uint8_t *block = bytes + offset;
    uint64_t table = 8 + (uint64_t)cairn__load_u32(block) * 4;
    for (uint32_t i = 0; i < chunks && i < CHUNKS_MAX; i++) {
        uint64_t at = table + (uint64_t)i * CAIRN__IMAGE_CHUNK_BYTES;
        if (at + CAIRN__IMAGE_CHUNK_BYTES > header) {
            break;
        }
        uint64_t from = (uint64_t)header + cairn__load_u32(block + at + 4);
        uint32_t count = cairn__load_u32(block + at + 8);
        if (from <= length && count <= length - from) {
            cairn__store_u32(block + at + 12, crc_of(block + from, count));
        }
    }
    cairn__store_u32(entry + 52, crc_of(block, header));
}

static void repair_dict(const uint8_t *bytes, size_t size, uint8_t *entry) {
    uint64_t at = cairn__load_u64(entry), count = cairn__load_u64(entry + 8);
    if (at <= size && count <= size - at) {
        cairn__store_u32(entry + 20, crc_of(bytes + at, (size_t)count));
    }
}

static void repair(uint8_t *bytes, size_t size) {
    if (size < CAIRN__IMAGE_MAGIC_BYTES + CAIRN__IMAGE_TRAILER_BYTES) {
        return;
    }
    uint8_t *trailer = bytes + size - CAIRN__IMAGE_TRAILER_BYTES;
    uint64_t offset = cairn__load_u64(trailer + 32), length = cairn__load_u64(trailer + 40);
    uint32_t blocks = cairn__load_u32(trailer + 12), dicts = cairn__load_u32(trailer + 28);
    if (offset <= size && length <= size - offset &&
        length == (uint64_t)blocks * CAIRN__IMAGE_BLOCK_BYTES +
                      (uint64_t)dicts * CAIRN__IMAGE_DICT_BYTES) {
        for (uint32_t i = 0; i < blocks && i < BLOCKS_MAX; i++) {
            repair_block(bytes, size, bytes + offset + (size_t)i * CAIRN__IMAGE_BLOCK_BYTES);
        }
        for (uint32_t i = 0; i < dicts; i++) {
            repair_dict(bytes, size,
                        bytes + offset + (size_t)blocks * CAIRN__IMAGE_BLOCK_BYTES +
                            (size_t)i * CAIRN__IMAGE_DICT_BYTES);
        }
        cairn__store_u32(trailer + 64, crc_of(bytes + offset, (size_t)length));
    }
    cairn__store_u32(trailer + 68, crc_of(trailer, CAIRN__IMAGE_TRAILER_BYTES - 4));
}

static void look_at_strings(const cairn__reader *reader, const cairn__reader_batch *batch,
                            size_t column) {
    for (size_t i = 0; i < batch->row_count; i++) {
        uint64_t bits = batch->columns[column].bits[i];
        uint8_t kind = batch->columns[column].kind[i];
        cairn_span text = { NULL, 0 };
        cairn_string_list list = { &text, 1 };
        if (kind == CAIRN_VALUE_STRING) {
            text = cairn__reader_text(reader, bits);
        } else if (kind == CAIRN_VALUE_LIST) {
            list = cairn__reader_list(reader, bits);
        }
        for (size_t j = 0; j < list.count; j++) {
            (void)crc_of(list.items[j].data, list.items[j].len);
        }
    }
}

/* Read everything; how many rows came, or UINT64_MAX when refused. */
static uint64_t read_all(cairn__trail_snapshot *snapshot, cairn__reader_options *options) {
    cairn__reader *reader = NULL;
    cairn__reader_batch batch = { .person_count = 1 };
    cairn_status status = cairn__reader_open(snapshot, options, &reader);
    uint64_t rows = 0;
    while (status == CAIRN_OK && batch.person_count != 0) {
        status = cairn__reader_next(reader, &batch);
        for (size_t c = 0; status == CAIRN_OK && c < options->property_count; c++) {
            look_at_strings(reader, &batch, c);
        }
        rows += status == CAIRN_OK ? batch.row_count : 0;
    }
    cairn__reader_close(reader);
    return status == CAIRN_OK ? rows : UINT64_MAX;
}

/* The first image once alone and once beside itself. */
static void read_both_ways(cairn__image *image, bool whole) {
    cairn_span properties[4] = { CAIRN_STR("property 0"), CAIRN_STR("property 2"),
                                 CAIRN_STR("property 3"), CAIRN_STR("property 5") };
    uint32_t person_of[8] = { 0, 0, 2, 0, 2, 5, 1, 7 };
    cairn__trail_snapshot *snapshot =
        malloc(sizeof *snapshot + 2 * sizeof(cairn__image *)); /* the target is a program */
    CAIRN_ASSERT(snapshot != NULL);
    snapshot->count = 1;
    snapshot->images[0] = snapshot->images[1] = image;
    cairn__reader_options options = { .allocator = cairn__heap(),
                                      .bytes_max = MEMORY_BYTES_MAX,
                                      .properties = properties,
                                      .property_count = 4,
                                      .from_ms = INT64_MIN,
                                      .to_ms = INT64_MAX,
                                      .person_end = UINT32_MAX };
    uint64_t rows = read_all(snapshot, &options);
    CAIRN_ASSERT(!whole || rows == image->rows);
    options.person_of = person_of;
    options.node_count = 8;
    snapshot->count = 2;
    rows = read_all(snapshot, &options);
    CAIRN_ASSERT(!whole || rows == image->rows * 2);
    free(snapshot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *bytes = malloc(size + 1);
    CAIRN_ASSERT(bytes != NULL);
    if (size != 0) {
        memcpy(bytes, data, size);
    }
    repair(bytes, size);
    cairn__image *image = NULL, *merged = NULL;
    cairn__image_damage damage;
    if (cairn__image_of_bytes(cairn__heap(), cairn__span(bytes, size), &image) == CAIRN_OK) {
        /* times at the very end of their range are outside of every question */
        bool whole = cairn__image_verify(image, &damage) == CAIRN_OK && image->time_max < INT64_MAX;
        read_both_ways(image, whole);
        cairn__image *const images[2] = { image, image };
        const cairn__merge_plan plan = { cairn__heap(), NULL, images, 2 };
        cairn_status status = cairn__merge_in_memory(&plan, &merged);
        if (status == CAIRN_OK) {
            CAIRN_ASSERT(merged->rows == image->rows * 2);
            cairn__image_release(merged);
        }
        cairn__image_release(image);
    }
    free(bytes);
    return 0;
}
