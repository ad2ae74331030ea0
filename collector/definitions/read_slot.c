/* read_slot.c: a slot's items and lists. Its strategies: read_strategy.c. */
#include "base/bytes.h"
#include "definitions/reading_slot.h"

static const char *const slot_keys[] = {
    "title", "paused", "size", "items", "lists", "related", "strategies", "default",
};

/* --- items ------------------------------------------------------------------------------------ */

static bool read_text_list(cairn__reader *reader, cairn__place place, cairn_value *value) {
    const cairn_span *texts = NULL;
    size_t count = 0;
    const cairn__bounds counts = { 0, CAIRN__LIST_ITEMS_MAX };
    if (!cairn__read_texts(reader, place, counts, &texts, &count)) {
        return false;
    }
    value->kind = CAIRN_VALUE_LIST;
    value->as.list.items = texts;
    value->as.list.count = count;
    return true;
}

static bool read_time_value(cairn__reader *reader, cairn__place place, cairn_value *value) {
    static const char *const keys[] = { "time" };
    cairn__place time = cairn__place_key(place, "time");
    value->kind = CAIRN_VALUE_TIME;
    return cairn__read_object(reader, place, CAIRN__WORDS(keys)) &&
           cairn__read_needed(reader, time, "{\"time\": \"2026-12-01T00:00:00Z\"}") &&
           cairn__read_time(reader, time, &value->as.time_ms);
}

static bool read_value(cairn__reader *reader, cairn__place place, cairn_value *value) {
    switch (json_typeof(place.json)) {
    case JSON_STRING:
        value->kind = CAIRN_VALUE_STRING;
        return cairn__read_text(reader, place, CAIRN__TEXT_BYTES_MAX, &value->as.string);
    case JSON_INTEGER:
        value->kind = CAIRN_VALUE_INTEGER;
        value->as.integer = json_integer_value(place.json);
        return true;
    case JSON_REAL:
        value->kind = CAIRN_VALUE_NUMBER;
        value->as.number = json_real_value(place.json);
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        value->kind = CAIRN_VALUE_BOOLEAN;
        value->as.boolean = json_is_true(place.json);
        return true;
    case JSON_ARRAY:
        return read_text_list(reader, place, value);
    case JSON_OBJECT:
        return read_time_value(reader, place, value);
    case JSON_NULL:
    default:
        CAIRN__WRONG(reader, "wrong_type", place.at, "%.100s is null", place.at.text);
        return CAIRN__FIX(reader, "leave the property out");
    }
}

static bool read_properties(cairn__reader *reader, cairn__place place, cairn__item *item) {
    const cairn_span *names = NULL;
    size_t count = 0;
    if (!cairn__read_keys(reader, place, CAIRN__ITEM_PROPERTIES_MAX, &names, &count)) {
        return false;
    }
    cairn_property *properties = cairn__reader_make(reader, count, sizeof *properties);
    bool good = properties != NULL;
    for (size_t i = 0; good && i < count; i++) {
        cairn__place one = cairn__place_key(place, (const char *)names[i].data);
        properties[i].name = names[i];
        if (names[i].len == 0 || names[i].len > CAIRN__NAME_BYTES_MAX) {
            CAIRN__WRONG(reader, "bad_text", one.at, "a property's name has %zu bytes",
                         names[i].len);
            return CAIRN__FIX(reader, "write a name of 1 to %d bytes", CAIRN__NAME_BYTES_MAX);
        }
        good = read_value(reader, one, &properties[i].value);
    }
    item->properties = properties;
    item->property_count = count;
    return good;
}

static bool read_item(cairn__reader *reader, cairn__place place, cairn__item *item) {
    static const char *const keys[] = { "id", "properties", "audience", "from", "to", "content" };
    const cairn__rule_place who = { CAIRN__RULE_OF_PERSON | CAIRN__RULE_ITEM, 0 };
    cairn__place id = cairn__place_key(place, "id");
    item->content = CAIRN_STR("null");
    return cairn__read_object(reader, place, CAIRN__WORDS(keys)) &&
           cairn__read_needed(reader, id, "an id for this item") &&
           cairn__read_text(reader, id, CAIRN__DEFINITION_NAME_BYTES_MAX, &item->id) &&
           read_properties(reader, cairn__place_key(place, "properties"), item) &&
           cairn__read_rule(reader, cairn__place_key(place, "audience"), who, &item->audience) &&
           cairn__read_live(reader, place, &item->from_ms, &item->to_ms) &&
           cairn__read_content(reader, cairn__place_key(place, "content"), &item->content);
}

/* Numbers of items by their ids: open addressing. */
static size_t bucket_of(const cairn__slot_reading *slot, cairn_span id) {
    size_t mask = slot->bucket_count - 1;
    size_t at = cairn__assign_fnv(id) & mask;
    while (slot->buckets[at] != 0 &&
           !cairn__span_equal(slot->parts->items[slot->buckets[at] - 1].id, id)) {
        at = (at + 1) & mask;
    }
    return at;
}

static bool add_item(cairn__slot_reading *slot, cairn__place place, size_t index) {
    size_t at = bucket_of(slot, slot->parts->items[index].id);
    if (slot->buckets[at] != 0) {
        cairn_span id = slot->parts->items[index].id;
        CAIRN__WRONG(slot->reader, "repeated", cairn__fault_key(place.at, "id"),
                     "two items have the id `%.*s`", (int)id.len, (const char *)id.data);
        return CAIRN__FIX(slot->reader, "give each item an id of its own");
    }
    slot->buckets[at] = (uint16_t)(index + 1);
    return true;
}

static bool read_items(cairn__slot_reading *slot, cairn__place list) {
    size_t count = 0;
    if (!cairn__read_list(slot->reader, list, CAIRN__ITEMS_MAX, &count)) {
        return false;
    }
    slot->bucket_count = 16;
    while (slot->bucket_count < 2 * count) {
        slot->bucket_count *= 2;
    }
    slot->parts->items = cairn__reader_make(slot->reader, count, sizeof(cairn__item));
    slot->parts->item_texts = cairn__reader_make(slot->reader, count, sizeof(cairn_span));
    slot->buckets = cairn__reader_make(slot->reader, slot->bucket_count, sizeof(uint16_t));
    bool good =
        slot->parts->items != NULL && slot->parts->item_texts != NULL && slot->buckets != NULL;
    for (size_t i = 0; good && i < count; i++) {
        cairn__place place = cairn__place_item(list, i);
        good = read_item(slot->reader, place, &slot->parts->items[i]) &&
               cairn__read_content(slot->reader, place, &slot->parts->item_texts[i]) &&
               add_item(slot, place, i);
    }
    slot->parts->item_count = count;
    return good;
}

static bool find_item(cairn__slot_reading *slot, cairn__place place, uint16_t *number_out) {
    cairn_span id = { NULL, 0 };
    if (!cairn__read_text(slot->reader, place, CAIRN__DEFINITION_NAME_BYTES_MAX, &id)) {
        return false;
    }
    uint16_t found = slot->buckets[bucket_of(slot, id)];
    if (found == 0) {
        CAIRN__WRONG(slot->reader, "unknown_item", place.at, "there is no item `%.*s` in items",
                     (int)id.len, (const char *)id.data);
        return CAIRN__FIX(slot->reader, "add it to items, or leave it out here");
    }
    *number_out = (uint16_t)(found - 1);
    return true;
}

/* Numbers of a list of ids, none twice. */
static bool read_ids(cairn__slot_reading *slot, cairn__place list, size_t max,
                     cairn__item_list *to) {
    size_t count = 0;
    if (!cairn__read_list(slot->reader, list, max, &count)) {
        return false;
    }
    uint16_t *numbers = cairn__reader_make(slot->reader, count, sizeof *numbers);
    uint8_t *seen = cairn__reader_make(slot->reader, slot->parts->item_count, 1);
    for (size_t i = 0; numbers != NULL && seen != NULL && i < count; i++) {
        cairn__place place = cairn__place_item(list, i);
        if (!find_item(slot, place, &numbers[i])) {
            return false;
        }
        if (seen[numbers[i]] != 0) {
            cairn_span id = slot->parts->items[numbers[i]].id;
            CAIRN__WRONG(slot->reader, "repeated", place.at, "`%.*s` stands here twice",
                         (int)id.len, (const char *)id.data);
            return CAIRN__FIX(slot->reader, "write it once");
        }
        seen[numbers[i]] = 1;
    }
    to->items = numbers;
    to->item_count = count;
    return numbers != NULL && seen != NULL;
}

/* --- lists and what is related ---------------------------------------------------------------- */

/* A bundle's list is called "slot/list". */
static bool fits_beside(cairn__reader *reader, cairn__place place, cairn_span name) {
    size_t bytes = reader->definition->name.len + 1 + name.len;
    if (bytes <= CAIRN__DEFINITION_NAME_BYTES_MAX) {
        return true;
    }
    CAIRN__WRONG(reader, "bad_name", place.at, "the names of slot and list have %zu bytes together",
                 bytes - 1);
    return CAIRN__FIX(reader, "take shorter names: at most %d bytes together",
                      (int)CAIRN__DEFINITION_NAME_BYTES_MAX - 1);
}

static bool read_lists(cairn__slot_reading *slot, cairn__place place) {
    const cairn_span *names = NULL;
    size_t count = 0;
    cairn__slot_parts *parts = slot->parts;
    if (!cairn__read_keys(slot->reader, place, CAIRN__DEFINITION_LISTS_MAX, &names, &count)) {
        return false;
    }
    cairn__item_list *lists = cairn__reader_make(slot->reader, count, sizeof *lists);
    bool good = lists != NULL;
    for (size_t i = 0; good && i < count; i++) {
        cairn__place one = cairn__place_key(place, (const char *)names[i].data);
        lists[i].name = names[i];
        good = cairn__read_key_name(slot->reader, one, names[i]) &&
               fits_beside(slot->reader, one, names[i]) &&
               read_ids(slot, one, CAIRN__ITEMS_MAX, &lists[i]);
    }
    parts->lists = lists;
    parts->list_count = count;
    return good;
}

bool cairn__read_list_name(cairn__slot_reading *slot, cairn__place place, uint16_t *number_out) {
    cairn_span name = { NULL, 0 };
    const char *words[CAIRN__DEFINITION_LISTS_MAX];
    size_t count = slot->parts->list_count;
    if (place.json == NULL) {
        return true;
    }
    if (!cairn__read_text(slot->reader, place, CAIRN__DEFINITION_NAME_BYTES_MAX, &name)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        words[i] = (const char *)slot->parts->lists[i].name.data;
        if (cairn__span_equal(slot->parts->lists[i].name, name)) {
            *number_out = (uint16_t)i;
            return true;
        }
    }
    CAIRN__WRONG(slot->reader, "unknown_list", place.at, "there is no list `%.*s` in lists",
                 (int)name.len, (const char *)name.data);
    if (count == 0) {
        return CAIRN__FIX(slot->reader, "add it to lists");
    }
    return cairn__fault_fix_words(&slot->reader->problem->fault, name, words, count);
}

static bool read_related(cairn__slot_reading *slot, cairn__place place) {
    const cairn_span *ids = NULL;
    size_t count = 0;
    if (!cairn__read_keys(slot->reader, place, CAIRN__BUNDLE_RELATED_MAX, &ids, &count)) {
        return false;
    }
    cairn__related *related = cairn__reader_make(slot->reader, count, sizeof *related);
    bool good = related != NULL;
    for (size_t i = 0; good && i < count; i++) {
        cairn__place one = cairn__place_key(place, (const char *)ids[i].data);
        cairn__item_list list = { .items = NULL };
        uint16_t found = ids[i].len == 0 ? 0 : slot->buckets[bucket_of(slot, ids[i])];
        if (found == 0) {
            CAIRN__WRONG(slot->reader, "unknown_item", one.at, "there is no item `%.*s` in items",
                         ids[i].len > 100 ? 100 : (int)ids[i].len, (const char *)ids[i].data);
            return CAIRN__FIX(slot->reader, "add it to items, or leave it out here");
        }
        good = read_ids(slot, one, CAIRN__BUNDLE_RELATED_ITEMS_MAX, &list);
        related[i] = (cairn__related){ (uint16_t)(found - 1), list.items, list.item_count };
    }
    slot->parts->related = related;
    slot->parts->related_count = count;
    return good;
}

bool cairn__read_slot(cairn__reader *reader, cairn__place place) {
    cairn__slot_reading slot = { reader, &reader->definition->as.slot, NULL, 0 };
    cairn__slot *to = &slot.parts->slot;
    cairn__place fallback = cairn__place_key(place, "default");
    int64_t size = 1;
    to->name = reader->definition->name;
    to->paused = reader->definition->paused;
    bool good = cairn__read_object(reader, place, CAIRN__WORDS(slot_keys)) &&
                cairn__read_integer(reader, cairn__place_key(place, "size"),
                                    (cairn__bounds){ 1, CAIRN__SLOT_SIZE_MAX }, &size) &&
                read_items(&slot, cairn__place_key(place, "items")) &&
                read_lists(&slot, cairn__place_key(place, "lists")) &&
                read_related(&slot, cairn__place_key(place, "related")) &&
                cairn__read_needed(reader, fallback, "default: the list that is always there") &&
                cairn__read_list_name(&slot, fallback, &to->default_list) &&
                cairn__read_strategies(&slot, cairn__place_key(place, "strategies"));
    to->size = (uint32_t)size;
    if (good && slot.parts->lists[to->default_list].item_count == 0) {
        CAIRN__WRONG(reader, "too_few", fallback.at, "the default list has no items");
        return CAIRN__FIX(reader, "name a list with items: an empty slot is a bug");
    }
    return good;
}
