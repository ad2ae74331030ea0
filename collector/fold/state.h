/* state.h: what one fold holds; inside collector/fold only. */
#ifndef CAIRN_FOLD_STATE_H
#define CAIRN_FOLD_STATE_H

#include "fold/dedupe.h"
#include "fold/fold.h"
#include "fold/ledger.h"
#include "fold/quarantine.h"
#include "identity/identity.h"
#include "ingest/ingest.h"
#include "profile/profile.h"

enum {
    CAIRN__FOLD_FORMAT = 1,        /* of the state database */
    CAIRN__FOLD_PATH_BYTES = 1024, /* of a file's path */
    CAIRN__ORDER_SHIFT = 10        /* order = log position << shift | index in the entry */
};

/** How far the fold is: entries before `position` are done, and of the entry there the first `done`
 * events (an entry is cut only when memory runs out in its midst). */
typedef struct cairn__fold_progress {
    uint64_t position;
    uint64_t done;
    uint64_t events, duplicates, quarantined;
} cairn__fold_progress;

struct cairn__fold {
    cairn__fold_options options;
    char db_path[CAIRN__FOLD_PATH_BYTES];
    sqlite3 *db;
    sqlite3_stmt *put_progress;
    cairn__identity *identity;
    cairn__profile *profile;
    cairn__trail *trail;
    cairn__dedupe dedupe;
    cairn__quarantine quarantine;
    cairn__ledger ledger;
    cairn__trail_job *job; /* run; its result goes into the next commit */
    cairn__fold_progress progress;
    uint64_t committed_position;
    int64_t now_ms; /* of the newest entry */
    bool dirty;     /* something was folded since the last commit */
    bool listening;
    cairn__arena scratch; /* one entry at a time */
};

/** An event on its way through the rooms. */
typedef struct cairn__folding {
    const cairn__ingest_batch *batch;
    const cairn__ingest_event *in;
    cairn__source *source; /* NULL: nothing to deduplicate by */
    int64_t received_ms;
    int64_t time_ms; /* corrected */
    uint64_t order;
} cairn__folding;

/** Do what the event says. A value that does not fit goes to the quarantine and is CAIRN_OK.
 * @retval CAIRN_NO_MEMORY, CAIRN_STORAGE  As the rooms say; the event is to be folded again. */
cairn_status cairn__fold_apply(cairn__fold *fold, const cairn__folding *folding);

/** How much an id says of who somebody is: 2 a login, 1 others, 0 a device or cookie. */
int cairn__fold_strength(cairn_id id);

/** Put the event into the quarantine. */
cairn_status cairn__fold_set_aside(cairn__fold *fold, const cairn__folding *folding,
                                   const cairn__event_fault *fault);

/** The live view's line for an event; `person` is whose it is. Appends nothing when memory is out.
 */
void cairn__fold_tell(cairn__fold *fold, const cairn__folding *folding, uint32_t person);

#endif
