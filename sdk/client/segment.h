/* segment.h: the list of segments that the store holds, and the record that begins each of them.
 * Pure bookkeeping; one owner thread. */
#ifndef CAIRN_CLIENT_SEGMENT_H
#define CAIRN_CLIENT_SEGMENT_H

#include "base/memory.h"
#include "base/record.h"
#include "client/state.h"

enum { CAIRN__SEGMENT_BYTES_MAX = 64 * 1024 };

typedef struct cairn__segment {
    uint32_t number;
    uint32_t bytes;
    uint32_t live;         /* events of the queue whose newest copy is here */
    uint32_t first_ticket; /* of its appends by this process; 0: none */
    uint32_t last_ticket;
    uint32_t remove_ticket; /* of its removal in a purge; 0: none is under way */
    bool broken;            /* an append failed: what is behind it cannot be read */
} cairn__segment;

typedef struct cairn__segments {
    cairn_allocator allocator;
    cairn__segment *items; /* by ascending number */
    size_t count;
    size_t capacity;
    uint64_t bytes; /* of all */
} cairn__segments;

void cairn__segments_free(cairn__segments *segments);

/** NULL: there is none of this number. */
cairn__segment *cairn__segments_find(const cairn__segments *segments, uint32_t number);

/** The one of the highest number; NULL: there is none at all. */
cairn__segment *cairn__segments_newest(const cairn__segments *segments);

/** The segment of this number, made where there is none; NULL: no memory. Moves the others. */
cairn__segment *cairn__segments_add(cairn__segments *segments, uint32_t number);

/** The segment that an append of this ticket went to; NULL: not known. */
cairn__segment *cairn__segments_of_ticket(const cairn__segments *segments, uint32_t ticket);

/** The oldest that must stay: one with live events, or the newest. NULL: there is none at all. */
cairn__segment *cairn__segments_needed(const cairn__segments *segments);

/** One event fewer lives in this segment. */
void cairn__segments_leave(cairn__segments *segments, uint32_t number);

/** Take away the oldest; there must be one. */
void cairn__segments_remove_oldest(cairn__segments *segments);

/** Take one away; NULL is fine. */
void cairn__segments_remove(cairn__segments *segments, cairn__segment *segment);

/** Append a HEAD record: enough of the state to go on where both of its slots are damaged. */
void cairn__head_write(cairn__buffer *buffer, const cairn__state *state);

/** False: not a head that this version can read. Fields that it does not carry are zero. */
bool cairn__head_read(const cairn__record *record, cairn__state *state_out);

#endif
