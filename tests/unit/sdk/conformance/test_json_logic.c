/* Goal: what JSON Logic and the rule language can both say, they mean the same by. Method: the
 * suites of its compatibility tables (data/json-logic beside the repository; skipped without them)
 * through an adapter; json_logic_left_out.txt says which cases are not right here, and why. */
#include <stdio.h>

#include "json_logic.h"

enum { PATH_BYTES = 256 };

static const char *run_case(json_t *test) {
    conform_text text = { .len = 0 };
    if (json_object_get(test, "error") != NULL) {
        return "throws or catches an error";
    }
    json_logic_equals(&text, json_object_get(test, "rule"), json_object_get(test, "result"),
                      json_is_true(json_object_get(test, "decimal")));
    return conform_ask(&text, json_logic_fact, json_object_get(test, "data"), true);
}

static void run_tests(conform_suite *suite, const char *file, json_t *tests) {
    size_t i = 0;
    json_t *test = NULL;
    json_array_foreach(tests, i, test) {
        char id[CONFORM_ID_BYTES];
        const char *name = json_string_value(json_object_get(test, "description"));
        (void)snprintf(id, sizeof id, "%s %zu %s", file, i, name == NULL ? "" : name);
        if (json_is_object(test)) { /* texts between them are comments */
            conform_case(suite, id, run_case(test));
        }
    }
}

static void run(conform_suite *suite, json_t *index) {
    size_t i = 0;
    json_t *file = NULL;
    json_array_foreach(index, i, file) {
        char path[PATH_BYTES];
        (void)snprintf(path, sizeof path, "json-logic/%s", json_string_value(file));
        json_t *tests = conform_load(path);
        run_tests(suite, json_string_value(file), tests);
        json_decref(tests);
    }
}

int main(void) {
    return conform_main("json_logic", "json-logic/index.json", run);
}
