/* A data directory without its edge: locked for this process, its projects opened one by one.
 * What the log holds beyond a project's last commit is folded in memory and never committed, so
 * that looking changes nothing that the edge will find. Not thread-safe. */
#ifndef CAIRN_CLI_DATA_H
#define CAIRN_CLI_DATA_H

#include "fold/fold.h"

#define CAIRN__DATA_PATH_BYTES 1024u
#define CAIRN__DATA_PROJECTS_MAX 256u
#define CAIRN__DATA_NAME_BYTES 128u

typedef struct {
    char path[CAIRN__DATA_PATH_BYTES];
    int lock;
    char projects[CAIRN__DATA_PROJECTS_MAX][CAIRN__DATA_NAME_BYTES]; /* sorted */
    size_t project_count;
    char problem[768];
} cairn__data;

/* False: problem says what is wrong (no such folder, an edge is running on it, a newer format). */
bool cairn__data_open(cairn__data *data, const char *path);
void cairn__data_close(cairn__data *data);

/* Opens a project's state as it was last committed; NULL: problem. */
cairn__fold *cairn__data_project(cairn__data *data, const char *name);
/* Folds what the log holds beyond it. False: problem. */
bool cairn__data_catch_up(cairn__data *data, cairn__fold *fold, const char *name);

#endif
