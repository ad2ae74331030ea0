#include "cli/progress.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum { TERMINAL_MS = 100, PLAIN_MS = 10000, BAR_CELLS = 24, COUNT_BYTES = 32 };

/* 1234567 as 1,234,567. */
static void group(uint64_t value, char *to) {
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, value);
    for (int i = 0; i < length; i++) {
        *to++ = digits[i];
        if ((length - i - 1) % 3 == 0 && i + 1 < length) {
            *to++ = ',';
        }
    }
    *to = 0;
}

static uint64_t share(const cairn__progress_state *state, uint64_t of) {
    uint64_t bytes = state->bytes > state->bytes_total ? state->bytes_total : state->bytes;
    return state->bytes_total == 0
               ? 0
               : (uint64_t)((double)bytes / (double)state->bytes_total * (double)of);
}

void cairn__progress_text(const cairn__progress_state *state, int64_t elapsed_ms, char *to) {
    char rows[COUNT_BYTES];
    char rate[COUNT_BYTES];
    char bad[COUNT_BYTES];
    char left[48] = "";
    char percent[16] = "";
    uint64_t ms = elapsed_ms < 1 ? 1 : (uint64_t)elapsed_ms;
    group(state->rows, rows);
    group(state->rows * 1000 / ms, rate);
    group(state->bad, bad);
    if (state->bytes_total != 0) {
        snprintf(percent, sizeof percent, "%" PRIu64 "%%  ", share(state, 100));
    }
    if (state->bytes_total > state->bytes && state->bytes > 0 && ms >= 1000) {
        double rest = (double)(state->bytes_total - state->bytes);
        uint64_t seconds = (uint64_t)(rest / (double)state->bytes * (double)ms / 1000.0);
        snprintf(left, sizeof left, "  %" PRIu64 ":%02" PRIu64 " left", seconds / 60, seconds % 60);
    }
    snprintf(to, CAIRN__PROGRESS_TEXT_BYTES, "%s%s rows  %s/s%s  %s bad", percent, rows, rate, left,
             bad);
}

void cairn__progress_open(cairn__progress *progress, FILE *to, int64_t now_ms) {
    *progress = (cairn__progress){
        .to = to, .terminal = isatty(fileno(to)) == 1, .started_ms = now_ms, .drawn_ms = now_ms
    };
}

bool cairn__progress_due(const cairn__progress *progress, int64_t now_ms) {
    return now_ms - progress->drawn_ms >= (progress->terminal ? TERMINAL_MS : PLAIN_MS);
}

void cairn__progress_draw(cairn__progress *progress, const cairn__progress_state *state,
                          int64_t now_ms) {
    char text[CAIRN__PROGRESS_TEXT_BYTES];
    char bar[BAR_CELLS + 1];
    cairn__progress_text(state, now_ms - progress->started_ms, text);
    progress->drawn_ms = now_ms;
    if (!progress->terminal) {
        fprintf(progress->to, "cairn: %s\n", text);
        return;
    }
    size_t full = (size_t)share(state, BAR_CELLS);
    memset(bar, ' ', BAR_CELLS);
    memset(bar, '=', full);
    bar[BAR_CELLS] = 0;
    fprintf(progress->to, "\r[%s]  %s\x1b[K", bar, text);
    fflush(progress->to);
}

void cairn__progress_close(cairn__progress *progress) {
    if (progress->terminal) {
        fputs("\r\x1b[K", progress->to);
        fflush(progress->to);
    }
}
