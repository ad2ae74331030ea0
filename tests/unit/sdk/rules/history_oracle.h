/* history_oracle.h: what a function over a history means, as plainly as possible: every event is
 * looked at, every way through a sequence is tried, dates come from the C library. It shares
 * nothing with sdk/rules but the meaning. */
#ifndef CAIRN_TESTS_RULES_HISTORY_ORACLE_H
#define CAIRN_TESTS_RULES_HISTORY_ORACLE_H

#include "history_gen.h"

enum { ORACLE_UNKNOWN_KIND = 255 }; /* only the server can say */

/** The value at a moment (which the case's clocks must know). */
cairn_value history_oracle_value(const gen_case *of, const gen_query *query, int64_t now_ms);

/** "true", "false" or "unknown". */
const char *history_oracle_answer(const gen_case *of, int64_t now_ms);

/** May the event be one of the step's? */
bool history_oracle_takes(const gen_case *of, const gen_query *query, const gen_step *step,
                          const cairn__event *event);

/** Same kind and same value, bit for bit. */
bool history_oracle_same(const cairn_value *a, const cairn_value *b);

#endif
