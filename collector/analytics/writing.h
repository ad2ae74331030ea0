/* writing.h: JSON into a buffer. Every text comes out as valid JSON, whatever its bytes. Pure. */
#ifndef CAIRN_ANALYTICS_WRITING_H
#define CAIRN_ANALYTICS_WRITING_H

#include "base/memory.h"

void cairn__writing_text(cairn__buffer *to, cairn_span text);
/** The shortest decimal that reads back as the same double; null when it is not finite. */
void cairn__writing_number(cairn__buffer *to, double number);
/** part / whole as a number; null when whole is 0. */
void cairn__writing_ratio(cairn__buffer *to, double part, double whole);
void cairn__writing_value(cairn__buffer *to, const cairn_value *value);

static inline void cairn__writing_raw(cairn__buffer *to, const char *text) {
    cairn__buffer_format(to, "%s", text);
}

#endif
