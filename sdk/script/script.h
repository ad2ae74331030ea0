/* script.h: runs one script on one input. A pure call: the same source, input, time and seed give
 * the same result, whatever ran before; the script sees nothing but its input.
 *
 * The engine bounds memory, nesting and counted steps from inside, but not time: one native call (a
 * sort, a join) may run for seconds. Call it only where somebody else can kill it: in the edge's
 * sandbox process (edge/sandbox.h), in a browser's Worker. Never in a host application's process.
 *
 * A script is ES5.1 source that defines `function main(input)`; what main returns is the result.
 * The contract of each use, and what scripts can and cannot do: docs/SCRIPTS.md. */
#ifndef CAIRN_SCRIPT_SCRIPT_H
#define CAIRN_SCRIPT_SCRIPT_H

#include "base/memory.h"

enum {
    CAIRN__SCRIPT_SOURCE_BYTES_MAX = 64 * 1024,
    CAIRN__SCRIPT_INPUT_BYTES_MAX = 256 * 1024,
    CAIRN__SCRIPT_RESULT_BYTES_MAX = 64 * 1024,
    CAIRN__SCRIPT_OUT_BYTES =
        CAIRN__SCRIPT_RESULT_BYTES_MAX / 2 * 3, /* result_out never needs more */
    CAIRN__SCRIPT_ERROR_BYTES_MAX = 512,
    CAIRN__SCRIPT_TAG_BYTES_MAX = 1024, /* of a tag value as JSON */
    CAIRN__SCRIPT_ITEMS_MAX = 1000,     /* that one ranking may have */
    CAIRN__SCRIPT_HEAP_BYTES_MIN = 512 * 1024,
    CAIRN__SCRIPT_HEAP_BYTES = 8 * 1024 * 1024,  /* what one run may hold */
    CAIRN__SCRIPT_CACHE_BYTES = 3 * 1024 * 1024, /* prepared scripts */
    CAIRN__SCRIPT_STACK_BYTES = 256 * 1024,      /* of the C stack that one run may use */
    CAIRN__SCRIPT_WALL_MS = 100                  /* after which the killer kills */
};

/** What the result is for; it is checked in the engine. */
typedef enum cairn__script_use {
    CAIRN__SCRIPT_ANY = 0,   /**< Any JSON value. */
    CAIRN__SCRIPT_SCORE = 1, /**< A finite number. */
    CAIRN__SCRIPT_TAG = 2,   /**< A string, finite number, boolean or null: a tag's value. */
    CAIRN__SCRIPT_RANK = 3   /**< One finite number for each of input.items, in their order. */
} cairn__script_use;

/** How a run ended. Numbers cross a pipe: never renumber. */
typedef enum cairn__script_outcome {
    CAIRN__SCRIPT_OK = 0,
    CAIRN__SCRIPT_UNAVAILABLE = 1, /**< Scripts do not run here, or the process could not start. */
    CAIRN__SCRIPT_TIMEOUT = 2,     /**< Killed by the clock, or by the count of steps. */
    CAIRN__SCRIPT_MEMORY = 3,      /**< It wanted more than its heap. */
    CAIRN__SCRIPT_ERROR = 4,       /**< It does not compile, or threw, or nested too deep. */
    CAIRN__SCRIPT_BUSY = 5,        /**< Too many others wait. */
    CAIRN__SCRIPT_RESULT = 6,      /**< What it returned is not what the use asks for. */
    CAIRN__SCRIPT_OUTCOMES = 7
} cairn__script_outcome;

/** The reason that a decision gives for its default: "script_timeout"; NULL for CAIRN__SCRIPT_OK.
 */
const char *cairn__script_reason(cairn__script_outcome outcome);

/** "any", "score", "tag", "rank"; false: there is no such use. */
bool cairn__script_use_named(cairn_span name, cairn__script_use *use_out);

typedef struct cairn__script_job {
    cairn__script_use use;
    cairn_span source; /**< UTF-8. */
    cairn_span input;  /**< JSON; empty is null. */
    int64_t now_ms;    /**< What Date.now() says, all the time. */
    uint64_t seed;     /**< Of Math.random(). */
} cairn__script_job;

typedef struct cairn__script_limits {
    size_t heap_bytes;  /**< CAIRN__SCRIPT_HEAP_BYTES_MIN or more. */
    size_t cache_bytes; /**< 0: nothing is kept prepared. */
    size_t stack_bytes; /**< Of the C stack, below the call of cairn__script_run. */
    uint64_t steps_max; /**< In opcodes, rounded up to 262,144; 0: not counted. */
} cairn__script_limits;

/** What the server and the browser use. */
cairn__script_limits cairn__script_default_limits(void);

typedef struct cairn__script_engine cairn__script_engine;

/** All memory is taken here: runs take none. NULL: no memory. One thread at a time. */
cairn__script_engine *cairn__script_open(cairn_allocator allocator, cairn__script_limits limits);
void cairn__script_close(cairn__script_engine *engine);

/**
 * Run a script.
 *
 * @param result_out  With CAIRN__SCRIPT_OK: the result as JSON in UTF-8, at most
 *                    CAIRN__SCRIPT_RESULT_BYTES_MAX. Otherwise a sentence for the script's author,
 *                    at most CAIRN__SCRIPT_ERROR_BYTES_MAX; it may quote the input. Cleared first.
 * @return Never UNAVAILABLE or BUSY.
 */
cairn__script_outcome cairn__script_run(cairn__script_engine *engine, const cairn__script_job *job,
                                        cairn__buffer *result_out);

/** The most bytes of the heap that were ever in use, for tests and benches. */
size_t cairn__script_peak_bytes(const cairn__script_engine *engine);

#endif
