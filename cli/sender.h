/* Batches of events on their way to POST /v1/events: several requests at once over libcurl, each
 * repeated on 429, 503 and broken connections until it is answered or the time is up. Blocks where
 * it must wait; not thread-safe. */
#ifndef CAIRN_CLI_SENDER_H
#define CAIRN_CLI_SENDER_H

#include <jansson.h>

#include "base/memory.h"
#include "model/limits.h"

#define CAIRN__SENDER_REQUESTS_MAX 64u
/* The oldest unanswered batch holds back all that come this many after it: an edge remembers only
 * so many numbers that are missing below the newest (fold/dedupe.h: 4,096 gaps), and every event of
 * a batch may have a gap before it where rows were bad. */
#define CAIRN__SENDER_AHEAD_MAX 4u
#define CAIRN__SENDER_BODY_BYTES_MAX 1000000u /* below the edge's limit of 1 MiB */
#define CAIRN__SENDER_RAW_BYTES_MAX 67108864u
#define CAIRN__SENDER_ANSWER_BYTES_MAX 4194304u
#define CAIRN__SENDER_WAIT_MS_MAX 60000

/* One request's worth of events, one per line of `body`. */
typedef struct {
    cairn__buffer body;
    cairn__buffer raw; /* the rows as they came, for those that are refused */
    uint64_t lines[CAIRN__BATCH_EVENTS_MAX];
    size_t raw_ends[CAIRN__BATCH_EVENTS_MAX];
    size_t count;
} cairn__batch;

typedef struct {
    const char *edge; /* without a slash at the end */
    const char *key;
    const char *idempotency_key;
    size_t requests;        /* at once; 1..CAIRN__SENDER_REQUESTS_MAX */
    uint64_t retry_seconds; /* how long one batch is tried */
    /* A batch was answered with 2xx; `answer` may be NULL when it is no JSON. */
    void (*answered)(void *self, const cairn__batch *batch, const json_t *answer);
    /* Called now and then while it waits; may be NULL. */
    void (*tick)(void *self);
    void *self;
} cairn__sender_options;

typedef struct cairn__sender cairn__sender;

/* NULL: out of memory. The options' texts must outlive the sender. */
cairn__sender *cairn__sender_open(const cairn__sender_options *options);
void cairn__sender_close(cairn__sender *sender);

/* An empty batch to fill, once one is free and none is too far behind; NULL when sending failed for
 * good. */
cairn__batch *cairn__sender_batch(cairn__sender *sender);
/* Sends what is in the batch, which then belongs to the sender. */
void cairn__sender_send(cairn__sender *sender, cairn__batch *batch);
/* Waits until all is answered. False: cairn__sender_problem says what went wrong for good. */
bool cairn__sender_drain(cairn__sender *sender);
const char *cairn__sender_problem(const cairn__sender *sender);
uint64_t cairn__sender_repeats(const cairn__sender *sender);

#endif
