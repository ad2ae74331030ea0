/* session.h: a session of a device as one number of the project: what the trail keeps of it, and
 * what caps "per session" compare. Two devices of a person may both be in their third session. */
#ifndef CAIRN_FACTS_SESSION_H
#define CAIRN_FACTS_SESSION_H

#include "cairn/cairn_types.h"

/** The property of `$popup_`, `$slot_` and `$experiment_` events that holds it in the trail. */
#define CAIRN__SESSION_PROPERTY CAIRN_STR("$session")

/**
 * FNV-1a, 64 bit, of the device id's text and the session's 8 bytes (little-endian), without its
 * highest bit. It is kept in trails: never change it.
 * @param device  32 hex digits; empty: not an SDK's event.
 */
int64_t cairn__session_number(cairn_span device, uint64_t session);

#endif
