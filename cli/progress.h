/* How far a long work is: a bar on a terminal, now and then a plain line elsewhere. */
#ifndef CAIRN_CLI_PROGRESS_H
#define CAIRN_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CAIRN__PROGRESS_TEXT_BYTES 256u

typedef struct {
    FILE *to; /* borrowed */
    bool terminal;
    int64_t started_ms;
    int64_t drawn_ms;
} cairn__progress;

typedef struct {
    uint64_t bytes;       /* of the input, read so far */
    uint64_t bytes_total; /* 0: not known */
    uint64_t rows;
    uint64_t bad;
} cairn__progress_state;

void cairn__progress_open(cairn__progress *progress, FILE *to, int64_t now_ms);
/* Is a new line due? At most ten a second on a terminal, one in ten seconds elsewhere. */
bool cairn__progress_due(const cairn__progress *progress, int64_t now_ms);
void cairn__progress_draw(cairn__progress *progress, const cairn__progress_state *state,
                          int64_t now_ms);
/* Wipes the bar off a terminal. */
void cairn__progress_close(cairn__progress *progress);

/* What is drawn, after `elapsed_ms` of work: "42%  12,345 rows  1,234/s  0:32 left  3 bad". */
void cairn__progress_text(const cairn__progress_state *state, int64_t elapsed_ms, char *to);

#endif
