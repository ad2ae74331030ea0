#include "edge/definitions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "edge/logline.h"
#include "edge/zone_files.h"

enum {
    PATH_BYTES_MAX = 1024,
    DIRECTORY_MODE = 0750,
    KEYS_MODE = 0700,
    ZONE_ARENA_BYTES_MAX = 64 * 1024
};

/* --- what a catalogue asks for ---------------------------------------------------------------- */

static bool has_zone(void *self, cairn_span name) {
    cairn__definitions_all *all = self;
    return cairn__span_equal(name, CAIRN_STR("UTC")) || cairn__zones_has(all->zones, name);
}

static bool holds(cairn_span table, const cairn_span *names, size_t count) {
    bool good = true;
    for (size_t i = 0; good && i < count; i++) {
        const cairn__zone *zone = NULL;
        cairn__arena arena = cairn__arena_make(cairn__heap(), ZONE_ARENA_BYTES_MAX);
        good = cairn__span_equal(names[i], CAIRN_STR("UTC")) ||
               cairn__zone_table_find(table, names[i], &arena, &zone) == CAIRN_OK;
        cairn__arena_free(&arena);
    }
    return good;
}

/* Some 600 files: read once. Whatever is not among them has a table of its own. */
static cairn_status zone_table(void *self, const cairn_span *names, size_t count, bool every,
                               cairn__buffer *to) {
    cairn__definitions_all *all = self;
    bool found = false;
    uv_mutex_lock(&all->mutex);
    if (every && all->all_zones.len == 0) {
        (void)cairn__zone_files_table(all->zone_directory, NULL, 0, true, &all->all_zones);
    }
    if (every && holds(cairn__buffer_span(&all->all_zones), names, count)) {
        cairn__buffer_append(to, cairn__buffer_span(&all->all_zones));
        found = !to->failed;
    }
    uv_mutex_unlock(&all->mutex);
    return found ? CAIRN_OK : cairn__zone_files_table(all->zone_directory, names, count, every, to);
}

static void on_left_out(void *self, const char *text) {
    (void)self;
    cairn__logline("error", "definition_left_out", text);
}

/* --- open and close --------------------------------------------------------------------------- */

static bool make_folder(const char *path, mode_t mode, char *text_out, size_t text_bytes) {
    if (mkdir(path, mode) == 0 || errno == EEXIST) {
        return true;
    }
    (void)snprintf(text_out, text_bytes, "%s: cannot be made (%s): check the data directory", path,
                   strerror(errno));
    return false;
}

static bool make_folders(const char *data_dir, char *text_out, size_t text_bytes) {
    char path[PATH_BYTES_MAX];
    (void)snprintf(path, sizeof path, "%s/definitions", data_dir);
    if (!make_folder(path, DIRECTORY_MODE, text_out, text_bytes)) {
        return false;
    }
    (void)snprintf(path, sizeof path, "%s/keys", data_dir);
    return make_folder(path, KEYS_MODE, text_out, text_bytes);
}

static bool open_key(cairn__definitions_project *project, const char *data_dir,
                     const cairn__project_config *config, char *text_out, size_t text_bytes) {
    char path[PATH_BYTES_MAX];
    bool given = config->signing_key[0] != 0;
    (void)snprintf(path, sizeof path, "%s/keys/%s.pem", data_dir, config->name);
    return cairn__signing_open(&project->signing, given ? config->signing_key : path, !given,
                               text_out, text_bytes);
}

static bool open_project(cairn__definitions_project *project, const char *data_dir,
                         const cairn__project_config *config, char *text_out, size_t text_bytes) {
    char path[PATH_BYTES_MAX];
    cairn__db_problem problem;
    uint64_t version = 0;
    if (!open_key(project, data_dir, config, text_out, text_bytes)) {
        return false;
    }
    (void)snprintf(path, sizeof path, "%s/definitions/%s.db", data_dir, config->name);
    const cairn__catalog_options options = { .allocator = cairn__heap(),
                                             .path = path,
                                             .project = cairn__span_of(config->write_key),
                                             .zone = cairn__span_of(config->timezone),
                                             .zones = &project->all->zone_seam,
                                             .on_left_out = on_left_out };
    if (cairn__catalog_open(&options, &project->catalog, &problem) != CAIRN_OK) {
        (void)snprintf(text_out, text_bytes, "%s: restore it from a copy, or check the disk",
                       problem.text);
        return false;
    }
    cairn_span bundle = cairn__catalog_bundle(project->catalog, &version);
    project->served = cairn__served_make(bundle, version, &project->signing);
    if (project->served == NULL) {
        (void)snprintf(text_out, text_bytes, "%s: its bundle cannot be signed: no memory",
                       config->name);
    }
    return project->served != NULL;
}

bool cairn__definitions_open(cairn__definitions_all *all, const cairn__config *config,
                             char *text_out, size_t text_bytes) {
    all->zone_seam = (cairn__link_zones){ has_zone, zone_table, all };
    all->all_zones = cairn__buffer_make(cairn__heap(), CAIRN__BUNDLE_ZONES_BYTES_MAX);
    int code = uv_mutex_init(&all->mutex);
    CAIRN_ASSERT(code == 0); /* fails only without memory for a few words */
    if (strlen(config->data_dir) > PATH_BYTES_MAX / 2 ||
        !make_folders(config->data_dir, text_out, text_bytes)) {
        return false;
    }
    all->projects = calloc(config->project_count, sizeof *all->projects);
    if (all->projects == NULL) {
        (void)snprintf(text_out, text_bytes, "no memory");
        return false;
    }
    for (size_t i = 0; i < config->project_count; i++) {
        all->projects[i].all = all;
        all->projects[i].name = config->projects[i].name;
        all->count = i + 1;
        if (!open_project(&all->projects[i], config->data_dir, &config->projects[i], text_out,
                          text_bytes)) {
            return false;
        }
    }
    return true;
}

void cairn__definitions_close(cairn__definitions_all *all) {
    for (size_t i = 0; i < all->count; i++) {
        CAIRN_ASSERT(all->projects[i].first == NULL);
        cairn__catalog_close(all->projects[i].catalog);
        cairn__served_free(all->projects[i].served);
        cairn__signing_close(&all->projects[i].signing);
    }
    if (all->zone_seam.self != NULL) { /* it was opened */
        uv_mutex_destroy(&all->mutex);
        cairn__buffer_free(&all->all_zones);
    }
    free(all->projects);
    *all = (cairn__definitions_all){ .count = 0 };
}

/* --- jobs, one after the other ---------------------------------------------------------------- */

static void on_work(uv_work_t *work) {
    cairn__definitions_job *job = work->data;
    job->run(job, job->project->catalog);
}

static void start(cairn__definitions_project *project);

/* What was made newer goes out from here on; only then the change is answered. */
static void on_work_done(uv_work_t *work, int status) {
    cairn__definitions_job *job = work->data;
    cairn__definitions_project *project = job->project;
    (void)status; /* never cancelled */
    *project->all->working -= 1;
    if (job->served != NULL) {
        cairn__served_free(project->served);
        project->served = job->served;
        job->served = NULL;
    }
    project->first = job->next;
    project->last = project->first == NULL ? NULL : project->last;
    project->job_count--;
    if (project->first != NULL) {
        start(project);
    }
    job->done(job);
}

static void start(cairn__definitions_project *project) {
    cairn__definitions_job *job = project->first;
    job->work.data = job;
    *project->all->working += 1;
    int code = uv_queue_work(project->all->loop, &job->work, on_work, on_work_done);
    CAIRN_ASSERT(code == 0);
}

bool cairn__definitions_ask(cairn__definitions_all *all, size_t index,
                            cairn__definitions_job *job) {
    cairn__definitions_project *project = &all->projects[index];
    if (project->job_count == CAIRN__DEFINITIONS_WAITING_MAX) {
        return false;
    }
    job->project = project;
    job->next = NULL;
    project->job_count++;
    if (project->last != NULL) {
        project->last->next = job;
        project->last = job;
        return true;
    }
    project->first = job;
    project->last = job;
    start(project);
    return true;
}
