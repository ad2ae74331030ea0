/* http.c: see http.h. */
#include "port/posix/http.h"

#include <curl/curl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/bytes.h"

enum {
    GZIP_BYTES_MIN = 1024, /* below, gzip's own header costs more than it saves */
    GZIP_WINDOW_BITS = 15 + 16,
    GZIP_MEMORY_LEVEL = 8,
    ANSWER_BYTES_MAX = 6 * 1024 * 1024, /* the largest bundle, signed, and the rest */
    BODY_BYTES_MAX = 2 * 1024 * 1024,
    RETRY_AFTER_SECONDS_MAX = 3600
};

struct cairn__http {
    CURLM *multi;
    CURL *request; /* one handle: its connection is used again */
    struct curl_slist *plain_headers;
    struct curl_slist *gzip_headers;
    cairn__buffer body;
    cairn__buffer packed;
    cairn__buffer answer;
    uint32_t ticket; /* 0: none */
    bool running;
};

static size_t take_answer(char *bytes, size_t size, size_t count, void *self) {
    cairn__http *http = self;
    cairn__buffer_append(&http->answer, cairn__span(bytes, size * count));
    return http->answer.failed ? 0 : size * count; /* 0 ends the request: too long an answer */
}

/* url + "/v1/sync", without a doubled slash. */
static char *sync_url(const char *url) {
    static const char path[] = "/v1/sync";
    size_t len = strlen(url);
    while (len > 0 && url[len - 1] == '/') {
        len -= 1;
    }
    char *joined = malloc(len + sizeof path);
    if (joined != NULL) {
        (void)snprintf(joined, len + sizeof path, "%.*s%s", (int)len, url, path);
    }
    return joined;
}

static bool make_headers(cairn__http *http) {
    static const char type[] = "Content-Type: application/x-protobuf";
    http->plain_headers = curl_slist_append(NULL, type);
    http->gzip_headers = curl_slist_append(NULL, type);
    struct curl_slist *more = http->gzip_headers == NULL
                                  ? NULL
                                  : curl_slist_append(http->gzip_headers, "Content-Encoding: gzip");
    return http->plain_headers != NULL && more != NULL;
}

static bool set_options(cairn__http *http, const char *url, uint32_t request_ms_max) {
    CURL *request = http->request;
    return curl_easy_setopt(request, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(request, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(request, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(request, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(request, CURLOPT_ACCEPT_ENCODING, "") == CURLE_OK &&
           curl_easy_setopt(request, CURLOPT_TIMEOUT_MS, (long)request_ms_max) == CURLE_OK &&
           curl_easy_setopt(request, CURLOPT_USERAGENT, "cairn/" CAIRN_VERSION) == CURLE_OK &&
           curl_easy_setopt(request, CURLOPT_WRITEFUNCTION, take_answer) == CURLE_OK &&
           curl_easy_setopt(request, CURLOPT_WRITEDATA, http) == CURLE_OK;
}

cairn__http *cairn__http_open(const char *url, uint32_t request_ms_max) {
    cairn__http *http = calloc(1, sizeof *http);
    char *joined = sync_url(url);
    if (http == NULL || joined == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(http);
        free(joined);
        return NULL;
    }
    http->body = cairn__buffer_make(cairn__heap(), BODY_BYTES_MAX);
    http->packed = cairn__buffer_make(cairn__heap(), BODY_BYTES_MAX);
    http->answer = cairn__buffer_make(cairn__heap(), ANSWER_BYTES_MAX);
    http->multi = curl_multi_init();
    http->request = curl_easy_init();
    bool ready = http->multi != NULL && http->request != NULL && make_headers(http) &&
                 set_options(http, joined, request_ms_max);
    free(joined);
    if (!ready) {
        cairn__http_close(http);
        return NULL;
    }
    return http;
}

void cairn__http_close(cairn__http *http) {
    if (http->running) {
        (void)curl_multi_remove_handle(http->multi, http->request);
    }
    curl_easy_cleanup(http->request);
    (void)curl_multi_cleanup(http->multi);
    curl_slist_free_all(http->plain_headers);
    curl_slist_free_all(http->gzip_headers);
    cairn__buffer_free(&http->body);
    cairn__buffer_free(&http->packed);
    cairn__buffer_free(&http->answer);
    free(http);
    curl_global_cleanup();
}

/* --- a request ---------------------------------------------------------------------------------*/

static void start(void *self, uint32_t ticket, cairn_span body) {
    cairn__http *http = self;
    http->ticket = ticket;
    cairn__buffer_clear(&http->body);
    cairn__buffer_append(&http->body, body);
}

cairn_transport cairn__http_seam(cairn__http *http) {
    return (cairn_transport){ start, http };
}

/* The body compressed, or empty where that is not smaller. */
static cairn_span pack(cairn__http *http) {
    z_stream stream = { 0 };
    cairn__buffer_clear(&http->packed);
    uint8_t *to = http->body.len < GZIP_BYTES_MIN
                      ? NULL
                      : cairn__buffer_extend(&http->packed, http->body.len);
    if (to == NULL || deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS,
                                   GZIP_MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
        return (cairn_span){ NULL, 0 };
    }
    stream.next_in = http->body.data;
    stream.avail_in = (uInt)http->body.len;
    stream.next_out = to;
    stream.avail_out = (uInt)http->body.len;
    bool whole = deflate(&stream, Z_FINISH) == Z_STREAM_END; /* else it does not fit: larger */
    size_t len = (size_t)stream.total_out;
    (void)deflateEnd(&stream);
    return (cairn_span){ to, whole ? len : 0 };
}

static bool begin(cairn__http *http) {
    cairn_span packed = pack(http);
    cairn_span body = packed.len > 0 ? packed : cairn__buffer_span(&http->body);
    cairn__buffer_clear(&http->answer);
    CURL *request = http->request;
    return !http->body.failed &&
           curl_easy_setopt(request, CURLOPT_HTTPHEADER,
                            packed.len > 0 ? http->gzip_headers : http->plain_headers) ==
               CURLE_OK &&
           curl_easy_setopt(request, CURLOPT_POSTFIELDS, body.data) == CURLE_OK &&
           curl_easy_setopt(request, CURLOPT_POSTFIELDSIZE, (long)body.len) == CURLE_OK &&
           curl_multi_add_handle(http->multi, request) == CURLM_OK;
}

static cairn__http_result finish(cairn__http *http, bool answered) {
    long status = 0;
    curl_off_t seconds = 0;
    if (answered) {
        (void)curl_easy_getinfo(http->request, CURLINFO_RESPONSE_CODE, &status);
        (void)curl_easy_getinfo(http->request, CURLINFO_RETRY_AFTER, &seconds);
    }
    if (http->running) {
        (void)curl_multi_remove_handle(http->multi, http->request);
    }
    seconds = seconds < 0 ? 0 : seconds;
    seconds = seconds > RETRY_AFTER_SECONDS_MAX ? RETRY_AFTER_SECONDS_MAX : seconds;
    cairn__http_result result = { http->ticket, (uint32_t)status, (uint32_t)seconds * 1000,
                                  cairn__buffer_span(&http->answer) };
    http->running = false;
    http->ticket = 0;
    return result;
}

bool cairn__http_run(cairn__http *http, cairn__http_result *result_out) {
    if (http->ticket == 0) {
        return false;
    }
    if (!http->running) {
        http->running = begin(http);
        if (!http->running) {
            *result_out = finish(http, false);
            return true;
        }
    }
    int running = 0;
    (void)curl_multi_perform(http->multi, &running);
    int left = 0;
    const CURLMsg *message = curl_multi_info_read(http->multi, &left);
    if (message == NULL || message->msg != CURLMSG_DONE) {
        return false;
    }
    *result_out = finish(http, message->data.result == CURLE_OK);
    return true;
}

void cairn__http_wait(cairn__http *http, int64_t wait_ms) {
    int wait = wait_ms > INT_MAX ? INT_MAX : (int)wait_ms;
    (void)curl_multi_poll(http->multi, NULL, 0, wait, NULL);
}

void cairn__http_wake(cairn__http *http) {
    (void)curl_multi_wakeup(http->multi);
}
