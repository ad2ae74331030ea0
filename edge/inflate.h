/* inflate.h: Content-Encoding of requests, undone with a limit. Pure but for memory. */
#ifndef CAIRN_EDGE_INFLATE_H
#define CAIRN_EDGE_INFLATE_H

#include "base/memory.h"

typedef enum cairn__encoding {
    CAIRN__ENCODING_IDENTITY,
    CAIRN__ENCODING_GZIP,
    CAIRN__ENCODING_ZSTD,
    CAIRN__ENCODING_UNKNOWN
} cairn__encoding;

/** Of a Content-Encoding header; absent (data NULL) is identity. */
cairn__encoding cairn__encoding_of(cairn_span header);

/**
 * Decompress all of `from` into `to` (empty; its bytes_max is the limit).
 *
 * @retval CAIRN_OK         All of it, and nothing behind it.
 * @retval CAIRN_INVALID    Not such a stream, or cut short, or more behind it.
 * @retval CAIRN_FULL       More than to->bytes_max.
 * @retval CAIRN_NO_MEMORY
 */
cairn_status cairn__inflate(cairn__encoding encoding, cairn_span from, cairn__buffer *to);

#endif
