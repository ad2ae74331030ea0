/* event_json.h: one JSON event with its verdict; inside collector/ingest, and for other bodies that
 * hold an event (collector/facts). */
#ifndef CAIRN_INGEST_EVENT_JSON_H
#define CAIRN_INGEST_EVENT_JSON_H

#include <jansson.h>

#include "ingest/ingest.h"
#include "ingest/nul.h"

typedef struct cairn__event_reader {
    cairn__arena *arena;
    cairn__nul_mark mark; /* of a body with U+0000 in a name */
    bool no_memory;       /* set once; then nothing read is of use */
} cairn__event_reader;

/** Read an event. out->event.time_ms is kept where the event gives no time; out->fault says what
 * is wrong. Texts are copied into the arena. */
void cairn__event_judge(cairn__event_reader *r, const json_t *value, cairn__ingest_event *out);

/** A copy in the arena, with stand-ins turned back. False: no memory. */
bool cairn__event_copy(cairn__event_reader *r, cairn_span from, cairn_span *out);

#endif
