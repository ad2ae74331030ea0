/* Goal: a request is read the same however its bytes are cut, and doubt is a refusal.
 * Method: each case is fed whole, byte by byte, and cut in two at every place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "edge/http.h"
#include "support/cmocka_all.h"

enum { HEAD_MAX = 1024, BODY_MAX = 64 };

typedef struct http_case {
    const char *name;
    const char *bytes;
    int status;       /* of the refusal; 0: requests */
    const char *said; /* "METHOD path?query [body] keep" of each request, or the refusal's code */
} http_case;

#define HOST "Host: a\r\n"
#define CHUNKED "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
#define POST5 "POST /a HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n"

static const http_case cases[] = {
    { "plain", "GET /x?y=1 HTTP/1.1\r\n" HOST "\r\n", 0, "1 /x?y=1 [] keep;" },
    { "close", "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", 0, "1 /? [] close;" },
    { "old", "GET / HTTP/1.0\r\n\r\n", 0, "1 /? [] close;" },
    { "body", POST5 "hello", 0, "4 /a? [hello] keep;" },
    { "two", POST5 "hello" POST5 "world", 0, "4 /a? [hello] keep;4 /a? [world] keep;" },
    { "after_body", POST5 "helloGET / HTTP/1.1\r\n" HOST "\r\n", 0,
      "4 /a? [hello] keep;1 /? [] keep;" },
    { "empty_line_first", "\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 0, "1 /? [] keep;" },
    { "absolute", "GET http://a/b HTTP/1.1\r\n" HOST "\r\n", 0, "1 /b? [] keep;" },
    { "star", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 0, "8 *? [] keep;" },
    { "upgrade_is_ignored", "GET / HTTP/1.1\r\n" HOST "Connection: upgrade\r\nUpgrade: x\r\n\r\n",
      0, "1 /? [] keep;" },
    { "chunks", CHUNKED "2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\n\r\n" POST5 "world", 0,
      "4 /a? [hello] keep;4 /a? [world] keep;" },
    { "no_chunks", CHUNKED "0\r\n\r\n", 0, "4 /a? [] keep;" },
    { "host_missing", "GET / HTTP/1.1\r\n\r\n", 400, "host_missing" },
    { "host_twice", "GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400, "header_twice" },
    { "host_invalid", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "host_invalid" },
    { "length_twice", "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
      400, "content_length" },
    { "length_list", "POST / HTTP/1.1\r\n" HOST "Content-Length: 5, 5\r\n\r\n", 400,
      "content_length" },
    { "length_signed", "POST / HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\n", 400,
      "content_length" },
    { "length_negative", "POST / HTTP/1.1\r\n" HOST "Content-Length: -5\r\n\r\n", 400,
      "content_length" },
    { "length_huge", "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n", 400,
      "content_length" },
    { "both", "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
      400, "length_twice" },
    { "coding_gzip", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", 400,
      "transfer_encoding" },
    { "coding_identity", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n", 400,
      "transfer_encoding" },
    { "coding_xchunked", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n", 400,
      "transfer_encoding" },
    { "coding_twice",
      "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n", 400,
      "header_twice" },
    { "coding_old", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
      "transfer_encoding" },
    { "bare_lf", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400, "line_end" },
    { "bare_lf_end", "GET / HTTP/1.1\r\n" HOST "\n", 400, "line_end" },
    { "bare_cr", "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400, "header_value" },
    { "fold", "GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n", 400, "header_name" },
    { "space_colon", "GET / HTTP/1.1\r\n" HOST "X : a\r\n\r\n", 400, "header_name" },
    { "no_colon", "GET / HTTP/1.1\r\n" HOST "X\r\n\r\n", 400, "header_name" },
    { "control", "GET / HTTP/1.1\r\n" HOST "X: a\x01\r\n\r\n", 400, "header_value" },
    { "two_spaces", "GET  / HTTP/1.1\r\n" HOST "\r\n", 400, "request_line" },
    { "no_version", "GET /\r\n" HOST "\r\n", 400, "request_line" },
    { "version_2", "GET / HTTP/2.0\r\n" HOST "\r\n", 505, "version_unknown" },
    { "version_lower", "GET / http/1.1\r\n" HOST "\r\n", 400, "request_line" },
    { "method", "BREW / HTTP/1.1\r\n" HOST "\r\n", 501, "method_unknown" },
    { "no_path", "GET a HTTP/1.1\r\n" HOST "\r\n", 400, "request_invalid" },
    { "only_empty_lines", "\r\n\r\n", 400, "request_line" },
    { "expect", "POST / HTTP/1.1\r\n" HOST "Expect: tea\r\n\r\n", 417, "expectation" },
    { "chunk_lf", CHUNKED "2\nhe\r\n0\r\n\r\n", 400, "chunk_invalid" },
    { "chunk_end_lf", CHUNKED "2\r\nhe\r\n0\r\n\n", 400, "trailers" },
    { "chunk_data_lf", CHUNKED "2\r\nhe\n0\r\n\r\n", 400, "chunk_invalid" },
    { "chunk_0x", CHUNKED "0x2\r\nhe\r\n0\r\n\r\n", 400, "chunk_invalid" },
    { "chunk_short", CHUNKED "1\r\nhe\r\n0\r\n\r\n", 400, "chunk_invalid" },
    { "chunk_digits", CHUNKED "00000000000000002\r\nhe\r\n0\r\n\r\n", 400, "chunk_size" },
    { "chunk_second_digits", CHUNKED "1\r\nh\r\n00000000000000002\r\nhe\r\n0\r\n\r\n", 400,
      "chunk_size" },
    { "chunk_overflow", CHUNKED "FFFFFFFFFFFFFFFF\r\nhe\r\n", 413, "body_too_large" },
    { "trailer", CHUNKED "2\r\nhe\r\n0\r\nX: y\r\n\r\n", 400, "trailers" },
    { "too_large", "POST / HTTP/1.1\r\n" HOST "Content-Length: 65\r\n\r\nx", 413,
      "body_too_large" },
    { "chunks_too_large",
      CHUNKED "30\r\n012345678901234567890123456789012345678901234567\r\n20\r\n"
              "01234567890123456789012345678901\r\n0\r\n\r\n",
      413, "body_too_large" },
};

static void say(cairn__http *http, char *said, size_t room) {
    size_t used = strlen(said);
    const cairn__http_head *head = &http->head;
    (void)snprintf(said + used, room - used, "%d %.*s?%.*s [%.*s] %s;", (int)head->method,
                   (int)head->path.len, (const char *)head->path.data, (int)head->query.len,
                   (const char *)head->query.data, (int)http->content.len,
                   (const char *)http->content.data, head->keep_alive ? "keep" : "close");
}

/* Feeds a piece; false once refused. The piece is a copy of its exact size: a read past it, or a
 * span into it that outlives it, is seen by the sanitizer. */
static bool feed(cairn__http *http, const char *bytes, size_t len, char *said) {
    char *copy = malloc(len + 1);
    memcpy(copy, bytes, len);
    cairn_span input = { (const uint8_t *)copy, len };
    cairn__http_step step = CAIRN__HTTP_MORE;
    do {
        step = cairn__http_next(http, &input);
        if (step == CAIRN__HTTP_REQUEST) {
            say(http, said, 512);
        }
    } while (step == CAIRN__HTTP_REQUEST || step == CAIRN__HTTP_HEAD);
    free(copy);
    return step == CAIRN__HTTP_MORE;
}

static void run_cut(const http_case *c, size_t first, size_t every) {
    cairn__http http;
    char said[512] = "";
    size_t len = strlen(c->bytes);
    cairn__http_init(&http, cairn__heap(), HEAD_MAX, BODY_MAX);
    bool going = true;
    for (size_t at = 0; at < len && going;) {
        size_t piece = at == 0 && first > 0 ? first : every;
        piece = piece > len - at ? len - at : piece;
        going = feed(&http, c->bytes + at, piece, said);
        at += piece;
    }
    if (going != (c->status == 0)) {
        print_error("%s cut at %zu every %zu: %s %s\n", c->name, first, every,
                    going ? "accepted" : http.refusal.code, said);
    }
    assert_int_equal(going, c->status == 0);
    if (going) {
        assert_string_equal(said, c->said);
        assert_false(cairn__http_is_inside(&http));
    } else {
        if (http.refusal.status != c->status || strcmp(http.refusal.code, c->said) != 0) {
            print_error("%s: %d %s\n", c->name, http.refusal.status, http.refusal.code);
        }
        assert_int_equal(http.refusal.status, c->status);
        assert_string_equal(http.refusal.code, c->said);
    }
    cairn__http_free(&http);
}

static void requests_do_not_depend_on_how_they_are_cut(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t len = strlen(cases[i].bytes);
        run_cut(&cases[i], 0, len);
        run_cut(&cases[i], 0, 1);
        run_cut(&cases[i], 0, 3);
        for (size_t first = 1; first < len; first++) {
            run_cut(&cases[i], first, len);
        }
    }
}

static void heads_end_at_their_limit(void **state) {
    (void)state;
    char bytes[HEAD_MAX * 2];
    for (size_t len = HEAD_MAX - 2; len <= HEAD_MAX + 2; len++) {
        char said[512] = "";
        int used = snprintf(bytes, sizeof bytes, "GET / HTTP/1.1\r\n" HOST "X: ");
        memset(bytes + used, 'x', len - (size_t)used - 4);
        memcpy(bytes + len - 4, "\r\n\r\n", 4);
        for (size_t first = 1; first < len; first += 97) {
            cairn__http http;
            cairn__http_init(&http, cairn__heap(), HEAD_MAX, BODY_MAX);
            bool going =
                feed(&http, bytes, first, said) && feed(&http, bytes + first, len - first, said);
            assert_int_equal(going, len <= HEAD_MAX);
            assert_true(going || http.refusal.status == 431);
            cairn__http_free(&http);
        }
    }
}

static void hundreds_of_headers_are_refused(void **state) {
    (void)state;
    char bytes[1024] = "GET / HTTP/1.1\r\n" HOST;
    char said[512] = "";
    size_t used = strlen(bytes);
    for (int i = 0; i < CAIRN__HTTP_HEADERS_MAX; i++) {
        used += (size_t)snprintf(bytes + used, sizeof bytes - used, "a:b\r\n");
    }
    used += (size_t)snprintf(bytes + used, sizeof bytes - used, "\r\n");
    cairn__http http;
    cairn__http_init(&http, cairn__heap(), sizeof bytes, BODY_MAX);
    assert_false(feed(&http, bytes, used, said));
    assert_int_equal(http.refusal.status, 431);
    cairn__http_free(&http);
}

static void chunks_that_are_mostly_framing_are_refused(void **state) {
    (void)state;
    char said[512] = "";
    cairn__http http;
    cairn__http_init(&http, cairn__heap(), HEAD_MAX, BODY_MAX);
    assert_true(feed(&http, CHUNKED "1;", strlen(CHUNKED "1;"), said));
    bool going = true;
    for (int i = 0; i < HEAD_MAX + 10 && going; i++) {
        going = feed(&http, "x", 1, said);
    }
    assert_false(going);
    assert_string_equal(http.refusal.code, "chunk_framing");
    cairn__http_free(&http);
}

static void nothing_is_held_between_requests(void **state) {
    (void)state;
    char said[512] = "";
    cairn__http http;
    cairn__http_init(&http, cairn__heap(), HEAD_MAX, BODY_MAX);
    assert_true(feed(&http, POST5 "hel", strlen(POST5 "hel"), said));
    assert_true(cairn__http_held_bytes(&http) > 0);
    assert_true(cairn__http_in_body(&http));
    assert_true(feed(&http, "lo", 2, said));
    assert_int_equal(cairn__http_held_bytes(&http), 0);
    cairn__http_free(&http);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_do_not_depend_on_how_they_are_cut),
        cmocka_unit_test(heads_end_at_their_limit),
        cmocka_unit_test(hundreds_of_headers_are_refused),
        cmocka_unit_test(chunks_that_are_mostly_framing_are_refused),
        cmocka_unit_test(nothing_is_held_between_requests),
    };
    return cmocka_run_group_tests_name("edge/http", tests, NULL, NULL);
}
