/* The small parts of the edge: decompression with its limit, JSON text, URLs, secrets, addresses,
 * answers, the configuration from memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>

#include "base/bytes.h"
#include "edge/answer.h"
#include "edge/config.h"
#include "edge/inflate.h"
#include "edge/text.h"
#include "support/cmocka_all.h"

enum { PLAIN_BYTES = 300000, PACKED_BYTES_MAX = 400000 };

static size_t pack(cairn__encoding encoding, const uint8_t *plain, size_t len, uint8_t *to) {
    if (encoding == CAIRN__ENCODING_ZSTD) {
        size_t size = ZSTD_compress(to, PACKED_BYTES_MAX, plain, len, 3);
        assert_false(ZSTD_isError(size));
        return size;
    }
    z_stream stream = { 0 };
    assert_int_equal(
        deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
        Z_OK);
    stream.next_in = (z_const Bytef *)plain;
    stream.avail_in = (uInt)len;
    stream.next_out = to;
    stream.avail_out = PACKED_BYTES_MAX;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t size = stream.total_out;
    (void)deflateEnd(&stream);
    return size;
}

static void decompression_stops_exactly_at_its_limit(void **state) {
    (void)state;
    const cairn__encoding encodings[] = { CAIRN__ENCODING_GZIP, CAIRN__ENCODING_ZSTD };
    uint8_t *plain = malloc(PLAIN_BYTES);
    uint8_t *packed = malloc(PACKED_BYTES_MAX);
    for (size_t i = 0; i < PLAIN_BYTES; i++) {
        plain[i] = (uint8_t)(i * 7 + (i >> 8));
    }
    const size_t lengths[] = { 0, 1, 65535, 65536, 65537, 131072, PLAIN_BYTES };
    for (size_t i = 0; i < 2 * sizeof lengths / sizeof lengths[0]; i++) {
        size_t len = lengths[i / 2];
        size_t size = pack(encodings[i % 2], plain, len, packed);
        for (size_t room = len == 0 ? 0 : len - 1; room <= len + 1; room++) {
            cairn__buffer to = cairn__buffer_make(cairn__heap(), room);
            cairn_status status = cairn__inflate(encodings[i % 2], cairn__span(packed, size), &to);
            assert_int_equal(status, room < len ? CAIRN_FULL : CAIRN_OK);
            assert_true(room < len || len == 0 ||
                        (to.len == len && memcmp(to.data, plain, len) == 0));
            cairn__buffer_free(&to);
        }
    }
    free(plain);
    free(packed);
}

static void every_cut_of_a_stream_is_refused(void **state) {
    (void)state;
    const cairn__encoding encodings[] = { CAIRN__ENCODING_GZIP, CAIRN__ENCODING_ZSTD };
    uint8_t plain[500];
    uint8_t *packed = malloc(PACKED_BYTES_MAX);
    for (size_t i = 0; i < sizeof plain; i++) {
        plain[i] = (uint8_t)(i * 37 ^ (i >> 3));
    }
    for (size_t i = 0; i < 2; i++) {
        size_t size = pack(encodings[i], plain, sizeof plain, packed);
        for (size_t cut = 0; cut <= size + 1; cut++) {
            packed[size] = 0;
            cairn__buffer to = cairn__buffer_make(cairn__heap(), 4096);
            assert_int_equal(cairn__inflate(encodings[i], cairn__span(packed, cut), &to),
                             cut == size ? CAIRN_OK : CAIRN_INVALID);
            cairn__buffer_free(&to);
        }
    }
    free(packed);
}

static void json_text_is_always_json(void **state) {
    (void)state;
    const struct {
        cairn_span text;
        const char *json;
    } table[] = {
        { CAIRN_STR("plain"), "\"plain\"" },
        { CAIRN_STR("a\"b\\c\n\x7f"), "\"a\\\"b\\\\c\\u000a\\u007f\"" },
        { CAIRN_STR("\xe4\xb8\xad"), "\"\xe4\xb8\xad\"" },
        { CAIRN_STR("\xf0\x9f\x98\x80!"), "\"\xf0\x9f\x98\x80!\"" },
        { CAIRN_STR("\xff"
                    "a\xe4\xb8"),
          "\"\\ufffda\\ufffd\\ufffd\"" },
        { CAIRN_STR("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"" },
        { CAIRN_STR("a\0b"), "\"a\\u0000b\"" },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        cairn__buffer to = cairn__buffer_make(cairn__heap(), 256);
        cairn__json_string(&to, table[i].text);
        cairn__buffer_byte(&to, 0);
        assert_string_equal((const char *)to.data, table[i].json);
        cairn__buffer_free(&to);
    }
}

static void urls_are_decoded_or_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *plain; /* NULL: refused */
    } table[] = { { "a%20b", "a b" }, { "%e4%B8%ad", "\xe4\xb8\xad" },
                  { "a+b", "a+b" },   { "%", NULL },
                  { "%2", NULL },     { "%2g", NULL },
                  { "a%00b", NULL },  { "%41%", NULL },
                  { "", "" } };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        uint8_t to[32] = { 0 };
        size_t len = 0;
        bool good = cairn__url_decode(cairn__span_of(table[i].text), to, &len);
        assert_int_equal(good, table[i].plain != NULL);
        assert_true(!good || strcmp((const char *)to, table[i].plain) == 0);
    }
    cairn_span query = CAIRN_STR("a=1&key=x&keys=y&b=");
    assert_true(cairn__span_equal(cairn__query_value(query, "key"), CAIRN_STR("x")));
    assert_int_equal(cairn__query_value(query, "b").len, 0);
    assert_non_null(cairn__query_value(query, "b").data);
    assert_null(cairn__query_value(query, "ke").data);
    assert_null(cairn__query_value((cairn_span){ NULL, 0 }, "a").data);
}

static void secrets_are_the_same_only_when_they_are(void **state) {
    (void)state;
    assert_true(cairn__same_secret(CAIRN_STR("secret"), "secret"));
    assert_false(cairn__same_secret(CAIRN_STR("secre"), "secret"));
    assert_false(cairn__same_secret(CAIRN_STR("secretsecret"), "secret"));
    assert_false(cairn__same_secret(CAIRN_STR("Secret"), "secret"));
    assert_false(cairn__same_secret((cairn_span){ NULL, 0 }, "secret"));
    assert_false(cairn__same_secret(CAIRN_STR("x"), ""));
}

static void addresses_are_read_strictly(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool good, loopback;
    } table[] = {
        { "127.0.0.1:8080", true, true }, { "127.9.9.9:1", true, true },
        { "0.0.0.0:80", true, false },    { "[::1]:8081", true, true },
        { "[::]:8081", true, false },     { "127.0.0.1", false, false },
        { "localhost:80", false, false }, { "127.0.0.1:65536", false, false },
        { "127.0.0.1:-1", false, false }, { "127.0.0.1:80x", false, false },
        { "::1:80", false, false },       { "[127.0.0.1]:80", false, false },
        { ":80", false, false },          { "", false, false },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct sockaddr_storage address;
        bool good = cairn__config_address(table[i].text, &address);
        assert_int_equal(good, table[i].good);
        assert_true(!good || cairn__config_is_loopback(&address) == table[i].loopback);
    }
}

static const char *never(void *self, const char *name) {
    (void)self;
    return strcmp(name, "CAIRN_IDLE_TIMEOUT_MS") == 0 ? "2min" : NULL;
}

static void a_configuration_is_defaults_under_the_file_under_the_environment(void **state) {
    (void)state;
    cairn__config config;
    cairn__config_problem problem;
    cairn_span yaml = CAIRN_STR("data_dir: /d\nrequest_bytes_max: 512KiB\nidle_timeout_ms: 1s\n"
                                "projects:\n  - { name: a, write_key: aaaaaaaa }\n"
                                "  - { name: b, write_key: bbbbbbbb, timezone: Asia/Tokyo }\n");
    assert_int_equal(cairn__config_read("t.yaml", yaml, never, &config, &problem), CAIRN_OK);
    assert_string_equal(config.data_dir, "/d");
    assert_int_equal(config.request_bytes_max, 512 * 1024);
    assert_int_equal(config.idle_timeout_ms, 120000);
    assert_int_equal(config.commit_interval_ms, 50);
    assert_int_equal(config.project_count, 2);
    assert_string_equal(config.projects[0].timezone, "UTC");
    assert_string_equal(config.projects[1].timezone, "Asia/Tokyo");
    cairn__config_free(&config);
}

static void a_problem_is_an_answer_with_all_its_members(void **state) {
    (void)state;
    const cairn__problem problem = { 405, "method", "f\"", "what", "fix", ",\"more\":1" };
    cairn__buffer json = cairn__buffer_make(cairn__heap(), 1024);
    cairn__buffer text = cairn__buffer_make(cairn__heap(), 4096);
    cairn__problem_json(&json, &problem);
    char date[CAIRN__DATE_BYTES];
    cairn__http_date(1795553731130, date);
    cairn__answer_write(&text,
                        &(cairn__answer){ .status = 405,
                                          .content_type = "application/problem+json",
                                          .headers = "Allow: GET\r\n",
                                          .body = cairn__buffer_span(&json),
                                          .close = true },
                        date);
    cairn__buffer_byte(&text, 0);
    assert_string_equal(
        (const char *)text.data,
        "HTTP/1.1 405 Method Not Allowed\r\n"
        "Date: Tue, 24 Nov 2026 20:55:31 GMT\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "Content-Type: application/problem+json\r\n"
        "Allow: GET\r\nContent-Length: 145\r\nConnection: close\r\n\r\n"
        "{\"type\":\"urn:cairn:problem:method\",\"title\":\"Method Not Allowed\","
        "\"status\":405,\"code\":\"method\",\"detail\":\"what\",\"field\":\"f\\\"\","
        "\"fix\":\"fix\",\"more\":1}\n");
    cairn__buffer_free(&json);
    cairn__buffer_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decompression_stops_exactly_at_its_limit),
        cmocka_unit_test(every_cut_of_a_stream_is_refused),
        cmocka_unit_test(json_text_is_always_json),
        cmocka_unit_test(urls_are_decoded_or_refused),
        cmocka_unit_test(secrets_are_the_same_only_when_they_are),
        cmocka_unit_test(addresses_are_read_strictly),
        cmocka_unit_test(a_configuration_is_defaults_under_the_file_under_the_environment),
        cmocka_unit_test(a_problem_is_an_answer_with_all_its_members),
    };
    return cmocka_run_group_tests_name("edge/parts", tests, NULL, NULL);
}
