/* Goal: no memory anywhere is a status and an unknown, never a crash, a leak or a wrong value.
 * Method: one life of a device, repeated with the n-th allocation failing, for every n, and with
 * all from the n-th on for a while; at the end there is memory again. */
#include "device.h"
#include "support/cmocka_all.h"

#include <stdlib.h>

#include "base/bytes.h"

enum { EVENTS = 60, NEVER = 1000000, A_WHILE = 25 };

typedef struct scarce {
    size_t calls, fail_from, fail_to;
    size_t held; /* bytes */
} scarce;

static void *resize(void *self, void *at, size_t old_bytes, size_t new_bytes) {
    scarce *memory = self;
    if (new_bytes == 0) {
        memory->held -= old_bytes;
        free(at);
        return NULL;
    }
    memory->calls += 1;
    if (memory->calls >= memory->fail_from && memory->calls < memory->fail_to) {
        return NULL;
    }
    void *to = realloc(at, new_bytes);
    memory->held += new_bytes - old_bytes;
    return to;
}

/* A count is what was noted since the last login, or unknown; the other values do not crash. */
static void look(device *d, size_t slot, int64_t truth) {
    int64_t count = device_count(d, slot);
    assert_true(count == truth || count == -1);
    for (size_t i = 0; i < d->slot_count; i++) {
        (void)device_value(d, i);
    }
    (void)cairn__local_memory(d->local);
}

static void write_profile(device *d) {
    const cairn_property plan = { CAIRN_STR("plan"),
                                  { CAIRN_VALUE_STRING, { .string = CAIRN_STR("gold") } } };
    device_note(d, (cairn__event){ .kind = CAIRN__EVENT_PROFILE_SET,
                                   .properties = &plan,
                                   .property_count = 1 });
}

static bool boot(device *d) {
    if (cairn__local_open(&d->options, &d->local) != CAIRN_OK) {
        return false;
    }
    (void)store_boot(&d->disk, d->local, d->now_ms);
    device_use(d);
    return true;
}

/* The queue has all events, and gives again what is missing. */
static void renote(device *d) {
    uint64_t end = d->seq;
    for (d->seq = cairn__local_last_seq(d->local); d->seq < end;) {
        device_track(d, "buy", 1);
    }
}

static void live(device *d, size_t slot) {
    int64_t truth = 0;
    for (int i = 0; i < EVENTS; i++) {
        device_track(d, "buy", i);
        truth += 1;
        if (i % 20 == 10) {
            write_profile(d);
        }
        look(d, slot, truth);
        d->now_ms += 3600 * 1000;
        if (i % 7 == 0) {
            store_commit(&d->disk, d->local);
            (void)cairn__local_pump(d->local, (int64_t)i * 10000);
        }
    }
}

static size_t life(size_t fail_from, size_t fail_to) {
    device *d = calloc(1, sizeof *d);
    assert_non_null(d);
    scarce memory = { .fail_from = fail_from, .fail_to = fail_to };
    device_init(d, 3);
    d->options.allocator = (cairn_allocator){ resize, &memory };
    d->options.history_events_max = 15;
    size_t slot = device_ask(d, "count(buy) > 0 and sum(buy.amount) > 1 and last(buy.amount) > 0 "
                                "and user.plan = \"gold\"");
    if (boot(d)) {
        live(d, slot);
        store_commit(&d->disk, d->local);
        memory.fail_from = NEVER;
        memory.fail_to = NEVER;
        (void)cairn__local_pump(d->local, INT64_MAX / 2);
        store_commit(&d->disk, d->local);
        device_use(d);
        look(d, slot, EVENTS);
        device_crash(d);
        assert_true(boot(d));
        renote(d);
        look(d, slot, EVENTS);
        device_track(d, "buy", 1);
        look(d, slot, EVENTS + 1);
    }
    cairn__local_close(d->local);
    d->local = NULL;
    assert_int_equal(memory.held, 0);
    size_t calls = memory.calls;
    device_free(d);
    free(d);
    return calls;
}

static void any_one_allocation_may_fail(void **state) {
    (void)state;
    size_t calls = life(NEVER, NEVER);
    for (size_t n = 1; n <= calls; n++) {
        (void)life(n, n + 1);
    }
}

static void many_allocations_may_fail(void **state) {
    (void)state;
    size_t calls = life(NEVER, NEVER);
    for (size_t n = 1; n <= calls; n++) {
        (void)life(n, n + A_WHILE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_one_allocation_may_fail),
        cmocka_unit_test(many_allocations_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
