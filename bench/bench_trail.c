/* bench_trail: how fast the event store takes events in and reads them.
 *
 *   bench_trail [events] [directory]      5,000,000 events into ./bench_trail.data by default
 *
 * Events are those of a shop over 90 days in order of arrival: 30 names, whole seconds, busy and
 * idle persons, four properties (platform, province, channel; an amount on orders). The directory
 * is made anew; a JSON line per measurement. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "trail/reader.h"
#include "trail/trail.h"

enum { NAMES = 30, PROVINCES = 34, CHANNELS = 12, COMMIT_ROWS = 50000, EVENTS_PER_PERSON = 20 };

static const char *const event_names[NAMES] = {
    "$AppStart",   "$AppEnd",     "$AppViewScreen", "$AppClick",      "$SignUp",
    "Login",       "Search",      "SearchResult",   "ViewCategory",   "ViewProduct",
    "AddToFav",    "AddToCart",   "ViewCart",       "RemoveFromCart", "SubmitOrder",
    "PayOrder",    "CancelOrder", "RefundApply",    "ReceiveCoupon",  "UseCoupon",
    "Share",       "Comment",     "PopupShow",      "PopupClick",     "BannerShow",
    "BannerClick", "PushReceive", "PushClick",      "Contact",        "WatchVideo"
};
/* of 1000; like the stationary shares of the shop's Markov chain */
static const unsigned event_weights[NAMES] = { 110, 105, 190, 75, 6,  12, 50, 32, 50, 130,
                                               8,   20,  16,  4,  15, 10, 2,  1,  12, 6,
                                               6,   2,   12,  3,  60, 8,  10, 10, 5,  30 };
static const char *const platforms[4] = { "Android", "iOS", "MiniProgram", "Web" };

static uint64_t next_random(uint64_t *state) {
    *state += UINT64_C(0x9E3779B97F4A7C15);
    return cairn__mix(*state);
}

static uint32_t below(uint64_t *state, uint32_t limit) {
    return (uint32_t)(((next_random(state) >> 32) * limit) >> 32);
}

static double now_ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

static void check(bool ok, const char *what) {
    if (!ok) {
        (void)fprintf(stderr, "bench_trail: %s failed\n", what);
        exit(1);
    }
}

typedef struct bench {
    uint32_t events, persons;
    const char *directory;
    char database[4096];
    sqlite3 *db;
    cairn__trail *trail;
    uint64_t random;
    uint8_t names[1000];
    char provinces[PROVINCES][16], channels[CHANNELS][16];
} bench;

static void prepare(bench *b) {
    size_t at = 0;
    for (size_t name = 0; name < NAMES; name++) {
        for (unsigned i = 0; i < event_weights[name] && at < sizeof b->names; i++) {
            b->names[at++] = (uint8_t)name;
        }
    }
    while (at < sizeof b->names) {
        b->names[at++] = 2;
    }
    for (size_t i = 0; i < PROVINCES; i++) {
        (void)snprintf(b->provinces[i], sizeof b->provinces[i], "province %zu", i);
    }
    for (size_t i = 0; i < CHANNELS; i++) {
        (void)snprintf(b->channels[i], sizeof b->channels[i], "channel %zu", i);
    }
}

static cairn_property text_property(const char *name, const char *text) {
    cairn_property property = { cairn__span_of(name), { .kind = CAIRN_VALUE_STRING } };
    property.value.as.string = cairn__span_of(text);
    return property;
}

/* Event i of the stream; properties has room for 4. */
static cairn__trail_row make_row(bench *b, uint32_t i, cairn_property *properties) {
    uint64_t *random = &b->random;
    /* squaring makes low numbers busy: the busiest person has thousands of events */
    uint64_t share = below(random, 1u << 16);
    uint32_t node = (uint32_t)(share * share % b->persons * (b->persons / 65537 + 1)) % b->persons;
    node = below(random, 10) < 3 ? node : below(random, b->persons);
    uint64_t person = cairn__mix(node + 1);
    uint32_t name = b->names[below(random, 1000)];
    cairn__trail_row row = { .node = node,
                             /* batches of ten, as the fold numbers them: log position and index */
                             .order = (uint64_t)(i / 10) * 800 << 10 | i % 10,
                             .name = cairn__span_of(event_names[name]),
                             .properties = properties };
    row.time_ms = 1704067200000 + (int64_t)((double)i / b->events * 90 * 86400) * 1000 +
                  (int64_t)below(random, 15) * 1000;
    properties[0] = text_property("platform", platforms[person % 4]);
    uint32_t province =
        below(random, 100) < 3 ? below(random, PROVINCES) : (uint32_t)(person / 7 % PROVINCES);
    properties[1] = text_property("province", b->provinces[province]);
    properties[2] = text_property("channel", b->channels[below(random, CHANNELS)]);
    row.property_count = 3;
    if (name == 14 || name == 15) {
        cairn_property *amount = &properties[row.property_count++];
        *amount = (cairn_property){ CAIRN_STR("amount"), { .kind = CAIRN_VALUE_NUMBER } };
        amount->value.as.number =
            (double)(500 + below(random, 4096) * (1u << below(random, 5))) / 100;
    }
    return row;
}

static void execute(bench *b, const char *sql) {
    check(sqlite3_exec(b->db, sql, NULL, NULL, NULL) == SQLITE_OK, sql);
}

static void open_store(bench *b) {
    cairn__trail_options options = { .allocator = cairn__heap(), .directory = b->directory };
    cairn__trail_problem problem;
    check(sqlite3_open(b->database, &b->db) == SQLITE_OK, "opening the database");
    execute(b, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL");
    cairn_status status = cairn__trail_open(b->db, &options, &b->trail, &problem);
    if (status != CAIRN_OK) {
        (void)fprintf(stderr, "bench_trail: %s\n", problem.text);
        exit(1);
    }
}

static void close_store(bench *b) {
    cairn__trail_close(b->trail);
    check(sqlite3_close(b->db) == SQLITE_OK, "closing the database");
}

/* Jobs run here between commits; in the daemon they have a thread of their own. */
static double run_jobs(bench *b, bool all) {
    double before = now_ms();
    cairn__trail_job *job = cairn__trail_job_plan(b->trail);
    for (; job != NULL; job = all ? cairn__trail_job_plan(b->trail) : NULL) {
        check(cairn__trail_job_run(job) == CAIRN_OK, "a flush or compaction");
        execute(b, "BEGIN");
        check(cairn__trail_job_finish(b->trail, job) == CAIRN_OK, "finishing a job");
        execute(b, "COMMIT");
        cairn__trail_committed(b->trail, true);
    }
    return now_ms() - before;
}

static void commit(bench *b) {
    execute(b, "BEGIN");
    check(cairn__trail_commit(b->trail) == CAIRN_OK, "a commit");
    execute(b, "COMMIT");
    cairn__trail_committed(b->trail, true);
}

static void build(bench *b) {
    double generating = 0, jobs = 0, start = now_ms();
    enum { BATCH = 1000 };
    static cairn__trail_row rows[BATCH];
    static cairn_property properties[BATCH][4];
    for (uint32_t i = 0; i < b->events;) {
        double before = now_ms();
        uint32_t count = b->events - i < BATCH ? b->events - i : BATCH;
        for (uint32_t j = 0; j < count; j++) {
            rows[j] = make_row(b, i + j, properties[j]);
        }
        generating += now_ms() - before;
        for (uint32_t j = 0; j < count; j++) {
            check(cairn__trail_append(b->trail, &rows[j]) == CAIRN_OK, "taking an event");
        }
        i += count;
        if (i % COMMIT_ROWS < BATCH) {
            commit(b);
            jobs += run_jobs(b, false);
        }
    }
    commit(b);
    jobs += run_jobs(b, true);
    double building = now_ms() - start - generating - jobs;
    cairn__trail_stats stats;
    cairn__trail_stats_of(b->trail, &stats);
    (void)printf("{\"measure\":\"build\",\"events\":%u,\"events_per_s\":%.0f,\"jobs_ms\":%.0f,"
                 "\"segments\":%llu,\"bytes_per_event\":%.2f}\n",
                 b->events, b->events / building * 1000, jobs, (unsigned long long)stats.segments,
                 (double)stats.bytes / b->events);
}

/* Everything into one segment, as compaction leaves it in the end. */
static void rebuild_as_one(bench *b) {
    close_store(b);
    cairn__trail_options options = { .allocator = cairn__heap(),
                                     .directory = b->directory,
                                     .tail_rows_max = b->events };
    cairn__trail_problem problem;
    char command[4200];
    (void)snprintf(command, sizeof command, "%s/one", b->directory);
    options.directory = command;
    (void)snprintf(b->database, sizeof b->database, "%s/one.db", b->directory);
    check(sqlite3_open(b->database, &b->db) == SQLITE_OK, "opening a database");
    check(cairn__trail_open(b->db, &options, &b->trail, &problem) == CAIRN_OK, problem.text);
    b->random = 1;
    double generating = 0, start = now_ms();
    for (uint32_t i = 0; i < b->events; i++) {
        cairn_property properties[4];
        cairn__trail_row row = make_row(b, i, properties);
        check(cairn__trail_append(b->trail, &row) == CAIRN_OK, "taking an event");
    }
    commit(b);
    generating = now_ms() - start;
    double merging = run_jobs(b, true);
    cairn__trail_stats stats;
    cairn__trail_stats_of(b->trail, &stats);
    (void)printf("{\"measure\":\"merge\",\"events\":%u,\"take_ms\":%.0f,\"events_per_s\":%.0f,"
                 "\"segments\":%llu,\"bytes_per_event\":%.2f}\n",
                 b->events, generating, b->events / merging * 1000,
                 (unsigned long long)stats.segments, (double)stats.bytes / b->events);
}

typedef struct question {
    const char *measure;
    size_t names, properties; /* names 0: every event */
    bool persons_merged, with_order;
} question;

static uint64_t scan(bench *b, const question *q, const uint32_t *person_of,
                     uint64_t *persons_out) {
    static const char *const wanted[3] = { "ViewProduct", "AddToCart", "PayOrder" };
    static const char *const fields[3] = { "province", "amount", "channel" };
    cairn_span names[3], properties[3];
    for (size_t i = 0; i < 3; i++) {
        names[i] = cairn__span_of(wanted[i]);
        properties[i] = cairn__span_of(fields[i]);
    }
    cairn__reader_options options = { .allocator = cairn__heap(),
                                      .bytes_max = (size_t)256 << 20,
                                      .names = names,
                                      .name_count = q->names,
                                      .properties = properties,
                                      .property_count = q->properties,
                                      .from_ms = INT64_MIN,
                                      .to_ms = INT64_MAX,
                                      .person_of = q->persons_merged ? person_of : NULL,
                                      .node_count = b->persons,
                                      .person_end = UINT32_MAX,
                                      .without_order = !q->with_order };
    cairn__trail_snapshot *snapshot = cairn__trail_snapshot_take(b->trail);
    cairn__reader *reader = NULL;
    cairn__reader_batch batch = { .person_count = 1 };
    uint64_t rows = 0;
    *persons_out = 0;
    check(cairn__reader_open(snapshot, &options, &reader) == CAIRN_OK, "opening a reader");
    while (batch.person_count != 0) {
        check(cairn__reader_next(reader, &batch) == CAIRN_OK, "reading");
        rows += batch.row_count;
        *persons_out += batch.person_count;
    }
    cairn__reader_close(reader);
    cairn__trail_snapshot_release(snapshot);
    return rows;
}

static int by_value(const void *a, const void *b) {
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void ask(bench *b, const char *store) {
    static const question questions[] = {
        { "scan_3_names", 3, 0, false, false },
        { "scan_3_names_and_order", 3, 0, false, true },
        { "scan_3_names_3_properties", 3, 3, false, false },
        { "scan_all", 0, 0, false, false },
        { "scan_all_3_properties", 0, 3, false, false },
        { "scan_3_names_merged_persons", 3, 0, true, false },
    };
    uint32_t *person_of = malloc(sizeof(uint32_t) * b->persons);
    check(person_of != NULL, "memory");
    for (uint32_t i = 0; i < b->persons; i++) {
        person_of[i] = i % 10 == 9 ? i - 5 : i; /* one node in ten was merged */
    }
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        enum { ROUNDS = 15 };
        double times[ROUNDS];
        uint64_t rows = 0, persons = 0;
        double first = 0;
        for (size_t round = 0; round < ROUNDS; round++) {
            double before = now_ms();
            rows = scan(b, &questions[i], person_of, &persons);
            times[round] = now_ms() - before;
            first = round == 0 ? times[0] : first;
        }
        qsort(times, ROUNDS, sizeof times[0], by_value);
        (void)printf("{\"measure\":\"%s\",\"store\":\"%s\",\"rows\":%llu,\"persons\":%llu,"
                     "\"first_ms\":%.2f,\"best_ms\":%.2f,\"median_ms\":%.2f}\n",
                     questions[i].measure, store, (unsigned long long)rows,
                     (unsigned long long)persons, first, times[0], times[ROUNDS / 2]);
    }
    free(person_of);
}

static void reopen(bench *b) {
    close_store(b);
    double before = now_ms();
    open_store(b);
    (void)printf("{\"measure\":\"open\",\"ms\":%.2f}\n", now_ms() - before);
}

int main(int argc, char **argv) {
    static bench b;
    char command[8192];
    b.events = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 5000000;
    b.directory = argc > 2 ? argv[2] : "bench_trail.data";
    b.persons = b.events / EVENTS_PER_PERSON + 1;
    b.random = 1;
    (void)snprintf(b.database, sizeof b.database, "%s/state.db", b.directory);
    (void)snprintf(command, sizeof command, "rm -rf -- '%s' && mkdir -p -- '%s'", b.directory,
                   b.directory);
    check(strchr(b.directory, '\'') == NULL && system(command) == 0, "making the directory");
    prepare(&b);
    open_store(&b);
    build(&b);
    reopen(&b);
    ask(&b, "as built");
    rebuild_as_one(&b);
    ask(&b, "one segment");
    close_store(&b);
    return 0;
}
