/* Goal: the contract of docs/SCRIPTS.md: what a script gets, what its result must be, how every end
 * is told, and that no run sees anything of another.
 * Method: one engine for all runs of a test, each run twice (compiled, then prepared). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "script/script.h"
#include "support/cmocka_all.h"

enum { STEPS_MAX = 1 << 20 };

typedef struct fixture {
    cairn__script_engine *engine;
    cairn__buffer out;
    cairn__script_job job;
} fixture;

static int open_engine(void **state) {
    fixture *f = calloc(1, sizeof *f);
    cairn__script_limits limits = cairn__script_default_limits();
    limits.steps_max = STEPS_MAX; /* nobody kills a test */
    f->engine = cairn__script_open(cairn__heap(), limits);
    f->out = cairn__buffer_make(cairn__heap(), 1 << 20);
    f->job.now_ms = 1790000000123;
    f->job.seed = 7;
    *state = f;
    return f->engine == NULL ? -1 : 0;
}

static int close_engine(void **state) {
    fixture *f = *state;
    cairn__script_close(f->engine);
    cairn__buffer_free(&f->out);
    free(f);
    return 0;
}

static bool out_is(const fixture *f, const char *text) {
    bool same = cairn__span_equal(cairn__buffer_span(&f->out), cairn__span_of(text));
    if (!same) {
        print_message("got: %.*s\n", (int)f->out.len, (const char *)f->out.data);
    }
    return same;
}

static bool out_begins(const fixture *f, const char *text) {
    size_t len = strlen(text);
    bool same = f->out.len >= len && memcmp(f->out.data, text, len) == 0;
    if (!same) {
        print_message("got: %.*s\n", (int)f->out.len, (const char *)f->out.data);
    }
    return same;
}

static cairn__script_outcome run(fixture *f, cairn__script_use use, const char *source,
                                 const char *input) {
    f->job.use = use;
    f->job.source = cairn__span_of(source);
    f->job.input = cairn__span_of(input);
    return cairn__script_run(f->engine, &f->job, &f->out);
}

typedef struct example {
    cairn__script_use use;
    const char *source; /* of main's body */
    const char *input;
    cairn__script_outcome outcome;
    const char *out; /* begins with; NULL: not looked at */
} example;

#define ANY CAIRN__SCRIPT_ANY
#define SCORE CAIRN__SCRIPT_SCORE
#define TAG CAIRN__SCRIPT_TAG
#define RANK CAIRN__SCRIPT_RANK
#define OK CAIRN__SCRIPT_OK
#define ERROR CAIRN__SCRIPT_ERROR
#define RESULT CAIRN__SCRIPT_RESULT

static const example examples[] = {
    { SCORE, "return input.a * 2 + 0.5", "{\"a\":20}", OK, "40.5" },
    { SCORE, "return '40'", "{}", RESULT, "the use is score" },
    { SCORE, "return 1 / 0", "{}", RESULT, "the use is score" },
    { SCORE, "return 0 / 0", "{}", RESULT, "the use is score" },
    { SCORE, "return new Number(1)", "{}", RESULT, "the use is score" },
    { SCORE, "", "", RESULT, "the use is score" },
    { TAG, "return 'gold'", "{}", OK, "\"gold\"" },
    { TAG, "return null", "{}", OK, "null" },
    { TAG, "return input.n > 3", "{\"n\":4}", OK, "true" },
    { TAG, "return -1e-7", "{}", OK, "-1e-7" },
    { TAG, "return {}", "{}", RESULT, "the use is tag" },
    { TAG, "return new Array(1025).join('x')", "{}", RESULT, "the use is tag" },
    { RANK, "return input.items.map(function (i) { return -i.price; })",
      "{\"items\":[{\"price\":3},{\"price\":0.25}]}", OK, "[-3,-0.25]" },
    { RANK, "return []", "{\"items\":[]}", OK, "[]" },
    { RANK, "return [1]", "{\"items\":[1,2]}", RESULT, "the use is rank: main" },
    { RANK, "return [1,'2']", "{\"items\":[1,2]}", RESULT, "the use is rank: main" },
    { RANK, "return [1,2]", "{\"items\":{\"length\":2}}", RESULT, "the use is rank: the input" },
    { RANK, "Array.prototype.toJSON = function () { return 'x'; }; return [5]", "{\"items\":[1]}",
      OK, "[5]" },
    { ANY, "return {b: [1, 'x', null], a: input}", "[true]", OK,
      "{\"b\":[1,\"x\",null],\"a\":[true]}" },
    { ANY, "return undefined", "1", RESULT, "main returned nothing" },
    { ANY, "return input", "", OK, "null" },
    { ANY, "return '\xF0\x9F\x98\x80\xE4\xB8\xAD'", "{}", OK, "\"\xF0\x9F\x98\x80\xE4\xB8\xAD\"" },
    { ANY, "return input.length", "\"\xF0\x9F\x98\x80\"", OK, "2" },
    { ANY, "return '\\ud83d\\ude00'", "{}", OK, "\"\xF0\x9F\x98\x80\"" },
    { ANY, "return '\\ud83d!'", "{}", OK, "\"\xEF\xBF\xBD!\"" },
    { ANY, "return Date.now() === input && +new Date() === input", "1790000000123", OK, "true" },
    { ANY, "return new Date(0).getHours() + new Date(86399999).getHours()", "", OK, "23" },
    { ANY, "throw new TypeError('no ' + input)", "\"way\"", ERROR, "line 2: TypeError: no way" },
    { ANY, "\n\nreturn input.a.b", "{}", ERROR, "line 4: TypeError" },
    { ANY, "throw 'bare'", "", ERROR, "bare" },
    { ANY, "return 1", "{broken", ERROR, "SyntaxError" },
    { ANY, "throw {toString: function () { throw 1; }}", "", ERROR, NULL },
    { ANY, "return )", "", ERROR, "line 2: SyntaxError" },
    { ANY, "return eval('1')", "", ERROR, "line 2: ReferenceError" },
    { ANY, "return Function('return 1')()", "", ERROR, "line 2: ReferenceError" },
    { ANY, "return (function () {}).constructor === Object", "", OK, "true" },
    { ANY, "return new Array(70000).join('x')", "", RESULT, "the result has more than 65,536" },
    { ANY, "while (true) {}", "", CAIRN__SCRIPT_TIMEOUT, "the script took too many steps" },
    { ANY, "while (true) { try { while (true) {} } catch (e) {} }", "", CAIRN__SCRIPT_TIMEOUT,
      NULL },
    { ANY, "var a = 'x'; while (true) a += a", "", CAIRN__SCRIPT_MEMORY, "the script wanted" },
    { ANY, "function f() { return f() + 1; } return f()", "", ERROR, "line 2: RangeError" },
    { ANY, "return /^(a+)+$/.test('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab')", "",
      CAIRN__SCRIPT_TIMEOUT, NULL },
};

static void results_are_what_the_use_asks_for(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        const example *e = &examples[i];
        char source[1024];
        (void)snprintf(source, sizeof source, "function main(input) {\n%s\n}", e->source);
        for (int twice = 0; twice < 2; twice++) {
            cairn__script_outcome outcome = run(f, e->use, source, e->input);
            if (outcome != e->outcome) {
                print_message("%s: %d %.*s\n", e->source, (int)outcome, (int)f->out.len,
                              (const char *)f->out.data);
            }
            assert_int_equal(outcome, e->outcome);
            assert_true(e->out == NULL || out_begins(f, e->out));
        }
    }
}

static void only_the_language_is_there(void **state) {
    fixture *f = *state;
    const char *source =
        "var all = Object.getOwnPropertyNames(this).filter(function (n) { return n !== 'all' && "
        "n !== 'main'; }).sort(); function main() { return all.join(' '); }";
    assert_int_equal(run(f, ANY, source, ""), OK);
    assert_true(out_is(f, "\"Array Boolean Date Error EvalError Infinity JSON Math NaN Number "
                          "Object RangeError ReferenceError RegExp String SyntaxError TypeError "
                          "URIError decodeURI decodeURIComponent encodeURI encodeURIComponent "
                          "isFinite isNaN parseFloat parseInt undefined\""));
}

static void a_run_leaves_nothing_to_the_next(void **state) {
    fixture *f = *state;
    const char *pollutes =
        "var n = 0; Object.prototype.admin = true; Array.prototype.map = function () {};"
        "JSON.stringify = 1; Math.max = 1; leak = 5;"
        "function main() { n++; Object.prototype.n = (Object.prototype.n || 0) + 1;"
        "return [n, ({}).n]; }";
    const char *looks =
        "function main() { return [({}).admin, ({}).n, typeof leak, typeof Math.max,"
        "typeof JSON.stringify, [1].map(String)]; }";
    for (int i = 0; i < 3; i++) {
        assert_int_equal(run(f, ANY, pollutes, ""), OK);
        assert_true(out_is(f, "[1,1]"));
        assert_int_equal(run(f, ANY, looks, ""), OK);
        assert_true(out_is(f, "[null,null,\"undefined\",\"function\",\"function\",[\"1\"]]"));
    }
}

static void chance_comes_from_the_seed_alone(void **state) {
    fixture *f = *state;
    const char *source = "var first = Math.random(); function main() { var a = [first]; for (var i "
                         "= 0; i < 5; i++) a.push(Math.random()); return a.concat([3,1,2].sort("
                         "function (x, y) { return Math.random() - 0.5; })); }";
    char first[512] = { 0 };
    assert_int_equal(run(f, ANY, source, ""), OK);
    assert_true(f->out.len < sizeof first);
    memcpy(first, f->out.data, f->out.len);
    assert_int_equal(run(f, ANY, "function main() { return Math.random(); }", ""), OK);
    assert_int_equal(run(f, ANY, source, ""), OK);
    assert_true(out_is(f, first));
    f->job.seed = 8;
    assert_int_equal(run(f, ANY, source, ""), OK);
    assert_false(cairn__span_equal(cairn__buffer_span(&f->out), cairn__span_of(first)));
}

static void many_scripts_push_each_other_out_and_stay_right(void **state) {
    fixture *f = *state;
    for (int i = 0; i < 100; i++) {
        char source[128];
        char wanted[32];
        int number = i % 20; /* more than are kept prepared */
        (void)snprintf(source, sizeof source, "function main(i) { return i + %d; }", number);
        (void)snprintf(wanted, sizeof wanted, "%d", 1000 + number);
        assert_int_equal(run(f, SCORE, source, "1000"), OK);
        assert_true(out_is(f, wanted));
    }
}

static void too_much_is_refused_before_it_runs(void **state) {
    fixture *f = *state;
    size_t bytes = CAIRN__SCRIPT_INPUT_BYTES_MAX + 1;
    uint8_t *spaces = malloc(bytes);
    memset(spaces, ' ', bytes);
    f->job.use = ANY;
    f->job.source = cairn__span(spaces, CAIRN__SCRIPT_SOURCE_BYTES_MAX + 1);
    f->job.input = (cairn_span){ 0 };
    assert_int_equal(cairn__script_run(f->engine, &f->job, &f->out), ERROR);
    assert_true(out_begins(f, "the source has more than 65,536"));
    f->job.source = cairn__span_of("function main(i) { return 1; }");
    f->job.input = cairn__span(spaces, bytes);
    assert_int_equal(cairn__script_run(f->engine, &f->job, &f->out), ERROR);
    assert_true(out_begins(f, "the input has more than 262,144"));
    f->job.source = cairn__span_of("function main(i) { return '\xFF'; }");
    f->job.input = (cairn_span){ 0 };
    assert_int_equal(cairn__script_run(f->engine, &f->job, &f->out), ERROR);
    assert_true(out_begins(f, "source and input must be UTF-8"));
    free(spaces);
}

static void no_run_asks_for_memory(void **state) {
    fixture *f = *state;
    (void)cairn__buffer_extend(&f->out, 1 << 19);
    f->out.bytes_max = f->out.capacity; /* nothing more is given */
    assert_int_equal(run(f, ANY,
                         "function main() { var a = []; for (var i = 0; i < 5000; i++) "
                         "a.push('x' + i); return a.join(''); }",
                         ""),
                     OK);
    assert_true(cairn__script_peak_bytes(f->engine) > 100000);
    assert_true(cairn__script_peak_bytes(f->engine) <= CAIRN__SCRIPT_HEAP_BYTES);
}

typedef struct meter {
    size_t allowed;
    size_t held;
} meter;

static void *metered(void *self, void *at, size_t old_bytes, size_t new_bytes) {
    meter *m = self;
    if (new_bytes > 0 && m->allowed == 0) {
        return NULL;
    }
    m->allowed -= new_bytes > 0;
    m->held += new_bytes - old_bytes;
    return cairn__heap().resize(NULL, at, old_bytes, new_bytes);
}

static void open_fails_whole_at_every_allocation(void **state) {
    (void)state;
    cairn__script_engine *engine = NULL;
    size_t allowed = 0;
    for (; engine == NULL && allowed < 20; allowed++) {
        meter m = { allowed, 0 };
        cairn_allocator allocator = { metered, &m };
        engine = cairn__script_open(allocator, cairn__script_default_limits());
        cairn__script_close(engine);
        assert_int_equal(m.held, 0);
    }
    assert_true(allowed > 4 && allowed < 20);
}

static void every_end_but_a_good_one_has_its_reason(void **state) {
    (void)state;
    static const char *const reasons[] = {
        "script_unavailable", "script_timeout", "script_memory",
        "script_error",       "script_busy",    "script_result"
    };
    assert_null(cairn__script_reason(OK));
    for (int i = 1; i < CAIRN__SCRIPT_OUTCOMES; i++) {
        assert_string_equal(cairn__script_reason((cairn__script_outcome)i), reasons[i - 1]);
    }
    cairn__script_use use = ANY;
    assert_true(cairn__script_use_named(CAIRN_STR("rank"), &use));
    assert_int_equal(use, RANK);
    assert_false(cairn__script_use_named(CAIRN_STR("ranks"), &use));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(results_are_what_the_use_asks_for, open_engine,
                                        close_engine),
        cmocka_unit_test_setup_teardown(only_the_language_is_there, open_engine, close_engine),
        cmocka_unit_test_setup_teardown(a_run_leaves_nothing_to_the_next, open_engine,
                                        close_engine),
        cmocka_unit_test_setup_teardown(chance_comes_from_the_seed_alone, open_engine,
                                        close_engine),
        cmocka_unit_test_setup_teardown(many_scripts_push_each_other_out_and_stay_right,
                                        open_engine, close_engine),
        cmocka_unit_test_setup_teardown(too_much_is_refused_before_it_runs, open_engine,
                                        close_engine),
        cmocka_unit_test_setup_teardown(no_run_asks_for_memory, open_engine, close_engine),
        cmocka_unit_test(open_fails_whole_at_every_allocation),
        cmocka_unit_test(every_end_but_a_good_one_has_its_reason),
    };
    return cmocka_run_group_tests_name("sdk/script", tests, NULL, NULL);
}
