#include "cli/data.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "edge/datadir.h"

static int by_name(const void *a, const void *b) {
    return strcmp(a, b);
}

static bool is_folder(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static void list_projects(cairn__data *data) {
    char path[CAIRN__DATA_PATH_BYTES + 16];
    snprintf(path, sizeof path, "%s/projects", data->path);
    DIR *folder = opendir(path);
    const struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        size_t bytes = strlen(entry->d_name);
        if (entry->d_name[0] == '.' || bytes >= CAIRN__DATA_NAME_BYTES ||
            data->project_count == CAIRN__DATA_PROJECTS_MAX) {
            continue;
        }
        memcpy(data->projects[data->project_count++], entry->d_name, bytes + 1);
    }
    if (folder != NULL) {
        closedir(folder);
    }
    qsort(data->projects, data->project_count, sizeof data->projects[0], by_name);
}

bool cairn__data_open(cairn__data *data, const char *path) {
    char format[CAIRN__DATA_PATH_BYTES + 16];
    memset(data, 0, sizeof *data);
    data->lock = -1;
    int bytes = snprintf(data->path, sizeof data->path, "%s", path);
    snprintf(format, sizeof format, "%s/format", data->path);
    if (bytes < 0 || (size_t)bytes >= sizeof data->path || !is_folder(path) ||
        access(format, F_OK) != 0) {
        snprintf(data->problem, sizeof data->problem,
                 "%.200s: no data directory; give the data_dir of an edge", path);
        return false; /* never made here: looking must not leave a new one behind */
    }
    if (!cairn__datadir_open(path, &data->lock, data->problem, sizeof data->problem)) {
        data->lock = -1;
        return false;
    }
    list_projects(data);
    return true;
}

void cairn__data_close(cairn__data *data) {
    if (data->lock >= 0) {
        close(data->lock);
    }
    data->lock = -1;
}

cairn__fold *cairn__data_project(cairn__data *data, const char *name) {
    char path[CAIRN__DATA_PATH_BYTES + CAIRN__DATA_NAME_BYTES + 16];
    cairn__fold_problem problem = { "" };
    cairn__fold *fold = NULL;
    snprintf(path, sizeof path, "%s/projects/%s", data->path, name);
    if (!is_folder(path)) {
        snprintf(data->problem, sizeof data->problem, "project %.100s: there is none in %.200s",
                 name, data->path);
        return NULL;
    }
    const cairn__fold_options options = { .allocator = cairn__heap(), .directory = path };
    if (cairn__fold_open(&options, &fold, &problem) != CAIRN_OK) {
        snprintf(data->problem, sizeof data->problem, "project %.100s: %.300s", name,
                 problem.text[0] == 0 ? "its state cannot be opened" : problem.text);
        return NULL;
    }
    return fold;
}

static bool fold_rest(cairn__data *data, cairn__fold *fold, const char *name,
                      cairn__log_reader *reader) {
    for (;;) {
        cairn__log_entry entry;
        cairn__log_problem problem = { "" };
        cairn_status status = cairn__log_read(reader, UINT64_MAX, &entry, &problem);
        if (status == CAIRN_NOT_FOUND) {
            return true;
        }
        if (status != CAIRN_OK) {
            snprintf(data->problem, sizeof data->problem, "%s", problem.text);
            return false;
        }
        bool its_own =
            entry.type == CAIRN__LOG_TICK || cairn__span_equal(cairn__span_of(name), entry.project);
        if (its_own && cairn__fold_entry(fold, &entry) != CAIRN_OK) {
            snprintf(data->problem, sizeof data->problem,
                     "project %.100s: the log's end does not fit in memory; start the edge once",
                     name);
            return false;
        }
    }
}

bool cairn__data_catch_up(cairn__data *data, cairn__fold *fold, const char *name) {
    char path[CAIRN__DATA_PATH_BYTES + 16];
    cairn__files files = cairn__files_posix();
    cairn__log_reader *reader = NULL;
    snprintf(path, sizeof path, "%s/log", data->path);
    cairn_status status =
        cairn__log_reader_open(&files, path, cairn__fold_position(fold), cairn__heap(), &reader);
    if (status != CAIRN_OK) {
        snprintf(data->problem, sizeof data->problem,
                 "%.200s: there is no entry where project %.100s goes on; cairn verify says more",
                 path, name);
        return false;
    }
    bool ok = fold_rest(data, fold, name, reader);
    cairn__log_reader_close(reader);
    return ok;
}
