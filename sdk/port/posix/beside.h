/* beside.h: what a library of its own adds to the runner, so that who does not want it does not
 * link it: the table in SQL (sql.c, library cairn_posix_full). */
#ifndef CAIRN_PORT_BESIDE_H
#define CAIRN_PORT_BESIDE_H

#include "cairn/cairn_posix.h"

typedef struct cairn__beside {
    /** The runner's thread, with its mutex: is there something to do? */
    bool (*wants)(void *self, cairn_client *client);
    /** Then the same thread without the mutex: do it. */
    void (*work)(void *self);
    /** The thread has ended; free. */
    void (*close)(void *self);
    void *self;
} cairn__beside;

/** As cairn_posix_open(), with this; NULL: without. It is the caller's where the status is not
 * CAIRN_OK. *app_out is set before the thread starts. */
cairn_status cairn__posix_open(const cairn_posix_options *options, const cairn__beside *beside,
                               cairn_posix **app_out);

/** What was given; NULL: nothing. */
void *cairn__posix_beside(const cairn_posix *app);

#endif
