/* pattern.h: the patterns of `matches`: a subset of RE2's syntax, matched in time linear in the
 * text.
 *
 *   x . [a-z] [^a-z] \d \w \s \D \W \S   one character (`.` is any but a line feed)
 *   (x) (?:x) x|y xy                     groups and choices
 *   x* x+ x? x{n} x{n,} x{n,m}           how often, n and m at most 100 (a ? after it is allowed)
 *   ^ $ \b \B                            ends of the text and of words
 *   (?i) at the start                    ASCII letters match both cases
 *
 * A pattern is found anywhere in the text unless ^ and $ say otherwise. \d, \w and \s are ASCII, as
 * in RE2. Back-references and looking around are refused: they cannot be had in linear time. */
#ifndef CAIRN_RULES_PATTERN_H
#define CAIRN_RULES_PATTERN_H

#include "base/memory.h"

enum {
    CAIRN__PATTERN_STATES_MAX = 512,
    CAIRN__PATTERN_RANGES_MAX = 512, /* of all character classes together */
    CAIRN__PATTERN_REPEAT_MAX = 100,
    CAIRN__PATTERN_DEPTH_MAX = 32, /* groups within groups */
    CAIRN__PATTERN_TEXT_BYTES_MAX = 1024
};

typedef struct cairn__pattern_fault {
    uint32_t column;  /* in the pattern, in characters from 1 */
    const char *text; /* what is wrong; static storage */
} cairn__pattern_fault;

/** Compile. The program is a run of bytes in the arena, the same on every platform.
 * @retval CAIRN_INVALID    fault_out says why.
 * @retval CAIRN_NO_MEMORY  The arena is full. */
cairn_status cairn__pattern_compile(cairn_span pattern, cairn__arena *arena,
                                    cairn_span *program_out, cairn__pattern_fault *fault_out);

/** May these bytes be given to cairn__pattern_matches? */
bool cairn__pattern_check(cairn_span program);

/** The number of states: the most steps that one character of text can take. */
uint32_t cairn__pattern_states(cairn_span program);

/** How ASCII letters of the text are seen: as they are, or through lower() or upper(). */
typedef enum cairn__pattern_fold {
    CAIRN__FOLD_NONE,
    CAIRN__FOLD_LOWER,
    CAIRN__FOLD_UPPER
} cairn__pattern_fold;

/** Is the pattern found in the text? The program must be compiled or checked. Uses 4 KiB of stack,
 * no other memory. Bytes that are not UTF-8 match only `.` and negated classes. */
bool cairn__pattern_matches(cairn_span program, cairn_span text, cairn__pattern_fold fold);

#endif
