#include "support/hostile_scripts.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static const char folder[] = "tests/unit/sdk/script/hostile";

/* The first line is "// ends: OUTCOME". */
static cairn__script_outcome outcome_of(const char *source) {
    char reason[32] = { 0 };
    char text[64];
    int got = sscanf(source, "// ends: %31s", reason);
    CAIRN_ASSERT(got == 1);
    if (strcmp(reason, "ok") == 0) {
        return CAIRN__SCRIPT_OK;
    }
    (void)snprintf(text, sizeof text, "script_%s", reason);
    int i = 1;
    while (i < CAIRN__SCRIPT_OUTCOMES &&
           strcmp(cairn__script_reason((cairn__script_outcome)i), text) != 0) {
        i += 1;
    }
    CAIRN_ASSERT(i < CAIRN__SCRIPT_OUTCOMES);
    return (cairn__script_outcome)i;
}

static void load(const char *path, const char *name, hostile_script *script) {
    enum { BYTES_MAX = 256 * 1024 };
    FILE *file = fopen(path, "rb");
    CAIRN_ASSERT(file != NULL);
    script->source = calloc(1, BYTES_MAX);
    script->bytes = fread(script->source, 1, BYTES_MAX - 1, file);
    (void)fclose(file);
    (void)snprintf(script->name, sizeof script->name, "%.*s", (int)(strlen(name) - 3), name);
    script->ends = outcome_of((const char *)script->source);
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const hostile_script *)a)->name, ((const hostile_script *)b)->name);
}

size_t hostile_scripts_load(hostile_script *scripts) {
    char path[2048];
    const char *root = getenv("CAIRN_ROOT");
    (void)snprintf(path, 1024, "%s/%s", root != NULL ? root : ".", folder);
    DIR *dir = opendir(path);
    CAIRN_ASSERT(dir != NULL);
    size_t count = 0;
    size_t len = strlen(path);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (strstr(entry->d_name, ".js") != NULL) {
            CAIRN_ASSERT(count < HOSTILE_SCRIPTS_MAX);
            (void)snprintf(path + len, sizeof path - len, "/%s", entry->d_name);
            load(path, entry->d_name, &scripts[count++]);
        }
    }
    (void)closedir(dir);
    qsort(scripts, count, sizeof *scripts, by_name);
    return count;
}

void hostile_scripts_free(hostile_script *scripts, size_t count) {
    for (size_t i = 0; i < count; i++) {
        free(scripts[i].source);
    }
}
