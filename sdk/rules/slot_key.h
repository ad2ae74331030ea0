/* slot_key.h: a fact's name outside of any bundle: 64 bits of (space, name). The server names facts
 * by it when it tells devices their values. A promise that outlives versions: never change it.
 *
 * FNV-1a, 64 bit: h = 14695981039346656037, then for each byte h = (h xor byte) * 1099511628211
 * mod 2^64 (Fowler, Noll and Vo), over the space's number as one byte (event 1, user 2, tag 4,
 * item 8, device 16, session 32, query 128) and then the bytes of the name. Among the most facts
 * that a bundle may have (8,192) two share a key with a chance below 2^-38. */
#ifndef CAIRN_RULES_SLOT_KEY_H
#define CAIRN_RULES_SLOT_KEY_H

#include "rules/rules.h"

uint64_t cairn__rule_slot_key(const cairn__rule_slot *slot);

#endif
