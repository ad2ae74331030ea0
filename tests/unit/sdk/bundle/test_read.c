/* Goal: what is written is read as it was, and nothing that is damaged is believed.
 * Method: random bundles there and back; every truncation and many flipped bytes of a small one;
 * one broken promise at a time. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "bundle/read.h"
#include "bundle/write.h"
#include "support/bundle_make.h"
#include "support/cmocka_all.h"

enum { ARENA_BYTES = 64 << 20, ROUNDS = 60 };

typedef struct fixture {
    cairn__arena made, read;
    cairn__buffer bytes, again;
    cairn__bundle bundle;
    cairn__bundle_fault fault;
} fixture;

static int open_fixture(void **state) {
    static fixture f;
    f.made = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    f.read = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    f.bytes = cairn__buffer_make(cairn__heap(), CAIRN__BUNDLE_BYTES_MAX);
    f.again = cairn__buffer_make(cairn__heap(), CAIRN__BUNDLE_BYTES_MAX);
    *state = &f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    cairn__arena_free(&f->made);
    cairn__arena_free(&f->read);
    cairn__buffer_free(&f->bytes);
    cairn__buffer_free(&f->again);
    return 0;
}

static void make(fixture *f, uint64_t seed, size_t size) {
    const bundle_shape shape = { .seed = seed,
                                 .audiences = size,
                                 .popups = size,
                                 .items = size,
                                 .slots = size / 2,
                                 .experiments = size,
                                 .content_bytes = 60 };
    cairn__arena_reset(&f->made);
    bundle_make(&shape, &f->made, &f->bundle);
}

static void write_into(const cairn__bundle *bundle, cairn__buffer *to) {
    cairn__buffer_clear(to);
    assert_int_equal(cairn__bundle_write(bundle, to), CAIRN_OK);
}

static cairn_status read_bytes(fixture *f, cairn_span bytes, cairn__bundle *out) {
    cairn__arena_reset(&f->read);
    return cairn__bundle_read(bytes, &f->read, out, &f->fault);
}

static cairn_status write_and_read(fixture *f, cairn__bundle *out) {
    write_into(&f->bundle, &f->bytes);
    cairn_status status = read_bytes(f, cairn__buffer_span(&f->bytes), out);
    if (status != CAIRN_OK) {
        print_message("%s[%u].%s %s\n", f->fault.list == NULL ? "" : f->fault.list, f->fault.index,
                      f->fault.field, f->fault.problem);
    }
    return status;
}

static void what_is_written_is_read_and_written_the_same(void **state) {
    fixture *f = *state;
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        cairn__bundle read;
        make(f, seed, (size_t)seed % 20);
        assert_int_equal(write_and_read(f, &read), CAIRN_OK);
        write_into(&read, &f->again);
        assert_int_equal(f->again.len, f->bytes.len);
        assert_memory_equal(f->again.data, f->bytes.data, f->bytes.len);
        const cairn__definitions *a = &f->bundle.definitions;
        const cairn__definitions *b = &read.definitions;
        assert_int_equal(a->popup_count, b->popup_count);
        assert_int_equal(a->fact_count, b->fact_count);
        assert_true(cairn__span_equal(a->project, b->project));
    }
}

/* A small bundle with a bit of everything. */
static cairn_span small(fixture *f) {
    make(f, 7, 2);
    write_into(&f->bundle, &f->bytes);
    return cairn__buffer_span(&f->bytes);
}

/* Reads from memory of exactly that size, so that the sanitizer sees a step beyond it. */
static cairn_status read_copy(fixture *f, cairn_span bytes) {
    cairn__bundle out;
    uint8_t *copy = malloc(bytes.len + (bytes.len == 0));
    assert_non_null(copy);
    if (bytes.len > 0) {
        memcpy(copy, bytes.data, bytes.len);
    }
    cairn_status status = read_bytes(f, cairn__span(copy, bytes.len), &out);
    if (status == CAIRN_OK) {
        write_into(&out, &f->again); /* walks all of it */
    } else {
        assert_int_equal(status, CAIRN_INVALID);
        assert_non_null(f->fault.field);
        assert_non_null(f->fault.problem);
    }
    free(copy);
    return status;
}

static void every_cut_is_refused_or_harmless(void **state) {
    fixture *f = *state;
    cairn_span bytes = small(f);
    size_t refused = 0;
    for (size_t len = 0; len < bytes.len; len++) {
        refused += read_copy(f, cairn__span(bytes.data, len)) == CAIRN_INVALID;
    }
    assert_true(refused > bytes.len - 40); /* others end between two fields at the end */
}

static void every_changed_byte_is_refused_or_harmless(void **state) {
    fixture *f = *state;
    cairn_span bytes = small(f);
    size_t refused = 0;
    for (size_t at = 0; at < bytes.len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            f->bytes.data[at] ^= (uint8_t)(1U << bit);
            refused += read_copy(f, bytes) == CAIRN_INVALID;
            f->bytes.data[at] ^= (uint8_t)(1U << bit);
        }
    }
    assert_true(refused > bytes.len);
    assert_int_equal(read_copy(f, bytes), CAIRN_OK);
}

static void too_little_memory_is_said(void **state) {
    fixture *f = *state;
    make(f, 3, 10);
    write_into(&f->bundle, &f->bytes);
    size_t failures = 0;
    for (size_t bytes_max = 0;; bytes_max += 512) {
        cairn__arena arena = cairn__arena_make(cairn__heap(), bytes_max);
        cairn__bundle out;
        cairn_status status =
            cairn__bundle_read(cairn__buffer_span(&f->bytes), &arena, &out, &f->fault);
        cairn__arena_free(&arena);
        if (status == CAIRN_OK) {
            break;
        }
        assert_int_equal(status, CAIRN_NO_MEMORY);
        failures += 1;
    }
    assert_true(failures > 10);
}

/* --- one broken promise at a time --------------------------------------------------------------*/

static void refused(fixture *f, const char *list, const char *field) {
    cairn__bundle out;
    write_into(&f->bundle, &f->bytes);
    assert_int_equal(read_bytes(f, cairn__buffer_span(&f->bytes), &out), CAIRN_INVALID);
    if (list == NULL) {
        assert_null(f->fault.list);
    } else {
        assert_non_null(f->fault.list);
        assert_string_equal(f->fault.list, list);
    }
    assert_string_equal(f->fault.field, field);
}

/* What the maker made const is the test's own. */
static void *changed(const void *at) {
    return (void *)(uintptr_t)at;
}

static cairn__popup *popup_of(fixture *f) {
    make(f, 11, 6);
    return changed(&f->bundle.definitions.popups[3]);
}

static void popups_that_break_a_promise_are_refused(void **state) {
    fixture *f = *state;
    popup_of(f)->variant_count = 0;
    refused(f, "popups", "variants");
    assert_int_equal(f->fault.index, 3);
    popup_of(f)->priority = 1000;
    refused(f, "popups", "priority");
    cairn__popup *popup = popup_of(f);
    popup->name = f->bundle.definitions.popups[2].name;
    refused(f, "popups", "priority");
    uint16_t group = 99;
    popup = popup_of(f);
    popup->groups = &group;
    popup->group_count = 1;
    refused(f, "popups", "groups");
    cairn__cap cap = { .count = 0 };
    popup = popup_of(f);
    popup->caps = &cap;
    popup->cap_count = 1;
    refused(f, "popups", "caps");
    cap = (cairn__cap){ .count = 1, .window = CAIRN__CAP_ROLLING };
    refused(f, "popups", "caps");
    popup_of(f)->holdout = 1.5;
    refused(f, "popups", "holdout");
    cairn__page page = { .how = CAIRN__PAGE_MATCHES, .text = CAIRN_STR("no pattern") };
    popup = popup_of(f);
    popup->pages = &page;
    popup->page_count = 1;
    refused(f, "popups", "pages");
    cairn__trigger trigger = { .event_count = 0 };
    popup = popup_of(f);
    popup->triggers = &trigger;
    popup->trigger_count = 1;
    refused(f, "popups", "triggers");
}

static void a_condition_must_name_the_facts_of_its_rule(void **state) {
    fixture *f = *state;
    make(f, 11, 6);
    cairn__popup *popup = changed(&f->bundle.definitions.popups[0]);
    for (size_t i = 0; popup->audience.rule.slot_count == 0; i++) {
        popup = changed(&f->bundle.definitions.popups[i]);
    }
    uint16_t *facts = changed(popup->audience.facts);
    uint16_t right = facts[0];
    facts[0] = (uint16_t)((right + 1) % f->bundle.definitions.fact_count);
    refused(f, "conditions", "conditions");
    facts[0] = (uint16_t)f->bundle.definitions.fact_count;
    refused(f, "conditions", "conditions");
    facts[0] = right;
    popup->audience.rule.program_bytes -= 8;
    refused(f, "conditions", "conditions");
}

/* A rule over an event's properties says nothing of a person. */
static void a_condition_must_make_sense_where_it_is_used(void **state) {
    fixture *f = *state;
    make(f, 11, 20);
    const cairn__definitions *d = &f->bundle.definitions;
    const cairn__condition *of_event = NULL;
    for (size_t i = 0; i < d->popup_count && of_event == NULL; i++) {
        const cairn__condition *where = &d->popups[i].triggers[0].where;
        of_event = where->rule.program == NULL ? NULL : where;
    }
    assert_non_null(of_event);
    cairn__popup *popup = changed(&d->popups[3]);
    popup->audience = *of_event;
    refused(f, "popups", "audience");
    assert_int_equal(f->fault.index, 3);
}

static void the_same_rule_is_written_once(void **state) {
    fixture *f = *state;
    cairn__bundle read;
    make(f, 21, 15);
    assert_int_equal(write_and_read(f, &read), CAIRN_OK);
    size_t before = read.condition_count;
    assert_true(before > 10);
    cairn__definitions *d = &f->bundle.definitions;
    cairn__popup *popups = changed(d->popups);
    for (size_t i = 0; i < d->popup_count; i++) {
        popups[i].audience = d->audiences[0].condition;
    }
    assert_int_equal(write_and_read(f, &read), CAIRN_OK);
    assert_true(read.condition_count < before);
    assert_ptr_equal(read.definitions.popups[0].audience.facts,
                     read.definitions.popups[1].audience.facts);
}

static void names_that_stand_twice_are_refused(void **state) {
    fixture *f = *state;
    make(f, 12, 6);
    cairn__item *item = changed(&f->bundle.definitions.items[4]);
    item->id = f->bundle.definitions.items[1].id;
    refused(f, "items", "name");
    make(f, 12, 6);
    cairn__slot *slot = changed(&f->bundle.definitions.slots[1]);
    slot->name = f->bundle.definitions.slots[0].name;
    refused(f, "slots", "name");
}

static void audiences_and_experiments_must_be_in_order_of_need(void **state) {
    fixture *f = *state;
    make(f, 13, 6);
    uint16_t *facts = changed(f->bundle.definitions.audience_facts);
    facts[2] = facts[1];
    refused(f, "audiences", "audience_facts");
    make(f, 13, 6);
    cairn__prerequisite_of needed = { .experiment = 2, .variant = CAIRN__NO_VARIANT };
    cairn__experiment_entry *entry = changed(&f->bundle.definitions.experiments[2]);
    entry->prerequisites = &needed;
    entry->prerequisite_count = 1;
    refused(f, "experiments", "prerequisites");
    needed = (cairn__prerequisite_of){ .experiment = 0, .variant = 31 };
    refused(f, "experiments", "prerequisites");
    needed = (cairn__prerequisite_of){ .experiment = 1, .variant = 0 }; /* a flag has no variants */
    refused(f, "experiments", "prerequisites");
}

static void a_flags_rules_stand_alone_and_name_earlier_experiments(void **state) {
    fixture *f = *state;
    make(f, 13, 6);
    cairn__experiment_entry *flag = changed(&f->bundle.definitions.experiments[5]);
    cairn__flag_rule rules[CAIRN__FLAG_RULES_MAX + 1] = { { .experiment = 4, .gate = true } };
    flag->rules = rules;
    flag->rule_count = 1;
    write_into(&f->bundle, &f->bytes);
    cairn__bundle read;
    assert_int_equal(read_bytes(f, cairn__buffer_span(&f->bytes), &read), CAIRN_OK);
    const cairn__experiment_entry *as_read = &read.definitions.experiments[5];
    assert_int_equal(as_read->rule_count, 1);
    assert_int_equal(as_read->rules[0].experiment, 4);
    assert_true(as_read->rules[0].gate);
    assert_null(as_read->rules[0].values);
    rules[0].experiment = 5;
    refused(f, "experiments", "rules");
    rules[0].experiment = 4;
    const cairn__prerequisite_of needed = { .experiment = 0, .variant = CAIRN__NO_VARIANT };
    flag->prerequisites = &needed;
    flag->prerequisite_count = 1;
    refused(f, "experiments", "rules");
    flag->prerequisite_count = 0;
    flag->rule_count = CAIRN__FLAG_RULES_MAX + 1;
    refused(f, "experiments", "rules");
    flag->rule_count = 1;
    flag->variants = f->bundle.definitions.experiments[4].variants;
    flag->experiment.variant_count = 1;
    refused(f, "experiments", "rules");
    flag->rule_count = 0; /* and without either it is nothing */
    flag->experiment.variant_count = 0;
    refused(f, "experiments", "variants");
}

static void what_a_bundle_cannot_do_without_must_be_there(void **state) {
    fixture *f = *state;
    make(f, 14, 2);
    f->bundle.definitions.version = 0;
    refused(f, NULL, "version");
    make(f, 14, 2);
    f->bundle.definitions.project.len = 0;
    refused(f, NULL, "project");
    make(f, 14, 2);
    f->bundle.definitions.cap_group_count = 0;
    refused(f, "cap_groups", "name");
    make(f, 14, 2);
    f->bundle.zone_name = CAIRN_STR("Europe/Berlin");
    refused(f, NULL, "zone");
    f->bundle.zones = CAIRN_STR("CZ1");
    refused(f, NULL, "zones");
}

static void names_are_found_and_others_are_not(void **state) {
    fixture *f = *state;
    cairn__bundle read;
    make(f, 21, 15);
    assert_int_equal(write_and_read(f, &read), CAIRN_OK);
    const cairn__definitions *d = &read.definitions;
    for (size_t i = 0; i < d->popup_count; i++) {
        assert_int_equal(cairn__bundle_popup(&read, d->popups[i].name), i);
        assert_int_equal(cairn__bundle_item(&read, d->items[i].id), i);
        assert_int_equal(cairn__bundle_audience(&read, d->audiences[i].name), i);
        assert_int_equal(cairn__bundle_experiment(&read, d->experiments[i].name), i);
    }
    for (size_t i = 0; i < d->slot_count; i++) {
        assert_int_equal(cairn__bundle_slot(&read, d->slots[i].name), i);
    }
    assert_int_equal(cairn__bundle_popup(&read, CAIRN_STR("popup")), -1);
    assert_int_equal(cairn__bundle_slot(&read, CAIRN_STR("zzz")), -1);
    assert_int_equal(cairn__bundle_item(&read, (cairn_span){ NULL, 0 }), -1);
}

/* Written by hand: a popup before the facts that it would name. */
static void fields_out_of_order_and_twice_are_refused(void **state) {
    fixture *f = *state;
    assert_int_equal(read_copy(f, CAIRN_STR("\x10\x01\x0A\x01x\x6A\x00")), CAIRN_INVALID);
    assert_string_equal(f->fault.field, "fields");
    assert_int_equal(read_copy(f, CAIRN_STR("\x0A\x01x\x0A\x01x\x10\x01\x6A\x00")), CAIRN_INVALID);
    assert_int_equal(read_copy(f, CAIRN_STR("\x0A\x01x\x10\x01\x6A\x00")), CAIRN_OK);
}

/* Field 1000, of a later version, between known ones' end and nothing. */
static void fields_of_later_versions_are_stepped_over(void **state) {
    fixture *f = *state;
    assert_int_equal(read_copy(f, CAIRN_STR("\x0A\x01x\x10\x01\x6A\x00\xC2\x3E\x02yz")), CAIRN_OK);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(what_is_written_is_read_and_written_the_same),
        CASE(every_cut_is_refused_or_harmless),
        CASE(every_changed_byte_is_refused_or_harmless),
        CASE(too_little_memory_is_said),
        CASE(popups_that_break_a_promise_are_refused),
        CASE(a_condition_must_name_the_facts_of_its_rule),
        CASE(a_condition_must_make_sense_where_it_is_used),
        CASE(the_same_rule_is_written_once),
        CASE(names_that_stand_twice_are_refused),
        CASE(audiences_and_experiments_must_be_in_order_of_need),
        CASE(a_flags_rules_stand_alone_and_name_earlier_experiments),
        CASE(what_a_bundle_cannot_do_without_must_be_there),
        CASE(names_are_found_and_others_are_not),
        CASE(fields_out_of_order_and_twice_are_refused),
        CASE(fields_of_later_versions_are_stepped_over),
    };
    return cmocka_run_group_tests_name("sdk/bundle/read", tests, NULL, NULL);
}
