/* sandbox.c: the pool of sandbox children. A child is down, starting, ready, at work or dying; one
 * job at a time, and a clock per child that kills. The job is told at the kill, not at the end of
 * the process; the next life begins when all handles of the last one are closed. */
#include "edge/sandbox.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "edge/logline.h"
#include "edge/sandbox_wire.h"

enum { PATH_BYTES_MAX = 4096, HANDLES = 3 };

typedef enum life { DOWN, STARTING, READY, AT_WORK, DYING } life;

typedef struct job job;
struct job {
    job *next;
    cairn__sandbox_done done;
    void *self;
    uint64_t queued_ms;
    uint64_t started_ns;
    uv_write_t write;
    size_t users; /* the write and the owner: the last one frees */
    size_t bytes;
    uint8_t frame[];
};

typedef struct child {
    cairn__sandbox *sandbox;
    life life;
    bool was_ready; /* in this life */
    bool works;     /* its last life became ready: after a kill it is back in a moment */
    size_t open;    /* handles of this life that are not closed yet */
    uint32_t jobs;
    uv_process_t process;
    uv_pipe_t in; /* its standard input */
    uv_pipe_t out;
    uv_timer_t clock; /* lives as long as the pool */
    job *job;
    size_t got;
    uint8_t
        answer[CAIRN__SANDBOX_ANSWER_BYTES_MAX + 1]; /* one more shows a frame that is too long */
} child;

struct cairn__sandbox {
    cairn__sandbox_options options;
    char program[PATH_BYTES_MAX];
    bool stopping;
    uv_timer_t waiting; /* until the oldest job in the queue has waited too long */
    job *oldest;
    job *newest;
    size_t queued;
    child *children;
};

static void start(child *c);
static void work(cairn__sandbox *sandbox);

/* --- jobs ------------------------------------------------------------------------------------- */

static void count_end(cairn__metrics *metrics, cairn__script_outcome outcome) {
    _Atomic uint64_t *const counters[CAIRN__SCRIPT_OUTCOMES] = {
        &metrics->scripts_ok,     &metrics->scripts_unavailable, &metrics->scripts_timeout,
        &metrics->scripts_memory, &metrics->scripts_error,       &metrics->scripts_busy,
        &metrics->scripts_result,
    };
    cairn__count(counters[outcome], 1);
}

static void let_go(job *j) {
    j->users -= 1;
    if (j->users == 0) {
        free(j);
    }
}

static void tell(cairn__sandbox *sandbox, job *j, cairn__script_outcome outcome, cairn_span text) {
    count_end(sandbox->options.metrics, outcome);
    j->done(j->self, outcome, text);
    let_go(j);
}

static void tell_child_job(child *c, cairn__script_outcome outcome, cairn_span text) {
    job *j = c->job;
    if (j == NULL) {
        return;
    }
    c->job = NULL;
    cairn__count(&c->sandbox->options.metrics->script_us, (uv_hrtime() - j->started_ns) / 1000);
    tell(c->sandbox, j, outcome, text);
}

static job *take_oldest(cairn__sandbox *sandbox) {
    job *j = sandbox->oldest;
    sandbox->oldest = j->next;
    sandbox->newest = sandbox->oldest == NULL ? NULL : sandbox->newest;
    sandbox->queued -= 1;
    return j;
}

static void refuse_oldest(cairn__sandbox *sandbox) {
    bool down = sandbox->stopping || cairn__sandbox_alive(sandbox) == 0;
    tell(sandbox, take_oldest(sandbox), down ? CAIRN__SCRIPT_UNAVAILABLE : CAIRN__SCRIPT_BUSY,
         down ? CAIRN_STR("no sandbox process is ready") : CAIRN_STR("all sandboxes are at work"));
}

static void on_waiting(uv_timer_t *timer) {
    cairn__sandbox *sandbox = timer->data;
    uint64_t now = uv_now(sandbox->options.loop);
    while (sandbox->oldest != NULL &&
           now - sandbox->oldest->queued_ms >= sandbox->options.wait_ms) {
        refuse_oldest(sandbox);
    }
    work(sandbox); /* starts the timer again when jobs wait */
}

/* --- the end of a child ----------------------------------------------------------------------- */

static void on_retry(uv_timer_t *timer) {
    start(timer->data);
}

static void on_gone(uv_handle_t *handle) {
    child *c = handle->data;
    c->open -= 1;
    if (c->open > 0) {
        return;
    }
    c->life = DOWN;
    if (c->sandbox->stopping) {
        uv_close((uv_handle_t *)&c->clock, NULL);
        return;
    }
    c->works = c->was_ready;
    cairn__count(&c->sandbox->options.metrics->script_restarts, 1);
    if (c->was_ready) {
        start(c);
    } else {
        (void)uv_timer_start(&c->clock, on_retry, CAIRN__SANDBOX_RETRY_MS, 0);
    }
}

static void close_life(child *c) {
    uv_handle_t *const handles[HANDLES] = { (uv_handle_t *)&c->process, (uv_handle_t *)&c->in,
                                            (uv_handle_t *)&c->out };
    c->life = DYING;
    (void)uv_timer_stop(&c->clock);
    c->open = HANDLES;
    for (size_t i = 0; i < HANDLES; i++) {
        uv_close(handles[i], on_gone);
    }
}

/* Sends SIGKILL; what it had to do is told at once, the rest happens when the process is gone. */
static void kill_child(child *c, cairn__script_outcome outcome, cairn_span why) {
    if (c->life == DYING || c->life == DOWN) {
        return;
    }
    c->life = DYING;
    (void)uv_process_kill(&c->process, SIGKILL);
    (void)uv_timer_stop(&c->clock);
    (void)uv_read_stop((uv_stream_t *)&c->out);
    cairn__count(&c->sandbox->options.metrics->script_kills, 1);
    tell_child_job(c, outcome, why);
}

/* It ended: by our kill, or by itself, which is never a script's right. */
static void on_exit_of(uv_process_t *process, int64_t code, int number) {
    child *c = process->data;
    if (c->life != DYING) {
        cairn__logline_number(c->was_ready ? "sandbox_died" : "sandbox_not_started",
                              number != 0 ? "signal" : "exit_code", number != 0 ? number : code);
        tell_child_job(c, CAIRN__SCRIPT_ERROR, CAIRN_STR("the script's process died under it"));
    }
    close_life(c);
}

static void on_clock(uv_timer_t *timer) {
    child *c = timer->data;
    kill_child(c, CAIRN__SCRIPT_TIMEOUT, CAIRN_STR("the script took too long and was killed"));
}

/* --- what a child says ------------------------------------------------------------------------ */

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room_out) {
    child *c = handle->data;
    (void)suggested;
    *room_out = uv_buf_init((char *)c->answer + c->got, (unsigned)(sizeof c->answer - c->got));
}

static void become_ready(child *c) {
    (void)uv_timer_stop(&c->clock);
    c->life = READY;
    c->was_ready = true;
    c->works = true;
}

/* A whole answer: the first is its readiness, every other one ends its job. */
static bool take_answer(child *c, uint32_t outcome, cairn_span text) {
    if (c->life == STARTING) {
        become_ready(c);
        return outcome == CAIRN__SANDBOX_READY && text.len == 0;
    }
    bool good = c->life == AT_WORK && outcome < CAIRN__SCRIPT_OUTCOMES &&
                outcome != CAIRN__SCRIPT_UNAVAILABLE && outcome != CAIRN__SCRIPT_BUSY &&
                cairn__utf8_valid(text);
    if (good) {
        become_ready(c);
        tell_child_job(c, (cairn__script_outcome)outcome, text);
    }
    return good;
}

/* False: it says what nobody asked for. */
static bool look_at_answer(child *c) {
    if (c->got < CAIRN__SANDBOX_ANSWER_HEAD_BYTES) {
        return true;
    }
    size_t bytes = cairn__load_u32(c->answer + 4);
    size_t whole = CAIRN__SANDBOX_ANSWER_HEAD_BYTES + bytes;
    if (bytes > CAIRN__SCRIPT_RESULT_BYTES_MAX || c->got > whole) {
        return false;
    }
    if (c->got < whole) {
        return true;
    }
    c->got = 0;
    return take_answer(c, cairn__load_u32(c->answer),
                       cairn__span(c->answer + CAIRN__SANDBOX_ANSWER_HEAD_BYTES, bytes));
}

static uint32_t jobs_max(const cairn__sandbox *sandbox) {
    uint32_t given = sandbox->options.child_jobs_max;
    return given > 0 ? given : CAIRN__SANDBOX_JOBS_PER_CHILD;
}

static void on_answer(uv_stream_t *stream, ssize_t got, const uv_buf_t *room) {
    child *c = stream->data;
    (void)room;
    if (got < 0) {
        (void)uv_read_stop(stream); /* it ended: on_exit_of says how */
        return;
    }
    c->got += (size_t)got;
    if (!look_at_answer(c)) {
        kill_child(c, CAIRN__SCRIPT_ERROR, CAIRN_STR("the script's process broke its protocol"));
    } else if (c->life == READY && c->jobs >= jobs_max(c->sandbox)) {
        kill_child(c, CAIRN__SCRIPT_ERROR, (cairn_span){ 0 }); /* has no job: nobody is told */
    }
    work(c->sandbox);
}

/* --- a child's life --------------------------------------------------------------------------- */

static int spawn(child *c) {
    cairn__sandbox *sandbox = c->sandbox;
    char argument[] = CAIRN__SANDBOX_ARGUMENT;
    char *arguments[] = { sandbox->program, argument, NULL };
    char *environment[] = { NULL };
    uv_stdio_container_t stdio[] = {
        { .flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&c->in },
        { .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&c->out },
        { .flags = UV_IGNORE },
    };
    const uv_process_options_t options = { .exit_cb = on_exit_of,
                                           .file = sandbox->program,
                                           .args = arguments,
                                           .env = environment,
                                           .stdio_count = 3,
                                           .stdio = stdio };
    return uv_spawn(sandbox->options.loop, &c->process, &options);
}

static void start(child *c) {
    uv_loop_t *loop = c->sandbox->options.loop;
    (void)uv_pipe_init(loop, &c->in, 0);
    (void)uv_pipe_init(loop, &c->out, 0);
    c->in.data = c;
    c->out.data = c;
    c->process.data = c;
    c->got = 0;
    c->jobs = 0;
    c->was_ready = false;
    c->life = STARTING;
    int code = spawn(c);
    if (code != 0) {
        cairn__logline("error", "sandbox_not_started", uv_strerror(code));
        close_life(c);
        return;
    }
    (void)uv_read_start((uv_stream_t *)&c->out, on_room, on_answer);
    (void)uv_timer_start(&c->clock, on_clock, CAIRN__SANDBOX_START_MS_MAX, 0);
}

static void on_written(uv_write_t *write, int status) {
    (void)status; /* a child that does not read ends, or is killed by its clock */
    let_go(write->data);
}

static void give(child *c, job *j) {
    cairn__sandbox *sandbox = c->sandbox;
    const uv_buf_t buffer = uv_buf_init((char *)j->frame, (unsigned)j->bytes);
    c->life = AT_WORK;
    c->job = j;
    c->jobs += 1;
    j->started_ns = uv_hrtime();
    j->write.data = j;
    j->users += 1;
    uv_update_time(sandbox->options.loop); /* the clock begins now, not when the loop last looked */
    (void)uv_timer_start(&c->clock, on_clock, sandbox->options.wall_ms, 0);
    if (uv_write(&j->write, (uv_stream_t *)&c->in, &buffer, 1, on_written) != 0) {
        let_go(j);
        kill_child(c, CAIRN__SCRIPT_ERROR, CAIRN_STR("the script's process died under it"));
    }
}

/* Gives what waits to who is ready. */
static void work(cairn__sandbox *sandbox) {
    for (size_t i = 0; i < sandbox->options.children && sandbox->oldest != NULL; i++) {
        if (sandbox->children[i].life == READY) {
            give(&sandbox->children[i], take_oldest(sandbox));
        }
    }
    if (sandbox->oldest == NULL) {
        (void)uv_timer_stop(&sandbox->waiting);
        return;
    }
    uint64_t waited = uv_now(sandbox->options.loop) - sandbox->oldest->queued_ms;
    uint64_t wait = sandbox->options.wait_ms;
    (void)uv_timer_start(&sandbox->waiting, on_waiting, waited < wait ? wait - waited : 0, 0);
}

/* --- the pool --------------------------------------------------------------------------------- */

cairn__sandbox *cairn__sandbox_start(const cairn__sandbox_options *options) {
    CAIRN_ASSERT(options->children <= CAIRN__SANDBOX_CHILDREN_MAX && options->wall_ms > 0);
    cairn__sandbox *sandbox = calloc(1, sizeof *sandbox);
    if (sandbox == NULL) {
        return NULL;
    }
    size_t bytes = sizeof sandbox->program;
    sandbox->options = *options;
    sandbox->children = calloc(options->children + 1, sizeof(child));
    if (sandbox->children == NULL ||
        (options->program == NULL ? uv_exepath(sandbox->program, &bytes) != 0
                                  : strlen(options->program) >= bytes)) {
        cairn__sandbox_free(sandbox);
        return NULL;
    }
    if (options->program != NULL) {
        memcpy(sandbox->program, options->program, strlen(options->program) + 1);
    }
    (void)uv_timer_init(options->loop, &sandbox->waiting);
    sandbox->waiting.data = sandbox;
    for (size_t i = 0; i < options->children; i++) {
        child *c = &sandbox->children[i];
        c->sandbox = sandbox;
        (void)uv_timer_init(options->loop, &c->clock);
        c->clock.data = c;
        start(c);
    }
    return sandbox;
}

static job *make_job(const cairn__script_job *from) {
    size_t bytes = CAIRN__SANDBOX_REQUEST_HEAD_BYTES + from->source.len + from->input.len;
    job *j = malloc(sizeof *j + bytes);
    if (j == NULL) {
        return NULL;
    }
    memset(j, 0, sizeof *j);
    j->users = 1;
    j->bytes = bytes;
    cairn__store_u32(j->frame, (uint32_t)from->use);
    cairn__store_u32(j->frame + 4, (uint32_t)from->source.len);
    cairn__store_u32(j->frame + 8, (uint32_t)from->input.len);
    cairn__store_u32(j->frame + 12, 0);
    cairn__store_u64(j->frame + 16, (uint64_t)from->now_ms);
    cairn__store_u64(j->frame + 24, from->seed);
    uint8_t *rest = j->frame + CAIRN__SANDBOX_REQUEST_HEAD_BYTES;
    if (from->source.len > 0) {
        memcpy(rest, from->source.data, from->source.len);
    }
    if (from->input.len > 0) {
        memcpy(rest + from->source.len, from->input.data, from->input.len);
    }
    return j;
}

static cairn__script_outcome enqueue(cairn__sandbox *sandbox, job *j) {
    j->queued_ms = uv_now(sandbox->options.loop);
    if (sandbox->newest != NULL) {
        sandbox->newest->next = j;
    } else {
        sandbox->oldest = j;
    }
    sandbox->newest = j;
    sandbox->queued += 1;
    work(sandbox);
    return CAIRN__SCRIPT_OK;
}

cairn__script_outcome cairn__sandbox_submit(cairn__sandbox *sandbox,
                                            const cairn__script_job *job_in,
                                            cairn__sandbox_done done, void *self) {
    cairn__script_outcome refusal = CAIRN__SCRIPT_OK;
    if (job_in->source.len > CAIRN__SCRIPT_SOURCE_BYTES_MAX ||
        job_in->input.len > CAIRN__SCRIPT_INPUT_BYTES_MAX) {
        refusal = CAIRN__SCRIPT_ERROR;
    } else if (sandbox->stopping || cairn__sandbox_alive(sandbox) == 0) {
        refusal = CAIRN__SCRIPT_UNAVAILABLE;
    } else if (sandbox->queued >= sandbox->options.queue_max) {
        refusal = CAIRN__SCRIPT_BUSY;
    }
    job *j = refusal == CAIRN__SCRIPT_OK ? make_job(job_in) : NULL;
    if (j == NULL) {
        refusal = refusal == CAIRN__SCRIPT_OK ? CAIRN__SCRIPT_BUSY : refusal; /* no memory */
        count_end(sandbox->options.metrics, refusal);
        return refusal;
    }
    j->done = done;
    j->self = self;
    return enqueue(sandbox, j);
}

size_t cairn__sandbox_alive(const cairn__sandbox *sandbox) {
    size_t alive = 0;
    for (size_t i = 0; i < sandbox->options.children; i++) {
        alive += sandbox->children[i].works ? 1 : 0;
    }
    return alive;
}

int cairn__sandbox_pid(const cairn__sandbox *sandbox, size_t n) {
    const child *c = &sandbox->children[n];
    return n < sandbox->options.children && (c->life == READY || c->life == AT_WORK)
               ? (int)uv_process_get_pid(&c->process)
               : 0;
}

void cairn__sandbox_stop(cairn__sandbox *sandbox) {
    sandbox->stopping = true;
    uv_close((uv_handle_t *)&sandbox->waiting, NULL);
    while (sandbox->oldest != NULL) {
        refuse_oldest(sandbox);
    }
    for (size_t i = 0; i < sandbox->options.children; i++) {
        child *c = &sandbox->children[i];
        if (c->life == DOWN) {
            uv_close((uv_handle_t *)&c->clock, NULL);
        } else {
            kill_child(c, CAIRN__SCRIPT_UNAVAILABLE, CAIRN_STR("the edge is about to end"));
        }
    }
}

void cairn__sandbox_free(cairn__sandbox *sandbox) {
    if (sandbox != NULL) {
        free(sandbox->children);
        free(sandbox);
    }
}
