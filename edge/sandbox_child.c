/* sandbox_child.c: one process that runs scripts, one after the other. It takes all its memory,
 * gives up everything else, says that it is ready, and answers frames until its input ends. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/bytes.h"
#include "edge/sandbox_wire.h"

enum {
    EXIT_DONE = 0,
    EXIT_NO_MEMORY = 3,
    EXIT_NOT_LOCKED = 4,
    EXIT_BAD_FRAME = 5,
    FIRST_OTHER = 3
};

static bool read_all(uint8_t *to, size_t bytes) {
    while (bytes > 0) {
        ssize_t got = read(STDIN_FILENO, to, bytes);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return false;
        }
        to += got > 0 ? got : 0;
        bytes -= got > 0 ? (size_t)got : 0;
    }
    return true;
}

static bool write_all(const uint8_t *from, size_t bytes) {
    while (bytes > 0) {
        ssize_t done = write(STDOUT_FILENO, from, bytes);
        if (done < 0 && errno != EINTR) {
            return false;
        }
        from += done > 0 ? done : 0;
        bytes -= done > 0 ? (size_t)done : 0;
    }
    return true;
}

static bool answer(uint32_t outcome, cairn_span text) {
    uint8_t head[CAIRN__SANDBOX_ANSWER_HEAD_BYTES];
    cairn__store_u32(head, outcome);
    cairn__store_u32(head + 4, (uint32_t)text.len);
    return write_all(head, sizeof head) && write_all(text.data, text.len);
}

/* One job's life; false: the input ended. */
static bool serve(cairn__script_engine *engine, uint8_t *frame, cairn__buffer *result) {
    if (!read_all(frame, CAIRN__SANDBOX_REQUEST_HEAD_BYTES)) {
        return false;
    }
    cairn__script_job job = { .use = (cairn__script_use)cairn__load_u32(frame),
                              .now_ms = (int64_t)cairn__load_u64(frame + 16),
                              .seed = cairn__load_u64(frame + 24) };
    uint8_t *rest = frame + CAIRN__SANDBOX_REQUEST_HEAD_BYTES;
    job.source = cairn__span(rest, cairn__load_u32(frame + 4));
    job.input = cairn__span(rest + job.source.len, cairn__load_u32(frame + 8));
    if (job.source.len > CAIRN__SCRIPT_SOURCE_BYTES_MAX ||
        job.input.len > CAIRN__SCRIPT_INPUT_BYTES_MAX) {
        _exit(EXIT_BAD_FRAME);
    }
    if (!read_all(rest, job.source.len + job.input.len)) {
        return false;
    }
    cairn__script_outcome outcome = cairn__script_run(engine, &job, result);
    return answer(outcome, cairn__buffer_span(result));
}

int cairn__sandbox_child(void) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    closefrom(FIRST_OTHER);
    cairn__script_engine *engine =
        cairn__script_open(cairn__heap(), cairn__script_default_limits());
    cairn__buffer result = cairn__buffer_make(cairn__heap(), CAIRN__SCRIPT_OUT_BYTES);
    cairn__buffer frame = cairn__buffer_make(cairn__heap(), CAIRN__SANDBOX_REQUEST_BYTES_MAX);
    /* all that will ever be needed: behind the lock nobody gives any */
    (void)cairn__buffer_extend(&result, CAIRN__SCRIPT_OUT_BYTES);
    (void)cairn__buffer_extend(&frame, CAIRN__SANDBOX_REQUEST_BYTES_MAX);
    if (engine == NULL || result.failed || frame.failed) {
        return EXIT_NO_MEMORY;
    }
    if (!cairn__sandbox_lock()) {
        return EXIT_NOT_LOCKED;
    }
    if (answer(CAIRN__SANDBOX_READY, (cairn_span){ 0 })) {
        while (serve(engine, frame.data, &result)) {
        }
    }
    _exit(EXIT_DONE);
}
