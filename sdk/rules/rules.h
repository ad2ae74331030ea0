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
    CAIRN__RULE_SESSION = 1 << 5,
    CAIRN__RULE_QUERY = 1 << 7 /* a function over history; the name is the query (history.h).
                                  Allowed where the use can give its value (device, collector) */
} cairn__rule_space;

typedef enum cairn__rule_answer {
    CAIRN__RULE_FALSE = 0,
    CAIRN__RULE_TRUE = 1,
    CAIRN__RULE_UNKNOWN = 2
} cairn__rule_answer;

/** The kind of a slot's value that only the server knows, beside those of cairn_value_kind. */
enum { CAIRN__RULE_VALUE_UNKNOWN = 255 };

typedef struct cairn__rule_slot {
    cairn__rule_space space;
    cairn_span name; /* "amount", "vip.level"; without the space. Of QUERY: bytes, at most 64 KiB */
} cairn__rule_slot;

/** Who can know a slot's value. */
typedef enum cairn__rule_knower {
    CAIRN__RULE_KNOWN_TO_ALL = 0,      /* event, user, item, device, session: whoever evaluates */
    CAIRN__RULE_KNOWN_BY_HISTORY = 1,  /* a function over events: whoever holds them */
    CAIRN__RULE_KNOWN_BY_AUDIENCE = 2, /* member: whoever holds that audience's rule */
    CAIRN__RULE_KNOWN_TO_SERVER = 3    /* tag, any, all: the server, until it has sent the value */
} cairn__rule_knower;

/** For each of a rule's slots: which part of it can a device evaluate by itself? */
cairn__rule_knower cairn__rule_known_by(const cairn__rule_slot *slot);

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

/** What to compile, and where it is used. */
typedef struct cairn__rule_source {
    cairn_span text;          /* at most 64 KiB of UTF-8 */
    unsigned spaces;          /* bit set of the spaces allowed here; others are refused */
    unsigned bare;            /* the space of a name without one, so that `where amount > 100` means
                                 event.amount; 0: such names are refused */
    cairn__arena *arena;      /* owns the rule */
    cairn__rule_fault *fault; /* where what is wrong is written; required */
} cairn__rule_source;

/**
 * Compile.
 *
 * @retval CAIRN_INVALID      The fault says line, column, what was expected and what is near.
 * @retval CAIRN_UNSUPPORTED  Right, but has functions over the history, and `spaces` has no
 * CAIRN__RULE_QUERY.
 * @retval CAIRN_NO_MEMORY    The arena is full.
 * In all three the fault holds a sentence.
 *
 * Memory while compiling: about 40 KiB and 100 times the text, in the arena. Stack: 100 KiB at the
 * deepest nesting (64). The finished rule may be read by many threads.
 */
cairn_status cairn__rule_compile(const cairn__rule_source *source, cairn__rule *rule_out);

/** The text with a caret under the fault, for a terminal or a log. Appends to `to`. */
void cairn__rule_fault_show(cairn_span text, const cairn__rule_fault *fault, cairn__buffer *to);

/** May these bytes be evaluated? A program from outside this process (a bundle, a file) must pass.
 * @retval CAIRN_INVALID  Damaged, or made by something else. */
cairn_status cairn__rule_program_check(cairn_span program);

/** A rule from a serialised program, checked. The program is borrowed: it must outlive the rule.
 * @retval CAIRN_INVALID    Not a good program.
 * @retval CAIRN_NO_MEMORY  The arena is full. */
cairn_status cairn__rule_load(cairn_span program, cairn__arena *arena, cairn__rule *rule_out);

/** Evaluate: values[i] is slot i's: kind NULL where it is absent, CAIRN__RULE_VALUE_UNKNOWN where
 * only the server knows it. No allocation; at most rule->cost steps (of `matches`: for each
 * character of the text), and less than 10 KiB of stack. `zone` gives calendar days (`is today`,
 * dates); NULL is UTC. A value that is neither true nor unknown in the end is CAIRN__RULE_FALSE. */
cairn__rule_answer cairn__rule_evaluate(const cairn__rule *rule, const cairn_value *values,
                                        int64_t now_ms, const cairn__zone *zone);

enum {
    CAIRN__RULE_EXPLAIN_PARTS_MAX = 500,      /* parts of the rule; the first in reading order */
    CAIRN__RULE_EXPLAIN_TEXT_BYTES_MAX = 200, /* of a part's text, of a value; then "…" */
    CAIRN__RULE_EXPLAIN_BYTES_MAX = 2 << 20   /* no explanation is longer */
};

/** Whose facts, and when; as for cairn__rule_evaluate. */
typedef struct cairn__rule_facts {
    /** The value of a name, kind CAIRN__RULE_VALUE_UNKNOWN where only the server knows it. What it
     * borrows must live until cairn__rule_explain returns. */
    cairn_value (*value_of)(void *context, const cairn__rule_slot *slot);
    void *context;
    int64_t now_ms;
    const cairn__zone *zone; /* NULL: UTC */
} cairn__rule_facts;

/**
 * Why, or why not: the rule's parts as JSON, each with what it came to (docs/RULES.md,
 * "Explaining"). Answers and values are those of cairn__rule_evaluate. Appends to `to`; at most
 * CAIRN__RULE_EXPLAIN_BYTES_MAX bytes. Not for the hot path: it compiles the text, and prints.
 *
 * @param answer_out  The whole rule's answer.
 * @retval CAIRN_INVALID, CAIRN_UNSUPPORTED  As cairn__rule_compile; nothing is appended.
 * @retval CAIRN_NO_MEMORY  The arena is full (beside compiling: 100 KiB), or the buffer is: then
 * what was appended is cut off and `to` is failed.
 */
cairn_status cairn__rule_explain(const cairn__rule_source *source, const cairn__rule_facts *facts,
                                 cairn__buffer *to, cairn__rule_answer *answer_out);

#endif
