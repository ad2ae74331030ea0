#include "world.h"

#include <stdio.h>

#include "support/cmocka_all.h"

static cairn_value get(void *context, uint16_t number) {
    world *w = context;
    assert_true(number < w->definitions.fact_count);
    assert_true(w->slots[number].space != CAIRN__RULE_EVENT);
    assert_true(w->slots[number].space != CAIRN__RULE_ITEM);
    w->asked[number] += 1;
    return w->values[number];
}

static size_t recent(void *context, cairn_span event, cairn_span property, cairn_span *texts_out,
                     size_t count_max) {
    const world *w = context;
    (void)event;
    (void)property;
    size_t count = w->recent_count < count_max ? w->recent_count : count_max;
    if (count > 0) {
        memcpy(texts_out, w->recent, count * sizeof *texts_out);
    }
    return count;
}

void world_open(world *w) {
    static const cairn__cap_group global;
    *w = (world){ .arena = cairn__arena_make(cairn__heap(), 64 << 20) };
    w->definitions.facts = w->slots;
    w->definitions.version = 7;
    w->definitions.cap_groups = &global;
    w->definitions.cap_group_count = 1;
    w->facts = (cairn__facts){ get, recent, w };
    w->memory = cairn__memory_make(cairn__heap());
    w->answer = cairn__buffer_make(cairn__heap(), 16 << 20);
    w->input = (cairn__decide_input){
        .unit = CAIRN_STR("u1"), .session = 1, .facts = &w->facts, .memory = &w->memory
    };
}

void world_close(world *w) {
    cairn__memory_free(&w->memory);
    cairn__buffer_free(&w->answer);
    cairn__arena_free(&w->arena);
}

uint16_t world_fact(world *w, cairn__rule_space space, cairn_span name) {
    size_t i = 0;
    for (; i < w->definitions.fact_count; i++) {
        if (w->slots[i].space == space && cairn__span_equal(w->slots[i].name, name)) {
            return (uint16_t)i;
        }
    }
    assert_true(i < WORLD_FACTS_MAX);
    w->slots[i].space = space;
    assert_true(cairn__arena_copy(&w->arena, name, &w->slots[i].name));
    w->definitions.fact_count += 1;
    return (uint16_t)i;
}

cairn__condition world_condition(world *w, const char *text) {
    cairn__rule_fault fault;
    const cairn__rule_source source = { cairn__span_of(text),
                                        CAIRN__RULE_EVENT | CAIRN__RULE_USER | CAIRN__RULE_TAG |
                                            CAIRN__RULE_ITEM | CAIRN__RULE_DEVICE |
                                            CAIRN__RULE_SESSION | CAIRN__RULE_QUERY,
                                        CAIRN__RULE_EVENT, &w->arena, &fault };
    cairn__condition condition = { .facts = NULL };
    cairn_status status = cairn__rule_compile(&source, &condition.rule);
    if (status != CAIRN_OK) {
        print_error("%s: %s\n", text, fault.text);
    }
    assert_int_equal(status, CAIRN_OK);
    uint16_t *facts = cairn__arena_alloc_zero(&w->arena, condition.rule.slot_count + 1, 2);
    assert_non_null(facts);
    for (size_t i = 0; i < condition.rule.slot_count; i++) {
        facts[i] = world_fact(w, condition.rule.slots[i].space, condition.rule.slots[i].name);
    }
    condition.facts = facts;
    return condition;
}

void world_set(world *w, cairn__rule_space space, const char *name, cairn_value value) {
    w->values[world_fact(w, space, cairn__span_of(name))] = value;
}

/* The fact whose bytes name this audience: that of the rule member("name"). */
static uint16_t member_fact(world *w, cairn_span name) {
    char text[200];
    (void)snprintf(text, sizeof text, "member(\"%.*s\")", (int)name.len, (const char *)name.data);
    return world_condition(w, text).facts[0];
}

void world_audiences(world *w, const cairn__audience *audiences, size_t count) {
    uint16_t *facts = cairn__arena_alloc_zero(&w->arena, count, sizeof *facts);
    assert_non_null(facts);
    for (size_t i = 0; i < count; i++) {
        facts[i] = member_fact(w, audiences[i].name);
    }
    w->definitions.audiences = audiences;
    w->definitions.audience_count = count;
    w->definitions.audience_facts = facts;
}

void world_ready(world *w) {
    assert_int_equal(cairn__decider_make(&w->definitions, &w->arena, &w->decider), CAIRN_OK);
}

static void put(cairn__event *event, cairn_property *properties, const char *name,
                cairn_value value) {
    properties[event->property_count] = (cairn_property){ cairn__span_of(name), value };
    event->property_count += 1;
    event->properties = properties;
}

void world_note_popup(world *w, const char *event, const char *popup, int64_t time_ms) {
    cairn_property properties[CAIRN__POPUP_PROPERTIES_MAX];
    cairn_span groups[CAIRN__POPUP_GROUPS_MAX];
    int number = cairn__popup_named(w->decider, cairn__span_of(popup));
    cairn__event noted = { .name = cairn__span_of(event),
                           .time_ms = time_ms,
                           .session = w->input.session };
    if (number >= 0) {
        noted.properties = properties;
        noted.property_count = cairn__popup_properties(
            &w->definitions, (cairn__popup_choice){ (uint16_t)number, 0 }, groups, properties);
    } else {
        put(&noted, properties, "popup", world_text(popup));
    }
    assert_int_equal(cairn__memory_note(&w->memory, &noted), CAIRN_OK);
}

void world_note_item(world *w, const char *event, const char *item, int64_t time_ms,
                     int64_t position) {
    cairn_property properties[3];
    cairn__event noted = { .name = cairn__span_of(event),
                           .time_ms = time_ms,
                           .session = w->input.session };
    put(&noted, properties, "slot", world_text("home"));
    put(&noted, properties, "item", world_text(item));
    put(&noted, properties, "position", world_integer(position));
    assert_int_equal(cairn__memory_note(&w->memory, &noted), CAIRN_OK);
}

void world_note_exposure(world *w, const char *experiment, const char *variant, int64_t version,
                         const char *unit) {
    cairn_property properties[4];
    cairn__event noted = { .name = CAIRN__EVENT_EXPOSURE, .session = w->input.session };
    put(&noted, properties, "experiment", world_text(experiment));
    put(&noted, properties, "variant", world_text(variant));
    put(&noted, properties, "sticky_version", world_integer(version));
    put(&noted, properties, "unit", world_integer(cairn__assign_fnv(cairn__span_of(unit))));
    assert_int_equal(cairn__memory_note(&w->memory, &noted), CAIRN_OK);
}

bool world_has(const world *w, const char *text) {
    size_t length = strlen(text);
    for (size_t i = 0; i + length <= w->answer.len; i++) {
        if (memcmp(w->answer.data + i, text, length) == 0) {
            return true;
        }
    }
    return false;
}

bool world_says(const world *w, const char *name, const char *reason) {
    char text[256];
    (void)snprintf(text, sizeof text, "\"%s\",\"reason\":\"%s\"", name, reason);
    if (!world_has(w, text)) {
        print_error("not in the answer: %s\n%.*s\n", text, (int)w->answer.len,
                    (const char *)w->answer.data);
        return false;
    }
    return true;
}

const cairn__zone *world_zone(world *w, const char *name) {
    static uint8_t bytes[1 << 16];
    char path[256];
    (void)snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    const cairn__zone *zone = NULL;
    assert_int_equal(cairn__zone_parse(cairn__span(bytes, len), &w->arena, &zone), CAIRN_OK);
    return zone;
}
