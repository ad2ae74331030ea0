/* Goal: caps are exact. Whatever is killed, fails, is reloaded, and however the clock and the place
 * change: never one popup more on the screen than any cap allows, of the person, the popup, its
 * group or all, by the windows of docs/DECISIONS.md at the clock and in the zone that the device
 * had then; and, as long as no write failed, none is refused that was not meant to be shown before.
 * Method: caps_oracle.h holds what was heard; a fixed scenario dies at every storage operation, and
 * random lives of several persons do whatever they can. */
#include "caps_oracle.h"
#include "fake_host.h"
#include "support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "client/client.h"
#include "support/signed_bundle.h"
#include "world.h"

enum {
    LIVES = 120,
    STEPS = 150,
    PERSONS = 3,
    LOGOUTS_MAX = 8,
    VERSIONS_MAX = 64,
    SEQS_MAX = 10000
};
static const int64_t minute_ms = 60000;
static const int64_t hour_ms = 3600000;
static const int64_t day_ms = 86400000;

static const char *const zones[] = { "UTC",
                                     "Europe/Berlin",
                                     "America/New_York",
                                     "Pacific/Auckland",   /* +12, +13 */
                                     "Pacific/Kiritimati", /* +14 */
                                     "Asia/Shanghai" };
enum { ZONES = sizeof zones / sizeof zones[0] };
/* 2026-10-25 and 2027-03-28 in Berlin, 2026-11-01 in New York, 2026-09-27 in Auckland; the first
 * of a month. */
static const int64_t nights[] = { 1792886400000, 1806192000000, 1793512800000, 1790431200000,
                                  1796083200000 };
enum { NIGHTS = sizeof nights / sizeof nights[0] };

typedef struct life {
    world *w;
    fake_host host;
    cairn_bundle_key key;
    cairn_options options;
    cairn_client *client;
    caps_life seen;
    caps_rules rules[VERSIONS_MAX]; /* by the bundle's version */
    uint64_t versions;
    const char *zone;
    uint64_t attempt_seq; /* of the newest show that was noted */
    unsigned heard;       /* of the listener's popups, those that were noted */
    uint64_t ops_left;    /* until the process dies */
    bool write_failed;    /* then one too few is allowed */
    int logouts;
    uint64_t shows, checks, refusals, deaths;
} life;

static uint64_t dice(life *l, uint64_t below) {
    return fake_host_random(&l->host, below);
}
/* --- definitions ------------------------------------------------------------------------------ */

static void add_list(char *json, size_t bytes, const caps_list *list) {
    static const char *const per[] = { "ever", "", "session", "day", "week", "month" };
    size_t len = strlen(json);
    const char *comma = "";
    len += (size_t)snprintf(json + len, bytes - len, "[");
    for (size_t i = 0; i < CAPS_OF_LIST; i++) {
        const caps_cap *cap = &list->all[i];
        char hours[32];
        (void)snprintf(hours, sizeof hours, "%lld hours", (long long)cap->hours);
        if (cap->count > 0) {
            len += (size_t)snprintf(json + len, bytes - len, "%s{\"at_most\":%d,\"per\":\"%s\"}",
                                    comma, cap->count,
                                    cap->window == CAPS_ROLLING ? hours : per[cap->window]);
            comma = ",";
        }
    }
    (void)snprintf(json + len, bytes - len, "]");
}

static void put(life *l, cairn__definition_kind kind, const char *name, const char *json) {
    cairn__catalog_outcome outcome = world_put(l->w, kind, name, json);
    if (outcome != CAIRN__CATALOG_DONE && outcome != CAIRN__CATALOG_SAME) {
        fail_msg("%s: %s", json, l->w->result.problem.fault.detail);
    }
}

/* Every popup is brought by every "view". */
static void publish(life *l, const caps_rules *rules) {
    char json[1000];
    (void)snprintf(json, sizeof json, "{\"caps\":");
    add_list(json, sizeof json, &rules->everything);
    (void)snprintf(json + strlen(json), sizeof json - strlen(json),
                   ",\"groups\":{\"g\":{\"caps\":");
    add_list(json, sizeof json, &rules->group);
    (void)snprintf(json + strlen(json), sizeof json - strlen(json), "}}}");
    put(l, CAIRN__DEFINITION_SETTINGS, "settings", json);
    for (int i = 0; i < CAPS_POPUPS; i++) {
        const char name[] = { 'p', (char)('0' + i), '\0' };
        (void)snprintf(json, sizeof json,
                       "{\"triggers\":[\"view\"],\"priority\":%d,\"content\":{}%s,\"caps\":", i,
                       i < 2 ? ",\"groups\":[\"g\"]" : "");
        add_list(json, sizeof json, &rules->popups[i]);
        (void)snprintf(json + strlen(json), sizeof json - strlen(json), "}");
        put(l, CAIRN__DEFINITION_POPUP, name, json);
    }
    l->host.bundle_version = signed_bundle_make(l->w->catalog, &l->host.bundle);
    l->versions = l->host.bundle_version;
    assert_true(l->versions < VERSIONS_MAX);
    l->rules[l->versions] = *rules;
}

static caps_cap some_cap(life *l, int most) {
    caps_cap cap = { .count = 1 + (int)dice(l, (uint64_t)most) };
    cap.window = (caps_window)dice(l, 6);
    cap.hours = 1 + (int64_t)dice(l, 60);
    return cap;
}

static caps_rules some_rules(life *l) {
    caps_rules rules = { .popups = { { .all = { { 0 } } } } };
    for (int i = 0; i < CAPS_POPUPS; i++) {
        rules.popups[i].all[0] = some_cap(l, 3);
        rules.popups[i].all[1] = some_cap(l, 5);
    }
    rules.group.all[0] = some_cap(l, 6);
    rules.everything.all[0] = some_cap(l, 9);
    return rules;
}

/* --- the device ------------------------------------------------------------------------------- */

static caps_ask ask_of(const life *l, int popup, bool heard_only) {
    return (caps_ask){ .popup = popup,
                       .now_ms = l->host.wall_ms,
                       .session = l->client->journal.state.session,
                       .zone = l->zone,
                       .heard_only = heard_only };
}

static const caps_rules *rules_now(const life *l) {
    return &l->rules[l->client->deciding.held.version];
}

static void show_records(const life *l) {
    for (size_t i = 0; i < l->seen.count; i++) {
        const caps_record *r = &l->seen.records[i];
        print_error("seq %llu %s %d at %lld, session %llu, of %d%s\n", (unsigned long long)r->seq,
                    r->kind == CAPS_SHOW    ? "show"
                    : r->kind == CAPS_LOGIN ? "login"
                                            : "logout",
                    r->who, (long long)r->time_ms, (unsigned long long)r->session, r->owner,
                    r->heard ? ", heard" : "");
    }
    const cairn_id known = cairn__local_current(l->client->deciding.local);
    cairn_client_status status;
    cairn_get_status(l->client, &status);
    for (int i = 0; i < CAPS_POPUPS; i++) {
        const caps_cap *cap = rules_now(l)->popups[i].all;
        print_error("popup %d: %d in %d (%lld h), %d in %d (%lld h)\n", i, cap[0].count,
                    (int)cap[0].window, (long long)cap[0].hours, cap[1].count, (int)cap[1].window,
                    (long long)cap[1].hours);
    }
    print_error("the client knows \"%.*s\", its memory \"%.*s\"\n", (int)status.login_id.len,
                (const char *)status.login_id.data, (int)known.value.len,
                (const char *)known.value.data);
    print_error("now %lld, session %llu, of %d, in %s; %llu deaths\n", (long long)l->host.wall_ms,
                (unsigned long long)l->client->journal.state.session, l->seen.current, l->zone,
                (unsigned long long)l->deaths);
}

static bool is_forbidden(const life *l, const caps_ask *ask) {
    return caps_reached(&l->seen, rules_now(l), ask, CAPS_OF_POPUP) ||
           caps_reached(&l->seen, rules_now(l), ask, CAPS_OF_GROUP) ||
           caps_reached(&l->seen, rules_now(l), ask, CAPS_OF_ALL);
}

/* Nothing that was on the screen forbids it. */
static void expect_allowed(const life *l, int popup) {
    const caps_ask ask = ask_of(l, popup, true);
    if (is_forbidden(l, &ask)) {
        show_records(l);
        fail_msg("popup %d is allowed, and a cap is reached", popup);
    }
}

/* One is on its way to the screen. */
static void note_attempt(life *l) {
    const cairn__showing *showing = &l->client->deciding.showing;
    if (showing->stage != CAIRN__SHOWING_UNKEPT || showing->seq == l->attempt_seq) {
        return;
    }
    int popup = showing->name.data[1] - '0';
    expect_allowed(l, popup);
    l->attempt_seq = showing->seq;
    caps_add(&l->seen, (caps_record){ .kind = CAPS_SHOW,
                                      .seq = showing->seq,
                                      .who = popup,
                                      .time_ms = l->host.wall_ms,
                                      .session = l->client->journal.state.session });
}

/* After every call: did it decide for one, has the listener heard of one? */
static void look(life *l) {
    note_attempt(l);
    if (l->host.popups == l->heard) {
        return;
    }
    assert_int_equal(l->host.popups, l->heard + 1);
    l->heard += 1;
    l->shows += 1;
    caps_record *newest = NULL;
    for (size_t i = 0; i < l->seen.count; i++) {
        newest = l->seen.records[i].kind == CAPS_SHOW ? &l->seen.records[i] : newest;
    }
    if (newest == NULL || newest->heard) {
        fail_msg("the listener heard of one that nobody decided for");
        return;
    }
    newest->heard = true;
}

static void set_zone(life *l, const char *zone) {
    static uint8_t bytes[1 << 16];
    char path[100];
    (void)snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", zone);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    l->zone = zone;
    assert_int_equal(cairn_set_zone(l->client, cairn__span_of(zone), (cairn_span){ bytes, len }),
                     CAIRN_OK);
}

/* A login or logout that could not be written to the queue may be in the client's state: then it
 * was said again at the start. */
static void agree(life *l) {
    cairn_client_status status;
    cairn_get_status(l->client, &status);
    int person = status.login_id.len > 0 ? status.login_id.data[0] - 'a' : CAPS_OWNER_ANONYMOUS;
    bool anonymous = l->seen.current >= CAPS_OWNER_ANONYMOUS;
    if (anonymous ? person == CAPS_OWNER_ANONYMOUS : person == l->seen.current) {
        return;
    }
    assert_true(l->write_failed);
    caps_add(&l->seen,
             (caps_record){ .kind = person == CAPS_OWNER_ANONYMOUS ? CAPS_LOGOUT : CAPS_LOGIN,
                            .seq = l->client->journal.state.next_seq - 1,
                            .who = person });
}

static void boot(life *l) {
    l->client = fake_host_boot(&l->host, &l->options);
    assert_non_null(l->client);
    set_zone(l, l->zone);
    static bool survived[SEQS_MAX]; /* in the queue, or at the server */
    memset(survived, 0, sizeof survived);
    assert_true(l->client->journal.state.next_seq < SEQS_MAX);
    const cairn__queue_item *item = l->client->journal.queue.first;
    for (; item != NULL; item = item->next) {
        survived[item->seq] = true;
    }
    for (size_t i = 0; i < l->host.event_count; i++) {
        survived[l->host.events[i].seq] = true;
    }
    assert_int_equal(caps_forget(&l->seen, survived), 0);
    agree(l);
    l->attempt_seq = 0;
    look(l);
}

/* The process dies; what was on its way to the disk got there in part, or not at all. */
static void die(life *l, bool torn) {
    cairn_close(l->client);
    if (torn) {
        fake_host_crash(&l->host);
    }
    fake_host_forget(&l->host);
    l->host.post_ticket = 0;
    l->deaths += 1;
    boot(l);
}

/* The disk does what it was told, until the process dies. */
static void commit(life *l) {
    while (l->host.op_count > 0) {
        if (l->ops_left == 0) {
            l->ops_left = UINT64_MAX;
            die(l, dice(l, 2) == 0);
            return;
        }
        l->ops_left -= 1;
        fake_host_commit_one(&l->host, l->client, true);
        look(l);
    }
}

static void pump(life *l) {
    (void)cairn_pump(l->client);
    look(l);
}

static void exchange(life *l) {
    uint32_t status = fake_host_serve(&l->host);
    if (l->host.post_ticket != 0) {
        fake_host_reply(&l->host, l->client, status, 0);
        look(l);
    }
}

static void settle(life *l) {
    for (int i = 0; i < 4; i++) {
        commit(l);
        pump(l);
        exchange(l);
    }
    commit(l);
}

static void close_popup(life *l) {
    const cairn__showing *showing = &l->client->deciding.showing;
    if (showing->stage == CAIRN__SHOWING_OPEN) {
        (void)cairn_popup_done(l->client, showing->name, CAIRN_POPUP_CLOSED, NULL, 0);
        look(l);
    }
}

static void view(life *l) {
    assert_int_equal(cairn_track(l->client, CAIRN_STR("view"), NULL, 0), CAIRN_OK);
    look(l);
}

static void log_in(life *l, int person) {
    const char name[] = { (char)('a' + person), '\0' };
    uint64_t before = l->client->journal.state.next_seq;
    assert_int_equal(cairn_login(l->client, (cairn_id){ CAIRN_STR("login"), cairn__span_of(name) }),
                     CAIRN_OK);
    if (l->client->journal.state.next_seq > before) {
        caps_add(&l->seen, (caps_record){ .kind = CAPS_LOGIN, .seq = before, .who = person });
    }
    look(l);
}

static void log_out(life *l) {
    uint64_t before = l->client->journal.state.next_seq;
    assert_int_equal(cairn_logout(l->client), CAIRN_OK);
    if (l->client->journal.state.next_seq > before) {
        caps_add(&l->seen, (caps_record){ .kind = CAPS_LOGOUT, .seq = before });
    }
    l->logouts += 1;
    look(l);
}

static void pass(life *l, int64_t ms) {
    l->host.wall_ms += ms;
    l->host.mono_ms += ms;
}

/* --- what must hold --------------------------------------------------------------------------- */

static bool says(cairn_span answer, const char *part) {
    size_t len = strlen(part);
    for (size_t i = 0; i + len <= answer.len; i++) {
        if (memcmp(answer.data + i, part, len) == 0) {
            return true;
        }
    }
    return false;
}

static void expect_meant(life *l, int popup, caps_scope scope) {
    const caps_ask ask = ask_of(l, popup, false);
    l->refusals += 1;
    if (!l->write_failed && !caps_reached(&l->seen, rules_now(l), &ask, scope)) {
        show_records(l);
        fail_msg("popup %d was refused, and no cap (%d) is reached", popup, (int)scope);
    }
}

static void check_popup(life *l, int popup) {
    const char name[] = { 'p', (char)('0' + popup), '\0' };
    const cairn_decide_query query = { .what = CAIRN_DECIDE_POPUP, .name = cairn__span_of(name) };
    cairn_span answer;
    if (cairn_decide(l->client, &query, &answer) != CAIRN_OK) {
        return; /* there is no bundle yet */
    }
    l->checks += 1;
    if (says(answer, "\"reason\":\"cap\"")) {
        expect_meant(l, popup, CAPS_OF_POPUP);
    } else if (says(answer, "\"reason\":\"cap_group\"")) {
        expect_meant(l, popup, CAPS_OF_GROUP);
    } else if (says(answer, "\"reason\":\"cap_all\"")) {
        expect_meant(l, popup, CAPS_OF_ALL);
    } else {
        expect_allowed(l, popup);
    }
}

static void check(life *l) {
    for (int i = 0; i < CAPS_POPUPS; i++) {
        check_popup(l, i);
    }
}

/* --- lives ------------------------------------------------------------------------------------ */

static void begin(life *l, uint64_t seed, const caps_rules *rules) {
    memset(&l->seen, 0, sizeof l->seen);
    l->seen.current = CAPS_OWNER_ANONYMOUS;
    assert_int_equal(world_open((void **)&l->w), 0);
    fake_host_open(&l->host, seed);
    l->key = signed_bundle_key();
    l->options = (cairn_options){ .project_key = CAIRN_STR("shop-key"),
                                  .platform = CAIRN_STR("test"),
                                  .decide = { .keys = &l->key, .key_count = 1 } };
    l->ops_left = UINT64_MAX;
    l->zone = "UTC";
    l->heard = 0;
    l->write_failed = false;
    l->logouts = 0;
    const caps_rules first = rules != NULL ? *rules : some_rules(l);
    publish(l, &first);
    l->host.wall_ms = nights[seed % NIGHTS] + (int64_t)dice(l, 24) * hour_ms - day_ms / 2;
    boot(l);
    settle(l);
}

static void end(life *l) {
    cairn_close(l->client);
    fake_host_close(&l->host);
    assert_int_equal(world_close((void **)&l->w), 0);
}

static void move_clock(life *l) {
    const int64_t jumps[] = { minute_ms, 59 * minute_ms, hour_ms, 5 * hour_ms, day_ms };
    int64_t jump = jumps[dice(l, 5)] + (int64_t)dice(l, 3) - 1;
    if (dice(l, 6) == 0) {
        l->host.wall_ms += dice(l, 2) == 0 ? jump : -jump; /* somebody sets it */
    } else if (dice(l, 40) == 0) {
        l->host.wall_ms += ((int64_t)dice(l, 80) - 40) * day_ms;
    } else {
        pass(l, jump);
    }
}

static void change_person(life *l) {
    if (l->logouts < LOGOUTS_MAX && dice(l, 4) == 0) {
        log_out(l);
    } else {
        log_in(l, (int)dice(l, PERSONS));
    }
}

static void replace_bundle(life *l) {
    if (l->versions + 10 < VERSIONS_MAX) {
        const caps_rules rules = some_rules(l);
        publish(l, &rules);
        assert_int_equal(cairn_set_bundle(l->client, cairn__buffer_span(&l->host.bundle)),
                         CAIRN_OK);
        look(l);
    }
}

static void fail_writes(life *l) {
    l->write_failed = true;
    fake_host_commit_one(&l->host, l->client, false);
    look(l);
}

static void step(life *l, bool writes_fail) {
    uint64_t what = dice(l, 40);
    if (what < 14) {
        view(l);
    } else if (what < 20) {
        close_popup(l);
    } else if (what < 25) {
        move_clock(l);
    } else if (what < 27) {
        change_person(l);
    } else if (what < 28) {
        set_zone(l, zones[dice(l, ZONES)]);
    } else if (what < 29) {
        replace_bundle(l);
    } else if (what < 30) {
        die(l, true);
    } else if (what < 31) {
        settle(l);
        die(l, false); /* a reload, when everything was kept */
    } else if (what < 32 && writes_fail) {
        fail_writes(l);
    } else if (what < 35) {
        fake_host_commit_one(&l->host, l->client, true);
        look(l);
    } else {
        settle(l);
    }
    pump(l);
    check(l);
}

static void no_random_life_shows_one_too_many_or_one_too_few(void **state) {
    (void)state;
    life *l = calloc(1, sizeof *l);
    assert_non_null(l);
    for (uint64_t seed = 1; seed <= LIVES; seed++) {
        begin(l, seed, NULL);
        for (int i = 0; i < STEPS; i++) {
            step(l, seed % 3 == 0);
        }
        end(l);
    }
    print_message("%llu shows, %llu questions, %llu refused by caps, %llu deaths\n",
                  (unsigned long long)l->shows, (unsigned long long)l->checks,
                  (unsigned long long)l->refusals, (unsigned long long)l->deaths);
    assert_true(l->shows > 500 && l->refusals > 5000 && l->deaths > 300);
    free(l);
}

/* --- death at every storage operation --------------------------------------------------------- */

/* Two persons and a newer bundle; more is wanted than caps allow. */
static void scenario(life *l) {
    for (int round = 0; round < 3; round++) {
        log_in(l, round % 2);
        settle(l);
        for (int i = 0; i < 4; i++) {
            view(l);
            settle(l);
            check(l);
            close_popup(l);
            settle(l);
            pass(l, 7 * hour_ms);
        }
        if (round == 1) {
            publish(l, &l->rules[l->versions]);
            (void)cairn_set_bundle(l->client, cairn__buffer_span(&l->host.bundle));
            look(l);
        }
        log_out(l);
        view(l);
        settle(l);
        close_popup(l);
    }
    settle(l);
    check(l);
}

static const caps_rules tight = {
    .popups = { { .all = { { 1, CAPS_DAY, 0 }, { 2, CAPS_EVER, 0 } } },
                { .all = { { 2, CAPS_ROLLING, 24 } } },
                { .all = { { 1, CAPS_SESSION, 0 }, { 3, CAPS_WEEK, 0 } } },
                { .all = { { 3, CAPS_MONTH, 0 } } } },
    .group = { .all = { { 2, CAPS_ROLLING, 36 } } },
    .everything = { .all = { { 4, CAPS_DAY, 0 } } },
};

static void a_death_at_any_storage_operation_keeps_caps_exact(void **state) {
    (void)state;
    life *l = calloc(1, sizeof *l);
    assert_non_null(l);
    begin(l, 1, &tight);
    scenario(l);
    uint64_t operations = l->host.submitted;
    uint64_t shows = l->shows;
    end(l);
    assert_true(operations > 100 && shows > 8);
    for (uint64_t at = 0; at < operations; at++) {
        l->deaths = 0;
        begin(l, 1, &tight);
        uint64_t begun = l->host.submitted;
        l->ops_left = at > begun ? at - begun : 0;
        scenario(l);
        assert_int_equal(l->deaths, 1);
        end(l);
    }
    print_message("died at each of %llu operations\n", (unsigned long long)operations);
    free(l);
}

/* --- worked cases ----------------------------------------------------------------------------- */

static bool shows_at(life *l, int64_t ms) {
    unsigned before = l->host.popups;
    pass(l, ms - l->host.wall_ms);
    view(l);
    settle(l);
    close_popup(l);
    settle(l);
    return l->host.popups > before;
}

/* One popup under this cap, in this zone; the day begins at 1793491200000, 2026-11-01T00:00Z. */
static life *alone(caps_cap cap, const char *zone) {
    const caps_cap never = { 1, CAPS_EVER, 0 };
    caps_rules rules = { .popups = { { .all = { cap } },
                                     { .all = { never } },
                                     { .all = { never } },
                                     { .all = { never } } } };
    life *l = calloc(1, sizeof *l);
    assert_non_null(l);
    begin(l, 1, &rules);
    for (int i = 0; i < CAPS_POPUPS - 1; i++) { /* the others have been seen */
        const char name[] = { 'p', (char)('1' + i), '\0' };
        assert_int_equal(cairn_popup_show(l->client, cairn__span_of(name), NULL), CAIRN_OK);
        look(l);
        settle(l);
        close_popup(l);
        settle(l);
    }
    l->host.wall_ms = 1793491200000;
    set_zone(l, zone);
    return l;
}

static void two_per_rolling_24_hours_allows_the_third_at_exactly_24_hours(void **state) {
    const int64_t day = 1793491200000;
    life *l = alone((caps_cap){ 2, CAPS_ROLLING, 24 }, "UTC");
    (void)state;
    assert_true(shows_at(l, day));
    assert_true(shows_at(l, day + 12 * hour_ms));
    assert_false(shows_at(l, day + day_ms - 1));
    assert_true(shows_at(l, day + day_ms));
    end(l);
    free(l);
}

static void one_per_day_in_shanghai_shows_at_15_59_and_at_16_01_utc(void **state) {
    const int64_t day = 1793491200000;
    life *l = alone((caps_cap){ 1, CAPS_DAY, 0 }, "Asia/Shanghai");
    (void)state;
    assert_true(shows_at(l, day + 15 * hour_ms + 59 * minute_ms));
    assert_false(shows_at(l, day + 16 * hour_ms - 1));
    assert_true(shows_at(l, day + 16 * hour_ms + minute_ms));
    end(l);
    free(l);
}

static void a_day_of_25_hours_is_one_day(void **state) {
    const int64_t midnight = 1792879200000; /* 2026-10-25T00:00 in Berlin */
    life *l = alone((caps_cap){ 1, CAPS_DAY, 0 }, "Europe/Berlin");
    (void)state;
    l->host.wall_ms = midnight - hour_ms;
    assert_true(shows_at(l, midnight));
    assert_false(shows_at(l, midnight + 25 * hour_ms - 1));
    assert_true(shows_at(l, midnight + 25 * hour_ms));
    end(l);
    free(l);
}

static void a_clock_set_back_shows_none_until_it_has_passed_what_was_shown(void **state) {
    const int64_t day = 1793491200000;
    life *l = alone((caps_cap){ 1, CAPS_ROLLING, 24 }, "UTC");
    (void)state;
    assert_true(shows_at(l, day));
    l->host.wall_ms = day - 10 * day_ms;
    assert_false(shows_at(l, day - 9 * day_ms));
    die(l, false);
    assert_false(shows_at(l, day - day_ms));
    assert_false(shows_at(l, day + day_ms - 1));
    assert_true(shows_at(l, day + day_ms));
    end(l);
    free(l);
}

static void a_day_begins_anew_where_the_person_has_flown(void **state) {
    const int64_t noon = 1793491200000 + 12 * hour_ms;
    life *l = alone((caps_cap){ 1, CAPS_DAY, 0 }, "UTC");
    (void)state;
    assert_true(shows_at(l, noon));
    set_zone(l, "Pacific/Kiritimati"); /* it is 02:00 of tomorrow there: shown today */
    assert_false(shows_at(l, noon + hour_ms));
    set_zone(l, "America/New_York"); /* 09:00 of the same day: the show was at 07:00 of it */
    assert_false(shows_at(l, noon + 2 * hour_ms));
    set_zone(l, "Pacific/Auckland"); /* 04:00; its day began before the show, at 11:00Z */
    assert_false(shows_at(l, noon + 3 * hour_ms));
    assert_true(shows_at(l, noon + 23 * hour_ms)); /* 00:00 there */
    end(l);
    free(l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_per_rolling_24_hours_allows_the_third_at_exactly_24_hours),
        cmocka_unit_test(one_per_day_in_shanghai_shows_at_15_59_and_at_16_01_utc),
        cmocka_unit_test(a_day_of_25_hours_is_one_day),
        cmocka_unit_test(a_clock_set_back_shows_none_until_it_has_passed_what_was_shown),
        cmocka_unit_test(a_day_begins_anew_where_the_person_has_flown),
        cmocka_unit_test(a_death_at_any_storage_operation_keeps_caps_exact),
        cmocka_unit_test(no_random_life_shows_one_too_many_or_one_too_few),
    };
    return cmocka_run_group_tests_name("sdk/client/caps_exact", tests, NULL, NULL);
}
