/* definitions.h: what can be decided, in memory: popups, slots, experiments, audiences. A bundle is
 * read into this (sdk/bundle); everything is borrowed from the bundle's bytes and its arena, and
 * immutable: many threads may read it. JSON definitions, their limits and defaults:
 * docs/DEFINITIONS.md; what each does: docs/DECISIONS.md.
 *
 * Every name and query that any rule needs is a **fact**, numbered once for the whole bundle;
 * a condition maps its rule's slots to facts. So a decision asks for each fact at most once. */
#ifndef CAIRN_DECIDE_DEFINITIONS_H
#define CAIRN_DECIDE_DEFINITIONS_H

#include "decide/flag.h"

enum {
    CAIRN__POPUPS_MAX = 2000, /* of one bundle, as all below */
    CAIRN__SLOTS_MAX = 500,
    CAIRN__EXPERIMENTS_MAX = 1000,
    CAIRN__AUDIENCES_MAX = 1000,
    CAIRN__FACTS_MAX = 8192,
    CAIRN__CAPS_MAX = 8,          /* of one popup, beside the groups' and the global ones */
    CAIRN__CAP_COUNT_MAX = 64,    /* the highest count a cap may allow */
    CAIRN__TRIGGERS_MAX = 8,      /* of one popup */
    CAIRN__PAGES_MAX = 16,        /* page patterns of one popup */
    CAIRN__QUIET_MAX = 4,         /* quiet periods of one popup */
    CAIRN__POPUP_GROUPS_MAX = 16, /* cap groups of one popup, beside the global one */
    CAIRN__STRATEGIES_MAX = 16,   /* of one slot */
    CAIRN__RECALLS_MAX = 8,       /* of one strategy */
    CAIRN__ITEMS_MAX = 2000,      /* of one item list */
    CAIRN__ITEM_PROPERTIES_MAX = 32,
    CAIRN__SLOT_SIZE_MAX = 64,
    CAIRN__DEFINITION_NAME_BYTES_MAX = 100,
    CAIRN__NO_LIST = 0xffff /* where the number of an item list stands: none */
};

/** A compiled rule and where its slots' values are: facts[i] is the fact of rule slot i. */
typedef struct cairn__condition {
    cairn__rule rule; /* program NULL: no condition, always true */
    const uint16_t *facts;
} cairn__condition;

/** An audience. Its membership is itself a fact (the query member("name")). */
typedef struct cairn__audience {
    cairn_span name;
    cairn__condition condition; /* program NULL: only the server can say */
} cairn__audience;

/** An event that starts something. */
typedef struct cairn__trigger {
    const cairn_span *events; /* any of these names, no name twice */
    size_t event_count;
    cairn__condition where; /* over event.* and all else */
} cairn__trigger;

typedef enum cairn__cap_count {
    CAIRN__CAP_SHOWS = 0,
    CAIRN__CAP_CLICKS = 1,
    CAIRN__CAP_CONVERSIONS = 2,
    CAIRN__CAP_CLOSES = 3
} cairn__cap_count;

typedef enum cairn__cap_window {
    CAIRN__CAP_EVER = 0,
    CAIRN__CAP_ROLLING = 1, /* window_ms: (now - window_ms, now] */
    CAIRN__CAP_SESSION = 2,
    CAIRN__CAP_DAY = 3,  /* calendar, in the user's zone */
    CAIRN__CAP_WEEK = 4, /* from Monday */
    CAIRN__CAP_MONTH = 5
} cairn__cap_window;

/** At most `count` of these within the window. "Show until clicked" is a cap of 1 click, ever. */
typedef struct cairn__cap {
    cairn__cap_count counts;
    cairn__cap_window window;
    uint32_t count;    /* 1..CAIRN__CAP_COUNT_MAX */
    int64_t window_ms; /* of ROLLING */
} cairn__cap;

/** A group of popups that share caps; the first group of a bundle, with no name, is global. */
typedef struct cairn__cap_group {
    cairn_span name;
    const cairn__cap *caps;
    size_t cap_count;
} cairn__cap_group;

typedef enum cairn__page_match {
    CAIRN__PAGE_IS = 0,
    CAIRN__PAGE_STARTS_WITH = 1,
    CAIRN__PAGE_CONTAINS = 2,
    CAIRN__PAGE_MATCHES = 3 /* a pattern (rules/pattern.h), compiled */
} cairn__page_match;

typedef struct cairn__page {
    cairn__page_match how;
    bool excluded; /* not on these pages; exclusions win */
    cairn_span text;
} cairn__page;

/** Minutes of the local day; from > to goes over midnight. days: bit 0 is Monday; 0: every day. */
typedef struct cairn__quiet {
    uint16_t from_minute, to_minute;
    uint8_t days;
} cairn__quiet;

typedef struct cairn__variant {
    cairn_span name;
    double weight;      /* shares of a popup's or an experiment's variants; need not sum to 1 */
    bool control;       /* decided and counted, never shown */
    cairn_span content; /* JSON, handed on as it is */
} cairn__variant;

/** What counts as success after a show. */
typedef struct cairn__goal {
    const cairn__trigger *trigger; /* NULL: none */
    int64_t window_ms;
} cairn__goal;

typedef struct cairn__popup {
    cairn_span name;
    uint32_t version;
    int32_t priority; /* the highest first; then by name */
    bool paused;
    bool manual; /* only cairn_popup_show asks for it */
    const cairn__trigger *triggers;
    size_t trigger_count;
    const cairn__page *pages;
    size_t page_count;
    cairn__condition audience;
    int64_t from_ms, to_ms; /* live in [from, to); INT64_MIN, INT64_MAX: without end */
    uint32_t delay_ms;
    const cairn__quiet *quiet;
    size_t quiet_count;
    const cairn__cap *caps;
    size_t cap_count;
    const uint16_t *groups; /* into definitions->cap_groups, beside the global one (0) */
    size_t group_count;
    double holdout;                 /* the part of the units that never sees it, 0..1 */
    cairn_span salt;                /* of holdout and variants; its name by default */
    const cairn__variant *variants; /* at least one */
    size_t variant_count;
    cairn_span template_name;
    cairn__goal goal;
} cairn__popup;

/** Something to show in a slot. Ids are unique in a bundle. */
typedef struct cairn__item {
    cairn_span id;
    const cairn_property *properties; /* item.* in rules; "category" for diversity */
    size_t property_count;
    cairn__condition audience;
    int64_t from_ms, to_ms;
    cairn_span content; /* JSON */
} cairn__item;

/** Items in order: an edited list, a hot list, a fallback, ... */
typedef struct cairn__item_list {
    cairn_span name;
    const uint16_t *items; /* into definitions->items */
    size_t item_count;
} cairn__item_list;

/** "Who looked at A also looked at": for each item a list, from the server. */
typedef struct cairn__related {
    uint16_t item;
    const uint16_t *items;
    size_t item_count;
} cairn__related;

typedef enum cairn__recall_kind {
    CAIRN__RECALL_LIST = 0,   /* items of a list, in its order */
    CAIRN__RECALL_RULE = 1,   /* items of a list for which `where` (over item.*) holds */
    CAIRN__RECALL_RECENT = 2, /* items whose ids stand in `property` of the newest `event`s */
    CAIRN__RECALL_RELATED = 3 /* those related to the recent ones */
} cairn__recall_kind;

typedef struct cairn__recall {
    cairn__recall_kind kind;
    uint16_t list; /* into definitions->lists */
    cairn__condition where;
    cairn_span event, property;
    uint32_t count_max;
} cairn__recall;

/** One term of the ranking: weight * value. */
typedef enum cairn__rank_kind {
    CAIRN__RANK_PROPERTY = 0, /* a number of the item */
    CAIRN__RANK_TAG = 1,      /* 1 where the person's tag or property equals the item's property */
    CAIRN__RANK_RECENCY = 2,  /* 0.5 ^ (age / half_life) of a time of the item */
    CAIRN__RANK_RECALL = 3    /* 1 / (1 + place in which it was recalled) */
} cairn__rank_kind;

typedef struct cairn__rank {
    cairn__rank_kind kind;
    double weight;
    cairn_span property;
    uint16_t fact; /* of TAG */
    int64_t half_life_ms;
} cairn__rank;

typedef struct cairn__strategy {
    cairn_span name;
    cairn__condition audience;
    const cairn__recall *recalls;
    size_t recall_count;
    cairn__condition filter;                  /* per item, over item.* and the person */
    cairn_span bought_event, bought_property; /* items named there are left out; empty: none are */
    const cairn__cap *item_caps;              /* per item */
    size_t item_cap_count;
    uint16_t fallback; /* a list, or CAIRN__NO_LIST */
    uint32_t min;      /* fill from the fallback up to this many; 0: as 1 */
    const cairn__rank *ranks;
    size_t rank_count;
    double exploration;    /* share of the places given by Thompson sampling, 0..1 */
    uint32_t category_max; /* at most this many of one category; 0: any number */
    uint32_t no_repeat;    /* none of the last N items shown in this slot */
    cairn_span script;     /* name of a ranking script; empty: none */
} cairn__strategy;

typedef struct cairn__slot {
    cairn_span name;
    uint32_t version;
    bool paused;
    uint32_t size;
    const cairn__strategy *strategies; /* the first whose audience holds and that gives `min` */
    size_t strategy_count;
    uint16_t default_list; /* what is always there, or CAIRN__NO_LIST */
} cairn__slot;

/** A prerequisite names another experiment, or a flag. */
typedef struct cairn__prerequisite_of {
    uint16_t experiment;
    int variant; /* must have come to this one; CAIRN__NO_VARIANT: to any */
} cairn__prerequisite_of;

/** An experiment. Or a **flag**: one with `rules`, which name experiments and flags before it, and
 * with nothing else but name, version, fallback and experiment.paused. (What needs no rules is an
 * experiment with one variant.) */
typedef struct cairn__experiment_entry {
    cairn_span name;
    uint32_t version;
    cairn__experiment experiment; /* targeting points at condition.rule */
    cairn__condition condition;
    const cairn__variant *variants;
    const cairn__prerequisite_of *prerequisites;
    size_t prerequisite_count;
    cairn_span unit_type; /* "device" or an id type */
    cairn_span fallback;  /* JSON: the value where no variant is given */
    const cairn__flag_rule *rules;
    size_t rule_count;
} cairn__experiment_entry;

typedef struct cairn__definitions {
    uint64_t version;
    cairn_span project;
    const cairn__zone *zone; /* the project's */
    const cairn__rule_slot *facts;
    size_t fact_count;
    const cairn__audience *audiences; /* in an order in which each needs only earlier ones */
    size_t audience_count;
    const uint16_t *audience_facts; /* of audience i: the fact that is its membership */
    double holdout;                 /* global: the part that sees no popup at all */
    cairn_span holdout_salt;
    const cairn__cap_group *cap_groups; /* at least the global one */
    size_t cap_group_count;
    const cairn__popup *popups; /* by priority, then by name */
    size_t popup_count;
    const cairn__item *items;
    size_t item_count;
    const cairn__item_list *lists;
    size_t list_count;
    const cairn__related *related; /* by item, ascending */
    size_t related_count;
    const cairn__slot *slots; /* by name */
    size_t slot_count;
    const cairn__experiment_entry *experiments; /* those that one needs first, else by name */
    size_t experiment_count;
} cairn__definitions;

/** Where a decision's facts come from: the device's local facts, or the collector's. */
typedef struct cairn__facts {
    /** The value of fact `number` of the definitions: kind CAIRN__RULE_VALUE_UNKNOWN where only the
     * server knows it. Never asked for event.*, item.* and for audiences that have a condition.
     * Borrowed until the decision is written. */
    cairn_value (*get)(void *context, uint16_t number);
    /** The newest events of that name, newest first: the texts of a property, no text twice;
     * returns how many. For recall and for what was bought. */
    size_t (*recent)(void *context, cairn_span event, cairn_span property, cairn_span *texts_out,
                     size_t count_max);
    void *context;
} cairn__facts;

#endif
