/* Rows of delimited text: RFC 4180 (quotes, line ends inside them, CRLF, a byte order mark), or
 * columns set apart by runs of blanks. One row is in memory at a time. Not thread-safe.
 */
#ifndef CAIRN_CLI_CSV_H
#define CAIRN_CLI_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CAIRN__CSV_FIELDS_MAX 512u
#define CAIRN__CSV_ROW_BYTES_MAX 1048576u

/* The delimiter that stands for "any run of spaces and tabs"; quotes mean nothing then. */
#define CAIRN__CSV_BLANKS ' '

typedef enum {
    CAIRN__CSV_ROW,
    CAIRN__CSV_END,
    CAIRN__CSV_BAD,   /* reason says why; the row was skipped, the next call goes on after it */
    CAIRN__CSV_FAILED /* reading failed: reason says so, and there is nothing more */
} cairn__csv_result;

typedef struct {
    FILE *in; /* borrowed */
    char delimiter;
    uint64_t line;      /* lines read so far, from 1 */
    uint64_t row_line;  /* the line on which the latest row began */
    const char *reason; /* of CAIRN__CSV_BAD and CAIRN__CSV_FAILED; static text */
    size_t count;       /* fields of the latest row */
    size_t starts[CAIRN__CSV_FIELDS_MAX];
    size_t used;
    unsigned char held[4]; /* bytes to read again, the last one first */
    size_t held_count;
    char *text; /* CAIRN__CSV_ROW_BYTES_MAX bytes, owned */
} cairn__csv;

/* Starts reading `in`, skipping a UTF-8 byte order mark. False when there is no memory.
 * cairn__csv_close frees what it owns and leaves `in` open. */
bool cairn__csv_open(cairn__csv *csv, FILE *in, char delimiter);
void cairn__csv_close(cairn__csv *csv);

/* The next row that is not blank. */
cairn__csv_result cairn__csv_next(cairn__csv *csv);

/* Field `i` (below count), ending in a zero byte; valid until the next call. */
const char *cairn__csv_field(const cairn__csv *csv, size_t i);

#endif
