/* Goal: every step of filling a slot does what docs/DECISIONS.md says, and every reason appears.
 * Method: a slot "home" over a few items, one thing changed at a time. */
#include <math.h>
#include <stdio.h>

#include "support/cmocka_all.h"
#include "world.h"

enum { ITEMS = 6 };

/* A slot of three places over the items a..f, in a list, with one strategy. */
typedef struct home {
    world w;
    cairn__item items[ITEMS];
    cairn__item_list lists[3]; /* all; d, e, f; f */
    cairn__recall recall;
    cairn__strategy strategies[2];
    cairn__slot slot;
    cairn__slot_decision decision;
    cairn__slot_ask ask;
} home;

static const uint16_t all_items[] = { 0, 1, 2, 3, 4, 5 };
static const uint16_t last_items[] = { 3, 4, 5 };
static const cairn_property properties[ITEMS][3] = {
    { { { (const uint8_t *)"price", 5 }, { .kind = CAIRN_VALUE_INTEGER, .as.integer = 1 } },
      { { (const uint8_t *)"category", 8 },
        { .kind = CAIRN_VALUE_STRING, .as.string = { (const uint8_t *)"x", 1 } } },
      { { (const uint8_t *)"made", 4 }, { .kind = CAIRN_VALUE_TIME, .as.time_ms = 1000 } } },
    { { { (const uint8_t *)"price", 5 }, { .kind = CAIRN_VALUE_NUMBER, .as.number = 2.5 } },
      { { (const uint8_t *)"category", 8 },
        { .kind = CAIRN_VALUE_STRING, .as.string = { (const uint8_t *)"x", 1 } } },
      { { (const uint8_t *)"made", 4 }, { .kind = CAIRN_VALUE_TIME, .as.time_ms = 500 } } },
    { { { (const uint8_t *)"price", 5 }, { .kind = CAIRN_VALUE_INTEGER, .as.integer = 3 } },
      { { (const uint8_t *)"category", 8 },
        { .kind = CAIRN_VALUE_STRING, .as.string = { (const uint8_t *)"x", 1 } } },
      { { (const uint8_t *)"made", 4 }, { .kind = CAIRN_VALUE_TIME, .as.time_ms = 0 } } },
    { { { (const uint8_t *)"price", 5 }, { .kind = CAIRN_VALUE_INTEGER, .as.integer = 4 } },
      { { (const uint8_t *)"category", 8 },
        { .kind = CAIRN_VALUE_STRING, .as.string = { (const uint8_t *)"y", 1 } } },
      { { (const uint8_t *)"made", 4 }, { .kind = CAIRN_VALUE_TIME, .as.time_ms = 2000 } } },
    { { { (const uint8_t *)"price", 5 }, { .kind = CAIRN_VALUE_INTEGER, .as.integer = 5 } } },
    { { { (const uint8_t *)"price", 5 }, { .kind = CAIRN_VALUE_INTEGER, .as.integer = 6 } } },
};

static int setup(void **state) {
    static home h;
    h = (home){ .ask = { .name = CAIRN_STR("home") } };
    world_open(&h.w);
    for (size_t i = 0; i < ITEMS; i++) {
        static const uint8_t ids[] = "abcdef";
        h.items[i] = (cairn__item){ .id = { ids + i, 1 },
                                    .properties = properties[i],
                                    .property_count = i < 4 ? 3 : 1,
                                    .from_ms = INT64_MIN,
                                    .to_ms = INT64_MAX };
    }
    h.lists[0] = (cairn__item_list){ CAIRN_STR("all"), all_items, ITEMS };
    h.lists[1] = (cairn__item_list){ CAIRN_STR("last"), last_items, 3 };
    h.lists[2] = (cairn__item_list){ CAIRN_STR("f"), all_items + 5, 1 };
    h.recall = (cairn__recall){ .kind = CAIRN__RECALL_LIST };
    for (size_t i = 0; i < 2; i++) {
        h.strategies[i] = (cairn__strategy){ .name = CAIRN_STR("s"),
                                             .recalls = &h.recall,
                                             .recall_count = 1,
                                             .fallback = CAIRN__NO_LIST };
    }
    h.strategies[1].name = CAIRN_STR("t");
    h.slot = (cairn__slot){ .name = CAIRN_STR("home"),
                            .version = 2,
                            .size = 3,
                            .strategies = h.strategies,
                            .strategy_count = 1,
                            .default_list = 2 };
    h.w.definitions.items = h.items;
    h.w.definitions.item_count = ITEMS;
    h.w.definitions.lists = h.lists;
    h.w.definitions.list_count = 3;
    h.w.definitions.slots = &h.slot;
    h.w.definitions.slot_count = 1;
    h.w.input.now_ms = 2000;
    *state = &h;
    return 0;
}

static int teardown(void **state) {
    world_close(&((home *)*state)->w);
    return 0;
}

/* The ids in their places. */
static void expect(home *h, const char *ids) {
    world_ready(&h->w);
    cairn__slot_decision without;
    cairn__decide_slot(h->w.decider, &h->w.input, &h->ask, NULL, &without);
    cairn__buffer_clear(&h->w.answer);
    cairn__decide_slot(h->w.decider, &h->w.input, &h->ask, &h->w.answer, &h->decision);
    assert_false(h->w.answer.failed);
    char text[CAIRN__SLOT_SIZE_MAX + 1] = "";
    for (size_t i = 0; i < h->decision.item_count; i++) {
        text[i] = (char)h->items[h->decision.items[i]].id.data[0];
        assert_int_equal(h->decision.items[i], without.items[i]);
    }
    assert_int_equal(h->decision.item_count, without.item_count);
    assert_string_equal(text, ids);
}

static void the_answer_is_these_bytes(void **state) {
    home *h = *state;
    h->items[1].content = CAIRN_STR("{\"t\":1}");
    h->items[0].to_ms = 2000;
    h->slot.size = 1;
    h->slot.strategy_count = 2;
    expect(h, "b");
    const char *wanted =
        "{\"decide\":\"slot\",\"bundle\":7,\"now\":2000,\"slot\":\"home\",\"version\":2,"
        "\"strategies\":[{\"name\":\"s\",\"reason\":\"chosen\",\"left_out\":["
        "{\"id\":\"a\",\"reason\":\"ended\"},{\"id\":\"c\",\"reason\":\"size\"},"
        "{\"id\":\"d\",\"reason\":\"size\"},{\"id\":\"e\",\"reason\":\"size\"},"
        "{\"id\":\"f\",\"reason\":\"size\"}]},{\"name\":\"t\",\"reason\":\"not_asked\"}],"
        "\"source\":\"strategy\",\"strategy\":\"s\",\"items\":[{\"id\":\"b\",\"position\":1,"
        "\"reason\":\"ranked\",\"content\":{\"t\":1}}]}";
    assert_int_equal(h->w.answer.len, strlen(wanted));
    assert_memory_equal(h->w.answer.data, wanted, h->w.answer.len);
}

static void recall_by_list_rule_recent_and_related(void **state) {
    home *h = *state;
    expect(h, "abc");
    h->recall.count_max = 2;
    expect(h, "ab");
    h->recall = (cairn__recall){ .kind = CAIRN__RECALL_RULE };
    h->recall.where = world_condition(&h->w, "item.price >= user.least");
    world_set(&h->w, CAIRN__RULE_USER, "least", world_integer(4));
    expect(h, "def");
    h->recall = (cairn__recall){ .kind = CAIRN__RECALL_RECENT,
                                 .event = CAIRN_STR("view"),
                                 .property = CAIRN_STR("sku") };
    h->w.recent[0] = CAIRN_STR("e");
    h->w.recent[1] = CAIRN_STR("gone");
    h->w.recent[2] = CAIRN_STR("b");
    h->w.recent_count = 3;
    expect(h, "eb");
    static const uint16_t of_b[] = { 0, 3 };
    static const uint16_t of_e[] = { 3, 5 };
    static const cairn__related related[] = { { 1, of_b, 2 }, { 4, of_e, 2 } };
    h->w.definitions.related = related;
    h->w.definitions.related_count = 2;
    h->recall.kind = CAIRN__RECALL_RELATED;
    expect(h, "dfa"); /* the newest one's first, none twice */
    cairn__recall two[] = { h->recall, { .kind = CAIRN__RECALL_LIST, .list = 1 } };
    two[0].count_max = 1;
    h->strategies[0].recalls = two;
    h->strategies[0].recall_count = 2;
    expect(h, "def"); /* together, each item once */
}

static void items_are_filtered_each_with_its_reason(void **state) {
    home *h = *state;
    h->items[0].from_ms = 2001;
    h->items[1].audience = world_condition(&h->w, "user.vip = true");
    h->items[2].audience = world_condition(&h->w, "tag.seen = \"x\"");
    world_set(&h->w, CAIRN__RULE_TAG, "seen", world_unknown());
    h->strategies[0].filter = world_condition(&h->w, "item.price != 4 and item.price != tag.odd");
    world_set(&h->w, CAIRN__RULE_TAG, "odd", world_integer(9));
    h->strategies[0].bought_event = CAIRN_STR("buy");
    h->strategies[0].bought_property = CAIRN_STR("sku");
    h->w.recent[0] = CAIRN_STR("e");
    h->w.recent_count = 1;
    expect(h, "f");
    assert_true(world_says(&h->w, "a", "not_yet"));
    assert_true(world_says(&h->w, "b", "audience"));
    assert_true(world_says(&h->w, "c", "audience_unknown"));
    assert_true(world_says(&h->w, "d", "filter"));
    assert_true(world_says(&h->w, "e", "bought"));
    world_set(&h->w, CAIRN__RULE_TAG, "odd", world_unknown());
    expect(h, "f"); /* the default */
    assert_true(world_says(&h->w, "f", "filter_unknown"));
    assert_int_equal(h->decision.source, CAIRN__SLOT_DEFAULT);
}

static void items_have_caps_and_do_not_repeat(void **state) {
    home *h = *state;
    const cairn__cap caps[] = { { .window = CAIRN__CAP_ROLLING, .count = 1, .window_ms = 1000 } };
    h->strategies[0].item_caps = caps;
    h->strategies[0].item_cap_count = 1;
    world_note_item(&h->w, "$slot_show", "a", 1001, 1);
    world_note_item(&h->w, "$slot_show", "b", 1000, 2); /* out of the window */
    expect(h, "bcd");
    assert_true(world_says(&h->w, "a", "cap"));
    h->strategies[0].item_cap_count = 0;
    h->strategies[0].no_repeat = 1;
    expect(h, "bcd");
    assert_true(world_says(&h->w, "a", "repeat"));
    h->strategies[0].no_repeat = 2;
    expect(h, "cde");
    world_note_item(&h->w, "$slot_show", "f", 1500, 1);
    expect(h, "bcd"); /* b is no longer one of the last two */
}

static void too_few_are_filled_and_else_the_next_strategy_is_asked(void **state) {
    home *h = *state;
    h->recall.count_max = 1;
    h->strategies[0].min = 3;
    h->strategies[0].fallback = 1;
    h->items[3].to_ms = 0;
    expect(h, "aef");
    h->strategies[0].min = 2;
    expect(h, "ae");          /* no more than needed */
    h->strategies[0].min = 4; /* a slot of 3 never has as many */
    h->slot.strategy_count = 2;
    expect(h, "a");
    assert_true(world_says(&h->w, "s", "too_few"));
    assert_true(world_says(&h->w, "t", "chosen"));
    assert_int_equal(h->decision.strategy, 1);
    h->strategies[1].audience = world_condition(&h->w, "user.vip = true");
    expect(h, "f");
    assert_true(world_says(&h->w, "t", "audience"));
    assert_true(world_has(&h->w, "{\"id\":\"f\",\"position\":1,\"reason\":\"default\""));
    world_set(&h->w, CAIRN__RULE_USER, "vip", world_unknown());
    expect(h, "f");
    assert_true(world_says(&h->w, "t", "audience_unknown"));
}

static void ranked_by_properties_tags_recency_and_recall(void **state) {
    home *h = *state;
    cairn__rank ranks[2] = { { .weight = 1, .property = CAIRN_STR("price") } };
    h->strategies[0].ranks = ranks;
    h->strategies[0].rank_count = 1;
    expect(h, "fed");
    ranks[0].weight = -1;
    expect(h, "abc");
    uint16_t likes = world_fact(&h->w, CAIRN__RULE_TAG, CAIRN_STR("likes"));
    h->w.values[likes] = world_text("y");
    ranks[0].kind = CAIRN__RANK_TAG;
    ranks[0].weight = 1;
    ranks[0].fact = likes;
    ranks[0].property = CAIRN_STR("category");
    expect(h, "dab");
    const cairn_span both[] = { CAIRN_STR("q"), CAIRN_STR("y") };
    h->w.values[likes] = (cairn_value){ .kind = CAIRN_VALUE_LIST, .as.list = { both, 2 } };
    expect(h, "dab");
    h->w.values[likes] = world_unknown();
    expect(h, "abc");
    ranks[0] = (cairn__rank){ .kind = CAIRN__RANK_RECENCY,
                              .weight = 8,
                              .property = CAIRN_STR("made"),
                              .half_life_ms = 1000 };
    expect(h, "dab"); /* 1, 0.5, 0.375, 0.25 */
    ranks[1] = (cairn__rank){ .kind = CAIRN__RANK_RECALL, .weight = 8 };
    h->strategies[0].rank_count = 2;
    expect(h, "adb"); /* 4 + 8, 8 + 2, 3 + 4, 2 + 2.67 */
}

static void no_more_of_a_category_than_wanted(void **state) {
    home *h = *state;
    h->strategies[0].category_max = 1;
    expect(h, "ade"); /* e has none */
    assert_true(world_says(&h->w, "b", "category"));
    h->strategies[0].category_max = 2;
    expect(h, "abd");
}

static void a_script_ranks_if_it_has_run(void **state) {
    home *h = *state;
    h->strategies[0].script = CAIRN_STR("mine");
    expect(h, "abc");
    assert_true(world_has(&h->w, "\"script\":\"script_unavailable\""));
    assert_true(cairn__span_equal(h->decision.script, CAIRN_STR("mine")));
    assert_int_equal(h->decision.pool_count, ITEMS);
    const cairn_span ids[] = { CAIRN_STR("c"), CAIRN_STR("e"), CAIRN_STR("a") };
    const double scores[] = { -1, 5, NAN };
    cairn__slot_scores given = {
        .script = CAIRN_STR("mine"), .items = ids, .scores = scores, .count = 2
    };
    h->ask.scores = &given;
    expect(h, "eca"); /* then those it has not judged, in their order */
    assert_int_equal(h->decision.script.len, 0);
    given.count = 3; /* one score that is no number */
    expect(h, "eca");
    given.script = CAIRN_STR("another");
    expect(h, "abc");
}

static void a_script_that_is_lost_says_why_and_the_terms_rank(void **state) {
    home *h = *state;
    h->strategies[0].script = CAIRN_STR("mine");
    cairn__slot_scores given = { .script = CAIRN_STR("mine") };
    const cairn__why reasons[] = { CAIRN__WHY_SCRIPT_UNAVAILABLE, CAIRN__WHY_SCRIPT_TIMEOUT,
                                   CAIRN__WHY_SCRIPT_MEMORY,      CAIRN__WHY_SCRIPT_ERROR,
                                   CAIRN__WHY_SCRIPT_BUSY,        CAIRN__WHY_SCRIPT_RESULT };
    h->ask.scores = &given;
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        char wanted[64];
        given.lost = reasons[i];
        expect(h, "abc");
        assert_int_equal(h->decision.script.len, 0); /* it is not asked for again */
        (void)snprintf(wanted, sizeof wanted, "\"script\":\"%s\"", cairn__why_text(reasons[i]));
        assert_true(world_has(&h->w, wanted));
    }
    given.lost = (cairn__why)0;
    expect(h, "abc"); /* it ran, and judged none of them */
    assert_false(world_has(&h->w, "\"script\":"));
}

static void never_empty_last_good_then_default_even_an_old_one(void **state) {
    home *h = *state;
    h->strategies[0].filter = world_condition(&h->w, "user.never = true");
    expect(h, "f");
    world_note_item(&h->w, "$slot_show", "e", 1, 3); /* another session */
    h->w.input.session = 2;
    world_note_item(&h->w, "$slot_show", "c", 100, 2);
    world_note_item(&h->w, "$slot_show", "d", 101, 1);
    world_note_item(&h->w, "$slot_show", "gone", 102, 3);
    expect(h, "dc");
    assert_int_equal(h->decision.source, CAIRN__SLOT_LAST_GOOD);
    assert_true(world_says(&h->w, "f", "filter"));
    assert_true(world_has(&h->w, "\"source\":\"last_good\""));
    h->items[2].to_ms = 0;
    h->items[3].to_ms = 0;
    h->items[5].to_ms = 0;
    expect(h, "f"); /* the default, though its time is over */
    h->slot.default_list = CAIRN__NO_LIST;
    expect(h, "");
    assert_int_equal(h->decision.source, CAIRN__SLOT_NOTHING);
    h->ask.name = CAIRN_STR("nowhere");
    expect(h, "");
    assert_true(world_says(&h->w, "nowhere", "unknown_name"));
}

static void paused_or_without_consent_the_default(void **state) {
    home *h = *state;
    h->slot.paused = true;
    expect(h, "f");
    assert_true(world_has(&h->w, "\"reason\":\"paused\""));
    h->w.input.denied = CAIRN__DENIED_PERSONALISATION;
    expect(h, "f");
    assert_true(world_has(&h->w, "\"reason\":\"no_consent\""));
}

static void exploration_prefers_what_is_clicked_and_is_the_same_for_a_seed(void **state) {
    home *h = *state;
    h->slot.size = 2;
    h->strategies[0].exploration = 0.5; /* of two places the second */
    h->recall.list = 1;                 /* d, e, f */
    for (int i = 0; i < 60; i++) {
        world_note_item(&h->w, "$slot_show", "e", i, 1);
        world_note_item(&h->w, "$slot_show", "f", i, 1);
        if (i % 2 == 0) {
            world_note_item(&h->w, "$slot_click", "f", i, 1);
        }
    }
    world_ready(&h->w);
    size_t f = 0;
    for (uint64_t seed = 0; seed < 500; seed++) {
        h->w.input.seed = seed;
        cairn__slot_decision again;
        cairn__decide_slot(h->w.decider, &h->w.input, &h->ask, NULL, &h->decision);
        cairn__decide_slot(h->w.decider, &h->w.input, &h->ask, NULL, &again);
        assert_int_equal(h->decision.items[0], 3); /* the best by rank stays first */
        assert_int_equal(h->decision.items[1], again.items[1]);
        f += h->decision.items[1] == 5;
    }
    assert_in_range(f, 480, 500); /* clicked at a half against never of 60 */
    cairn__buffer_clear(&h->w.answer);
    cairn__decide_slot(h->w.decider, &h->w.input, &h->ask, &h->w.answer, &h->decision);
    assert_true(world_has(&h->w, "\"reason\":\"explored\""));
}

static void the_pool_is_bounded(void **state) {
    home *h = *state;
    enum { MANY = 700 };
    static cairn__item items[MANY];
    static uint16_t numbers[MANY];
    static uint8_t ids[MANY][2];
    for (size_t i = 0; i < MANY; i++) {
        ids[i][0] = (uint8_t)(i / 200 + 1);
        ids[i][1] = (uint8_t)(i % 200 + 1);
        items[i] = (cairn__item){ .id = { ids[i], 2 }, .from_ms = INT64_MIN, .to_ms = INT64_MAX };
        numbers[i] = (uint16_t)i;
    }
    h->w.definitions.items = items;
    h->w.definitions.item_count = MANY;
    h->lists[0] = (cairn__item_list){ CAIRN_STR("all"), numbers, MANY };
    h->strategies[0].script = CAIRN_STR("mine");
    h->slot.size = 200; /* more than there may be places */
    world_ready(&h->w);
    cairn__decide_slot(h->w.decider, &h->w.input, &h->ask, NULL, &h->decision);
    assert_int_equal(h->decision.pool_count, CAIRN__SLOT_POOL_MAX);
    assert_int_equal(h->decision.item_count, CAIRN__SLOT_SIZE_MAX);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_answer_is_these_bytes),
        TEST(recall_by_list_rule_recent_and_related),
        TEST(items_are_filtered_each_with_its_reason),
        TEST(items_have_caps_and_do_not_repeat),
        TEST(too_few_are_filled_and_else_the_next_strategy_is_asked),
        TEST(ranked_by_properties_tags_recency_and_recall),
        TEST(no_more_of_a_category_than_wanted),
        TEST(a_script_ranks_if_it_has_run),
        TEST(a_script_that_is_lost_says_why_and_the_terms_rank),
        TEST(never_empty_last_good_then_default_even_an_old_one),
        TEST(paused_or_without_consent_the_default),
        TEST(exploration_prefers_what_is_clicked_and_is_the_same_for_a_seed),
        TEST(the_pool_is_bounded),
    };
    return cmocka_run_group_tests_name("sdk/decide/slots", tests, NULL, NULL);
}
