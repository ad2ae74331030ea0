/* bench_funnel.c: what a funnel costs beyond its reader.
 *
 * The reader is replaced by one that hands out ready columns (it defines all of trail/reader.h), in
 * batches of the real one's size; "scan" is a loop that only looks at them. So the difference is
 * the engine's own work. One thread; the best of several rounds.
 *
 *   bench_funnel [events]        default 5,000,000 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analytics/analytics.h"
#include "base/bytes.h"
#include "base/hash.h"

enum {
    EVENTS_DEFAULT = 5000000,
    PERSON_EVENTS = 20, /* on average */
    BATCH_ROWS = 16 * 1024,
    ROUNDS = 7,
    PROVINCES = 34,
    MS_PER_DAY = 86400000,
    DAYS = 90,
    BUDGET_BYTES = 256 << 20,
};

#define START_MS INT64_C(1785542400000) /* 2026-08-01T00:00:00Z */
#define END_MS (START_MS + DAYS * (int64_t)MS_PER_DAY)

/* The whole trail as columns, and where its batches begin. */
struct cairn__trail_snapshot {
    size_t rows, persons;
    int64_t *time_ms;
    uint16_t *name;
    uint64_t *order;
    uint8_t *kind;
    uint64_t *bits;
    uint32_t *person;     /* by person: its number */
    size_t *person_first; /* by person: its first row; one more at the end */
    cairn_span provinces[PROVINCES];
};

struct cairn__reader {
    const cairn__trail_snapshot *trail;
    size_t next; /* person */
    uint32_t person_rows[BATCH_ROWS + 1];
    cairn__reader_column column;
    cairn_allocator allocator;
};

static uint64_t next_random(uint64_t *state) {
    *state += UINT64_C(0x9E3779B97F4A7C15);
    return cairn__mix(*state);
}

/* Looks, orders and payments as 7 : 2 : 1, in time order; the province is the person's, mostly. */
static void fill_person(cairn__trail_snapshot *trail, size_t person, size_t first, size_t end) {
    uint64_t state = person;
    uint64_t home = next_random(&state) % PROVINCES;
    int64_t at_ms = START_MS + (int64_t)(next_random(&state) % (30 * (uint64_t)MS_PER_DAY));
    for (size_t row = first; row < end; row++) {
        uint64_t dice = next_random(&state);
        at_ms += (int64_t)(dice % (2 * (uint64_t)(DAYS - 30) * MS_PER_DAY / PERSON_EVENTS));
        at_ms = at_ms < END_MS ? at_ms : END_MS - 1;
        uint32_t kind = (uint32_t)(dice >> 40) % 10;
        trail->time_ms[row] = at_ms;
        trail->name[row] = kind < 7 ? 0 : kind < 9 ? 1 : 2;
        trail->order[row] = row;
        trail->kind[row] = CAIRN_VALUE_STRING;
        trail->bits[row] = (dice >> 50) % 100 < 97 ? home : (dice >> 32) % PROVINCES;
    }
}

static void fill(cairn__trail_snapshot *trail, size_t rows) {
    static char names[PROVINCES][16];
    uint64_t state = 1;
    trail->rows = rows;
    trail->time_ms = malloc(rows * sizeof *trail->time_ms);
    trail->name = malloc(rows * sizeof *trail->name);
    trail->order = malloc(rows * sizeof *trail->order);
    trail->kind = malloc(rows);
    trail->bits = malloc(rows * sizeof *trail->bits);
    trail->person = malloc(rows * sizeof *trail->person);
    trail->person_first = malloc((rows + 1) * sizeof *trail->person_first);
    size_t row = 0;
    for (; row < rows; trail->persons++) {
        size_t count = 1 + next_random(&state) % (2 * PERSON_EVENTS);
        size_t end = row + count < rows ? row + count : rows;
        trail->person[trail->persons] = (uint32_t)trail->persons;
        trail->person_first[trail->persons] = row;
        fill_person(trail, trail->persons, row, end);
        row = end;
    }
    trail->person_first[trail->persons] = rows;
    for (size_t i = 0; i < PROVINCES; i++) {
        (void)snprintf(names[i], sizeof names[i], "province %zu", i);
        trail->provinces[i] = cairn__span_of(names[i]);
    }
}

/* --- trail/reader.h, without any work --- */

cairn_status cairn__reader_open(const cairn__trail_snapshot *snapshot,
                                const cairn__reader_options *options, cairn__reader **reader_out) {
    cairn__reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        return CAIRN_NO_MEMORY;
    }
    reader->trail = snapshot;
    reader->allocator = options->allocator;
    *reader_out = reader;
    return CAIRN_OK;
}

cairn_status cairn__reader_next(cairn__reader *reader, cairn__reader_batch *batch_out) {
    const cairn__trail_snapshot *trail = reader->trail;
    size_t first = reader->next;
    size_t row = trail->person_first[first];
    while (reader->next < trail->persons &&
           trail->person_first[reader->next + 1] - row <= BATCH_ROWS) {
        reader->person_rows[reader->next - first] =
            (uint32_t)(trail->person_first[reader->next] - row);
        reader->next++;
    }
    size_t end = trail->person_first[reader->next];
    reader->person_rows[reader->next - first] = (uint32_t)(end - row);
    reader->column = (cairn__reader_column){ trail->kind + row, trail->bits + row };
    *batch_out = (cairn__reader_batch){ .person_count = reader->next - first,
                                        .persons = trail->person + first,
                                        .person_rows = reader->person_rows,
                                        .row_count = end - row,
                                        .time_ms = trail->time_ms + row,
                                        .name = trail->name + row,
                                        .order = trail->order + row,
                                        .columns = &reader->column };
    return CAIRN_OK;
}

void cairn__reader_close(cairn__reader *reader) {
    free(reader);
}

cairn_span cairn__reader_name(const cairn__reader *reader, uint16_t code) {
    static const char *const names[] = { "ViewProduct", "SubmitOrder", "PayOrder" };
    (void)reader;
    return cairn__span_of(names[code]);
}

cairn_span cairn__reader_text(const cairn__reader *reader, uint64_t bits) {
    return reader->trail->provinces[bits];
}

cairn_string_list cairn__reader_list(const cairn__reader *reader, uint64_t bits) {
    (void)reader;
    (void)bits;
    return (cairn_string_list){ NULL, 0 };
}

uint64_t cairn__reader_rows_read(const cairn__reader *reader) {
    return reader->trail->person_first[reader->next];
}

/* --- measuring --- */

/* Of the processor, not of the wall: one thread, and other work on the machine is not counted. */
static double now_ms(void) {
    struct timespec at;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (double)at.tv_sec * 1000 + (double)at.tv_nsec / 1e6;
}

/* Touches the columns that a plain funnel reads. */
static double scan(const cairn__trail_snapshot *trail) {
    cairn__reader *reader = NULL;
    cairn__reader_batch batch = { 0 };
    const cairn__reader_options options = { .allocator = cairn__heap() };
    int64_t sum = 0;
    double start = now_ms();
    if (cairn__reader_open(trail, &options, &reader) != CAIRN_OK) {
        return -1;
    }
    while (cairn__reader_next(reader, &batch) == CAIRN_OK && batch.person_count != 0) {
        for (size_t i = 0; i < batch.row_count; i++) {
            sum += batch.time_ms[i] ^ batch.name[i];
        }
    }
    double ms = now_ms() - start;
    cairn__reader_close(reader);
    return sum == 1 ? -1 : ms; /* the sum must not be optimised away */
}

static double ask(const cairn__trail_snapshot *trail, const char *query) {
    cairn__analyze_problem problem;
    const cairn__analyze_source source = { .snapshot = trail };
    const cairn__analyze_options options = { .allocator = cairn__heap(),
                                             .bytes_max = BUDGET_BYTES };
    cairn__buffer answer = cairn__buffer_make(cairn__heap(), 1 << 24);
    double start = now_ms();
    cairn_status status =
        cairn__analyze(&source, cairn__span_of(query), &options, &answer, &problem);
    double ms = now_ms() - start;
    if (status != CAIRN_OK) {
        fprintf(stderr, "bench_funnel: %s: %s\n", problem.field, problem.detail);
        exit(1);
    }
    cairn__buffer_free(&answer);
    return ms;
}

static double best_of(const cairn__trail_snapshot *trail, const char *query) {
    double best = -1;
    for (int i = 0; i < ROUNDS; i++) {
        double ms = query == NULL ? scan(trail) : ask(trail, query);
        best = best < 0 || ms < best ? ms : best;
    }
    return best;
}

#define FUNNEL(options)                                                                            \
    "{\"model\":\"funnel\",\"from\":\"2026-08-01\",\"to\":\"2026-10-29\",\"window\":\"7d\","       \
    "\"steps\":[\"ViewProduct\",\"SubmitOrder\",\"PayOrder\"]" options "}"

int main(int argc, char **argv) {
    static const struct {
        const char *name, *query;
    } cases[] = {
        { "plain", FUNNEL("") },
        { "by event.province@1", FUNNEL(",\"by\":[\"event.province@1\"]") },
        { "by event.province", FUNNEL(",\"by\":[\"event.province\"]") },
        { "strict", FUNNEL(",\"order\":\"strict\"") },
        { "any", FUNNEL(",\"order\":\"any\"") },
        { "hold", FUNNEL(",\"hold\":\"event.province\"") },
        { "times", FUNNEL(",\"times\":true") },
        { "unit day", FUNNEL(",\"unit\":\"day\"") },
        { "every", FUNNEL(",\"entry\":\"every\"") },
        { "counts by day and province",
          "{\"model\":\"event\",\"from\":\"2026-08-01\",\"to\":\"2026-10-29\",\"unit\":\"day\","
          "\"by\":[\"event.province\"],\"series\":[{\"name\":\"n\",\"on\":[\"ViewProduct\","
          "\"SubmitOrder\",\"PayOrder\"],\"measure\":\"count\"}]}" },
    };
    static cairn__trail_snapshot trail;
    size_t rows = argc > 1 ? strtoull(argv[1], NULL, 10) : EVENTS_DEFAULT;
    fill(&trail, rows == 0 ? EVENTS_DEFAULT : rows);
    double floor_ms = best_of(&trail, NULL);
    printf("{\"bench\":\"funnel\",\"case\":\"scan\",\"events\":%zu,\"persons\":%zu,\"ms\":%.1f}\n",
           trail.rows, trail.persons, floor_ms);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double ms = best_of(&trail, cases[i].query);
        printf("{\"bench\":\"funnel\",\"case\":\"%s\",\"events\":%zu,\"ms\":%.1f,"
               "\"beyond_scan_ms\":%.1f,\"ns_per_event\":%.1f}\n",
               cases[i].name, trail.rows, ms, ms - floor_ms,
               (ms - floor_ms) * 1e6 / (double)trail.rows);
    }
    return 0;
}
