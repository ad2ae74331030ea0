/* text.h: small pieces of JSON and URLs. */
#ifndef CAIRN_EDGE_TEXT_H
#define CAIRN_EDGE_TEXT_H

#include "base/memory.h"

/** Append a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void cairn__json_string(cairn__buffer *to, cairn_span text);

/** Decode %XX into `to` (room for text.len bytes). False: a broken escape, or a NUL. */
bool cairn__url_decode(cairn_span text, uint8_t *to, size_t *len_out);

/** The raw value of a name in a query string; data NULL when it is not there. */
cairn_span cairn__query_value(cairn_span query, const char *name);

/** Do both hold the same bytes? Takes as long whatever they hold (for secrets). */
bool cairn__same_secret(cairn_span given, const char *secret);

#endif
