/* Goal: conditions over profiles mean what they do in Apache Unomi. Method: its cases
 * (data/unomi-conditions beside the repository; skipped without them) through an adapter;
 * unomi_left_out.txt says which are not right here, and why. */
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "rules/history.h"
#include "unomi.h"

enum { EVENTS_MAX = 32, PROPERTIES_MAX = 8, NAME_BYTES = 128 };

/* --- a profile as facts ---------------------------------------------------------------------- */

/* The objects of all lists, as events named by their list. */
typedef struct objects {
    cairn__event events[EVENTS_MAX];
    cairn_property properties[EVENTS_MAX][PROPERTIES_MAX];
    char names[EVENTS_MAX][NAME_BYTES];
    size_t count, at;
} objects;

static const cairn__event *next_object(void *context) {
    objects *o = context;
    return o->at < o->count ? &o->events[o->at++] : NULL;
}

static const char *add_object(objects *o, const char *list, json_t *object, cairn__arena *arena) {
    const char *name = NULL;
    json_t *value = NULL;
    if (o->count == EVENTS_MAX || json_object_size(object) > PROPERTIES_MAX) {
        return "more objects than the adapter has room for";
    }
    cairn_property *properties = o->properties[o->count];
    cairn__event *event = &o->events[o->count];
    (void)snprintf(o->names[o->count], NAME_BYTES, "properties.%s", list);
    *event =
        (cairn__event){ .name = cairn__span_of(o->names[o->count++]), .properties = properties };
    const char *why = NULL;
    json_object_foreach(object, name, value) {
        cairn_property *to = &properties[event->property_count++];
        to->name = cairn__span_of(name);
        why = why != NULL ? why : conform_value(value, arena, &to->value);
    }
    return why;
}

static const char *read_objects(objects *o, json_t *profile, cairn__arena *arena) {
    const char *list = NULL;
    json_t *value = NULL;
    const char *why = NULL;
    json_object_foreach(json_object_get(profile, "properties"), list, value) {
        size_t i = 0;
        json_t *object = NULL;
        json_array_foreach(value, i, object) {
            why = why != NULL ? why : add_object(o, list, object, arena);
        }
    }
    return why;
}

static const char *ask_history(json_t *profile, cairn_span bytes, cairn__arena *arena,
                               cairn_value *value_out) {
    objects o = { .count = 0 };
    const cairn__query *query = NULL;
    int64_t until_ms = 0;
    const char *why = read_objects(&o, profile, arena);
    if (why != NULL || cairn__query_load(bytes, arena, &query) != CAIRN_OK) {
        return why != NULL ? why : "a query that cannot be read";
    }
    const cairn__history history = { next_object, &o, INT64_MIN };
    *value_out = cairn__query_evaluate(query, &(cairn__query_moment){ .now_ms = 1 }, &history,
                                       arena, &until_ms);
    return NULL;
}

const char *unomi_fact(void *profile, const cairn__rule_slot *slot, cairn__arena *arena,
                       cairn_value *value_out) {
    if (slot->space == CAIRN__RULE_QUERY) {
        return ask_history(profile, slot->name, arena, value_out);
    }
    if (cairn__span_equal(slot->name, CAIRN_STR("segments"))) {
        return conform_value(json_object_get(profile, "segments"), arena, value_out);
    }
    json_t *properties = json_object_get(profile, "properties");
    const size_t prefix = sizeof "time:" - 1;
    bool time = slot->name.len > prefix && memcmp(slot->name.data, "time:", prefix) == 0;
    if (!time) {
        return conform_value(conform_member(properties, slot->name), arena, value_out);
    }
    int64_t ms = 0;
    cairn_span name = { slot->name.data + prefix, slot->name.len - prefix };
    const char *text = json_string_value(conform_member(properties, name));
    *value_out = (cairn_value){ .kind = CAIRN_VALUE_NULL };
    if (text != NULL && cairn__parse_instant(cairn__span_of(text), &ms)) {
        *value_out = (cairn_value){ .kind = CAIRN_VALUE_TIME, .as.time_ms = ms };
    }
    return NULL;
}

/* --- cases ----------------------------------------------------------------------------------- */

static void run(conform_suite *suite, json_t *file) {
    size_t i = 0;
    json_t *test = NULL;
    json_array_foreach(json_object_get(file, "cases"), i, test) {
        char id[CONFORM_ID_BYTES];
        conform_text text = { .len = 0 };
        json_t *profile = json_object_get(json_object_get(file, "profiles"),
                                          json_string_value(json_object_get(test, "profile")));
        (void)snprintf(id, sizeof id, "%zu %s", i,
                       json_string_value(json_object_get(test, "test")));
        unomi_condition(&text, json_object_get(test, "condition"));
        conform_case(
            suite, id,
            conform_ask(&text, unomi_fact, profile, json_is_true(json_object_get(test, "expect"))));
    }
}

int main(void) {
    return conform_main("unomi", "unomi-conditions/cases.json", run);
}
