/* load.c: `cairn load`: people who do not exist (people.h) use a shop, and their devices talk to an
 * edge as the SDK does: POST /v1/sync, one request under way per device, the same bytes again when
 * the answer is lost or 503. Every answer is checked: all acknowledged, nothing refused. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "cli/args.h"
#include "cli/command.h"
#include "cli/load/lanes.h"
#include "cli/load/latency.h"
#include "cli/load/people.h"
#include "model/limits.h"
#include "model/sync.h"

enum {
    STEP_WAIT_MS = 10,
    DRAIN_SECONDS_MAX = 30,
    SCRATCH_BYTES_MAX = 4 * 1024 * 1024,
    DAY_MS = 86400000
};

const char cairn__load_help[] =
    "usage: cairn load --key KEY [--edge URL]\n\n"
    "Sends the events of believable people, each with one to three devices, to an edge.\n\n"
    "  --edge URL        the public address (default " CAIRN__EDGE_PUBLIC_DEFAULT "), http only\n"
    "  --key KEY         the project's write key\n"
    "  --people N        (default 1000)\n"
    "  --seconds N       how long (default 10)\n"
    "  --rate N          events per second; 0 (default): as fast as they are taken\n"
    "  --events N        stop after so many; 0 (default): never before the time is up\n"
    "  --batch N         events of one request, 1 to 1000 (default 20)\n"
    "  --connections N   at once (default 16)\n"
    "  --days N          events lie in the last N days (default 7)\n"
    "  --seed N          the same people and events again; without it others each time\n"
    "  --json            the report as one line of JSON\n\n"
    "Exit code 1: an answer was wrong, an event was refused, or the edge went away.\n";

typedef struct {
    const char *edge;
    const char *key;
    const char *subject;
    uint64_t people;
    uint64_t seconds;
    uint64_t rate;
    uint64_t events;
    uint64_t batch;
    uint64_t connections;
    uint64_t days;
    uint64_t seed;
    bool json;
} flags;

typedef struct {
    flags f;
    cairn__people people;
    cairn__lanes *lanes;
    size_t *turns; /* per lane: which of its devices is next */
    size_t *using; /* per lane: the device of the request under way */
    cairn__arena scratch;
    cairn__buffer events; /* of one request, encoded */
    cairn_span *spans;
    int64_t begun_us;
    uint64_t made;
    uint64_t requests;
    uint64_t busy_answers; /* 429 and 503 */
    uint64_t wrong;        /* answers that must not be */
    char first_wrong[200];
    cairn__latency latency;
} loading;

static int64_t clock_us(clockid_t which) {
    struct timespec now;
    clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool read_flags(int argc, char **argv, flags *f) {
    *f = (flags){ .edge = CAIRN__EDGE_PUBLIC_DEFAULT,
                  .people = 1000,
                  .seconds = 10,
                  .batch = 20,
                  .connections = 16,
                  .days = 7 };
    const cairn__arg table[] = {
        { "--edge", CAIRN__ARG_TEXT, &f->edge, 0, 0 },
        { "--key", CAIRN__ARG_TEXT, &f->key, 0, 0 },
        { "--people", CAIRN__ARG_WHOLE, &f->people, 1, CAIRN__PEOPLE_MAX },
        { "--seconds", CAIRN__ARG_WHOLE, &f->seconds, 1, 86400 },
        { "--rate", CAIRN__ARG_WHOLE, &f->rate, 0, 100000000 },
        { "--events", CAIRN__ARG_WHOLE, &f->events, 0, UINT64_MAX },
        { "--batch", CAIRN__ARG_WHOLE, &f->batch, 1, CAIRN__BATCH_EVENTS_MAX },
        { "--connections", CAIRN__ARG_WHOLE, &f->connections, 1, CAIRN__LANES_MAX },
        { "--days", CAIRN__ARG_WHOLE, &f->days, 1, 3650 },
        { "--seed", CAIRN__ARG_WHOLE, &f->seed, 1, UINT64_MAX },
        { "--json", CAIRN__ARG_FLAG, &f->json, 0, 0 },
    };
    if (!cairn__args_read(argc, argv, table, sizeof table / sizeof *table, &f->subject)) {
        return false;
    }
    if (f->key == NULL || f->subject != NULL) {
        fputs("cairn: use: cairn load --key KEY; see cairn help load\n", stderr);
        return false;
    }
    if (f->seed == 0) {
        f->seed = (uint64_t)clock_us(CLOCK_REALTIME);
    }
    return true;
}

/* --- requests and answers ----------------------------------------------------------------------
 */

static uint64_t allowed(const loading *l) {
    uint64_t limit = l->f.events == 0 ? UINT64_MAX : l->f.events;
    if (l->f.rate != 0) {
        uint64_t us = (uint64_t)(clock_us(CLOCK_MONOTONIC) - l->begun_us);
        uint64_t due = l->f.rate * (us / 1000) / 1000;
        limit = due < limit ? due : limit;
    }
    return limit;
}

static size_t encode_events(loading *l, size_t device, size_t count) {
    size_t ends[CAIRN__BATCH_EVENTS_MAX];
    cairn__load_event made;
    cairn__buffer_clear(&l->events);
    size_t i = 0;
    while (i < count && l->events.len < CAIRN__BATCH_BYTES_MAX / 2) {
        cairn__people_next(&l->people, device, &made);
        cairn__event_encode(&l->events, &made.event);
        ends[i++] = l->events.len;
    }
    for (size_t at = 0; at < i; at++) {
        size_t from = at == 0 ? 0 : ends[at - 1];
        l->spans[at] = cairn__span(l->events.data + from, ends[at] - from);
    }
    return i;
}

static bool fill(void *self, size_t lane, cairn__buffer *body) {
    loading *l = self;
    uint64_t limit = allowed(l);
    uint64_t count = limit > l->made ? limit - l->made : 0;
    if (count == 0 || (l->f.rate != 0 && count < l->f.batch && l->f.events == 0)) {
        return false;
    }
    count = count < l->f.batch ? count : l->f.batch;
    size_t device = lane + l->turns[lane] * l->f.connections;
    if (device >= l->people.device_count) {
        l->turns[lane] = 0;
        device = lane;
    }
    l->turns[lane]++;
    l->using[lane] = device;
    size_t events = encode_events(l, device, (size_t)count);
    cairn__sync_head head = { .project_key = cairn__span_of(l->f.key),
                              .sdk_name = CAIRN_STR("load"),
                              .sdk_version = CAIRN_STR(CAIRN_VERSION),
                              .sent_ms = l->people.until_ms };
    head.platform = cairn__span_of(cairn__people_platform(&l->people, device));
    cairn__people_device_id(&l->people, device, head.device_id);
    cairn__arena_reset(&l->scratch);
    cairn_status status = cairn__sync_request_encode(&head, l->spans, events, &l->scratch, body);
    l->made += events;
    l->requests++;
    return status == CAIRN_OK && !l->events.failed;
}

static void tell_wrong(loading *l, const cairn__lane_answer *answer, const char *why) {
    if (l->wrong++ == 0) {
        snprintf(l->first_wrong, sizeof l->first_wrong, "%u %s: %.*s", answer->status, why,
                 answer->body.len > 120 ? 120 : (int)answer->body.len,
                 answer->status == 200 || answer->body.len == 0 ? ""
                                                                : (const char *)answer->body.data);
    }
}

static bool answered(void *self, const cairn__lane_answer *answer) {
    loading *l = self;
    cairn__sync_response response;
    const cairn__load_device *device = &l->people.devices[l->using[answer->lane]];
    if (answer->status == 429 || answer->status == 503) {
        l->busy_answers++;
        return true;
    }
    if (answer->status != 200) {
        tell_wrong(l, answer, "is no acknowledgement");
        return false;
    }
    cairn__latency_add(&l->latency, answer->latency_us);
    cairn__arena_reset(&l->scratch);
    if (cairn__sync_response_decode(answer->body, &l->scratch, &response) != CAIRN_OK) {
        tell_wrong(l, answer, "cannot be read");
    } else if (response.acked_seq != device->seq) {
        tell_wrong(l, answer, "does not acknowledge the whole run");
    } else if (response.rejected_count > 0 || response.new_device_id) {
        tell_wrong(l, answer, "refuses events that are good");
    }
    return false;
}

/* --- the whole ----------------------------------------------------------------------------------
 */

static bool run(loading *l) {
    l->begun_us = clock_us(CLOCK_MONOTONIC);
    int64_t end_us = l->begun_us + (int64_t)l->f.seconds * 1000000;
    bool filling = true;
    while (filling || cairn__lanes_busy(l->lanes) > 0) {
        int64_t now = clock_us(CLOCK_MONOTONIC);
        filling =
            filling && now < end_us && l->wrong == 0 && (l->f.events == 0 || l->made < l->f.events);
        if (!filling && now > end_us + DRAIN_SECONDS_MAX * 1000000LL) {
            fputs("cairn: load: answers are still missing after 30 s\n", stderr);
            return false;
        }
        if (!cairn__lanes_step(l->lanes, filling && l->f.rate != 0 ? 1 : STEP_WAIT_MS, filling)) {
            fprintf(stderr, "cairn: load: %s is gone\n", l->f.edge);
            return false;
        }
    }
    return true;
}

static double ms_at(const loading *l, double percent) {
    return (double)cairn__latency_percentile(&l->latency, percent) / 1000.0;
}

static void report_json(const loading *l, double seconds) {
    printf("{\"events\":%" PRIu64 ",\"requests\":%" PRIu64 ",\"seconds\":%.3f,", l->made,
           l->requests, seconds);
    printf("\"events_per_second\":%.0f,\"requests_per_second\":%.0f,", (double)l->made / seconds,
           (double)l->requests / seconds);
    printf("\"p50_ms\":%.2f,\"p90_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f,", ms_at(l, 50),
           ms_at(l, 90), ms_at(l, 99), (double)l->latency.max_us / 1000.0);
    printf("\"busy\":%" PRIu64 ",\"reconnects\":%" PRIu64 ",\"wrong\":%" PRIu64 ",\"seed\":%" PRIu64
           "}\n",
           l->busy_answers, cairn__lanes_reconnects(l->lanes), l->wrong, l->f.seed);
}

static void report_text(const loading *l, double seconds) {
    printf("%" PRIu64 " events in %" PRIu64 " requests, %.1f s: %.0f events/s, %.0f requests/s\n",
           l->made, l->requests, seconds, (double)l->made / seconds, (double)l->requests / seconds);
    printf("answered in ms: p50 %.2f, p90 %.2f, p99 %.2f, longest %.2f\n", ms_at(l, 50),
           ms_at(l, 90), ms_at(l, 99), (double)l->latency.max_us / 1000.0);
    printf("%" PRIu64 " times busy (429, 503), %" PRIu64 " connections broken, %" PRIu64
           " answers wrong; seed %" PRIu64 "\n",
           l->busy_answers, cairn__lanes_reconnects(l->lanes), l->wrong, l->f.seed);
}

static void report(const loading *l) {
    double seconds = (double)(clock_us(CLOCK_MONOTONIC) - l->begun_us) / 1e6;
    if (l->f.json) {
        report_json(l, seconds);
    } else {
        report_text(l, seconds);
    }
    if (l->wrong > 0) {
        fprintf(stderr, "cairn: load: the first wrong answer: %s\n", l->first_wrong);
    }
}

static bool open_all(loading *l) {
    int64_t until_ms = clock_us(CLOCK_REALTIME) / 1000;
    char problem[256] = "out of memory";
    bool ok = cairn__people_open(&l->people, (size_t)l->f.people, l->f.seed,
                                 until_ms - (int64_t)l->f.days * DAY_MS, until_ms);
    if (ok && l->f.connections > l->people.device_count) {
        l->f.connections = l->people.device_count;
    }
    l->turns = calloc(l->f.connections, sizeof *l->turns);
    l->using = calloc(l->f.connections, sizeof *l->using);
    l->spans = calloc(CAIRN__BATCH_EVENTS_MAX, sizeof *l->spans);
    l->scratch = cairn__arena_make(cairn__heap(), SCRATCH_BYTES_MAX);
    l->events = cairn__buffer_make(cairn__heap(), CAIRN__BATCH_BYTES_MAX);
    const cairn__lanes_options options = { .edge = l->f.edge,
                                           .path = "/v1/sync",
                                           .content_type = "application/x-protobuf",
                                           .headers = "",
                                           .count = (size_t)l->f.connections,
                                           .fill = fill,
                                           .answered = answered,
                                           .self = l };
    if (ok && l->turns != NULL && l->using != NULL && l->spans != NULL) {
        l->lanes = cairn__lanes_open(&options, problem, sizeof problem);
    }
    if (l->lanes == NULL) {
        fprintf(stderr, "cairn: load: %s\n", problem);
    }
    return l->lanes != NULL;
}

int cairn__run_load(int argc, char **argv) {
    loading *l = calloc(1, sizeof *l);
    if (l == NULL) {
        return 1;
    }
    int code = 2;
    if (read_flags(argc, argv, &l->f)) {
        code = 1;
        if (open_all(l)) {
            bool ok = run(l);
            report(l);
            code = ok && l->wrong == 0 ? 0 : 1;
        }
    }
    cairn__lanes_close(l->lanes);
    cairn__people_close(&l->people);
    cairn__arena_free(&l->scratch);
    cairn__buffer_free(&l->events);
    free(l->turns);
    free(l->using);
    free(l->spans);
    free(l);
    return code;
}
