/* json.h: events and values as JSON, through jansson; inside collector/fold only. */
#ifndef CAIRN_FOLD_JSON_H
#define CAIRN_FOLD_JSON_H

#include <jansson.h>

#include "cairn/cairn_types.h"

/** A value as JSON: a time as RFC 3339 text, a list as an array. NULL: no memory. The caller owns.
 */
json_t *cairn__json_value(const cairn_value *value);
/** An object of properties; names that come twice keep the last. */
json_t *cairn__json_properties(const cairn_property *properties, size_t count);
/** A moment as RFC 3339 text in UTC. */
json_t *cairn__json_time(int64_t time_ms);
/** Put `member` (taken over, also on failure; NULL is a failure) into the object. */
bool cairn__json_put(json_t *object, cairn_span name, json_t *member);

#endif
