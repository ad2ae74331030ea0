/* Goal: the compiled program means what the language says, for any rule and any values.
 * Method: random trees of every operator, printed with the fewest brackets; a slow evaluator that
 * walks the tree (oracle.c) must agree, 240,000 times; what is known about unknown facts never
 * changes when they become known; a program loaded from its bytes answers alike. Of every fourth
 * rule each part of the explanation must agree as well, found by its text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/civil.h"
#include "base/hash.h"
#include "oracle.h"
#include "rules/rules.h"
#include "support/cmocka_all.h"

enum { RULES = 60000, PEOPLE = 4, DEPTH = 4 };

typedef struct world {
    uint64_t seed;
    oracle_node nodes[ORACLE_NODES];
    int count;
} world;

static unsigned roll(world *w, unsigned sides) {
    w->seed += 0x9E3779B97F4A7C15u;
    return (unsigned)(cairn__mix(w->seed) >> 33) % sides;
}

/* --- values ---------------------------------------------------------------------------------- */

static const char *const words[] = { "",    "a",          "b",          "ab",    "ba",
                                     "aab", "A",          "Ab",         "aB",    " ab",
                                     "b ",  "2026-11-24", "1996-02-29", "1.0.0", "10.1.2.3" };
static const char *const versions[] = { "1.0.0",    "1.0.0-A.2", "1.0.0-a.10+b", "1.0.0-2",
                                        "1.0.0-10", "1.10.0",    "1.9.0",        "1.0.0-a" };
static const char *const networks[] = { "10.1.2.3", "10.129.0.1", "10.0.0.0/9", "10.0.0.0/8",
                                        "Ff::1",    "ff::/127",   "ff::2/127",  "10.1.2.3/31" };
enum { WORDS = sizeof words / sizeof words[0] };

static int64_t some_whole(world *w) {
    static const int64_t wild[] = {
        INT64_MAX, INT64_MIN, INT64_MAX - 1, 9007199254740992, 9007199254740993, -9007199254740993,
        0,         -1
    };
    return roll(w, 6) == 0 ? wild[roll(w, 8)] : (int64_t)roll(w, 12) - 4;
}

static double some_number(world *w) {
    static const double wild[] = {
        9223372036854775808.0, -9223372036854775808.0, 1e300, -1e300, 9007199254740992.0, 0.1, -0.5,
        0.49999999999999994
    };
    return roll(w, 4) == 0 ? wild[roll(w, 8)] : ((double)roll(w, 40) - 12) / 4;
}

static int64_t some_day(world *w) {
    static const char *const days[] = { "2026-11-24", "2025-02-28", "1996-02-29", "2026-11-23",
                                        "1969-12-31" };
    int64_t day = 0;
    assert_true(cairn__parse_date(cairn__span_of(days[roll(w, 5)]), &day));
    return day;
}

static void some_text(world *w, char *to) {
    (void)snprintf(to, ORACLE_TEXT_BYTES, "%s", words[roll(w, WORDS)]);
}

static oracle_value some_value(world *w, bool known) {
    oracle_value v = { .kind = (oracle_kind)(roll(w, 9)) };
    if (v.kind == ORACLE_DURATION || (known && v.kind == ORACLE_UNKNOWN)) {
        v.kind = ORACLE_WHOLE; /* no fact is a duration */
    }
    v.truth = roll(w, 2) == 0;
    v.whole =
        v.kind == ORACLE_TIME ? some_day(w) * CAIRN__DAY_MS + roll(w, 3) * 1000 : some_whole(w);
    v.number = some_number(w);
    some_text(w, v.text);
    v.items = (int)roll(w, ORACLE_LIST_ITEMS);
    for (int i = 0; i < v.items; i++) {
        (void)snprintf(v.list[i], sizeof v.list[i], "%.7s", words[roll(w, 8)]);
    }
    return v;
}

/* The same for cairn; `items` has room for the list. */
static cairn_value as_cairn(const oracle_value *v, cairn_span *items) {
    switch (v->kind) {
    case ORACLE_TRUTH:
        return (cairn_value){ .kind = CAIRN_VALUE_BOOLEAN, .as.boolean = v->truth };
    case ORACLE_WHOLE:
        return (cairn_value){ .kind = CAIRN_VALUE_INTEGER, .as.integer = v->whole };
    case ORACLE_DOUBLE:
        return (cairn_value){ .kind = CAIRN_VALUE_NUMBER, .as.number = v->number };
    case ORACLE_TEXT:
        return (cairn_value){ .kind = CAIRN_VALUE_STRING, .as.string = cairn__span_of(v->text) };
    case ORACLE_TIME:
        return (cairn_value){ .kind = CAIRN_VALUE_TIME, .as.time_ms = v->whole };
    case ORACLE_LIST:
        for (int i = 0; i < v->items; i++) {
            items[i] = cairn__span_of(v->list[i]);
        }
        return (cairn_value){ .kind = CAIRN_VALUE_LIST, .as.list = { items, (size_t)v->items } };
    case ORACLE_UNKNOWN:
        return (cairn_value){ .kind = (cairn_value_kind)CAIRN__RULE_VALUE_UNKNOWN };
    case ORACLE_NULL:
    case ORACLE_DURATION:
        break;
    }
    return (cairn_value){ .kind = CAIRN_VALUE_NULL };
}

/* --- trees ----------------------------------------------------------------------------------- */

static oracle_node *some_condition(world *w, int depth);
static oracle_node *some_of(world *w, oracle_kind kind, int depth);

static oracle_node *make(world *w, oracle_op op) {
    assert_true(w->count < ORACLE_NODES);
    oracle_node *n = &w->nodes[w->count++];
    *n = (oracle_node){ .op = op };
    return n;
}

static oracle_node *slot(world *w) {
    oracle_node *n = make(w, ORACLE_SLOT);
    n->slot = (int)roll(w, ORACLE_SLOTS);
    return n;
}

static void add(oracle_node *n, oracle_node *child) {
    n->child[n->count++] = child;
}

static void constant_number(world *w, oracle_node *n) {
    if (roll(w, 2) == 0) {
        n->constant = (oracle_value){ .kind = ORACLE_WHOLE, .whole = some_whole(w) };
        if (n->constant.whole == INT64_MIN) {
            n->constant.whole += 1; /* -9223372036854775808 is minus a number that is too large */
        }
        (void)snprintf(n->literal, sizeof n->literal, "%lld", (long long)n->constant.whole);
        return;
    }
    (void)snprintf(n->literal, sizeof n->literal, "%s%u.%u%s", roll(w, 3) == 0 ? "-" : "",
                   roll(w, 20), roll(w, 100), roll(w, 8) == 0 ? "e-3" : "");
    n->constant = (oracle_value){ .kind = ORACLE_DOUBLE, .number = strtod(n->literal, NULL) };
}

static void constant_duration(world *w, oracle_node *n) {
    static const char *const units[] = { "second", "minutes", "hours", "day", "weeks", "months" };
    static const int64_t ms[] = { 1000, 60000, 3600000, 86400000, 604800000, 2592000000 };
    unsigned unit = roll(w, 6);
    unsigned count = roll(w, 40);
    n->constant = (oracle_value){ .kind = ORACLE_DURATION, .whole = count * ms[unit] };
    (void)snprintf(n->literal, sizeof n->literal, "%u %s", count, units[unit]);
}

static void constant_time(world *w, oracle_node *n) {
    char text[CAIRN__INSTANT_TEXT_BYTES];
    int64_t day = some_day(w);
    n->constant = (oracle_value){ .kind = ORACLE_TIME, .whole = day * CAIRN__DAY_MS };
    if (roll(w, 2) == 0) {
        n->constant.whole += 1500;
        (void)cairn__format_instant(n->constant.whole, text);
    } else {
        (void)cairn__format_date(day, text);
    }
    (void)snprintf(n->literal, sizeof n->literal, "%s", text);
}

static oracle_node *constant(world *w, oracle_kind kind) {
    oracle_node *n = make(w, ORACLE_CONSTANT);
    n->constant.kind = kind;
    if (kind == ORACLE_TEXT) {
        const char *word = words[roll(w, WORDS)];
        (void)snprintf(n->constant.text, sizeof n->constant.text, "%s", word);
        (void)snprintf(n->literal, sizeof n->literal, "\"%s\"", word);
    } else if (kind == ORACLE_TRUTH) {
        n->constant.truth = roll(w, 2) == 0;
        (void)snprintf(n->literal, sizeof n->literal, "%s", n->constant.truth ? "true" : "false");
    } else if (kind == ORACLE_DURATION) {
        constant_duration(w, n);
    } else if (kind == ORACLE_TIME) {
        constant_time(w, n);
    } else {
        constant_number(w, n);
    }
    return n;
}

static oracle_node *one_of(world *w, const char *const *texts, unsigned count) {
    oracle_node *n = make(w, ORACLE_CONSTANT);
    const char *text = texts[roll(w, count)];
    n->constant.kind = ORACLE_TEXT;
    (void)snprintf(n->constant.text, sizeof n->constant.text, "%s", text);
    (void)snprintf(n->literal, sizeof n->literal, "\"%s\"", text);
    return n;
}

/* Mostly of texts that mean something to the function. */
static oracle_node *two_texts(world *w, int which, int depth) {
    oracle_node *n = make(w, ORACLE_CALL);
    n->which = which;
    for (int i = 0; i < 2; i++) {
        add(n, roll(w, 4) == 0                   ? some_of(w, ORACLE_TEXT, depth - 1)
               : which == ORACLE_VERSION_COMPARE ? one_of(w, versions, 8)
                                                 : one_of(w, networks, 8));
    }
    return n;
}

static oracle_node *call(world *w, int which, oracle_kind kind, int depth) {
    oracle_node *n = make(w, ORACLE_CALL);
    n->which = which;
    add(n, some_of(w, kind, depth - 1));
    if (strcmp(oracle_functions[which], "substring") == 0) {
        add(n, some_of(w, ORACLE_WHOLE, depth - 1));
        if (roll(w, 2) == 0) {
            add(n, some_of(w, ORACLE_WHOLE, depth - 1));
        }
    } else if (strcmp(oracle_functions[which], "coalesce") == 0) {
        add(n, some_of(w, kind, depth - 1));
    }
    return n;
}

static oracle_node *arithmetic(world *w, int which, oracle_node *left, oracle_node *right) {
    oracle_node *n = make(w, ORACLE_ARITHMETIC);
    n->which = which;
    add(n, left);
    add(n, right);
    return n;
}

static oracle_node *negation(world *w, oracle_kind kind, int depth) {
    oracle_node *n = make(w, ORACLE_NEGATE);
    add(n, some_of(w, kind, depth - 1));
    return n;
}

static oracle_node *some_numeric(world *w, int depth) {
    switch (roll(w, 9)) {
    case 8:
        return two_texts(w, ORACLE_VERSION_COMPARE, depth);
    case 0:
        return negation(w, ORACLE_WHOLE, depth);
    case 1:
        return call(w, 5 + (int)roll(w, 4), ORACLE_WHOLE, depth); /* abs, round, floor, ceil */
    case 2:
        return call(w, 3, ORACLE_TEXT, depth); /* length */
    case 3:
        return call(w, 9 + (int)roll(w, 6), ORACLE_TIME, depth); /* year .. minute */
    case 4:
        return arithmetic(w, 3, some_of(w, ORACLE_DURATION, depth - 1),
                          some_of(w, ORACLE_DURATION, depth - 1));
    default:
        return arithmetic(w, (int)roll(w, 5), some_of(w, ORACLE_WHOLE, depth - 1),
                          some_of(w, ORACLE_WHOLE, depth - 1));
    }
}

static oracle_node *some_duration(world *w, int depth) {
    switch (roll(w, 5)) {
    case 0:
        return negation(w, ORACLE_DURATION, depth);
    case 1:
        return arithmetic(w, 1, some_of(w, ORACLE_TIME, depth - 1),
                          some_of(w, ORACLE_TIME, depth - 1));
    case 2:
        return arithmetic(w, 2 + (int)roll(w, 2), some_of(w, ORACLE_DURATION, depth - 1),
                          some_of(w, ORACLE_WHOLE, depth - 1));
    case 3:
        return call(w, 5, ORACLE_DURATION, depth);
    default:
        return arithmetic(w, (int)roll(w, 2), some_of(w, ORACLE_DURATION, depth - 1),
                          some_of(w, ORACLE_DURATION, depth - 1));
    }
}

static oracle_node *some_time(world *w, int depth) {
    if (roll(w, 3) == 0) {
        return make(w, ORACLE_NOW);
    }
    if (roll(w, 2) == 0) {
        return arithmetic(w, 0, some_of(w, ORACLE_DURATION, depth - 1),
                          some_of(w, ORACLE_TIME, depth - 1));
    }
    return arithmetic(w, (int)roll(w, 2), some_of(w, ORACLE_TIME, depth - 1),
                      some_of(w, ORACLE_DURATION, depth - 1));
}

/* A value that the checker takes where this kind is wanted. */
static oracle_node *some_of(world *w, oracle_kind kind, int depth) {
    unsigned which = depth <= 0 ? roll(w, 2) : roll(w, 6);
    if (which == 0) {
        return constant(w, kind);
    }
    if (which == 1) {
        return slot(w);
    }
    if (which == 2) {
        return call(w, 15, kind, depth); /* coalesce */
    }
    if (kind == ORACLE_TEXT) {
        int text[] = { 0, 1, 2, 4 };
        return call(w, text[roll(w, 4)], ORACLE_TEXT, depth);
    }
    if (kind == ORACLE_DURATION) {
        return some_duration(w, depth);
    }
    if (kind == ORACLE_TRUTH) {
        return some_condition(w, depth - 1);
    }
    return kind == ORACLE_TIME ? some_time(w, depth) : some_numeric(w, depth);
}

static oracle_kind some_kind(world *w) {
    static const oracle_kind kinds[] = { ORACLE_WHOLE, ORACLE_TEXT, ORACLE_TIME, ORACLE_DURATION,
                                         ORACLE_WHOLE };
    return kinds[roll(w, 5)];
}

static oracle_node *with(world *w, oracle_op op, int which, oracle_node *left, oracle_node *right) {
    oracle_node *n = make(w, op);
    n->which = which;
    add(n, left);
    if (right != NULL) {
        add(n, right);
    }
    return n;
}

static oracle_node *some_compare(world *w, int depth) {
    bool truths = roll(w, 8) == 0;
    oracle_kind kind = truths ? ORACLE_TRUTH : some_kind(w);
    return with(w, ORACLE_COMPARE, (int)roll(w, truths ? 2 : 6), some_of(w, kind, depth),
                some_of(w, kind, depth));
}

static oracle_node *some_list(world *w, int depth) {
    static const oracle_kind kinds[] = { ORACLE_WHOLE, ORACLE_TEXT, ORACLE_TRUTH };
    oracle_node *n = with(w, ORACLE_IN, (int)roll(w, 2), slot(w), NULL);
    for (unsigned items = roll(w, 4); items > 0; items--) {
        add(n, constant(w, kinds[roll(w, 3)]));
    }
    if (roll(w, 4) == 0) {
        n->child[0] = call(w, (int)roll(w, 2), ORACLE_TEXT, depth);
        for (int i = 1; i < n->count; i++) {
            n->child[i] = constant(w, ORACLE_TEXT);
        }
    }
    return n;
}

static oracle_node *some_between(world *w, int depth) {
    oracle_kind kind = some_kind(w);
    oracle_node *n = with(w, ORACLE_BETWEEN, 0, some_of(w, kind, depth), some_of(w, kind, depth));
    add(n, some_of(w, kind, depth));
    return n;
}

static oracle_node *some_test(world *w, int depth) {
    switch (roll(w, 10)) {
    case 0:
        return some_list(w, depth);
    case 1:
        return some_between(w, depth);
    case 2:
        return with(w, ORACLE_PART, (int)roll(w, 3), some_of(w, ORACLE_TEXT, depth),
                    some_of(w, ORACLE_TEXT, depth));
    case 3:
        return with(w, ORACLE_IS_SET, (int)roll(w, 2), some_of(w, some_kind(w), depth), NULL);
    case 4:
        return with(w, ORACLE_IS_TODAY, (int)roll(w, 2),
                    some_of(w, roll(w, 2) == 0 ? ORACLE_TIME : ORACLE_TEXT, depth), NULL);
    case 5:
        return with(w, ORACLE_IN_LIST, (int)roll(w, 2), some_of(w, ORACLE_TEXT, depth), slot(w));
    case 6:
        return roll(w, 2) == 0 ? slot(w) : constant(w, ORACLE_TRUTH);
    default:
        return some_compare(w, depth);
    }
}

static oracle_node *some_condition(world *w, int depth) {
    unsigned which = depth <= 0 ? 3 : roll(w, 6);
    if (which == 0) {
        return with(w, ORACLE_NOT, 0, some_condition(w, depth - 1), NULL);
    }
    if (which > 2) {
        return roll(w, 16) == 0 ? two_texts(w, ORACLE_IN_NETWORK, depth) : some_test(w, depth - 2);
    }
    return with(w, which == 1 ? ORACLE_AND : ORACLE_OR, 0, some_condition(w, depth - 1),
                some_condition(w, depth - 1));
}

/* --- comparing ------------------------------------------------------------------------------- */

static const int64_t now_ms = 1795514400000; /* 2026-11-24T10:00:00Z */

static cairn__rule_answer answer_of(const cairn__rule *rule, const oracle_value *facts) {
    cairn_span items[ORACLE_SLOTS][ORACLE_LIST_ITEMS];
    cairn_value values[ORACLE_SLOTS];
    for (size_t i = 0; i < rule->slot_count; i++) {
        int number = rule->slots[i].name.data[1] - '0';
        values[i] = as_cairn(&facts[number], items[i]);
    }
    return cairn__rule_evaluate(rule, values, now_ms, NULL);
}

static cairn__rule_answer as_answer(const oracle_value *v) {
    if (v->kind == ORACLE_UNKNOWN) {
        return CAIRN__RULE_UNKNOWN;
    }
    return v->kind == ORACLE_TRUTH && v->truth ? CAIRN__RULE_TRUE : CAIRN__RULE_FALSE;
}

static void check_people(world *w, const oracle_node *tree, const cairn__rule *rule,
                         const char *text) {
    for (int person = 0; person < PEOPLE; person++) {
        oracle_value facts[ORACLE_SLOTS];
        for (int i = 0; i < ORACLE_SLOTS; i++) {
            facts[i] = some_value(w, false);
        }
        oracle_value want = oracle_evaluate(tree, facts, now_ms);
        cairn__rule_answer got = answer_of(rule, facts);
        if (got != as_answer(&want)) {
            fail_msg("%s: got %d, the oracle says %d", text, got, as_answer(&want));
        }
        for (int i = 0; i < ORACLE_SLOTS; i++) {
            facts[i] = facts[i].kind == ORACLE_UNKNOWN ? some_value(w, true) : facts[i];
        }
        if (got != CAIRN__RULE_UNKNOWN && answer_of(rule, facts) != got) {
            fail_msg("%s: more knowledge changed the answer", text);
        }
    }
}

static void random_rules_agree_with_the_oracle(void **state) {
    (void)state;
    static world w;
    static char text[ORACLE_RULE_BYTES];
    w.seed = 20261124;
    long decided[3] = { 0 };
    cairn__arena arena = cairn__arena_make(cairn__heap(), 1 << 26);
    for (int i = 0; i < RULES; i++) {
        cairn__rule rule;
        cairn__rule loaded;
        cairn__rule_fault fault;
        w.count = 0;
        const oracle_node *tree = some_condition(&w, DEPTH);
        size_t length = oracle_print(tree, text);
        const cairn__rule_source source = { cairn__span(text, length), CAIRN__RULE_USER, 0, &arena,
                                            &fault };
        cairn_status status = cairn__rule_compile(&source, &rule);
        if (status != CAIRN_OK) {
            fail_msg("%s: %u: %s", text, fault.column, fault.text);
        }
        cairn_span program = cairn__span(rule.program, rule.program_bytes);
        assert_int_equal(cairn__rule_load(program, &arena, &loaded), CAIRN_OK);
        check_people(&w, tree, i % 2 == 0 ? &rule : &loaded, text);
        oracle_value facts[ORACLE_SLOTS];
        for (int s = 0; s < ORACLE_SLOTS; s++) {
            facts[s] = some_value(&w, false);
        }
        decided[answer_of(&rule, facts)] += 1;
        cairn__arena_reset(&arena);
    }
    /* the rules are no foregone conclusions */
    assert_true(decided[0] > RULES / 10 && decided[1] > RULES / 10 && decided[2] > RULES / 50);
    cairn__arena_free(&arena);
}

/* --- explanations ---------------------------------------------------------------------------- */

typedef struct told {
    const oracle_value *facts;
    const char *json;
    long compared; /* parts that were found and agreed */
} told;

/* The text in quotes, as JSON. */
static void quote(const char *text, char *to) {
    *to++ = '"';
    for (; *text != '\0'; text++) {
        if (*text == '"') {
            *to++ = '\\';
        }
        *to++ = *text;
    }
    (void)snprintf(to, 2, "\"");
}

static bool begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

static void list_as_json(const oracle_value *v, char *to, size_t room) {
    size_t at = (size_t)snprintf(to, room, "\"list\",\"value\":[");
    for (int i = 0; i < v->items; i++) {
        at += (size_t)snprintf(to + at, room - at, "%s\"%s\"", i > 0 ? "," : "", v->list[i]);
    }
    (void)snprintf(to + at, room - at, "]");
}

/* `at` stands after "type": . */
static bool same_value(const oracle_value *v, const char *at) {
    static const char *const kinds[] = { "unknown", "null", "boolean",     "integer", "number",
                                         "string",  "time", "duration_ms", "list" };
    char want[256];
    char iso[CAIRN__INSTANT_TEXT_BYTES];
    bool calendar = v->kind == ORACLE_TIME && v->whole >= INT64_C(-62167219200000) &&
                    v->whole < INT64_C(253402300800000);
    int head = snprintf(want, sizeof want, "\"%s\",\"value\":", kinds[v->kind]);
    char *rest = want + head;
    size_t room = sizeof want - (size_t)head;
    if (v->kind == ORACLE_DOUBLE) {
        return begins(at, want) && strtod(at + head, NULL) == v->number;
    }
    if (v->kind == ORACLE_LIST) {
        list_as_json(v, want, sizeof want);
    } else if (v->kind == ORACLE_TEXT) {
        (void)snprintf(rest, room, "\"%s\"", v->text);
    } else if (calendar) {
        (void)cairn__format_instant(v->whole, iso);
        (void)snprintf(rest, room, "\"%s\"", iso);
    } else if (v->kind == ORACLE_UNKNOWN || v->kind == ORACLE_NULL) {
        (void)snprintf(rest, room, "null");
    } else if (v->kind == ORACLE_TRUTH) {
        (void)snprintf(rest, room, "%s", v->truth ? "true" : "false");
    } else {
        (void)snprintf(rest, room, "%lld", (long long)v->whole);
    }
    size_t length = strlen(want);
    return begins(at, want) && strchr(",}", at[length]) != NULL;
}

/* Does the part, whose text ends at `at`, say this? */
static bool says(const oracle_value *v, const char *at) {
    static const char *const answers[] = { "\"false\"", "\"true\"", "\"unknown\"" };
    if (begins(at, ",\"answer\":")) {
        const char *answer = answers[as_answer(v)];
        at += strlen(",\"answer\":");
        if (!begins(at, answer)) {
            return false;
        }
        at += strlen(answer);
    } else if (!begins(at, ",\"type\":")) {
        return false;
    }
    return !begins(at, ",\"type\":") || same_value(v, at + strlen(",\"type\":"));
}

/* Not a part of its own: a constant, and what is joined with the chain around it. */
static bool is_folded(const oracle_node *of, const oracle_node *parent, int number) {
    const oracle_node *base = of;
    while (base->op == ORACLE_NEGATE) {
        base = base->child[0];
    }
    if (base->op == ORACLE_CONSTANT) {
        return of->op == ORACLE_CONSTANT || base->constant.kind != ORACLE_DURATION;
    }
    bool chain = of->op == ORACLE_AND || of->op == ORACLE_OR ||
                 (of->op == ORACLE_ARITHMETIC && parent != NULL && parent->op == of->op &&
                  (of->which < 2) == (parent->which < 2));
    return chain && parent != NULL && parent->op == of->op && number == 0;
}

static void check_part(told *t, const oracle_node *of, const oracle_node *parent, int number) {
    static char text[ORACLE_RULE_BYTES];
    static char quoted[2 * ORACLE_RULE_BYTES];
    size_t length = oracle_print(of, text);
    if (length <= CAIRN__RULE_EXPLAIN_TEXT_BYTES_MAX && !is_folded(of, parent, number)) {
        quote(text, quoted);
        oracle_value want = oracle_evaluate(of, t->facts, now_ms);
        const char *at = strstr(t->json, quoted);
        while (at != NULL && !begins(at - strlen("{\"text\":"), "{\"text\":")) {
            at = strstr(at + 1, quoted);
        }
        if (at == NULL || !says(&want, at + strlen(quoted))) {
            fail_msg("%s: %s in %s", text, at == NULL ? "not told" : "told wrong", t->json);
        }
        t->compared += 1;
    }
    for (int i = 0; i < of->count; i++) {
        check_part(t, of->child[i], of, i);
    }
}

static cairn_value fact_of(void *context, const cairn__rule_slot *slot_of) {
    static cairn_span items[ORACLE_SLOTS][ORACLE_LIST_ITEMS];
    const oracle_value *facts = context;
    int number = slot_of->name.data[1] - '0';
    return as_cairn(&facts[number], items[number]);
}

static void random_explanations_agree_with_the_oracle(void **state) {
    (void)state;
    static world w;
    static char text[ORACLE_RULE_BYTES];
    w.seed = 20261125;
    told t = { 0 };
    cairn__arena arena = cairn__arena_make(cairn__heap(), 1 << 26);
    cairn__buffer to = cairn__buffer_make(cairn__heap(), CAIRN__RULE_EXPLAIN_BYTES_MAX);
    for (int i = 0; i < RULES / 4; i++) {
        cairn__rule_fault fault;
        cairn__rule_answer answer;
        oracle_value facts[ORACLE_SLOTS];
        w.count = 0;
        const oracle_node *tree = some_condition(&w, DEPTH);
        size_t length = oracle_print(tree, text);
        for (int s = 0; s < ORACLE_SLOTS; s++) {
            facts[s] = some_value(&w, false);
        }
        const cairn__rule_source source = { cairn__span(text, length), CAIRN__RULE_USER, 0, &arena,
                                            &fault };
        const cairn__rule_facts person = { fact_of, facts, now_ms, NULL };
        cairn__rule rule;
        cairn__buffer_clear(&to);
        assert_int_equal(cairn__rule_explain(&source, &person, &to, &answer), CAIRN_OK);
        assert_int_equal(cairn__rule_compile(&source, &rule), CAIRN_OK);
        assert_int_equal(answer, answer_of(&rule, facts));
        cairn__buffer_byte(&to, 0);
        t.facts = facts;
        t.json = (const char *)to.data;
        check_part(&t, tree, NULL, 0);
        cairn__arena_reset(&arena);
    }
    assert_true(t.compared > RULES); /* on average, more than four parts of each */
    cairn__buffer_free(&to);
    cairn__arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_rules_agree_with_the_oracle),
        cmocka_unit_test(random_explanations_agree_with_the_oracle),
    };
    return cmocka_run_group_tests_name("sdk/rules/oracle", tests, NULL, NULL);
}
