/* connection_inside.h: what connection.c and server.c share, and nobody else. */
#ifndef CAIRN_EDGE_CONNECTION_INSIDE_H
#define CAIRN_EDGE_CONNECTION_INSIDE_H

#include "edge/connection.h"

/* What a connection waits for decides how long it may. */
typedef enum cairn__connection_phase {
    CAIRN__PHASE_HEAD, /* of its first request, or one that has begun */
    CAIRN__PHASE_BODY,
    CAIRN__PHASE_WORK,  /* an answer is being made: its maker has the deadline */
    CAIRN__PHASE_WRITE, /* the client does not read */
    CAIRN__PHASE_IDLE,
    CAIRN__PHASE_LINGER
} cairn__connection_phase;

struct cairn__connection {
    uv_tcp_t tcp;
    cairn__server *server;
    cairn__listener *listener;
    cairn__connection *next, *before;
    cairn__http http;
    cairn__buffer waiting; /* bytes that came while too many requests were under way */
    cairn__exchange *first, *last;
    cairn__exchange *current; /* its head has come, its body not yet */
    size_t exchange_count;
    size_t counted_bytes;   /* of ours in server->inflight_bytes */
    size_t unwritten_bytes; /* given to libuv */
    uint64_t deadline_ms;
    cairn__connection_phase phase;
    bool reading, paused, refused, ended, corked, closing, lingering;
};

/** A connection that waits to be accepted on the listener. */
void cairn__connection_accept(cairn__listener *listener);
void cairn__connection_close(cairn__connection *connection);
/** Answer a problem and close; what the client still sends is dropped. */
void cairn__connection_refuse(cairn__connection *connection, const cairn__problem *problem);

/** Accept whoever waits, if there is room now. */
void cairn__server_accept_waiting(cairn__server *server);

#endif
