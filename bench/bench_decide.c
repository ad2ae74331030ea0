/* bench_decide: which of 1,000 popups, over 100 audiences. All are live, want the same event, have
 * an audience, quiet hours, two variants, caps of their own, of a group and of all; the person has
 * seen each. Half are refused by their audience, the others by a cap, and only the last is shown:
 * every one is judged to its end. One JSON line: medians of a call
 *
 *   bench_decide [calls]      2,000 by default
 *
 *   ns          the decision alone
 *   why_ns      with the reason for every candidate as JSON
 *   rules_ns    a bare loop that evaluates the same 1,000 + 100 rules, nothing else: the limit
 *   allocations of all calls together */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "decide/decide.h"

enum { POPUPS = 1000, AUDIENCES = 100, CALLS = 2000, FACTS_MAX = 256, TEXT_BYTES = 200 };
enum { HOUR_MS = 3600000 };
static const int64_t noon_ms = 1790000000000 / 86400000 * 86400000 + (int64_t)12 * HOUR_MS;

typedef struct bench {
    cairn__arena arena;
    cairn__rule_slot slots[FACTS_MAX];
    cairn_value values[FACTS_MAX];
    cairn__definitions definitions;
    cairn__audience audiences[AUDIENCES];
    uint16_t audience_facts[AUDIENCES];
    cairn__popup popups[POPUPS];
    cairn__memory memory;
    cairn__decider *decider;
    size_t allocations;
} bench;

static cairn_value get(void *context, uint16_t number) {
    return ((const bench *)context)->values[number];
}

static void *counted(void *self, void *at, size_t old_bytes, size_t new_bytes) {
    bench *b = self;
    b->allocations += new_bytes > 0;
    cairn_allocator heap = cairn__heap();
    return heap.resize(heap.self, at, old_bytes, new_bytes);
}

static cairn_span copy(bench *b, const char *text) {
    cairn_span made;
    if (!cairn__arena_copy(&b->arena, cairn__span_of(text), &made)) {
        exit(1);
    }
    return made;
}

static uint16_t fact_of(bench *b, const cairn__rule_slot *slot) {
    size_t i = 0;
    while (i < b->definitions.fact_count &&
           (b->slots[i].space != slot->space || !cairn__span_equal(b->slots[i].name, slot->name))) {
        i += 1;
    }
    if (i == b->definitions.fact_count) {
        b->slots[i] = *slot;
        b->definitions.fact_count += 1;
    }
    return (uint16_t)i;
}

static cairn__condition compile(bench *b, const char *text) {
    cairn__rule_fault fault;
    const cairn__rule_source source = { copy(b, text), CAIRN__RULE_USER | CAIRN__RULE_QUERY, 0,
                                        &b->arena, &fault };
    cairn__condition condition = { .facts = NULL };
    if (cairn__rule_compile(&source, &condition.rule) != CAIRN_OK) {
        fprintf(stderr, "bench_decide: %s: %s\n", text, fault.text);
        exit(1);
    }
    uint16_t *facts = cairn__arena_alloc_zero(&b->arena, condition.rule.slot_count + 1, 2);
    for (size_t i = 0; i < condition.rule.slot_count; i++) {
        facts[i] = fact_of(b, &condition.rule.slots[i]);
    }
    condition.facts = facts;
    return condition;
}

static void make_audiences(bench *b) {
    char text[TEXT_BYTES];
    for (int i = 0; i < AUDIENCES; i++) {
        (void)snprintf(text, sizeof text,
                       "user.p%d >= %d and user.city in [\"Beijing\", \"Shanghai\", \"Shenzhen\"] "
                       "and not user.banned",
                       i % 20, i % 2 == 0 ? 1 : 1000); /* every other one does not hold */
        b->audiences[i].condition = compile(b, text);
        (void)snprintf(text, sizeof text, "audience_%d", i);
        b->audiences[i].name = copy(b, text);
        (void)snprintf(text, sizeof text, "member(\"audience_%d\")", i);
        b->audience_facts[i] = compile(b, text).facts[0];
    }
    b->definitions.audiences = b->audiences;
    b->definitions.audience_count = AUDIENCES;
    b->definitions.audience_facts = b->audience_facts;
}

static void make_popups(bench *b) {
    static const cairn_span open = { (const uint8_t *)"app_open", 8 };
    static const cairn__trigger trigger = { .events = &open, .event_count = 1 };
    static const cairn__quiet night = { 22 * 60, 7 * 60, 0 };
    static const cairn__cap once_a_day[] = {
        { .window = CAIRN__CAP_EVER, .count = 5 },
        { .window = CAIRN__CAP_ROLLING, .count = 1, .window_ms = (int64_t)24 * HOUR_MS },
    };
    static const cairn__cap many[] = { { .window = CAIRN__CAP_DAY, .count = 64 } };
    static const cairn__cap_group groups[] = {
        { .caps = many, .cap_count = 1 },
        { .name = { (const uint8_t *)"promo", 5 }, .caps = many, .cap_count = 1 },
    };
    static const uint16_t promo = 1;
    static const cairn__variant arms[] = { { .name = { (const uint8_t *)"a", 1 }, .weight = 1 },
                                           { .name = { (const uint8_t *)"b", 1 }, .weight = 1 } };
    char text[TEXT_BYTES];
    for (int i = 0; i < POPUPS; i++) {
        (void)snprintf(text, sizeof text, "member(\"audience_%d\") and user.level >= %d",
                       i == POPUPS - 1 ? 0 : i % AUDIENCES, i % 7);
        b->popups[i] = (cairn__popup){ .version = 1,
                                       .priority = POPUPS - i,
                                       .triggers = &trigger,
                                       .trigger_count = 1,
                                       .audience = compile(b, text),
                                       .from_ms = noon_ms - HOUR_MS,
                                       .to_ms = noon_ms + HOUR_MS,
                                       .quiet = &night,
                                       .quiet_count = 1,
                                       .caps = once_a_day,
                                       .cap_count = 2,
                                       .groups = &promo,
                                       .group_count = 1,
                                       .variants = arms,
                                       .variant_count = 2 };
        (void)snprintf(text, sizeof text, "popup_%04d", i);
        b->popups[i].name = copy(b, text);
    }
    b->definitions.popups = b->popups;
    b->definitions.popup_count = POPUPS;
    b->definitions.cap_groups = groups;
    b->definitions.cap_group_count = 2;
}

/* Those that the audience lets pass were shown 16 hours ago, the others and the last one before. */
static void remember(bench *b) {
    for (int i = 0; i < POPUPS; i++) {
        const cairn_property popup = {
            CAIRN_STR("popup"), { .kind = CAIRN_VALUE_STRING, .as.string = b->popups[i].name }
        };
        const cairn__event event = {
            .name = CAIRN__EVENT_POPUP_SHOW,
            .time_ms = noon_ms - (int64_t)(i == POPUPS - 1 || i % 2 == 1 ? 48 : 16) * HOUR_MS,
            .properties = &popup,
            .property_count = 1
        };
        if (cairn__memory_note(&b->memory, &event) != CAIRN_OK) {
            exit(1);
        }
    }
}

static double now_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *times, size_t count) {
    qsort(times, count, sizeof *times, by_size);
    return times[count / 2];
}

static double measure_decide(bench *b, const cairn__decide_input *input, size_t calls,
                             cairn__buffer *why) {
    const cairn__popup_ask ask = { .how = CAIRN__POPUP_BY_EVENT };
    double *times = malloc(calls * sizeof *times);
    cairn__popup_decision decision;
    for (size_t i = 0; i < calls; i++) {
        double begun = now_ns();
        if (why != NULL) {
            cairn__buffer_clear(why);
        }
        cairn__decide_popup(b->decider, input, &ask, why, &decision);
        times[i] = now_ns() - begun;
        if (decision.outcome != CAIRN__POPUP_SHOW || decision.chosen.popup != POPUPS - 1) {
            fprintf(stderr, "bench_decide: the last popup was not chosen\n");
            exit(1);
        }
    }
    double result = median(times, calls);
    free(times);
    return result;
}

/* The values are in place: what no decision over these rules can be faster than. */
static double measure_rules(const bench *b, size_t calls) {
    cairn_value values[8] = { { .kind = CAIRN_VALUE_NULL } };
    double *times = malloc(calls * sizeof *times);
    unsigned sum = 0;
    for (size_t i = 0; i < calls; i++) {
        double begun = now_ns();
        for (size_t k = 0; k < POPUPS + AUDIENCES; k++) {
            const cairn__condition *condition =
                k < POPUPS ? &b->popups[k].audience : &b->audiences[k - POPUPS].condition;
            values[0] = b->values[condition->facts[0]];
            sum += cairn__rule_evaluate(&condition->rule, values, noon_ms, NULL);
        }
        times[i] = now_ns() - begun;
    }
    double result = median(times, calls);
    free(times);
    return sum == 1 ? 0 : result;
}

int main(int argc, char **argv) {
    static bench b;
    size_t calls = argc > 1 ? strtoul(argv[1], NULL, 10) : CALLS;
    calls = calls == 0 ? 1 : calls;
    b.arena = cairn__arena_make((cairn_allocator){ counted, &b }, (size_t)256 << 20);
    b.memory = cairn__memory_make((cairn_allocator){ counted, &b });
    b.definitions.facts = b.slots;
    make_audiences(&b);
    make_popups(&b);
    for (size_t i = 0; i < b.definitions.fact_count; i++) {
        bool city = cairn__span_equal(b.slots[i].name, CAIRN_STR("city"));
        b.values[i] =
            city ? (cairn_value){ .kind = CAIRN_VALUE_STRING, .as.string = CAIRN_STR("Shanghai") }
                 : (cairn_value){ .kind = CAIRN_VALUE_INTEGER, .as.integer = 20 };
    }
    remember(&b);
    if (cairn__decider_make(&b.definitions, &b.arena, &b.decider) != CAIRN_OK) {
        return 1;
    }
    const cairn__facts facts = { .get = get, .context = &b };
    const cairn__event event = { .name = CAIRN_STR("app_open"), .time_ms = noon_ms };
    const cairn__decide_input input = { .now_ms = noon_ms,
                                        .unit = CAIRN_STR("3f6d1c1e8a7b4c0d9e2f5a6b7c8d9e0f"),
                                        .event = &event,
                                        .facts = &facts,
                                        .memory = &b.memory };
    cairn__buffer why = cairn__buffer_make((cairn_allocator){ counted, &b }, 16 << 20);
    (void)measure_decide(&b, &input, 10, &why); /* the buffer grows now */
    size_t before = b.allocations;
    double ns = measure_decide(&b, &input, calls, NULL);
    double why_ns = measure_decide(&b, &input, calls, &why);
    size_t allocations = b.allocations - before;
    printf("{\"ns\": %.0f, \"why_ns\": %.0f, \"why_bytes\": %zu, \"rules_ns\": %.0f, "
           "\"allocations\": %zu}\n",
           ns, why_ns, why.len, measure_rules(&b, calls), allocations);
    return 0;
}
