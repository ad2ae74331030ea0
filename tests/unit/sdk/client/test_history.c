/* Goal: whoever copies the history after each pump holds every kept event exactly once, under its
 * own seq, whatever dies when: the client's process, the copier, or both. Method: a copier that
 * forgets what it did not commit, on a host that crashes at random writes; the truth is what each
 * number was tracked with and what the server counted. */
#include "fake_host.h"
#include "support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cairn/cairn_history.h"
#include "model/event.h"

enum { COPIES_MAX = 4096, ROUNDS = 300 };

typedef struct fixture {
    fake_host host;
    cairn_options options;
    cairn_client *client;
    /* by seq: the "id" of the event that was copied; -1: none */
    int64_t copied[COPIES_MAX];
    uint64_t newest, committed;
} fixture;

static int open_fixture(void **state) {
    fixture *f = calloc(1, sizeof *f);
    fake_host_open(&f->host, 5);
    f->options = (cairn_options){ .project_key = CAIRN_STR("shop-key"),
                                  .platform = CAIRN_STR("test"),
                                  .decide = { .keep_history = true } };
    for (size_t i = 0; i < COPIES_MAX; i++) {
        f->copied[i] = -1;
    }
    *state = f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    cairn_close(f->client);
    fake_host_close(&f->host);
    free(f);
    return 0;
}

static void boot(fixture *f) {
    cairn_close(f->client);
    f->client = fake_host_boot(&f->host, &f->options);
    assert_non_null(f->client);
}

static int64_t id_of(cairn_span encoded) {
    const cairn__dictionary no_words = { NULL, 0 };
    cairn__arena arena = cairn__arena_make(cairn__heap(), 1 << 16);
    cairn__event event;
    cairn__event_fault fault;
    assert_int_equal(cairn__event_decode(encoded, &no_words, &arena, &event, &fault), CAIRN_OK);
    int64_t id = event.properties[0].value.as.integer;
    cairn__arena_free(&arena);
    return id;
}

static void copy(fixture *f) {
    cairn_history_event event;
    while (cairn_history_next(f->client, f->newest, &event)) {
        assert_true(event.seq > f->newest && event.seq < COPIES_MAX && event.person > 0);
        f->copied[event.seq] = id_of(event.event);
        f->newest = event.seq;
    }
}

static void forget_uncommitted(fixture *f) {
    for (uint64_t seq = f->committed + 1; seq <= f->newest; seq++) {
        f->copied[seq] = -1;
    }
    f->newest = f->committed;
}

static size_t count_copies(const fixture *f, int64_t id) {
    size_t count = 0;
    for (size_t i = 0; i < COPIES_MAX; i++) {
        count += f->copied[i] == id;
    }
    return count;
}

static void every_kept_event_is_copied_once_whatever_dies(void **state) {
    fixture *f = *state;
    int64_t next_id = 0;
    boot(f);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (uint64_t n = fake_host_random(&f->host, 4); n > 0; n--) {
            assert_int_equal(fake_host_track(f->client, next_id++), CAIRN_OK);
        }
        switch (fake_host_random(&f->host, 6)) {
        case 0: /* both die */
            fake_host_crash(&f->host);
            forget_uncommitted(f);
            boot(f);
            break;
        case 1: /* the copier alone */
            forget_uncommitted(f);
            break;
        case 2:
            fake_host_commit_one(&f->host, f->client, true);
            break;
        default:
            fake_host_pass(&f->host, f->client, 500);
            break;
        }
        copy(f);
        f->committed = fake_host_random(&f->host, 2) == 0 ? f->newest : f->committed;
    }
    fake_host_pass(&f->host, f->client, 600000);
    copy(f);
    size_t held = 0;
    for (int64_t id = 0; id < next_id; id++) {
        assert_int_equal(count_copies(f, id), fake_host_count(&f->host, id));
        held += count_copies(f, id);
    }
    assert_true(held > 200);
    assert_false(f->host.collided);
}

static void an_event_is_not_given_before_it_is_kept(void **state) {
    fixture *f = *state;
    cairn_history_event event;
    boot(f);
    fake_host_pass(&f->host, f->client, 100);
    assert_int_equal(fake_host_track(f->client, 1), CAIRN_OK);
    assert_false(cairn_history_next(f->client, 0, &event));
    fake_host_commit(&f->host, f->client, true);
    assert_true(cairn_history_next(f->client, 0, &event));
    assert_int_equal(id_of(event.event), 1);
    assert_false(cairn_history_next(f->client, event.seq, &event));
}

static void an_anonymous_past_is_the_logins_and_another_login_is_another_person(void **state) {
    fixture *f = *state;
    const cairn_id ann = { CAIRN_STR("login"), CAIRN_STR("ann") };
    const cairn_id bob = { CAIRN_STR("login"), CAIRN_STR("bob") };
    uint64_t persons[3];
    boot(f);
    assert_int_equal(fake_host_track(f->client, 1), CAIRN_OK);
    assert_int_equal(cairn_login(f->client, ann), CAIRN_OK);
    assert_int_equal(fake_host_track(f->client, 2), CAIRN_OK);
    assert_int_equal(cairn_login(f->client, bob), CAIRN_OK);
    assert_int_equal(fake_host_track(f->client, 3), CAIRN_OK);
    fake_host_pass(&f->host, f->client, 100);
    cairn_history_event event = { .seq = 0 };
    for (size_t i = 0; i < 3; i++) {
        assert_true(cairn_history_next(f->client, event.seq, &event));
        persons[i] = event.person;
    }
    assert_false(cairn_history_next(f->client, event.seq, &event));
    assert_int_equal(persons[0], persons[1]);
    assert_int_not_equal(persons[1], persons[2]);
}

static void after_a_withdrawal_nothing_is_given(void **state) {
    fixture *f = *state;
    cairn_history_event event;
    const cairn_consent_choice no = { .denied = CAIRN_CONSENT_ANALYTICS };
    boot(f);
    assert_int_equal(fake_host_track(f->client, 1), CAIRN_OK);
    fake_host_pass(&f->host, f->client, 100);
    assert_true(cairn_history_next(f->client, 0, &event));
    assert_int_equal(cairn_consent(f->client, &no), CAIRN_OK);
    assert_false(cairn_history_next(f->client, 0, &event));
    fake_host_pass(&f->host, f->client, 60000);
    assert_false(cairn_history_next(f->client, 0, &event));
}

static void without_keys_and_wish_there_is_no_history(void **state) {
    fixture *f = *state;
    cairn_history_event event;
    f->options.decide.keep_history = false;
    boot(f);
    assert_int_equal(fake_host_track(f->client, 1), CAIRN_OK);
    fake_host_pass(&f->host, f->client, 100);
    assert_false(cairn_history_next(f->client, 0, &event));
}

#define WITH_FIXTURE(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(every_kept_event_is_copied_once_whatever_dies),
        WITH_FIXTURE(an_event_is_not_given_before_it_is_kept),
        WITH_FIXTURE(an_anonymous_past_is_the_logins_and_another_login_is_another_person),
        WITH_FIXTURE(after_a_withdrawal_nothing_is_given),
        WITH_FIXTURE(without_keys_and_wish_there_is_no_history),
    };
    return cmocka_run_group_tests_name("sdk/client/history", tests, NULL, NULL);
}
