/* http.h: bytes of one HTTP/1.1 connection to requests, without a socket.
 *
 * llhttp (strict) parses; around it stands what RFC 9112 leaves to the reader and what others are
 * lenient about: line ends, one Host, one length, one coding, no trailers. The answer to doubt is a
 * refusal after which the connection is closed, so that no byte is ever taken for another request.
 *
 * One owner. Memory: nothing between requests; the unfinished part of one while it arrives. */
#ifndef CAIRN_EDGE_HTTP_H
#define CAIRN_EDGE_HTTP_H

#include <llhttp.h>

#include "base/memory.h"

enum {
    CAIRN__HTTP_HEADERS_MAX = 100,
    CAIRN__HTTP_CHUNK_DIGITS_MAX = 16,
    CAIRN__HTTP_FRAMING_PER_BODY = 8 /* bytes of chunk framing allowed per byte of body */
};

/** The headers that something looks at: name, whether it may come once only. */
#define CAIRN__HTTP_HEADERS(X)                                                                     \
    X(HOST, "host", true)                                                                          \
    X(CONTENT_LENGTH, "content-length", true)                                                      \
    X(TRANSFER_ENCODING, "transfer-encoding", true)                                                \
    X(CONTENT_TYPE, "content-type", true)                                                          \
    X(CONTENT_ENCODING, "content-encoding", true)                                                  \
    X(AUTHORIZATION, "authorization", true)                                                        \
    X(EXPECT, "expect", true)                                                                      \
    X(ORIGIN, "origin", true)                                                                      \
    X(IDEMPOTENCY_KEY, "idempotency-key", true)                                                    \
    X(CAIRN_KEY, "x-cairn-key", true)                                                              \
    X(LAST_EVENT_ID, "last-event-id", true)                                                        \
    X(IF_NONE_MATCH, "if-none-match", false)                                                       \
    X(IF_MATCH, "if-match", false)                                                                 \
    X(ACCEPT_ENCODING, "accept-encoding", false)

#define CAIRN__HTTP_HEADER_ENUM(id, name, once) CAIRN__HEADER_##id,
typedef enum cairn__http_header {
    CAIRN__HTTP_HEADERS(CAIRN__HTTP_HEADER_ENUM) CAIRN__HEADER_COUNT
} cairn__http_header;

typedef enum cairn__http_method {
    CAIRN__METHOD_GET = 1,
    CAIRN__METHOD_HEAD = 2,
    CAIRN__METHOD_POST = 4,
    CAIRN__METHOD_OPTIONS = 8,
    CAIRN__METHOD_PUT = 16,
    CAIRN__METHOD_DELETE = 32,
    CAIRN__METHOD_OTHER = 64 /* known to HTTP, used by no route */
} cairn__http_method;

/** What stands before the body. Spans live until the next cairn__http_next. */
typedef struct cairn__http_head {
    cairn__http_method method;
    cairn_span path;                         /* from '/', before '?'; as sent */
    cairn_span query;                        /* after '?' */
    cairn_span headers[CAIRN__HEADER_COUNT]; /* data NULL: absent */
    uint64_t content_length;
    bool chunked;
    bool keep_alive;
    bool expects_continue;
} cairn__http_head;

/** Why a connection cannot go on. Static strings. */
typedef struct cairn__http_refusal {
    int status;
    const char *code;
    const char *field;
    const char *detail;
    const char *fix;
} cairn__http_refusal;

typedef enum cairn__http_step {
    CAIRN__HTTP_MORE,    /* the input is used up */
    CAIRN__HTTP_HEAD,    /* head is whole: look at it, then go on */
    CAIRN__HTTP_REQUEST, /* head and body are whole until the next call */
    CAIRN__HTTP_REFUSED  /* refusal says why; nothing more will be read */
} cairn__http_step;

typedef struct cairn__http {
    llhttp_t parser;
    cairn_allocator allocator;
    int state;
    cairn__buffer held; /* the head, when it did not come in one piece with its body */
    cairn__buffer body;
    size_t head_bytes_max;
    size_t body_bytes_max;      /* may be changed when the head is there */
    size_t scanned, line_start; /* how far the search for the end of the head has come */
    size_t header_count;
    int header;            /* the one whose value comes next; -1: nobody's */
    bool version_known;    /* HTTP/1.0 or 1.1 */
    unsigned chunk_digits; /* of the size that is being read; UINT_MAX: past it */
    uint64_t framing_bytes;
    cairn__http_head head;
    cairn_span content; /* the body of a whole request */
    cairn__http_refusal refusal;
} cairn__http;

/** Ready for the first request. Allocates nothing. `http` may not move afterwards. */
void cairn__http_init(cairn__http *http, cairn_allocator allocator, size_t head_bytes_max,
                      size_t body_bytes_max);
void cairn__http_free(cairn__http *http);

/** Take bytes off the front of *input until there is something to say. */
cairn__http_step cairn__http_next(cairn__http *http, cairn_span *input);

/** Is a request under way (its first byte has come, its last has not)? */
bool cairn__http_is_inside(const cairn__http *http);
/** Has the head come, and the body not yet? */
bool cairn__http_in_body(const cairn__http *http);
/** Bytes of memory held for the request under way. */
size_t cairn__http_held_bytes(const cairn__http *http);

/** Do a header's bytes equal this lower-case text, but for case? */
bool cairn__http_is(cairn_span value, const char *lower);

#endif
