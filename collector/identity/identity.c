/* identity.c: the rules: who is whom. */
#include "identity/identity.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "identity/store.h"

enum { PENDING_MIN = 64 };
#define TEXTS_BYTES_MAX ((size_t)512 * 1024 * 1024)

cairn_status cairn__identity_open(sqlite3 *db, cairn_allocator allocator,
                                  cairn__identity **identity_out, cairn__db_problem *problem_out) {
    *identity_out = NULL;
    cairn__identity *identity = allocator.resize(allocator.self, NULL, 0, sizeof *identity);
    if (identity == NULL) {
        return CAIRN_NO_MEMORY;
    }
    *identity = (cairn__identity){ .allocator = allocator, .db = db };
    identity->texts = cairn__arena_make(allocator, TEXTS_BYTES_MAX);
    cairn_status status = cairn__identity_load(identity, problem_out);
    if (status != CAIRN_OK) {
        cairn__identity_close(identity);
        return status;
    }
    *identity_out = identity;
    return CAIRN_OK;
}

void cairn__identity_close(cairn__identity *identity) {
    if (identity == NULL) {
        return;
    }
    cairn_allocator heap = identity->allocator;
    sqlite3_finalize(identity->insert_node);
    sqlite3_finalize(identity->insert_journal);
    sqlite3_finalize(identity->put_chunk);
    sqlite3_finalize(identity->select_node);
    cairn__ids_close(&identity->ids);
    cairn__map_free(&identity->map, heap);
    cairn__arena_free(&identity->texts);
    (void)heap.resize(heap.self, identity->new_nodes,
                      identity->new_capacity * sizeof *identity->new_nodes, 0);
    (void)heap.resize(heap.self, identity->journal,
                      identity->journal_capacity * sizeof *identity->journal, 0);
    (void)heap.resize(heap.self, identity, sizeof *identity, 0);
}

/* --- nodes --------------------------------------------------------------------------------- */

static bool is_login(cairn_id id) {
    return cairn__span_equal(id.type, CAIRN_STR("login"));
}

/* Shared things, which find a person but never join two that log in (rule 3). */
static bool is_weak(cairn_id id) {
    return cairn__span_equal(id.type, CAIRN_STR("device")) ||
           cairn__span_equal(id.type, CAIRN_STR("cookie"));
}

static bool reserve(cairn_allocator heap, void **list, size_t item_bytes, size_t count,
                    size_t *capacity) {
    if (count < *capacity) {
        return true;
    }
    size_t grown = *capacity == 0 ? PENDING_MIN : *capacity * 2;
    void *at = heap.resize(heap.self, *list, *capacity * item_bytes, grown * item_bytes);
    if (at == NULL) {
        return false;
    }
    *list = at;
    *capacity = grown;
    return true;
}

static bool reserve_node(cairn__identity *identity) {
    return reserve(identity->allocator, (void **)&identity->new_nodes, sizeof *identity->new_nodes,
                   identity->new_count, &identity->new_capacity) &&
           cairn__map_reserve(&identity->map, identity->allocator);
}

/* Every operation reserves its journal rows before it changes anything. */
static bool reserve_journal(cairn__identity *identity, size_t rows) {
    return reserve(identity->allocator, (void **)&identity->journal, sizeof *identity->journal,
                   identity->journal_count + rows - 1, &identity->journal_capacity);
}

static void note(cairn__identity *identity, cairn__journal_row row) {
    CAIRN_ASSERT(identity->journal_count < identity->journal_capacity);
    identity->journal[identity->journal_count++] = row;
}

/* A new sight of an id: a person of its own. */
static cairn_status open_node(cairn__identity *identity, cairn__known_id *entry,
                              cairn__identity_moment moment) {
    cairn__person_map *map = &identity->map;
    if (map->count == CAIRN__IDENTITY_NODES_MAX) {
        return CAIRN_FULL;
    }
    cairn__new_node fresh = { .node = map->count, .moment = moment };
    if (!reserve_node(identity) ||
        !cairn__arena_copy(&identity->texts, entry->id.type, &fresh.id.type) ||
        !cairn__arena_copy(&identity->texts, entry->id.value, &fresh.id.value)) {
        return CAIRN_NO_MEMORY;
    }
    uint32_t node = map->count++;
    map->person[node] = node;
    map->ring[node] = node;
    map->login[node] = is_login(entry->id) ? node : 0;
    map->size[node] = 1;
    cairn__map_touch(map, node);
    identity->new_nodes[identity->new_count++] = fresh;
    identity->stats.nodes++;
    identity->stats.persons++;
    entry->node = node;
    entry->closed = false;
    cairn__ids_touch(&identity->ids, entry);
    return CAIRN_OK;
}

cairn_status cairn__identity_see(cairn__identity *identity, cairn_id id,
                                 cairn__identity_moment moment, uint32_t *node_out) {
    cairn__known_id *entry = NULL;
    cairn_status status = cairn__ids_get(&identity->ids, id, &entry);
    if (status == CAIRN_OK && (entry->node == 0 || entry->closed)) {
        status = open_node(identity, entry, moment);
    }
    *node_out = status == CAIRN_OK ? entry->node : 0;
    return status;
}

cairn_status cairn__identity_find(cairn__identity *identity, cairn_id id, uint32_t *node_out) {
    cairn__known_id *entry = NULL;
    cairn_status status = cairn__ids_get(&identity->ids, id, &entry);
    *node_out = status == CAIRN_OK ? entry->node : 0;
    return status == CAIRN_OK && entry->node == 0 ? CAIRN_NOT_FOUND : status;
}

cairn_status cairn__identity_current(cairn__identity *identity, cairn_id id, uint32_t *node_out) {
    cairn__known_id *entry = NULL;
    cairn_status status = cairn__ids_get(&identity->ids, id, &entry);
    *node_out = status == CAIRN_OK && !entry->closed ? entry->node : 0;
    return status == CAIRN_OK && *node_out == 0 ? CAIRN_NOT_FOUND : status;
}

/* --- links --------------------------------------------------------------------------------- */

/* The younger person's nodes become the older's; their rings become one. */
static void merge(cairn__identity *identity, uint32_t a, uint32_t b,
                  cairn__identity_moment moment) {
    cairn__person_map *map = &identity->map;
    uint32_t into = map->person[a] < map->person[b] ? map->person[a] : map->person[b];
    uint32_t from = map->person[a] < map->person[b] ? map->person[b] : map->person[a];
    uint32_t node = from;
    do {
        map->person[node] = into;
        cairn__map_touch(map, node);
        node = map->ring[node];
    } while (node != from);
    uint32_t swapped = map->ring[into];
    map->ring[into] = map->ring[from];
    map->ring[from] = swapped;
    map->size[into] += map->size[from];
    map->login[into] = map->login[into] != 0 ? map->login[into] : map->login[from];
    cairn__map_touch(map, into);
    identity->stats.persons--;
    identity->stats.merges++;
    note(identity, (cairn__journal_row){ moment, CAIRN__JOURNAL_MERGE, a, b, from, into });
}

/* Rule 3: from now on the weak id is another person's; what it did before stays where it is. */
static cairn_status move_weak(cairn__identity *identity, cairn_id weak, uint32_t owner,
                              cairn__identity_moment moment) {
    cairn__known_id *entry = NULL;
    cairn_status status = cairn__ids_get(&identity->ids, weak, &entry);
    uint32_t before = status == CAIRN_OK ? entry->node : 0;
    if (status == CAIRN_OK) {
        status = open_node(identity, entry, moment);
    }
    if (status != CAIRN_OK) {
        return status;
    }
    note(identity, (cairn__journal_row){ moment, CAIRN__JOURNAL_MOVE, before, entry->node, 0, 0 });
    merge(identity, entry->node, owner, moment);
    return CAIRN_OK;
}

static cairn__identity_outcome refuse(cairn__identity *identity, uint32_t a, uint32_t b,
                                      cairn__identity_moment moment) {
    identity->stats.refused++;
    note(identity, (cairn__journal_row){ moment, CAIRN__JOURNAL_REFUSE, a, b, 0, 0 });
    return CAIRN__LINK_REFUSED;
}

static bool has_room(const cairn__person_map *map, uint32_t a, uint32_t b) {
    return map->size[map->person[a]] + map->size[map->person[b]] <= CAIRN__PERSON_IDS_MAX;
}

/* Two persons that each log in under another name are two persons, whatever they share. */
static cairn_status part_logins(cairn__identity *identity, const cairn_id ids[2],
                                const uint32_t nodes[2], cairn__identity_moment moment,
                                cairn__identity_outcome *outcome_out) {
    int weak = is_weak(ids[0]) ? 0 : 1;
    bool moves = is_weak(ids[weak]) && !is_weak(ids[1 - weak]) &&
                 identity->map.size[identity->map.person[nodes[1 - weak]]] < CAIRN__PERSON_IDS_MAX;
    if (!moves) {
        *outcome_out = refuse(identity, nodes[0], nodes[1], moment);
        return CAIRN_OK;
    }
    *outcome_out = CAIRN__LINK_MOVED;
    return move_weak(identity, ids[weak], nodes[1 - weak], moment);
}

cairn_status cairn__identity_link(cairn__identity *identity, cairn_id a, cairn_id b,
                                  cairn__identity_moment moment,
                                  cairn__identity_outcome *outcome_out) {
    *outcome_out = CAIRN__LINK_REFUSED;
    uint32_t nodes[2];
    if (!reserve_journal(identity, 2)) {
        return CAIRN_NO_MEMORY;
    }
    cairn_status status = cairn__identity_see(identity, a, moment, &nodes[0]);
    if (status == CAIRN_OK) {
        status = cairn__identity_see(identity, b, moment, &nodes[1]);
    }
    if (status != CAIRN_OK) {
        return status;
    }
    const cairn__person_map *map = &identity->map;
    uint32_t persons[2] = { map->person[nodes[0]], map->person[nodes[1]] };
    if (persons[0] == persons[1]) {
        *outcome_out = CAIRN__LINK_SAME;
        return CAIRN_OK;
    }
    if (map->login[persons[0]] != 0 && map->login[persons[1]] != 0) {
        return part_logins(identity, (cairn_id[2]){ a, b }, nodes, moment, outcome_out);
    }
    if (!has_room(map, nodes[0], nodes[1])) {
        *outcome_out = refuse(identity, nodes[0], nodes[1], moment);
        return CAIRN_OK;
    }
    merge(identity, nodes[0], nodes[1], moment);
    *outcome_out = CAIRN__LINK_MERGED;
    return CAIRN_OK;
}

cairn_status cairn__identity_leave(cairn__identity *identity, cairn_id id,
                                   cairn__identity_moment moment) {
    cairn__known_id *entry = NULL;
    cairn_status status = cairn__ids_get(&identity->ids, id, &entry);
    if (status != CAIRN_OK || entry->node == 0 || entry->closed) {
        return status;
    }
    if (!reserve_journal(identity, 1)) {
        return CAIRN_NO_MEMORY;
    }
    note(identity, (cairn__journal_row){ moment, CAIRN__JOURNAL_LEAVE, entry->node, 0, 0, 0 });
    entry->closed = true;
    cairn__ids_touch(&identity->ids, entry);
    return CAIRN_OK;
}

cairn_status cairn__identity_note_unlink(cairn__identity *identity, cairn_id a, cairn_id b,
                                         cairn__identity_moment moment) {
    uint32_t node_a = 0;
    uint32_t node_b = 0;
    cairn_status status = cairn__identity_find(identity, a, &node_a);
    if (status == CAIRN_OK) {
        status = cairn__identity_find(identity, b, &node_b);
    }
    if (status != CAIRN_OK) {
        return status == CAIRN_NOT_FOUND ? CAIRN_OK : status; /* nothing to take apart */
    }
    if (!reserve_journal(identity, 1)) {
        return CAIRN_NO_MEMORY;
    }
    note(identity, (cairn__journal_row){ moment, CAIRN__JOURNAL_UNLINK, node_a, node_b, 0, 0 });
    return CAIRN_OK;
}

/* --- asking -------------------------------------------------------------------------------- */

uint32_t cairn__identity_person(const cairn__identity *identity, uint32_t node) {
    CAIRN_ASSERT(node < identity->map.count);
    return identity->map.person[node];
}

uint32_t cairn__identity_ring(const cairn__identity *identity, uint32_t node) {
    CAIRN_ASSERT(node < identity->map.count);
    return identity->map.ring[node];
}

const uint32_t *cairn__identity_map(const cairn__identity *identity, size_t *count_out) {
    *count_out = identity->map.count;
    return identity->map.person;
}

void cairn__identity_stats_of(const cairn__identity *identity, cairn__identity_stats *stats_out) {
    *stats_out = identity->stats;
}
