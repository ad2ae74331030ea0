/* outcome.c: the words of docs/SCRIPTS.md for uses and for how a run ended. */
#include "base/assert.h"
#include "base/bytes.h"
#include "script/script.h"

const char *cairn__script_reason(cairn__script_outcome outcome) {
    static const char *const reasons[CAIRN__SCRIPT_OUTCOMES] = {
        [CAIRN__SCRIPT_OK] = NULL,
        [CAIRN__SCRIPT_UNAVAILABLE] = "script_unavailable",
        [CAIRN__SCRIPT_TIMEOUT] = "script_timeout",
        [CAIRN__SCRIPT_MEMORY] = "script_memory",
        [CAIRN__SCRIPT_ERROR] = "script_error",
        [CAIRN__SCRIPT_BUSY] = "script_busy",
        [CAIRN__SCRIPT_RESULT] = "script_result",
    };
    CAIRN_ASSERT((unsigned)outcome < CAIRN__SCRIPT_OUTCOMES);
    return reasons[outcome];
}

bool cairn__script_use_named(cairn_span name, cairn__script_use *use_out) {
    static const char *const names[] = { "any", "score", "tag", "rank" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (cairn__span_equal(name, cairn__span_of(names[i]))) {
            *use_out = (cairn__script_use)i;
            return true;
        }
    }
    return false;
}

cairn__script_limits cairn__script_default_limits(void) {
    return (cairn__script_limits){ .heap_bytes = CAIRN__SCRIPT_HEAP_BYTES,
                                   .cache_bytes = CAIRN__SCRIPT_CACHE_BYTES,
                                   .stack_bytes = CAIRN__SCRIPT_STACK_BYTES };
}
