/* entry.c: cairn-script.wasm, which runs one script at a time in a Worker that its page can
 * terminate. The page's host writes source and input into memory got here, runs, and reads the
 * result. The Worker is the sandbox: nothing is imported that reaches out of the module. */
#include <emscripten.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "script/script.h"

/** Memory for source or input; NULL: there is none. Freed by cairn_script_free. */
EMSCRIPTEN_KEEPALIVE void *cairn_script_memory(size_t bytes) {
    return malloc(bytes > 0 ? bytes : 1);
}

EMSCRIPTEN_KEEPALIVE void cairn_script_free(void *memory) {
    free(memory);
}

typedef struct session {
    cairn__script_engine *engine;
    cairn__buffer result;
    cairn__script_job job;
} session;

/** A session with an engine of its own; NULL: no memory. */
EMSCRIPTEN_KEEPALIVE session *cairn_script_open(void) {
    session *s = calloc(1, sizeof *s);
    if (s != NULL) {
        s->engine = cairn__script_open(cairn__heap(), cairn__script_default_limits());
        s->result = cairn__buffer_make(cairn__heap(), CAIRN__SCRIPT_OUT_BYTES);
    }
    return s != NULL && s->engine != NULL ? s : NULL;
}

/** Time and chance of the next run. */
EMSCRIPTEN_KEEPALIVE void cairn_script_given(session *s, double now_ms, uint32_t seed) {
    s->job.now_ms = (int64_t)now_ms;
    s->job.seed = seed;
}

/** The outcome's number; the text is at cairn_script_text. Source and input are borrowed. */
EMSCRIPTEN_KEEPALIVE int cairn_script_run(session *s, uint32_t use, const uint8_t *texts,
                                          size_t source_bytes, size_t input_bytes) {
    s->job.use = (cairn__script_use)use;
    s->job.source = cairn__span(texts, source_bytes);
    s->job.input = cairn__span(texts + source_bytes, input_bytes);
    return (int)cairn__script_run(s->engine, &s->job, &s->result);
}

EMSCRIPTEN_KEEPALIVE const uint8_t *cairn_script_text(const session *s) {
    return s->result.data;
}

EMSCRIPTEN_KEEPALIVE size_t cairn_script_text_bytes(const session *s) {
    return s->result.len;
}
