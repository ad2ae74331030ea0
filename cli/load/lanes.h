/* Many keep-alive connections to one address, each with at most one request under way: the part of
 * the load generator that must cost little. Sockets and epoll by hand, answers parsed by llhttp;
 * plain HTTP only. A broken connection is opened again and its request sent again. Not thread-safe.
 */
#ifndef CAIRN_CLI_LOAD_LANES_H
#define CAIRN_CLI_LOAD_LANES_H

#include "base/memory.h"

#define CAIRN__LANES_MAX 10000u
#define CAIRN__LANE_BODY_BYTES_MAX 2097152u
#define CAIRN__LANE_ANSWER_BYTES_MAX 1048576u
#define CAIRN__LANE_RECONNECTS_MAX 200u /* of one request, 50 ms apart */

typedef struct {
    size_t lane;
    unsigned status;
    cairn_span body;
    uint64_t retry_after_s; /* of Retry-After; 0: none */
    int64_t latency_us;     /* from the first byte sent to the last one read, repeats included */
} cairn__lane_answer;

typedef struct {
    const char *edge; /* "http://127.0.0.1:8080" */
    const char *path;
    const char *content_type;
    const char *headers; /* more lines, each with \r\n; may be "" */
    size_t count;        /* of connections */
    /* Fills the body of the lane's next request; false: it has nothing to send now. */
    bool (*fill)(void *self, size_t lane, cairn__buffer *body);
    /* True: send the same request again, after the answer's Retry-After. */
    bool (*answered)(void *self, const cairn__lane_answer *answer);
    void *self;
} cairn__lanes_options;

typedef struct cairn__lanes cairn__lanes;

/* NULL: problem says why. */
cairn__lanes *cairn__lanes_open(const cairn__lanes_options *options, char *problem, size_t bytes);
void cairn__lanes_close(cairn__lanes *lanes);
/* Asks idle lanes to fill, moves bytes, waits at most wait_ms. False: the edge cannot be reached
 * any more. `filling`: whether new requests may begin. */
bool cairn__lanes_step(cairn__lanes *lanes, int wait_ms, bool filling);
/* Lanes with a request under way. */
size_t cairn__lanes_busy(const cairn__lanes *lanes);
uint64_t cairn__lanes_reconnects(const cairn__lanes *lanes);

#endif
