/* json.h: JSON text written into a buffer, without printf and without a locale, so that every
 * platform writes the same bytes. Writing only: what reads JSON uses a library. */
#ifndef CAIRN_BASE_JSON_H
#define CAIRN_BASE_JSON_H

#include "base/memory.h"

/** A literal piece: brackets, names, commas. */
#define CAIRN__JSON_PUT(to, literal) cairn__buffer_append((to), CAIRN_STR(literal))

/** The text in quotes, escaped. Where it is not UTF-8 each byte above ASCII becomes U+FFFD. */
void cairn__json_text(cairn__buffer *to, cairn_span text);

/** Decimal. */
void cairn__json_integer(cairn__buffer *to, int64_t number);

/** A decimal that reads as the same double again; null where it is not finite. */
void cairn__json_number(cairn__buffer *to, double number);

#endif
