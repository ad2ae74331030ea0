/* image_check.h: does what a checksummed part of an image says make sense? Internal to image.c and
 * image_check.c: everybody else goes through image.h. Pure. */
#ifndef CAIRN_TRAIL_IMAGE_CHECK_H
#define CAIRN_TRAIL_IMAGE_CHECK_H

#include "trail/image.h"

/** Read the entry of a chunk and cut its bytes into parts; bounds only.
 * False: it does not fit its block. */
bool cairn__chunk_parse(const cairn__image_view *view, const uint8_t *block_bytes, uint32_t number,
                        cairn__image_chunk *chunk_out);
/** Row numbers, names and nodes in range and in order: reads every value of the chunk. */
bool cairn__chunk_check(const cairn__image_view *view, uint32_t number,
                        const cairn__image_chunk *chunk);

#endif
