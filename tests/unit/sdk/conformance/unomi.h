/* unomi.h: Apache Unomi's profile conditions -> the text of a rule. A list of objects in a profile
 * is a history of events here, and a condition nested in it a function over that history. */
#ifndef CAIRN_TESTS_UNOMI_H
#define CAIRN_TESTS_UNOMI_H

#include "conform.h"

void unomi_condition(conform_text *to, json_t *from);

/** conform_value_of of a profile: its properties, "time:NAME" those that are dates, its segments as
 * the list `segments`, and functions over the objects of a list. */
const char *unomi_fact(void *profile, const cairn__rule_slot *slot, cairn__arena *arena,
                       cairn_value *value_out);

#endif
