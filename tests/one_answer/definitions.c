/* definitions.c: a world's definitions as operators write them, and the bundle of them: read,
 * linked and signed by the rooms that do it at the edge. A world of rules has one experiment per
 * rule; what it comes to is in the reason. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "bundle/zones.h"
#include "definitions/link.h"
#include "support/signed_bundle.h"
#include "world.h"

enum { DEFINITIONS_MAX = WORLD_RULES + 2 * CAIRN__DEFINITION_KIND_COUNT, TABLE_BYTES_MAX = 65536 };

typedef struct making {
    world *w;
    cairn__definition *all[DEFINITIONS_MAX];
    size_t count;
} making;

static void put(making *m, cairn__definition_kind kind, const char *name, const char *json) {
    cairn__definition_problem problem;
    const cairn__definition_source source = { kind, cairn__span_of(name), cairn__span_of(json),
                                              cairn__heap() };
    CAIRN_ASSERT(m->count < DEFINITIONS_MAX);
    if (cairn__definition_read(&source, &m->all[m->count], &problem) != CAIRN_OK) {
        (void)fprintf(stderr, "one_answer: world %llu: %s: %s\n%s\n",
                      (unsigned long long)m->w->seed, problem.fault.detail, problem.rule_shown,
                      json);
        CAIRN_ASSERT(false);
    }
    m->all[m->count]->version = (uint32_t)m->count + 1;
    m->count += 1;
}

/* One of the rules, or one over the event's own properties too; as a JSON string. */
static const char *some_rule(world *w) {
    return world_quoted(w, w->rules[world_roll(w, WORLD_RULES)].text);
}

static const char *some_where(world *w) {
    static const char *const all[] = { "n >= 2",
                                       "s = \"a\"",
                                       "l contains \"a\"",
                                       "b",
                                       "n is set and user.n is set",
                                       "n < user.m or s = user.s" };
    return world_quoted(w, all[world_roll(w, sizeof all / sizeof all[0])]);
}

static const char *some_caps(world *w) {
    static const char *const of[] = { "shows", "clicks", "conversions", "closes" };
    static const char *const per[] = { "ever", "session", "day", "week", "month", "6 hours" };
    unsigned first = world_roll(w, 6);
    return world_text(w,
                      "[{\"at_most\":%u,\"of\":\"%s\",\"per\":\"%s\"},"
                      "{\"at_most\":%u,\"per\":\"%s\"}]",
                      1 + world_roll(w, 3), of[world_roll(w, 4)], per[first], 2 + world_roll(w, 4),
                      per[world_roll(w, 6)]);
}

static const char *some_event(world *w) {
    return gen_event_names[world_roll(w, WORLD_EVENTS)];
}

static void put_popup(making *m, unsigned number) {
    static const char *const pages[] = { "", "", ",\"pages\":[{\"starts_with\":\"/p\"}]",
                                         ",\"not_pages\":[{\"matches\":\"^/p/[0-9]+$\"}]" };
    static const char *const times[] = {
        "",
        "",
        ",\"delay\":\"3 s\"",
        ",\"quiet\":[\"22:00-08:00\"]",
        ",\"quiet\":[{\"hours\":\"09:00-18:30\",\"days\":[\"sat\",\"sun\"]}]",
    };
    world *w = m->w;
    const char *audience = world_roll(w, 2) == 0 ? world_quoted(w, "true") : some_rule(w);
    const char *json = world_text(
        w,
        "{\"priority\":%u,\"triggers\":[\"%s\",{\"event\":[\"%s\",\"other\"],\"where\":%s}],"
        "\"audience\":%s%s%s,\"caps\":%s%s,\"holdout\":0.1,\"variants\":[{\"name\":\"x\","
        "\"content\":{\"t\":\"%u\"}},{\"name\":\"y\",\"weight\":0.7,\"content\":[1.5,null]},"
        "{\"name\":\"none\",\"control\":true,\"weight\":0.2}],"
        "\"goal\":{\"event\":\"%s\",\"within\":\"2 hours\"}}",
        world_roll(w, 4), some_event(w), some_event(w), some_where(w), audience,
        pages[world_roll(w, 4)], times[world_roll(w, 5)], some_caps(w),
        world_roll(w, 2) == 0 ? ",\"groups\":[\"g\"]" : "", world_roll(w, 100), some_event(w));
    put(m, CAIRN__DEFINITION_POPUP, world_text(w, "p%02u", number), json);
}

static const char *some_item(world *w, unsigned number) {
    const char *published = world_text(w, "2026-%02u-%02uT%02u:30:00+08:00", 1 + world_roll(w, 12),
                                       1 + world_roll(w, 28), world_roll(w, 24));
    return world_text(w,
                      "{\"id\":\"i%u\",\"properties\":{\"category\":\"c%u\",\"n\":%u.25,\"s\":"
                      "\"%s\",\"at\":{\"time\":\"%s\"}},\"audience\":%s,\"content\":{\"i\":%u}}",
                      number, world_roll(w, 3), world_roll(w, 9),
                      world_roll(w, 2) == 0 ? "a" : "ab", published,
                      world_roll(w, 4) == 0 ? some_rule(w) : "\"true\"", number);
}

static void put_slot(making *m, unsigned number) {
    enum { ITEMS = 8 };
    world *w = m->w;
    const char *items = "";
    const char *ids = "";
    for (unsigned i = 0; i < ITEMS; i++) {
        items = world_text(w, "%s%s%s", items, i > 0 ? "," : "", some_item(w, number * 100 + i));
        ids = world_text(w, "%s%s\"i%u\"", ids, i > 0 ? "," : "", number * 100 + i);
    }
    const char *json = world_text(
        w,
        "{\"size\":%u,\"items\":[%s],\"lists\":{\"all\":[%s],\"few\":[\"i%u\"]},"
        "\"strategies\":[{\"name\":\"one\",\"audience\":%s,\"recall\":[{\"recent\":{\"event\":"
        "\"%s\",\"property\":\"s\"}},{\"list\":\"all\",\"where\":\"n > 3\"},{\"list\":\"all\","
        "\"max\":5}],\"filter\":%s,\"item_caps\":%s,\"fallback\":\"all\",\"min\":2,\"rank\":"
        "[{\"property\":\"n\",\"weight\":0.3},{\"property\":\"at\",\"half_life\":\"3 days\"},"
        "{\"by_recall\":true}],\"exploration\":0.%u,\"category_max\":2,\"no_repeat\":%u},"
        "{\"name\":\"two\",\"audience\":%s,\"recall\":[{\"list\":\"all\"}]}],"
        "\"default\":\"few\"}",
        1 + world_roll(w, 4), items, ids, number * 100, some_rule(w), some_event(w),
        world_quoted(w, "item.s != user.s or item.n > user.n"), some_caps(w), world_roll(w, 10),
        world_roll(w, 4), some_rule(w));
    put(m, CAIRN__DEFINITION_SLOT, world_text(w, "s%u", number), json);
}

static void put_experiment(making *m, unsigned number) {
    world *w = m->w;
    const char *json = world_text(
        w,
        "{\"unit\":\"%s\",\"coverage\":0.8,\"audience\":%s,\"hash\":%u,\"variants\":[{\"name\":"
        "\"x\",\"value\":1},{\"name\":\"y\",\"weight\":2,\"value\":{\"a\":[true]}}]%s%s,"
        "\"fallback\":0.5}",
        world_roll(w, 2) == 0 ? "device" : "login",
        world_roll(w, 3) == 0 ? "\"true\"" : some_rule(w), 1 + world_roll(w, 2),
        number > 0 && world_roll(w, 3) == 0 ? ",\"prerequisites\":[\"e0\"]" : "",
        world_roll(w, 3) == 0 ? ",\"namespaces\":[{\"name\":\"n\",\"slices\":[[0,0.6]]}]" : "");
    put(m, CAIRN__DEFINITION_EXPERIMENT, world_text(w, "e%u", number), json);
}

/* By kind, then by name, as linking wants them. */
static void put_all(making *m) {
    world *w = m->w;
    bool rules = w->kind == WORLD_OF_RULES;
    for (unsigned i = 0; !rules && i < WORLD_POPUPS; i++) {
        put_popup(m, i);
    }
    for (unsigned i = 0; !rules && i < WORLD_SLOTS; i++) {
        put_slot(m, i);
    }
    for (unsigned i = 0; !rules && i < WORLD_EXPERIMENTS; i++) {
        put_experiment(m, i);
    }
    for (unsigned i = 0; rules && i < WORLD_RULES; i++) {
        put(m, CAIRN__DEFINITION_EXPERIMENT, world_text(w, "r%04u", i),
            world_text(w, "{\"variants\":[{\"name\":\"on\"}],\"audience\":%s}",
                       world_quoted(w, w->rules[i].text)));
    }
    put(m, CAIRN__DEFINITION_AUDIENCE, "vip",
        "{\"rule\":\"count(a) >= 2 or count(b, last 3 days) >= 1\"}");
    put(m, CAIRN__DEFINITION_SETTINGS, "settings",
        world_text(w,
                   "{\"zone\":\"%s\",\"zones\":[\"%s\"],\"holdout\":0.05,\"caps\":[{\"at_most\":5,"
                   "\"per\":\"day\"}],\"groups\":{\"g\":{\"caps\":%s}}}",
                   w->zone.name, w->user_zone.name, some_caps(w)));
}

/* --- zones ------------------------------------------------------------------------------------ */

static bool has_zone(void *self, cairn_span name) {
    (void)self;
    return name.len > 0;
}

static size_t read_zone(const char *name, uint8_t *to, size_t bytes) {
    char path[128];
    (void)snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    FILE *file = fopen(path, "rb");
    CAIRN_ASSERT(file != NULL); /* the clocks of this world have read it */
    size_t len = fread(to, 1, bytes, file);
    (void)fclose(file);
    return len;
}

static cairn_status write_table(void *self, const cairn_span *names, size_t count, bool all,
                                cairn__buffer *to) {
    static uint8_t bytes[2][TABLE_BYTES_MAX];
    const world *w = self;
    bool ordered = strcmp(w->zone.name, w->user_zone.name) < 0;
    const char *const both[] = { ordered ? w->zone.name : w->user_zone.name,
                                 ordered ? w->user_zone.name : w->zone.name };
    cairn__zone_file files[2];
    (void)names;
    (void)count;
    (void)all;
    for (size_t i = 0; i < 2; i++) {
        files[i].name = cairn__span_of(both[i]);
        files[i].tzif = cairn__span(bytes[i], read_zone(both[i], bytes[i], TABLE_BYTES_MAX));
    }
    cairn__arena scratch = cairn__arena_make(cairn__heap(), 8 << 20);
    size_t bad = 0;
    cairn_status status = cairn__zone_table_write(files, 2, &scratch, to, &bad);
    cairn__arena_free(&scratch);
    return status;
}

/* --- the bundle ------------------------------------------------------------------------------- */

static void link_all(making *m) {
    world *w = m->w;
    const cairn__link_zones zones = { has_zone, write_table, w };
    cairn__buffer table = cairn__buffer_make(cairn__heap(), TABLE_BYTES_MAX);
    cairn__arena arena = cairn__arena_make(cairn__heap(), CAIRN__LINK_ARENA_BYTES_MAX);
    cairn__bundle bundle;
    cairn__definition_problem problem;
    const cairn__link_source source = { .definitions = m->all,
                                        .count = m->count,
                                        .project = CAIRN_STR("demo"),
                                        .zone = CAIRN_STR("UTC"),
                                        .zones = &zones,
                                        .zone_table = &table,
                                        .arena = &arena };
    cairn_status status = cairn__definitions_link(&source, &bundle, &problem);
    if (status != CAIRN_OK) {
        (void)fprintf(stderr, "one_answer: %s\n", problem.fault.detail);
    }
    CAIRN_ASSERT(status == CAIRN_OK);
    bundle.definitions.version = 1;
    status = cairn__bundle_write(&bundle, &w->bundle);
    CAIRN_ASSERT(status == CAIRN_OK);
    signed_bundle_sign(cairn__buffer_span(&w->bundle), &w->signed_bundle);
    cairn__arena_free(&arena);
    cairn__buffer_free(&table);
}

void world_make_bundle(world *w) {
    static making m;
    m = (making){ .w = w };
    put_all(&m);
    link_all(&m);
    for (size_t i = 0; i < m.count; i++) {
        cairn__definition_free(m.all[i]);
    }
}
