/* sender.h: when a request is due, what is in it, and what its answer means. One request at a time;
 * it carries the oldest events as one run. Times are the monotonic clock's. One owner thread. */
#ifndef CAIRN_CLIENT_SENDER_H
#define CAIRN_CLIENT_SENDER_H

#include "cairn/cairn_platform.h"
#include "client/journal.h"
#include "model/sync.h"

enum {
    CAIRN__REQUEST_EVENTS_MAX = 500,
    CAIRN__REQUEST_BYTES_MAX = 128 * 1024, /* of events, before the dictionary and compression */
    CAIRN__BACKOFF_MS = 1000,              /* first wait after a failure; doubles */
    CAIRN__BACKOFF_MS_MAX = 5 * 60 * 1000,
    CAIRN__DENIED_MS = 60 * 1000, /* first wait where the key is refused */
    CAIRN__RETRY_AFTER_MS_MAX = 60 * 60 * 1000,
    CAIRN__POLL_MS = 5 * 60 * 1000, /* between requests without events, where any are made */
    CAIRN__GROW_AFTER = 16          /* answers in a row before a halved batch grows again */
};

/** Who rides along: what a request says beside its events, and what an answer brings beside its
 * acknowledgement. All NULL: nobody. */
typedef struct cairn__sender_news {
    void (*fill)(void *self, cairn__sync_head *head);
    /** Everything up to last_seq was in the request. */
    void (*take)(void *self, const cairn__sync_response *response, uint64_t last_seq);
    void *self;
} cairn__sender_news;

typedef struct cairn__sender {
    cairn__journal *journal;
    cairn_transport transport;
    cairn_listener listener;
    cairn_clock clock;
    cairn_random random;
    cairn__sync_head head; /* what never changes: key, SDK */
    cairn__sender_news news;
    cairn__arena scratch;
    cairn__buffer body;
    int64_t interval_ms; /* as configured */
    int64_t asked_ms;    /* as the server's last answer asked; 0: as configured */

    uint32_t last_ticket;
    uint32_t ticket; /* of the request under way; 0: none */
    bool abandoned;  /* its answer is of no interest any more */
    uint64_t flight_first;
    uint64_t flight_last;
    size_t flight_count;
    int64_t flight_sent_ms; /* wall clock */

    uint64_t flush_seq;    /* events up to it do not wait for the interval */
    int64_t due_ms;        /* INT64_MAX: nothing waits */
    int64_t poll_ms;       /* ask without events; INT64_MAX: nothing is asked for */
    int64_t backoff_ms;    /* not before: after failures; a flush cuts it short */
    int64_t not_before_ms; /* not before: the server asked */
    unsigned failures;
    size_t batch_events;
    unsigned good_answers;
    uint64_t reported; /* dropped events that a $dropped in the queue tells of, kept or not */
    uint32_t last_status;
} cairn__sender;

void cairn__sender_free(cairn__sender *sender);

/** An event has come into the queue. */
void cairn__sender_queued(cairn__sender *sender, int64_t now_ms);

void cairn__sender_flush(cairn__sender *sender);

/** The queue is another one now: what was known of requests and waits is not of it. A request under
 * way goes on, and its answer is not listened to. */
void cairn__sender_reset(cairn__sender *sender, int64_t now_ms);

/** Start a request if one is due; the wait until one is, or -1. */
int64_t cairn__sender_pump(cairn__sender *sender, int64_t now_ms);

/** What still keeps a request back after failures or as the server asked; 0: nothing. */
int64_t cairn__sender_wait(const cairn__sender *sender, int64_t now_ms);

typedef struct cairn__answer {
    uint32_t ticket;
    uint32_t status; /* 0: none */
    uint32_t retry_after_ms;
    cairn_span body;
} cairn__answer;

void cairn__sender_answered(cairn__sender *sender, const cairn__answer *answer, int64_t now_ms);

/** A request of at most bytes_max for a last moment; empty: nothing waits or fits. */
cairn_span cairn__sender_last_batch(cairn__sender *sender, size_t bytes_max);

#endif
