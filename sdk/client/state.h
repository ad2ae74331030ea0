/* state.h: what a device remembers beside its queue, and who it is. Kept in two slots that are
 * written in turn; of those that are whole the higher version wins. One owner thread. */
#ifndef CAIRN_CLIENT_STATE_H
#define CAIRN_CLIENT_STATE_H

#include "base/memory.h"
#include "base/record.h"
#include "model/event.h"

enum {
    CAIRN__SUPER_PROPERTIES_MAX = 64,
    CAIRN__PERSON_BYTES_MAX = 16 * 1024, /* super properties and login, encoded */
    CAIRN__STATE_BYTES_MAX = CAIRN__PERSON_BYTES_MAX + 1024
};

/** Super properties and the login, kept as one encoded Event message and a view of it. */
typedef struct cairn__person {
    cairn_allocator allocator;
    cairn__buffer bytes;
    cairn__arena arena;
    cairn__event view; /* properties: the super properties; ids: none, or the login */
} cairn__person;

/** The numbers of a state, in the order in which they are on disk. Those after has_clock_offset are
 * not there in stores of before there was consent: zero. */
typedef struct cairn__state {
    uint8_t device_id[16];
    uint64_t version;   /* 0: none yet */
    uint64_t base;      /* sequence number on the wire = ours - base (see docs/WIRE.md) */
    uint64_t acked_seq; /* ours, as all below */
    uint64_t next_seq;  /* at least 1 */
    uint64_t dropped;   /* events given up, ever */
    uint64_t reported;  /* of these, told by a $dropped event that is kept */
    uint64_t refused;   /* events that the server does not count, ever */
    uint64_t session;   /* from 1 */
    int64_t session_start_ms;
    int64_t last_event_ms; /* of the session */
    int64_t clock_offset_ms;
    bool has_clock_offset;
    uint32_t consent;      /* cairn_consent_state of each category, two bits each, in their order */
    uint64_t consent_text; /* checksum of the text's version */
    bool purging;          /* the tombstone: what else is stored must go (purge.h) */
} cairn__state;

cairn__person cairn__person_make(cairn_allocator allocator);
void cairn__person_free(cairn__person *person);

/** Replace both lists.
 * @retval CAIRN_FULL  More than the limits above. Nothing changed.
 * @retval CAIRN_NO_MEMORY  Nothing changed. */
cairn_status cairn__person_set(cairn__person *person, const cairn__event *wanted);

/** Append one STATE record. Of a state that is purging `person` is the farewell event. */
void cairn__state_write(cairn__buffer *buffer, const cairn__state *state,
                        const cairn__person *person);

/** Read a slot into both, if it is whole and of a higher version than state->version.
 * @retval CAIRN_OK         Taken, or older, or damaged: then nothing changed.
 * @retval CAIRN_NO_MEMORY  Nothing changed. */
cairn_status cairn__state_read(cairn_span bytes, cairn__state *state, cairn__person *person);

#endif
