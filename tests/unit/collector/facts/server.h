/* server.h: a server for devices in a test (unit/sdk/client/fake_host.h): their requests are folded
 * at once, their answers carry the bundle and what is known of their person, and it decides as
 * POST /v1/decide does. */
#ifndef CAIRN_TESTS_FACTS_SERVER_H
#define CAIRN_TESTS_FACTS_SERVER_H

#include "bundle/read.h"
#include "facts/decide.h"
#include "unit/collector/fold/history.h"
#include "unit/sdk/client/fake_host.h"
#include "world.h"

typedef struct server {
    history state;
    world *w;            /* its definitions */
    bool mute;           /* tells devices nothing of their persons */
    uint64_t told, same; /* answers with facts, and without since the device has them */
    /* the bundle, as it was read last */
    cairn__buffer bytes;
    cairn__arena arena;
    cairn__bundle bundle;
    cairn__fact_needs needs;
    cairn__decider *decider;
    uint64_t version;
    cairn__fault_problem problem; /* of the newest decision */
} server;

void server_open(server *s, const char *name);
void server_close(server *s);
/** Put a definition; it must be good. */
void server_put(server *s, cairn__definition_kind kind, const char *name, const char *json);
/** This device's requests come here. */
void server_serve(server *s, fake_host *host);
/** Decide; false: refused, and `problem` says why. */
bool server_decide(server *s, const char *json, cairn__buffer *answer);

#endif
