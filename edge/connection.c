#include "edge/connection.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "edge/connection_inside.h"

enum { WRITE_PARTS_MAX = 16, ANSWER_BYTES_MAX = 1 << 30 };

typedef struct write_request {
    uv_write_t request;
    size_t bytes;
    uint8_t data[];
} write_request;

static void flush(cairn__connection *connection);
static void take(cairn__connection *connection, cairn_span input);
static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer);
static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer);

/* --- exchanges -------------------------------------------------------------------------------- */

static cairn__exchange *exchange_make(cairn__connection *connection) {
    cairn__server *server = connection->server;
    cairn__exchange *exchange = server->spare;
    if (exchange != NULL) {
        server->spare = exchange->next;
        server->spare_count--;
    } else {
        exchange = calloc(1, sizeof *exchange);
        if (exchange == NULL) {
            return NULL;
        }
        exchange->out = cairn__buffer_make(cairn__heap(), ANSWER_BYTES_MAX);
    }
    cairn__buffer out = exchange->out;
    *exchange = (cairn__exchange){ .server = server, .connection = connection, .out = out };
    exchange->is_public = connection->listener->is_public;
    if (connection->last != NULL) {
        connection->last->next = exchange;
    } else {
        connection->first = exchange;
    }
    connection->last = exchange;
    connection->exchange_count++;
    return exchange;
}

static void exchange_free(cairn__exchange *exchange) {
    cairn__server *server = exchange->server;
    if (exchange->out.capacity > CAIRN__OUT_KEEP_BYTES) {
        cairn__buffer_free(&exchange->out);
        exchange->out = cairn__buffer_make(cairn__heap(), ANSWER_BYTES_MAX);
    }
    if (server->stopped || server->spare_count >= CAIRN__EXCHANGES_KEPT_MAX) {
        cairn__buffer_free(&exchange->out);
        free(exchange);
        return;
    }
    cairn__buffer_clear(&exchange->out);
    exchange->next = server->spare;
    server->spare = exchange;
    server->spare_count++;
}

static cairn__exchange *pop_exchange(cairn__connection *connection) {
    cairn__exchange *exchange = connection->first;
    connection->first = exchange->next;
    connection->last = connection->first == NULL ? NULL : connection->last;
    connection->exchange_count--;
    exchange->next = NULL;
    return exchange;
}

static void count_status(cairn__metrics *metrics, int status) {
    _Atomic uint64_t *const classes[] = { &metrics->answers_2xx, &metrics->answers_3xx,
                                          &metrics->answers_4xx, &metrics->answers_5xx };
    CAIRN_ASSERT(status >= 200 && status < 600);
    cairn__count(classes[status / 100 - 2], 1);
}

void cairn__exchange_prepare(cairn__exchange *exchange, cairn__answer answer) {
    exchange->close = exchange->close || answer.close || exchange->server->draining;
    answer.close = exchange->close;
    answer.body_left_out = exchange->is_head;
    cairn__buffer_clear(&exchange->out);
    cairn__answer_write(&exchange->out, &answer, exchange->server->date);
}

void cairn__exchange_send(cairn__exchange *exchange) {
    cairn__connection *connection = exchange->connection;
    CAIRN_ASSERT(!exchange->answered);
    exchange->answered = true;
    if (connection == NULL) {
        exchange_free(exchange);
        return;
    }
    if (exchange->out.failed) {
        exchange->close = true; /* an answer cut off; the client sees the connection end */
    }
    count_status(exchange->server->metrics,
                 exchange->out.len > 11 ? (exchange->out.data[9] - '0') * 100 : 500);
    if (!connection->corked) {
        flush(connection);
    }
}

void cairn__exchange_answer(cairn__exchange *exchange, cairn__answer answer) {
    cairn__exchange_prepare(exchange, answer);
    cairn__exchange_send(exchange);
}

void cairn__exchange_problem(cairn__exchange *exchange, const cairn__problem *problem,
                             const char *headers) {
    cairn__buffer json = cairn__buffer_make(cairn__heap(), ANSWER_BYTES_MAX);
    cairn__problem_json(&json, problem);
    cairn__exchange_answer(exchange, (cairn__answer){ .status = problem->status,
                                                      .content_type = "application/problem+json",
                                                      .headers = headers,
                                                      .body = cairn__buffer_span(&json) });
    cairn__buffer_free(&json);
}

/* --- phases and deadlines --------------------------------------------------------------------- */

static uint64_t now_ms(const cairn__server *server) {
    return uv_now(server->loop);
}

static cairn__connection_phase phase_of(const cairn__connection *connection) {
    if (connection->lingering) {
        return CAIRN__PHASE_LINGER;
    }
    if (connection->unwritten_bytes > 0) {
        return CAIRN__PHASE_WRITE;
    }
    if (connection->current != NULL && !connection->current->answered &&
        cairn__http_in_body(&connection->http)) {
        return CAIRN__PHASE_BODY;
    }
    if (cairn__http_is_inside(&connection->http)) {
        return CAIRN__PHASE_HEAD;
    }
    return connection->exchange_count > 0 ? CAIRN__PHASE_WORK : CAIRN__PHASE_IDLE;
}

static void set_deadline(cairn__connection *connection, cairn__connection_phase phase) {
    const cairn__server_limits *limits = &connection->server->limits;
    const uint64_t allowed_ms[] = {
        [CAIRN__PHASE_HEAD] = limits->head_timeout_ms,
        [CAIRN__PHASE_BODY] = limits->body_timeout_ms,
        [CAIRN__PHASE_WORK] = UINT64_MAX / 2,
        [CAIRN__PHASE_WRITE] = limits->write_timeout_ms,
        [CAIRN__PHASE_IDLE] = limits->idle_timeout_ms,
        [CAIRN__PHASE_LINGER] = CAIRN__LINGER_MS,
    };
    connection->phase = phase;
    connection->deadline_ms = now_ms(connection->server) + allowed_ms[phase];
}

static void update_phase(cairn__connection *connection) {
    cairn__connection_phase phase = phase_of(connection);
    if (phase != connection->phase) {
        set_deadline(connection, phase);
    }
}

static void count_memory(cairn__connection *connection) {
    size_t bytes = cairn__http_held_bytes(&connection->http) + connection->waiting.capacity +
                   connection->unwritten_bytes;
    connection->server->inflight_bytes += bytes - connection->counted_bytes;
    connection->counted_bytes = bytes;
    cairn__gauge(&connection->server->metrics->inflight_bytes, connection->server->inflight_bytes);
}

/* --- the end of a connection ------------------------------------------------------------------ */

static void on_closed(uv_handle_t *handle) {
    cairn__connection *connection = handle->data;
    cairn__server *server = connection->server;
    free(connection);
    cairn__server_accept_waiting(server);
}

void cairn__connection_close(cairn__connection *connection) {
    cairn__server *server = connection->server;
    if (connection->closing) {
        return;
    }
    connection->closing = true;
    while (connection->first != NULL) {
        cairn__exchange *exchange = pop_exchange(connection);
        exchange->connection = NULL;
        if (exchange->gone != NULL) {
            exchange->gone(exchange);
        }
        if (exchange->answered || exchange == connection->current) {
            exchange_free(exchange); /* nobody else has it */
        }
    }
    connection->current = NULL;
    cairn__http_free(&connection->http);
    cairn__buffer_free(&connection->waiting);
    server->inflight_bytes -= connection->counted_bytes;
    if (connection->before != NULL) {
        connection->before->next = connection->next;
    } else {
        server->connections = connection->next;
    }
    if (connection->next != NULL) {
        connection->next->before = connection->before;
    }
    server->connection_count--;
    cairn__gauge(&server->metrics->connections, server->connection_count);
    uv_close((uv_handle_t *)&connection->tcp, on_closed);
}

static void on_shutdown(uv_shutdown_t *request, int status) {
    (void)status;
    free(request);
}

/* The last answer is written. Bytes of the client that nobody will read would turn a close into a
 * reset, which can take the answer away from it: first say that we are done, then read on a while.
 */
static void linger(cairn__connection *connection) {
    uv_shutdown_t *request = malloc(sizeof *request);
    if (connection->ended || request == NULL ||
        uv_shutdown(request, (uv_stream_t *)&connection->tcp, on_shutdown) != 0) {
        free(request);
        cairn__connection_close(connection);
        return;
    }
    connection->lingering = true;
    update_phase(connection);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void on_written(uv_write_t *request, int status) {
    write_request *write = (write_request *)request;
    cairn__connection *connection = request->data;
    connection->unwritten_bytes -= write->bytes;
    free(write);
    if (connection->closing) {
        return;
    }
    if (status < 0) {
        cairn__connection_close(connection);
        return;
    }
    set_deadline(connection, phase_of(connection)); /* it reads: the time begins anew */
    flush(connection);
}

static bool queue_write(cairn__connection *connection, cairn_span bytes) {
    write_request *write = malloc(sizeof *write + bytes.len);
    if (write == NULL) {
        return false;
    }
    memcpy(write->data, bytes.data, bytes.len);
    write->bytes = bytes.len;
    write->request.data = connection;
    uv_buf_t part = uv_buf_init((char *)write->data, (unsigned)bytes.len);
    if (uv_write(&write->request, (uv_stream_t *)&connection->tcp, &part, 1, on_written) != 0) {
        free(write);
        return false;
    }
    connection->unwritten_bytes += bytes.len;
    return true;
}

/* Write what the kernel takes at once, queue the rest. False: the connection is dead. */
static bool write_parts(cairn__connection *connection, const uv_buf_t *parts, unsigned count) {
    int done = uv_try_write((uv_stream_t *)&connection->tcp, parts, count);
    if (done < 0 && done != UV_EAGAIN) {
        return false;
    }
    size_t written = done < 0 ? 0 : (size_t)done;
    for (unsigned i = 0; i < count; i++) {
        size_t skip = written < parts[i].len ? written : parts[i].len;
        written -= skip;
        if (skip < parts[i].len &&
            !queue_write(connection, cairn__span(parts[i].base + skip, parts[i].len - skip))) {
            return false;
        }
    }
    return true;
}

/* The answers at the front that are ready. True: there was something. */
static bool write_ready(cairn__connection *connection) {
    uv_buf_t parts[WRITE_PARTS_MAX];
    unsigned count = 0;
    const cairn__exchange *exchange = connection->first;
    for (; exchange != NULL && count < WRITE_PARTS_MAX; exchange = exchange->next) {
        if (!exchange->answered && !exchange->streaming) {
            break;
        }
        parts[count++] = uv_buf_init((char *)exchange->out.data, (unsigned)exchange->out.len);
        if (exchange->close || exchange->streaming) {
            break; /* nothing is written after it */
        }
    }
    if (count == 0 || (count == 1 && parts[0].len == 0)) {
        return false;
    }
    bool alive = write_parts(connection, parts, count);
    for (unsigned i = 0; i < count && alive; i++) {
        if (connection->first->streaming) {
            cairn__buffer_clear(&connection->first->out);
            break;
        }
        connection->refused |= connection->first->close;
        exchange_free(pop_exchange(connection));
    }
    if (!alive) {
        cairn__connection_close(connection);
    }
    return alive;
}

static void flush(cairn__connection *connection) {
    if (connection->closing || connection->lingering) {
        return;
    }
    while (connection->unwritten_bytes == 0 && !connection->refused && write_ready(connection)) {
    }
    if (connection->closing) {
        return;
    }
    count_memory(connection);
    update_phase(connection);
    if (connection->unwritten_bytes > 0) {
        return;
    }
    bool done = connection->exchange_count == 0;
    if (connection->refused) {
        linger(connection);
        return;
    }
    if (done && connection->ended) {
        cairn__connection_close(connection);
        return;
    }
    if (connection->paused && connection->exchange_count < CAIRN__PIPELINE_MAX / 2 &&
        !connection->corked) {
        connection->paused = false;
        if (!connection->ended) {
            (void)uv_read_start((uv_stream_t *)&connection->tcp, on_room, on_read);
        }
        cairn__buffer input = connection->waiting;
        connection->waiting = cairn__buffer_make(cairn__heap(), SIZE_MAX / 4);
        take(connection, cairn__buffer_span(&input));
        cairn__buffer_free(&input);
    }
}

void cairn__exchange_stream(cairn__exchange *exchange, cairn__answer answer) {
    answer.without_length = true;
    answer.close = true;
    exchange->close = true;
    cairn__exchange_prepare(exchange, answer);
    count_status(exchange->server->metrics, answer.status);
    exchange->streaming = true;
    if (exchange->connection != NULL && !exchange->connection->corked) {
        flush(exchange->connection);
    }
}

bool cairn__exchange_stream_is_read(const cairn__exchange *exchange) {
    const cairn__connection *connection = exchange->connection;
    return connection != NULL && connection->unwritten_bytes == 0 && connection->first == exchange;
}

bool cairn__exchange_stream_write(cairn__exchange *exchange, cairn_span bytes) {
    cairn__connection *connection = exchange->connection;
    CAIRN_ASSERT(exchange->streaming);
    if (connection == NULL || connection->unwritten_bytes + exchange->out.len + bytes.len >
                                  CAIRN__STREAM_QUEUE_BYTES_MAX) {
        return false;
    }
    cairn__buffer_append(&exchange->out, bytes);
    if (!connection->corked) {
        flush(connection);
    }
    return true;
}

/* --- reading ---------------------------------------------------------------------------------- */

void cairn__connection_refuse(cairn__connection *connection, const cairn__problem *problem) {
    cairn__exchange *exchange = connection->current;
    if (exchange == NULL || exchange->answered) {
        exchange = exchange_make(connection);
    }
    connection->current = NULL;
    connection->reading = false;
    if (exchange == NULL) {
        cairn__connection_close(connection);
        return;
    }
    exchange->close = true;
    cairn__exchange_problem(exchange, problem, NULL);
}

static void refuse_http(cairn__connection *connection) {
    const cairn__http_refusal *refusal = &connection->http.refusal;
    const cairn__problem problem = { .status = refusal->status,
                                     .code = refusal->code,
                                     .field = refusal->field,
                                     .detail = refusal->detail,
                                     .fix = refusal->fix };
    cairn__connection_refuse(connection, &problem);
}

static const cairn__problem no_memory = {
    .status = 503, .code = "busy", .detail = "too much is under way", .fix = "try again in a second"
};

static void take_head(cairn__connection *connection, cairn_span rest) {
    const cairn__http_head *head = &connection->http.head;
    cairn__exchange *exchange = exchange_make(connection);
    if (exchange == NULL) {
        cairn__connection_refuse(connection, &no_memory);
        return;
    }
    connection->current = exchange;
    exchange->is_head = head->method == CAIRN__METHOD_HEAD;
    exchange->close = !head->keep_alive;
    bool has_body = head->chunked || head->content_length > 0;
    bool close = exchange->close;
    exchange->close = close || has_body; /* what is answered now leaves the body unread */
    connection->http.body_bytes_max = connection->server->limits.body_bytes_max;
    if (!connection->server->on_head(connection->server->self, exchange, head)) {
        connection->reading = !exchange->close;
        connection->current = NULL;
        return;
    }
    exchange->close = close;
    if (head->expects_continue && rest.len == 0 && connection->exchange_count == 1) {
        static char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        uv_buf_t part = uv_buf_init(go_on, sizeof go_on - 1);
        (void)write_parts(connection, &part, 1);
    }
    set_deadline(connection, CAIRN__PHASE_BODY);
}

static void take_request(cairn__connection *connection) {
    cairn__exchange *exchange = connection->current;
    connection->current = NULL;
    set_deadline(connection, CAIRN__PHASE_IDLE); /* what comes next has its own time */
    if (exchange != NULL) {
        connection->reading = !exchange->close;
        connection->server->on_request(connection->server->self, exchange, &connection->http.head,
                                       connection->http.content);
    }
}

/* Too many requests under way: keep the rest and read no more. */
static void keep_waiting(cairn__connection *connection, cairn_span rest) {
    cairn__buffer_append(&connection->waiting, rest);
    connection->paused = true;
    uv_read_stop((uv_stream_t *)&connection->tcp);
    if (connection->waiting.failed) {
        cairn__connection_close(connection);
    }
}

static void take(cairn__connection *connection, cairn_span input) {
    cairn__http_step step = CAIRN__HTTP_REQUEST;
    connection->corked = true;
    while (connection->reading && step != CAIRN__HTTP_MORE) {
        if (connection->exchange_count >= CAIRN__PIPELINE_MAX && connection->current == NULL) {
            break;
        }
        step = cairn__http_next(&connection->http, &input);
        if (step == CAIRN__HTTP_HEAD) {
            take_head(connection, input);
        } else if (step == CAIRN__HTTP_REQUEST) {
            take_request(connection);
        } else if (step == CAIRN__HTTP_REFUSED) {
            refuse_http(connection);
        }
        if (connection->closing) {
            return;
        }
    }
    connection->corked = false;
    if (connection->reading && step != CAIRN__HTTP_MORE) {
        keep_waiting(connection, input);
    }
    if (!connection->closing) {
        flush(connection);
    }
}

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer) {
    cairn__connection *connection = handle->data;
    (void)wanted;
    *buffer = uv_buf_init((char *)connection->server->read_buffer, CAIRN__READ_BYTES);
}

static void on_end(cairn__connection *connection, ssize_t count) {
    connection->ended = true;
    uv_read_stop((uv_stream_t *)&connection->tcp);
    bool streaming = connection->first != NULL && connection->first->streaming;
    bool unfinished = connection->current != NULL;
    if (count != UV_EOF || connection->exchange_count == 0 || streaming || unfinished ||
        connection->lingering) {
        cairn__connection_close(connection);
    }
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
    cairn__connection *connection = stream->data;
    cairn__server *server = connection->server;
    if (count == 0) {
        return;
    }
    if (count < 0) {
        on_end(connection, count);
        return;
    }
    if (!connection->reading) {
        return; /* refused: what still comes is read and dropped */
    }
    take(connection, cairn__span(buffer->base, (size_t)count));
    if (!connection->closing && server->inflight_bytes > server->limits.inflight_bytes_hard &&
        cairn__http_in_body(&connection->http) && connection->current != NULL) {
        cairn__connection_refuse(connection, &no_memory);
    }
}

/* --- accepting ------------------------------------------------------------------------------- */

static void close_refused(uv_handle_t *handle) {
    free(handle->data);
}

void cairn__connection_accept(cairn__listener *listener) {
    cairn__server *server = listener->server;
    cairn__connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        return; /* libuv waits for uv_accept; the sweep tries again */
    }
    listener->waiting = false;
    connection->server = server;
    connection->listener = listener;
    connection->waiting = cairn__buffer_make(cairn__heap(), SIZE_MAX / 4);
    connection->reading = true;
    (void)uv_tcp_init(server->loop, &connection->tcp);
    connection->tcp.data = connection;
    if (uv_accept((uv_stream_t *)&listener->tcp, (uv_stream_t *)&connection->tcp) != 0) {
        uv_close((uv_handle_t *)&connection->tcp, close_refused);
        return;
    }
    (void)uv_tcp_nodelay(&connection->tcp, 1);
    cairn__http_init(&connection->http, cairn__heap(), server->limits.head_bytes_max,
                     server->limits.body_bytes_max);
    connection->next = server->connections;
    if (connection->next != NULL) {
        connection->next->before = connection;
    }
    server->connections = connection;
    server->connection_count++;
    cairn__count(&server->metrics->connections_total, 1);
    cairn__gauge(&server->metrics->connections, server->connection_count);
    set_deadline(connection, CAIRN__PHASE_IDLE);
    connection->deadline_ms = now_ms(server) + server->limits.head_timeout_ms;
    if (uv_read_start((uv_stream_t *)&connection->tcp, on_room, on_read) != 0) {
        cairn__connection_close(connection);
    }
}
