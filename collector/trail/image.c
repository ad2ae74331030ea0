/* image.c: opening an image and finding one's way in it. What is inside a block: image_check.c. */
#include "trail/image.h"

#include "base/assert.h"
#include "base/crc32c.h"
#include "trail/dict.h"
#include "trail/image_check.h"

const int64_t cairn__image_powers[CAIRN__SCALE_MAX + 1] = { 1, 10, 100, 1000, 10000 };

typedef struct trailer {
    uint32_t version, block_count, chunk_count, dict_count;
    uint64_t rows, directory_offset, directory_bytes, order_min, order_max;
    uint32_t directory_crc, crc;
} trailer;

static trailer read_trailer(const uint8_t *at) {
    return (trailer){ .version = cairn__load_u32(at + 8),
                      .block_count = cairn__load_u32(at + 12),
                      .rows = cairn__load_u64(at + 16),
                      .chunk_count = cairn__load_u32(at + 24),
                      .dict_count = cairn__load_u32(at + 28),
                      .directory_offset = cairn__load_u64(at + 32),
                      .directory_bytes = cairn__load_u64(at + 40),
                      .order_min = cairn__load_u64(at + 48),
                      .order_max = cairn__load_u64(at + 56),
                      .directory_crc = cairn__load_u32(at + 64),
                      .crc = cairn__load_u32(at + 68) };
}

static bool is_magic(const uint8_t *at) {
    return cairn__span_equal(cairn__span(at, CAIRN__IMAGE_MAGIC_BYTES), CAIRN__IMAGE_MAGIC);
}

/* The frame: both magics, the trailer's own checksum, and the directory's place and checksum. */
static cairn_status check_frame(cairn_span bytes, trailer *trailer_out) {
    if (bytes.len < CAIRN__IMAGE_MAGIC_BYTES + CAIRN__IMAGE_TRAILER_BYTES) {
        return CAIRN_STORAGE;
    }
    size_t body = bytes.len - CAIRN__IMAGE_TRAILER_BYTES;
    const uint8_t *at = bytes.data + body;
    trailer t = read_trailer(at);
    if (!is_magic(bytes.data) || !is_magic(at) ||
        t.crc != cairn__crc32c(0, cairn__span(at, CAIRN__IMAGE_TRAILER_BYTES - 4))) {
        return CAIRN_STORAGE;
    }
    if (t.version > CAIRN__IMAGE_VERSION) {
        return CAIRN_UNSUPPORTED;
    }
    uint64_t needed = (uint64_t)t.block_count * CAIRN__IMAGE_BLOCK_BYTES +
                      (uint64_t)t.dict_count * CAIRN__IMAGE_DICT_BYTES;
    if (t.dict_count < CAIRN__DICT_FIELDS || t.directory_bytes != needed ||
        t.directory_offset < CAIRN__IMAGE_MAGIC_BYTES || t.directory_offset > body ||
        body - t.directory_offset != t.directory_bytes) {
        return CAIRN_STORAGE;
    }
    cairn_span directory = { bytes.data + t.directory_offset, (size_t)t.directory_bytes };
    if (cairn__crc32c(0, directory) != t.directory_crc) {
        return CAIRN_STORAGE;
    }
    *trailer_out = t;
    return CAIRN_OK;
}

cairn__image_block cairn__image_block_at(const cairn__image *image, uint32_t index) {
    const uint8_t *at = image->directory + (size_t)index * CAIRN__IMAGE_BLOCK_BYTES;
    return (cairn__image_block){ .offset = cairn__load_u64(at),
                                 .bytes = cairn__load_u32(at + 8),
                                 .rows = cairn__load_u32(at + 12),
                                 .node_min = cairn__load_u32(at + 16),
                                 .node_max = cairn__load_u32(at + 20),
                                 .time_min = (int64_t)cairn__load_u64(at + 24),
                                 .time_max = (int64_t)cairn__load_u64(at + 32),
                                 .first_chunk = cairn__load_u32(at + 40),
                                 .chunk_count = cairn__load_u32(at + 44),
                                 .header_bytes = cairn__load_u32(at + 48),
                                 .header_crc = cairn__load_u32(at + 52) };
}

/* Blocks follow each other in the file, in nodes and in chunk numbers, and leave no gap. */
static bool check_blocks(cairn__image *image, uint64_t end) {
    uint64_t rows = 0, chunks = 0, offset = CAIRN__IMAGE_MAGIC_BYTES;
    uint32_t node = 0;
    for (uint32_t i = 0; i < image->block_count; i++) {
        cairn__image_block b = cairn__image_block_at(image, i);
        if (b.offset != offset || b.bytes > end - offset || b.rows == 0 ||
            b.rows > CAIRN__BLOCK_ROWS || b.node_min > b.node_max || b.node_min < node ||
            b.time_min > b.time_max || b.first_chunk != chunks ||
            b.chunk_count < CAIRN__CHUNK_FIELDS || b.header_bytes > b.bytes) {
            return false;
        }
        rows += b.rows;
        chunks += b.chunk_count;
        offset += b.bytes;
        node = b.node_max;
        image->time_min = i == 0 || b.time_min < image->time_min ? b.time_min : image->time_min;
        image->time_max = i == 0 || b.time_max > image->time_max ? b.time_max : image->time_max;
        image->node_min = i == 0 ? b.node_min : image->node_min;
        image->node_max = b.node_max;
    }
    return rows == image->rows && chunks == image->chunk_count;
}

cairn__image_dict cairn__image_dict_entry(const cairn__image *image, uint32_t number) {
    const uint8_t *at = image->dicts + (size_t)number * CAIRN__IMAGE_DICT_BYTES;
    return (cairn__image_dict){ .count = cairn__load_u32(at + 16),
                                .property = cairn__load_u32(at + 24),
                                .bits = at[28],
                                .kind = at[29] };
}

static bool check_dicts(const cairn__image *image, uint64_t end) {
    uint32_t properties = cairn__image_dict_entry(image, CAIRN__DICT_PROPERTIES).count;
    for (uint32_t i = 0; i < image->dict_count; i++) {
        const uint8_t *at = image->dicts + (size_t)i * CAIRN__IMAGE_DICT_BYTES;
        uint64_t offset = cairn__load_u64(at), bytes = cairn__load_u64(at + 8);
        cairn__image_dict dict = cairn__image_dict_entry(image, i);
        bool field = i >= CAIRN__DICT_FIELDS;
        if (offset > end || bytes > end - offset || !cairn__pack_bits_valid(dict.bits) ||
            bytes < cairn__pack_bytes(dict.count, dict.bits) ||
            (dict.bits == 0 && dict.count > 1) || /* strings differ: at most one is empty */
            (field && (dict.property >= properties || dict.kind <= CAIRN_VALUE_NULL ||
                       dict.kind > CAIRN_VALUE_LIST))) {
            return false;
        }
    }
    return true;
}

static size_t checked_count(const cairn__image *image) {
    return (size_t)image->chunk_count + image->block_count + image->dict_count;
}

static void destroy(cairn__image *image) {
    cairn_allocator allocator = image->allocator;
    cairn__release(&allocator, image->checked, checked_count(image), sizeof *image->checked);
    allocator.resize(allocator.self, image, sizeof *image, 0);
}

cairn_status cairn__image_open(cairn_allocator allocator, const cairn__image_backing *backing,
                               bool trusted, cairn__image **image_out) {
    trailer t;
    cairn_status status = check_frame(backing->bytes, &t);
    if (status != CAIRN_OK) {
        return status;
    }
    cairn__image *image = allocator.resize(allocator.self, NULL, 0, sizeof *image);
    if (image == NULL) {
        return CAIRN_NO_MEMORY;
    }
    const uint8_t *directory = backing->bytes.data + t.directory_offset;
    *image = (cairn__image){ .allocator = allocator,
                             .backing = *backing,
                             .directory = directory,
                             .dicts = directory + (size_t)t.block_count * CAIRN__IMAGE_BLOCK_BYTES,
                             .rows = t.rows,
                             .block_count = t.block_count,
                             .order_min = t.order_min,
                             .order_max = t.order_max,
                             .dict_count = t.dict_count };
    atomic_init(&image->references, 1);
    image->chunk_count = t.chunk_count;
    if (!check_blocks(image, t.directory_offset) || !check_dicts(image, t.directory_offset)) {
        image->chunk_count = 0; /* nothing allocated for them yet */
        allocator.resize(allocator.self, image, sizeof *image, 0);
        return CAIRN_STORAGE;
    }
    size_t count = checked_count(image);
    image->checked = allocator.resize(allocator.self, NULL, 0, count * sizeof *image->checked);
    if (image->checked == NULL) {
        allocator.resize(allocator.self, image, sizeof *image, 0);
        return CAIRN_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        atomic_init(&image->checked[i], trusted ? 1 : 0);
    }
    *image_out = image;
    return CAIRN_OK;
}

bool cairn__image_check_again(cairn__image *image) {
    trailer t;
    for (size_t i = 0; i < checked_count(image); i++) {
        atomic_store_explicit(&image->checked[i], 0, memory_order_relaxed);
    }
    return check_frame(image->backing.bytes, &t) == CAIRN_OK;
}

void cairn__image_retain(cairn__image *image) {
    (void)atomic_fetch_add_explicit(&image->references, 1, memory_order_relaxed);
}

void cairn__image_release(cairn__image *image) {
    if (image == NULL ||
        atomic_fetch_sub_explicit(&image->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    cairn__image_backing backing = image->backing;
    destroy(image);
    if (backing.release != NULL) {
        backing.release(backing.self, backing.bytes);
    }
}

uint32_t cairn__image_find(const cairn__image *image, uint32_t node) {
    uint32_t low = 0, high = image->block_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (cairn__image_block_at(image, middle).node_max < node) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* What releasing a heap image takes; it lies behind the bytes, in the same allocation. */
typedef struct heap_note {
    cairn_allocator allocator;
    size_t capacity;
} heap_note;

static void release_heap(void *self, cairn_span bytes) {
    (void)bytes;
    heap_note heap = *(heap_note *)self;
    uint8_t *data = (uint8_t *)self - heap.capacity;
    heap.allocator.resize(heap.allocator.self, data, heap.capacity + sizeof heap, 0);
}

/* One allocation: the bytes, padding, and the note that release_heap needs. */
static uint8_t *heap_block(cairn_allocator allocator, cairn_span bytes, void **note_out) {
    if (bytes.len > SIZE_MAX / 2) {
        return NULL;
    }
    size_t capacity = (bytes.len + 15) & ~(size_t)15;
    uint8_t *data = allocator.resize(allocator.self, NULL, 0, capacity + sizeof(heap_note));
    if (data == NULL) {
        return NULL;
    }
    memcpy(data, bytes.data, bytes.len);
    heap_note *note = (heap_note *)(void *)(data + capacity);
    *note = (heap_note){ allocator, capacity };
    *note_out = note;
    return data;
}

static cairn_status open_copy(cairn_allocator allocator, cairn_span bytes, bool trusted,
                              cairn__image **image_out) {
    void *note = NULL;
    uint8_t *data = heap_block(allocator, bytes, &note);
    if (data == NULL) {
        return CAIRN_NO_MEMORY;
    }
    cairn__image_backing backing = { { data, bytes.len }, release_heap, note };
    cairn_status status = cairn__image_open(allocator, &backing, trusted, image_out);
    if (status != CAIRN_OK) {
        release_heap(note, backing.bytes);
    }
    return status;
}

cairn_status cairn__image_of_bytes(cairn_allocator allocator, cairn_span bytes,
                                   cairn__image **image_out) {
    return open_copy(allocator, bytes, false, image_out);
}

cairn_status cairn__image_of_buffer(const cairn__buffer *buffer, cairn__image **image_out) {
    cairn_status status =
        buffer->failed ? CAIRN_NO_MEMORY
                       : open_copy(buffer->allocator, cairn__buffer_span(buffer), true, image_out);
    CAIRN_ASSERT(status != CAIRN_STORAGE); /* our own bytes */
    return status;
}
