/* Goal: no memory anywhere is a status, never a crash, a leak or an event that is lost unsaid.
 * Method: one life of a client, repeated with the n-th allocation failing, for every n; then with
 * all from the n-th on failing. What was accepted and not dropped reaches the server once. */
#include "fake_host.h"
#include "support/cmocka_all.h"

#include <stdlib.h>

#include "base/bytes.h"

enum { EVENTS = 60, NEVER = 1000000 };

typedef struct scarce {
    size_t calls;
    size_t fail_from;
    size_t fail_to;
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

typedef struct life {
    fake_host host;
    scarce memory;
    cairn_options options;
    bool accepted[EVENTS];
} life;

static const cairn_property plan = { { (const uint8_t *)"plan", 4 },
                                     { CAIRN_VALUE_BOOLEAN, { .boolean = true } } };

static void live(life *l, cairn_client *client, int from, int to) {
    for (int i = from; i < to; i++) {
        l->accepted[i] = fake_host_track(client, i) == CAIRN_OK;
        if (i % 10 == 3) {
            (void)cairn_register(client, &plan, 1, false);
            (void)cairn_login(client, (cairn_id){ CAIRN_STR("login"), CAIRN_STR("u1") });
            (void)cairn_timer(client, CAIRN_STR("read"), CAIRN_TIMER_START);
            (void)cairn_timer_end(client, CAIRN_STR("read"), NULL, 0);
        }
        if (i % 7 == 0) {
            fake_host_pass(&l->host, client, 700);
        }
    }
    fake_host_commit(&l->host, client, true);
}

/* The whole life; the number of allocations it took. */
static size_t run(size_t fail_from, size_t fail_to) {
    life *l = calloc(1, sizeof *l);
    assert_non_null(l);
    fake_host_open(&l->host, 11);
    l->memory = (scarce){ .fail_from = fail_from, .fail_to = fail_to };
    l->options = (cairn_options){ .project_key = CAIRN_STR("demo"),
                                  .flush_interval_ms = 500,
                                  .allocator = { resize, &l->memory } };
    cairn_client *client = fake_host_boot(&l->host, &l->options);
    if (client != NULL) {
        live(l, client, 0, EVENTS / 2);
        cairn_close(client);
        client = fake_host_boot(&l->host, &l->options);
    }
    if (client != NULL) {
        live(l, client, EVENTS / 2, EVENTS);
        cairn_close(client);
    }
    l->memory.fail_from = NEVER;
    client = fake_host_boot(&l->host, &l->options);
    assert_non_null(client);
    fake_host_pass(&l->host, client, 3600000);
    cairn_client_status status;
    cairn_get_status(client, &status);
    size_t missing = 0;
    for (int i = 0; i < EVENTS; i++) {
        size_t count = fake_host_count(&l->host, i);
        assert_true(count <= 1);
        missing += l->accepted[i] && count == 0;
    }
    if (missing > status.dropped_events) {
        fail_msg("%zu of the accepted are missing with allocations %zu to %zu failing", missing,
                 fail_from, fail_to - 1);
    }
    assert_int_equal(status.queued_events, 0);
    cairn_close(client);
    assert_int_equal(l->memory.held, 0);
    size_t calls = l->memory.calls;
    fake_host_close(&l->host);
    free(l);
    return calls;
}

static void the_nth_allocation_may_fail(void **state) {
    (void)state;
    size_t calls = run(NEVER, NEVER);
    assert_true(calls > 300);
    for (size_t n = 1; n <= calls; n++) {
        (void)run(n, n + 1);
    }
}

static void memory_may_run_out_for_a_while(void **state) {
    (void)state;
    size_t calls = run(NEVER, NEVER);
    for (size_t n = 1; n <= calls; n += 3) {
        (void)run(n, n + 40);
    }
}

/* --- consent -----------------------------------------------------------------------------------*/

static void choose(cairn_client *client, bool yes) {
    const cairn_consent_choice choice = { .granted = yes ? CAIRN_CONSENT_ANALYTICS : 0,
                                          .denied = yes ? 0 : CAIRN_CONSENT_ANALYTICS };
    for (int i = 0; i < 3 && cairn_consent(client, &choice) != CAIRN_OK; i++) {
    }
}

/* Waiting, granted, withdrawn, granted again, erased; the number of allocations. */
static size_t run_consent(size_t fail_from, size_t fail_to) {
    life *l = calloc(1, sizeof *l);
    assert_non_null(l);
    fake_host_open(&l->host, 13);
    l->memory = (scarce){ .fail_from = fail_from, .fail_to = fail_to };
    const cairn_privacy_rule rule = {
        CAIRN_STR("plan"), CAIRN_PRIVACY_HASH, CAIRN_PRIVACY_PROPERTIES, { NULL, 0 }
    };
    l->options = (cairn_options){ .project_key = CAIRN_STR("demo"),
                                  .flush_interval_ms = 500,
                                  .consent = { .required = CAIRN_CONSENT_ALL },
                                  .privacy = { &rule, 1, CAIRN_STR("pepper") },
                                  .allocator = { resize, &l->memory } };
    cairn_client *client = fake_host_boot(&l->host, &l->options);
    if (client != NULL) {
        live(l, client, 0, 10);
        assert_int_equal(l->host.submitted, 0);
        choose(client, true);
        live(l, client, 10, 20);
        choose(client, false);
        fake_host_pass(&l->host, client, 3600000);
        choose(client, true);
        live(l, client, 20, 30);
        (void)cairn_erase(client);
        cairn_close(client);
        fake_host_crash(&l->host);
    }
    l->memory.fail_from = NEVER;
    client = fake_host_boot(&l->host, &l->options);
    assert_non_null(client);
    choose(client, false);
    fake_host_pass(&l->host, client, 3600000);
    assert_true(fake_host_empty(&l->host));
    for (int i = 0; i < 30; i++) {
        assert_true(fake_host_count(&l->host, i) <= 1);
    }
    cairn_close(client);
    assert_int_equal(l->memory.held, 0);
    size_t calls = l->memory.calls;
    fake_host_close(&l->host);
    free(l);
    return calls;
}

static void a_purge_ends_whatever_allocation_fails(void **state) {
    (void)state;
    size_t calls = run_consent(NEVER, NEVER);
    assert_true(calls > 100);
    for (size_t n = 1; n <= calls; n++) {
        (void)run_consent(n, n + 1);
    }
    for (size_t n = 1; n <= calls; n += 3) {
        (void)run_consent(n, n + 40);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nth_allocation_may_fail),
        cmocka_unit_test(memory_may_run_out_for_a_while),
        cmocka_unit_test(a_purge_ends_whatever_allocation_fails),
    };
    return cmocka_run_group_tests_name("sdk/client/memory", tests, NULL, NULL);
}
