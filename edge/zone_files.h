/* zone_files.h: the system's time zones as the table that a bundle carries. Any thread; reads
 * files.
 */
#ifndef CAIRN_EDGE_ZONE_FILES_H
#define CAIRN_EDGE_ZONE_FILES_H

#include "base/memory.h"

/**
 * Append a zone table (base/zone_table.h).
 *
 * @param directory  Of the TZif files; with `all` its tzdata.zi names all zones. Where there is no
 *                   such file, "all" is what `names` has.
 * @param names      Zones that must be in it, but for UTC.
 * @retval CAIRN_NO_MEMORY  Or a named zone has no file that can be read.
 * Zones that a table cannot hold are left out.
 */
cairn_status cairn__zone_files_table(const char *directory, const cairn_span *names, size_t count,
                                     bool all, cairn__buffer *to);

#endif
