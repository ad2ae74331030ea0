/* zones.h: TZif files -> a zone table (base/zone_table.h). For the collector and tests; pure. */
#ifndef CAIRN_BUNDLE_ZONES_H
#define CAIRN_BUNDLE_ZONES_H

#include "base/zone_table.h"

typedef struct cairn__zone_file {
    cairn_span name; /* "Europe/Berlin" */
    cairn_span tzif;
} cairn__zone_file;

/**
 * Append a zone table. Zones with the same local time share one entry.
 *
 * @param files    By name, ascending bytewise, no name twice.
 * @param scratch  About 8 KiB for each distinct zone: 8 MiB are enough for all of tzdata.
 * @retval CAIRN_INVALID      A file is damaged, or names are not in order: *bad_out is its place.
 * @retval CAIRN_UNSUPPORTED  A zone changes at a part of a minute, or too often, or has leap
 *                            seconds: *bad_out.
 * @retval CAIRN_NO_MEMORY    `to` or `scratch` is full.
 */
cairn_status cairn__zone_table_write(const cairn__zone_file *files, size_t count,
                                     cairn__arena *scratch, cairn__buffer *to, size_t *bad_out);

#endif
