/* Goal: each promise of cairn.h, one by one.
 * Method: a client on surroundings that are moved by hand (fake_host.h). */
#include "fake_host.h"
#include "support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "model/event.h"

typedef struct fixture {
    fake_host host;
    cairn_options options;
    cairn_client *client;
} fixture;

static int open_fixture(void **state) {
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    fake_host_open(&f->host, 3);
    f->options = (cairn_options){ .project_key = CAIRN_STR("demo"), .flush_interval_ms = 1000 };
    f->client = fake_host_boot(&f->host, &f->options);
    assert_non_null(f->client);
    *state = f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    cairn_close(f->client);
    fake_host_close(&f->host);
    free(f);
    return 0;
}

static cairn_client_status status_of(const fixture *f) {
    cairn_client_status status;
    cairn_get_status(f->client, &status);
    return status;
}

static void reopen(fixture *f) {
    cairn_close(f->client);
    fake_host_crash(&f->host);
    f->client = fake_host_boot(&f->host, &f->options);
    assert_non_null(f->client);
}

/* --- opening -----------------------------------------------------------------------------------*/

static void options_beyond_their_limits_are_refused(void **state) {
    fixture *f = *state;
    cairn_client *client = NULL;
    uint8_t key[65];
    memset(key, 'k', sizeof key);
    cairn_options options = f->options;
    options.project_key = (cairn_span){ NULL, 0 };
    assert_int_equal(cairn_open(&options, &f->host.platform, &client), CAIRN_INVALID);
    options.project_key = (cairn_span){ key, sizeof key };
    assert_int_equal(cairn_open(&options, &f->host.platform, &client), CAIRN_INVALID);
    options = f->options;
    options.sdk_name = CAIRN_STR("not \xFF utf-8");
    assert_int_equal(cairn_open(&options, &f->host.platform, &client), CAIRN_INVALID);
    cairn_platform deaf = f->host.platform;
    deaf.transport.start = NULL;
    assert_int_equal(cairn_open(&f->options, &deaf, &client), CAIRN_INVALID);
    assert_null(client);
}

static void before_the_start_nothing_is_taken(void **state) {
    fixture *f = *state;
    cairn_client *client = NULL;
    const cairn_id id = { CAIRN_STR("login"), CAIRN_STR("u1") };
    assert_int_equal(cairn_open(&f->options, &f->host.platform, &client), CAIRN_OK);
    assert_int_equal(cairn_track(client, CAIRN_STR("e"), NULL, 0), CAIRN_CLOSED);
    assert_int_equal(cairn_login(client, id), CAIRN_CLOSED);
    assert_int_equal(cairn_register(client, NULL, 0, false), CAIRN_CLOSED);
    assert_int_equal(cairn_timer(client, CAIRN_STR("t"), CAIRN_TIMER_START), CAIRN_CLOSED);
    assert_int_equal(cairn_pump(client), -1);
    assert_int_equal(cairn_start(client), CAIRN_OK);
    assert_int_equal(cairn_start(client), CAIRN_INVALID);
    assert_int_equal(cairn_restore(client, CAIRN_SPACE_LOG, 1, CAIRN_STR("x")), CAIRN_INVALID);
    cairn_close(client);
}

static void nothing_is_sent_before_the_store_knows_the_device(void **state) {
    fixture *f = *state;
    assert_int_equal(fake_host_track(f->client, 1), CAIRN_OK);
    while (f->host.op_count > 0) { /* all but the states are kept */
        fake_host_commit_one(&f->host, f->client, f->host.ops[0].kind != HOST_STATE);
    }
    cairn_flush(f->client);
    (void)cairn_pump(f->client);
    assert_int_equal(f->host.posts, 0);
    assert_int_equal(cairn_last_batch(f->client, 30000).len, 0);
    fake_host_pass(&f->host, f->client, 60000);
    assert_int_equal(fake_host_count(&f->host, 1), 1);
}

/* --- tracking ----------------------------------------------------------------------------------*/

static void an_event_of_more_than_60_kib_is_refused(void **state) {
    fixture *f = *state;
    static uint8_t text[8192];
    memset(text, 't', sizeof text);
    cairn_property properties[8];
    static const char names[] = "abcdefgh";
    for (size_t i = 0; i < 8; i++) {
        properties[i] =
            (cairn_property){ { (const uint8_t *)names + i, 1 },
                              { CAIRN_VALUE_STRING, { .string = { text, sizeof text } } } };
    }
    assert_int_equal(cairn_track(f->client, CAIRN_STR("e"), properties, 8), CAIRN_INVALID);
    assert_int_equal(cairn_track(f->client, CAIRN_STR("e"), properties, 7), CAIRN_OK);
    assert_int_equal(status_of(f).queued_events, 1);
    fake_host_pass(&f->host, f->client, 5000);
    assert_int_equal(f->host.event_count, 1);
}

static void sessions_end_after_a_long_pause_and_outlive_a_restart(void **state) {
    fixture *f = *state;
    assert_int_equal(fake_host_track(f->client, 1), CAIRN_OK);
    fake_host_pass(&f->host, f->client, 10000);
    reopen(f);
    assert_int_equal(fake_host_track(f->client, 2), CAIRN_OK);
    fake_host_pass(&f->host, f->client, 31 * 60 * 1000);
    assert_int_equal(fake_host_track(f->client, 3), CAIRN_OK);
    fake_host_pass(&f->host, f->client, 10000);
    assert_int_equal(f->host.event_count, 3);
    assert_int_equal(f->host.events[0].session, 1);
    assert_int_equal(f->host.events[0].mono_ms, 0);
    assert_int_equal(f->host.events[1].session, 1);
    assert_int_equal(f->host.events[1].mono_ms, 10000);
    assert_int_equal(f->host.events[2].session, 2);
    assert_int_equal(f->host.events[2].mono_ms, 0);
}

static void super_properties_have_limits_and_outlive_a_restart(void **state) {
    fixture *f = *state;
    static uint8_t text[8192];
    memset(text, 's', sizeof text);
    const cairn_value big = { CAIRN_VALUE_STRING, { .string = { text, sizeof text } } };
    const cairn_property two[] = { { CAIRN_STR("a"), big }, { CAIRN_STR("b"), big } };
    assert_int_equal(cairn_register(f->client, two, 2, false), CAIRN_FULL);
    const cairn_property id = { CAIRN_STR("id"), { CAIRN_VALUE_INTEGER, { .integer = 77 } } };
    assert_int_equal(cairn_register(f->client, &id, 1, false), CAIRN_OK);
    const cairn_property other = { CAIRN_STR("id"), { CAIRN_VALUE_INTEGER, { .integer = 5 } } };
    assert_int_equal(cairn_register(f->client, &other, 1, true), CAIRN_OK); /* once: kept */
    const cairn_property unnamed = { CAIRN_STR(""), big };
    assert_int_equal(cairn_register(f->client, &unnamed, 1, false), CAIRN_INVALID);
    fake_host_commit(&f->host, f->client, true);
    reopen(f);
    assert_int_equal(cairn_track(f->client, CAIRN_STR("e"), NULL, 0), CAIRN_OK);
    assert_int_equal(fake_host_track(f->client, 6), CAIRN_OK); /* its own wins */
    fake_host_pass(&f->host, f->client, 5000);
    assert_int_equal(fake_host_count(&f->host, 77), 1);
    assert_int_equal(fake_host_count(&f->host, 6), 1);
}

static void timers_are_bounded_and_known_by_name(void **state) {
    fixture *f = *state;
    assert_int_equal(cairn_timer(f->client, CAIRN_STR("x"), CAIRN_TIMER_PAUSE), CAIRN_NOT_FOUND);
    assert_int_equal(cairn_timer(f->client, CAIRN_STR("x"), CAIRN_TIMER_RESUME), CAIRN_NOT_FOUND);
    assert_int_equal(cairn_timer_end(f->client, CAIRN_STR("x"), NULL, 0), CAIRN_NOT_FOUND);
    assert_int_equal(cairn_timer(f->client, CAIRN_STR(""), CAIRN_TIMER_START), CAIRN_INVALID);
    for (uint8_t i = 0; i < 64; i++) {
        const uint8_t name[] = { 't', (uint8_t)('0' + i) };
        assert_int_equal(cairn_timer(f->client, cairn__span(name, 2), CAIRN_TIMER_START), CAIRN_OK);
    }
    assert_int_equal(cairn_timer(f->client, CAIRN_STR("x"), CAIRN_TIMER_START), CAIRN_FULL);
    assert_int_equal(cairn_timer(f->client, CAIRN_STR("t0"), CAIRN_TIMER_START), CAIRN_OK);
    assert_int_equal(cairn_timer_end(f->client, CAIRN_STR("t0"), NULL, 0), CAIRN_OK);
    assert_int_equal(cairn_timer(f->client, CAIRN_STR("x"), CAIRN_TIMER_START), CAIRN_OK);
}

static void the_same_login_again_costs_nothing(void **state) {
    fixture *f = *state;
    const cairn_id id = { CAIRN_STR("login"), CAIRN_STR("u1") };
    assert_int_equal(cairn_login(f->client, id), CAIRN_OK);
    assert_int_equal(cairn_login(f->client, id), CAIRN_OK);
    assert_int_equal(status_of(f).queued_events, 1);
    fake_host_commit(&f->host, f->client, true);
    reopen(f);
    assert_true(cairn__span_equal(status_of(f).login_id, CAIRN_STR("u1")));
    assert_int_equal(cairn_login(f->client, id), CAIRN_OK);
    assert_int_equal(status_of(f).queued_events, 1);
    assert_int_equal(cairn_login(f->client, (cairn_id){ CAIRN_STR(""), CAIRN_STR("u") }),
                     CAIRN_INVALID);
    assert_int_equal(cairn_logout(f->client), CAIRN_OK);
    assert_int_equal(status_of(f).login_id.len, 0);
}

static void profile_changes_check_their_values(void **state) {
    fixture *f = *state;
    const cairn_property text = { CAIRN_STR("n"),
                                  { CAIRN_VALUE_STRING, { .string = CAIRN_STR("x") } } };
    assert_int_equal(cairn_profile(f->client, CAIRN_PROFILE_INCREMENT, &text, 1), CAIRN_INVALID);
    assert_int_equal(cairn_profile(f->client, CAIRN_PROFILE_SET, NULL, 0), CAIRN_INVALID);
    assert_int_equal(cairn_profile(f->client, CAIRN_PROFILE_UNION, &text, 1), CAIRN_OK);
    assert_int_equal(cairn_profile(f->client, CAIRN_PROFILE_DELETE, NULL, 0), CAIRN_OK);
    assert_int_equal(cairn_profile(f->client, (cairn_profile_change)99, &text, 1), CAIRN_INVALID);
    assert_int_equal(status_of(f).queued_events, 2);
}

/* --- the queue ---------------------------------------------------------------------------------*/

static void critical_events_are_never_dropped(void **state) {
    fixture *f = *state;
    f->options.queue_events_max = 4;
    reopen(f);
    const cairn_property p = { CAIRN_STR("id"), { CAIRN_VALUE_INTEGER, { .integer = 9 } } };
    assert_int_equal(cairn_profile(f->client, CAIRN_PROFILE_SET, &p, 1), CAIRN_OK);
    for (int i = 10; i < 20; i++) {
        assert_int_equal(fake_host_track(f->client, i), CAIRN_OK);
    }
    assert_int_equal(status_of(f).dropped_events, 7);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(cairn_profile(f->client, CAIRN_PROFILE_SET, &p, 1), CAIRN_OK);
    }
    assert_int_equal(fake_host_track(f->client, 20), CAIRN_FULL);
    assert_int_equal(cairn_logout(f->client), CAIRN_FULL);
    assert_int_equal(status_of(f).queued_events, 4);
    fake_host_pass(&f->host, f->client, 60000);
    assert_int_equal(fake_host_count(&f->host, 9), 4);
}

static void what_was_dropped_is_reported_once_even_over_restarts(void **state) {
    fixture *f = *state;
    f->options.queue_events_max = 10;
    reopen(f);
    for (int i = 0; i < 25; i++) {
        assert_int_equal(fake_host_track(f->client, i), CAIRN_OK);
        fake_host_commit(&f->host, f->client, true);
    }
    reopen(f);
    assert_int_equal(status_of(f).dropped_events, 15);
    assert_int_equal(status_of(f).queued_events, 10);
    fake_host_pass(&f->host, f->client, 60000);
    reopen(f);
    fake_host_pass(&f->host, f->client, 60000);
    int64_t told = 0;
    for (size_t i = 0; i < f->host.event_count; i++) {
        told += f->host.events[i].dropped;
    }
    assert_int_equal(told, 15);
    for (int i = 0; i < 25; i++) {
        assert_int_equal(fake_host_count(&f->host, i), i >= 15);
    }
}

static void a_critical_event_does_not_hold_the_whole_log(void **state) {
    fixture *f = *state;
    f->options.queue_events_max = 100;
    f->options.queue_bytes_max = 16 * 1024;
    reopen(f);
    const cairn_property p = { CAIRN_STR("id"), { CAIRN_VALUE_INTEGER, { .integer = 9 } } };
    assert_int_equal(cairn_profile(f->client, CAIRN_PROFILE_SET, &p, 1), CAIRN_OK);
    size_t most = 0;
    for (int i = 0; i < 20000; i++) {
        assert_int_equal(fake_host_track(f->client, 10 + i), CAIRN_OK);
        fake_host_commit(&f->host, f->client, true);
        size_t bytes = 0;
        for (size_t s = 0; s < f->host.segment_count; s++) {
            bytes += f->host.segments[s].bytes.len;
        }
        most = bytes > most ? bytes : most;
    }
    assert_true(most <= 2 * 16 * 1024 + 3 * 64 * 1024);
    reopen(f);
    assert_int_equal(status_of(f).queued_events, 100);
    fake_host_pass(&f->host, f->client, 600000);
    assert_int_equal(fake_host_count(&f->host, 9), 1);
    assert_int_equal(f->host.duplicates, 0);
    assert_int_equal(status_of(f).dropped_events, 19901);
}

static void a_failed_append_is_written_again_elsewhere(void **state) {
    fixture *f = *state;
    fake_host_commit(&f->host, f->client, true);
    assert_int_equal(fake_host_track(f->client, 1), CAIRN_OK);
    assert_int_equal(fake_host_track(f->client, 2), CAIRN_OK);
    fake_host_commit_one(&f->host, f->client, false); /* something of 1 is on the disk */
    fake_host_commit(&f->host, f->client, true);      /* 2 is behind it and cannot be read */
    assert_int_equal(status_of(f).kept_seq, 0);
    int64_t wait_ms = cairn_pump(f->client);
    assert_int_equal(wait_ms, 1000);
    assert_int_equal(f->host.posts, 0);
    f->host.mono_ms += wait_ms;
    (void)cairn_pump(f->client);
    fake_host_commit(&f->host, f->client, true);
    assert_int_equal(status_of(f).kept_seq, 2);
    reopen(f);
    assert_int_equal(status_of(f).queued_events, 2);
    fake_host_pass(&f->host, f->client, 60000);
    assert_int_equal(fake_host_count(&f->host, 1), 1);
    assert_int_equal(fake_host_count(&f->host, 2), 1);
}

static void acknowledged_segments_are_removed(void **state) {
    fixture *f = *state;
    for (int round = 0; round < 30; round++) {
        for (int i = 0; i < 100; i++) {
            assert_int_equal(fake_host_track(f->client, round * 100 + i), CAIRN_OK);
        }
        fake_host_pass(&f->host, f->client, 5000);
    }
    assert_true(f->host.segment_count <= 2);
    assert_int_equal(f->host.event_count, 3000);
}

/* --- the wire ----------------------------------------------------------------------------------*/

static void an_event_that_is_too_large_alone_is_given_up_and_said(void **state) {
    fixture *f = *state;
    assert_int_equal(fake_host_track(f->client, 1), CAIRN_OK);
    fake_host_commit(&f->host, f->client, true);
    cairn_flush(f->client);
    (void)cairn_pump(f->client);
    fake_host_reply(&f->host, f->client, 413, 0);
    assert_int_equal(status_of(f).dropped_events, 1);
    assert_int_equal(f->host.refused_seq, 1);
    assert_memory_equal(f->host.refused_reason, "event_too_large", 15);
    assert_int_equal(fake_host_track(f->client, 2), CAIRN_OK);
    fake_host_pass(&f->host, f->client, 60000);
    assert_int_equal(fake_host_count(&f->host, 2), 1);
}

static void refused_events_are_told_and_not_sent_again(void **state) {
    fixture *f = *state;
    f->host.refuse_seq = 2;
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(fake_host_track(f->client, i), CAIRN_OK);
    }
    fake_host_pass(&f->host, f->client, 60000);
    assert_int_equal(f->host.refused_seq, 2);
    assert_string_equal(f->host.refused_reason, "text_too_long: shorten");
    assert_int_equal(status_of(f).refused_events, 1);
    assert_int_equal(f->host.acked_seq, 3);
    assert_int_equal(f->host.posts, 1);
}

static void a_wrong_key_waits_long_and_a_flush_tries_again(void **state) {
    fixture *f = *state;
    assert_int_equal(fake_host_track(f->client, 1), CAIRN_OK);
    fake_host_commit(&f->host, f->client, true);
    cairn_flush(f->client);
    (void)cairn_pump(f->client);
    fake_host_reply(&f->host, f->client, 401, 0);
    assert_true(cairn_pump(f->client) >= 30000);
    assert_int_equal(status_of(f).last_http_status, 401);
    cairn_flush(f->client);
    (void)cairn_pump(f->client);
    assert_int_equal(f->host.posts, 2);
}

static void an_answer_that_is_no_answer_is_a_failure(void **state) {
    fixture *f = *state;
    assert_int_equal(fake_host_track(f->client, 1), CAIRN_OK);
    fake_host_commit(&f->host, f->client, true);
    cairn_flush(f->client);
    (void)cairn_pump(f->client);
    cairn__buffer_append(&f->host.answer, CAIRN_STR("<html>log in to the wifi</html>"));
    fake_host_reply(&f->host, f->client, 200, 0);
    assert_int_equal(status_of(f).queued_events, 1);
    assert_true(status_of(f).retry_in_ms > 0);
    cairn_http_done(f->client, 999, 200, 0, (cairn_span){ NULL, 0 }); /* of nobody: ignored */
    assert_int_equal(status_of(f).queued_events, 1);
}

static void a_cloned_device_takes_a_new_id_and_loses_nothing(void **state) {
    fixture *f = *state;
    const cairn_id id = { CAIRN_STR("login"), CAIRN_STR("u1") };
    assert_int_equal(cairn_login(f->client, id), CAIRN_OK);
    for (int i = 1; i <= 5; i++) {
        assert_int_equal(fake_host_track(f->client, i), CAIRN_OK);
    }
    fake_host_pass(&f->host, f->client, 5000);
    uint8_t old_device[16];
    memcpy(old_device, status_of(f).device_id, 16);
    for (int i = 6; i <= 8; i++) {
        assert_int_equal(fake_host_track(f->client, i), CAIRN_OK);
    }
    fake_host_commit(&f->host, f->client, true);
    f->host.new_device = true;
    cairn_flush(f->client);
    (void)cairn_pump(f->client);
    assert_int_equal(fake_host_serve(&f->host), 200);
    fake_host_reply(&f->host, f->client, 200, 0);
    (void)cairn_pump(f->client);
    assert_int_equal(f->host.post_ticket, 0); /* not before the new id is kept */
    if (fake_host_random(&f->host, 2) == 0) {
        reopen(f);
    }
    fake_host_pass(&f->host, f->client, 60000);
    assert_int_equal(f->host.device_count, 2);
    assert_memory_not_equal(status_of(f).device_id, old_device, 16);
    for (int i = 1; i <= 8; i++) {
        assert_int_equal(fake_host_count(&f->host, i), 1);
    }
    const host_event *first = &f->host.events[6]; /* login and five under the old id */
    assert_int_equal(first->device, 1);
    assert_int_equal(first->seq, 1);
    assert_int_equal(f->host.events[f->host.event_count - 1].kind, CAIRN__EVENT_LOGIN);
    reopen(f);
    assert_int_equal(fake_host_track(f->client, 9), CAIRN_OK);
    fake_host_pass(&f->host, f->client, 60000);
    assert_int_equal(f->host.device_count, 2);
    assert_int_equal(f->host.events[f->host.event_count - 1].seq, 5);
    assert_false(f->host.collided);
}

static void the_servers_clock_and_interval_are_heeded(void **state) {
    fixture *f = *state;
    assert_int_equal(fake_host_track(f->client, 1), CAIRN_OK);
    fake_host_pass(&f->host, f->client, 5000);
    assert_int_equal(status_of(f).clock_offset_ms, 250);
    assert_int_equal(fake_host_track(f->client, 2), CAIRN_OK);
    fake_host_commit(&f->host, f->client, true);
    assert_int_equal(cairn_pump(f->client), 1000);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(options_beyond_their_limits_are_refused),
        TEST(before_the_start_nothing_is_taken),
        TEST(nothing_is_sent_before_the_store_knows_the_device),
        TEST(an_event_of_more_than_60_kib_is_refused),
        TEST(sessions_end_after_a_long_pause_and_outlive_a_restart),
        TEST(super_properties_have_limits_and_outlive_a_restart),
        TEST(timers_are_bounded_and_known_by_name),
        TEST(the_same_login_again_costs_nothing),
        TEST(profile_changes_check_their_values),
        TEST(critical_events_are_never_dropped),
        TEST(what_was_dropped_is_reported_once_even_over_restarts),
        TEST(a_critical_event_does_not_hold_the_whole_log),
        TEST(a_failed_append_is_written_again_elsewhere),
        TEST(acknowledged_segments_are_removed),
        TEST(an_event_that_is_too_large_alone_is_given_up_and_said),
        TEST(refused_events_are_told_and_not_sent_again),
        TEST(a_wrong_key_waits_long_and_a_flush_tries_again),
        TEST(an_answer_that_is_no_answer_is_a_failure),
        TEST(a_cloned_device_takes_a_new_id_and_loses_nothing),
        TEST(the_servers_clock_and_interval_are_heeded),
    };
    return cmocka_run_group_tests_name("sdk/client/client", tests, NULL, NULL);
}
