/* Goal: caps are exact: what was durable before something was shown is remembered after any crash,
 * by the person it was shown to; nothing is remembered that did not happen.
 * Method: random lives of two persons who take turns at a device; popups are shown, writes fail,
 * processes die while they write. After each death, first without, then with the queue's help. */
#include "device.h"
#include "support/cmocka_all.h"

#include <stdlib.h>

#include "base/bytes.h"

enum { LIVES = 150, STEPS = 120, PERSONS = 2, SHOWS_MAX = 1000 };

typedef struct shown {
    int person;
    uint64_t seq;
    uint32_t ticket;
    bool durable;
    bool gone; /* its process is dead: the ticket says nothing any more */
} shown;

typedef struct turn {
    int person;
    uint64_t seq;
} turn;

typedef struct world {
    device d;
    shown shows[SHOWS_MAX];
    size_t show_count;
    turn turns[SHOWS_MAX];
    size_t turn_count;
    int person;
} world;

static const char *const people[PERSONS] = { "ann", "bob" };
static const cairn_property popup = { { (const uint8_t *)"popup", 5 },
                                      { CAIRN_VALUE_STRING,
                                        { .string = { (const uint8_t *)"sale", 4 } } } };

static void give_show(world *w, uint64_t seq) {
    w->d.seq = seq - 1;
    device_note(&w->d, (cairn__event){ .name = CAIRN__EVENT_POPUP_SHOW,
                                       .properties = &popup,
                                       .property_count = 1 });
}

static void show(world *w) {
    shown *one = &w->shows[w->show_count++];
    *one = (shown){ .person = w->person, .seq = w->d.seq + 1 };
    give_show(w, one->seq);
    one->ticket = cairn__local_ticket(w->d.local);
}

static void take_turn(world *w, int person) {
    w->person = person;
    w->turns[w->turn_count++] = (turn){ person, w->d.seq + 1 };
    device_login(&w->d, people[person]);
}

static void look_at_tickets(world *w) {
    for (size_t i = 0; i < w->show_count; i++) {
        shown *one = &w->shows[i];
        one->durable =
            one->durable || (!one->gone && cairn__local_is_durable(w->d.local, one->ticket));
    }
}

static uint32_t remembered(world *w) {
    const cairn__memory *memory = cairn__local_memory(w->d.local);
    assert_non_null(memory);
    const cairn__memory_entry *entry =
        cairn__memory_find(memory, CAIRN__MEMORY_POPUP, CAIRN_STR("sale"), CAIRN_STR(""));
    return entry == NULL ? 0 : entry->counts[CAIRN__CAP_SHOWS].total;
}

/* Of the current person: what must be remembered, and what may be. */
static void check(world *w, int person, bool all) {
    uint32_t durable = 0;
    uint32_t ever = 0;
    for (size_t i = 0; i < w->show_count; i++) {
        durable += w->shows[i].person == person && w->shows[i].durable ? 1 : 0;
        ever += w->shows[i].person == person ? 1 : 0;
    }
    uint32_t count = remembered(w);
    assert_true(count >= (all ? ever : durable) && count <= ever);
}

/* What the queue has and the device's memory lost, in its order. */
static void renote(world *w) {
    uint64_t end = w->d.seq;
    uint64_t from = cairn__local_last_seq(w->d.local);
    for (uint64_t seq = from + 1; seq <= end; seq++) {
        w->d.seq = seq - 1;
        for (size_t i = 0; i < w->turn_count; i++) {
            if (w->turns[i].seq == seq) {
                device_login(&w->d, people[w->turns[i].person]);
            }
        }
        if (w->d.seq < seq) {
            give_show(w, seq);
        }
    }
}

static int person_at(const world *w, uint64_t seq) {
    int person = -1;
    for (size_t i = 0; i < w->turn_count; i++) {
        person = w->turns[i].seq <= seq ? w->turns[i].person : person;
    }
    return person;
}

static void die(world *w) {
    uint64_t end = w->d.seq;
    look_at_tickets(w);
    for (size_t i = 0; i < w->show_count; i++) {
        w->shows[i].gone = true;
    }
    device_crash(&w->d);
    device_boot(&w->d);
    int then = person_at(w, cairn__local_last_seq(w->d.local));
    if (then >= 0) {
        check(w, then, false);
    }
    w->d.seq = end;
    renote(w);
    assert_int_equal(w->d.seq, end);
    check(w, w->person, true);
}

static void step(world *w) {
    uint64_t what = store_random(&w->d.disk, 20);
    if (what < 7) {
        show(w);
    } else if (what < 9) {
        take_turn(w, (int)store_random(&w->d.disk, PERSONS));
        check(w, w->person, true);
    } else if (what < 15) {
        store_commit_one(&w->d.disk, w->d.local, store_random(&w->d.disk, 8) != 0);
    } else if (what < 17) {
        store_commit(&w->d.disk, w->d.local);
    } else if (what < 18) {
        (void)cairn__local_pump(w->d.local, INT64_C(1000000));
    } else if (what < 19) {
        die(w);
    }
    look_at_tickets(w);
    w->d.now_ms += 1000;
}

static void what_was_durable_is_remembered_after_any_crash(void **state) {
    (void)state;
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    for (uint64_t life = 0; life < LIVES; life++) {
        memset(w, 0, sizeof *w);
        device_init(&w->d, 100 + life);
        device_boot(&w->d);
        take_turn(w, 0);
        for (int i = 0; i < STEPS; i++) {
            step(w);
        }
        device_free(&w->d);
    }
    free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_durable_is_remembered_after_any_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
