/* Goal: an entry does to persons, profiles and trails what its events say, once.
 * Method: entries made by hand; what people would see is read back. */
#include <jansson.h>
#include <string.h>

#include "base/bytes.h"
#include "support/cmocka_all.h"
#include "unit/collector/fold/history.h"

static const history_device phone = { { 0xAB, 1 }, 0 };

static cairn__event track(uint64_t seq, const char *name) {
    return (cairn__event){ .seq = seq, .name = cairn__span_of(name), .time_ms = 1700000000000 };
}

static cairn__event about(uint64_t seq, cairn__event_kind kind, const cairn_id *id) {
    return (cairn__event){
        .seq = seq, .kind = kind, .time_ms = 1700000000000, .ids = id, .id_count = id != NULL
    };
}

static int64_t member(const char *json, const char *name) {
    json_t *root = json_loads(json, 0, NULL);
    assert_non_null(root);
    int64_t value = json_integer_value(json_object_get(root, name));
    json_decref(root);
    return value;
}

static void events_reach_the_trail_the_person_and_the_live_view(void **state) {
    (void)state;
    history h;
    history_make(&h, "reach");
    history_json(&h, "",
                 "[{\"event\":\"view\",\"user\":\"u1\",\"properties\":{\"page\":\"首页\"}},"
                 "{\"type\":\"profile_set\",\"user\":\"u1\","
                 "\"properties\":{\"city\":\"北京\"}}]");
    int64_t sum = 0;
    assert_int_equal(history_rows(&h, &sum), 1);
    const char *person = history_person(&h, "login", "u1");
    assert_non_null(strstr(person, "\"city\":\"北京\""));
    assert_non_null(strstr(person, "\"event\":\"view\""));
    assert_non_null(strstr(person, "\"type\":\"login\""));
    assert_int_equal(member(person, "events_total"), 1);
    assert_non_null(strstr(h.live, "\"page\":\"首页\""));
    assert_non_null(strstr(h.live, "\"event\":\"$profile_set\""));
    assert_string_equal(history_person(&h, "login", "nobody"), "");
    history_remove(&h);
}

static void a_resent_event_counts_once(void **state) {
    (void)state;
    history h;
    history_make(&h, "resent");
    cairn__event events[3] = { track(1, "a"), track(2, "b"), track(3, "c") };
    history_send(&h, &phone, events, 2);
    history_send(&h, &phone, events, 3);
    history_send(&h, &phone, events + 2, 1);
    int64_t sum = 0;
    assert_int_equal(history_rows(&h, &sum), 3);
    assert_int_equal(history_stats(&h).duplicates, 3);
    history_commit(&h);
    history_crash(&h);
    history_send(&h, &phone, events, 3);
    assert_int_equal(history_rows(&h, &sum), 3);
    history_remove(&h);
}

static void gaps_may_be_filled_later_in_any_order(void **state) {
    (void)state;
    history h;
    history_make(&h, "gaps");
    static const uint64_t seqs[] = { 10, 3, 7, 5, 6, 3, 10, 1, 4, 2, 9, 8, 5, 11 };
    for (size_t i = 0; i < sizeof seqs / sizeof seqs[0]; i++) {
        cairn__event event = track(seqs[i], "a");
        history_send(&h, &phone, &event, 1);
        if (i % 3 == 0) {
            history_commit(&h);
            history_crash(&h);
        }
    }
    int64_t sum = 0;
    assert_int_equal(history_rows(&h, &sum), 11);
    history_remove(&h);
}

static void an_idempotency_key_counts_once(void **state) {
    (void)state;
    history h;
    history_make(&h, "key");
    const char *body = "[{\"event\":\"a\",\"user\":\"u\"},{\"event\":\"b\",\"user\":\"u\"}]";
    int64_t sum = 0;
    history_json(&h, "order-1", body);
    history_json(&h, "order-1", body);
    assert_int_equal(history_rows(&h, &sum), 2);
    history_json(&h, "", body);
    history_json(&h, "", body);
    assert_int_equal(history_rows(&h, &sum), 6);
    history_remove(&h);
}

static void a_shared_device_is_two_persons(void **state) {
    (void)state;
    history h;
    history_make(&h, "shared");
    cairn_id a = { CAIRN_STR("login"), CAIRN_STR("A") };
    cairn_id b = { CAIRN_STR("login"), CAIRN_STR("B") };
    cairn__event events[] = { track(1, "before A"), about(2, CAIRN__EVENT_LOGIN, &a),
                              track(3, "as A"),     about(4, CAIRN__EVENT_LOGOUT, NULL),
                              track(5, "before B"), about(6, CAIRN__EVENT_LOGIN, &b),
                              track(7, "as B") };
    history_send(&h, &phone, events, 7);
    const char *person = history_person(&h, "login", "A");
    assert_non_null(strstr(person, "before A"));
    assert_non_null(strstr(person, "as A"));
    assert_int_equal(member(person, "events_total"), 2);
    person = history_person(&h, "login", "B");
    assert_non_null(strstr(person, "before B"));
    assert_non_null(strstr(person, "as B"));
    assert_int_equal(member(person, "events_total"), 2);
    history_remove(&h);
}

static void a_late_event_of_a_device_is_its_persons(void **state) {
    (void)state;
    history h;
    history_make(&h, "late");
    history_json(&h, "",
                 "[{\"type\":\"link\",\"ids\":[\"login:A\",\"mobile:1\"]},"
                 "{\"event\":\"call\",\"ids\":{\"mobile\":\"1\"}},"
                 "{\"type\":\"profile_increment\",\"ids\":{\"mobile\":\"1\"},"
                 "\"properties\":{\"calls\":2}},"
                 "{\"type\":\"profile_increment\",\"user\":\"A\","
                 "\"properties\":{\"calls\":3}}]");
    const char *person = history_person(&h, "login", "A");
    assert_non_null(strstr(person, "\"event\":\"call\""));
    assert_non_null(strstr(person, "\"calls\":5"));
    history_remove(&h);
}

static int64_t count_of(history *h, const char *sql) {
    sqlite3_stmt *select = NULL;
    assert_int_equal(sqlite3_prepare_v2(h->fold->db, sql, -1, &select, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(select), SQLITE_ROW);
    int64_t count = sqlite3_column_int64(select, 0);
    sqlite3_finalize(select);
    return count;
}

static void what_cannot_be_counted_is_kept_with_the_reason(void **state) {
    (void)state;
    history h;
    history_make(&h, "aside");
    history_json(&h, "",
                 "[{\"event\":\"\",\"user\":\"u\"},{\"event\":\"a\",\"user\":\"null\"},"
                 "{\"type\":\"profile_increment\",\"user\":\"u\",\"properties\":{\"x\":\"y\"}},"
                 "{\"event\":\"fine\",\"user\":\"u\"}]");
    history_json(&h, "", "this was never JSON");
    history_commit(&h);
    int64_t sum = 0;
    assert_int_equal(history_rows(&h, &sum), 1);
    assert_int_equal(history_stats(&h).quarantined, 4);
    assert_int_equal(count_of(&h, "SELECT count(*) FROM quarantine"), 4);
    assert_int_equal(count_of(&h, "SELECT count(*) FROM quarantine WHERE code = 'id_denied'"), 1);
    assert_int_equal(count_of(&h, "SELECT count(DISTINCT code) FROM quarantine"), 4);
    assert_int_equal(count_of(&h, "SELECT count(*) FROM quarantine WHERE length(fix) > 10"), 4);
    assert_int_equal(count_of(&h, "SELECT count(*) FROM quarantine WHERE"
                                  " instr(original, CAST('this was never JSON' AS BLOB)) > 0"),
                     1);
    history_remove(&h);
}

static cairn__event consent(uint64_t seq, const cairn_property *properties, size_t count) {
    return (cairn__event){ .seq = seq,
                           .kind = CAIRN__EVENT_CONSENT,
                           .time_ms = 1700000000000 + (int64_t)seq,
                           .properties = properties,
                           .property_count = count };
}

static cairn_property says(cairn_span name, cairn_span text) {
    return (cairn_property){ name, { CAIRN_VALUE_STRING, { .string = text } } };
}

static void consent_is_kept_line_by_line_and_the_newest_holds(void **state) {
    (void)state;
    history h;
    history_make(&h, "consent");
    const cairn_id login = { CAIRN_STR("login"), CAIRN_STR("u1") };
    const cairn_property first[] = { says(CAIRN_STR("analytics"), CAIRN_STR("granted")),
                                     says(CAIRN_STR("marketing"), CAIRN_STR("denied")),
                                     says(CAIRN_STR("source"), CAIRN_STR("banner")),
                                     says(CAIRN_STR("text_version"), CAIRN_STR("2026-11")) };
    const cairn_property later[] = { says(CAIRN_STR("analytics"), CAIRN_STR("denied")) };
    const cairn_property odd[] = { says(CAIRN_STR("analytics"), CAIRN_STR("perhaps")) };
    cairn__event events[] = { consent(1, first, 4), about(2, CAIRN__EVENT_LOGIN, &login),
                              consent(3, later, 1), consent(4, odd, 1), consent(5, NULL, 0) };
    history_send(&h, &phone, events, 5);
    history_send(&h, &phone, events, 5); /* again: one ledger */
    history_commit(&h);
    history_crash(&h);
    assert_int_equal(count_of(&h, "SELECT count(*) FROM consent_ledger"), 3);
    assert_int_equal(count_of(&h, "SELECT count(*) FROM quarantine WHERE code = 'consent_unfit'"),
                     2);
    const char *person = history_person(&h, "login", "u1");
    assert_non_null(strstr(person, "\"consent\":{\"analytics\":{\"state\":\"denied\""));
    assert_non_null(strstr(person, "\"marketing\":{\"state\":\"denied\",\"time\":"
                                   "\"2023-11-14T22:13:20.001Z\",\"source\":\"banner\","
                                   "\"text_version\":\"2026-11\"}"));
    assert_null(strstr(person, "personalisation"));
    assert_null(strstr(person, "erase_requested"));
    history_remove(&h);
}

static void a_wish_to_be_erased_is_never_lost(void **state) {
    (void)state;
    history h;
    history_make(&h, "erase");
    const cairn_id login = { CAIRN_STR("login"), CAIRN_STR("u1") };
    cairn__event events[] = { track(1, "a"), about(2, CAIRN__EVENT_ERASE, &login) };
    history_send(&h, &phone, events, 2);
    history_send(&h, &phone, events, 2);
    history_commit(&h);
    history_crash(&h);
    history_json(&h, "", "{\"type\":\"erase\",\"user\":\"u2\"}");
    history_commit(&h);
    assert_int_equal(count_of(&h, "SELECT count(*) FROM erase_requests WHERE state = 'waiting'"),
                     2);
    assert_int_equal(count_of(&h, "SELECT count(*) FROM erase_requests WHERE length(original) > 4"),
                     2);
    assert_non_null(strstr(history_person(&h, "login", "u1"), "\"erase_requested\":\"2023-"));
    history_remove(&h);
}

/* The device's clock is an hour behind; its second request travels faster than its first. */
static void a_wrong_clock_is_corrected_and_order_is_kept(void **state) {
    (void)state;
    history h;
    history_make(&h, "clock");
    enum { HOUR = 3600000 };
    history_device slow = { { 7 }, h.now_ms - HOUR - 500 };
    cairn__event first = track(1, "first");
    first.time_ms = h.now_ms - HOUR - 1000;
    history_send(&h, &slow, &first, 1);
    assert_non_null(strstr(h.live, "2023-11-14T22:13:19.500Z")); /* received 22:13:20 */
    slow.sent_ms = h.now_ms - HOUR - 100;
    cairn__event second = track(2, "second");
    second.time_ms = first.time_ms + 10;
    h.live_len = 0;
    history_send(&h, &slow, &second, 1);
    assert_non_null(strstr(h.live, "2023-11-14T22:13:19.500Z")); /* never before the first */
    history_remove(&h);
}

static void a_failed_commit_loses_nothing(void **state) {
    (void)state;
    history h;
    history_make(&h, "failed");
    cairn__event event = track(1, "a");
    history_send(&h, &phone, &event, 1);
    assert_int_equal(sqlite3_exec(h.fold->db, "PRAGMA query_only = 1", NULL, NULL, NULL),
                     SQLITE_OK);
    cairn__fold_problem problem = { "" };
    assert_int_equal(cairn__fold_commit(h.fold, 0, &problem), CAIRN_STORAGE);
    assert_true(strlen(problem.text) > 10);
    assert_int_equal(cairn__fold_position(h.fold), 0);
    event = track(2, "b");
    history_send(&h, &phone, &event, 1);
    assert_int_equal(sqlite3_exec(h.fold->db, "PRAGMA query_only = 0", NULL, NULL, NULL),
                     SQLITE_OK);
    history_commit(&h);
    history_crash(&h);
    int64_t sum = 0;
    assert_int_equal(history_rows(&h, &sum), 2);
    assert_int_equal(cairn__fold_position(h.fold), 2 * (uint64_t)HISTORY_ENTRY_STEP);
    history_remove(&h);
}

static void a_newer_format_is_refused_by_name(void **state) {
    (void)state;
    history h;
    history_make(&h, "newer");
    history_commit(&h);
    assert_int_equal(
        sqlite3_exec(h.fold->db, "UPDATE fold_progress SET format = 99", NULL, NULL, NULL),
        SQLITE_OK);
    cairn__fold_close(h.fold);
    cairn__fold_options options = { .allocator = cairn__heap(), .directory = h.directory };
    cairn__fold_problem problem = { "" };
    assert_int_equal(cairn__fold_open(&options, &h.fold, &problem), CAIRN_UNSUPPORTED);
    assert_non_null(strstr(problem.text, "newer"));
    h.fold = NULL;
    history_remove(&h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_reach_the_trail_the_person_and_the_live_view),
        cmocka_unit_test(a_resent_event_counts_once),
        cmocka_unit_test(gaps_may_be_filled_later_in_any_order),
        cmocka_unit_test(an_idempotency_key_counts_once),
        cmocka_unit_test(a_shared_device_is_two_persons),
        cmocka_unit_test(a_late_event_of_a_device_is_its_persons),
        cmocka_unit_test(what_cannot_be_counted_is_kept_with_the_reason),
        cmocka_unit_test(consent_is_kept_line_by_line_and_the_newest_holds),
        cmocka_unit_test(a_wish_to_be_erased_is_never_lost),
        cmocka_unit_test(a_wrong_clock_is_corrected_and_order_is_kept),
        cmocka_unit_test(a_failed_commit_loses_nothing),
        cmocka_unit_test(a_newer_format_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
