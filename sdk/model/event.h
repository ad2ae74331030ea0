/* event.h: an event in memory, and to and from the wire's Event message.
 *
 * Encoded events are walked by hand, not by nanopb: 118 against 1,370 ns for ten properties, and
 * the slim WASM saves the tables. The envelope around them is model/sync.h.
 * Pure functions; spans are borrowed from the input. */
#ifndef CAIRN_MODEL_EVENT_H
#define CAIRN_MODEL_EVENT_H

#include "base/memory.h"
#include "cairn/cairn_types.h"

/** As enum EventKind in proto/cairn.proto (model/sync_server.c asserts that they agree). */
typedef enum cairn__event_kind {
    CAIRN__EVENT_TRACK = 0,
    CAIRN__EVENT_LOGIN = 1,
    CAIRN__EVENT_LINK = 2,
    CAIRN__EVENT_UNLINK = 3,
    CAIRN__EVENT_LOGOUT = 4,
    CAIRN__EVENT_PROFILE_SET = 5,
    CAIRN__EVENT_PROFILE_SET_ONCE = 6,
    CAIRN__EVENT_PROFILE_INCREMENT = 7,
    CAIRN__EVENT_PROFILE_APPEND = 8,
    CAIRN__EVENT_PROFILE_UNION = 9,
    CAIRN__EVENT_PROFILE_UNSET = 10,
    CAIRN__EVENT_PROFILE_DELETE = 11,
    CAIRN__EVENT_ITEM_SET = 12,
    CAIRN__EVENT_ITEM_DELETE = 13,
    CAIRN__EVENT_CONSENT = 14,
    CAIRN__EVENT_DECISION = 15,
    CAIRN__EVENT_ERASE = 16
} cairn__event_kind;

typedef struct cairn__event {
    uint64_t seq; /* 1.. ; 0 where the source has no sequence */
    cairn_span name;
    int64_t time_ms;
    uint64_t mono_ms;
    uint64_t session;
    cairn__event_kind kind;
    const cairn_property *properties;
    size_t property_count;
    const cairn_id *ids;
    size_t id_count;
} cairn__event;

/** The repeated strings of one batch; code 1 is items[0]. */
typedef struct cairn__dictionary {
    const cairn_span *items;
    size_t count;
} cairn__dictionary;

/** What is wrong with an event: a stable code, the field, and what to do. Static strings. */
typedef struct cairn__event_fault {
    const char *code;  /* "name_missing", "text_too_long", ... ; NULL: nothing is wrong */
    const char *field; /* "name", "properties[].name", "ids[0].value", ... */
    const char *fix;   /* "give every event a name of 1..100 bytes" */
} cairn__event_fault;

/** Check against model/limits.h and the rules of its kind (UTF-8, finite numbers, ids present).
 * @retval true  fault_out->code is NULL. */
bool cairn__event_check(const cairn__event *event, cairn__event_fault *fault_out);

/** Append the Event message (strings spelt out, no codes). buffer->failed tells of no room. */
void cairn__event_encode(cairn__buffer *buffer, const cairn__event *event);

/**
 * Read one Event message.
 *
 * @param bytes       The message, without its length. Borrowed by event_out's spans.
 * @param dictionary  Of the batch; may be empty.
 * @param arena       Takes the property and id arrays (and list items).
 * @retval CAIRN_OK         event_out is whole. It is not checked yet: call cairn__event_check.
 * @retval CAIRN_INVALID    Not protobuf, a code outside the dictionary, or more than the limits of
 *                          model/limits.h; fault_out says where.
 * @retval CAIRN_NO_MEMORY  The arena is full.
 */
cairn_status cairn__event_decode(cairn_span bytes, const cairn__dictionary *dictionary,
                                 cairn__arena *arena, cairn__event *event_out,
                                 cairn__event_fault *fault_out);

/** Append one Property message, without its length; as within an event. */
void cairn__property_encode(cairn__buffer *buffer, const cairn_property *property);

/** Read one Property message without codes; fields that it does not have are stepped over, so that
 * a value with other fields beside it (a fact) is read too. Not checked: name, UTF-8, finiteness.
 * @retval CAIRN_INVALID    Not protobuf, a code, or too long a list.
 * @retval CAIRN_NO_MEMORY  The arena is full. */
cairn_status cairn__property_decode(cairn_span bytes, cairn__arena *arena,
                                    cairn_property *property_out);

/** Only the sequence number, without reading the rest (0 when there is none or it is damaged). */
uint64_t cairn__event_peek_seq(cairn_span bytes);

#endif
