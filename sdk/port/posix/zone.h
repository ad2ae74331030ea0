/* zone.h: where the system says it is: its time zone's name and file. Reads files; at open only
 * (it looks at the environment). */
#ifndef CAIRN_PORT_POSIX_ZONE_H
#define CAIRN_PORT_POSIX_ZONE_H

#include "base/memory.h"

enum {
    CAIRN__SYSTEM_ZONE_NAME_BYTES_MAX = 64, /* a longer name is left empty */
    CAIRN__SYSTEM_ZONE_BYTES_MAX = 64 * 1024
};

/** TZ ("Asia/Shanghai", ":Asia/Shanghai"), else /etc/localtime. The name may stay empty where only
 * the file is known. False: neither names a file that can be read (TZ may be a rule: "CET-1"). */
bool cairn__system_zone(cairn__buffer *name, cairn__buffer *tzif);

#endif
