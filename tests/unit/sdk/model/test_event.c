/* Goal: an event comes back as it was written, every damage is told, and every limit is enforced.
 * Method: one event with every kind of value; every beginning of it; one fault at a time. */
#include "support/cmocka_all.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "model/event.h"
#include "model/limits.h"

static const cairn_span tags[] = { { (const uint8_t *)"a", 1 }, { (const uint8_t *)"", 0 } };

static const cairn__dictionary no_words = { NULL, 0 };

typedef struct fixture {
    cairn__arena arena;
    cairn__buffer wire;
    cairn_property properties[7];
    cairn_id ids[2];
    cairn__event event;
} fixture;

static cairn_property named(const char *name, cairn_value value) {
    return (cairn_property){ cairn__span_of(name), value };
}

static int open_fixture(void **state) {
    static fixture f;
    f.arena = cairn__arena_make(cairn__heap(), 1 << 20);
    f.wire = cairn__buffer_make(cairn__heap(), 1 << 20);
    f.properties[0] = named("gone", (cairn_value){ .kind = CAIRN_VALUE_NULL });
    f.properties[1] = named("ok", (cairn_value){ CAIRN_VALUE_BOOLEAN, { .boolean = false } });
    f.properties[2] = named("n", (cairn_value){ CAIRN_VALUE_INTEGER, { .integer = INT64_MIN } });
    f.properties[3] = named("x", (cairn_value){ CAIRN_VALUE_NUMBER, { .number = -0.5 } });
    f.properties[4] =
        named("text", (cairn_value){ CAIRN_VALUE_STRING, { .string = CAIRN_STR("购买") } });
    f.properties[5] = named("at", (cairn_value){ CAIRN_VALUE_TIME, { .time_ms = -1 } });
    f.properties[6] = named("tags", (cairn_value){ CAIRN_VALUE_LIST, { .list = { tags, 2 } } });
    f.ids[0] = (cairn_id){ CAIRN_STR("login"), CAIRN_STR("u1") };
    f.ids[1] = (cairn_id){ CAIRN_STR("mobile"), CAIRN_STR("123") };
    f.event = (cairn__event){ .seq = 300,
                              .name = CAIRN_STR("purchase"),
                              .time_ms = 1790000000000,
                              .mono_ms = 5,
                              .session = 1,
                              .kind = CAIRN__EVENT_TRACK,
                              .properties = f.properties,
                              .property_count = 7,
                              .ids = f.ids,
                              .id_count = 2 };
    *state = &f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    cairn__arena_free(&f->arena);
    cairn__buffer_free(&f->wire);
    return 0;
}

static cairn_status decode(fixture *f, cairn_span bytes, cairn__event *out,
                           cairn__event_fault *fault) {
    return cairn__event_decode(bytes, &no_words, &f->arena, out, fault);
}

static void an_event_with_every_kind_of_value_comes_back(void **state) {
    fixture *f = *state;
    cairn__event back;
    cairn__event_fault fault;
    cairn__event_encode(&f->wire, &f->event);

    assert_int_equal(decode(f, cairn__buffer_span(&f->wire), &back, &fault), CAIRN_OK);

    assert_true(cairn__event_check(&back, &fault));
    assert_int_equal(back.seq, 300);
    assert_true(cairn__span_equal(back.name, CAIRN_STR("purchase")));
    assert_int_equal(back.time_ms, 1790000000000);
    assert_int_equal(back.mono_ms, 5);
    assert_int_equal(back.session, 1);
    assert_int_equal(back.property_count, 7);
    for (size_t i = 0; i < 7; i++) {
        assert_true(cairn__span_equal(back.properties[i].name, f->properties[i].name));
        assert_int_equal(back.properties[i].value.kind, f->properties[i].value.kind);
    }
    assert_false(back.properties[1].value.as.boolean);
    assert_true(back.properties[2].value.as.integer == INT64_MIN);
    assert_true(back.properties[3].value.as.number < -0.49);
    assert_true(cairn__span_equal(back.properties[4].value.as.string, CAIRN_STR("购买")));
    assert_int_equal(back.properties[5].value.as.time_ms, -1);
    assert_int_equal(back.properties[6].value.as.list.count, 2);
    assert_true(cairn__span_equal(back.properties[6].value.as.list.items[0], tags[0]));
    assert_int_equal(back.id_count, 2);
    assert_true(cairn__span_equal(back.ids[1].value, CAIRN_STR("123")));
}

static void the_sequence_number_is_seen_without_the_rest(void **state) {
    fixture *f = *state;
    cairn__event_encode(&f->wire, &f->event);
    assert_int_equal(cairn__event_peek_seq(cairn__buffer_span(&f->wire)), 300);
    assert_int_equal(cairn__event_peek_seq((cairn_span){ NULL, 0 }), 0);
    const uint8_t last[] = { 0x20, 5, 0x08, 7 }; /* another writer puts the time first */
    assert_int_equal(cairn__event_peek_seq((cairn_span){ last, sizeof last }), 7);
    const uint8_t cut[] = { 0x08, 0x80 };
    assert_int_equal(cairn__event_peek_seq((cairn_span){ cut, sizeof cut }), 0);
}

static void every_beginning_is_read_whole_or_refused_with_a_reason(void **state) {
    fixture *f = *state;
    cairn__event_encode(&f->wire, &f->event);
    size_t refused = 0;
    for (size_t len = 0; len < f->wire.len; len++) {
        cairn__event back;
        cairn__event_fault fault;
        cairn_status status = decode(f, (cairn_span){ f->wire.data, len }, &back, &fault);
        assert_true((status == CAIRN_OK) == (fault.code == NULL));
        refused += status != CAIRN_OK;
    }
    assert_true(refused > f->wire.len / 2);
}

static void every_flipped_byte_is_survived(void **state) {
    fixture *f = *state;
    cairn__event_encode(&f->wire, &f->event);
    for (size_t at = 0; at < f->wire.len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            cairn__event back;
            cairn__event_fault fault;
            f->wire.data[at] ^= (uint8_t)(1u << bit);
            if (decode(f, cairn__buffer_span(&f->wire), &back, &fault) == CAIRN_OK) {
                (void)cairn__event_check(&back, &fault);
            }
            f->wire.data[at] ^= (uint8_t)(1u << bit);
        }
    }
}

static void a_code_names_an_entry_of_the_dictionary_or_is_a_fault(void **state) {
    fixture *f = *state;
    const cairn_span words[] = { CAIRN_STR("view"), CAIRN_STR("page") };
    const cairn__dictionary dictionary = { words, 2 };
    const uint8_t coded[] = { 0x08, 1, 0x10, 1, 0x42, 4, 0x08, 2, 0x38, 1 };
    cairn__event back;
    cairn__event_fault fault;

    assert_int_equal(cairn__event_decode((cairn_span){ coded, sizeof coded }, &dictionary,
                                         &f->arena, &back, &fault),
                     CAIRN_OK);
    assert_true(cairn__span_equal(back.name, words[0]));
    assert_true(cairn__span_equal(back.properties[0].name, words[1]));
    assert_true(cairn__span_equal(back.properties[0].value.as.string, words[0]));

    const cairn__dictionary shorter = { words, 1 };
    assert_int_equal(cairn__event_decode((cairn_span){ coded, sizeof coded }, &shorter, &f->arena,
                                         &back, &fault),
                     CAIRN_INVALID);
    assert_string_equal(fault.code, "code_unknown");
    assert_string_equal(fault.field, "properties[].name_code");
}

static void fields_of_later_versions_are_stepped_over(void **state) {
    fixture *f = *state;
    const uint8_t later[] = { 0x08, 9, 0x7A, 2, 'h', 'i', 0xA5, 0x01, 1, 2, 3, 4, 0x1A, 1, 'v' };
    cairn__event back;
    cairn__event_fault fault;
    assert_int_equal(decode(f, (cairn_span){ later, sizeof later }, &back, &fault), CAIRN_OK);
    assert_int_equal(back.seq, 9);
    assert_true(cairn__span_equal(back.name, CAIRN_STR("v")));
}

static void a_full_arena_is_told(void **state) {
    fixture *f = *state;
    cairn__event back;
    cairn__event_fault fault;
    cairn__arena none = cairn__arena_make(cairn__heap(), 0);
    cairn__event_encode(&f->wire, &f->event);
    assert_int_equal(
        cairn__event_decode(cairn__buffer_span(&f->wire), &no_words, &none, &back, &fault),
        CAIRN_NO_MEMORY);
}

/* --- the check ---------------------------------------------------------------------------------*/

static void expect_fault(const cairn__event *event, const char *code, const char *field) {
    cairn__event_fault fault;
    assert_false(cairn__event_check(event, &fault));
    assert_string_equal(fault.code, code);
    assert_string_equal(fault.field, field);
    assert_true(strlen(fault.fix) > 10);
}

static void names_have_1_to_100_bytes_of_utf8(void **state) {
    fixture *f = *state;
    uint8_t long_name[101];
    memset(long_name, 'n', sizeof long_name);
    cairn__event_fault fault;
    f->event.name = (cairn_span){ long_name, 100 };
    assert_true(cairn__event_check(&f->event, &fault));
    f->event.name.len = 101;
    expect_fault(&f->event, "name_too_long", "name");
    f->event.name = CAIRN_STR("");
    expect_fault(&f->event, "name_missing", "name");
    f->event.name = CAIRN_STR("half a \xE8\xB4");
    expect_fault(&f->event, "name_not_utf8", "name");
    f->event.name = CAIRN_STR("ok");
    f->properties[0].name = CAIRN_STR("");
    expect_fault(&f->event, "name_missing", "properties[].name");
    f->properties[0].name = CAIRN_STR("\xFFlonger than eight bytes");
    expect_fault(&f->event, "name_not_utf8", "properties[].name");
}

static void not_utf8_is_seen_in_texts_of_every_length(void **state) {
    fixture *f = *state;
    for (size_t len = 1; len <= 40; len++) {
        for (size_t bad = 0; bad < len; bad++) {
            uint8_t text[40];
            memset(text, 'a', sizeof text);
            text[bad] = 0xC0;
            f->properties[4].value.as.string = (cairn_span){ text, len };
            expect_fault(&f->event, "text_not_utf8", "properties[].text");
        }
    }
}

static void values_keep_their_limits(void **state) {
    fixture *f = *state;
    static uint8_t text[CAIRN__TEXT_BYTES_MAX + 1];
    static cairn_span items[CAIRN__LIST_ITEMS_MAX + 1];
    memset(text, 't', sizeof text);
    f->properties[4].value.as.string = (cairn_span){ text, sizeof text };
    expect_fault(&f->event, "text_too_long", "properties[].text");
    f->properties[4].value.as.string.len -= 1;
    f->properties[3].value.as.number = (double)NAN;
    expect_fault(&f->event, "number_not_finite", "properties[].number");
    f->properties[3].value.as.number = (double)-INFINITY;
    expect_fault(&f->event, "number_not_finite", "properties[].number");
    f->properties[3].value.as.number = 0;
    f->properties[6].value.as.list = (cairn_string_list){ items, CAIRN__LIST_ITEMS_MAX + 1 };
    expect_fault(&f->event, "list_too_long", "properties[].list");
    for (size_t i = 0; i < 8; i++) {
        items[i] = (cairn_span){ text, CAIRN__TEXT_BYTES_MAX };
    }
    f->properties[6].value.as.list.count = CAIRN__LIST_ITEMS_MAX;
    expect_fault(&f->event, "event_too_large", "event");
    f->properties[6].value.as.list.count = 0;
    f->event.time_ms = -1;
    expect_fault(&f->event, "time_out_of_range", "time_ms");
    f->event.time_ms = 253402300800000;
    expect_fault(&f->event, "time_out_of_range", "time_ms");
    f->event.time_ms -= 1;
    cairn__event_fault fault;
    assert_true(cairn__event_check(&f->event, &fault));
}

static void a_kind_has_its_operands(void **state) {
    fixture *f = *state;
    f->event.name = CAIRN_STR("");
    f->event.property_count = 0;
    f->event.kind = CAIRN__EVENT_LINK;
    f->event.id_count = 1;
    expect_fault(&f->event, "id_missing", "ids[1]");
    f->event.kind = CAIRN__EVENT_LOGIN;
    cairn__event_fault fault;
    assert_true(cairn__event_check(&f->event, &fault));
    f->event.id_count = 0;
    expect_fault(&f->event, "id_missing", "ids[0]");
    f->event.kind = CAIRN__EVENT_PROFILE_SET;
    expect_fault(&f->event, "properties_missing", "properties");
    f->event.property_count = 7;
    assert_true(cairn__event_check(&f->event, &fault));
    f->event.kind = CAIRN__EVENT_PROFILE_INCREMENT;
    expect_fault(&f->event, "value_kind", "properties[].value");
    f->event.kind = CAIRN__EVENT_PROFILE_APPEND;
    expect_fault(&f->event, "value_kind", "properties[].value");
    f->event.kind = (cairn__event_kind)99;
    expect_fault(&f->event, "kind_unknown", "kind");
}

static void ids_keep_their_limits(void **state) {
    fixture *f = *state;
    uint8_t text[CAIRN__ID_VALUE_BYTES_MAX + 1];
    memset(text, 'i', sizeof text);
    f->ids[1].value = (cairn_span){ text, sizeof text };
    expect_fault(&f->event, "id_value", "ids[].value");
    f->ids[1].value.len -= 1;
    f->ids[1].type = (cairn_span){ text, CAIRN__ID_TYPE_BYTES_MAX + 1 };
    expect_fault(&f->event, "id_type", "ids[].type");
    f->ids[1].type.len = 0;
    expect_fault(&f->event, "id_type", "ids[].type");
}

static void more_than_the_limit_of_anything_is_not_even_decoded(void **state) {
    fixture *f = *state;
    cairn__event back;
    cairn__event_fault fault;
    for (size_t i = 0; i <= CAIRN__PROPERTIES_MAX; i++) {
        cairn__buffer_append(&f->wire, cairn__span("\x42\x00", 2));
    }
    assert_int_equal(decode(f, cairn__buffer_span(&f->wire), &back, &fault), CAIRN_INVALID);
    assert_string_equal(fault.code, "properties_too_many");
    cairn__buffer_clear(&f->wire);
    (void)memset(cairn__buffer_extend(&f->wire, CAIRN__EVENT_BYTES_MAX + 1), 0, 1);
    assert_int_equal(decode(f, cairn__buffer_span(&f->wire), &back, &fault), CAIRN_INVALID);
    assert_string_equal(fault.code, "event_too_large");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(an_event_with_every_kind_of_value_comes_back),
        TEST(the_sequence_number_is_seen_without_the_rest),
        TEST(every_beginning_is_read_whole_or_refused_with_a_reason),
        TEST(every_flipped_byte_is_survived),
        TEST(a_code_names_an_entry_of_the_dictionary_or_is_a_fault),
        TEST(fields_of_later_versions_are_stepped_over),
        TEST(a_full_arena_is_told),
        TEST(names_have_1_to_100_bytes_of_utf8),
        TEST(not_utf8_is_seen_in_texts_of_every_length),
        TEST(values_keep_their_limits),
        TEST(a_kind_has_its_operands),
        TEST(ids_keep_their_limits),
        TEST(more_than_the_limit_of_anything_is_not_even_decoded),
    };
    return cmocka_run_group_tests_name("sdk/model/event", tests, NULL, NULL);
}
