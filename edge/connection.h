/* connection.h: sockets. Reads requests, hands them on, and writes their answers in the order of
 * the requests, whenever each is ready. Knows no route.
 *
 * One thread: the loop's. An idle connection holds no buffer. */
#ifndef CAIRN_EDGE_CONNECTION_H
#define CAIRN_EDGE_CONNECTION_H

#include <uv.h>

#include "edge/answer.h"
#include "edge/http.h"
#include "edge/metrics.h"

enum {
    CAIRN__PIPELINE_MAX = 32,      /* requests of a connection under way; then reading waits */
    CAIRN__READ_BYTES = 64 * 1024, /* the loop's one read buffer */
    CAIRN__LINGER_MS = 1000,       /* after a refusal: so that the client can read it */
    CAIRN__SWEEP_MS = 100,         /* how often deadlines are looked at */
    CAIRN__OUT_KEEP_BYTES = 4096,  /* an answer's buffer that is worth keeping */
    CAIRN__EXCHANGES_KEPT_MAX = 1024,
    CAIRN__STREAM_QUEUE_BYTES_MAX = 262144 /* unread bytes of a stream; beyond it, it skips */
};

typedef struct cairn__connection cairn__connection;
typedef struct cairn__server cairn__server;
typedef struct cairn__listener cairn__listener;

/** One request and its answer. Lives until both are done with; the connection may go before. */
typedef struct cairn__exchange {
    cairn__server *server;
    cairn__connection *connection; /* NULL: it is gone, and nobody waits for the answer */
    struct cairn__exchange *next;  /* in the connection's order */
    struct cairn__exchange *also;  /* whoever works on it may chain them */
    const void *route;             /* the handler's */
    void *job;                     /* the handler's */
    size_t project;                /* the handler's */
    void (*gone)(struct cairn__exchange *exchange); /* told when the connection goes; or NULL */
    /** Told that what it adds to the log is durable, and then sends it; or that it is not, and is
     * answered. NULL: it is sent. */
    void (*durable)(struct cairn__exchange *exchange, bool durable);
    cairn__buffer out;
    bool answered; /* out is whole */
    bool close;    /* after the answer */
    bool is_head;
    bool is_public;
    bool streaming;
} cairn__exchange;

struct cairn__listener {
    uv_tcp_t tcp;
    cairn__server *server;
    bool is_public;
    bool waiting; /* somebody waits to be accepted */
    bool open;
};

typedef struct cairn__server_limits {
    size_t head_bytes_max;
    uint64_t head_timeout_ms, body_timeout_ms, idle_timeout_ms, write_timeout_ms;
    size_t connections_max;
    size_t body_bytes_max;
    size_t inflight_bytes_hard;
} cairn__server_limits;

struct cairn__server {
    uv_loop_t *loop;
    cairn__server_limits limits;
    cairn__metrics *metrics;
    void *self; /* of the two below */
    /** The head is there. False: it was answered; the body is not wanted. */
    bool (*on_head)(void *self, cairn__exchange *exchange, const cairn__http_head *head);
    /** The request is whole; content lives for the call. Answer it now or later. */
    void (*on_request)(void *self, cairn__exchange *exchange, const cairn__http_head *head,
                       cairn_span content);
    cairn__listener listeners[2];
    uv_timer_t sweep;
    cairn__connection *connections; /* all */
    size_t connection_count;
    cairn__exchange *spare;
    size_t spare_count;
    size_t inflight_bytes; /* unfinished requests and unread answers; others may add theirs */
    bool draining;         /* answers close their connections */
    bool stopped;
    char date[CAIRN__DATE_BYTES];
    uint8_t read_buffer[CAIRN__READ_BYTES];
};

/** Ready to listen. The server may not move. limits may be changed at any time later. */
void cairn__server_init(cairn__server *server, uv_loop_t *loop);
/** Listen; 0 or a libuv error. */
int cairn__server_listen(cairn__server *server, size_t which, const struct sockaddr *address);
/** The port that was bound. */
int cairn__server_port(const cairn__server *server, size_t which);
/** No new connections; idle ones go, others after their answer. */
void cairn__server_drain(cairn__server *server);
/** Close everything that is left. The loop must run until its handles are closed. */
void cairn__server_stop(cairn__server *server);
/** After the loop has ended: give memory back. */
void cairn__server_free(cairn__server *server);

/** Write the answer into the exchange without sending it. May be called again: the last counts. */
void cairn__exchange_prepare(cairn__exchange *exchange, cairn__answer answer);
/** Send what was prepared. The exchange is gone afterwards. */
void cairn__exchange_send(cairn__exchange *exchange);
/** Both at once. */
void cairn__exchange_answer(cairn__exchange *exchange, cairn__answer answer);
/** A problem as JSON; `headers` as in cairn__answer, or NULL. */
void cairn__exchange_problem(cairn__exchange *exchange, const cairn__problem *problem,
                             const char *headers);

/** Begin an answer without an end. */
void cairn__exchange_stream(cairn__exchange *exchange, cairn__answer answer);
/** Has the reader taken all that was written? */
bool cairn__exchange_stream_is_read(const cairn__exchange *exchange);
/** More of it; the exchange may be gone afterwards. False: too much is unread; nothing was taken.
 */
bool cairn__exchange_stream_write(cairn__exchange *exchange, cairn_span bytes);

#endif
