/* slot_key.c: see slot_key.h. */
#include "rules/slot_key.h"

#define FNV_OFFSET UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

uint64_t cairn__rule_slot_key(const cairn__rule_slot *slot) {
    uint64_t hash = (FNV_OFFSET ^ ((uint64_t)slot->space & 0xFF)) * FNV_PRIME;
    for (size_t i = 0; i < slot->name.len; i++) {
        hash = (hash ^ slot->name.data[i]) * FNV_PRIME;
    }
    return hash;
}
