/* bench_track: what one call of cairn_track() costs a native application: check, encode, checksum,
 * the queue, the submission to a store that takes everything at once. One JSON line.
 *
 *   bench_track [events]      2,000,000 by default; the event has ten properties */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "cairn/cairn.h"

enum { EVENTS = 2000000, ROUND = 500, PROPERTIES = 10 };

typedef struct host {
    uint32_t newest_ticket;
    uint32_t answered_ticket;
    uint64_t bytes;
    uint32_t post;
} host;

static int64_t fixed_ms(void *self) {
    (void)self;
    return 1790000000000;
}

static void fill(void *self, uint8_t *bytes, size_t len) {
    (void)self;
    memset(bytes, 7, len);
}

static void append(void *self, uint32_t ticket, uint32_t segment, cairn_span bytes) {
    host *h = self;
    (void)segment;
    h->newest_ticket = ticket;
    h->bytes += bytes.len;
}

static void remove_segment(void *self, uint32_t ticket, uint32_t segment) {
    (void)segment;
    ((host *)self)->newest_ticket = ticket;
}

static void start_post(void *self, uint32_t ticket, cairn_span body) {
    host *h = self;
    h->post = ticket;
    h->bytes += body.len;
}

static double now_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void commit(host *h, cairn_client *client) {
    while (h->answered_ticket != h->newest_ticket) {
        cairn_storage_done(client, ++h->answered_ticket, true);
    }
}

/* All that waits is sent and acknowledged; not measured. */
static void drain(host *h, cairn_client *client) {
    cairn_client_status status;
    commit(h, client);
    cairn_flush(client);
    (void)cairn_pump(client);
    uint8_t answer[16] = { 0x08 };
    cairn_get_status(client, &status);
    size_t len = 1;
    for (uint64_t seq = status.last_seq; seq > 0; seq >>= 7) {
        answer[len++] = (uint8_t)((seq & 0x7F) | (seq > 0x7F ? 0x80 : 0));
    }
    cairn_http_done(client, h->post, 200, 0, (cairn_span){ answer, len });
    commit(h, client);
}

static void make_properties(cairn_property properties[PROPERTIES]) {
    static const char *const names[PROPERTIES] = { "page",     "price",      "channel",  "city",
                                                   "device",   "os_version", "referrer", "count",
                                                   "is_first", "item_id" };
    for (size_t i = 0; i < PROPERTIES; i++) {
        properties[i].name = cairn__span_of(names[i]);
        properties[i].value =
            (cairn_value){ CAIRN_VALUE_STRING, { .string = CAIRN_STR("some words") } };
    }
    properties[1].value = (cairn_value){ CAIRN_VALUE_NUMBER, { .number = 29.5 } };
    properties[7].value = (cairn_value){ CAIRN_VALUE_INTEGER, { .integer = 3 } };
    properties[8].value = (cairn_value){ CAIRN_VALUE_BOOLEAN, { .boolean = true } };
}

static double measure(host *h, cairn_client *client, long events) {
    cairn_property properties[PROPERTIES];
    make_properties(properties);
    double ns = 0;
    for (long done = 0; done < events; done += ROUND) {
        double from = now_ns();
        for (int i = 0; i < ROUND; i++) {
            if (cairn_track(client, CAIRN_STR("view_item"), properties, PROPERTIES) != CAIRN_OK) {
                (void)fprintf(stderr, "bench_track: an event was refused\n");
                exit(1);
            }
        }
        ns += now_ns() - from;
        drain(h, client);
    }
    return ns / (double)events;
}

int main(int argc, char **argv) {
    long events = argc > 1 ? strtol(argv[1], NULL, 10) : EVENTS;
    events = (events / ROUND + 1) * ROUND;
    host h = { 0 };
    const cairn_options options = { .project_key = CAIRN_STR("demo") };
    const cairn_platform platform = { .clock = { fixed_ms, fixed_ms, &h },
                                      .random = { fill, &h },
                                      .storage = { append, remove_segment, append, &h },
                                      .transport = { start_post, &h } };
    cairn_client *client = NULL;
    if (cairn_open(&options, &platform, &client) != CAIRN_OK || cairn_start(client) != CAIRN_OK) {
        (void)fprintf(stderr, "bench_track: the client does not start\n");
        return 1;
    }
    double ns = measure(&h, client, events);
    cairn_client_status status;
    cairn_get_status(client, &status);
    printf("{\"name\":\"track_native\",\"ns\":%.0f,\"events\":%ld,\"queued\":%llu}\n", ns, events,
           (unsigned long long)status.queued_events);
    cairn_close(client);
    return 0;
}
