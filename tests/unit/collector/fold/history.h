/* history.h: a project's state in a directory of its own, and log entries made by hand, for the
 * tests of the fold. Every helper stops the test when something is not as it must be. */
#ifndef CAIRN_TESTS_FOLD_HISTORY_H
#define CAIRN_TESTS_FOLD_HISTORY_H

#include "fold/fold.h"
#include "fold/state.h"

enum { HISTORY_ENTRY_STEP = 1000 }; /* positions between entries */

typedef struct history {
    char directory[96];
    cairn__fold *fold;
    uint64_t next_position;
    int64_t now_ms;
    char live[65536]; /* lines of the live view, each ended by \n */
    size_t live_len;
} history;

void history_make(history *h, const char *name);
void history_remove(history *h);
/** Close without a commit and open again: what a kill does. */
void history_crash(history *h);
void history_commit(history *h);

/** A JSON body as an entry; folded at once. `key` may be "". */
void history_json(history *h, const char *key, const char *body);

/** An entry as an SDK's request. */
typedef struct history_device {
    uint8_t id[16];
    int64_t sent_ms; /* 0: as now */
} history_device;
cairn__log_entry history_sync(history *h, const history_device *device, const cairn__event *events,
                              size_t count);
/** The same, folded at once; the entry's bytes are freed. */
void history_send(history *h, const history_device *device, const cairn__event *events,
                  size_t count);
void history_free_entry(cairn__log_entry *entry);

cairn__fold_stats history_stats(const history *h);
/** How many rows the trail has in all, and the sum of their integer property `n`. */
uint64_t history_rows(history *h, int64_t *sum_out);
/** The 360 view as text in a static buffer; "" when nobody has the id. */
const char *history_person(history *h, const char *type, const char *value);

#endif
