#include "cli/http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t take(char *bytes, size_t one, size_t count, void *self) {
    cairn__answer *answer = self;
    size_t size = one * count;
    if (answer->bytes + size > CAIRN__ANSWER_BYTES_MAX) {
        return 0;
    }
    char *body = realloc(answer->body, answer->bytes + size + 1);
    if (body == NULL) {
        return 0;
    }
    memcpy(body + answer->bytes, bytes, size);
    answer->body = body;
    answer->bytes += size;
    body[answer->bytes] = 0;
    return size;
}

/* A list's new head with one more line; the old list is freed where memory is short. */
static struct curl_slist *add(struct curl_slist *list, const char *line) {
    struct curl_slist *longer = curl_slist_append(list, line);
    if (longer == NULL) {
        curl_slist_free_all(list);
    }
    return longer;
}

static bool exchange(CURL *curl, const char *url, const cairn__http_request *request,
                     cairn__answer *answer) {
    char bearer[1024];
    struct curl_slist *headers = add(NULL, "Content-Type: application/json");
    if (request->token != NULL) {
        snprintf(bearer, sizeof bearer, "Authorization: Bearer %s", request->token);
        headers = add(headers, bearer);
    }
    if (request->header != NULL) {
        headers = add(headers, request->header);
    }
    if (request->method != NULL) {
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    }
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, CAIRN__EXCHANGE_SECONDS_MAX);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (request->json != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->json);
    }
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    curl_slist_free_all(headers);
    if (code != CURLE_OK) {
        snprintf(answer->error, sizeof answer->error, "%s", curl_easy_strerror(code));
    }
    return code == CURLE_OK;
}

bool cairn__http(const cairn__http_request *request, cairn__answer *answer) {
    memset(answer, 0, sizeof *answer);
    char url[2048];
    int length = snprintf(url, sizeof url, "%s%s", request->edge, request->path);
    answer->body = calloc(1, 1);
    CURL *curl = curl_easy_init();
    bool ok = false;
    if (length < 0 || (size_t)length >= sizeof url) {
        snprintf(answer->error, sizeof answer->error, "the address is longer than 2047 bytes");
    } else if (curl == NULL || answer->body == NULL) {
        snprintf(answer->error, sizeof answer->error, "out of memory");
    } else {
        ok = exchange(curl, url, request, answer);
    }
    curl_easy_cleanup(curl);
    return ok;
}
