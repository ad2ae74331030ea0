/* quarantine.h: events that were accepted and could not be counted: the reason and their bytes, to
 * be listed and replayed after a fix; inside collector/fold only. */
#ifndef CAIRN_FOLD_QUARANTINE_H
#define CAIRN_FOLD_QUARANTINE_H

#include "base/memory.h"
#include "db/db.h"
#include "model/event.h"

enum { CAIRN__QUARANTINE_ROWS_MAX = 100000 }; /* the oldest go first; the log keeps them longer */

typedef struct cairn__quarantined {
    uint64_t order;
    int64_t received_ms;
    cairn__event_fault fault; /* never NULL; code and fix are static, the field is copied */
    cairn_span original;
} cairn__quarantined;

typedef struct cairn__quarantine {
    cairn_allocator allocator;
    cairn__arena texts;
    cairn__quarantined *list;
    size_t count, capacity;
    sqlite3_stmt *insert, *trim;
} cairn__quarantine;

cairn_status cairn__quarantine_open(cairn__quarantine *quarantine, sqlite3 *db,
                                    cairn_allocator allocator, cairn__db_problem *problem_out);
void cairn__quarantine_close(cairn__quarantine *quarantine);

/** Keep an event; its bytes are copied. CAIRN_NO_MEMORY: it is not kept. */
cairn_status cairn__quarantine_add(cairn__quarantine *quarantine, const cairn__quarantined *event);

cairn_status cairn__quarantine_commit(cairn__quarantine *quarantine);
void cairn__quarantine_committed(cairn__quarantine *quarantine);

#endif
