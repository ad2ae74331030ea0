/* profile.h: the properties of persons, kept per node (docs/ARCHITECTURE.md, "Profile").
 * Threads: everything here belongs to the fold's thread; questions use profile/reader.h. */
#ifndef CAIRN_PROFILE_PROFILE_H
#define CAIRN_PROFILE_PROFILE_H

#include "db/db.h"
#include "profile/record.h"

enum {
    CAIRN__PROFILE_NAMES_MAX = 10000, /* distinct property names of a project */
    CAIRN__PROFILE_KEPT_MAX = 200000, /* clean records kept in memory after a commit */
};

typedef struct cairn__profile cairn__profile;

cairn_status cairn__profile_open(sqlite3 *db, cairn_allocator allocator,
                                 cairn__profile **profile_out, cairn__db_problem *problem_out);
void cairn__profile_close(cairn__profile *profile);

/** Apply one operation to one property of a node.
 * @retval CAIRN_INVALID    The value does not fit the operation.
 * @retval CAIRN_FULL       A new name, and there are CAIRN__PROFILE_NAMES_MAX already.
 * @retval CAIRN_NO_MEMORY, CAIRN_STORAGE  Nothing changed. */
cairn_status cairn__profile_apply(cairn__profile *profile, uint32_t node, cairn__event_kind kind,
                                  const cairn_property *property, cairn__written at);

/** PROFILE_DELETE: unset every property that the node has. */
cairn_status cairn__profile_delete(cairn__profile *profile, uint32_t node, cairn__written at);

/** A person's properties. */
typedef struct cairn__profile_properties {
    const cairn_property *list;
    size_t count;
} cairn__profile_properties;

/** A person's properties, in the order their names were first seen. Spans live in the arena. */
cairn_status cairn__profile_person(cairn__profile *profile, cairn__nodes nodes, cairn__arena *arena,
                                   cairn__profile_properties *properties_out);

/** The values of these properties, in their order; kind NULL where there is none. Everything is
 * copied into the arena. */
cairn_status cairn__profile_values(cairn__profile *profile, cairn__nodes nodes,
                                   cairn_string_list names, cairn__arena *arena,
                                   cairn_value *values_out);

/** Inside the fold's transaction: write what changed. */
cairn_status cairn__profile_commit(cairn__profile *profile);
/** After it: forget what was written (ok), or keep it for the next time. */
void cairn__profile_committed(cairn__profile *profile, bool ok);

/** Check that every record can be read; `report` is called per damage. */
typedef void (*cairn__profile_report)(void *self, const char *text);
cairn_status cairn__profile_verify(cairn__profile *profile, cairn__profile_report report,
                                   void *self);

#endif
