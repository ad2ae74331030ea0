/* rule_fuzz.c: any text is refused with a sentence or is a rule; then its program passes the check,
 * a second compilation gives the same bytes, and it answers the same twice, from a copy as well;
 * its explanation gives that answer too, as UTF-8 text within its limit. */
#include "base/assert.h"
#include "base/bytes.h"
#include "rules/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 1 << 25, SLOTS_MAX = 1024, SPACES = 63 | CAIRN__RULE_QUERY };

static const cairn_span items[] = { { (const uint8_t *)"a", 1 }, { (const uint8_t *)"b", 1 } };

static cairn_value value_of(size_t i) {
    const cairn_value values[] = {
        { .kind = CAIRN_VALUE_INTEGER, .as.integer = INT64_MIN + (int64_t)i },
        { .kind = CAIRN_VALUE_NUMBER, .as.number = 0.5 },
        { .kind = CAIRN_VALUE_STRING, .as.string = { (const uint8_t *)"aAb\xFF 2026-11-24", 14 } },
        { .kind = CAIRN_VALUE_BOOLEAN, .as.boolean = true },
        { .kind = CAIRN_VALUE_TIME, .as.time_ms = INT64_MAX },
        { .kind = CAIRN_VALUE_LIST, .as.list = { items, 2 } },
        { .kind = CAIRN_VALUE_NULL },
        { .kind = (cairn_value_kind)CAIRN__RULE_VALUE_UNKNOWN },
    };
    return values[i % (sizeof values / sizeof values[0])];
}

static cairn__rule_answer answer(const cairn__rule *rule, size_t shift) {
    cairn_value values[SLOTS_MAX];
    for (size_t i = 0; i < rule->slot_count; i++) {
        values[i] = value_of(i + shift);
    }
    return cairn__rule_evaluate(rule, values, (int64_t)shift * 86400000, NULL);
}

static void check(const cairn__rule_source *source, const cairn__rule *rule) {
    cairn__rule again;
    cairn__rule loaded;
    cairn_span copy;
    cairn_span program = cairn__span(rule->program, rule->program_bytes);
    if (cairn__rule_compile(source, &again) != CAIRN_OK ||
        !cairn__arena_copy(source->arena, program, &copy)) {
        return; /* the arena is full */
    }
    CAIRN_ASSERT(cairn__span_equal(program, cairn__span(again.program, again.program_bytes)));
    CAIRN_ASSERT(cairn__rule_load(copy, source->arena, &loaded) != CAIRN_INVALID);
    for (size_t shift = 0; loaded.program != NULL && shift < 8; shift++) {
        CAIRN_ASSERT(answer(rule, shift) == answer(&loaded, shift));
    }
}

/* The facts of a name, whichever slot it has. */
static cairn_value value_named(void *context, const cairn__rule_slot *slot) {
    const cairn__rule *rule = context;
    size_t i = 0;
    while (rule->slots[i].space != slot->space ||
           !cairn__span_equal(rule->slots[i].name, slot->name)) {
        i += 1;
        CAIRN_ASSERT(i < rule->slot_count);
    }
    return value_of(i);
}

static void check_explanation(const cairn__rule_source *source, cairn__rule *rule) {
    const cairn__rule_facts facts = { value_named, rule, 0, NULL };
    cairn__rule_answer said = CAIRN__RULE_FALSE;
    cairn__buffer to = cairn__buffer_make(cairn__heap(), CAIRN__RULE_EXPLAIN_BYTES_MAX);
    cairn_status status = cairn__rule_explain(source, &facts, &to, &said);
    CAIRN_ASSERT(status == CAIRN_OK || (status == CAIRN_NO_MEMORY && !to.failed));
    if (status == CAIRN_OK) {
        CAIRN_ASSERT(said == answer(rule, 0));
        CAIRN_ASSERT(cairn__utf8_valid(cairn__buffer_span(&to)));
    }
    cairn__buffer_free(&to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    cairn__buffer shown = cairn__buffer_make(cairn__heap(), 1 << 20);
    cairn__rule rule;
    cairn__rule_fault fault;
    const cairn__rule_source source = { { data, size }, SPACES, CAIRN__RULE_EVENT, &arena, &fault };
    cairn_status status = cairn__rule_compile(&source, &rule);
    CAIRN_ASSERT((status == CAIRN_OK) == (fault.text[0] == '\0'));
    if (status == CAIRN_OK) {
        check(&source, &rule);
        check_explanation(&source, &rule);
    } else {
        CAIRN_ASSERT(cairn__utf8_valid(cairn__span_of(fault.text)));
        cairn__rule_fault_show(source.text, &fault, &shown);
    }
    cairn__buffer_free(&shown);
    cairn__arena_free(&arena);
    return 0;
}
