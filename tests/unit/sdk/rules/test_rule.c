/* Goal: what docs/RULES.md promises, rule by rule. Method: a table of rules about one person
 * (facts.h), and for each whether it is true, false or unknown. */
#include <string.h>

#include "facts.h"
#include "support/cmocka_all.h"

typedef struct rule_case {
    const char *rule;
    cairn__rule_answer answer;
} rule_case;

#define NO CAIRN__RULE_FALSE
#define YES CAIRN__RULE_TRUE
#define UNKNOWN CAIRN__RULE_UNKNOWN

static cairn_status compile(const char *text, unsigned bare, cairn__arena *arena, cairn__rule *rule,
                            cairn__rule_fault *fault) {
    const cairn__rule_source source = { cairn__span_of(text), FACTS_SPACES, bare, arena, fault };
    return cairn__rule_compile(&source, rule);
}

static void check_cases(const rule_case *cases, size_t count) {
    cairn__arena arena = cairn__arena_make(cairn__heap(), 1 << 24);
    for (size_t i = 0; i < count; i++) {
        cairn__rule rule;
        cairn__rule_fault fault;
        cairn_status status = compile(cases[i].rule, CAIRN__RULE_EVENT, &arena, &rule, &fault);
        if (status != CAIRN_OK) {
            fail_msg("%s: %s at %u: %s", cases[i].rule, cairn_status_name(status), fault.column,
                     fault.text);
        }
        cairn__rule_answer answer = facts_answer(&rule, NULL);
        if (answer != cases[i].answer) {
            fail_msg("%s: got %d, want %d", cases[i].rule, answer, cases[i].answer);
        }
        cairn__arena_reset(&arena);
    }
    cairn__arena_free(&arena);
}

#define CHECK(cases) check_cases(cases, sizeof cases / sizeof cases[0])

static void comparing(void **state) {
    (void)state;
    static const rule_case cases[] = {
        { "event.amount > 100 and event.channel = \"web\"", YES },
        { "amount > 100", YES },
        { "amount > 120.5", NO },
        { "amount >= 120.5", YES },
        { "amount < 120.5", NO },
        { "amount <= 120.5", YES },
        { "100 < amount", YES },
        { "121 <= amount", NO },
        { "121 >= amount", YES },
        { "user.age = 30", YES },
        { "user.age = 30.0", YES },
        { "user.age = 30.5", NO },
        { "user.age < 30.5", YES },
        { "user.age != 31", YES },
        { "user.big = 9223372036854775807", YES },
        { "user.big < user.huge", YES },
        { "user.big = user.huge", NO },
        { "user.huge > user.big", YES },
        { "user.small < 0.5", YES },
        { "user.small <= -9223372036854775807", YES },
        { "user.city = \"Beijing\"", YES },
        { "user.city = \"beijing\"", NO },
        { "user.city < \"Shanghai\"", YES },
        { "\"B\" <= user.city", YES },
        { "user.vip = true", YES },
        { "user.vip != false", YES },
        { "user.since = 2026-11-24", YES },
        { "user.since = 2026-11-24T00:00:00Z", YES },
        { "user.since = 2026-11-24T08:00:00+08:00", YES },
        { "user.since < now", YES },
        { "tag.lifecycle = \"churn_risk\"", YES },
        { "`商品 名` = \"\\u82f9果手机\"", YES },
        { "event.path.to = \"/Shop/Cart?id=7\"", YES },
        { "event.and = 1", YES },
        { "EVENT.amount > 1 AND NOT user.banned", YES },
        { "user.colours = user.colours", YES },
        { "user.colours != user.colours", NO },
    };
    CHECK(cases);
}

static void other_types_and_null(void **state) {
    (void)state;
    static const rule_case cases[] = {
        { "user.age = \"30\"", NO },
        { "user.age != \"30\"", YES }, /* it is set, and it differs */
        { "user.city > 5", NO },
        { "user.city < 5", NO },
        { "user.since > 5", NO },
        { "user.vip > user.banned", NO },
        { "user.colours < user.colours", NO },
        { "user.none = 1", NO },
        { "user.none != 1", NO },
        { "not user.none = 1", YES },
        { "user.none < 1", NO },
        { "user.none = user.none", NO },
        { "user.none is set", NO },
        { "user.none is not set", YES },
        { "user.age is set", YES },
        { "user.blank is set", YES },
        { "user.odd is set", NO },
        { "user.nan is set", NO },
        { "user.none", NO },
        { "not user.none", YES },
        { "user.age or user.vip", YES },
        { "user.age", NO },
        { "user.vip", YES },
        { "not user.age", YES },
        { "null is not set", YES },
        { "user.none in [1]", NO },
        { "user.none not in [1]", NO },
        { "user.none contains \"a\"", NO },
        { "user.none between 1 and 2", NO },
        { "user.none + 1 = 1", NO },
        { "(user.none + 1) is not set", YES },
    };
    CHECK(cases);
}

static void unknown_facts(void **state) {
    (void)state;
    static const rule_case cases[] = {
        { "user.hidden", UNKNOWN },
        { "user.hidden = 1", UNKNOWN },
        { "user.hidden != 1", UNKNOWN },
        { "not user.hidden = 1", UNKNOWN },
        { "user.hidden = user.none", NO },
        { "user.hidden is set", UNKNOWN },
        { "user.hidden is not set", UNKNOWN },
        { "user.hidden and user.banned", NO },
        { "user.banned and user.hidden", NO },
        { "user.hidden and user.vip", UNKNOWN },
        { "user.vip and user.hidden", UNKNOWN },
        { "user.hidden or user.vip", YES },
        { "user.vip or user.hidden", YES },
        { "user.hidden or user.banned", UNKNOWN },
        { "user.hidden and user.age", NO },
        { "user.hidden in [1, 2]", UNKNOWN },
        { "user.hidden not in [1, 2]", UNKNOWN },
        { "\"a\" in user.hidden", UNKNOWN },
        { "user.age between user.hidden and 20", NO },
        { "user.age between user.hidden and 40", UNKNOWN },
        { "user.hidden contains \"a\"", UNKNOWN },
        { "user.hidden matches \"a\"", UNKNOWN },
        { "user.hidden is today", UNKNOWN },
        { "user.hidden + 1 > 0", UNKNOWN },
        { "lower(user.hidden) = \"a\"", UNKNOWN },
        { "coalesce(user.hidden, 1) = 1", UNKNOWN },
        { "coalesce(user.age, user.hidden) = 30", YES },
        { "-user.hidden = 1", UNKNOWN },
    };
    CHECK(cases);
}

static void logic(void **state) {
    (void)state;
    static const rule_case cases[] = {
        { "true", YES },
        { "false", NO },
        { "not false", YES },
        { "not not true", YES },
        { "true or false and false", YES },
        { "(true or false) and false", NO },
        { "not true or true", YES },
        { "not (true or true)", NO },
        { "true and true and true and false", NO },
        { "false or false or true or false", YES },
        { "(user.age > 18) = true", YES },
        { "(user.age > 18) = user.banned", NO },
    };
    CHECK(cases);
}

static void lists_and_ranges(void **state) {
    (void)state;
    static const rule_case cases[] = {
        { "user.city in [\"Beijing\", \"Shanghai\"]", YES },
        { "user.city in [\"Shanghai\", \"Aachen\", \"Beijing\", \"Aachen\"]", YES },
        { "user.city not in [\"Shanghai\"]", YES },
        { "user.city in []", NO },
        { "user.city not in []", YES },
        { "user.age in [1, 30.0, 5]", YES },
        { "user.age in [-30, 2.5, \"30\", true]", NO },
        { "user.score in [-30, 2.5, \"30\", true]", YES },
        { "user.vip in [1, true]", YES },
        { "user.since in [2026-11-24T00:00:00Z]", YES },
        { "user.colours in [\"red\"]", NO },
        { "lower(user.city) in [\"a\", \"beijing\", \"c\"]", YES },
        { "\"red\" in user.colours", YES },
        { "\"blue\" not in user.colours", YES },
        { "\"red\" in user.city", NO },
        { "user.colours contains \"green\"", YES },
        { "user.colours contains lower(\"GREEN\")", YES },
        { "user.colours contains \"gre\"", NO },
        { "upper(user.colours) contains \"GREEN\" and \"RED\" in upper(user.colours)", YES },
        { "upper(user.colours) contains \"green\"", NO },
        { "lower(upper(user.colours)) = user.colours", YES },
        { "upper(user.colours) = user.colours", NO },
        { "user.age between 30 and 30", YES },
        { "user.age between 31 and 29", NO },
        { "user.age between 18 and 40 and user.vip", YES },
        { "user.city between \"A\" and \"C\"", YES },
        { "user.since between 2026-11-24 and 2026-11-25", YES },
        { "not user.age in [30]", NO },
    };
    CHECK(cases);
}

static void texts(void **state) {
    (void)state;
    static const rule_case cases[] = {
        { "user.city contains \"jin\"", YES },
        { "user.city contains \"\"", YES },
        { "user.city contains \"Beijing!\"", NO },
        { "user.city starts with \"Bei\"", YES },
        { "user.city starts with \"ei\"", NO },
        { "user.city ends with \"ing\"", YES },
        { "user.city ends with \"in\"", NO },
        { "user.age contains \"3\"", NO },
        { "upper(user.city) contains \"JIN\"", YES },
        { "lower(event.path.to) starts with \"/shop\"", YES },
        { "lower(user.city) = lower(\"BEIJING\")", YES },
        { "upper(lower(user.city)) = \"BEIJING\"", YES },
        { "lower(user.city) < \"c\"", YES },
        { "trim(user.padded) = \"Ab\"", YES },
        { "length(user.city) = 7", YES },
        { "length(`商品 名`) = 4", YES },
        { "length(user.colours) = 2", YES },
        { "length(user.age) is not set", YES },
        { "substring(user.city, 1, 3) = \"Bei\"", YES },
        { "substring(user.city, 4) = \"jing\"", YES },
        { "substring(`商品 名`, 3, 1) = \"手\"", YES },
        { "substring(user.city, 8) = \"\"", YES },
        { "substring(user.city, 0) is not set", YES },
        { "substring(user.city, 1.5) is not set", YES },
        { "version_compare(\"1.10.0\", \"1.9.3\") = 1", YES },
        { "version_compare(\"1.0.0-rc.1\", \"1.0.0\") < 0", YES },
        { "version_compare(\"1.0.0-RC\", \"1.0.0-rc\") = 0", NO },
        { "version_compare(lower(\"1.0.0-RC\"), \"1.0.0-rc\") = 0", YES },
        { "version_compare(\"v1.0.0\", \"1.0.0\") is not set", YES },
        { "version_compare(user.age, \"1.0.0\") is not set", YES },
        { "version_compare(user.hidden, \"1.0.0\") < 0", UNKNOWN },
        { "in_network(\"10.1.2.3\", \"10.0.0.0/8\")", YES },
        { "in_network(\"2001:db8::1\", \"2001:DB8::/32\")", YES },
        { "in_network(\"11.1.2.3\", \"10.0.0.0/8\")", NO },
        { "in_network(user.city, \"10.0.0.0/8\") is not set", YES },
        { "in_network(user.hidden, \"10.0.0.0/8\")", UNKNOWN },
        { "event.path.to matches \"^/Shop/.*id=[0-9]+$\"", YES },
        { "event.path.to matches \"(?i)shop/cart\"", YES },
        { "event.path.to matches \"shop\"", NO },
        { "lower(event.path.to) matches \"shop\"", YES },
        { "user.age matches \"3\"", NO },
    };
    CHECK(cases);
}

static void numbers(void **state) {
    (void)state;
    static const rule_case cases[] = {
        { "user.age + 1 = 31", YES },
        { "1 + 2 * 3 = 7", YES },
        { "(1 + 2) * 3 = 9", YES },
        { "10 - 2 - 3 = 5", YES },
        { "7 / 2 = 3.5", YES },
        { "6 / 2 = 3", YES },
        { "7 % 3 = 1", YES },
        { "-7 % 3 = -1", YES },
        { "7.5 % 2 = 1.5", YES },
        { "user.age / user.zero is not set", YES },
        { "user.age % 0 is not set", YES },
        { "user.score / 0 is not set", YES },
        { "user.age / 0 = 1", NO },
        { "user.big + 1 = user.huge", YES },
        { "user.big - 1 = 9223372036854775806", YES },
        { "user.small / -1 = user.huge", YES },
        { "user.small % -1 = 0", YES },
        { "-user.small = user.huge", YES },
        { "- -user.age = 30", YES },
        { "-user.city is not set", YES },
        { "user.city + 1 is not set", YES },
        { "0.1 + 0.2 != 0.3", YES },
        { "1e3 = 1000", YES },
        { "1.5e-1 = 0.15", YES },
        { "abs(-3) = 3 and abs(user.small) = user.huge", YES },
        { "round(2.5) = 3 and round(-2.5) = -3 and round(2.4) = 2", YES },
        { "round(0.49999999999999) = 0", YES },
        { "floor(-0.5) = -1 and ceil(-0.5) = 0 and floor(7) = 7", YES },
        { "round(1e22) = 1e22", YES },
        { "round(user.city) is not set", YES },
    };
    CHECK(cases);
}

static void times(void **state) {
    (void)state;
    static const rule_case cases[] = {
        { "now - user.old > 30 days", YES },
        { "now - user.old > 32 days", NO },
        { "now - user.old = 31 days", YES },
        { "now - user.old between 4 weeks and 2 months", YES },
        { "user.old + 31 days = now", YES },
        { "31 days + user.old = now", YES },
        { "now - 1 second < now", YES },
        { "1 hour = 60 minutes and 1 minute = 60 seconds and 1 week = 7 days", YES },
        { "2 * 3 days = 6 days and 3 days * 2 = 144 hours", YES },
        { "7 days / 2 = 84 hours and 7 days / 1 day = 7", YES },
        { "25 hours % 1 day = 1 hour", YES },
        { "-1 day < 1 hour and abs(-1 day) = 24 hours", YES },
        { "(now + user.age) is not set", YES },
        { "(user.old + user.old) is not set", YES },
        { "now - user.old = user.age", NO },
        { "user.since is today", YES },
        { "user.old is today", NO },
        { "user.born is today", NO },
        { "user.born is today every year", YES },
        { "user.city is today", NO },
        { "user.age is today", NO },
        { "year(now) = 2026 and month(now) = 11 and day(now) = 24", YES },
        { "hour(now) = 10 and minute(now) = 0 and weekday(now) = 2", YES },
        { "year(user.born) = 1990 and weekday(user.born) = 6", YES },
        { "hour(user.age) is not set and year(user.city) is not set", YES },
        { "user.since >= 2026-11-24 and user.since < 2026-11-25", YES },
        { "now + 300000000000 * 1 day is not set", YES },
    };
    CHECK(cases);
}

static void calendar_days_follow_the_zone(void **state) {
    (void)state;
    /* New York: five hours behind; the footer alone is a whole zone */
    static const uint8_t file[] = "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4"
                                  "\0\0\0\0\0\0EST"
                                  "\0TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4"
                                  "\0\0\0\0\0\0EST"
                                  "\0\nEST5\n";
    cairn__arena arena = cairn__arena_make(cairn__heap(), 1 << 20);
    const cairn__zone *zone = NULL;
    assert_int_equal(cairn__zone_parse(cairn__span(file, sizeof file - 1), &arena, &zone),
                     CAIRN_OK);
    static const rule_case cases[] = {
        { "user.since is today", NO }, /* the evening before, there */
        { "hour(now) = 5", YES },
        { "day(user.since) = 23", YES },
        { "user.since >= 2026-11-24", NO },
        { "user.since = 2026-11-24T00:00:00Z", YES },
        { "2026-11-24 - 2026-11-24T05:00:00Z = 0 seconds", YES },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cairn__rule rule;
        cairn__rule_fault fault;
        assert_int_equal(compile(cases[i].rule, 0, &arena, &rule, &fault), CAIRN_OK);
        if (facts_answer(&rule, zone) != cases[i].answer) {
            fail_msg("%s", cases[i].rule);
        }
    }
    cairn__arena_free(&arena);
}

static void slots_are_named_once(void **state) {
    (void)state;
    cairn__arena arena = cairn__arena_make(cairn__heap(), 1 << 20);
    cairn__rule rule;
    cairn__rule_fault fault;
    const char *text = "amount > 1 and event.amount < 9 and user.amount = 2 and `amount` != 7";
    assert_int_equal(compile(text, CAIRN__RULE_EVENT, &arena, &rule, &fault), CAIRN_OK);
    assert_int_equal(rule.slot_count, 2);
    assert_int_equal(rule.slots[0].space, CAIRN__RULE_EVENT);
    assert_int_equal(rule.slots[1].space, CAIRN__RULE_USER);
    assert_true(cairn__span_equal(rule.slots[1].name, CAIRN_STR("amount")));
    assert_true(rule.cost > 0 && rule.cost < 20);
    cairn__arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparing),
        cmocka_unit_test(other_types_and_null),
        cmocka_unit_test(unknown_facts),
        cmocka_unit_test(logic),
        cmocka_unit_test(lists_and_ranges),
        cmocka_unit_test(texts),
        cmocka_unit_test(numbers),
        cmocka_unit_test(times),
        cmocka_unit_test(calendar_days_follow_the_zone),
        cmocka_unit_test(slots_are_named_once),
    };
    return cmocka_run_group_tests_name("sdk/rules/rule", tests, NULL, NULL);
}
