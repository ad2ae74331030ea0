/* fault.h: sentences about what is wrong with a rule, built without printf (a WASM core may hold
 * the compiler) and cut, never overflowing, at the size of cairn__rule_fault.text. */
#ifndef CAIRN_RULES_FAULT_H
#define CAIRN_RULES_FAULT_H

#include "rules/rules.h"

/** Point at a byte of the rule's text and begin an empty sentence. */
void cairn__rule_fault_begin(cairn__rule_fault *fault, cairn_span text, size_t at);

/** Append words. */
void cairn__rule_fault_add(cairn__rule_fault *fault, const char *words);

/** Append something the person wrote, in quotes, shortened when it is long. */
void cairn__rule_fault_quote(cairn__rule_fault *fault, cairn_span word);

/** Append a number. */
void cairn__rule_fault_number(cairn__rule_fault *fault, uint64_t number);

/** Append `; did you mean "x"?` when one of the words is near to what was written. */
void cairn__rule_fault_suggest(cairn__rule_fault *fault, cairn_span written,
                               const char *const *words, size_t count);

/** ASCII letters of either case are the same. */
bool cairn__rule_word_is(cairn_span text, const char *word);

#endif
