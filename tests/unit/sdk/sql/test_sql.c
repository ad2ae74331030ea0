/* Goal: noted events are rows that can be asked for, durable after a commit, bounded, and nobody
 * can do more than read them. Method: a database in a folder of its own, closed without a commit
 * for a crash, and questions that try to get out. */
#include "support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "model/event.h"
#include "sql/sql.h"

enum { NOW_MS = 1000000 };

typedef struct fixture {
    char folder[64];
    char path[96];
    cairn__sql_options options;
    cairn__sql *sql;
    cairn__buffer answer;
    cairn__sql_fault fault;
} fixture;

static void reopen(fixture *f) {
    cairn__sql_close(f->sql);
    assert_int_equal(cairn__sql_open(&f->options, &f->sql, &f->fault), CAIRN_OK);
}

static int open_fixture(void **state) {
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    (void)snprintf(f->folder, sizeof f->folder, "/tmp/cairn-sql-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    (void)snprintf(f->path, sizeof f->path, "%s/history.db", f->folder);
    f->options = (cairn__sql_options){ .allocator = cairn__heap(), .path = f->path };
    f->answer = cairn__buffer_make(cairn__heap(), 2 << 20);
    reopen(f);
    *state = f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    char journal[128];
    cairn__sql_close(f->sql);
    cairn__buffer_free(&f->answer);
    (void)snprintf(journal, sizeof journal, "%s-journal", f->path);
    (void)unlink(journal);
    (void)unlink(f->path);
    (void)rmdir(f->folder);
    free(f);
    return 0;
}

static cairn_status note(fixture *f, uint64_t seq, const char *name, double amount) {
    static const cairn_span tags[] = { { (const uint8_t *)"a\"b", 3 },
                                       { (const uint8_t *)"c", 1 } };
    const cairn_property properties[] = {
        { CAIRN_STR("amount"), { CAIRN_VALUE_NUMBER, { .number = amount } } },
        { CAIRN_STR("channel"), { CAIRN_VALUE_STRING, { .string = CAIRN_STR("微信") } } },
        { CAIRN_STR("tags"), { CAIRN_VALUE_LIST, { .list = { tags, 2 } } } },
        { CAIRN_STR("first"), { CAIRN_VALUE_BOOLEAN, { .boolean = true } } },
    };
    cairn__event event = { .name = cairn__span_of(name),
                           .time_ms = (int64_t)seq * 1000,
                           .session = 1,
                           .properties = properties,
                           .property_count = 4 };
    cairn__buffer wire = cairn__buffer_make(cairn__heap(), 1 << 16);
    cairn__event_encode(&wire, &event);
    assert_false(wire.failed);
    cairn_status status = cairn__sql_note(f->sql, seq, 1, cairn__buffer_span(&wire));
    cairn__buffer_free(&wire);
    return status;
}

static cairn_status ask(fixture *f, const char *text) {
    cairn__buffer_clear(&f->answer);
    f->fault.text[0] = 0;
    return cairn__sql_ask(f->sql, cairn__span_of(text), NOW_MS, &f->answer, &f->fault);
}

static void expect(fixture *f, const char *text, const char *wanted) {
    cairn_status status = ask(f, text);
    if (status != CAIRN_OK) {
        fail_msg("%s: %s", text, f->fault.text);
    }
    cairn__buffer_byte(&f->answer, 0);
    assert_string_equal((const char *)f->answer.data, wanted);
}

static void noted_events_are_rows(void **state) {
    fixture *f = *state;
    for (uint64_t seq = 1; seq <= 3; seq++) {
        assert_int_equal(note(f, seq, seq == 2 ? "view" : "purchase", 2.5 * (double)seq), CAIRN_OK);
    }
    expect(f, "SELECT name, count(*) AS n FROM events GROUP BY name ORDER BY name;",
           "{\"columns\":[\"name\",\"n\"],\"rows\":[[\"purchase\",2],[\"view\",1]],\"cut\":false}");
    expect(f, "SELECT sum(property(event, 'amount')) s FROM events WHERE name = 'purchase'",
           "{\"columns\":[\"s\"],\"rows\":[[10.0]],\"cut\":false}");
    expect(
        f,
        "SELECT property(event,'channel') a, property(event,'tags') b, property(event,'first') c,"
        " property(event,'none') d, :now - time_ms e FROM events WHERE seq = 3",
        "{\"columns\":[\"a\",\"b\",\"c\",\"d\",\"e\"],\"rows\":[[\"微信\","
        "\"[\\\"a\\\\\\\"b\\\",\\\"c\\\"]\",1,null,997000]],\"cut\":false}");
}

static void a_seq_that_is_held_changes_nothing(void **state) {
    fixture *f = *state;
    assert_int_equal(note(f, 7, "view", 1), CAIRN_OK);
    assert_int_equal(note(f, 7, "other", 1), CAIRN_OK);
    expect(f, "SELECT seq, name FROM events",
           "{\"columns\":[\"seq\",\"name\"],\"rows\":[[7,\"view\"]],\"cut\":false}");
}

static void what_is_committed_survives_and_the_rest_is_noted_again(void **state) {
    fixture *f = *state;
    assert_int_equal(note(f, 1, "view", 1), CAIRN_OK);
    assert_int_equal(cairn__sql_commit(f->sql), CAIRN_OK);
    assert_int_equal(note(f, 2, "view", 1), CAIRN_OK);
    assert_int_equal(cairn__sql_newest(f->sql), 2);
    reopen(f); /* without a commit */
    assert_int_equal(cairn__sql_newest(f->sql), 1);
    expect(f, "SELECT count(*) n FROM events",
           "{\"columns\":[\"n\"],\"rows\":[[1]],\"cut\":false}");
}

static void the_oldest_rows_go_beyond_the_limits(void **state) {
    fixture *f = *state;
    f->options.events_max = 300;
    f->options.age_max_ms = 250 * 1000;
    reopen(f);
    for (uint64_t seq = 1; seq <= 2 * CAIRN__SQL_TRIM_EVERY; seq++) {
        assert_int_equal(note(f, seq, "view", 1), CAIRN_OK);
        assert_int_equal(cairn__sql_commit(f->sql), CAIRN_OK);
    }
    expect(f, "SELECT count(*) n, min(seq) s FROM events",
           "{\"columns\":[\"n\",\"s\"],\"rows\":[[251,262]],\"cut\":false}");
}

static bool holds(const char *bytes, size_t len, const char *word) {
    size_t word_len = strlen(word);
    for (size_t i = 0; i + word_len <= len; i++) {
        if (memcmp(bytes + i, word, word_len) == 0) {
            return true;
        }
    }
    return false;
}

static void a_purge_leaves_nothing_in_the_file(void **state) {
    fixture *f = *state;
    char bytes[1 << 16];
    assert_int_equal(note(f, 1, "canary_of_the_purge", 1), CAIRN_OK);
    assert_int_equal(cairn__sql_commit(f->sql), CAIRN_OK);
    assert_int_equal(cairn__sql_purge(f->sql), CAIRN_OK);
    assert_int_equal(cairn__sql_newest(f->sql), 0);
    FILE *file = fopen(f->path, "rb");
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    assert_true(len > 0);
    assert_false(holds(bytes, len, "canary"));
}

static void the_rows_of_another_owner_go(void **state) {
    fixture *f = *state;
    char bytes[1 << 16];
    assert_int_equal(note(f, 1, "canary_of_nobody", 1), CAIRN_OK);
    assert_int_equal(cairn__sql_commit(f->sql), CAIRN_OK);
    assert_int_equal(cairn__sql_own(f->sql, CAIRN_STR("device-1")), CAIRN_OK);
    assert_int_equal(cairn__sql_newest(f->sql), 0);
    assert_int_equal(note(f, 1, "canary_of_one", 1), CAIRN_OK);
    assert_int_equal(cairn__sql_commit(f->sql), CAIRN_OK);
    reopen(f);
    assert_int_equal(cairn__sql_own(f->sql, CAIRN_STR("device-1")), CAIRN_OK);
    assert_int_equal(cairn__sql_newest(f->sql), 1);
    assert_int_equal(ask(f, "SELECT id FROM owner"), CAIRN_INVALID);
    assert_int_equal(cairn__sql_own(f->sql, CAIRN_STR("device-2")), CAIRN_OK);
    assert_int_equal(cairn__sql_newest(f->sql), 0);
    FILE *file = fopen(f->path, "rb");
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    assert_false(holds(bytes, len, "canary"));
    assert_false(holds(bytes, len, "device-1"));
    assert_true(holds(bytes, len, "device-2"));
}

static void nothing_but_reading_events_is_allowed(void **state) {
    static const char *const refused[] = {
        "DELETE FROM events",
        "INSERT INTO events VALUES(1,1,1,1,'x',x'00')",
        "UPDATE events SET name = 'x'",
        "DROP TABLE events",
        "CREATE TABLE x(a)",
        "PRAGMA journal_mode=OFF",
        "ATTACH '/tmp/x' AS x",
        "VACUUM INTO '/tmp/x'",
        "SELECT * FROM sqlite_schema",
        "SELECT * FROM pragma_table_info('events')",
        "SELECT 1; DELETE FROM events",
        "BEGIN",
        "",
        "-- nothing",
        "SELECT FROM",
        "SELECT property(name, 'x') FROM events",
    };
    fixture *f = *state;
    assert_int_equal(note(f, 1, "view", 1), CAIRN_OK);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (ask(f, refused[i]) != CAIRN_INVALID) {
            fail_msg("\"%s\" was not refused", refused[i]);
        }
        assert_true(f->fault.text[0] != 0);
        assert_int_equal(f->answer.len, 0);
    }
    expect(f, "SELECT count(*) n FROM events",
           "{\"columns\":[\"n\"],\"rows\":[[1]],\"cut\":false}");
}

static void questions_have_a_budget(void **state) {
    fixture *f = *state;
    assert_int_equal(ask(f, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                            "SELECT max(i) FROM n"),
                     CAIRN_BUSY);
    assert_int_equal(ask(f, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT "
                            "2000) SELECT hex(zeroblob(1000)) FROM n"),
                     CAIRN_FULL);
    assert_int_equal(ask(f, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                            "SELECT i FROM n LIMIT 10001"),
                     CAIRN_OK);
    assert_memory_equal(f->answer.data + f->answer.len - 11, "\"cut\":true}", 11);
}

static void what_is_no_event_is_refused(void **state) {
    fixture *f = *state;
    assert_int_equal(cairn__sql_note(f->sql, 1, 1, CAIRN_STR("\xFF\xFF")), CAIRN_INVALID);
    assert_int_equal(cairn__sql_newest(f->sql), 0);
}

static void a_file_that_is_no_database_is_told(void **state) {
    fixture *f = *state;
    cairn__sql *other = NULL;
    cairn__sql_options options = f->options;
    options.path = f->folder;
    assert_int_equal(cairn__sql_open(&options, &other, &f->fault), CAIRN_STORAGE);
    assert_null(other);
    assert_true(f->fault.text[0] != 0);
}

#define WITH_FIXTURE(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(noted_events_are_rows),
        WITH_FIXTURE(a_seq_that_is_held_changes_nothing),
        WITH_FIXTURE(what_is_committed_survives_and_the_rest_is_noted_again),
        WITH_FIXTURE(the_oldest_rows_go_beyond_the_limits),
        WITH_FIXTURE(a_purge_leaves_nothing_in_the_file),
        WITH_FIXTURE(the_rows_of_another_owner_go),
        WITH_FIXTURE(nothing_but_reading_events_is_allowed),
        WITH_FIXTURE(questions_have_a_budget),
        WITH_FIXTURE(what_is_no_event_is_refused),
        WITH_FIXTURE(a_file_that_is_no_database_is_told),
    };
    return cmocka_run_group_tests_name("sdk/sql/sql", tests, NULL, NULL);
}
