/* engine.h: the inside of the room: the engine, and what of it runs within Duktape. */
#ifndef CAIRN_SCRIPT_ENGINE_H
#define CAIRN_SCRIPT_ENGINE_H

#include "script/duktape_config.h"

#include "script/pool.h"
#include "script/script.h"
#include <duktape.h>

/** A heap at rest: a copy of the used part of its pool, back at the same address later. */
typedef struct cairn__script_image {
    cairn__script_pool pool;
    uint64_t hash;
    size_t source_bytes; /* the source lies before the heap's bytes */
    bool filled;
    uint8_t *bytes;
} cairn__script_image;

struct cairn__script_engine {
    cairn_allocator allocator;
    cairn__script_limits limits;
    cairn__script_pool pool;
    uint8_t *region;      /* of the pool: limits.heap_bytes */
    uint8_t *text;        /* source or input as CESU-8 */
    duk_context *context; /* at the same address in every image */
    cairn__script_image fresh;
    cairn__script_image *prepared;
    size_t prepared_count;
    size_t prepared_next; /* the oldest goes first */
    uint8_t *cache;
    size_t peak_bytes;
    /* of the run */
    const cairn__script_job *job;
    cairn__buffer *out;
    const char *refusal; /* why the result is not one; NULL: it is */
    uint64_t steps;
    uint64_t random;
    uintptr_t stack_top;
    bool stopped; /* for good: the engine throws until it is out */
};

/* What duk_safe_call runs; udata is the engine. */

/** [] -> []: takes away what reaches compiled text or hidden things. */
duk_ret_t cairn__script_harden(duk_context *context, void *udata);
/** [] -> [program]: the source at engine->text. */
duk_ret_t cairn__script_compile(duk_context *context, void *udata);
/** [program] -> [undefined]: the result is in engine->out, or engine->refusal says why not. */
duk_ret_t cairn__script_call(duk_context *context, void *udata);
/** [error] -> [text]. */
duk_ret_t cairn__script_describe(duk_context *context, void *udata);

#endif
