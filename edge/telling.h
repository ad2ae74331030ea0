/* telling.h: the answers to deciding devices' syncs wait for what is known of their person: until
 * the events of the request are folded, at most CAIRN__TELLING_WAIT_MS after they are durable.
 * Those that wait are asked for together, so that the folder makes one snapshot for all of them
 * (docs/adr/0011). Whatever goes wrong, the answer goes out without facts, and the device asks
 * again with its next sync. The loop owns it. */
#ifndef CAIRN_EDGE_TELLING_H
#define CAIRN_EDGE_TELLING_H

#include <uv.h>

#include "edge/connection.h"
#include "model/limits.h"
#include "model/sync.h"

enum {
    CAIRN__TELLING_MAX = 128,     /* answers that wait; further ones go out without facts */
    CAIRN__TELLING_EVERY_MS = 20, /* between two times that persons are asked for */
    CAIRN__TELLING_WAIT_MS = 250
};

struct cairn__edge;
typedef struct cairn__tell cairn__tell;

typedef struct cairn__telling {
    struct cairn__edge *edge;
    uv_timer_t timer;
    cairn__tell *first; /* all of them */
    size_t count;
    bool running;
} cairn__telling;

int cairn__telling_start(cairn__telling *telling, struct cairn__edge *edge);
/** Answers that wait go out. */
void cairn__telling_stop(cairn__telling *telling);

/** The request's head, copied: the device will be told of its person with this answer. The exchange
 * is prepared as it goes out without. NULL: too many wait. */
cairn__tell *cairn__tell_make(cairn__telling *telling, cairn__exchange *exchange,
                              const cairn__sync_head *head);
/** What the answer is made of (edge/accept.h): the response so far is copied. */
void cairn__tell_keep(cairn__tell *tell, cairn_span response, bool with_bundle, bool accepts_gzip);
/** The request is durable: send when the facts are there. */
void cairn__tell_ready(cairn__tell *tell);
/** Nothing is sent by it: the request was refused. */
void cairn__tell_drop(cairn__tell *tell);

#endif
