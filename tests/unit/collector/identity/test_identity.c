/* Goal: the same persons as a slow, obvious bookkeeper, across commits, failed commits and
 * reopening; and the worked cases of the definitions (D1..D13) that these rules cover. Method:
 * random histories of sights, links, logouts over few ids, compared after every step. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "identity/identity.h"
#include "model/id.h"
#include "support/cmocka_all.h"

enum { IDS = 12, STEPS = 400, HISTORIES = 60, NODES_MAX = 4096 };

typedef struct store {
    char path[64];
    sqlite3 *db;
    cairn__identity *identity;
} store;

static void store_open(store *s) {
    cairn__db_problem problem = { "" };
    assert_int_equal(cairn__db_open(s->path, &s->db, &problem), CAIRN_OK);
    assert_int_equal(cairn__identity_open(s->db, cairn__heap(), &s->identity, &problem), CAIRN_OK);
}

static void store_close(store *s) {
    cairn__identity_close(s->identity);
    sqlite3_close(s->db);
}

static void store_make(store *s) {
    (void)snprintf(s->path, sizeof s->path, "/tmp/cairn_identity_%d.db", (int)getpid());
    (void)unlink(s->path);
    store_open(s);
}

static void store_remove(store *s) {
    char path[80];
    store_close(s);
    (void)unlink(s->path);
    (void)snprintf(path, sizeof path, "%s-wal", s->path);
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s-shm", s->path);
    (void)unlink(path);
}

static void store_commit(store *s, bool ok) {
    assert_int_equal(cairn__db_run(s->db, "BEGIN", NULL), CAIRN_OK);
    assert_int_equal(cairn__identity_commit(s->identity), CAIRN_OK);
    assert_int_equal(cairn__db_run(s->db, ok ? "COMMIT" : "ROLLBACK", NULL), CAIRN_OK);
    cairn__identity_committed(s->identity, ok);
}

/* --- the bookkeeper: nodes in an array, persons by walking it -------------------------------- */

typedef struct book_node {
    int id;
    int person; /* lowest node of the set */
} book_node;

typedef struct book {
    book_node nodes[NODES_MAX];
    int count; /* from 1 */
    int current[IDS];
    bool closed[IDS];
} book;

/* ids 0..3 are logins, 4..8 devices, the others mobiles */
static bool book_is_login(int id) {
    return id < 4;
}

static bool book_is_weak(int id) {
    return id >= 4 && id < 9;
}

static cairn_id id_of(int id, char *text) {
    int len = snprintf(text, 8, "v%d", id);
    cairn_span type = book_is_login(id)  ? CAIRN_STR("login")
                      : book_is_weak(id) ? CAIRN_STR("device")
                                         : CAIRN_STR("mobile");
    return (cairn_id){ type, cairn__span(text, (size_t)len) };
}

static int book_see(book *b, int id) {
    if (b->current[id] == 0 || b->closed[id]) {
        b->count++;
        b->nodes[b->count] = (book_node){ id, b->count };
        b->current[id] = b->count;
        b->closed[id] = false;
    }
    return b->current[id];
}

static void book_join(book *b, int x, int y) {
    int px = b->nodes[x].person;
    int py = b->nodes[y].person;
    int into = px < py ? px : py;
    int from = px < py ? py : px;
    for (int node = 1; node <= b->count; node++) {
        b->nodes[node].person = b->nodes[node].person == from ? into : b->nodes[node].person;
    }
}

static bool book_has_login(const book *b, int node) {
    for (int other = 1; other <= b->count; other++) {
        if (b->nodes[other].person == b->nodes[node].person && book_is_login(b->nodes[other].id)) {
            return true;
        }
    }
    return false;
}

static void book_link(book *b, int x, int y) {
    int node_x = book_see(b, x);
    int node_y = book_see(b, y);
    if (b->nodes[node_x].person == b->nodes[node_y].person) {
        return;
    }
    if (!book_has_login(b, node_x) || !book_has_login(b, node_y)) {
        book_join(b, node_x, node_y);
        return;
    }
    if (book_is_weak(x) == book_is_weak(y)) {
        return;
    }
    int weak = book_is_weak(x) ? x : y;
    int owner = weak == x ? node_y : node_x;
    b->closed[weak] = true;
    book_join(b, book_see(b, weak), owner);
}

static void compare(const store *s, const book *b) {
    size_t count = 0;
    const uint32_t *map = cairn__identity_map(s->identity, &count);
    assert_int_equal(count, b->count + 1);
    for (int node = 1; node <= b->count; node++) {
        assert_int_equal(map[node], b->nodes[node].person);
    }
}

static void check_ring(const store *s, const book *b, int node) {
    int members = 0;
    for (int other = 1; other <= b->count; other++) {
        members += b->nodes[other].person == b->nodes[node].person;
    }
    uint32_t at = (uint32_t)node;
    do {
        members--;
        at = cairn__identity_ring(s->identity, at);
    } while (at != (uint32_t)node && members > -2);
    assert_int_equal(members, 0);
}

static void random_step(store *s, book *b, uint64_t dice, int step) {
    char text_x[8];
    char text_y[8];
    int x = (int)(dice % IDS);
    int y = (int)(dice / IDS % IDS);
    cairn__identity_moment moment = { (uint64_t)step, step };
    cairn__identity_outcome outcome;
    uint32_t node = 0;
    unsigned kind = (unsigned)(dice >> 32) % 8;
    if (kind < 3) {
        assert_int_equal(cairn__identity_see(s->identity, id_of(x, text_x), moment, &node),
                         CAIRN_OK);
        assert_int_equal(node, book_see(b, x));
    } else if (kind < 6) {
        assert_int_equal(
            cairn__identity_link(s->identity, id_of(x, text_x), id_of(y, text_y), moment, &outcome),
            CAIRN_OK);
        book_link(b, x, y);
    } else if (kind == 6) {
        assert_int_equal(cairn__identity_leave(s->identity, id_of(x, text_x), moment), CAIRN_OK);
        b->closed[x] = b->current[x] != 0;
    } else {
        store_commit(s, (dice >> 40) % 3 != 0);
    }
}

static void persons_are_those_of_a_slow_bookkeeper(void **state) {
    (void)state;
    book *b = calloc(1, sizeof *b);
    for (uint64_t history = 0; history < HISTORIES; history++) {
        store s;
        store_make(&s);
        memset(b, 0, sizeof *b);
        for (int step = 0; step < STEPS; step++) {
            uint64_t dice = cairn__mix(history * STEPS + (uint64_t)step + 1);
            random_step(&s, b, dice, step);
            compare(&s, b);
            if (b->count > 0) {
                check_ring(&s, b, 1 + (int)(dice % (uint64_t)b->count));
            }
            if ((dice >> 44) % 32 == 0) { /* reopened after a commit: the same persons */
                store_commit(&s, true);
                store_close(&s);
                store_open(&s);
                compare(&s, b);
            }
        }
        store_remove(&s);
    }
    free(b);
}

static void what_was_not_committed_is_gone_after_a_crash(void **state) {
    (void)state;
    store s;
    store_make(&s);
    uint32_t node = 0;
    cairn_id a = { CAIRN_STR("login"), CAIRN_STR("a") };
    cairn_id b = { CAIRN_STR("login"), CAIRN_STR("b") };
    cairn__identity_moment moment = { 1, 1 };
    assert_int_equal(cairn__identity_see(s.identity, a, moment, &node), CAIRN_OK);
    store_commit(&s, true);
    assert_int_equal(cairn__identity_see(s.identity, b, moment, &node), CAIRN_OK);
    assert_int_equal(node, 2);
    store_close(&s);
    store_open(&s);
    assert_int_equal(cairn__identity_find(s.identity, b, &node), CAIRN_NOT_FOUND);
    assert_int_equal(cairn__identity_find(s.identity, a, &node), CAIRN_OK);
    assert_int_equal(node, 1);
    store_remove(&s);
}

/* --- the definitions' cases ----------------------------------------------------------------- */

static cairn_id device(const char *value) {
    return (cairn_id){ CAIRN_STR("device"), cairn__span_of(value) };
}

static cairn_id login(const char *value) {
    return (cairn_id){ CAIRN_STR("login"), cairn__span_of(value) };
}

static uint32_t see(store *s, cairn_id id) {
    uint32_t node = 0;
    assert_int_equal(cairn__identity_see(s->identity, id, (cairn__identity_moment){ 1, 1 }, &node),
                     CAIRN_OK);
    return node;
}

static uint32_t person(store *s, uint32_t node) {
    return cairn__identity_person(s->identity, node);
}

static cairn__identity_outcome link_both(store *s, cairn_id a, cairn_id b) {
    cairn__identity_outcome outcome = CAIRN__LINK_REFUSED;
    assert_int_equal(
        cairn__identity_link(s->identity, a, b, (cairn__identity_moment){ 1, 1 }, &outcome),
        CAIRN_OK);
    return outcome;
}

static void leave(store *s, cairn_id id) {
    assert_int_equal(cairn__identity_leave(s->identity, id, (cairn__identity_moment){ 1, 1 }),
                     CAIRN_OK);
}

static void d1_d2_a_shared_device_after_logout(void **state) {
    (void)state;
    store s;
    store_make(&s);
    uint32_t before = see(&s, device("X"));
    (void)link_both(&s, device("X"), login("A"));
    leave(&s, device("X"));
    uint32_t after = see(&s, device("X"));
    assert_int_equal(person(&s, before), person(&s, see(&s, login("A"))));
    assert_int_not_equal(person(&s, after), person(&s, before));
    assert_int_equal(link_both(&s, device("X"), login("B")), CAIRN__LINK_MERGED);
    assert_int_equal(person(&s, after), person(&s, see(&s, login("B"))));
    assert_int_not_equal(person(&s, see(&s, login("B"))), person(&s, see(&s, login("A"))));
    store_remove(&s);
}

static void d3_a_second_device_joins_the_login(void **state) {
    (void)state;
    store s;
    store_make(&s);
    (void)link_both(&s, device("X"), login("A"));
    uint32_t y = see(&s, device("Y"));
    assert_int_equal(link_both(&s, device("Y"), login("A")), CAIRN__LINK_MERGED);
    assert_int_equal(person(&s, y), person(&s, see(&s, device("X"))));
    store_remove(&s);
}

static void rule_3_a_second_login_takes_the_device_and_not_the_person(void **state) {
    (void)state;
    store s;
    store_make(&s);
    uint32_t old = see(&s, device("X"));
    (void)link_both(&s, device("X"), login("A"));
    assert_int_equal(link_both(&s, device("X"), login("B")), CAIRN__LINK_MOVED);
    assert_int_equal(person(&s, old), person(&s, see(&s, login("A"))));
    assert_int_equal(person(&s, see(&s, device("X"))), person(&s, see(&s, login("B"))));
    store_remove(&s);
}

static void d7_two_logins_are_never_joined(void **state) {
    (void)state;
    store s;
    store_make(&s);
    cairn_id m1 = { CAIRN_STR("mobile"), CAIRN_STR("1") };
    cairn_id m2 = { CAIRN_STR("mobile"), CAIRN_STR("2") };
    (void)link_both(&s, login("A"), m1);
    (void)link_both(&s, login("B"), m2);
    assert_int_equal(link_both(&s, login("A"), m2), CAIRN__LINK_REFUSED);
    assert_int_equal(person(&s, see(&s, m2)), person(&s, see(&s, login("B"))));
    store_remove(&s);
}

static void d10_the_older_person_takes_the_younger(void **state) {
    (void)state;
    store s;
    store_make(&s);
    cairn_id ids[4] = { { CAIRN_STR("m"), CAIRN_STR("a") },
                        { CAIRN_STR("m"), CAIRN_STR("b") },
                        { CAIRN_STR("m"), CAIRN_STR("c") },
                        { CAIRN_STR("m"), CAIRN_STR("d") } };
    (void)link_both(&s, ids[0], ids[1]);
    (void)link_both(&s, ids[2], ids[3]);
    assert_int_equal(link_both(&s, ids[2], ids[1]), CAIRN__LINK_MERGED);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(person(&s, see(&s, ids[i])), 1);
    }
    store_remove(&s);
}

static void d13_ids_that_name_nobody_are_denied(void **state) {
    (void)state;
    static const char *const denied[] = { "",    "0",         "000-000", "null", "NULL",
                                          "nil", "Undefined", "unknown", "NaN",  "N/A" };
    static const char *const fine[] = { "1", "u0", "nobody", "10-0", "unknown user" };
    for (size_t i = 0; i < sizeof denied / sizeof denied[0]; i++) {
        assert_true(cairn__id_denied(login(denied[i])));
    }
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        assert_false(cairn__id_denied(login(fine[i])));
    }
}

static void rule_7_a_person_stops_at_a_thousand_ids(void **state) {
    (void)state;
    store s;
    store_make(&s);
    char value[16];
    for (int i = 1; i < CAIRN__PERSON_IDS_MAX; i++) {
        (void)snprintf(value, sizeof value, "d%d", i);
        assert_int_equal(link_both(&s, login("A"), device(value)), CAIRN__LINK_MERGED);
    }
    assert_int_equal(link_both(&s, login("A"), device("one more")), CAIRN__LINK_REFUSED);
    assert_int_not_equal(person(&s, see(&s, device("one more"))), person(&s, 1));
    store_commit(&s, true);
    cairn__arena arena = cairn__arena_make(cairn__heap(), 4096);
    cairn_id id;
    assert_int_equal(cairn__identity_id_of(s.identity, 1, &arena, &id), CAIRN_OK);
    assert_true(cairn__span_equal(id.value, CAIRN_STR("A")));
    cairn__arena_free(&arena);
    store_remove(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(persons_are_those_of_a_slow_bookkeeper),
        cmocka_unit_test(what_was_not_committed_is_gone_after_a_crash),
        cmocka_unit_test(d1_d2_a_shared_device_after_logout),
        cmocka_unit_test(d3_a_second_device_joins_the_login),
        cmocka_unit_test(rule_3_a_second_login_takes_the_device_and_not_the_person),
        cmocka_unit_test(d7_two_logins_are_never_joined),
        cmocka_unit_test(d10_the_older_person_takes_the_younger),
        cmocka_unit_test(d13_ids_that_name_nobody_are_denied),
        cmocka_unit_test(rule_7_a_person_stops_at_a_thousand_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
