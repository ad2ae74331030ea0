/* check.c: what a bundle promises beyond its single fields: orders, indexes, what must be there. */
#include "base/bytes.h"
#include "base/fault.h"
#include "bundle/reader.h"
#include "rules/pattern.h"

typedef cairn__bundle_reader reader;

static const char out_of_range[] = "names what the bundle does not have";
static const char missing[] = "is missing";

static bool fail(reader *r, const char *list, size_t index, const char *field,
                 const char *problem) {
    if (CAIRN__FAULTS_ARE_TOLD) {
        r->fault->list = list;
        r->fault->index = (uint32_t)index;
    }
    return cairn__bundle_refuse(r, field, problem);
}

/* --- names and their order ---------------------------------------------------------------------*/

/* A list whose structs begin with their name. */
typedef struct named {
    const char *title;
    const void *items;
    size_t count, bytes;
} named;

#define NAMED(text, list, length) ((named){ CAIRN__FAULT_TEXT(text), list, length, sizeof *(list) })

static cairn_span name_of(const named *list, size_t index) {
    cairn_span name;
    memcpy(&name, (const uint8_t *)list->items + index * list->bytes, sizeof name);
    return name;
}

static bool names_ascend(reader *r, named list) {
    for (size_t i = 1; i < list.count; i++) {
        if (cairn__span_compare(name_of(&list, i - 1), name_of(&list, i)) >= 0) {
            return fail(r, list.title, i, "name", "is not in order, or stands there twice");
        }
    }
    return true;
}

/* The place of the largest of a node and its children. */
static size_t largest_of(const named *list, const uint16_t *heap, size_t at, size_t count) {
    size_t largest = at;
    for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++) {
        if (cairn__span_compare(name_of(list, heap[child]), name_of(list, heap[largest])) > 0) {
            largest = child;
        }
    }
    return largest;
}

static void sift_down(const named *list, uint16_t *heap, size_t at, size_t count) {
    for (size_t next = largest_of(list, heap, at, count); next != at;
         next = largest_of(list, heap, at, count)) {
        uint16_t moved = heap[at];
        heap[at] = heap[next];
        heap[next] = moved;
        at = next;
    }
}

/* The list's places in the order of its names: heap sort, in place and without bad cases. */
static bool index_names(reader *r, named list, const uint16_t **index_out) {
    uint16_t *heap = cairn__arena_alloc(r->arena, list.count * sizeof *heap);
    if (heap == NULL) {
        return cairn__bundle_no_memory(r);
    }
    for (size_t i = 0; i < list.count; i++) {
        heap[i] = (uint16_t)i;
    }
    for (size_t i = list.count / 2; i-- > 0;) {
        sift_down(&list, heap, i, list.count);
    }
    for (size_t left = list.count; left > 1; left--) {
        uint16_t last = heap[left - 1];
        heap[left - 1] = heap[0];
        heap[0] = last;
        sift_down(&list, heap, 0, left - 1);
    }
    for (size_t i = 0; i < list.count; i++) {
        cairn_span name = name_of(&list, heap[i]);
        if (name.len == 0 || (i > 0 && cairn__span_equal(name, name_of(&list, heap[i - 1])))) {
            return fail(r, list.title, heap[i], "name", "is missing, or stands there twice");
        }
    }
    *index_out = heap;
    return true;
}

static bool index_all(reader *r) {
    cairn__bundle *b = r->bundle;
    const cairn__definitions *d = &b->definitions;
    return index_names(r, NAMED("audiences", d->audiences, d->audience_count),
                       &b->audiences_by_name) &&
           index_names(r, NAMED("popups", d->popups, d->popup_count), &b->popups_by_name) &&
           index_names(r, NAMED("items", d->items, d->item_count), &b->items_by_id) &&
           index_names(r, NAMED("experiments", d->experiments, d->experiment_count),
                       &b->experiments_by_name);
}

static bool orders_hold(reader *r) {
    const cairn__bundle *b = r->bundle;
    const cairn__definitions *d = &b->definitions;
    return names_ascend(r, NAMED("settings", b->settings, b->setting_count)) &&
           names_ascend(r,
                        NAMED("consent_defaults", b->consent_defaults, b->consent_default_count)) &&
           names_ascend(r, NAMED("consent_texts", b->consent_texts, b->consent_text_count)) &&
           names_ascend(r, NAMED("scripts", b->scripts, b->script_count)) &&
           names_ascend(r, NAMED("slots", d->slots, d->slot_count));
}

/* --- parts that several definitions have -------------------------------------------------------*/

static bool numbers_below(const uint16_t *numbers, size_t count, size_t limit) {
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] >= limit) {
            return false;
        }
    }
    return true;
}

static const char *caps_wrong(const cairn__cap *caps, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (caps[i].count == 0) {
            return CAIRN__FAULT("has a cap that allows nothing: pause it instead");
        }
        if (caps[i].window == CAIRN__CAP_ROLLING && caps[i].window_ms <= 0) {
            return CAIRN__FAULT("has a rolling cap without a window");
        }
    }
    return NULL;
}

static const char *variants_wrong(const cairn__variant *variants, size_t count) {
    if (count == 0) {
        return "is empty: at least one";
    }
    for (size_t i = 0; i < count; i++) {
        if (variants[i].weight < 0) {
            return CAIRN__FAULT("has a negative weight");
        }
    }
    return NULL;
}

static const char *pages_wrong(const cairn__page *pages, size_t count) {
    for (size_t i = 0; i < count; i++) {
        bool pattern = pages[i].how == CAIRN__PAGE_MATCHES;
        if (pattern ? !cairn__pattern_check(pages[i].text) : !cairn__utf8_valid(pages[i].text)) {
            return CAIRN__FAULT("has a damaged text or pattern");
        }
    }
    return NULL;
}

static bool trigger_good(const cairn__trigger *trigger) {
    return trigger->event_count > 0;
}

/* --- the lists ---------------------------------------------------------------------------------*/

static bool frame_good(reader *r) {
    cairn__bundle *b = r->bundle;
    if (b->definitions.project.len == 0) {
        return fail(r, NULL, 0, "project", missing);
    }
    if (b->definitions.version == 0) {
        return fail(r, NULL, 0, "version", missing);
    }
    if (b->zones.len > 0 && !cairn__zone_table_check(b->zones)) {
        return fail(r, NULL, 0, "zones", "is no zone table");
    }
    if (b->zone_name.len == 0) {
        return true;
    }
    cairn_status status =
        cairn__zone_table_find(b->zones, b->zone_name, r->arena, &b->definitions.zone);
    if (status == CAIRN_NO_MEMORY) {
        return cairn__bundle_no_memory(r);
    }
    return status == CAIRN_OK || fail(r, NULL, 0, "zone", "is not in the zone table");
}

static const cairn__query *load_query(reader *r, size_t i) {
    const cairn__query *query = NULL;
    cairn_status status = cairn__query_load(r->bundle->definitions.facts[i].name, r->arena, &query);
    if (status == CAIRN_NO_MEMORY) {
        (void)cairn__bundle_no_memory(r);
    } else if (status != CAIRN_OK) {
        (void)fail(r, "facts", i, "name", "is no query");
    }
    return status == CAIRN_OK ? query : NULL;
}

/* Its query, where it is one, goes to *query_out. */
static bool fact_good(reader *r, size_t i, const cairn__query **query_out) {
    const cairn__rule_slot *fact = &r->bundle->definitions.facts[i];
    unsigned space = (unsigned)fact->space;
    if (fact->name.len == 0) {
        return fail(r, "facts", i, "name", missing);
    }
    if (space == CAIRN__RULE_QUERY) {
        *query_out = load_query(r, i);
        return *query_out != NULL;
    }
    if (space == 0 || space > CAIRN__RULE_SESSION || (space & (space - 1)) != 0) {
        return fail(r, "facts", i, "space", "is none");
    }
    return cairn__utf8_valid(fact->name) || fail(r, "facts", i, "name", "is no name");
}

static bool facts_good(reader *r) {
    size_t count = r->bundle->definitions.fact_count;
    const cairn__query **queries = cairn__arena_alloc_zero(r->arena, count, sizeof(void *));
    if (queries == NULL) {
        return cairn__bundle_no_memory(r);
    }
    r->bundle->queries = queries;
    for (size_t i = 0; i < count; i++) {
        if (!fact_good(r, i, &queries[i])) {
            return false;
        }
    }
    return true;
}

/* Is the fact the query member("name")? */
static bool is_membership(const cairn__bundle *b, uint16_t fact, cairn_span name) {
    const cairn__query *query = fact < b->definitions.fact_count ? b->queries[fact] : NULL;
    return query != NULL && cairn__query_kind(query) == CAIRN__RULE_MEMBER &&
           cairn__span_equal(cairn__query_name(query), name);
}

/* Which audience's membership each fact is: its place + 1, 0 for none. */
static uint16_t *map_memberships(reader *r) {
    const cairn__definitions *d = &r->bundle->definitions;
    uint16_t *audience_of =
        cairn__arena_alloc_zero(r->arena, d->fact_count + 1, sizeof *audience_of);
    if (audience_of == NULL) {
        (void)cairn__bundle_no_memory(r);
        return NULL;
    }
    for (size_t i = 0; i < d->audience_count; i++) {
        uint16_t fact = d->audience_facts[i];
        if (!is_membership(r->bundle, fact, d->audiences[i].name) || audience_of[fact] != 0) {
            (void)fail(r, "audiences", i, "audience_facts", "is not this audience's membership");
            return NULL;
        }
        audience_of[fact] = (uint16_t)(i + 1);
    }
    return audience_of;
}

/* Needs the condition only audiences before `limit`? */
static bool needs_earlier(const cairn__condition *condition, const uint16_t *audience_of,
                          size_t limit) {
    for (size_t i = 0; i < condition->rule.slot_count; i++) {
        if (audience_of[condition->facts[i]] > limit) {
            return false;
        }
    }
    return true;
}

static bool audiences_good(reader *r) {
    const cairn__definitions *d = &r->bundle->definitions;
    if (d->audience_count > 0 && d->audience_facts == NULL) {
        return fail(r, NULL, 0, "audience_facts", missing);
    }
    const uint16_t *audience_of = map_memberships(r);
    if (audience_of == NULL) {
        return false;
    }
    for (size_t i = 0; i < d->audience_count; i++) {
        if (!needs_earlier(&d->audiences[i].condition, audience_of, i)) {
            return fail(r, "audiences", i, "condition", "needs itself or a later audience");
        }
    }
    return true;
}

static bool cap_groups_good(reader *r) {
    const cairn__definitions *d = &r->bundle->definitions;
    if (d->cap_group_count == 0 || d->cap_groups[0].name.len != 0) {
        return fail(r, "cap_groups", 0, "name", "must be empty: the first group is the global one");
    }
    for (size_t i = 0; i < d->cap_group_count; i++) {
        if (i > 0 && d->cap_groups[i].name.len == 0) {
            return fail(r, "cap_groups", i, "name", missing);
        }
        const char *wrong = caps_wrong(d->cap_groups[i].caps, d->cap_groups[i].cap_count);
        if (wrong != NULL) {
            return fail(r, "cap_groups", i, "caps", wrong);
        }
    }
    return true;
}

static bool popup_in_order(const cairn__popup *before, const cairn__popup *popup) {
    return before->priority > popup->priority ||
           (before->priority == popup->priority &&
            cairn__span_compare(before->name, popup->name) < 0);
}

static bool popup_triggers_good(const cairn__popup *popup) {
    for (size_t i = 0; i < popup->trigger_count; i++) {
        if (!trigger_good(&popup->triggers[i])) {
            return false;
        }
    }
    return popup->goal.trigger == NULL || trigger_good(popup->goal.trigger);
}

static bool popup_good(reader *r, size_t i) {
    const cairn__definitions *d = &r->bundle->definitions;
    const cairn__popup *popup = &d->popups[i];
    const char *wrong = NULL;
    if (i > 0 && !popup_in_order(popup - 1, popup)) {
        return fail(r, "popups", i, "priority", "is not in order");
    }
    if (!popup_triggers_good(popup)) {
        return fail(r, "popups", i, "triggers", "has one without events");
    }
    if ((wrong = pages_wrong(popup->pages, popup->page_count)) != NULL) {
        return fail(r, "popups", i, "pages", wrong);
    }
    if ((wrong = caps_wrong(popup->caps, popup->cap_count)) != NULL) {
        return fail(r, "popups", i, "caps", wrong);
    }
    if ((wrong = variants_wrong(popup->variants, popup->variant_count)) != NULL) {
        return fail(r, "popups", i, "variants", wrong);
    }
    return numbers_below(popup->groups, popup->group_count, d->cap_group_count) ||
           fail(r, "popups", i, "groups", out_of_range);
}

static bool popups_good(reader *r) {
    for (size_t i = 0; i < r->bundle->definitions.popup_count; i++) {
        if (!popup_good(r, i)) {
            return false;
        }
    }
    return true;
}

static bool lists_good(reader *r) {
    const cairn__definitions *d = &r->bundle->definitions;
    for (size_t i = 0; i < d->list_count; i++) {
        if (!numbers_below(d->lists[i].items, d->lists[i].item_count, d->item_count)) {
            return fail(r, "lists", i, "items", out_of_range);
        }
    }
    for (size_t i = 0; i < d->related_count; i++) {
        const cairn__related *related = &d->related[i];
        bool ascends = i == 0 || related[-1].item < related->item;
        if (!ascends || related->item >= d->item_count ||
            !numbers_below(related->items, related->item_count, d->item_count)) {
            return fail(r, "related", i, "item", "is not in order, or not there");
        }
    }
    return true;
}

static bool list_or_none(const cairn__definitions *d, uint16_t list) {
    return list == CAIRN__NO_LIST || list < d->list_count;
}

/* What is wrong with the strategy's field *field_out, or NULL. */
static const char *strategy_wrong(const cairn__definitions *d, const cairn__strategy *strategy,
                                  const char **field_out) {
    *field_out = "recalls";
    for (size_t i = 0; i < strategy->recall_count; i++) {
        const cairn__recall *recall = &strategy->recalls[i];
        if (recall->kind <= CAIRN__RECALL_RULE && recall->list >= d->list_count) {
            return out_of_range;
        }
    }
    *field_out = "ranks";
    for (size_t i = 0; i < strategy->rank_count; i++) {
        const cairn__rank *rank = &strategy->ranks[i];
        if (rank->kind == CAIRN__RANK_TAG && rank->fact >= d->fact_count) {
            return out_of_range;
        }
        if (rank->kind == CAIRN__RANK_RECENCY && rank->half_life_ms <= 0) {
            return CAIRN__FAULT("has a recency without a half-life");
        }
    }
    *field_out = "fallback";
    if (!list_or_none(d, strategy->fallback)) {
        return out_of_range;
    }
    *field_out = "item_caps";
    return caps_wrong(strategy->item_caps, strategy->item_cap_count);
}

static bool strategies_good(reader *r, size_t i) {
    const cairn__slot *slot = &r->bundle->definitions.slots[i];
    for (size_t j = 0; j < slot->strategy_count; j++) {
        const char *field = NULL;
        const char *wrong = strategy_wrong(&r->bundle->definitions, &slot->strategies[j], &field);
        if (wrong != NULL) {
            return fail(r, "slots", i, field, wrong);
        }
    }
    return true;
}

static bool slots_good(reader *r) {
    const cairn__definitions *d = &r->bundle->definitions;
    for (size_t i = 0; i < d->slot_count; i++) {
        const cairn__slot *slot = &d->slots[i];
        if (slot->name.len == 0 || slot->size == 0) {
            return fail(r, "slots", i, slot->size == 0 ? "size" : "name", missing);
        }
        if (!list_or_none(d, slot->default_list)) {
            return fail(r, "slots", i, "default_list", out_of_range);
        }
        if (!strategies_good(r, i)) {
            return false;
        }
    }
    return true;
}

/* --- experiments -------------------------------------------------------------------------------*/

static bool prerequisites_good(const cairn__definitions *d, size_t i) {
    const cairn__experiment_entry *entry = &d->experiments[i];
    for (size_t j = 0; j < entry->prerequisite_count; j++) {
        const cairn__prerequisite_of *needed = &entry->prerequisites[j];
        if (needed->experiment >= i || needed->variant < CAIRN__NO_VARIANT) {
            return false;
        }
        size_t count = d->experiments[needed->experiment].experiment.variant_count;
        if (needed->variant >= 0 && (size_t)needed->variant >= count) {
            return false;
        }
    }
    return true;
}

static bool rules_good(const cairn__experiment_entry *flag, size_t i) {
    for (size_t j = 0; j < flag->rule_count; j++) {
        if (flag->rules[j].experiment >= i) {
            return false;
        }
    }
    return flag->experiment.variant_count == 0 && flag->prerequisite_count == 0;
}

static bool weights_good(const cairn__experiment *experiment) {
    for (size_t i = 0; i < experiment->shares.weight_count; i++) {
        if (experiment->shares.weights[i] < 0) {
            return false;
        }
    }
    return true;
}

static bool experiment_good(reader *r, size_t i) {
    const cairn__definitions *d = &r->bundle->definitions;
    const cairn__experiment_entry *entry = &d->experiments[i];
    const cairn__experiment *experiment = &entry->experiment;
    if (entry->rule_count > 0) {
        return rules_good(entry, i) ||
               fail(r, "experiments", i, "rules", "must stand alone, and name earlier experiments");
    }
    const char *wrong = variants_wrong(entry->variants, experiment->variant_count);
    if (wrong != NULL) {
        return fail(r, "experiments", i, "variants", wrong);
    }
    if ((unsigned)experiment->version == 0 || experiment->salt.len == 0) {
        return fail(r, "experiments", i, experiment->salt.len == 0 ? "salt" : "hash", missing);
    }
    if (!weights_good(experiment)) {
        return fail(r, "experiments", i, "weights", "has a negative one");
    }
    if (experiment->force_all && experiment->force_all_variant >= experiment->variant_count) {
        return fail(r, "experiments", i, "force_all_variant", out_of_range);
    }
    return prerequisites_good(d, i) ||
           fail(r, "experiments", i, "prerequisites", "must name earlier experiments' variants");
}

/* Written here, while the arena's list may still change; const for everybody after. */
static void link_targeting(const cairn__experiment_entry *entry) {
    cairn__experiment_entry *own = (cairn__experiment_entry *)(uintptr_t)entry;
    own->experiment.targeting = entry->condition.rule.program == NULL ? NULL : &own->condition.rule;
}

static bool experiments_good(reader *r) {
    const cairn__definitions *d = &r->bundle->definitions;
    for (size_t i = 0; i < d->experiment_count; i++) {
        if (!experiment_good(r, i)) {
            return false;
        }
        link_targeting(&d->experiments[i]);
    }
    return true;
}

static bool privacy_good(reader *r) {
    const cairn__bundle *b = r->bundle;
    for (size_t i = 0; i < b->privacy_count; i++) {
        if (b->privacy[i].property.len == 0) {
            return fail(r, "privacy", i, "property", missing);
        }
    }
    return true;
}

bool cairn__bundle_check(cairn__bundle_reader *r) {
    return frame_good(r) && orders_hold(r) && facts_good(r) && audiences_good(r) &&
           cap_groups_good(r) && popups_good(r) && lists_good(r) && slots_good(r) &&
           experiments_good(r) && privacy_good(r) && index_all(r);
}

/* --- finding by name ---------------------------------------------------------------------------*/

/* By the index, or by the list itself where it is in order (index NULL). */
static int find(named list, const uint16_t *index, cairn_span name) {
    size_t low = 0;
    size_t high = list.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        size_t place = index == NULL ? middle : index[middle];
        int order = cairn__span_compare(name_of(&list, place), name);
        if (order == 0) {
            return (int)place;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return -1;
}

int cairn__bundle_popup(const cairn__bundle *b, cairn_span name) {
    return find(NAMED("", b->definitions.popups, b->definitions.popup_count), b->popups_by_name,
                name);
}

int cairn__bundle_audience(const cairn__bundle *b, cairn_span name) {
    return find(NAMED("", b->definitions.audiences, b->definitions.audience_count),
                b->audiences_by_name, name);
}

int cairn__bundle_experiment(const cairn__bundle *b, cairn_span name) {
    return find(NAMED("", b->definitions.experiments, b->definitions.experiment_count),
                b->experiments_by_name, name);
}

int cairn__bundle_item(const cairn__bundle *b, cairn_span id) {
    return find(NAMED("", b->definitions.items, b->definitions.item_count), b->items_by_id, id);
}

int cairn__bundle_slot(const cairn__bundle *b, cairn_span name) {
    return find(NAMED("", b->definitions.slots, b->definitions.slot_count), NULL, name);
}
