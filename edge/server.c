/* server.c: the two listeners, deadlines, and the end. */
#include <stdlib.h>

#include "edge/connection_inside.h"

enum { BACKLOG = 1024 };

static bool has_room(const cairn__server *server) {
    return server->connection_count < server->limits.connections_max &&
           server->inflight_bytes <= server->limits.inflight_bytes_hard;
}

static void on_connection(uv_stream_t *stream, int status) {
    cairn__listener *listener = stream->data;
    if (status != 0) {
        return;
    }
    listener->waiting = true;
    if (has_room(listener->server)) {
        cairn__connection_accept(listener);
    }
}

void cairn__server_accept_waiting(cairn__server *server) {
    for (size_t i = 0; i < 2; i++) {
        cairn__listener *listener = &server->listeners[i];
        if (listener->open && listener->waiting && has_room(server)) {
            cairn__connection_accept(listener);
        }
    }
}

static const cairn__problem too_slow = { .status = 408,
                                         .code = "timeout",
                                         .detail = "the request did not come in time",
                                         .fix = "send it faster, or in smaller pieces" };

static void on_sweep(uv_timer_t *timer) {
    cairn__server *server = timer->data;
    uint64_t now = uv_now(server->loop);
    uv_timeval64_t clock;
    if (uv_gettimeofday(&clock) == 0) {
        cairn__http_date(clock.tv_sec * 1000, server->date);
    }
    for (cairn__connection *at = server->connections, *next = NULL; at != NULL; at = next) {
        next = at->next;
        if (at->deadline_ms > now) {
            continue;
        }
        cairn__count(&server->metrics->timeouts_total, at->phase < CAIRN__PHASE_IDLE);
        if (at->phase == CAIRN__PHASE_HEAD || at->phase == CAIRN__PHASE_BODY) {
            cairn__connection_refuse(at, &too_slow);
        } else {
            cairn__connection_close(at);
        }
    }
    cairn__server_accept_waiting(server);
}

void cairn__server_init(cairn__server *server, uv_loop_t *loop) {
    server->loop = loop;
    (void)uv_timer_init(loop, &server->sweep);
    server->sweep.data = server;
    on_sweep(&server->sweep);
    (void)uv_timer_start(&server->sweep, on_sweep, CAIRN__SWEEP_MS, CAIRN__SWEEP_MS);
}

int cairn__server_listen(cairn__server *server, size_t which, const struct sockaddr *address) {
    cairn__listener *listener = &server->listeners[which];
    listener->server = server;
    listener->is_public = which == 0;
    int code = uv_tcp_init(server->loop, &listener->tcp);
    if (code != 0) {
        return code;
    }
    listener->tcp.data = listener;
    listener->open = true;
    code = uv_tcp_bind(&listener->tcp, address, 0);
    return code != 0 ? code : uv_listen((uv_stream_t *)&listener->tcp, BACKLOG, on_connection);
}

int cairn__server_port(const cairn__server *server, size_t which) {
    struct sockaddr_storage address;
    int len = sizeof address;
    if (uv_tcp_getsockname(&server->listeners[which].tcp, (struct sockaddr *)&address, &len) != 0) {
        return 0;
    }
    const struct sockaddr_in *four = (const struct sockaddr_in *)&address;
    return (four->sin_port >> 8 | four->sin_port << 8) & 0xFFFF; /* at the same place in IPv6 */
}

static void close_listeners(cairn__server *server) {
    for (size_t i = 0; i < 2; i++) {
        if (server->listeners[i].open) {
            server->listeners[i].open = false;
            uv_close((uv_handle_t *)&server->listeners[i].tcp, NULL);
        }
    }
}

void cairn__server_drain(cairn__server *server) {
    server->draining = true;
    close_listeners(server);
    for (cairn__connection *at = server->connections, *next = NULL; at != NULL; at = next) {
        next = at->next;
        bool streaming = at->first != NULL && at->first->streaming;
        if (streaming || (at->exchange_count == 0 && !at->lingering &&
                          !cairn__http_is_inside(&at->http) && at->unwritten_bytes == 0)) {
            cairn__connection_close(at);
        }
    }
}

void cairn__server_stop(cairn__server *server) {
    close_listeners(server);
    while (server->connections != NULL) {
        cairn__connection_close(server->connections);
    }
    uv_close((uv_handle_t *)&server->sweep, NULL);
}

void cairn__server_free(cairn__server *server) {
    server->stopped = true;
    while (server->spare != NULL) {
        cairn__exchange *exchange = server->spare;
        server->spare = exchange->next;
        cairn__buffer_free(&exchange->out);
        free(exchange);
    }
}
