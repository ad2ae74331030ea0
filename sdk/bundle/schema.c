/* schema.c: see schema.h. Field numbers are proto/cairn.proto's: never renumber. */
#include "bundle/schema.h"

#include "model/limits.h"

enum {
    NAME = CAIRN__DEFINITION_NAME_BYTES_MAX,
    CONTENT = CAIRN__BUNDLE_CONTENT_BYTES_MAX,
    PERSON = CAIRN__RULE_USER | CAIRN__RULE_TAG | CAIRN__RULE_DEVICE | CAIRN__RULE_SESSION |
             CAIRN__RULE_QUERY,
    OF_EVENT = PERSON | CAIRN__RULE_EVENT,
    OF_ITEM = PERSON | CAIRN__RULE_ITEM
};

/* One row of a table: its number, the struct's member, and what it is. */
#define WIDTH_OF(type, member) ((uint8_t)sizeof(((type *)NULL)->member))
#ifdef CAIRN_QUIET_FAULTS
#    define NAMED(text)
#else
#    define NAMED(text) .name = (text),
#endif
#define ROW(type, num, member, ...)                                                                \
    NAMED(#member).number = (num), .offset = offsetof(type, member), __VA_ARGS__
#define TEXT(type, num, member, bytes_max)                                                         \
    { ROW(type, num, member, .kind = CAIRN__BUNDLE_TEXT, .max = (bytes_max)) }
#define BYTES(type, num, member, bytes_max)                                                        \
    { ROW(type, num, member, .kind = CAIRN__BUNDLE_BYTES, .max = (bytes_max)) }
#define UNSIGNED(type, num, member, value_max)                                                     \
    {                                                                                              \
        ROW(type, num, member, .kind = CAIRN__BUNDLE_UNSIGNED, .max = (value_max),                 \
            .width = WIDTH_OF(type, member))                                                       \
    }
#define FLAG(type, num, member) UNSIGNED(type, num, member, 1)
#define SIGNED(type, num, member)                                                                  \
    { ROW(type, num, member, .kind = CAIRN__BUNDLE_SIGNED, .width = WIDTH_OF(type, member)) }
#define DOUBLE(type, num, member)                                                                  \
    { ROW(type, num, member, .kind = CAIRN__BUNDLE_DOUBLE) }
#define SHARE(type, num, member)                                                                   \
    { ROW(type, num, member, .kind = CAIRN__BUNDLE_SHARE) }
#define CONDITION(type, num, member, spaces)                                                       \
    { ROW(type, num, member, .kind = CAIRN__BUNDLE_CONDITION, .max = (spaces)) }
#define LIST(type, num, member, count, ...)                                                        \
    { ROW(type, num, member, .count_offset = offsetof(type, count), __VA_ARGS__) }
#define NUMBERS(type, num, member, count, count_max)                                               \
    LIST(type, num, member, count, .kind = CAIRN__BUNDLE_NUMBERS, .max = (count_max))
#define TEXTS(type, num, member, count, count_max)                                                 \
    LIST(type, num, member, count, .kind = CAIRN__BUNDLE_TEXTS, .max = (count_max))
#define MESSAGES(type, num, member, count, message, count_max)                                     \
    LIST(type, num, member, count, .kind = CAIRN__BUNDLE_MESSAGES, .of = &(message),               \
         .max = (count_max))
#define TABLE(table, type, has_lists)                                                              \
    static const cairn__bundle_message table##_message = { .fields = (table),                      \
                                                           .count =                                \
                                                               sizeof(table) / sizeof *(table),    \
                                                           .bytes = sizeof(type),                  \
                                                           .lists = (has_lists) };                 \
    _Static_assert(sizeof(table) / sizeof *(table) <= CAIRN__BUNDLE_FIELDS_MAX, #type)

static const cairn__bundle_field fact[] = {
    UNSIGNED(cairn__rule_slot, 1, space, CAIRN__RULE_QUERY),
    BYTES(cairn__rule_slot, 2, name, CAIRN__BUNDLE_QUERY_BYTES_MAX),
};
TABLE(fact, cairn__rule_slot, false);

static const cairn__bundle_field audience[] = {
    TEXT(cairn__audience, 1, name, NAME),
    CONDITION(cairn__audience, 2, condition, PERSON),
};
TABLE(audience, cairn__audience, false);

static const cairn__bundle_field trigger[] = {
    TEXTS(cairn__trigger, 1, events, event_count, CAIRN__BUNDLE_TRIGGER_EVENTS_MAX),
    CONDITION(cairn__trigger, 2, where, OF_EVENT),
};
TABLE(trigger, cairn__trigger, true);

static const cairn__bundle_field cap[] = {
    UNSIGNED(cairn__cap, 1, counts, CAIRN__CAP_CLOSES),
    UNSIGNED(cairn__cap, 2, window, CAIRN__CAP_MONTH),
    UNSIGNED(cairn__cap, 3, count, CAIRN__CAP_COUNT_MAX),
    SIGNED(cairn__cap, 4, window_ms),
};
TABLE(cap, cairn__cap, false);

static const cairn__bundle_field cap_group[] = {
    TEXT(cairn__cap_group, 1, name, NAME),
    MESSAGES(cairn__cap_group, 2, caps, cap_count, cap_message, CAIRN__CAPS_MAX),
};
TABLE(cap_group, cairn__cap_group, true);

static const cairn__bundle_field page[] = {
    UNSIGNED(cairn__page, 1, how, CAIRN__PAGE_MATCHES),
    FLAG(cairn__page, 2, excluded),
    BYTES(cairn__page, 3, text, CAIRN__BUNDLE_PROGRAM_BYTES_MAX),
};
TABLE(page, cairn__page, false);

static const cairn__bundle_field quiet[] = {
    UNSIGNED(cairn__quiet, 1, from_minute, 24 * 60 - 1),
    UNSIGNED(cairn__quiet, 2, to_minute, 24 * 60 - 1),
    UNSIGNED(cairn__quiet, 3, days, 0x7F),
};
TABLE(quiet, cairn__quiet, false);

static const cairn__bundle_field variant[] = {
    TEXT(cairn__variant, 1, name, NAME),
    DOUBLE(cairn__variant, 2, weight),
    FLAG(cairn__variant, 3, control),
    TEXT(cairn__variant, 4, content, CONTENT),
};
TABLE(variant, cairn__variant, false);

static const cairn__bundle_field goal[] = {
    { ROW(cairn__goal, 1, trigger, .kind = CAIRN__BUNDLE_POINTER, .of = &trigger_message) },
    SIGNED(cairn__goal, 2, window_ms),
};
TABLE(goal, cairn__goal, false);

static const cairn__bundle_field popup[] = {
    TEXT(cairn__popup, 1, name, NAME),
    UNSIGNED(cairn__popup, 2, version, 0),
    SIGNED(cairn__popup, 3, priority),
    FLAG(cairn__popup, 4, paused),
    FLAG(cairn__popup, 5, manual),
    MESSAGES(cairn__popup, 6, triggers, trigger_count, trigger_message, CAIRN__TRIGGERS_MAX),
    MESSAGES(cairn__popup, 7, pages, page_count, page_message, CAIRN__PAGES_MAX),
    CONDITION(cairn__popup, 8, audience, PERSON),
    SIGNED(cairn__popup, 9, from_ms),
    SIGNED(cairn__popup, 10, to_ms),
    UNSIGNED(cairn__popup, 11, delay_ms, 0),
    MESSAGES(cairn__popup, 12, quiet, quiet_count, quiet_message, CAIRN__QUIET_MAX),
    MESSAGES(cairn__popup, 13, caps, cap_count, cap_message, CAIRN__CAPS_MAX),
    NUMBERS(cairn__popup, 14, groups, group_count, CAIRN__BUNDLE_POPUP_GROUPS_MAX),
    SHARE(cairn__popup, 15, holdout),
    TEXT(cairn__popup, 16, salt, NAME),
    MESSAGES(cairn__popup, 17, variants, variant_count, variant_message, CAIRN__VARIANTS_MAX),
    TEXT(cairn__popup, 18, template_name, NAME),
    { ROW(cairn__popup, 19, goal, .kind = CAIRN__BUNDLE_MESSAGE, .of = &goal_message) },
};
TABLE(popup, cairn__popup, true);

static const cairn__bundle_field item[] = {
    TEXT(cairn__item, 1, id, NAME),
    LIST(cairn__item, 2, properties, property_count, .kind = CAIRN__BUNDLE_PROPERTIES,
         .max = CAIRN__ITEM_PROPERTIES_MAX),
    CONDITION(cairn__item, 3, audience, OF_ITEM),
    SIGNED(cairn__item, 4, from_ms),
    SIGNED(cairn__item, 5, to_ms),
    TEXT(cairn__item, 6, content, CONTENT),
};
TABLE(item, cairn__item, true);

static const cairn__bundle_field item_list[] = {
    TEXT(cairn__item_list, 1, name, NAME),
    NUMBERS(cairn__item_list, 2, items, item_count, CAIRN__ITEMS_MAX),
};
TABLE(item_list, cairn__item_list, false);

static const cairn__bundle_field related[] = {
    UNSIGNED(cairn__related, 1, item, UINT16_MAX),
    NUMBERS(cairn__related, 2, items, item_count, CAIRN__BUNDLE_RELATED_ITEMS_MAX),
};
TABLE(related, cairn__related, false);

static const cairn__bundle_field recall[] = {
    UNSIGNED(cairn__recall, 1, kind, CAIRN__RECALL_RELATED),
    UNSIGNED(cairn__recall, 2, list, UINT16_MAX),
    CONDITION(cairn__recall, 3, where, OF_ITEM),
    TEXT(cairn__recall, 4, event, NAME),
    TEXT(cairn__recall, 5, property, NAME),
    UNSIGNED(cairn__recall, 6, count_max, CAIRN__ITEMS_MAX),
};
TABLE(recall, cairn__recall, false);

static const cairn__bundle_field rank[] = {
    UNSIGNED(cairn__rank, 1, kind, CAIRN__RANK_RECALL),
    DOUBLE(cairn__rank, 2, weight),
    TEXT(cairn__rank, 3, property, NAME),
    UNSIGNED(cairn__rank, 4, fact, CAIRN__FACTS_MAX),
    SIGNED(cairn__rank, 5, half_life_ms),
};
TABLE(rank, cairn__rank, false);

static const cairn__bundle_field strategy[] = {
    TEXT(cairn__strategy, 1, name, NAME),
    CONDITION(cairn__strategy, 2, audience, PERSON),
    MESSAGES(cairn__strategy, 3, recalls, recall_count, recall_message, CAIRN__RECALLS_MAX),
    CONDITION(cairn__strategy, 4, filter, OF_ITEM),
    TEXT(cairn__strategy, 5, bought_event, NAME),
    TEXT(cairn__strategy, 6, bought_property, NAME),
    MESSAGES(cairn__strategy, 7, item_caps, item_cap_count, cap_message, CAIRN__CAPS_MAX),
    UNSIGNED(cairn__strategy, 8, fallback, UINT16_MAX),
    UNSIGNED(cairn__strategy, 9, min, CAIRN__SLOT_SIZE_MAX),
    MESSAGES(cairn__strategy, 10, ranks, rank_count, rank_message, CAIRN__BUNDLE_RANKS_MAX),
    SHARE(cairn__strategy, 11, exploration),
    UNSIGNED(cairn__strategy, 12, category_max, CAIRN__SLOT_SIZE_MAX),
    UNSIGNED(cairn__strategy, 13, no_repeat, CAIRN__ITEMS_MAX),
    TEXT(cairn__strategy, 14, script, NAME),
};
TABLE(strategy, cairn__strategy, true);

static const cairn__bundle_field slot[] = {
    TEXT(cairn__slot, 1, name, NAME),
    UNSIGNED(cairn__slot, 2, version, 0),
    FLAG(cairn__slot, 3, paused),
    UNSIGNED(cairn__slot, 4, size, CAIRN__SLOT_SIZE_MAX),
    MESSAGES(cairn__slot, 5, strategies, strategy_count, strategy_message, CAIRN__STRATEGIES_MAX),
    UNSIGNED(cairn__slot, 6, default_list, UINT16_MAX),
};
TABLE(slot, cairn__slot, true);

static const cairn__bundle_field range[] = {
    SHARE(cairn__range, 1, from),
    SHARE(cairn__range, 2, to),
};
TABLE(range, cairn__range, false);

static const cairn__bundle_field name_space[] = {
    TEXT(cairn__namespace, 1, name, NAME),
    UNSIGNED(cairn__namespace, 2, version, CAIRN__ASSIGN_V3),
    MESSAGES(cairn__namespace, 3, slices, slice_count, range_message, CAIRN__EXPERIMENT_SLICES_MAX),
};
TABLE(name_space, cairn__namespace, true);

static const cairn__bundle_field forced_unit[] = {
    TEXT(cairn__forced_unit, 1, unit, CAIRN__ID_VALUE_BYTES_MAX),
    UNSIGNED(cairn__forced_unit, 2, variant, 0),
};
TABLE(forced_unit, cairn__forced_unit, false);

static const cairn__bundle_field prerequisite[] = {
    UNSIGNED(cairn__prerequisite_of, 1, experiment, CAIRN__EXPERIMENTS_MAX),
    SIGNED(cairn__prerequisite_of, 2, variant),
};
TABLE(prerequisite, cairn__prerequisite_of, false);

static const cairn__bundle_field flag_rule[] = {
    UNSIGNED(cairn__flag_rule, 1, experiment, CAIRN__EXPERIMENTS_MAX),
    FLAG(cairn__flag_rule, 2, gate),
};
TABLE(flag_rule, cairn__flag_rule, false);

#define ENTRY cairn__experiment_entry
static const cairn__bundle_field experiment[] = {
    TEXT(ENTRY, 1, name, NAME),
    UNSIGNED(ENTRY, 2, version, 0),
    TEXT(ENTRY, 3, experiment.salt, NAME),
    UNSIGNED(ENTRY, 4, experiment.version, CAIRN__ASSIGN_V3),
    SHARE(ENTRY, 5, experiment.shares.coverage),
    LIST(ENTRY, 6, experiment.shares.weights, experiment.shares.weight_count,
         .kind = CAIRN__BUNDLE_DOUBLES, .max = CAIRN__VARIANTS_MAX),
    MESSAGES(ENTRY, 7, variants, experiment.variant_count, variant_message, CAIRN__VARIANTS_MAX),
    LIST(ENTRY, 8, experiment.ranges, experiment.variant_count, .kind = CAIRN__BUNDLE_MESSAGES,
         .of = &range_message, .max = CAIRN__VARIANTS_MAX, .follows = true),
    MESSAGES(ENTRY, 9, experiment.namespaces, experiment.namespace_count, name_space_message,
             CAIRN__EXPERIMENT_NAMESPACES_MAX),
    CONDITION(ENTRY, 10, condition, PERSON),
    MESSAGES(ENTRY, 11, experiment.forced, experiment.forced_count, forced_unit_message,
             CAIRN__EXPERIMENT_FORCED_MAX),
    FLAG(ENTRY, 12, experiment.force_all),
    UNSIGNED(ENTRY, 13, experiment.force_all_variant, CAIRN__VARIANTS_MAX),
    FLAG(ENTRY, 14, experiment.paused),
    UNSIGNED(ENTRY, 15, experiment.sticky_version, 0),
    UNSIGNED(ENTRY, 16, experiment.sticky_oldest, 0),
    MESSAGES(ENTRY, 17, prerequisites, prerequisite_count, prerequisite_message,
             CAIRN__BUNDLE_PREREQUISITES_MAX),
    TEXT(ENTRY, 18, unit_type, CAIRN__ID_TYPE_BYTES_MAX),
    TEXT(ENTRY, 19, fallback, CONTENT),
    UNSIGNED(ENTRY, 20, experiment.murmur.seed, 0),
    UNSIGNED(ENTRY, 21, experiment.murmur.steps, 0),
    MESSAGES(ENTRY, 22, rules, rule_count, flag_rule_message, CAIRN__FLAG_RULES_MAX),
};
TABLE(experiment, ENTRY, true);

static const cairn__bundle_field setting[] = {
    TEXT(cairn__setting, 1, name, NAME),
    TEXT(cairn__setting, 2, value, CAIRN__BUNDLE_SETTING_BYTES_MAX),
};
TABLE(setting, cairn__setting, false);

static const cairn__bundle_field consent_default[] = {
    TEXT(cairn__consent_default, 1, region, CAIRN__BUNDLE_REGION_BYTES_MAX),
    UNSIGNED(cairn__consent_default, 2, analytics, CAIRN__CONSENT_DENIED),
    UNSIGNED(cairn__consent_default, 3, marketing, CAIRN__CONSENT_DENIED),
    UNSIGNED(cairn__consent_default, 4, personalisation, CAIRN__CONSENT_DENIED),
    FLAG(cairn__consent_default, 5, drop),
    FLAG(cairn__consent_default, 6, honour_dnt),
};
TABLE(consent_default, cairn__consent_default, false);

static const cairn__bundle_field consent_text[] = {
    TEXT(cairn__consent_text, 1, name, NAME),
    UNSIGNED(cairn__consent_text, 2, version, 0),
};
TABLE(consent_text, cairn__consent_text, false);

static const cairn__bundle_field privacy_rule[] = {
    TEXT(cairn__privacy_rule, 1, event, NAME),
    TEXT(cairn__privacy_rule, 2, property, NAME),
    UNSIGNED(cairn__privacy_rule, 3, action, CAIRN__PRIVACY_HASH),
};
TABLE(privacy_rule, cairn__privacy_rule, false);

static const cairn__bundle_field script[] = {
    TEXT(cairn__script_source, 1, name, NAME),
    TEXT(cairn__script_source, 2, source, CAIRN__BUNDLE_SCRIPT_BYTES_MAX),
};
TABLE(script, cairn__script_source, false);

static const cairn__bundle_field bundle[] = {
    TEXT(cairn__bundle, 1, definitions.project, CAIRN__BUNDLE_PROJECT_BYTES_MAX),
    UNSIGNED(cairn__bundle, 2, definitions.version, 0),
    SIGNED(cairn__bundle, 3, made_ms),
    MESSAGES(cairn__bundle, 4, settings, setting_count, setting_message,
             CAIRN__BUNDLE_SETTINGS_MAX),
    TEXT(cairn__bundle, 5, zone_name, CAIRN__ZONE_NAME_BYTES_MAX),
    BYTES(cairn__bundle, 6, zones, CAIRN__BUNDLE_ZONES_BYTES_MAX),
    MESSAGES(cairn__bundle, 7, definitions.facts, definitions.fact_count, fact_message,
             CAIRN__FACTS_MAX),
    LIST(cairn__bundle, 8, conditions, condition_count, .kind = CAIRN__BUNDLE_CONDITIONS,
         .max = CAIRN__BUNDLE_CONDITIONS_MAX),
    MESSAGES(cairn__bundle, 9, definitions.audiences, definitions.audience_count, audience_message,
             CAIRN__AUDIENCES_MAX),
    LIST(cairn__bundle, 10, definitions.audience_facts, definitions.audience_count,
         .kind = CAIRN__BUNDLE_NUMBERS, .max = CAIRN__AUDIENCES_MAX, .follows = true),
    SHARE(cairn__bundle, 11, definitions.holdout),
    TEXT(cairn__bundle, 12, definitions.holdout_salt, NAME),
    MESSAGES(cairn__bundle, 13, definitions.cap_groups, definitions.cap_group_count,
             cap_group_message, CAIRN__BUNDLE_CAP_GROUPS_MAX),
    MESSAGES(cairn__bundle, 14, definitions.popups, definitions.popup_count, popup_message,
             CAIRN__POPUPS_MAX),
    MESSAGES(cairn__bundle, 15, definitions.items, definitions.item_count, item_message,
             CAIRN__BUNDLE_ITEMS_MAX),
    MESSAGES(cairn__bundle, 16, definitions.lists, definitions.list_count, item_list_message,
             CAIRN__BUNDLE_LISTS_MAX),
    MESSAGES(cairn__bundle, 17, definitions.related, definitions.related_count, related_message,
             CAIRN__BUNDLE_RELATED_MAX),
    MESSAGES(cairn__bundle, 18, definitions.slots, definitions.slot_count, slot_message,
             CAIRN__SLOTS_MAX),
    MESSAGES(cairn__bundle, 19, definitions.experiments, definitions.experiment_count,
             experiment_message, CAIRN__EXPERIMENTS_MAX),
    MESSAGES(cairn__bundle, 20, consent_defaults, consent_default_count, consent_default_message,
             CAIRN__BUNDLE_CONSENT_MAX),
    MESSAGES(cairn__bundle, 21, consent_texts, consent_text_count, consent_text_message,
             CAIRN__BUNDLE_CONSENT_MAX),
    MESSAGES(cairn__bundle, 22, privacy, privacy_count, privacy_rule_message,
             CAIRN__BUNDLE_PRIVACY_MAX),
    MESSAGES(cairn__bundle, 23, scripts, script_count, script_message, CAIRN__BUNDLE_SCRIPTS_MAX),
    BYTES(cairn__bundle, 24, plan, CAIRN__BUNDLE_PLAN_BYTES_MAX),
};
_Static_assert(sizeof bundle / sizeof *bundle <= CAIRN__BUNDLE_FIELDS_MAX, "fields of a bundle");
_Static_assert(sizeof(cairn__rule_space) == 4 && sizeof(cairn__cap_window) == 4, "enums by width");

const cairn__bundle_message cairn__bundle_schema = { .fields = bundle,
                                                     .count = sizeof bundle / sizeof *bundle,
                                                     .bytes = sizeof(cairn__bundle),
                                                     .lists = true };
