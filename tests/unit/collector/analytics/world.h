/* world.h: a small world of events to ask questions about: rows, profiles, zones, a clock and a
 * memory budget that tests can turn. */
#ifndef CAIRN_TESTS_ANALYTICS_WORLD_H
#define CAIRN_TESTS_ANALYTICS_WORLD_H

#include <jansson.h>

#include "analytics/analytics.h"

enum { WORLD_PROPERTIES_MAX = 6 };

typedef struct world_event {
    uint32_t node;
    int64_t time_ms;
    uint64_t order;
    const char *name;
    cairn_property properties[WORLD_PROPERTIES_MAX];
    size_t property_count;
} world_event;

typedef struct world {
    world_event *events;
    size_t count, capacity;
    uint32_t *person_of; /* node -> person; NULL: every node its own person */
    size_t node_count;
    world_event *profiles; /* node is the person */
    size_t profile_count;
    cairn__arena arena; /* of texts and zones */
    cairn_span zone_names[8];
    const cairn__zone *zones[8];
    size_t zone_count;
    int64_t now_ms;
    size_t bytes_max;
    cairn_allocator allocator;
    long stops_until; /* `stop` says yes after so many questions; -1: never */
    cairn__analyze_problem problem;
    cairn_status status;
} world;

void world_open(world *w);
void world_close(world *w);

/** Adds an event in arrival order; the text is kept. */
world_event *world_add(world *w, uint32_t node, int64_t time_ms, const char *name);
void world_text(world *w, world_event *event, const char *name, const char *value);
void world_number(world_event *event, const char *name, double value);
void world_integer(world_event *event, const char *name, int64_t value);
/** A person's property. */
world_event *world_person(world *w, uint32_t person);

/** "A0 B10 C20": events of one person, `unit_ms` per number. */
void world_history(world *w, uint32_t person, int64_t start_ms, int64_t unit_ms, const char *text);

/** Asks over a snapshot (fake_reader.c or real_trail.c, whichever is linked); ' stands for ".
 * The answer, or NULL (w->status, w->problem). */
json_t *world_ask(world *w, const char *query);
/** The same with formatting. */
json_t *world_askf(world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Fails the test unless the member of the answer is this JSON ('); frees nothing. */
void world_expect(const json_t *answer, const char *path, const char *json);
/** Asks and expects rows; fails with the problem when there is no answer. */
void world_rows(world *w, const char *query, const char *rows);
/** Asks and expects this problem; `fix_part` must occur in the fix. */
void world_problem(world *w, const char *query, const char *code, const char *field,
                   const char *fix_part);

/** Of the trail that is linked: makes a snapshot of the world's rows. */
cairn__trail_snapshot *world_snapshot_take(const world *w);
void world_snapshot_release(cairn__trail_snapshot *snapshot);

#endif
