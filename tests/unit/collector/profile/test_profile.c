/* Goal: a property's value is what a person who reads the operations would say, through however
 * many nodes; and it survives commits and reopening. Method: random operations against a slow
 * replay; the rules of merging as named cases. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "profile/profile.h"
#include "profile/reader.h"
#include "support/cmocka_all.h"

enum { ARENA_BYTES = 8 << 20, OPERATIONS = 12, ROUNDS = 20000 };

typedef struct store {
    char path[64];
    sqlite3 *db;
    cairn__profile *profile;
} store;

static void store_open(store *s) {
    cairn__db_problem problem = { "" };
    assert_int_equal(cairn__db_open(s->path, &s->db, &problem), CAIRN_OK);
    assert_int_equal(cairn__profile_open(s->db, cairn__heap(), &s->profile, &problem), CAIRN_OK);
}

static void store_close(store *s) {
    cairn__profile_close(s->profile);
    sqlite3_close(s->db);
}

static void store_make(store *s) {
    (void)snprintf(s->path, sizeof s->path, "/tmp/cairn_profile_%d.db", (int)getpid());
    (void)unlink(s->path);
    store_open(s);
}

static void store_remove(store *s) {
    char path[80];
    store_close(s);
    static const char *const ends[] = { "", "-wal", "-shm" };
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s%s", s->path, ends[i]);
        (void)unlink(path);
    }
}

static void store_commit(store *s, bool ok) {
    assert_int_equal(cairn__db_run(s->db, "BEGIN", NULL), CAIRN_OK);
    assert_int_equal(cairn__profile_commit(s->profile), CAIRN_OK);
    assert_int_equal(cairn__db_run(s->db, ok ? "COMMIT" : "ROLLBACK", NULL), CAIRN_OK);
    cairn__profile_committed(s->profile, ok);
}

static cairn_property integer(const char *name, int64_t value) {
    return (cairn_property){ cairn__span_of(name),
                             { .kind = CAIRN_VALUE_INTEGER, .as.integer = value } };
}

static cairn_property string(const char *name, const char *value) {
    return (cairn_property){ cairn__span_of(name),
                             { .kind = CAIRN_VALUE_STRING, .as.string = cairn__span_of(value) } };
}

static void apply(store *s, uint32_t node, cairn__event_kind kind, cairn_property property,
                  int64_t time_ms) {
    cairn__written at = { time_ms, (uint64_t)time_ms };
    assert_int_equal(cairn__profile_apply(s->profile, node, kind, &property, at), CAIRN_OK);
}

/* The value of a property of the person that these nodes are, as text. */
static const char *shown(store *s, const uint32_t *nodes, size_t count, const char *name) {
    static char text[256];
    cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    cairn__profile_properties properties;
    assert_int_equal(
        cairn__profile_person(s->profile, (cairn__nodes){ nodes, count }, &arena, &properties),
        CAIRN_OK);
    (void)snprintf(text, sizeof text, "none");
    for (size_t i = 0; i < properties.count; i++) {
        const cairn_value *value = &properties.list[i].value;
        if (!cairn__span_equal(properties.list[i].name, cairn__span_of(name))) {
            continue;
        }
        if (value->kind == CAIRN_VALUE_INTEGER) {
            (void)snprintf(text, sizeof text, "%lld", (long long)value->as.integer);
        } else if (value->kind == CAIRN_VALUE_STRING) {
            (void)snprintf(text, sizeof text, "%.*s", (int)value->as.string.len,
                           (const char *)value->as.string.data);
        } else if (value->kind == CAIRN_VALUE_LIST) {
            size_t len = 0;
            for (size_t item = 0; item < value->as.list.count; item++) {
                len += (size_t)snprintf(text + len, sizeof text - len, "[%.*s]",
                                        (int)value->as.list.items[item].len,
                                        (const char *)value->as.list.items[item].data);
            }
        }
    }
    cairn__arena_free(&arena);
    return text;
}

static const uint32_t both[2] = { 1, 2 };

static void rule_5_the_newer_set_wins_on_merge(void **state) {
    (void)state;
    store s;
    store_make(&s);
    apply(&s, 1, CAIRN__EVENT_PROFILE_SET, string("city", "Beijing"), 20);
    apply(&s, 2, CAIRN__EVENT_PROFILE_SET, string("city", "Shanghai"), 10);
    assert_string_equal(shown(&s, both, 2, "city"), "Beijing");
    assert_string_equal(shown(&s, both + 1, 1, "city"), "Shanghai");
    store_remove(&s);
}

static void rule_5_set_once_keeps_the_older(void **state) {
    (void)state;
    store s;
    store_make(&s);
    apply(&s, 1, CAIRN__EVENT_PROFILE_SET_ONCE, string("source", "ad"), 20);
    apply(&s, 1, CAIRN__EVENT_PROFILE_SET_ONCE, string("source", "later"), 30);
    apply(&s, 2, CAIRN__EVENT_PROFILE_SET_ONCE, string("source", "friend"), 10);
    assert_string_equal(shown(&s, both, 1, "source"), "ad");
    assert_string_equal(shown(&s, both, 2, "source"), "friend");
    store_remove(&s);
}

static void rule_5_increments_are_summed(void **state) {
    (void)state;
    store s;
    store_make(&s);
    apply(&s, 1, CAIRN__EVENT_PROFILE_INCREMENT, integer("visits", 3), 10);
    apply(&s, 2, CAIRN__EVENT_PROFILE_INCREMENT, integer("visits", 4), 20);
    apply(&s, 1, CAIRN__EVENT_PROFILE_INCREMENT, integer("visits", -1), 30);
    assert_string_equal(shown(&s, both, 2, "visits"), "6");
    apply(&s, 2, CAIRN__EVENT_PROFILE_SET, integer("visits", 100), 25);
    assert_string_equal(shown(&s, both, 2, "visits"), "102");
    store_remove(&s);
}

static void rule_5_lists_are_united(void **state) {
    (void)state;
    store s;
    store_make(&s);
    apply(&s, 1, CAIRN__EVENT_PROFILE_APPEND, string("likes", "tea"), 10);
    apply(&s, 1, CAIRN__EVENT_PROFILE_APPEND, string("likes", "tea"), 11);
    assert_string_equal(shown(&s, both, 1, "likes"), "[tea][tea]");
    apply(&s, 1, CAIRN__EVENT_PROFILE_UNION, string("likes", "tea"), 12);
    assert_string_equal(shown(&s, both, 1, "likes"), "[tea][tea]");
    apply(&s, 2, CAIRN__EVENT_PROFILE_UNION, string("likes", "tea"), 20);
    apply(&s, 2, CAIRN__EVENT_PROFILE_UNION, string("likes", "rice"), 21);
    assert_string_equal(shown(&s, both, 2, "likes"), "[tea][rice]");
    store_remove(&s);
}

static void unset_and_delete_take_a_value_away(void **state) {
    (void)state;
    store s;
    store_make(&s);
    apply(&s, 1, CAIRN__EVENT_PROFILE_SET, string("city", "Beijing"), 10);
    apply(&s, 1, CAIRN__EVENT_PROFILE_SET, integer("age", 30), 10);
    apply(&s, 1, CAIRN__EVENT_PROFILE_UNSET, string("city", ""), 20);
    assert_string_equal(shown(&s, both, 1, "city"), "none");
    apply(&s, 1, CAIRN__EVENT_PROFILE_SET, string("city", "late"), 15);
    assert_string_equal(shown(&s, both, 1, "city"), "none");
    assert_int_equal(cairn__profile_delete(s.profile, 1, (cairn__written){ 30, 30 }), CAIRN_OK);
    assert_string_equal(shown(&s, both, 1, "age"), "none");
    store_remove(&s);
}

static void a_value_that_does_not_fit_is_refused(void **state) {
    (void)state;
    store s;
    store_make(&s);
    cairn_property word = string("visits", "many");
    cairn_property number = integer("likes", 3);
    cairn__written at = { 1, 1 };
    assert_int_equal(cairn__profile_apply(s.profile, 1, CAIRN__EVENT_PROFILE_INCREMENT, &word, at),
                     CAIRN_INVALID);
    assert_int_equal(cairn__profile_apply(s.profile, 1, CAIRN__EVENT_PROFILE_UNION, &number, at),
                     CAIRN_INVALID);
    assert_string_equal(shown(&s, both, 1, "visits"), "none");
    store_remove(&s);
}

/* --- a slow replay --------------------------------------------------------------------------- */

typedef struct operation {
    cairn__event_kind kind;
    int64_t value;
    int64_t time; /* distinct, from 1 */
} operation;

/* Read in time order: what does a person say the number is? INT64_MIN: nothing. */
static int64_t replay(const operation *operations) {
    int64_t value = INT64_MIN;
    for (int64_t time = 1; time <= OPERATIONS; time++) {
        const operation *o = operations;
        while (o->time != time) {
            o++;
        }
        if (o->kind == CAIRN__EVENT_PROFILE_SET) {
            value = o->value;
        } else if (o->kind == CAIRN__EVENT_PROFILE_UNSET) {
            value = INT64_MIN;
        } else if (o->kind == CAIRN__EVENT_PROFILE_INCREMENT) {
            value = (value == INT64_MIN ? 0 : value) + o->value;
        }
    }
    return value;
}

static void operations_in_time_order_give_what_a_replay_says(void **state) {
    (void)state;
    static const cairn__event_kind kinds[3] = { CAIRN__EVENT_PROFILE_SET,
                                                CAIRN__EVENT_PROFILE_INCREMENT,
                                                CAIRN__EVENT_PROFILE_UNSET };
    cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        operation operations[OPERATIONS];
        for (size_t i = 0; i < OPERATIONS; i++) {
            uint64_t dice = cairn__mix(round * OPERATIONS + i + 1);
            operations[i] = (operation){ kinds[dice % 16 < 3 ? dice % 3 : 1],
                                         (int64_t)(dice >> 32) % 100, (int64_t)i + 1 };
        }
        cairn__profile_record record = { 0 };
        for (size_t i = 0; i < OPERATIONS; i++) {
            cairn_value value = { .kind = CAIRN_VALUE_INTEGER, .as.integer = operations[i].value };
            assert_int_equal(cairn__profile_record_apply(&record, operations[i].kind, &value,
                                                         (cairn__written){ operations[i].time, i },
                                                         &arena),
                             CAIRN_OK);
        }
        cairn__buffer bytes = cairn__buffer_make(cairn__heap(), 4096);
        cairn__profile_record_write(&record, &bytes);
        cairn__profile_record again;
        assert_int_equal(cairn__profile_record_read(cairn__buffer_span(&bytes), &arena, &again),
                         CAIRN_OK);
        cairn_value value;
        assert_int_equal(cairn__records_fold(&again, 1, &arena, &value), CAIRN_OK);
        int64_t expected = replay(operations);
        assert_int_equal(value.kind == CAIRN_VALUE_NULL ? INT64_MIN : value.as.integer, expected);
        cairn__buffer_free(&bytes);
        cairn__arena_reset(&arena);
    }
    cairn__arena_free(&arena);
}

/* --- storage --------------------------------------------------------------------------------- */

static void values_survive_commits_failed_commits_and_reopening(void **state) {
    (void)state;
    store s;
    store_make(&s);
    apply(&s, 1, CAIRN__EVENT_PROFILE_SET, string("city", "北京"), 10);
    store_commit(&s, false);
    store_commit(&s, true);
    apply(&s, 1, CAIRN__EVENT_PROFILE_SET, string("city", "lost"), 20);
    store_close(&s); /* a crash: the last write was not committed */
    store_open(&s);
    assert_string_equal(shown(&s, both, 1, "city"), "北京");
    apply(&s, 1, CAIRN__EVENT_PROFILE_INCREMENT, integer("visits", 2), 10);
    store_commit(&s, true);
    store_close(&s);
    store_open(&s);
    apply(&s, 1, CAIRN__EVENT_PROFILE_INCREMENT, integer("visits", 2), 11);
    assert_string_equal(shown(&s, both, 1, "visits"), "4");
    assert_int_equal(cairn__profile_verify(s.profile, NULL, NULL), CAIRN_OK);
    store_remove(&s);
}

static void a_reader_sees_its_moment_of_single_and_merged_persons(void **state) {
    (void)state;
    store s;
    store_make(&s);
    for (uint32_t node = 1; node <= 100; node++) {
        apply(&s, node, CAIRN__EVENT_PROFILE_SET, integer("n", node), node);
    }
    store_commit(&s, true);
    cairn__db_problem problem = { "" };
    sqlite3 *moment = NULL;
    cairn__profile_reader *reader = NULL;
    assert_int_equal(cairn__db_open_moment(s.path, &moment, &problem), CAIRN_OK);
    assert_int_equal(cairn__profile_reader_open(moment, cairn__heap(), &reader, &problem),
                     CAIRN_OK);
    apply(&s, 50, CAIRN__EVENT_PROFILE_SET, integer("n", 5000), 5000);
    store_commit(&s, true);
    cairn_span names[2] = { CAIRN_STR("n"), CAIRN_STR("nobody has it") };
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t person = 1; person <= 90; person += 7) {
            uint32_t nodes[2] = { person, person + 10 };
            cairn_value values[2];
            assert_int_equal(cairn__profile_reader_read(reader, (cairn__nodes){ nodes, 1 },
                                                        (cairn_string_list){ names, 2 }, values),
                             CAIRN_OK);
            assert_int_equal(values[0].as.integer, person);
            assert_int_equal(values[1].kind, CAIRN_VALUE_NULL);
            assert_int_equal(cairn__profile_reader_read(reader, (cairn__nodes){ nodes, 2 },
                                                        (cairn_string_list){ names, 2 }, values),
                             CAIRN_OK);
            assert_int_equal(values[0].as.integer, person + 10);
        }
    }
    cairn__profile_reader_close(reader);
    sqlite3_close(moment);
    store_remove(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_5_the_newer_set_wins_on_merge),
        cmocka_unit_test(rule_5_set_once_keeps_the_older),
        cmocka_unit_test(rule_5_increments_are_summed),
        cmocka_unit_test(rule_5_lists_are_united),
        cmocka_unit_test(unset_and_delete_take_a_value_away),
        cmocka_unit_test(a_value_that_does_not_fit_is_refused),
        cmocka_unit_test(operations_in_time_order_give_what_a_replay_says),
        cmocka_unit_test(values_survive_commits_failed_commits_and_reopening),
        cmocka_unit_test(a_reader_sees_its_moment_of_single_and_merged_persons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
