/* crc32c.h: CRC-32C (Castagnoli polynomial 0x1EDC6F41, RFC 3720 appendix B.4). */
#ifndef CAIRN_BASE_CRC32C_H
#define CAIRN_BASE_CRC32C_H

#include "cairn/cairn_types.h"

/** The checksum of `bytes` after `crc` (0 to begin): crc(crc(0, a), b) = crc(0, ab). */
uint32_t cairn__crc32c(uint32_t crc, cairn_span bytes);

#endif
