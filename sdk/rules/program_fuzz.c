/* program_fuzz.c: bytes that pass the check are safe to evaluate with any values; their answer is
 * one of three and the same twice. */
#include "base/assert.h"
#include "base/bytes.h"
#include "rules/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 1 << 20, SLOTS_MAX = 1024 };

static const cairn_span items[] = { { (const uint8_t *)"ab", 2 }, { NULL, 0 } };

static cairn_value value_of(size_t i) {
    const cairn_value values[] = {
        { .kind = CAIRN_VALUE_STRING, .as.string = { (const uint8_t *)"ab", 2 } },
        { .kind = CAIRN_VALUE_INTEGER, .as.integer = -1 },
        { .kind = CAIRN_VALUE_TIME, .as.time_ms = INT64_MIN },
        { .kind = CAIRN_VALUE_LIST, .as.list = { items, 2 } },
        { .kind = CAIRN_VALUE_NUMBER, .as.number = -1e300 },
        { .kind = (cairn_value_kind)CAIRN__RULE_VALUE_UNKNOWN },
        { .kind = (cairn_value_kind)99 },
    };
    return values[i % (sizeof values / sizeof values[0])];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    cairn_value values[SLOTS_MAX];
    cairn__rule rule;
    cairn_status status = cairn__rule_load((cairn_span){ data, size }, &arena, &rule);
    CAIRN_ASSERT((cairn__rule_program_check((cairn_span){ data, size }) == CAIRN_INVALID) ==
                 (status == CAIRN_INVALID));
    for (size_t shift = 0; status == CAIRN_OK && shift < 7; shift++) {
        for (size_t i = 0; i < rule.slot_count; i++) {
            values[i] = value_of(i + shift);
        }
        cairn__rule_answer answer = cairn__rule_evaluate(&rule, values, INT64_MAX, NULL);
        CAIRN_ASSERT(answer <= CAIRN__RULE_UNKNOWN);
        CAIRN_ASSERT(answer == cairn__rule_evaluate(&rule, values, INT64_MAX, NULL));
    }
    cairn__arena_free(&arena);
    return 0;
}
