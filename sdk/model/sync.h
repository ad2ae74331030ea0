/* sync.h: the envelope of POST /v1/sync in both directions. The device's side (sync.c: requests
 * written, responses read) is by hand and part of the WASM core; the server's side (sync_server.c:
 * requests read, responses written) goes through nanopb's callbacks, one event at a time, so that
 * no request is in memory twice. Pure; spans are borrowed. */
#ifndef CAIRN_MODEL_SYNC_H
#define CAIRN_MODEL_SYNC_H

#include "model/event.h"

/** What a device can do with an answer; bits of SyncRequest.capabilities. */
enum {
    CAIRN__CAPABILITY_DECIDES = 1 << 0 /* it wants the bundle and the facts of its person */
};

/** Everything of a SyncRequest but its events. */
typedef struct cairn__sync_head {
    cairn_span project_key;
    uint8_t device_id[16];
    cairn_span sdk_name;
    cairn_span sdk_version;
    cairn_span platform;
    int64_t sent_ms;
    const cairn_id *ids;
    size_t id_count;
    int consent; /* enum ConsentState */
    uint64_t bundle_version;
    uint64_t facts_version;
    uint64_t capabilities; /* CAIRN__CAPABILITY_... */
} cairn__sync_head;

/**
 * Write a SyncRequest. Strings that repeat among the events (names of events and properties, short
 * text values) go into the dictionary once.
 *
 * @param events   Encoded Event messages as cairn__event_encode wrote them, oldest first.
 * @param scratch  For the dictionary; may be reset by the caller afterwards.
 * @retval CAIRN_OK         Appended to `to`.
 * @retval CAIRN_INVALID    An event is not a well-formed message.
 * @retval CAIRN_NO_MEMORY  `to` or `scratch` (40 KiB are enough) is full.
 */
cairn_status cairn__sync_request_encode(const cairn__sync_head *head, const cairn_span *events,
                                        size_t event_count, cairn__arena *scratch,
                                        cairn__buffer *to);

/** A request as read: the head, the dictionary, and each event still encoded. */
typedef struct cairn__sync_request {
    cairn__sync_head head;
    cairn__dictionary dictionary;
    const cairn_span *events; /* message bytes without their length */
    size_t event_count;
} cairn__sync_request;

/** Why a request as a whole cannot be read (its single events are not looked into). */
typedef struct cairn__sync_fault {
    const char *field;   /* "project_key", "device_id", "events", ... ; static */
    const char *problem; /* a sentence that says what is wrong and the fix; static */
} cairn__sync_fault;

/**
 * Read a SyncRequest. Unknown fields are skipped.
 *
 * @retval CAIRN_OK         All spans borrow `body` or live in `arena`.
 * @retval CAIRN_INVALID    fault_out says which field and why.
 * @retval CAIRN_NO_MEMORY  The arena is full.
 */
cairn_status cairn__sync_request_decode(cairn_span body, cairn__arena *arena,
                                        cairn__sync_request *request_out,
                                        cairn__sync_fault *fault_out);

typedef struct cairn__sync_rejected {
    uint64_t seq;
    cairn_span reason; /* "text_too_long: properties[].text; shorten to 8192 bytes" */
} cairn__sync_rejected;

typedef struct cairn__sync_response {
    uint64_t acked_seq;
    const cairn__sync_rejected *rejected;
    size_t rejected_count;
    int64_t server_ms;
    cairn_span bundle; /* empty: unchanged */
    uint64_t bundle_version;
    cairn_span facts;
    uint64_t facts_version;
    uint32_t next_sync_ms;
    uint32_t retry_after_ms;
    bool new_device_id;
} cairn__sync_response;

/** Append a SyncResponse; to->failed tells of no room. */
void cairn__sync_response_encode(const cairn__sync_response *response, cairn__buffer *to);

/**
 * Read a SyncResponse. Messages and settings, and fields of later versions, are stepped over.
 *
 * @retval CAIRN_OK         Spans borrow `body`; the list of rejected events lives in `arena`.
 * @retval CAIRN_INVALID    Not such a message (a proxy's page, a cut body).
 * @retval CAIRN_NO_MEMORY  The arena is full.
 */
cairn_status cairn__sync_response_decode(cairn_span body, cairn__arena *arena,
                                         cairn__sync_response *response_out);

#endif
