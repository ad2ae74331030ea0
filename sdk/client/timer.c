/* timer.c: see timer.h. A list: there are few. */
#include "client/timer.h"

#include "base/bytes.h"

struct cairn__timer { /* the name follows in memory */
    cairn__timer *next;
    size_t name_len;
    int64_t ran_ms;   /* before `since` */
    int64_t since_ms; /* running since */
    bool running;
};

static cairn_span name_of(const cairn__timer *timer) {
    return cairn__span(timer + 1, timer->name_len);
}

/* The link that points to the timer, or to the end. */
static cairn__timer **link_to(cairn__timers *timers, cairn_span name) {
    cairn__timer **at = &timers->first;
    while (*at != NULL && !cairn__span_equal(name_of(*at), name)) {
        at = &(*at)->next;
    }
    return at;
}

static void free_timer(cairn__timers *timers, cairn__timer **at) {
    cairn__timer *timer = *at;
    *at = timer->next;
    timers->count -= 1;
    timers->allocator.resize(timers->allocator.self, timer, sizeof *timer + timer->name_len, 0);
}

void cairn__timers_free(cairn__timers *timers) {
    while (timers->first != NULL) {
        free_timer(timers, &timers->first);
    }
}

cairn_status cairn__timer_start(cairn__timers *timers, cairn_span name, int64_t now_ms) {
    cairn__timer **at = link_to(timers, name);
    if (*at == NULL && timers->count == CAIRN__TIMERS_MAX) {
        return CAIRN_FULL;
    }
    if (*at == NULL) {
        cairn__timer *timer = timers->allocator.resize(timers->allocator.self, NULL, 0,
                                                       sizeof(cairn__timer) + name.len);
        if (timer == NULL) {
            return CAIRN_NO_MEMORY;
        }
        *timer = (cairn__timer){ .name_len = name.len };
        memcpy(timer + 1, name.data, name.len);
        *at = timer;
        timers->count += 1;
    }
    (*at)->ran_ms = 0;
    (*at)->since_ms = now_ms;
    (*at)->running = true;
    return CAIRN_OK;
}

static int64_t ran(const cairn__timer *timer, int64_t now_ms) {
    int64_t more = timer->running && now_ms > timer->since_ms ? now_ms - timer->since_ms : 0;
    return timer->ran_ms + more;
}

cairn_status cairn__timer_pause(cairn__timers *timers, cairn_span name, int64_t now_ms) {
    cairn__timer *timer = *link_to(timers, name);
    if (timer == NULL) {
        return CAIRN_NOT_FOUND;
    }
    timer->ran_ms = ran(timer, now_ms);
    timer->running = false;
    return CAIRN_OK;
}

cairn_status cairn__timer_resume(cairn__timers *timers, cairn_span name, int64_t now_ms) {
    cairn__timer *timer = *link_to(timers, name);
    if (timer == NULL) {
        return CAIRN_NOT_FOUND;
    }
    timer->ran_ms = ran(timer, now_ms);
    timer->since_ms = now_ms;
    timer->running = true;
    return CAIRN_OK;
}

bool cairn__timer_read(const cairn__timers *timers, cairn_span name, int64_t now_ms,
                       int64_t *ran_ms_out) {
    for (const cairn__timer *at = timers->first; at != NULL; at = at->next) {
        if (cairn__span_equal(name_of(at), name)) {
            *ran_ms_out = ran(at, now_ms);
            return true;
        }
    }
    return false;
}

void cairn__timer_remove(cairn__timers *timers, cairn_span name) {
    cairn__timer **at = link_to(timers, name);
    if (*at != NULL) {
        free_timer(timers, at);
    }
}
