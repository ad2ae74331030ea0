/* view.c: one moment of the state, for questions on any thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "fold/state.h"
#include "profile/reader.h"

/* A node that went into an older person. */
typedef struct joined {
    uint32_t person, node;
} joined;

struct cairn__fold_view {
    cairn_allocator allocator;
    cairn__trail_snapshot *snapshot;
    uint32_t *person_of;
    size_t node_count;
    sqlite3 *moment;
};

cairn__fold_view *cairn__fold_view_take(cairn__fold *fold) {
    cairn__fold_problem problem;
    if (fold->dirty && cairn__fold_commit(fold, fold->progress.position, &problem) != CAIRN_OK) {
        return NULL; /* a moment is what the database and the trail both say */
    }
    cairn_allocator heap = fold->options.allocator;
    cairn__fold_view *view = heap.resize(heap.self, NULL, 0, sizeof *view);
    if (view == NULL) {
        return NULL;
    }
    *view = (cairn__fold_view){ .allocator = heap };
    const uint32_t *map = cairn__identity_map(fold->identity, &view->node_count);
    size_t bytes = view->node_count * sizeof *map;
    view->person_of = heap.resize(heap.self, NULL, 0, bytes);
    view->snapshot = cairn__trail_snapshot_take(fold->trail);
    cairn__db_problem db_problem;
    if (view->person_of == NULL || view->snapshot == NULL ||
        cairn__db_open_moment(fold->db_path, &view->moment, &db_problem) != CAIRN_OK) {
        cairn__fold_view_release(view);
        return NULL;
    }
    memcpy(view->person_of, map, bytes);
    return view;
}

void cairn__fold_view_release(cairn__fold_view *view) {
    if (view == NULL) {
        return;
    }
    cairn_allocator heap = view->allocator;
    if (view->snapshot != NULL) {
        cairn__trail_snapshot_release(view->snapshot);
    }
    sqlite3_close(view->moment);
    (void)heap.resize(heap.self, view->person_of, view->node_count * sizeof *view->person_of, 0);
    (void)heap.resize(heap.self, view, sizeof *view, 0);
}

/* --- profiles for a question --------------------------------------------------------------- */

typedef struct profiles {
    const cairn__fold_view *view;
    cairn__profile_reader *reader; /* opened at the first question for a property */
    joined *pairs;                 /* by person, then node */
    size_t pair_count;
    uint32_t own[CAIRN__PERSON_IDS_MAX];
    cairn_status status; /* the first failure */
} profiles;

static int by_person(const void *a, const void *b) {
    const joined *left = a;
    const joined *right = b;
    if (left->person != right->person) {
        return left->person < right->person ? -1 : 1;
    }
    return (left->node > right->node) - (left->node < right->node);
}

static cairn_status list_joined(profiles *p) {
    const cairn__fold_view *view = p->view;
    for (uint32_t node = 1; node < view->node_count; node++) {
        p->pair_count += view->person_of[node] != node;
    }
    cairn_allocator heap = view->allocator;
    p->pairs = heap.resize(heap.self, NULL, 0, (p->pair_count + 1) * sizeof *p->pairs);
    if (p->pairs == NULL) {
        p->pair_count = 0;
        return CAIRN_NO_MEMORY;
    }
    size_t at = 0;
    for (uint32_t node = 1; node < view->node_count; node++) {
        if (view->person_of[node] != node) {
            p->pairs[at++] = (joined){ view->person_of[node], node };
        }
    }
    qsort(p->pairs, p->pair_count, sizeof *p->pairs, by_person);
    return CAIRN_OK;
}

static cairn_status begin(profiles *p) {
    cairn__db_problem problem;
    cairn_status status = list_joined(p);
    return status == CAIRN_OK ? cairn__profile_reader_open(p->view->moment, p->view->allocator,
                                                           &p->reader, &problem)
                              : status;
}

static cairn__nodes nodes_of(profiles *p, uint32_t person) {
    size_t low = 0;
    size_t high = p->pair_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->pairs[middle].person < person) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    size_t count = 0;
    p->own[count++] = person;
    for (; low < p->pair_count && p->pairs[low].person == person; low++) {
        CAIRN_ASSERT(count < CAIRN__PERSON_IDS_MAX);
        p->own[count++] = p->pairs[low].node;
    }
    return (cairn__nodes){ p->own, count };
}

static void read_profile(void *self, uint32_t person, const cairn_span *names, size_t count,
                         cairn_value *values_out) {
    profiles *p = self;
    if (p->status == CAIRN_OK && p->reader == NULL) {
        p->status = begin(p);
    }
    if (p->status == CAIRN_OK) {
        p->status = cairn__profile_reader_read(p->reader, nodes_of(p, person),
                                               (cairn_string_list){ names, count }, values_out);
    }
    for (size_t i = 0; p->status != CAIRN_OK && i < count; i++) {
        values_out[i] = (cairn_value){ .kind = CAIRN_VALUE_NULL };
    }
}

/* --- questions ----------------------------------------------------------------------------- */

static cairn_status profiles_failed(cairn_status status, cairn__analyze_problem *problem_out) {
    *problem_out = (cairn__analyze_problem){ .field = "by" };
    (void)snprintf(problem_out->code, sizeof problem_out->code, "profiles_unreadable");
    (void)snprintf(problem_out->detail, sizeof problem_out->detail,
                   "the profiles cannot be read: %s", cairn_status_name(status));
    if (status == CAIRN_FULL) {
        (void)snprintf(problem_out->fix, sizeof problem_out->fix,
                       "use at most %d user properties in one question",
                       (int)CAIRN__PROFILE_READ_NAMES_MAX);
    } else {
        (void)snprintf(problem_out->fix, sizeof problem_out->fix,
                       "run cairn verify on the data directory");
    }
    return status == CAIRN_FULL ? CAIRN_INVALID : status;
}

cairn_status cairn__fold_analyze(cairn__fold_view *view, const cairn__fold_question *question,
                                 cairn__buffer *answer, cairn__analyze_problem *problem_out) {
    profiles p = { .view = view, .status = CAIRN_OK };
    cairn__analyze_source source = { .snapshot = view->snapshot,
                                     .person_of = view->person_of,
                                     .node_count = view->node_count,
                                     .profiles = { read_profile, &p },
                                     .zones = *question->zones,
                                     .project_zone = question->project_zone };
    cairn_status status =
        cairn__analyze(&source, question->query, question->options, answer, problem_out);
    cairn__profile_reader_close(p.reader);
    cairn_allocator heap = view->allocator;
    (void)heap.resize(heap.self, p.pairs, (p.pair_count + 1) * sizeof *p.pairs, 0);
    return status == CAIRN_OK && p.status != CAIRN_OK ? profiles_failed(p.status, problem_out)
                                                      : status;
}
