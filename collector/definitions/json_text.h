/* json_text.h: JSON as canonical text: keys in order of their bytes, no white space, numbers in the
 * fewest digits that read back as the same number. Inside collector/definitions only. */
#ifndef CAIRN_DEFINITIONS_JSON_TEXT_H
#define CAIRN_DEFINITIONS_JSON_TEXT_H

#include <jansson.h>

#include "base/memory.h"

/** Append. False: no room in the buffer. */
bool cairn__json_write(const json_t *value, cairn__buffer *to);

#endif
