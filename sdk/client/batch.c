/* batch.c: stored events carry no sequence number, since a new device id starts its own count: it
 * is put in front of each here. */
#include "client/batch.h"

#include "base/bytes.h"
#include "base/record.h"
#include "model/wire.h"

enum { SEQ_FIELD_BYTES = 1 + CAIRN__VARINT_BYTES_MAX };

/* The Event message as stored. */
static cairn_span message_of(const cairn__queue_item *item) {
    cairn_span payload = cairn__item_payload(item);
    if ((item->flags & CAIRN__RECORD_REPORT) != 0) {
        return (cairn_span){ payload.data + 8, payload.len - 8 };
    }
    return payload;
}

/* How many events fit; their bytes are at most *bytes_out. */
static size_t choose(const cairn__batch *batch, size_t *bytes_out) {
    size_t count = 0;
    size_t bytes = 0;
    for (const cairn__queue_item *item = batch->queue->first; item != NULL; item = item->next) {
        size_t more = item->len + SEQ_FIELD_BYTES;
        bool fits = count == 0 || bytes + more <= batch->bytes_max;
        if (count == batch->events_max || !fits || (!item->kept && !batch->with_unkept)) {
            break;
        }
        bytes += more;
        count += 1;
    }
    *bytes_out = bytes;
    return count;
}

static cairn_span copy_event(uint8_t *to, const cairn__queue_item *item, uint64_t base) {
    cairn_span message = message_of(item);
    to[0] = CAIRN__TAG_EVENT_SEQ;
    size_t len = 1 + cairn__put_varint(to + 1, item->seq - base);
    memcpy(to + len, message.data, message.len);
    return (cairn_span){ to, len + message.len };
}

cairn_status cairn__batch_write(cairn__batch *batch, cairn__arena *scratch, cairn__buffer *to) {
    size_t bytes = 0;
    size_t count = choose(batch, &bytes);
    batch->count = 0;
    cairn__buffer_clear(to);
    if (count == 0) {
        return CAIRN_OK;
    }
    cairn__arena_reset(scratch);
    cairn_span *events = cairn__arena_alloc_zero(scratch, count, sizeof *events);
    uint8_t *at = cairn__arena_alloc(scratch, bytes);
    if (events == NULL || at == NULL) {
        return CAIRN_NO_MEMORY;
    }
    const cairn__queue_item *item = batch->queue->first;
    for (size_t i = 0; i < count; i++, item = item->next) {
        events[i] = copy_event(at, item, batch->base);
        at += events[i].len;
        batch->last_seq = item->seq;
    }
    cairn_status status = cairn__sync_request_encode(batch->head, events, count, scratch, to);
    batch->count = status == CAIRN_OK ? count : 0;
    return status;
}
