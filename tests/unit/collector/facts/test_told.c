/* Goal: what the server tells devices of their persons: what happened on one device reaches the
 * other's rules with its next sync; what is unknown before is known after; nobody is told of
 * another person, and what was told of one is not used for the next. Method: two devices (a disk
 * and a network that the test moves) before one server that folds the bytes they send. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cairn/cairn_decide.h"
#include "client/client.h"
#include "support/cmocka_all.h"
#include "support/signed_bundle.h"
#include "unit/collector/facts/server.h"

enum { SYNC_MS = 15 * 60 * 1000, HOUR_MS = 3600 * 1000 };

typedef struct phone {
    fake_host host;
    cairn_client *client;
} phone;

typedef struct fixture {
    server s;
    cairn_bundle_key key;
    phone phones[2];
    char reason[64];
} fixture;

static void boot(fixture *f, size_t i, uint64_t seed) {
    phone *p = &f->phones[i];
    const cairn_options options = { .project_key = CAIRN_STR("shop-key"),
                                    .platform = CAIRN_STR("test"),
                                    .decide = { .keys = &f->key, .key_count = 1 } };
    fake_host_open(&p->host, seed);
    server_serve(&f->s, &p->host);
    p->client = fake_host_boot(&p->host, &options);
    assert_non_null(p->client);
}

static int open_fixture(void **state) {
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->key = signed_bundle_key();
    server_open(&f->s, "told");
    boot(f, 0, 1);
    boot(f, 1, 2);
    *state = f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < 2; i++) {
        cairn_close(f->phones[i].client);
        fake_host_close(&f->phones[i].host);
    }
    server_close(&f->s);
    free(f);
    return 0;
}

static void put_popup(fixture *f, const char *audience) {
    char json[512];
    (void)snprintf(json, sizeof json,
                   "{\"triggers\":[\"view\"],\"content\":{},\"audience\":\"%s\"}", audience);
    server_put(&f->s, CAIRN__DEFINITION_POPUP, "welcome", json);
}

/* Both clocks go on, so that the server's does not go back. */
static void sync(fixture *f, size_t i) {
    cairn_flush(f->phones[i].client);
    for (size_t k = 0; k < 2; k++) {
        phone *p = &f->phones[k];
        if (k == i) {
            fake_host_pass(&p->host, p->client, SYNC_MS);
        } else {
            p->host.wall_ms += SYNC_MS;
            p->host.mono_ms += SYNC_MS;
        }
    }
}

static void login(fixture *f, size_t i, const char *name) {
    const cairn_id id = { CAIRN_STR("login"), cairn__span_of(name) };
    assert_int_equal(cairn_login(f->phones[i].client, id), CAIRN_OK);
}

static void track(fixture *f, size_t i, const char *name) {
    assert_int_equal(cairn_track(f->phones[i].client, cairn__span_of(name), NULL, 0), CAIRN_OK);
}

/* What the device says of the popup, if "view" happened now. */
static const char *reason(fixture *f, size_t i) {
    const cairn_decide_query query = { .what = CAIRN_DECIDE_EVENT, .name = CAIRN_STR("view") };
    static const char before[] = "\"name\":\"welcome\",\"reason\":\"";
    char text[4096];
    cairn_span answer;
    assert_int_equal(cairn_decide(f->phones[i].client, &query, &answer), CAIRN_OK);
    assert_true(answer.len < sizeof text);
    memcpy(text, answer.data, answer.len);
    text[answer.len] = 0;
    const char *found = strstr(text, before);
    assert_non_null(found);
    found += sizeof before - 1;
    (void)snprintf(f->reason, sizeof f->reason, "%.*s", (int)strcspn(found, "\""), found);
    return f->reason;
}

static void expect(fixture *f, size_t i, const char *wanted) {
    assert_string_equal(reason(f, i), wanted);
}

/* --- two devices ------------------------------------------------------------------------------ */

static void a_purchase_on_one_device_reaches_the_other_with_its_next_sync(void **state) {
    fixture *f = *state;
    put_popup(f, "count(buy) >= 1");
    login(f, 0, "ann");
    login(f, 1, "ann");
    sync(f, 0);
    sync(f, 1);
    track(f, 0, "buy");
    expect(f, 0, "show");
    sync(f, 0);
    expect(f, 1, "audience");
    sync(f, 1);
    expect(f, 1, "show");
}

static void what_happens_here_after_that_is_counted_on(void **state) {
    fixture *f = *state;
    put_popup(f, "count(buy) = 3");
    login(f, 0, "ann");
    login(f, 1, "ann");
    track(f, 0, "buy");
    sync(f, 0);
    sync(f, 1);
    track(f, 1, "buy");
    expect(f, 1, "audience");
    track(f, 1, "buy");
    expect(f, 1, "show"); /* the other's one, and two here */
    sync(f, 1);
    expect(f, 1, "show"); /* and none of them twice */
    sync(f, 1);
    expect(f, 1, "show");
    track(f, 1, "buy");
    expect(f, 1, "audience");
}

static void who_logs_out_or_in_does_not_take_the_facts_along(void **state) {
    fixture *f = *state;
    put_popup(f, "count(buy) >= 1");
    login(f, 0, "ann");
    track(f, 0, "buy");
    sync(f, 0);
    login(f, 1, "ann");
    sync(f, 1);
    expect(f, 1, "show");
    assert_int_equal(cairn_logout(f->phones[1].client), CAIRN_OK);
    expect(f, 1, "audience");
    sync(f, 1);
    expect(f, 1, "audience"); /* an anonymous person who has done nothing */
    login(f, 1, "bob");
    expect(f, 1, "audience");
    sync(f, 1);
    expect(f, 1, "audience");
    login(f, 1, "ann");
    sync(f, 1);
    expect(f, 1, "show");
}

static void a_device_that_was_logged_out_is_nobodys_for_the_server(void **state) {
    fixture *f = *state;
    char json[256];
    char device[33] = "";
    cairn__buffer answer = cairn__buffer_make(cairn__heap(), 1 << 20);
    put_popup(f, "count(buy) >= 1");
    login(f, 0, "ann");
    track(f, 0, "buy");
    sync(f, 0);
    (void)cairn__client_device_text(f->phones[0].client, (uint8_t *)device);
    (void)snprintf(json, sizeof json,
                   "{\"what\":\"event\",\"event\":{\"name\":\"view\"},\"device\":\"%s\"}", device);
    assert_true(server_decide(&f->s, json, &answer));
    cairn__buffer_byte(&answer, 0);
    assert_non_null(strstr((const char *)answer.data, "\"outcome\":\"show\""));
    assert_int_equal(cairn_logout(f->phones[0].client), CAIRN_OK);
    sync(f, 0);
    assert_true(server_decide(&f->s, json, &answer));
    cairn__buffer_byte(&answer, 0);
    assert_non_null(strstr((const char *)answer.data, "\"outcome\":\"none\""));
    cairn__buffer_free(&answer);
}

static void facts_that_come_for_the_person_before_are_dropped(void **state) {
    fixture *f = *state;
    phone *b = &f->phones[1];
    put_popup(f, "count(buy) >= 1 or user.vip = true");
    login(f, 0, "ann");
    track(f, 0, "buy");
    sync(f, 0);
    sync(f, 1);
    login(f, 1, "ann");
    cairn_flush(b->client);
    while (b->host.post_ticket == 0) {
        fake_host_commit(&b->host, b->client, true);
        (void)cairn_pump(b->client);
    }
    uint32_t status = fake_host_serve(&b->host); /* the server's answer is about Ann */
    assert_int_equal(status, 200);
    assert_int_not_equal(b->host.facts.len, 0);
    assert_int_equal(cairn_logout(b->client), CAIRN_OK);
    login(f, 1, "bob");
    fake_host_reply(&b->host, b->client, status, 0);
    expect(f, 1, "audience_unknown");
    sync(f, 1);
    expect(f, 1, "audience");
}

/* --- what only the server knows --------------------------------------------------------------- */

static void what_is_unknown_before_is_known_after(void **state) {
    fixture *f = *state;
    put_popup(f, "user.vip = true");
    login(f, 0, "ann");
    f->s.mute = true;
    sync(f, 0);
    expect(f, 0, "audience_unknown");
    f->s.mute = false;
    sync(f, 0);
    expect(f, 0, "audience");
    history_json(&f->s.state, "k1",
                 "{\"event\":\"\",\"type\":\"profile_set\",\"ids\":{\"login\":\"ann\"},"
                 "\"properties\":{\"vip\":true}}");
    sync(f, 0);
    expect(f, 0, "show");
}

static void an_audience_of_the_server_and_a_tag_are_known_not_to_hold(void **state) {
    fixture *f = *state;
    server_put(&f->s, CAIRN__DEFINITION_AUDIENCE, "press", "{\"server\":true}");
    put_popup(f, "not member(\\\"press\\\") and tag.rich is not set");
    f->s.mute = true;
    sync(f, 0);
    expect(f, 0, "audience_unknown");
    f->s.mute = false;
    sync(f, 0);
    expect(f, 0, "show");
}

static void a_value_expires_where_time_alone_changes_it(void **state) {
    fixture *f = *state;
    put_popup(f, "did(buy, last 1 day)");
    login(f, 0, "ann");
    track(f, 0, "buy");
    sync(f, 0);
    login(f, 1, "ann");
    sync(f, 1);
    expect(f, 1, "show");
    f->phones[1].host.wall_ms += INT64_C(25) * HOUR_MS;
    f->phones[1].host.mono_ms += INT64_C(25) * HOUR_MS;
    expect(f, 1, "audience");
}

static void who_has_the_facts_is_told_so_and_not_told_again(void **state) {
    fixture *f = *state;
    put_popup(f, "count(buy) >= 1");
    login(f, 0, "ann");
    sync(f, 0);
    assert_int_equal(f->s.told > 0, 1);
    uint64_t told = f->s.told;
    uint64_t same = f->s.same;
    track(f, 0, "other");
    sync(f, 0);
    sync(f, 0);
    assert_int_equal(f->s.told, told);
    assert_true(f->s.same > same);
    uint64_t version = f->phones[0].host.facts_version;
    track(f, 0, "buy");
    sync(f, 0);
    assert_true(f->s.told > told);
    assert_true(f->phones[0].host.facts_version > version);
}

#define WITH_FIXTURE(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(a_purchase_on_one_device_reaches_the_other_with_its_next_sync),
        WITH_FIXTURE(what_happens_here_after_that_is_counted_on),
        WITH_FIXTURE(who_logs_out_or_in_does_not_take_the_facts_along),
        WITH_FIXTURE(a_device_that_was_logged_out_is_nobodys_for_the_server),
        WITH_FIXTURE(facts_that_come_for_the_person_before_are_dropped),
        WITH_FIXTURE(what_is_unknown_before_is_known_after),
        WITH_FIXTURE(an_audience_of_the_server_and_a_tag_are_known_not_to_hold),
        WITH_FIXTURE(a_value_expires_where_time_alone_changes_it),
        WITH_FIXTURE(who_has_the_facts_is_told_so_and_not_told_again),
    };
    return cmocka_run_group_tests_name("collector/facts/told", tests, NULL, NULL);
}
