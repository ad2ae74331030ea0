/* rules.h: the rule language (docs/RULES.md): text -> program -> true, false or unknown.
 *
 * A program names the facts that it needs as **slots**; whoever evaluates fills one value per slot.
 * Pure: same program, same slots, same `now`: the same answer on every platform. */
#ifndef CAIRN_RULES_RULES_H
#define CAIRN_RULES_RULES_H

#include "base/memory.h"
#include "base/zone.h"

/** Where a name comes from. A bit set says which are allowed where a rule is used. */
typedef enum cairn__rule_space {
    CAIRN__RULE_EVENT = 1 << 0,
    CAIRN__RULE_USER = 1 << 1,
    CAIRN__RULE_TAG = 1 << 2,
    CAIRN__RULE_ITEM = 1 << 3,
    CAIRN__RULE_DEVICE = 1 << 4,
    CAIRN__RULE_SESSION = 1 << 5
} cairn__rule_space;

typedef enum cairn__rule_answer {
    CAIRN__RULE_FALSE = 0,
    CAIRN__RULE_TRUE = 1,
    CAIRN__RULE_UNKNOWN = 2
} cairn__rule_answer;

typedef struct cairn__rule_slot {
    cairn__rule_space space;
    cairn_span name; /* "amount", "vip.level"; without the space */
} cairn__rule_slot;

typedef struct cairn__rule {
    const cairn__rule_slot *slots; /* distinct */
    size_t slot_count;
    const uint8_t *program; /* serialisable; opaque to callers */
    size_t program_bytes;
    uint32_t cost; /* bound on the steps of one evaluation */
} cairn__rule;

typedef struct cairn__rule_fault {
    uint32_t line, column; /* from 1 */
    char text[240];        /* "expected a value after \">=\"", with the nearest valid word */
} cairn__rule_fault;

/**
 * Compile. A bare name (no space before it) belongs to `bare`, so `where amount > 100` means
 * event.amount.
 *
 * @param spaces  Bit set of the spaces allowed here; others are refused with a sentence.
 * @param bare    The space of a bare name; 0: bare names are refused.
 * @param arena   Owns the rule.
 * @retval CAIRN_INVALID      fault_out: line, column, what was expected.
 * @retval CAIRN_UNSUPPORTED  Right, but needs facts that this build cannot give (history
 * functions).
 * @retval CAIRN_NO_MEMORY    The arena is full.
 */
cairn_status cairn__rule_compile(cairn_span text, unsigned spaces, unsigned bare,
                                 cairn__arena *arena, cairn__rule *rule_out,
                                 cairn__rule_fault *fault_out);

/** The text with a caret under the fault, for a terminal or a log. Appends to `to`. */
void cairn__rule_fault_show(cairn_span text, const cairn__rule_fault *fault, cairn__buffer *to);

/** Evaluate: values[i] is slot i's (kind NULL where it is absent). No allocation. `zone` gives
 * calendar days (`is today`); NULL is UTC. */
cairn__rule_answer cairn__rule_evaluate(const cairn__rule *rule, const cairn_value *values,
                                        int64_t now_ms, const cairn__zone *zone);

#endif
