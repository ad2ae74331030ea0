/* Goal: POST /v1/decide answers exactly the bytes that cairn_decide gives on the device, for the
 * same person, definitions and moment.
 * Method: devices that track, log in and out, write profiles, see popups and slots, under random
 * definitions as operators write them; now and then everything is sent, and then both are asked for
 * every event, popup, slot and experiment. The server folds the very bytes that devices sent. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cairn/cairn_decide.h"
#include "client/client.h"
#include "support/cmocka_all.h"
#include "support/signed_bundle.h"
#include "unit/collector/facts/server.h"

enum {
    ROUNDS = 32,
    STEPS = 24,
    POPUPS = 6,
    EXPERIMENTS = 3,
    FLAGS = 2,
    EVENTS = 4,
    JSON_BYTES = 8192
};

typedef struct fixture {
    server s;
    fake_host host;
    cairn_bundle_key key;
    cairn_client *client;
    char device[33];
    char logins[2][16]; /* of this device alone: caps are what other devices are not told */
    int login;          /* -1: nobody */
    bool zoned;
    unsigned seen;
    const char *page;
    cairn__buffer answer;
    uint64_t decisions, shown;
} fixture;

static const char *const events[EVENTS] = { "look", "cart", "buy", "quit" };
static const char *const texts[] = { "x", "y", "sku-1", "sku-2", "sku-3" };

static uint64_t dice(fixture *f, uint64_t below) {
    return fake_host_random(&f->host, below);
}

/* --- random definitions ----------------------------------------------------------------------- */

static const char *rule(fixture *f) {
    static const char *const rules[] = {
        "count(look) >= 3",
        "count(cart, last 2 days) >= 1 and not did(buy, last 1 day)",
        "sum(buy.n, last 30 days) > 20",
        "user.vip = true",
        "user.level >= 2 or count(quit) >= 2",
        "user.city is not set",
        "tag.rich = 1",
        "member(\\\"lookers\\\")",
        "not member(\\\"press\\\")",
        "last(look.s) = \\\"x\\\"",
        "distinct(look.s) >= 2 and max(buy.n) < 40",
        "sequence(look, cart, not buy, within 2 hours)",
        "device.os = \\\"ios\\\"",
        "session.number >= 2 and device.platform = \\\"test\\\"",
        "count(look, today in user time) >= 2",
        "days(look, this month) >= 2",
        "now - last(cart.time) < 1 day",
        "session.started > 2020-01-01",
    };
    return rules[dice(f, sizeof rules / sizeof rules[0])];
}

static void put_popup(fixture *f, int i) {
    static const char *const per[] = { "\"session\"", "\"day\"", "\"2 hours\"", "\"week\"" };
    static const char *const of[] = { "shows", "clicks", "closes", "conversions" };
    static const char *const pages[] = { "", ",\"pages\":[{\"starts_with\":\"/p\"}]",
                                         ",\"not_pages\":[\"/pay\"]" };
    char json[JSON_BYTES];
    char name[16];
    (void)snprintf(name, sizeof name, "p%d", i);
    (void)snprintf(
        json, sizeof json,
        "{\"priority\":%d,\"triggers\":[{\"event\":\"%s\",\"where\":\"n > %d or %s\"},"
        "\"%s\"],\"audience\":\"%s\"%s%s,\"caps\":[{\"at_most\":%d,\"of\":\"%s\",\"per\":%s}],"
        "\"groups\":[\"g\"],\"holdout\":0.1,\"variants\":[{\"name\":\"a\",\"content\":{\"t\":"
        "%d}},{\"name\":\"b\",\"content\":{}},{\"name\":\"none\",\"control\":true}],"
        "\"goal\":{\"event\":\"buy\",\"where\":\"n > 5\",\"within\":\"1 day\"}}",
        (int)dice(f, 3), events[dice(f, EVENTS - 1)], (int)dice(f, 60), rule(f),
        events[dice(f, EVENTS)], rule(f), pages[dice(f, 3)],
        dice(f, 4) == 0 ? ",\"quiet\":[\"22:00-08:00\"]" : "", 1 + (int)dice(f, 3), of[dice(f, 4)],
        per[dice(f, 4)], (int)dice(f, 100));
    server_put(&f->s, CAIRN__DEFINITION_POPUP, name, json);
}

static void put_experiment(fixture *f, int i) {
    char json[JSON_BYTES];
    char name[16];
    (void)snprintf(name, sizeof name, "e%d", i);
    (void)snprintf(
        json, sizeof json,
        "{\"unit\":\"%s\",\"salt\":\"s%d\",\"coverage\":0.8,\"audience\":\"%s\",\"variants\":"
        "[{\"name\":\"a\",\"value\":1},{\"name\":\"b\",\"value\":2}]%s,\"fallback\":0}",
        dice(f, 2) == 0 ? "device" : "login", (int)dice(f, 1000), rule(f),
        i > 0 && dice(f, 2) == 0 ? ",\"prerequisites\":[\"e0\"]" : "");
    server_put(&f->s, CAIRN__DEFINITION_EXPERIMENT, name, json);
}

/* Rules among those before it, the first one's flag among them. */
static void put_flag(fixture *f, int i) {
    char json[JSON_BYTES];
    char name[16];
    int first = (int)dice(f, (uint64_t)i);
    (void)snprintf(name, sizeof name, "e%d", i);
    (void)snprintf(json, sizeof json,
                   "{\"rules\":[{\"experiment\":\"e%d\",\"gate\":%s},\"e%d\"],\"fallback\":7}",
                   first, dice(f, 2) == 0 ? "true" : "false",
                   (first + 1 + (int)dice(f, (uint64_t)i - 1)) % i);
    server_put(&f->s, CAIRN__DEFINITION_EXPERIMENT, name, json);
}

static void put_slot(fixture *f) {
    char json[JSON_BYTES];
    (void)snprintf(
        json, sizeof json,
        "{\"size\":%d,\"items\":[{\"id\":\"sku-1\",\"properties\":{\"category\":\"c\",\"m\":3},"
        "\"content\":{}},{\"id\":\"sku-2\",\"properties\":{\"category\":\"c\",\"m\":%d},"
        "\"audience\":"
        "\"%s\",\"content\":{}},{\"id\":\"sku-3\",\"properties\":{\"m\":5},\"content\":{}}],"
        "\"lists\":"
        "{\"all\":[\"sku-1\",\"sku-2\",\"sku-3\"]},\"strategies\":[{\"name\":\"one\",\"audience\":"
        "\"%s\",\"recall\":[{\"recent\":{\"event\":\"look\",\"property\":\"s\"}},{\"list\":\"all\"}"
        "],"
        "\"bought\":{\"event\":\"buy\",\"property\":\"s\"},\"item_caps\":[{\"at_most\":%d,\"per\":"
        "\"session\"}],\"fallback\":\"all\",\"rank\":[{\"property\":\"m\",\"weight\":0.5},"
        "{\"by_recall\":true}],\"exploration\":0.%d,\"no_repeat\":%d},{\"name\":\"two\",\"recall\":"
        "[{\"list\":\"all\"}]}],\"default\":\"all\"}",
        1 + (int)dice(f, 3), (int)dice(f, 9), rule(f), rule(f), 1 + (int)dice(f, 3),
        (int)dice(f, 9), (int)dice(f, 3));
    server_put(&f->s, CAIRN__DEFINITION_SLOT, "home", json);
}

static void put_all(fixture *f) {
    char json[JSON_BYTES];
    server_put(&f->s, CAIRN__DEFINITION_SETTINGS, "settings",
               "{\"zones\":[\"Asia/Shanghai\",\"Europe/Berlin\"],\"caps\":[{\"at_most\":9,\"per\":"
               "\"day\"}],\"groups\":{\"g\":{\"caps\":[{\"at_most\":4,\"per\":\"day\"}]}}}");
    server_put(&f->s, CAIRN__DEFINITION_AUDIENCE, "press", "{\"server\":true}");
    (void)snprintf(json, sizeof json, "{\"rule\":\"count(look, last 3 days) >= %d\"}",
                   1 + (int)dice(f, 4));
    server_put(&f->s, CAIRN__DEFINITION_AUDIENCE, "lookers", json);
    for (int i = 0; i < POPUPS; i++) {
        put_popup(f, i);
    }
    for (int i = 0; i < EXPERIMENTS; i++) {
        put_experiment(f, i);
    }
    for (int i = 0; i < FLAGS; i++) {
        put_flag(f, EXPERIMENTS + i);
    }
    put_slot(f);
}

/* --- a life ----------------------------------------------------------------------------------- */

static void close_popups(fixture *f) {
    for (int i = 0; i < 40; i++) {
        fake_host_pass(&f->host, f->client, 50);
        if (f->client->deciding.showing.stage == CAIRN__SHOWING_NONE) {
            break;
        }
        cairn_span name = f->client->deciding.showing.name;
        if (dice(f, 3) == 0) {
            (void)cairn_popup_done(f->client, name, CAIRN_POPUP_CLICKED, NULL, 0);
        }
        f->shown += 1;
        (void)cairn_popup_done(f->client, name, CAIRN_POPUP_CLOSED, NULL, 0);
    }
    f->client->deciding.queue.count = 0; /* what waits is the device's own affair */
}

static void track(fixture *f) {
    cairn_property properties[2] = {
        { CAIRN_STR("n"), { CAIRN_VALUE_INTEGER, { .integer = (int64_t)dice(f, 50) } } },
        { CAIRN_STR("s"), { CAIRN_VALUE_STRING, { .string = cairn__span_of(texts[dice(f, 5)]) } } },
    };
    assert_int_equal(cairn_track(f->client, cairn__span_of(events[dice(f, EVENTS)]), properties, 2),
                     CAIRN_OK);
}

static void change_profile(fixture *f) {
    const cairn_property vip = { CAIRN_STR("vip"),
                                 { CAIRN_VALUE_BOOLEAN, { .boolean = dice(f, 2) == 0 } } };
    const cairn_property level = { CAIRN_STR("level"), { CAIRN_VALUE_INTEGER, { .integer = 1 } } };
    const cairn_property city = { CAIRN_STR("city"),
                                  { CAIRN_VALUE_STRING, { .string = CAIRN_STR("Xi'an") } } };
    switch (dice(f, 4)) {
    case 0:
        (void)cairn_profile(f->client, CAIRN_PROFILE_SET, &vip, 1);
        break;
    case 1:
        (void)cairn_profile(f->client, CAIRN_PROFILE_INCREMENT, &level, 1);
        break;
    case 2:
        (void)cairn_profile(f->client, CAIRN_PROFILE_SET, &city, 1);
        break;
    default:
        (void)cairn_profile(f->client, CAIRN_PROFILE_UNSET, &city, 1);
        break;
    }
}

static void change_person(fixture *f) {
    if (f->login >= 0 && dice(f, 2) == 0) {
        (void)cairn_logout(f->client);
        f->login = -1;
        return;
    }
    f->login = (int)dice(f, 2);
    (void)cairn_login(f->client,
                      (cairn_id){ CAIRN_STR("login"), cairn__span_of(f->logins[f->login]) });
}

static void change_place(fixture *f) {
    static const char *const pages[] = { "/", "/p/1", "/pay" };
    f->page = pages[dice(f, 3)];
    assert_int_equal(cairn_set_page(f->client, cairn__span_of(f->page)), CAIRN_OK);
    f->zoned = dice(f, 2) == 0;
    (void)cairn_set_zone(f->client, f->zoned ? CAIRN_STR("Europe/Berlin") : CAIRN_STR(""),
                         (cairn_span){ NULL, 0 });
}

static void step(fixture *f) {
    cairn_span answer;
    uint64_t kind = dice(f, 20);
    if (kind < 12) {
        track(f);
    } else if (kind < 14) {
        change_profile(f);
    } else if (kind == 14) {
        change_person(f);
    } else if (kind == 15) {
        change_place(f);
    } else if (kind == 16) {
        (void)cairn_slot_done(f->client, CAIRN_STR("home"), cairn__span_of(texts[2 + dice(f, 3)]),
                              1 + (uint32_t)dice(f, 2),
                              dice(f, 2) == 0 ? CAIRN_SLOT_SHOWN : CAIRN_SLOT_CLICKED);
    } else if (kind == 17) {
        static const char *const names[] = { "e0", "e1", "e3", "e4" };
        (void)cairn_experiment(f->client, cairn__span_of(names[dice(f, 4)]), &answer);
    } else {
        int64_t pause_ms = (int64_t)dice(f, 5 * 3600 * 1000);
        f->host.wall_ms += pause_ms;
        f->host.mono_ms += pause_ms;
    }
    close_popups(f);
}

/* --- both are asked --------------------------------------------------------------------------- */

static void write_request(const fixture *f, const cairn_decide_query *query, char *to,
                          size_t bytes) {
    static const char *const words[] = { "event", "popup", "slot", "experiment", "experiments" };
    char person[64] = "";
    char what[160];
    if (f->login >= 0) {
        (void)snprintf(person, sizeof person, "\"ids\":{\"login\":\"%s\"},", f->logins[f->login]);
    }
    if (query->what == CAIRN_DECIDE_EVENT) {
        (void)snprintf(what, sizeof what,
                       "\"event\":{\"name\":\"%.*s\",\"properties\":{\"n\":%d,\"s\":\"x\"}}",
                       (int)query->name.len, (const char *)query->name.data,
                       (int)query->properties[0].value.as.integer);
    } else {
        (void)snprintf(what, sizeof what, "\"name\":\"%.*s\"", (int)query->name.len,
                       (const char *)query->name.data);
    }
    (void)snprintf(to, bytes,
                   "{\"what\":\"%s\",%s,%s\"device\":\"%s\",\"now\":%" PRId64
                   ",\"page\":\"%s\",\"timezone\":\"%s\",\"session\":%" PRIu64
                   ",\"session_started\":%" PRId64
                   ",\"device_facts\":{\"os\":\"ios\",\"platform\":\"test\"}}",
                   words[query->what], what, person, f->device, f->host.wall_ms, f->page,
                   f->zoned ? "Europe/Berlin" : "", f->client->journal.state.session,
                   f->client->journal.state.session_start_ms);
}

static void compare(fixture *f, const cairn_decide_query *query) {
    char json[JSON_BYTES];
    cairn_span answer;
    write_request(f, query, json, sizeof json);
    assert_int_equal(cairn_decide(f->client, query, &answer), CAIRN_OK);
    if (!server_decide(&f->s, json, &f->answer)) {
        fail_msg("%s: %s: %s", json, f->s.problem.field, f->s.problem.detail);
    }
    if (!cairn__span_equal(answer, cairn__buffer_span(&f->answer))) {
        fail_msg("%s\ndevice %.*s\nserver %.*s", json, (int)answer.len, (const char *)answer.data,
                 (int)f->answer.len, (const char *)f->answer.data);
    }
    f->decisions += 1;
}

static void compare_named(fixture *f, cairn_decide_what what, const char *prefix, int count) {
    char name[16];
    for (int i = 0; i < count; i++) {
        (void)snprintf(name, sizeof name, "%s%d", prefix, i);
        const cairn_decide_query query = { .what = what, .name = cairn__span_of(name) };
        compare(f, &query);
    }
}

static void compare_all(fixture *f) {
    for (int i = 0; i < 2 * EVENTS; i++) {
        const cairn_property properties[2] = {
            { CAIRN_STR("n"), { CAIRN_VALUE_INTEGER, { .integer = (int64_t)dice(f, 60) } } },
            { CAIRN_STR("s"), { CAIRN_VALUE_STRING, { .string = CAIRN_STR("x") } } },
        };
        const cairn_decide_query query = { CAIRN_DECIDE_EVENT, cairn__span_of(events[i % EVENTS]),
                                           properties, 2 };
        compare(f, &query);
    }
    compare_named(f, CAIRN_DECIDE_POPUP, "p", POPUPS + 1); /* one that there is not */
    compare_named(f, CAIRN_DECIDE_EXPERIMENT, "e", EXPERIMENTS + FLAGS + 1);
    const cairn_decide_query slot = { .what = CAIRN_DECIDE_SLOT, .name = CAIRN_STR("home") };
    const cairn_decide_query all = { .what = CAIRN_DECIDE_EXPERIMENTS };
    compare(f, &slot);
    compare(f, &all);
}

/* --- all of it -------------------------------------------------------------------------------- */

static void boot(fixture *f) {
    const cairn_property os = { CAIRN_STR("os"),
                                { CAIRN_VALUE_STRING, { .string = CAIRN_STR("ios") } } };
    const cairn_options options = { .project_key = CAIRN_STR("shop-key"),
                                    .platform = CAIRN_STR("test"),
                                    .decide = { .keys = &f->key, .key_count = 1 } };
    f->client = fake_host_boot(&f->host, &options);
    assert_non_null(f->client);
    assert_int_equal(cairn_set_device(f->client, &os, 1), CAIRN_OK);
    f->page = "";
    f->zoned = false;
    f->login = -1;
    memset(f->device, 0, sizeof f->device);
    (void)cairn__client_device_text(f->client, (uint8_t *)f->device);
}

static void sync(fixture *f) {
    cairn_flush(f->client);
    fake_host_pass(&f->host, f->client, 15 * 60 * 1000);
}

static void run(fixture *f, uint64_t seed) {
    fake_host_open(&f->host, seed);
    server_serve(&f->s, &f->host);
    (void)snprintf(f->logins[0], sizeof f->logins[0], "ann-%d", (int)seed);
    (void)snprintf(f->logins[1], sizeof f->logins[1], "bob-%d", (int)seed);
    boot(f);
    sync(f);
    for (int i = 0; i < STEPS; i++) {
        step(f);
        if (i % 3 == 2) {
            sync(f);
            close_popups(f);
            sync(f);
            compare_all(f);
        }
    }
    cairn_close(f->client);
    fake_host_close(&f->host);
}

static void the_server_answers_the_bytes_that_the_device_gives(void **state) {
    (void)state;
    static fixture f;
    f.key = signed_bundle_key();
    f.answer = cairn__buffer_make(cairn__heap(), 1 << 20);
    server_open(&f.s, "same_bytes");
    fake_host_open(&f.host, 99); /* its dice, before there is a device */
    for (uint64_t round = 0; round < ROUNDS; round++) {
        if (round % 2 == 0) {
            put_all(&f);
        }
        fake_host_close(&f.host);
        run(&f, round + 1);
        fake_host_open(&f.host, round + 100);
    }
    fake_host_close(&f.host);
    print_message("%" PRIu64 " decisions the same; %" PRIu64 " popups shown; facts told %" PRIu64
                  " times, the same %" PRIu64 " times\n",
                  f.decisions, f.shown, f.s.told, f.s.same);
    assert_true(f.decisions >= 5000);
    assert_true(f.shown > 50 && f.s.told > 100 && f.s.same > 100);
    cairn__buffer_free(&f.answer);
    server_close(&f.s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_server_answers_the_bytes_that_the_device_gives),
    };
    return cmocka_run_group_tests_name("collector/facts/same_bytes", tests, NULL, NULL);
}
