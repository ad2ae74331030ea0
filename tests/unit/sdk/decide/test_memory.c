/* Goal: counters are what happened, whatever the order and however often they are written and read.
 * Method: random events in random orders; an oracle that keeps every event in a list and counts. */
#include "decide/memory.h"

#include "base/bytes.h"
#include "support/cmocka_all.h"

enum { EVENTS_MAX = 400, NAMES = 5, PROPERTIES = 8 };

typedef struct happened {
    cairn__event event;
    cairn_property properties[PROPERTIES];
    cairn_span groups[3];
} happened;

static const cairn_span names[NAMES] = { { (const uint8_t *)"a", 1 },
                                         { (const uint8_t *)"b", 1 },
                                         { (const uint8_t *)"c", 1 },
                                         { (const uint8_t *)"d", 1 },
                                         { (const uint8_t *)"e", 1 } };
static const cairn_span none = { NULL, 0 };

static uint64_t next(uint64_t *seed) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

static void put_text(happened *to, cairn_span name, cairn_span text) {
    to->properties[to->event.property_count].name = name;
    to->properties[to->event.property_count].value =
        (cairn_value){ .kind = CAIRN_VALUE_STRING, .as.string = text };
    to->event.property_count += 1;
    to->event.properties = to->properties;
}

static void put_integer(happened *to, cairn_span name, int64_t integer) {
    to->properties[to->event.property_count].name = name;
    to->properties[to->event.property_count].value =
        (cairn_value){ .kind = CAIRN_VALUE_INTEGER, .as.integer = integer };
    to->event.property_count += 1;
    to->event.properties = to->properties;
}

static void put_groups(happened *to, size_t count) {
    to->properties[to->event.property_count].name = CAIRN_STR("groups");
    to->properties[to->event.property_count].value =
        (cairn_value){ .kind = CAIRN_VALUE_LIST, .as.list = { to->groups, count } };
    to->event.property_count += 1;
}

static void put_control(happened *to) {
    to->properties[to->event.property_count].name = CAIRN_STR("control");
    to->properties[to->event.property_count].value =
        (cairn_value){ .kind = CAIRN_VALUE_BOOLEAN, .as.boolean = true };
    to->event.property_count += 1;
}

static void random_event(happened *to, uint64_t *seed) {
    static const cairn_span events[] = {
        { (const uint8_t *)"$popup_show", 11 },         { (const uint8_t *)"$popup_click", 12 },
        { (const uint8_t *)"$popup_convert", 14 },      { (const uint8_t *)"$popup_close", 12 },
        { (const uint8_t *)"$slot_show", 10 },          { (const uint8_t *)"$slot_click", 11 },
        { (const uint8_t *)"$experiment_exposure", 20 }
    };
    size_t which = next(seed) % 7;
    *to = (happened){ .event = { .name = events[which],
                                 .time_ms = (int64_t)(next(seed) % 300),
                                 .session = next(seed) % 3 } };
    if (which < 4) {
        put_text(to, CAIRN_STR("popup"), names[next(seed) % NAMES]);
        put_text(to, CAIRN_STR("variant"), names[next(seed) % NAMES]);
        to->groups[0] = names[next(seed) % NAMES];
        to->groups[1] = names[next(seed) % NAMES];
        put_groups(to, next(seed) % 3);
        if (next(seed) % 4 == 0) {
            put_control(to);
        }
    } else if (which < 6) {
        put_text(to, CAIRN_STR("slot"), names[next(seed) % 2]);
        put_text(to, CAIRN_STR("item"), names[next(seed) % NAMES]);
        put_integer(to, CAIRN_STR("position"), (int64_t)(next(seed) % 9));
    } else {
        put_text(to, CAIRN_STR("experiment"), names[next(seed) % NAMES]);
        put_text(to, CAIRN_STR("variant"), names[next(seed) % NAMES]);
        put_integer(to, CAIRN_STR("sticky_version"), (int64_t)(next(seed) % 3));
        put_integer(to, CAIRN_STR("unit"), (int64_t)(next(seed) % 4));
    }
}

static cairn_span text_of(const happened *from, const char *name) {
    for (size_t i = 0; i < from->event.property_count; i++) {
        if (cairn__span_equal(from->properties[i].name, cairn__span_of(name)) &&
            from->properties[i].value.kind == CAIRN_VALUE_STRING) {
            return from->properties[i].value.as.string;
        }
    }
    return none;
}

static bool has_control(const happened *from) {
    return from->properties[from->event.property_count - 1].value.kind == CAIRN_VALUE_BOOLEAN;
}

static bool in_group(const happened *from, cairn_span group) {
    if (has_control(from)) {
        return false;
    }
    const cairn_value *value = &from->properties[2].value; /* where random_event puts groups */
    bool found = group.len == 0;
    for (size_t i = 0; i < value->as.list.count; i++) {
        found = found || cairn__span_equal(value->as.list.items[i], group);
    }
    return found;
}

/* Does this event count for the entry, as what? -1: no. */
static int counts_as(const happened *from, cairn__memory_kind kind, cairn_span name,
                     cairn_span item) {
    static const char *const popup_events[] = { "$popup_show", "$popup_click", "$popup_convert",
                                                "$popup_close" };
    for (int i = 0; i < 4; i++) {
        if (cairn__span_equal(from->event.name, cairn__span_of(popup_events[i]))) {
            bool counted = kind == CAIRN__MEMORY_POPUP
                               ? cairn__span_equal(text_of(from, "popup"), name)
                               : kind == CAIRN__MEMORY_GROUP && in_group(from, name);
            return counted ? i : -1;
        }
    }
    if (cairn__span_equal(from->event.name, CAIRN__EVENT_EXPOSURE)) {
        bool counted = kind == CAIRN__MEMORY_EXPERIMENT &&
                       cairn__span_equal(text_of(from, "experiment"), name);
        return counted ? CAIRN__CAP_SHOWS : -1;
    }
    bool counted = kind == CAIRN__MEMORY_ITEM && cairn__span_equal(text_of(from, "slot"), name) &&
                   cairn__span_equal(text_of(from, "item"), item);
    bool show = cairn__span_equal(from->event.name, CAIRN__EVENT_SLOT_SHOW);
    return counted ? (show ? CAIRN__CAP_SHOWS : CAIRN__CAP_CLICKS) : -1;
}

static void check_count(const cairn__memory_count *count, const happened *all, size_t event_count,
                        const cairn__memory_entry *entry, int what) {
    uint32_t total = 0;
    for (size_t i = 0; i < event_count; i++) {
        if (counts_as(&all[i], (cairn__memory_kind)entry->kind, entry->name, entry->item) != what) {
            continue;
        }
        total += 1;
        uint32_t in_list = 0;
        uint32_t in_memory = 0;
        uint32_t newer = 0;
        for (size_t k = 0; k < event_count; k++) {
            const cairn__event *other = &all[k].event;
            if (counts_as(&all[k], (cairn__memory_kind)entry->kind, entry->name, entry->item) ==
                what) {
                in_list += other->time_ms == all[i].event.time_ms &&
                           other->session == all[i].event.session;
                newer += other->time_ms > all[i].event.time_ms ||
                         (other->time_ms == all[i].event.time_ms &&
                          other->session > all[i].event.session);
            }
        }
        for (size_t k = 0; k < count->mark_count; k++) {
            in_memory += count->marks[k].time_ms == all[i].event.time_ms &&
                         count->marks[k].session == all[i].event.session;
        }
        uint32_t room = newer < CAIRN__MEMORY_MARKS_MAX ? CAIRN__MEMORY_MARKS_MAX - newer : 0;
        assert_int_equal(in_memory, in_list < room ? in_list : room);
    }
    assert_int_equal(count->total, total);
    assert_int_equal(count->mark_count,
                     total < CAIRN__MEMORY_MARKS_MAX ? total : CAIRN__MEMORY_MARKS_MAX);
    for (size_t k = 1; k < count->mark_count; k++) {
        assert_true(count->marks[k - 1].time_ms >= count->marks[k].time_ms);
    }
}

static void check_against(const cairn__memory *memory, const happened *all, size_t event_count) {
    size_t counted = 0;
    for (uint32_t i = 0; i < memory->count; i++) {
        for (int what = 0; what < CAIRN__MEMORY_COUNTS; what++) {
            const cairn__memory_entry *entry = &memory->entries[i];
            check_count(&entry->counts[what], all, event_count, entry, what);
            counted += entry->kind == CAIRN__MEMORY_GROUP && entry->name.len > 0
                           ? 0
                           : entry->counts[what].total;
        }
    }
    size_t wanted = 0; /* nothing is missing: each event once, and once for all popups */
    for (size_t i = 0; i < event_count; i++) {
        bool popup = text_of(&all[i], "popup").len > 0;
        wanted += popup && !has_control(&all[i]) ? 2 : 1;
    }
    assert_int_equal(counted, wanted);
}

static void same(const cairn__memory *a, const cairn__memory *b) {
    assert_int_equal(a->count, b->count);
    for (uint32_t i = 0; i < a->count; i++) {
        const cairn__memory_entry *x = &a->entries[i];
        const cairn__memory_entry *y =
            cairn__memory_find(b, (cairn__memory_kind)x->kind, x->name, x->item);
        assert_non_null(y);
        for (size_t k = 0; k < CAIRN__MEMORY_COUNTS; k++) {
            assert_int_equal(x->counts[k].total, y->counts[k].total);
            assert_int_equal(x->counts[k].mark_count, y->counts[k].mark_count);
            if (x->counts[k].mark_count > 0) {
                assert_memory_equal(x->counts[k].marks, y->counts[k].marks,
                                    x->counts[k].mark_count * sizeof(cairn__memory_mark));
            }
        }
        assert_true(cairn__span_equal(x->variant, y->variant));
        assert_int_equal(x->since_ms, y->since_ms);
        assert_int_equal(x->version, y->version);
        assert_int_equal(x->unit, y->unit);
        assert_int_equal(x->position, y->position);
    }
}

static void note_all(cairn__memory *memory, const happened *all, size_t count) {
    for (size_t i = 0; i < count; i++) {
        cairn__event event = all[i].event;
        event.properties = all[i].properties;
        assert_int_equal(cairn__memory_note(memory, &event), CAIRN_OK);
    }
}

static happened events[EVENTS_MAX];

static size_t random_events(uint64_t *seed) {
    size_t count = next(seed) % EVENTS_MAX;
    for (size_t i = 0; i < count; i++) {
        random_event(&events[i], seed);
    }
    /* the lists point into the events, which moves would break: only the order of noting differs */
    return count;
}

static void counts_what_happened_in_whatever_order(void **state) {
    (void)state;
    for (uint64_t run = 0; run < 60; run++) {
        uint64_t seed = run;
        size_t count = random_events(&seed);
        cairn__memory forth = cairn__memory_make(cairn__heap());
        cairn__memory back = cairn__memory_make(cairn__heap());
        note_all(&forth, events, count);
        for (size_t i = count; i > 0; i--) {
            note_all(&back, &events[i - 1], 1);
        }
        check_against(&forth, events, count);
        same(&forth, &back);
        cairn__memory_free(&forth);
        cairn__memory_free(&back);
    }
}

static void two_persons_become_one_as_if_they_had_always_been(void **state) {
    (void)state;
    for (uint64_t run = 0; run < 60; run++) {
        uint64_t seed = run + 1000;
        size_t count = random_events(&seed);
        size_t cut = count == 0 ? 0 : next(&seed) % count;
        cairn__memory whole = cairn__memory_make(cairn__heap());
        cairn__memory first = cairn__memory_make(cairn__heap());
        cairn__memory second = cairn__memory_make(cairn__heap());
        note_all(&whole, events, count);
        note_all(&first, events, cut);
        note_all(&second, events + cut, count - cut);
        assert_int_equal(cairn__memory_merge(&second, &first), CAIRN_OK);
        same(&whole, &second);
        cairn__memory_free(&whole);
        cairn__memory_free(&first);
        cairn__memory_free(&second);
    }
}

static void reads_what_it_wrote_and_refuses_every_cut(void **state) {
    (void)state;
    for (uint64_t run = 0; run < 20; run++) {
        uint64_t seed = run + 2000;
        cairn__memory memory = cairn__memory_make(cairn__heap());
        note_all(&memory, events, random_events(&seed));
        cairn__buffer bytes = cairn__buffer_make(cairn__heap(), 1 << 20);
        cairn__memory_write(&memory, &bytes);
        assert_false(bytes.failed);
        cairn__memory again = cairn__memory_make(cairn__heap());
        assert_int_equal(cairn__memory_read(&again, cairn__buffer_span(&bytes)), CAIRN_OK);
        same(&memory, &again);
        assert_true(memory.shape == again.shape);
        for (size_t cut = 0; cut < bytes.len; cut += 1 + cut / 50) {
            cairn__memory part = cairn__memory_make(cairn__heap());
            assert_int_equal(cairn__memory_read(&part, (cairn_span){ bytes.data, cut }),
                             CAIRN_INVALID);
            assert_int_equal(part.count, 0);
        }
        bytes.data[3] = 9;
        cairn__memory_free(&again);
        assert_int_equal(cairn__memory_read(&again, cairn__buffer_span(&bytes)), CAIRN_UNSUPPORTED);
        cairn__buffer_free(&bytes);
        cairn__memory_free(&memory);
    }
}

static void events_that_do_not_fit_change_nothing(void **state) {
    (void)state;
    cairn__memory memory = cairn__memory_make(cairn__heap());
    happened odd = { .event = { .name = CAIRN__EVENT_POPUP_SHOW } };
    put_integer(&odd, CAIRN_STR("popup"), 4);
    note_all(&memory, &odd, 1);
    static uint8_t long_name[CAIRN__DEFINITION_NAME_BYTES_MAX + 1];
    odd = (happened){ .event = { .name = CAIRN__EVENT_POPUP_SHOW } };
    put_text(&odd, CAIRN_STR("popup"), cairn__span(long_name, sizeof long_name));
    note_all(&memory, &odd, 1);
    odd = (happened){ .event = { .name = CAIRN__EVENT_EXPOSURE } };
    put_text(&odd, CAIRN_STR("experiment"), names[0]); /* no variant: nothing was assigned */
    note_all(&memory, &odd, 1);
    odd = (happened){ .event = { .name = CAIRN__EVENT_POPUP_SHOW,
                                 .kind = CAIRN__EVENT_PROFILE_SET } };
    put_text(&odd, CAIRN_STR("popup"), names[0]);
    note_all(&memory, &odd, 1);
    odd = (happened){ .event = { .name = CAIRN_STR("purchase") } };
    put_text(&odd, CAIRN_STR("popup"), names[0]);
    note_all(&memory, &odd, 1);
    assert_int_equal(memory.count, 0);
    odd = (happened){ .event = { .name = CAIRN__EVENT_POPUP_SHOW, .kind = CAIRN__EVENT_DECISION } };
    put_text(&odd, CAIRN_STR("popup"), names[0]);
    note_all(&memory, &odd, 1);
    assert_int_equal(memory.count, 2); /* but this one does: the popup, and all popups */
    cairn__memory_free(&memory);
    assert_false(cairn__memory_takes(CAIRN_STR("$popup_suppressed")));
    assert_true(cairn__memory_takes(CAIRN_STR("$slot_show")));
}

static happened shown(cairn_span popup, int64_t time_ms) {
    happened made = { .event = { .name = CAIRN__EVENT_POPUP_SHOW, .time_ms = time_ms } };
    put_text(&made, CAIRN_STR("popup"), popup);
    return made;
}

static cairn_span numbered(uint8_t *bytes, uint32_t number) {
    for (size_t i = 0; i < 5; i++) {
        bytes[i] = (uint8_t)('a' + number % 26);
        number /= 26;
    }
    return cairn__span(bytes, 5);
}

static void too_many_names_forget_an_item_first_and_then_the_quietest(void **state) {
    (void)state;
    cairn__memory memory = cairn__memory_make(cairn__heap());
    happened item = { .event = { .name = CAIRN__EVENT_SLOT_SHOW, .time_ms = 1 << 30 } };
    put_text(&item, CAIRN_STR("slot"), names[0]);
    put_text(&item, CAIRN_STR("item"), names[1]);
    note_all(&memory, &item, 1);
    uint8_t name[5];
    for (uint32_t i = 0; i < CAIRN__MEMORY_ENTRIES_MAX; i++) { /* with the group of all: one more */
        happened show = shown(numbered(name, i), i == 7 ? 0 : (int64_t)i + 1);
        note_all(&memory, &show, 1);
    }
    assert_int_equal(memory.count, CAIRN__MEMORY_ENTRIES_MAX);
    assert_null(cairn__memory_find(&memory, CAIRN__MEMORY_ITEM, names[0], names[1]));
    assert_null(cairn__memory_find(&memory, CAIRN__MEMORY_POPUP, numbered(name, 7), none));
    assert_non_null(cairn__memory_find(&memory, CAIRN__MEMORY_POPUP, numbered(name, 8), none));
    const cairn__memory_entry *all = cairn__memory_find(&memory, CAIRN__MEMORY_GROUP, none, none);
    assert_int_equal(all->counts[CAIRN__CAP_SHOWS].total, CAIRN__MEMORY_ENTRIES_MAX);
    cairn__memory_free(&memory);
}

typedef struct failing {
    cairn_allocator heap;
    long left; /* allocations until one is refused */
} failing;

static void *resize(void *self, void *at, size_t old_bytes, size_t new_bytes) {
    failing *f = self;
    if (new_bytes > 0 && f->left-- <= 0) {
        return NULL;
    }
    return f->heap.resize(f->heap.self, at, old_bytes, new_bytes);
}

static void counts_nothing_when_memory_is_refused(void **state) {
    (void)state;
    uint64_t seed = 77;
    size_t count = random_events(&seed);
    for (long left = 0; left < 60; left++) {
        failing f = { cairn__heap(), left };
        cairn__memory memory = cairn__memory_make((cairn_allocator){ resize, &f });
        size_t good = 0;
        for (; good < count; good++) {
            if (cairn__memory_note(&memory, &events[good].event) != CAIRN_OK) {
                break;
            }
        }
        f.left = 1 << 20;
        note_all(&memory, events + good, count - good); /* the refused one once more */
        check_against(&memory, events, count);
        cairn__memory_free(&memory);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_what_happened_in_whatever_order),
        cmocka_unit_test(two_persons_become_one_as_if_they_had_always_been),
        cmocka_unit_test(reads_what_it_wrote_and_refuses_every_cut),
        cmocka_unit_test(events_that_do_not_fit_change_nothing),
        cmocka_unit_test(too_many_names_forget_an_item_first_and_then_the_quietest),
        cmocka_unit_test(counts_nothing_when_memory_is_refused),
    };
    return cmocka_run_group_tests_name("sdk/decide/memory", tests, NULL, NULL);
}
