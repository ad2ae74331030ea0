/* text.h: JavaScript's strings are UTF-16; the engine keeps them as CESU-8 (each half of a
 * surrogate pair in three bytes). Outside, text is UTF-8. */
#ifndef CAIRN_SCRIPT_TEXT_H
#define CAIRN_SCRIPT_TEXT_H

#include "base/memory.h"

/** UTF-8 in; the same text as CESU-8 at `to`, which has room for text.len / 2 * 3 bytes. How many.
 */
size_t cairn__script_text_in(cairn_span text, uint8_t *to);

/** CESU-8 (or whatever a script made) in; well-formed UTF-8 is appended, a half without its other
 * half as U+FFFD. */
void cairn__script_text_out(cairn_span text, cairn__buffer *to);

#endif
