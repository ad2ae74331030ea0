#include "edge/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"

enum {
    HEARTBEAT_CHECK_MS = 100, /* also: how soon a reader that has caught up gets the rest */
    TURN_BYTES = 100 * 1024,  /* and one more event; less than a stream may leave unread */
    QUIET_MS = 60000          /* without readers for so long: events are not kept any more */
};

static cairn__live_event *slot(cairn__live *live, uint64_t number) {
    return &live->ring[number % CAIRN__LIVE_EVENTS_MAX];
}

static void drop_oldest(cairn__live *live) {
    cairn__live_event *oldest = slot(live, live->oldest_number);
    live->bytes -= oldest->json.len;
    free((void *)(uintptr_t)oldest->json.data);
    *oldest = (cairn__live_event){ 0 };
    live->oldest_number++;
}

void cairn__live_add(cairn__live *live, size_t project, cairn_span json) {
    if (json.len > CAIRN__LIVE_EVENT_BYTES_MAX || !atomic_load(&live->wanted)) {
        return;
    }
    uint8_t *copy = malloc(json.len == 0 ? 1 : json.len);
    if (copy == NULL) {
        return;
    }
    memcpy(copy, json.data, json.len);
    uv_mutex_lock(&live->mutex);
    while (live->next_number - live->oldest_number >= CAIRN__LIVE_EVENTS_MAX ||
           live->bytes + json.len > CAIRN__LIVE_BYTES_MAX) {
        drop_oldest(live);
    }
    *slot(live, live->next_number) =
        (cairn__live_event){ live->next_number, project, { copy, json.len } };
    live->next_number++;
    live->bytes += json.len;
    uv_mutex_unlock(&live->mutex);
    (void)uv_async_send(&live->fresh);
}

/* --- the readers ------------------------------------------------------------------------------ */

static void on_gone(cairn__exchange *exchange) {
    cairn__live_client *client = exchange->job;
    cairn__live *live = client->live;
    cairn__live_client **at = &live->clients;
    while (*at != client) {
        at = &(*at)->next;
    }
    *at = client->next;
    live->client_count--;
    cairn__gauge(&live->metrics->stream_clients, live->client_count);
    exchange->answered = true; /* nothing more will come: it may be freed */
    free(client);
}

/* One event as text; false: it is older than the ring, or not there yet. */
static bool copy_event(cairn__live *live, cairn__live_client *client, cairn__buffer *text) {
    uv_mutex_lock(&live->mutex);
    if (client->number < live->oldest_number) {
        cairn__count(&live->metrics->stream_skipped, live->oldest_number - client->number);
        client->number = live->oldest_number;
    }
    bool there = client->number < live->next_number;
    if (there) {
        const cairn__live_event *event = slot(live, client->number);
        bool wanted = client->project == SIZE_MAX || client->project == event->project;
        if (wanted) {
            cairn__buffer_format(text,
                                 "id: %lld-%llu\nevent: event\ndata: ", (long long)live->start_ms,
                                 (unsigned long long)event->number);
            cairn__buffer_append(text, event->json);
            cairn__buffer_append(text, CAIRN_STR("\n\n"));
        }
    }
    uv_mutex_unlock(&live->mutex);
    return there;
}

/* What is there for one reader, when it has read all before. */
static void serve(cairn__live *live, cairn__live_client *client) {
    if (!cairn__exchange_stream_is_read(client->exchange)) {
        return;
    }
    cairn__buffer text = cairn__buffer_make(cairn__heap(), CAIRN__STREAM_QUEUE_BYTES_MAX);
    for (size_t i = 0; i < CAIRN__LIVE_PER_TURN_MAX && text.len < TURN_BYTES; i++) {
        if (!copy_event(live, client, &text)) {
            break;
        }
        client->number++;
    }
    if (text.len > 0 && !text.failed) {
        client->written_ms = uv_now(live->server->loop);
        (void)cairn__exchange_stream_write(client->exchange, cairn__buffer_span(&text));
    } /* the client may be gone now */
    cairn__buffer_free(&text);
}

static void on_fresh(uv_async_t *async) {
    cairn__live *live = async->data;
    for (cairn__live_client *at = live->clients, *next = NULL; at != NULL; at = next) {
        next = at->next; /* serving one may end that one, never another */
        serve(live, at);
    }
}

static void on_heartbeat(uv_timer_t *timer) {
    cairn__live *live = timer->data;
    uint64_t now = uv_now(live->server->loop);
    live->watched_ms = live->clients != NULL ? now : live->watched_ms;
    bool lately = live->watched_ms != 0 && now - live->watched_ms < QUIET_MS;
    atomic_store(&live->wanted, live->clients != NULL || lately);
    on_fresh(&live->fresh);
    for (cairn__live_client *at = live->clients, *next = NULL; at != NULL; at = next) {
        next = at->next;
        if (now - at->written_ms >= live->heartbeat_ms) {
            at->written_ms = now;
            (void)cairn__exchange_stream_write(at->exchange, CAIRN_STR(": alive\n\n"));
        }
    }
}

/* The number after the one the reader saw; an id of another process means from now on. */
static uint64_t resume_at(const cairn__live *live, cairn_span last_id) {
    char text[64];
    long long start = 0;
    unsigned long long number = 0;
    if (last_id.len == 0 || last_id.len >= sizeof text) {
        return live->next_number;
    }
    memcpy(text, last_id.data, last_id.len);
    text[last_id.len] = 0;
    char *dash = NULL;
    start = strtoll(text, &dash, 10);
    if (*dash != '-' || start != live->start_ms) {
        return live->next_number;
    }
    number = strtoull(dash + 1, NULL, 10);
    return number < live->next_number ? number + 1 : live->next_number;
}

bool cairn__live_watch(cairn__live *live, cairn__exchange *exchange, size_t project,
                       cairn_span last_id) {
    cairn__live_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        return false;
    }
    uv_mutex_lock(&live->mutex);
    client->number = resume_at(live, last_id);
    uv_mutex_unlock(&live->mutex);
    client->live = live;
    client->exchange = exchange;
    client->project = project;
    client->written_ms = uv_now(live->server->loop);
    client->next = live->clients;
    live->clients = client;
    live->client_count++;
    cairn__gauge(&live->metrics->stream_clients, live->client_count);
    atomic_store(&live->wanted, true);
    exchange->job = client;
    exchange->gone = on_gone;
    cairn__exchange_stream(exchange, (cairn__answer){ .status = 200,
                                                      .content_type = "text/event-stream",
                                                      .headers = "Cache-Control: no-store\r\n",
                                                      .body = CAIRN_STR(": here\n\n") });
    (void)uv_async_send(&live->fresh);
    return true;
}

int cairn__live_start(cairn__live *live, uv_loop_t *loop, int64_t start_ms) {
    live->next_number = 1;
    live->oldest_number = 1;
    live->start_ms = start_ms;
    int code = uv_mutex_init(&live->mutex);
    code = code != 0 ? code : uv_async_init(loop, &live->fresh, on_fresh);
    code = code != 0 ? code : uv_timer_init(loop, &live->heartbeat);
    live->fresh.data = live;
    live->heartbeat.data = live;
    code = code != 0 ? code
                     : uv_timer_start(&live->heartbeat, on_heartbeat, HEARTBEAT_CHECK_MS,
                                      HEARTBEAT_CHECK_MS);
    live->running = code == 0;
    return code;
}

void cairn__live_stop(cairn__live *live) {
    if (live->running) {
        uv_close((uv_handle_t *)&live->fresh, NULL);
        uv_close((uv_handle_t *)&live->heartbeat, NULL);
        live->running = false;
    }
}

void cairn__live_free(cairn__live *live) {
    while (live->oldest_number < live->next_number) {
        drop_oldest(live);
    }
    uv_mutex_destroy(&live->mutex);
}
