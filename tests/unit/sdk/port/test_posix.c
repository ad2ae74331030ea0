/* Goal: the Unix port keeps the promises of cairn_posix.h: one process per directory, calls from
 * many threads, a disk that fails and recovers, wrong options. Method: real directories under a
 * temporary one; a file size limit as the disk that is full; nobody listens on the server's port.
 */
#include "support/cmocka_all.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cairn/cairn_posix.h"

enum { THREADS = 4, CALLS = 500, WAIT_MS = 20000, PATH_BYTES = 256 };

typedef struct fixture {
    char directory[PATH_BYTES];
    cairn_posix_options options;
} fixture;

static int open_fixture(void **state) {
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    (void)snprintf(f->directory, sizeof f->directory, "/tmp/cairn-posix-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    f->options = (cairn_posix_options){ .directory = f->directory,
                                        .server_url = "http://127.0.0.1:9",
                                        .project_key = "demo",
                                        .tick_ms = 1 };
    *state = f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    DIR *listing = opendir(f->directory);
    for (const struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
        char path[2 * PATH_BYTES + 8];
        (void)snprintf(path, sizeof path, "%s/%s", f->directory, entry->d_name);
        (void)unlink(path);
    }
    (void)closedir(listing);
    (void)rmdir(f->directory);
    free(f);
    return 0;
}

static cairn_posix *open_app(const fixture *f) {
    cairn_posix *app = NULL;
    assert_int_equal(cairn_posix_open(&f->options, &app), CAIRN_OK);
    return app;
}

static cairn_client_status status_of(cairn_posix *app) {
    cairn_client_status status;
    cairn_posix_get_status(app, &status);
    return status;
}

static void wrong_options_are_refused(void **state) {
    const fixture *f = *state;
    cairn_posix *app = NULL;
    cairn_posix_options options = f->options;
    options.server_url = "ftp://example.com";
    assert_int_equal(cairn_posix_open(&options, &app), CAIRN_INVALID);
    options = f->options;
    options.project_key = NULL;
    assert_int_equal(cairn_posix_open(&options, &app), CAIRN_INVALID);
    options.project_key = "";
    assert_int_equal(cairn_posix_open(&options, &app), CAIRN_INVALID);
    options = f->options;
    options.directory = "/dev/null/not-a-directory";
    assert_int_equal(cairn_posix_open(&options, &app), CAIRN_STORAGE);
    assert_null(app);
    cairn_posix_close(NULL, 0);
}

static void a_directory_belongs_to_one_at_a_time(void **state) {
    const fixture *f = *state;
    cairn_posix *first = open_app(f);
    cairn_posix *second = NULL;
    assert_int_equal(cairn_posix_open(&f->options, &second), CAIRN_BUSY);
    cairn_posix_close(first, 0);
    second = open_app(f);
    cairn_posix_close(second, 0);
}

static void what_was_kept_is_there_after_reopening(void **state) {
    const fixture *f = *state;
    cairn_posix *app = open_app(f);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(cairn_posix_track(app, CAIRN_STR("e"), NULL, 0), CAIRN_OK);
    }
    assert_int_equal(cairn_posix_sync(app, WAIT_MS), CAIRN_OK);
    cairn_client_status before = status_of(app);
    assert_int_equal(before.kept_seq, 100);
    assert_int_equal(cairn_posix_flush(app, 10), CAIRN_NETWORK);
    cairn_posix_close(app, 0);
    app = open_app(f);
    cairn_client_status after = status_of(app);
    assert_int_equal(after.queued_events, 100);
    assert_memory_equal(after.device_id, before.device_id, 16);
    cairn_posix_close(app, 0);
}

static void every_call_passes_through(void **state) {
    const fixture *f = *state;
    cairn_posix *app = open_app(f);
    const cairn_property n = { CAIRN_STR("n"), { CAIRN_VALUE_INTEGER, { .integer = 1 } } };
    const cairn_span names[] = { CAIRN_STR("n") };
    const cairn_id id = { CAIRN_STR("login"), CAIRN_STR("u1") };
    assert_int_equal(cairn_posix_register(app, &n, 1, false), CAIRN_OK);
    assert_int_equal(cairn_posix_unregister(app, names, 1), CAIRN_OK);
    assert_int_equal(cairn_posix_timer(app, CAIRN_STR("t"), CAIRN_TIMER_START), CAIRN_OK);
    assert_int_equal(cairn_posix_timer_end(app, CAIRN_STR("t"), &n, 1), CAIRN_OK);
    assert_int_equal(cairn_posix_timer_end(app, CAIRN_STR("t"), &n, 1), CAIRN_NOT_FOUND);
    assert_int_equal(cairn_posix_login(app, id), CAIRN_OK);
    assert_int_equal(cairn_posix_bind(app, (cairn_id){ CAIRN_STR("mobile"), CAIRN_STR("1") }),
                     CAIRN_OK);
    assert_int_equal(cairn_posix_unbind(app, (cairn_id){ CAIRN_STR("mobile"), CAIRN_STR("1") }),
                     CAIRN_OK);
    assert_int_equal(cairn_posix_profile(app, CAIRN_PROFILE_INCREMENT, &n, 1), CAIRN_OK);
    assert_int_equal(cairn_posix_logout(app), CAIRN_OK);
    assert_int_equal(status_of(app).last_seq, 6);
    cairn_posix_close(app, 0);
}

static void *track_many(void *self) {
    for (int i = 0; i < CALLS; i++) {
        (void)cairn_posix_track(self, CAIRN_STR("e"), NULL, 0);
    }
    return NULL;
}

static void many_threads_may_call(void **state) {
    const fixture *f = *state;
    cairn_posix *app = open_app(f);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, track_many, app), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    assert_int_equal(cairn_posix_sync(app, WAIT_MS), CAIRN_OK);
    assert_int_equal(status_of(app).queued_events, THREADS * CALLS);
    cairn_posix_close(app, 0);
}

static void set_file_limit(rlim_t bytes) {
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_is_waited_for(void **state) {
    const fixture *f = *state;
    (void)signal(SIGXFSZ, SIG_IGN); /* a write beyond the limit is an error, as on a full disk */
    cairn_posix *app = open_app(f);
    assert_int_equal(cairn_posix_track(app, CAIRN_STR("before"), NULL, 0), CAIRN_OK);
    assert_int_equal(cairn_posix_sync(app, WAIT_MS), CAIRN_OK);
    set_file_limit(100);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(cairn_posix_track(app, CAIRN_STR("full"), NULL, 0), CAIRN_OK);
    }
    assert_int_equal(cairn_posix_sync(app, 300), CAIRN_BUSY);
    set_file_limit(RLIM_INFINITY);
    assert_int_equal(cairn_posix_sync(app, WAIT_MS), CAIRN_OK);
    cairn_posix_close(app, 0);
    app = open_app(f);
    assert_int_equal(status_of(app).queued_events, 51);
    cairn_posix_close(app, 0);
}

static void without_a_directory_memory_is_enough(void **state) {
    fixture *f = *state;
    f->options.directory = NULL;
    cairn_posix *app = open_app(f);
    assert_int_equal(cairn_posix_track(app, CAIRN_STR("e"), NULL, 0), CAIRN_OK);
    assert_int_equal(cairn_posix_sync(app, WAIT_MS), CAIRN_OK);
    assert_int_equal(status_of(app).queued_events, 1);
    cairn_posix_close(app, 0);
}

static bool is_there(const char *directory, const char *name) {
    char path[2 * PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    return access(path, F_OK) == 0;
}

static void say(cairn_posix *app, uint32_t granted, uint32_t denied) {
    const cairn_consent_choice choice = { .granted = granted, .denied = denied };
    assert_int_equal(cairn_posix_consent(app, &choice), CAIRN_OK);
}

static void before_consent_the_directory_is_not_even_made(void **state) {
    fixture *f = *state;
    char missing[PATH_BYTES + 8];
    (void)snprintf(missing, sizeof missing, "%s/own", f->directory);
    f->options.directory = missing;
    f->options.consent =
        (cairn_consent_options){ .required = CAIRN_CONSENT_ALL, .withdraw_silently = true };
    cairn_posix *app = open_app(f);
    assert_int_equal(cairn_posix_track(app, CAIRN_STR("early"), NULL, 0), CAIRN_OK);
    assert_int_equal(cairn_posix_sync(app, WAIT_MS), CAIRN_OK);
    assert_false(cairn_posix_consent_allows(app, CAIRN_CONSENT_ANALYTICS));
    cairn_posix_close(app, 50);
    assert_false(is_there(f->directory, "own"));

    app = open_app(f);
    assert_int_equal(cairn_posix_track(app, CAIRN_STR("early"), NULL, 0), CAIRN_OK);
    say(app, CAIRN_CONSENT_ANALYTICS, 0);
    assert_int_equal(cairn_posix_sync(app, WAIT_MS), CAIRN_OK);
    assert_true(is_there(missing, "log-00000001"));
    assert_int_equal(status_of(app).last_seq, 2);
    cairn_posix_close(app, 0);

    app = open_app(f);
    assert_int_equal(cairn_posix_consent_said(app, CAIRN_CONSENT_ANALYTICS), CAIRN_CONSENT_GRANTED);
    assert_int_equal(status_of(app).last_seq, 2);
    say(app, 0, CAIRN_CONSENT_ANALYTICS);
    for (int i = 0; i < 500 && is_there(f->directory, "own"); i++) {
        assert_true(usleep(10000) == 0);
    }
    assert_false(is_there(f->directory, "own"));
    say(app, CAIRN_CONSENT_ANALYTICS, 0); /* another device, in a directory that is made again */
    assert_int_equal(cairn_posix_sync(app, WAIT_MS), CAIRN_OK);
    assert_true(is_there(missing, "log-00000001"));
    assert_int_equal(cairn_posix_erase(app), CAIRN_OK);
    cairn_posix_close(app, 50);
    assert_false(is_there(missing, "log-00000001")); /* the wish itself waits for the server */
    assert_true(is_there(missing, "state-0") || is_there(missing, "state-1"));
    static const char *const names[] = { "state-0", "state-1", "lock" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[2 * PATH_BYTES];
        (void)snprintf(path, sizeof path, "%s/%s", missing, names[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(missing), 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(wrong_options_are_refused),
        TEST(a_directory_belongs_to_one_at_a_time),
        TEST(what_was_kept_is_there_after_reopening),
        TEST(every_call_passes_through),
        TEST(before_consent_the_directory_is_not_even_made),
        TEST(many_threads_may_call),
        TEST(a_full_disk_is_waited_for),
        TEST(without_a_directory_memory_is_enough),
    };
    return cmocka_run_group_tests_name("sdk/port/posix", tests, NULL, NULL);
}
