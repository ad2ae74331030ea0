/* catalog.h: a project's live definitions: read, checked, kept with all their versions, and made
 * into the bundle that its devices decide by.
 *
 * A write is answered when it is on the disk; from then on bundle() holds it. A refused write
 * changes nothing. After one that the disk failed the catalogue is read again, so that it says what
 * the disk does; until that works, changes are refused. One thread at a time: the owner has a lock.
 */
#ifndef CAIRN_DEFINITIONS_CATALOG_H
#define CAIRN_DEFINITIONS_CATALOG_H

#include "definitions/link.h"
#include "definitions/store.h"

enum {
    CAIRN__CATALOG_TAGS_MAX = 8 /* versions of one If-Match */
};

typedef struct cairn__catalog cairn__catalog;

typedef struct cairn__catalog_options {
    cairn_allocator allocator;
    const char *path;               /* the project's file; made when missing */
    cairn_span project;             /* the project's key: in every bundle */
    cairn_span zone;                /* where the settings name none; IANA */
    const cairn__link_zones *zones; /* borrowed until close */
    /** Told at open of what is on disk and cannot be used (by this version): it is left out. */
    void (*on_left_out)(void *self, const char *text);
    void *self;
} cairn__catalog_options;

/** @retval CAIRN_STORAGE  problem_out. @retval CAIRN_NO_MEMORY
 * Definitions on disk that cannot be read are left out of what is live, and stay on the disk. */
cairn_status cairn__catalog_open(const cairn__catalog_options *options,
                                 cairn__catalog **catalog_out, cairn__db_problem *problem_out);
void cairn__catalog_close(cairn__catalog *catalog);

/** If-Match and If-None-Match. Zero value: no condition. */
typedef struct cairn__catalog_condition {
    bool must_exist;  /* If-Match: * */
    bool must_be_new; /* If-None-Match: * */
    uint32_t versions[CAIRN__CATALOG_TAGS_MAX];
    size_t version_count; /* above 0: it is one of these now */
} cairn__catalog_condition;

typedef struct cairn__catalog_change {
    cairn__definition_kind kind;
    cairn_span name;
    cairn_span json; /* as given; ignored where it is removed */
    bool remove;
    bool dry_run; /* check everything, change nothing */
    cairn__catalog_condition condition;
    int64_t now_ms;
} cairn__catalog_change;

typedef enum cairn__catalog_outcome {
    CAIRN__CATALOG_DONE = 0,
    CAIRN__CATALOG_SAME,     /* it says what it said before: nothing was written */
    CAIRN__CATALOG_REFUSED,  /* problem: the definition is wrong */
    CAIRN__CATALOG_CONFLICT, /* problem: others need what is gone, or say something else */
    CAIRN__CATALOG_CHANGED,  /* the condition does not hold */
    CAIRN__CATALOG_NOT_FOUND,
    CAIRN__CATALOG_NO_MEMORY,
    CAIRN__CATALOG_STORAGE /* nothing was written, or it is not known */
} cairn__catalog_outcome;

typedef struct cairn__catalog_result {
    cairn__catalog_outcome outcome;
    cairn__definition_problem problem;
    uint32_t version;        /* of the definition now; 0: there is none */
    uint64_t bundle_version; /* now */
    bool created;            /* there was none before */
} cairn__catalog_result;

void cairn__catalog_write(cairn__catalog *catalog, const cairn__catalog_change *change,
                          cairn__catalog_result *result_out);

/** Is what is live what the disk says? After a change that the disk failed it is read again here,
 * too. False: that does not work yet; what the readers below say may not be so. */
bool cairn__catalog_ready(cairn__catalog *catalog);

/** A live definition, NULL when there is none. Borrowed until the next write. Settings are always
 * there; nobody has put them while their version is 0. */
const cairn__definition *cairn__catalog_find(const cairn__catalog *catalog,
                                             cairn__definition_kind kind, cairn_span name);
/** One version of it, also of one that was removed or changed. Copied into the arena. */
cairn_status cairn__catalog_version(cairn__catalog *catalog, const cairn__stored *which,
                                    cairn__arena *arena, cairn__stored *stored_out);
/** The live definitions of a kind after this name (empty: from the first), by name. */
size_t cairn__catalog_list(const cairn__catalog *catalog, cairn__definition_kind kind,
                           cairn_span after, cairn__definition *const **first_out);

/** The bundle: a Bundle message, not signed. Empty while nobody has put anything. Borrowed until
 * the next write. */
cairn_span cairn__catalog_bundle(const cairn__catalog *catalog, uint64_t *version_out);

#endif
