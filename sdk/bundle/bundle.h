/* bundle.h: all that a project gives its devices, in memory: the definitions (decide/definitions.h)
 * and the settings around them. `read.h` makes one from bytes, `write.h` makes the bytes.
 *
 * Everything is borrowed from the bundle's bytes and the arena, and immutable: many threads may
 * read it. */
#ifndef CAIRN_BUNDLE_BUNDLE_H
#define CAIRN_BUNDLE_BUNDLE_H

#include "base/zone_table.h"
#include "decide/definitions.h"
#include "rules/history.h"

/** Beside those of decide/definitions.h. A bundle of 1,000 popups of usual size takes about 0.6 MiB
 * of bytes and 1 MiB of arena in WASM (README.md); while one replaces another both are held. */
enum {
    CAIRN__BUNDLE_BYTES_MAX = 4 * 1024 * 1024,
    CAIRN__BUNDLE_ARENA_BYTES_MAX = 16 * 1024 * 1024, /* what reading the largest may take */
    CAIRN__BUNDLE_PROJECT_BYTES_MAX = 64,
    CAIRN__BUNDLE_SETTINGS_MAX = 200,
    CAIRN__BUNDLE_SETTING_BYTES_MAX = 1024, /* a setting's value */
    CAIRN__BUNDLE_ZONES_BYTES_MAX = 64 * 1024,
    CAIRN__BUNDLE_CONTENT_BYTES_MAX = 64 * 1024, /* JSON of one variant, item, fallback */
    CAIRN__BUNDLE_CONDITIONS_MAX = 20000,        /* distinct */
    CAIRN__BUNDLE_PROGRAM_BYTES_MAX = 256 * 1024,
    CAIRN__BUNDLE_QUERY_BYTES_MAX = 64 * 1024, /* a fact's name that is a query */
    CAIRN__BUNDLE_TRIGGER_EVENTS_MAX = 32,     /* names of one trigger */
    CAIRN__BUNDLE_CAP_GROUPS_MAX = 200,
    CAIRN__BUNDLE_POPUP_GROUPS_MAX = 16, /* of one popup */
    CAIRN__BUNDLE_ITEMS_MAX = 8000,      /* of all lists together */
    CAIRN__BUNDLE_LISTS_MAX = 1000,
    CAIRN__BUNDLE_RELATED_MAX = 2000, /* items that have related ones */
    CAIRN__BUNDLE_RELATED_ITEMS_MAX = 100,
    CAIRN__BUNDLE_RANKS_MAX = 16, /* of one strategy */
    CAIRN__BUNDLE_PREREQUISITES_MAX = 16,
    CAIRN__BUNDLE_CONSENT_MAX = 300,  /* regions; texts */
    CAIRN__BUNDLE_PRIVACY_MAX = 1000, /* rules */
    CAIRN__BUNDLE_REGION_BYTES_MAX = 16,
    CAIRN__BUNDLE_SCRIPTS_MAX = 64,
    CAIRN__BUNDLE_SCRIPT_BYTES_MAX = 64 * 1024,
    CAIRN__BUNDLE_PLAN_BYTES_MAX = 256 * 1024
};

/** A remote setting, as the client names it. */
typedef struct cairn__setting {
    cairn_span name, value;
} cairn__setting;

/** What holds of a category before the user was asked. */
typedef enum cairn__consent_start {
    CAIRN__CONSENT_ASK = 0, /* nothing is stored or sent before the answer */
    CAIRN__CONSENT_GRANTED = 1,
    CAIRN__CONSENT_DENIED = 2
} cairn__consent_start;

typedef struct cairn__consent_default {
    cairn_span region; /* as the host names it ("DE", "US-CA"); empty: everywhere else */
    cairn__consent_start analytics, marketing, personalisation;
    bool drop;       /* events before the answer are dropped; false: kept in memory, bounded */
    bool honour_dnt; /* Do Not Track and Global Privacy Control count as "no" */
} cairn__consent_default;

typedef struct cairn__consent_text {
    cairn_span name;  /* of a category, or of a notice */
    uint32_t version; /* a newer one than was agreed to: ask again */
} cairn__consent_text;

typedef enum cairn__privacy_action {
    CAIRN__PRIVACY_DROP = 0, /* the property is left out before anything is written */
    CAIRN__PRIVACY_HASH = 1  /* its value is replaced by its hash */
} cairn__privacy_action;

typedef struct cairn__privacy_rule {
    cairn_span event; /* empty: of every event, and of profiles */
    cairn_span property;
    cairn__privacy_action action;
} cairn__privacy_rule;

/** A script's text; runs only where it can be killed from outside. */
typedef struct cairn__script_source {
    cairn_span name, source;
} cairn__script_source;

typedef struct cairn__bundle {
    /** Its `version` and `project` are the bundle's. Its `zone` is made by reading, from zone_name
     * and `zones`; writing looks only at those two. */
    cairn__definitions definitions;
    int64_t made_ms;
    cairn_span zone_name;           /* IANA; empty: UTC */
    cairn_span zones;               /* a zone table (base/zone_table.h); empty: UTC only */
    const cairn__setting *settings; /* by name, no name twice */
    size_t setting_count;
    const cairn__consent_default *consent_defaults; /* by region, no region twice */
    size_t consent_default_count;
    const cairn__consent_text *consent_texts; /* by name */
    size_t consent_text_count;
    const cairn__privacy_rule *privacy;
    size_t privacy_count;
    const cairn__script_source *scripts; /* by name */
    size_t script_count;
    cairn_span plan;                    /* the tracking plan, for later versions */
    const cairn__condition *conditions; /* made by reading: the distinct ones of all definitions */
    size_t condition_count;
    const cairn__query *const *queries; /* made by reading: of each fact that is one, else NULL */
    /* Made by reading: places in the definitions' lists, in the order of their names. */
    const uint16_t *popups_by_name;
    const uint16_t *audiences_by_name;
    const uint16_t *items_by_id;
    const uint16_t *experiments_by_name;
} cairn__bundle;

#endif
