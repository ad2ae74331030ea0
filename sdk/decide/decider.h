/* decider.h: what a decider holds, for the files of this room. decider.c prepares it, asked.c
 * answers for facts and conditions, caps.c for caps and the clock on the wall. */
#ifndef CAIRN_DECIDE_DECIDER_H
#define CAIRN_DECIDE_DECIDER_H

#include "base/assert.h"
#include "base/bytes.h"
#include "base/json.h"
#include "decide/decide.h"

/** From a name to a number, over an array of structures that begin with their name. */
typedef struct cairn__names {
    const uint8_t *first;
    size_t stride, count;
    const uint16_t *places; /* hash table: number + 1; 0: free */
    uint32_t mask;
} cairn__names;

/** A popup and which of its triggers; of goals the trigger is 0. */
typedef struct cairn__candidate {
    uint16_t popup, trigger;
} cairn__candidate;

/** An event and those popups it concerns: candidates[first], ..., by priority. */
typedef struct cairn__event_row {
    cairn_span name; /* first: for cairn__names */
    uint32_t first, count;
} cairn__event_row;

typedef struct cairn__event_index {
    cairn__event_row *rows;
    cairn__candidate *candidates;
    cairn__names names;
} cairn__event_index;

/** What of a popup is looked at first, and often: one cache line. */
typedef struct cairn__popup_line {
    int64_t from_ms, to_ms;
    uint32_t entry;        /* of the memory + 1; 0: nothing is remembered */
    uint32_t holdout_hash; /* FNV-1a of the salts */
    uint32_t variant_hash;
    bool plain;                 /* one variant, no holdout: no unit is needed */
    const cairn__range *ranges; /* of the variants */
} cairn__popup_line;

/** The moment as the user's wall clock has it; made when first asked for. */
typedef struct cairn__wall {
    bool clock_known;
    uint8_t starts_known; /* bit set of cairn__cap_window */
    uint16_t minute;
    uint8_t weekday;      /* Monday is 0 */
    int64_t starts_ms[3]; /* day, week, month */
} cairn__wall;

/** An item on its way into a slot. */
typedef struct cairn__pooled {
    uint16_t item, place; /* place: in which it was recalled, from 0 */
    uint8_t why;          /* cairn__why; CAIRN__WHY_COUNT: nothing against it */
    bool scored;          /* by the script */
    uint32_t draw;        /* of exploration */
    double score;
} cairn__pooled;

struct cairn__decider {
    const cairn__definitions *definitions;
    const cairn__decide_input *input; /* of the call */
    const cairn__item *item;          /* what item.* means now; NULL: nothing */
    /* facts: values[i] holds in this call when stamps[i] == generation */
    uint32_t generation;
    uint32_t *stamps;
    cairn_value *values;
    uint16_t *audience_of; /* of a fact: the audience that it is + 1; 0: none, or the server's */
    cairn_value *gathered; /* of the condition being judged */
    uint16_t *audience_todo;
    cairn__wall wall;
    /* what the memory knows of which popup and group; groups[0]: all */
    uint64_t bound_shape;
    uint32_t bound_count;
    uint32_t *group_entries;
    /* popups */
    cairn__names popup_names, group_names;
    cairn__event_index triggers, goals;
    cairn__popup_line *popups;
    uint32_t holdout_hash;
    /* slots */
    cairn__names slot_names, item_names;
    uint32_t pass;
    uint32_t *seen, *bought, *repeated; /* of an item: the pass in which it was */
    cairn__pooled *pool;
    size_t pool_count;
    cairn_span *texts;                /* CAIRN__DECIDE_RECENT_MAX */
    const cairn__memory_entry **last; /* CAIRN__SLOT_REPEATS_MAX: the items shown last */
    /* experiments */
    cairn__names experiment_names;
    uint32_t *decided; /* the generation in which answers[i] was made; 1 more: it is needed */
    cairn__decision *answers;
    uint16_t *behind; /* whose variant answers[i] has: of a flag the experiment that decided */
    const cairn__zone *user_zone;
};

/** -1: none has that name. */
int cairn__names_find(const cairn__names *names, cairn_span name);

/** A call begins: nothing of the last one holds. */
void cairn__decider_begin(cairn__decider *decider, const cairn__decide_input *input);

/** The value of a fact; asked for at most once in a call. */
cairn_value cairn__decider_fact(cairn__decider *decider, uint16_t number);

/** The values of the condition's slots, in decider->gathered. */
void cairn__decider_gather(cairn__decider *decider, const cairn__condition *condition);

cairn__rule_answer cairn__decider_judge(cairn__decider *decider, const cairn__condition *condition);

/** Is one more more than the cap allows? entry NULL: nothing is remembered. */
bool cairn__cap_reached(cairn__decider *decider, const cairn__cap *cap,
                        const cairn__memory_entry *entry);
/** The first of the caps that is reached, or NULL. */
const cairn__cap *cairn__caps_reached(cairn__decider *decider, const cairn__cap *caps, size_t count,
                                      const cairn__memory_entry *entry);

/** Is it a quiet period where the user is? */
bool cairn__quiet_now(cairn__decider *decider, const cairn__quiet *quiet, size_t count);

/** The value of that name; kind NULL where there is none. */
cairn_value cairn__property_of(const cairn_property *properties, size_t count, cairn_span name);

/** Which variant by chance: of a popup whose variants need a unit. */
int cairn__popup_variant(const cairn__decider *decider, uint16_t number, cairn_span unit);

/** The score of an item by the strategy's terms; uses decider->item. */
double cairn__slot_score(cairn__decider *decider, const cairn__strategy *strategy,
                         const cairn__item *item, uint16_t place);
/** A draw of Thompson sampling: larger is better. */
uint32_t cairn__slot_draw(cairn__decider *decider, cairn_span slot, const cairn__item *item);

/** Was the script run and gave no scores? */
bool cairn__slot_script_lost(const cairn__slot_scores *scores);

/** Judge all items of a strategy, and put those that it gives into the decision; false: too few. */
bool cairn__slot_try(cairn__decider *decider, const cairn__slot *slot,
                     const cairn__strategy *strategy, const cairn__slot_ask *ask,
                     cairn__slot_decision *decision);

/* --- JSON --- */

/** A comma before all but the first. */
static inline void cairn__answer_comma(cairn__buffer *to, bool *first) {
    if (!*first) {
        cairn__buffer_byte(to, ',');
    }
    *first = false;
}

/** {"decide":KIND,"bundle":VERSION,"now":MS */
void cairn__answer_head(cairn__buffer *to, const cairn__decider *decider, const char *kind);
/** Pieces of syntax, and before a value its name: ,"NAME": */
void cairn__answer_put(cairn__buffer *to, const char *lead);
void cairn__answer_text(cairn__buffer *to, const char *lead, cairn_span text);
void cairn__answer_word(cairn__buffer *to, const char *lead, const char *word);
void cairn__answer_integer(cairn__buffer *to, const char *lead, int64_t number);
void cairn__answer_why(cairn__buffer *to, cairn__why why);
/** The JSON as it stands in the definitions; null where it is empty. */
void cairn__answer_json(cairn__buffer *to, const char *lead, cairn_span json);

#endif
