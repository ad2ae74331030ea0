/* engine.c: heaps that begin anew in microseconds. A heap lies in one region, so a copy of its used
 * part, put back at the same address, is that heap again: one image of a fresh heap, and one per
 * prepared script right after it was compiled and before a line of it ran. Every run begins from an
 * image, so nothing that a script does is there in the next run. */
#include "script/engine.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "script/text.h"

enum {
    STEPS_PER_CHECK = 262144, /* opcodes between two questions of the executor */
    IMAGE_BYTES = 384 * 1024, /* of one prepared script with its source */
    TOLD_BYTES_MAX = 2 * CAIRN__SCRIPT_ERROR_BYTES_MAX,
    TEXT_BYTES = CAIRN__SCRIPT_INPUT_BYTES_MAX / 2 * 3
};

/* --- what Duktape asks ------------------------------------------------------------------------ */

static int count_steps(cairn__script_engine *engine, uint64_t steps) {
    engine->steps += steps;
    if (engine->limits.steps_max > 0 && engine->steps > engine->limits.steps_max) {
        engine->stopped = true;
    }
    return engine->stopped ? 1 : 0;
}

int cairn__script_must_stop(void *run) {
    return count_steps(run, STEPS_PER_CHECK);
}

/* Every nested native call asks, also every way that a pattern tries: so these count as steps. */
int cairn__script_stack_is_low(void *run) {
    const volatile char here = 0;
    cairn__script_engine *engine = run;
    uintptr_t at = (uintptr_t)&here;
    bool low = at < engine->stack_top && engine->stack_top - at > engine->limits.stack_bytes;
    return count_steps(engine, 1) != 0 || low ? 1 : 0;
}

double cairn__script_date_now(void *run) {
    const cairn__script_engine *engine = run;
    return engine->job != NULL ? (double)engine->job->now_ms : 0;
}

/* SplitMix64 (Steele, Lea, Flood 2014): 53 bits in [0, 1). */
double cairn__script_random(void *run) {
    cairn__script_engine *engine = run;
    engine->random += 0x9E3779B97F4A7C15u;
    return (double)(cairn__mix(engine->random) >> 11) * 0x1p-53;
}

static void *heap_alloc(void *run, duk_size_t bytes) {
    return cairn__script_pool_alloc(&((cairn__script_engine *)run)->pool, bytes);
}

static void *heap_resize(void *run, void *at, duk_size_t bytes) {
    return cairn__script_pool_resize(&((cairn__script_engine *)run)->pool, at, bytes);
}

static void heap_release(void *run, void *at) {
    cairn__script_pool_release(&((cairn__script_engine *)run)->pool, at);
}

/* Everything runs in protected calls: an error that is caught by none is a bug. */
static void fatal(void *run, const char *text) {
    (void)run;
    (void)text;
    __builtin_trap();
}

/* --- images ----------------------------------------------------------------------------------- */

static void restore(cairn__script_engine *engine, const cairn__script_image *image) {
    engine->pool = image->pool;
    memcpy(engine->region, image->bytes + image->source_bytes, image->pool.used);
}

static void take(const cairn__script_engine *engine, cairn_span source,
                 cairn__script_image *image) {
    image->pool = engine->pool;
    image->source_bytes = source.len;
    if (source.len > 0) {
        memcpy(image->bytes, source.data, source.len);
    }
    memcpy(image->bytes + source.len, engine->region, engine->pool.used);
    image->filled = true;
}

static const cairn__script_image *find_prepared(const cairn__script_engine *engine,
                                                cairn_span source, uint64_t hash) {
    for (size_t i = 0; i < engine->prepared_count; i++) {
        const cairn__script_image *image = &engine->prepared[i];
        if (image->filled && image->hash == hash &&
            cairn__span_equal(cairn__span(image->bytes, image->source_bytes), source)) {
            return image;
        }
    }
    return NULL;
}

static void keep_prepared(cairn__script_engine *engine, cairn_span source, uint64_t hash) {
    if (engine->prepared_count == 0 || source.len + engine->pool.used > IMAGE_BYTES) {
        return; /* compiled each time */
    }
    cairn__script_image *image = &engine->prepared[engine->prepared_next];
    engine->prepared_next = (engine->prepared_next + 1) % engine->prepared_count;
    image->hash = hash;
    take(engine, source, image);
}

/* --- open ------------------------------------------------------------------------------------- */

static void *get_memory(const cairn__script_engine *engine, size_t bytes) {
    return bytes == 0 ? NULL : engine->allocator.resize(engine->allocator.self, NULL, 0, bytes);
}

static void give_back(const cairn__script_engine *engine, void *at, size_t bytes) {
    if (at != NULL) {
        (void)engine->allocator.resize(engine->allocator.self, at, bytes, 0);
    }
}

static bool make_fresh(cairn__script_engine *engine) {
    cairn__script_pool_reset(&engine->pool, engine->region, engine->limits.heap_bytes);
    engine->context = duk_create_heap(heap_alloc, heap_resize, heap_release, engine, fatal);
    if (engine->context == NULL ||
        duk_safe_call(engine->context, cairn__script_harden, engine, 0, 0) != DUK_EXEC_SUCCESS) {
        return false;
    }
    engine->fresh.bytes = get_memory(engine, engine->pool.used);
    if (engine->fresh.bytes == NULL) {
        return false;
    }
    take(engine, (cairn_span){ 0 }, &engine->fresh);
    return true;
}

static bool make_cache(cairn__script_engine *engine) {
    engine->prepared_count = engine->limits.cache_bytes / IMAGE_BYTES;
    if (engine->prepared_count == 0) {
        return true;
    }
    size_t list_bytes = engine->prepared_count * sizeof *engine->prepared;
    engine->prepared = get_memory(engine, list_bytes);
    engine->cache = get_memory(engine, engine->prepared_count * IMAGE_BYTES);
    if (engine->prepared == NULL || engine->cache == NULL) {
        return false;
    }
    memset(engine->prepared, 0, list_bytes);
    for (size_t i = 0; i < engine->prepared_count; i++) {
        engine->prepared[i].bytes = engine->cache + i * IMAGE_BYTES;
    }
    return true;
}

cairn__script_engine *cairn__script_open(cairn_allocator allocator, cairn__script_limits limits) {
    CAIRN_ASSERT(limits.heap_bytes >= CAIRN__SCRIPT_HEAP_BYTES_MIN && limits.stack_bytes > 0);
    cairn__script_engine *engine = allocator.resize(allocator.self, NULL, 0, sizeof *engine);
    if (engine == NULL) {
        return NULL;
    }
    const volatile char here = 0;
    memset(engine, 0, sizeof *engine);
    engine->allocator = allocator;
    engine->limits = limits;
    engine->stack_top = (uintptr_t)&here;
    engine->region = get_memory(engine, limits.heap_bytes);
    engine->text = get_memory(engine, TEXT_BYTES);
    if (engine->region == NULL || engine->text == NULL || !make_fresh(engine) ||
        !make_cache(engine)) {
        cairn__script_close(engine);
        return NULL;
    }
    return engine;
}

/* The heap is not told: it is nothing but bytes of the region. */
void cairn__script_close(cairn__script_engine *engine) {
    if (engine == NULL) {
        return;
    }
    give_back(engine, engine->fresh.bytes, engine->fresh.pool.used);
    give_back(engine, engine->cache, engine->prepared_count * IMAGE_BYTES);
    give_back(engine, engine->prepared, engine->prepared_count * sizeof *engine->prepared);
    give_back(engine, engine->text, TEXT_BYTES);
    give_back(engine, engine->region, engine->limits.heap_bytes);
    give_back(engine, engine, sizeof *engine);
}

size_t cairn__script_peak_bytes(const cairn__script_engine *engine) {
    return engine->peak_bytes;
}

/* --- a run ------------------------------------------------------------------------------------ */

static void say(cairn__buffer *out, cairn_span text) {
    cairn__buffer_clear(out);
    text.len = text.len < TOLD_BYTES_MAX ? text.len : TOLD_BYTES_MAX;
    cairn__script_text_out(text, out);
    while (!out->failed && out->len > CAIRN__SCRIPT_ERROR_BYTES_MAX) {
        out->len = CAIRN__SCRIPT_ERROR_BYTES_MAX;
        while ((out->data[out->len] & 0xC0) == 0x80) {
            out->len -= 1; /* no half of a character */
        }
    }
}

static cairn__script_outcome refuse(cairn__buffer *out, cairn__script_outcome outcome,
                                    const char *text) {
    say(out, cairn__span_of(text));
    return outcome;
}

/* A protected call failed: the error lies on the top. */
static cairn__script_outcome failed(cairn__script_engine *engine) {
    if (engine->stopped) {
        return refuse(engine->out, CAIRN__SCRIPT_TIMEOUT, "the script took too many steps");
    }
    if (engine->pool.refused_bytes > 0) {
        return refuse(engine->out, CAIRN__SCRIPT_MEMORY,
                      "the script wanted more memory than it may "
                      "have");
    }
    bool described =
        duk_safe_call(engine->context, cairn__script_describe, engine, 1, 1) == DUK_EXEC_SUCCESS &&
        duk_is_string(engine->context, -1) != 0;
    if (!described) {
        return refuse(engine->out, CAIRN__SCRIPT_ERROR, "the script threw something unspeakable");
    }
    duk_size_t bytes = 0;
    const char *text = duk_get_lstring(engine->context, -1, &bytes);
    say(engine->out, cairn__span(text, bytes));
    return CAIRN__SCRIPT_ERROR;
}

static const char *look_at(const cairn__script_job *job) {
    return job->source.len > CAIRN__SCRIPT_SOURCE_BYTES_MAX
               ? "the source has more than 65,536 bytes: write less, or minify it"
           : job->input.len > CAIRN__SCRIPT_INPUT_BYTES_MAX
               ? "the input has more than 262,144 bytes"
           : !cairn__utf8_valid(job->source) || !cairn__utf8_valid(job->input)
               ? "source and input must be UTF-8"
               : NULL;
}

static bool prepare(cairn__script_engine *engine) {
    cairn_span source = engine->job->source;
    uint64_t hash = cairn__hash(source, 0);
    const cairn__script_image *image = find_prepared(engine, source, hash);
    if (image != NULL) {
        restore(engine, image);
        return true;
    }
    restore(engine, &engine->fresh);
    if (duk_safe_call(engine->context, cairn__script_compile, engine, 0, 1) != DUK_EXEC_SUCCESS) {
        return false;
    }
    engine->pool.refused_bytes = 0;
    keep_prepared(engine, source, hash);
    return true;
}

cairn__script_outcome cairn__script_run(cairn__script_engine *engine, const cairn__script_job *job,
                                        cairn__buffer *result_out) {
    const volatile char here = 0;
    cairn__buffer_clear(result_out);
    const char *fault = look_at(job);
    if (fault != NULL) {
        return refuse(result_out, CAIRN__SCRIPT_ERROR, fault);
    }
    engine->job = job;
    engine->out = result_out;
    engine->refusal = NULL;
    engine->steps = 0;
    engine->stopped = false;
    engine->random = job->seed;
    engine->stack_top = (uintptr_t)&here;
    cairn__script_outcome outcome = CAIRN__SCRIPT_OK;
    if (!prepare(engine) ||
        duk_safe_call(engine->context, cairn__script_call, engine, 1, 1) != DUK_EXEC_SUCCESS) {
        outcome = failed(engine);
    } else if (engine->refusal != NULL) {
        outcome = refuse(result_out, CAIRN__SCRIPT_RESULT, engine->refusal);
    }
    engine->job = NULL;
    engine->peak_bytes =
        engine->pool.used > engine->peak_bytes ? engine->pool.used : engine->peak_bytes;
    return result_out->failed ? CAIRN__SCRIPT_MEMORY : outcome;
}
