/* record.h: the record log's format, on every platform.
 *
 *   u16 magic 0x4352, u8 type, u8 flags, u32 len, u64 seq, u32 crc32c, len bytes of payload
 *
 * Little-endian; the checksum is over the 16 bytes before it and the payload. A reader stops at the
 * first record that is not whole and keeps all before it. Two logs are written in it: the queue's
 * (client/journal.h) and the device's own memory (local/diary.h). Pure functions. */
#ifndef CAIRN_BASE_RECORD_H
#define CAIRN_BASE_RECORD_H

#include "base/memory.h"
#include "base/varint.h"

enum { CAIRN__RECORD_HEAD_BYTES = 20 };

typedef enum cairn__record_type {
    CAIRN__RECORD_EVENT = 1, /* seq: the event's; payload: an Event message without its seq */
    CAIRN__RECORD_DROP = 2,  /* seq: the event that is given up; payload: u64 dropped in all */
    CAIRN__RECORD_HEAD = 3,  /* first of a segment; seq: the next one; payload: see journal.c */
    CAIRN__RECORD_STATE = 4  /* a state slot; seq: its version; payload: see state.c */
    /* 32..63: of local/diary.h */
} cairn__record_type;

enum {
    CAIRN__RECORD_CRITICAL = 1, /* EVENT: not to be dropped to make room */
    CAIRN__RECORD_REPORT = 2,   /* EVENT: "$dropped"; the payload begins with u64 reported in all */
    CAIRN__RECORD_RANGE = 4     /* DROP: and every event before it that is not critical */
};

typedef struct cairn__record {
    uint8_t type;
    uint8_t flags;
    uint64_t seq;
    cairn_span payload; /* borrowed */
} cairn__record;

/** Append; buffer->failed tells of no room. */
void cairn__record_write(cairn__buffer *buffer, const cairn__record *record);

/** The same, with a payload of two parts: record->payload, and `tail` behind it. */
void cairn__record_write_parts(cairn__buffer *buffer, const cairn__record *record, cairn_span tail);

/** The next whole record. False at the end or at damage: then cursor->at == cursor->end tells
 * which. Records of unknown types are returned, too. */
bool cairn__record_next(cairn__cursor *cursor, cairn__record *record_out);

#endif
