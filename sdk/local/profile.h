/* profile.h: what this device wrote to profiles and the server may not have yet, one write by one.
 * A property of the person is the server's value with the writes after it; without a value of the
 * server, only what was set (or unset, or deleted) here is known: others may have written before.
 * One owner thread. */
#ifndef CAIRN_LOCAL_PROFILE_H
#define CAIRN_LOCAL_PROFILE_H

#include "local/kept.h"
#include "local/persons.h"

enum { CAIRN__PROFILE_BYTES_MAX = 64 * 1024 /* of names and texts that are kept */ };

typedef struct cairn__write {
    uint64_t seq;
    uint32_t node;
    cairn__event_kind kind; /* a PROFILE_ one */
    cairn__kept name;       /* a string; of DELETE null */
    cairn__kept value;
} cairn__write;

typedef struct cairn__profile {
    cairn_allocator allocator;
    cairn__write *writes; /* in order */
    size_t count, capacity;
    size_t bytes;
    uint64_t lost_seq;  /* writes up to it may have been given up: older values of the server do not
                           count */
    cairn__arena arena; /* of lists that were put together */
} cairn__profile;

cairn__profile cairn__profile_make(cairn_allocator allocator);
void cairn__profile_free(cairn__profile *profile);

/** Take an event of a PROFILE_ kind. False: no memory, and some properties are unknown. */
bool cairn__profile_note(cairn__profile *profile, uint32_t node, const cairn__event *event);

/** What was written as one node is another's; to 0: it is forgotten. */
void cairn__profile_move(cairn__profile *profile, uint32_t from, uint32_t to);

/** The server has what the current person wrote to this name up to this seq. */
void cairn__profile_settle(cairn__profile *profile, const cairn__persons *persons, cairn_span name,
                           uint64_t covers_seq);

/** What the server says of the property; value NULL: nothing. */
typedef struct cairn__profile_base {
    const cairn_value *value;
    uint64_t covers_seq;
} cairn__profile_base;

/** The property of the current person; borrowed until anything changes (a list: until the arena is
 * reset, which the caller does). Kind CAIRN__RULE_VALUE_UNKNOWN: not known here. */
cairn_value cairn__profile_value(cairn__profile *profile, const cairn__persons *persons,
                                 cairn_span name, cairn__profile_base base);

void cairn__profile_write(const cairn__profile *profile, cairn__buffer *to);
/** Into an empty profile. False: damaged, or no memory. */
bool cairn__profile_read(cairn__profile *profile, cairn_span bytes);

#endif
