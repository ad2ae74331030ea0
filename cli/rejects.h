/* The file of rows that were not imported: line, reason, and the row as it came. Made when the
 * first one comes; one of an earlier run is replaced or, when all rows are good, removed. */
#ifndef CAIRN_CLI_REJECTS_H
#define CAIRN_CLI_REJECTS_H

#include "cli/rows.h"

#define CAIRN__REJECTS_PATH_BYTES 4096u

typedef struct {
    char path[CAIRN__REJECTS_PATH_BYTES];
    FILE *to;                /* NULL until the first row */
    const cairn__rows *rows; /* for the header; borrowed */
    uint64_t count;
    bool failed; /* the file cannot be written: errno said why, and it was told */
} cairn__rejects;

void cairn__rejects_open(cairn__rejects *rejects, const char *path, const cairn__rows *rows);
/* One row; `raw` as cairn__rows_raw writes it. */
void cairn__rejects_add(cairn__rejects *rejects, uint64_t line, const char *reason, cairn_span raw);
/* False when not all could be written. */
bool cairn__rejects_close(cairn__rejects *rejects);

#endif
