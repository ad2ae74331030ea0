/* Goal: an explanation says of every part of a rule what it came to, is JSON whatever the facts
 * hold, and stays within its limits. Method: golden explanations about one person (facts.h); long
 * rules, hostile texts, small buffers and arenas. That parts agree with the language: test_oracle.
 */
#include <stdio.h>
#include <string.h>

#include "facts.h"
#include "support/cmocka_all.h"

enum { ARENA_BYTES = 1 << 25, RULE_BYTES = 60000 };

/* Whatever is asked of the history comes to 3; what only the server knows, to nothing. */
static cairn_value value_of(void *context, const cairn__rule_slot *slot) {
    (void)context;
    if (slot->space != CAIRN__RULE_QUERY) {
        return fact_of(slot);
    }
    return cairn__rule_known_by(slot) == CAIRN__RULE_KNOWN_BY_HISTORY ? fact_whole(3)
                                                                      : fact_unknown();
}

static cairn_value same_for_all(void *context, const cairn__rule_slot *slot) {
    (void)slot;
    return *(const cairn_value *)context;
}

static const cairn__rule_facts someone = { value_of, NULL, 1795514400000, NULL };

/* What became of it; the explanation is in `to`. */
static cairn_status explain(cairn_span text, const cairn__rule_facts *facts, cairn__buffer *to,
                            cairn__rule_answer *answer) {
    cairn__rule_fault fault;
    cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    const cairn__rule_source source = { text, FACTS_SPACES | CAIRN__RULE_QUERY, CAIRN__RULE_EVENT,
                                        &arena, &fault };
    cairn_status status = cairn__rule_explain(&source, facts, to, answer);
    cairn__arena_free(&arena);
    return status;
}

static void check(const char *rule, cairn__rule_answer want_answer, const char *want) {
    cairn__buffer to = cairn__buffer_make(cairn__heap(), CAIRN__RULE_EXPLAIN_BYTES_MAX);
    cairn__rule_answer answer = CAIRN__RULE_UNKNOWN;
    assert_int_equal(explain(cairn__span_of(rule), &someone, &to, &answer), CAIRN_OK);
    if (!cairn__span_equal(cairn__buffer_span(&to), cairn__span_of(want))) {
        fail_msg("%s:\ngot  %.*s\nwant %s", rule, (int)to.len, (const char *)to.data, want);
    }
    assert_int_equal(answer, want_answer);
    cairn__buffer_free(&to);
}

static void conditions(void **state) {
    (void)state;
    check("user.age >= 18", CAIRN__RULE_TRUE,
          "{\"text\":\"user.age >= 18\",\"answer\":\"true\",\"parts\":["
          "{\"text\":\"user.age\",\"type\":\"integer\",\"value\":30}]}");
    check(" (user.vip or user.banned)  and not (user.city in [\"Wuhan\", \"Beijing\"]) ",
          CAIRN__RULE_FALSE,
          "{\"text\":\"(user.vip or user.banned)  and not (user.city in [\\\"Wuhan\\\", "
          "\\\"Beijing\\\"])\",\"answer\":\"false\",\"parts\":["
          "{\"text\":\"user.vip or user.banned\",\"answer\":\"true\",\"parts\":["
          "{\"text\":\"user.vip\",\"answer\":\"true\",\"type\":\"boolean\",\"value\":true},"
          "{\"text\":\"user.banned\",\"answer\":\"false\",\"type\":\"boolean\",\"value\":false}]},"
          "{\"text\":\"not (user.city in [\\\"Wuhan\\\", \\\"Beijing\\\"])\",\"answer\":\"false\","
          "\"parts\":[{\"text\":\"user.city in [\\\"Wuhan\\\", \\\"Beijing\\\"]\","
          "\"answer\":\"true\",\"parts\":["
          "{\"text\":\"user.city\",\"type\":\"string\",\"value\":\"Beijing\"}]}]}]}");
    /* what evaluation would have skipped is told as well */
    check("user.banned and user.hidden > 1", CAIRN__RULE_FALSE,
          "{\"text\":\"user.banned and user.hidden > 1\",\"answer\":\"false\",\"parts\":["
          "{\"text\":\"user.banned\",\"answer\":\"false\",\"type\":\"boolean\",\"value\":false},"
          "{\"text\":\"user.hidden > 1\",\"answer\":\"unknown\",\"parts\":["
          "{\"text\":\"user.hidden\",\"type\":\"unknown\",\"value\":null}]}]}");
    check("true", CAIRN__RULE_TRUE,
          "{\"text\":\"true\",\"answer\":\"true\",\"type\":\"boolean\",\"value\":true}");
    check("user.hidden", CAIRN__RULE_UNKNOWN,
          "{\"text\":\"user.hidden\",\"answer\":\"unknown\",\"type\":\"unknown\",\"value\":null}");
}

static void values(void **state) {
    (void)state;
    check("now - user.old > (30 days)", CAIRN__RULE_TRUE,
          "{\"text\":\"now - user.old > (30 days)\",\"answer\":\"true\",\"parts\":["
          "{\"text\":\"now - user.old\",\"type\":\"duration_ms\",\"value\":2678400000,\"parts\":["
          "{\"text\":\"now\",\"type\":\"time\",\"value\":\"2026-11-24T10:00:00.000Z\"},"
          "{\"text\":\"user.old\",\"type\":\"time\",\"value\":\"2026-10-24T10:00:00.000Z\"}]}]}");
    check("upper(trim(user.padded)) != \"x\"", CAIRN__RULE_TRUE,
          "{\"text\":\"upper(trim(user.padded)) != \\\"x\\\"\",\"answer\":\"true\",\"parts\":["
          "{\"text\":\"upper(trim(user.padded))\",\"type\":\"string\",\"value\":\"AB\",\"parts\":["
          "{\"text\":\"trim(user.padded)\",\"type\":\"string\",\"value\":\"Ab\",\"parts\":["
          "{\"text\":\"user.padded\",\"type\":\"string\",\"value\":\"  Ab \\u0009\"}]}]}]}");
    check("\"red\" in user.colours", CAIRN__RULE_TRUE,
          "{\"text\":\"\\\"red\\\" in user.colours\",\"answer\":\"true\",\"parts\":["
          "{\"text\":\"user.colours\",\"type\":\"list\",\"value\":[\"red\",\"green\"]}]}");
    check("amount / 100 between 0.1 and - count", CAIRN__RULE_FALSE,
          "{\"text\":\"amount / 100 between 0.1 and - count\",\"answer\":\"false\",\"parts\":["
          "{\"text\":\"amount / 100\",\"type\":\"number\",\"value\":1.205,\"parts\":["
          "{\"text\":\"amount\",\"type\":\"number\",\"value\":120.5}]},"
          "{\"text\":\"- count\",\"type\":\"integer\",\"value\":-3,\"parts\":["
          "{\"text\":\"count\",\"type\":\"integer\",\"value\":3}]}]}");
    check("user.none is not set", CAIRN__RULE_TRUE,
          "{\"text\":\"user.none is not set\",\"answer\":\"true\",\"parts\":["
          "{\"text\":\"user.none\",\"type\":\"null\",\"value\":null}]}");
}

static void functions_over_the_history(void **state) {
    (void)state;
    check("count(buy where amount > 1, last 7 days) >= 2 and member(\"vip\")", CAIRN__RULE_UNKNOWN,
          "{\"text\":\"count(buy where amount > 1, last 7 days) >= 2 and member(\\\"vip\\\")\","
          "\"answer\":\"unknown\",\"parts\":["
          "{\"text\":\"count(buy where amount > 1, last 7 days) >= 2\",\"answer\":\"true\","
          "\"parts\":[{\"text\":\"count(buy where amount > 1, last 7 days)\",\"type\":\"integer\","
          "\"value\":3}]},"
          "{\"text\":\"member(\\\"vip\\\")\",\"answer\":\"unknown\",\"type\":\"unknown\","
          "\"value\":null,\"server\":true}]}");
    check("tag.lifecycle = \"new\" or any(holdings where code = \"1\")", CAIRN__RULE_UNKNOWN,
          "{\"text\":\"tag.lifecycle = \\\"new\\\" or any(holdings where code = \\\"1\\\")\","
          "\"answer\":\"unknown\",\"parts\":["
          "{\"text\":\"tag.lifecycle = \\\"new\\\"\",\"answer\":\"false\",\"parts\":["
          "{\"text\":\"tag.lifecycle\",\"type\":\"string\",\"value\":\"churn_risk\","
          "\"server\":true}]},"
          "{\"text\":\"any(holdings where code = \\\"1\\\")\",\"answer\":\"unknown\","
          "\"type\":\"unknown\",\"value\":null,\"server\":true}]}");
    check("1 + days(buy) + count = 7", CAIRN__RULE_TRUE,
          "{\"text\":\"1 + days(buy) + count = 7\",\"answer\":\"true\",\"parts\":["
          "{\"text\":\"1 + days(buy) + count\",\"type\":\"integer\",\"value\":7,\"parts\":["
          "{\"text\":\"days(buy)\",\"type\":\"integer\",\"value\":3},"
          "{\"text\":\"count\",\"type\":\"integer\",\"value\":3}]}]}");
}

/* 1,000 tests: the first 500 parts are told, and how many are not. */
static void long_rules_are_cut(void **state) {
    (void)state;
    static char rule[RULE_BYTES];
    size_t length = 0;
    for (int i = 0; i < 600; i++) {
        length += (size_t)snprintf(rule + length, sizeof rule - length, "%suser.age > %d",
                                   i > 0 ? " and " : "", i);
    }
    cairn__buffer to = cairn__buffer_make(cairn__heap(), CAIRN__RULE_EXPLAIN_BYTES_MAX);
    cairn__rule_answer answer = CAIRN__RULE_TRUE;
    assert_int_equal(explain(cairn__span(rule, length), &someone, &to, &answer), CAIRN_OK);
    assert_int_equal(answer, CAIRN__RULE_FALSE);
    cairn__buffer_byte(&to, 0);
    int parts = 0;
    for (const char *at = (const char *)to.data; (at = strstr(at, "{\"text\":")) != NULL; at++) {
        parts += 1;
    }
    assert_int_equal(parts, CAIRN__RULE_EXPLAIN_PARTS_MAX);
    assert_non_null(strstr((const char *)to.data, "],\"left_out\":350}"));
    assert_non_null(strstr((const char *)to.data, "\xE2\x80\xA6\",\"answer\":\"false\""));
    cairn__buffer_free(&to);
}

/* Any bytes as a fact: UTF-8 comes out, whole characters, no bare quote. */
static void hostile_texts(void **state) {
    (void)state;
    static uint8_t bytes[300];
    for (unsigned round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            static const uint8_t apple[] = { 0xE8, 0x8B, 0xB9 };
            bytes[i] = round == 0 ? (uint8_t)i : round == 1 ? apple[i % 3] : (uint8_t)(i % 32);
        }
        cairn_value one = { .kind = CAIRN_VALUE_STRING,
                            .as.string = cairn__span(bytes, sizeof bytes) };
        const cairn__rule_facts facts = { same_for_all, &one, 0, NULL };
        cairn__buffer to = cairn__buffer_make(cairn__heap(), CAIRN__RULE_EXPLAIN_BYTES_MAX);
        cairn__rule_answer answer = CAIRN__RULE_FALSE;
        assert_int_equal(explain(CAIRN_STR("user.a is set"), &facts, &to, &answer), CAIRN_OK);
        assert_true(cairn__utf8_valid(cairn__buffer_span(&to)));
        for (size_t i = 0; i < to.len; i++) {
            assert_true(to.data[i] >= 0x20);
        }
        cairn__buffer_free(&to);
    }
}

static void times_that_no_calendar_writes(void **state) {
    (void)state;
    cairn_value one = fact_time(INT64_MAX);
    const cairn__rule_facts facts = { same_for_all, &one, 0, NULL };
    cairn__buffer to = cairn__buffer_make(cairn__heap(), CAIRN__RULE_EXPLAIN_BYTES_MAX);
    cairn__rule_answer answer = CAIRN__RULE_FALSE;
    assert_int_equal(explain(CAIRN_STR("user.a is set"), &facts, &to, &answer), CAIRN_OK);
    cairn__buffer_byte(&to, 0);
    assert_non_null(
        strstr((const char *)to.data, "\"type\":\"time\",\"value\":9223372036854775807"));
    cairn__buffer_free(&to);
}

static void no_room_and_wrong_rules(void **state) {
    (void)state;
    cairn__rule_answer answer = CAIRN__RULE_TRUE;
    for (size_t most = 0; most < 90; most++) {
        cairn__buffer to = cairn__buffer_make(cairn__heap(), most);
        assert_int_equal(explain(CAIRN_STR("amount > 18.25"), &someone, &to, &answer),
                         CAIRN_NO_MEMORY);
        cairn__buffer_free(&to);
    }
    cairn__buffer to = cairn__buffer_make(cairn__heap(), 1000);
    assert_int_equal(explain(CAIRN_STR("user.age >"), &someone, &to, &answer), CAIRN_INVALID);
    assert_int_equal(explain(CAIRN_STR("count(a.b) > 1"), &someone, &to, &answer), CAIRN_INVALID);
    assert_int_equal(to.len, 0);
    cairn__rule_fault fault;
    cairn__arena ample = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    const cairn__rule_source plain = { CAIRN_STR("count(a) > 1"), FACTS_SPACES, 0, &ample, &fault };
    assert_int_equal(cairn__rule_explain(&plain, &someone, &to, &answer), CAIRN_UNSUPPORTED);
    assert_int_equal(to.len, 0);
    cairn__arena_free(&ample);
    for (size_t room = 0; room < 200000; room += 1009) {
        cairn__arena arena = cairn__arena_make(cairn__heap(), room);
        const cairn__rule_source source = { CAIRN_STR("user.age > 18"), FACTS_SPACES, 0, &arena,
                                            &fault };
        cairn__buffer_clear(&to);
        cairn_status status = cairn__rule_explain(&source, &someone, &to, &answer);
        assert_true(status == CAIRN_OK || (status == CAIRN_NO_MEMORY && to.len == 0));
        assert_true(status == CAIRN_OK || room < 150000);
        cairn__arena_free(&arena);
    }
    cairn__buffer_free(&to);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions),
        cmocka_unit_test(values),
        cmocka_unit_test(functions_over_the_history),
        cmocka_unit_test(long_rules_are_cut),
        cmocka_unit_test(hostile_texts),
        cmocka_unit_test(times_that_no_calendar_writes),
        cmocka_unit_test(no_room_and_wrong_rules),
    };
    return cmocka_run_group_tests_name("sdk/rules/explain", tests, NULL, NULL);
}
