#include "log/entry.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/crc32c.h"

enum { CRC_AT = 4, TYPE_AT = 8, PROJECT_BYTES_AT = 9, ZERO_AT = 10, RECEIVED_AT = 12 };

static uint32_t checksum(const uint8_t *entry, size_t bytes) {
    uint32_t crc = cairn__crc32c(0, cairn__span(entry, CRC_AT));
    return cairn__crc32c(crc, cairn__span(entry + TYPE_AT, bytes - TYPE_AT));
}

void cairn__log_frame(cairn__buffer *batch, const cairn__log_entry *entry) {
    CAIRN_ASSERT(entry->project.len <= CAIRN__LOG_PROJECT_BYTES_MAX);
    CAIRN_ASSERT(entry->payload.len < CAIRN__LOG_ENTRY_BYTES_MAX);
    size_t bytes = CAIRN__ENTRY_HEADER_BYTES + entry->project.len + entry->payload.len;
    CAIRN_ASSERT(bytes <= CAIRN__LOG_ENTRY_BYTES_MAX);
    uint8_t *at = cairn__buffer_extend(batch, bytes);
    if (at == NULL) {
        return;
    }
    cairn__store_u32(at, (uint32_t)bytes);
    at[TYPE_AT] = (uint8_t)entry->type;
    at[PROJECT_BYTES_AT] = (uint8_t)entry->project.len;
    cairn__store_u16(at + ZERO_AT, 0);
    cairn__store_u64(at + RECEIVED_AT, (uint64_t)entry->received_ms);
    uint8_t *to = at + CAIRN__ENTRY_HEADER_BYTES;
    if (entry->project.len != 0) {
        memcpy(to, entry->project.data, entry->project.len);
    }
    if (entry->payload.len != 0) {
        memcpy(to + entry->project.len, entry->payload.data, entry->payload.len);
    }
    cairn__store_u32(at + CRC_AT, checksum(at, bytes));
}

size_t cairn__entry_bytes(const uint8_t *header) {
    size_t bytes = cairn__load_u32(header);
    size_t project = header[PROJECT_BYTES_AT];
    bool whole = bytes >= CAIRN__ENTRY_HEADER_BYTES + project &&
                 bytes <= CAIRN__LOG_ENTRY_BYTES_MAX && project <= CAIRN__LOG_PROJECT_BYTES_MAX &&
                 header[TYPE_AT] != 0 && cairn__load_u16(header + ZERO_AT) == 0;
    return whole ? bytes : 0;
}

bool cairn__entry_parse(cairn_span bytes, cairn__log_entry *entry_out, size_t *bytes_out) {
    if (bytes.len < CAIRN__ENTRY_HEADER_BYTES) {
        return false;
    }
    size_t whole = cairn__entry_bytes(bytes.data);
    if (whole == 0 || whole > bytes.len ||
        checksum(bytes.data, whole) != cairn__load_u32(bytes.data + CRC_AT)) {
        return false;
    }
    size_t project = bytes.data[PROJECT_BYTES_AT];
    const uint8_t *rest = bytes.data + CAIRN__ENTRY_HEADER_BYTES;
    *entry_out = (cairn__log_entry){
        .type = (cairn__log_type)bytes.data[TYPE_AT],
        .received_ms = (int64_t)cairn__load_u64(bytes.data + RECEIVED_AT),
        .project = cairn__span(rest, project),
        .payload = cairn__span(rest + project, whole - CAIRN__ENTRY_HEADER_BYTES - project),
    };
    *bytes_out = whole;
    return true;
}
