/* Goal: what cairn_posix_full.h promises: every tracked event is a row once, whoever was there when
 * it was tracked; a withdrawal removes the file; a table that is damaged is begun anew. Method: the
 * runner with its thread, on a folder of its own, with no server. Kills: sql_crash.py. */
#include "support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cairn/cairn_posix_full.h"

enum { SYNC_MS = 20000 };

typedef struct fixture {
    char folder[64];
    char path[96];
    cairn_posix_options options;
    cairn_posix *app;
} fixture;

static int open_fixture(void **state) {
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    (void)snprintf(f->folder, sizeof f->folder, "/tmp/cairn-full-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    (void)snprintf(f->path, sizeof f->path, "%s/history.db", f->folder);
    f->options = (cairn_posix_options){ .directory = f->folder,
                                        .server_url = "http://127.0.0.1:1",
                                        .project_key = "demo",
                                        .tick_ms = 1 };
    *state = f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    char command[128];
    cairn_posix_close(f->app, 0);
    (void)snprintf(command, sizeof command, "rm -rf %s", f->folder);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

static void boot(fixture *f, bool full) {
    cairn_posix_close(f->app, 0);
    cairn_status status = full ? cairn_posix_full_open(&f->options, NULL, &f->app)
                               : cairn_posix_open(&f->options, &f->app);
    assert_int_equal(status, CAIRN_OK);
}

static void track(fixture *f, int64_t first, int64_t count) {
    for (int64_t n = first; n < first + count; n++) {
        const cairn_property property = { CAIRN_STR("n"),
                                          { CAIRN_VALUE_INTEGER, { .integer = n } } };
        assert_int_equal(cairn_posix_track(f->app, CAIRN_STR("canary"), &property, 1), CAIRN_OK);
    }
}

static cairn_status ask(fixture *f, const char *question, char text[512]) {
    char *answer = NULL;
    const cairn_span span = { (const uint8_t *)question, strlen(question) };
    cairn_status status = cairn_posix_sql(f->app, span, &answer);
    assert_non_null(answer);
    (void)snprintf(text, 512, "%s", answer);
    free(answer);
    return status;
}

/* The numbers from 1 to n are there, once. */
static void expect_rows(fixture *f, int n) {
    char text[512];
    char wanted[512];
    assert_int_equal(ask(f,
                         "SELECT count(*) a, count(DISTINCT property(event, 'n')) b,"
                         " coalesce(max(property(event, 'n')), 0) c FROM events",
                         text),
                     CAIRN_OK);
    (void)snprintf(wanted, sizeof wanted,
                   "{\"columns\":[\"a\",\"b\",\"c\"],\"rows\":[[%d,%d,%d]],\"cut\":false}", n, n,
                   n);
    assert_string_equal(text, wanted);
}

static bool file_holds(const char *path, const char *word) {
    char bytes[1 << 16];
    FILE *file = fopen(path, "rb");
    size_t len = file == NULL ? 0 : fread(bytes, 1, sizeof bytes, file);
    if (file != NULL) {
        (void)fclose(file);
    }
    for (size_t i = 0; i + strlen(word) <= len; i++) {
        if (memcmp(bytes + i, word, strlen(word)) == 0) {
            return true;
        }
    }
    return false;
}

static void tracked_events_are_rows_at_once_and_over_restarts(void **state) {
    fixture *f = *state;
    boot(f, true);
    expect_rows(f, 0);
    track(f, 1, 300);
    expect_rows(f, 300);
    boot(f, true);
    expect_rows(f, 300);
    track(f, 301, 20);
    expect_rows(f, 320);
}

static void what_was_tracked_without_the_table_is_caught_up(void **state) {
    fixture *f = *state;
    boot(f, false);
    track(f, 1, 600);
    assert_int_equal(cairn_posix_sync(f->app, SYNC_MS), CAIRN_OK);
    boot(f, true);
    expect_rows(f, 600);
}

static void a_withdrawal_removes_the_file_and_a_grant_begins_anew(void **state) {
    fixture *f = *state;
    char text[512];
    const cairn_consent_choice no = { .denied = CAIRN_CONSENT_ANALYTICS };
    const cairn_consent_choice yes = { .granted = CAIRN_CONSENT_ANALYTICS };
    f->options.consent.withdraw_silently = true; /* there is no server */
    boot(f, true);
    track(f, 1, 50);
    expect_rows(f, 50);
    assert_true(file_holds(f->path, "canary"));
    assert_int_equal(cairn_posix_consent(f->app, &no), CAIRN_OK);
    assert_int_equal(ask(f, "SELECT 1", text), CAIRN_DENIED);
    assert_int_not_equal(access(f->path, F_OK), 0);
    for (int i = 0; i < 1000 && access(f->folder, F_OK) == 0; i++) {
        (void)usleep(10000);
    }
    assert_int_equal(cairn_posix_consent(f->app, &yes), CAIRN_OK);
    track(f, 1, 3);
    expect_rows(f, 3);
}

static void a_file_that_an_ended_process_left_behind_goes(void **state) {
    fixture *f = *state;
    char text[512];
    boot(f, true);
    track(f, 1, 5);
    expect_rows(f, 5);
    cairn_posix_close(f->app, 0);
    f->app = NULL;
    f->options.consent.required = CAIRN_CONSENT_ALL; /* and nothing was said */
    char command[160];
    (void)snprintf(command, sizeof command, "rm -f %s/log-* %s/state-*", f->folder, f->folder);
    assert_int_equal(system(command), 0);
    boot(f, true);
    assert_int_equal(ask(f, "SELECT 1", text), CAIRN_DENIED);
    assert_int_not_equal(access(f->path, F_OK), 0);
}

static void a_damaged_table_is_begun_anew(void **state) {
    fixture *f = *state;
    boot(f, true);
    track(f, 1, 40);
    expect_rows(f, 40);
    cairn_posix_close(f->app, 0);
    f->app = NULL;
    FILE *file = fopen(f->path, "r+b");
    assert_non_null(file);
    for (int i = 0; i < 200; i++) {
        (void)fputc(0xFF, file);
    }
    (void)fclose(file);
    boot(f, true);
    expect_rows(f, 40);
}

static void another_devices_rows_are_not_this_ones(void **state) {
    fixture *f = *state;
    boot(f, true);
    track(f, 1, 9);
    expect_rows(f, 9);
    cairn_posix_close(f->app, 0);
    f->app = NULL;
    char command[160];
    (void)snprintf(command, sizeof command, "rm -f %s/log-* %s/state-*", f->folder, f->folder);
    assert_int_equal(system(command), 0);
    boot(f, true);
    track(f, 1, 2);
    expect_rows(f, 2);
}

static void what_is_no_question_is_refused_with_a_sentence(void **state) {
    fixture *f = *state;
    char text[512];
    boot(f, true);
    assert_int_equal(ask(f, "DELETE FROM events", text), CAIRN_INVALID);
    assert_non_null(strstr(text, "not authorized"));
    boot(f, false);
    assert_int_equal(ask(f, "SELECT 1", text), CAIRN_UNSUPPORTED);
    f->options.directory = NULL;
    boot(f, true);
    track(f, 1, 3);
    expect_rows(f, 3);
}

#define WITH_FIXTURE(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(tracked_events_are_rows_at_once_and_over_restarts),
        WITH_FIXTURE(what_was_tracked_without_the_table_is_caught_up),
        WITH_FIXTURE(a_withdrawal_removes_the_file_and_a_grant_begins_anew),
        WITH_FIXTURE(a_file_that_an_ended_process_left_behind_goes),
        WITH_FIXTURE(a_damaged_table_is_begun_anew),
        WITH_FIXTURE(another_devices_rows_are_not_this_ones),
        WITH_FIXTURE(what_is_no_question_is_refused_with_a_sentence),
    };
    return cmocka_run_group_tests_name("sdk/port/sql", tests, NULL, NULL);
}
