/* record.c: see record.h. */
#include "base/record.h"

#include "base/bytes.h"
#include "base/crc32c.h"

enum { MAGIC = 0x4352, CHECKED_BYTES = 16 };

static uint32_t checksum(const uint8_t *head, cairn_span payload, cairn_span tail) {
    uint32_t crc = cairn__crc32c(0, (cairn_span){ head, CHECKED_BYTES });
    crc = payload.len == 0 ? crc : cairn__crc32c(crc, payload);
    return tail.len == 0 ? crc : cairn__crc32c(crc, tail);
}

void cairn__record_write_parts(cairn__buffer *buffer, const cairn__record *record,
                               cairn_span tail) {
    size_t len = record->payload.len + tail.len;
    uint8_t *to = cairn__buffer_extend(buffer, CAIRN__RECORD_HEAD_BYTES + len);
    if (to == NULL) {
        return;
    }
    cairn__store_u16(to, MAGIC);
    to[2] = record->type;
    to[3] = record->flags;
    cairn__store_u32(to + 4, (uint32_t)len);
    cairn__store_u64(to + 8, record->seq);
    cairn__store_u32(to + CHECKED_BYTES, checksum(to, record->payload, tail));
    to += CAIRN__RECORD_HEAD_BYTES;
    if (record->payload.len > 0) {
        memcpy(to, record->payload.data, record->payload.len);
    }
    if (tail.len > 0) {
        memcpy(to + record->payload.len, tail.data, tail.len);
    }
}

void cairn__record_write(cairn__buffer *buffer, const cairn__record *record) {
    cairn__record_write_parts(buffer, record, (cairn_span){ NULL, 0 });
}

bool cairn__record_next(cairn__cursor *cursor, cairn__record *record_out) {
    size_t left = (size_t)(cursor->end - cursor->at);
    const uint8_t *head = cursor->at;
    if (left < CAIRN__RECORD_HEAD_BYTES || cairn__load_u16(head) != MAGIC) {
        return false;
    }
    uint32_t len = cairn__load_u32(head + 4);
    if (len > left - CAIRN__RECORD_HEAD_BYTES) {
        return false;
    }
    cairn_span payload = { head + CAIRN__RECORD_HEAD_BYTES, len };
    if (cairn__load_u32(head + CHECKED_BYTES) != checksum(head, payload, (cairn_span){ NULL, 0 })) {
        return false;
    }
    *record_out = (cairn__record){ head[2], head[3], cairn__load_u64(head + 8), payload };
    cursor->at = payload.data + len;
    return true;
}
