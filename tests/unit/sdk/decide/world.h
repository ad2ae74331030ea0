/* world.h: definitions made in a few lines, a person whose facts a test sets, and the events that
 * the person's memory has taken in. Everything lives in one arena. */
#ifndef CAIRN_TESTS_DECIDE_WORLD_H
#define CAIRN_TESTS_DECIDE_WORLD_H

#include "base/bytes.h"
#include "decide/decide.h"

enum { WORLD_FACTS_MAX = 256, WORLD_RECENT_MAX = 16 };

typedef struct world {
    cairn__arena arena;
    cairn__definitions definitions;
    cairn__rule_slot slots[WORLD_FACTS_MAX];
    cairn_value values[WORLD_FACTS_MAX]; /* of the facts, by number */
    unsigned asked[WORLD_FACTS_MAX];
    cairn_span recent[WORLD_RECENT_MAX]; /* what facts.recent gives, newest first */
    size_t recent_count;
    cairn__facts facts;
    cairn__memory memory;
    cairn__decider *decider;
    cairn__decide_input input;
    cairn__event event;
    cairn__buffer answer;
} world;

void world_open(world *w);
void world_close(world *w);

/** A condition from a rule's text; its names become facts. */
cairn__condition world_condition(world *w, const char *text);
/** The number of a fact, made where there is none. */
uint16_t world_fact(world *w, cairn__rule_space space, cairn_span name);
void world_set(world *w, cairn__rule_space space, const char *name, cairn_value value);
void world_audiences(world *w, const cairn__audience *audiences, size_t count);

/** The decider anew, after the definitions have changed. */
void world_ready(world *w);

/** Note one event of the person. */
void world_note_popup(world *w, const char *event, const char *popup, int64_t time_ms);
void world_note_item(world *w, const char *event, const char *item, int64_t time_ms,
                     int64_t position);
void world_note_exposure(world *w, const char *experiment, const char *variant, int64_t version,
                         const char *unit);

/** Does the answer say this of that name? */
bool world_says(const world *w, const char *name, const char *reason);
/** Is this text in the answer? */
bool world_has(const world *w, const char *text);

const cairn__zone *world_zone(world *w, const char *name);

static inline cairn_value world_integer(int64_t integer) {
    return (cairn_value){ .kind = CAIRN_VALUE_INTEGER, .as.integer = integer };
}
static inline cairn_value world_text(const char *text) {
    return (cairn_value){ .kind = CAIRN_VALUE_STRING,
                          .as.string = { (const uint8_t *)text, strlen(text) } };
}
static inline cairn_value world_unknown(void) {
    return (cairn_value){ .kind = (cairn_value_kind)CAIRN__RULE_VALUE_UNKNOWN };
}

#endif
