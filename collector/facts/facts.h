/* facts.h: what the server knows of one person, as decisions ask for it (decide/definitions.h,
 * cairn__facts): the profile, functions over the person's trail, what is remembered of popups,
 * slots and experiments. The same functions as on the device answer (rules/history.h,
 * decide/memory.h), over the events of all the person's devices and of servers.
 *
 *     cairn__person_facts *facts = NULL;
 *     if (cairn__person_facts_open(&source, &facts) != CAIRN_OK) ...
 *     cairn__decide_input input = { .facts = cairn__person_facts_at(facts, &when), ... };
 *
 * Everything the bundle needs of the trail is read at open, once; after it nothing can fail but for
 * want of memory, which makes a value unknown. One owner thread; no clock. */
#ifndef CAIRN_FACTS_FACTS_H
#define CAIRN_FACTS_FACTS_H

#include "bundle/bundle.h"
#include "decide/memory.h"
#include "facts/needs.h"
#include "trail/reader.h"

enum {
    CAIRN__PERSON_EVENTS_MAX = 4000000, /* of the needed names; beyond: CAIRN_FULL */
    CAIRN__FACT_TEXT_BYTES_MAX = 1024   /* of a value that a device is told; longer ones are not */
};

/** A person at one moment of the state (fold/fold.h makes it). Borrowed. */
typedef struct cairn__person_state {
    const cairn__trail_snapshot *snapshot; /* NULL: of nobody */
    const uint32_t *nodes;                 /* of the person; none: nobody has the ids */
    size_t node_count;
    const cairn_value *user; /* the profile's values of needs->user, in their order */
    uint64_t token;          /* names the person; another one's is another */
    unsigned denied;         /* CAIRN__DENIED_..., as the person said last */
} cairn__person_state;

typedef struct cairn__person_source {
    cairn_allocator allocator;
    size_t
        bytes_max; /* of all that is held; a person of 100,000 needed events takes about 20 MiB */
    const cairn__bundle *bundle;
    const cairn__fact_needs *needs; /* the bundle's */
    const cairn__person_state *person;
    /** device.* and session.*; NULL: all of them are absent. */
    cairn_value (*value_of)(void *context, const cairn__rule_slot *slot);
    void *context;
} cairn__person_source;

typedef struct cairn__person_facts cairn__person_facts;

/** Everything that the source names must live until close.
 * @retval CAIRN_FULL       More events than CAIRN__PERSON_EVENTS_MAX.
 * @retval CAIRN_NO_MEMORY  More than bytes_max. @retval CAIRN_STORAGE  The trail is damaged. */
cairn_status cairn__person_facts_open(const cairn__person_source *source,
                                      cairn__person_facts **facts_out);
void cairn__person_facts_close(cairn__person_facts *facts);

/** The provider at a moment; borrowed values live until the next call of this, or close. */
cairn__facts cairn__person_facts_at(cairn__person_facts *facts, const cairn__query_moment *when);

/** One value, at the moment of _at, and until when it holds as long as no event comes (INT64_MAX:
 * for ever). */
cairn_value cairn__person_fact(cairn__person_facts *facts, uint16_t number, int64_t *until_ms_out);

/** What is remembered of decisions about the person. */
const cairn__memory *cairn__person_memory(const cairn__person_facts *facts);

/**
 * The Facts message (bundle/facts.h) of the person for a device: every fact of the bundle that
 * depends on more than this device knows: user.*, tag.*, functions over history (but of days in
 * user time), and audiences that
 * only the server can tell. At most CAIRN__FACT_MESSAGE_FACTS_MAX; where they are too many or too
 * large, functions over history are left out, then all. Appends nothing where the device has these
 * facts already.
 *
 * @param held_version  Of the facts that the device has; 0: none.
 * @return              Their version; what is newer is greater. */
uint64_t cairn__person_facts_tell(cairn__person_facts *facts, const cairn__query_moment *when,
                                  uint64_t held_version, cairn__buffer *to);

#endif
