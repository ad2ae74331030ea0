/* Goal: made-up people are the same for a seed, and every event they make is one the edge takes. */
#include "cli/load/people.h"

#include <string.h>

#include "cli/load/latency.h"
#include "support/cmocka_all.h"

enum { UNTIL_MS = 1000000000, FROM_MS = UNTIL_MS - 86400000, PEOPLE = 50, EVENTS = 400 };

static cairn__people open_people(uint64_t seed) {
    cairn__people people;
    assert_true(cairn__people_open(&people, PEOPLE, seed, FROM_MS, UNTIL_MS));
    return people;
}

static size_t encode(cairn__people *people, cairn__buffer *to) {
    cairn__load_event made;
    for (size_t i = 0; i < EVENTS; i++) {
        for (size_t device = 0; device < people->device_count; device++) {
            cairn__people_next(people, device, &made);
            cairn__event_encode(to, &made.event);
        }
    }
    assert_false(to->failed);
    return to->len;
}

static void a_seed_gives_the_same_events_and_another_does_not(void **state) {
    (void)state;
    cairn__buffer bytes[3];
    const uint64_t seeds[3] = { 7, 7, 8 };
    for (size_t i = 0; i < 3; i++) {
        cairn__people people = open_people(seeds[i]);
        bytes[i] = cairn__buffer_make(cairn__heap(), 64 * 1024 * 1024);
        encode(&people, &bytes[i]);
        cairn__people_close(&people);
    }
    assert_int_equal(bytes[0].len, bytes[1].len);
    assert_memory_equal(bytes[0].data, bytes[1].data, bytes[0].len);
    assert_true(bytes[0].len != bytes[2].len ||
                memcmp(bytes[0].data, bytes[2].data, bytes[0].len) != 0);
    for (size_t i = 0; i < 3; i++) {
        cairn__buffer_free(&bytes[i]);
    }
}

static void every_event_is_good_and_a_devices_seqs_and_times_only_grow(void **state) {
    (void)state;
    cairn__people people = open_people(1);
    cairn__load_event made;
    cairn__event_fault fault;
    size_t purchases = 0;
    size_t logins = 0;
    for (size_t device = 0; device < people.device_count; device++) {
        int64_t last_ms = 0;
        for (uint64_t seq = 1; seq <= EVENTS; seq++) {
            cairn__people_next(&people, device, &made);
            assert_true(cairn__event_check(&made.event, &fault));
            assert_int_equal(made.event.seq, seq);
            assert_true(made.event.time_ms >= last_ms && made.event.time_ms <= UNTIL_MS);
            last_ms = made.event.time_ms;
            purchases +=
                made.event.name.len == 8 && memcmp(made.event.name.data, "purchase", 8) == 0;
            logins += made.event.kind == CAIRN__EVENT_LOGIN;
        }
    }
    assert_true(people.device_count > PEOPLE);
    assert_true(purchases > 0 && purchases < people.device_count * EVENTS / 4);
    assert_true(logins > PEOPLE / 2 && logins <= people.device_count);
    cairn__people_close(&people);
}

static void devices_have_ids_of_their_own(void **state) {
    (void)state;
    cairn__people people = open_people(3);
    uint8_t ids[PEOPLE * CAIRN__PEOPLE_DEVICES_MAX][16];
    for (size_t i = 0; i < people.device_count; i++) {
        cairn__people_device_id(&people, i, ids[i]);
        for (size_t earlier = 0; earlier < i; earlier++) {
            assert_memory_not_equal(ids[i], ids[earlier], 16);
        }
    }
    cairn__people_close(&people);
}

static void percentiles_are_off_by_at_most_one_step(void **state) {
    (void)state;
    static cairn__latency latency;
    for (int64_t us = 1; us <= 100000; us++) {
        cairn__latency_add(&latency, us);
    }
    assert_in_range(cairn__latency_percentile(&latency, 50), 50000, 51600);
    assert_in_range(cairn__latency_percentile(&latency, 99), 99000, 100000);
    assert_int_equal(cairn__latency_percentile(&latency, 100), 100000);
    static cairn__latency none;
    assert_int_equal(cairn__latency_percentile(&none, 50), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_gives_the_same_events_and_another_does_not),
        cmocka_unit_test(every_event_is_good_and_a_devices_seqs_and_times_only_grow),
        cmocka_unit_test(devices_have_ids_of_their_own),
        cmocka_unit_test(percentiles_are_off_by_at_most_one_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
