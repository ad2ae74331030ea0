/* link.h: all live definitions of a project together: what one says of another by name is found,
 * audiences and prerequisites get an order, facts get numbers, and the whole becomes what a bundle
 * is written from. */
#ifndef CAIRN_DEFINITIONS_LINK_H
#define CAIRN_DEFINITIONS_LINK_H

#include "bundle/write.h"
#include "definitions/definition.h"

enum { CAIRN__LINK_ARENA_BYTES_MAX = 64 << 20 };

/** Where zone tables come from; the collector reads no files of the system. */
typedef struct cairn__link_zones {
    /** Is there such a zone? */
    bool (*has)(void *self, cairn_span name);
    /** Append a zone table of these zones; `all`: of all others there are, too. */
    cairn_status (*table)(void *self, const cairn_span *names, size_t count, bool all,
                          cairn__buffer *to);
    void *self;
} cairn__link_zones;

typedef struct cairn__link_source {
    cairn__definition *const *definitions; /* by kind, then by name; with the settings */
    size_t count;
    const cairn__definition *changed; /* the new one; NULL: one was removed */
    cairn_span project;               /* the project's key */
    cairn_span zone;                  /* where the settings name none */
    const cairn__link_zones *zones;
    cairn__buffer *zone_table; /* empty; the bundle borrows it */
    cairn__arena *arena;       /* owns the rest, beside the definitions' own arenas */
} cairn__link_source;

/**
 * Link. Sets the facts of the definitions' conditions: one caller at a time.
 *
 * @param bundle_out  Without version and made_ms. Borrows the definitions.
 * @retval CAIRN_INVALID    problem_out; code "in_use" where others need what is gone.
 * @retval CAIRN_NO_MEMORY  problem_out says so, too.
 */
cairn_status cairn__definitions_link(const cairn__link_source *source, cairn__bundle *bundle_out,
                                     cairn__definition_problem *problem_out);

/* --- inside the room --- */

typedef struct cairn__linker {
    const cairn__link_source *source;
    cairn__bundle *bundle;
    cairn__definition_problem *problem;
    cairn__fact_table facts;
    size_t first[CAIRN__DEFINITION_KIND_COUNT + 1]; /* where each kind begins */
    bool no_memory;
} cairn__linker;

void *cairn__linker_make(cairn__linker *linker, size_t count, size_t size);
/** Of a kind by name: its place among its kind, or SIZE_MAX. */
size_t cairn__linker_find(const cairn__linker *linker, cairn__definition_kind kind,
                          cairn_span name);
cairn__definition *cairn__linker_at(const cairn__linker *linker, cairn__definition_kind kind,
                                    size_t place);
size_t cairn__linker_count(const cairn__linker *linker, cairn__definition_kind kind);

/** link_order.c: each after what it needs, else by name: places among their kind. */
bool cairn__link_order(cairn__linker *linker, cairn__definition_kind kind, uint16_t *order_out);
/** link_slots.c: slots, items, lists, what is related. */
bool cairn__link_slots(cairn__linker *linker);

#endif
