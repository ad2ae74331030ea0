/* sync.c: SyncRequest -> verdicts and events. */
#include <stdio.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "ingest/ingest.h"
#include "model/limits.h"

enum { REASON_BYTES_MAX = 256, DEVICE_TEXT_BYTES = 2 * CAIRN__DEVICE_ID_BYTES };

static const cairn__event_fault seq_missing = { "seq_missing", "seq",
                                                "number every event of a device, from 1 up" };

static void refuse(cairn__ingest_problem *out, const char *code, const char *field,
                   const char *detail) {
    (void)snprintf(out->code, sizeof out->code, "%s", code);
    (void)snprintf(out->field, sizeof out->field, "%s", field);
    (void)snprintf(out->detail, sizeof out->detail, "%s", detail);
    (void)snprintf(out->fix, sizeof out->fix, "%s",
                   "send a SyncRequest as proto/cairn.proto describes it");
}

static cairn_status decode_request(cairn_span body, cairn__arena *arena,
                                   cairn__sync_request *request_out,
                                   cairn__ingest_problem *problem_out) {
    cairn__sync_fault fault = { 0 };
    cairn_status status = cairn__sync_request_decode(body, arena, request_out, &fault);
    if (status != CAIRN_OK) {
        refuse(problem_out, status == CAIRN_NO_MEMORY ? "too_large" : "sync_invalid",
               fault.field == NULL ? "" : fault.field,
               fault.problem == NULL ? "the request does not fit in memory" : fault.problem);
    }
    return status;
}

/* One event and its verdict. *previous_seq is that of the event before it, 0 for the first. */
static cairn_status read_event(cairn_span bytes, const cairn__dictionary *dictionary,
                               cairn__arena *arena, uint64_t *previous_seq,
                               cairn__ingest_event *out) {
    *out = (cairn__ingest_event){ .original = bytes };
    cairn_status status = cairn__event_decode(bytes, dictionary, arena, &out->event, &out->fault);
    if (status == CAIRN_NO_MEMORY) {
        return status;
    }
    if (status == CAIRN_OK && out->event.seq == 0) {
        out->fault = seq_missing;
    } else if (status == CAIRN_OK) {
        (void)cairn__event_check(&out->event, &out->fault);
    } else {
        /* unreadable: its number is the one it must have between its neighbours */
        uint64_t seq = cairn__event_peek_seq(bytes);
        out->event = (cairn__event){ .seq = seq };
    }
    if (out->event.seq == 0 && *previous_seq != 0) {
        out->event.seq = *previous_seq + 1;
    }
    *previous_seq = out->event.seq;
    return CAIRN_OK;
}

static cairn_status add_rejected(const cairn__ingest_event *event, cairn__arena *arena,
                                 cairn__sync_rejected *out) {
    char text[REASON_BYTES_MAX];
    int len = snprintf(text, sizeof text, "%s: %s; %s", event->fault.code, event->fault.field,
                       event->fault.fix);
    size_t bytes = len < 0 ? 0 : (size_t)len;
    bytes = bytes < sizeof text ? bytes : sizeof text - 1;
    out->seq = event->event.seq;
    return cairn__arena_copy(arena, cairn__span(text, bytes), &out->reason) ? CAIRN_OK
                                                                            : CAIRN_NO_MEMORY;
}

cairn_status cairn__ingest_sync_check(cairn_span body, cairn__arena *arena,
                                      cairn__ingest_sync_verdict *verdict_out,
                                      cairn__ingest_problem *problem_out) {
    *verdict_out = (cairn__ingest_sync_verdict){ 0 };
    cairn__sync_request request;
    cairn_status status = decode_request(body, arena, &request, problem_out);
    if (status != CAIRN_OK) {
        return status;
    }
    cairn__sync_rejected *rejected = NULL;
    uint64_t seq = 0;
    bool run = true; /* still without a gap */
    for (size_t i = 0; i < request.event_count && status == CAIRN_OK; i++) {
        cairn__ingest_event event;
        status = read_event(request.events[i], &request.dictionary, arena, &seq, &event);
        run = run && (verdict_out->acked_seq == 0 || seq == verdict_out->acked_seq + 1);
        if (run) {
            verdict_out->acked_seq = seq;
        }
        if (status != CAIRN_OK || event.fault.code == NULL) {
            continue;
        }
        if (rejected == NULL) {
            rejected = cairn__arena_alloc_zero(arena, request.event_count, sizeof *rejected);
        }
        status = rejected == NULL
                     ? CAIRN_NO_MEMORY
                     : add_rejected(&event, arena, &rejected[verdict_out->rejected_count++]);
    }
    verdict_out->project_key = request.head.project_key;
    verdict_out->event_count = request.event_count;
    verdict_out->bundle_version = request.head.bundle_version;
    verdict_out->capabilities = request.head.capabilities;
    verdict_out->head = request.head;
    verdict_out->rejected = rejected;
    if (status == CAIRN_NO_MEMORY) {
        refuse(problem_out, "too_large", "events", "the events do not fit in memory");
    }
    return status;
}

static bool device_text(cairn_span id, cairn__arena *arena, cairn_span *out) {
    static const char digits[] = "0123456789abcdef";
    uint8_t text[DEVICE_TEXT_BYTES];
    for (size_t i = 0; i < CAIRN__DEVICE_ID_BYTES; i++) {
        text[2 * i] = (uint8_t)digits[id.data[i] >> 4];
        text[2 * i + 1] = (uint8_t)digits[id.data[i] & 15];
    }
    return cairn__arena_copy(arena, cairn__span(text, sizeof text), out);
}

cairn_status cairn__ingest_sync(cairn_span body, cairn__arena *arena,
                                cairn__ingest_batch *batch_out,
                                cairn__ingest_problem *problem_out) {
    *batch_out = (cairn__ingest_batch){ 0 };
    cairn__sync_request request;
    cairn_status status = decode_request(body, arena, &request, problem_out);
    if (status != CAIRN_OK) {
        return status;
    }
    cairn__ingest_event *events =
        cairn__arena_alloc_zero(arena, request.event_count + 1, sizeof *events);
    cairn_span device = cairn__span(request.head.device_id, CAIRN__DEVICE_ID_BYTES);
    if (events == NULL || !cairn__arena_copy(arena, device, &batch_out->source) ||
        !device_text(device, arena, &batch_out->device)) {
        return CAIRN_NO_MEMORY;
    }
    uint64_t seq = 0;
    for (size_t i = 0; i < request.event_count; i++) {
        status = read_event(request.events[i], &request.dictionary, arena, &seq, &events[i]);
        if (status != CAIRN_OK) {
            return status;
        }
        batch_out->rejected_count += events[i].fault.code != NULL;
    }
    batch_out->device_source = true;
    batch_out->sent_ms = request.head.sent_ms;
    batch_out->ids = request.head.ids;
    batch_out->id_count = request.head.id_count;
    batch_out->events = events;
    batch_out->event_count = request.event_count;
    return CAIRN_OK;
}
