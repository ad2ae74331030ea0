#include "edge/inflate.h"

#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/assert.h"
#include "edge/http.h"

enum {
    STEP_BYTES = 64 * 1024,
    GZIP_WINDOW = 15 + 16,   /* 32 KiB, with gzip's header */
    ZSTD_WINDOW_LOG_MAX = 23 /* 8 MiB: what RFC 8878 asks a reader to support */
};

cairn__encoding cairn__encoding_of(cairn_span header) {
    if (header.data == NULL || cairn__http_is(header, "identity")) {
        return CAIRN__ENCODING_IDENTITY;
    }
    if (cairn__http_is(header, "gzip") || cairn__http_is(header, "x-gzip")) {
        return CAIRN__ENCODING_GZIP;
    }
    return cairn__http_is(header, "zstd") ? CAIRN__ENCODING_ZSTD : CAIRN__ENCODING_UNKNOWN;
}

/* Room for the next step: at least one byte, so that a stream that ends at the limit still ends. */
static size_t make_room(cairn__buffer *to, cairn_status *status) {
    size_t room = to->bytes_max - to->len;
    room = room > STEP_BYTES ? STEP_BYTES : room;
    if (room == 0) {
        *status = CAIRN_FULL;
        return 0;
    }
    if (cairn__buffer_extend(to, room) == NULL) {
        *status = CAIRN_NO_MEMORY;
        return 0;
    }
    to->len -= room;
    return room;
}

/* `probe` takes one byte at the limit: does more come? */
static cairn_status inflate_all(z_stream *stream, cairn__buffer *to, uint8_t *probe) {
    cairn_status status = CAIRN_OK;
    for (;;) {
        size_t room = make_room(to, &status);
        stream->next_out = room > 0 ? to->data + to->len : probe;
        stream->avail_out = room > 0 ? (uInt)room : 1;
        if (status == CAIRN_NO_MEMORY) {
            return status;
        }
        uInt offered = stream->avail_out;
        int code = inflate(stream, Z_NO_FLUSH);
        size_t made = offered - stream->avail_out;
        if (room == 0 && made > 0) {
            return CAIRN_FULL;
        }
        to->len += made;
        if (code == Z_STREAM_END) {
            return stream->avail_in == 0 ? CAIRN_OK : CAIRN_INVALID;
        }
        if (code == Z_MEM_ERROR) {
            return CAIRN_NO_MEMORY;
        }
        if (code != Z_OK || (made == 0 && stream->avail_in == 0)) {
            return CAIRN_INVALID;
        }
        status = CAIRN_OK;
    }
}

static cairn_status inflate_gzip(cairn_span from, cairn__buffer *to) {
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK) {
        return CAIRN_NO_MEMORY;
    }
    stream.next_in = (z_const Bytef *)from.data;
    stream.avail_in = (uInt)from.len;
    uint8_t probe = 0;
    cairn_status status = inflate_all(&stream, to, &probe);
    (void)inflateEnd(&stream);
    return status;
}

static cairn_status unzstd_all(ZSTD_DStream *stream, cairn_span from, cairn__buffer *to) {
    ZSTD_inBuffer in = { from.data, from.len, 0 };
    cairn_status status = CAIRN_OK;
    for (;;) {
        size_t room = make_room(to, &status);
        uint8_t probe = 0;
        ZSTD_outBuffer out = { room > 0 ? to->data + to->len : &probe, room > 0 ? room : 1, 0 };
        if (status == CAIRN_NO_MEMORY) {
            return status;
        }
        size_t before = in.pos;
        size_t code = ZSTD_decompressStream(stream, &out, &in);
        if (ZSTD_isError(code) != 0) {
            return CAIRN_INVALID;
        }
        if (room == 0 && out.pos > 0) {
            return CAIRN_FULL;
        }
        to->len += out.pos;
        if (code == 0) {
            return in.pos == in.size ? CAIRN_OK : CAIRN_INVALID;
        }
        if (out.pos == 0 && in.pos == before) {
            return CAIRN_INVALID; /* it wants more, and there is none */
        }
        status = CAIRN_OK;
    }
}

static cairn_status inflate_zstd(cairn_span from, cairn__buffer *to) {
    ZSTD_DStream *stream = ZSTD_createDStream();
    if (stream == NULL) {
        return CAIRN_NO_MEMORY;
    }
    cairn_status status = CAIRN_NO_MEMORY;
    if (ZSTD_isError(ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX)) ==
        0) {
        status = unzstd_all(stream, from, to);
    }
    (void)ZSTD_freeDStream(stream);
    return status;
}

cairn_status cairn__inflate(cairn__encoding encoding, cairn_span from, cairn__buffer *to) {
    CAIRN_ASSERT(encoding == CAIRN__ENCODING_GZIP || encoding == CAIRN__ENCODING_ZSTD);
    if (from.len == 0 || from.len > UINT32_MAX) {
        return CAIRN_INVALID;
    }
    return encoding == CAIRN__ENCODING_GZIP ? inflate_gzip(from, to) : inflate_zstd(from, to);
}
