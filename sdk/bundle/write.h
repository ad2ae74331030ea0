/* write.h: definitions -> a bundle's bytes; and the numbers of facts. For the collector and tests:
 * no part of the WASM core. Pure and deterministic: the same definitions give the same bytes. */
#ifndef CAIRN_BUNDLE_WRITE_H
#define CAIRN_BUNDLE_WRITE_H

#include "bundle/bundle.h"

/**
 * Append a Bundle message. What is written is not checked: read it again with cairn__bundle_read
 * before it is signed, and show its fault.
 * @retval CAIRN_NO_MEMORY  `to` is full.
 */
cairn_status cairn__bundle_write(const cairn__bundle *bundle, cairn__buffer *to);

/** Append a SignedBundle message. */
cairn_status cairn__bundle_envelope_write(cairn_span bundle, cairn_span key_id,
                                          const uint8_t signature[64], cairn__buffer *to);

/** Numbers facts: every distinct (space, name) once, in the order of first sight. Zero value plus
 * an arena is empty and ready. */
typedef struct cairn__fact_table {
    cairn__arena *arena;
    cairn__rule_slot *slots; /* [count]; names borrowed from the rules */
    size_t count;
    uint16_t *buckets; /* a hash table: number + 1 */
} cairn__fact_table;

/** The number of a name or query, new or known.
 * @retval CAIRN_FULL       More than CAIRN__FACTS_MAX.
 * @retval CAIRN_NO_MEMORY  The arena is full. */
cairn_status cairn__fact_table_number(cairn__fact_table *table, const cairn__rule_slot *slot,
                                      uint16_t *number_out);

/** A condition of a compiled rule: the facts of all its slots. Same statuses. The rule's memory
 * must outlive the definitions. */
cairn_status cairn__fact_table_condition(cairn__fact_table *table, const cairn__rule *rule,
                                         cairn__condition *condition_out);

#endif
