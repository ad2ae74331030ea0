#include "edge/commit.h"

#include <string.h>
#include <sys/prctl.h>

#include "base/assert.h"

/* --- the thread ------------------------------------------------------------------------------- */

static void trim(cairn__commit *commit) {
    uint64_t position = atomic_exchange(&commit->trim, 0);
    if (position != 0) {
        (void)cairn__log_trim(commit->writer, position); /* tried again with the next position */
    }
}

static void write_groups(void *self) {
    (void)prctl(PR_SET_NAME, "cairn-log"); /* as top and the bench show it */
    cairn__commit *commit = self;
    uv_mutex_lock(&commit->mutex);
    for (;;) {
        while (!commit->given && !commit->stopping) {
            uv_cond_wait(&commit->wake, &commit->mutex);
        }
        if (!commit->given) {
            break;
        }
        uv_mutex_unlock(&commit->mutex);
        uint64_t begin = uv_hrtime();
        cairn_status status = cairn__log_write(
            commit->writer, cairn__buffer_span(&commit->flying->batch), &commit->problem);
        cairn__count(&commit->metrics->commit_us, (uv_hrtime() - begin) / 1000);
        trim(commit);
        uv_mutex_lock(&commit->mutex);
        commit->status = status;
        commit->given = false;
        (void)uv_async_send(&commit->done);
    }
    uv_mutex_unlock(&commit->mutex);
}

/* --- the loop --------------------------------------------------------------------------------- */

static void hand_over(cairn__commit *commit) {
    if (commit->flying != NULL || commit->filling->batch.len == 0) {
        return;
    }
    commit->flying = commit->filling;
    commit->filling = &commit->groups[commit->flying == &commit->groups[0]];
    uv_mutex_lock(&commit->mutex);
    commit->given = true;
    uv_cond_signal(&commit->wake);
    uv_mutex_unlock(&commit->mutex);
}

static void on_check(uv_check_t *check) {
    hand_over(check->data);
}

static void answer_one(cairn__commit *commit, cairn__exchange *exchange, bool durable) {
    static const cairn__problem failed = {
        .status = 503,
        .code = "log_unavailable",
        .detail = "the data could not be made durable",
        .fix = "send it again; nothing of it was taken",
    };
    bool told = exchange->durable != NULL;
    if (told) {
        exchange->durable(exchange, durable);
    }
    if (!durable) {
        cairn__count(&commit->metrics->refused_log, 1);
        cairn__exchange_problem(exchange, &failed, "Retry-After: 1\r\n");
    } else if (!told) {
        cairn__exchange_send(exchange);
    }
}

static void answer_group(cairn__commit *commit, cairn__exchange *first, cairn_status status) {
    while (first != NULL) {
        cairn__exchange *exchange = first;
        first = exchange->also;
        answer_one(commit, exchange, status == CAIRN_OK);
    }
}

static void recycle(cairn__commit *commit, cairn__group *group) {
    commit->server->inflight_bytes -= group->batch.len;
    if (group->batch.capacity > CAIRN__GROUP_KEEP_BYTES) {
        cairn__buffer_free(&group->batch);
        group->batch = cairn__buffer_make(cairn__heap(), CAIRN__GROUP_BYTES_MAX);
    }
    cairn__buffer_clear(&group->batch);
    group->first = NULL;
    group->last = NULL;
}

static void set_failing(cairn__commit *commit, bool failing) {
    if (failing != commit->failing) {
        commit->failing = failing;
        commit->on_failing(commit->self, failing, commit->problem.text);
    }
}

static void on_done(uv_async_t *async) {
    cairn__commit *commit = async->data;
    uv_mutex_lock(&commit->mutex);
    bool done = commit->flying != NULL && !commit->given;
    cairn_status status = commit->status;
    uv_mutex_unlock(&commit->mutex);
    if (!done) {
        return;
    }
    cairn__group *group = commit->flying;
    cairn__exchange *first = group->first;
    cairn__count(status == CAIRN_OK ? &commit->metrics->commits_total
                                    : &commit->metrics->commit_failures,
                 1);
    set_failing(commit, status != CAIRN_OK);
    uint64_t position = cairn__log_writer_position(commit->writer); /* the thread sleeps */
    atomic_store(&commit->position, position);
    cairn__gauge(&commit->metrics->log_position, position);
    recycle(commit, group);
    commit->flying = NULL;
    hand_over(commit); /* the disk works on while the answers go out */
    commit->on_position(commit->self);
    answer_group(commit, first, status);
}

bool cairn__commit_add(cairn__commit *commit, cairn__exchange *exchange,
                       const cairn__log_entry *entry) {
    cairn__group *group = commit->filling;
    size_t before = group->batch.len;
    cairn__log_frame(&group->batch, entry);
    if (group->batch.failed) {
        group->batch.failed = false;
        return false;
    }
    commit->server->inflight_bytes += group->batch.len - before;
    if (exchange != NULL) {
        exchange->also = NULL;
        if (group->last != NULL) {
            group->last->also = exchange;
        } else {
            group->first = exchange;
        }
        group->last = exchange;
    }
    return true;
}

bool cairn__commit_is_idle(const cairn__commit *commit) {
    return commit->flying == NULL && commit->filling->batch.len == 0;
}

int cairn__commit_start(cairn__commit *commit, cairn__log_writer *writer, uv_loop_t *loop) {
    commit->writer = writer;
    for (size_t i = 0; i < 2; i++) {
        commit->groups[i].batch = cairn__buffer_make(cairn__heap(), CAIRN__GROUP_BYTES_MAX);
    }
    commit->filling = &commit->groups[0];
    atomic_store(&commit->position, cairn__log_writer_position(writer));
    cairn__gauge(&commit->metrics->log_position, cairn__log_writer_position(writer));
    int code = uv_mutex_init(&commit->mutex);
    code = code != 0 ? code : uv_cond_init(&commit->wake);
    code = code != 0 ? code : uv_async_init(loop, &commit->done, on_done);
    code = code != 0 ? code : uv_check_init(loop, &commit->check);
    code = code != 0 ? code : uv_check_start(&commit->check, on_check);
    commit->done.data = commit;
    commit->check.data = commit;
    code = code != 0 ? code : uv_thread_create(&commit->thread, write_groups, commit);
    commit->running = code == 0;
    return code;
}

void cairn__commit_stop(cairn__commit *commit) {
    if (!commit->running) {
        return;
    }
    uv_mutex_lock(&commit->mutex);
    commit->stopping = true;
    uv_cond_signal(&commit->wake);
    uv_mutex_unlock(&commit->mutex);
    uv_thread_join(&commit->thread);
    uv_close((uv_handle_t *)&commit->done, NULL);
    uv_close((uv_handle_t *)&commit->check, NULL);
    for (size_t i = 0; i < 2; i++) {
        cairn__buffer_free(&commit->groups[i].batch);
    }
    uv_cond_destroy(&commit->wake);
    uv_mutex_destroy(&commit->mutex);
    cairn__log_writer_close(commit->writer);
    commit->running = false;
}
