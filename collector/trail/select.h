/* select.h: which rows of a block have a wanted name: the inner loop of every query. Pure. */
#ifndef CAIRN_TRAIL_SELECT_H
#define CAIRN_TRAIL_SELECT_H

#include "trail/image.h"

/** Row numbers 0 .. count. Returns count. */
size_t cairn__select_all(uint32_t count, uint16_t *rows_out);
/** Ascending numbers of the rows whose code c has wanted[c] != 0; how many.
 * @param rows_out  Room for all rows of the block and 8 more. */
size_t cairn__select(const cairn__image_chunk *names, const uint8_t *wanted, uint16_t *rows_out);

#endif
