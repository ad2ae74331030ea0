/* offline.c: `cairn analyze --data DIR` and `cairn person --data DIR`: the same answers as an
 * edge's, from its data directory while it is stopped. */
#include "cli/offline.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "cli/data.h"
#include "edge/zones.h"

enum { ANSWER_BYTES_MAX = 64 * 1024 * 1024 };
#define ANALYZE_BYTES_MAX ((size_t)1024 * 1024 * 1024)

static int64_t mono_ms(void *self) {
    struct timespec now;
    (void)self;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t wall_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The project that is meant; NULL: problem. */
static const char *choose(cairn__data *data, const char *project) {
    if (project != NULL) {
        return project;
    }
    if (data->project_count != 1) {
        snprintf(data->problem, sizeof data->problem,
                 "%.200s has %zu projects; name one with --project", data->path,
                 data->project_count);
        return NULL;
    }
    return data->projects[0];
}

static bool analyze_view(cairn__data *data, cairn__fold_view *view, const cairn__offline *offline,
                         cairn__buffer *answer) {
    cairn__zones zones;
    cairn__analyze_problem problem = { "", "", "", "" };
    if (cairn__zones_init(&zones, "/usr/share/zoneinfo") != 0) {
        snprintf(data->problem, sizeof data->problem, "out of memory");
        return false;
    }
    const cairn__analyze_zones seam = cairn__zones_seam(&zones);
    const cairn__analyze_options options = { .allocator = cairn__heap(),
                                             .bytes_max = ANALYZE_BYTES_MAX,
                                             .now_ms = wall_ms(),
                                             .mono_ms = mono_ms };
    const cairn__fold_question question = { .query = cairn__span_of(offline->query),
                                            .zones = &seam,
                                            .project_zone = cairn__span_of(
                                                offline->zone == NULL ? "UTC" : offline->zone),
                                            .options = &options };
    cairn_status status = cairn__fold_analyze(view, &question, answer, &problem);
    cairn__zones_free(&zones);
    if (status != CAIRN_OK) {
        snprintf(data->problem, sizeof data->problem, "%s%s%.200s%s%.200s", problem.field,
                 problem.field[0] == 0 ? "" : ": ",
                 problem.detail[0] == 0 ? cairn_status_name(status) : problem.detail,
                 problem.fix[0] == 0 ? "" : "; ", problem.fix);
    }
    return status == CAIRN_OK;
}

static bool analyze(cairn__data *data, cairn__fold *fold, const cairn__offline *offline,
                    cairn__buffer *answer) {
    cairn__fold_view *view = cairn__fold_view_take(fold);
    if (view == NULL) {
        snprintf(data->problem, sizeof data->problem, "out of memory");
        return false;
    }
    bool ok = analyze_view(data, view, offline, answer);
    cairn__fold_view_release(view);
    return ok;
}

static bool person(cairn__data *data, cairn__fold *fold, const cairn__offline *offline,
                   cairn__buffer *answer) {
    cairn_status status = cairn__fold_person(fold, offline->person, answer);
    if (status != CAIRN_OK) {
        snprintf(data->problem, sizeof data->problem, "%s",
                 status == CAIRN_NOT_FOUND ? "nobody has this id" : cairn_status_name(status));
    }
    return status == CAIRN_OK;
}

static bool run(cairn__data *data, const cairn__offline *offline, cairn__buffer *answer) {
    const char *name = choose(data, offline->project);
    cairn__fold *fold = name == NULL ? NULL : cairn__data_project(data, name);
    if (fold == NULL) {
        return false;
    }
    bool ok = cairn__data_catch_up(data, fold, name) &&
              (offline->query != NULL ? analyze(data, fold, offline, answer)
                                      : person(data, fold, offline, answer));
    cairn__fold_close(fold);
    return ok;
}

char *cairn__offline_ask(const cairn__offline *offline) {
    cairn__data data;
    cairn__buffer answer = cairn__buffer_make(cairn__heap(), ANSWER_BYTES_MAX);
    bool ok = cairn__data_open(&data, offline->data) && run(&data, offline, &answer);
    cairn__data_close(&data);
    cairn__buffer_byte(&answer, 0);
    if (!ok || answer.failed) {
        fprintf(stderr, "cairn: %s\n", ok ? "the answer is longer than 64 MiB" : data.problem);
        cairn__buffer_free(&answer);
        return NULL;
    }
    return (char *)answer.data;
}
