/* verify.h: is every part of an image whole? Reads all of it. Any thread. */
#ifndef CAIRN_TRAIL_VERIFY_H
#define CAIRN_TRAIL_VERIFY_H

#include "trail/image.h"

/** Where the first damage was found; `what` is static. */
typedef struct cairn__image_damage {
    const char *what;
    uint64_t where; /* number of the block or dictionary */
} cairn__image_damage;

/** Check every checksum again, and what no reader needs to check: that rows are in order, that all
 * codes have strings, that lists can be decoded.
 * @retval CAIRN_STORAGE  damage_out says where. CAIRN_NO_MEMORY. */
cairn_status cairn__image_verify(cairn__image *image, cairn__image_damage *damage_out);

#endif
