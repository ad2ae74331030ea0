/* Goal: what is wrong with a rule is said with its place, what was expected and the word that was
 * probably meant. Method: faults.txt, the sentences themselves; limits one by one; every allocation
 * refused in turn; every rule cut short at every byte. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "support/cmocka_all.h"

enum { LINE_BYTES = 1000, ARENA_BYTES = 1 << 25 };

static cairn_status compile(cairn_span text, unsigned spaces, cairn__arena *arena,
                            cairn__rule_fault *fault) {
    cairn__rule rule;
    unsigned bare = spaces & CAIRN__RULE_EVENT;
    const cairn__rule_source source = { text, spaces | FACTS_SPACES, bare, arena, fault };
    return cairn__rule_compile(&source, &rule);
}

static FILE *open_faults(void) {
    char path[LINE_BYTES];
    const char *root = getenv("CAIRN_ROOT");
    (void)snprintf(path, sizeof path, "%s/tests/unit/sdk/rules/faults.txt",
                   root == NULL ? "." : root);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    return file;
}

static bool next_line(FILE *file, char *line) {
    if (fgets(line, LINE_BYTES, file) == NULL) {
        return false;
    }
    line[strcspn(line, "\n")] = '\0';
    return true;
}

static void sentences_are_what_people_should_read(void **state) {
    (void)state;
    char rule[LINE_BYTES];
    char want[LINE_BYTES];
    char got[LINE_BYTES];
    int count = 0;
    int wrong = 0;
    FILE *file = open_faults();
    while (next_line(file, rule)) {
        if (rule[0] == '#' || rule[0] == '\0' || !next_line(file, want)) {
            continue;
        }
        cairn__rule_fault fault;
        cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
        unsigned spaces = rule[0] == '!'   ? CAIRN__RULE_EVENT
                          : rule[0] == '?' ? CAIRN__RULE_QUERY
                                           : 0;
        cairn_status status =
            compile(cairn__span_of(rule + (spaces != 0 ? 1 : 0)), spaces, &arena, &fault);
        (void)snprintf(got, sizeof got, "    %s %u:%u %s", cairn_status_name(status), fault.line,
                       fault.column, fault.text);
        if (strcmp(got, want) != 0) {
            print_error("%s\n%s\n%s (wanted)\n", rule, got, want);
            wrong += 1;
        }
        count += 1;
        cairn__arena_free(&arena);
    }
    (void)fclose(file);
    assert_int_equal(wrong, 0);
    assert_true(count > 100);
}

static void refused(cairn_span text, const char *part) {
    cairn__rule_fault fault;
    cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    cairn_status status = compile(text, CAIRN__RULE_EVENT | CAIRN__RULE_QUERY, &arena, &fault);
    if (status != CAIRN_INVALID || strstr(fault.text, part) == NULL) {
        fail_msg("%s: %s, not %s", cairn_status_name(status), fault.text, part);
    }
    cairn__arena_free(&arena);
}

static cairn_status status_of(cairn_span text) {
    cairn__rule_fault fault;
    cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    cairn_status status = compile(text, CAIRN__RULE_EVENT | CAIRN__RULE_QUERY, &arena, &fault);
    cairn__arena_free(&arena);
    return status;
}

/* `head`, then `middle` so many times, then `tail`; static memory. */
static cairn_span repeated(const char *head, const char *middle, int count, const char *tail) {
    static char text[1 << 20];
    size_t at = 0;
    for (int i = -1; i <= count; i++) {
        const char *part = i < 0 ? head : i < count ? middle : tail;
        size_t length = strlen(part);
        assert_true(at + length < sizeof text);
        memcpy(text + at, part, length);
        at += length;
    }
    return cairn__span(text, at);
}

/* `head`, the pieces with a number in each, `tail`; static memory. */
static cairn_span numbered(const char *head, const char *piece, int count, const char *tail) {
    static char text[1 << 16];
    size_t at = (size_t)snprintf(text, sizeof text, "%s", head);
    for (int i = 0; i < count; i++) {
        const char *mark = strchr(piece, '#');
        at += (size_t)snprintf(text + at, sizeof text - at, "%.*s%d%s", (int)(mark - piece), piece,
                               i, mark + 1);
    }
    at += (size_t)snprintf(text + at, sizeof text - at, "%s", tail);
    return cairn__span(text, at);
}

static void limits_are_named(void **state) {
    (void)state;
    refused(CAIRN_STR(""), "empty");
    refused(CAIRN_STR(" \n\t"), "empty");
    refused(CAIRN_STR("user.a = \"\xFF\""), "UTF-8");
    refused(CAIRN_STR("user.a = 1 \0 2"), "character");
    refused(repeated("", "x", 70000, ""), "64 KiB");
    refused(repeated("", "(", 65, ""), "64 deep");
    refused(repeated("", "not ", 65, "true"), "64 deep");
    refused(repeated("x = ", "- ", 65, "x"), "64 deep");
    refused(repeated("x", "x", 100, " = 1"), "100 bytes");
    refused(repeated("user.x", ".x", 60, " = 1"), "100 bytes");
    refused(repeated("x = 1", " and x = 1", 3000, ""), "16 KiB");
    refused(repeated("x in [1", ",1", 10000, "]"), "10,000");
    refused(repeated("x matches \"", "a", 1025, "\""), "1,024 bytes");
    refused(repeated("x matches \"[", "a", 600, "]\""), "512 ranges");
    refused(numbered("did(a where x in [-1", ",#", 5000, "])"), "64 KiB");
    refused(numbered("did(a where x = 1", " or y# = 1", 64, ")"), "64 different");
    refused(repeated("sequence(a", ", a", 32, ", within 1 day)"), "32 steps");
    refused(repeated("did((a", " or a", 64, "))"), "64 events");
    assert_int_equal(status_of(numbered("did(a where x = 1", " or y# = 1", 63, ")")), CAIRN_OK);
    assert_int_equal(status_of(repeated("", "not ", 62, "true")), CAIRN_OK);
    assert_int_equal(status_of(repeated("x = 1", " and x = 1", 600, "")), CAIRN_OK);
    assert_int_equal(status_of(repeated("x in [1", ",1", 9999, "]")), CAIRN_OK);
    assert_int_equal(status_of(repeated("x in [1", ",\"ab\"", 9999, "]")), CAIRN_OK);
    assert_int_equal(status_of(repeated("1", " + 1", 1000, " = 1")), CAIRN_OK);
}

static void a_place_is_a_line_and_a_column_of_characters(void **state) {
    (void)state;
    cairn__rule_fault fault;
    cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    cairn__buffer shown = cairn__buffer_make(cairn__heap(), 4096);
    cairn_span text = CAIRN_STR("user.age > 1\r\n and\t`商品` = 商品\nor true");
    assert_int_equal(compile(text, CAIRN__RULE_EVENT, &arena, &fault), CAIRN_INVALID);
    assert_int_equal(fault.line, 2);
    assert_int_equal(fault.column, 13);
    cairn__rule_fault_show(text, &fault, &shown);
    const char *want = " and\t`商品` = 商品\n"
                       "    \t         ^\n"
                       "line 2, column 13: no rule has the character \"商\" here; a name in other "
                       "letters stands in back-quotes\n";
    assert_true(cairn__span_equal(cairn__buffer_span(&shown), cairn__span_of(want)));
    cairn__buffer_free(&shown);
    cairn__arena_free(&arena);
}

static void a_rule_cut_short_is_refused_or_a_rule(void **state) {
    (void)state;
    static const char rule[] =
        "user.vip_level >= 3 and count((a or `b c`) where amount > 1.5e3 and x in [\"\\u82f9\", "
        "true], 2026-01-01..2026-02-01 in user time) >= 2 or not (sequence(a, not b, within 1 "
        "hour) and any(r where k matches \"^(a|b)+[^c]{2,3}$\")) and now - last(a.b) > 30 days";
    cairn__rule_fault fault;
    for (size_t i = 0; i < 2 * sizeof rule; i++) {
        size_t length = i / 2;
        unsigned spaces = CAIRN__RULE_EVENT | (i % 2 == 0 ? CAIRN__RULE_QUERY : 0);
        char *cut = malloc(length + 1); /* so that the sanitizer sees a read past the end */
        assert_non_null(cut);
        memcpy(cut, rule, length);
        cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
        cairn_status status = compile(cairn__span(cut, length), spaces, &arena, &fault);
        assert_true((status == CAIRN_OK) == (fault.text[0] == '\0'));
        cairn__arena_free(&arena);
        free(cut);
    }
}

/* An allocator that refuses the n-th request. */
typedef struct miser {
    cairn_allocator heap;
    long left;
} miser;

static void *miser_resize(void *self, void *at, size_t old_bytes, size_t new_bytes) {
    miser *m = self;
    if (new_bytes > 0 && m->left-- <= 0) {
        return NULL;
    }
    return m->heap.resize(m->heap.self, at, old_bytes, new_bytes);
}

static void every_refused_allocation_is_a_status(void **state) {
    (void)state;
    cairn_span text = repeated("x in [1", ",\"ab\"", 500,
                               "] and user.y matches \"(a|b){2,9}\" or z.a.b = \"\\n\" or "
                               "count((a or b) where y in [1, 2], last 7 days) > 2");
    cairn_status status = CAIRN_NO_MEMORY;
    long allowed = 0;
    for (; status != CAIRN_OK; allowed++) {
        miser m = { cairn__heap(), allowed };
        cairn__rule_fault fault;
        cairn__arena arena = cairn__arena_make((cairn_allocator){ miser_resize, &m }, ARENA_BYTES);
        status = compile(text, CAIRN__RULE_EVENT | CAIRN__RULE_QUERY, &arena, &fault);
        assert_true(status == CAIRN_OK || status == CAIRN_NO_MEMORY);
        assert_true((status == CAIRN_OK) == (fault.text[0] == '\0'));
        cairn__arena_free(&arena);
    }
    assert_true(allowed > 5);
    for (size_t bytes = 0; bytes < 400000; bytes += 997) {
        cairn__rule_fault fault;
        cairn__arena arena = cairn__arena_make(cairn__heap(), bytes);
        status = compile(text, CAIRN__RULE_EVENT | CAIRN__RULE_QUERY, &arena, &fault);
        assert_true(status == CAIRN_OK || status == CAIRN_NO_MEMORY);
        cairn__arena_free(&arena);
    }
    assert_int_equal(status, CAIRN_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences_are_what_people_should_read),
        cmocka_unit_test(limits_are_named),
        cmocka_unit_test(a_place_is_a_line_and_a_column_of_characters),
        cmocka_unit_test(a_rule_cut_short_is_refused_or_a_rule),
        cmocka_unit_test(every_refused_allocation_is_a_status),
    };
    return cmocka_run_group_tests_name("sdk/rules/faults", tests, NULL, NULL);
}
