/* Goal: a program is a run of bytes that is the same everywhere, and a damaged one is refused or
 * does no harm. Method: bytes changed one by one, cuts at every length, known bytes. */
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "rules/program.h"
#include "support/cmocka_all.h"

static const char rich[] =
    "event.amount > 100 and (event.channel in [\"web\", \"app\", 3, 2.5, true] or user.age + 1 "
    "between 18 and 40) and not user.city matches \"^[a-c]+(x|y)?$\" and user.since is today and "
    "substring(user.city, 1, 3) starts with \"B\" and user.since >= 2026-01-01 and -user.score < "
    "user.age / 2 and \"red\" in user.colours or user.born is set and now - user.old > 1 hour "
    "or sequence((a or b) where amount > 1 and x in [1, 2], not c, within 1 day) and sum(a.b) > 2";
enum { SPACES = FACTS_SPACES | CAIRN__RULE_QUERY };

typedef struct fixture {
    cairn__arena arena;
    cairn__rule rule;
} fixture;

static int open_rule(void **state) {
    static fixture f;
    cairn__rule_fault fault;
    f.arena = cairn__arena_make(cairn__heap(), 1 << 24);
    const cairn__rule_source source = { cairn__span_of(rich), SPACES, 0, &f.arena, &fault };
    *state = &f;
    return cairn__rule_compile(&source, &f.rule) == CAIRN_OK ? 0 : -1;
}

static int close_rule(void **state) {
    cairn__arena_free(&((fixture *)*state)->arena);
    return 0;
}

static void the_same_text_gives_the_same_bytes(void **state) {
    fixture *f = *state;
    cairn__rule again;
    cairn__rule_fault fault;
    const cairn__rule_source source = { cairn__span_of(rich), SPACES, 0, &f->arena, &fault };
    assert_int_equal(cairn__rule_compile(&source, &again), CAIRN_OK);
    assert_int_equal(again.program_bytes, f->rule.program_bytes);
    assert_memory_equal(again.program, f->rule.program, again.program_bytes);
}

/* The format: a change here is a new magic number. */
static void the_bytes_are_these(void **state) {
    fixture *f = *state;
    cairn__rule rule;
    cairn__rule_fault fault;
    const cairn__rule_source source = { CAIRN_STR("user.age >= 18"), CAIRN__RULE_USER, 0, &f->arena,
                                        &fault };
    static const uint8_t want[] = {
        'C', 'R', 'P', '1', 75, 0, 0, 0, 1,  0, 0, 0, 1, 0, 0, 0, /* bytes, cost, slots */
        1,   0,   0,   0,   2,  0, 0, 0, 1,  0, 0, 0, 3, 0, 0, 0, /* constants, code, depth */
        2,   0,   3,   0,   0,  0, 0, 0,                          /* user, 3 bytes at 0 */
        2,   0,   0,   0,   0,  0, 0, 0, 18, 0, 0, 0, 0, 0, 0, 0, /* whole number 18 */
        5,   5,   0,   0,   0,  0, 0, 0,                          /* >= slot 0, constant 0 */
        0,   0,   0,   0,   0,  0, 0, 0,                          /* end */
        'a', 'g', 'e',
    };
    assert_int_equal(cairn__rule_compile(&source, &rule), CAIRN_OK);
    assert_int_equal(rule.program_bytes, sizeof want);
    assert_memory_equal(rule.program, want, sizeof want);
    assert_int_equal(facts_answer(&rule, NULL), CAIRN__RULE_TRUE);
}

static void a_loaded_program_answers_alike(void **state) {
    fixture *f = *state;
    cairn__rule loaded;
    /* at an odd address: nothing may be aligned by luck */
    uint8_t *bytes = malloc(f->rule.program_bytes + 1);
    assert_non_null(bytes);
    memcpy(bytes + 1, f->rule.program, f->rule.program_bytes);
    cairn_span program = cairn__span(bytes + 1, f->rule.program_bytes);
    assert_int_equal(cairn__rule_load(program, &f->arena, &loaded), CAIRN_OK);
    assert_int_equal(loaded.slot_count, f->rule.slot_count);
    assert_int_equal(loaded.cost, f->rule.cost);
    assert_int_equal(facts_answer(&loaded, NULL), facts_answer(&f->rule, NULL));
    free(bytes);
}

static void a_cut_program_is_refused(void **state) {
    fixture *f = *state;
    for (size_t length = 0; length < f->rule.program_bytes; length++) {
        uint8_t *cut = malloc(length + 1);
        assert_non_null(cut);
        memcpy(cut, f->rule.program, length);
        assert_int_equal(cairn__rule_program_check(cairn__span(cut, length)), CAIRN_INVALID);
        free(cut);
    }
}

static void a_changed_byte_is_refused_or_harmless(void **state) {
    fixture *f = *state;
    static const uint8_t changes[] = { 1, 2, 4, 8, 16, 32, 64, 128, 255 };
    size_t bytes = f->rule.program_bytes;
    long taken = 0;
    long refused = 0;
    uint8_t *copy = malloc(bytes);
    assert_non_null(copy);
    for (size_t i = 0; i < bytes * sizeof changes; i++) {
        cairn__rule loaded;
        memcpy(copy, f->rule.program, bytes);
        copy[i / sizeof changes] ^= changes[i % sizeof changes];
        cairn__arena arena = cairn__arena_make(cairn__heap(), 1 << 20);
        if (cairn__rule_load(cairn__span(copy, bytes), &arena, &loaded) == CAIRN_OK) {
            (void)facts_answer(&loaded, NULL);
            taken += 1;
        } else {
            refused += 1;
        }
        cairn__arena_free(&arena);
    }
    assert_true(taken > 100 && refused > 100); /* both ways were taken */
    free(copy);
}

/* --- programs written by hand ---------------------------------------------------------------- */

static cairn_status check_code(const cairn__rule_code *code, uint32_t count, uint32_t cost) {
    uint8_t bytes[1024] = { 0 };
    uint32_t length = CAIRN__RULE_HEADER_BYTES + 8 + 16 + count * 8 + 1;
    const uint32_t header[] = { CAIRN__RULE_MAGIC, length, cost, 1, 1, count, 3, 1 };
    memcpy(bytes, header, sizeof header);
    bytes[32] = CAIRN__RULE_USER;
    bytes[34] = 1; /* a name of one byte */
    bytes[40] = CAIRN_VALUE_INTEGER;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *to = bytes + 56 + (size_t)i * 8;
        to[0] = code[i].op;
        to[1] = code[i].a;
        cairn__store_u16(to + 2, code[i].b);
        cairn__store_u32(to + 4, code[i].c);
    }
    bytes[length - 1] = 'x';
    return cairn__rule_program_check(cairn__span(bytes, length));
}

static void code_that_would_misbehave_is_refused(void **state) {
    (void)state;
    enum {
        END = CAIRN__RULE_OP_END,
        SLOT = CAIRN__RULE_OP_SLOT,
        AND = CAIRN__RULE_OP_AND,
        JUMP = CAIRN__RULE_OP_JUMP_FALSE
    };
    const cairn__rule_code good[] = {
        { SLOT, 0, 0, 0 }, { JUMP, 0, 0, 4 }, { SLOT, 0, 0, 0 }, { AND, 0, 0, 0 }, { END, 0, 0, 0 }
    };
    assert_int_equal(check_code(good, 5, 4), CAIRN_OK);
    assert_int_equal(check_code(good, 5, 3), CAIRN_INVALID); /* the cost is not that */
    assert_int_equal(check_code(good, 4, 4), CAIRN_INVALID); /* no end */
    static const struct {
        uint32_t at;
        cairn__rule_code instead;
    } bad[] = {
        { 0, { SLOT, 0, 0, 1 } },                        /* no such slot */
        { 0, { AND, 0, 0, 0 } },                         /* an empty stack */
        { 0, { END, 0, 0, 0 } },                         /* an end in the middle */
        { 0, { 99, 0, 0, 0 } },                          /* no such operation */
        { 1, { JUMP, 0, 0, 0 } },                        /* backwards */
        { 1, { JUMP, 0, 0, 1 } },                        /* to itself */
        { 1, { JUMP, 0, 0, 3 } },                        /* to another depth */
        { 1, { JUMP, 0, 0, 5 } },                        /* out */
        { 1, { JUMP, 0, 0, UINT32_MAX } },               /* out */
        { 1, { CAIRN__RULE_OP_IN_SET, 0, 0, 0 } },       /* no set */
        { 1, { CAIRN__RULE_OP_MATCHES, 0, 0, 0 } },      /* no pattern */
        { 1, { CAIRN__RULE_OP_CALL, 200, 1, 0 } },       /* no such function */
        { 1, { CAIRN__RULE_OP_CALL, 4, 1, 0 } },         /* too few arguments */
        { 2, { CAIRN__RULE_OP_CONSTANT, 0, 0, 1 } },     /* no such constant */
        { 2, { CAIRN__RULE_OP_COMPARE_SLOT, 6, 0, 0 } }, /* no such comparison */
        { 2, { CAIRN__RULE_OP_COMPARE_SLOT, 0, 1, 0 } }, /* no such slot */
        { 3, { CAIRN__RULE_OP_NOT, 0, 0, 0 } },          /* two values left */
        { 3, { CAIRN__RULE_OP_TEXT, 3, 0, 0 } },         /* no such test */
        { 3, { CAIRN__RULE_OP_ARITHMETIC, 5, 0, 0 } },   /* no such arithmetic */
        { 3, { SLOT, 0, 0, 0 } },                        /* three values left */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cairn__rule_code code[5];
        memcpy(code, good, sizeof code);
        code[bad[i].at] = bad[i].instead;
        if (check_code(code, 5, 4) != CAIRN_INVALID) {
            fail_msg("case %zu was taken", i);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_text_gives_the_same_bytes, open_rule, close_rule),
        cmocka_unit_test_setup_teardown(the_bytes_are_these, open_rule, close_rule),
        cmocka_unit_test_setup_teardown(a_loaded_program_answers_alike, open_rule, close_rule),
        cmocka_unit_test_setup_teardown(a_cut_program_is_refused, open_rule, close_rule),
        cmocka_unit_test_setup_teardown(a_changed_byte_is_refused_or_harmless, open_rule,
                                        close_rule),
        cmocka_unit_test(code_that_would_misbehave_is_refused),
    };
    return cmocka_run_group_tests_name("sdk/rules/program", tests, NULL, NULL);
}
