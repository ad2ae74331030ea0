/* Goal: whatever is defined and whatever has happened, the decision is the one that the documents
 * say. Method: random definitions over random persons and histories, each decision compared with
 * the slow oracle's: the choice, and the reason of every candidate. */
#include <stdio.h>

#include "oracle.h"
#include "support/cmocka_all.h"

enum { WORLDS = 1000, DECISIONS = 60, HOUR_MS = 3600000 };
/* Around the night in which Berlin's clocks are set back. */
static const int64_t base_ms = 1792885000000;

typedef struct random_world {
    world w;
    oracle o;
    uint64_t seed;
    cairn__audience audiences[ORACLE_AUDIENCES];
    cairn__trigger triggers[ORACLE_SUBJECTS];
    cairn__popup popups[ORACLE_SUBJECTS];
    cairn__quiet quiet[ORACLE_SUBJECTS][2];
    cairn__cap caps[ORACLE_SUBJECTS][2];
    uint16_t groups[ORACLE_SUBJECTS][2];
    cairn__variant variants[ORACLE_SUBJECTS][3];
    cairn__cap group_caps[3][1];
    cairn__cap_group cap_groups[3];
    cairn__item items[ORACLE_SUBJECTS];
    cairn_property item_properties[ORACLE_SUBJECTS][3];
    cairn__item_list lists[3];
    uint16_t list_items[3][ORACLE_SUBJECTS];
    cairn__recall recalls[2];
    cairn__strategy strategies[2];
    cairn__cap item_caps[2][1];
    cairn__rank ranks[2][2];
    cairn__slot slot;
    cairn_property event_n;
    const cairn__zone *zones[3];
} random_world;

static uint64_t upto(random_world *r, uint64_t limit) {
    r->seed = r->seed * 6364136223846793005u + 1442695040888963407u;
    return (r->seed >> 33) % limit;
}

static cairn_span name_of(random_world *r, const char *prefix, size_t number) {
    char text[20];
    cairn_span made;
    (void)snprintf(text, sizeof text, "%s%zu", prefix, number);
    assert_true(cairn__arena_copy(&r->w.arena, cairn__span_of(text), &made));
    return made;
}

static oracle_need random_need(random_world *r, bool event, bool item) {
    static const oracle_need_kind kinds[] = { ORACLE_ALWAYS, ORACLE_ALWAYS, ORACLE_USER,
                                              ORACLE_MEMBER };
    oracle_need need = { kinds[upto(r, 4)], (int)upto(r, ORACLE_FACTS), (int64_t)upto(r, 6) };
    if (event && upto(r, 4) == 0) {
        need.kind = ORACLE_EVENT;
    }
    if (item && upto(r, 3) == 0) {
        need.kind = ORACLE_ITEM;
    }
    return need;
}

static cairn__condition compiled(random_world *r, const oracle_need *need) {
    char text[64];
    oracle_need_text(need, text);
    return text[0] == '\0' ? (cairn__condition){ .facts = NULL } : world_condition(&r->w, text);
}

static cairn__cap random_cap(random_world *r) {
    return (cairn__cap){ .counts = upto(r, 3) > 0 ? CAIRN__CAP_SHOWS : (cairn__cap_count)upto(r, 4),
                         .window = (cairn__cap_window)upto(r, 6),
                         .count = 1 + (uint32_t)upto(r, 5),
                         .window_ms = (int64_t)(1 + upto(r, 50)) * HOUR_MS };
}

static void make_audiences(random_world *r) {
    for (size_t i = 0; i < ORACLE_AUDIENCES; i++) {
        oracle_need need = random_need(r, false, false);
        if (need.kind == ORACLE_MEMBER) { /* only of an earlier one */
            need.which = i == 0 ? 0 : (int)upto(r, i);
            need.kind = i == 0 ? ORACLE_ALWAYS : ORACLE_MEMBER;
        }
        r->o.audiences[i] = need;
        r->audiences[i] = (cairn__audience){ name_of(r, "m", i), compiled(r, &need) };
    }
    world_audiences(&r->w, r->audiences, ORACLE_AUDIENCES);
}

static void make_popup(random_world *r, size_t i) {
    static const cairn_span open = { (const uint8_t *)"open", 4 };
    cairn__popup *popup = &r->popups[i];
    r->o.trigger_needs[i] = random_need(r, true, false);
    r->o.popup_needs[i] = random_need(r, false, false);
    r->triggers[i] = (cairn__trigger){ &open, 1, compiled(r, &r->o.trigger_needs[i]) };
    *popup = (cairn__popup){ .name = name_of(r, "p", i),
                             .version = 1,
                             .paused = upto(r, 12) == 0,
                             .manual = upto(r, 8) == 0,
                             .triggers = &r->triggers[i],
                             .trigger_count = 1,
                             .audience = compiled(r, &r->o.popup_needs[i]),
                             .from_ms = upto(r, 4) == 0 ? base_ms + 20 * HOUR_MS : INT64_MIN,
                             .to_ms = upto(r, 4) == 0 ? base_ms + 50 * HOUR_MS : INT64_MAX,
                             .delay_ms = upto(r, 4) == 0 ? 500 : 0,
                             .quiet = r->quiet[i],
                             .quiet_count = upto(r, 3),
                             .caps = r->caps[i],
                             .cap_count = upto(r, 3),
                             .groups = r->groups[i],
                             .group_count = upto(r, 3),
                             .holdout = upto(r, 4) == 0 ? 0.3 : 0,
                             .variants = r->variants[i],
                             .variant_count = 1 + upto(r, 3) };
    r->groups[i][0] = (uint16_t)(1 + upto(r, 2));
    r->groups[i][1] = (uint16_t)(3 - r->groups[i][0]);
    for (size_t k = 0; k < 2; k++) {
        r->caps[i][k] = random_cap(r);
        r->quiet[i][k] = (cairn__quiet){ (uint16_t)upto(r, 1440), (uint16_t)upto(r, 1440),
                                         (uint8_t)(upto(r, 2) * upto(r, 128)) };
    }
    for (size_t k = 0; k < 3; k++) {
        r->variants[i][k] = (cairn__variant){ .name = name_of(r, "v", k),
                                              .weight = 1 + (double)upto(r, 4),
                                              .control = k == 2 || upto(r, 8) == 0 };
    }
}

static void make_popups(random_world *r) {
    for (size_t i = 0; i < 3; i++) {
        r->group_caps[i][0] = random_cap(r);
        r->group_caps[i][0].count += 3;
        r->cap_groups[i] = (cairn__cap_group){ .caps = r->group_caps[i], .cap_count = upto(r, 2) };
        r->cap_groups[i].name = i == 0 ? (cairn_span){ NULL, 0 } : name_of(r, "g", i);
    }
    for (size_t i = 0; i < ORACLE_SUBJECTS; i++) {
        make_popup(r, i);
    }
    r->w.definitions.popups = r->popups;
    r->w.definitions.popup_count = ORACLE_SUBJECTS;
    r->w.definitions.cap_groups = r->cap_groups;
    r->w.definitions.cap_group_count = 3;
    r->w.definitions.holdout = upto(r, 4) == 0 ? 0.2 : 0;
    r->w.definitions.holdout_salt = CAIRN_STR("all");
}

static void make_items(random_world *r) {
    static const char *const categories[] = { "x", "y" };
    for (size_t i = 0; i < ORACLE_SUBJECTS; i++) {
        r->o.prices[i] = (int64_t)upto(r, 6);
        r->o.item_needs[i] =
            upto(r, 3) > 0 ? (oracle_need){ .kind = ORACLE_ALWAYS } : random_need(r, false, true);
        r->item_properties[i][0] =
            (cairn_property){ CAIRN_STR("price"), world_integer(r->o.prices[i]) };
        r->o.made_ms[i] = base_ms - r->o.prices[i] * 7 * HOUR_MS;
        r->item_properties[i][1] =
            (cairn_property){ CAIRN_STR("made"),
                              { .kind = CAIRN_VALUE_TIME, .as.time_ms = r->o.made_ms[i] } };
        r->item_properties[i][2] =
            (cairn_property){ CAIRN_STR("category"), world_text(categories[i % 3 % 2]) };
        r->items[i] =
            (cairn__item){ .id = name_of(r, "i", i),
                           .properties = r->item_properties[i],
                           .property_count = i % 3 == 2 ? 2 : 3,
                           .audience = compiled(r, &r->o.item_needs[i]),
                           .from_ms = upto(r, 6) == 0 ? base_ms + 20 * HOUR_MS : INT64_MIN,
                           .to_ms = upto(r, 6) == 0 ? base_ms + 50 * HOUR_MS : INT64_MAX };
    }
    for (size_t i = 0; i < 3; i++) {
        size_t count = 1 + upto(r, ORACLE_SUBJECTS);
        for (size_t k = 0; k < count; k++) {
            r->list_items[i][k] = (uint16_t)((k * 3 + i) % ORACLE_SUBJECTS);
        }
        r->lists[i] = (cairn__item_list){ name_of(r, "l", i), r->list_items[i], count };
    }
}

static void make_strategy(random_world *r, size_t i) {
    r->o.strategy_needs[i] = random_need(r, false, false);
    r->o.filter_needs[i] = random_need(r, false, true);
    r->o.recall_needs[i] = random_need(r, false, true);
    r->recalls[i] = (cairn__recall){ .kind = CAIRN__RECALL_RULE,
                                     .list = (uint16_t)upto(r, 3),
                                     .where = compiled(r, &r->o.recall_needs[i]),
                                     .count_max = (uint32_t)(upto(r, 2) * upto(r, 6)) };
    r->item_caps[i][0] = random_cap(r);
    for (size_t k = 0; k < 2; k++) {
        static const cairn__rank_kind kinds[] = { CAIRN__RANK_PROPERTY, CAIRN__RANK_RECALL,
                                                  CAIRN__RANK_RECENCY };
        cairn__rank *rank = &r->ranks[i][k];
        *rank = (cairn__rank){ .kind = kinds[upto(r, 3)],
                               .weight = (double)upto(r, 5) - 2,
                               .half_life_ms = 40 * HOUR_MS };
        rank->property = rank->kind == CAIRN__RANK_RECENCY ? CAIRN_STR("made") : CAIRN_STR("price");
    }
    r->strategies[i] = (cairn__strategy){ .name = name_of(r, "s", i),
                                          .audience = compiled(r, &r->o.strategy_needs[i]),
                                          .recalls = &r->recalls[i],
                                          .recall_count = 1,
                                          .filter = compiled(r, &r->o.filter_needs[i]),
                                          .item_caps = r->item_caps[i],
                                          .item_cap_count = upto(r, 2),
                                          .fallback = upto(r, 2) == 0 ? CAIRN__NO_LIST : 2,
                                          .min = (uint32_t)upto(r, 4),
                                          .ranks = r->ranks[i],
                                          .rank_count = upto(r, 3),
                                          .exploration = (double)upto(r, 4) / 3,
                                          .category_max = (uint32_t)upto(r, 3),
                                          .no_repeat = (uint32_t)(upto(r, 2) * upto(r, 4)) };
}

static void make_slot(random_world *r) {
    make_items(r);
    make_strategy(r, 0);
    make_strategy(r, 1);
    r->slot = (cairn__slot){ .name = CAIRN_STR("home"),
                             .paused = upto(r, 10) == 0,
                             .size = 1 + (uint32_t)upto(r, 5),
                             .strategies = r->strategies,
                             .strategy_count = 2,
                             .default_list = 0 };
    r->w.definitions.items = r->items;
    r->w.definitions.item_count = ORACLE_SUBJECTS;
    r->w.definitions.lists = r->lists;
    r->w.definitions.list_count = 3;
    r->w.definitions.slots = &r->slot;
    r->w.definitions.slot_count = 1;
}

/* --- a person --- */

static oracle_fact random_fact(random_world *r) {
    static const cairn__rule_answer known[] = { CAIRN__RULE_TRUE,  CAIRN__RULE_TRUE,
                                                CAIRN__RULE_TRUE,  CAIRN__RULE_TRUE,
                                                CAIRN__RULE_FALSE, CAIRN__RULE_UNKNOWN };
    return (oracle_fact){ known[upto(r, 6)], (int64_t)upto(r, 8) };
}

static cairn_value value_of(const oracle_fact *fact) {
    if (fact->known == CAIRN__RULE_TRUE) {
        return world_integer(fact->value);
    }
    return fact->known == CAIRN__RULE_UNKNOWN ? world_unknown()
                                              : (cairn_value){ .kind = CAIRN_VALUE_NULL };
}

static void make_person(random_world *r) {
    for (size_t i = 0; i < ORACLE_FACTS; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "f%zu", i);
        r->o.facts[i] = random_fact(r);
        world_set(&r->w, CAIRN__RULE_USER, name, value_of(&r->o.facts[i]));
    }
    for (size_t i = 0; i < ORACLE_AUDIENCES; i++) {
        r->o.server[i] = (oracle_fact){ upto(r, 3) == 0 ? CAIRN__RULE_UNKNOWN : CAIRN__RULE_TRUE,
                                        (int64_t)upto(r, 2) };
        bool unknown = r->o.server[i].known == CAIRN__RULE_UNKNOWN;
        cairn_value member = { .kind = CAIRN_VALUE_BOOLEAN,
                               .as.boolean = r->o.server[i].value > 0 };
        r->w.values[r->w.definitions.audience_facts[i]] = unknown ? world_unknown() : member;
    }
}

static void happens(random_world *r) {
    static const char *const popup_events[] = { "$popup_show", "$popup_click", "$popup_convert",
                                                "$popup_close" };
    oracle_event *e = &r->o.history[r->o.history_count];
    *e = (oracle_event){ .of_item = upto(r, 3) == 0,
                         .subject = (int)upto(r, ORACLE_SUBJECTS),
                         .time_ms = base_ms + (int64_t)upto(r, 70 * 4) * HOUR_MS / 4,
                         .session = upto(r, 3),
                         .position = (int64_t)upto(r, 4) };
    r->w.input.session = e->session;
    if (e->of_item) {
        e->what = (int)upto(r, 2);
        char id[8];
        (void)snprintf(id, sizeof id, "i%d", e->subject);
        world_note_item(&r->w, e->what == 0 ? "$slot_show" : "$slot_click", id, e->time_ms,
                        e->position);
    } else {
        e->what = (int)upto(r, 2) * (int)upto(r, 4);
        char name[8];
        (void)snprintf(name, sizeof name, "p%d", e->subject);
        world_note_popup(&r->w, popup_events[e->what], name, e->time_ms);
        e->control = r->variants[e->subject][0].control; /* the variant that world.c notes */
    }
    r->o.history_count += 1;
}

/* --- compared --- */

static const char *const all_reasons[] = {
    "show",      "wait",        "no_consent",      "paused",   "not_yet",
    "ended",     "trigger",     "trigger_unknown", "audience", "audience_unknown",
    "no_unit",   "holdout_all", "holdout",         "quiet",    "cap",
    "cap_group", "cap_all",     "control",         "priority", "open",
    "waiting"
};
enum { REASONS = sizeof all_reasons / sizeof all_reasons[0] };

/* How often each was met: a reason that no world gives would not have been tested. */
static size_t met[REASONS], sources_met[4];

static void meet(const char *reason) {
    size_t i = 0;
    while (strcmp(all_reasons[i], reason) != 0) {
        i += 1;
        assert_true(i < REASONS);
    }
    met[i] += 1;
}

static void fail_with(const random_world *r, const char *what) {
    print_error("%s\n%.*s\n", what, (int)r->w.answer.len, (const char *)r->w.answer.data);
    fail();
}

static void compare_popups(random_world *r, const cairn__popup_ask *ask) {
    cairn__popup_decision with;
    cairn__popup_decision without;
    cairn__buffer_clear(&r->w.answer);
    cairn__decide_popup(r->w.decider, &r->w.input, ask, &r->w.answer, &with);
    cairn__decide_popup(r->w.decider, &r->w.input, ask, NULL, &without);
    oracle_popup_answer wanted = oracle_popups(&r->o, ask);
    for (size_t i = 0; i < ORACLE_SUBJECTS; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "p%zu", i);
        if (wanted.reasons[i] != NULL) {
            assert_true(world_says(&r->w, name, wanted.reasons[i]));
            meet(wanted.reasons[i]);
        }
    }
    cairn__popup_outcome outcome = wanted.chosen < 0 ? CAIRN__POPUP_NONE
                                   : wanted.now      ? CAIRN__POPUP_SHOW
                                                     : CAIRN__POPUP_WAIT;
    if (with.outcome != outcome || without.outcome != outcome ||
        with.control_count != wanted.controls || without.control_count != wanted.controls) {
        fail_with(r, "another outcome");
    }
    if (wanted.chosen >= 0 &&
        (with.chosen.popup != wanted.chosen || with.chosen.variant != wanted.variant ||
         without.chosen.popup != wanted.chosen || without.chosen.variant != wanted.variant)) {
        fail_with(r, "another popup");
    }
}

static void compare_slot(random_world *r) {
    const cairn__slot_ask ask = { .name = CAIRN_STR("home") };
    cairn__slot_decision decision;
    cairn__buffer_clear(&r->w.answer);
    cairn__decide_slot(r->w.decider, &r->w.input, &ask, &r->w.answer, &decision);
    oracle_slot_answer wanted = oracle_slot(&r->o);
    sources_met[wanted.source] += 1;
    bool same = decision.source == wanted.source && decision.strategy == wanted.strategy &&
                decision.item_count == wanted.item_count;
    for (size_t i = 0; same && i < wanted.item_count; i++) {
        same = decision.items[i] == wanted.items[i];
    }
    if (!same) {
        for (size_t i = 0; i < wanted.item_count; i++) {
            print_error("wanted i%d\n", wanted.items[i]);
        }
        fail_with(r, "another slot");
    }
}

static void compare_all(random_world *r) {
    cairn__popup_queue queue = { .count = 0 };
    for (size_t i = 0; i < upto(r, 3); i++) {
        (void)cairn__popup_queue_add(&queue, &r->popups[upto(r, ORACLE_SUBJECTS)], 0);
    }
    cairn__popup_ask ask = { .how = CAIRN__POPUP_BY_EVENT,
                             .open = upto(r, 4) == 0,
                             .open_name = r->popups[upto(r, ORACLE_SUBJECTS)].name,
                             .queue = upto(r, 2) == 0 ? &queue : NULL };
    compare_popups(r, &ask);
    ask.how = upto(r, 2) == 0 ? CAIRN__POPUP_BY_NAME : CAIRN__POPUP_BY_QUEUE;
    ask.name = r->popups[upto(r, ORACLE_SUBJECTS)].name;
    compare_popups(r, &ask);
    compare_slot(r);
}

static void set_moment(random_world *r) {
    static const char *const units[] = { "u1", "device-2", "", "another", "u3", "u4", "u5", "u6" };
    r->o.event_n = random_fact(r);
    r->event_n = (cairn_property){ CAIRN_STR("n"), value_of(&r->o.event_n) };
    r->w.event =
        (cairn__event){ .name = CAIRN_STR("open"), .properties = &r->event_n, .property_count = 1 };
    r->w.input.event = &r->w.event;
    r->w.input.now_ms = base_ms + (int64_t)upto(r, 80 * 4) * HOUR_MS / 4 - (int64_t)upto(r, 2);
    r->w.input.session = upto(r, 3);
    r->w.input.seed = upto(r, 1000);
    r->w.input.unit = cairn__span_of(units[upto(r, 8)]);
    r->w.input.user_zone = r->zones[upto(r, 3)];
    r->w.input.denied = upto(r, 8) == 0 ? 1 + (unsigned)upto(r, 3) : 0;
}

static void one_world(random_world *r, uint64_t seed) {
    world_open(&r->w);
    r->o.history_count = 0;
    r->seed = seed;
    r->zones[0] = NULL;
    r->zones[1] = world_zone(&r->w, "Europe/Berlin");
    r->zones[2] = world_zone(&r->w, "Asia/Shanghai");
    make_audiences(r);
    make_popups(r);
    make_slot(r);
    make_person(r); /* its facts are numbered, too */
    world_ready(&r->w);
    r->o.definitions = &r->w.definitions;
    r->o.input = &r->w.input;
    for (size_t i = 0; i < DECISIONS / 3; i++) {
        while (r->o.history_count < (i + 1) * ORACLE_HISTORY_MAX / (DECISIONS / 3)) {
            happens(r);
        }
        make_person(r);
        set_moment(r);
        compare_all(r);
    }
    world_close(&r->w);
}

static void decides_as_the_documents_say(void **state) {
    (void)state;
    static random_world r;
    for (uint64_t seed = 1; seed <= WORLDS; seed++) {
        one_world(&r, seed);
    }
    for (size_t i = 0; i < REASONS; i++) {
        print_message("%s %zu\n", all_reasons[i], met[i]);
        assert_true(met[i] > 100);
    }
    assert_true(sources_met[CAIRN__SLOT_STRATEGY] > 1000 &&
                sources_met[CAIRN__SLOT_LAST_GOOD] > 1000 &&
                sources_met[CAIRN__SLOT_DEFAULT] > 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(decides_as_the_documents_say) };
    return cmocka_run_group_tests_name("sdk/decide/oracle", tests, NULL, NULL);
}
