/* commit.h: the group commit. The loop frames accepted requests into a group; a thread of its own
 * writes the group with one write and one fdatasync; then the loop sends all its answers. While one
 * group is on its way to the disk, the next one fills.
 *
 * A group that fails is answered 503: nothing of it was acknowledged, and the next one tries again.
 * While nothing comes, a failed log is tried once a second, so that readyz tells the truth. */
#ifndef CAIRN_EDGE_COMMIT_H
#define CAIRN_EDGE_COMMIT_H

#include <uv.h>

#include "edge/connection.h"
#include "log/log.h"

enum {
    CAIRN__GROUP_BYTES_MAX = 32 * 1024 * 1024, /* of a group; beyond it requests are answered 503 */
    CAIRN__GROUP_KEEP_BYTES = 1024 * 1024
};

typedef struct cairn__group {
    cairn__buffer batch;
    cairn__exchange *first, *last; /* by `also`; their answers are prepared */
} cairn__group;

typedef struct cairn__commit {
    cairn__server *server;
    cairn__metrics *metrics;
    cairn__log_writer *writer; /* the thread's, while it runs */
    cairn__group groups[2];
    cairn__group *filling, *flying; /* flying NULL: the thread has nothing to do */
    uv_thread_t thread;
    uv_mutex_t mutex; /* guards the four below */
    uv_cond_t wake;
    bool given, stopping;
    cairn_status status; /* of the flying group */
    cairn__log_problem problem;
    uv_async_t done;
    uv_check_t check;
    _Atomic uint64_t position; /* durable; any thread may read */
    _Atomic uint64_t trim;     /* remove segments that end before; 0: nothing to do */
    bool failing;              /* the last group failed */
    bool running;
    /** Told on the loop when the position moved, and when the log fails or works again. */
    void (*on_position)(void *self);
    void (*on_failing)(void *self, bool failing, const char *why);
    void *self;
} cairn__commit;

/** Take the writer over and start the thread. 0 or a libuv error. */
int cairn__commit_start(cairn__commit *commit, cairn__log_writer *writer, uv_loop_t *loop);
/** Frame an entry; exchange (its answer prepared, or NULL) is sent when it is durable.
 * False: the group is full. */
bool cairn__commit_add(cairn__commit *commit, cairn__exchange *exchange,
                       const cairn__log_entry *entry);
/** Nothing fills and nothing flies. */
bool cairn__commit_is_idle(const cairn__commit *commit);
/** End the thread (is_idle, or what is left is lost unacknowledged) and close the writer. */
void cairn__commit_stop(cairn__commit *commit);

#endif
