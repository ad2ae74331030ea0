/* timer.h: how long something takes, by name, without its pauses. Times are the monotonic clock's
 * and passed in. One owner thread. */
#ifndef CAIRN_CLIENT_TIMER_H
#define CAIRN_CLIENT_TIMER_H

#include "base/memory.h"

enum { CAIRN__TIMERS_MAX = 64 };

typedef struct cairn__timer cairn__timer;

typedef struct cairn__timers {
    cairn_allocator allocator;
    cairn__timer *first;
    size_t count;
} cairn__timers;

void cairn__timers_free(cairn__timers *timers);

/** @retval CAIRN_FULL  CAIRN__TIMERS_MAX run already.  @retval CAIRN_NO_MEMORY  No room. */
cairn_status cairn__timer_start(cairn__timers *timers, cairn_span name, int64_t now_ms);

/** @retval CAIRN_NOT_FOUND  There is none of this name. */
cairn_status cairn__timer_pause(cairn__timers *timers, cairn_span name, int64_t now_ms);
cairn_status cairn__timer_resume(cairn__timers *timers, cairn_span name, int64_t now_ms);

/** The time that has run; false: there is none of this name. */
bool cairn__timer_read(const cairn__timers *timers, cairn_span name, int64_t now_ms,
                       int64_t *ran_ms_out);

void cairn__timer_remove(cairn__timers *timers, cairn_span name);

#endif
