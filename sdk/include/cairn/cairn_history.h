/* cairn_history.h: the device's own events, one after the other, for whoever keeps them longer or
 * in another form: the full flavour's table in SQL.
 *
 *     cairn_history_event event;
 *     for (uint64_t seq = noted; cairn_history_next(client, seq, &event); seq = event.seq) {
 *         note(event.seq, event.person, event.event);
 *     }
 *
 * Needs options.decide with keys, or keep_history. Given are the events that were tracked and that
 * the history still holds (options.decide.history_...), in the order in which they came, each only
 * when the store has kept it: after a crash no other event ever comes under its seq. Whoever asks
 * after each pump with the newest seq that it holds itself misses nothing, and after a crash of its
 * own catches up by the same question.
 *
 * A purge (consent withdrawn, person erased) empties the history, and seq begins anew for a new
 * device: what was copied is to be removed then (cairn_purging(), listener.purged), and whenever
 * the device's id (cairn_get_status()) is not the one under which it was copied. */
#ifndef CAIRN_HISTORY_H
#define CAIRN_HISTORY_H

#include "cairn/cairn_types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cairn_client cairn_client;

typedef struct cairn_history_event {
    uint64_t seq;
    uint64_t person;  /**< The local person whose it is at the moment, as a number: a later login or
                           link may give it to another one. */
    cairn_span event; /**< The encoded Event message; borrowed until the next call. */
} cairn_history_event;

/** The first event after this seq; false: there is none (yet). */
bool cairn_history_next(cairn_client *client, uint64_t after_seq, cairn_history_event *event_out);

#ifdef __cplusplus
}
#endif

#endif
