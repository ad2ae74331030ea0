/* bench_fold.c: how fast the fold is, and a data directory full of journeys to ask questions of.
 *
 *   bench_fold DIR PEOPLE EVENTS ROWS.bin
 *
 * Writes the journeys as devices send them (SyncRequests of at most 50 events, in the order of
 * their arrival, the log of an edge), then folds that log as the edge's folder does: committing
 * every 50 ms, flushing and compacting on the same thread. Prints one line of JSON. ROWS.bin gets
 * the same journeys in ClickHouse's RowBinary, which bench_sqlite reads as well. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "bench/journeys.h"
#include "edge/datadir.h"
#include "fold/fold.h"
#include "model/sync.h"

enum { BATCH_EVENTS_MAX = 50, GROUP_BYTES = 8 * 1024 * 1024, COMMIT_MS = 50, PATH_BYTES = 1024 };
#define SEED 20240101u

/* A request: so many events of one person from `first` on. */
typedef struct {
    uint64_t first;
    uint32_t count;
    uint32_t arrival_s;
} chunk;

typedef struct {
    const char *directory;
    journeys all;
    chunk *chunks;
    size_t chunk_count;
    uint64_t log_bytes;
    double fold_wall_s, fold_cpu_s;
    cairn__fold_stats stats;
} bench;

static double seconds_of(clockid_t which) {
    struct timespec now;
    clock_gettime(which, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fail(const char *what, const char *text) {
    fprintf(stderr, "bench_fold: %s: %s\n", what, text);
    exit(1);
}

/* --- the log ------------------------------------------------------------------------------------
 */

static int by_arrival(const void *a, const void *b) {
    const chunk *x = a;
    const chunk *y = b;
    if (x->arrival_s != y->arrival_s) {
        return x->arrival_s < y->arrival_s ? -1 : 1;
    }
    return x->first < y->first ? -1 : x->first > y->first;
}

static void cut_chunks(bench *b) {
    b->chunks = calloc(b->all.count, sizeof *b->chunks);
    if (b->chunks == NULL) {
        fail("chunks", "out of memory");
    }
    for (size_t person = 0; person < b->all.people; person++) {
        size_t end = b->all.first[person + 1];
        for (size_t at = b->all.first[person]; at < end;) {
            size_t count = end - at < BATCH_EVENTS_MAX ? end - at : BATCH_EVENTS_MAX;
            uint32_t arrival_s = b->all.events[at + count - 1].time_s;
            b->chunks[b->chunk_count++] = (chunk){ at, (uint32_t)count, arrival_s };
            at += count;
        }
    }
    qsort(b->chunks, b->chunk_count, sizeof *b->chunks, by_arrival);
}

static cairn_property text_property(const char *name, const char *text) {
    return (cairn_property){ cairn__span_of(name),
                             { .kind = CAIRN_VALUE_STRING, .as.string = cairn__span_of(text) } };
}

static void encode_event(const journey_event *from, uint64_t seq, cairn__buffer *to) {
    const cairn_property properties[4] = {
        text_property("platform", journeys_platform(from->platform)),
        text_property("province", journeys_province(from->province)),
        text_property("channel", journeys_channel(from->channel)),
        { CAIRN_STR("amount"),
          { .kind = CAIRN_VALUE_INTEGER, .as.integer = (int64_t)from->amount } },
    };
    const cairn__event event = { .seq = seq,
                                 .name = cairn__span_of(journeys_name(from->name)),
                                 .time_ms = (int64_t)from->time_s * 1000,
                                 .properties = properties,
                                 .property_count = from->amount == 0 ? 3 : 4 };
    cairn__event_encode(to, &event);
}

static void frame_chunk(const bench *b, const chunk *c, cairn__arena *scratch,
                        cairn__buffer *group) {
    size_t ends[BATCH_EVENTS_MAX];
    cairn_span events[BATCH_EVENTS_MAX];
    cairn__buffer bytes = cairn__buffer_make(cairn__heap(), GROUP_BYTES);
    cairn__buffer body = cairn__buffer_make(cairn__heap(), GROUP_BYTES);
    const journey_event *first = &b->all.events[c->first];
    uint64_t seq = c->first - b->all.first[first->person - 1];
    for (size_t i = 0; i < c->count; i++) {
        encode_event(&first[i], seq + i + 1, &bytes);
        ends[i] = bytes.len;
    }
    for (size_t i = 0; i < c->count; i++) {
        size_t from = i == 0 ? 0 : ends[i - 1];
        events[i] = cairn__span(bytes.data + from, ends[i] - from);
    }
    int64_t now_ms = (int64_t)c->arrival_s * 1000;
    cairn__sync_head head = { .project_key = CAIRN_STR("bench-write-key"),
                              .sdk_name = CAIRN_STR("bench"),
                              .sdk_version = CAIRN_STR("1"),
                              .platform = CAIRN_STR("bench"),
                              .sent_ms = now_ms };
    cairn__store_u32(head.device_id, first->person);
    cairn__arena_reset(scratch);
    if (cairn__sync_request_encode(&head, events, c->count, scratch, &body) != CAIRN_OK) {
        fail("encode", "a request does not fit");
    }
    const cairn__log_entry entry = { .type = CAIRN__LOG_SYNC,
                                     .received_ms = now_ms,
                                     .project = CAIRN_STR("bench"),
                                     .payload = cairn__buffer_span(&body) };
    cairn__log_frame(group, &entry);
    cairn__buffer_free(&bytes);
    cairn__buffer_free(&body);
}

static void write_log(bench *b, const char *path) {
    cairn__files files = cairn__files_posix();
    cairn__log_problem problem = { "" };
    cairn__log_writer *writer = NULL;
    cairn__arena scratch = cairn__arena_make(cairn__heap(), GROUP_BYTES);
    cairn__buffer group = cairn__buffer_make(cairn__heap(), (size_t)2 * GROUP_BYTES);
    if (cairn__log_writer_open(&(cairn__log_options){ &files, path, cairn__heap(), 0 }, &writer,
                               &problem) != CAIRN_OK) {
        fail("log", problem.text);
    }
    for (size_t i = 0; i < b->chunk_count; i++) {
        frame_chunk(b, &b->chunks[i], &scratch, &group);
        bool last = i + 1 == b->chunk_count;
        if (group.len < GROUP_BYTES && !last) {
            continue;
        }
        if (cairn__log_write(writer, cairn__buffer_span(&group), &problem) != CAIRN_OK) {
            fail("log", problem.text);
        }
        cairn__buffer_clear(&group);
    }
    b->log_bytes = cairn__log_writer_position(writer);
    cairn__log_writer_close(writer);
    cairn__buffer_free(&group);
    cairn__arena_free(&scratch);
}

/* --- the fold -----------------------------------------------------------------------------------
 */

static void commit(cairn__fold *fold, uint64_t position) {
    cairn__fold_problem problem = { "" };
    if (cairn__fold_commit(fold, position, &problem) != CAIRN_OK) {
        fail("commit", problem.text);
    }
}

static bool run_job(cairn__fold *fold) {
    cairn__trail_job *job = cairn__fold_job_plan(fold);
    if (job == NULL) {
        return false;
    }
    (void)cairn__trail_job_run(job);
    (void)cairn__fold_job_finish(fold, job);
    return true;
}

static void fold_all(cairn__fold *fold, cairn__log_reader *reader) {
    double last_s = seconds_of(CLOCK_MONOTONIC);
    uint64_t position = 0;
    for (size_t n = 0;; n++) {
        cairn__log_entry entry;
        cairn__log_problem problem = { "" };
        cairn_status status = cairn__log_read(reader, UINT64_MAX, &entry, &problem);
        if (status == CAIRN_NOT_FOUND) {
            break;
        }
        if (status != CAIRN_OK || cairn__fold_entry(fold, &entry) != CAIRN_OK) {
            fail("fold", problem.text[0] == 0 ? "an entry could not be folded" : problem.text);
        }
        position = entry.end;
        if (n % 64 != 0 || seconds_of(CLOCK_MONOTONIC) - last_s < COMMIT_MS / 1000.0) {
            continue;
        }
        run_job(fold);
        commit(fold, position);
        last_s = seconds_of(CLOCK_MONOTONIC);
    }
    commit(fold, position);
    while (run_job(fold)) {
        commit(fold, position);
    }
}

static void fold_log(bench *b, const char *log_path) {
    char path[PATH_BYTES];
    cairn__files files = cairn__files_posix();
    cairn__fold_problem problem = { "" };
    cairn__fold *fold = NULL;
    cairn__log_reader *reader = NULL;
    snprintf(path, sizeof path, "%s/projects/bench", b->directory);
    const cairn__fold_options options = { .allocator = cairn__heap(), .directory = path };
    if (cairn__fold_open(&options, &fold, &problem) != CAIRN_OK) {
        fail("fold", problem.text);
    }
    if (cairn__log_reader_open(&files, log_path, 0, cairn__heap(), &reader) != CAIRN_OK) {
        fail("log", "cannot be read");
    }
    double wall_s = seconds_of(CLOCK_MONOTONIC);
    double cpu_s = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    fold_all(fold, reader);
    b->fold_wall_s = seconds_of(CLOCK_MONOTONIC) - wall_s;
    b->fold_cpu_s = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_s;
    cairn__fold_stats_of(fold, &b->stats);
    cairn__log_reader_close(reader);
    cairn__fold_close(fold);
}

/* --- the whole ----------------------------------------------------------------------------------
 */

static void write_rows(const bench *b, const char *path) {
    FILE *file = fopen(path, "wb");
    if (file == NULL ||
        fwrite(b->all.events, sizeof *b->all.events, b->all.count, file) != b->all.count ||
        fclose(file) != 0) {
        fail(path, "cannot be written");
    }
}

int main(int argc, char **argv) {
    bench b = { 0 };
    char log_path[PATH_BYTES];
    char projects[PATH_BYTES];
    char problem[512];
    int lock = -1;
    if (argc != 5) {
        fputs("usage: bench_fold DIR PEOPLE EVENTS ROWS.bin\n", stderr);
        return 2;
    }
    b.directory = argv[1];
    if (!cairn__datadir_open(b.directory, &lock, problem, sizeof problem)) {
        fail("data directory", problem);
    }
    snprintf(log_path, sizeof log_path, "%s/log", b.directory);
    snprintf(projects, sizeof projects, "%s/projects", b.directory);
    (void)mkdir(projects, 0750);
    snprintf(projects, sizeof projects, "%s/projects/bench", b.directory);
    (void)mkdir(projects, 0750);
    if (!journeys_make(&b.all, strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10), SEED)) {
        fail("journeys", "out of memory");
    }
    write_rows(&b, argv[4]);
    cut_chunks(&b);
    write_log(&b, log_path);
    fold_log(&b, log_path);
    printf("{\"events\":%zu,\"requests\":%zu,\"log_bytes\":%" PRIu64 ",\"wall_s\":%.3f,"
           "\"cpu_s\":%.3f,\"folded\":%" PRIu64 ",\"persons\":%" PRIu64 ",\"trail_bytes\":%" PRIu64
           ",\"segments\":%" PRIu64 "}\n",
           b.all.count, b.chunk_count, b.log_bytes, b.fold_wall_s, b.fold_cpu_s, b.stats.events,
           b.stats.persons, b.stats.trail_bytes, b.stats.segments);
    journeys_free(&b.all);
    free(b.chunks);
    close(lock);
    return 0;
}
