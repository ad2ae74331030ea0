/* Goal: the functions over a history give what docs/RULES.md says, and say until when.
 * Method: one small history and a table of questions; bytes that must be the same or be refused.
 * That they agree with the definitions over random histories: test_history_oracle. */
#include <stdio.h>
#include <string.h>

#include "facts.h"
#include "history_person.h"
#include "support/cmocka_all.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR, SPACES = 255 };
enum { UNKNOWN = CAIRN__RULE_VALUE_UNKNOWN };

#define SPAN(text)                                                                                 \
    { (const uint8_t *)(text), sizeof(text) - 1 }
#define WHOLE(n)                                                                                   \
    { .kind = CAIRN_VALUE_INTEGER, .as.integer = (n) }
#define DOUBLE(n)                                                                                  \
    { .kind = CAIRN_VALUE_NUMBER, .as.number = (n) }
#define TRUTH(b)                                                                                   \
    { .kind = CAIRN_VALUE_BOOLEAN, .as.boolean = (b) }
#define TEXT(t)                                                                                    \
    { .kind = CAIRN_VALUE_STRING, .as.string = SPAN(t) }
#define NOTHING                                                                                    \
    { .kind = CAIRN_VALUE_NULL }
#define NOBODY_KNOWS                                                                               \
    { .kind = (cairn_value_kind)UNKNOWN }

static const int64_t never = INT64_MAX;

/* The query of the only slot of a rule. */
static const cairn__query *query_of(const char *text, cairn__arena *arena, cairn__rule *rule) {
    cairn__rule_fault fault;
    const cairn__query *query = NULL;
    const cairn__rule_source source = { cairn__span_of(text), SPACES & ~CAIRN__RULE_ROW, 0, arena,
                                        &fault };
    if (cairn__rule_compile(&source, rule) != CAIRN_OK) {
        fail_msg("%s: %u:%u %s", text, fault.line, fault.column, fault.text);
    }
    assert_int_equal(rule->slot_count, 1);
    assert_int_equal(rule->slots[0].space, CAIRN__RULE_QUERY);
    assert_int_equal(cairn__query_load(rule->slots[0].name, arena, &query), CAIRN_OK);
    return query;
}

#define NOW INT64_C(1795514400000) /* facts_now_ms */
#define AT(ms, event_name)                                                                         \
    { .time_ms = NOW + (ms), .name = SPAN(event_name) }
#define BUY(ms, what)                                                                              \
    { .time_ms = NOW + (ms), .name = SPAN("buy"), .properties = (what), .property_count = 2 }

static const cairn_property cheap[] = { { SPAN("amount"), WHOLE(40) }, { SPAN("x"), WHOLE(1) } };
static const cairn_property dear[] = { { SPAN("amount"), WHOLE(200) }, { SPAN("sku"), TEXT("b") } };
static const cairn_property odd[] = { { SPAN("amount"), DOUBLE(0.5) }, { SPAN("sku"), TEXT("a") } };
static const cairn_property text[] = { { SPAN("amount"), TEXT("x") }, { SPAN("sku"), TEXT("b") } };

/* `now` is 2026-11-24T10:00:00Z, a Tuesday; the last event is after it. */
static const cairn__event events[] = {
    AT(-40 * (int64_t)DAY, "open"),
    BUY(-8 * (int64_t)DAY, cheap),
    AT(-34 * (int64_t)HOUR, "view"),
    AT(-33 * (int64_t)HOUR, "cart"),
    BUY(-10 * (int64_t)HOUR, dear),
    BUY(-2 * (int64_t)HOUR, odd),
    BUY(-1 * (int64_t)HOUR, text),
    AT(HOUR, "view"),
    { .time_ms = NOW + 2 * (int64_t)HOUR, .name = SPAN("login"), .kind = CAIRN__EVENT_LOGIN },
};

typedef struct question {
    const char *rule;
    cairn_value value;
    int64_t until_ms; /* after now; never: for ever */
} question;

static cairn_value ask(const char *rule_text, int64_t complete_from_ms, int64_t *until_ms) {
    static uint8_t kept[256]; /* a text, beyond the arena */
    cairn__rule rule;
    cairn__arena arena = cairn__arena_make(cairn__heap(), PERSON_ARENA_BYTES);
    cairn__arena scratch = cairn__arena_make(cairn__heap(), PERSON_ARENA_BYTES);
    const cairn__query *query = query_of(rule_text, &arena, &rule);
    const cairn__query_moment when = { facts_now_ms, NULL, NULL };
    person p = { events, sizeof events / sizeof events[0], 0 };
    const cairn__history history = person_history(&p, complete_from_ms);
    cairn_value value = cairn__query_evaluate(query, &when, &history, &scratch, until_ms);
    if (value.kind == CAIRN_VALUE_STRING) {
        assert_true(value.as.string.len <= sizeof kept);
        memcpy(kept, value.as.string.data, value.as.string.len);
        value.as.string.data = kept;
    }
    cairn__arena_free(&scratch);
    cairn__arena_free(&arena);
    return value;
}

static void check_value(const char *rule, const cairn_value *got, const cairn_value *want) {
    if (got->kind != want->kind) {
        fail_msg("%s: kind %d, not %d", rule, (int)got->kind, (int)want->kind);
    }
    bool same = want->kind != CAIRN_VALUE_STRING
                    ? memcmp(&got->as, &want->as, want->kind == CAIRN_VALUE_BOOLEAN ? 1 : 8) == 0
                    : cairn__span_equal(got->as.string, want->as.string);
    bool empty = want->kind == CAIRN_VALUE_NULL || (int)want->kind == UNKNOWN;
    if (!same && !empty) {
        fail_msg("%s: another value (%lld)", rule, (long long)got->as.integer);
    }
}

static void check(const question *questions, size_t count, int64_t complete_from_ms) {
    for (size_t i = 0; i < count; i++) {
        const question *q = &questions[i];
        int64_t until_ms = 0;
        cairn_value got = ask(q->rule, complete_from_ms, &until_ms);
        check_value(q->rule, &got, &q->value);
        int64_t want_ms = q->until_ms == never ? never : facts_now_ms + q->until_ms;
        if (until_ms != want_ms) {
            fail_msg("%s: until now + %lld", q->rule, (long long)(until_ms - facts_now_ms));
        }
    }
}

static void functions_count_and_compute(void **state) {
    (void)state;
    static const question questions[] = {
        { "count(buy) = 1", WHOLE(4), INT64_MAX },
        { "count(any event) = 1", WHOLE(7), HOUR },
        { "count((buy or open)) = 1", WHOLE(5), INT64_MAX },
        { "count(buy where event.amount > 100) = 1", WHOLE(1), INT64_MAX },
        { "count(buy where amount > 100 or $name = \"x\") = 1", WHOLE(1), INT64_MAX },
        { "did(buy, last 1 hours)", TRUTH(false), INT64_MAX },
        { "did(buy, last 2 hours)", TRUTH(true), HOUR },
        { "did(view, last 1 hour)", TRUTH(false), HOUR },
        { "did(refund)", TRUTH(false), INT64_MAX },
        { "did(login)", TRUTH(false), INT64_MAX },
        { "sum(buy.amount) = 1", DOUBLE(240.5), INT64_MAX },
        { "sum(buy.amount where amount > 1) = 1", WHOLE(240), INT64_MAX },
        { "sum(open.amount) = 1", WHOLE(0), INT64_MAX },
        { "avg(buy.amount where amount > 1) = 1", WHOLE(120), INT64_MAX },
        { "avg(open.amount) = 1", NOTHING, INT64_MAX },
        { "min(buy.amount) = 1", DOUBLE(0.5), INT64_MAX },
        { "max(buy.sku) = \"\"", TEXT("b"), INT64_MAX },
        { "first(buy.sku) = \"\"", TEXT("b"), INT64_MAX },
        { "last(buy.amount) = 1", TEXT("x"), INT64_MAX },
        { "last(buy.amount, last 90 minutes) = 1", TEXT("x"), 30 * MINUTE },
        { "last(open.sku) = \"\"", NOTHING, INT64_MAX },
        { "distinct(buy.sku) = 1", WHOLE(2), INT64_MAX },
        { "days(buy) = 1", WHOLE(2), INT64_MAX },
        { "member(\"vip\")", NOBODY_KNOWS, INT64_MAX },
        { "any(holdings where code = \"1\")", NOBODY_KNOWS, INT64_MAX },
    };
    check(questions, sizeof questions / sizeof questions[0], INT64_MIN);
}

static void windows_are_rolling_or_of_the_calendar(void **state) {
    (void)state;
    static const question questions[] = {
        { "count(buy, last 10 hours) = 1", WHOLE(2), 8 * HOUR },
        { "count(buy, last 601 minutes) = 1", WHOLE(3), MINUTE },
        { "count(buy, last 2 weeks) = 1", WHOLE(4), 6 * DAY },
        { "count(any event, today) = 1", WHOLE(3), HOUR },
        { "count(buy, today) = 1", WHOLE(3), 14 * HOUR },
        { "count(buy, yesterday) = 1", WHOLE(0), 14 * HOUR },
        { "count(view, yesterday) = 1", WHOLE(1), 14 * HOUR },
        { "count(cart, this week) = 1", WHOLE(1), 6 * DAY - 10 * HOUR },
        { "count(open, this month) = 1", WHOLE(0), 6 * DAY + 14 * HOUR },
        { "count(buy, this month) = 1", WHOLE(4), 6 * DAY + 14 * HOUR },
        { "count(buy, since 2026-11-24) = 1", WHOLE(3), INT64_MAX },
        { "count(view, 2026-11-23..2026-11-24) = 1", WHOLE(1), HOUR },
        { "count(view, 2026-11-20..2026-11-22) = 1", WHOLE(0), INT64_MAX },
        { "days(buy, last 9 days) = 1", WHOLE(2), DAY },
        { "days(buy, last 7 days) = 1", WHOLE(1), 7 * DAY - HOUR },
    };
    check(questions, sizeof questions / sizeof questions[0], INT64_MIN);
}

static void sequences_are_in_order_within_a_time(void **state) {
    (void)state;
    static const question questions[] = {
        { "sequence(view, cart, within 1 hour)", TRUTH(true), INT64_MAX },
        { "sequence(view, cart, within 59 minutes)", TRUTH(false), HOUR },
        { "sequence(cart, view, within 2 days)", TRUTH(false), HOUR },
        { "sequence(view, cart, buy, within 24 hours)", TRUTH(true), INT64_MAX },
        { "sequence(view, cart, not buy, within 1 hour)", TRUTH(true), INT64_MAX },
        { "sequence(view, not cart, buy, within 2 days)", TRUTH(false), HOUR },
        { "sequence(cart, not buy, within 40 hours)", TRUTH(false), INT64_MAX },
        { "sequence(buy where amount = 0.5, not open, within 3 hours)", TRUTH(false), HOUR + 1 },
        { "sequence(buy, buy, buy, within 9 hours)", TRUTH(true), INT64_MAX },
        { "sequence(buy, buy, buy, buy, buy, within 90 days)", TRUTH(false), INT64_MAX },
    };
    check(questions, sizeof questions / sizeof questions[0], INT64_MIN);
}

static void what_may_be_missing_makes_it_unknown(void **state) {
    (void)state;
    static const question questions[] = {
        { "count(buy, last 90 minutes) = 1", WHOLE(1), 30 * MINUTE },
        { "count(buy, last 30 hours) = 1", NOBODY_KNOWS, 11 * HOUR - 1 },
        { "did(buy, last 30 hours)", TRUTH(true), 29 * HOUR },
        { "did(refund, last 2 days)", NOBODY_KNOWS, 29 * HOUR - 1 },
        { "did(refund)", NOBODY_KNOWS, INT64_MAX },
        { "last(buy.sku) = \"\"", TEXT("b"), INT64_MAX },
        { "first(buy.sku) = \"\"", NOBODY_KNOWS, INT64_MAX },
        { "last(cart.time) = \"\"", NOBODY_KNOWS, INT64_MAX },
        { "sequence(view, cart, within 1 hour)", TRUTH(true), INT64_MAX },
        { "sequence(cart, view, within 1 hour)", NOBODY_KNOWS, HOUR },
        { "sequence(view, not open, cart, within 1 hour)", NOBODY_KNOWS, HOUR },
        { "sequence(buy, not open, within 20 minutes)", TRUTH(true), INT64_MAX },
    };
    check(questions, sizeof questions / sizeof questions[0], 1795514400000 - 19 * (int64_t)HOUR);
}

static void the_same_question_has_the_same_bytes(void **state) {
    (void)state;
    static const char *const same[][2] = {
        { "count((b or a or b)) = 1", "count ( (a  or b), ever ) > 2" },
        { "count(a where x > 1 and y = 2) = 1", "2 < count(a where event.x>1 and event.y=2)" },
        { "count(a, last 7 days in user time) = 1", "count(a, last 1 week) = 1" },
        { "did(`a`, last 24 hours)", "did(a, LAST 1 day)" },
    };
    static const char *const different[][2] = {
        { "days(a, last 7 days in user time) = 1", "days(a, last 1 week) = 1" },
        { "count(a, today in user time) = 1", "count(a, today) = 1" },
        { "count(a) = 1", "did(a)" },
        { "sequence(a, b, within 1 day)", "sequence(b, a, within 1 day)" },
    };
    for (size_t i = 0; i < 8; i++) {
        const char *const *pair = i < 4 ? same[i] : different[i - 4];
        cairn__arena arena = cairn__arena_make(cairn__heap(), PERSON_ARENA_BYTES);
        cairn__rule one;
        cairn__rule other;
        (void)query_of(pair[0], &arena, &one);
        (void)query_of(pair[1], &arena, &other);
        if (cairn__span_equal(one.slots[0].name, other.slots[0].name) != (i < 4)) {
            fail_msg("%s / %s", pair[0], pair[1]);
        }
        cairn__arena_free(&arena);
    }
}

static void cut_and_changed_bytes_are_refused_or_read(void **state) {
    (void)state;
    cairn__rule rule;
    cairn__arena arena = cairn__arena_make(cairn__heap(), PERSON_ARENA_BYTES);
    cairn__arena other = cairn__arena_make(cairn__heap(), PERSON_ARENA_BYTES);
    const cairn__query *query =
        query_of("sequence((a or b) where x = 1, not any event where y in [1, 2], within 1 day)",
                 &arena, &rule);
    cairn_span bytes = rule.slots[0].name;
    uint8_t *copy = cairn__arena_alloc(&arena, bytes.len);
    for (size_t length = 0; length < bytes.len; length++) {
        assert_int_equal(cairn__query_load(cairn__span(bytes.data, length), &other, &query),
                         CAIRN_INVALID);
    }
    for (size_t i = 0; i < bytes.len; i++) {
        memcpy(copy, bytes.data, bytes.len);
        copy[i] ^= 0x81;
        (void)cairn__query_load(cairn__span(copy, bytes.len), &other, &query);
    }
    cairn__arena_free(&other);
    cairn__arena_free(&arena);
}

/* --- limits ---------------------------------------------------------------------------------- */

enum { MANY = 1200, LONG_TEXT = 8000 };

/* Event i has a text of so many bytes that no other has. */
static void make_many(person *p, cairn__event *made, cairn_property *properties, size_t bytes) {
    static uint8_t texts[MANY][LONG_TEXT];
    for (size_t i = 0; i < MANY; i++) {
        memset(texts[i], 'x', bytes);
        (void)snprintf((char *)texts[i], 8, "%06zu", i);
        properties[i] = (cairn_property){ CAIRN_STR("sku"), { .kind = CAIRN_VALUE_STRING } };
        properties[i].value.as.string = cairn__span(texts[i], bytes);
        made[i] = (cairn__event){ .name = CAIRN_STR("buy"),
                                  .time_ms = NOW - MANY + (int64_t)i,
                                  .properties = &properties[i],
                                  .property_count = 1 };
    }
    *p = (person){ made, MANY, 0 };
}

static cairn_value ask_many(const char *rule_text, size_t text_bytes, cairn__arena *scratch,
                            int64_t complete_from_ms) {
    static cairn__event made[MANY];
    static cairn_property properties[MANY];
    person p;
    cairn__rule rule;
    int64_t until_ms = 0;
    cairn__arena arena = cairn__arena_make(cairn__heap(), PERSON_ARENA_BYTES);
    const cairn__query_moment when = { NOW, NULL, NULL };
    make_many(&p, made, properties, text_bytes);
    const cairn__history history = person_history(&p, complete_from_ms);
    cairn_value value = cairn__query_evaluate(query_of(rule_text, &arena, &rule), &when, &history,
                                              scratch, &until_ms);
    cairn__arena_free(&arena);
    return value;
}

static void distinct_counts_to_a_thousand_in_bounded_memory(void **state) {
    (void)state;
    cairn__arena scratch = cairn__arena_make(cairn__heap(), CAIRN__QUERY_SCRATCH_BYTES_MAX);
    cairn_value value = ask_many("distinct(buy.sku) > 1", LONG_TEXT, &scratch, INT64_MIN);
    assert_int_equal(value.kind, CAIRN_VALUE_INTEGER);
    assert_int_equal(value.as.integer, CAIRN__QUERY_DISTINCT_MAX);
    cairn__arena_free(&scratch);
    value = ask_many("distinct(buy.sku, last 999 seconds) > 1", 6, &scratch, INT64_MIN);
    assert_int_equal(value.as.integer, CAIRN__QUERY_DISTINCT_MAX);
    /* all that may be missing cannot change it */
    value = ask_many("distinct(buy.sku) > 1", 6, &scratch, NOW - 1);
    assert_int_equal(value.as.integer, CAIRN__QUERY_DISTINCT_MAX);
    cairn__arena_free(&scratch);
}

static void a_full_scratch_is_unknown_not_wrong(void **state) {
    (void)state;
    static const char *const rules[] = { "distinct(buy.sku) > 1", "last(buy.sku) is set",
                                         "min(buy.sku) is set", "count(buy) > 1" };
    for (size_t i = 0; i < 4; i++) {
        for (size_t room = 0; room < 1 << 17; room = room * 2 + 1000) {
            cairn__arena scratch = cairn__arena_make(cairn__heap(), room);
            cairn_value value = ask_many(rules[i], 100, &scratch, INT64_MIN);
            bool right = i == 0   ? value.as.integer == CAIRN__QUERY_DISTINCT_MAX
                         : i == 3 ? value.as.integer == MANY
                                  : value.as.string.len == 100;
            assert_true((int)value.kind == UNKNOWN ? i != 3 : right);
            assert_true(scratch.bytes <= room);
            cairn__arena_free(&scratch);
        }
    }
}

static void texts_outlive_their_event(void **state) {
    (void)state;
    cairn__arena scratch = cairn__arena_make(cairn__heap(), CAIRN__QUERY_SCRATCH_BYTES_MAX);
    cairn_value last = ask_many("last(buy.sku) is set", LONG_TEXT, &scratch, INT64_MIN);
    assert_int_equal(last.as.string.len, LONG_TEXT);
    assert_memory_equal(last.as.string.data, "001199", 6);
    assert_true(scratch.bytes < 4 * LONG_TEXT); /* one place, used again */
    cairn__arena_free(&scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_count_and_compute),
        cmocka_unit_test(windows_are_rolling_or_of_the_calendar),
        cmocka_unit_test(sequences_are_in_order_within_a_time),
        cmocka_unit_test(what_may_be_missing_makes_it_unknown),
        cmocka_unit_test(the_same_question_has_the_same_bytes),
        cmocka_unit_test(cut_and_changed_bytes_are_refused_or_read),
        cmocka_unit_test(distinct_counts_to_a_thousand_in_bounded_memory),
        cmocka_unit_test(a_full_scratch_is_unknown_not_wrong),
        cmocka_unit_test(texts_outlive_their_event),
    };
    return cmocka_run_group_tests_name("sdk/rules/history", tests, NULL, NULL);
}
