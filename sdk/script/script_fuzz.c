/* script_fuzz.c: any source ends as a result or a reason, stays in its heap, and gives the same
 * bytes again. Steps are counted; what a count cannot end (one long native call) is left by force,
 * as the process around a script is killed in earnest: a heap is nothing but bytes of its region.
 * A first line with the name of a use says what the result is for. */
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "script/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAP_BYTES = 1 << 20, STEPS_MAX = 1 << 20, WALL_US = 400000 };

static sigjmp_buf out_of_here;

static void leave(int number) {
    (void)number;
    siglongjmp(out_of_here, 1);
}

static void arm(suseconds_t wall_us) {
    const struct itimerval once = { .it_value = { 0, wall_us } };
    (void)setitimer(ITIMER_REAL, &once, NULL);
}

/* The source follows the line with its use; without one it is for any. */
static cairn__script_job job_of(const uint8_t *data, size_t size) {
    static const char input[] =
        "{\"items\":[{\"id\":\"a\",\"n\":1},{\"id\":\"\\u00e9\"}],\"x\":[]}";
    cairn__script_job job = { .source = { data, size },
                              .input = cairn__span_of(input),
                              .now_ms = 1790000000000,
                              .seed = size };
    const uint8_t *end = size > 0 ? memchr(data, '\n', size < 8 ? size : 8) : NULL;
    if (end != NULL && cairn__script_use_named(cairn__span(data, (size_t)(end - data)), &job.use)) {
        job.source = cairn__span(end + 1, size - (size_t)(end - data) - 1);
    }
    return job;
}

static void check(cairn__script_outcome outcome, const cairn__buffer *out) {
    CAIRN_ASSERT(!out->failed && cairn__utf8_valid(cairn__buffer_span(out)));
    CAIRN_ASSERT(outcome != CAIRN__SCRIPT_UNAVAILABLE && outcome != CAIRN__SCRIPT_BUSY);
    CAIRN_ASSERT(outcome == CAIRN__SCRIPT_OK
                     ? out->len > 0 && out->len <= CAIRN__SCRIPT_RESULT_BYTES_MAX
                     : out->len <= CAIRN__SCRIPT_ERROR_BYTES_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static cairn__script_engine *engine;
    static cairn__buffer first;
    static cairn__buffer second;
    if (engine == NULL) {
        const cairn__script_limits limits = { HEAP_BYTES, 1 << 20, CAIRN__SCRIPT_STACK_BYTES,
                                              STEPS_MAX };
        engine = cairn__script_open(cairn__heap(), limits);
        CAIRN_ASSERT(engine != NULL);
        first = cairn__buffer_make(cairn__heap(), 1 << 24);
        second = cairn__buffer_make(cairn__heap(), 1 << 24);
        (void)cairn__buffer_extend(&first,
                                   1 << 22); /* so that nothing grows while it may be left */
        (void)cairn__buffer_extend(&second, 1 << 22);
        (void)signal(SIGALRM, leave);
    }
    const cairn__script_job job = job_of(data, size);
    if (sigsetjmp(out_of_here, 1) == 0) {
        arm(WALL_US);
        cairn__script_outcome outcome = cairn__script_run(engine, &job, &first);
        check(outcome, &first);
        CAIRN_ASSERT(cairn__script_run(engine, &job, &second) == outcome);
        arm(0);
        CAIRN_ASSERT(cairn__span_equal(cairn__buffer_span(&first), cairn__buffer_span(&second)));
    }
    CAIRN_ASSERT(cairn__script_peak_bytes(engine) <= HEAP_BYTES);
    return 0;
}
