/* decide.h: which popup, what in a slot, which arm of an experiment, and always why.
 *
 * A **decider** is made once per bundle; a call takes the moment, the person's facts and memory,
 * and gives the decision, and on request the reasons as JSON (docs/DECISIONS.md). The same
 * definitions and input give the same bytes on every platform, on the device and on the server.
 *
 * Nothing is shown, tracked or remembered here: the caller tracks `$popup_show` and its kin, and
 * notes them (memory.h) before it shows. A call allocates nothing (but what the JSON buffer grows).
 * One thread per decider: it holds the scratch of a call; definitions may be shared. */
#ifndef CAIRN_DECIDE_DECIDE_H
#define CAIRN_DECIDE_DECIDE_H

#include "decide/memory.h"

enum {
    CAIRN__POPUP_QUEUE_MAX = 8,          /* popups that wait */
    CAIRN__POPUP_WAIT_MS_MAX = 600000,   /* how long one waits after it is due */
    CAIRN__POPUP_CONTROLS_MAX = 8,       /* control arms counted by one decision */
    CAIRN__POPUP_CONVERSIONS_MAX = 16,   /* popups that one event converts */
    CAIRN__POPUP_PROPERTIES_MAX = 5,     /* of a $popup_... event */
    CAIRN__SLOT_POOL_MAX = 512,          /* items looked at by one strategy */
    CAIRN__DECIDE_RECENT_MAX = 256,      /* texts asked of facts.recent at once */
    CAIRN__SLOT_THOMPSON_SHOWS_MAX = 62, /* more shows than that are halved with the clicks */
    CAIRN__SLOT_REPEATS_MAX = 1000,      /* of no_repeat; a larger one is taken as this */
    CAIRN__SLOT_SCORES_MAX = CAIRN__SLOT_POOL_MAX
};

typedef struct cairn__decider cairn__decider;

/** Prepare: indexes and scratch, all in the arena; the definitions are borrowed.
 * @retval CAIRN_NO_MEMORY  The arena is full. */
cairn_status cairn__decider_make(const cairn__definitions *definitions, cairn__arena *arena,
                                 cairn__decider **decider_out);

/** What the person has not agreed to. */
enum {
    CAIRN__DENIED_MARKETING = 1 << 0,      /* no popups */
    CAIRN__DENIED_PERSONALISATION = 1 << 1 /* slots show their default, experiments fall back */
};

/** This device asks for a variant (a preview link). */
typedef struct cairn__override {
    cairn_span experiment;
    uint32_t variant;
} cairn__override;

/** Whom the decision is about, and when. Everything is borrowed for the call (facts: until then).
 */
typedef struct cairn__decide_input {
    int64_t now_ms;
    uint64_t session;
    const cairn__zone *user_zone; /* of quiet hours and calendar caps; NULL: the project's */
    cairn_span unit;              /* of popups' holdout and variants, and of exploration */
    const cairn_id *ids;          /* units of experiments: the first of the wanted type */
    size_t id_count;
    cairn_span page;             /* page or screen; may be empty */
    unsigned denied;             /* CAIRN__DENIED_... */
    uint64_t seed;               /* of exploration: another seed, other draws */
    const cairn__event *event;   /* what happened (event.*); NULL: nothing */
    const cairn__facts *facts;   /* required */
    const cairn__memory *memory; /* NULL: nothing is remembered */
    cairn__experiment_mode experiments;
    const cairn__override *overrides;
    size_t override_count;
} cairn__decide_input;

/** Reasons of popups, items, slots and strategies (reasons.def). Numbers may change, texts do not.
 */
typedef enum cairn__why {
#define CAIRN__WHY(name, text, meaning) CAIRN__WHY_##name,
#include "decide/reasons.def"
#undef CAIRN__WHY
    CAIRN__WHY_COUNT
} cairn__why;

/* --- popups --- */

/** A popup that waits for its delay, or for another one to close. */
typedef struct cairn__popup_wait {
    uint8_t name[CAIRN__DEFINITION_NAME_BYTES_MAX];
    uint8_t name_bytes;
    int32_t priority;
    int64_t due_ms;
} cairn__popup_wait;

/** Those that wait, by name, so that a new bundle may come in between. Zeroed: empty. */
typedef struct cairn__popup_queue {
    cairn__popup_wait waiting[CAIRN__POPUP_QUEUE_MAX];
    size_t count;
} cairn__popup_queue;

typedef enum cairn__popup_how {
    CAIRN__POPUP_BY_EVENT = 0, /* input->event has happened */
    CAIRN__POPUP_BY_NAME = 1,  /* the app asks for it: without trigger */
    CAIRN__POPUP_BY_QUEUE = 2  /* it has waited: judged again without trigger and delay */
} cairn__popup_how;

typedef struct cairn__popup_ask {
    cairn__popup_how how;
    cairn_span name;                 /* of BY_NAME and BY_QUEUE */
    bool open;                       /* one is on the screen */
    cairn_span open_name;            /* which; empty: not known */
    const cairn__popup_queue *queue; /* NULL: the caller keeps none */
} cairn__popup_ask;

typedef enum cairn__popup_outcome {
    CAIRN__POPUP_NONE = 0,
    CAIRN__POPUP_SHOW = 1, /* now */
    CAIRN__POPUP_WAIT = 2  /* put it into the queue (cairn__popup_queue_add) */
} cairn__popup_outcome;

/** A popup by its number in the definitions, and the variant. */
typedef struct cairn__popup_choice {
    uint16_t popup;
    uint8_t variant;
} cairn__popup_choice;

typedef struct cairn__popup_decision {
    cairn__popup_outcome outcome;
    cairn__popup_choice chosen; /* of SHOW and WAIT */
    uint32_t delay_ms;          /* of WAIT; 0: as soon as the open one is closed */
    /* control arms that would have been shown: track `$popup_show` with control for each */
    cairn__popup_choice controls[CAIRN__POPUP_CONTROLS_MAX];
    size_t control_count;
    /* the first candidate that its audience, holdouts, quiet hours, caps or place refused, and why:
     * for `$popup_suppressed`. CAIRN__WHY_COUNT: there is none. As `why` has it where that is asked
     * for; without it caps are looked at first */
    cairn__popup_choice suppressed;
    cairn__why suppressed_why;
} cairn__popup_decision;

/**
 * Choose. Judged in the order live, trigger, page, audience, holdout and variant, quiet hours,
 * caps, priority; the first that says no is the reason.
 * @param why  The JSON answer with the reason for every candidate is appended; NULL: only the
 *             decision, which is faster: it stops at the first that can be shown.
 */
void cairn__decide_popup(cairn__decider *decider, const cairn__decide_input *input,
                         const cairn__popup_ask *ask, cairn__buffer *why,
                         cairn__popup_decision *decision_out);

/** @retval CAIRN_FULL  CAIRN__POPUP_QUEUE_MAX wait already. A name that waits stays as it is. */
cairn_status cairn__popup_queue_add(cairn__popup_queue *queue, const cairn__popup *popup,
                                    int64_t due_ms);
/** Take out the due one with the highest priority (then that due first); those that have waited
 * for more than CAIRN__POPUP_WAIT_MS_MAX are dropped. False: none is due. */
bool cairn__popup_queue_take(cairn__popup_queue *queue, int64_t now_ms, cairn__popup_wait *out);
/** When the next is due; INT64_MAX: none waits. */
int64_t cairn__popup_queue_due(const cairn__popup_queue *queue);

/** May an event of this name bring or convert a popup? */
bool cairn__decider_wants(const cairn__decider *decider, cairn_span event);

/** The popup's number; -1: none has that name. */
int cairn__popup_named(const cairn__decider *decider, cairn_span name);

/** Properties of a `$popup_...` event about this choice; `groups` is room for the popup's
 * group_count names. Returns how many; they borrow the definitions. */
size_t cairn__popup_properties(const cairn__definitions *definitions, cairn__popup_choice choice,
                               cairn_span *groups, cairn_property *properties_out);

/** Which popups does input->event convert: shown within their goal's window before it, and not
 * converted since that show? Track `$popup_convert` for each. Returns how many. */
size_t cairn__popup_converted(cairn__decider *decider, const cairn__decide_input *input,
                              cairn__popup_choice *converted_out);

/* --- reasons --- */

/** "audience_unknown"; static storage. */
const char *cairn__why_text(cairn__why why);

/* --- slots --- */

/** What a ranking script gave; higher is first. Or why it gave nothing: then the terms rank, and
 * the answer tells this reason. */
typedef struct cairn__slot_scores {
    cairn_span script;
    const cairn_span *items; /* ids */
    const double *scores;
    size_t count;
    cairn__why lost; /* CAIRN__WHY_SCRIPT_...; any other value: it ran */
} cairn__slot_scores;

typedef struct cairn__slot_ask {
    cairn_span name;
    const cairn__slot_scores *scores; /* NULL: no script has run */
} cairn__slot_ask;

typedef enum cairn__slot_source {
    CAIRN__SLOT_NOTHING = 0, /* no such slot, or it has no default */
    CAIRN__SLOT_STRATEGY = 1,
    CAIRN__SLOT_LAST_GOOD = 2, /* what the person saw last in this slot */
    CAIRN__SLOT_DEFAULT = 3
} cairn__slot_source;

typedef struct cairn__slot_decision {
    cairn__slot_source source;
    int slot;     /* its number; -1: there is none of that name */
    int strategy; /* of STRATEGY, else -1 */
    uint16_t items[CAIRN__SLOT_SIZE_MAX];
    size_t item_count;
    cairn_span script; /* a script that ranks these and has not: run it and ask again with scores */
    uint16_t pool[CAIRN__SLOT_POOL_MAX]; /* of `script`: the items to be scored */
    size_t pool_count;
} cairn__slot_decision;

/** Fill the slot. Never empty when the slot has a default list that is not empty. */
void cairn__decide_slot(cairn__decider *decider, const cairn__decide_input *input,
                        const cairn__slot_ask *ask, cairn__buffer *why,
                        cairn__slot_decision *decision_out);

/** Of a decision that wants a script: what it is given, as JSON (docs/SCRIPTS.md, use "rank"): the
 * person's properties and tags that rules name and that are known, and the pool in its order.
 * Appended; run it as the use "rank" and ask again with the scores of the pool. */
void cairn__slot_script_input(const cairn__definitions *definitions, const cairn__facts *facts,
                              const cairn__slot_decision *decision, cairn__buffer *to);

/** A reason for a script that was lost, by its text; false: it is none. */
bool cairn__slot_lost_named(cairn_span reason, cairn__why *why_out);

/* --- experiments and flags --- */

typedef struct cairn__experiment_answer {
    int experiment; /* its number; -1: there is none of that name */
    int by;         /* whose variant it is: of a flag the experiment that decided; -1: nobody's */
    cairn__decision decision;
    cairn_span value; /* JSON: the variant's content, else the fallback; never empty */
    bool exposure;    /* track `$experiment_exposure`: it is the first in this session */
} cairn__experiment_answer;

void cairn__decide_experiment(cairn__decider *decider, const cairn__decide_input *input,
                              cairn_span name, cairn__buffer *why,
                              cairn__experiment_answer *answer_out);

/** All of them, as one JSON answer. */
void cairn__decide_experiments(cairn__decider *decider, const cairn__decide_input *input,
                               cairn__buffer *why);

enum { CAIRN__EXPOSURE_PROPERTIES = 5 };
/** Properties of `$experiment_exposure` for a decision with a variant. Returns how many. */
size_t cairn__exposure_properties(const cairn__definitions *definitions,
                                  const cairn__decide_input *input,
                                  const cairn__experiment_answer *answer,
                                  cairn_property properties_out[CAIRN__EXPOSURE_PROPERTIES]);

#endif
