/* duktape_config.h: how the script engine is built. Forced in front of duktape.c and included by
 * its users: Debian's duk_config.h first, then what Cairn says otherwise. ECMAScript 5.1 and
 * nothing that reaches out of the engine or lives longer than one run. */
#ifndef CAIRN_SCRIPT_DUKTAPE_CONFIG_H
#define CAIRN_SCRIPT_DUKTAPE_CONFIG_H

#include <duk_config.h>

/* What the engine asks of its owner; `run` is the udata of the heap. Defined in engine.c. */
int cairn__script_must_stop(void *run);
int cairn__script_stack_is_low(void *run);
double cairn__script_date_now(void *run);
double cairn__script_random(void *run);

/* Execution checks: every 262,144 opcodes, and at every nested native call. */
#undef DUK_USE_INTERRUPT_COUNTER
#define DUK_USE_INTERRUPT_COUNTER
#undef DUK_USE_EXEC_TIMEOUT_CHECK
#define DUK_USE_EXEC_TIMEOUT_CHECK(udata) cairn__script_must_stop(udata)
#undef DUK_USE_NATIVE_STACK_CHECK
#define DUK_USE_NATIVE_STACK_CHECK() cairn__script_stack_is_low(thr->heap->heap_udata)

/* The only clock is the job's, the only zone UTC, the only randomness the job's seed. */
#undef DUK_USE_DATE_NOW_GETTIMEOFDAY
#undef DUK_USE_DATE_NOW_TIME
#undef DUK_USE_DATE_TZO_GMTIME_R
#undef DUK_USE_DATE_TZO_GMTIME
#undef DUK_USE_DATE_PRS_STRPTIME
#undef DUK_USE_DATE_PARSE_STRING
#undef DUK_USE_DATE_FMT_STRFTIME
#undef DUK_USE_DATE_FORMAT_STRING
#undef DUK_USE_GET_MONOTONIC_TIME_CLOCK_GETTIME
#undef DUK_USE_GET_MONOTONIC_TIME
#undef DUK_USE_DATE_GET_NOW
#define DUK_USE_DATE_GET_NOW(ctx) cairn__script_date_now((ctx)->heap->heap_udata)
#undef DUK_USE_DATE_GET_LOCAL_TZOFFSET
#define DUK_USE_DATE_GET_LOCAL_TZOFFSET(d) 0
#undef DUK_USE_GET_RANDOM_DOUBLE
#define DUK_USE_GET_RANDOM_DOUBLE(udata) cairn__script_random(udata)

/* Memory is the owner's pool; there is no other allocator to fall back to. */
#undef DUK_USE_PROVIDE_DEFAULT_ALLOC_FUNCTIONS

/* How deep anything may nest. The stack is checked by its address as well. */
#undef DUK_USE_CALLSTACK_LIMIT
#define DUK_USE_CALLSTACK_LIMIT 1000
#undef DUK_USE_VALSTACK_LIMIT
#define DUK_USE_VALSTACK_LIMIT 100000L
#undef DUK_USE_NATIVE_CALL_RECLIMIT
#define DUK_USE_NATIVE_CALL_RECLIMIT 100
#undef DUK_USE_COMPILER_RECLIMIT
#define DUK_USE_COMPILER_RECLIMIT 200
#undef DUK_USE_REGEXP_COMPILER_RECLIMIT
#define DUK_USE_REGEXP_COMPILER_RECLIMIT 500
#undef DUK_USE_REGEXP_EXECUTOR_RECLIMIT
#define DUK_USE_REGEXP_EXECUTOR_RECLIMIT 1000
#undef DUK_USE_JSON_DEC_RECLIMIT
#define DUK_USE_JSON_DEC_RECLIMIT 200
#undef DUK_USE_JSON_ENC_RECLIMIT
#define DUK_USE_JSON_ENC_RECLIMIT 200
#undef DUK_USE_MARK_AND_SWEEP_RECLIMIT
#define DUK_USE_MARK_AND_SWEEP_RECLIMIT 128

/* Doors and weight. Built-in objects cannot be left out here (Duktape's table of them was made with
 * all): call.c takes what is not ES5.1 away from every heap. */
#undef DUK_USE_BASE64_SUPPORT
#undef DUK_USE_BASE64_FASTPATH
#undef DUK_USE_BYTECODE_DUMP_SUPPORT
#undef DUK_USE_ERRCREATE
#undef DUK_USE_ERRTHROW
#undef DUK_USE_HEX_FASTPATH
#undef DUK_USE_HEX_SUPPORT
#undef DUK_USE_HTML_COMMENTS
#undef DUK_USE_JC
#undef DUK_USE_JX
#undef DUK_USE_NONSTD_STRING_FROMCHARCODE_32BIT
#undef DUK_USE_SHEBANG_COMMENTS

#endif
