/* flag.h: a flag whose value depends on whom it is asked for: rules in order, each an experiment
 * (or another flag) whose variants stand for values of the flag (one variant: no chance). The first
 * rule that gives a value decides; when none does, the flag has its default.
 *
 * A rule that cannot be answered without facts of the server ends the search: the next rule's value
 * could be the wrong one. Pure, like experiment.h. */
#ifndef CAIRN_DECIDE_FLAG_H
#define CAIRN_DECIDE_FLAG_H

#include "decide/experiment.h"

enum {
    CAIRN__FLAG_RULES_MAX = 64,
    CAIRN__FLAG_DEFAULT = -1, /* instead of a value */
    CAIRN__FLAG_NEXT = -2     /* of a rule's variant: go on to the next rule (not in a holdout) */
};

typedef struct cairn__flag_rule {
    const int *values;   /* variant i gives values[i]: a value's number, or CAIRN__FLAG_NEXT;
                            NULL: i */
    uint16_t experiment; /* its number, where the flag is one of definitions.h */
    bool gate;           /* prerequisites that are not met end the search: the flag is off */
} cairn__flag_rule;

typedef enum cairn__flag_reason {
    CAIRN__FLAG_BY_RULE = 0, /* "rule" */
    CAIRN__FLAG_NO_RULE = 1, /* "no_rule": the default */
    CAIRN__FLAG_UNKNOWN = 2, /* "unknown": a rule needs facts of the server; the default */
    CAIRN__FLAG_GATED = 3,   /* "gated": a gate's prerequisites are not met; no value at all */
    CAIRN__FLAG_INVALID = 4  /* "invalid": too many rules; the default */
} cairn__flag_reason;

typedef struct cairn__flag_decision {
    int value; /* its number, or CAIRN__FLAG_DEFAULT */
    cairn__flag_reason reason;
    size_t rule;              /* the one that ended the search; rule_count: none */
    cairn__decision decision; /* that rule's: to be counted and kept like any experiment's. Of a
                                 flag within a flag it is what that one came to */
} cairn__flag_decision;

/** What rule `index`'s experiment came to. Asked in order, and not beyond the one that decides. */
typedef cairn__decision (*cairn__flag_asked)(void *context, size_t index);

cairn__flag_decision cairn__flag_decide(const cairn__flag_rule *rules, size_t rule_count,
                                        cairn__flag_asked asked, void *context);

/** The reason's stable text (above); static storage. */
const char *cairn__flag_reason_text(cairn__flag_reason reason);

#endif
