/* store.h: the map of persons and its tables; inside collector/identity only. */
#ifndef CAIRN_IDENTITY_STORE_H
#define CAIRN_IDENTITY_STORE_H

#include "identity/identity.h"
#include "identity/ids.h"

enum { CAIRN__MAP_CHUNK_NODES = 512 }; /* nodes of one row of the map's table */

/** What the journal says happened; numbers on disk, never renumber. */
typedef enum cairn__journal_kind {
    CAIRN__JOURNAL_MERGE = 1,  /* person `from` went into `into`, because of nodes a and b */
    CAIRN__JOURNAL_MOVE = 2,   /* node a's id goes on as node b */
    CAIRN__JOURNAL_REFUSE = 3, /* nodes a and b were not joined */
    CAIRN__JOURNAL_LEAVE = 4,  /* node a's id was logged out */
    CAIRN__JOURNAL_UNLINK = 5, /* somebody wishes a and b apart */
} cairn__journal_kind;

typedef struct cairn__journal_row {
    cairn__identity_moment moment;
    cairn__journal_kind kind;
    uint32_t a, b, from, into;
} cairn__journal_row;

typedef struct cairn__new_node {
    uint32_t node;
    cairn_id id; /* in `texts` */
    cairn__identity_moment moment;
} cairn__new_node;

/** Parallel arrays by node; size and login count only at a person's own node. */
typedef struct cairn__person_map {
    uint32_t *person; /* oldest node of the person */
    uint32_t *ring;   /* next node of the same person */
    uint32_t *login;  /* the node of the person's login id; 0: none */
    uint32_t *size;   /* nodes of the person */
    uint32_t count;   /* nodes in use, with node 0, which is nobody */
    uint32_t capacity;
    uint64_t *dirty; /* a bit per chunk */
} cairn__person_map;

struct cairn__identity {
    cairn_allocator allocator;
    sqlite3 *db;
    cairn__ids ids;
    cairn__person_map map;
    cairn__arena texts; /* of new nodes, until the commit */
    cairn__new_node *new_nodes;
    size_t new_count, new_capacity;
    cairn__journal_row *journal;
    size_t journal_count, journal_capacity;
    cairn__identity_stats stats;
    sqlite3_stmt *insert_node, *insert_journal, *put_chunk, *select_node;
};

/** Make the tables, prepare the statements, read the map. */
cairn_status cairn__identity_load(cairn__identity *identity, cairn__db_problem *problem_out);

/** Room for one more node in the map. */
bool cairn__map_reserve(cairn__person_map *map, cairn_allocator allocator);
void cairn__map_free(cairn__person_map *map, cairn_allocator allocator);
/** The node's chunk must be written at the next commit. */
void cairn__map_touch(cairn__person_map *map, uint32_t node);

#endif
