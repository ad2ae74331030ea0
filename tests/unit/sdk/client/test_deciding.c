/* Goal: what cairn_decide.h promises: a bundle comes, is kept and replaced whole; a popup is shown
 * after its show is durable and never one too many; slots and experiments answer; nothing of two
 * persons is mixed; a purge leaves nothing. Method: definitions as operators write them, through
 * the catalogue, into a client on a disk that the test commits, fails and crashes. */
#include "fake_host.h"
#include "support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "client/deciding.h"
#include "support/signed_bundle.h"
#include "world.h"

typedef struct fixture {
    world *w;
    fake_host *host;
    cairn_bundle_key key;
    cairn_options options;
    cairn_client *client;
    char text[1 << 16];
} fixture;

static void put(fixture *f, cairn__definition_kind kind, const char *name, const char *json) {
    if (world_put(f->w, kind, name, json) != CAIRN__CATALOG_DONE) {
        fail_msg("%s: %s", name, f->w->result.problem.fault.detail);
    }
    f->host->bundle_version = signed_bundle_make(f->w->catalog, &f->host->bundle);
}

static void put_popup(fixture *f, const char *json) {
    put(f, CAIRN__DEFINITION_POPUP, "welcome", json);
}

static int open_fixture(void **state) {
    fixture *f = calloc(1, sizeof *f);
    assert_int_equal(world_open((void **)&f->w), 0);
    f->host = calloc(1, sizeof *f->host);
    fake_host_open(f->host, 1);
    f->key = signed_bundle_key();
    f->options = (cairn_options){ .project_key = CAIRN_STR("shop-key"),
                                  .platform = CAIRN_STR("test"),
                                  .decide = { .keys = &f->key, .key_count = 1 } };
    *state = f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    cairn_close(f->client);
    fake_host_close(f->host);
    assert_int_equal(world_close((void **)&f->w), 0);
    free(f->host);
    free(f);
    return 0;
}

static void boot(fixture *f) {
    cairn_close(f->client);
    f->client = fake_host_boot(f->host, &f->options);
    assert_non_null(f->client);
}

/* A client that has its bundle. */
static void begin(fixture *f) {
    boot(f);
    fake_host_pass(f->host, f->client, 1000);
}

static void track(fixture *f, const char *name) {
    assert_int_equal(cairn_track(f->client, cairn__span_of(name), NULL, 0), CAIRN_OK);
}

static const char *text_of(fixture *f, cairn_span span) {
    assert_true(span.len < sizeof f->text);
    memcpy(f->text, span.data, span.len);
    f->text[span.len] = 0;
    return f->text;
}

static void expect_within(fixture *f, cairn_span span, const char *part) {
    const char *text = text_of(f, span);
    if (strstr(text, part) == NULL) {
        fail_msg("\"%s\" is not in %s", part, text);
    }
}

static void expect_inspect(fixture *f, const char *part) {
    cairn_span json;
    assert_int_equal(cairn_inspect(f->client, &json), CAIRN_OK);
    expect_within(f, json, part);
}

static void close_popup(fixture *f) {
    assert_int_equal(cairn_popup_done(f->client, CAIRN_STR("welcome"), CAIRN_POPUP_CLOSED, NULL, 0),
                     CAIRN_OK);
    fake_host_pass(f->host, f->client, 10);
}

/* --- bundles ---------------------------------------------------------------------------------- */

static void a_bundle_comes_without_any_event_and_outlives_the_process(void **state) {
    fixture *f = *state;
    put_popup(f, "{\"triggers\":[\"view\"],\"content\":{\"a\":1}}");
    begin(f);
    assert_int_equal(f->host->event_count, 0);
    expect_inspect(f, "\"bundle\":{\"version\":1,\"last_verdict\":\"new\"");
    f->host->bundle_version = 1;
    cairn__buffer_clear(&f->host->bundle); /* the server gives none from now on */
    boot(f);
    expect_inspect(f, "\"bundle\":{\"version\":1,");
    track(f, "view");
    fake_host_pass(f->host, f->client, 10);
    assert_int_equal(f->host->popups, 1);
}

static void a_newer_bundle_replaces_the_old_one_and_an_older_is_refused(void **state) {
    fixture *f = *state;
    cairn__buffer first = cairn__buffer_make(cairn__heap(), 1 << 20);
    put_popup(f, "{\"triggers\":[\"view\"],\"content\":{\"a\":1}}");
    cairn__buffer_append(&first, cairn__buffer_span(&f->host->bundle));
    begin(f);
    put_popup(f, "{\"triggers\":[\"other\"],\"content\":{\"a\":2}}");
    fake_host_pass(f->host, f->client, 600000);
    expect_inspect(f, "\"version\":2");
    assert_int_equal(cairn_set_bundle(f->client, cairn__buffer_span(&first)), CAIRN_DENIED);
    expect_inspect(f, "\"last_verdict\":\"older\"");
    track(f, "view");
    fake_host_pass(f->host, f->client, 10);
    assert_int_equal(f->host->popups, 0);
    track(f, "other");
    fake_host_pass(f->host, f->client, 10);
    expect_within(f, cairn__buffer_span(&f->host->popup), "\"content\":{\"a\":2}");
    cairn__buffer_free(&first);
}

static void a_bundle_of_another_key_project_or_with_a_flipped_bit_is_refused(void **state) {
    fixture *f = *state;
    put_popup(f, "{\"triggers\":[\"view\"],\"content\":{\"a\":1}}");
    boot(f);
    for (size_t i = 0; i < f->host->bundle.len; i += 7) {
        f->host->bundle.data[i] ^= 4;
        assert_int_not_equal(cairn_set_bundle(f->client, cairn__buffer_span(&f->host->bundle)),
                             CAIRN_OK);
        f->host->bundle.data[i] ^= 4;
    }
    expect_inspect(f, "\"bundle\":{\"version\":0");
    f->options.project_key = CAIRN_STR("another");
    boot(f);
    assert_int_equal(cairn_set_bundle(f->client, cairn__buffer_span(&f->host->bundle)),
                     CAIRN_DENIED);
    expect_inspect(f, "\"last_verdict\":\"other_project\"");
}

static void a_crash_while_a_bundle_is_written_keeps_one_of_the_two(void **state) {
    fixture *f = *state;
    put_popup(f, "{\"triggers\":[\"view\"],\"content\":{\"a\":1}}");
    begin(f);
    for (unsigned round = 2; round < 40; round++) {
        char json[80];
        (void)snprintf(json, sizeof json, "{\"triggers\":[\"view\"],\"content\":{\"a\":%u}}",
                       round);
        put_popup(f, json);
        assert_int_equal(cairn_set_bundle(f->client, cairn__buffer_span(&f->host->bundle)),
                         CAIRN_OK);
        (void)cairn_pump(f->client);
        fake_host_crash(f->host);
        boot(f);
        (void)snprintf(json, sizeof json, "\"bundle\":{\"version\":%u", round);
        cairn_span inspected;
        assert_int_equal(cairn_inspect(f->client, &inspected), CAIRN_OK);
        bool new_one = strstr(text_of(f, inspected), json) != NULL;
        (void)snprintf(json, sizeof json, "\"bundle\":{\"version\":%u", round - 1);
        assert_true(new_one || strstr(text_of(f, inspected), json) != NULL);
        fake_host_pass(f->host, f->client, 600000);
    }
}

/* --- popups ----------------------------------------------------------------------------------- */

static void a_popup_waits_for_its_show_to_be_durable(void **state) {
    fixture *f = *state;
    put_popup(f, "{\"triggers\":[\"view\"],\"content\":{\"a\":1}}");
    begin(f);
    track(f, "view");
    (void)cairn_pump(f->client);
    assert_int_equal(f->host->popups, 0);
    while (f->host->op_count > 1) {
        fake_host_commit_one(f->host, f->client, true);
        assert_int_equal(f->host->popups, 0);
    }
    fake_host_commit(f->host, f->client, true);
    assert_int_equal(f->host->popups, 1);
    expect_within(
        f, cairn__buffer_span(&f->host->popup),
        "{\"popup\":\"welcome\",\"version\":1,\"variant\":\"main\",\"template\":\"modal\","
        "\"content\":{\"a\":1}}");
    expect_inspect(f, "\"stage\":\"open\",\"name\":\"welcome\"");
    expect_inspect(f, "{\"popup\":\"welcome\",\"shows\":1,\"clicks\":0,");
    close_popup(f);
    expect_inspect(f, "\"stage\":\"none\"");
}

/* A host with several screens asks whose call it was, and one of them may go away. */
static void a_popup_is_told_when_chosen_and_may_go_with_its_screen(void **state) {
    fixture *f = *state;
    put(f, CAIRN__DEFINITION_SETTINGS, "settings", "{\"groups\":{\"offers\":{}}}");
    put_popup(f, "{\"triggers\":[\"view\"],\"content\":1,\"groups\":[\"offers\"]}");
    begin(f);
    track(f, "other");
    assert_int_equal(f->host->popups_chosen, 0);
    track(f, "view");
    assert_int_equal(f->host->popups_chosen, 1);
    assert_int_equal(f->host->popups, 0);
    fake_host_pass(f->host, f->client, 10);
    expect_within(f, cairn__buffer_span(&f->host->popup),
                  "\"variant\":\"main\",\"groups\":[\"offers\"],\"template\"");
    track(f, "view");
    assert_int_equal(f->host->popups_chosen, 1);
    size_t events = f->host->event_count;
    assert_int_equal(cairn_popup_done(f->client, CAIRN_STR("welcome"), CAIRN_POPUP_GONE, NULL, 0),
                     CAIRN_OK);
    fake_host_pass(f->host, f->client, 5000);
    assert_int_equal(f->host->event_count, events + 1); /* the view; no $popup_close */
    track(f, "view");
    assert_int_equal(f->host->popups_chosen, 2);
    assert_int_equal(cairn_popup_done(f->client, CAIRN_STR("welcome"), CAIRN_POPUP_GONE, NULL, 0),
                     CAIRN_NOT_FOUND); /* it is not on a screen yet */
}

static void a_cap_is_never_passed_whatever_is_lost_at_whatever_write(void **state) {
    fixture *f = *state;
    put_popup(f, "{\"triggers\":[\"view\"],\"content\":{\"a\":1},\"caps\":[{\"at_most\":2}]}");
    begin(f);
    for (unsigned round = 0; round < 60; round++) {
        track(f, "view");
        uint64_t commits = fake_host_random(f->host, f->host->op_count + 1);
        for (uint64_t i = 0; i < commits; i++) {
            fake_host_commit_one(f->host, f->client, true);
        }
        (void)cairn_pump(f->client);
        fake_host_crash(f->host);
        boot(f);
        fake_host_pass(f->host, f->client, 10);
        assert_true(f->host->popups <= 2);
        if (round % 3 == 0) {
            track(f, "view");
            fake_host_pass(f->host, f->client, 10);
        }
        assert_true(f->host->popups <= 2);
        cairn_span answer;
        const cairn_decide_query query = { .what = CAIRN_DECIDE_EVENT, .name = CAIRN_STR("view") };
        assert_int_equal(cairn_decide(f->client, &query, &answer), CAIRN_OK);
    }
    assert_int_not_equal(f->host->popups, 0);
}

static void rules_over_history_hold_offline_and_over_restarts(void **state) {
    fixture *f = *state;
    put_popup(f, "{\"triggers\":[\"view\"],\"content\":{},\"audience\":"
                 "\"count(purchase, last 7 days) >= 2 and not did(refund, last 1 day)\"}");
    begin(f);
    track(f, "purchase");
    track(f, "view");
    fake_host_commit(f->host, f->client, true);
    boot(f);
    track(f, "purchase");
    track(f, "refund");
    track(f, "view");
    fake_host_commit(f->host, f->client, true);
    (void)cairn_pump(f->client);
    assert_int_equal(f->host->popups, 0);
    f->host->wall_ms += 24 * 3600 * 1000 + 1;
    track(f, "view");
    fake_host_pass(f->host, f->client, 10);
    assert_int_equal(f->host->popups, 1);
    close_popup(f);
    f->host->wall_ms += INT64_C(7) * 24 * 3600 * 1000;
    track(f, "view");
    fake_host_pass(f->host, f->client, 10);
    assert_int_equal(f->host->popups, 1);
}

static void a_shared_device_never_mixes_two_persons(void **state) {
    fixture *f = *state;
    const cairn_id ann = { CAIRN_STR("login"), CAIRN_STR("ann") };
    const cairn_id bob = { CAIRN_STR("login"), CAIRN_STR("bob") };
    put_popup(f, "{\"triggers\":[\"view\"],\"content\":{},\"audience\":\"count(purchase) >= 1\","
                 "\"caps\":[{\"at_most\":1}]}");
    begin(f);
    track(f, "purchase"); /* Ann's, before she logs in */
    assert_int_equal(cairn_login(f->client, ann), CAIRN_OK);
    track(f, "view");
    fake_host_pass(f->host, f->client, 10);
    assert_int_equal(f->host->popups, 1);
    close_popup(f);
    assert_int_equal(cairn_logout(f->client), CAIRN_OK);
    assert_int_equal(cairn_login(f->client, bob), CAIRN_OK);
    track(f, "view");
    fake_host_pass(f->host, f->client, 10);
    assert_int_equal(f->host->popups, 1); /* Bob has bought nothing */
    track(f, "purchase");
    track(f, "view");
    fake_host_pass(f->host, f->client, 10);
    assert_int_equal(f->host->popups, 2); /* and has seen nothing */
    close_popup(f);
    assert_int_equal(cairn_login(f->client, ann), CAIRN_OK);
    track(f, "view");
    fake_host_pass(f->host, f->client, 10);
    assert_int_equal(f->host->popups, 2); /* Ann has */
}

static void who_is_logged_in_is_known_again_when_the_devices_log_is_lost(void **state) {
    fixture *f = *state;
    const cairn_id ann = { CAIRN_STR("login"), CAIRN_STR("ann") };
    put_popup(f, "{\"triggers\":[\"view\"],\"content\":{}}");
    begin(f);
    assert_int_equal(cairn_login(f->client, ann), CAIRN_OK);
    fake_host_pass(f->host, f->client, 60000);
    for (size_t i = 0; i < f->host->segment_count; i++) {
        if (f->host->segments[i].number >= CAIRN__LOCAL_SEGMENT_FIRST) {
            cairn__buffer_clear(&f->host->segments[i].bytes);
        }
    }
    size_t events = f->host->event_count;
    boot(f);
    fake_host_pass(f->host, f->client, 60000);
    assert_int_equal(f->host->event_count, events + 1); /* the login, said again */
    boot(f);
    fake_host_pass(f->host, f->client, 60000);
    assert_int_equal(f->host->event_count, events + 1);
}

static void a_delayed_popup_comes_when_it_is_due_and_a_second_waits_for_the_first(void **state) {
    fixture *f = *state;
    put_popup(f, "{\"triggers\":[\"view\"],\"content\":{},\"delay\":\"3 s\"}");
    put(f, CAIRN__DEFINITION_POPUP, "second", "{\"triggers\":[\"view\"],\"content\":{}}");
    begin(f);
    track(f, "view");
    fake_host_pass(f->host, f->client, 2000);
    expect_within(f, cairn__buffer_span(&f->host->popup), "\"popup\":\"second\"");
    assert_int_equal(f->host->popups, 1);
    assert_int_equal(cairn_popup_done(f->client, CAIRN_STR("second"), CAIRN_POPUP_CLICKED, NULL, 0),
                     CAIRN_OK);
    assert_int_equal(cairn_popup_done(f->client, CAIRN_STR("second"), CAIRN_POPUP_CLOSED, NULL, 0),
                     CAIRN_OK);
    assert_int_equal(cairn_popup_done(f->client, CAIRN_STR("second"), CAIRN_POPUP_CLOSED, NULL, 0),
                     CAIRN_NOT_FOUND);
}

static void a_manual_popup_is_shown_when_it_is_asked_for(void **state) {
    fixture *f = *state;
    cairn_span answer;
    put_popup(f, "{\"manual\":true,\"content\":{\"a\":1}}");
    begin(f);
    assert_int_equal(cairn_popup_show(f->client, CAIRN_STR("none"), &answer), CAIRN_OK);
    expect_within(f, answer, "unknown_name");
    assert_int_equal(cairn_popup_show(f->client, CAIRN_STR("welcome"), &answer), CAIRN_OK);
    expect_within(f, answer, "\"show\"");
    fake_host_pass(f->host, f->client, 10);
    assert_int_equal(f->host->popups, 1);
}

static void a_popup_converts_once_within_its_window(void **state) {
    fixture *f = *state;
    put_popup(f, "{\"triggers\":[\"view\"],\"content\":{},"
                 "\"goal\":{\"event\":\"purchase\",\"within\":\"1 hour\"},"
                 "\"caps\":[{\"at_most\":1,\"of\":\"conversions\"}]}");
    begin(f);
    track(f, "view");
    fake_host_pass(f->host, f->client, 10);
    close_popup(f);
    track(f, "purchase");
    track(f, "purchase");
    fake_host_pass(f->host, f->client, 60000);
    /* view, show, close, purchase, convert, purchase */
    assert_int_equal(f->host->event_count, 6);
    track(f, "view");
    fake_host_pass(f->host, f->client, 10);
    assert_int_equal(f->host->popups, 1); /* until converted */
}

static void a_sample_of_what_was_kept_back_is_told(void **state) {
    fixture *f = *state;
    enum { VIEWS = 400 };
    put_popup(f, "{\"triggers\":[\"view\"],\"content\":{},\"audience\":\"count(buy) > 0\"}");
    begin(f);
    for (int i = 0; i < VIEWS; i++) {
        track(f, "view");
    }
    fake_host_pass(f->host, f->client, 600000);
    assert_int_equal(f->host->popups, 0);
    size_t told = f->host->event_count - VIEWS;
    assert_in_range(told, VIEWS / CAIRN__SUPPRESSED_ONE_IN / 3,
                    3 * VIEWS / CAIRN__SUPPRESSED_ONE_IN);
}

/* --- slots, experiments ----------------------------------------------------------------------- */

static void an_experiment_answers_and_tells_its_exposure_once_a_session(void **state) {
    fixture *f = *state;
    cairn_span answer;
    put(f, CAIRN__DEFINITION_EXPERIMENT, "checkout",
        "{\"variants\":[{\"name\":\"a\",\"value\":\"one\"},{\"name\":\"b\",\"value\":\"two\"}],"
        "\"fallback\":\"none\"}");
    begin(f);
    assert_int_equal(cairn_experiment(f->client, CAIRN_STR("checkout"), &answer), CAIRN_OK);
    expect_within(f, answer, "\"assigned\"");
    char first[512];
    (void)snprintf(first, sizeof first, "%s", text_of(f, answer));
    assert_int_equal(cairn_experiment(f->client, CAIRN_STR("checkout"), &answer), CAIRN_OK);
    fake_host_pass(f->host, f->client, 60000);
    assert_int_equal(f->host->event_count, 1);
    boot(f);
    assert_int_equal(cairn_experiment(f->client, CAIRN_STR("checkout"), &answer), CAIRN_OK);
    fake_host_pass(f->host, f->client, 60000);
    assert_int_equal(f->host->event_count, 1);
    assert_int_equal(cairn_experiment(f->client, CAIRN_STR("none"), &answer), CAIRN_OK);
}

static void a_flag_with_rules_tells_the_exposure_of_what_decided(void **state) {
    fixture *f = *state;
    cairn_span answer;
    put(f, CAIRN__DEFINITION_EXPERIMENT, "beta",
        "{\"variants\":[{\"name\":\"on\",\"value\":true}],\"audience\":\"count(joined) >= 1\"}");
    put(f, CAIRN__DEFINITION_EXPERIMENT, "rollout",
        "{\"variants\":[{\"name\":\"half\",\"value\":0.5}]}");
    put(f, CAIRN__DEFINITION_EXPERIMENT, "flow",
        "{\"rules\":[\"beta\",\"rollout\"],\"fallback\":false}");
    begin(f);
    assert_int_equal(cairn_experiment(f->client, CAIRN_STR("flow"), &answer), CAIRN_OK);
    expect_within(f, answer, "\"reason\":\"rule\",\"rule\":\"rollout\",\"variant\":\"half\"");
    expect_within(f, answer, "\"exposure\":true,\"value\":0.5");
    assert_int_equal(cairn_experiment(f->client, CAIRN_STR("flow"), &answer), CAIRN_OK);
    assert_null(strstr(text_of(f, answer), "exposure"));
    track(f, "joined");
    assert_int_equal(cairn_experiment(f->client, CAIRN_STR("flow"), &answer), CAIRN_OK);
    expect_within(f, answer, "\"rule\":\"beta\",\"variant\":\"on\"");
    expect_within(f, answer, "{\"name\":\"rollout\",\"reason\":\"not_asked\"}");
    fake_host_pass(f->host, f->client, 60000);
    assert_int_equal(f->host->event_count, 3); /* joined, and one exposure each */
}

/* --- without ---------------------------------------------------------------------------------- */

static void without_keys_nothing_of_it_is_kept_or_asked_for(void **state) {
    fixture *f = *state;
    cairn_span answer;
    put_popup(f, "{\"triggers\":[\"view\"],\"content\":{}}");
    f->options.decide.key_count = 0;
    begin(f);
    track(f, "view");
    fake_host_pass(f->host, f->client, 60000);
    assert_int_equal(f->host->popups, 0);
    assert_int_equal(f->host->slots[2].len + f->host->slots[3].len, 0);
    assert_int_equal(cairn_slot(f->client, CAIRN_STR("home"), &answer), CAIRN_UNSUPPORTED);
    assert_int_equal(cairn_inspect(f->client, &answer), CAIRN_OK);
}

static void without_a_bundle_nothing_is_found(void **state) {
    fixture *f = *state;
    cairn_span answer;
    begin(f);
    assert_int_equal(cairn_slot(f->client, CAIRN_STR("home"), &answer), CAIRN_NOT_FOUND);
    assert_int_equal(cairn_experiment(f->client, CAIRN_STR("x"), &answer), CAIRN_NOT_FOUND);
}

static void a_withdrawal_leaves_no_byte_and_a_grant_begins_anew(void **state) {
    fixture *f = *state;
    const cairn_consent_choice no = { .denied = CAIRN_CONSENT_ALL };
    const cairn_consent_choice yes = { .granted = CAIRN_CONSENT_ALL };
    f->options.consent.required = CAIRN_CONSENT_ALL;
    put_popup(f, "{\"triggers\":[\"view\"],\"content\":{},\"caps\":[{\"at_most\":1}]}");
    begin(f);
    assert_true(fake_host_empty(f->host));
    assert_int_equal(f->host->posts, 0);
    assert_int_equal(cairn_consent(f->client, &yes), CAIRN_OK);
    fake_host_pass(f->host, f->client, 1000);
    track(f, "view");
    fake_host_pass(f->host, f->client, 1000);
    assert_int_equal(f->host->popups, 1);
    assert_false(fake_host_empty(f->host));
    assert_int_equal(cairn_consent(f->client, &no), CAIRN_OK);
    fake_host_pass(f->host, f->client, 60000);
    assert_true(fake_host_empty(f->host));
    assert_int_equal(cairn_consent(f->client, &yes), CAIRN_OK);
    fake_host_pass(f->host, f->client, 1000);
    track(f, "view");
    fake_host_pass(f->host, f->client, 1000);
    assert_int_equal(f->host->popups, 2); /* nobody remembers the first */
}

/* Nothing of what happened is missing. */
static void expect_whole_history(fixture *f) {
    cairn_span json;
    assert_int_equal(cairn_inspect(f->client, &json), CAIRN_OK);
    assert_non_null(strstr(text_of(f, json), "\"local\":{"));
    assert_null(strstr(f->text, "complete_from_ms"));
}

static void what_the_queue_drops_or_steps_over_is_no_hole_in_the_history(void **state) {
    fixture *f = *state;
    f->options.queue_events_max = 4;
    put_popup(f, "{\"triggers\":[\"view\"],\"content\":{}}");
    begin(f);
    for (int i = 0; i < 20; i++) { /* more than the queue takes: "$dropped" */
        track(f, "look");
    }
    fake_host_pass(f->host, f->client, 60000);
    boot(f); /* nothing waits any more */
    expect_whole_history(f);
    for (int i = 0; i < 10; i++) { /* records that are torn step over numbers */
        fake_host_pass(f->host, f->client, 60000);
        track(f, "look");
        fake_host_crash(f->host);
        boot(f);
        expect_whole_history(f);
    }
}

/* --- settings of the bundle ------------------------------------------------------------------- */

static void a_region_that_asks_first_keeps_everything_back_until_the_grant(void **state) {
    fixture *f = *state;
    const cairn_consent_choice yes = { .granted = CAIRN_CONSENT_ALL };
    put(f, CAIRN__DEFINITION_SETTINGS, "settings",
        "{\"consent\":{\"*\":{\"analytics\":\"granted\",\"marketing\":\"granted\","
        "\"personalisation\":\"granted\"},\"DE\":{\"analytics\":\"ask\"}}}");
    f->options.decide.region = CAIRN_STR("DE");
    begin(f);
    track(f, "view");
    fake_host_pass(f->host, f->client, 60000);
    assert_int_equal(f->host->event_count, 0);
    boot(f); /* the bundle is kept: the next start knows at once */
    track(f, "view");
    fake_host_pass(f->host, f->client, 60000);
    assert_int_equal(f->host->event_count, 0);
    assert_false(cairn_consent_allows(f->client, CAIRN_CONSENT_MARKETING));
    assert_int_equal(cairn_consent(f->client, &yes), CAIRN_OK);
    fake_host_pass(f->host, f->client, 60000);
    assert_int_equal(f->host->event_count, 2); /* what waited, and the consent */
    f->options.decide.region = CAIRN_STR("CN");
    boot(f);
    assert_true(cairn_consent_allows(f->client, CAIRN_CONSENT_MARKETING));
}

static void a_privacy_signal_counts_as_no_where_the_bundle_honours_it(void **state) {
    fixture *f = *state;
    put(f, CAIRN__DEFINITION_SETTINGS, "settings",
        "{\"consent\":{\"*\":{\"analytics\":\"granted\",\"marketing\":\"granted\","
        "\"personalisation\":\"granted\",\"honour_dnt\":true}}}");
    begin(f);
    assert_true(cairn_consent_allows(f->client, CAIRN_CONSENT_ANALYTICS));
    f->options.consent.signal = true;
    boot(f);
    assert_false(cairn_consent_allows(f->client, CAIRN_CONSENT_ANALYTICS));
}

/* Whether the disk or the newest request holds these bytes. */
static bool is_anywhere(const fixture *f, const char *text) {
    size_t len = strlen(text);
    for (size_t i = 0; i < f->host->segment_count; i++) {
        const cairn__buffer *bytes = &f->host->segments[i].bytes;
        for (size_t at = 0; at + len <= bytes->len; at++) {
            if (memcmp(bytes->data + at, text, len) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void the_bundle_says_what_is_never_kept(void **state) {
    fixture *f = *state;
    put(f, CAIRN__DEFINITION_SETTINGS, "settings",
        "{\"privacy\":{\"deny\":[\"card\"],"
        "\"hash\":[{\"event\":\"signup\",\"property\":\"phone\"}]}}");
    begin(f);
    const cairn_property properties[] = {
        { CAIRN_STR("card"), { CAIRN_VALUE_STRING, { .string = CAIRN_STR("4111-1111") } } },
        { CAIRN_STR("phone"), { CAIRN_VALUE_STRING, { .string = CAIRN_STR("+4930123") } } },
    };
    assert_int_equal(cairn_track(f->client, CAIRN_STR("signup"), properties, 2), CAIRN_OK);
    fake_host_commit(f->host, f->client, true);
    assert_false(is_anywhere(f, "4111-1111"));
    assert_false(is_anywhere(f, "+4930123"));
    assert_int_equal(cairn_track(f->client, CAIRN_STR("call"), properties, 2), CAIRN_OK);
    fake_host_commit(f->host, f->client, true);
    assert_false(is_anywhere(f, "4111-1111"));
    assert_true(is_anywhere(f, "+4930123"));
}

#define WITH_FIXTURE(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(a_bundle_comes_without_any_event_and_outlives_the_process),
        WITH_FIXTURE(a_newer_bundle_replaces_the_old_one_and_an_older_is_refused),
        WITH_FIXTURE(a_bundle_of_another_key_project_or_with_a_flipped_bit_is_refused),
        WITH_FIXTURE(a_crash_while_a_bundle_is_written_keeps_one_of_the_two),
        WITH_FIXTURE(a_popup_waits_for_its_show_to_be_durable),
        WITH_FIXTURE(a_popup_is_told_when_chosen_and_may_go_with_its_screen),
        WITH_FIXTURE(a_cap_is_never_passed_whatever_is_lost_at_whatever_write),
        WITH_FIXTURE(rules_over_history_hold_offline_and_over_restarts),
        WITH_FIXTURE(a_shared_device_never_mixes_two_persons),
        WITH_FIXTURE(who_is_logged_in_is_known_again_when_the_devices_log_is_lost),
        WITH_FIXTURE(a_delayed_popup_comes_when_it_is_due_and_a_second_waits_for_the_first),
        WITH_FIXTURE(a_manual_popup_is_shown_when_it_is_asked_for),
        WITH_FIXTURE(a_popup_converts_once_within_its_window),
        WITH_FIXTURE(a_sample_of_what_was_kept_back_is_told),
        WITH_FIXTURE(an_experiment_answers_and_tells_its_exposure_once_a_session),
        WITH_FIXTURE(a_flag_with_rules_tells_the_exposure_of_what_decided),
        WITH_FIXTURE(without_keys_nothing_of_it_is_kept_or_asked_for),
        WITH_FIXTURE(without_a_bundle_nothing_is_found),
        WITH_FIXTURE(what_the_queue_drops_or_steps_over_is_no_hole_in_the_history),
        WITH_FIXTURE(a_withdrawal_leaves_no_byte_and_a_grant_begins_anew),
        WITH_FIXTURE(a_region_that_asks_first_keeps_everything_back_until_the_grant),
        WITH_FIXTURE(a_privacy_signal_counts_as_no_where_the_bundle_honours_it),
        WITH_FIXTURE(the_bundle_says_what_is_never_kept),
    };
    return cmocka_run_group_tests_name("sdk/client/deciding", tests, NULL, NULL);
}
