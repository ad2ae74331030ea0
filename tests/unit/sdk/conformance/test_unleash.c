/* Goal: toggles of Unleash can be moved in and mean the same. Method: its client specification
 * (data/unleash-client-spec beside the repository; skipped without it) through an adapter;
 * unleash_left_out.txt says which cases are not right here, and why. */
#include <stdio.h>
#include <string.h>

#include "unleash.h"

enum { PATH_BYTES = 256 };

static bool same_variant(const unleash_answer *answer, json_t *wanted) {
    json_t *name = json_object_get(answer->variant, "name");
    json_t *payload = json_object_get(answer->variant, "payload");
    json_t *expected = json_object_get(wanted, "payload");
    bool none = strcmp(json_string_value(json_object_get(wanted, "name")), "disabled") == 0;
    bool same =
        none ? name == NULL
             : json_equal(name, json_object_get(wanted, "name")) && json_equal(payload, expected);
    return same && answer->on == json_is_true(json_object_get(wanted, "feature_enabled")) &&
           (name != NULL) == json_is_true(json_object_get(wanted, "enabled"));
}

static const char *run_case(json_t *state, json_t *test) {
    json_t *wanted = json_object_get(test, "expectedResult");
    unleash_answer answer;
    if (json_object_get(state, "events") != NULL) {
        return "a state that comes as a log of changes";
    }
    const char *why =
        unleash_toggle((unleash_world){ state, json_object_get(test, "context"), 0 },
                       json_string_value(json_object_get(test, "toggleName")), &answer);
    bool right = why == NULL && (json_is_object(wanted) ? same_variant(&answer, wanted)
                                                        : answer.on == json_is_true(wanted));
    return why != NULL ? why : right ? NULL : "another answer";
}

static void run_list(conform_suite *suite, const char *file, json_t *specification,
                     const char *list) {
    size_t i = 0;
    json_t *test = NULL;
    json_array_foreach(json_object_get(specification, list), i, test) {
        char id[CONFORM_ID_BYTES];
        (void)snprintf(id, sizeof id, "%.2s %s %zu %s", file, list, i,
                       json_string_value(json_object_get(test, "description")));
        conform_case(suite, id, run_case(json_object_get(specification, "state"), test));
    }
}

static void run(conform_suite *suite, json_t *index) {
    size_t i = 0;
    json_t *file = NULL;
    json_array_foreach(index, i, file) {
        char path[PATH_BYTES];
        const char *name = json_string_value(file);
        (void)snprintf(path, sizeof path, "unleash-client-spec/%s", name);
        json_t *specification = conform_load(path);
        run_list(suite, name, specification, "tests");
        run_list(suite, name, specification, "variantTests");
        json_decref(specification);
    }
}

int main(void) {
    return conform_main("unleash", "unleash-client-spec/index.json", run);
}
