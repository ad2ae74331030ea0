/* Goal: one answer everywhere: the functions over a person's events come to the same on the server
 * (folded into a trail, over several devices that became one person), on a device that has all of
 * them, and by brute force.
 * Method: the rules room's random histories; each is shared out among one to three devices, which
 * log in before or after, and folded in the order of arrival. Each person is asked many functions,
 * of its own case and of others. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "facts/facts.h"
#include "support/cmocka_all.h"
#include "unit/collector/fold/history.h"
#include "unit/sdk/local/device.h"
#include "unit/sdk/rules/history_oracle.h"

enum {
    PERSONS_OF_PLACE = 240,
    RULES_OF_PERSON = 5,
    QUERIES_MAX = RULES_OF_PERSON * GEN_TESTS_MAX,
    DEVICES_MAX = 3,
    ARENA_BYTES = 1 << 26,
    SECOND_MS = 1000
};

typedef struct place {
    history_clock zone, user_zone;
    cairn__arena arena;
} place;

typedef struct asked {
    const gen_case *of;
    history *h;
    cairn__query_moment when;
    cairn__arena arena;
    gen_query queries[QUERIES_MAX];
    cairn__rule_slot slots[QUERIES_MAX];
    const cairn__query *loaded[QUERIES_MAX];
    size_t count;
    uint64_t pairs, known_by_device;
} asked;

static void wrong(const asked *a, size_t i, const char *what) {
    char text[GEN_TEXT_BYTES];
    cairn__buffer json = cairn__buffer_make(cairn__heap(), 1 << 20);
    history_gen_query_text(&a->queries[i], text);
    history_gen_json(a->of, "?", &json);
    print_error("%s: %s\nseed %" PRIu64 ": %.*s\n", text, what, a->of->seed, (int)json.len,
                (const char *)json.data);
    cairn__buffer_free(&json);
    fail();
}

/* --- what is asked ---------------------------------------------------------------------------- */

static void add_query(asked *a, const gen_query *from) {
    char text[GEN_TEXT_BYTES];
    char whole[GEN_TEXT_BYTES + 8];
    cairn__rule rule;
    cairn__rule_fault fault;
    if (from->kind == GEN_MEMBER) {
        return; /* no function of events */
    }
    history_gen_query_text(from, text);
    bool truth = from->kind == GEN_DID || from->kind == GEN_SEQUENCE;
    (void)snprintf(whole, sizeof whole, "%s%s", text, truth ? "" : " is set");
    const cairn__rule_source source = { cairn__span_of(whole), CAIRN__RULE_QUERY, 0, &a->arena,
                                        &fault };
    assert_int_equal(cairn__rule_compile(&source, &rule), CAIRN_OK);
    assert_int_equal(rule.slot_count, 1);
    a->queries[a->count] = *from;
    a->slots[a->count] = rule.slots[0];
    assert_int_equal(cairn__query_load(rule.slots[0].name, &a->arena, &a->loaded[a->count]),
                     CAIRN_OK);
    a->count += 1;
}

static void choose_queries(asked *a, const place *here) {
    static gen_case other;
    a->count = 0;
    for (uint64_t i = 0; i < RULES_OF_PERSON; i++) {
        history_gen_make(&other, i == 0 ? a->of->seed : cairn__mix(a->of->seed + i), &here->zone,
                         &here->user_zone);
        for (int k = 0; k < other.rule.count; k++) {
            add_query(a, &other.rule.tests[k].query);
        }
    }
}

/* --- the server ------------------------------------------------------------------------------- */

typedef struct sender {
    history_device as;
    uint64_t seq;
} sender;

static void give(asked *a, sender *from, cairn__event event) {
    event.seq = ++from->seq;
    history_send(a->h, &from->as, &event, 1);
}

static void log_in(asked *a, sender *from, const char *login) {
    const cairn_id id = { CAIRN_STR("login"), cairn__span_of(login) };
    const cairn__event event = {
        .kind = CAIRN__EVENT_LOGIN, .ids = &id, .id_count = 1, .time_ms = a->h->now_ms
    };
    give(a, from, event);
}

/* Each event from one of the devices, in the order in which they happened. */
static void fold_person(asked *a, const char *login) {
    sender devices[DEVICES_MAX];
    uint64_t seed = cairn__mix(a->of->seed ^ 77);
    size_t device_count = 1 + seed % DEVICES_MAX;
    for (size_t i = 0; i < device_count; i++) {
        devices[i] = (sender){ .seq = 0 };
        memcpy(devices[i].as.id, &a->of->seed, sizeof a->of->seed);
        devices[i].as.id[15] = (uint8_t)i;
        if ((seed >> (8 + i) & 1) != 0) {
            log_in(a, &devices[i], login);
        }
    }
    for (int i = 0; i < a->of->event_count; i++) {
        seed = cairn__mix(seed);
        give(a, &devices[seed % device_count], a->of->events[i]);
    }
    for (size_t i = 0; i < device_count; i++) {
        log_in(a, &devices[i], login);
    }
}

static void check_server(asked *a, const char *login, cairn_value *values) {
    const cairn_id id = { CAIRN_STR("login"), cairn__span_of(login) };
    const cairn__fold_who who = { .ids = &id, .id_count = 1 };
    cairn__bundle bundle = { .queries = a->loaded };
    bundle.definitions.facts = a->slots;
    bundle.definitions.fact_count = a->count;
    cairn__fact_needs needs;
    cairn__fold_known *known = NULL;
    cairn__person_facts *facts = NULL;
    assert_int_equal(cairn__fact_needs_of(&bundle, &a->arena, &needs), CAIRN_OK);
    assert_int_equal(cairn__fold_know(a->h->fold, &who, &known), CAIRN_OK);
    assert_true(known->state.node_count > 1);
    const cairn__person_source source = { .allocator = cairn__heap(),
                                          .bytes_max = 16 << 20,
                                          .bundle = &bundle,
                                          .needs = &needs,
                                          .person = &known->state };
    assert_int_equal(cairn__person_facts_open(&source, &facts), CAIRN_OK);
    (void)cairn__person_facts_at(facts, &a->when);
    for (size_t i = 0; i < a->count; i++) {
        int64_t until_ms = 0;
        cairn_value got = cairn__person_fact(facts, (uint16_t)i, &until_ms);
        cairn_value want = history_oracle_value(a->of, &a->queries[i], a->of->now_ms);
        if (!history_oracle_same(&got, &want)) {
            wrong(a, i, "the server says something else than the oracle");
        }
        values[i] = want;
        a->pairs += 1;
    }
    cairn__person_facts_close(facts);
    cairn__fold_known_release(known);
}

/* --- a device --------------------------------------------------------------------------------- */

static void check_device(asked *a, const cairn_value *values) {
    static device d;
    device_init(&d, a->of->seed);
    d.zone = a->when.zone;
    d.now_ms = a->of->now_ms;
    memcpy(d.slots, a->slots, a->count * sizeof *a->slots);
    d.slot_count = a->count;
    device_boot(&d);
    for (int i = 0; i < a->of->event_count; i++) {
        assert_int_equal(device_note(&d, a->of->events[i]), CAIRN_OK);
    }
    cairn__facts facts = cairn__local_facts(d.local, &a->when);
    for (size_t i = 0; i < a->count; i++) {
        cairn_value got = facts.get(facts.context, (uint16_t)i);
        if ((int)got.kind != CAIRN__RULE_VALUE_UNKNOWN && !history_oracle_same(&got, &values[i])) {
            wrong(a, i, "the device says something else than the oracle");
        }
        a->known_by_device += (int)got.kind != CAIRN__RULE_VALUE_UNKNOWN;
    }
    device_free(&d);
}

/* --- all of it -------------------------------------------------------------------------------- */

static void check_place(asked *a, const history_place *at, uint64_t first_seed) {
    static place here;
    static gen_case made;
    here.arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    if (!history_clock_open(&here.zone, at->zone, at->base_ms, &here.arena) ||
        !history_clock_open(&here.user_zone, at->user_zone, at->base_ms, &here.arena)) {
        print_message("%s, %s: not in /usr/share/zoneinfo, skipped\n", at->zone, at->user_zone);
        cairn__arena_free(&here.arena);
        return;
    }
    a->of = &made;
    for (uint64_t i = 0; i < PERSONS_OF_PLACE; i++) {
        char login[32];
        cairn_value values[QUERIES_MAX];
        history_gen_make(&made, first_seed + i, &here.zone, &here.user_zone);
        choose_queries(a, &here);
        made.complete_from_ms = INT64_MIN;
        a->when = (cairn__query_moment){ made.now_ms, here.zone.zone, here.user_zone.zone };
        (void)snprintf(login, sizeof login, "u%" PRIu64, made.seed);
        fold_person(a, login);
        check_server(a, login, values);
        check_device(a, values);
        cairn__arena_reset(&a->arena);
    }
    cairn__arena_free(&here.arena);
}

static void a_function_comes_to_the_same_on_the_server_on_a_device_and_by_hand(void **state) {
    (void)state;
    static history h;
    static asked a;
    history_make(&h, "facts_oracle");
    a.h = &h;
    a.arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    for (uint64_t i = 0; i < HISTORY_PLACES; i++) {
        h.now_ms = history_places[i].base_ms + INT64_C(400) * 24 * 3600 * SECOND_MS;
        check_place(&a, &history_places[i], 1000000 * (i + 1));
    }
    print_message("%" PRIu64 " functions over histories, %" PRIu64 " known by the device\n",
                  a.pairs, a.known_by_device);
    assert_true(a.pairs >= 20000);
    assert_true(a.known_by_device > a.pairs * 9 / 10);
    cairn__arena_free(&a.arena);
    history_remove(&h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_comes_to_the_same_on_the_server_on_a_device_and_by_hand),
    };
    return cmocka_run_group_tests_name("collector/facts/oracle", tests, NULL, NULL);
}
