/* persons.c: see persons.h. There are at most CAIRN__LOCAL_IDS_MAX nodes, and changes are rare:
 * everything is searched through, and who is connected is found anew after each change. */
#include "local/persons.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "local/kept.h"
#include "local/local.h"
#include "model/limits.h"

enum { EDGES_MAX = 2 * CAIRN__LOCAL_IDS_MAX };

static const uint32_t numbers_max = UINT32_C(1) << 30; /* from bytes; no device opens so many */

cairn__persons cairn__persons_make(cairn_allocator allocator) {
    return (cairn__persons){
        .allocator = allocator,
        .next_number = 1,
        .generation = 1,
        .floor_ms = INT64_MIN,
        .anonymous_floor_ms = INT64_MIN,
    };
}

static void free_node(cairn__persons *persons, cairn__node *node) {
    size_t bytes = node->id.type.len + node->id.value.len;
    cairn__memory_free(&node->memory);
    if (node->block != NULL) {
        persons->allocator.resize(persons->allocator.self, node->block, bytes, 0);
    }
}

static void free_list(cairn__persons *persons, void *list, size_t bytes) {
    if (list != NULL) {
        persons->allocator.resize(persons->allocator.self, list, bytes, 0);
    }
}

void cairn__persons_free(cairn__persons *persons) {
    for (size_t i = 0; i < persons->count; i++) {
        free_node(persons, &persons->nodes[i]);
    }
    free_list(persons, persons->nodes, persons->capacity * sizeof *persons->nodes);
    free_list(persons, persons->edges, persons->edge_capacity * sizeof *persons->edges);
    *persons = cairn__persons_make(persons->allocator);
}

/* --- looking up --------------------------------------------------------------------------------*/

cairn__node *cairn__persons_find(const cairn__persons *persons, uint32_t number) {
    size_t low = 0;
    size_t high = persons->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (persons->nodes[middle].number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < persons->count && persons->nodes[low].number == number;
    return found ? &persons->nodes[low] : NULL;
}

static cairn__node *find_id(const cairn__persons *persons, cairn_id id) {
    for (size_t i = 0; i < persons->count; i++) {
        cairn__node *node = &persons->nodes[i];
        if (cairn__span_equal(node->id.value, id.value) &&
            cairn__span_equal(node->id.type, id.type) && id.value.len > 0) {
            return node;
        }
    }
    return NULL;
}

static uint32_t person_of(const cairn__persons *persons, uint32_t number) {
    const cairn__node *node = cairn__persons_find(persons, number);
    return node == NULL ? 0 : node->person;
}

bool cairn__persons_is_current(const cairn__persons *persons, uint32_t number) {
    return number == persons->current ||
           (persons->current != 0 && number != 0 &&
            person_of(persons, number) == person_of(persons, persons->current));
}

size_t cairn__persons_number(const cairn__persons *persons) {
    size_t count = 0;
    for (size_t i = 0; i < persons->count; i++) {
        count += persons->nodes[i].person == persons->nodes[i].number;
    }
    return count;
}

/* --- nodes -------------------------------------------------------------------------------------*/

static bool copy_id(cairn__persons *persons, cairn_id id, cairn__node *node) {
    size_t bytes = id.type.len + id.value.len;
    if (bytes == 0) {
        return true;
    }
    node->block = persons->allocator.resize(persons->allocator.self, NULL, 0, bytes);
    if (node->block == NULL) {
        return false;
    }
    memcpy(node->block, id.type.data, id.type.len);
    memcpy(node->block + id.type.len, id.value.data, id.value.len);
    node->id =
        (cairn_id){ { node->block, id.type.len }, { node->block + id.type.len, id.value.len } };
    return true;
}

/* A person of its own; NULL: no memory. Moves the other nodes. */
static cairn__node *open_node(cairn__persons *persons, cairn_id id) {
    cairn__node node = { .number = persons->next_number,
                         .person = persons->next_number,
                         .floor_ms =
                             id.value.len > 0 ? persons->floor_ms : persons->anonymous_floor_ms,
                         .trimmed_ms = INT64_MIN,
                         .used = persons->clock,
                         .memory = cairn__memory_make(persons->allocator) };
    if (!cairn__kept_reserve(persons->allocator, (void **)&persons->nodes, sizeof node,
                             persons->count, &persons->capacity) ||
        !copy_id(persons, id, &node)) {
        return NULL;
    }
    persons->next_number += 1;
    persons->nodes[persons->count++] = node;
    return &persons->nodes[persons->count - 1];
}

void cairn__persons_remove(cairn__persons *persons, cairn__node *node) {
    uint32_t number = node->number;
    size_t kept = 0;
    for (size_t i = 0; i < persons->edge_count; i++) {
        cairn__edge edge = persons->edges[i];
        if (edge.a != number && edge.b != number) {
            persons->edges[kept++] = edge;
        }
    }
    persons->edge_count = kept;
    free_node(persons, node);
    size_t at = (size_t)(node - persons->nodes);
    persons->count -= 1;
    memmove(node, node + 1, (persons->count - at) * sizeof *node);
}

static void set_current(cairn__persons *persons, uint32_t number) {
    persons->current = number;
    persons->generation += 1;
    persons->clock += 1;
    for (size_t i = 0; i < persons->count; i++) {
        if (cairn__persons_is_current(persons, persons->nodes[i].number)) {
            persons->nodes[i].used = persons->clock;
        }
    }
}

cairn__node *cairn__persons_current(cairn__persons *persons) {
    if (persons->current == 0) {
        cairn__node *node = open_node(persons, (cairn_id){ { NULL, 0 }, { NULL, 0 } });
        if (node == NULL) {
            return NULL;
        }
        set_current(persons, node->number);
    }
    return cairn__persons_find(persons, persons->current);
}

/* --- who is connected --------------------------------------------------------------------------*/

/* One pass over the links; false: nothing changed any more. */
static bool spread(cairn__persons *persons) {
    bool changed = false;
    for (size_t i = 0; i < persons->edge_count; i++) {
        cairn__node *a = cairn__persons_find(persons, persons->edges[i].a);
        cairn__node *b = cairn__persons_find(persons, persons->edges[i].b);
        uint32_t least = a->person < b->person ? a->person : b->person;
        changed = changed || a->person != b->person;
        a->person = least;
        b->person = least;
    }
    return changed;
}

static void connect(cairn__persons *persons) {
    for (size_t i = 0; i < persons->count; i++) {
        persons->nodes[i].person = persons->nodes[i].number;
    }
    while (spread(persons)) {
    }
    set_current(persons, persons->current);
}

/* The login id of a person; NULL: it has none. */
static const cairn__node *login_of(const cairn__persons *persons, uint32_t person) {
    for (size_t i = 0; i < persons->count; i++) {
        const cairn__node *node = &persons->nodes[i];
        if (node->person == person && cairn__span_equal(node->id.type, CAIRN_STR("login"))) {
            return node;
        }
    }
    return NULL;
}

static bool can_join(const cairn__persons *persons, const cairn__node *a, const cairn__node *b) {
    return a->person == b->person || login_of(persons, a->person) == NULL ||
           login_of(persons, b->person) == NULL;
}

static bool add_edge(cairn__persons *persons, uint32_t a, uint32_t b) {
    for (size_t i = 0; i < persons->edge_count; i++) {
        const cairn__edge *edge = &persons->edges[i];
        if ((edge->a == a && edge->b == b) || (edge->a == b && edge->b == a)) {
            return true;
        }
    }
    if (persons->edge_count >= EDGES_MAX ||
        !cairn__kept_reserve(persons->allocator, (void **)&persons->edges, sizeof *persons->edges,
                             persons->edge_count, &persons->edge_capacity)) {
        return false;
    }
    persons->edges[persons->edge_count++] = (cairn__edge){ a, b };
    return true;
}

/* --- operations --------------------------------------------------------------------------------*/

static cairn__node *see(cairn__persons *persons, cairn_id id) {
    cairn__node *node = find_id(persons, id);
    return node != NULL ? node : open_node(persons, id);
}

/* The anonymous node is this id's: its links go over. Links of the node to itself are left out. */
static void absorb(cairn__persons *persons, uint32_t from, uint32_t to) {
    size_t kept = 0;
    for (size_t i = 0; i < persons->edge_count; i++) {
        cairn__edge edge = persons->edges[i];
        edge.a = edge.a == from ? to : edge.a;
        edge.b = edge.b == from ? to : edge.b;
        if (edge.a != edge.b) {
            persons->edges[kept++] = edge;
        }
    }
    persons->edge_count = kept;
    cairn__node *old = cairn__persons_find(persons, from);
    cairn__node *into = cairn__persons_find(persons, to);
    into->floor_ms = old->floor_ms > into->floor_ms ? old->floor_ms : into->floor_ms;
    into->trimmed_ms = old->trimmed_ms > into->trimmed_ms ? old->trimmed_ms : into->trimmed_ms;
}

cairn_status cairn__persons_login(cairn__persons *persons, cairn_id id,
                                  cairn__persons_change *change_out) {
    *change_out = (cairn__persons_change){ 0, 0 };
    cairn__node *node = see(persons, id);
    if (node == NULL) {
        return CAIRN_NO_MEMORY;
    }
    uint32_t number = node->number;
    const cairn__node *before = cairn__persons_find(persons, persons->current);
    if (before == NULL || before == node || !can_join(persons, before, node)) {
        set_current(persons, number);
        return CAIRN_OK;
    }
    if (before->id.value.len > 0) { /* another id of the one who is here: a mobile, an e-mail */
        if (!add_edge(persons, before->number, number)) {
            return CAIRN_NO_MEMORY;
        }
    } else {
        *change_out = (cairn__persons_change){ before->number, number };
        absorb(persons, before->number, number);
    }
    persons->current = number;
    if (change_out->absorbed == 0) {
        connect(persons);
    }
    return CAIRN_OK;
}

void cairn__persons_absorbed(cairn__persons *persons, uint32_t number) {
    cairn__node *node = cairn__persons_find(persons, number);
    if (node != NULL) {
        cairn__persons_remove(persons, node);
    }
    connect(persons);
}

void cairn__persons_logout(cairn__persons *persons) {
    persons->anonymous_floor_ms = INT64_MIN; /* who comes now begins now */
    set_current(persons, 0);
}

/* The nodes of two ids; false: no memory, or one that nobody has (where none is to be made). */
static bool nodes_of(cairn__persons *persons, const cairn_id ids[2], bool make, uint32_t to[2]) {
    for (size_t i = 0; i < 2; i++) {
        bool device = i == 0 && cairn__span_equal(ids[i].type, CAIRN_STR("device"));
        const cairn__node *node = device ? cairn__persons_current(persons)
                                  : make ? see(persons, ids[i])
                                         : find_id(persons, ids[i]);
        if (node == NULL) {
            return false;
        }
        to[i] = node->number;
    }
    return true;
}

cairn_status cairn__persons_link(cairn__persons *persons, const cairn_id ids[2]) {
    uint32_t numbers[2];
    if (!nodes_of(persons, ids, true, numbers)) {
        return CAIRN_NO_MEMORY;
    }
    const cairn__node *a = cairn__persons_find(persons, numbers[0]);
    const cairn__node *b = cairn__persons_find(persons, numbers[1]);
    if (a == b) {
        return CAIRN_OK;
    }
    if (!can_join(persons, a, b)) {
        return CAIRN_FULL;
    }
    if (!add_edge(persons, numbers[0], numbers[1])) {
        return CAIRN_NO_MEMORY;
    }
    connect(persons);
    return CAIRN_OK;
}

cairn_status cairn__persons_unlink(cairn__persons *persons, const cairn_id ids[2]) {
    uint32_t numbers[2];
    if (!nodes_of(persons, ids, false, numbers)) {
        return CAIRN_OK; /* what was never linked */
    }
    for (size_t i = 0; i < persons->edge_count; i++) {
        cairn__edge edge = persons->edges[i];
        if ((edge.a == numbers[0] && edge.b == numbers[1]) ||
            (edge.a == numbers[1] && edge.b == numbers[0])) {
            persons->edges[i] = persons->edges[--persons->edge_count];
            connect(persons);
            return CAIRN_OK;
        }
    }
    return CAIRN_OK;
}

/* --- too many ----------------------------------------------------------------------------------*/

static bool has_id(const cairn__persons *persons, uint32_t person) {
    for (size_t i = 0; i < persons->count; i++) {
        if (persons->nodes[i].person == person && persons->nodes[i].id.value.len > 0) {
            return true;
        }
    }
    return false;
}

/* Somebody who was anonymous to the end cannot come back: nothing can name them. */
static uint32_t gone(const cairn__persons *persons) {
    for (size_t i = 0; i < persons->count; i++) {
        uint32_t person = persons->nodes[i].person;
        if (!cairn__persons_is_current(persons, persons->nodes[i].number) &&
            !has_id(persons, person)) {
            return person;
        }
    }
    return 0;
}

uint32_t cairn__persons_victim(const cairn__persons *persons, bool *missed_out) {
    uint32_t away = gone(persons);
    *missed_out = away == 0;
    if (away != 0) {
        return away;
    }
    if (persons->count <= CAIRN__LOCAL_IDS_MAX &&
        cairn__persons_number(persons) <= CAIRN__LOCAL_PERSONS_MAX) {
        return 0;
    }
    const cairn__node *victim = NULL;
    for (size_t i = 0; i < persons->count; i++) {
        const cairn__node *node = &persons->nodes[i];
        if (!cairn__persons_is_current(persons, node->number) &&
            (victim == NULL || node->used < victim->used)) {
            victim = node;
        }
    }
    return victim == NULL ? 0 : victim->person;
}

/* --- bytes -------------------------------------------------------------------------------------*/

void cairn__persons_write(const cairn__persons *persons, cairn__buffer *to) {
    cairn__buffer_u32(to, persons->next_number);
    cairn__buffer_u32(to, persons->current);
    cairn__buffer_u64(to, persons->clock);
    cairn__buffer_u64(to, persons->generation);
    cairn__buffer_u64(to, persons->forgotten);
    cairn__buffer_u64(to, (uint64_t)persons->floor_ms);
    cairn__buffer_u64(to, (uint64_t)persons->anonymous_floor_ms);
    cairn__buffer_u32(to, (uint32_t)persons->count);
    cairn__buffer_u32(to, (uint32_t)persons->edge_count);
    for (size_t i = 0; i < persons->count; i++) {
        const cairn__node *node = &persons->nodes[i];
        cairn__buffer_u32(to, node->number);
        cairn__kept_write_span(node->id.type, to);
        cairn__kept_write_span(node->id.value, to);
        cairn__buffer_u64(to, (uint64_t)node->floor_ms);
        cairn__buffer_u64(to, (uint64_t)node->trimmed_ms);
        cairn__buffer_u64(to, node->used);
    }
    for (size_t i = 0; i < persons->edge_count; i++) {
        cairn__buffer_u32(to, persons->edges[i].a);
        cairn__buffer_u32(to, persons->edges[i].b);
    }
}

static bool read_node(cairn__persons *persons, cairn__cursor *from) {
    uint32_t number = 0;
    cairn_id id;
    int64_t floor_ms = 0;
    int64_t trimmed_ms = 0;
    uint64_t used = 0;
    bool good = cairn__kept_u32(from, &number) && cairn__kept_span(from, &id.type) &&
                cairn__kept_span(from, &id.value) && cairn__kept_i64(from, &floor_ms) &&
                cairn__kept_i64(from, &trimmed_ms) && cairn__kept_u64(from, &used);
    uint32_t last = persons->count == 0 ? 0 : persons->nodes[persons->count - 1].number;
    if (!good || number <= last || trimmed_ms == INT64_MAX ||
        id.type.len > CAIRN__ID_TYPE_BYTES_MAX || id.value.len > CAIRN__ID_VALUE_BYTES_MAX ||
        (id.type.len == 0) != (id.value.len == 0)) {
        return false;
    }
    uint32_t next = persons->next_number;
    persons->next_number = number;
    cairn__node *node = open_node(persons, id);
    persons->next_number = next;
    if (node == NULL || number >= next) {
        return false;
    }
    node->floor_ms = floor_ms;
    node->trimmed_ms = trimmed_ms;
    node->used = used;
    return true;
}

static bool read_edge(cairn__persons *persons, cairn__cursor *from) {
    uint32_t a = 0;
    uint32_t b = 0;
    return cairn__kept_u32(from, &a) && cairn__kept_u32(from, &b) &&
           cairn__persons_find(persons, a) != NULL && cairn__persons_find(persons, b) != NULL &&
           a != b && add_edge(persons, a, b);
}

static bool read_all(cairn__persons *persons, cairn__cursor *from) {
    uint32_t count = 0;
    uint32_t edges = 0;
    uint64_t generation = 0;
    if (!cairn__kept_u32(from, &persons->next_number) ||
        !cairn__kept_u32(from, &persons->current) || !cairn__kept_u64(from, &persons->clock) ||
        !cairn__kept_u64(from, &generation) || !cairn__kept_u64(from, &persons->forgotten) ||
        !cairn__kept_i64(from, &persons->floor_ms) ||
        !cairn__kept_i64(from, &persons->anonymous_floor_ms) || !cairn__kept_u32(from, &count) ||
        !cairn__kept_u32(from, &edges)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (i > CAIRN__LOCAL_IDS_MAX || !read_node(persons, from)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < edges; i++) {
        if (!read_edge(persons, from)) {
            return false;
        }
    }
    bool good = persons->next_number > 0 && persons->next_number <= numbers_max &&
                (persons->current == 0 || cairn__persons_find(persons, persons->current) != NULL);
    if (good) {
        uint64_t clock = persons->clock;
        connect(persons);
        persons->clock = clock;
        persons->generation = generation;
    }
    return good;
}

bool cairn__persons_read(cairn__persons *persons, cairn_span bytes) {
    cairn__cursor from = cairn__cursor_of(bytes);
    if (!read_all(persons, &from)) {
        cairn__persons_free(persons);
        return false;
    }
    return true;
}
