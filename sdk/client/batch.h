/* batch.h: the oldest events of the queue as one SyncRequest. */
#ifndef CAIRN_CLIENT_BATCH_H
#define CAIRN_CLIENT_BATCH_H

#include "client/queue.h"
#include "model/sync.h"

typedef struct cairn__batch {
    const cairn__queue *queue;
    const cairn__sync_head *head;
    uint64_t base; /* sequence number on the wire = the queue's - base */
    size_t events_max;
    size_t bytes_max;  /* of the events before the dictionary; one event is always taken */
    bool with_unkept;  /* also what the store has not kept yet */
    size_t count;      /* out */
    uint64_t last_seq; /* out */
} cairn__batch;

/**
 * Write the request.
 *
 * @param scratch  Reset first; on return nothing in it is needed any more.
 * @param to       Cleared first.
 * @retval CAIRN_OK         batch->count events are in it (0 where none may be sent yet).
 * @retval CAIRN_NO_MEMORY  No room.
 * @retval CAIRN_INVALID    An event of the queue is not a message; restore would have refused it.
 */
cairn_status cairn__batch_write(cairn__batch *batch, cairn__arena *scratch, cairn__buffer *to);

#endif
