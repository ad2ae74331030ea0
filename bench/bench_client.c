/* bench_client: what a device pays that decides: cairn.h under 1,000 live popups, 100 audiences
 * and their 100 queries over a history of 1,000 events and 1,000 shows. One JSON line: medians of
 * a call in ns, and allocations of all calls of a kind.
 *
 *   bench_client [calls [act]]  2,000 by default; one of the acts below alone, to be profiled
 *   bench_client --write FILE   the same, and writes the bundle, signed, and its key before it (65
 *                               bytes), for client.js
 *
 *   ask_more  the same, one event after it that 100 queries count
 *   ask_later the same, where since the call before one of 500 events has left 50 of 100 windows
 *   decide    cairn_track() of what all popups want: kept, then all 1,000 are judged, none shown
 *   ask       cairn_decide() for the same event, where the last popup would be shown: JSON with the
 *             reason of every candidate; nothing has changed since the call before
 *   ask_next  the same, one tracked event after the call before
 *   track     cairn_track() of what no popup wants and no query counts
 *   counted   cairn_track() of what no popup wants and 100 queries count
 *   full      the same where the history is full of them: one leaves, and 100 sums keep it
 *   bare      cairn_track() of the same without a bundle
 *   set       a new client takes the bundle: verified, read, indexed
 *
 * `track` and the others have four properties; what is queued is acknowledged between rounds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "cairn/cairn.h"
#include "shop.h"

enum {
    CALLS = 2000,
    ROUND = 100,
    TICKETS_MAX = 4096,
    BUNDLE_BYTES_MAX = 4 << 20,
    HISTORY_EVENTS = 4000, /* that a device keeps, by default */
    LEAVES_MS = 120000,    /* every two minutes a counted event leaves the windows of 7 days */
    HOUR_MS = 3600000
};

typedef struct host {
    int64_t now_ms;
    uint32_t tickets[TICKETS_MAX];
    size_t ticket_count;
    uint32_t post;
    size_t allocations;
    unsigned popups;
    uint64_t random;
} host;

typedef struct figure {
    double ns;
    double cpu_ns;      /* the mean of calls in a round, without what other programs took */
    double allocations; /* of a call */
} figure;

static void need(bool good, const char *what) {
    if (!good) {
        (void)fprintf(stderr, "bench_client: %s\n", what);
        exit(1);
    }
}

/* --- the surroundings ------------------------------------------------------------------------- */

static int64_t clock_ms(void *self) {
    return ((const host *)self)->now_ms;
}

/* One decision in twenty is sampled by it. */
static void fill(void *self, uint8_t *bytes, size_t len) {
    host *h = self;
    for (size_t i = 0; i < len; i++) {
        h->random = h->random * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (uint8_t)(h->random >> 56);
    }
}

static void keep(void *self, uint32_t ticket, uint32_t number, cairn_span bytes) {
    host *h = self;
    (void)number;
    (void)bytes;
    need(h->ticket_count < TICKETS_MAX, "too many writes under way");
    h->tickets[h->ticket_count++] = ticket;
}

static void remove_segment(void *self, uint32_t ticket, uint32_t segment) {
    keep(self, ticket, segment, (cairn_span){ NULL, 0 });
}

static void start_post(void *self, uint32_t ticket, cairn_span body) {
    (void)body;
    ((host *)self)->post = ticket;
}

static void show(void *self, cairn_span json) {
    (void)json;
    ((host *)self)->popups += 1;
}

static void *counted(void *self, void *at, size_t old_bytes, size_t new_bytes) {
    ((host *)self)->allocations += new_bytes > 0;
    cairn_allocator heap = cairn__heap();
    return heap.resize(heap.self, at, old_bytes, new_bytes);
}

static void commit(host *h, cairn_client *client) {
    for (size_t i = 0; i < h->ticket_count; i++) {
        cairn_storage_done(client, h->tickets[i], true);
    }
    h->ticket_count = 0;
}

/* All that waits is sent and acknowledged; not measured. */
static void drain(host *h, cairn_client *client) {
    cairn_client_status status;
    uint8_t answer[16] = { 0x08 };
    size_t len = 1;
    do {
        commit(h, client);
    } while (cairn_pump(client) == 0 && h->ticket_count > 0);
    cairn_flush(client);
    (void)cairn_pump(client);
    commit(h, client);
    cairn_get_status(client, &status);
    for (uint64_t seq = status.last_seq; seq > 0; seq >>= 7) {
        answer[len++] = (uint8_t)((seq & 0x7F) | (seq > 0x7F ? 0x80 : 0));
    }
    cairn_http_done(client, h->post, 200, 0, (cairn_span){ answer, len });
    commit(h, client);
}

static cairn_client *begin(host *h, const cairn_bundle_key *key) {
    const cairn_platform platform = { .clock = { clock_ms, clock_ms, h },
                                      .random = { fill, h },
                                      .storage = { keep, remove_segment, keep, h },
                                      .transport = { start_post, h },
                                      .listener = { .popup = show, .self = h } };
    const cairn_options options = { .project_key = SHOP_PROJECT,
                                    .platform = CAIRN_STR("bench"),
                                    .allocator = { counted, h },
                                    .decide = { .keys = key, .key_count = key == NULL ? 0 : 1 } };
    cairn_client *client = NULL;
    need(cairn_open(&options, &platform, &client) == CAIRN_OK, "it does not open");
    need(cairn_start(client) == CAIRN_OK, "it does not start");
    return client;
}

/* --- the person ------------------------------------------------------------------------------- */

static cairn_value text_value(const char *text) {
    return (cairn_value){ CAIRN_VALUE_STRING, { .string = cairn__span_of(text) } };
}

static cairn_value whole_value(int64_t number) {
    return (cairn_value){ CAIRN_VALUE_INTEGER, { .integer = number } };
}

static void track(cairn_client *client, cairn_span name, int number) {
    const cairn_property properties[] = { { CAIRN_STR("price"), whole_value(number % 100) },
                                          { CAIRN_STR("sku"), text_value("tent-2") },
                                          { CAIRN_STR("page"), text_value("/items/tent-2") },
                                          { CAIRN_STR("member"), whole_value(1) } };
    need(cairn_track(client, name, properties, 4) == CAIRN_OK, "an event was refused");
}

/* Those that the audience lets pass were shown 16 hours ago, the others and the last one before. */
static void show_all(host *h, cairn_client *client, int first, int hours) {
    char name[32];
    h->now_ms = shop_noon_ms - (int64_t)hours * HOUR_MS;
    for (int i = 0; i < SHOP_POPUPS; i++) {
        if ((i == SHOP_POPUPS - 1 ? 1 : i % 2) != first) {
            continue;
        }
        (void)snprintf(name, sizeof name, "popup_%04d", i);
        const cairn_property popup = { CAIRN_STR("popup"), text_value(name) };
        need(cairn_track(client, CAIRN_STR("$popup_show"), &popup, 1) == CAIRN_OK, "not shown");
        if (i % ROUND < 2) {
            drain(h, client);
        }
    }
    drain(h, client);
}

static void live(host *h, cairn_client *client) {
    cairn_property properties[SHOP_PROPERTIES + 3];
    static char names[SHOP_PROPERTIES][16];
    show_all(h, client, 1, 48);
    for (int i = 0; i < 1000; i++) {
        h->now_ms = shop_noon_ms - 47 * (int64_t)HOUR_MS + (int64_t)i * 60000;
        track(client, i % 2 == 0 ? SHOP_COUNTED : SHOP_OTHER, i);
        if (i % ROUND == 0) {
            drain(h, client);
        }
    }
    show_all(h, client, 0, 16);
    for (int i = 0; i < SHOP_PROPERTIES; i++) {
        (void)snprintf(names[i], sizeof names[i], "p%d", i);
        properties[i] = (cairn_property){ cairn__span_of(names[i]), whole_value(20) };
    }
    properties[SHOP_PROPERTIES] = (cairn_property){ CAIRN_STR("level"), whole_value(20) };
    properties[SHOP_PROPERTIES + 1] = (cairn_property){ CAIRN_STR("city"), text_value("Shanghai") };
    properties[SHOP_PROPERTIES + 2] =
        (cairn_property){ CAIRN_STR("banned"), { CAIRN_VALUE_BOOLEAN, { 0 } } };
    need(cairn_profile(client, CAIRN_PROFILE_SET, properties, SHOP_PROPERTIES + 3) == CAIRN_OK,
         "no profile");
    h->now_ms = shop_noon_ms;
    drain(h, client);
}

/* --- measuring -------------------------------------------------------------------------------- */

static double ns_of(clockid_t clock) {
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double now_ns(void) {
    return ns_of(CLOCK_MONOTONIC);
}

static double cpu_ns(void) {
    return ns_of(CLOCK_THREAD_CPUTIME_ID);
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static cairn_span ask(cairn_client *client) {
    const cairn_decide_query query = { .what = CAIRN_DECIDE_EVENT, .name = SHOP_TRIGGER };
    cairn_span answer = { NULL, 0 };
    need(cairn_decide(client, &query, &answer) == CAIRN_OK, "no decision");
    return answer;
}

typedef enum act {
    ASK,
    ASK_NEXT,
    ASK_MORE,
    ASK_LATER,
    TRACK_TRIGGER,
    TRACK_COUNTED,
    TRACK_OTHER
} act;

static figure once(host *h, cairn_client *client, act what, int number) {
    static const cairn_span names[] = { [TRACK_TRIGGER] = { (const uint8_t *)"app_open", 8 },
                                        [TRACK_COUNTED] = { (const uint8_t *)"view_item", 9 },
                                        [TRACK_OTHER] = { (const uint8_t *)"scroll", 6 } };
    double aside = 0;
    h->now_ms += what == ASK ? 0 : what == ASK_LATER ? LEAVES_MS : 1;
    if (what == ASK_NEXT || what == ASK_MORE) {
        aside = cpu_ns();
        track(client, what == ASK_NEXT ? SHOP_OTHER : SHOP_COUNTED, number);
        aside = cpu_ns() - aside;
    }
    size_t before = h->allocations;
    double begun = now_ns();
    if (what <= ASK_LATER) {
        (void)ask(client);
    } else {
        track(client, names[what], number);
    }
    return (figure){ now_ns() - begun, aside, (double)(h->allocations - before) };
}

/* Medians of single calls, and of rounds, where what one call in many does for the others (old
 * events leave the history, a log is written anew) counts. Nothing is sent in between. */
static figure measure(host *h, cairn_client *client, act what, size_t calls) {
    size_t rounds = (calls + ROUND - 1) / ROUND;
    double *times = calloc(rounds * ROUND, sizeof *times);
    double *means = calloc(rounds, sizeof *means);
    double allocations = 0;
    need(times != NULL && means != NULL, "no memory");
    for (size_t i = 0; i < rounds; i++) {
        double begun = cpu_ns();
        double aside = 0; /* of what precedes the call */
        for (size_t k = 0; k < ROUND; k++) {
            figure one = once(h, client, what, (int)k);
            times[i * ROUND + k] = one.ns;
            aside += one.cpu_ns;
            allocations += one.allocations;
        }
        means[i] = (cpu_ns() - begun - aside) / ROUND;
        drain(h, client);
    }
    qsort(times, rounds * ROUND, sizeof *times, by_size);
    qsort(means, rounds, sizeof *means, by_size);
    figure result = { times[rounds * ROUND / 2], means[rounds / 2],
                      allocations / (double)(rounds * ROUND) };
    free(times);
    free(means);
    return result;
}

static bool contains(cairn_span text, const char *part) {
    cairn_span wanted = cairn__span_of(part);
    for (size_t i = 0; i + wanted.len <= text.len; i++) {
        if (memcmp(text.data + i, wanted.data, wanted.len) == 0) {
            return true;
        }
    }
    return false;
}

static void print(const char *name, figure f) {
    printf(",\"%s_ns\":%.0f,\"%s_cpu_ns\":%.0f,\"%s_allocations\":%.2f", name, f.ns, name, f.cpu_ns,
           name, f.allocations);
}

static double measure_set(const cairn_bundle_key *key, cairn_span bundle) {
    double times[9];
    for (size_t i = 0; i < 9; i++) {
        host h = { .now_ms = shop_noon_ms };
        cairn_client *client = begin(&h, key);
        double begun = now_ns();
        need(cairn_set_bundle(client, bundle) == CAIRN_OK, "the bundle was refused");
        times[i] = now_ns() - begun;
        cairn_close(client);
    }
    qsort(times, 9, sizeof times[0], by_size);
    return times[4];
}

/* The popup that would be shown is, and is closed: from now on none is. */
static void see_popup(host *h, cairn_client *client) {
    track(client, SHOP_TRIGGER, 0);
    drain(h, client);
    need(h->popups == 1, "the popup was not shown");
    need(cairn_popup_done(client, CAIRN_STR("popup_0999"), CAIRN_POPUP_CLOSED, NULL, 0) == CAIRN_OK,
         "the popup was not closed");
}

static void measure_bare(size_t calls) {
    host h = { .now_ms = shop_noon_ms };
    cairn_client *client = begin(&h, NULL);
    print("bare", measure(&h, client, TRACK_OTHER, calls));
    cairn_close(client);
}

static void measure_later(const cairn_bundle_key *key, cairn_span bundle) {
    host h = { .now_ms = shop_noon_ms };
    cairn_client *client = begin(&h, key);
    live(&h, client);
    need(cairn_set_bundle(client, bundle) == CAIRN_OK, "the bundle was refused");
    h.now_ms = shop_noon_ms + (7 * 24 - 46) * (int64_t)HOUR_MS;
    print("ask_later", measure(&h, client, ASK_LATER, ROUND));
    cairn_close(client);
}

static void measure_all(const cairn_bundle_key *key, cairn_span bundle, size_t calls,
                        const char *only) {
    static const struct {
        const char *name;
        act what;
    } acts[] = {
        { "ask", ASK },           { "ask_next", ASK_NEXT },     { "decide", TRACK_TRIGGER },
        { "track", TRACK_OTHER }, { "counted", TRACK_COUNTED }, { "ask_more", ASK_MORE },
        { "full", TRACK_COUNTED }
    };
    host h = { .now_ms = shop_noon_ms };
    cairn_client *client = begin(&h, key);
    live(&h, client);
    need(cairn_set_bundle(client, bundle) == CAIRN_OK, "the bundle was refused");
    drain(&h, client);
    cairn_span answer = ask(client);
    need(contains(answer, "\"outcome\":\"show\",\"popup\":{\"name\":\"popup_0999\""),
         "the last popup was not chosen");
    printf("{\"name\":\"client_native\",\"bundle_bytes\":%zu,\"answer_bytes\":%zu", bundle.len,
           answer.len);
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        if (acts[i].what == TRACK_TRIGGER) {
            see_popup(&h, client);
        }
        if (strcmp(acts[i].name, "full") == 0) {
            (void)measure(&h, client, TRACK_COUNTED, HISTORY_EVENTS);
        }
        if (only == NULL || strcmp(acts[i].name, only) == 0) {
            print(acts[i].name, measure(&h, client, acts[i].what, calls));
        }
    }
    need(h.popups == 1, "another popup was shown");
    measure_later(key, bundle);
    measure_bare(calls);
    printf(",\"set_ns\":%.0f}\n", measure_set(key, bundle));
    cairn_close(client);
}

static void write_file(const char *path, const cairn_bundle_key *key, cairn_span bundle) {
    FILE *file = fopen(path, "wb");
    need(file != NULL, "cannot write the file");
    size_t written = fwrite(key->bytes, 1, sizeof key->bytes, file);
    written += fwrite(bundle.data, 1, bundle.len, file);
    need(fclose(file) == 0 && written == sizeof key->bytes + bundle.len, "cannot write the file");
}

int main(int argc, char **argv) {
    cairn__buffer bundle = cairn__buffer_make(cairn__heap(), BUNDLE_BYTES_MAX);
    cairn_bundle_key key;
    bool writing = argc == 3 && strcmp(argv[1], "--write") == 0;
    size_t calls = argc > 1 && !writing ? strtoul(argv[1], NULL, 10) : CALLS;
    shop_make(&bundle, &key);
    if (writing) {
        write_file(argv[2], &key, cairn__buffer_span(&bundle));
    }
    measure_all(&key, cairn__buffer_span(&bundle), calls == 0 ? 1 : calls,
                argc > 2 && !writing ? argv[2] : NULL);
    cairn__buffer_free(&bundle);
    return 0;
}
