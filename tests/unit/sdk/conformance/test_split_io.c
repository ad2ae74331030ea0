/* Goal: murmur3, the order of versions and the patterns are what another SDK's are. Method: Split's
 * published rows (data/split-io beside the repository; skipped without them): each hash row by
 * cairn__assign_murmur, each version and pattern as a rule; split_io_left_out.txt says which rows
 * are not right here, and why. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conform.h"
#include "decide/assign.h"

enum { PATH_BYTES = 1024, LINE_BYTES = 1024, FIELDS_MAX = 4 };

/* A line's fields; those that it has not are empty. */
static size_t split(char *line, char separator, char *fields[FIELDS_MAX]) {
    size_t count = 0;
    char *at = line;
    line[strcspn(line, "\r\n")] = '\0';
    for (size_t i = 0; i < FIELDS_MAX; i++) {
        fields[i] = line + strlen(line);
    }
    while (at != NULL && count < FIELDS_MAX) {
        fields[count++] = at;
        at = strchr(at, separator);
        if (at != NULL) {
            *at++ = '\0';
        }
    }
    return count;
}

/* --- one row: why it is not right, or NULL --- */

/* seed, key, hash, bucket from 1 to 100 */
static const char *hash_row(char *line) {
    char *fields[FIELDS_MAX];
    if (split(line, ',', fields) != 4) {
        return "no row of a hash";
    }
    uint32_t hash =
        cairn__assign_murmur((uint32_t)strtoul(fields[0], NULL, 10), cairn__span_of(fields[1]));
    bool right =
        hash == strtoul(fields[2], NULL, 10) && hash % 100 + 1 == strtoul(fields[3], NULL, 10);
    return right ? NULL : "another hash";
}

/* JSON rows [seed, key, hash, bucket] of the hash that Split had before. */
static const char *former_hash(char *line) {
    (void)line;
    return "Split's former hash, which is not murmur3";
}

static const char *ask(const conform_text *text, const char *a, const char *b, const char *c,
                       bool wanted) {
    json_t *facts = json_pack("{ssssss}", "a", a, "b", b, "c", c);
    const char *why = conform_ask(text, conform_fact, facts, wanted);
    json_decref(facts);
    return why;
}

static const char *rule(const char *text, char *fields[FIELDS_MAX], size_t count, bool wanted) {
    conform_text said = { .len = 0 };
    conform_say(&said, "%s", text);
    return ask(&said, fields[0], count > 1 ? fields[1] : "", count > 2 ? fields[2] : "", wanted);
}

static const char *higher_lower(char *line) {
    char *fields[FIELDS_MAX];
    size_t count = split(line, ',', fields);
    return rule("version_compare(user.a, user.b) > 0 and version_compare(user.b, user.a) < 0 and "
                "version_compare(user.a, user.a) = 0",
                fields, count, true);
}

static const char *equal(char *line) {
    char *fields[FIELDS_MAX];
    size_t count = split(line, ',', fields);
    return rule("version_compare(user.a, user.b) = 0", fields, count,
                strcmp(fields[2], "true") == 0);
}

static const char *between(char *line) {
    char *fields[FIELDS_MAX];
    size_t count = split(line, ',', fields);
    return rule("version_compare(user.b, user.a) >= 0 and version_compare(user.b, user.c) <= 0",
                fields, count, strcmp(fields[3], "true") == 0);
}

static const char *invalid(char *line) {
    char *fields[FIELDS_MAX];
    size_t count = split(line, '\n', fields);
    return rule("version_compare(user.a, \"1.0.0\") is not set", fields, count, true);
}

/* pattern#text#answer */
static const char *pattern(char *line) {
    char *fields[FIELDS_MAX];
    conform_text text = { .len = 0 };
    if (split(line, '#', fields) != 3) {
        return "no row of a pattern";
    }
    conform_say(&text, "user.a matches ");
    conform_quoted(&text, fields[0]);
    return ask(&text, fields[1], "", "", strcmp(fields[2], "true") == 0);
}

/* --- files --- */

static void run_file(conform_suite *suite, const char *name, const char *(*run)(char *line),
                     bool header) {
    char path[PATH_BYTES];
    char line[LINE_BYTES];
    char relative[PATH_BYTES];
    (void)snprintf(relative, sizeof relative, "split-io/%s", name);
    FILE *file = conform_path(relative, path, sizeof path) ? fopen(path, "r") : NULL;
    for (size_t i = 0; file != NULL && fgets(line, sizeof line, file) != NULL; i++) {
        char id[CONFORM_ID_BYTES];
        (void)snprintf(id, sizeof id, "%s %zu", strrchr(name, '/') + 1, i);
        if (!(header && i == 0)) {
            conform_case(suite, id, run(line));
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

static void run(conform_suite *suite, json_t *unused) {
    (void)unused;
    run_file(suite, "engine/files/murmur3-sample-data-v2.csv", hash_row, false);
    run_file(suite, "engine/files/murmur3-custom-uuids.csv", hash_row, false);
    run_file(suite, "engine/files/sample-data.jsonl", former_hash, false);
    run_file(suite, "engine/files/sample-data-non-alpha-numeric.jsonl", former_hash, false);
    run_file(suite, "models/grammar/files/valid-semantic-versions.csv", higher_lower, true);
    run_file(suite, "models/grammar/files/equal-to-semver.csv", equal, true);
    run_file(suite, "models/grammar/files/between-semver.csv", between, true);
    run_file(suite, "models/grammar/files/invalid-semantic-versions.csv", invalid, true);
    run_file(suite, "models/grammar/files/regex.txt", pattern, false);
}

int main(void) {
    return conform_main("split_io", "split-io/models/grammar/files/splits_prereq.json", run);
}
