/* history_cases: random cases as JSON lines with the oracle's answer, for whoever evaluates rules
 * by other means (WASM, the collector): tests/unit/sdk/rules/history_gen.h says what a line holds.
 * The same seeds give the same lines.
 *
 *   history_cases FIRST_SEED COUNT     COUNT for each of the places */
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "history_oracle.h"

enum { ARENA_BYTES = 1 << 24, LINE_BYTES = 1 << 16 };

static bool write_place(const history_place *at, uint64_t first_seed, uint64_t count) {
    static history_clock zone;
    static history_clock user_zone;
    static gen_case made;
    cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    cairn__buffer line = cairn__buffer_make(cairn__heap(), LINE_BYTES);
    bool good = history_clock_open(&zone, at->zone, at->base_ms, &arena) &&
                history_clock_open(&user_zone, at->user_zone, at->base_ms, &arena);
    for (uint64_t i = 0; good && i < count; i++) {
        history_gen_make(&made, first_seed + i, &zone, &user_zone);
        cairn__buffer_clear(&line);
        history_gen_json(&made, history_oracle_answer(&made, made.now_ms), &line);
        good = !line.failed && fwrite(line.data, 1, line.len, stdout) == line.len;
    }
    cairn__buffer_free(&line);
    cairn__arena_free(&arena);
    return good;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        (void)fprintf(stderr, "usage: history_cases FIRST_SEED COUNT\n");
        return 2;
    }
    uint64_t first_seed = strtoull(argv[1], NULL, 10);
    uint64_t count = strtoull(argv[2], NULL, 10);
    for (size_t i = 0; i < HISTORY_PLACES; i++) {
        if (!write_place(&history_places[i], first_seed + i * count, count)) {
            (void)fprintf(stderr, "history_cases: %s: no such zone here, or no room\n",
                          history_places[i].zone);
            return 1;
        }
    }
    return 0;
}
