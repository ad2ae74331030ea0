/* Goal: every option of a popup does what docs/DECISIONS.md says, and every reason appears.
 * Method: one popup at a time, one thing changed at a time. */
#include "popup_world.h"
#include "rules/pattern.h"
#include "support/cmocka_all.h"

static const cairn_span opened = { (const uint8_t *)"open", 4 };

static void the_answer_is_these_bytes(void **state) {
    world *w = *state;
    cairn__popup p = popup("p");
    use(w, &p, 1);
    w->input.now_ms = -5;
    decide(w);
    const char *wanted =
        "{\"decide\":\"popup\",\"bundle\":7,\"now\":-5,\"by\":\"event\",\"event\":\"open\","
        "\"candidates\":[{\"name\":\"p\",\"reason\":\"show\",\"variant\":\"a\"}],\"controls\":[],"
        "\"outcome\":\"show\",\"popup\":{\"name\":\"p\",\"version\":3,\"variant\":\"a\","
        "\"delay_ms\":0,\"template\":\"modal\",\"content\":{}}}";
    assert_int_equal(w->answer.len, strlen(wanted));
    assert_memory_equal(w->answer.data, wanted, w->answer.len);
}

static void live_from_to_and_pause(void **state) {
    world *w = *state;
    cairn__popup p = popup("p");
    p.from_ms = 100;
    p.to_ms = 200;
    use(w, &p, 1);
    const struct {
        int64_t now_ms;
        const char *reason;
    } cases[] = { { 99, "not_yet" }, { 100, "show" }, { 199, "show" }, { 200, "ended" } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        w->input.now_ms = cases[i].now_ms;
        expect(w, cases[i].reason);
    }
    p.paused = true;
    w->input.now_ms = 150;
    expect(w, "paused");
}

static void a_trigger_wants_an_event_and_its_where(void **state) {
    world *w = *state;
    const cairn_span events[] = { CAIRN_STR("pay"), opened };
    const cairn__trigger triggers[] = {
        { events, 2, world_condition(w, "event.amount > 10") },
        { &opened, 1, world_condition(w, "tag.vip = \"yes\"") },
    };
    cairn__popup p = popup("p");
    p.triggers = triggers;
    p.trigger_count = 2;
    use(w, &p, 1);
    cairn_property amount = { CAIRN_STR("amount"), world_integer(11) };
    w->event.properties = &amount;
    w->event.property_count = 1;
    expect(w, "show");
    amount.value = world_integer(10);
    expect(w, "trigger");
    world_set(w, CAIRN__RULE_TAG, "vip", world_unknown());
    expect(w, "trigger_unknown");
    world_set(w, CAIRN__RULE_TAG, "vip", world_text("yes"));
    expect(w, "show"); /* any of them */
    w->event.name = CAIRN_STR("pay");
    expect(w, "trigger");
    w->event.name = CAIRN_STR("other");
    assert_int_equal(decide(w).outcome, CAIRN__POPUP_NONE);
    assert_true(world_has(w, "\"candidates\":[]")); /* nobody waits for that event */
}

static void pages_are_wanted_and_excluded(void **state) {
    world *w = *state;
    cairn_span pattern;
    cairn__pattern_fault fault;
    assert_int_equal(
        cairn__pattern_compile(CAIRN_STR("^/item/[0-9]+$"), &w->arena, &pattern, &fault), CAIRN_OK);
    const cairn__page pages[] = { { CAIRN__PAGE_IS, false, CAIRN_STR("/home") },
                                  { CAIRN__PAGE_STARTS_WITH, false, CAIRN_STR("/shop/") },
                                  { CAIRN__PAGE_CONTAINS, false, CAIRN_STR("sale") },
                                  { CAIRN__PAGE_MATCHES, false, pattern },
                                  { CAIRN__PAGE_CONTAINS, true, CAIRN_STR("checkout") } };
    cairn__popup p = popup("p");
    p.pages = pages;
    p.page_count = 5;
    use(w, &p, 1);
    const char *const good[] = { "/home", "/shop/", "/shop/x", "/sale", "/a/sale/b", "/item/12" };
    const char *const bad[] = { "", "/home/", "/item/", "/item/1x", "/shop/checkout", "/hom" };
    for (size_t i = 0; i < 6; i++) {
        w->input.page = cairn__span_of(good[i]);
        expect(w, "show");
        w->input.page = cairn__span_of(bad[i]);
        expect(w, "page");
    }
    p.pages = &pages[4]; /* only an exclusion: everywhere else */
    p.page_count = 1;
    w->input.page = CAIRN_STR("/anything");
    expect(w, "show");
    w->input.page = CAIRN_STR("/checkout");
    expect(w, "page");
}

static void audiences_are_true_false_or_unknown_and_asked_once(void **state) {
    world *w = *state;
    const cairn__audience audiences[] = {
        { CAIRN_STR("adult"), world_condition(w, "user.age >= 18") },
        { CAIRN_STR("server"), { .facts = NULL } },
        { CAIRN_STR("both"), world_condition(w, "member(\"adult\") and member(\"server\")") },
    };
    cairn__popup all[] = { popup("p"), popup("q"), popup("r") };
    all[0].audience = world_condition(w, "member(\"both\")");
    all[1].audience = world_condition(w, "member(\"both\") and user.age < 99");
    all[2].audience = world_condition(w, "member(\"adult\")");
    world_audiences(w, audiences, 3);
    use(w, all, 3);
    uint16_t server = w->definitions.audience_facts[1];
    uint16_t age = world_fact(w, CAIRN__RULE_USER, CAIRN_STR("age"));
    w->values[age] = world_integer(20);
    w->values[server] = world_unknown();
    memset(w->asked, 0, sizeof w->asked);
    decide(w);
    assert_true(world_says(w, "p", "audience_unknown"));
    assert_true(world_says(w, "q", "audience_unknown"));
    assert_true(world_says(w, "r", "show"));
    assert_int_equal(w->asked[age], 2); /* once with reasons, once without */
    assert_int_equal(w->asked[server], 2);
    assert_int_equal(w->asked[w->definitions.audience_facts[2]], 0); /* computed */
    w->values[server] = (cairn_value){ .kind = CAIRN_VALUE_BOOLEAN, .as.boolean = true };
    expect(w, "show");
    w->values[age] = world_integer(17);
    expect(w, "audience");
}

static void holdouts_keep_a_part_out(void **state) {
    world *w = *state;
    cairn__popup p = popup("p");
    p.holdout = 0.3;
    use(w, &p, 1);
    w->definitions.holdout_salt = CAIRN_STR("all");
    w->definitions.holdout = 0.2;
    world_ready(w);
    size_t out_of_all = 0;
    size_t out = 0;
    for (int i = 0; i < 2000; i++) {
        uint8_t unit[4] = { (uint8_t)('a' + i % 20), (uint8_t)('a' + i / 20 % 20),
                            (uint8_t)('a' + i / 400), 'x' };
        w->input.unit = (cairn_span){ unit, 4 };
        decide(w);
        out_of_all += world_has(w, "\"reason\":\"holdout_all\"");
        out += world_has(w, "\"reason\":\"holdout\"");
    }
    assert_in_range(out_of_all, 340, 460);
    assert_in_range(out, 400, 560); /* 0.3 of those left */
    w->input.unit = (cairn_span){ NULL, 0 };
    expect(w, "no_unit");
}

static const cairn__variant arms[] = {
    { .name = { (const uint8_t *)"a", 1 }, .weight = 3 },
    { .name = { (const uint8_t *)"none", 4 }, .weight = 1, .control = true },
};

static void control_arms_are_counted_and_the_next_popup_is_shown(void **state) {
    world *w = *state;
    cairn__popup all[] = { popup("p"), popup("q") };
    all[0].variants = arms;
    all[0].variant_count = 2;
    use(w, all, 2);
    size_t controls = 0;
    for (int i = 0; i < 1000; i++) {
        uint8_t unit[3] = { (uint8_t)('a' + i % 10), (uint8_t)('a' + i / 10 % 10),
                            (uint8_t)('a' + i / 100) };
        w->input.unit = (cairn_span){ unit, 3 };
        cairn__popup_decision decision = decide(w);
        bool control = decision.control_count == 1;
        assert_int_equal(decision.outcome, CAIRN__POPUP_SHOW);
        assert_int_equal(decision.chosen.popup, control ? 1 : 0);
        assert_true(world_says(w, "p", control ? "control" : "show"));
        assert_true(world_says(w, "q", control ? "show" : "priority"));
        if (control) {
            assert_int_equal(decision.controls[0].popup, 0);
            assert_int_equal(decision.controls[0].variant, 1);
            assert_true(world_has(w, "\"controls\":[{\"name\":\"p\",\"version\":3,"
                                     "\"variant\":\"none\"}]"));
        }
        controls += control;
    }
    assert_in_range(controls, 200, 300); /* a quarter */
}

static void a_control_arm_is_told_to_the_memory(void **state) {
    world *w = *state;
    static const cairn__cap once[] = { { .window = CAIRN__CAP_EVER, .count = 1 } };
    static const cairn__cap_group groups[] = { { .name = { NULL, 0 } },
                                               { .name = { (const uint8_t *)"g", 1 } } };
    static const uint16_t in[] = { 1 };
    cairn__popup p = popup("p");
    p.variants = arms;
    p.variant_count = 2;
    p.caps = once;
    p.cap_count = 1;
    p.groups = in;
    p.group_count = 1;
    w->definitions.cap_groups = groups;
    w->definitions.cap_group_count = 2;
    use(w, &p, 1);
    cairn_property properties[CAIRN__POPUP_PROPERTIES_MAX];
    cairn_span names[CAIRN__POPUP_GROUPS_MAX];
    cairn__event event = { .name = CAIRN__EVENT_POPUP_SHOW, .properties = properties };
    event.property_count =
        cairn__popup_properties(&w->definitions, (cairn__popup_choice){ 0, 1 }, names, properties);
    assert_int_equal(cairn__memory_note(&w->memory, &event), CAIRN_OK);
    expect(w, "cap");                     /* its own cap counts it, */
    assert_int_equal(w->memory.count, 1); /* the group's and that of all do not */
    w->definitions.popups = &p;
    event.property_count =
        cairn__popup_properties(&w->definitions, (cairn__popup_choice){ 0, 0 }, names, properties);
    assert_int_equal(cairn__memory_note(&w->memory, &event), CAIRN_OK);
    assert_int_equal(w->memory.count, 3);
}

static void no_more_controls_than_fit(void **state) {
    world *w = *state;
    static const cairn__variant only_control[] = {
        { .name = { (const uint8_t *)"c", 1 }, .weight = 1, .control = true }
    };
    static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h", "p" };
    cairn__popup all[9];
    for (size_t i = 0; i < 9; i++) {
        all[i] = popup(names[i]);
        all[i].variants = only_control;
    }
    use(w, all, 9);
    assert_int_equal(decide(w).control_count, CAIRN__POPUP_CONTROLS_MAX);
    assert_true(world_says(w, "h", "control"));
    assert_true(world_says(w, "p", "control_full"));
}

static void priority_and_one_at_a_time(void **state) {
    world *w = *state;
    cairn__popup all[] = { popup("p"), popup("q") };
    all[0].delay_ms = 3000;
    use(w, all, 2);
    cairn__popup_decision decision = decide(w);
    assert_int_equal(decision.outcome, CAIRN__POPUP_WAIT);
    assert_int_equal(decision.delay_ms, 3000);
    assert_true(world_says(w, "p", "wait"));
    assert_true(world_says(w, "q", "priority"));
    cairn__popup_queue queue = { .count = 0 };
    cairn__popup_ask busy = { .how = CAIRN__POPUP_BY_EVENT, .open = true };
    busy.open_name = CAIRN_STR("p");
    busy.queue = &queue;
    decision = ask(w, &busy);
    assert_true(world_says(w, "p", "open"));
    assert_true(world_says(w, "q", "wait"));
    assert_int_equal(decision.delay_ms, 0);
    assert_int_equal(cairn__popup_queue_add(&queue, &all[1], 0), CAIRN_OK);
    ask(w, &busy);
    assert_true(world_says(w, "q", "waiting"));
    busy.queue = NULL;
    ask(w, &busy);
    assert_true(world_says(w, "q", "open")); /* nobody keeps a queue */
}

static void the_queue_is_bounded_and_gives_the_most_urgent(void **state) {
    world *w = *state;
    static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h" };
    cairn__popup_queue queue = { .count = 0 };
    for (size_t i = 0; i < CAIRN__POPUP_QUEUE_MAX; i++) {
        cairn__popup each = popup(names[i]);
        each.priority = i == 5 ? 9 : 1;
        assert_int_equal(cairn__popup_queue_add(&queue, &each, 100 + (int64_t)i), CAIRN_OK);
        assert_int_equal(cairn__popup_queue_add(&queue, &each, 0), CAIRN_OK); /* stays as it is */
    }
    cairn__popup p = popup("p");
    assert_int_equal(cairn__popup_queue_add(&queue, &p, 0), CAIRN_FULL);
    use(w, &p, 1);
    p.delay_ms = 1;
    const cairn__popup_ask full = { .how = CAIRN__POPUP_BY_EVENT, .queue = &queue };
    ask(w, &full);
    assert_true(world_says(w, "p", "queue_full"));
    assert_int_equal(cairn__popup_queue_due(&queue), 100);
    cairn__popup_wait out;
    assert_false(cairn__popup_queue_take(&queue, 99, &out));
    assert_true(cairn__popup_queue_take(&queue, 104, &out));
    assert_int_equal(out.name[0], 'a');
    assert_true(cairn__popup_queue_take(&queue, 105, &out));
    assert_int_equal(out.name[0], 'f'); /* the highest priority of those due */
    assert_false(cairn__popup_queue_take(&queue, 108 + CAIRN__POPUP_WAIT_MS_MAX, &out));
    assert_int_equal(queue.count, 0); /* they had waited too long */
    assert_int_equal(cairn__popup_queue_due(&queue), INT64_MAX);
}

static void by_name_needs_no_trigger_and_from_the_queue_no_delay(void **state) {
    world *w = *state;
    cairn__popup p = popup("p");
    p.manual = true;
    p.delay_ms = 500;
    use(w, &p, 1);
    assert_int_equal(decide(w).outcome, CAIRN__POPUP_NONE); /* no event starts it */
    assert_true(world_has(w, "\"candidates\":[]"));
    w->input.event = NULL;
    cairn__popup_ask named = { .how = CAIRN__POPUP_BY_NAME, .name = CAIRN_STR("p") };
    assert_int_equal(ask(w, &named).outcome, CAIRN__POPUP_WAIT);
    named.how = CAIRN__POPUP_BY_QUEUE;
    cairn__popup_decision decision = ask(w, &named);
    assert_int_equal(decision.outcome, CAIRN__POPUP_SHOW);
    assert_int_equal(decision.delay_ms, 0);
    p.paused = true; /* it is judged again */
    assert_int_equal(ask(w, &named).outcome, CAIRN__POPUP_NONE);
    named.name = CAIRN_STR("gone");
    ask(w, &named);
    assert_true(world_says(w, "gone", "unknown_name"));
}

static void without_consent_nothing_is_shown(void **state) {
    world *w = *state;
    cairn__popup p = popup("p");
    use(w, &p, 1);
    w->input.denied = CAIRN__DENIED_MARKETING;
    expect(w, "no_consent");
    w->input.denied = CAIRN__DENIED_PERSONALISATION;
    expect(w, "show");
}

static void a_goal_converts_once_per_show_within_its_window(void **state) {
    world *w = *state;
    const cairn_span paid = CAIRN_STR("pay");
    const cairn__trigger goal = { &paid, 1, world_condition(w, "event.amount > 5") };
    cairn__popup p = popup("p");
    p.goal = (cairn__goal){ &goal, 1000 };
    use(w, &p, 1);
    cairn__popup_choice converted[CAIRN__POPUP_CONVERSIONS_MAX];
    cairn_property amount = { CAIRN_STR("amount"), world_integer(6) };
    w->event = (cairn__event){ .name = paid, .properties = &amount, .property_count = 1 };
    w->event.time_ms = 2000;
    assert_int_equal(cairn__popup_converted(w->decider, &w->input, converted), 0); /* not shown */
    world_note_popup(w, "$popup_show", "p", 1000);
    assert_int_equal(cairn__popup_converted(w->decider, &w->input, converted), 1);
    assert_int_equal(converted[0].popup, 0);
    w->event.time_ms = 2001;
    assert_int_equal(cairn__popup_converted(w->decider, &w->input, converted), 0); /* too late */
    w->event.time_ms = 999;
    assert_int_equal(cairn__popup_converted(w->decider, &w->input, converted), 0); /* before it */
    w->event.time_ms = 1500;
    amount.value = world_integer(5);
    assert_int_equal(cairn__popup_converted(w->decider, &w->input, converted), 0);
    amount.value = world_integer(6);
    world_note_popup(w, "$popup_convert", "p", 1500);
    assert_int_equal(cairn__popup_converted(w->decider, &w->input, converted), 0); /* has already */
    world_note_popup(w, "$popup_show", "p", 1600);
    w->event.time_ms = 1700;
    assert_int_equal(cairn__popup_converted(w->decider, &w->input, converted), 1);
}

static void another_persons_memory_is_not_mistaken_for_this_ones(void **state) {
    world *w = *state;
    static const cairn__cap once[] = { { .window = CAIRN__CAP_EVER, .count = 1 } };
    cairn__popup all[] = { popup("p"), popup("q") };
    all[0].caps = once;
    all[0].cap_count = 1;
    all[1].caps = once;
    all[1].cap_count = 1;
    use(w, all, 2);
    world_note_popup(w, "$popup_show", "p", 1);
    expect(w, "cap");
    assert_true(world_says(w, "q", "show"));
    cairn__memory_free(&w->memory); /* at the same place, as long, of somebody else */
    world_note_popup(w, "$popup_show", "q", 1);
    expect(w, "show");
    all[0].paused = true;
    decide(w);
    assert_true(world_says(w, "q", "cap"));
    w->input.memory = NULL;
    decide(w);
    assert_true(world_says(w, "q", "show"));
}

typedef struct counting {
    cairn_allocator heap;
    size_t count;
} counting;

static void *count_up(void *self, void *at, size_t old_bytes, size_t new_bytes) {
    counting *c = self;
    c->count += 1;
    return c->heap.resize(c->heap.self, at, old_bytes, new_bytes);
}

static void a_decision_allocates_nothing(void **state) {
    world *w = *state;
    counting c = { cairn__heap(), 0 };
    cairn__popup all[] = { popup("p"), popup("q") };
    all[0].audience = world_condition(w, "user.age > 18 and event.x is not set");
    use(w, all, 2);
    cairn__arena mine = cairn__arena_make((cairn_allocator){ count_up, &c }, 1 << 20);
    cairn__memory memory = cairn__memory_make((cairn_allocator){ count_up, &c });
    cairn__buffer answer = cairn__buffer_make((cairn_allocator){ count_up, &c }, 1 << 20);
    assert_int_equal(cairn__decider_make(&w->definitions, &mine, &w->decider), CAIRN_OK);
    w->input.memory = &memory;
    const cairn__popup_ask by_event = { .how = CAIRN__POPUP_BY_EVENT };
    cairn__popup_decision decision;
    cairn__decide_popup(w->decider, &w->input, &by_event, &answer, &decision);
    size_t before = c.count;
    assert_true(before > 0);
    for (int i = 0; i < 100; i++) {
        cairn__buffer_clear(&answer);
        cairn__decide_popup(w->decider, &w->input, &by_event, i % 2 == 0 ? &answer : NULL,
                            &decision);
    }
    assert_int_equal(c.count, before);
    cairn__buffer_free(&answer);
    cairn__memory_free(&memory);
    cairn__arena_free(&mine);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, popup_setup, popup_teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_answer_is_these_bytes),
        TEST(a_decision_allocates_nothing),
        TEST(live_from_to_and_pause),
        TEST(a_trigger_wants_an_event_and_its_where),
        TEST(pages_are_wanted_and_excluded),
        TEST(audiences_are_true_false_or_unknown_and_asked_once),
        TEST(holdouts_keep_a_part_out),
        TEST(control_arms_are_counted_and_the_next_popup_is_shown),
        TEST(a_control_arm_is_told_to_the_memory),
        TEST(no_more_controls_than_fit),
        TEST(priority_and_one_at_a_time),
        TEST(the_queue_is_bounded_and_gives_the_most_urgent),
        TEST(by_name_needs_no_trigger_and_from_the_queue_no_delay),
        TEST(without_consent_nothing_is_shown),
        TEST(a_goal_converts_once_per_show_within_its_window),
        TEST(another_persons_memory_is_not_mistaken_for_this_ones),
    };
    return cmocka_run_group_tests_name("sdk/decide/popups", tests, NULL, NULL);
}
