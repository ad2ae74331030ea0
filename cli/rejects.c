#include "cli/rejects.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define HEADER_BYTES_MAX 4194304u

void cairn__rejects_open(cairn__rejects *rejects, const char *path, const cairn__rows *rows) {
    *rejects = (cairn__rejects){ .rows = rows };
    snprintf(rejects->path, sizeof rejects->path, "%s", path);
}

static void tell(cairn__rejects *rejects) {
    if (!rejects->failed) {
        fprintf(stderr, "cairn: %s: %s; bad rows are only counted\n", rejects->path,
                strerror(errno));
    }
    rejects->failed = true;
}

static void begin(cairn__rejects *rejects) {
    cairn__buffer header = cairn__buffer_make(cairn__heap(), HEADER_BYTES_MAX);
    rejects->to = fopen(rejects->path, "w");
    if (rejects->to == NULL) {
        tell(rejects);
        return;
    }
    for (size_t i = 0; i < rejects->rows->column_count; i++) {
        cairn__rows_put_field(&header, rejects->rows->columns[i]);
    }
    if (rejects->rows->column_count == 0) {
        cairn__rows_put_field(&header, "row");
    }
    fprintf(rejects->to, "line,reason%.*s\n", (int)header.len, (const char *)header.data);
    cairn__buffer_free(&header);
}

void cairn__rejects_add(cairn__rejects *rejects, uint64_t line, const char *reason,
                        cairn_span raw) {
    rejects->count++;
    if (rejects->to == NULL && !rejects->failed) {
        begin(rejects);
    }
    if (rejects->to == NULL) {
        return;
    }
    cairn__buffer field = cairn__buffer_make(cairn__heap(), 4096);
    cairn__rows_put_field(&field, reason);
    fprintf(rejects->to, "%" PRIu64 "%.*s", line, (int)field.len, (const char *)field.data);
    fwrite(raw.data, 1, raw.len, rejects->to);
    if (fputc('\n', rejects->to) == EOF) {
        tell(rejects);
    }
    cairn__buffer_free(&field);
}

bool cairn__rejects_close(cairn__rejects *rejects) {
    if (rejects->to == NULL) {
        if (!rejects->failed) {
            unlink(rejects->path); /* a leftover would speak of rows that are good now */
        }
        return !rejects->failed;
    }
    if (ferror(rejects->to) || fclose(rejects->to) != 0) {
        tell(rejects);
    }
    rejects->to = NULL;
    return !rejects->failed;
}
