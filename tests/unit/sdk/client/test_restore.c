/* Goal: whatever happens to the bytes of a store, everything before the damage is kept, no sequence
 * number is given twice, and the device stays who it is.
 * Method: a segment and two slots written by the client; every cut and every flipped byte. */
#include "fake_host.h"
#include "support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/record.h"

enum { EVENTS = 12 };

typedef struct fixture {
    fake_host host;
    cairn_options options;
    size_t ends[EVENTS]; /* of each event's record in segment 1 */
    uint8_t device[16];
    cairn__buffer original;
} fixture;

static cairn_client_status status_of(cairn_client *client) {
    cairn_client_status status;
    cairn_get_status(client, &status);
    return status;
}

static int open_fixture(void **state) {
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    fake_host_open(&f->host, 7);
    f->options = (cairn_options){ .project_key = CAIRN_STR("demo"), .flush_interval_ms = 1000 };
    cairn_client *client = fake_host_boot(&f->host, &f->options);
    for (int i = 0; i < EVENTS; i++) {
        assert_int_equal(fake_host_track(client, i), CAIRN_OK);
        fake_host_commit(&f->host, client, true);
        f->ends[i] = fake_host_segment(&f->host, 1)->bytes.len;
    }
    memcpy(f->device, status_of(client).device_id, 16);
    cairn_close(client);
    f->original = cairn__buffer_make(cairn__heap(), 1 << 20);
    cairn__buffer_append(&f->original, cairn__buffer_span(&fake_host_segment(&f->host, 1)->bytes));
    *state = f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    cairn__buffer_free(&f->original);
    fake_host_close(&f->host);
    free(f);
    return 0;
}

static size_t whole_before(const fixture *f, size_t at) {
    size_t count = 0;
    while (count < EVENTS && f->ends[count] <= at) {
        count += 1;
    }
    return count;
}

static void expect_at_least(fixture *f, size_t whole) {
    cairn_client *client = fake_host_boot(&f->host, &f->options);
    assert_non_null(client);
    cairn_client_status status = status_of(client);
    assert_int_equal(status.queued_events, whole);
    assert_memory_equal(status.device_id, f->device, 16);
    cairn_close(client);
    fake_host_forget(&f->host); /* a state may be under way */
}

static void every_cut_keeps_all_records_before_it(void **state) {
    fixture *f = *state;
    cairn__buffer *segment = &fake_host_segment(&f->host, 1)->bytes;
    for (size_t len = 0; len <= f->original.len; len++) {
        segment->len = len;
        expect_at_least(f, whole_before(f, len));
    }
}

static void every_flipped_byte_keeps_all_records_before_it(void **state) {
    fixture *f = *state;
    cairn__buffer *segment = &fake_host_segment(&f->host, 1)->bytes;
    for (size_t at = 0; at < segment->len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            segment->data[at] ^= (uint8_t)(1u << bit);
            expect_at_least(f, whole_before(f, at));
            segment->data[at] ^= (uint8_t)(1u << bit);
        }
    }
}

static void numbers_that_damage_may_hide_are_not_given_again(void **state) {
    fixture *f = *state;
    cairn__buffer *segment = &fake_host_segment(&f->host, 1)->bytes;
    segment->data[f->ends[4] + 3] ^= 1; /* events 6 to 12 cannot be read; they may have been sent */
    cairn_client *client = fake_host_boot(&f->host, &f->options);
    assert_int_equal(status_of(client).queued_events, 5);
    assert_int_equal(fake_host_track(client, 100), CAIRN_OK);
    assert_true(status_of(client).last_seq > EVENTS);
    cairn_close(client);
}

static void one_damaged_slot_is_as_good_as_none(void **state) {
    fixture *f = *state;
    for (size_t slot = 0; slot < 2; slot++) {
        for (size_t at = 0; at < f->host.slots[slot].len; at++) {
            f->host.slots[slot].data[at] ^= 0x40;
            expect_at_least(f, EVENTS);
            f->host.slots[slot].data[at] ^= 0x40;
        }
    }
}

static void without_any_slot_the_segments_say_who_the_device_is(void **state) {
    fixture *f = *state;
    cairn__buffer_clear(&f->host.slots[0]);
    cairn__buffer_clear(&f->host.slots[1]);
    cairn_client *client = fake_host_boot(&f->host, &f->options);
    assert_memory_equal(status_of(client).device_id, f->device, 16);
    fake_host_pass(&f->host, client, 60000);
    assert_int_equal(f->host.event_count, EVENTS);
    assert_int_equal(f->host.events[EVENTS - 1].seq, EVENTS);
    cairn_close(client);
}

static void a_torn_write_of_the_state_leaves_the_one_before_it(void **state) {
    fixture *f = *state;
    cairn_client *client = fake_host_boot(&f->host, &f->options);
    const cairn_property plan = { CAIRN_STR("plan"),
                                  { CAIRN_VALUE_STRING, { .string = CAIRN_STR("pro") } } };
    assert_int_equal(cairn_register(client, &plan, 1, false), CAIRN_OK);
    fake_host_commit(&f->host, client, true);
    for (int i = 0; i < 20; i++) { /* each is refused, and half of it is on the disk */
        const cairn_id id = { CAIRN_STR("login"),
                              cairn__span("0123456789abcdefghij", 1 + (size_t)i) };
        assert_int_equal(cairn_login(client, id), CAIRN_OK);
        fake_host_commit(&f->host, client, false);
        f->host.mono_ms += 100000;
        (void)cairn_pump(client);
    }
    fake_host_crash(&f->host);
    cairn_close(client);
    client = fake_host_boot(&f->host, &f->options);
    assert_memory_equal(status_of(client).device_id, f->device, 16);
    assert_int_equal(fake_host_track(client, 100), CAIRN_OK);
    fake_host_pass(&f->host, client, 600000);
    assert_int_equal(fake_host_count(&f->host, 100), 1);
    const cairn_span names[] = { CAIRN_STR("plan") };
    assert_int_equal(cairn_unregister(client, names, 1), CAIRN_OK);
    assert_true(f->host.op_count > 0); /* it was still registered: taking it away writes a state */
    cairn_close(client);
}

static void segments_of_a_later_version_are_not_lost_on_us(void **state) {
    fixture *f = *state;
    cairn__buffer *segment = &fake_host_segment(&f->host, 1)->bytes;
    const cairn__record later = { 99, 0, 0, CAIRN_STR("something new") };
    cairn__record_write(segment, &later);
    const cairn__record event = { CAIRN__RECORD_EVENT, 0, 13,
                                  CAIRN_STR("\x1A\x01"
                                            "e") };
    cairn__record_write(segment, &event);
    expect_at_least(f, EVENTS + 1);
}

static void records_that_are_no_events_do_not_stop_the_queue(void **state) {
    fixture *f = *state;
    cairn__buffer *segment = &fake_host_segment(&f->host, 1)->bytes;
    const cairn__record broken = { CAIRN__RECORD_EVENT, 0, 13, CAIRN_STR("\x1A\x09not all") };
    cairn__record_write(segment, &broken);
    expect_at_least(f, EVENTS);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(every_cut_keeps_all_records_before_it),
        TEST(every_flipped_byte_keeps_all_records_before_it),
        TEST(numbers_that_damage_may_hide_are_not_given_again),
        TEST(one_damaged_slot_is_as_good_as_none),
        TEST(without_any_slot_the_segments_say_who_the_device_is),
        TEST(a_torn_write_of_the_state_leaves_the_one_before_it),
        TEST(segments_of_a_later_version_are_not_lost_on_us),
        TEST(records_that_are_no_events_do_not_stop_the_queue),
    };
    return cmocka_run_group_tests_name("sdk/client/restore", tests, NULL, NULL);
}
