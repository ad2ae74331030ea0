/* persons.h: who uses this device: the rules of identity for one device (docs/ARCHITECTURE.md).
 *
 * A **node** is an id, or an anonymous stretch of this device (from a logout, or the beginning, to
 * the next login). Events come with the current node: the id that is logged in, or the anonymous
 * one. A person is what links connect. The collector's identity does the same for all devices; this
 * is small enough to be searched through, and can part links, so it shares no code with it.
 *
 * Rules: a login of an anonymous device gives all it did to that login (the node is **absorbed**);
 * unless its person has another login already: then, as between two logins, it is another person.
 * A link joins two persons unless both have an id of type "login" (these are unique). An unlink
 * takes just that link away. One owner thread. */
#ifndef CAIRN_LOCAL_PERSONS_H
#define CAIRN_LOCAL_PERSONS_H

#include "decide/memory.h"
#include "model/event.h"

typedef struct cairn__node {
    uint32_t number; /* from 1; never given twice */
    uint32_t person; /* the smallest number among the connected */
    cairn_id id;     /* in `block`; empty: anonymous */
    uint8_t *block;
    int64_t floor_ms;   /* of what was before, nothing is known */
    int64_t trimmed_ms; /* events before may have left the history (they are in folds) */
    uint64_t used;      /* persons->clock when it was last current */
    cairn__memory memory;
} cairn__node;

typedef struct cairn__edge {
    uint32_t a, b; /* nodes' numbers */
} cairn__edge;

typedef struct cairn__persons {
    cairn_allocator allocator;
    cairn__node *nodes; /* ascending */
    size_t count, capacity;
    cairn__edge *edges;
    size_t edge_count, edge_capacity;
    uint32_t next_number;
    uint32_t current; /* a node's number; 0: an anonymous one is opened by the next event */
    uint64_t clock;
    uint64_t generation; /* of the current person: another number whenever it is another, or more,
                            or less */
    uint64_t forgotten;  /* persons, ever */
    int64_t floor_ms;    /* of ids that are seen anew: they may be of a person that was forgotten */
    int64_t anonymous_floor_ms; /* of the next anonymous node: it may have begun before */
} cairn__persons;

/** What an operation did. */
typedef struct cairn__persons_change {
    uint32_t absorbed, into; /* everything of node `absorbed` is `into`'s; 0: nothing was */
} cairn__persons_change;

cairn__persons cairn__persons_make(cairn_allocator allocator);
void cairn__persons_free(cairn__persons *persons);

/** NULL: there is none of this number. */
cairn__node *cairn__persons_find(const cairn__persons *persons, uint32_t number);

/** The node that an event of now comes with, opened where there is none; NULL: no memory. */
cairn__node *cairn__persons_current(cairn__persons *persons);

/** May the current person's facts be those of this node? */
bool cairn__persons_is_current(const cairn__persons *persons, uint32_t number);

/** @retval CAIRN_NO_MEMORY  Nothing changed. */
cairn_status cairn__persons_login(cairn__persons *persons, cairn_id id,
                                  cairn__persons_change *change_out);
/** After the caller has moved over what belonged to change.absorbed: the node goes. */
void cairn__persons_absorbed(cairn__persons *persons, uint32_t number);
void cairn__persons_logout(cairn__persons *persons);

/** ids[0] and ids[1] are one person; ids[0] of type "device" is the current node.
 * @retval CAIRN_FULL  It would be a person with two logins, or of too many ids: nothing changed. */
cairn_status cairn__persons_link(cairn__persons *persons, const cairn_id ids[2]);
cairn_status cairn__persons_unlink(cairn__persons *persons, const cairn_id ids[2]);

/** The person to forget, since it cannot come back, or since there are too many persons or ids: its
 * number; 0: none. *missed_out: it may come back, and then its past is not known. */
uint32_t cairn__persons_victim(const cairn__persons *persons, bool *missed_out);
/** Take a node away with its links; the caller has taken care of its events. */
void cairn__persons_remove(cairn__persons *persons, cairn__node *node);

size_t cairn__persons_number(const cairn__persons *persons);

/** Append as bytes; memories are not among them. */
void cairn__persons_write(const cairn__persons *persons, cairn__buffer *to);
/** Read into empty persons. False: damaged, or no memory: then they are empty. */
bool cairn__persons_read(cairn__persons *persons, cairn_span bytes);

#endif
