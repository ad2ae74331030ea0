/* sandbox.h: scripts on the server: a pool of processes that can do nothing but compute, and that
 * are killed from outside when they take too long. Everything happens on the loop's thread; nothing
 * blocks it.
 *
 * Every submission ends in one of three ways: it is refused at once, `done` gets a result, or
 * `done` gets an outcome whose reason (cairn__script_reason) the decision gives for its default. */
#ifndef CAIRN_EDGE_SANDBOX_H
#define CAIRN_EDGE_SANDBOX_H

#include <uv.h>

#include "edge/metrics.h"
#include "script/script.h"

enum {
    CAIRN__SANDBOX_CHILDREN_MAX = 64,
    CAIRN__SANDBOX_JOBS_PER_CHILD = 20000, /* then it is replaced: long lives hide slow leaks */
    CAIRN__SANDBOX_START_MS_MAX = 10000,   /* from fork to the first word */
    CAIRN__SANDBOX_RETRY_MS = 1000         /* after a child that never became ready */
};

typedef struct cairn__sandbox_options {
    uv_loop_t *loop;
    const char *program;     /**< Runs cairn__sandbox_child when its only argument is
                                CAIRN__SANDBOX_ARGUMENT. NULL: this executable. */
    size_t children;         /**< 0: every job is refused as unavailable. */
    size_t queue_max;        /**< Jobs that wait for a child. */
    uint64_t wall_ms;        /**< A job's time in a child, then it is killed. */
    uint64_t wait_ms;        /**< A job's time in the queue, then it is told busy. */
    uint32_t child_jobs_max; /**< 0: CAIRN__SANDBOX_JOBS_PER_CHILD. */
    cairn__metrics *metrics;
} cairn__sandbox_options;

typedef struct cairn__sandbox cairn__sandbox;

/** How it ended; the text is the result as JSON, or a sentence. Valid during the call only. */
typedef void (*cairn__sandbox_done)(void *self, cairn__script_outcome outcome, cairn_span text);

/** Starts the children. NULL: no memory. Children that cannot start are tried again. */
cairn__sandbox *cairn__sandbox_start(const cairn__sandbox_options *options);

/**
 * Run a script in the pool. The job is copied.
 *
 * @return CAIRN__SCRIPT_OK: `done` is called once, later, from the loop. Otherwise why not (`done`
 * is never called): UNAVAILABLE, BUSY (the queue is full), or ERROR (source or input too long).
 */
cairn__script_outcome cairn__sandbox_submit(cairn__sandbox *sandbox, const cairn__script_job *job,
                                            cairn__sandbox_done done, void *self);

/** Children that are ready, at work, or being replaced after a kill. */
size_t cairn__sandbox_alive(const cairn__sandbox *sandbox);

/** The process of the n-th child, for tests and benches; 0: it is just not there. */
int cairn__sandbox_pid(const cairn__sandbox *sandbox, size_t n);

/** Kills the children; what waits or runs is told unavailable now. The loop must run until they are
 * gone; then free. */
void cairn__sandbox_stop(cairn__sandbox *sandbox);
void cairn__sandbox_free(cairn__sandbox *sandbox);

#endif
