/* decide.h: a decision on the server: the same code, over what the server knows, with the same
 * bytes as cairn_decide gives on a device for the same person, definitions and moment. */
#ifndef CAIRN_FACTS_DECIDE_H
#define CAIRN_FACTS_DECIDE_H

#include "facts/facts.h"
#include "facts/request.h"

enum { CAIRN__DECIDE_ANSWER_BYTES_MAX = 1024 * 1024 };

/** A script that ranks what is in a slot, and what it is given; all but the input is borrowed from
 * the bundle. */
typedef struct cairn__decide_script {
    cairn_span name; /* empty: none is wanted */
    cairn_span source;
    cairn__buffer input; /* JSON: the caller's, appended to */
    cairn_span items[CAIRN__SLOT_POOL_MAX];
    size_t item_count;
    int64_t now_ms;
    uint32_t seed;
} cairn__decide_script;

typedef struct cairn__decide_call {
    cairn_allocator allocator;
    size_t bytes_max; /* as of cairn__person_source */
    const cairn__decide_request *request;
    const cairn__bundle *bundle;
    const cairn__fact_needs *needs;
    cairn__decider *decider; /* of the bundle; one call at a time */
    const cairn__person_state *person;
    const cairn__zone *user_zone;     /* NULL: the project's */
    const cairn__slot_scores *scores; /* of a slot's script that was run, or why not; NULL: none */
    cairn__decide_script *script; /* where the script that a slot wants is written: run it and call
                                     again with scores; NULL: the default order will do */
} cairn__decide_call;

/**
 * Decide, and append the JSON answer.
 * @retval CAIRN_INVALID    An override names what is not there: problem_out.
 * @retval CAIRN_FULL, CAIRN_NO_MEMORY, CAIRN_STORAGE  As cairn__person_facts_open, or no room for
 * the answer; problem_out says so.
 */
cairn_status cairn__decide_answer(const cairn__decide_call *call, cairn__buffer *answer,
                                  cairn__fault_problem *problem_out);

#endif
