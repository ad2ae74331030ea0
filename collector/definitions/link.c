#include "definitions/link.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/bytes.h"

enum { USERS_SHOWN_MAX = 5, MEMBER_RULE_BYTES_MAX = 160, SCRATCH_BYTES_MAX = 1 << 20 };

/* Those of the SDK's own renderer. */
static const char *const templates[] = { "modal",  "bottom_sheet", "banner", "top_bar",
                                         "splash", "red_packet",   "survey" };

#define WRONG(linker, ...) cairn__fault(&(linker)->problem->fault, __VA_ARGS__)
#define FIX(linker, ...) cairn__fault_fix(&(linker)->problem->fault, __VA_ARGS__)

void *cairn__linker_make(cairn__linker *linker, size_t count, size_t size) {
    void *made = cairn__arena_alloc_zero(linker->source->arena, count == 0 ? 1 : count, size);
    linker->no_memory = linker->no_memory || made == NULL;
    return made;
}

size_t cairn__linker_count(const cairn__linker *linker, cairn__definition_kind kind) {
    return linker->first[kind + 1] - linker->first[kind];
}

cairn__definition *cairn__linker_at(const cairn__linker *linker, cairn__definition_kind kind,
                                    size_t place) {
    return linker->source->definitions[linker->first[kind] + place];
}

size_t cairn__linker_find(const cairn__linker *linker, cairn__definition_kind kind,
                          cairn_span name) {
    size_t low = 0;
    size_t high = cairn__linker_count(linker, kind);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = cairn__span_compare(cairn__linker_at(linker, kind, middle)->name, name);
        if (order == 0) {
            return middle;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return SIZE_MAX;
}

static const cairn__settings_parts *settings_of(const cairn__linker *linker) {
    return &cairn__linker_at(linker, CAIRN__DEFINITION_SETTINGS, 0)->as.settings;
}

/* --- what is named ---------------------------------------------------------------------------- */

static int variant_named(const cairn__experiment_entry *entry, cairn_span name) {
    for (size_t i = 0; i < entry->experiment.variant_count; i++) {
        if (cairn__span_equal(entry->variants[i].name, name)) {
            return (int)i;
        }
    }
    return CAIRN__NO_VARIANT;
}

/* The number of a group; 0: there is none (0 is the global one, which has no name). */
static size_t group_named(const cairn__settings_parts *settings, cairn_span name) {
    for (size_t i = 1; i < settings->group_count; i++) {
        if (cairn__span_equal(settings->groups[i].name, name)) {
            return i;
        }
    }
    return 0;
}

static bool template_named(const cairn__settings_parts *settings, cairn_span name) {
    bool found = false;
    for (size_t i = 0; i < sizeof templates / sizeof templates[0]; i++) {
        found = found || cairn__span_equal(cairn__span_of(templates[i]), name);
    }
    for (size_t i = 0; i < settings->template_count; i++) {
        found = found || cairn__span_equal(settings->templates[i], name);
    }
    return found;
}

static bool script_named(const cairn__settings_parts *settings, cairn_span name) {
    bool found = false;
    for (size_t i = 0; i < settings->script_count; i++) {
        found = found || cairn__span_equal(settings->scripts[i].name, name);
    }
    return found;
}

static bool is_there(const cairn__linker *linker, const cairn__reference *reference) {
    const cairn__settings_parts *settings = settings_of(linker);
    size_t place;
    switch (reference->kind) {
    case CAIRN__REFERENCE_AUDIENCE:
        return cairn__linker_find(linker, CAIRN__DEFINITION_AUDIENCE, reference->name) != SIZE_MAX;
    case CAIRN__REFERENCE_EXPERIMENT:
        place = cairn__linker_find(linker, CAIRN__DEFINITION_EXPERIMENT, reference->name);
        return place != SIZE_MAX &&
               (reference->part.len == 0 ||
                variant_named(
                    &cairn__linker_at(linker, CAIRN__DEFINITION_EXPERIMENT, place)->as.experiment,
                    reference->part) >= 0);
    case CAIRN__REFERENCE_GROUP:
        return group_named(settings, reference->name) != 0;
    case CAIRN__REFERENCE_TEMPLATE:
        return template_named(settings, reference->name);
    case CAIRN__REFERENCE_SCRIPT:
    default:
        return script_named(settings, reference->name);
    }
}

/* "audience `vip`", "variant `b` of experiment `x`". */
static void show_reference(const cairn__reference *reference, char *to, size_t room) {
    static const char *const names[] = { "audience", "experiment", "group", "template", "script" };
    bool part = reference->part.len > 0;
    (void)snprintf(to, room, "%s%.*s%s%s `%.*s`", part ? "variant `" : "", (int)reference->part.len,
                   (const char *)reference->part.data, part ? "` of " : "", names[reference->kind],
                   (int)reference->name.len, (const char *)reference->name.data);
}

/* --- who is missed by whom -------------------------------------------------------------------- */

typedef struct missing {
    const cairn__reference *first; /* of others than the changed one */
    size_t user_count;
    char users[180];
} missing;

static bool unknown(cairn__linker *linker, const cairn__reference *reference) {
    char what[256];
    show_reference(reference, what, sizeof what);
    WRONG(linker, "unknown_name", reference->at, "there is no %s", what);
    if (reference->kind >= CAIRN__REFERENCE_GROUP) {
        return FIX(linker, "correct the name, or add it to the settings first");
    }
    return FIX(linker, "correct the name, or put the %s first",
               reference->kind == CAIRN__REFERENCE_AUDIENCE ? "audience" : "experiment");
}

static void note_user(missing *m, const cairn__definition *user, const cairn__reference *what) {
    m->first = m->first == NULL ? what : m->first;
    m->user_count++;
    size_t used = strlen(m->users);
    if (m->user_count <= USERS_SHOWN_MAX) {
        (void)snprintf(m->users + used, sizeof m->users - used, "%s%s `%.*s`",
                       used == 0 ? "" : ", ", cairn__definition_kind_name(user->kind),
                       user->name.len > 60 ? 60 : (int)user->name.len,
                       (const char *)user->name.data);
    }
}

static bool in_use(cairn__linker *linker, const missing *m) {
    char what[256];
    show_reference(m->first, what, sizeof what);
    WRONG(linker, "in_use", (cairn__fault_path){ { 0 } }, "%.120s is used by %s", what, m->users);
    return FIX(linker, "change %s first (%zu in all)", m->user_count == 1 ? "that one" : "those",
               m->user_count);
}

/* The first thing that a definition names and that is not there; NULL: all is. */
static const cairn__reference *first_missing(const cairn__linker *linker,
                                             const cairn__definition *one) {
    for (size_t i = 0; i < one->reference_count; i++) {
        if (!is_there(linker, &one->references[i])) {
            return &one->references[i];
        }
    }
    return NULL;
}

static bool check_references(cairn__linker *linker) {
    missing m = { 0 };
    for (size_t i = 0; i < linker->source->count; i++) {
        const cairn__definition *one = linker->source->definitions[i];
        const cairn__reference *reference = first_missing(linker, one);
        if (reference != NULL && one == linker->source->changed) {
            return unknown(linker, reference);
        }
        if (reference != NULL) {
            note_user(&m, one, reference);
        }
    }
    return m.first == NULL || in_use(linker, &m);
}

/* --- how many --------------------------------------------------------------------------------- */

static bool check_counts(cairn__linker *linker) {
    static const size_t most[CAIRN__DEFINITION_KIND_COUNT] = { CAIRN__POPUPS_MAX, CAIRN__SLOTS_MAX,
                                                               CAIRN__EXPERIMENTS_MAX,
                                                               CAIRN__AUDIENCES_MAX, 1 };
    size_t at = 0;
    for (int kind = 0; kind < CAIRN__DEFINITION_KIND_COUNT; kind++) {
        linker->first[kind] = at;
        while (at < linker->source->count && (int)linker->source->definitions[at]->kind == kind) {
            at++;
        }
        linker->first[kind + 1] = at;
        if (at - linker->first[kind] > most[kind]) {
            WRONG(linker, "too_many", (cairn__fault_path){ { 0 } }, "a project has at most %zu %ss",
                  most[kind], cairn__definition_kind_name((cairn__definition_kind)kind));
            return FIX(linker, "remove one that is not needed any more first");
        }
    }
    CAIRN_ASSERT(at == linker->source->count); /* they are in order */
    return true;
}

/* --- facts ------------------------------------------------------------------------------------ */

static bool table_status(cairn__linker *linker, cairn_status status) {
    if (status == CAIRN_FULL) {
        WRONG(linker, "too_many_facts", (cairn__fault_path){ { 0 } },
              "all rules together name more than %d different facts", (int)CAIRN__FACTS_MAX);
        return FIX(linker, "use the same functions and names in several rules");
    }
    linker->no_memory = linker->no_memory || status != CAIRN_OK;
    return status == CAIRN_OK;
}

static bool number_conditions(cairn__linker *linker, cairn__definition *one) {
    for (size_t i = 0; i < one->condition_count; i++) {
        cairn__condition numbered;
        cairn_status status =
            cairn__fact_table_condition(&linker->facts, &one->conditions[i]->rule, &numbered);
        if (!table_status(linker, status)) {
            return false;
        }
        one->conditions[i]->facts = numbered.facts;
    }
    return true;
}

static bool number_facts(cairn__linker *linker) {
    bool good = true;
    for (size_t i = 0; good && i < linker->source->count; i++) {
        good = number_conditions(linker, linker->source->definitions[i]);
    }
    return good;
}

/* --- audiences -------------------------------------------------------------------------------- */

/* The fact that is an audience's membership: what member("name") asks for. */
static bool number_member(cairn__linker *linker, cairn_span name, uint16_t *number_out) {
    char text[MEMBER_RULE_BYTES_MAX];
    int length =
        snprintf(text, sizeof text, "member(\"%.*s\")", (int)name.len, (const char *)name.data);
    cairn__arena scratch = cairn__arena_make(linker->source->arena->allocator, SCRATCH_BYTES_MAX);
    cairn__rule_fault fault;
    cairn__rule rule;
    const cairn__rule_source source = { .text = cairn__span(text, (size_t)length),
                                        .spaces = CAIRN__RULE_QUERY,
                                        .arena = &scratch,
                                        .fault = &fault };
    cairn_status status = cairn__rule_compile(&source, &rule);
    CAIRN_ASSERT(status != CAIRN_INVALID && status != CAIRN_UNSUPPORTED); /* names are plain */
    cairn__rule_slot slot = { CAIRN__RULE_QUERY, { NULL, 0 } };
    if (status == CAIRN_OK) {
        CAIRN_ASSERT(rule.slot_count == 1);
        status = cairn__arena_copy(linker->source->arena, rule.slots[0].name, &slot.name)
                     ? cairn__fact_table_number(&linker->facts, &slot, number_out)
                     : CAIRN_NO_MEMORY;
    }
    cairn__arena_free(&scratch);
    return table_status(linker, status);
}

static bool link_audiences(cairn__linker *linker) {
    cairn__definitions *to = &linker->bundle->definitions;
    size_t count = cairn__linker_count(linker, CAIRN__DEFINITION_AUDIENCE);
    cairn__audience *audiences = cairn__linker_make(linker, count, sizeof *audiences);
    uint16_t *facts = cairn__linker_make(linker, count, sizeof *facts);
    uint16_t *order = cairn__linker_make(linker, count, sizeof *order);
    if (audiences == NULL || facts == NULL || order == NULL ||
        !cairn__link_order(linker, CAIRN__DEFINITION_AUDIENCE, order)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        audiences[i] = cairn__linker_at(linker, CAIRN__DEFINITION_AUDIENCE, order[i])->as.audience;
        if (!number_member(linker, audiences[i].name, &facts[i])) {
            return false;
        }
    }
    to->audiences = audiences;
    to->audience_facts = facts;
    to->audience_count = count;
    return true;
}

/* --- popups ----------------------------------------------------------------------------------- */

static bool comes_before(const cairn__popup *a, const cairn__popup *b) {
    return a->priority != b->priority ? a->priority > b->priority
                                      : cairn__span_compare(a->name, b->name) < 0;
}

static bool number_groups(cairn__linker *linker, const cairn__definition *from, cairn__popup *to) {
    uint16_t *groups = cairn__linker_make(linker, to->group_count, sizeof *groups);
    size_t filled = 0;
    for (size_t i = 0; groups != NULL && i < from->reference_count; i++) {
        if (from->references[i].kind == CAIRN__REFERENCE_GROUP) {
            groups[filled++] = (uint16_t)group_named(settings_of(linker), from->references[i].name);
        }
    }
    to->groups = groups;
    return groups != NULL;
}

static bool link_popups(cairn__linker *linker) {
    cairn__definitions *to = &linker->bundle->definitions;
    size_t count = cairn__linker_count(linker, CAIRN__DEFINITION_POPUP);
    cairn__popup *popups = cairn__linker_make(linker, count, sizeof *popups);
    for (size_t i = 0; popups != NULL && i < count; i++) {
        const cairn__definition *from = cairn__linker_at(linker, CAIRN__DEFINITION_POPUP, i);
        cairn__popup popup = from->as.popup;
        popup.version = from->version;
        if (!number_groups(linker, from, &popup)) {
            return false;
        }
        size_t at = i;
        for (; at > 0 && comes_before(&popup, &popups[at - 1]); at--) {
            popups[at] = popups[at - 1];
        }
        popups[at] = popup;
    }
    to->popups = popups;
    to->popup_count = count;
    return popups != NULL;
}

/* --- experiments ------------------------------------------------------------------------------ */

/* A flag's references are its rules', in their order. */
static bool link_rules(cairn__linker *linker, const cairn__definition *from,
                       const uint16_t *place_of, cairn__experiment_entry *to) {
    cairn__flag_rule *rules = cairn__linker_make(linker, to->rule_count, sizeof *rules);
    for (size_t i = 0; rules != NULL && i < to->rule_count; i++) {
        rules[i] = to->rules[i];
        rules[i].experiment = place_of[cairn__linker_find(linker, CAIRN__DEFINITION_EXPERIMENT,
                                                          from->references[i].name)];
    }
    to->rules = rules;
    return rules != NULL;
}

static bool link_prerequisites(cairn__linker *linker, const cairn__definition *from,
                               const uint16_t *place_of, cairn__experiment_entry *to) {
    cairn__prerequisite_of *list = cairn__linker_make(linker, to->prerequisite_count, sizeof *list);
    size_t filled = 0;
    for (size_t i = 0; list != NULL && i < from->reference_count; i++) {
        const cairn__reference *reference = &from->references[i];
        if (reference->kind != CAIRN__REFERENCE_EXPERIMENT) {
            continue;
        }
        size_t place = cairn__linker_find(linker, CAIRN__DEFINITION_EXPERIMENT, reference->name);
        const cairn__definition *other =
            cairn__linker_at(linker, CAIRN__DEFINITION_EXPERIMENT, place);
        list[filled].experiment = place_of[place];
        list[filled++].variant = reference->part.len == 0
                                     ? CAIRN__NO_VARIANT
                                     : variant_named(&other->as.experiment, reference->part);
    }
    to->prerequisites = list;
    return list != NULL;
}

static bool link_experiments(cairn__linker *linker) {
    cairn__definitions *to = &linker->bundle->definitions;
    size_t count = cairn__linker_count(linker, CAIRN__DEFINITION_EXPERIMENT);
    cairn__experiment_entry *entries = cairn__linker_make(linker, count, sizeof *entries);
    uint16_t *order = cairn__linker_make(linker, count, sizeof *order);
    uint16_t *place_of = cairn__linker_make(linker, count, sizeof *place_of);
    if (entries == NULL || order == NULL || place_of == NULL ||
        !cairn__link_order(linker, CAIRN__DEFINITION_EXPERIMENT, order)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        place_of[order[i]] = (uint16_t)i;
    }
    for (size_t i = 0; i < count; i++) {
        const cairn__definition *from =
            cairn__linker_at(linker, CAIRN__DEFINITION_EXPERIMENT, order[i]);
        entries[i] = from->as.experiment;
        entries[i].version = from->version;
        entries[i].experiment.targeting =
            entries[i].condition.rule.program == NULL ? NULL : &entries[i].condition.rule;
        bool linked = entries[i].rule_count > 0
                          ? link_rules(linker, from, place_of, &entries[i])
                          : link_prerequisites(linker, from, place_of, &entries[i]);
        if (!linked) {
            return false;
        }
    }
    to->experiments = entries;
    to->experiment_count = count;
    return true;
}

/* --- settings --------------------------------------------------------------------------------- */

static bool unknown_zone(cairn__linker *linker, const char *field, cairn_span zone) {
    const cairn__fault_path at = cairn__fault_key((cairn__fault_path){ { 0 } }, field);
    WRONG(linker, "unknown_zone", at, "there is no time zone `%.*s`", (int)zone.len,
          (const char *)zone.data);
    return FIX(linker, "write an IANA name, for example \"Asia/Shanghai\"");
}

static bool link_zones(cairn__linker *linker, const cairn__settings_parts *settings) {
    const cairn__link_source *source = linker->source;
    const cairn__link_zones *zones = source->zones;
    cairn_span *names = cairn__linker_make(linker, settings->zone_count + 1, sizeof *names);
    if (names == NULL) {
        return false;
    }
    names[0] = settings->zone.len > 0 ? settings->zone : source->zone;
    for (size_t i = 0; i < settings->zone_count; i++) {
        names[i + 1] = settings->zones[i];
    }
    for (size_t i = 0; i < settings->zone_count + 1; i++) {
        if (!zones->has(zones->self, names[i])) {
            return unknown_zone(linker, i == 0 ? "zone" : "zones", names[i]);
        }
    }
    bool is_utc = cairn__span_equal(names[0], CAIRN_STR("UTC")); /* needs no table */
    linker->bundle->zone_name = is_utc ? (cairn_span){ NULL, 0 } : names[0];
    cairn_status status = zones->table(zones->self, names, settings->zone_count + 1,
                                       settings->all_zones, source->zone_table);
    linker->bundle->zones = cairn__buffer_span(source->zone_table);
    linker->no_memory = linker->no_memory || status != CAIRN_OK;
    return status == CAIRN_OK;
}

static bool link_settings(cairn__linker *linker) {
    const cairn__settings_parts *settings = settings_of(linker);
    cairn__bundle *bundle = linker->bundle;
    bundle->definitions.project = linker->source->project;
    bundle->definitions.holdout = settings->holdout;
    bundle->definitions.holdout_salt = settings->holdout_salt;
    bundle->definitions.cap_groups = settings->groups;
    bundle->definitions.cap_group_count = settings->group_count;
    bundle->settings = settings->remote;
    bundle->setting_count = settings->remote_count;
    bundle->consent_defaults = settings->consent;
    bundle->consent_default_count = settings->consent_count;
    bundle->consent_texts = settings->consent_texts;
    bundle->consent_text_count = settings->consent_text_count;
    bundle->privacy = settings->privacy;
    bundle->privacy_count = settings->privacy_count;
    bundle->scripts = settings->scripts;
    bundle->script_count = settings->script_count;
    return link_zones(linker, settings);
}

cairn_status cairn__definitions_link(const cairn__link_source *source, cairn__bundle *bundle_out,
                                     cairn__definition_problem *problem_out) {
    *problem_out = (cairn__definition_problem){ 0 };
    *bundle_out = (cairn__bundle){ 0 };
    cairn__linker linker = { .source = source,
                             .bundle = bundle_out,
                             .problem = problem_out,
                             .facts = { .arena = source->arena } };
    bool good = check_counts(&linker) && check_references(&linker) && link_settings(&linker) &&
                number_facts(&linker) && link_audiences(&linker) && link_popups(&linker) &&
                cairn__link_slots(&linker) && link_experiments(&linker);
    if (good) {
        bundle_out->definitions.facts = linker.facts.slots;
        bundle_out->definitions.fact_count = linker.facts.count;
        return CAIRN_OK;
    }
    if (!linker.no_memory) {
        return CAIRN_INVALID;
    }
    WRONG(&linker, "memory", (cairn__fault_path){ { 0 } }, "all definitions take too much memory");
    FIX(&linker, "remove what is not needed any more, or try again later");
    return CAIRN_NO_MEMORY;
}
