/* definition.h: one definition as read from its JSON (docs/DEFINITIONS.md): a popup, a slot, an
 * experiment, an audience, or the project's settings. Everything lies in its own arena; what it
 * says of others it says by name (references), until link.h puts all of them together. */
#ifndef CAIRN_DEFINITIONS_DEFINITION_H
#define CAIRN_DEFINITIONS_DEFINITION_H

#include "bundle/bundle.h"
#include "fault/fault.h"

enum {
    CAIRN__DEFINITION_BYTES_MAX = 1024 * 1024,    /* of one definition's JSON */
    CAIRN__DEFINITION_ARENA_BYTES_MAX = 32 << 20, /* of one definition as read */
    CAIRN__DEFINITION_TITLE_BYTES_MAX = 200,
    CAIRN__DEFINITION_RULE_SHOWN_BYTES = 400, /* a rule's line with its caret */
    CAIRN__DEFINITION_LISTS_MAX = 100,        /* lists of one slot */
    CAIRN__DEFINITION_GROUPS_MAX = 100,       /* groups of popups of a project */
    CAIRN__DEFINITION_POPUP_GROUPS_MAX = 8,   /* groups that one popup is in */
    CAIRN__DEFINITION_EVENTS_MAX = 16,        /* events of one trigger */
    CAIRN__DEFINITION_TEMPLATES_MAX = 100,
    CAIRN__DEFINITION_ZONES_MAX = 100
};

typedef enum cairn__definition_kind {
    CAIRN__DEFINITION_POPUP = 0,
    CAIRN__DEFINITION_SLOT = 1,
    CAIRN__DEFINITION_EXPERIMENT = 2,
    CAIRN__DEFINITION_AUDIENCE = 3,
    CAIRN__DEFINITION_SETTINGS = 4, /* one of a project; its name is "settings" */
    CAIRN__DEFINITION_KIND_COUNT
} cairn__definition_kind;

/** "popup", "slot", ...; static. */
const char *cairn__definition_kind_name(cairn__definition_kind kind);

/** A refusal: the problem and, of a rule, where in its text. */
typedef struct cairn__definition_problem {
    cairn__fault_problem fault;
    uint32_t rule_line, rule_column; /* from 1; 0: it is not about a rule's text */
    char rule_shown[CAIRN__DEFINITION_RULE_SHOWN_BYTES]; /* the line, and a caret under it */
} cairn__definition_problem;

typedef enum cairn__reference_kind {
    CAIRN__REFERENCE_AUDIENCE,   /* member("name") in a rule */
    CAIRN__REFERENCE_EXPERIMENT, /* a prerequisite, `part` its variant or empty; a flag's rule */
    CAIRN__REFERENCE_GROUP,      /* of the settings, as the two below */
    CAIRN__REFERENCE_TEMPLATE,
    CAIRN__REFERENCE_SCRIPT
} cairn__reference_kind;

typedef struct cairn__reference {
    cairn__reference_kind kind;
    cairn_span name, part;
    cairn__fault_path at; /* the field that says it */
} cairn__reference;

/** A strategy and what linking changes in it. */
typedef struct cairn__strategy_parts {
    cairn__strategy strategy; /* recalls and ranks as below */
    cairn__recall *recalls;
    cairn__rank *ranks;
    cairn__condition *rank_facts; /* of rank i, where it is a TAG: rule slot 0 is the fact */
} cairn__strategy_parts;

/** A slot's parts; item and list numbers are its own until they are linked. */
typedef struct cairn__slot_parts {
    cairn__slot slot; /* its strategies as below */
    cairn__item *items;
    cairn_span *item_texts; /* their JSON, canonical */
    size_t item_count;
    cairn__item_list *lists;
    size_t list_count;
    cairn__related *related;
    size_t related_count;
    cairn__strategy_parts *strategies;
} cairn__slot_parts;

/** The project's settings. */
typedef struct cairn__settings_parts {
    cairn_span zone; /* IANA; empty: the configuration's */
    double holdout;
    cairn_span holdout_salt;
    const cairn__cap_group *groups; /* the first is the global one */
    size_t group_count;
    const cairn_span *templates; /* beside those of the SDK's renderer */
    size_t template_count;
    const cairn__script_source *scripts;
    size_t script_count;
    const cairn__consent_default *consent; /* by region */
    size_t consent_count;
    const cairn__consent_text *consent_texts;
    size_t consent_text_count;
    const cairn__privacy_rule *privacy;
    size_t privacy_count;
    const cairn__setting *remote; /* settings of the client, by name */
    size_t remote_count;
    bool all_zones; /* the zone table holds every zone; else the project's and these */
    const cairn_span *zones;
    size_t zone_count;
} cairn__settings_parts;

typedef struct cairn__definition {
    cairn__definition_kind kind;
    cairn_span name;
    cairn_span title; /* for people */
    cairn_span json;  /* canonical: keys sorted, no white space */
    bool paused;
    uint32_t version; /* set by the catalogue */
    int64_t updated_ms;
    cairn__arena arena;
    cairn__condition **conditions; /* all of them: their facts are set by linking */
    size_t condition_count;
    const cairn__reference *references;
    size_t reference_count;
    union {
        cairn__popup popup;
        cairn__slot_parts slot;
        cairn__experiment_entry experiment;
        cairn__audience audience;
        cairn__settings_parts settings;
    } as;
} cairn__definition;

typedef struct cairn__definition_source {
    cairn__definition_kind kind;
    cairn_span name;
    cairn_span json; /* as given */
    cairn_allocator allocator;
} cairn__definition_source;

/**
 * Read one definition.
 *
 * @param definition_out  Free it with cairn__definition_free when CAIRN_OK.
 * @retval CAIRN_INVALID    problem_out says which field, what is wrong with it and the fix.
 * @retval CAIRN_NO_MEMORY  problem_out says it, too.
 */
cairn_status cairn__definition_read(const cairn__definition_source *source,
                                    cairn__definition **definition_out,
                                    cairn__definition_problem *problem_out);
void cairn__definition_free(cairn__definition *definition);

/** The settings that a project has before anybody puts any. */
extern const char cairn__definition_default_settings[];

/** Is it a name as definitions have: 1..100 of A-Z a-z 0-9 . _ - and a letter or digit first? */
bool cairn__definition_name_is_good(cairn_span name);

#endif
