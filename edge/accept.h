/* accept.h: what accept.c shares with telling.c: the answer to a sync. */
#ifndef CAIRN_EDGE_ACCEPT_H
#define CAIRN_EDGE_ACCEPT_H

#include "edge/connection.h"

struct cairn__edge;

typedef struct cairn__sync_answer {
    cairn__buffer *response; /* a SyncResponse; the bundle may be appended */
    bool with_bundle;
    bool accepts_gzip;
} cairn__sync_answer;

/** Prepare the exchange with it. False: no memory. */
bool cairn__sync_answer_prepare(struct cairn__edge *edge, cairn__exchange *exchange,
                                const cairn__sync_answer *answer);

#endif
