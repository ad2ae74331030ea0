/* purge.h: making the store forget. A tombstone (a state that is purging) is durable before
 * anything is removed: from then on every start goes on with the purge and none sends old events.
 * Before it is durable nothing has happened. What the server must know of it, the farewell, is the
 * tombstone's own event: no segment is needed for it, its seq is state.acked_seq + 1 in every life,
 * so that however often it is sent the server counts it once. Then both slots are emptied. Stages:
 * cairn__purge_stage in journal.h. One owner thread. */
#ifndef CAIRN_CLIENT_PURGE_H
#define CAIRN_CLIENT_PURGE_H

#include "client/journal.h"

/** Begin. The queue is thrown away at once. `farewell` is told under the device's id, NULL: nothing
 * is. The journal is PURGING until cairn__purge_end().
 * @retval CAIRN_NO_MEMORY  Nothing changed. */
cairn_status cairn__purge_begin(cairn__journal *journal, const cairn__event *farewell);

/** After restore, where the state is purging: go on. @retval CAIRN_NO_MEMORY  Nothing changed. */
cairn_status cairn__purge_resume(cairn__journal *journal);

/** No device is stored: what there is goes without a tombstone, but for what a slot remembers. */
void cairn__purge_rest(cairn__journal *journal);

/** Do what is due. Call after completions and whenever time has passed. */
void cairn__purge_step(cairn__journal *journal);

/** Whether the farewell may be sent now. */
static inline bool cairn__purge_tells(const cairn__journal *journal) {
    return journal->mode == CAIRN__JOURNAL_PURGING && journal->stage == CAIRN__PURGE_TELL;
}

/** The farewell is the server's, or given up. */
void cairn__purge_told(cairn__journal *journal);

/** True when this ticket was of the purge's own operations. */
bool cairn__purge_completed(cairn__journal *journal, uint32_t ticket, bool durable);

/** After CAIRN__PURGE_DONE: the journal of a device that knows nothing, SILENT. Consent and session
 * stay; the caller names the device. */
void cairn__purge_end(cairn__journal *journal);

#endif
