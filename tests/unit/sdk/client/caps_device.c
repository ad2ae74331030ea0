#include "caps_device.h"
#include "support/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "client/client.h"
#include "support/signed_bundle.h"

enum { SEQS_MAX = 10000 };
static const int64_t hour_ms = 3600000;
static const int64_t day_ms = 86400000;

/* 2026-10-25 and 2027-03-28 in Berlin, 2026-11-01 in New York, 2026-09-27 in Auckland; the first
 * of a month. */
static const int64_t nights[] = { 1792886400000, 1806192000000, 1793512800000, 1790431200000,
                                  1796083200000 };
enum { NIGHTS = sizeof nights / sizeof nights[0] };

uint64_t caps_device_dice(caps_device *l, uint64_t below) {
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

static void put(caps_device *l, cairn__definition_kind kind, const char *name, const char *json) {
    cairn__catalog_outcome outcome = world_put(l->w, kind, name, json);
    if (outcome != CAIRN__CATALOG_DONE && outcome != CAIRN__CATALOG_SAME) {
        fail_msg("%s: %s", json, l->w->result.problem.fault.detail);
    }
}

/* Every popup is brought by every "view". */
void caps_device_publish(caps_device *l, const caps_rules *rules) {
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
    assert_true(l->versions < CAPS_VERSIONS_MAX);
    l->rules[l->versions] = *rules;
}

static caps_cap some_cap(caps_device *l, int most) {
    caps_cap cap = { .count = 1 + (int)caps_device_dice(l, (uint64_t)most) };
    cap.window = (caps_window)caps_device_dice(l, 6);
    cap.hours = 1 + (int64_t)caps_device_dice(l, 60);
    return cap;
}

caps_rules caps_device_some_rules(caps_device *l) {
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

static caps_ask ask_of(const caps_device *l, int popup, bool heard_only) {
    return (caps_ask){ .popup = popup,
                       .now_ms = l->host.wall_ms,
                       .session = l->client->journal.state.session,
                       .zone = l->zone,
                       .heard_only = heard_only };
}

static const caps_rules *rules_now(const caps_device *l) {
    return &l->rules[l->client->deciding.held.version];
}

static void show_records(const caps_device *l) {
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

static bool is_forbidden(const caps_device *l, const caps_ask *ask) {
    return caps_reached(&l->seen, rules_now(l), ask, CAPS_OF_POPUP) ||
           caps_reached(&l->seen, rules_now(l), ask, CAPS_OF_GROUP) ||
           caps_reached(&l->seen, rules_now(l), ask, CAPS_OF_ALL);
}

/* Nothing that was on the screen forbids it. */
static void expect_allowed(const caps_device *l, int popup) {
    const caps_ask ask = ask_of(l, popup, true);
    if (is_forbidden(l, &ask)) {
        show_records(l);
        fail_msg("popup %d is allowed, and a cap is reached", popup);
    }
}

/* One is on its way to the screen. */
static void note_attempt(caps_device *l) {
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
void caps_device_look(caps_device *l) {
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

void caps_device_set_zone(caps_device *l, const char *zone) {
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
static void agree(caps_device *l) {
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

static void boot(caps_device *l) {
    l->client = fake_host_boot(&l->host, &l->options);
    assert_non_null(l->client);
    caps_device_set_zone(l, l->zone);
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
    caps_device_look(l);
}

/* The process dies; what was on its way to the disk got there in part, or not at all. */
void caps_device_die(caps_device *l, bool torn) {
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
void caps_device_commit(caps_device *l) {
    while (l->host.op_count > 0) {
        if (l->ops_left == 0) {
            l->ops_left = UINT64_MAX;
            caps_device_die(l, caps_device_dice(l, 2) == 0);
            return;
        }
        l->ops_left -= 1;
        fake_host_commit_one(&l->host, l->client, true);
        caps_device_look(l);
    }
}

void caps_device_pump(caps_device *l) {
    (void)cairn_pump(l->client);
    caps_device_look(l);
}

static void exchange(caps_device *l) {
    uint32_t status = fake_host_serve(&l->host);
    if (l->host.post_ticket != 0) {
        fake_host_reply(&l->host, l->client, status, 0);
        caps_device_look(l);
    }
}

void caps_device_settle(caps_device *l) {
    for (int i = 0; i < 4; i++) {
        caps_device_commit(l);
        caps_device_pump(l);
        exchange(l);
    }
    caps_device_commit(l);
}

void caps_device_close_popup(caps_device *l) {
    const cairn__showing *showing = &l->client->deciding.showing;
    if (showing->stage == CAIRN__SHOWING_OPEN) {
        (void)cairn_popup_done(l->client, showing->name, CAIRN_POPUP_CLOSED, NULL, 0);
        caps_device_look(l);
    }
}

void caps_device_view(caps_device *l) {
    assert_int_equal(cairn_track(l->client, CAIRN_STR("view"), NULL, 0), CAIRN_OK);
    caps_device_look(l);
}

void caps_device_log_in(caps_device *l, int person) {
    const char name[] = { (char)('a' + person), '\0' };
    uint64_t before = l->client->journal.state.next_seq;
    assert_int_equal(cairn_login(l->client, (cairn_id){ CAIRN_STR("login"), cairn__span_of(name) }),
                     CAIRN_OK);
    if (l->client->journal.state.next_seq > before) {
        caps_add(&l->seen, (caps_record){ .kind = CAPS_LOGIN, .seq = before, .who = person });
    }
    caps_device_look(l);
}

void caps_device_log_out(caps_device *l) {
    uint64_t before = l->client->journal.state.next_seq;
    assert_int_equal(cairn_logout(l->client), CAIRN_OK);
    if (l->client->journal.state.next_seq > before) {
        caps_add(&l->seen, (caps_record){ .kind = CAPS_LOGOUT, .seq = before });
    }
    l->logouts += 1;
    caps_device_look(l);
}

void caps_device_pass(caps_device *l, int64_t ms) {
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

static void expect_meant(caps_device *l, int popup, caps_scope scope) {
    const caps_ask ask = ask_of(l, popup, false);
    l->refusals += 1;
    if (!l->write_failed && !caps_reached(&l->seen, rules_now(l), &ask, scope)) {
        show_records(l);
        fail_msg("popup %d was refused, and no cap (%d) is reached", popup, (int)scope);
    }
}

static void check_popup(caps_device *l, int popup) {
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

void caps_device_check(caps_device *l) {
    for (int i = 0; i < CAPS_POPUPS; i++) {
        check_popup(l, i);
    }
}

void caps_device_begin(caps_device *l, uint64_t seed, const caps_rules *rules) {
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
    const caps_rules first = rules != NULL ? *rules : caps_device_some_rules(l);
    caps_device_publish(l, &first);
    l->host.wall_ms =
        nights[seed % NIGHTS] + (int64_t)caps_device_dice(l, 24) * hour_ms - day_ms / 2;
    boot(l);
    caps_device_settle(l);
}

void caps_device_end(caps_device *l) {
    cairn_close(l->client);
    fake_host_close(&l->host);
    assert_int_equal(world_close((void **)&l->w), 0);
}
