/* tell.c: what a device is told of its person. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "bundle/facts.h"
#include "facts/inside.h"
#include "rules/query.h"
#include "rules/slot_key.h"

/* A version is a counter above a print of what is said, so that whoever knows the device's version
 * knows whether it has the same, and what is newer is greater, with nothing kept per device. */
enum { PRINT_BITS = 40 };
#define PRINT_MASK ((UINT64_C(1) << PRINT_BITS) - 1)
#define PRINT_SEED UINT64_C(0x66616374)

typedef struct telling {
    cairn__person_facts *facts;
    cairn__fact_value *values;
    size_t count;
} telling;

static bool fits(cairn_value value) {
    if (value.kind == CAIRN_VALUE_STRING) {
        return value.as.string.len <= CAIRN__FACT_TEXT_BYTES_MAX;
    }
    size_t bytes = 0;
    for (size_t i = 0; value.kind == CAIRN_VALUE_LIST && i < value.as.list.count; i++) {
        bytes += value.as.list.items[i].len;
    }
    return bytes <= CAIRN__FACT_TEXT_BYTES_MAX && (int)value.kind != (int)CAIRN__RULE_VALUE_UNKNOWN;
}

static bool is_condition(const cairn__definitions *definitions, size_t number) {
    for (size_t i = 0; i < definitions->audience_count; i++) {
        if (definitions->audience_facts[i] == number) {
            return definitions->audiences[i].condition.rule.program != NULL;
        }
    }
    return false;
}

/* Does a device need to be told? Functions over its person's events, too: other devices have more
 * of them; but not those of days in the user's time, which only the device knows. An audience with
 * a condition it judges by itself. */
static bool is_wanted(const cairn__person_facts *facts, size_t number, bool histories) {
    const cairn__bundle *bundle = facts->source.bundle;
    cairn__rule_space space = bundle->definitions.facts[number].space;
    if (space != CAIRN__RULE_QUERY) {
        return space == CAIRN__RULE_USER || space == CAIRN__RULE_TAG;
    }
    const cairn__query *query = bundle->queries[number];
    bool member = query != NULL && cairn__query_kind(query) == CAIRN__RULE_MEMBER;
    if (query == NULL || member) {
        return member && !is_condition(&bundle->definitions, number);
    }
    return histories && !query->window.user_time;
}

static int by_key(const void *a, const void *b) {
    uint64_t left = ((const cairn__fact_value *)a)->key;
    uint64_t right = ((const cairn__fact_value *)b)->key;
    return (left > right) - (left < right);
}

static void collect(telling *t, bool histories) {
    const cairn__definitions *definitions = &t->facts->source.bundle->definitions;
    t->count = 0;
    for (size_t i = 0; i < definitions->fact_count; i++) {
        if (t->count == CAIRN__FACT_MESSAGE_FACTS_MAX) {
            break;
        }
        int64_t until_ms = 0;
        if (!is_wanted(t->facts, i, histories)) {
            continue;
        }
        cairn_value value = cairn__person_fact(t->facts, (uint16_t)i, &until_ms);
        if (fits(value)) {
            t->values[t->count++] =
                (cairn__fact_value){ .key = cairn__rule_slot_key(&definitions->facts[i]),
                                     .value = value,
                                     .until_ms = until_ms == INT64_MAX ? 0 : until_ms };
        }
    }
    qsort(t->values, t->count, sizeof *t->values, by_key);
    size_t kept = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (kept == 0 || t->values[kept - 1].key != t->values[i].key) {
            t->values[kept++] = t->values[i];
        }
    }
    t->count = kept;
}

static bool is_too_many(const cairn__person_facts *facts) {
    size_t count = 0;
    for (size_t i = 0; i < facts->source.bundle->definitions.fact_count; i++) {
        count += is_wanted(facts, i, true);
    }
    return count > CAIRN__FACT_MESSAGE_FACTS_MAX;
}

/* Append the message; false: it was too large, and nothing was appended. */
static bool write(const telling *t, uint64_t version, cairn__buffer *to) {
    size_t before = to->len;
    cairn__fact_message message = { .version = version, .facts = t->values, .count = t->count };
    cairn__store_u64(message.person, t->facts->source.person->token);
    cairn__facts_write(&message, to);
    if (to->failed || to->len - before > CAIRN__FACT_MESSAGE_BYTES_MAX) {
        to->len = before;
        to->failed = false;
        return false;
    }
    return true;
}

uint64_t cairn__person_facts_tell(cairn__person_facts *facts, const cairn__query_moment *when,
                                  uint64_t held_version, cairn__buffer *to) {
    size_t before = to->len;
    telling t = { .facts = facts };
    (void)cairn__person_facts_at(facts, when);
    t.values = cairn__arena_alloc_zero(&facts->past.texts, CAIRN__FACT_MESSAGE_FACTS_MAX + 1,
                                       sizeof *t.values);
    if (t.values == NULL) {
        return held_version;
    }
    bool histories = !is_too_many(facts);
    collect(&t, histories);
    bool written = write(&t, 0, to);
    if (!written && histories) {
        collect(&t, false);
        written = write(&t, 0, to);
    }
    if (!written) {
        return held_version;
    }
    cairn_span said = { to->data + before, to->len - before };
    uint64_t print = cairn__hash(said, PRINT_SEED) & PRINT_MASK;
    to->len = before;
    if (held_version != 0 && print == (held_version & PRINT_MASK)) {
        return held_version;
    }
    uint64_t version = ((held_version >> PRINT_BITS) + 1) << PRINT_BITS | print;
    return write(&t, version, to) ? version : held_version;
}
