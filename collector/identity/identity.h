/* identity.h: which ids are one person (docs/ARCHITECTURE.md, "Identity").
 *
 * Deterministic: the same operations in the same order give the same nodes and persons.
 * Threads: everything belongs to the fold's thread; the map may be copied for readers. */
#ifndef CAIRN_IDENTITY_IDENTITY_H
#define CAIRN_IDENTITY_IDENTITY_H

#include "base/memory.h"
#include "db/db.h"

enum {
    CAIRN__PERSON_IDS_MAX = 1000,          /* nodes of one person */
    CAIRN__IDENTITY_NODES_MAX = 500000000, /* nodes of one project */
};

typedef struct cairn__identity cairn__identity;

/** When an operation happened: its order in the log, and its time. */
typedef struct cairn__identity_moment {
    uint64_t order;
    int64_t time_ms;
} cairn__identity_moment;

/** What a link did. */
typedef enum cairn__identity_outcome {
    CAIRN__LINK_SAME = 0,    /* they were one person already */
    CAIRN__LINK_MERGED = 1,  /* the younger person went into the older */
    CAIRN__LINK_MOVED = 2,   /* the weak id has a new owner from now on (rule 3) */
    CAIRN__LINK_REFUSED = 3, /* two logins, or too many ids (rules 3, 7): nothing changed */
} cairn__identity_outcome;

/** Open over the fold's database; makes its tables.
 * @retval CAIRN_STORAGE  problem_out names the table. */
cairn_status cairn__identity_open(sqlite3 *db, cairn_allocator allocator,
                                  cairn__identity **identity_out, cairn__db_problem *problem_out);
void cairn__identity_close(cairn__identity *identity);

/** The node an event with this id belongs to; the first sight of an id makes a person.
 * @retval CAIRN_NO_MEMORY, CAIRN_STORAGE  Nothing changed. CAIRN_FULL: no node numbers left. */
cairn_status cairn__identity_see(cairn__identity *identity, cairn_id id,
                                 cairn__identity_moment moment, uint32_t *node_out);

/** Say that two ids are one person (a login is a link of the device and the login id). */
cairn_status cairn__identity_link(cairn__identity *identity, cairn_id a, cairn_id b,
                                  cairn__identity_moment moment,
                                  cairn__identity_outcome *outcome_out);

/** A logout: the next sight of this id opens a new, anonymous node. Unknown ids: nothing. */
cairn_status cairn__identity_leave(cairn__identity *identity, cairn_id id,
                                   cairn__identity_moment moment);

/** Keep the wish to take two ids apart in the journal; the sets stay as they are. */
cairn_status cairn__identity_note_unlink(cairn__identity *identity, cairn_id a, cairn_id b,
                                         cairn__identity_moment moment);

/** The current node of an id, without making one.
 * @retval CAIRN_NOT_FOUND  Nobody has it. */
cairn_status cairn__identity_find(cairn__identity *identity, cairn_id id, uint32_t *node_out);

/** The same of an id in use: a device that was logged out and not seen since is nobody's.
 * @retval CAIRN_NOT_FOUND  Nobody has it now. */
cairn_status cairn__identity_current(cairn__identity *identity, cairn_id id, uint32_t *node_out);

uint32_t cairn__identity_person(const cairn__identity *identity, uint32_t node);
/** The next node of the same person, in a ring: walk until the first comes again. */
uint32_t cairn__identity_ring(const cairn__identity *identity, uint32_t node);
/** node -> person for nodes 0..count-1 (0 is nobody); valid until the next operation. */
const uint32_t *cairn__identity_map(const cairn__identity *identity, size_t *count_out);
/** The id that a node is a sight of; copied into the arena. Reads the database.
 * @retval CAIRN_NOT_FOUND  No such node committed. */
cairn_status cairn__identity_id_of(cairn__identity *identity, uint32_t node, cairn__arena *arena,
                                   cairn_id *id_out);

/** Inside the fold's transaction: write what changed. */
cairn_status cairn__identity_commit(cairn__identity *identity);
/** After it: forget what was written (ok), or keep it for the next time. */
void cairn__identity_committed(cairn__identity *identity, bool ok);

typedef struct cairn__identity_stats {
    uint64_t nodes, persons, merges, refused;
} cairn__identity_stats;
void cairn__identity_stats_of(const cairn__identity *identity, cairn__identity_stats *stats_out);

/** Check the map against itself and the node table; `report` is called per damage. */
typedef void (*cairn__identity_report)(void *self, const char *text);
cairn_status cairn__identity_verify(cairn__identity *identity, cairn__identity_report report,
                                    void *self);

#endif
