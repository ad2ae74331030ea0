/* request.h: the body of POST /v1/decide (docs/DECISIONS.md, "Asking the server"): whom a decision
 * is about, what is asked, and where the person is. Not trusted: every fault names the field, what
 * is wrong and the fix. Pure. */
#ifndef CAIRN_FACTS_REQUEST_H
#define CAIRN_FACTS_REQUEST_H

#include "decide/decide.h"
#include "fault/fault.h"
#include "model/limits.h"

enum {
    CAIRN__DECIDE_BODY_BYTES_MAX = 256 * 1024,
    CAIRN__DECIDE_ARENA_BYTES_MAX = 4 * 1024 * 1024,
    CAIRN__DECIDE_PAGE_BYTES_MAX = 1024,
    CAIRN__DECIDE_OVERRIDES_MAX = 64
};

/** As cairn_decide_what. */
typedef enum cairn__decide_what {
    CAIRN__DECIDE_EVENT = 0,
    CAIRN__DECIDE_POPUP = 1,
    CAIRN__DECIDE_SLOT = 2,
    CAIRN__DECIDE_EXPERIMENT = 3,
    CAIRN__DECIDE_EXPERIMENTS = 4
} cairn__decide_what;

typedef struct cairn__override_names {
    cairn_span experiment, variant;
} cairn__override_names;

typedef struct cairn__decide_request {
    cairn__decide_what what;
    cairn_span name;                        /* of the event, popup, slot or experiment */
    cairn__event event;                     /* of EVENT */
    cairn_id ids[CAIRN__EVENT_IDS_MAX + 1]; /* in their order, the device at the end */
    size_t id_count;
    cairn_span device; /* 32 hex digits; empty: none */
    cairn_span page;
    cairn_span timezone; /* empty: the project's */
    int64_t now_ms;
    uint64_t session; /* the device's number */
    bool has_session_start;
    int64_t session_start_ms;
    unsigned denied;  /* CAIRN__DENIED_... */
    unsigned granted; /* of the same bits; in neither: what the person said last holds */
    const cairn_property *device_facts;
    size_t device_fact_count;
    const cairn__override_names *overrides;
    size_t override_count;
} cairn__decide_request;

/**
 * Read.
 *
 * @param now_ms  The moment where the body names none.
 * @param arena   Takes all texts; the body is not borrowed.
 * @retval CAIRN_INVALID, CAIRN_NO_MEMORY  problem_out says which field and why.
 */
cairn_status cairn__decide_request_read(cairn_span json, int64_t now_ms, cairn__arena *arena,
                                        cairn__decide_request *request_out,
                                        cairn__fault_problem *problem_out);

#endif
