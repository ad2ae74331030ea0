/* unleash.h: Unleash's toggles -> Cairn's flags. A strategy is a rule of the flag; its constraints
 * and segments are the rule's targeting; a rollout is an experiment of one variant by murmur3; the
 * variants of a toggle are a second experiment, of those who have the toggle. */
#ifndef CAIRN_TESTS_UNLEASH_H
#define CAIRN_TESTS_UNLEASH_H

#include "conform.h"
#include "decide/flag.h"

enum { UNLEASH_STRATEGIES_MAX = 16, UNLEASH_DEPTH_MAX = 4 };

typedef struct unleash_world {
    json_t *state;   /* features, segments */
    json_t *context; /* userId, properties, ... */
    unsigned depth;  /* of toggles asking toggles */
} unleash_world;

/** What a toggle came to. */
typedef struct unleash_answer {
    bool on;
    json_t *variant; /* NULL: none ("disabled") */
} unleash_answer;

/** Adds a strategy's constraints, with its segments', to the text: "and ...". */
void unleash_constraints(conform_text *to, json_t *state, json_t *strategy);

/** user.`text:NAME`: the context's field or property of that name as a text. */
void unleash_name(conform_text *to, const char *type, const char *name);

/** conform_value_of whose context is the case's context: "number:NAME" is NAME's text as a number,
 * "time:NAME" as a time: Cairn's facts have types, Unleash's are all texts. */
const char *unleash_fact(void *context, const cairn__rule_slot *slot, cairn__arena *arena,
                         cairn_value *value_out);

/** The context's field or property; NULL: there is none. */
json_t *unleash_field(json_t *context, const char *name);

/** Decide; returns why the toggle cannot be asked, or NULL. */
const char *unleash_toggle(unleash_world world, const char *name, unleash_answer *out);

#endif
