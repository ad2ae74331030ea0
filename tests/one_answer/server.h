/* server.h: the collector: what devices send is folded, and decided upon as POST /v1/decide does.
 */
#ifndef CAIRN_TESTS_ONE_ANSWER_SERVER_H
#define CAIRN_TESTS_ONE_ANSWER_SERVER_H

#include "bundle/read.h"
#include "decide/decide.h"
#include "device.h"
#include "facts/needs.h"
#include "fold/fold.h"

typedef struct server {
    char directory[64];
    cairn__fold *fold;
    uint64_t position;
    cairn__arena arena;
    cairn__bundle bundle;
    cairn__fact_needs needs;
    cairn__decider *decider;
} server;

void server_open(server *s);
void server_close(server *s);
/** Decide by this world's bundle from now on; borrowed. */
void server_use(server *s, const world *w);
/** A sync request that arrived now. */
void server_take(server *s, cairn_span body, int64_t now_ms);
void server_decide(server *s, const device_question *question, cairn__buffer *answer);

#endif
