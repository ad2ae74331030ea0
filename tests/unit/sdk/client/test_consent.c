/* Goal: each promise of cairn_consent.h, one by one.
 * Method: a client on surroundings that are moved by hand and that count every operation of the
 * store and every request (fake_host.h). */
#include "fake_host.h"
#include "support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "client/client.h"
#include "client/state.h"
#include "model/event.h"

enum { HOUR_MS = 3600 * 1000 };

typedef struct fixture {
    fake_host host;
    cairn_options options;
    cairn_client *client;
} fixture;

static const cairn_consent_choice yes = { .granted = CAIRN_CONSENT_ANALYTICS,
                                          .source = { (const uint8_t *)"banner", 6 } };
static const cairn_consent_choice no = { .denied = CAIRN_CONSENT_ANALYTICS };

static int open_with(void **state, uint32_t required) {
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    fake_host_open(&f->host, 17);
    f->options = (cairn_options){ .project_key = CAIRN_STR("demo"),
                                  .flush_interval_ms = 1000,
                                  .consent = { .required = required } };
    f->client = fake_host_boot(&f->host, &f->options);
    assert_non_null(f->client);
    *state = f;
    return 0;
}

static int open_asking(void **state) {
    return open_with(state, CAIRN_CONSENT_ALL);
}

static int open_free(void **state) {
    return open_with(state, 0);
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

static void say(fixture *f, const cairn_consent_choice *choice) {
    assert_int_equal(cairn_consent(f->client, choice), CAIRN_OK);
}

static size_t count_kind(const fixture *f, int kind) {
    size_t count = 0;
    for (size_t i = 0; i < f->host.event_count; i++) {
        count += f->host.events[i].kind == kind;
    }
    return count;
}

static bool is_nobody(const uint8_t id[16]) {
    static const uint8_t zero[16];
    return memcmp(id, zero, 16) == 0;
}

/* --- before consent ----------------------------------------------------------------------------*/

static void before_consent_not_a_byte_is_stored_or_sent(void **state) {
    fixture *f = *state;
    const cairn_property plan = { CAIRN_STR("plan"), { CAIRN_VALUE_BOOLEAN, { .boolean = true } } };
    assert_int_equal(fake_host_track(f->client, 1), CAIRN_OK);
    assert_int_equal(cairn_register(f->client, &plan, 1, false), CAIRN_OK);
    assert_int_equal(cairn_login(f->client, (cairn_id){ CAIRN_STR("login"), CAIRN_STR("u1") }),
                     CAIRN_OK);
    assert_int_equal(cairn_profile(f->client, CAIRN_PROFILE_SET, &plan, 1), CAIRN_OK);
    assert_int_equal(cairn_bind(f->client, (cairn_id){ CAIRN_STR("mail"), CAIRN_STR("m") }),
                     CAIRN_OK);
    say(f, &(cairn_consent_choice){ .granted = CAIRN_CONSENT_MARKETING });
    cairn_flush(f->client);
    fake_host_pass(&f->host, f->client, 100 * HOUR_MS);
    assert_int_equal(cairn_last_batch(f->client, 30000).len, 0);
    assert_int_equal(f->host.submitted, 0);
    assert_int_equal(f->host.posts, 0);
    assert_true(is_nobody(status_of(f).device_id));
    assert_int_equal(status_of(f).queued_events, 5);
}

static void a_grant_makes_what_waited_durable_with_its_own_times_and_sessions(void **state) {
    fixture *f = *state;
    int64_t began_ms = f->host.wall_ms;
    assert_int_equal(fake_host_track(f->client, 0), CAIRN_OK);
    fake_host_pass(&f->host, f->client, HOUR_MS);
    assert_int_equal(fake_host_track(f->client, 1), CAIRN_OK);
    fake_host_pass(&f->host, f->client, 5000);
    say(f, &yes);
    assert_false(is_nobody(status_of(f).device_id));
    reopen(f); /* nothing was durable yet but what the crash let through */
    say(f, &yes);
    fake_host_pass(&f->host, f->client, 60000);
    assert_true(fake_host_count(&f->host, 0) <= 1);

    assert_int_equal(fake_host_track(f->client, 2), CAIRN_OK);
    fake_host_pass(&f->host, f->client, 60000);
    assert_int_equal(fake_host_count(&f->host, 2), 1);
    for (size_t i = 0; i < f->host.event_count; i++) {
        const host_event *event = &f->host.events[i];
        if (event->id == 0 || event->id == 1) {
            assert_int_equal(event->time_ms, began_ms + event->id * HOUR_MS);
            assert_int_equal(event->session, 1 + event->id);
        }
    }
}

static void waiting_events_and_the_choice_arrive_in_their_order(void **state) {
    fixture *f = *state;
    for (int64_t id = 0; id < 10; id++) {
        assert_int_equal(fake_host_track(f->client, id), CAIRN_OK);
    }
    say(f, &yes);
    fake_host_pass(&f->host, f->client, 60000);
    assert_int_equal(f->host.event_count, 11);
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(f->host.events[i].id, i);
        assert_int_equal(f->host.events[i].seq, i + 1);
    }
    assert_int_equal(f->host.events[10].kind, CAIRN__EVENT_CONSENT);
    assert_int_equal(f->host.device_count, 1);
}

static void of_too_many_the_oldest_go_and_are_counted(void **state) {
    fixture *f = *state;
    const cairn_id login = { CAIRN_STR("login"), CAIRN_STR("u1") };
    assert_int_equal(cairn_login(f->client, login), CAIRN_OK);
    for (int64_t id = 0; id < 250; id++) {
        assert_int_equal(fake_host_track(f->client, id), CAIRN_OK);
    }
    assert_int_equal(status_of(f).queued_events, CAIRN__WAIT_EVENTS_DEFAULT);
    assert_int_equal(status_of(f).dropped_events, 51);
    say(f, &yes);
    fake_host_pass(&f->host, f->client, 60000);
    assert_int_equal(count_kind(f, CAIRN__EVENT_LOGIN), 1);
    assert_int_equal(fake_host_count(&f->host, 50), 0);
    assert_int_equal(fake_host_count(&f->host, 51), 1);
    int64_t told = 0;
    for (size_t i = 0; i < f->host.event_count; i++) {
        told += f->host.events[i].dropped;
    }
    assert_int_equal(told, 51);
}

static void events_may_be_refused_instead(void **state) {
    fixture *f = *state;
    cairn_close(f->client);
    f->options.consent.drop_before = true;
    f->client = fake_host_boot(&f->host, &f->options);
    assert_int_equal(fake_host_track(f->client, 1), CAIRN_NO_CONSENT);
    say(f, &yes);
    assert_int_equal(fake_host_track(f->client, 2), CAIRN_OK);
    fake_host_pass(&f->host, f->client, 60000);
    assert_int_equal(fake_host_count(&f->host, 1), 0);
    assert_int_equal(fake_host_count(&f->host, 2), 1);
}

static void a_denial_before_any_grant_leaves_no_trace(void **state) {
    fixture *f = *state;
    assert_int_equal(fake_host_track(f->client, 1), CAIRN_OK);
    say(f, &no);
    assert_int_equal(fake_host_track(f->client, 2), CAIRN_NO_CONSENT);
    fake_host_pass(&f->host, f->client, HOUR_MS);
    assert_int_equal(f->host.submitted, 0);
    assert_int_equal(f->host.posts, 0);
    say(f, &yes); /* somebody else's device from here on */
    assert_int_equal(fake_host_track(f->client, 3), CAIRN_OK);
    fake_host_pass(&f->host, f->client, HOUR_MS);
    assert_int_equal(fake_host_count(&f->host, 1), 0);
    assert_int_equal(fake_host_count(&f->host, 3), 1);
}

static void a_choice_outlives_the_process_and_is_not_written_twice(void **state) {
    fixture *f = *state;
    say(f, &(cairn_consent_choice){ .granted = CAIRN_CONSENT_ANALYTICS,
                                    .denied = CAIRN_CONSENT_MARKETING,
                                    .text_version = CAIRN_STR("1") });
    fake_host_pass(&f->host, f->client, 60000);
    reopen(f);
    assert_true(cairn_consent_allows(f->client, CAIRN_CONSENT_ANALYTICS));
    assert_int_equal(cairn_consent_said(f->client, CAIRN_CONSENT_MARKETING), CAIRN_CONSENT_DENIED);
    assert_int_equal(cairn_consent_said(f->client, CAIRN_CONSENT_PERSONALISATION),
                     CAIRN_CONSENT_UNKNOWN);
    assert_false(cairn_consent_allows(f->client, CAIRN_CONSENT_PERSONALISATION));
    uint64_t submitted = f->host.submitted;
    say(f, &(cairn_consent_choice){ .granted = CAIRN_CONSENT_ANALYTICS,
                                    .text_version = CAIRN_STR("1") });
    assert_int_equal(f->host.submitted, submitted);
    say(f, &(cairn_consent_choice){ .granted = CAIRN_CONSENT_ANALYTICS,
                                    .text_version = CAIRN_STR("2") });
    fake_host_pass(&f->host, f->client, 60000);
    assert_int_equal(count_kind(f, CAIRN__EVENT_CONSENT), 2);
}

static void choices_that_contradict_themselves_are_refused(void **state) {
    fixture *f = *state;
    assert_int_equal(cairn_consent(f->client, &(cairn_consent_choice){ .granted = 1, .denied = 3 }),
                     CAIRN_INVALID);
    assert_int_equal(cairn_consent(f->client, &(cairn_consent_choice){ .granted = 8 }),
                     CAIRN_INVALID);
    assert_int_equal(cairn_consent(f->client, &(cairn_consent_choice){ .granted = 0 }),
                     CAIRN_INVALID);
    assert_int_equal(
        cairn_consent(f->client,
                      &(cairn_consent_choice){ .granted = 1, .source = CAIRN_STR("\xFF") }),
        CAIRN_INVALID);
    assert_int_equal(f->host.submitted, 0);
}

/* --- withdrawal --------------------------------------------------------------------------------*/

static void a_withdrawal_empties_the_store_and_is_told_once(void **state) {
    fixture *f = *state;
    say(f, &yes);
    assert_int_equal(fake_host_track(f->client, 1), CAIRN_OK);
    fake_host_pass(&f->host, f->client, 60000);
    assert_int_equal(fake_host_track(f->client, 2), CAIRN_OK);
    fake_host_commit(&f->host, f->client, true);
    say(f, &no);
    assert_int_equal(fake_host_track(f->client, 3), CAIRN_NO_CONSENT);
    fake_host_pass(&f->host, f->client, 60000);
    assert_true(fake_host_empty(&f->host));
    assert_int_equal(f->host.purges, 1);
    assert_int_equal(fake_host_count(&f->host, 2), 0);
    assert_int_equal(count_kind(f, CAIRN__EVENT_CONSENT), 2);
    uint32_t posts = f->host.posts;
    uint64_t submitted = f->host.submitted;
    fake_host_pass(&f->host, f->client, 100 * HOUR_MS);
    assert_int_equal(f->host.posts, posts);
    assert_int_equal(f->host.submitted, submitted);
    assert_int_equal(f->host.device_count, 1);
    assert_true(is_nobody(status_of(f).device_id));
}

static void a_withdrawal_may_be_silent(void **state) {
    fixture *f = *state;
    cairn_close(f->client);
    f->options.consent.withdraw_silently = true;
    f->client = fake_host_boot(&f->host, &f->options);
    say(f, &yes);
    fake_host_pass(&f->host, f->client, 60000);
    uint32_t posts = f->host.posts;
    say(f, &no);
    fake_host_pass(&f->host, f->client, HOUR_MS);
    assert_true(fake_host_empty(&f->host));
    assert_int_equal(f->host.posts, posts);
}

static void the_server_is_told_for_thirty_days_at_most(void **state) {
    fixture *f = *state;
    say(f, &yes);
    fake_host_pass(&f->host, f->client, 60000);
    say(f, &no);
    fake_host_commit(&f->host, f->client, true);
    fake_host_commit(&f->host, f->client, true);
    fake_host_commit(&f->host, f->client, true);
    assert_false(fake_host_empty(&f->host));
    f->host.wall_ms += (int64_t)31 * 24 * HOUR_MS;
    (void)cairn_pump(f->client);
    fake_host_pass(&f->host, f->client, 60000);
    assert_true(fake_host_empty(&f->host));
    assert_int_equal(count_kind(f, CAIRN__EVENT_CONSENT), 1);
}

static void an_answer_that_comes_after_the_withdrawal_is_not_listened_to(void **state) {
    fixture *f = *state;
    say(f, &yes);
    fake_host_commit(&f->host, f->client, true);
    f->host.mono_ms += 2000;
    (void)cairn_pump(f->client);
    assert_int_not_equal(f->host.post_ticket, 0);
    say(f, &no);
    uint32_t status = fake_host_serve(&f->host);
    fake_host_reply(&f->host, f->client, status, 0);
    fake_host_pass(&f->host, f->client, 60000);
    assert_true(fake_host_empty(&f->host));
    assert_int_equal(count_kind(f, CAIRN__EVENT_CONSENT), 2);
    assert_false(f->host.collided);
}

static void an_answer_of_before_does_not_count_for_the_next_device(void **state) {
    fixture *f = *state;
    cairn_close(f->client);
    f->options.consent.withdraw_silently = true;
    f->client = fake_host_boot(&f->host, &f->options);
    say(f, &yes);
    assert_int_equal(fake_host_track(f->client, 1), CAIRN_OK);
    assert_int_equal(fake_host_track(f->client, 2), CAIRN_OK);
    fake_host_commit(&f->host, f->client, true);
    f->host.mono_ms += 2000;
    (void)cairn_pump(f->client);
    assert_int_not_equal(f->host.post_ticket, 0);
    say(f, &no);
    for (int i = 0; i < 6; i++) {
        fake_host_commit(&f->host, f->client, true);
    }
    assert_true(fake_host_empty(&f->host));
    say(f, &yes);
    assert_int_equal(fake_host_track(f->client, 3), CAIRN_OK);
    fake_host_commit(&f->host, f->client, true);
    uint32_t status = fake_host_serve(&f->host);
    fake_host_reply(&f->host, f->client, status, 0);
    assert_int_equal(status_of(f).acked_seq, 0);
    fake_host_pass(&f->host, f->client, 60000);
    assert_int_equal(fake_host_count(&f->host, 3), 1);
    assert_int_equal(f->host.device_count, 2);
}

static void a_grant_during_a_purge_begins_a_new_device(void **state) {
    fixture *f = *state;
    say(f, &yes);
    assert_int_equal(fake_host_track(f->client, 1), CAIRN_OK);
    fake_host_pass(&f->host, f->client, 60000);
    say(f, &no);
    fake_host_commit_one(&f->host, f->client, true);
    say(f, &yes);
    assert_int_equal(fake_host_track(f->client, 2), CAIRN_OK);
    fake_host_pass(&f->host, f->client, 600000);
    assert_int_equal(f->host.device_count, 2);
    assert_int_equal(fake_host_count(&f->host, 2), 1);
    assert_int_equal(f->host.events[f->host.event_count - 1].device, 1);
    reopen(f);
    assert_true(cairn_consent_allows(f->client, CAIRN_CONSENT_ANALYTICS));
}

static void removals_that_failed_are_made_good_before_the_end(void **state) {
    fixture *f = *state;
    say(f, &yes);
    fake_host_pass(&f->host, f->client, 60000);
    say(f, &no);
    for (int i = 0; i < 20; i++) { /* each write is refused once */
        fake_host_commit_one(&f->host, f->client, false);
        f->host.mono_ms += 200000;
        (void)cairn_pump(f->client);
        fake_host_commit_one(&f->host, f->client, true);
        (void)cairn_pump(f->client);
        if (f->host.post_ticket != 0) {
            uint32_t status = fake_host_serve(&f->host);
            fake_host_reply(&f->host, f->client, status, 0);
        }
    }
    fake_host_pass(&f->host, f->client, HOUR_MS);
    assert_true(fake_host_empty(&f->host));
    assert_int_equal(count_kind(f, CAIRN__EVENT_CONSENT), 2);
}

static void a_denial_where_nothing_was_asked_is_remembered_and_nothing_else(void **state) {
    fixture *f = *state; /* of open_free */
    assert_int_equal(fake_host_track(f->client, 1), CAIRN_OK);
    fake_host_pass(&f->host, f->client, 60000);
    assert_int_equal(fake_host_count(&f->host, 1), 1);
    say(f, &no);
    fake_host_pass(&f->host, f->client, 60000);
    assert_int_equal(f->host.segment_count, 0);
    reopen(f);
    assert_int_equal(fake_host_track(f->client, 2), CAIRN_NO_CONSENT);
    cairn__person person = cairn__person_make(cairn__heap());
    cairn__state held = { 0 };
    size_t slots = 0;
    for (size_t i = 0; i < 2; i++) {
        slots += f->host.slots[i].len > 0;
        assert_int_equal(cairn__state_read(cairn__buffer_span(&f->host.slots[i]), &held, &person),
                         CAIRN_OK);
    }
    assert_int_equal(slots, 1);
    assert_true(is_nobody(held.device_id));
    assert_int_equal(person.bytes.len, 0);
    cairn__person_free(&person);
    say(f, &yes);
    assert_int_equal(fake_host_track(f->client, 3), CAIRN_OK);
    fake_host_pass(&f->host, f->client, 60000);
    assert_int_equal(fake_host_count(&f->host, 3), 1);
    reopen(f);
    assert_true(cairn_consent_allows(f->client, CAIRN_CONSENT_ANALYTICS));
}

/* --- defaults ----------------------------------------------------------------------------------*/

static void a_signal_denies_until_the_person_says_otherwise(void **state) {
    fixture *f = *state;
    cairn_close(f->client);
    f->options.consent = (cairn_consent_options){ .denied = CAIRN_CONSENT_ALL };
    fake_host_close(&f->host);
    fake_host_open(&f->host, 5);
    f->client = fake_host_boot(&f->host, &f->options);
    assert_int_equal(fake_host_track(f->client, 1), CAIRN_NO_CONSENT);
    assert_false(cairn_consent_allows(f->client, CAIRN_CONSENT_PERSONALISATION));
    assert_int_equal(f->host.submitted, 0);
    say(f, &yes);
    assert_int_equal(fake_host_track(f->client, 2), CAIRN_OK);
    fake_host_pass(&f->host, f->client, 60000);
    assert_int_equal(fake_host_count(&f->host, 2), 1);
}

static void stricter_defaults_stop_a_client_and_milder_ones_let_it_go_on(void **state) {
    fixture *f = *state; /* of open_free */
    assert_int_equal(fake_host_track(f->client, 1), CAIRN_OK);
    fake_host_commit(&f->host, f->client, true);
    cairn__consent_defaults(f->client, CAIRN_CONSENT_ALL, 0);
    uint64_t submitted = f->host.submitted;
    assert_int_equal(fake_host_track(f->client, 2), CAIRN_OK);
    cairn_flush(f->client);
    fake_host_pass(&f->host, f->client, HOUR_MS);
    assert_int_equal(f->host.submitted, submitted);
    assert_int_equal(f->host.posts, 0);
    cairn__consent_defaults(f->client, 0, 0);
    fake_host_pass(&f->host, f->client, HOUR_MS);
    assert_int_equal(fake_host_count(&f->host, 1), 1);
    assert_int_equal(fake_host_count(&f->host, 2), 1);
    assert_int_equal(f->host.device_count, 1);
}

static void a_store_of_before_consent_waits_where_it_is_required_now(void **state) {
    fixture *f = *state; /* of open_free */
    assert_int_equal(fake_host_track(f->client, 1), CAIRN_OK);
    fake_host_commit(&f->host, f->client, true);
    f->options.consent.required = CAIRN_CONSENT_ALL;
    reopen(f);
    uint64_t submitted = f->host.submitted;
    assert_int_equal(fake_host_track(f->client, 2), CAIRN_OK);
    fake_host_pass(&f->host, f->client, HOUR_MS);
    assert_int_equal(f->host.submitted, submitted);
    assert_int_equal(f->host.posts, 0);
    say(f, &yes);
    fake_host_pass(&f->host, f->client, HOUR_MS);
    assert_int_equal(fake_host_count(&f->host, 1), 1);
    assert_int_equal(fake_host_count(&f->host, 2), 1);
    assert_int_equal(f->host.device_count, 1);
}

/* --- erasing and the hook ----------------------------------------------------------------------*/

static void erasing_tells_the_server_and_begins_anew(void **state) {
    fixture *f = *state; /* of open_free */
    assert_int_equal(cairn_login(f->client, (cairn_id){ CAIRN_STR("login"), CAIRN_STR("u1") }),
                     CAIRN_OK);
    assert_int_equal(fake_host_track(f->client, 1), CAIRN_OK);
    fake_host_pass(&f->host, f->client, 60000);
    assert_int_equal(cairn_erase(f->client), CAIRN_OK);
    assert_int_equal(status_of(f).login_id.len, 0);
    assert_int_equal(fake_host_track(f->client, 2), CAIRN_OK);
    fake_host_pass(&f->host, f->client, 60000);
    assert_int_equal(count_kind(f, CAIRN__EVENT_ERASE), 1);
    assert_int_equal(f->host.device_count, 2);
    assert_int_equal(fake_host_count(&f->host, 2), 1);
    assert_int_equal(f->host.events[f->host.event_count - 1].session, 1);
}

typedef struct keeper {
    unsigned asked;
    bool empty;
} keeper;

static void purge_kept(void *self) {
    ((keeper *)self)->asked += 1;
}

static bool kept_is_empty(void *self) {
    return ((keeper *)self)->empty;
}

static void a_purge_waits_for_what_others_keep(void **state) {
    fixture *f = *state;
    keeper kept = { 0 };
    cairn__client_on_purge(f->client, (cairn__purge_hook){ purge_kept, kept_is_empty, &kept });
    say(f, &yes);
    fake_host_pass(&f->host, f->client, 60000);
    say(f, &no);
    fake_host_pass(&f->host, f->client, 60000);
    assert_true(kept.asked > 0);
    assert_false(fake_host_empty(&f->host));
    assert_int_equal(count_kind(f, CAIRN__EVENT_CONSENT), 1);
    kept.empty = true;
    fake_host_pass(&f->host, f->client, 60000);
    assert_true(fake_host_empty(&f->host));
    assert_int_equal(count_kind(f, CAIRN__EVENT_CONSENT), 2);
}

int main(void) {
#define ASKING(name) cmocka_unit_test_setup_teardown(name, open_asking, close_fixture)
#define FREE(name) cmocka_unit_test_setup_teardown(name, open_free, close_fixture)
    const struct CMUnitTest tests[] = {
        ASKING(before_consent_not_a_byte_is_stored_or_sent),
        ASKING(a_grant_makes_what_waited_durable_with_its_own_times_and_sessions),
        ASKING(waiting_events_and_the_choice_arrive_in_their_order),
        ASKING(of_too_many_the_oldest_go_and_are_counted),
        ASKING(events_may_be_refused_instead),
        ASKING(a_denial_before_any_grant_leaves_no_trace),
        ASKING(a_choice_outlives_the_process_and_is_not_written_twice),
        ASKING(choices_that_contradict_themselves_are_refused),
        ASKING(a_withdrawal_empties_the_store_and_is_told_once),
        ASKING(a_withdrawal_may_be_silent),
        ASKING(the_server_is_told_for_thirty_days_at_most),
        ASKING(an_answer_that_comes_after_the_withdrawal_is_not_listened_to),
        ASKING(an_answer_of_before_does_not_count_for_the_next_device),
        ASKING(a_grant_during_a_purge_begins_a_new_device),
        ASKING(removals_that_failed_are_made_good_before_the_end),
        FREE(a_denial_where_nothing_was_asked_is_remembered_and_nothing_else),
        ASKING(a_signal_denies_until_the_person_says_otherwise),
        FREE(stricter_defaults_stop_a_client_and_milder_ones_let_it_go_on),
        FREE(a_store_of_before_consent_waits_where_it_is_required_now),
        FREE(erasing_tells_the_server_and_begins_anew),
        ASKING(a_purge_waits_for_what_others_keep),
    };
    return cmocka_run_group_tests_name("sdk/client/consent", tests, NULL, NULL);
}
