/* bench_script: what scripts cost on the server, and what hostile ones cost everybody else.
 *
 *   bench_script [rounds]   2,000 good scripts by default; run it from the tree's root
 *
 * One JSON line each: every hostile script alone (its end, wall time, growth of its process), then
 * good scripts alone and beside hostile ones, with a piece of other work between them on the loop's
 * thread. Ends with 1 when a script took longer than 150 ms or its process grew by more than 16
 * MiB; the ratios of the 99th percentiles are for the reader. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "edge/sandbox.h"
#include "edge/sandbox_wire.h"
#include "support/hostile_scripts.h"

enum {
    ROUNDS = 2000,
    CHILDREN = 4,
    WALL_MS_MAX = 150,
    GROWTH_KIB_MAX = 16 * 1024,
    LOOK_MS = 2,
    WORK_BYTES = 1 << 20
};

typedef struct bench {
    uv_loop_t loop;
    cairn__metrics metrics;
    cairn__sandbox *sandbox;
    hostile_script scripts[HOSTILE_SCRIPTS_MAX];
    size_t count;
    size_t next;  /* hostile script to run beside the good ones */
    bool hostile; /* one is always under way */
    bool done;
    cairn__script_outcome outcome;
    int pid;
    long peak_kib;
    uint8_t *work;
} bench;

static const char good[] =
    "function main(input) { return input.items.map(function (i) { var s = 0; for (var k in "
    "i.tags) s += i.tags[k].length; return i.price * 0.3 + s + (i.name.indexOf('a') >= 0 ? 1 : 0); "
    "}); }";

/* A number of /proc/PID/status in KiB; 0: it is gone. */
static long status_kib(int pid, const char *name) {
    char path[64];
    char line[256];
    long kib = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0) {
            kib = strtol(line + strlen(name) + 1, NULL, 10);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return kib;
}

static void look(bench *b) {
    long kib = status_kib(b->pid, "VmHWM");
    b->peak_kib = kib > b->peak_kib ? kib : b->peak_kib;
}

static void on_look(uv_timer_t *timer) {
    look(timer->data);
}

static void on_end(void *self, cairn__script_outcome outcome, cairn_span text) {
    bench *b = self;
    (void)text;
    b->outcome = outcome;
    b->done = true;
}

static void run_until_done(bench *b) {
    while (!b->done) {
        (void)uv_run(&b->loop, UV_RUN_ONCE);
    }
}

static void start(bench *b, size_t children) {
    const cairn__sandbox_options options = { .loop = &b->loop,
                                             .children = children,
                                             .queue_max = 100,
                                             .wall_ms = CAIRN__SCRIPT_WALL_MS,
                                             .wait_ms = 1000,
                                             .metrics = &b->metrics };
    b->sandbox = cairn__sandbox_start(&options);
    while (cairn__sandbox_alive(b->sandbox) < children) {
        (void)uv_run(&b->loop, UV_RUN_ONCE);
    }
}

static void stop(bench *b) {
    cairn__sandbox_stop(b->sandbox);
    (void)uv_run(&b->loop, UV_RUN_DEFAULT);
    cairn__sandbox_free(b->sandbox);
}

/* One hostile script in a process of its own; true: within the limits. */
static bool run_alone(bench *b, const hostile_script *script) {
    uv_timer_t timer;
    const cairn__script_job job = { .source = { script->source, script->bytes } };
    start(b, 1);
    b->pid = cairn__sandbox_pid(b->sandbox, 0);
    long before = status_kib(b->pid, "VmRSS");
    b->peak_kib = before;
    (void)uv_timer_init(&b->loop, &timer);
    timer.data = b;
    (void)uv_timer_start(&timer, on_look, LOOK_MS, LOOK_MS);
    uint64_t begun = uv_hrtime();
    b->outcome = cairn__sandbox_submit(b->sandbox, &job, on_end, b);
    b->done = b->outcome != CAIRN__SCRIPT_OK;
    run_until_done(b);
    double ms = (double)(uv_hrtime() - begun) / 1e6;
    look(b);
    uv_close((uv_handle_t *)&timer, NULL);
    stop(b);
    const char *reason = cairn__script_reason(b->outcome);
    bool good_end = ms <= WALL_MS_MAX && b->peak_kib - before <= GROWTH_KIB_MAX;
    (void)printf("{\"bench\":\"script_hostile\",\"script\":\"%s\",\"end\":\"%s\",\"ms\":%.1f,"
                 "\"resident_kib\":%ld,\"growth_kib\":%ld,\"within\":%s}\n",
                 script->name, reason == NULL ? "ok" : reason, ms, before, b->peak_kib - before,
                 good_end ? "true" : "false");
    return good_end;
}

static void next_hostile(void *self, cairn__script_outcome outcome, cairn_span text) {
    bench *b = self;
    (void)text;
    if (outcome == CAIRN__SCRIPT_UNAVAILABLE || !b->hostile) {
        return;
    }
    cairn__script_outcome given = CAIRN__SCRIPT_ERROR;
    while (given != CAIRN__SCRIPT_OK) {
        const hostile_script *script = &b->scripts[b->next++ % b->count];
        const cairn__script_job job = { .source = { script->source, script->bytes } };
        given = cairn__sandbox_submit(b->sandbox, &job, next_hostile, b);
    }
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void run_good(bench *b, const char *input, double *script_us, double *work_us) {
    const cairn__script_job job = { .use = CAIRN__SCRIPT_RANK,
                                    .source = cairn__span_of(good),
                                    .input = cairn__span_of(input) };
    uint64_t begun = uv_hrtime();
    b->done = false;
    if (cairn__sandbox_submit(b->sandbox, &job, on_end, b) != CAIRN__SCRIPT_OK) {
        return;
    }
    run_until_done(b);
    uint64_t middle = uv_hrtime();
    b->work[0] = (uint8_t)cairn__hash(cairn__span(b->work, WORK_BYTES), 1);
    *script_us = (double)(middle - begun) / 1e3;
    *work_us = (double)(uv_hrtime() - middle) / 1e3;
}

/* The 99th percentiles of good scripts and of other work. */
static void measure(bench *b, size_t rounds, bool hostile, double p99_out[2]) {
    char input[8192] = "{\"items\":[";
    size_t len = strlen(input);
    for (int i = 0; i < 50; i++) {
        len +=
            (size_t)snprintf(input + len, sizeof input - len,
                             "%s{\"name\":\"thing %d\",\"price\":%d.5,\"tags\":[\"new\",\"hot\"]}",
                             i == 0 ? "" : ",", i, i);
    }
    (void)snprintf(input + len, sizeof input - len, "]}");
    double *us[2] = { calloc(rounds, sizeof(double)), calloc(rounds, sizeof(double)) };
    size_t bad = 0;
    start(b, CHILDREN);
    b->hostile = hostile;
    next_hostile(b, CAIRN__SCRIPT_OK, (cairn_span){ 0 }); /* none when b->hostile is false */
    for (size_t i = 0; i < rounds; i++) {
        run_good(b, input, &us[0][i], &us[1][i]);
        bad += b->outcome != CAIRN__SCRIPT_OK;
    }
    b->hostile = false;
    stop(b);
    for (size_t k = 0; k < 2; k++) {
        qsort(us[k], rounds, sizeof(double), by_size);
        p99_out[k] = us[k][rounds * 99 / 100];
        (void)printf("{\"bench\":\"%s\",\"beside_hostile\":%s,\"p50_us\":%.1f,\"p99_us\":%.1f,"
                     "\"max_us\":%.1f,\"defaults\":%zu,\"kills\":%llu}\n",
                     k == 0 ? "script_good" : "script_other_work", hostile ? "true" : "false",
                     us[k][rounds / 2], p99_out[k], us[k][rounds - 1], bad,
                     (unsigned long long)b->metrics.script_kills);
        free(us[k]);
    }
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], CAIRN__SANDBOX_ARGUMENT) == 0) {
        return cairn__sandbox_child();
    }
    static bench b;
    size_t rounds = argc > 1 ? (size_t)strtoull(argv[1], NULL, 10) : ROUNDS;
    bool within = true;
    double quiet[2];
    double loaded[2];
    rounds = rounds == 0 ? ROUNDS : rounds;
    b.work = calloc(1, WORK_BYTES);
    b.count = hostile_scripts_load(b.scripts);
    (void)uv_loop_init(&b.loop);
    for (size_t i = 0; i < b.count; i++) {
        within = run_alone(&b, &b.scripts[i]) && within;
    }
    measure(&b, rounds, false, quiet);
    measure(&b, rounds, true, loaded);
    (void)printf("{\"bench\":\"script_p99_ratio\",\"good_scripts\":%.2f,\"other_work\":%.2f,"
                 "\"all_hostile_within\":%s}\n",
                 loaded[0] / quiet[0], loaded[1] / quiet[1], within ? "true" : "false");
    (void)uv_loop_close(&b.loop);
    hostile_scripts_free(b.scripts, b.count);
    free(b.work);
    return within ? 0 : 1;
}
