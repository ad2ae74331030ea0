/* ready.h: a project's bundle, read for decisions in this process: definitions, what they need of a
 * person, deciders. Made from the bytes that devices get, so that both decide by the same.
 *
 * Referenced and released on the loop; what is in it is used in the pool, and never changes. */
#ifndef CAIRN_EDGE_READY_H
#define CAIRN_EDGE_READY_H

#include "bundle/envelope.h"
#include "decide/decide.h"
#include "edge/definitions.h"
#include "facts/needs.h"

enum { CAIRN__READY_DECIDER_BYTES_MAX = 16 * 1024 * 1024 };

/** A decider of the bundle, for one call at a time. */
typedef struct cairn__ready_decider {
    struct cairn__ready_decider *next;
    cairn__arena arena;
    cairn__decider *decider;
} cairn__ready_decider;

typedef struct cairn__ready {
    size_t references;
    uint64_t version;
    uv_mutex_t mutex; /* guards what follows; after reading only `spare` */
    _Atomic bool read;
    cairn__buffer bytes; /* a SignedBundle */
    char project[CAIRN__BUNDLE_PROJECT_BYTES_MAX + 1];
    char key_id[CAIRN__SIGNING_ID_BYTES + 1];
    uint8_t key[CAIRN__KEY_BYTES];
    cairn__arena arena;
    cairn__bundle bundle;
    cairn__fact_needs needs;
    cairn__ready_decider *spare;
} cairn__ready;

/** The loop: the newest bundle of the project, to be released. `held` is the one of the last call
 * and is replaced where there is a newer. NULL: there is none, or no memory. */
cairn__ready *cairn__ready_take(const cairn__definitions_project *project,
                                const cairn__project_config *config, cairn__ready **held);
/** The loop. NULL is fine. */
void cairn__ready_release(cairn__ready *ready);

/** The pool: read it, where nobody has. @retval CAIRN_NO_MEMORY, CAIRN_INVALID  It is not read. */
cairn_status cairn__ready_read(cairn__ready *ready);

/** The pool: a decider for one call; give it back. NULL: no memory. */
cairn__ready_decider *cairn__ready_decider_take(cairn__ready *ready);
void cairn__ready_decider_give(cairn__ready *ready, cairn__ready_decider *decider);

#endif
