/* query_fuzz.c: any bytes are refused or are a query; then it can be asked over any history, in no
 * more memory than it may take, and its value and until when it holds are the same when only what
 * it takes is shown to it. Input that does not begin like a query is the text of a rule instead:
 * the queries of a good one are good. */
#include "base/assert.h"
#include "base/bytes.h"
#include "rules/history.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 1 << 25, EVENTS = 24, SPACES = 63 | CAIRN__RULE_QUERY };

typedef struct person {
    cairn__event events[EVENTS];
    size_t count, at;
} person;

static const cairn_span items[] = { { (const uint8_t *)"a", 1 }, { NULL, 0 } };

static const cairn__event *next(void *context) {
    person *p = context;
    return p->at < p->count ? &p->events[p->at++] : NULL;
}

static cairn_value value_of(size_t i) {
    const cairn_value values[] = {
        { .kind = CAIRN_VALUE_INTEGER, .as.integer = INT64_MAX },
        { .kind = CAIRN_VALUE_NUMBER, .as.number = -1e300 },
        { .kind = CAIRN_VALUE_STRING, .as.string = { (const uint8_t *)"ab\xFF", 3 } },
        { .kind = CAIRN_VALUE_BOOLEAN, .as.boolean = true },
        { .kind = CAIRN_VALUE_TIME, .as.time_ms = INT64_MIN },
        { .kind = CAIRN_VALUE_LIST, .as.list = { items, 2 } },
        { .kind = CAIRN_VALUE_STRING },
        { .kind = (cairn_value_kind)99 },
    };
    return values[i % (sizeof values / sizeof values[0])];
}

/* Names that the query asks for, so that it takes something; times from end to end. */
static void make_person(const cairn__query *query, cairn_property *property, person *p) {
    static const int64_t times[] = { INT64_MIN, -1, 0, 1, 86400000, INT64_MAX };
    const cairn__query_step *steps = NULL;
    size_t step_count = cairn__query_steps(query, &steps);
    for (p->count = 0; p->count < EVENTS; p->count++) {
        size_t i = p->count;
        const cairn__query_step *step = step_count == 0 ? NULL : &steps[i % step_count];
        bool named = step != NULL && step->name_count > 0 && i % 7 != 6;
        cairn_span name = named ? step->names[i % step->name_count] : CAIRN_STR("x");
        property[i] = (cairn_property){ cairn__query_name(query), value_of(i) };
        p->events[i] = (cairn__event){ .name = name,
                                       .time_ms = times[i * 6 / EVENTS],
                                       .properties = &property[i],
                                       .property_count = 1 };
    }
}

static bool same(const cairn_value *a, const cairn_value *b) {
    if (a->kind != b->kind || a->kind == CAIRN_VALUE_NULL || a->kind == CAIRN_VALUE_LIST) {
        return a->kind == b->kind;
    }
    if (a->kind == CAIRN_VALUE_STRING) {
        return cairn__span_equal(a->as.string, b->as.string);
    }
    size_t bytes = a->kind == CAIRN_VALUE_BOOLEAN ? sizeof(bool) : sizeof(int64_t);
    return (int)a->kind == CAIRN__RULE_VALUE_UNKNOWN || memcmp(&a->as, &b->as, bytes) == 0;
}

static cairn_value ask(const cairn__query *query, const cairn__query_moment *when, person *p,
                       cairn__arena *scratch, int64_t *until_ms) {
    cairn__history history = { next, p, when->now_ms % 2 == 0 ? INT64_MIN : 0 };
    p->at = 0;
    cairn_value value = cairn__query_evaluate(query, when, &history, scratch, until_ms);
    CAIRN_ASSERT(*until_ms > when->now_ms || when->now_ms == INT64_MAX);
    return value;
}

static void check_moment(const cairn__query *query, person *all, int64_t now_ms) {
    const cairn__query_moment when = { now_ms, NULL, NULL };
    cairn__query_times times = cairn__query_window(query, &when);
    cairn__arena scratch = cairn__arena_make(cairn__heap(), CAIRN__QUERY_SCRATCH_BYTES_MAX);
    person some = { .count = 0 };
    for (size_t i = 0; i < all->count; i++) {
        cairn_value value;
        int64_t time_ms = all->events[i].time_ms;
        if (cairn__query_takes(query, &when, &all->events[i], &value) && time_ms >= times.from_ms &&
            time_ms < times.to_ms) {
            some.events[some.count++] = all->events[i];
        }
    }
    int64_t until_ms = 0;
    int64_t until_again_ms = 0;
    cairn_value value = ask(query, &when, all, &scratch, &until_ms);
    cairn_value again = ask(query, &when, &some, &scratch, &until_again_ms);
    CAIRN_ASSERT(same(&value, &again) && until_ms == until_again_ms);
    cairn__arena_free(&scratch);
}

/* Returns what became of it. */
static cairn_status check(cairn_span bytes, cairn__arena *arena) {
    static const int64_t moments[] = {
        INT64_MIN, -86400001, 0, 86400001, 1795514400000, INT64_MAX
    };
    const cairn__query *query = NULL;
    cairn_property properties[EVENTS];
    person all;
    cairn_status status = cairn__query_load(bytes, arena, &query);
    if (status != CAIRN_OK) {
        return status;
    }
    make_person(query, properties, &all);
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        check_moment(query, &all, moments[i]);
    }
    return status;
}

static void check_text(cairn_span text, cairn__arena *arena) {
    cairn__rule rule;
    cairn__rule_fault fault;
    const cairn__rule_source source = { text, SPACES, CAIRN__RULE_EVENT, arena, &fault };
    if (cairn__rule_compile(&source, &rule) != CAIRN_OK) {
        return;
    }
    for (size_t i = 0; i < rule.slot_count; i++) {
        bool query = rule.slots[i].space == CAIRN__RULE_QUERY;
        CAIRN_ASSERT(!query || check(rule.slots[i].name, arena) != CAIRN_INVALID);
        CAIRN_ASSERT(cairn__rule_known_by(&rule.slots[i]) <= CAIRN__RULE_KNOWN_TO_SERVER);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    cairn_span input = { data, size };
    if (size >= 4 && memcmp(data, "CRQ1", 4) == 0) {
        (void)check(input, &arena);
    } else {
        check_text(input, &arena);
    }
    cairn__arena_free(&arena);
    return 0;
}
