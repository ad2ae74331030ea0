/* know.c: one person at a moment, for facts and decisions. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "decide/decide.h"
#include "fold/json.h"
#include "fold/state.h"
#include "model/id.h"

enum { KNOWN_BYTES_MAX = 16 * 1024 * 1024 };

static const uint64_t token_seed = UINT64_C(0x746F6B656E);

/* --- who -------------------------------------------------------------------------------------- */

static cairn_status find_strongest(cairn__fold *fold, const cairn__fold_who *who,
                                   uint32_t *node_out) {
    int best = -1;
    *node_out = 0;
    for (size_t i = 0; i < who->id_count; i++) {
        uint32_t node = 0;
        int strength = cairn__fold_strength(who->ids[i]);
        if (strength <= best || cairn__id_denied(who->ids[i])) {
            continue;
        }
        cairn_status status = cairn__identity_current(fold->identity, who->ids[i], &node);
        if (status != CAIRN_OK && status != CAIRN_NOT_FOUND) {
            return status;
        }
        if (status == CAIRN_OK) {
            *node_out = node;
            best = strength;
        }
    }
    return CAIRN_OK;
}

static int by_number(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static bool list_nodes(const cairn__fold *fold, uint32_t node, cairn__fold_known *known) {
    uint32_t count = 0;
    uint32_t member = node;
    do {
        count += 1;
        member = cairn__identity_ring(fold->identity, member);
    } while (member != node);
    uint32_t *nodes = cairn__arena_alloc_zero(&known->arena, count, sizeof *nodes);
    for (uint32_t i = 0; nodes != NULL && i < count; i++) {
        nodes[i] = member;
        member = cairn__identity_ring(fold->identity, member);
    }
    if (nodes != NULL) {
        qsort(nodes, count, sizeof *nodes, by_number);
    }
    known->state.nodes = nodes;
    known->state.node_count = count;
    return nodes != NULL;
}

/* --- what ------------------------------------------------------------------------------------- */

static bool says_no(const json_t *said, const char *category) {
    const char *state =
        json_string_value(json_object_get(json_object_get(said, category), "state"));
    return state != NULL && strcmp(state, "denied") == 0;
}

/* The ledger answers from the database. */
static cairn_status read_consent(cairn__fold *fold, cairn__person_state *state) {
    cairn__fold_problem problem;
    if (fold->ledger.count > 0) {
        cairn_status status = cairn__fold_commit(fold, fold->progress.position, &problem);
        if (status != CAIRN_OK) {
            return status;
        }
    }
    json_t *said = cairn__ledger_person(&fold->ledger, state->nodes, state->node_count);
    if (said == NULL) {
        return CAIRN_NO_MEMORY;
    }
    state->denied |= says_no(said, "marketing") ? CAIRN__DENIED_MARKETING : 0;
    state->denied |= says_no(said, "personalisation") ? CAIRN__DENIED_PERSONALISATION : 0;
    json_decref(said);
    return CAIRN_OK;
}

static cairn_status read_profile(cairn__fold *fold, const cairn__fold_who *who,
                                 cairn__fold_known *known) {
    cairn__person_state *state = &known->state;
    cairn_value *values =
        cairn__arena_alloc_zero(&known->arena, who->user.count + 1, sizeof *values);
    state->user = values;
    return values == NULL ? CAIRN_NO_MEMORY
                          : cairn__profile_values(fold->profile,
                                                  (cairn__nodes){ state->nodes, state->node_count },
                                                  who->user, &known->arena, values);
}

/* Nobody's token tells by which ids nobody was found. */
static uint64_t token_of_nobody(const cairn__fold_who *who) {
    uint64_t token = token_seed;
    for (size_t i = 0; i < who->id_count; i++) {
        token = cairn__hash(who->ids[i].value, cairn__hash(who->ids[i].type, token));
    }
    return token;
}

static cairn_status know(cairn__fold *fold, const cairn__fold_who *who, cairn__fold_known *known) {
    uint32_t node = 0;
    cairn_status status = find_strongest(fold, who, &node);
    if (status != CAIRN_OK) {
        return status;
    }
    if (node == 0) {
        known->state.token = token_of_nobody(who);
        return CAIRN_OK;
    }
    known->state.token = cairn__mix(token_seed ^ cairn__identity_person(fold->identity, node));
    if (!list_nodes(fold, node, known)) {
        return CAIRN_NO_MEMORY;
    }
    status = read_profile(fold, who, known);
    if (status == CAIRN_OK && who->consent) {
        status = read_consent(fold, &known->state);
    }
    known->state.snapshot = status == CAIRN_OK ? cairn__trail_snapshot_take(fold->trail) : NULL;
    return status == CAIRN_OK && known->state.snapshot == NULL ? CAIRN_NO_MEMORY : status;
}

cairn_status cairn__fold_know(cairn__fold *fold, const cairn__fold_who *who,
                              cairn__fold_known **known_out) {
    cairn_allocator heap = fold->options.allocator;
    cairn__fold_known *known = heap.resize(heap.self, NULL, 0, sizeof *known);
    *known_out = NULL;
    if (known == NULL) {
        return CAIRN_NO_MEMORY;
    }
    *known =
        (cairn__fold_known){ .arena = cairn__arena_make(heap, KNOWN_BYTES_MAX), .allocator = heap };
    cairn_status status = know(fold, who, known);
    if (status != CAIRN_OK) {
        cairn__fold_known_release(known);
        return status;
    }
    *known_out = known;
    return CAIRN_OK;
}

void cairn__fold_known_release(cairn__fold_known *known) {
    if (known == NULL) {
        return;
    }
    cairn_allocator heap = known->allocator;
    if (known->state.snapshot != NULL) {
        /* taken as ours; the state only looks at it */
        cairn__trail_snapshot_release((cairn__trail_snapshot *)(uintptr_t)known->state.snapshot);
    }
    cairn__arena_free(&known->arena);
    (void)heap.resize(heap.self, known, sizeof *known, 0);
}
