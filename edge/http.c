#include "edge/http.h"

#include <limits.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"

enum { STATE_HEAD, STATE_BODY, STATE_LAST_CR, STATE_LAST_LF, STATE_DONE, STATE_REFUSED };

typedef struct header_rule {
    const char *name;
    size_t bytes;
    bool once;
} header_rule;

#define HEADER_RULE(id, name, once) { name, sizeof(name) - 1, once },
static const header_rule header_rules[CAIRN__HEADER_COUNT] = { CAIRN__HTTP_HEADERS(HEADER_RULE) };

static bool refuse(cairn__http *http, cairn__http_refusal refusal) {
    if (http->state != STATE_REFUSED) { /* the first reason is the one to tell */
        http->refusal = refusal;
        http->state = STATE_REFUSED;
    }
    return false;
}

static bool bad_request(cairn__http *http, const char *code, const char *field,
                        const char *detail) {
    return refuse(http, (cairn__http_refusal){
                            400, code, field, detail,
                            "send HTTP/1.1 as RFC 9112 has it; the connection is closed" });
}

bool cairn__http_is(cairn_span value, const char *lower) {
    for (size_t i = 0; i < value.len; i++) {
        uint8_t byte = value.data[i];
        byte = byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte | 0x20) : byte;
        if (byte != (uint8_t)lower[i]) { /* the NUL of a shorter text differs, too */
            return false;
        }
    }
    return lower[value.len] == 0;
}

/* --- the head, byte by byte ------------------------------------------------------------------- */

static bool is_token(uint8_t byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || (byte != 0 && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

static bool check_request_line(cairn__http *http, cairn_span line) {
    size_t spaces = 0;
    for (size_t i = 0; i < line.len; i++) {
        uint8_t byte = line.data[i];
        if (byte < ' ' || byte >= 0x7F) {
            return bad_request(http, "request_line", "", "the request line has a control byte");
        }
        spaces += byte == ' ';
    }
    if (spaces != 2) {
        return bad_request(http, "request_line", "",
                           "the request line is not METHOD, one space, target, one space, version");
    }
    const uint8_t *version = line.data + line.len;
    while (version[-1] != ' ') {
        version--;
    }
    cairn_span name = { version, (size_t)(line.data + line.len - version) };
    http->version_known = cairn__span_equal(name, CAIRN_STR("HTTP/1.1")) ||
                          cairn__span_equal(name, CAIRN_STR("HTTP/1.0"));
    if (!http->version_known && name.len == 8 && memcmp(name.data, "HTTP/", 5) == 0) {
        return refuse(http, (cairn__http_refusal){ 505, "version_unknown", "",
                                                   "this HTTP version is not spoken here",
                                                   "use HTTP/1.1" });
    }
    return http->version_known ||
           bad_request(http, "request_line", "", "the request line ends in no HTTP version");
}

static bool check_field_line(cairn__http *http, cairn_span line) {
    size_t colon = 0;
    while (colon < line.len && is_token(line.data[colon])) {
        colon++;
    }
    if (colon == 0 || colon == line.len || line.data[colon] != ':') {
        return bad_request(http, "header_name", "",
                           "a header line does not begin with a name and a colon");
    }
    for (size_t i = colon + 1; i < line.len; i++) {
        uint8_t byte = line.data[i];
        if ((byte < ' ' && byte != '\t') || byte == 0x7F) {
            return bad_request(http, "header_value", "", "a header value has a control byte");
        }
    }
    return true;
}

/* Every line ends in CRLF here, the last is empty. */
static bool check_lines(cairn__http *http, cairn_span head) {
    const uint8_t *at = head.data;
    const uint8_t *end = head.data + head.len - 2;
    for (size_t number = 0; at < end; number++) {
        const uint8_t *line_end = memchr(at, '\n', (size_t)(head.data + head.len - at));
        cairn_span line = { at, (size_t)(line_end - 1 - at) };
        bool good = number == 0 ? check_request_line(http, line) : check_field_line(http, line);
        if (!good) {
            return false;
        }
        at = line_end + 1;
    }
    return http->version_known || bad_request(http, "request_line", "", "there is no request line");
}

/* Find the empty line. A line feed without its carriage return is refused at once: waiting for the
 * rest would let somebody else see another request in the same bytes. */
static bool find_end(cairn__http *http, cairn_span bytes, size_t *end_out) {
    *end_out = 0;
    while (http->scanned < bytes.len) {
        const uint8_t *feed = memchr(bytes.data + http->scanned, '\n', bytes.len - http->scanned);
        if (feed == NULL) {
            break;
        }
        size_t at = (size_t)(feed - bytes.data);
        if (at == 0 || bytes.data[at - 1] != '\r') {
            return bad_request(http, "line_end", "", "a line ends in LF without CR");
        }
        bool empty = at - 1 == http->line_start;
        http->scanned = at + 1;
        http->line_start = at + 1;
        if (empty && at > 1) { /* one empty line before the request is allowed */
            *end_out = at + 1;
            return true;
        }
    }
    http->scanned = bytes.len;
    return true;
}

/* --- what llhttp calls ------------------------------------------------------------------------ */

static int on_url(llhttp_t *parser, const char *at, size_t bytes) {
    cairn__http *http = parser->data;
    cairn_span target = cairn__span(at, bytes);
    if (target.len > 7 && memcmp(target.data, "http://", 7) == 0) { /* absolute form: same thing */
        const uint8_t *slash = memchr(target.data + 7, '/', target.len - 7);
        size_t skip = slash == NULL ? target.len : (size_t)(slash - target.data);
        target = cairn__span(target.data + skip, target.len - skip);
    }
    const uint8_t *mark = target.len == 0 ? NULL : memchr(target.data, '?', target.len);
    size_t path_bytes = mark == NULL ? target.len : (size_t)(mark - target.data);
    http->head.path = cairn__span(target.data, path_bytes);
    if (mark != NULL) {
        http->head.query = cairn__span(mark + 1, target.len - path_bytes - 1);
    }
    return 0;
}

static int on_field(llhttp_t *parser, const char *at, size_t bytes) {
    cairn__http *http = parser->data;
    cairn_span name = cairn__span(at, bytes);
    http->header = -1;
    http->header_count++;
    for (int i = 0; i < CAIRN__HEADER_COUNT; i++) {
        if (header_rules[i].bytes == bytes && cairn__http_is(name, header_rules[i].name)) {
            http->header = i;
            return 0;
        }
    }
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t bytes) {
    cairn__http *http = parser->data;
    if (http->header < 0) {
        return 0;
    }
    cairn_span *slot = &http->head.headers[http->header];
    if (slot->data != NULL) {
        if (header_rules[http->header].once) {
            (void)bad_request(http, "header_twice", header_rules[http->header].name,
                              "a header came twice that may come once");
            return -1;
        }
        return 0;
    }
    while (bytes > 0 && (at[bytes - 1] == ' ' || at[bytes - 1] == '\t')) {
        bytes--;
    }
    *slot = cairn__span(at, bytes);
    return 0;
}

static int on_headers_complete(llhttp_t *parser) {
    parser->upgrade = 0; /* nothing is upgraded here; the request is what it says */
    return 0;
}

static int take_room(cairn__http *http, uint64_t bytes) {
    if (bytes > http->body_bytes_max - http->body.len) {
        (void)refuse(http, (cairn__http_refusal){ 413, "body_too_large", "",
                                                  "the body is larger than request_bytes_max",
                                                  "send smaller batches" });
        return -1;
    }
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t bytes) {
    cairn__http *http = parser->data;
    if (take_room(http, bytes) != 0) {
        return -1;
    }
    cairn__buffer_append(&http->body, cairn__span(at, bytes));
    return http->body.failed ? -1 : 0;
}

/* The last chunk: what follows is one empty line, read without llhttp, which would take trailers.
 */
static int on_chunk_header(llhttp_t *parser) {
    return parser->content_length == 0 ? HPE_PAUSED
                                       : take_room(parser->data, parser->content_length);
}

static int on_chunk_complete(llhttp_t *parser) {
    cairn__http *http = parser->data;
    http->chunk_digits = 0;
    return HPE_PAUSED;
}

static int on_message_complete(llhttp_t *parser) {
    (void)parser;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_chunk_header = on_chunk_header,
    .on_chunk_complete = on_chunk_complete,
    .on_message_complete = on_message_complete,
};

/* --- what the head means ---------------------------------------------------------------------- */

static bool check_host(cairn__http *http) {
    cairn_span host = http->head.headers[CAIRN__HEADER_HOST];
    bool wanted = http->parser.http_minor == 1;
    if (host.data == NULL) {
        return !wanted || bad_request(http, "host_missing", "host", "there is no Host header");
    }
    for (size_t i = 0; i < host.len; i++) {
        if (!is_token(host.data[i]) && strchr(":[]", host.data[i]) == NULL) {
            return bad_request(http, "host_invalid", "host", "the Host header is no host");
        }
    }
    return true;
}

static bool check_length(cairn__http *http) {
    cairn_span text = http->head.headers[CAIRN__HEADER_CONTENT_LENGTH];
    if (text.data == NULL) {
        return true;
    }
    uint64_t value = 0;
    bool good = text.len > 0 && text.len <= 18;
    for (size_t i = 0; good && i < text.len; i++) {
        good = text.data[i] >= '0' && text.data[i] <= '9';
        value = value * 10 + (uint64_t)(text.data[i] - '0');
    }
    http->head.content_length = value;
    return good || bad_request(http, "content_length", "content-length",
                               "Content-Length is not one number");
}

static bool check_coding(cairn__http *http) {
    cairn_span coding = http->head.headers[CAIRN__HEADER_TRANSFER_ENCODING];
    if (coding.data == NULL) {
        return true;
    }
    http->head.chunked = true;
    if (http->head.headers[CAIRN__HEADER_CONTENT_LENGTH].data != NULL) {
        return bad_request(http, "length_twice", "transfer-encoding",
                           "there is a Content-Length and a Transfer-Encoding");
    }
    if (http->parser.http_minor != 1 || !cairn__http_is(coding, "chunked")) {
        return bad_request(http, "transfer_encoding", "transfer-encoding",
                           "Transfer-Encoding is something else than chunked in HTTP/1.1");
    }
    return true;
}

static bool check_expect(cairn__http *http) {
    cairn_span expect = http->head.headers[CAIRN__HEADER_EXPECT];
    if (expect.data == NULL) {
        return true;
    }
    http->head.expects_continue = http->parser.http_minor == 1;
    return cairn__http_is(expect, "100-continue") ||
           refuse(http, (cairn__http_refusal){ 417, "expectation", "expect",
                                               "Expect is something else than 100-continue",
                                               "leave the header out" });
}

static cairn__http_method method_of(const llhttp_t *parser) {
    switch (parser->method) {
    case HTTP_GET:
        return CAIRN__METHOD_GET;
    case HTTP_HEAD:
        return CAIRN__METHOD_HEAD;
    case HTTP_POST:
        return CAIRN__METHOD_POST;
    case HTTP_OPTIONS:
        return CAIRN__METHOD_OPTIONS;
    case HTTP_PUT:
        return CAIRN__METHOD_PUT;
    case HTTP_DELETE:
        return CAIRN__METHOD_DELETE;
    default:
        return CAIRN__METHOD_OTHER;
    }
}

static bool parse_head(cairn__http *http, cairn_span head) {
    if (head.len > 2 && head.data[0] == '\r') {
        head = cairn__span(head.data + 2, head.len - 2);
    }
    http->version_known = false;
    if (!check_lines(http, head)) {
        return false;
    }
    llhttp_init(&http->parser, HTTP_REQUEST, &settings);
    http->parser.data = http;
    llhttp_errno_t code = llhttp_execute(&http->parser, (const char *)head.data, head.len);
    if (http->state == STATE_REFUSED) {
        return false;
    }
    if (http->header_count > CAIRN__HTTP_HEADERS_MAX) {
        return refuse(http, (cairn__http_refusal){ 431, "headers_too_many", "",
                                                   "there are more than 100 headers",
                                                   "send fewer headers" });
    }
    if (code == HPE_INVALID_METHOD) {
        return refuse(http, (cairn__http_refusal){ 501, "method_unknown", "",
                                                   "this method is not known", "use GET or POST" });
    }
    if (!check_length(http) || !check_coding(http) || !check_host(http) || !check_expect(http)) {
        return false;
    }
    if (code == HPE_UNEXPECTED_CONTENT_LENGTH || code == HPE_INVALID_CONTENT_LENGTH) {
        return bad_request(http, "content_length", "content-length",
                           "Content-Length is not one number, or not alone");
    }
    if (code != HPE_OK && code != HPE_PAUSED) {
        return bad_request(http, "request_invalid", "", "the request cannot be read");
    }
    http->head.method = method_of(&http->parser);
    http->head.keep_alive = llhttp_should_keep_alive(&http->parser) != 0;
    bool star = http->head.method == CAIRN__METHOD_OPTIONS && http->head.path.len == 1 &&
                http->head.path.data[0] == '*';
    if (!star && (http->head.path.len == 0 || http->head.path.data[0] != '/')) {
        return bad_request(http, "target_invalid", "", "the request target is not a path");
    }
    return true;
}

/* --- steps ------------------------------------------------------------------------------------ */

static void begin(cairn__http *http) {
    cairn__buffer_free(&http->held);
    cairn__buffer_free(&http->body);
    http->held = cairn__buffer_make(http->allocator, http->head_bytes_max);
    http->body = cairn__buffer_make(http->allocator, SIZE_MAX / 4);
    http->state = STATE_HEAD;
    http->scanned = 0;
    http->line_start = 0;
    http->header_count = 0;
    http->header = -1;
    http->chunk_digits = 0;
    http->framing_bytes = 0;
    http->head = (cairn__http_head){ .method = CAIRN__METHOD_OTHER };
    http->content = (cairn_span){ NULL, 0 };
}

void cairn__http_init(cairn__http *http, cairn_allocator allocator, size_t head_bytes_max,
                      size_t body_bytes_max) {
    *http = (cairn__http){ .allocator = allocator,
                           .head_bytes_max = head_bytes_max,
                           .body_bytes_max = body_bytes_max };
    http->held.allocator = allocator;
    http->body.allocator = allocator;
    begin(http);
}

void cairn__http_free(cairn__http *http) {
    cairn__buffer_free(&http->held);
    cairn__buffer_free(&http->body);
}

bool cairn__http_is_inside(const cairn__http *http) {
    return http->state == STATE_HEAD ? http->held.len > 0 : http->state < STATE_DONE;
}

bool cairn__http_in_body(const cairn__http *http) {
    return http->state > STATE_HEAD && http->state < STATE_DONE;
}

size_t cairn__http_held_bytes(const cairn__http *http) {
    return http->held.capacity + http->body.capacity;
}

static void skip(cairn_span *input, size_t bytes) {
    input->data += bytes;
    input->len -= bytes;
}

static bool too_large_head(cairn__http *http) {
    return refuse(http, (cairn__http_refusal){ 431, "head_too_large", "",
                                               "the request line and headers exceed head_bytes_max",
                                               "send fewer or shorter headers" });
}

static cairn__http_step no_memory(cairn__http *http) {
    (void)refuse(http,
                 (cairn__http_refusal){ 503, "memory", "", "out of memory", "try again later" });
    return CAIRN__HTTP_REFUSED;
}

static cairn__http_step take_head(cairn__http *http, cairn_span *input) {
    size_t held = http->held.len;
    size_t room = http->head_bytes_max - held;
    size_t taken = input->len < room ? input->len : room;
    cairn_span bytes = { input->data, taken };
    if (held > 0) {
        cairn__buffer_append(&http->held, bytes);
        bytes = cairn__buffer_span(&http->held);
    }
    size_t end = 0;
    if (http->held.failed) {
        return no_memory(http);
    }
    if (!find_end(http, bytes, &end)) {
        return CAIRN__HTTP_REFUSED;
    }
    if (end == 0) {
        if (taken < input->len || bytes.len == http->head_bytes_max) {
            (void)too_large_head(http);
            return CAIRN__HTTP_REFUSED;
        }
        if (held == 0) {
            cairn__buffer_append(&http->held, bytes);
        }
        skip(input, taken);
        return http->held.failed   ? (void)too_large_head(http),
               CAIRN__HTTP_REFUSED : CAIRN__HTTP_MORE;
    }
    skip(input, end - held);
    if (!parse_head(http, cairn__span(bytes.data, end))) {
        return CAIRN__HTTP_REFUSED;
    }
    http->held.len = held > 0 ? end : 0;
    http->state = STATE_BODY;
    return CAIRN__HTTP_HEAD;
}

static void rebase(cairn_span *span, const uint8_t *from, const uint8_t *to) {
    if (span->data != NULL) {
        span->data = to + (span->data - from);
    }
}

/* The input goes away before the body is whole: the head moves into memory of ours. */
static cairn__http_step wait(cairn__http *http) {
    cairn__http_head *head = &http->head;
    if (http->held.len > 0) {
        return CAIRN__HTTP_MORE;
    }
    const uint8_t *first = head->path.data;
    const uint8_t *end = head->path.data + head->path.len;
    cairn_span *spans[CAIRN__HEADER_COUNT + 2] = { &head->path, &head->query };
    for (size_t i = 0; i < CAIRN__HEADER_COUNT; i++) {
        spans[i + 2] = &head->headers[i];
    }
    for (size_t i = 0; i < CAIRN__HEADER_COUNT + 2; i++) {
        if (spans[i]->data != NULL) {
            first = spans[i]->data < first ? spans[i]->data : first;
            end = spans[i]->data + spans[i]->len > end ? spans[i]->data + spans[i]->len : end;
        }
    }
    cairn__buffer_append(&http->held, cairn__span(first, (size_t)(end - first)));
    if (http->held.failed) {
        (void)refuse(
            http, (cairn__http_refusal){ 503, "memory", "", "out of memory", "try again later" });
        return CAIRN__HTTP_REFUSED;
    }
    for (size_t i = 0; i < CAIRN__HEADER_COUNT + 2; i++) {
        rebase(spans[i], first, http->held.data);
    }
    return CAIRN__HTTP_MORE;
}

static cairn__http_step finish(cairn__http *http) {
    if (http->content.data == NULL) {
        http->content = cairn__buffer_span(&http->body);
    }
    http->state = STATE_DONE;
    return CAIRN__HTTP_REQUEST;
}

static cairn__http_step take_counted(cairn__http *http, cairn_span *input) {
    uint64_t left = http->head.content_length - http->body.len;
    if (http->head.content_length > http->body_bytes_max) {
        (void)refuse(http, (cairn__http_refusal){ 413, "body_too_large", "content-length",
                                                  "the body is larger than request_bytes_max",
                                                  "send smaller batches" });
        return CAIRN__HTTP_REFUSED;
    }
    if (http->body.len == 0 && input->len >= left) { /* the usual case: nothing is copied */
        http->content = cairn__span(input->data, (size_t)left);
        skip(input, (size_t)left);
        return finish(http);
    }
    size_t taken = input->len < left ? input->len : (size_t)left;
    cairn__buffer_append(&http->body, cairn__span(input->data, taken));
    skip(input, taken);
    if (http->body.failed) {
        (void)refuse(
            http, (cairn__http_refusal){ 503, "memory", "", "out of memory", "try again later" });
        return CAIRN__HTTP_REFUSED;
    }
    return taken == left ? finish(http) : wait(http);
}

/* Leading zeros make sizes of any length; others read only some digits of them. */
static bool count_digits(cairn__http *http, cairn_span input) {
    for (size_t i = 0; i < input.len && http->chunk_digits != UINT_MAX; i++) {
        uint8_t byte = (uint8_t)(input.data[i] | 0x20);
        bool hex = (input.data[i] >= '0' && input.data[i] <= '9') || (byte >= 'a' && byte <= 'f');
        http->chunk_digits = hex ? http->chunk_digits + 1 : UINT_MAX;
        if (hex && http->chunk_digits > CAIRN__HTTP_CHUNK_DIGITS_MAX) {
            return bad_request(http, "chunk_size", "", "a chunk size has more than 16 digits");
        }
    }
    return true;
}

/* One call of llhttp; it stops after a chunk and at the last one. */
static bool feed_chunks(cairn__http *http, cairn_span *input) {
    if (!count_digits(http, *input)) {
        return false;
    }
    size_t body_before = http->body.len;
    llhttp_errno_t code = llhttp_execute(&http->parser, (const char *)input->data, input->len);
    size_t used = input->len;
    if (code == HPE_PAUSED) {
        used = (size_t)((const uint8_t *)llhttp_get_error_pos(&http->parser) - input->data);
        llhttp_resume(&http->parser);
        bool last = http->parser.content_length == 0 && http->chunk_digits == UINT_MAX;
        http->state = last ? STATE_LAST_CR : http->state;
    } else if (code != HPE_OK) {
        return bad_request(http, "chunk_invalid", "", "the chunked body cannot be read");
    }
    http->framing_bytes += used - (http->body.len - body_before);
    skip(input, used);
    if (http->framing_bytes >
        http->head_bytes_max + CAIRN__HTTP_FRAMING_PER_BODY * (uint64_t)http->body.len) {
        return bad_request(http, "chunk_framing", "", "the chunks are mostly framing");
    }
    return true;
}

static cairn__http_step take_chunked(cairn__http *http, cairn_span *input) {
    while (http->state == STATE_BODY && input->len > 0) {
        if (!feed_chunks(http, input)) {
            return CAIRN__HTTP_REFUSED;
        }
    }
    while (http->state != STATE_BODY && input->len > 0) {
        uint8_t wanted = http->state == STATE_LAST_CR ? '\r' : '\n';
        if (input->data[0] != wanted) {
            (void)bad_request(http, "trailers", "", "something follows the last chunk");
            return CAIRN__HTTP_REFUSED;
        }
        skip(input, 1);
        if (wanted == '\n') {
            return finish(http);
        }
        http->state = STATE_LAST_LF;
    }
    return wait(http);
}

cairn__http_step cairn__http_next(cairn__http *http, cairn_span *input) {
    if (http->state == STATE_DONE) {
        begin(http);
    }
    if (http->state == STATE_REFUSED) {
        return CAIRN__HTTP_REFUSED;
    }
    if (http->state == STATE_HEAD) {
        return input->len == 0 ? CAIRN__HTTP_MORE : take_head(http, input);
    }
    return http->head.chunked ? take_chunked(http, input) : take_counted(http, input);
}
