/* fact_table.c: numbers for facts; see write.h. */
#include "base/bytes.h"
#include "bundle/write.h"
#include "rules/slot_key.h"

enum { BUCKETS = 2 * CAIRN__FACTS_MAX }; /* a power of two, half empty at the most */

static bool open_table(cairn__fact_table *table) {
    if (table->buckets != NULL) {
        return true;
    }
    cairn__rule_slot *slots =
        cairn__arena_alloc(table->arena, CAIRN__FACTS_MAX * sizeof *table->slots);
    uint16_t *buckets = cairn__arena_alloc_zero(table->arena, BUCKETS, sizeof *buckets);
    if (slots == NULL || buckets == NULL) {
        return false;
    }
    table->slots = slots;
    table->buckets = buckets;
    return true;
}

cairn_status cairn__fact_table_number(cairn__fact_table *table, const cairn__rule_slot *slot,
                                      uint16_t *number_out) {
    if (!open_table(table)) {
        return CAIRN_NO_MEMORY;
    }
    size_t at = (size_t)cairn__rule_slot_key(slot) & (BUCKETS - 1);
    for (; table->buckets[at] != 0; at = (at + 1) & (BUCKETS - 1)) {
        const cairn__rule_slot *known = &table->slots[table->buckets[at] - 1];
        if (known->space == slot->space && cairn__span_equal(known->name, slot->name)) {
            *number_out = (uint16_t)(table->buckets[at] - 1);
            return CAIRN_OK;
        }
    }
    if (table->count == CAIRN__FACTS_MAX) {
        return CAIRN_FULL;
    }
    *number_out = (uint16_t)table->count;
    table->slots[table->count++] = *slot;
    table->buckets[at] = (uint16_t)table->count;
    return CAIRN_OK;
}

cairn_status cairn__fact_table_condition(cairn__fact_table *table, const cairn__rule *rule,
                                         cairn__condition *condition_out) {
    uint16_t *facts = cairn__arena_alloc(table->arena, rule->slot_count * sizeof *facts);
    if (facts == NULL) {
        return CAIRN_NO_MEMORY;
    }
    for (size_t i = 0; i < rule->slot_count; i++) {
        cairn_status status = cairn__fact_table_number(table, &rule->slots[i], &facts[i]);
        if (status != CAIRN_OK) {
            return status;
        }
    }
    *condition_out = (cairn__condition){ .rule = *rule, .facts = facts };
    return CAIRN_OK;
}
