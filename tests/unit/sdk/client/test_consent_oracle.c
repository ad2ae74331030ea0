/* Goal: whatever the person says and whenever the process dies, nothing is stored or sent before
 * consent, nothing of a device is sent after its withdrawal is durable but one farewell, and in the
 * end the store is empty or the device is another one.
 * Method: random histories of choices, calls, failing writes, lost answers and crashes at every
 * write, against the plainest model: which devices are withdrawn, judged from what the server gets
 * and what the disk holds. */
#include "fake_host.h"
#include "support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "client/client.h"
#include "model/event.h"

enum { HISTORIES = 600, STEPS = 250, DRAIN_MS = 2 * 3600 * 1000, IDS_MAX = STEPS + 1 };

typedef struct history {
    fake_host host;
    cairn_client *client;
    cairn_options options;
    uint64_t seed;
    bool allowed;                /* as the model has it */
    bool may_be_stored;          /* something was allowed since the store was last seen empty */
    bool dead[HOST_DEVICES_MAX]; /* withdrawn, as the server numbers them */
    size_t dead_from[HOST_DEVICES_MAX];
    uint8_t dying[16];      /* the device of the newest withdrawal */
    bool flying;            /* the request under way began before it */
    bool expected[IDS_MAX]; /* tracked by this process and allowed, or waiting for it */
    int64_t time_of[IDS_MAX];
    int64_t next_id;
} history;

static cairn_client_status status_of(const history *h) {
    cairn_client_status status;
    cairn_get_status(h->client, &status);
    return status;
}

static cairn__state disk_state(const history *h) {
    cairn__person person = cairn__person_make(cairn__heap());
    cairn__state held = { 0 };
    for (size_t i = 0; i < 2; i++) {
        (void)cairn__state_read(cairn__buffer_span(&h->host.slots[i]), &held, &person);
    }
    cairn__person_free(&person);
    return held;
}

static void forget_expected(history *h) {
    memset(h->expected, 0, sizeof h->expected);
}

static size_t number_of(const history *h, const uint8_t device[16]) {
    size_t i = 0;
    while (i < h->host.device_count && memcmp(h->host.devices[i], device, 16) != 0) {
        i += 1;
    }
    return i;
}

/* The device is withdrawn from here on; a request under way may still arrive. */
static void bury(history *h) {
    cairn_client_status status = status_of(h);
    static const uint8_t nobody[16];
    if (memcmp(status.device_id, nobody, 16) != 0) {
        memcpy(h->dying, status.device_id, 16);
        h->flying = h->host.post_ticket != 0;
    }
    forget_expected(h);
}

/* Marked when it is certain: nothing of before is under way any more. */
static void mark(history *h) {
    size_t number = number_of(h, h->dying);
    static const uint8_t nobody[16];
    if (!h->flying && memcmp(h->dying, nobody, 16) != 0 && number < h->host.device_count &&
        !h->dead[number]) {
        h->dead[number] = true;
        h->dead_from[number] = h->host.event_count;
    }
}

static void check_server(const history *h) {
    size_t farewells[HOST_DEVICES_MAX] = { 0 };
    for (size_t i = 0; i < h->host.event_count; i++) {
        const host_event *event = &h->host.events[i];
        if (!h->dead[event->device] || i < h->dead_from[event->device]) {
            continue;
        }
        farewells[event->device] += 1;
        bool farewell = event->kind == CAIRN__EVENT_CONSENT || event->kind == CAIRN__EVENT_ERASE;
        if (!farewell || farewells[event->device] > 1) {
            fail_msg("seed %lu: event %ld of kind %d came after the withdrawal",
                     (unsigned long)h->seed, (long)event->id, event->kind);
        }
    }
    assert_false(h->host.collided);
}

static void boot(history *h) {
    h->client = fake_host_boot(&h->host, &h->options);
    assert_non_null(h->client);
    h->allowed = cairn_consent_allows(h->client, CAIRN_CONSENT_ANALYTICS);
}

static void crash(history *h) {
    fake_host_crash(&h->host);
    cairn_close(h->client);
    cairn__state held = disk_state(h);
    h->flying = false;
    forget_expected(h);
    boot(h);
    const cairn__journal *journal = &h->client->journal;
    if (journal->mode != CAIRN__JOURNAL_PURGING &&
        memcmp(journal->state.device_id, h->dying, 16) == 0) {
        /* the tombstone was not durable: it was not said */
        assert_false(held.purging && memcmp(held.device_id, h->dying, 16) == 0);
        memset(h->dying, 0, sizeof h->dying);
        size_t number = number_of(h, journal->state.device_id);
        if (number < h->host.device_count) {
            h->dead[number] = false;
        }
    }
}

static void track(history *h) {
    int64_t id = h->next_id++;
    cairn_status status = fake_host_track(h->client, id);
    h->time_of[id] = h->host.wall_ms;
    h->expected[id] = status == CAIRN_OK;
    bool denied = cairn_consent_said(h->client, CAIRN_CONSENT_ANALYTICS) == CAIRN_CONSENT_DENIED;
    assert_int_equal(status, denied ? CAIRN_NO_CONSENT : CAIRN_OK);
}

static void say(history *h, bool granted) {
    const cairn_consent_choice choice = { .granted = granted ? CAIRN_CONSENT_ANALYTICS : 0,
                                          .denied = granted ? 0 : CAIRN_CONSENT_ANALYTICS };
    if (!granted) {
        bury(h);
    }
    assert_int_equal(cairn_consent(h->client, &choice), CAIRN_OK);
    h->allowed = granted;
}

static void erase(history *h) {
    bury(h);
    assert_int_equal(cairn_erase(h->client), CAIRN_OK);
    h->allowed = cairn_consent_allows(h->client, CAIRN_CONSENT_ANALYTICS);
}

static void answer(history *h) {
    if (h->host.post_ticket == 0) {
        return;
    }
    bool arrives = fake_host_random(&h->host, 4) != 0;
    bool heard = arrives && fake_host_random(&h->host, 4) != 0;
    uint32_t status = arrives ? fake_host_serve(&h->host) : 0;
    h->flying = false;
    fake_host_reply(&h->host, h->client, heard ? status : 503, 0);
}

static void step(history *h) {
    switch (fake_host_random(&h->host, 24)) {
    case 0:
        say(h, true);
        break;
    case 1:
        say(h, fake_host_random(&h->host, 2) == 0);
        break;
    case 2:
        if (fake_host_random(&h->host, 3) == 0) {
            erase(h);
        }
        break;
    case 3:
    case 4:
        crash(h);
        break;
    case 5:
    case 6:
    case 7:
        fake_host_commit(&h->host, h->client, true);
        break;
    case 8:
    case 9:
        fake_host_commit_one(&h->host, h->client, fake_host_random(&h->host, 5) != 0);
        break;
    case 10:
    case 11:
    case 12: {
        int64_t ms = (int64_t)fake_host_random(&h->host, 5000);
        h->host.mono_ms += ms;
        h->host.wall_ms += ms;
        (void)cairn_pump(h->client);
        break;
    }
    case 13:
    case 14:
    case 15:
        answer(h);
        break;
    case 16:
        cairn_flush(h->client);
        (void)cairn_pump(h->client);
        break;
    case 17:
        (void)cairn_register(
            h->client,
            &(cairn_property){ CAIRN_STR("plan"), { CAIRN_VALUE_BOOLEAN, { .boolean = true } } }, 1,
            false);
        break;
    default:
        track(h);
    }
}

/* A store that is empty, for a person who has not agreed, gets no byte and the network no request.
 */
static void step_and_check(history *h) {
    bool silent =
        !h->allowed && fake_host_empty(&h->host) && h->host.post_ticket == 0 &&
        h->options.consent.required != 0 &&
        h->client->journal.mode != CAIRN__JOURNAL_PURGING; /* a failed clear is repeated */
    uint64_t submitted = h->host.submitted;
    uint32_t posts = h->host.posts;
    step(h);
    if (silent && !h->allowed) {
        assert_int_equal(h->host.submitted, submitted);
        assert_int_equal(h->host.posts, posts);
    }
    mark(h);
    check_server(h);
}

static void check_end(history *h) {
    for (int64_t id = 0; id < h->next_id; id++) {
        size_t count = fake_host_count(&h->host, id);
        if (count > 1 || (h->allowed && h->expected[id] && count == 0)) {
            fail_msg("seed %lu: event %ld is counted %zu times", (unsigned long)h->seed, (long)id,
                     count);
        }
    }
    for (size_t i = 0; i < h->host.event_count; i++) {
        if (h->host.events[i].id >= 0) {
            assert_int_equal(h->host.events[i].time_ms, h->time_of[h->host.events[i].id]);
        }
    }
    if (!h->allowed && h->options.consent.required != 0 && !fake_host_empty(&h->host)) {
        fail_msg("seed %lu: the store is not empty", (unsigned long)h->seed);
    }
    assert_true(h->allowed || h->host.segment_count == 0);
}

static const cairn_bundle_key key = { { (const uint8_t *)"k", 1 }, { 0x04 } };

static void run(uint64_t seed, uint32_t required, bool decides) {
    history *h = calloc(1, sizeof *h);
    assert_non_null(h);
    h->seed = seed;
    fake_host_open(&h->host, seed * 7919);
    h->options =
        (cairn_options){ .project_key = CAIRN_STR("demo"),
                         .flush_interval_ms = 500,
                         .consent = { .required = required, .withdraw_silently = seed % 5 == 0 },
                         .decide = { .keys = &key, .key_count = decides } };
    boot(h);
    for (int i = 0; i < STEPS; i++) {
        step_and_check(h);
    }
    h->flying = false;
    fake_host_pass(&h->host, h->client, DRAIN_MS);
    mark(h);
    check_server(h);
    check_end(h);
    cairn_close(h->client);
    fake_host_close(&h->host);
    free(h);
}

static void where_consent_is_asked_nothing_goes_without_it(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= HISTORIES; seed++) {
        run(seed, CAIRN_CONSENT_ALL, seed % 2 == 0);
    }
}

static void where_it_is_not_a_withdrawal_holds_all_the_same(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= HISTORIES; seed++) {
        run(seed, 0, seed % 2 == 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_consent_is_asked_nothing_goes_without_it),
        cmocka_unit_test(where_it_is_not_a_withdrawal_holds_all_the_same),
    };
    return cmocka_run_group_tests_name("sdk/client/consent_oracle", tests, NULL, NULL);
}
