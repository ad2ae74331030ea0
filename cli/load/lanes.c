#define _GNU_SOURCE /* memrchr */
#include "cli/load/lanes.h"

#include <errno.h>
#include <llhttp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"

enum { READ_BYTES = 65536, EVENTS_MAX = 256, RECONNECT_MS = 50, HEAD_BYTES_MAX = 2048 };

typedef enum { IDLE, SENDING, READING, WAITING } lane_state;

typedef struct {
    size_t index;
    int fd; /* -1: not connected */
    lane_state state;
    bool writable_asked; /* epoll tells of room to write */
    cairn__buffer request;
    size_t sent;
    cairn__buffer answer;
    llhttp_t parser;
    bool whole; /* the answer is */
    bool close; /* the edge closes the connection after this answer */
    bool in_retry_after;
    uint64_t retry_after_s;
    int64_t begun_us;
    int64_t again_ms; /* WAITING: when to send again */
    unsigned reconnects;
} lane;

struct cairn__lanes {
    cairn__lanes_options options;
    struct sockaddr_storage address;
    socklen_t address_bytes;
    char host[256];
    int epoll;
    lane *lanes;
    llhttp_settings_t settings;
    cairn__buffer body; /* of the request being made */
    size_t busy;
    uint64_t reconnects;
    bool failed;
};

static int64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* --- answers --------------------------------------------------------------------------------- */

static int on_header_field(llhttp_t *parser, const char *at, size_t bytes) {
    lane *l = parser->data;
    /* whole in one piece or not seen: then the wait is the generator's own */
    l->in_retry_after = bytes == 11 && strncasecmp(at, "retry-after", bytes) == 0;
    return 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t bytes) {
    lane *l = parser->data;
    for (size_t i = 0; l->in_retry_after && i < bytes && at[i] >= '0' && at[i] <= '9'; i++) {
        l->retry_after_s = l->retry_after_s * 10 + (uint64_t)(at[i] - '0');
    }
    l->in_retry_after = false;
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t bytes) {
    lane *l = parser->data;
    cairn__buffer_append(&l->answer, cairn__span(at, bytes));
    return l->answer.failed ? -1 : 0;
}

static int on_complete(llhttp_t *parser) {
    lane *l = parser->data;
    l->whole = true;
    l->close = llhttp_should_keep_alive(parser) == 0;
    return HPE_PAUSED;
}

/* --- connections ------------------------------------------------------------------------------ */

static void disconnect(lane *l) {
    if (l->fd >= 0) {
        close(l->fd);
    }
    l->fd = -1;
}

static bool watch(cairn__lanes *lanes, lane *l, bool writable) {
    struct epoll_event event = { .events = EPOLLIN | (writable ? EPOLLOUT : 0u), .data.ptr = l };
    l->writable_asked = writable;
    return epoll_ctl(lanes->epoll, EPOLL_CTL_MOD, l->fd, &event) == 0;
}

static bool connect_lane(cairn__lanes *lanes, lane *l) {
    int one = 1;
    l->fd = socket(lanes->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0) {
        return false;
    }
    setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(l->fd, (struct sockaddr *)&lanes->address, lanes->address_bytes) != 0 &&
        errno != EINPROGRESS) {
        disconnect(l);
        return false;
    }
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT, .data.ptr = l };
    l->writable_asked = true;
    if (epoll_ctl(lanes->epoll, EPOLL_CTL_ADD, l->fd, &event) != 0) {
        disconnect(l);
        return false;
    }
    return true;
}

static void begin_answer(cairn__lanes *lanes, lane *l) {
    llhttp_init(&l->parser, HTTP_RESPONSE, &lanes->settings);
    l->parser.data = l;
    l->whole = false;
    l->retry_after_s = 0;
    cairn__buffer_clear(&l->answer);
    l->sent = 0;
    l->state = SENDING;
}

/* The connection broke: the same request again on a new one, a little later. */
static void again(cairn__lanes *lanes, lane *l, int64_t wait_ms) {
    disconnect(l);
    l->state = WAITING;
    l->again_ms = now_us() / 1000 + wait_ms;
    if (++l->reconnects > CAIRN__LANE_RECONNECTS_MAX) {
        lanes->failed = true;
    }
    lanes->reconnects++;
}

/* Sends what the socket takes; -1 when it is broken. */
static int send_some(lane *l) {
    while (l->sent < l->request.len) {
        ssize_t count =
            send(l->fd, l->request.data + l->sent, l->request.len - l->sent, MSG_NOSIGNAL);
        if (count >= 0) {
            l->sent += (size_t)count;
        } else if (errno != EINTR) {
            return errno == EAGAIN || errno == ENOTCONN ? 0 : -1;
        }
    }
    return 0;
}

static void write_some(cairn__lanes *lanes, lane *l) {
    if (send_some(l) < 0) {
        again(lanes, l, RECONNECT_MS);
        return;
    }
    if (l->sent < l->request.len) {
        if (!l->writable_asked) {
            watch(lanes, l, true);
        }
        return;
    }
    l->state = READING;
    if (l->writable_asked) {
        watch(lanes, l, false);
    }
}

static void start(cairn__lanes *lanes, lane *l) {
    begin_answer(lanes, l);
    if (l->fd < 0 && !connect_lane(lanes, l)) {
        again(lanes, l, RECONNECT_MS);
        return;
    }
    write_some(lanes, l);
}

static void finish(cairn__lanes *lanes, lane *l) {
    const cairn__lane_answer answer = { .lane = l->index,
                                        .status = l->parser.status_code,
                                        .body = cairn__buffer_span(&l->answer),
                                        .retry_after_s = l->retry_after_s,
                                        .latency_us = now_us() - l->begun_us };
    l->reconnects = 0;
    if (l->close) {
        disconnect(l);
    }
    if (lanes->options.answered(lanes->options.self, &answer)) {
        l->state = WAITING;
        l->again_ms = now_us() / 1000 +
                      (l->retry_after_s == 0 ? RECONNECT_MS : (int64_t)l->retry_after_s * 1000);
        return;
    }
    l->state = IDLE;
    lanes->busy--;
}

static void read_some(cairn__lanes *lanes, lane *l) {
    char bytes[READ_BYTES];
    ssize_t count = recv(l->fd, bytes, sizeof bytes, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    bool idle = l->state == IDLE || l->state == WAITING;
    if (count <= 0 || idle) {
        if (idle) {
            disconnect(l); /* the edge closed a connection that nothing was under way on */
        } else {
            again(lanes, l, RECONNECT_MS);
        }
        return;
    }
    llhttp_errno_t code = llhttp_execute(&l->parser, bytes, (size_t)count);
    if (l->whole) {
        finish(lanes, l);
    } else if (code != HPE_OK) {
        again(lanes, l, RECONNECT_MS);
    }
}

/* --- requests --------------------------------------------------------------------------------- */

static bool make_request(cairn__lanes *lanes, lane *l) {
    cairn__buffer_clear(&lanes->body);
    if (!lanes->options.fill(lanes->options.self, l->index, &lanes->body)) {
        return false;
    }
    cairn__buffer_clear(&l->request);
    cairn__buffer_format(&l->request,
                         "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\n"
                         "Content-Length: %zu\r\n%s\r\n",
                         lanes->options.path, lanes->host, lanes->options.content_type,
                         lanes->body.len, lanes->options.headers);
    cairn__buffer_append(&l->request, cairn__buffer_span(&lanes->body));
    lanes->failed |= l->request.failed || lanes->body.failed;
    return !lanes->failed;
}

static void begin_requests(cairn__lanes *lanes, bool filling) {
    int64_t now = now_us();
    for (size_t i = 0; i < lanes->options.count && !lanes->failed; i++) {
        lane *l = &lanes->lanes[i];
        bool due = l->state == WAITING && l->again_ms <= now / 1000;
        if (l->state == IDLE && filling) {
            filling = make_request(lanes, l); /* false: the rate allows no more, for none of them */
            l->begun_us = now;
            lanes->busy += filling ? 1 : 0;
            due = filling;
        }
        if (due) {
            start(lanes, l);
        }
    }
}

bool cairn__lanes_step(cairn__lanes *lanes, int wait_ms, bool filling) {
    struct epoll_event events[EVENTS_MAX];
    begin_requests(lanes, filling);
    int count = epoll_wait(lanes->epoll, events, EVENTS_MAX, wait_ms);
    for (int i = 0; i < count; i++) {
        lane *l = events[i].data.ptr;
        if (l->fd >= 0 && l->state == SENDING) {
            write_some(lanes, l);
        }
        if (l->fd >= 0 && (events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) {
            read_some(lanes, l);
        }
    }
    return !lanes->failed;
}

size_t cairn__lanes_busy(const cairn__lanes *lanes) {
    return lanes->busy;
}

uint64_t cairn__lanes_reconnects(const cairn__lanes *lanes) {
    return lanes->reconnects;
}

/* --- open and close --------------------------------------------------------------------------- */

static bool resolve(cairn__lanes *lanes, char *problem, size_t bytes) {
    static const char scheme[] = "http://";
    const char *edge = lanes->options.edge;
    char host[200];
    char port[16] = "80";
    if (strncmp(edge, scheme, sizeof scheme - 1) != 0) {
        snprintf(problem, bytes, "--edge %.200s: write http://host:port", edge);
        return false;
    }
    const char *name = edge + sizeof scheme - 1;
    size_t name_bytes = strcspn(name, "/");
    const char *colon = memrchr(name, ':', name_bytes);
    size_t host_bytes = colon == NULL ? name_bytes : (size_t)(colon - name);
    snprintf(lanes->host, sizeof lanes->host, "%.*s", (int)name_bytes, name);
    snprintf(host, sizeof host, "%.*s", (int)host_bytes, name);
    if (colon != NULL) {
        snprintf(port, sizeof port, "%.*s", (int)(name_bytes - host_bytes - 1), colon + 1);
    }
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    int code = getaddrinfo(host, port, &hints, &found);
    if (code != 0) {
        snprintf(problem, bytes, "--edge %.200s: %s", edge, gai_strerror(code));
        return false;
    }
    memcpy(&lanes->address, found->ai_addr, found->ai_addrlen);
    lanes->address_bytes = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

cairn__lanes *cairn__lanes_open(const cairn__lanes_options *options, char *problem, size_t bytes) {
    snprintf(problem, bytes, "out of memory");
    cairn__lanes *lanes = calloc(1, sizeof *lanes);
    if (lanes == NULL) {
        return NULL;
    }
    lanes->options = *options;
    lanes->epoll = epoll_create1(EPOLL_CLOEXEC);
    lanes->lanes = calloc(options->count, sizeof *lanes->lanes);
    lanes->body = cairn__buffer_make(cairn__heap(), CAIRN__LANE_BODY_BYTES_MAX);
    llhttp_settings_init(&lanes->settings);
    lanes->settings.on_header_field = on_header_field;
    lanes->settings.on_header_value = on_header_value;
    lanes->settings.on_body = on_body;
    lanes->settings.on_message_complete = on_complete;
    for (size_t i = 0; lanes->lanes != NULL && i < options->count; i++) {
        lane *l = &lanes->lanes[i];
        l->index = i;
        l->fd = -1;
        l->request = cairn__buffer_make(cairn__heap(), CAIRN__LANE_BODY_BYTES_MAX + HEAD_BYTES_MAX);
        l->answer = cairn__buffer_make(cairn__heap(), CAIRN__LANE_ANSWER_BYTES_MAX);
    }
    if (lanes->lanes == NULL || lanes->epoll < 0 || !resolve(lanes, problem, bytes)) {
        cairn__lanes_close(lanes);
        return NULL;
    }
    return lanes;
}

void cairn__lanes_close(cairn__lanes *lanes) {
    if (lanes == NULL) {
        return;
    }
    for (size_t i = 0; lanes->lanes != NULL && i < lanes->options.count; i++) {
        lane *l = &lanes->lanes[i];
        disconnect(l);
        cairn__buffer_free(&l->request);
        cairn__buffer_free(&l->answer);
    }
    cairn__buffer_free(&lanes->body);
    if (lanes->epoll >= 0) {
        close(lanes->epoll);
    }
    free(lanes->lanes);
    free(lanes);
}
