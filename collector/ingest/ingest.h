/* ingest.h: from a request's bytes to checked events; used twice on the same bytes, when a request
 * is accepted (what to answer) and when it is folded (what to do). Both give the same verdicts.
 *
 * Pure; spans borrow the body or live in the arena. */
#ifndef CAIRN_INGEST_INGEST_H
#define CAIRN_INGEST_INGEST_H

#include "model/event.h"
#include "model/sync.h"

enum { CAIRN__INGEST_KEY_BYTES_MAX = 256 }; /* an Idempotency-Key */

/** One event of a request with its verdict. */
typedef struct cairn__ingest_event {
    cairn__event event;       /* whole only when fault.code is NULL */
    cairn__event_fault fault; /* code NULL: accepted */
    cairn_span original;      /* its bytes, for the quarantine */
} cairn__ingest_event;

/** A request. Its source is what (source, seq) is deduplicated by. */
typedef struct cairn__ingest_batch {
    cairn_span source;   /* SDK: the 16 bytes of the device id; JSON: the idempotency key; empty:
                            nothing to deduplicate by */
    bool device_source;  /* the source is a device, whose seqs count its own events from 1 */
    cairn_span device;   /* the device id as text (32 hex digits); empty for JSON */
    int64_t sent_ms;     /* the sender's clock; 0: unknown */
    const cairn_id *ids; /* in force for the whole request */
    size_t id_count;
    const cairn__ingest_event *events;
    size_t event_count;
    size_t rejected_count;
} cairn__ingest_batch;

/** Why a request as a whole is refused. */
typedef struct cairn__ingest_problem {
    char code[48]; /* "body_not_json", "project_key_missing", ... */
    char field[128];
    char detail[256];
    char fix[256];
} cairn__ingest_problem;

/** What to answer to a SyncRequest, without looking deeper than needed. */
typedef struct cairn__ingest_sync_verdict {
    cairn_span project_key;
    uint64_t acked_seq; /* last seq of the contiguous run that the request carries; 0: no events */
    const cairn__sync_rejected *rejected;
    size_t rejected_count;
    size_t event_count;
    uint64_t bundle_version; /* what the device holds; 0: none */
    uint64_t capabilities;   /* CAIRN__CAPABILITY_... */
    cairn__sync_head head;   /* borrows the body and the arena */
} cairn__ingest_sync_verdict;

/** @retval CAIRN_INVALID    The envelope is wrong: problem_out; nothing may be appended.
 *  @retval CAIRN_NO_MEMORY  The arena is full. */
cairn_status cairn__ingest_sync_check(cairn_span body, cairn__arena *arena,
                                      cairn__ingest_sync_verdict *verdict_out,
                                      cairn__ingest_problem *problem_out);
/** The same body as events (at the fold). */
cairn_status cairn__ingest_sync(cairn_span body, cairn__arena *arena,
                                cairn__ingest_batch *batch_out, cairn__ingest_problem *problem_out);

/** The payload of a CAIRN__LOG_EVENTS entry: key length (u16, little-endian), key (at most
 * CAIRN__INGEST_KEY_BYTES_MAX, else to->failed), body. */
void cairn__ingest_events_pack(cairn__buffer *to, cairn_span idempotency_key, cairn_span body);
/** A JSON request: one object, an array, or one object per line (docs/ARCHITECTURE.md). */
typedef struct cairn__ingest_json {
    cairn_span idempotency_key; /* empty: none */
    cairn_span body;
    int64_t received_ms; /* the time of events that give none */
} cairn__ingest_json;

/**
 * Read a JSON body.
 *
 * @retval CAIRN_INVALID  Not JSON at all, or too many events: problem_out. An event that is wrong
 *                        is a verdict, not a failure.
 */
cairn_status cairn__ingest_events(const cairn__ingest_json *json, cairn__arena *arena,
                                  cairn__ingest_batch *batch_out,
                                  cairn__ingest_problem *problem_out);
/** The same from a log entry's payload. */
cairn_status cairn__ingest_events_unpack(cairn_span payload, cairn_span *key_out,
                                         cairn_span *body_out);

#endif
