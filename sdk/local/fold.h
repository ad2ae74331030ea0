/* fold.h: inside sdk/local only: what has left the history, per query (queries.h). */
#ifndef CAIRN_LOCAL_FOLD_H
#define CAIRN_LOCAL_FOLD_H

#include "local/queries.h"

/** Walk the queries that may take an event of this name: *at is 0 first. False: no more. */
bool cairn__queries_next(const cairn__queries *queries, uint32_t name, size_t *at,
                         size_t *place_out);

void cairn__folds_forget(cairn__queries *queries, cairn__asked *asked);
void cairn__folds_write(const cairn__asked *asked, cairn__buffer *to);
bool cairn__folds_read(cairn__queries *queries, cairn__asked *asked, cairn__cursor *from);

/** Is it of a kind that is folded at all? */
bool cairn__folds_can(const cairn__asked *asked);

/**
 * What the query came to over the events that are held, joined with what was folded for the nodes
 * of the current person.
 * @param held_ms    The oldest event that is held; INT64_MAX: none.
 * @param until_ms   Made smaller where a bucket will leave or enter the window.
 */
cairn_value cairn__folds_join(const cairn__asked *asked, const cairn__queries_view *view,
                              cairn_value held, int64_t held_ms, int64_t *until_ms);

#endif
