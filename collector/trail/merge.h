/* merge.h: several images become one, in (node, time, order), block by block: memory for one block
 * of each, and for the dictionaries. Sources are read by their checksums like any reader's. */
#ifndef CAIRN_TRAIL_MERGE_H
#define CAIRN_TRAIL_MERGE_H

#include "trail/image_write.h"

enum { CAIRN__MERGE_IMAGES_MAX = 256 /* at once */ };

/** What is merged, and with which writer. */
typedef struct cairn__merge_plan {
    cairn_allocator allocator;
    cairn__image_writer *writer; /* NULL: one is made for it */
    cairn__image *const *images;
    size_t count;
} cairn__merge_plan;

/** @retval CAIRN_STORAGE  A source is damaged, or the sink said no. CAIRN_NO_MEMORY. */
cairn_status cairn__merge(const cairn__merge_plan *plan, cairn__image_sink sink);
/** Into a new image in memory. */
cairn_status cairn__merge_in_memory(const cairn__merge_plan *plan, cairn__image **image_out);

#endif
