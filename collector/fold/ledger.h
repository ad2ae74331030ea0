/* ledger.h: what persons agreed to, and who asked to be erased. Rows are only ever added: the
 * ledger is the proof. A later row of a category is what holds. Inside collector/fold only. */
#ifndef CAIRN_FOLD_LEDGER_H
#define CAIRN_FOLD_LEDGER_H

#include <jansson.h>

#include "base/memory.h"
#include "db/db.h"
#include "model/event.h"

/** When and by whom something was said. */
typedef struct cairn__ledger_moment {
    uint32_t node;
    uint64_t order;
    int64_t time_ms; /* corrected */
    int64_t received_ms;
} cairn__ledger_moment;

typedef struct cairn__ledger_row cairn__ledger_row;

typedef struct cairn__ledger {
    cairn_allocator allocator;
    cairn__arena texts;
    cairn__ledger_row *rows; /* since the last commit */
    size_t count, capacity;
    sqlite3_stmt *put_consent, *put_erase, *newest, *asked;
} cairn__ledger;

cairn_status cairn__ledger_open(cairn__ledger *ledger, sqlite3 *db, cairn_allocator allocator,
                                cairn__db_problem *problem_out);
void cairn__ledger_close(cairn__ledger *ledger);

/** A CONSENT event: one row per category that it names.
 * @retval CAIRN_INVALID    It names none, or a state that is neither "granted" nor "denied".
 * @retval CAIRN_NO_MEMORY  Nothing is kept. */
cairn_status cairn__ledger_consent(cairn__ledger *ledger, const cairn__event *event,
                                   const cairn__ledger_moment *at);

/** An ERASE event; `original` are its bytes. Kept until somebody has done it.
 * @retval CAIRN_NO_MEMORY  It is not kept. */
cairn_status cairn__ledger_erase(cairn__ledger *ledger, cairn_span original,
                                 const cairn__ledger_moment *at);

cairn_status cairn__ledger_commit(cairn__ledger *ledger);
void cairn__ledger_committed(cairn__ledger *ledger);

/** What holds for the person of these nodes: {"analytics": {"state": "granted", "time": ...,
 * "source": ..., "text_version": ...}, ...}; committed rows only. Empty where nothing was said.
 * NULL: no memory, or the table cannot be read. */
json_t *cairn__ledger_person(cairn__ledger *ledger, const uint32_t *nodes, size_t count);

/** When the person first asked to be erased; false: never. */
bool cairn__ledger_asked(cairn__ledger *ledger, const uint32_t *nodes, size_t count,
                         int64_t *time_ms_out);

#endif
