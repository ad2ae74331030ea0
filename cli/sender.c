#include "cli/sender.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"

enum { FIRST_WAIT_MS = 200, POLL_MS_MAX = 100, REQUEST_SECONDS_MAX = 120 };

typedef enum { FREE, FILLING, FLYING, WAITING } slot_state;

typedef struct {
    cairn__batch batch; /* first: a batch is its slot */
    slot_state state;
    uint64_t number; /* of the batch, from 1 */
    CURL *easy;
    cairn__buffer answer;
    int64_t first_ms; /* when it was first sent */
    int64_t again_ms; /* when to send it again */
    int64_t wait_ms;
} slot;

struct cairn__sender {
    cairn__sender_options options;
    CURLM *multi;
    struct curl_slist *headers;
    char url[2048];
    slot slots[CAIRN__SENDER_REQUESTS_MAX];
    size_t slot_count;
    uint64_t batches; /* given out so far */
    uint64_t repeats;
    bool failed;
    char problem[512];
};

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static size_t take(char *bytes, size_t one, size_t count, void *self) {
    cairn__buffer *answer = self;
    cairn__buffer_append(answer, cairn__span(bytes, one * count));
    return answer->failed ? 0 : one * count;
}

static bool add_header(cairn__sender *sender, const char *name, const char *value) {
    char line[512];
    int length = snprintf(line, sizeof line, "%s%s", name, value);
    if (length < 0 || (size_t)length >= sizeof line || line[strcspn(line, "\r\n")] != 0) {
        return false;
    }
    struct curl_slist *longer = curl_slist_append(sender->headers, line);
    sender->headers = longer == NULL ? sender->headers : longer;
    return longer != NULL;
}

static bool open_slot(cairn__sender *sender, slot *s) {
    s->batch.body = cairn__buffer_make(cairn__heap(), CAIRN__SENDER_BODY_BYTES_MAX);
    s->batch.raw = cairn__buffer_make(cairn__heap(), CAIRN__SENDER_RAW_BYTES_MAX);
    s->answer = cairn__buffer_make(cairn__heap(), CAIRN__SENDER_ANSWER_BYTES_MAX);
    s->easy = curl_easy_init();
    if (s->easy == NULL) {
        return false;
    }
    curl_easy_setopt(s->easy, CURLOPT_URL, sender->url);
    curl_easy_setopt(s->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(s->easy, CURLOPT_TIMEOUT, (long)REQUEST_SECONDS_MAX);
    curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, sender->headers);
    curl_easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(s->easy, CURLOPT_WRITEDATA, &s->answer);
    curl_easy_setopt(s->easy, CURLOPT_PRIVATE, s);
    curl_easy_setopt(s->easy, CURLOPT_NOSIGNAL, 1L);
    return true;
}

cairn__sender *cairn__sender_open(const cairn__sender_options *options) {
    cairn__sender *sender = calloc(1, sizeof *sender);
    if (sender == NULL) {
        return NULL;
    }
    sender->options = *options;
    sender->multi = curl_multi_init();
    int length = snprintf(sender->url, sizeof sender->url, "%s/v1/events", options->edge);
    bool ok = sender->multi != NULL && length > 0 && (size_t)length < sizeof sender->url &&
              add_header(sender, "Content-Type: ", "application/x-ndjson") &&
              add_header(sender, "X-Cairn-Key: ", options->key) &&
              add_header(sender, "Idempotency-Key: ", options->idempotency_key) &&
              add_header(sender, "Expect:", "");
    while (ok && sender->slot_count < options->requests) {
        ok = open_slot(sender, &sender->slots[sender->slot_count++]);
    }
    if (!ok) {
        cairn__sender_close(sender);
        return NULL;
    }
    return sender;
}

void cairn__sender_close(cairn__sender *sender) {
    if (sender == NULL) {
        return;
    }
    for (size_t i = 0; i < sender->slot_count; i++) {
        slot *s = &sender->slots[i];
        if (s->state == FLYING) {
            curl_multi_remove_handle(sender->multi, s->easy);
        }
        curl_easy_cleanup(s->easy);
        cairn__buffer_free(&s->batch.body);
        cairn__buffer_free(&s->batch.raw);
        cairn__buffer_free(&s->answer);
    }
    curl_multi_cleanup(sender->multi);
    curl_slist_free_all(sender->headers);
    free(sender);
}

static void start(cairn__sender *sender, slot *s) {
    cairn__buffer_clear(&s->answer);
    curl_easy_setopt(s->easy, CURLOPT_POSTFIELDS, s->batch.body.data);
    curl_easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE, (long)s->batch.body.len);
    s->state = FLYING;
    curl_multi_add_handle(sender->multi, s->easy);
}

/* The edge's own words about a refused request, or the start of what it said. */
static void fail(cairn__sender *sender, long status, const slot *s) {
    json_t *answer = json_loadb((const char *)s->answer.data, s->answer.len, 0, NULL);
    const char *detail = json_string_value(json_object_get(answer, "detail"));
    const char *fix = json_string_value(json_object_get(answer, "fix"));
    int length = s->answer.len > 200 ? 200 : (int)s->answer.len;
    if (detail != NULL) {
        snprintf(sender->problem, sizeof sender->problem, "the edge answered %ld: %.200s%s%.200s",
                 status, detail, fix == NULL ? "" : "; ", fix == NULL ? "" : fix);
    } else {
        snprintf(sender->problem, sizeof sender->problem, "the edge answered %ld: %.*s", status,
                 length, length == 0 ? "" : (const char *)s->answer.data);
    }
    json_decref(answer);
    sender->failed = true;
}

static int64_t wait_of(slot *s) {
    curl_off_t after_s = 0;
    curl_easy_getinfo(s->easy, CURLINFO_RETRY_AFTER, &after_s);
    s->wait_ms = s->wait_ms == 0 ? FIRST_WAIT_MS : s->wait_ms * 2;
    if (after_s > 0 && after_s <= CAIRN__SENDER_WAIT_MS_MAX / 1000) {
        return (int64_t)after_s * 1000;
    }
    s->wait_ms = s->wait_ms > CAIRN__SENDER_WAIT_MS_MAX ? CAIRN__SENDER_WAIT_MS_MAX : s->wait_ms;
    return s->wait_ms;
}

static void again(cairn__sender *sender, slot *s, long status, const char *why) {
    int64_t now = now_ms();
    if (now - s->first_ms > (int64_t)sender->options.retry_seconds * 1000) {
        if (status != 0) {
            fail(sender, status, s);
        } else {
            snprintf(sender->problem, sizeof sender->problem, "%s: %s; is the edge running there?",
                     sender->options.edge, why);
            sender->failed = true;
        }
        return;
    }
    s->again_ms = now + wait_of(s);
    s->state = WAITING;
    sender->repeats++;
}

static void finish(cairn__sender *sender, slot *s, CURLcode code) {
    long status = 0;
    curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(sender->multi, s->easy);
    s->state = FREE;
    if (code != CURLE_OK) {
        again(sender, s, 0, curl_easy_strerror(code));
        return;
    }
    if (status == 429 || status == 503 || status == 502 || status == 504) {
        again(sender, s, status, "");
        return;
    }
    if (status / 100 != 2) {
        fail(sender, status, s);
        return;
    }
    json_t *answer = json_loadb((const char *)s->answer.data, s->answer.len, 0, NULL);
    sender->options.answered(sender->options.self, &s->batch, answer);
    json_decref(answer);
}

/* Starts what waited long enough, moves bytes, takes answers, and waits a little for more. */
static void step(cairn__sender *sender) {
    int running = 0;
    int left;
    int64_t now = now_ms();
    for (size_t i = 0; i < sender->slot_count; i++) {
        slot *s = &sender->slots[i];
        if (s->state == WAITING && s->again_ms <= now) {
            start(sender, s);
        }
    }
    curl_multi_perform(sender->multi, &running);
    bool took = false;
    CURLMsg *message;
    while ((message = curl_multi_info_read(sender->multi, &left)) != NULL) {
        char *self = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &self);
        finish(sender, (slot *)(void *)self, message->data.result);
        took = true;
    }
    if (!took) {
        curl_multi_poll(sender->multi, NULL, 0, POLL_MS_MAX, NULL);
    }
    if (sender->options.tick != NULL) {
        sender->options.tick(sender->options.self);
    }
}

/* Is a batch still unanswered that the next one may not leave so far behind? */
static bool too_far_ahead(const cairn__sender *sender) {
    for (size_t i = 0; i < sender->slot_count; i++) {
        const slot *s = &sender->slots[i];
        if (s->state != FREE && s->number + CAIRN__SENDER_AHEAD_MAX <= sender->batches + 1) {
            return true;
        }
    }
    return false;
}

static slot *free_slot(cairn__sender *sender) {
    for (size_t i = 0; i < sender->slot_count; i++) {
        if (sender->slots[i].state == FREE) {
            return &sender->slots[i];
        }
    }
    return NULL;
}

cairn__batch *cairn__sender_batch(cairn__sender *sender) {
    slot *s = NULL;
    while (!sender->failed && s == NULL) {
        s = too_far_ahead(sender) ? NULL : free_slot(sender);
        if (s == NULL) {
            step(sender);
        }
    }
    if (s == NULL) {
        return NULL;
    }
    s->state = FILLING;
    s->number = ++sender->batches;
    s->batch.count = 0;
    cairn__buffer_clear(&s->batch.body);
    cairn__buffer_clear(&s->batch.raw);
    return &s->batch;
}

void cairn__sender_send(cairn__sender *sender, cairn__batch *batch) {
    slot *s = (slot *)batch;
    if (batch->count == 0) {
        s->state = FREE;
        return;
    }
    int running;
    s->first_ms = now_ms();
    s->wait_ms = 0;
    start(sender, s);
    curl_multi_perform(sender->multi, &running); /* on its way while the next batch is filled */
}

bool cairn__sender_drain(cairn__sender *sender) {
    for (;;) {
        bool busy = false;
        for (size_t i = 0; i < sender->slot_count; i++) {
            busy |= sender->slots[i].state == FLYING || sender->slots[i].state == WAITING;
        }
        if (!busy || sender->failed) {
            return !sender->failed;
        }
        step(sender);
    }
}

const char *cairn__sender_problem(const cairn__sender *sender) {
    return sender->problem;
}

uint64_t cairn__sender_repeats(const cairn__sender *sender) {
    return sender->repeats;
}
