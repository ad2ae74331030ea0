/* Goal: whatever fails and whenever the process dies, an event that the store has kept is counted
 * by the server exactly once, or it is among those that the client says it has dropped. Method:
 * random histories against the plainest model: a list of what was tracked and kept. Faults at each
 * seam: appends and states that fail with any part of their bytes on disk, requests and answers
 * that are lost, refused or doubled, crashes between any two steps, clocks that jump. */
#include "fake_host.h"
#include "support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"

enum { HISTORIES = 400, STEPS = 300, DRAIN_MS = 3600 * 1000 };

typedef struct history {
    fake_host host;
    cairn_client *client;
    cairn_options options;
    bool tracked_kept[HOST_EVENTS_MAX]; /* by id: was on the disk at some time */
    uint64_t seq_of[HOST_EVENTS_MAX];   /* by id: the seq of this process; 0: an earlier one */
    int64_t next_id;
} history;

static void boot(history *h) {
    h->client = fake_host_boot(&h->host, &h->options);
    assert_non_null(h->client);
}

static cairn_client_status status_of(const history *h) {
    cairn_client_status status;
    cairn_get_status(h->client, &status);
    return status;
}

/* Everything that waits is kept: note it for all that this process has tracked. */
static void note_kept(history *h) {
    if (h->host.op_count > 0 || status_of(h).kept_seq < status_of(h).last_seq) {
        return;
    }
    for (int64_t id = 0; id < h->next_id; id++) {
        if (h->seq_of[id] > 0) {
            h->tracked_kept[id] = true;
        }
    }
}

static void track(history *h) {
    if (h->next_id + 1 >= HOST_EVENTS_MAX) {
        return;
    }
    int64_t id = h->next_id++;
    const cairn_property properties[] = {
        { CAIRN_STR("id"), { CAIRN_VALUE_INTEGER, { .integer = id } } },
        { CAIRN_STR("text"), { CAIRN_VALUE_STRING, { .string = CAIRN_STR("some words") } } },
    };
    bool critical = fake_host_random(&h->host, 8) == 0;
    cairn_status status = critical ? cairn_profile(h->client, CAIRN_PROFILE_SET, properties, 2)
                                   : cairn_track(h->client, CAIRN_STR("e"), properties, 2);
    if (status == CAIRN_OK) {
        h->seq_of[id] = status_of(h).last_seq;
    }
    assert_true(status == CAIRN_OK || status == CAIRN_FULL);
}

static void crash(history *h) {
    fake_host_crash(&h->host);
    cairn_close(h->client);
    for (int64_t id = 0; id < h->next_id; id++) {
        h->seq_of[id] = 0;
    }
    boot(h);
}

static void answer(history *h) {
    static const uint32_t failures[] = { 0, 500, 503, 429, 401, 404 };
    if (h->host.post_ticket == 0) {
        return;
    }
    bool arrives = fake_host_random(&h->host, 4) != 0;
    bool heard = arrives && fake_host_random(&h->host, 4) != 0;
    uint32_t status = arrives ? fake_host_serve(&h->host) : 0;
    if (arrives && fake_host_random(&h->host, 8) == 0) {
        status = fake_host_serve(&h->host); /* a proxy has sent it twice */
    }
    if (!heard) {
        status = failures[fake_host_random(&h->host, sizeof failures / sizeof failures[0])];
    }
    fake_host_reply(&h->host, h->client, status, fake_host_random(&h->host, 4) == 0 ? 2000 : 0);
}

static void let_time_pass(history *h) {
    int64_t ms = (int64_t)fake_host_random(&h->host, 4000);
    h->host.mono_ms += ms;
    h->host.wall_ms += ms;
    if (fake_host_random(&h->host, 40) == 0) { /* somebody sets the clock */
        h->host.wall_ms += (int64_t)fake_host_random(&h->host, 7200000) - 3600000;
    }
}

static void step(history *h) {
    switch (fake_host_random(&h->host, 12)) {
    case 0:
    case 1:
    case 2:
    case 3:
        track(h);
        break;
    case 4:
    case 5:
        fake_host_commit(&h->host, h->client, true);
        break;
    case 6:
        fake_host_commit_one(&h->host, h->client, fake_host_random(&h->host, 6) != 0);
        break;
    case 7:
    case 8:
        let_time_pass(h);
        (void)cairn_pump(h->client);
        break;
    case 9:
        answer(h);
        break;
    case 10:
        cairn_flush(h->client);
        (void)cairn_pump(h->client);
        break;
    default:
        if (fake_host_random(&h->host, 6) == 0) {
            crash(h);
        }
    }
    note_kept(h);
}

/* Everything works again, for long enough. */
static void drain(history *h) {
    h->host.events_max = 0;
    if (h->host.post_ticket != 0) {
        fake_host_reply(&h->host, h->client, 0, 0);
    }
    for (int round = 0; round < 4; round++) {
        fake_host_pass(&h->host, h->client, DRAIN_MS);
    }
    note_kept(h);
}

static uint64_t check(const history *h, uint64_t seed) {
    uint64_t missing = 0;
    for (int64_t id = 0; id < h->next_id; id++) {
        size_t count = fake_host_count(&h->host, id);
        if (count > 1) {
            fail_msg("seed %lu: event %ld is counted %zu times", (unsigned long)seed, (long)id,
                     count);
        }
        missing += h->tracked_kept[id] && count == 0;
    }
    return missing;
}

static uint64_t reported(const fake_host *host) {
    uint64_t sum = 0;
    for (size_t i = 0; i < host->event_count; i++) {
        sum += (uint64_t)host->events[i].dropped;
    }
    return sum;
}

static void run(uint64_t seed, uint32_t queue_events_max) {
    history *h = calloc(1, sizeof *h);
    assert_non_null(h);
    fake_host_open(&h->host, seed * 1000003);
    h->options = (cairn_options){ .project_key = CAIRN_STR("demo"),
                                  .sdk_name = CAIRN_STR("test"),
                                  .flush_interval_ms = 500,
                                  .queue_events_max = queue_events_max };
    h->host.events_max = seed % 3 == 0 ? 7 : 0;
    boot(h);
    for (int i = 0; i < STEPS; i++) {
        step(h);
    }
    drain(h);
    uint64_t missing = check(h, seed);
    cairn_client_status status = status_of(h);
    assert_false(h->host.collided);
    assert_int_equal(status.queued_events, 0);
    if (missing > status.dropped_events) {
        fail_msg("seed %lu: %lu events are missing, %lu were dropped", (unsigned long)seed,
                 (unsigned long)missing, (unsigned long)status.dropped_events);
    }
    assert_int_equal(h->host.device_count, 1);
    if (reported(&h->host) != status.dropped_events) {
        fail_msg("seed %lu: %lu dropped, but the server was told of %lu", (unsigned long)seed,
                 (unsigned long)status.dropped_events, (unsigned long)reported(&h->host));
    }
    cairn_close(h->client);
    fake_host_close(&h->host);
    free(h);
}

static void nothing_that_was_kept_is_lost_or_counted_twice(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= HISTORIES; seed++) {
        run(seed, 0);
    }
}

static void a_small_queue_loses_no_more_than_it_says(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= HISTORIES; seed++) {
        run(seed, 10);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_that_was_kept_is_lost_or_counted_twice),
        cmocka_unit_test(a_small_queue_loses_no_more_than_it_says),
    };
    return cmocka_run_group_tests_name("sdk/client/oracle", tests, NULL, NULL);
}
