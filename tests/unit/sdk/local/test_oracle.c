/* Goal: whatever happens to a device, what it says of a person's history is what really happened,
 * or "unknown".
 * Method: random operations (events, logins, logouts, links, unlinks, clocks that jump, writes that
 * fail, processes that die in the middle of a write, bundles that ask for other functions, damaged
 * bytes) on a device with a small history. The oracle keeps every operation ever done, finds each
 * person by walking the links, and evaluates each function over all of the person's events. As the
 * queue does, it notes again what the device's memory lost in a crash. */
#include "device.h"
#include "support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"

enum {
    OPS_MAX = 4000,
    ROUNDS = 60,
    STEPS = 250,
    IDS = 7, /* 0..3 logins, 4..6 mobiles */
    NAMES = 4,
    EVENT_BYTES_MAX = 4096
};

typedef struct op {
    cairn__event event; /* texts are static, properties below */
    cairn_property properties[2];
    cairn_id ids[2];
    int owner; /* of a tracked event: an id, or IDS + the number of the anonymous stretch */
} op;

typedef struct link {
    int a, b;
} link;

typedef struct oracle {
    op ops[OPS_MAX];
    size_t count;
    link links[OPS_MAX];
    size_t link_count;
    int moved[OPS_MAX]; /* anonymous stretch -> the login that took it; -1: none did */
    int current;        /* an id; IDS + stretch; -1: the next event opens a stretch */
    int stretches;
    bool reached[IDS + OPS_MAX]; /* of the current person */
    size_t at;                   /* of the walk */
    cairn__event walked;
} oracle;

typedef struct world {
    device d;
    oracle o;
    uint64_t known, unknown;
    bool exact; /* nothing can be unknown */
    bool alone; /* one person: who is who may be lost with damaged bytes */
} world;

static const char *const names[NAMES] = { "buy", "look", "pay", "idle" };
static const char *const values[IDS] = { "ann", "bob", "cat", "dan", "131", "132", "133" };

static uint64_t dice(world *w, uint64_t below) {
    return store_random(&w->d.disk, below);
}

/* --- the oracle --------------------------------------------------------------------------------*/

static cairn_id id_of(int id) {
    return (cairn_id){ id < 4 ? CAIRN_STR("login") : CAIRN_STR("mobile"), span_of(values[id]) };
}

/* Where an owner's events are today. */
static int node_of(const oracle *o, int owner) {
    return owner >= IDS && o->moved[owner - IDS] >= 0 ? o->moved[owner - IDS] : owner;
}

static void reach(const oracle *o, int from, bool *reached) {
    memset(reached, 0, sizeof o->reached);
    if (from < 0) {
        return;
    }
    reached[from] = true;
    for (bool grown = true; grown;) {
        grown = false;
        for (size_t i = 0; i < o->link_count; i++) {
            int a = node_of(o, o->links[i].a);
            int b = node_of(o, o->links[i].b);
            grown = grown || reached[a] != reached[b];
            reached[a] = reached[b] = reached[a] || reached[b];
        }
    }
}

static bool has_other_login(const bool *reached, int but) {
    for (int i = 0; i < 4; i++) {
        if (reached[i] && i != but) {
            return true;
        }
    }
    return false;
}

/* May both be one person? */
static bool can_join(const oracle *o, int a, int b) {
    static bool of_a[IDS + OPS_MAX];
    static bool of_b[IDS + OPS_MAX];
    reach(o, a, of_a);
    reach(o, b, of_b);
    return of_a[b] || !has_other_login(of_a, -1) || !has_other_login(of_b, -1);
}

static int here(oracle *o) {
    if (o->current < 0) {
        o->moved[o->stretches] = -1;
        o->current = IDS + o->stretches++;
    }
    return o->current;
}

static void oracle_login(oracle *o, int id) {
    int before = o->current;
    if (before >= 0 && before != id && can_join(o, before, id)) {
        if (before >= IDS) {
            o->moved[before - IDS] = id;
        } else {
            o->links[o->link_count++] = (link){ before, id };
        }
    }
    o->current = id;
}

static void oracle_unlink(oracle *o, int a, int b) {
    size_t kept = 0;
    for (size_t i = 0; i < o->link_count; i++) {
        int from = node_of(o, o->links[i].a);
        int to = node_of(o, o->links[i].b);
        if (!((from == a && to == b) || (from == b && to == a))) {
            o->links[kept++] = o->links[i];
        }
    }
    o->link_count = kept;
}

static const cairn__event *next(void *context) {
    world *w = context;
    oracle *o = &w->o;
    /* by time, ties in order of arrival: a slow selection */
    int64_t after_ms = o->at == 0 ? INT64_MIN : o->walked.time_ms;
    size_t after = o->at == 0 ? 0 : o->at - 1;
    const op *best = NULL;
    for (size_t i = 0; i < o->count; i++) {
        const op *one = &o->ops[i];
        bool mine = one->owner >= 0 && o->reached[node_of(o, one->owner)];
        bool later = o->at == 0 || one->event.time_ms > after_ms ||
                     (one->event.time_ms == after_ms && i > after);
        if (mine && later && (best == NULL || one->event.time_ms < best->event.time_ms)) {
            best = one;
        }
    }
    if (best == NULL) {
        return NULL;
    }
    o->at = (size_t)(best - o->ops) + 1;
    o->walked = best->event;
    o->walked.properties = best->properties;
    return &o->walked;
}

/* --- operations --------------------------------------------------------------------------------*/

static void give(world *w, size_t at) {
    const op *one = &w->o.ops[at];
    cairn__event event = one->event;
    event.properties = one->properties;
    event.ids = one->ids;
    cairn__buffer encoded = cairn__buffer_make(cairn__heap(), EVENT_BYTES_MAX);
    cairn__event_encode(&encoded, &event);
    (void)cairn__local_note(w->d.local, at + 1, &event, cairn__buffer_span(&encoded));
    cairn__buffer_free(&encoded);
}

static op *add(world *w, cairn__event_kind kind) {
    op *one = &w->o.ops[w->o.count++];
    assert_true(w->o.count < OPS_MAX);
    *one = (op){ .event = { .kind = kind, .time_ms = w->d.now_ms }, .owner = -1 };
    return one;
}

static cairn_value random_amount(world *w) {
    if (dice(w, 30) == 0) {
        return (cairn_value){ CAIRN_VALUE_STRING, { .string = CAIRN_STR("much") } };
    }
    if (dice(w, 60) == 0) {
        return (cairn_value){ CAIRN_VALUE_NUMBER, { .number = (double)dice(w, 100) / 8 } };
    }
    return (cairn_value){ CAIRN_VALUE_INTEGER, { .integer = (int64_t)dice(w, 200) - 50 } };
}

static void track(world *w) {
    op *one = add(w, CAIRN__EVENT_TRACK);
    uint64_t kind = dice(w, 10);
    one->event.name = span_of(names[kind < 5 ? 0 : kind < 8 ? 1 : kind - 6]);
    one->event.property_count = dice(w, 12) == 0 ? 0 : 2;
    one->properties[0] = (cairn_property){ CAIRN_STR("amount"), random_amount(w) };
    one->properties[1] =
        (cairn_property){ CAIRN_STR("item"),
                          { CAIRN_VALUE_STRING, { .string = span_of(values[dice(w, IDS)]) } } };
    one->owner = here(&w->o);
    give(w, w->o.count - 1);
}

static void login(world *w) {
    int id = dice(w, 4) == 0 ? (int)dice(w, IDS) : (int)dice(w, 4);
    op *one = add(w, CAIRN__EVENT_LOGIN);
    one->ids[0] = id_of(id);
    one->event.id_count = 1;
    oracle_login(&w->o, id);
    give(w, w->o.count - 1);
}

static void logout(world *w) {
    (void)add(w, CAIRN__EVENT_LOGOUT);
    w->o.current = -1;
    give(w, w->o.count - 1);
}

static void change_link(world *w, bool cut) {
    oracle *o = &w->o;
    int id = (int)dice(w, IDS);
    int from = here(o);
    op *one = add(w, cut ? CAIRN__EVENT_UNLINK : CAIRN__EVENT_LINK);
    one->ids[0] = from < IDS ? id_of(from) : (cairn_id){ CAIRN_STR("device"), CAIRN_STR("me") };
    one->ids[1] = id_of(id);
    one->event.id_count = 2;
    if (cut) {
        oracle_unlink(o, from, id);
    } else if (from != id && can_join(o, from, id)) {
        o->links[o->link_count++] = (link){ from, id };
    }
    give(w, o->count - 1);
}

static void pass(world *w) {
    static const int64_t hour_ms = INT64_C(3600) * 1000;
    if (dice(w, 25) == 0 && !w->exact) { /* somebody sets the clock */
        /* what is lost with a time that is still to come, nobody can know of (README) */
        int64_t back = w->alone ? 0 : 100;
        w->d.now_ms += ((int64_t)dice(w, 200) - back) * hour_ms;
        return;
    }
    w->d.now_ms +=
        dice(w, 3) == 0 ? (int64_t)dice(w, (uint64_t)(20 * hour_ms)) : (int64_t)dice(w, 60000);
}

static void boot(world *w) {
    device_boot(&w->d);
    uint64_t last = cairn__local_last_seq(w->d.local);
    assert_true(last <= w->o.count);
    for (size_t i = last > w->d.gone_seq ? last : w->d.gone_seq; i < w->o.count; i++) {
        give(w, i);
    }
}

static void die(world *w, bool damage) {
    device_crash(&w->d);
    w->d.gone_seq = damage && dice(w, 2) == 0 ? dice(w, w->o.count + 1) : 0;
    if (damage && w->d.disk.segment_count > 0) {
        store_segment *segment = &w->d.disk.segments[dice(w, w->d.disk.segment_count)];
        if (segment->bytes.len > 0) {
            segment->bytes.data[dice(w, segment->bytes.len)] ^= (uint8_t)(1 + dice(w, 255));
        }
    }
    boot(w);
}

static void store_something(world *w) {
    switch (dice(w, 6)) {
    case 0:
        store_commit_one(&w->d.disk, w->d.local, dice(w, 3) != 0);
        break;
    case 1:
        (void)cairn__local_pump(w->d.local, (int64_t)dice(w, 100000));
        break;
    case 2:
    case 3:
        store_commit(&w->d.disk, w->d.local);
        break;
    default:
        store_commit_one(&w->d.disk, w->d.local, true);
        break;
    }
}

/* --- the comparison ----------------------------------------------------------------------------*/

static void ask_some(world *w) {
    static const char *const rules[] = {
        "count(buy) > 0 and count(buy, last 3 days) > 0 and count(look where amount > 20) > 0",
        "did(pay, last 1 days) and did(pay) and count((buy or look), last 10 days) > 1",
        "sum(buy.amount) > 0 and sum(buy.amount, last 5 days) > 0 and count(any event) > 3",
        "min(buy.amount) < max(buy.amount) and avg(buy.amount, last 2 days) > 1",
        "first(buy.item) = \"a\" or last(buy.item) = \"b\" or first(look.amount, last 4 days) = 1",
        "distinct(buy.item) > 2 and days(buy) > 1 and days(any event, last 7 days) > 2",
        "count(buy, today) > 0 and count(buy, this week) > 0 and count(buy, this month) > 0",
        "sequence(look, buy where amount > 0, within 1 days) and count(buy, yesterday) > 0",
    };
    size_t count = sizeof rules / sizeof rules[0];
    w->d.slot_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (dice(w, 3) != 0) {
            (void)device_ask(&w->d, rules[i]);
        }
    }
}

/* Every other life is lived where clocks are set back in autumn; or, worse, over midnight. */
static const cairn__zone *zone_of(world *w, uint64_t seed) {
    static const char *const names_of_zones[] = { NULL, "Europe/Berlin", NULL, "America/Havana" };
    static uint8_t bytes[1 << 16];
    const char *name = names_of_zones[seed % 4];
    char path[64];
    (void)snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name == NULL ? "" : name);
    FILE *file = name == NULL ? NULL : fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    size_t len = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    const cairn__zone *zone = NULL;
    assert_int_equal(cairn__zone_parse(cairn__span(bytes, len), &w->d.arena, &zone), CAIRN_OK);
    return zone;
}

static bool same(cairn_value a, cairn_value b) {
    if (a.kind != b.kind) {
        return false;
    }
    switch ((int)a.kind) {
    case CAIRN_VALUE_NULL:
        return true;
    case CAIRN_VALUE_BOOLEAN:
        return a.as.boolean == b.as.boolean;
    case CAIRN_VALUE_NUMBER:
        return memcmp(&a.as.number, &b.as.number, sizeof a.as.number) == 0;
    case CAIRN_VALUE_STRING:
        return cairn__span_equal(a.as.string, b.as.string);
    default:
        return a.as.integer == b.as.integer;
    }
}

static void compare_one(world *w, size_t slot) {
    cairn__arena arena = cairn__arena_make(cairn__heap(), CAIRN__QUERY_SCRATCH_BYTES_MAX);
    const cairn__query *query = NULL;
    assert_int_equal(cairn__query_load(w->d.slots[slot].name, &arena, &query), CAIRN_OK);
    const cairn__query_moment when = { w->d.now_ms, w->d.zone, NULL };
    const cairn__history history = { next, w, INT64_MIN };
    int64_t until_ms = 0;
    w->o.at = 0;
    reach(&w->o, w->o.current, w->o.reached);
    cairn_value truth = cairn__query_evaluate(query, &when, &history, &arena, &until_ms);
    cairn_value value = device_value(&w->d, slot);
    if ((int)value.kind == CAIRN__RULE_VALUE_UNKNOWN) {
        w->unknown += 1;
        assert_false(w->exact);
    } else {
        w->known += 1;
        if (!same(value, truth)) {
            print_error("slot %zu kind %d step %zu: %d %lld, truly %d %lld\n", slot,
                        (int)cairn__query_kind(query), w->o.count, (int)value.kind,
                        (long long)value.as.integer, (int)truth.kind, (long long)truth.as.integer);
        }
        assert_true(same(value, truth));
    }
    cairn__arena_free(&arena);
}

static void compare(world *w) {
    for (size_t i = 0; i < w->d.slot_count; i++) {
        compare_one(w, i);
    }
}

/* --- rounds ------------------------------------------------------------------------------------*/

static void step(world *w, bool damage) {
    uint64_t what = dice(w, w->alone ? 55 : 0) + dice(w, w->alone ? 1 : 100);
    what = w->alone && dice(w, 2) == 0 ? 70 + dice(w, 30) : what;
    if (what < 55) {
        track(w);
    } else if (what < 62) {
        login(w);
    } else if (what < 66) {
        logout(w);
    } else if (what < 70) {
        change_link(w, what >= 68);
    } else if (what < 80) {
        pass(w);
    } else if (what < 95) {
        store_something(w);
    } else if (what < 97) {
        die(w, damage && dice(w, 3) == 0);
    } else {
        ask_some(w);
        device_use(&w->d);
    }
}

static void live(world *w, uint64_t seed, bool damage) {
    device_init(&w->d, seed);
    w->d.zone = zone_of(w, seed);
    w->d.now_ms += (int64_t)(seed % 8) * 9 * 24 * 3600 * 1000; /* past the days of the change */
    w->o.count = 0;
    w->o.link_count = 0;
    w->o.stretches = 0;
    w->o.current = -1;
    w->d.options.history_events_max = w->exact ? 100000 : 20 + (uint32_t)dice(w, 200);
    w->d.options.history_days_max = w->exact ? 10000 : 3 + (uint32_t)dice(w, 20);
    ask_some(w);
    boot(w);
    for (int i = 0; i < STEPS; i++) {
        step(w, damage);
        if (dice(w, 4) == 0) {
            compare(w);
        }
    }
    device_free(&w->d);
}

static void run(bool damage, bool exact, uint64_t seeds) {
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->exact = exact;
    w->alone = damage;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        live(w, seeds + round, damage);
    }
    print_message("%llu values known, %llu unknown\n", (unsigned long long)w->known,
                  (unsigned long long)w->unknown);
    assert_true(w->known > w->unknown);
    free(w);
}

static void values_are_right_or_unknown_whatever_happens(void **state) {
    (void)state;
    run(false, false, 1000);
}

static void values_are_right_or_unknown_when_bytes_are_damaged(void **state) {
    (void)state;
    run(true, false, 5000);
}

static void nothing_is_unknown_while_all_is_held(void **state) {
    (void)state;
    run(false, true, 9000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_right_or_unknown_whatever_happens),
        cmocka_unit_test(values_are_right_or_unknown_when_bytes_are_damaged),
        cmocka_unit_test(nothing_is_unknown_while_all_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
