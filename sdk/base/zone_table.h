/* zone_table.h: every zone's local time in a few KiB, for where there is no zoneinfo (WASM), and so
 * that device and server agree whatever tzdata they have. Made by sdk/bundle/zones.h from TZif
 * files; exact from CAIRN__ZONE_TABLE_FROM_YEAR on: until 2037 by listed changes and the zone's
 * rule, later by the rule alone. What was before 2020 is as on 2020-01-01.
 *
 *   table   "CZ1", u8 0; u16 zones, u16 names (little-endian); zones; names
 *   zone    varint bytes of the rest; varint changes; zigzag offset; changes; the rule's text
 *           (a POSIX TZ text as in a TZif footer, may be empty) to the end of the zone
 *   change  varint minutes since the last one (the first: since 2020-01-01T00:00Z); zigzag offset
 *   name    u8 bytes shared with the name before; u8 bytes of the rest; the rest; varint zone
 *
 * Offsets are minutes east of UTC. Names ascend bytewise. */
#ifndef CAIRN_BASE_ZONE_TABLE_H
#define CAIRN_BASE_ZONE_TABLE_H

#include "base/zone.h"

enum {
    CAIRN__ZONE_TABLE_FROM_YEAR = 2020,
    CAIRN__ZONE_TABLE_UNTIL_YEAR = 2038, /* not included */
    CAIRN__ZONE_TABLE_HEADER_BYTES = 8,
    CAIRN__ZONE_TABLE_ZONES_MAX = 1000,
    CAIRN__ZONE_TABLE_NAMES_MAX = 2000,
    CAIRN__ZONE_NAME_BYTES_MAX = 64,
    CAIRN__ZONE_CHANGES_MAX = 63 /* of one zone of the table */
};

/** @param arena  Owns the zone, about 7 KiB.
 * @retval CAIRN_NOT_FOUND  No zone of that name.
 * @retval CAIRN_INVALID    The table is damaged where it was read.
 * @retval CAIRN_NO_MEMORY  The arena is full. */
cairn_status cairn__zone_table_find(cairn_span table, cairn_span name, cairn__arena *arena,
                                    const cairn__zone **zone_out);

/** Is the whole table good? So that later finds can say only OK, NOT_FOUND and NO_MEMORY. */
bool cairn__zone_table_check(cairn_span table);

/** Would cairn__zone_parse_compact read it? */
bool cairn__zone_compact_check(cairn_span bytes);

/** One zone of a table ("zone" above without its length). As cairn__zone_parse. */
cairn_status cairn__zone_parse_compact(cairn_span bytes, cairn__arena *arena,
                                       const cairn__zone **zone_out);

#endif
