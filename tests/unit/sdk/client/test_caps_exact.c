/* Goal: caps are exact. Whatever is killed, fails, is reloaded, and however the clock and the place
 * change: never one popup more on the screen than any cap allows, of the person, the popup, its
 * group or all, by the windows of docs/DECISIONS.md at the clock and in the zone that the device
 * had then; and, as long as no write failed, none is refused that was not meant to be shown before.
 * Method: caps_oracle.h holds what was heard; a fixed scenario dies at every storage operation, and
 * random lives of several persons do whatever they can. */
#include "caps_device.h"
#include "support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "support/signed_bundle.h"

enum { LIVES = 120, STEPS = 150, PERSONS = 3, LOGOUTS_MAX = 8 };
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

/* --- lives ------------------------------------------------------------------------------------ */

static void move_clock(caps_device *l) {
    const int64_t jumps[] = { minute_ms, 59 * minute_ms, hour_ms, 5 * hour_ms, day_ms };
    int64_t jump = jumps[caps_device_dice(l, 5)] + (int64_t)caps_device_dice(l, 3) - 1;
    if (caps_device_dice(l, 6) == 0) {
        l->host.wall_ms += caps_device_dice(l, 2) == 0 ? jump : -jump; /* somebody sets it */
    } else if (caps_device_dice(l, 40) == 0) {
        l->host.wall_ms += ((int64_t)caps_device_dice(l, 80) - 40) * day_ms;
    } else {
        caps_device_pass(l, jump);
    }
}

static void change_person(caps_device *l) {
    if (l->logouts < LOGOUTS_MAX && caps_device_dice(l, 4) == 0) {
        caps_device_log_out(l);
    } else {
        caps_device_log_in(l, (int)caps_device_dice(l, PERSONS));
    }
}

static void replace_bundle(caps_device *l) {
    if (l->versions + 10 < CAPS_VERSIONS_MAX) {
        const caps_rules rules = caps_device_some_rules(l);
        caps_device_publish(l, &rules);
        assert_int_equal(cairn_set_bundle(l->client, cairn__buffer_span(&l->host.bundle)),
                         CAIRN_OK);
        caps_device_look(l);
    }
}

static void fail_writes(caps_device *l) {
    l->write_failed = true;
    fake_host_commit_one(&l->host, l->client, false);
    caps_device_look(l);
}

static void step(caps_device *l, bool writes_fail) {
    uint64_t what = caps_device_dice(l, 40);
    if (what < 14) {
        caps_device_view(l);
    } else if (what < 20) {
        caps_device_close_popup(l);
    } else if (what < 25) {
        move_clock(l);
    } else if (what < 27) {
        change_person(l);
    } else if (what < 28) {
        caps_device_set_zone(l, zones[caps_device_dice(l, ZONES)]);
    } else if (what < 29) {
        replace_bundle(l);
    } else if (what < 30) {
        caps_device_die(l, true);
    } else if (what < 31) {
        caps_device_settle(l);
        caps_device_die(l, false); /* a reload, when everything was kept */
    } else if (what < 32 && writes_fail) {
        fail_writes(l);
    } else if (what < 35) {
        fake_host_commit_one(&l->host, l->client, true);
        caps_device_look(l);
    } else {
        caps_device_settle(l);
    }
    caps_device_pump(l);
    caps_device_check(l);
}

static void no_random_life_shows_one_too_many_or_one_too_few(void **state) {
    (void)state;
    caps_device *l = calloc(1, sizeof *l);
    assert_non_null(l);
    for (uint64_t seed = 1; seed <= LIVES; seed++) {
        caps_device_begin(l, seed, NULL);
        for (int i = 0; i < STEPS; i++) {
            step(l, seed % 3 == 0);
        }
        caps_device_end(l);
    }
    print_message("%llu shows, %llu questions, %llu refused by caps, %llu deaths\n",
                  (unsigned long long)l->shows, (unsigned long long)l->checks,
                  (unsigned long long)l->refusals, (unsigned long long)l->deaths);
    assert_true(l->shows > 500 && l->refusals > 5000 && l->deaths > 300);
    free(l);
}

/* --- death at every storage operation --------------------------------------------------------- */

/* Two persons and a newer bundle; more is wanted than caps allow. */
static void scenario(caps_device *l) {
    for (int round = 0; round < 3; round++) {
        caps_device_log_in(l, round % 2);
        caps_device_settle(l);
        for (int i = 0; i < 4; i++) {
            caps_device_view(l);
            caps_device_settle(l);
            caps_device_check(l);
            caps_device_close_popup(l);
            caps_device_settle(l);
            caps_device_pass(l, 7 * hour_ms);
        }
        if (round == 1) {
            caps_device_publish(l, &l->rules[l->versions]);
            (void)cairn_set_bundle(l->client, cairn__buffer_span(&l->host.bundle));
            caps_device_look(l);
        }
        caps_device_log_out(l);
        caps_device_view(l);
        caps_device_settle(l);
        caps_device_close_popup(l);
    }
    caps_device_settle(l);
    caps_device_check(l);
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
    caps_device *l = calloc(1, sizeof *l);
    assert_non_null(l);
    caps_device_begin(l, 1, &tight);
    scenario(l);
    uint64_t operations = l->host.submitted;
    uint64_t shows = l->shows;
    caps_device_end(l);
    assert_true(operations > 100 && shows > 8);
    for (uint64_t at = 0; at < operations; at++) {
        l->deaths = 0;
        caps_device_begin(l, 1, &tight);
        uint64_t begun = l->host.submitted;
        l->ops_left = at > begun ? at - begun : 0;
        scenario(l);
        assert_int_equal(l->deaths, 1);
        caps_device_end(l);
    }
    print_message("died at each of %llu operations\n", (unsigned long long)operations);
    free(l);
}

/* --- worked cases ----------------------------------------------------------------------------- */

static bool shows_at(caps_device *l, int64_t ms) {
    unsigned before = l->host.popups;
    caps_device_pass(l, ms - l->host.wall_ms);
    caps_device_view(l);
    caps_device_settle(l);
    caps_device_close_popup(l);
    caps_device_settle(l);
    return l->host.popups > before;
}

/* One popup under this cap, in this zone; the day begins at 1793491200000, 2026-11-01T00:00Z. */
static caps_device *alone(caps_cap cap, const char *zone) {
    const caps_cap never = { 1, CAPS_EVER, 0 };
    caps_rules rules = { .popups = { { .all = { cap } },
                                     { .all = { never } },
                                     { .all = { never } },
                                     { .all = { never } } } };
    caps_device *l = calloc(1, sizeof *l);
    assert_non_null(l);
    caps_device_begin(l, 1, &rules);
    for (int i = 0; i < CAPS_POPUPS - 1; i++) { /* the others have been seen */
        const char name[] = { 'p', (char)('1' + i), '\0' };
        assert_int_equal(cairn_popup_show(l->client, cairn__span_of(name), NULL), CAIRN_OK);
        caps_device_look(l);
        caps_device_settle(l);
        caps_device_close_popup(l);
        caps_device_settle(l);
    }
    l->host.wall_ms = 1793491200000;
    caps_device_set_zone(l, zone);
    return l;
}

static void two_per_rolling_24_hours_allows_the_third_at_exactly_24_hours(void **state) {
    const int64_t day = 1793491200000;
    caps_device *l = alone((caps_cap){ 2, CAPS_ROLLING, 24 }, "UTC");
    (void)state;
    assert_true(shows_at(l, day));
    assert_true(shows_at(l, day + 12 * hour_ms));
    assert_false(shows_at(l, day + day_ms - 1));
    assert_true(shows_at(l, day + day_ms));
    caps_device_end(l);
    free(l);
}

static void one_per_day_in_shanghai_shows_at_15_59_and_at_16_01_utc(void **state) {
    const int64_t day = 1793491200000;
    caps_device *l = alone((caps_cap){ 1, CAPS_DAY, 0 }, "Asia/Shanghai");
    (void)state;
    assert_true(shows_at(l, day + 15 * hour_ms + 59 * minute_ms));
    assert_false(shows_at(l, day + 16 * hour_ms - 1));
    assert_true(shows_at(l, day + 16 * hour_ms + minute_ms));
    caps_device_end(l);
    free(l);
}

static void a_day_of_25_hours_is_one_day(void **state) {
    const int64_t midnight = 1792879200000; /* 2026-10-25T00:00 in Berlin */
    caps_device *l = alone((caps_cap){ 1, CAPS_DAY, 0 }, "Europe/Berlin");
    (void)state;
    l->host.wall_ms = midnight - hour_ms;
    assert_true(shows_at(l, midnight));
    assert_false(shows_at(l, midnight + 25 * hour_ms - 1));
    assert_true(shows_at(l, midnight + 25 * hour_ms));
    caps_device_end(l);
    free(l);
}

static void a_clock_set_back_shows_none_until_it_has_passed_what_was_shown(void **state) {
    const int64_t day = 1793491200000;
    caps_device *l = alone((caps_cap){ 1, CAPS_ROLLING, 24 }, "UTC");
    (void)state;
    assert_true(shows_at(l, day));
    l->host.wall_ms = day - 10 * day_ms;
    assert_false(shows_at(l, day - 9 * day_ms));
    caps_device_die(l, false);
    assert_false(shows_at(l, day - day_ms));
    assert_false(shows_at(l, day + day_ms - 1));
    assert_true(shows_at(l, day + day_ms));
    caps_device_end(l);
    free(l);
}

static void a_day_begins_anew_where_the_person_has_flown(void **state) {
    const int64_t noon = 1793491200000 + 12 * hour_ms;
    caps_device *l = alone((caps_cap){ 1, CAPS_DAY, 0 }, "UTC");
    (void)state;
    assert_true(shows_at(l, noon));
    caps_device_set_zone(l, "Pacific/Kiritimati"); /* it is 02:00 of tomorrow there: shown today */
    assert_false(shows_at(l, noon + hour_ms));
    caps_device_set_zone(
        l, "America/New_York"); /* 09:00 of the same day: the show was at 07:00 of it */
    assert_false(shows_at(l, noon + 2 * hour_ms));
    caps_device_set_zone(l,
                         "Pacific/Auckland"); /* 04:00; its day began before the show, at 11:00Z */
    assert_false(shows_at(l, noon + 3 * hour_ms));
    assert_true(shows_at(l, noon + 23 * hour_ms)); /* 00:00 there */
    caps_device_end(l);
    free(l);
}

/* p0 with more than a cap; the others as they are. */
static void redefine(caps_device *l, const char *json) {
    assert_int_equal(world_put(l->w, CAIRN__DEFINITION_POPUP, "p0", json), CAIRN__CATALOG_DONE);
    const caps_rules same = l->rules[l->versions];
    l->host.bundle_version = signed_bundle_make(l->w->catalog, &l->host.bundle);
    l->versions = l->host.bundle_version;
    l->rules[l->versions] = same;
    assert_int_equal(cairn_set_bundle(l->client, cairn__buffer_span(&l->host.bundle)), CAIRN_OK);
    caps_device_settle(l);
}

static void quiet_hours_hold_over_a_reload(void **state) {
    const int64_t eight = 1793491200000; /* in Shanghai */
    caps_device *l = alone((caps_cap){ 5, CAPS_EVER, 0 }, "Asia/Shanghai");
    (void)state;
    redefine(l, "{\"triggers\":[\"view\"],\"content\":{},\"groups\":[\"g\"],"
                "\"quiet\":[\"22:00-08:00\"],\"caps\":[{\"at_most\":5}]}");
    assert_false(shows_at(l, eight - 2));
    caps_device_die(l, false);
    assert_false(shows_at(l, eight - 1));
    assert_true(shows_at(l, eight));
    assert_true(shows_at(l, eight + 14 * hour_ms - 1));
    caps_device_die(l, false);
    assert_false(shows_at(l, eight + 14 * hour_ms));
    caps_device_end(l);
    free(l);
}

static void a_reload_forgets_who_waits_and_counts_nothing(void **state) {
    caps_device *l = alone((caps_cap){ 1, CAPS_EVER, 0 }, "UTC");
    (void)state;
    redefine(l, "{\"triggers\":[\"view\"],\"content\":{},\"groups\":[\"g\"],"
                "\"delay\":\"3 s\",\"caps\":[{\"at_most\":1}]}");
    unsigned before = l->host.popups;
    caps_device_view(l);
    caps_device_settle(l);
    caps_device_pass(l, 2999);
    caps_device_settle(l);
    assert_int_equal(l->host.popups, before);
    caps_device_die(l, false);
    caps_device_pass(l, 5000);
    caps_device_settle(l);
    assert_int_equal(l->host.popups, before);
    caps_device_view(l);
    l->host.wall_ms -= day_ms; /* the delay is by the monotonic clock */
    caps_device_pass(l, 3000);
    caps_device_settle(l);
    assert_int_equal(l->host.popups, before + 1);
    caps_device_end(l);
    free(l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_per_rolling_24_hours_allows_the_third_at_exactly_24_hours),
        cmocka_unit_test(one_per_day_in_shanghai_shows_at_15_59_and_at_16_01_utc),
        cmocka_unit_test(a_day_of_25_hours_is_one_day),
        cmocka_unit_test(a_clock_set_back_shows_none_until_it_has_passed_what_was_shown),
        cmocka_unit_test(a_day_begins_anew_where_the_person_has_flown),
        cmocka_unit_test(quiet_hours_hold_over_a_reload),
        cmocka_unit_test(a_reload_forgets_who_waits_and_counts_nothing),
        cmocka_unit_test(a_death_at_any_storage_operation_keeps_caps_exact),
        cmocka_unit_test(no_random_life_shows_one_too_many_or_one_too_few),
    };
    return cmocka_run_group_tests_name("sdk/client/caps_exact", tests, NULL, NULL);
}
