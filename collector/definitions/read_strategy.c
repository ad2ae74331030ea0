/* read_strategy.c: how a slot is filled. */
#include "base/bytes.h"
#include "definitions/reading_slot.h"

enum {
    RECALL_MAX = 1000,
    RECALL_DEFAULT = 100,
    NO_REPEAT_MAX = 1000,
    WEIGHT_MAX = 1000000,
    HALF_LIFE_DAYS_MAX = 3650,
    RULE_BYTES_MAX = 256
};

static const char *const strategy_keys[] = {
    "name", "audience", "recall", "filter",      "bought",       "item_caps", "fallback",
    "min",  "rank",     "script", "exploration", "category_max", "no_repeat",
};

/* --- recall ----------------------------------------------------------------------------------- */

/* {"event": "view_product", "property": "sku"} */
static bool read_event_property(cairn__reader *reader, cairn__place place, cairn_span *event,
                                cairn_span *property) {
    static const char *const keys[] = { "event", "property" };
    cairn__place event_place = cairn__place_key(place, "event");
    cairn__place property_place = cairn__place_key(place, "property");
    return cairn__read_object(reader, place, CAIRN__WORDS(keys)) &&
           cairn__read_needed(reader, event_place, "the name of an event") &&
           cairn__read_text(reader, event_place, CAIRN__DEFINITION_NAME_BYTES_MAX, event) &&
           cairn__read_needed(reader, property_place,
                              "the event's property that is an item's id") &&
           cairn__read_text(reader, property_place, CAIRN__DEFINITION_NAME_BYTES_MAX, property);
}

static bool read_source(cairn__slot_reading *slot, cairn__place place, cairn__recall *recall) {
    static const char *const names[] = { "list", "recent", "related" };
    static const cairn__recall_kind kinds[] = { CAIRN__RECALL_LIST, CAIRN__RECALL_RECENT,
                                                CAIRN__RECALL_RELATED };
    size_t found = 0;
    size_t which = 0;
    for (size_t i = 0; i < 3; i++) {
        bool given = cairn__place_key(place, names[i]).json != NULL;
        found += given ? 1 : 0;
        which = given ? i : which;
    }
    if (found != 1) {
        CAIRN__WRONG(slot->reader, "bad_recall", place.at, "%.100s has %zu sources", place.at.text,
                     found);
        return CAIRN__FIX(slot->reader, "write one of list, recent, related");
    }
    recall->kind = kinds[which];
    recall->list = CAIRN__NO_LIST;
    cairn__place one = cairn__place_key(place, names[which]);
    return which == 0 ? cairn__read_list_name(slot, one, &recall->list)
                      : read_event_property(slot->reader, one, &recall->event, &recall->property);
}

static bool read_recall(cairn__slot_reading *slot, cairn__place place, cairn__recall *recall) {
    static const char *const keys[] = { "list", "where", "recent", "related", "max" };
    const cairn__rule_place what = { CAIRN__RULE_OF_PERSON | CAIRN__RULE_ITEM, CAIRN__RULE_ITEM };
    cairn__place where = cairn__place_key(place, "where");
    int64_t max = RECALL_DEFAULT;
    if (!cairn__read_object(slot->reader, place, CAIRN__WORDS(keys)) ||
        !read_source(slot, place, recall) ||
        !cairn__read_integer(slot->reader, cairn__place_key(place, "max"),
                             (cairn__bounds){ 1, RECALL_MAX }, &max)) {
        return false;
    }
    recall->count_max = (uint32_t)max;
    if (where.json == NULL) {
        return true;
    }
    if (recall->kind != CAIRN__RECALL_LIST) {
        CAIRN__WRONG(slot->reader, "bad_recall", where.at, "only items of a list have a where");
        return CAIRN__FIX(slot->reader, "use the strategy's filter instead");
    }
    recall->kind = CAIRN__RECALL_RULE;
    return cairn__read_rule(slot->reader, where, what, &recall->where);
}

static bool read_recalls(cairn__slot_reading *slot, cairn__place list,
                         cairn__strategy_parts *parts) {
    size_t count = 0;
    if (!cairn__read_needed(slot->reader, list, "recall, for example [{\"list\": \"new\"}]") ||
        !cairn__read_list(slot->reader, list, CAIRN__RECALLS_MAX, &count)) {
        return false;
    }
    parts->recalls = cairn__reader_make(slot->reader, count, sizeof(cairn__recall));
    parts->strategy.recall_count = count;
    bool good = parts->recalls != NULL;
    for (size_t i = 0; good && i < count; i++) {
        good = read_recall(slot, cairn__place_item(list, i), &parts->recalls[i]);
    }
    return good;
}

/* --- rank ------------------------------------------------------------------------------------- */

/* "tag.brand" or "user.city": the one slot of a rule that asks for it. */
static bool read_fact(cairn__reader *reader, cairn__place place, cairn__condition *fact) {
    cairn_span name = { NULL, 0 };
    char rule[RULE_BYTES_MAX];
    const cairn__rule_place person = { CAIRN__RULE_USER | CAIRN__RULE_TAG, 0 };
    if (!cairn__read_text(reader, place, CAIRN__DEFINITION_NAME_BYTES_MAX, &name)) {
        return false;
    }
    static const char end[] = " is set";
    memcpy(rule, name.data, name.len);
    memcpy(rule + name.len, end, sizeof end);
    json_t *text = json_string(rule);
    const cairn__place asked = { text, place.at };
    bool good = cairn__read_rule(reader, asked, person, fact);
    json_decref(text);
    if (!good && !reader->no_memory) {
        CAIRN__WRONG(reader, "bad_tag", place.at, "`%.*s` is not a tag or a property of a person",
                     (int)name.len, (const char *)name.data);
        reader->problem->rule_line = 0;
        return CAIRN__FIX(reader, "write for example \"tag.favourite_brand\" or \"user.city\"");
    }
    if (good && fact->rule.slot_count != 1) {
        CAIRN__WRONG(reader, "bad_tag", place.at, "`%.*s` is not one tag or property",
                     (int)name.len, (const char *)name.data);
        return CAIRN__FIX(reader, "write for example \"tag.favourite_brand\" or \"user.city\"");
    }
    return good;
}

static bool read_term(cairn__reader *reader, cairn__place place, cairn__rank *rank,
                      cairn__condition *fact) {
    cairn__place property = cairn__place_key(place, "property");
    cairn__place tag = cairn__place_key(place, "tag");
    cairn__place half_life = cairn__place_key(place, "half_life");
    cairn__place place_in = cairn__place_key(place, "by_recall");
    const cairn__bounds lives = { 1000, HALF_LIFE_DAYS_MAX * (int64_t)86400000 };
    bool by_recall = false;
    if (!cairn__read_flag(reader, place_in, &by_recall) ||
        !cairn__read_text(reader, property, CAIRN__DEFINITION_NAME_BYTES_MAX, &rank->property)) {
        return false;
    }
    if (by_recall == (property.json != NULL) || (tag.json != NULL && half_life.json != NULL) ||
        (by_recall && (tag.json != NULL || half_life.json != NULL))) {
        CAIRN__WRONG(reader, "bad_rank", place.at, "%.100s is not one term", place.at.text);
        return CAIRN__FIX(reader, "write property (an item's number), property and tag (are they "
                                  "equal?), property and half_life (how new?), or by_recall");
    }
    if (by_recall) {
        rank->kind = CAIRN__RANK_RECALL;
        return true;
    }
    if (tag.json != NULL) {
        rank->kind = CAIRN__RANK_TAG;
        return read_fact(reader, tag, fact);
    }
    rank->kind = half_life.json != NULL ? CAIRN__RANK_RECENCY : CAIRN__RANK_PROPERTY;
    return cairn__read_duration(reader, half_life, lives, &rank->half_life_ms);
}

static bool read_ranks(cairn__slot_reading *slot, cairn__place list, cairn__strategy_parts *parts) {
    static const char *const keys[] = { "property", "tag", "half_life", "by_recall", "weight" };
    size_t count = 0;
    cairn__reader *reader = slot->reader;
    if (!cairn__read_list(reader, list, CAIRN__BUNDLE_RANKS_MAX, &count)) {
        return false;
    }
    parts->ranks = cairn__reader_make(reader, count, sizeof(cairn__rank));
    parts->rank_facts = cairn__reader_make(reader, count, sizeof(cairn__condition));
    parts->strategy.rank_count = count;
    bool good = parts->ranks != NULL && parts->rank_facts != NULL;
    for (size_t i = 0; good && i < count; i++) {
        cairn__place place = cairn__place_item(list, i);
        parts->ranks[i].weight = 1;
        good = cairn__read_object(reader, place, CAIRN__WORDS(keys)) &&
               cairn__read_number(reader, cairn__place_key(place, "weight"),
                                  (cairn__bounds){ -WEIGHT_MAX, WEIGHT_MAX },
                                  &parts->ranks[i].weight) &&
               read_term(reader, place, &parts->ranks[i], &parts->rank_facts[i]);
    }
    return good;
}

/* --- the whole -------------------------------------------------------------------------------- */

static bool read_bought(cairn__reader *reader, cairn__place place, cairn__strategy *to) {
    return place.json == NULL ||
           read_event_property(reader, place, &to->bought_event, &to->bought_property);
}

static bool read_limits(cairn__slot_reading *slot, cairn__place place, cairn__strategy *to) {
    cairn__reader *reader = slot->reader;
    int64_t min = 1;
    int64_t category_max = 0;
    int64_t no_repeat = 0;
    bool good = cairn__read_integer(reader, cairn__place_key(place, "min"),
                                    (cairn__bounds){ 1, CAIRN__SLOT_SIZE_MAX }, &min) &&
                cairn__read_integer(reader, cairn__place_key(place, "category_max"),
                                    (cairn__bounds){ 0, CAIRN__SLOT_SIZE_MAX }, &category_max) &&
                cairn__read_integer(reader, cairn__place_key(place, "no_repeat"),
                                    (cairn__bounds){ 0, NO_REPEAT_MAX }, &no_repeat) &&
                cairn__read_number(reader, cairn__place_key(place, "exploration"),
                                   (cairn__bounds){ 0, 1 }, &to->exploration);
    to->min = (uint32_t)min;
    to->category_max = (uint32_t)category_max;
    to->no_repeat = (uint32_t)no_repeat;
    return good;
}

static bool read_script(cairn__reader *reader, cairn__place place, cairn__strategy *to) {
    if (place.json == NULL) {
        return true;
    }
    if (!cairn__read_name(reader, place, &to->script)) {
        return false;
    }
    const cairn__reference reference = {
        CAIRN__REFERENCE_SCRIPT, to->script, { NULL, 0 }, place.at
    };
    return cairn__reader_refer(reader, &reference);
}

static bool read_strategy(cairn__slot_reading *slot, cairn__place place,
                          cairn__strategy_parts *parts) {
    cairn__reader *reader = slot->reader;
    cairn__strategy *to = &parts->strategy;
    const cairn__rule_place who = { CAIRN__RULE_OF_PERSON, 0 };
    const cairn__rule_place what = { CAIRN__RULE_OF_PERSON | CAIRN__RULE_ITEM, 0 };
    cairn__place name = cairn__place_key(place, "name");
    to->fallback = CAIRN__NO_LIST;
    return cairn__read_object(reader, place, CAIRN__WORDS(strategy_keys)) &&
           cairn__read_needed(reader, name, "a name for this strategy") &&
           cairn__read_name(reader, name, &to->name) &&
           cairn__read_rule(reader, cairn__place_key(place, "audience"), who, &to->audience) &&
           read_recalls(slot, cairn__place_key(place, "recall"), parts) &&
           cairn__read_rule(reader, cairn__place_key(place, "filter"), what, &to->filter) &&
           read_bought(reader, cairn__place_key(place, "bought"), to) &&
           cairn__read_caps(reader, cairn__place_key(place, "item_caps"), &to->item_caps,
                            &to->item_cap_count) &&
           cairn__read_list_name(slot, cairn__place_key(place, "fallback"), &to->fallback) &&
           read_ranks(slot, cairn__place_key(place, "rank"), parts) &&
           read_script(reader, cairn__place_key(place, "script"), to) &&
           read_limits(slot, place, to);
}

bool cairn__read_strategies(cairn__slot_reading *slot, cairn__place list) {
    size_t count = 0;
    cairn__slot_parts *parts = slot->parts;
    if (!cairn__read_list(slot->reader, list, CAIRN__STRATEGIES_MAX, &count)) {
        return false;
    }
    parts->strategies = cairn__reader_make(slot->reader, count, sizeof(cairn__strategy_parts));
    parts->slot.strategy_count = count;
    bool good = parts->strategies != NULL;
    for (size_t i = 0; good && i < count; i++) {
        good = read_strategy(slot, cairn__place_item(list, i), &parts->strategies[i]);
    }
    return good;
}
