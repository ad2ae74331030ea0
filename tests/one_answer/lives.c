/* lives.c: random lives: who the person is, where, what it does, and when it is asked for. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "world.h"

enum { MOMENTS_OF_DECISIONS = 3, HOUR_MS = 3600000 };

/* --- steps in bytes --------------------------------------------------------------------------- */

static void add_u16(cairn__buffer *to, size_t value) {
    cairn__buffer_byte(to, (uint8_t)value);
    cairn__buffer_byte(to, (uint8_t)(value >> 8));
}

static void add_text(cairn__buffer *to, cairn_span text) {
    cairn__buffer_u32(to, (uint32_t)text.len);
    cairn__buffer_append(to, text);
}

static void add_name(cairn__buffer *to, cairn_span text) {
    add_u16(to, text.len);
    cairn__buffer_append(to, text);
}

static void add_value(cairn__buffer *to, const cairn_value *value) {
    uint64_t bits = 0;
    switch (value->kind) {
    case CAIRN_VALUE_NULL:
        break;
    case CAIRN_VALUE_BOOLEAN:
        cairn__buffer_byte(to, value->as.boolean ? 1 : 0);
        break;
    case CAIRN_VALUE_INTEGER:
        cairn__buffer_u64(to, (uint64_t)value->as.integer);
        break;
    case CAIRN_VALUE_TIME:
        cairn__buffer_u64(to, (uint64_t)value->as.time_ms);
        break;
    case CAIRN_VALUE_NUMBER:
        memcpy(&bits, &value->as.number, sizeof bits);
        cairn__buffer_u64(to, bits);
        break;
    case CAIRN_VALUE_STRING:
        add_text(to, value->as.string);
        break;
    case CAIRN_VALUE_LIST:
        add_u16(to, value->as.list.count);
        for (size_t i = 0; i < value->as.list.count; i++) {
            add_text(to, value->as.list.items[i]);
        }
        break;
    }
}

typedef struct block {
    cairn_span name, value;
    const cairn_property *properties;
    size_t count;
} block;

static void add_step(cairn__buffer *to, step_kind kind, uint32_t method, const block *b) {
    cairn__buffer_byte(to, (uint8_t)kind);
    cairn__buffer_u32(to, method);
    size_t length_at = to->len;
    cairn__buffer_u32(to, 0);
    add_name(to, b->name);
    add_name(to, b->value);
    add_u16(to, b->count);
    for (size_t i = 0; i < b->count; i++) {
        cairn__buffer_byte(to, (uint8_t)b->properties[i].value.kind);
        add_name(to, b->properties[i].name);
        add_value(to, &b->properties[i].value);
    }
    CAIRN_ASSERT(!to->failed);
    size_t len = to->len - length_at - 4;
    for (size_t i = 0; i < 4; i++) {
        to->data[length_at + i] = (uint8_t)(len >> (8 * i));
    }
}

static void set_now(cairn__buffer *to, int64_t now_ms) {
    double as_number = (double)now_ms;
    uint64_t bits = 0;
    memcpy(&bits, &as_number, sizeof bits);
    cairn__buffer_byte(to, STEP_NOW);
    cairn__buffer_u32(to, 0);
    cairn__buffer_u32(to, sizeof bits);
    cairn__buffer_u64(to, bits);
}

static void ask_named(cairn__buffer *to, uint32_t method, const char *name) {
    add_step(to, STEP_ASK, method, &(block){ .name = cairn__span_of(name) });
}

/* --- who and where ---------------------------------------------------------------------------- */

static void log_in(world *w, cairn__buffer *to, size_t number) {
    const char *name =
        world_text(w, "u%d-%llu-%zu", (int)w->kind, (unsigned long long)w->seed, number);
    add_step(to, STEP_CALL, CALL_LOGIN,
             &(block){ .name = CAIRN_STR("login"), .value = cairn__span_of(name) });
}

static void write_profile(world *w, cairn__buffer *to) {
    cairn_property set[WORLD_USER_PROPERTIES];
    cairn_property gone[WORLD_USER_PROPERTIES];
    size_t gone_count = 0;
    size_t count = world_user(w, set, gone, &gone_count);
    if (count > 0) {
        add_step(to, STEP_CALL, CALL_PROFILE_SET, &(block){ .properties = set, .count = count });
    }
    add_step(to, STEP_CALL, CALL_PROFILE_UNSET,
             &(block){ .properties = gone, .count = gone_count });
}

static void set_place(world *w, cairn__buffer *to) {
    cairn_property device[WORLD_DEVICE_PROPERTIES];
    static const char *const pages[] = { "/", "/p/12", "/p/x", "" };
    size_t count = world_device(w, device);
    bool rules = w->kind == WORLD_OF_RULES;
    const char *zone = rules || world_roll(w, 3) > 0 ? w->user_zone.name : "";
    add_step(to, STEP_ASK, ASK_DEVICE, &(block){ .properties = device, .count = count });
    ask_named(to, ASK_ZONE, zone);
    add_step(to, STEP_ASK, ASK_PAGE, &(block){ .value = cairn__span_of(pages[world_roll(w, 4)]) });
}

/* --- what is asked ---------------------------------------------------------------------------- */

static void ask_event(world *w, cairn__buffer *to, const gen_case *person) {
    const cairn__event *like = person->event_count == 0
                                   ? NULL
                                   : &person->events[world_roll(w, (unsigned)person->event_count)];
    for (unsigned i = 0; i < WORLD_EVENTS; i++) {
        block b = { .name = cairn__span_of(gen_event_names[i]) };
        if (like != NULL) {
            b.properties = like->properties;
            b.count = like->property_count;
        }
        add_step(to, STEP_ASK, ASK_EVENT, &b);
    }
}

static void ask_all(world *w, cairn__buffer *to, const gen_case *person) {
    ask_named(to, ASK_EXPERIMENTS, "");
    if (w->kind == WORLD_OF_RULES) {
        return;
    }
    ask_event(w, to, person);
    for (unsigned i = 0; i <= WORLD_POPUPS; i++) { /* one that there is not, too */
        ask_named(to, ASK_POPUP, world_text(w, "p%02u", i));
    }
    for (unsigned i = 0; i <= WORLD_SLOTS; i++) {
        ask_named(to, ASK_SLOT, world_text(w, "s%u", i));
    }
    for (unsigned i = 0; i <= WORLD_EXPERIMENTS; i++) {
        ask_named(to, ASK_EXPERIMENT, world_text(w, "e%u", i));
    }
}

/* --- what happens ----------------------------------------------------------------------------- */

static void look_around(world *w, cairn__buffer *to) {
    static const uint32_t acts[] = { ASK_SLOT_SHOWN, ASK_SLOT_SHOWN, ASK_SLOT_CLICKED };
    const cairn_property place = {
        CAIRN_STR("position"), { CAIRN_VALUE_INTEGER, { .integer = 1 + (int64_t)world_roll(w, 3) } }
    };
    unsigned slot = world_roll(w, WORLD_SLOTS);
    const char *item = world_text(w, "i%u", slot * 100 + world_roll(w, 8));
    const block b = { cairn__span_of(world_text(w, "s%u", slot)), cairn__span_of(item), &place, 1 };
    add_step(to, STEP_ASK, acts[world_roll(w, 3)], &b);
    if (world_roll(w, 3) == 0) {
        ask_named(to, ASK_EXPOSE, world_text(w, "e%u", world_roll(w, WORLD_EXPERIMENTS)));
    }
    if (world_roll(w, 3) == 0) {
        ask_named(to, ASK_SHOW, world_text(w, "p%02u", world_roll(w, WORLD_POPUPS)));
    }
}

static void live(world *w, world_life *life, size_t number) {
    cairn__buffer *to = &life->steps;
    const gen_case *person = &life->person;
    bool rules = w->kind == WORLD_OF_RULES;
    int at = person->event_count == 0 ? 0 : (int)world_roll(w, (unsigned)person->event_count);
    int64_t first_ms = person->event_count > 0 ? person->events[0].time_ms : person->now_ms;
    set_now(to, first_ms < person->now_ms ? first_ms : person->now_ms);
    set_place(w, to);
    for (int i = 0; i < person->event_count; i++) {
        const cairn__event *event = &person->events[i];
        set_now(to, event->time_ms);
        if (i == at) {
            log_in(w, to, number);
        }
        add_step(to, STEP_CALL, CALL_TRACK,
                 &(block){ event->name, { NULL, 0 }, event->properties, event->property_count });
        if (!rules && world_roll(w, 3) == 0) {
            look_around(w, to);
        }
    }
    write_profile(w, to);
}

/* Popups that wait are the device's own affair: half an hour later none does any more. */
static void come_to_rest(const world *w, cairn__buffer *to, int64_t *now_ms) {
    set_now(to, *now_ms); /* the clock may be set back here: only the next step lets time pass */
    if (w->kind == WORLD_OF_DECISIONS) {
        *now_ms += HOUR_MS / 2;
        set_now(to, *now_ms);
    }
}

static void make_life(world *w, size_t number) {
    world_life *life = &w->lives[number];
    uint64_t seed = (uint64_t)world_roll(w, UINT32_MAX) << 8;
    bool rules = w->kind == WORLD_OF_RULES;
    int moments = rules ? WORLD_RULE_MOMENTS : MOMENTS_OF_DECISIONS;
    for (size_t i = 0; i < SEED_BYTES; i++) {
        life->seed[i] = (uint8_t)world_roll(w, 256);
    }
    history_gen_make(&life->person, seed, &w->zone, &w->user_zone);
    life->person.complete_from_ms = INT64_MIN; /* the device has seen all of it */
    live(w, life, number);
    int64_t now_ms = life->person.now_ms;
    for (int i = 0; i < moments; i++) {
        come_to_rest(w, &life->steps, &now_ms);
        ask_all(w, &life->steps, &life->person);
        now_ms += (int64_t)world_roll(w, i == 0 ? 90 : 3000) * 60000 + world_roll(w, 1000);
        if (!rules) {
            set_now(&life->steps, now_ms);
            look_around(w, &life->steps);
            const block b = { .name = cairn__span_of(gen_event_names[world_roll(w, 4)]) };
            add_step(&life->steps, STEP_CALL, CALL_TRACK, &b);
        }
    }
}

void world_make_lives(world *w) {
    for (size_t i = 0; i < WORLD_LIVES; i++) {
        make_life(w, i);
    }
}
