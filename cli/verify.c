/* verify.c: `cairn verify --data DIR`: every checksum of the log, of each project's state and of
 * its trail. Prints each damage; exit code 1 when there is any. */
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/command.h"
#include "cli/data.h"
#include "log/log.h"

typedef struct {
    const char *where;
    size_t damages;
    uint64_t log_end; /* behind the last entry that can be read; 0: there is none */
    bool torn;
} verifying;

static void tell(void *self, const char *text) {
    verifying *v = self;
    /* the last write of a killed edge: never acknowledged, and cut off at its next start */
    bool torn = strstr(text, ": a torn tail") != NULL;
    printf("%s: %s%s\n", v->where, text,
           torn ? " (no damage by itself: the edge cuts it off)" : "");
    v->damages += torn ? 0 : 1;
    v->torn |= torn;
}

/* Position behind the last entry that a reader reaches. */
static uint64_t find_end(const cairn__files *files, const char *path) {
    cairn__log_reader *reader = NULL;
    cairn__log_entry entry;
    cairn__log_problem problem;
    uint64_t end = 0;
    if (cairn__log_reader_open(files, path, 0, cairn__heap(), &reader) != CAIRN_OK) {
        return 0;
    }
    while (cairn__log_read(reader, UINT64_MAX, &entry, &problem) == CAIRN_OK) {
        end = entry.end;
    }
    cairn__log_reader_close(reader);
    return end;
}

/* What looks like a torn tail is damage when a project has already folded what stood there. */
static void compare_position(verifying *v, uint64_t folded) {
    char text[200];
    if (folded <= v->log_end || (v->log_end == 0 && !v->torn)) {
        return; /* a log may hold no entry: trimmed, and its newest file just begun */
    }
    snprintf(
        text, sizeof text,
        "folded up to log position %llu, but the log can be read up to %llu only: entries that "
        "were acknowledged are damaged; restore the log from a copy",
        (unsigned long long)folded, (unsigned long long)v->log_end);
    tell(v, text);
}

static void verify_log(const cairn__data *data, verifying *v) {
    char path[CAIRN__DATA_PATH_BYTES + 16];
    cairn__files files = cairn__files_posix();
    snprintf(path, sizeof path, "%s/log", data->path);
    v->where = "log";
    cairn__log_verify(&files, path, cairn__heap(), tell, v);
    v->log_end = find_end(&files, path);
}

static void verify_project(cairn__data *data, const char *name, verifying *v) {
    size_t before = v->damages;
    v->where = name;
    cairn__fold *fold = cairn__data_project(data, name);
    if (fold == NULL) {
        tell(v, data->problem);
        return;
    }
    if (cairn__fold_verify(fold, tell, v) != CAIRN_OK && v->damages == before) {
        tell(v, "the check itself failed; is there memory, and can the files be read?");
    }
    cairn__fold_stats stats;
    cairn__fold_stats_of(fold, &stats);
    compare_position(v, stats.position);
    printf("%s: %llu events, %llu persons, %llu trail rows, folded up to log position %llu\n", name,
           (unsigned long long)stats.events, (unsigned long long)stats.persons,
           (unsigned long long)stats.trail_rows, (unsigned long long)stats.position);
    cairn__fold_close(fold);
}

int cairn__run_verify(int argc, char **argv) {
    const char *path = NULL;
    const char *subject = NULL;
    cairn__data data;
    verifying v = { .where = "log" };
    const cairn__arg table[] = { { "--data", CAIRN__ARG_TEXT, &path, 0, 0 } };
    if (!cairn__args_read(argc, argv, table, 1, &subject) || path == NULL || subject != NULL) {
        fputs("cairn: use: cairn verify --data DIR\n", stderr);
        return 2;
    }
    if (!cairn__data_open(&data, path)) {
        fprintf(stderr, "cairn: verify: %s\n", data.problem);
        return 1;
    }
    verify_log(&data, &v);
    for (size_t i = 0; i < data.project_count; i++) {
        verify_project(&data, data.projects[i], &v);
    }
    cairn__data_close(&data);
    printf(v.damages == 0 ? "no damage\n" : "%zu damages\n", v.damages);
    return v.damages == 0 ? 0 : 1;
}
