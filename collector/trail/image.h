/* image.h: an image: an immutable byte block of trail columns, sorted by (node, time, order).
 *
 *   magic        8 bytes
 *   blocks       up to CAIRN__BLOCK_ROWS rows each: a header (names of the block, table of chunks),
 *                then the chunks: one column each
 *   dictionaries packed ends, then the text: event names, property names, then one per field
 *   directory    an entry per block (place, rows, bounds), an entry per dictionary
 *   trailer      CAIRN__IMAGE_TRAILER_BYTES: counts, place and checksum of the directory, own
 * checksum
 *
 * Every byte is under some CRC32C: trailer and directory are checked when the image is opened,
 * a block's header, each chunk and each dictionary when it is first used, once per image. So
 * opening costs nothing per event, and a query pays only for the columns that it reads. All numbers
 * are little-endian; a **packed** run is as in pack.h. Nothing read from an image is trusted before
 * its checksum and its bounds are checked: the file may be anybody's.
 *
 * Threads: an image is shared by all; what was checked is remembered in atomics. */
#ifndef CAIRN_TRAIL_IMAGE_H
#define CAIRN_TRAIL_IMAGE_H

#include <stdatomic.h>

#include "base/memory.h"
#include "trail/pack.h"

enum {
    CAIRN__IMAGE_VERSION = 1,
    CAIRN__BLOCK_ROWS = 8192, /* rows of one block at most; row numbers fit 13 bits */
    CAIRN__IMAGE_MAGIC_BYTES = 8,
    CAIRN__IMAGE_TRAILER_BYTES = 72,
    CAIRN__IMAGE_BLOCK_BYTES = 56, /* directory entry of a block */
    CAIRN__IMAGE_DICT_BYTES = 32,  /* directory entry of a dictionary */
    CAIRN__IMAGE_CHUNK_BYTES = 32  /* entry of a chunk in a block's header */
};

#define CAIRN__IMAGE_MAGIC CAIRN_STR("CAIRNTRL")

/** The first chunks of every block; the chunk of field f follows with number FIRST + position. */
enum {
    CAIRN__CHUNK_RUNS = 0, /* nodes and where each one's rows end: packed, then u16 ends */
    CAIRN__CHUNK_TIME = 1,
    CAIRN__CHUNK_ORDER = 2, /* without bits that are 0 in all rows: presence_bits says which */
    CAIRN__CHUNK_NAME = 3,  /* u8 or u16 per row: number in the block's own list of names */
    CAIRN__CHUNK_FIELDS = 4
};

/** Which rows of the block a field's chunk has values for. */
typedef enum cairn__presence {
    CAIRN__PRESENT_ALL = 0,
    CAIRN__PRESENT_BITMAP = 1, /* 64-bit words, row 0 is bit 0 of word 0 */
    CAIRN__PRESENT_LIST = 2    /* packed ascending row numbers */
} cairn__presence;

enum { CAIRN__SCALE_RAW = 255 /* a number's IEEE bits as they are */, CAIRN__SCALE_MAX = 4 };

/** The dictionaries of every image; that of field f has number FIELDS + f. */
enum { CAIRN__DICT_NAMES = 0, CAIRN__DICT_PROPERTIES = 1, CAIRN__DICT_FIELDS = 2 };

/** Where an image's bytes live, and how they are given back. */
typedef struct cairn__image_backing {
    cairn_span bytes;
    /** Called once, when the last reference goes. NULL: the bytes outlive the image. */
    void (*release)(void *self, cairn_span bytes);
    void *self;
} cairn__image_backing;

typedef struct cairn__image {
    cairn_allocator allocator; /* called from whatever thread releases last */
    atomic_uint references;
    cairn__image_backing backing;
    const uint8_t *directory; /* block entries */
    const uint8_t *dicts;     /* dictionary entries */
    uint64_t rows;
    uint32_t block_count, chunk_count, dict_count;
    uint32_t node_min, node_max;
    int64_t time_min, time_max;
    uint64_t order_min, order_max;
    atomic_uchar *checked; /* per chunk, per block header, per dictionary */
} cairn__image;

/** A block as the directory tells. */
typedef struct cairn__image_block {
    uint64_t offset;
    uint32_t bytes, rows;
    uint32_t node_min, node_max;
    int64_t time_min, time_max;
    uint32_t first_chunk, chunk_count; /* numbers of its chunks in the image */
    uint32_t header_bytes, header_crc;
} cairn__image_block;

/** A block whose header is checked. */
typedef struct cairn__image_view {
    cairn__image_block block;
    uint32_t name_count;
    const uint8_t *names;  /* name_count u32: numbers in the dictionary of names */
    const uint8_t *chunks; /* entries */
} cairn__image_view;

/** A column of a block, checked. Value i is base + packed i. */
typedef struct cairn__image_chunk {
    uint32_t field; /* of chunks from CAIRN__CHUNK_FIELDS on */
    uint32_t count; /* values */
    uint64_t base;
    uint8_t bits;          /* per value: 0..56 or 64 */
    uint8_t scale;         /* power of ten, or CAIRN__SCALE_RAW */
    uint8_t presence;      /* cairn__presence */
    uint8_t presence_bits; /* of a row number in a list; of the orders: kept low bits | gap << 4 */
    const uint8_t *presence_at;
    const uint8_t *values;
    const uint8_t *ends; /* of CAIRN__CHUNK_RUNS: u16 per run */
} cairn__image_chunk;

/** Dictionary, checked as a whole; each string is checked when asked for. */
typedef struct cairn__image_dict {
    uint32_t count;
    uint32_t property; /* of a field */
    uint8_t kind;      /* of a field: cairn_value_kind */
    uint8_t bits;
    const uint8_t *ends;
    cairn_span text;
} cairn__image_dict;

/**
 * Look at bytes as an image; one reference for the caller.
 *
 * @param backing  Released with the image; after a failure it is the caller's again.
 * @param trusted  Just made by this process: chunks are not checked again.
 * @retval CAIRN_STORAGE      Not an image, or damaged.
 * @retval CAIRN_UNSUPPORTED  A newer format.
 */
cairn_status cairn__image_open(cairn_allocator allocator, const cairn__image_backing *backing,
                               bool trusted, cairn__image **image_out);
void cairn__image_retain(cairn__image *image);
void cairn__image_release(cairn__image *image);

/** Forget what was checked and check the frame now. False: damaged. Readers just check again. */
bool cairn__image_check_again(cairn__image *image);

/** The directory's entry of block `index`. */
cairn__image_block cairn__image_block_at(const cairn__image *image, uint32_t index);
/** The first block whose node_max is at least `node`; block_count when there is none. */
uint32_t cairn__image_find(const cairn__image *image, uint32_t node);

/** Check the header of block `index` if nobody has. @retval CAIRN_STORAGE  Damaged. */
cairn_status cairn__image_view_open(cairn__image *image, uint32_t index,
                                    cairn__image_view *view_out);
/** Check chunk `number` (0 .. block.chunk_count) if nobody has. @retval CAIRN_STORAGE  Damaged. */
cairn_status cairn__image_chunk_open(cairn__image *image, const cairn__image_view *view,
                                     uint32_t number, cairn__image_chunk *chunk_out);
/** The field of chunk `number` (from CAIRN__CHUNK_FIELDS on), without checking the chunk. */
uint32_t cairn__image_chunk_field(const cairn__image_view *view, uint32_t number);

/** What the directory says of a dictionary: kind and property of a field; no text. */
cairn__image_dict cairn__image_dict_entry(const cairn__image *image, uint32_t number);
/** Check dictionary `number` if nobody has. @retval CAIRN_STORAGE  Damaged. */
cairn_status cairn__image_dict_open(cairn__image *image, uint32_t number,
                                    cairn__image_dict *dict_out);
/** String i; false: no such string, or damaged ends. */
bool cairn__image_dict_string(const cairn__image_dict *dict, uint64_t i, cairn_span *string_out);

/** A trusted image of the buffer's bytes, copied. @retval CAIRN_NO_MEMORY */
cairn_status cairn__image_of_buffer(const cairn__buffer *buffer, cairn__image **image_out);
/** Bytes of unknown origin, copied. As cairn__image_open. */
cairn_status cairn__image_of_bytes(cairn_allocator allocator, cairn_span bytes,
                                   cairn__image **image_out);

/** Powers of ten 10^0 .. 10^CAIRN__SCALE_MAX. */
extern const int64_t cairn__image_powers[CAIRN__SCALE_MAX + 1];

#endif
