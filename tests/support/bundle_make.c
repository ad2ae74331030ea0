/* bundle_make.c: see bundle_make.h. */
#include "support/bundle_make.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "bundle/write.h"
#include "rules/pattern.h"

/* As CAIRN_STR, for what is static. */
#define LITERAL(text)                                                                              \
    { (const uint8_t *)("" text), sizeof(text) - 1 }

typedef struct maker {
    const bundle_shape *shape;
    cairn__arena *arena;
    cairn__fact_table facts;
    uint64_t state;
} maker;

static uint32_t below(maker *m, uint32_t limit) {
    m->state += UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(cairn__mix(m->state) % limit);
}

static bool chance(maker *m, uint32_t percent) {
    return below(m, 100) < percent;
}

static void *room(maker *m, size_t count, size_t bytes) {
    void *at = cairn__arena_alloc_zero(m->arena, count, bytes);
    CAIRN_ASSERT(at != NULL);
    return at;
}

/* The pattern with "%d" replaced by the number. */
static cairn_span text(maker *m, const char *pattern, size_t number) {
    char buffer[256];
    const char *hole = strstr(pattern, "%d");
    size_t before = hole == NULL ? strlen(pattern) : (size_t)(hole - pattern);
    int len = hole == NULL ? snprintf(buffer, sizeof buffer, "%s", pattern)
                           : snprintf(buffer, sizeof buffer, "%.*s%zu%s", (int)before, pattern,
                                      number, hole + 2);
    CAIRN_ASSERT(len >= 0 && (size_t)len < sizeof buffer);
    cairn_span copy;
    CAIRN_ASSERT(cairn__arena_copy(m->arena, cairn__span(buffer, (size_t)len), &copy));
    return copy;
}

/* --- rules -------------------------------------------------------------------------------------*/

static cairn__condition rule(maker *m, cairn_span source, unsigned spaces, unsigned bare) {
    cairn__rule_fault fault = { 0 };
    const cairn__rule_source what = { source, spaces, bare, m->arena, &fault };
    cairn__rule compiled;
    cairn__condition condition;
    cairn_status status = cairn__rule_compile(&what, &compiled);
    if (status != CAIRN_OK) {
        (void)fprintf(stderr, "bundle_make: %.*s: %s\n", (int)source.len, (const char *)source.data,
                      fault.text);
    }
    CAIRN_ASSERT(status == CAIRN_OK);
    CAIRN_ASSERT(cairn__fact_table_condition(&m->facts, &compiled, &condition) == CAIRN_OK);
    return condition;
}

static cairn__condition of_person(maker *m) {
    static const char *const rules[] = {
        "user.city in [\"Berlin\", \"Paris\", \"北京\"] and tag.vip = true",
        "user.level%d >= 3 or device.os = \"ios\"",
        "tag.score%d > 0.5 and user.email matches \"@example\\\\.(com|org)$\"",
        "count(`purchase` where amount > %d, last 30 days) >= 2 and user.city = \"Rome\"",
        "user.born is today or user.visits%d between 3 and 9",
    };
    if (chance(m, 10)) {
        return (cairn__condition){ .facts = NULL };
    }
    return rule(m, text(m, rules[below(m, 5)], below(m, 50)),
                CAIRN__RULE_USER | CAIRN__RULE_TAG | CAIRN__RULE_DEVICE | CAIRN__RULE_QUERY, 0);
}

static cairn__condition of_event(maker *m) {
    if (chance(m, 50)) {
        return (cairn__condition){ .facts = NULL };
    }
    return rule(m, text(m, "amount > %d and channel = \"web\"", below(m, 100)), CAIRN__RULE_EVENT,
                CAIRN__RULE_EVENT);
}

static cairn__condition of_item(maker *m) {
    if (chance(m, 50)) {
        return (cairn__condition){ .facts = NULL };
    }
    return rule(m, text(m, "item.price < %d and item.stock > 0", below(m, 100)), CAIRN__RULE_ITEM,
                0);
}

/* --- parts -------------------------------------------------------------------------------------*/

static cairn_span content(maker *m) {
    size_t bytes = m->shape->content_bytes;
    uint8_t *at = room(m, bytes + 32, 1);
    int len = snprintf((char *)at, 32, "{\"n\":%d,\"text\":\"", (int)below(m, 100000));
    CAIRN_ASSERT(len > 0);
    size_t used = (size_t)len;
    for (; used < bytes; used++) {
        at[used] = (uint8_t)("etaoin shrdlu"[below(m, 13)]);
    }
    at[used++] = '"';
    at[used++] = '}';
    return cairn__span(at, used);
}

static const cairn__trigger *triggers(maker *m, size_t count) {
    cairn__trigger *list = room(m, count, sizeof *list);
    for (size_t i = 0; i < count; i++) {
        list[i].event_count = 1 + below(m, 3);
        cairn_span *events = room(m, list[i].event_count, sizeof *events);
        for (size_t j = 0; j < list[i].event_count; j++) {
            events[j] = text(m, "event_%d", below(m, 30) * 3 + j);
        }
        list[i].events = events;
        list[i].where = of_event(m);
    }
    return list;
}

static const cairn__cap *caps(maker *m, size_t count) {
    cairn__cap *list = room(m, count, sizeof *list);
    for (size_t i = 0; i < count; i++) {
        list[i] = (cairn__cap){ .counts = (cairn__cap_count)below(m, 4),
                                .window = (cairn__cap_window)below(m, 6),
                                .count = 1 + below(m, 5),
                                .window_ms = 3600000 * (1 + (int64_t)below(m, 100)) };
    }
    return list;
}

static const cairn__variant *variants(maker *m, size_t count) {
    cairn__variant *list = room(m, count, sizeof *list);
    for (size_t i = 0; i < count; i++) {
        list[i] = (cairn__variant){ .name = text(m, "variant %d", i),
                                    .weight = below(m, 10) / 10.0,
                                    .control = chance(m, 10),
                                    .content = content(m) };
    }
    return list;
}

static const cairn__page *pages(maker *m, size_t count) {
    cairn__page *list = room(m, count, sizeof *list);
    for (size_t i = 0; i < count; i++) {
        list[i] = (cairn__page){ .how = (cairn__page_match)below(m, 4),
                                 .excluded = chance(m, 20),
                                 .text = text(m, "/shop/%d", below(m, 100)) };
        cairn__pattern_fault fault;
        if (list[i].how == CAIRN__PAGE_MATCHES) {
            CAIRN_ASSERT(cairn__pattern_compile(CAIRN_STR("^/shop/[0-9]+"), m->arena, &list[i].text,
                                                &fault) == CAIRN_OK);
        }
    }
    return list;
}

static const cairn__quiet *quiet(maker *m, size_t count) {
    cairn__quiet *list = room(m, count, sizeof *list);
    for (size_t i = 0; i < count; i++) {
        list[i] = (cairn__quiet){ (uint16_t)below(m, 1440), (uint16_t)below(m, 1440),
                                  (uint8_t)below(m, 128) };
    }
    return list;
}

static const uint16_t *numbers(maker *m, size_t count, uint32_t limit) {
    uint16_t *list = room(m, count + 1, sizeof *list);
    for (size_t i = 0; i < count; i++) {
        list[i] = (uint16_t)below(m, limit);
    }
    return list;
}

/* --- definitions -------------------------------------------------------------------------------*/

static void make_audiences(maker *m, cairn__definitions *d) {
    size_t count = m->shape->audiences;
    cairn__audience *list = room(m, count, sizeof *list);
    uint16_t *facts = room(m, count + 1, sizeof *facts);
    for (size_t i = 0; i < count; i++) {
        list[i].name = text(m, "audience %d", i);
        list[i].condition = chance(m, 80) ? of_person(m) : (cairn__condition){ .facts = NULL };
        facts[i] = rule(m, text(m, "member(\"audience %d\")", i), CAIRN__RULE_QUERY, 0).facts[0];
    }
    d->audiences = list;
    d->audience_facts = facts;
    d->audience_count = count;
}

static void make_groups(maker *m, cairn__definitions *d) {
    cairn__cap_group *list = room(m, 3, sizeof *list);
    for (size_t i = 0; i < 3; i++) {
        list[i].name = i == 0 ? (cairn_span){ NULL, 0 } : text(m, "group %d", i);
        list[i].cap_count = below(m, 3);
        list[i].caps = caps(m, list[i].cap_count);
    }
    d->cap_groups = list;
    d->cap_group_count = 3;
}

static void make_popup(maker *m, cairn__popup *popup, size_t i) {
    size_t triggers_of = 1 + below(m, 2);
    *popup = (cairn__popup){ .name = text(m, "popup %d", 10000 + i),
                             .version = 1 + below(m, 9),
                             .priority = 100 - (int32_t)(i / 7),
                             .paused = chance(m, 10),
                             .manual = chance(m, 10),
                             .triggers = triggers(m, triggers_of),
                             .trigger_count = triggers_of,
                             .page_count = below(m, 3),
                             .audience = of_person(m),
                             .from_ms = chance(m, 50) ? INT64_MIN : 1790000000000,
                             .to_ms = chance(m, 50) ? INT64_MAX : 1890000000000,
                             .delay_ms = below(m, 5000),
                             .quiet_count = below(m, 2),
                             .cap_count = below(m, 3),
                             .group_count = below(m, 2),
                             .holdout = below(m, 10) / 20.0,
                             .salt = text(m, "salt %d", i),
                             .variant_count = 1 + below(m, 2),
                             .template_name = CAIRN_STR("modal") };
    popup->pages = pages(m, popup->page_count);
    popup->quiet = quiet(m, popup->quiet_count);
    popup->caps = caps(m, popup->cap_count);
    popup->groups = numbers(m, popup->group_count, 3);
    popup->variants = variants(m, popup->variant_count);
    if (chance(m, 50)) {
        popup->goal = (cairn__goal){ triggers(m, 1), 86400000 };
    }
}

static void make_popups(maker *m, cairn__definitions *d) {
    cairn__popup *list = room(m, m->shape->popups, sizeof *list);
    for (size_t i = 0; i < m->shape->popups; i++) {
        make_popup(m, &list[i], i);
    }
    d->popups = list;
    d->popup_count = m->shape->popups;
}

static const cairn_property *properties(maker *m) {
    static const cairn_span words[2] = { LITERAL("red"), LITERAL("蓝") };
    cairn_property *list = room(m, 6, sizeof *list);
    list[0] = (cairn_property){ CAIRN_STR("price"), { CAIRN_VALUE_NUMBER, { .number = 9.5 } } };
    list[1] = (cairn_property){ CAIRN_STR("stock"),
                                { CAIRN_VALUE_INTEGER, { .integer = -(int64_t)below(m, 9) } } };
    list[2] = (cairn_property){ CAIRN_STR("new"), { CAIRN_VALUE_BOOLEAN, { .boolean = true } } };
    list[3] = (cairn_property){ CAIRN_STR("category"),
                                { CAIRN_VALUE_STRING, { .string = CAIRN_STR("鞋") } } };
    list[4] =
        (cairn_property){ CAIRN_STR("since"), { CAIRN_VALUE_TIME, { .time_ms = 1790000000000 } } };
    list[5] =
        (cairn_property){ CAIRN_STR("colours"), { CAIRN_VALUE_LIST, { .list = { words, 2 } } } };
    return list;
}

static void make_items(maker *m, cairn__definitions *d) {
    size_t count = m->shape->items;
    cairn__item *items = room(m, count, sizeof *items);
    for (size_t i = 0; i < count; i++) {
        items[i] = (cairn__item){ .id = text(m, "sku %d", i),
                                  .properties = properties(m),
                                  .property_count = below(m, 7),
                                  .audience = of_item(m),
                                  .from_ms = INT64_MIN,
                                  .to_ms = INT64_MAX,
                                  .content = content(m) };
    }
    d->items = items;
    d->item_count = count;
    cairn__item_list *lists = room(m, 3, sizeof *lists);
    for (size_t i = 0; i < 3; i++) {
        size_t length = count == 0 ? 0 : below(m, 20);
        lists[i] = (cairn__item_list){ text(m, "list %d", i),
                                       numbers(m, length, (uint32_t)count + (count == 0)), length };
    }
    d->lists = lists;
    d->list_count = 3;
    cairn__related *related = room(m, count / 4, sizeof *related);
    for (size_t i = 0; i < count / 4; i++) {
        related[i] = (cairn__related){ (uint16_t)(i * 3), numbers(m, 3, (uint32_t)count), 3 };
    }
    d->related = related;
    d->related_count = count / 4;
}

static void make_strategy(maker *m, cairn__strategy *strategy, size_t number) {
    cairn__recall *recalls = room(m, 2, sizeof *recalls);
    recalls[0] = (cairn__recall){ .kind = CAIRN__RECALL_RULE,
                                  .list = (uint16_t)below(m, 3),
                                  .where = of_item(m),
                                  .count_max = 50 };
    recalls[1] = (cairn__recall){ .kind = CAIRN__RECALL_RECENT,
                                  .event = CAIRN_STR("view"),
                                  .property = CAIRN_STR("item_id"),
                                  .count_max = 10 };
    cairn__rank *ranks = room(m, 2, sizeof *ranks);
    ranks[0] = (cairn__rank){ .kind = CAIRN__RANK_PROPERTY,
                              .weight = -1.5,
                              .property = CAIRN_STR("price") };
    ranks[1] = (cairn__rank){ .kind = CAIRN__RANK_RECENCY,
                              .weight = 2,
                              .property = CAIRN_STR("since"),
                              .half_life_ms = 86400000 };
    *strategy = (cairn__strategy){ .name = text(m, "strategy %d", number),
                                   .audience = of_person(m),
                                   .recalls = recalls,
                                   .recall_count = 2,
                                   .filter = of_item(m),
                                   .bought_event = CAIRN_STR("purchase"),
                                   .bought_property = CAIRN_STR("item_id"),
                                   .item_caps = caps(m, 1),
                                   .item_cap_count = 1,
                                   .fallback = chance(m, 50) ? CAIRN__NO_LIST : 1,
                                   .min = 2,
                                   .ranks = ranks,
                                   .rank_count = 2,
                                   .exploration = 0.1,
                                   .category_max = 2,
                                   .no_repeat = 5,
                                   .script = CAIRN_STR("rank") };
}

static void make_slots(maker *m, cairn__definitions *d) {
    cairn__slot *list = room(m, m->shape->slots, sizeof *list);
    for (size_t i = 0; i < m->shape->slots; i++) {
        list[i] = (cairn__slot){ .name = text(m, "slot %d", 10000 + i),
                                 .version = 1,
                                 .paused = chance(m, 10),
                                 .size = 1 + below(m, 20),
                                 .strategy_count = 1 + below(m, 2),
                                 .default_list = (uint16_t)below(m, 3) };
        cairn__strategy *strategies = room(m, list[i].strategy_count, sizeof *strategies);
        for (size_t j = 0; j < list[i].strategy_count; j++) {
            make_strategy(m, &strategies[j], j);
        }
        list[i].strategies = strategies;
    }
    d->slots = list;
    d->slot_count = m->shape->slots;
}

static void make_experiment(maker *m, cairn__experiment_entry *entry, size_t i) {
    size_t count = 1 + below(m, 3);
    double *weights = room(m, count, sizeof *weights);
    cairn__range *ranges = room(m, count, sizeof *ranges);
    for (size_t j = 0; j < count; j++) {
        weights[j] = 1.0 / (double)count;
        ranges[j] = (cairn__range){ 0.25 * (double)j, 0.25 * (double)(j + 1) };
    }
    cairn__namespace *layer = room(m, 1, sizeof *layer);
    *layer = (cairn__namespace){ CAIRN_STR("checkout"), CAIRN__ASSIGN_V2, ranges, 1 };
    cairn__forced_unit *forced = room(m, 1, sizeof *forced);
    *forced = (cairn__forced_unit){ CAIRN_STR("tester"), 0 };
    *entry = (cairn__experiment_entry){ .name = text(m, "experiment %d", i),
                                        .version = 2,
                                        .condition = of_person(m),
                                        .variants = variants(m, count),
                                        .unit_type = CAIRN_STR("device"),
                                        .fallback = CAIRN_STR("null") };
    entry->experiment = (cairn__experiment){ .salt = text(m, "salt %d", i),
                                             .version = CAIRN__ASSIGN_V2,
                                             .variant_count = count,
                                             .shares = { 0.5, weights, count },
                                             .ranges = chance(m, 30) ? ranges : NULL,
                                             .namespaces = layer,
                                             .namespace_count = below(m, 2),
                                             .forced = forced,
                                             .forced_count = below(m, 2),
                                             .force_all = chance(m, 10),
                                             .paused = chance(m, 10),
                                             .sticky_version = below(m, 3),
                                             .sticky_oldest = below(m, 2) };
    if (i > 0 && chance(m, 30)) {
        cairn__prerequisite_of *needed = room(m, 1, sizeof *needed);
        *needed = (cairn__prerequisite_of){ (uint16_t)below(m, (uint32_t)i), CAIRN__NO_VARIANT };
        entry->prerequisites = needed;
        entry->prerequisite_count = 1;
    }
}

static void make_flag(maker *m, cairn__experiment_entry *entry, size_t i) {
    size_t count = 1 + below(m, 3);
    cairn__flag_rule *rules = room(m, count, sizeof *rules);
    for (size_t j = 0; j < count; j++) {
        rules[j] = (cairn__flag_rule){ .experiment = (uint16_t)below(m, (uint32_t)i),
                                       .gate = chance(m, 50) };
    }
    *entry = (cairn__experiment_entry){ .name = text(m, "flag %d", i),
                                        .version = 3,
                                        .experiment.paused = chance(m, 10),
                                        .fallback = CAIRN_STR("false"),
                                        .rules = rules,
                                        .rule_count = count };
}

static void make_experiments(maker *m, cairn__definitions *d) {
    cairn__experiment_entry *list = room(m, m->shape->experiments, sizeof *list);
    for (size_t i = 0; i < m->shape->experiments; i++) {
        if (i % 4 == 1) {
            make_flag(m, &list[i], i);
        } else {
            make_experiment(m, &list[i], i);
        }
    }
    d->experiments = list;
    d->experiment_count = m->shape->experiments;
}

static void make_settings(cairn__bundle *out) {
    static const cairn__setting settings[] = {
        { LITERAL("queue_events_max"), LITERAL("500") },
        { LITERAL("sync_interval_ms"), LITERAL("15000") },
    };
    static const cairn__consent_default defaults[] = {
        { { NULL, 0 },
          CAIRN__CONSENT_GRANTED,
          CAIRN__CONSENT_DENIED,
          CAIRN__CONSENT_ASK,
          false,
          true },
        { LITERAL("DE"), CAIRN__CONSENT_ASK, CAIRN__CONSENT_ASK, CAIRN__CONSENT_DENIED, true,
          true },
    };
    static const cairn__consent_text texts[] = { { LITERAL("marketing"), 3 } };
    static const cairn__privacy_rule privacy[] = {
        { { NULL, 0 }, LITERAL("password"), CAIRN__PRIVACY_DROP },
        { LITERAL("signup"), LITERAL("email"), CAIRN__PRIVACY_HASH },
    };
    static const cairn__script_source scripts[] = {
        { LITERAL("rank"), LITERAL("return items;") },
    };
    out->settings = settings;
    out->setting_count = 2;
    out->consent_defaults = defaults;
    out->consent_default_count = 2;
    out->consent_texts = texts;
    out->consent_text_count = 1;
    out->privacy = privacy;
    out->privacy_count = 2;
    out->scripts = scripts;
    out->script_count = 1;
    out->plan = CAIRN_STR("\x08\x01");
}

void bundle_make(const bundle_shape *shape, cairn__arena *arena, cairn__bundle *out) {
    maker m = { .shape = shape, .arena = arena, .facts = { .arena = arena }, .state = shape->seed };
    *out = (cairn__bundle){ .made_ms = 1790000000000 + (int64_t)below(&m, 1000),
                            .zone_name = shape->zone_name,
                            .zones = shape->zones };
    cairn__definitions *d = &out->definitions;
    d->version = 1 + below(&m, 1000);
    d->project = CAIRN_STR("demo");
    d->holdout = 0.05;
    d->holdout_salt = CAIRN_STR("global");
    make_audiences(&m, d);
    make_groups(&m, d);
    make_popups(&m, d);
    make_items(&m, d);
    make_slots(&m, d);
    make_experiments(&m, d);
    make_settings(out);
    d->facts = m.facts.slots;
    d->fact_count = m.facts.count;
}
