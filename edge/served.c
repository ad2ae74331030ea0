#include "edge/served.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/bytes.h"
#include "base/varint.h"
#include "bundle/write.h"
#include "edge/http.h"

enum {
    FIELD_BUNDLE = 4 << 3 | 2, /* of SyncResponse, with its wire type */
    FIELD_VERSION = 5 << 3 | 0,
    STORED_BYTES_MAX = 65535, /* of one stored deflate block */
    RAW_WINDOW = -15          /* deflate without a frame */
};

void cairn__served_append_version(const cairn__served *served, cairn__buffer *response) {
    cairn__buffer_byte(response, FIELD_VERSION);
    cairn__write_varint(response, served->version);
}

/* Blocks that end on a byte and refer to nothing before: others can follow. */
static bool pack(cairn__served *served) {
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, RAW_WINDOW, 9, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        return false;
    }
    size_t room = deflateBound(&stream, (uLong)served->part.len) + 64;
    uint8_t *to = cairn__buffer_extend(&served->packed, room);
    bool good = to != NULL;
    if (good) {
        stream.next_in = served->part.data;
        stream.avail_in = (uInt)served->part.len;
        stream.next_out = to;
        stream.avail_out = (uInt)room;
        good =
            deflate(&stream, Z_FULL_FLUSH) == Z_OK && stream.avail_in == 0 && stream.avail_out > 0;
        served->packed.len -= stream.avail_out;
    }
    (void)deflateEnd(&stream);
    served->part_crc = (uint32_t)crc32(0, served->part.data, (uInt)served->part.len);
    return good;
}

static bool sign(cairn__served *served, cairn_span bundle, const cairn__signing *signing) {
    uint8_t signature[CAIRN__SIGNATURE_BYTES];
    cairn__buffer envelope = cairn__buffer_make(cairn__heap(), CAIRN__SERVED_BYTES_MAX);
    bool good = cairn__sign(&signing->key, bundle, signature) == CAIRN_OK &&
                cairn__bundle_envelope_write(bundle, cairn__span_of(signing->id), signature,
                                             &envelope) == CAIRN_OK;
    if (good) {
        cairn__buffer_byte(&served->part, FIELD_BUNDLE);
        cairn__write_varint(&served->part, envelope.len);
        served->signed_at = served->part.len;
        served->signed_bytes = envelope.len;
        cairn__buffer_append(&served->part, cairn__buffer_span(&envelope));
        cairn__served_append_version(served, &served->part);
    }
    cairn__buffer_free(&envelope);
    return good && !served->part.failed;
}

cairn__served *cairn__served_make(cairn_span bundle, uint64_t version,
                                  const cairn__signing *signing) {
    cairn__served *served = calloc(1, sizeof *served);
    if (served == NULL) {
        return NULL;
    }
    served->version = version;
    served->part = cairn__buffer_make(cairn__heap(), CAIRN__SERVED_BYTES_MAX);
    served->packed = cairn__buffer_make(cairn__heap(), (size_t)2 * CAIRN__SERVED_BYTES_MAX);
    bool good = bundle.len == 0 || sign(served, bundle, signing);
    if (good && served->part.len >= CAIRN__SERVED_PACKED_LEAST) {
        good = pack(served);
    }
    if (!good) {
        cairn__served_free(served);
        return NULL;
    }
    return served;
}

void cairn__served_free(cairn__served *served) {
    if (served != NULL) {
        cairn__buffer_free(&served->part);
        cairn__buffer_free(&served->packed);
        free(served);
    }
}

cairn_span cairn__served_signed(const cairn__served *served) {
    return cairn__span(served->part.data == NULL ? NULL : served->part.data + served->signed_at,
                       served->signed_bytes);
}

void cairn__served_append(const cairn__served *served, cairn__buffer *response) {
    cairn__buffer_append(response, cairn__buffer_span(&served->part));
}

/* --- gzip (RFC 1952) of blocks that are there already ----------------------------------------- */

static void append_u16(cairn__buffer *to, size_t value) {
    cairn__buffer_byte(to, (uint8_t)value);
    cairn__buffer_byte(to, (uint8_t)(value >> 8));
}

static void append_stored(cairn__buffer *to, cairn_span bytes) {
    do {
        size_t count = bytes.len < STORED_BYTES_MAX ? bytes.len : STORED_BYTES_MAX;
        cairn__buffer_byte(to, count == bytes.len ? 1 : 0); /* the last block? */
        append_u16(to, count);
        append_u16(to, ~count);
        cairn__buffer_append(to, cairn__span(bytes.data, count));
        bytes = cairn__span(bytes.data + count, bytes.len - count);
    } while (bytes.len > 0);
}

void cairn__served_gzip(const cairn__served *served, cairn_span response, cairn__buffer *to) {
    static const uint8_t head[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 0xff };
    uLong crc = crc32(0, response.data, (uInt)response.len);
    cairn__buffer_append(to, cairn__span(head, sizeof head));
    cairn__buffer_append(to, cairn__buffer_span(&served->packed));
    append_stored(to, response);
    cairn__buffer_u32(to, (uint32_t)crc32_combine(served->part_crc, crc, (z_off_t)response.len));
    cairn__buffer_u32(to, (uint32_t)(served->part.len + response.len));
}

/* One element of the list, "gzip;q=0.5": its name, and is its q 0? */
static bool takes_gzip(cairn_span element) {
    const uint8_t *semicolon = element.len == 0 ? NULL : memchr(element.data, ';', element.len);
    size_t len = semicolon == NULL ? element.len : (size_t)(semicolon - element.data);
    size_t start = 0;
    while (start < len && (element.data[start] == ' ' || element.data[start] == '\t')) {
        start++;
    }
    while (len > start && (element.data[len - 1] == ' ' || element.data[len - 1] == '\t')) {
        len--;
    }
    if (!cairn__http_is(cairn__span(element.data + start, len - start), "gzip")) {
        return false;
    }
    if (semicolon == NULL) {
        return true;
    }
    for (const uint8_t *at = semicolon; at < element.data + element.len; at++) {
        if (*at >= '1' && *at <= '9') {
            return true; /* some digit of q is not 0 */
        }
    }
    return false;
}

bool cairn__accepts_gzip(cairn_span header) {
    while (header.len > 0) {
        const uint8_t *comma = memchr(header.data, ',', header.len);
        size_t len = comma == NULL ? header.len : (size_t)(comma - header.data);
        if (takes_gzip(cairn__span(header.data, len))) {
            return true;
        }
        size_t used = comma == NULL ? len : len + 1;
        header = cairn__span(header.data + used, header.len - used);
    }
    return false;
}
