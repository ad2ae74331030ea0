/* Goal: facts come out as they went in, found by key; damage is refused.
 * Method: every kind of value there and back; cuts, disorder, limits; the key's known answers. */
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "bundle/facts.h"
#include "rules/slot_key.h"
#include "support/cmocka_all.h"

typedef struct fixture {
    cairn__arena arena;
    cairn__buffer bytes;
} fixture;

static int open_fixture(void **state) {
    static fixture f;
    f.arena = cairn__arena_make(cairn__heap(), 1 << 20);
    f.bytes = cairn__buffer_make(cairn__heap(), 1 << 20);
    *state = &f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    cairn__arena_free(&f->arena);
    cairn__buffer_free(&f->bytes);
    return 0;
}

static const cairn__fact_message *example(void) {
    static cairn_span words[2];
    static cairn__fact_value facts[7];
    static cairn__fact_message message;
    words[0] = CAIRN_STR("gold");
    words[1] = CAIRN_STR("金");
    facts[0] = (cairn__fact_value){ 1, { .kind = CAIRN_VALUE_NULL }, 0 };
    facts[1] =
        (cairn__fact_value){ 2, { CAIRN_VALUE_BOOLEAN, { .boolean = true } }, 1790000000000 };
    facts[2] = (cairn__fact_value){ 3, { CAIRN_VALUE_INTEGER, { .integer = INT64_MIN } }, -1 };
    facts[3] = (cairn__fact_value){ 4, { CAIRN_VALUE_NUMBER, { .number = 0.25 } }, INT64_MAX };
    facts[4] = (cairn__fact_value){ 5, { CAIRN_VALUE_STRING, { .string = CAIRN_STR("北京") } }, 0 };
    facts[5] = (cairn__fact_value){ 6, { CAIRN_VALUE_TIME, { .time_ms = -5 } }, 0 };
    facts[6] = (cairn__fact_value){ UINT64_MAX, { CAIRN_VALUE_LIST, { .list = { words, 2 } } }, 0 };
    message = (cairn__fact_message){ 9, { 1, 2, 3, 4, 5, 6, 7, 8 }, facts, 7 };
    return &message;
}

static void facts_come_back_and_are_found(void **state) {
    fixture *f = *state;
    const cairn__fact_message *from = example();
    cairn__fact_message read;
    cairn__facts_write(from, &f->bytes);
    assert_int_equal(cairn__facts_read(cairn__buffer_span(&f->bytes), &f->arena, &read), CAIRN_OK);
    assert_int_equal(read.version, 9);
    assert_memory_equal(read.person, from->person, sizeof read.person);
    assert_int_equal(read.count, from->count);
    for (size_t i = 0; i < read.count; i++) {
        const cairn__fact_value *fact = cairn__facts_find(&read, from->facts[i].key);
        assert_ptr_equal(fact, &read.facts[i]);
        assert_int_equal(fact->value.kind, from->facts[i].value.kind);
        assert_true(fact->until_ms == from->facts[i].until_ms);
    }
    assert_true(read.facts[1].value.as.boolean);
    assert_true(read.facts[2].value.as.integer == INT64_MIN);
    assert_true(read.facts[3].value.as.number == 0.25);
    assert_true(cairn__span_equal(read.facts[4].value.as.string, CAIRN_STR("北京")));
    assert_true(read.facts[5].value.as.time_ms == -5);
    assert_true(cairn__span_equal(read.facts[6].value.as.list.items[1], CAIRN_STR("金")));
    assert_null(cairn__facts_find(&read, 7));
    assert_null(cairn__facts_find(&read, 0));
}

/* A cut ends between two fields, and is a shorter message, or is refused. */
static void a_cut_message_is_refused_or_shorter(void **state) {
    fixture *f = *state;
    cairn__facts_write(example(), &f->bytes);
    size_t shorter = 0;
    for (size_t len = 0; len < f->bytes.len; len++) {
        cairn__fact_message read;
        cairn__arena_reset(&f->arena);
        if (cairn__facts_read(cairn__span(f->bytes.data, len), &f->arena, &read) == CAIRN_OK) {
            assert_true(read.count < example()->count);
            shorter += 1;
        }
    }
    assert_int_equal(shorter, 2 + 6); /* after the version, the person, and six of seven facts */
}

static void keys_out_of_order_are_refused(void **state) {
    fixture *f = *state;
    cairn__fact_value facts[2] = { { .key = 5 }, { .key = 5 } };
    const cairn__fact_message message = { .version = 1, .facts = facts, .count = 2 };
    cairn__fact_message read;
    cairn__facts_write(&message, &f->bytes);
    assert_int_equal(cairn__facts_read(cairn__buffer_span(&f->bytes), &f->arena, &read),
                     CAIRN_INVALID);
}

static void what_is_no_number_and_no_text_is_refused(void **state) {
    fixture *f = *state;
    cairn__fact_value fact = { 1, { CAIRN_VALUE_NUMBER, { .number = 0 } }, 0 };
    const cairn__fact_message message = { .version = 1, .facts = &fact, .count = 1 };
    uint64_t infinite = UINT64_C(0x7FF0000000000000);
    cairn__fact_message read;
    memcpy(&fact.value.as.number, &infinite, sizeof infinite);
    cairn__facts_write(&message, &f->bytes);
    assert_int_equal(cairn__facts_read(cairn__buffer_span(&f->bytes), &f->arena, &read),
                     CAIRN_INVALID);
    fact.value = (cairn_value){ CAIRN_VALUE_STRING, { .string = CAIRN_STR("\xFF") } };
    cairn__buffer_clear(&f->bytes);
    cairn__facts_write(&message, &f->bytes);
    assert_int_equal(cairn__facts_read(cairn__buffer_span(&f->bytes), &f->arena, &read),
                     CAIRN_INVALID);
}

/* Computed with another implementation of FNV-1a (Python); a promise that never changes. */
static void keys_of_facts_are_what_they_always_were(void **state) {
    (void)state;
    const cairn__rule_slot city = { CAIRN__RULE_USER, CAIRN_STR("city") };
    const cairn__rule_slot vip = { CAIRN__RULE_TAG, CAIRN_STR("vip") };
    const cairn__rule_slot empty = { CAIRN__RULE_QUERY, { NULL, 0 } };
    assert_true(cairn__rule_slot_key(&city) == UINT64_C(0x2DCCD32DB3BF20C2));
    assert_true(cairn__rule_slot_key(&vip) == UINT64_C(0x94AC465FD842A5B6));
    assert_true(cairn__rule_slot_key(&empty) == UINT64_C(0xAF643D4C8602915F));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(facts_come_back_and_are_found, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(a_cut_message_is_refused_or_shorter, open_fixture,
                                        close_fixture),
        cmocka_unit_test_setup_teardown(keys_out_of_order_are_refused, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(what_is_no_number_and_no_text_is_refused, open_fixture,
                                        close_fixture),
        cmocka_unit_test(keys_of_facts_are_what_they_always_were),
    };
    return cmocka_run_group_tests_name("sdk/bundle/facts", tests, NULL, NULL);
}
