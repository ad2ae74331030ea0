/* live.h: the newest events for those who watch: a bounded ring that the folder's thread fills and
 * the loop hands out as server-sent events. An id is "START-NUMBER": START is when the process
 * began, so that an id of an earlier process is known as such. */
#ifndef CAIRN_EDGE_LIVE_H
#define CAIRN_EDGE_LIVE_H

#include <uv.h>

#include "edge/connection.h"

enum {
    CAIRN__LIVE_EVENTS_MAX = 2048,            /* kept for those who come back */
    CAIRN__LIVE_BYTES_MAX = 4 * 1024 * 1024,  /* of all kept together */
    CAIRN__LIVE_EVENT_BYTES_MAX = 128 * 1024, /* larger ones are not shown */
    CAIRN__LIVE_PER_TURN_MAX = 512            /* events per reader and turn of the loop */
};

typedef struct cairn__live_event {
    uint64_t number;
    size_t project;
    cairn_span json; /* owned */
} cairn__live_event;

typedef struct cairn__live_client {
    cairn__exchange *exchange; /* its job points back here */
    struct cairn__live_client *next;
    struct cairn__live *live;
    uint64_t number;     /* of the next event to send */
    size_t project;      /* SIZE_MAX: all */
    uint64_t written_ms; /* for the heartbeat */
} cairn__live_client;

typedef struct cairn__live {
    uv_mutex_t mutex; /* guards the ring */
    cairn__live_event ring[CAIRN__LIVE_EVENTS_MAX];
    uint64_t next_number; /* from 1 */
    uint64_t oldest_number;
    size_t bytes;
    _Atomic bool wanted; /* somebody watches, or did a little while ago */
    uv_async_t fresh;
    uv_timer_t heartbeat;
    int64_t start_ms;
    cairn__server *server;
    cairn__metrics *metrics;
    cairn__live_client *clients;
    size_t client_count;
    uint64_t heartbeat_ms; /* the configuration's */
    uint64_t watched_ms;   /* when somebody last watched; 0: nobody ever did */
    bool running;
} cairn__live;

int cairn__live_start(cairn__live *live, uv_loop_t *loop, int64_t start_ms);
void cairn__live_stop(cairn__live *live);
void cairn__live_free(cairn__live *live);

/** Any thread: one more event. */
void cairn__live_add(cairn__live *live, size_t project, cairn_span json);
/** The loop: answer the exchange with a stream. last_id: what the reader saw last, or empty. */
bool cairn__live_watch(cairn__live *live, cairn__exchange *exchange, size_t project,
                       cairn_span last_id);

#endif
