/* Goal: what of facts.h no random history reaches: many properties, every event, nobody, too much
 * to tell, and memory that ends anywhere. Method: a person folded by hand; facts made of rules by
 * hand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "bundle/facts.h"
#include "facts/facts.h"
#include "facts/session.h"
#include "support/cmocka_all.h"
#include "unit/collector/fold/history.h"

enum { FACTS = 5000, WIDE = 150, ARENA_BYTES = 64 << 20, PERSON_BYTES = 32 << 20 };

typedef struct fixture {
    history h;
    cairn__arena arena;
    cairn__rule_slot slots[FACTS];
    const cairn__query *queries[FACTS];
    cairn__bundle bundle;
    cairn__fact_needs needs;
    cairn__fold_known *known;
    cairn__person_facts *facts;
    cairn__query_moment when;
    int64_t until_ms;
} fixture;

static int open_fixture(void **state) {
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    history_make(&f->h, "facts");
    f->when.now_ms = f->h.now_ms;
    f->bundle.queries = f->queries;
    f->bundle.definitions.facts = f->slots;
    *state = f;
    return 0;
}

static void close_person(fixture *f) {
    cairn__person_facts_close(f->facts);
    cairn__fold_known_release(f->known);
    f->facts = NULL;
    f->known = NULL;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    close_person(f);
    history_remove(&f->h);
    cairn__arena_free(&f->arena);
    free(f);
    return 0;
}

/* The first slot of a rule becomes a fact. */
static uint16_t ask(fixture *f, const char *text) {
    cairn__rule rule;
    cairn__rule_fault fault;
    cairn_span copy;
    assert_true(cairn__arena_copy(&f->arena, cairn__span_of(text), &copy));
    const unsigned spaces = CAIRN__RULE_QUERY | CAIRN__RULE_USER | CAIRN__RULE_TAG;
    const cairn__rule_source source = { copy, spaces, 0, &f->arena, &fault };
    if (cairn__rule_compile(&source, &rule) != CAIRN_OK) {
        fail_msg("%s: %s", text, fault.text);
    }
    size_t number = f->bundle.definitions.fact_count++;
    f->slots[number] = rule.slots[0];
    if (rule.slots[0].space == CAIRN__RULE_QUERY) {
        assert_int_equal(cairn__query_load(rule.slots[0].name, &f->arena, &f->queries[number]),
                         CAIRN_OK);
    }
    return (uint16_t)number;
}

static void know(fixture *f, const char *login) {
    const cairn_id id = { CAIRN_STR("login"), cairn__span_of(login) };
    assert_int_equal(cairn__fact_needs_of(&f->bundle, &f->arena, &f->needs), CAIRN_OK);
    const cairn__fold_who who = { .ids = &id,
                                  .id_count = 1,
                                  .user = { f->needs.user, f->needs.user_count } };
    assert_int_equal(cairn__fold_know(f->h.fold, &who, &f->known), CAIRN_OK);
}

static cairn_status try_open(fixture *f, cairn_allocator allocator, size_t bytes_max) {
    const cairn__person_source source = { .allocator = allocator,
                                          .bytes_max = bytes_max,
                                          .bundle = &f->bundle,
                                          .needs = &f->needs,
                                          .person = &f->known->state };
    cairn_status status = cairn__person_facts_open(&source, &f->facts);
    if (status == CAIRN_OK) {
        (void)cairn__person_facts_at(f->facts, &f->when);
    }
    return status;
}

static void open_person(fixture *f, const char *login) {
    know(f, login);
    assert_int_equal(try_open(f, cairn__heap(), PERSON_BYTES), CAIRN_OK);
}

static int64_t integer(fixture *f, uint16_t number) {
    cairn_value value = cairn__person_fact(f->facts, number, &f->until_ms);
    assert_int_equal(value.kind, CAIRN_VALUE_INTEGER);
    return value.as.integer;
}

/* --- values ----------------------------------------------------------------------------------- */

static void more_properties_than_one_pass_reads_are_all_read(void **state) {
    fixture *f = *state;
    static char body[WIDE * 24];
    uint16_t facts[WIDE];
    for (int event = 1; event <= 3; event++) {
        size_t len = (size_t)snprintf(body, sizeof body,
                                      "{\"event\":\"wide\",\"ids\":{\"login\":\"ann\"},\"time\":%d,"
                                      "\"properties\":{",
                                      event * 1000);
        for (int i = 0; i < WIDE; i++) { /* not every event has every one */
            if (i % 3 != event - 1) {
                len += (size_t)snprintf(body + len, sizeof body - len, "\"p%03d\":%d,", i,
                                        1000 * event + i);
            }
        }
        (void)snprintf(body + len, sizeof body - len, "\"end\":1}}");
        history_json(&f->h, "", body);
    }
    for (int i = 0; i < WIDE; i++) {
        (void)snprintf(body, sizeof body, "last(wide.p%03d) is set", i);
        facts[i] = ask(f, body);
    }
    open_person(f, "ann");
    assert_true(f->needs.property_count > WIDE);
    for (int i = 0; i < WIDE; i++) {
        int newest = i % 3 == 2 ? 2 : 3;
        assert_int_equal(integer(f, facts[i]), 1000 * newest + i);
    }
}

static void functions_of_every_event_read_all_of_the_trail(void **state) {
    fixture *f = *state;
    history_json(&f->h, "",
                 "[{\"event\":\"a\",\"ids\":{\"login\":\"ann\"},\"properties\":{\"n\":1}},"
                 "{\"event\":\"b\",\"ids\":{\"login\":\"ann\"},\"properties\":{\"n\":2}},"
                 "{\"event\":\"b\",\"ids\":{\"login\":\"bob\"},\"properties\":{\"n\":4}}]");
    uint16_t all = ask(f, "count(any event) >= 1");
    uint16_t some = ask(f, "count(any event where n > 1) >= 1");
    uint16_t named = ask(f, "count(any event where $name = \"a\") >= 1");
    open_person(f, "ann");
    assert_int_equal(f->needs.event_count, 0);
    assert_int_equal(integer(f, all), 2);
    assert_int_equal(integer(f, some), 1);
    assert_int_equal(integer(f, named), 1);
}

static void of_nobody_everything_is_known_to_be_nothing(void **state) {
    fixture *f = *state;
    uint16_t count = ask(f, "count(a) >= 1");
    uint16_t user = ask(f, "user.vip = true");
    uint16_t tag = ask(f, "tag.vip = true");
    uint16_t member = ask(f, "member(\"press\")");
    open_person(f, "nobody");
    assert_int_equal(f->known->state.node_count, 0);
    assert_int_equal(integer(f, count), 0);
    assert_int_equal(cairn__person_fact(f->facts, user, &f->until_ms).kind, CAIRN_VALUE_NULL);
    assert_int_equal(cairn__person_fact(f->facts, tag, &f->until_ms).kind, CAIRN_VALUE_NULL);
    cairn_value is_member = cairn__person_fact(f->facts, member, &f->until_ms);
    assert_int_equal(is_member.kind, CAIRN_VALUE_BOOLEAN);
    assert_false(is_member.as.boolean);
    assert_int_equal(cairn__person_memory(f->facts)->count, 0);
}

static void a_person_is_named_by_a_token_of_its_own(void **state) {
    fixture *f = *state;
    uint64_t tokens[3];
    const char *const logins[] = { "ann", "bob", "nobody" };
    history_json(&f->h, "",
                 "[{\"event\":\"a\",\"ids\":{\"login\":\"ann\"}},"
                 "{\"event\":\"a\",\"ids\":{\"login\":\"bob\"}}]");
    for (size_t i = 0; i < 3; i++) {
        know(f, logins[i]);
        tokens[i] = f->known->state.token;
        close_person(f);
    }
    assert_true(tokens[0] != tokens[1] && tokens[1] != tokens[2] && tokens[0] != tokens[2]);
}

static void a_session_is_one_number_of_the_project(void **state) {
    fixture *f = *state;
    const cairn_property popup = { CAIRN_STR("popup"),
                                   { CAIRN_VALUE_STRING, { .string = CAIRN_STR("p") } } };
    const cairn_id ann = { CAIRN_STR("login"), CAIRN_STR("ann") };
    cairn__event show = { .name = CAIRN__EVENT_POPUP_SHOW,
                          .time_ms = f->h.now_ms - 1,
                          .session = 3,
                          .properties = &popup,
                          .property_count = 1 };
    cairn__event login = { .kind = CAIRN__EVENT_LOGIN, .time_ms = f->h.now_ms - 2, .seq = 1 };
    login.ids = &ann;
    login.id_count = 1;
    for (uint8_t i = 1; i <= 2; i++) { /* two devices in their third session */
        const history_device device = { .id = { i } };
        history_send(&f->h, &device, &login, 1);
        show.seq = 2;
        history_send(&f->h, &device, &show, 1);
    }
    (void)ask(f, "count(a) >= 1");
    open_person(f, "ann");
    const cairn__memory_entry *entry = cairn__memory_find(
        cairn__person_memory(f->facts), CAIRN__MEMORY_POPUP, CAIRN_STR("p"), CAIRN_STR(""));
    assert_non_null(entry);
    const cairn__memory_count *shows = &entry->counts[CAIRN__CAP_SHOWS];
    assert_int_equal(shows->mark_count, 2);
    const uint64_t numbers[] = {
        (uint64_t)cairn__session_number(CAIRN_STR("01000000000000000000000000000000"), 3),
        (uint64_t)cairn__session_number(CAIRN_STR("02000000000000000000000000000000"), 3),
    };
    assert_int_equal(shows->marks[0].session ^ shows->marks[1].session, numbers[0] ^ numbers[1]);
    assert_true(shows->marks[0].session == numbers[0] || shows->marks[0].session == numbers[1]);
    assert_int_equal(numbers[0], UINT64_C(0x450BAE0F9E6601C9)); /* kept in trails: never another */
}

/* --- telling ---------------------------------------------------------------------------------- */

static void more_facts_than_a_message_holds_are_told_without_histories(void **state) {
    fixture *f = *state;
    char text[64];
    cairn__fact_message message;
    cairn__buffer told = cairn__buffer_make(cairn__heap(), 4 << 20);
    for (int i = 0; i < FACTS; i++) {
        (void)snprintf(text, sizeof text, i < 1000 ? "user.p%d = 1" : "count(e%d) >= 1", i);
        (void)ask(f, text);
    }
    open_person(f, "ann");
    uint64_t version = cairn__person_facts_tell(f->facts, &f->when, 0, &told);
    assert_int_equal(cairn__facts_read(cairn__buffer_span(&told), &f->arena, &message), CAIRN_OK);
    assert_int_equal(message.version, version);
    assert_int_equal(message.count, 1000);
    cairn__buffer_clear(&told);
    assert_int_equal(cairn__person_facts_tell(f->facts, &f->when, version, &told), version);
    assert_int_equal(told.len, 0);
    cairn__buffer_free(&told);
}

/* --- memory ----------------------------------------------------------------------------------- */

typedef struct failing {
    size_t left; /* allocations until none is granted any more */
} failing;

static void *failing_resize(void *self, void *at, size_t old_bytes, size_t new_bytes) {
    failing *from = self;
    if (new_bytes > old_bytes) {
        if (from->left == 0) {
            return NULL;
        }
        from->left -= 1;
    }
    cairn_allocator heap = cairn__heap();
    return heap.resize(heap.self, at, old_bytes, new_bytes);
}

static void no_memory_anywhere_is_a_status_or_unknown(void **state) {
    fixture *f = *state;
    history_json(&f->h, "",
                 "[{\"event\":\"a\",\"ids\":{\"login\":\"ann\"},\"properties\":{\"s\":\"x\"}},"
                 "{\"event\":\"$popup_show\",\"ids\":{\"login\":\"ann\"},"
                 "\"properties\":{\"popup\":\"p\",\"groups\":[\"g\"]}}]");
    uint16_t last = ask(f, "last(a.s) = \"x\"");
    know(f, "ann");
    bool opened = false;
    for (size_t allowed = 0; allowed < 400; allowed++) {
        failing from = { allowed };
        cairn_status status = try_open(f, (cairn_allocator){ failing_resize, &from }, PERSON_BYTES);
        if (status != CAIRN_OK) {
            assert_false(opened); /* once it is enough it stays so */
            assert_int_equal(status, CAIRN_NO_MEMORY);
            assert_null(f->facts);
            continue;
        }
        opened = true;
        cairn_value value = cairn__person_fact(f->facts, last, &f->until_ms);
        assert_true(value.kind == CAIRN_VALUE_STRING ||
                    (int)value.kind == CAIRN__RULE_VALUE_UNKNOWN);
        cairn__person_facts_close(f->facts);
        f->facts = NULL;
    }
    assert_true(opened);
    assert_int_equal(try_open(f, cairn__heap(), 1000), CAIRN_NO_MEMORY);
}

#define WITH_FIXTURE(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(more_properties_than_one_pass_reads_are_all_read),
        WITH_FIXTURE(functions_of_every_event_read_all_of_the_trail),
        WITH_FIXTURE(of_nobody_everything_is_known_to_be_nothing),
        WITH_FIXTURE(a_person_is_named_by_a_token_of_its_own),
        WITH_FIXTURE(a_session_is_one_number_of_the_project),
        WITH_FIXTURE(more_facts_than_a_message_holds_are_told_without_histories),
        WITH_FIXTURE(no_memory_anywhere_is_a_status_or_unknown),
    };
    return cmocka_run_group_tests_name("collector/facts/facts", tests, NULL, NULL);
}
