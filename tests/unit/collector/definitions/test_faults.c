/* Goal: every way to write a definition wrongly is told as it is meant to be read.
 * Method: faults.txt: the kind and the JSON, and below it what is said. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "definitions/definition.h"
#include "support/cmocka_all.h"

enum { LINE_BYTES_MAX = 4096, CASES_LEAST = 80 };

static FILE *open_cases(void) {
    char path[1024];
    const char *root = getenv("CAIRN_ROOT");
    (void)snprintf(path, sizeof path, "%s/tests/unit/collector/definitions/faults.txt",
                   root == NULL ? "." : root);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    return file;
}

static cairn__definition_kind kind_of(const char *line, const char **json_out) {
    for (int kind = 0; kind < CAIRN__DEFINITION_KIND_COUNT; kind++) {
        const char *name = cairn__definition_kind_name((cairn__definition_kind)kind);
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ' ') {
            *json_out = line + strlen(name) + 1;
            return (cairn__definition_kind)kind;
        }
    }
    fail_msg("no kind: %s", line);
    return CAIRN__DEFINITION_POPUP;
}

static void check(const char *line, const char *expected) {
    const char *json = NULL;
    cairn__definition_kind kind = kind_of(line, &json);
    const cairn__definition_source source = { kind, CAIRN_STR("it"), cairn__span_of(json),
                                              cairn__heap() };
    cairn__definition *definition = NULL;
    cairn__definition_problem problem;
    char got[LINE_BYTES_MAX];
    cairn_status status = cairn__definition_read(&source, &definition, &problem);
    (void)snprintf(got, sizeof got, "  %s | %s | %s | %s\n", problem.fault.code,
                   problem.fault.field, problem.fault.detail, problem.fault.fix);
    cairn__definition_free(definition);
    if (status != CAIRN_INVALID || strcmp(got, expected) != 0) {
        (void)fprintf(stderr, "%s%s", line, got);
    }
    assert_string_equal(got, expected);
    assert_int_equal(status, CAIRN_INVALID);
}

static void every_fault_says_where_what_and_the_fix(void **state) {
    (void)state;
    char line[LINE_BYTES_MAX];
    char expected[LINE_BYTES_MAX];
    size_t cases = 0;
    FILE *file = open_cases();
    while (fgets(line, sizeof line, file) != NULL) {
        if (line[0] == '#' || line[0] == '\n') {
            continue;
        }
        assert_non_null(fgets(expected, sizeof expected, file));
        check(line, expected);
        cases++;
    }
    (void)fclose(file);
    assert_true(cases >= CASES_LEAST);
}

static void a_rule_is_shown_with_a_caret(void **state) {
    (void)state;
    const cairn__definition_source source = {
        CAIRN__DEFINITION_AUDIENCE, CAIRN_STR("it"),
        CAIRN_STR("{\"rule\": \"user.age >= 18 and\\nuser.city contain \\\"x\\\"\"}"), cairn__heap()
    };
    cairn__definition *definition = NULL;
    cairn__definition_problem problem;
    assert_int_equal(cairn__definition_read(&source, &definition, &problem), CAIRN_INVALID);
    assert_int_equal(problem.rule_line, 2);
    assert_int_equal(problem.rule_column, 11);
    assert_non_null(strstr(problem.rule_shown, "user.city contain \"x\"\n          ^"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_says_where_what_and_the_fix),
        cmocka_unit_test(a_rule_is_shown_with_a_caret),
    };
    return cmocka_run_group_tests_name("collector/definitions/faults", tests, NULL, NULL);
}
