/* cairn_script.h: ranking scripts of slots, run by the host where it can kill them: the full
 * flavour's Worker. Everywhere else a slot that wants one takes its default order and says
 * "script_unavailable".
 *
 *     cairn_slot_script script;
 *     while (cairn_slot_script_wanted(client, slot, &script) == CAIRN_OK) {
 *         // run script.source as the use "rank" on script.input (docs/SCRIPTS.md); then
 *         cairn_slot_ranking ranking = { .script = script.name, .items = ..., .scores = ... };
 *         // or, where there are none: { .script = script.name, .lost = CAIRN_STR("script_timeout")
 * } cairn_slot_ranked(client, slot, &ranking, &answer); break;
 *     }
 *
 * Statuses that any call may give are those of cairn_decide.h. */
#ifndef CAIRN_SCRIPT_H
#define CAIRN_SCRIPT_H

#include "cairn/cairn_decide.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Borrowed until the next call. */
typedef struct cairn_slot_script {
    cairn_span name;
    cairn_span source;       /**< From the bundle: ES5.1 that defines main(input). */
    cairn_span input;        /**< JSON; at most 256 KiB. */
    const cairn_span *items; /**< The ids of input.items, in their order: one score for each. */
    size_t item_count;       /**< At most 512. */
    int64_t now_ms;          /**< What its Date.now() says. */
    uint32_t seed;           /**< Of its Math.random(). */
} cairn_slot_script;

/**
 * The script that ranks what is in this slot now.
 * @retval CAIRN_NOT_FOUND  It wants none, or there is no bundle: cairn_slot() says all.
 * @retval CAIRN_FULL       Its input is too large: tell "script_error".
 * @retval CAIRN_NO_MEMORY  No room: tell "script_memory".
 */
cairn_status cairn_slot_script_wanted(cairn_client *client, cairn_span slot,
                                      cairn_slot_script *script_out);

typedef struct cairn_slot_ranking {
    cairn_span script;       /**< Its name. */
    const cairn_span *items; /**< Ids; those that are not in the slot's pool any more are left out,
                                  those of the pool without a score come last. */
    const double *scores;    /**< A higher one comes first. */
    size_t count;
    cairn_span lost; /**< Why there are no scores ("script_timeout", ..., docs/SCRIPTS.md); empty:
                        the script has run. */
} cairn_slot_ranking;

/** What belongs into the slot now, with a script's scores or without them; as cairn_slot().
 * @retval CAIRN_INVALID  No such reason. */
cairn_status cairn_slot_ranked(cairn_client *client, cairn_span slot,
                               const cairn_slot_ranking *ranking, cairn_span *answer_out);

#ifdef __cplusplus
}
#endif

#endif
