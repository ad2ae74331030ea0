#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "support/cmocka_all.h"

enum { WORLD_BYTES = 64 << 20, ZONE_BYTES_MAX = 1 << 16 };

void world_open(world *w) {
    *w = (world){ .bytes_max = WORLD_BYTES, .stops_until = -1 };
    w->allocator = cairn__heap();
    w->arena = cairn__arena_make(cairn__heap(), WORLD_BYTES);
}

void world_close(world *w) {
    free(w->events);
    free(w->profiles);
    free(w->person_of);
    cairn__arena_free(&w->arena);
}

static const char *keep(world *w, const char *text) {
    size_t len = strlen(text);
    char *copy = cairn__arena_alloc(&w->arena, len + 1);
    assert_non_null(copy);
    memcpy(copy, text, len + 1);
    return copy;
}

world_event *world_add(world *w, uint32_t node, int64_t time_ms, const char *name) {
    if (w->count == w->capacity) {
        w->capacity = w->capacity == 0 ? 64 : w->capacity * 2;
        w->events = realloc(w->events, w->capacity * sizeof *w->events);
        assert_non_null(w->events);
    }
    world_event *event = &w->events[w->count];
    *event = (world_event){ .node = node, .time_ms = time_ms, .order = w->count + 1 };
    event->name = keep(w, name);
    w->count++;
    return event;
}

static cairn_value *add_property(world_event *event, const char *name) {
    assert_true(event->property_count < WORLD_PROPERTIES_MAX);
    cairn_property *property = &event->properties[event->property_count++];
    property->name = cairn__span_of(name);
    return &property->value;
}

void world_text(world *w, world_event *event, const char *name, const char *value) {
    *add_property(event, name) =
        (cairn_value){ .kind = CAIRN_VALUE_STRING, .as.string = cairn__span_of(keep(w, value)) };
}

void world_number(world_event *event, const char *name, double value) {
    *add_property(event, name) = (cairn_value){ .kind = CAIRN_VALUE_NUMBER, .as.number = value };
}

void world_integer(world_event *event, const char *name, int64_t value) {
    *add_property(event, name) = (cairn_value){ .kind = CAIRN_VALUE_INTEGER, .as.integer = value };
}

world_event *world_person(world *w, uint32_t person) {
    size_t count = w->profile_count + 1;
    w->profiles = realloc(w->profiles, count * sizeof *w->profiles);
    assert_non_null(w->profiles);
    w->profile_count = count;
    w->profiles[count - 1] = (world_event){ .node = person };
    return &w->profiles[count - 1];
}

void world_history(world *w, uint32_t person, int64_t start_ms, int64_t unit_ms, const char *text) {
    char name[32];
    while (*text != 0) {
        size_t len = strcspn(text, "0123456789");
        assert_true(len > 0 && len < sizeof name);
        memcpy(name, text, len);
        name[len] = 0;
        char *end;
        long at = strtol(text + len, &end, 10);
        (void)world_add(w, person, start_ms + at * unit_ms, name);
        text = end + strspn(end, " ");
    }
}

/* --- what a question needs --- */

static void read_profile(void *self, uint32_t person, const cairn_span *names, size_t count,
                         cairn_value *values_out) {
    const world *w = self;
    for (size_t i = 0; i < count; i++) {
        values_out[i] = (cairn_value){ .kind = CAIRN_VALUE_NULL };
    }
    for (size_t i = 0; i < w->profile_count; i++) {
        const world_event *profile = &w->profiles[i];
        for (size_t j = 0; profile->node == person && j < profile->property_count * count; j++) {
            const cairn_property *property = &profile->properties[j / count];
            if (cairn__span_equal(property->name, names[j % count])) {
                values_out[j % count] = property->value;
            }
        }
    }
}

static const cairn__zone *load_zone(world *w, cairn_span name) {
    char path[256];
    uint8_t *bytes = cairn__arena_alloc(&w->arena, ZONE_BYTES_MAX);
    const cairn__zone *zone = NULL;
    (void)snprintf(path, sizeof path, "/usr/share/zoneinfo/%.*s", (int)name.len,
                   (const char *)name.data);
    FILE *file = bytes == NULL ? NULL : fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    size_t len = fread(bytes, 1, ZONE_BYTES_MAX, file);
    (void)fclose(file);
    return cairn__zone_parse(cairn__span(bytes, len), &w->arena, &zone) == CAIRN_OK ? zone : NULL;
}

static const cairn__zone *find_zone(void *self, cairn_span name) {
    world *w = self;
    for (size_t i = 0; i < w->zone_count; i++) {
        if (cairn__span_equal(w->zone_names[i], name)) {
            return w->zones[i];
        }
    }
    const cairn__zone *zone = load_zone(w, name);
    if (zone != NULL && w->zone_count < 8) {
        char text[64];
        (void)snprintf(text, sizeof text, "%.*s", (int)name.len, (const char *)name.data);
        w->zone_names[w->zone_count] = cairn__span_of(keep(w, text));
        w->zones[w->zone_count++] = zone;
    }
    return zone;
}

static bool stop(void *self) {
    world *w = self;
    return w->stops_until >= 0 && w->stops_until-- == 0;
}

static int64_t mono_ms(void *self) {
    (void)self;
    return 7;
}

json_t *world_ask(world *w, const char *query) {
    size_t len = strlen(query);
    char *text = malloc(len + 1);
    assert_non_null(text);
    for (size_t i = 0; i <= len; i++) {
        text[i] = query[i] == '\'' ? '"' : query[i];
    }
    cairn__trail_snapshot *snapshot = world_snapshot_take(w);
    const cairn__analyze_source source = {
        .snapshot = snapshot,
        .person_of = w->person_of,
        .node_count = w->node_count,
        .profiles = { read_profile, w },
        .zones = { find_zone, w },
        .project_zone = CAIRN_STR("UTC"),
    };
    const cairn__analyze_options options = { .allocator = w->allocator,
                                             .bytes_max = w->bytes_max,
                                             .now_ms = w->now_ms,
                                             .stop = stop,
                                             .mono_ms = mono_ms,
                                             .self = w };
    cairn__buffer answer = cairn__buffer_make(cairn__heap(), WORLD_BYTES);
    w->status = cairn__analyze(&source, cairn__span(text, len), &options, &answer, &w->problem);
    json_t *parsed = NULL;
    if (w->status == CAIRN_OK) {
        json_error_t error;
        parsed = json_loadb((const char *)answer.data, answer.len, JSON_REJECT_DUPLICATES, &error);
        if (parsed == NULL) {
            print_error("not JSON: %s at %d in %.*s\n", error.text, error.position, (int)answer.len,
                        (const char *)answer.data);
        }
        assert_non_null(parsed);
    } else {
        assert_int_equal(answer.len, 0);
    }
    cairn__buffer_free(&answer);
    world_snapshot_release(snapshot);
    free(text);
    return parsed;
}

json_t *world_askf(world *w, const char *format, ...) {
    char query[8192];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(query, sizeof query, format, arguments);
    va_end(arguments);
    assert_true(length > 0 && (size_t)length < sizeof query);
    return world_ask(w, query);
}

void world_expect(const json_t *answer, const char *path, const char *json) {
    char text[16384];
    size_t len = strlen(json);
    assert_true(len < sizeof text);
    for (size_t i = 0; i <= len; i++) {
        text[i] = json[i] == '\'' ? '"' : json[i];
    }
    json_error_t error;
    json_t *wanted = json_loads(text, JSON_DECODE_ANY, &error);
    if (wanted == NULL) {
        print_error("the test's own JSON: %s at %d\n", error.text, error.position);
    }
    assert_non_null(wanted);
    const json_t *at = answer;
    for (const char *step = path; *step != 0;) {
        char key[64];
        size_t bytes = strcspn(step, ".");
        (void)snprintf(key, sizeof key, "%.*s", (int)bytes, step);
        at = json_object_get(at, key);
        step += bytes + (step[bytes] == '.');
    }
    if (at == NULL || !json_equal(at, wanted)) {
        char *found = at == NULL ? NULL : json_dumps(at, JSON_COMPACT | JSON_ENCODE_ANY);
        print_error("%s is\n  %s\nand should be\n  %s\n", path, found == NULL ? "missing" : found,
                    text);
        free(found);
        fail();
    }
    json_decref(wanted);
}

void world_rows(world *w, const char *query, const char *rows) {
    json_t *answer = world_ask(w, query);
    if (answer == NULL) {
        print_error("%s: %s (%s; %s)\n", w->problem.code, w->problem.detail, w->problem.field,
                    w->problem.fix);
    }
    assert_non_null(answer);
    world_expect(answer, "rows", rows);
    json_decref(answer);
}

void world_problem(world *w, const char *query, const char *code, const char *field,
                   const char *fix_part) {
    json_t *answer = world_ask(w, query);
    assert_null(answer);
    assert_string_equal(w->problem.code, code);
    assert_string_equal(w->problem.field, field);
    if (strstr(w->problem.fix, fix_part) == NULL) {
        print_error("the fix is: %s\n", w->problem.fix);
        fail();
    }
    assert_true(w->problem.detail[0] != 0);
}
