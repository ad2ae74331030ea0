/* Goal: what a device knows is its own, whole, and survives. One sentence per test; the random
 * histories are in test_oracle.c. */
#include "device.h"
#include "support/cmocka_all.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "rules/slot_key.h"

static const int64_t hour_ms = INT64_C(3600) * 1000;

static void *counting(void *self, void *at, size_t old_bytes, size_t new_bytes) {
    (void)old_bytes;
    *(size_t *)self += 1;
    if (new_bytes == 0) {
        free(at);
        return NULL;
    }
    return realloc(at, new_bytes);
}

static device *fresh(void) {
    device *d = calloc(1, sizeof *d);
    assert_non_null(d);
    device_init(d, 7);
    return d;
}

static void done(device *d) {
    device_free(d);
    free(d);
}

static void counters_outlive_the_process(void **state) {
    (void)state;
    device *d = fresh();
    size_t slot = device_ask(d, "count(buy where amount > 10, last 2 days) > 1");
    device_boot(d);
    device_track(d, "buy", 5);
    device_track(d, "buy", 50);
    device_track(d, "look", 50);
    assert_int_equal(device_count(d, slot), 1);
    device_track(d, "buy", 60);
    assert_int_equal(device_count(d, slot), 2);
    store_commit(&d->disk, d->local);
    assert_true(cairn__local_is_durable(d->local, cairn__local_ticket(d->local)));
    device_crash(d);
    device_boot(d);
    assert_int_equal(device_count(d, slot), 2);
    d->now_ms += 49 * hour_ms;
    assert_int_equal(device_count(d, slot), 0);
    done(d);
}

static void an_event_is_noted_once(void **state) {
    (void)state;
    device *d = fresh();
    size_t slot = device_ask(d, "count(buy) > 0");
    device_boot(d);
    device_track(d, "buy", 1);
    d->seq -= 1;
    device_track(d, "buy", 1);
    assert_int_equal(device_count(d, slot), 1);
    assert_int_equal(cairn__local_last_seq(d->local), 1);
    done(d);
}

static void two_persons_of_a_device_are_never_mixed(void **state) {
    (void)state;
    device *d = fresh();
    size_t slot = device_ask(d, "count(buy) > 0");
    device_boot(d);
    device_track(d, "buy", 1);
    device_login(d, "a");
    device_track(d, "buy", 1);
    assert_int_equal(device_count(d, slot), 2); /* what was anonymous is a's */
    device_logout(d);
    assert_int_equal(device_count(d, slot), 0);
    device_track(d, "buy", 1);
    assert_int_equal(device_count(d, slot), 1);
    device_login(d, "b");
    assert_int_equal(device_count(d, slot), 1);
    device_login(d, "a");
    assert_int_equal(device_count(d, slot), 2);
    store_commit(&d->disk, d->local);
    device_crash(d);
    device_boot(d);
    assert_int_equal(device_count(d, slot), 2);
    device_login(d, "b");
    assert_int_equal(device_count(d, slot), 1);
    done(d);
}

static void an_id_that_is_cut_off_takes_its_events_along(void **state) {
    (void)state;
    device *d = fresh();
    const cairn_id a = { CAIRN_STR("login"), CAIRN_STR("a") };
    const cairn_id phone = { CAIRN_STR("mobile"), CAIRN_STR("139") };
    size_t slot = device_ask(d, "count(buy) > 0");
    device_boot(d);
    device_note(d, (cairn__event){ .kind = CAIRN__EVENT_LOGIN, .ids = &phone, .id_count = 1 });
    device_track(d, "buy", 1);
    device_logout(d);
    device_login(d, "a");
    device_track(d, "buy", 1);
    device_track(d, "buy", 1);
    assert_int_equal(device_count(d, slot), 2);
    device_link(d, CAIRN__EVENT_LINK, a, phone);
    assert_int_equal(device_count(d, slot), 3);
    device_link(d, CAIRN__EVENT_UNLINK, a, phone);
    assert_int_equal(device_count(d, slot), 2);
    assert_int_equal(
        device_link(d, CAIRN__EVENT_LINK, a, (cairn_id){ CAIRN_STR("login"), CAIRN_STR("b") }),
        CAIRN_FULL);
    assert_int_equal(device_count(d, slot), 2);
    done(d);
}

static void what_left_the_history_is_still_counted(void **state) {
    (void)state;
    device *d = fresh();
    size_t ever = device_ask(d, "count(buy) > 0");
    size_t sum = device_ask(d, "sum(buy.amount) > 0");
    size_t days = device_ask(d, "days(buy) > 0");
    size_t month = device_ask(d, "count(buy, last 30 days) > 0");
    size_t recent = device_ask(d, "count(buy, last 5 hours) > 0");
    d->options.history_events_max = 10;
    device_boot(d);
    for (int i = 0; i < 50; i++) {
        device_track(d, "buy", i);
        d->now_ms += hour_ms;
    }
    assert_int_equal(device_count(d, ever), 50);
    assert_int_equal(device_count(d, sum), 49 * 25);
    assert_int_equal(device_count(d, days), -1); /* not folded: unknown, not wrong */
    assert_int_equal(device_count(d, month), 50);
    assert_int_equal(device_count(d, recent), 4);
    store_commit(&d->disk, d->local);
    device_crash(d);
    device_boot(d);
    assert_int_equal(device_count(d, ever), 50);
    d->now_ms += 29 * 24 * hour_ms;
    assert_int_equal(device_count(d, month), -1); /* a bucket is on the edge */
    d->now_ms += 10 * 24 * hour_ms;
    assert_int_equal(device_count(d, month), 0);
    done(d);
}

static void a_clock_that_jumps_does_not_empty_the_history(void **state) {
    (void)state;
    device *d = fresh();
    device_boot(d);
    for (int i = 0; i < 100; i++) {
        device_track(d, "buy", i);
    }
    d->now_ms += 1000 * 24 * hour_ms;
    device_track(d, "buy", 1);
    d->now_ms -= 1000 * 24 * hour_ms;
    for (int i = 0; i < 100; i++) {
        device_track(d, "buy", i);
    }
    cairn__local_status status;
    cairn__local_get_status(d->local, &status);
    assert_int_equal(status.events, 201 - 8);
    d->now_ms += 91 * 24 * hour_ms; /* and what is really old goes, a few with each that comes */
    for (int i = 0; i < 50; i++) {
        device_track(d, "buy", i);
    }
    cairn__local_get_status(d->local, &status);
    assert_int_equal(status.events, 50);   /* the one from the future, too */
    (void)device_ask(d, "count(buy) > 0"); /* which writes a snapshot */
    device_use(d);
    store_commit(&d->disk, d->local);
    device_crash(d);
    device_boot(d);
    cairn__local_get_status(d->local, &status);
    assert_int_equal(status.events, 50);
    done(d);
}

static void a_query_that_is_new_knows_what_is_held(void **state) {
    (void)state;
    device *d = fresh();
    d->options.history_events_max = 10;
    device_boot(d);
    for (int i = 0; i < 20; i++) {
        device_track(d, "buy", i);
        d->now_ms += hour_ms;
    }
    size_t ever = device_ask(d, "count(buy) > 0");
    size_t recent = device_ask(d, "count(buy, last 5 hours) > 0");
    device_use(d);
    assert_int_equal(device_count(d, ever), -1);
    assert_int_equal(device_count(d, recent), 4);
    done(d);
}

static void a_damaged_store_makes_unknown_not_wrong(void **state) {
    (void)state;
    device *d = fresh();
    size_t slot = device_ask(d, "count(buy, last 2 days) > 0");
    device_boot(d);
    for (int i = 0; i < 20; i++) {
        device_track(d, "buy", i);
    }
    store_commit(&d->disk, d->local);
    cairn__local_close(d->local);
    d->disk.segments[0].bytes.data[d->disk.segments[0].bytes.len / 2] ^= 1;
    device_boot(d);
    device_track(d, "buy", 1);
    cairn__local_status status;
    cairn__local_get_status(d->local, &status);
    int64_t value = device_count(d, slot);
    /* all behind the flip is gone: the queue notes it again, or it is as after a crash */
    assert_true(value < 21);
    store_commit(&d->disk, d->local);
    d->now_ms += 49 * hour_ms;
    assert_int_equal(device_count(d, slot), 0);
    done(d);
}

static void a_profile_is_known_as_far_as_it_was_written_here(void **state) {
    (void)state;
    device *d = fresh();
    size_t vip = device_ask(d, "user.vip > 1");
    device_boot(d);
    assert_int_equal(device_count(d, vip), -1);
    cairn_property vip_is = { CAIRN_STR("vip"), { CAIRN_VALUE_INTEGER, { .integer = 2 } } };
    cairn__event change = { .kind = CAIRN__EVENT_PROFILE_INCREMENT,
                            .properties = &vip_is,
                            .property_count = 1 };
    device_note(d, change);
    assert_int_equal(device_count(d, vip), -1);
    change.kind = CAIRN__EVENT_PROFILE_SET;
    device_note(d, change);
    assert_int_equal(device_count(d, vip), 2);
    change.kind = CAIRN__EVENT_PROFILE_INCREMENT;
    device_note(d, change);
    assert_int_equal(device_count(d, vip), 4);
    const cairn__local_fact fact = { cairn__rule_slot_key(&d->slots[vip]),
                                     { CAIRN_VALUE_INTEGER, { .integer = 10 } },
                                     0 };
    cairn__local_server server = { .version = 3,
                                   .token = 9,
                                   .person = cairn__local_person(d->local),
                                   .covers_seq = d->seq - 1,
                                   .facts = &fact,
                                   .count = 1 };
    assert_int_equal(cairn__local_set_server(d->local, &server), CAIRN_OK);
    assert_int_equal(device_count(d, vip), 12); /* the last increment is not in it yet */
    store_commit(&d->disk, d->local);
    device_crash(d);
    device_boot(d);
    assert_int_equal(device_count(d, vip), 12);
    device_login(d, "another");
    assert_int_equal(cairn__local_server_version(d->local), 0);
    assert_int_equal(cairn__local_set_server(d->local, &server), CAIRN_INVALID);
    done(d);
}

static void the_servers_count_goes_on_with_what_happens_here(void **state) {
    (void)state;
    device *d = fresh();
    size_t slot = device_ask(d, "count(buy) > 0");
    device_boot(d);
    device_track(d, "buy", 1);
    const cairn__local_fact fact = { cairn__rule_slot_key(&d->slots[slot]),
                                     { CAIRN_VALUE_INTEGER, { .integer = 40 } },
                                     d->now_ms + hour_ms };
    cairn__local_server server = { .version = 1,
                                   .person = cairn__local_person(d->local),
                                   .covers_seq = d->seq,
                                   .facts = &fact,
                                   .count = 1 };
    assert_int_equal(cairn__local_set_server(d->local, &server), CAIRN_OK);
    assert_int_equal(device_count(d, slot), 40);
    device_track(d, "buy", 1);
    assert_int_equal(device_count(d, slot), 41);
    d->now_ms += 2 * hour_ms;
    assert_int_equal(device_count(d, slot), 2); /* its time is over: what this device knows */
    done(d);
}

static void the_servers_last_is_unknown_after_ones_own(void **state) {
    (void)state;
    device *d = fresh();
    size_t slot = device_ask(d, "last(buy.amount) > 0");
    device_boot(d);
    device_track(d, "buy", 1);
    const cairn__local_fact fact = { cairn__rule_slot_key(&d->slots[slot]),
                                     { CAIRN_VALUE_INTEGER, { .integer = 40 } },
                                     0 };
    const cairn__local_server server = { .version = 1,
                                         .person = cairn__local_person(d->local),
                                         .covers_seq = d->seq,
                                         .facts = &fact,
                                         .count = 1 };
    assert_int_equal(cairn__local_set_server(d->local, &server), CAIRN_OK);
    assert_int_equal(device_count(d, slot), 40);
    device_track(d, "look", 1);
    assert_int_equal(device_count(d, slot), 40);
    device_track(d, "buy", 2); /* was it the last one, of all devices? */
    assert_int_equal(device_count(d, slot), -1);
    done(d);
}

static void the_same_facts_again_have_in_them_what_happened_since(void **state) {
    (void)state;
    device *d = fresh();
    size_t count = device_ask(d, "count(buy) > 0");
    size_t vip = device_ask(d, "user.vip > 0");
    cairn_property one = { CAIRN_STR("vip"), { CAIRN_VALUE_INTEGER, { .integer = 1 } } };
    device_boot(d);
    device_track(d, "look", 1);
    cairn__local_fact facts[2] = {
        { cairn__rule_slot_key(&d->slots[count]), { CAIRN_VALUE_INTEGER, { .integer = 5 } }, 0 },
        { cairn__rule_slot_key(&d->slots[vip]), { CAIRN_VALUE_INTEGER, { .integer = 7 } }, 0 },
    };
    if (facts[0].key > facts[1].key) {
        cairn__local_fact swapped = facts[0];
        facts[0] = facts[1];
        facts[1] = swapped;
    }
    const cairn__local_server server = {
        .version = 4, .person = cairn__local_person(d->local), .facts = facts, .count = 2
    };
    assert_int_equal(cairn__local_set_server(d->local, &server), CAIRN_OK);
    device_track(d, "buy", 1);
    device_note(d, (cairn__event){ .kind = CAIRN__EVENT_PROFILE_INCREMENT,
                                   .properties = &one,
                                   .property_count = 1 });
    assert_int_equal(device_count(d, count), 6);
    assert_int_equal(device_count(d, vip), 8);
    uint64_t person = cairn__local_person(d->local);
    assert_int_equal(cairn__local_same_server(d->local, 3, person, d->seq), CAIRN_INVALID);
    assert_int_equal(cairn__local_same_server(d->local, 4, person + 1, d->seq), CAIRN_INVALID);
    assert_int_equal(device_count(d, count), 6);
    /* others took back what happened here: the sums are the same, and these two are in them */
    assert_int_equal(cairn__local_same_server(d->local, 4, person, d->seq), CAIRN_OK);
    assert_int_equal(device_count(d, count), 5);
    assert_int_equal(device_count(d, vip), 7);
    assert_int_equal(cairn__local_same_server(d->local, 4, person, 0), CAIRN_OK);
    assert_int_equal(device_count(d, count), 5);
    done(d);
}

static uint32_t shows_of(device *d) {
    const cairn__memory_entry *entry = cairn__memory_find(
        cairn__local_memory(d->local), CAIRN__MEMORY_POPUP, CAIRN_STR("hello"), CAIRN_STR(""));
    return entry == NULL ? 0 : entry->counts[CAIRN__CAP_SHOWS].total;
}

static void a_memory_goes_with_its_person(void **state) {
    (void)state;
    device *d = fresh();
    const cairn_property popup = { CAIRN_STR("popup"),
                                   { CAIRN_VALUE_STRING, { .string = CAIRN_STR("hello") } } };
    const cairn__event show = { .name = CAIRN__EVENT_POPUP_SHOW,
                                .properties = &popup,
                                .property_count = 1 };
    device_boot(d);
    device_note(d, show);
    device_login(d, "a");
    device_note(d, show);
    store_commit(&d->disk, d->local);
    device_crash(d);
    device_boot(d);
    assert_int_equal(shows_of(d), 2);
    device_login(d, "b");
    assert_int_equal(shows_of(d), 0);
    done(d);
}

static void a_purge_leaves_nothing(void **state) {
    (void)state;
    device *d = fresh();
    size_t slot = device_ask(d, "count(buy) > 0");
    device_boot(d);
    device_login(d, "somebody");
    device_track(d, "buy", 1);
    store_commit(&d->disk, d->local);
    cairn__local_purge(d->local);
    assert_false(cairn__local_is_purged(d->local));
    store_commit(&d->disk, d->local);
    assert_true(cairn__local_is_purged(d->local));
    assert_int_equal(d->disk.segment_count, 0);
    assert_int_equal(device_count(d, slot), 0);
    device_crash(d);
    device_boot(d);
    assert_int_equal(device_count(d, slot), 0);
    cairn__local_status status;
    cairn__local_get_status(d->local, &status);
    assert_int_equal(status.ids, 0);
    assert_false(status.damaged);
    done(d);
}

static void a_link_joins_memories_and_an_unlink_parts_them(void **state) {
    (void)state;
    device *d = fresh();
    const cairn_id ann = { CAIRN_STR("login"), CAIRN_STR("ann") };
    const cairn_id phone = { CAIRN_STR("mobile"), CAIRN_STR("139") };
    const cairn_property popup = { CAIRN_STR("popup"),
                                   { CAIRN_VALUE_STRING, { .string = CAIRN_STR("hello") } } };
    const cairn__event show = { .name = CAIRN__EVENT_POPUP_SHOW,
                                .properties = &popup,
                                .property_count = 1 };
    device_boot(d);
    device_note(d, (cairn__event){ .kind = CAIRN__EVENT_LOGIN, .ids = &phone, .id_count = 1 });
    device_note(d, show);
    device_logout(d);
    device_login(d, "ann");
    device_note(d, show);
    assert_int_equal(shows_of(d), 1);
    device_link(d, CAIRN__EVENT_LINK, ann, phone);
    assert_int_equal(shows_of(d), 2);
    device_note(d, show);
    assert_int_equal(shows_of(d), 3);
    device_link(d, CAIRN__EVENT_UNLINK, ann, phone);
    assert_int_equal(shows_of(d), 2);
    assert_true(cairn__span_equal(cairn__local_current(d->local).value, CAIRN_STR("ann")));
    done(d);
}

static void a_failed_write_is_mended_by_a_snapshot(void **state) {
    (void)state;
    device *d = fresh();
    size_t slot = device_ask(d, "count(buy) > 0");
    device_boot(d);
    store_commit(&d->disk, d->local);
    device_track(d, "buy", 1);
    store_commit_one(&d->disk, d->local, false);
    device_track(d, "buy", 1);
    uint32_t ticket = cairn__local_ticket(d->local);
    assert_true(cairn__local_pump(d->local, 0) > 0);
    assert_false(cairn__local_is_durable(d->local, ticket));
    (void)cairn__local_pump(d->local, 5000);
    store_commit(&d->disk, d->local);
    assert_true(cairn__local_is_durable(d->local, ticket));
    device_crash(d);
    device_boot(d);
    assert_int_equal(device_count(d, slot), 2);
    done(d);
}

static void the_longest_away_is_forgotten_and_unknown(void **state) {
    (void)state;
    device *d = fresh();
    size_t slot = device_ask(d, "count(buy) > 0");
    device_boot(d);
    for (int i = 0; i < CAIRN__LOCAL_PERSONS_MAX + 1; i++) {
        const char name[2] = { (char)('a' + i), 0 };
        device_login(d, name);
        device_track(d, "buy", 1);
        d->now_ms += 1000;
    }
    assert_int_equal(device_count(d, slot), 1);
    device_login(d, "c");
    assert_int_equal(device_count(d, slot), 1);
    device_login(d, "a");
    assert_int_equal(device_count(d, slot), -1);
    done(d);
}

static void an_id_that_names_nobody_changes_nothing(void **state) {
    (void)state;
    device *d = fresh();
    size_t slot = device_ask(d, "count(buy) > 0");
    device_boot(d);
    device_login(d, "a");
    device_track(d, "buy", 1);
    uint64_t person = cairn__local_person(d->local);
    device_login(d, "undefined");
    assert_int_equal(cairn__local_person(d->local), person);
    assert_int_equal(device_count(d, slot), 1);
    done(d);
}

static void asking_again_allocates_nothing(void **state) {
    (void)state;
    device *d = fresh();
    size_t calls = 0;
    d->options.allocator = (cairn_allocator){ counting, &calls };
    size_t slot = device_ask(d, "count(buy, last 2 days) > 0 and last(buy.amount) > 1");
    device_boot(d);
    device_track(d, "buy", 1);
    assert_int_equal(device_count(d, slot), 1);
    assert_int_equal(device_count(d, slot + 1), 1);
    size_t before = calls;
    for (int i = 0; i < 1000; i++) {
        d->now_ms += 1;
        assert_int_equal(device_count(d, slot), 1);
        assert_int_equal(device_count(d, slot + 1), 1);
    }
    assert_int_equal(calls, before);
    done(d);
}

static void a_lost_end_that_has_left_the_queue_makes_unknown(void **state) {
    (void)state;
    device *d = fresh();
    size_t slot = device_ask(d, "count(buy) > 0");
    device_boot(d);
    device_track(d, "buy", 1);
    store_commit(&d->disk, d->local);
    device_track(d, "buy", 1);
    cairn__local_close(d->local); /* the second was never stored, and the queue has it no more */
    assert_int_equal(cairn__local_open(&d->options, &d->local), CAIRN_OK);
    cairn__buffer *bytes = &d->disk.segments[0].bytes;
    cairn__local_expect(d->local, 2);
    (void)cairn__local_restore(d->local, d->disk.segments[0].number, cairn__buffer_span(bytes));
    assert_int_equal(cairn__local_start(d->local, d->now_ms), CAIRN_OK);
    device_use(d);
    assert_int_equal(device_count(d, slot), -1);
    done(d);
}

static void recent_texts_come_newest_first(void **state) {
    (void)state;
    device *d = fresh();
    device_boot(d);
    const char *items[] = { "x", "y", "x", "z" };
    for (size_t i = 0; i < 4; i++) {
        const cairn_property item = { CAIRN_STR("item"),
                                      { CAIRN_VALUE_STRING, { .string = span_of(items[i]) } } };
        device_note(d, (cairn__event){
                           .name = CAIRN_STR("view"), .properties = &item, .property_count = 1 });
    }
    const cairn__query_moment when = { d->now_ms, NULL, NULL };
    cairn__facts facts = cairn__local_facts(d->local, &when);
    cairn_span texts[2];
    assert_int_equal(facts.recent(facts.context, CAIRN_STR("view"), CAIRN_STR("item"), texts, 2),
                     2);
    assert_true(cairn__span_equal(texts[0], CAIRN_STR("z")));
    assert_true(cairn__span_equal(texts[1], CAIRN_STR("x")));
    done(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_outlive_the_process),
        cmocka_unit_test(an_event_is_noted_once),
        cmocka_unit_test(two_persons_of_a_device_are_never_mixed),
        cmocka_unit_test(an_id_that_is_cut_off_takes_its_events_along),
        cmocka_unit_test(what_left_the_history_is_still_counted),
        cmocka_unit_test(a_clock_that_jumps_does_not_empty_the_history),
        cmocka_unit_test(a_query_that_is_new_knows_what_is_held),
        cmocka_unit_test(a_damaged_store_makes_unknown_not_wrong),
        cmocka_unit_test(a_profile_is_known_as_far_as_it_was_written_here),
        cmocka_unit_test(the_servers_count_goes_on_with_what_happens_here),
        cmocka_unit_test(the_servers_last_is_unknown_after_ones_own),
        cmocka_unit_test(a_memory_goes_with_its_person),
        cmocka_unit_test(a_purge_leaves_nothing),
        cmocka_unit_test(a_link_joins_memories_and_an_unlink_parts_them),
        cmocka_unit_test(a_failed_write_is_mended_by_a_snapshot),
        cmocka_unit_test(the_longest_away_is_forgotten_and_unknown),
        cmocka_unit_test(an_id_that_names_nobody_changes_nothing),
        cmocka_unit_test(the_same_facts_again_have_in_them_what_happened_since),
        cmocka_unit_test(asking_again_allocates_nothing),
        cmocka_unit_test(a_lost_end_that_has_left_the_queue_makes_unknown),
        cmocka_unit_test(recent_texts_come_newest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
