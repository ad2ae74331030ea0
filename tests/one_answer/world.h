/* world.h: random definitions and random lives under them, the same from the same seed, for
 * whoever decides: the native SDK, cairn.wasm and the collector (README.md).
 *
 * A life is a list of steps as the exports of cairn.wasm take them; whoever runs it hands each step
 * on and writes down what came back. In bytes (drive.mjs reads them; little-endian):
 *   world = 65 bytes of the key "test", u32 bundle bytes, the SignedBundle, u32 lives, lives
 *   life  = 32 bytes of seed for the device's random numbers, u32 bytes, steps
 *   step  = u8 kind, u32 method, u32 bytes, bytes (a block of wasm/block.h; of NOW an f64)
 *   heard = u32 what (HEARD_...), u32 status, u32 bytes, bytes */
#ifndef CAIRN_TESTS_ONE_ANSWER_WORLD_H
#define CAIRN_TESTS_ONE_ANSWER_WORLD_H

#include "base/memory.h"
#include "unit/sdk/rules/history_oracle.h"

enum {
    WORLD_LIVES = 16,
    WORLD_RULES = 400,
    WORLD_RULE_MOMENTS = 2, /* at which a life is asked for all rules */
    WORLD_POPUPS = 12,
    WORLD_SLOTS = 3,
    WORLD_EXPERIMENTS = 8,
    WORLD_EVENTS = 4, /* names of events that bring popups: those of histories */
    WORLD_PLACES = 5,
    WORLD_ARENA_BYTES = 64 << 20,
    WORLD_DEVICE_PROPERTIES = 4,
    SEED_BYTES = 32
};

/** Of a world of RULES each life is asked all rules; of one of DECISIONS everything else. */
typedef enum world_kind { WORLD_OF_RULES = 0, WORLD_OF_DECISIONS = 1 } world_kind;

typedef enum step_kind {
    STEP_NOW = 'N',  /* both clocks */
    STEP_CALL = 'C', /* enum call_method of wasm/entry.c */
    STEP_ASK = 'A'   /* enum ask_method */
} step_kind;

typedef enum heard_kind { HEARD_CALL = 1, HEARD_ANSWER = 2, HEARD_POPUP = 3 } heard_kind;

/** As in wasm/entry.c. */
enum { CALL_TRACK = 0, CALL_LOGIN = 8, CALL_PROFILE_SET = 12, CALL_PROFILE_UNSET = 16 };
enum {
    ASK_EVENT = 0,
    ASK_POPUP,
    ASK_SLOT,
    ASK_EXPERIMENT,
    ASK_EXPERIMENTS,
    ASK_SHOW,
    ASK_CLICKED,
    ASK_CLOSED,
    ASK_EXPOSE,
    ASK_SLOT_SHOWN,
    ASK_SLOT_CLICKED,
    ASK_PAGE,
    ASK_ZONE,
    ASK_DEVICE
};

typedef struct world_rule {
    gen_rule history;
    bool only_history; /* the oracle knows the answer */
    const char *text;
} world_rule;

typedef struct world_life {
    uint8_t seed[SEED_BYTES];
    cairn__buffer steps;
    gen_case person; /* the events that were tracked, of a world of rules */
} world_life;

typedef struct world {
    world_kind kind;
    uint64_t seed;
    uint64_t dice; /* its state */
    history_clock zone, user_zone;
    cairn__arena arena; /* texts, definitions */
    world_rule rules[WORLD_RULES];
    world_life lives[WORLD_LIVES];
    cairn__buffer bundle;        /* a Bundle message */
    cairn__buffer signed_bundle; /* and signed with the key of the tests */
} world;

/** @return false: the system does not have the zones. Free it in both cases. */
bool world_make(world *w, world_kind kind, uint64_t seed);
void world_free(world *w);
/** As bytes; appended. */
void world_write(const world *w, cairn__buffer *to);

/* --- what the files of this folder share ------------------------------------------------------ */

/** A number below `sides`. */
unsigned world_roll(world *w, unsigned sides);
/** Text as printf makes it, in the world's arena. */
const char *world_text(world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** The same text as a JSON string. */
const char *world_quoted(world *w, const char *text);

/** rules.c: a random condition of what is known of a person without its events. */
const char *world_condition(world *w, int depth);
void world_make_rule(world *w, world_rule *rule);
/** Values of what conditions ask for: user.*, device.*; how many. */
size_t world_user(world *w, cairn_property *properties, cairn_property *absent,
                  size_t *absent_count);
size_t world_device(world *w, cairn_property properties[WORLD_DEVICE_PROPERTIES]);

/** definitions.c: the world's definitions, linked and signed. */
void world_make_bundle(world *w);

/** lives.c */
void world_make_lives(world *w);

enum { WORLD_USER_PROPERTIES = 8 };

#endif
