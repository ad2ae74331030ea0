/* Goal: `matches` finds what the pattern says, in linear time, for any pattern and any text.
 * Method: a table; random patterns against a backtracking matcher written from the definition. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "rules/pattern.h"
#include "support/cmocka_all.h"

static bool found(const char *pattern, cairn_span text, cairn__pattern_fold fold) {
    cairn__arena arena = cairn__arena_make(cairn__heap(), 1 << 20);
    cairn__pattern_fault fault;
    cairn_span program;
    cairn_status status = cairn__pattern_compile(cairn__span_of(pattern), &arena, &program, &fault);
    if (status != CAIRN_OK) {
        fail_msg("%s: character %u: %s", pattern, fault.column, fault.text);
    }
    assert_true(cairn__pattern_check(program));
    bool matches = cairn__pattern_matches(program, text, fold);
    cairn__arena_free(&arena);
    return matches;
}

static const struct {
    const char *pattern, *text;
    bool found;
} cases[] = {
    { "", "", true },
    { "", "abc", true },
    { "b", "abc", true },
    { "^b", "abc", false },
    { "b$", "abc", false },
    { "^abc$", "abc", true },
    { "^$", "", true },
    { "^$", "a", false },
    { "a.c", "abc", true },
    { "a.c", "a\nc", false },
    { "a.c", "a商c", true },
    { "^.$", "商", true },
    { "[品-商]", "品", true },
    { "[^a-z]", "abc", false },
    { "[^a-z]", "abC", true },
    { "[]a]", "]", true },
    { "[a-]", "-", true },
    { "[\\]\\\\]", "\\", true },
    { "\\d+", "abc123", true },
    { "^\\d+$", "12a", false },
    { "^\\D+$", "ab c", true },
    { "\\w\\s\\w", "a b", true },
    { "^[\\w.]+@[\\w.]+$", "some.one@example.org", true },
    { "^[\\S]+$", "a b", false },
    { "\\bcat\\b", "a cat!", true },
    { "\\bcat\\b", "concat", false },
    { "\\Bcat\\b", "concat", true },
    { "^(a|b|cd)+$", "abcdab", true },
    { "^(a|b|cd)+$", "abcab", false },
    { "^(?:ab)?c$", "abc", true },
    { "^(?:ab)?c$", "c", true },
    { "^a{2,3}$", "aa", true },
    { "^a{2,3}$", "aaaa", false },
    { "^a{2}$", "aaa", false },
    { "^a{2,}$", "aaaaa", true },
    { "^a{0}b$", "b", true },
    { "^(a*)*$", "aaaa", true },
    { "^(a*)*b$", "aaaa", false },
    { "^(a|)+$", "aa", true },
    { "x*", "aaa", true },
    { "a+?b", "aab", true },
    { "|a", "zzz", true },
    { "^(|a)$", "a", true },
    { "(?i)AbC", "xaBcx", true },
    { "(?i)[a-c]{3}", "ABC", true },
    { "(?i)[A-C]{3}", "abc", true },
    { "(?i)^[^a]$", "A", false },
    { "\\.\\*\\n", ".*\n", true },
    { "a\\{1\\}", "a{1}", true },
    { "/Shop/.*id=[0-9]+$", "/Shop/Cart?id=7", true },
};

static void what_is_found_and_what_is_not(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool got = found(cases[i].pattern, cairn__span_of(cases[i].text), CAIRN__FOLD_NONE);
        if (got != cases[i].found) {
            fail_msg("%s in %s: %d", cases[i].pattern, cases[i].text, got);
        }
    }
}

static void bytes_that_are_no_text_do_no_harm(void **state) {
    (void)state;
    assert_true(found("^.$", CAIRN_STR("\xFF"), CAIRN__FOLD_NONE));
    assert_true(found("^[^a]b",
                      CAIRN_STR("\xE4"
                                "b"),
                      CAIRN__FOLD_NONE));
    assert_false(found("\xE5\x95\x86", CAIRN_STR("\xE5\x95"), CAIRN__FOLD_NONE));
    assert_true(found("a.b", CAIRN_STR("a\0b"), CAIRN__FOLD_NONE));
    assert_false(found("[a-z]", cairn__span(NULL, 0), CAIRN__FOLD_NONE));
    assert_true(found("abc", CAIRN_STR("ABC"), CAIRN__FOLD_LOWER));
    assert_true(found("ABC", CAIRN_STR("abc"), CAIRN__FOLD_UPPER));
    assert_false(found("ABC", CAIRN_STR("abc"), CAIRN__FOLD_LOWER));
}

static void no_text_makes_it_slow(void **state) {
    (void)state;
    /* exponential for a backtracker; here 32 KiB times at most 512 states */
    static char text[32768];
    memset(text, 'a', sizeof text);
    assert_false(found("^(a+)+(a+)+(a|aa)*b$", cairn__span(text, sizeof text), CAIRN__FOLD_NONE));
    assert_false(found("(a?){100}a{100}c", cairn__span(text, sizeof text), CAIRN__FOLD_NONE));
}

/* --- a backtracking matcher over a tree of its own ------------------------------------------- */

typedef enum { LETTER, ANY_LETTER, CLASS, CHOICE, SEQUENCE, REPEAT, BEGIN, END } tree_kind;

typedef struct tree {
    tree_kind kind;
    char letter;
    int least, most; /* most 9: without end */
    struct tree *left, *right;
} tree;

typedef struct grower {
    uint64_t seed;
    tree nodes[200];
    int count;
} grower;

static unsigned roll(grower *g, unsigned sides) {
    g->seed += 0x9E3779B97F4A7C15u;
    return (unsigned)(cairn__mix(g->seed) >> 33) % sides;
}

static tree *grow(grower *g, int depth) {
    static const tree_kind leaves[] = { LETTER, LETTER, LETTER, ANY_LETTER, CLASS, BEGIN, END };
    tree *t = &g->nodes[g->count++];
    *t = (tree){ .kind = leaves[roll(g, 7)], .letter = (char)('a' + roll(g, 3)) };
    if (depth > 0 && roll(g, 4) > 0) {
        static const tree_kind inner[] = { SEQUENCE, SEQUENCE, CHOICE, REPEAT };
        t->kind = inner[roll(g, 4)];
        t->left = grow(g, depth - 1);
        t->right = t->kind == REPEAT ? NULL : grow(g, depth - 1);
        t->least = (int)roll(g, 3);
        t->most = roll(g, 2) == 0 ? 9 : t->least + (int)roll(g, 3);
    }
    return t;
}

static size_t put(char *to, const char *text) {
    size_t length = strlen(text);
    memcpy(to, text, length + 1);
    return length;
}

static size_t put_letter(char *to, const char *before, char letter, const char *after) {
    char text[2] = { letter, '\0' };
    size_t at = put(to, before);
    at += put(to + at, text);
    return at + put(to + at, after);
}

static size_t print(const tree *t, char *to) {
    size_t at = 0;
    switch (t->kind) {
    case LETTER:
        return put_letter(to, "", t->letter, "");
    case ANY_LETTER:
        return put(to, ".");
    case CLASS: /* every letter but this one */
        return put_letter(to, "[^", t->letter, "]");
    case BEGIN:
        return put(to, "^");
    case END:
        return put(to, "$");
    case SEQUENCE:
        at = print(t->left, to);
        return at + print(t->right, to + at);
    case CHOICE:
        at = put(to, "(");
        at += print(t->left, to + at);
        at += put(to + at, "|");
        at += print(t->right, to + at);
        return at + put(to + at, ")");
    case REPEAT:
        break;
    }
    at = put(to, "(?:");
    at += print(t->left, to + at);
    if (t->most == 9) {
        return at + put(to + at, t->least == 0 ? ")*" : t->least == 1 ? ")+" : "){2,}");
    }
    at += put_letter(to + at, "){", (char)('0' + t->least), ",");
    return at + put_letter(to + at, "", (char)('0' + t->most), "}");
}

enum { TEXT_MAX = 8 };

/* The set of ends (bit i: position i) of all matches of t that begin at `from`. */
static unsigned ends(const tree *t, const char *text, unsigned from);

static unsigned ends_of_all(const tree *t, const char *text, unsigned starts) {
    unsigned result = 0;
    for (unsigned i = 0; i <= TEXT_MAX; i++) {
        result |= (starts >> i & 1) != 0 ? ends(t, text, i) : 0;
    }
    return result;
}

static unsigned ends_of_repeat(const tree *t, const char *text, unsigned from) {
    unsigned now = 1u << from;
    unsigned result = t->least == 0 ? now : 0;
    int most = t->most == 9 ? t->least + TEXT_MAX + 1 : t->most;
    for (int i = 1; i <= most; i++) {
        now = ends_of_all(t->left, text, now);
        result |= i >= t->least ? now : 0;
    }
    return result;
}

static unsigned ends(const tree *t, const char *text, unsigned from) {
    bool inside = from < strlen(text);
    switch (t->kind) {
    case LETTER:
        return inside && text[from] == t->letter ? 2u << from : 0;
    case CLASS:
        return inside && text[from] != t->letter ? 2u << from : 0;
    case ANY_LETTER:
        return inside ? 2u << from : 0;
    case BEGIN:
        return from == 0 ? 1 : 0;
    case END:
        return inside ? 0 : 1u << from;
    case SEQUENCE:
        return ends_of_all(t->right, text, ends(t->left, text, from));
    case CHOICE:
        return ends(t->left, text, from) | ends(t->right, text, from);
    case REPEAT:
        break;
    }
    return ends_of_repeat(t, text, from);
}

static void random_patterns_agree_with_the_definition(void **state) {
    (void)state;
    static grower g;
    static char pattern[4096];
    long yes = 0;
    enum { PATTERNS = 20000 };
    g.seed = 7;
    for (int i = 0; i < PATTERNS; i++) {
        char text[TEXT_MAX + 1] = "";
        g.count = 0;
        const tree *t = grow(&g, 4);
        (void)print(t, pattern);
        unsigned length = roll(&g, TEXT_MAX + 1);
        for (unsigned c = 0; c < length; c++) {
            text[c] = (char)('a' + roll(&g, 3));
        }
        bool want = ends_of_all(t, text, (2u << length) - 1) != 0;
        bool got = found(pattern, cairn__span_of(text), CAIRN__FOLD_NONE);
        if (got != want) {
            fail_msg("%s in \"%s\": got %d", pattern, text, got);
        }
        yes += got ? 1 : 0;
    }
    assert_true(yes > PATTERNS / 10 && yes < PATTERNS * 9 / 10);
}

static void the_largest_pattern(void **state) {
    (void)state;
    cairn__arena arena = cairn__arena_make(cairn__heap(), 1 << 20);
    cairn__pattern_fault fault;
    cairn_span program;
    static const char *const large[] = { "(?:a{100}){6}", "((((a{0}){100}){100}){100}){100}",
                                         "((((()*){100}){100}){100}){100}" };
    for (size_t i = 0; i < sizeof large / sizeof large[0]; i++) {
        assert_int_equal(cairn__pattern_compile(cairn__span_of(large[i]), &arena, &program, &fault),
                         CAIRN_INVALID);
        assert_non_null(strstr(fault.text, "512 states"));
    }
    assert_int_equal(cairn__pattern_compile(CAIRN_STR("(?:a{100}){5}"), &arena, &program, &fault),
                     CAIRN_OK);
    assert_int_equal(cairn__pattern_states(program), 501);
    char deep[200];
    memset(deep, '(', 33);
    assert_int_equal(cairn__pattern_compile(cairn__span(deep, 33), &arena, &program, &fault),
                     CAIRN_INVALID);
    assert_non_null(strstr(fault.text, "32 deep"));
    cairn__arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_found_and_what_is_not),
        cmocka_unit_test(bytes_that_are_no_text_do_no_harm),
        cmocka_unit_test(no_text_makes_it_slow),
        cmocka_unit_test(random_patterns_agree_with_the_definition),
        cmocka_unit_test(the_largest_pattern),
    };
    return cmocka_run_group_tests_name("sdk/rules/pattern", tests, NULL, NULL);
}
