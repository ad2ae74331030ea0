/* entry.h: the bytes of one entry of the log. Little-endian:
 *
 *   offset  0  u32  bytes of the whole entry, header included
 *           4  u32  CRC32C of those four bytes and of everything from offset 8 on
 *           8  u8   type (cairn__log_type)
 *           9  u8   bytes of the project's name
 *          10  u16  0
 *          12  i64  received_ms
 *          20       project, then payload
 *
 * A run of zeros is never an entry (its length would be 0), nor is any cut of one. Pure. */
#ifndef CAIRN_LOG_ENTRY_H
#define CAIRN_LOG_ENTRY_H

#include "log/log.h"

enum { CAIRN__ENTRY_HEADER_BYTES = 20 };

/** Bytes of the entry that begins with this header (CAIRN__ENTRY_HEADER_BYTES of it are there);
 * 0 when no entry begins so. The checksum is not looked at. */
size_t cairn__entry_bytes(const uint8_t *header);

/** Read the entry at the start of `bytes`; position and end are the caller's to set.
 * False: cut short, damaged or not an entry. Spans borrow `bytes`. */
bool cairn__entry_parse(cairn_span bytes, cairn__log_entry *entry_out, size_t *bytes_out);

#endif
