/* The rows of a file to import, whatever its form: fields of a CSV, or members of an object per
 * line. One row is in memory at a time. Not thread-safe. */
#ifndef CAIRN_CLI_ROWS_H
#define CAIRN_CLI_ROWS_H

#include <jansson.h>

#include "base/memory.h"
#include "cli/csv.h"
#include "cli/mapping.h"

typedef struct {
    FILE *in; /* borrowed */
    const cairn__mapping *mapping;
    cairn__csv csv;
    const char *const *columns; /* names of a CSV's columns: the mapping's, or the header's */
    size_t column_count;
    cairn__arena arena; /* owns a header's names */
    char *line_text;    /* of JSON lines, owned */
    size_t line_capacity;
    size_t line_bytes;
    uint64_t line;  /* of the latest row, from 1 */
    json_t *object; /* the latest row of JSON lines; owned, until the next call */
    char reason[256];
} cairn__rows;

/* Starts reading, and reads the header of a CSV that has one. False: reason. */
bool cairn__rows_open(cairn__rows *rows, FILE *in, const cairn__mapping *mapping);
void cairn__rows_close(cairn__rows *rows);

/* The next row that is not blank. CAIRN__CSV_BAD and CAIRN__CSV_FAILED: reason. */
cairn__csv_result cairn__rows_next(cairn__rows *rows);

/* The place of a CSV's column; column_count when there is none. */
size_t cairn__rows_column(const cairn__rows *rows, const char *name);

/* Appends the row as it came, as CSV fields after a comma (the text of a JSON line is one field):
 * what a file of rejected rows says of it. */
void cairn__rows_raw(const cairn__rows *rows, cairn__buffer *to);

/* Appends a comma and `text` as one field of RFC 4180. */
void cairn__rows_put_field(cairn__buffer *to, const char *text);

#endif
