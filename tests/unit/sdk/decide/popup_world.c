#include "popup_world.h"

#include "support/cmocka_all.h"

static const cairn_span opened = { (const uint8_t *)"open", 4 };
static const cairn__trigger on_open = { .events = &opened, .event_count = 1 };
static const cairn__variant plain[] = {
    { .name = { (const uint8_t *)"a", 1 }, .weight = 1, .content = { (const uint8_t *)"{}", 2 } }
};

cairn__popup popup(const char *name) {
    return (cairn__popup){ .name = cairn__span_of(name),
                           .version = 3,
                           .triggers = &on_open,
                           .trigger_count = 1,
                           .from_ms = INT64_MIN,
                           .to_ms = INT64_MAX,
                           .variants = plain,
                           .variant_count = 1,
                           .template_name = CAIRN_STR("modal") };
}

void use(world *w, const cairn__popup *popups, size_t count) {
    w->definitions.popups = popups;
    w->definitions.popup_count = count;
    world_ready(w);
    w->event = (cairn__event){ .name = opened };
    w->input.event = &w->event;
}

cairn__popup_decision ask(world *w, const cairn__popup_ask *how) {
    cairn__popup_decision with;
    cairn__popup_decision without;
    cairn__buffer_clear(&w->answer);
    cairn__decide_popup(w->decider, &w->input, how, &w->answer, &with);
    cairn__decide_popup(w->decider, &w->input, how, NULL, &without);
    assert_false(w->answer.failed);
    assert_int_equal(with.outcome, without.outcome);
    assert_int_equal(with.control_count, without.control_count);
    if (with.outcome != CAIRN__POPUP_NONE) {
        assert_int_equal(with.chosen.popup, without.chosen.popup);
        assert_int_equal(with.chosen.variant, without.chosen.variant);
        assert_int_equal(with.delay_ms, without.delay_ms);
    }
    return with;
}

cairn__popup_decision decide(world *w) {
    const cairn__popup_ask by_event = { .how = CAIRN__POPUP_BY_EVENT };
    return ask(w, &by_event);
}

void expect(world *w, const char *reason) {
    decide(w);
    assert_true(world_says(w, "p", reason));
}

int popup_setup(void **state) {
    static world w;
    world_open(&w);
    *state = &w;
    return 0;
}

int popup_teardown(void **state) {
    world_close(*state);
    return 0;
}
