/* Times of imported rows: RFC 3339, epoch seconds or milliseconds, or a strptime pattern. */
#ifndef CAIRN_CLI_WHEN_H
#define CAIRN_CLI_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/zone.h"

/* A time zone: a fixed offset, or rules from the system's zoneinfo. */
typedef struct {
    int offset_minutes;       /* east of UTC, where there are no rules */
    const cairn__zone *rules; /* NULL: none */
} cairn__when;

/* Reads "UTC", "+08:00" or an IANA name ("Asia/Shanghai"), whose rules live in `arena`. False: it
 * is none of them. */
bool cairn__when_find(const char *name, cairn__arena *arena, cairn__when *when);

/* Minutes east of UTC of "UTC", "Z", "+08:00" or "-03:30"; false for anything else. */
bool cairn__when_zone(const char *text, int *offset_minutes);

/* Reads all of `text` by `format`: "rfc3339", "epoch_s", "epoch_ms", or a strptime pattern whose
 * wall time is taken in `when`'s zone. Milliseconds since 1970 in `*ms`. False when the text
 * does not fit the format, is no date of the calendar (31 February), or is outside 1..9999. */
bool cairn__when_parse(const char *text, const char *format, const cairn__when *when, int64_t *ms);

#endif
