/* conform.c: where cases come from, which are left out, and how many were right. */
#include "conform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka_all.h"

enum { PATH_BYTES = 1024, ROW_BYTES = 320 };

bool conform_path(const char *path, char *to, size_t room) {
    const char *shared = getenv("CAIRN_SHARED");
    (void)snprintf(to, room, "%s/data/%s", shared == NULL ? "../shared" : shared, path);
    FILE *file = fopen(to, "r");
    if (file == NULL) {
        (void)printf("skipped: no %s\n", to);
        return false;
    }
    (void)fclose(file);
    return true;
}

json_t *conform_load(const char *path) {
    char name[PATH_BYTES];
    json_error_t error;
    if (!conform_path(path, name, sizeof name)) {
        return NULL;
    }
    json_t *cases = json_load_file(name, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (cases == NULL) {
        (void)printf("%s: line %d: %s\n", name, error.line, error.text);
    }
    return cases;
}

/* --- the list -------------------------------------------------------------------------------- */

/* A reason, "= text"; false: it is none, or there are too many. */
static bool read_reason(conform_suite *suite, const char *line, size_t len) {
    const size_t word = 10; /* a reason is more than one */
    if (len <= word || len >= CONFORM_ID_BYTES || suite->reason_count == CONFORM_REASONS_MAX) {
        return false;
    }
    memcpy(suite->reasons[suite->reason_count++].text, line + 2, len - 2);
    return true;
}

/* "# comment", "= reason", and case after case. */
static bool read_line(conform_suite *suite, const char *line) {
    size_t len = strcspn(line, "\n");
    if (len == 0 || line[0] == '#') {
        return true;
    }
    if (line[0] == '=') {
        return read_reason(suite, line, len);
    }
    if (suite->reason_count == 0 || len >= CONFORM_ID_BYTES ||
        suite->line_count == CONFORM_LINES_MAX) {
        return false;
    }
    conform_line *to = &suite->lines[suite->line_count++];
    memcpy(to->id, line, len);
    to->reason = suite->reason_count - 1;
    return true;
}

static FILE *open_own(const char *folder, const char *name, const char *ending) {
    char path[PATH_BYTES];
    const char *root = getenv("CAIRN_ROOT");
    (void)snprintf(path, sizeof path, "%s/%s/%s%s", root == NULL ? "." : root, folder, name,
                   ending);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        (void)printf("no %s\n", path);
    }
    return file;
}

static bool begin(conform_suite *suite, const char *name) {
    *suite = (conform_suite){ .name = name };
    suite->lines = calloc(CONFORM_LINES_MAX, sizeof *suite->lines);
    FILE *file = open_own("tests/unit/sdk/conformance", name, "_left_out.txt");
    char line[CONFORM_ID_BYTES * 2];
    bool good = file != NULL && suite->lines != NULL;
    while (good && fgets(line, sizeof line, file) != NULL) {
        good = read_line(suite, line);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    if (!good) {
        (void)printf("%s_left_out.txt: a case without a reason, or too much: %s\n", name, line);
        free(suite->lines);
    }
    return good;
}

static bool is_left_out(conform_suite *suite, const char *id) {
    bool found = false;
    for (size_t i = 0; i < suite->line_count; i++) {
        conform_line *line = &suite->lines[i];
        size_t len = strlen(line->id);
        bool all = line->id[len - 1] == '*';
        if (all ? strncmp(line->id, id, len - 1) == 0 : strcmp(line->id, id) == 0) {
            line->met = true;
            suite->reasons[line->reason].cases += !found;
            found = true;
        }
    }
    return found;
}

void conform_case(conform_suite *suite, const char *id, const char *why) {
    bool listed = is_left_out(suite, id);
    suite->cases += 1;
    suite->out += listed;
    suite->right += !listed && why == NULL;
    if (listed && why == NULL) {
        (void)printf("%s: %s: is right, and yet on the list of those left out\n", suite->name, id);
        suite->faults += 1;
    }
    if (!listed && why != NULL) {
        (void)printf("%s: %s: %s\n", suite->name, id, why);
        suite->faults += 1;
    }
}

static bool has_row(const char *row) {
    char line[PATH_BYTES];
    bool found = false;
    FILE *file = open_own("docs", "CONFORMANCE", ".md");
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        found = strncmp(line, row, strlen(row)) == 0;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    if (!found) {
        (void)printf("docs/CONFORMANCE.md has no line \"%s\"\n", row);
    }
    return found;
}

/* docs/CONFORMANCE.md holds "| name | cases | right | left out |", and "| cases | reason |". */
static bool is_documented(const conform_suite *suite) {
    char row[ROW_BYTES];
    (void)snprintf(row, sizeof row, "| %s | %zu | %zu | %zu |", suite->name, suite->cases,
                   suite->right, suite->out);
    bool all = has_row(row);
    for (size_t i = 0; i < suite->reason_count; i++) {
        (void)snprintf(row, sizeof row, "| %zu | %s |", suite->reasons[i].cases,
                       suite->reasons[i].text);
        all = has_row(row) && all;
    }
    return all;
}

/* Does every line of the list say a case that there is? */
static void check_list(conform_suite *suite) {
    for (size_t i = 0; i < suite->line_count; i++) {
        if (!suite->lines[i].met) {
            (void)printf("%s_left_out.txt: there is no case \"%s\"\n", suite->name,
                         suite->lines[i].id);
            suite->faults += 1;
        }
    }
}

typedef struct conform_run {
    conform_suite suite;
    json_t *cases;
    void (*run)(conform_suite *suite, json_t *cases);
} conform_run;

static void every_case_is_right_or_left_out(void **state) {
    conform_run *all = *state;
    conform_suite *suite = &all->suite;
    all->run(suite, all->cases);
    check_list(suite);
    (void)printf("%s: ran %zu of %zu, %zu left out\n", suite->name, suite->right, suite->cases,
                 suite->out);
    assert_int_equal(suite->faults, 0);
    assert_true(suite->right > 0);
    assert_true(is_documented(suite));
}

int conform_main(const char *name, const char *path,
                 void (*run)(conform_suite *suite, json_t *cases)) {
    conform_run all = { .cases = conform_load(path), .run = run };
    if (all.cases == NULL) {
        return CONFORM_SKIPPED;
    }
    int failed = 1;
    if (begin(&all.suite, name)) {
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_prestate(every_case_is_right_or_left_out, &all),
        };
        failed = cmocka_run_group_tests(tests, NULL, NULL);
        free(all.suite.lines);
    }
    json_decref(all.cases);
    return failed;
}
