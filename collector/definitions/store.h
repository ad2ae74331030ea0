/* store.h: definitions on disk: one SQLite file per project, every version of every definition.
 *
 * A write is one transaction with synchronous=FULL: when it has returned it survives a power cut,
 * and the versions it has given out are never given out again. One thread at a time. */
#ifndef CAIRN_DEFINITIONS_STORE_H
#define CAIRN_DEFINITIONS_STORE_H

#include "db/db.h"
#include "definitions/definition.h"

enum {
    CAIRN__STORE_VERSIONS_KEPT = 100 /* of one definition; older texts are forgotten */
};

typedef struct cairn__definition_store cairn__definition_store;

/** One version of one definition. */
typedef struct cairn__stored {
    cairn__definition_kind kind;
    cairn_span name;
    cairn_span json; /* empty: this version is a removal */
    uint32_t version;
    int64_t updated_ms;
    bool removed;
} cairn__stored;

/** @retval CAIRN_STORAGE  problem_out. @retval CAIRN_NO_MEMORY */
cairn_status cairn__definition_store_open(const char *path, cairn_allocator allocator,
                                          cairn__definition_store **store_out,
                                          cairn__db_problem *problem_out);
void cairn__definition_store_close(cairn__definition_store *store);

/** The bundle's version: of the last write. 0: there was none. */
cairn_status cairn__definition_store_bundle_version(cairn__definition_store *store,
                                                    uint64_t *version_out);
/** When the last write was; 0: there was none. */
cairn_status cairn__definition_store_updated_ms(cairn__definition_store *store, int64_t *ms_out);

/** The newest version of a definition, removed or not. The spans are copied into the arena.
 * @retval CAIRN_NOT_FOUND  There never was one. */
cairn_status cairn__definition_store_newest(cairn__definition_store *store,
                                            cairn__definition_kind kind, cairn_span name,
                                            cairn__arena *arena, cairn__stored *stored_out);
/** One version. CAIRN_NOT_FOUND: there is none, or it is forgotten. */
cairn_status cairn__definition_store_version(cairn__definition_store *store,
                                             const cairn__stored *which, cairn__arena *arena,
                                             cairn__stored *stored_out);

/** Told of each; false stops. */
typedef bool cairn__definition_store_visit(void *self, const cairn__stored *stored);
/** Every newest version that is no removal, by kind, then by name. The spans live for the call of
 * `visit`; where it stops the status is CAIRN_NO_MEMORY. */
cairn_status cairn__definition_store_each(cairn__definition_store *store,
                                          cairn__definition_store_visit *visit, void *self);

/** Write the next version: of stored->version, and the bundle's is bundle_version; both must be
 * above what is there (a caller's bug). CAIRN_STORAGE: nothing was written, or it is not known. */
cairn_status cairn__definition_store_write(cairn__definition_store *store,
                                           const cairn__stored *stored, uint64_t bundle_version);

#endif
