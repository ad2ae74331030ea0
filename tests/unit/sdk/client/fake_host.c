/* fake_host.c: see fake_host.h. */
#include "fake_host.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "model/sync.h"

enum { BUFFER_BYTES_MAX = 8 << 20, ARENA_BYTES_MAX = 8 << 20 };

uint64_t fake_host_random(fake_host *host, uint64_t below) {
    host->random += 0x9E3779B97F4A7C15u;
    return cairn__mix(host->random) % below;
}

/* --- seams -------------------------------------------------------------------------------------*/

static int64_t wall_ms(void *self) {
    return ((fake_host *)self)->wall_ms;
}

static int64_t mono_ms(void *self) {
    return ((fake_host *)self)->mono_ms;
}

static void fill(void *self, uint8_t *bytes, size_t len) {
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)fake_host_random(self, 256);
    }
}

static void push(fake_host *host, host_op_kind kind, uint32_t ticket, uint32_t number,
                 cairn_span bytes) {
    CAIRN_ASSERT(host->op_count < HOST_OPS_MAX);
    host->submitted += 1;
    host_op *op = &host->ops[host->op_count++];
    *op = (host_op){ kind, ticket, number, cairn__buffer_make(cairn__heap(), BUFFER_BYTES_MAX) };
    cairn__buffer_append(&op->bytes, bytes);
}

static void append(void *self, uint32_t ticket, uint32_t segment, cairn_span bytes) {
    push(self, HOST_APPEND, ticket, segment, bytes);
}

static void remove_segment(void *self, uint32_t ticket, uint32_t segment) {
    push(self, HOST_REMOVE, ticket, segment, (cairn_span){ NULL, 0 });
}

static void write_state(void *self, uint32_t ticket, uint32_t slot, cairn_span bytes) {
    push(self, HOST_STATE, ticket, slot, bytes);
}

static void start_post(void *self, uint32_t ticket, cairn_span body) {
    fake_host *host = self;
    CAIRN_ASSERT(host->post_ticket == 0); /* one at a time */
    host->post_ticket = ticket;
    host->posts += 1;
    cairn__buffer_clear(&host->post);
    cairn__buffer_append(&host->post, body);
}

static void heard_acked(void *self, uint64_t acked_seq) {
    ((fake_host *)self)->acked_seq = acked_seq;
}

static void heard_refused(void *self, uint64_t seq, cairn_span reason) {
    fake_host *host = self;
    host->refused_seq = seq;
    (void)snprintf(host->refused_reason, sizeof host->refused_reason, "%.*s", (int)reason.len,
                   (const char *)reason.data);
}

static void heard_popup(void *self, cairn_span json) {
    fake_host *host = self;
    host->popups += 1;
    cairn__buffer_clear(&host->popup);
    cairn__buffer_append(&host->popup, json);
}

static void heard_popup_chosen(void *self, cairn_span name) {
    fake_host *host = self;
    host->popups_chosen += name.len > 0 ? 1 : 0;
}

static void heard_purged(void *self) {
    ((fake_host *)self)->purges += 1;
}

/* --- life --------------------------------------------------------------------------------------*/

void fake_host_open(fake_host *host, uint64_t seed) {
    memset(host, 0, sizeof *host);
    host->random = seed;
    host->wall_ms = 1790000000000;
    host->mono_ms = 5000;
    host->post = cairn__buffer_make(cairn__heap(), BUFFER_BYTES_MAX);
    host->answer = cairn__buffer_make(cairn__heap(), BUFFER_BYTES_MAX);
    host->bundle = cairn__buffer_make(cairn__heap(), BUFFER_BYTES_MAX);
    host->facts = cairn__buffer_make(cairn__heap(), BUFFER_BYTES_MAX);
    host->popup = cairn__buffer_make(cairn__heap(), BUFFER_BYTES_MAX);
    for (size_t i = 0; i < HOST_SLOTS; i++) {
        host->slots[i] = cairn__buffer_make(cairn__heap(), BUFFER_BYTES_MAX);
    }
    host->platform = (cairn_platform){
        .clock = { wall_ms, mono_ms, host },
        .random = { fill, host },
        .storage = { append, remove_segment, write_state, host },
        .transport = { start_post, host },
        .listener = { .acked = heard_acked,
                      .refused = heard_refused,
                      .popup = heard_popup,
                      .self = host,
                      .purged = heard_purged,
                      .popup_chosen = heard_popup_chosen },
    };
}

void fake_host_forget(fake_host *host) {
    for (size_t i = 0; i < host->op_count; i++) {
        cairn__buffer_free(&host->ops[i].bytes);
    }
    host->op_count = 0;
}

void fake_host_close(fake_host *host) {
    fake_host_forget(host);
    for (size_t i = 0; i < host->segment_count; i++) {
        cairn__buffer_free(&host->segments[i].bytes);
    }
    for (size_t i = 0; i < HOST_SLOTS; i++) {
        cairn__buffer_free(&host->slots[i]);
    }
    cairn__buffer_free(&host->bundle);
    cairn__buffer_free(&host->facts);
    cairn__buffer_free(&host->popup);
    cairn__buffer_free(&host->post);
    cairn__buffer_free(&host->answer);
}

cairn_client *fake_host_boot(fake_host *host, const cairn_options *options) {
    cairn_client *client = NULL;
    if (cairn_open(options, &host->platform, &client) != CAIRN_OK) {
        return NULL;
    }
    for (uint32_t slot = 0; slot < HOST_SLOTS; slot++) {
        (void)cairn_restore(client, CAIRN_SPACE_STATE, slot,
                            cairn__buffer_span(&host->slots[slot]));
    }
    for (size_t i = 0; i < host->segment_count; i++) { /* they are kept in order */
        (void)cairn_restore(client, CAIRN_SPACE_LOG, host->segments[i].number,
                            cairn__buffer_span(&host->segments[i].bytes));
    }
    if (cairn_start(client) != CAIRN_OK) {
        cairn_close(client);
        return NULL;
    }
    return client;
}

/* --- the disk ----------------------------------------------------------------------------------*/

host_segment *fake_host_segment(fake_host *host, uint32_t number) {
    size_t at = 0;
    while (at < host->segment_count && host->segments[at].number < number) {
        at += 1;
    }
    if (at < host->segment_count && host->segments[at].number == number) {
        return &host->segments[at];
    }
    CAIRN_ASSERT(host->segment_count < HOST_SEGMENTS_MAX);
    memmove(host->segments + at + 1, host->segments + at,
            (host->segment_count - at) * sizeof host->segments[0]);
    host->segments[at] =
        (host_segment){ number, cairn__buffer_make(cairn__heap(), BUFFER_BYTES_MAX) };
    host->segment_count += 1;
    return &host->segments[at];
}

static void remove_number(fake_host *host, uint32_t number) {
    for (size_t at = 0; at < host->segment_count; at++) {
        if (host->segments[at].number == number) {
            cairn__buffer_free(&host->segments[at].bytes);
            host->segment_count -= 1;
            memmove(host->segments + at, host->segments + at + 1,
                    (host->segment_count - at) * sizeof host->segments[0]);
            return;
        }
    }
}

/* The first `len` bytes of the operation happen. */
static void apply(fake_host *host, const host_op *op, size_t len) {
    if (op->kind == HOST_APPEND && len > 0) {
        host_segment *segment = fake_host_segment(host, op->number);
        cairn__buffer_append(&segment->bytes, (cairn_span){ op->bytes.data, len });
        CAIRN_ASSERT(segment->bytes.len <= 64 * 1024);
    }
    if (op->kind == HOST_STATE) {
        cairn__buffer_clear(&host->slots[op->number]);
        cairn__buffer_append(&host->slots[op->number], (cairn_span){ op->bytes.data, len });
    }
    if (op->kind == HOST_REMOVE && len == op->bytes.len) {
        remove_number(host, op->number);
    }
}

static void pop_op(fake_host *host) {
    cairn__buffer_free(&host->ops[0].bytes);
    host->op_count -= 1;
    memmove(host->ops, host->ops + 1, host->op_count * sizeof host->ops[0]);
}

void fake_host_commit_one(fake_host *host, cairn_client *client, bool durable) {
    if (host->op_count == 0) {
        return;
    }
    const host_op *op = &host->ops[0];
    uint32_t ticket = op->ticket;
    if (durable) {
        apply(host, op, op->bytes.len);
    } else if (op->kind != HOST_REMOVE) {
        apply(host, op, (size_t)fake_host_random(host, op->bytes.len + 1));
    }
    pop_op(host);
    cairn_storage_done(client, ticket, durable);
}

void fake_host_commit(fake_host *host, cairn_client *client, bool durable) {
    for (size_t left = host->op_count; left > 0; left--) {
        fake_host_commit_one(host, client, durable);
    }
}

void fake_host_crash(fake_host *host) {
    size_t whole = (size_t)fake_host_random(host, host->op_count + 1);
    for (size_t i = 0; i < whole; i++) {
        apply(host, &host->ops[i], host->ops[i].bytes.len);
    }
    if (whole < host->op_count && host->ops[whole].bytes.len > 0) {
        const host_op *op = &host->ops[whole];
        apply(host, op, (size_t)fake_host_random(host, op->bytes.len));
    }
    fake_host_forget(host);
    host->post_ticket = 0;
}

/* --- the server --------------------------------------------------------------------------------*/

static size_t device_of(fake_host *host, const uint8_t id[16]) {
    for (size_t i = 0; i < host->device_count; i++) {
        if (memcmp(host->devices[i], id, 16) == 0) {
            return i;
        }
    }
    CAIRN_ASSERT(host->device_count < HOST_DEVICES_MAX);
    memcpy(host->devices[host->device_count], id, 16);
    return host->device_count++;
}

static int64_t integer_of(const cairn__event *event, cairn_span name) {
    for (size_t i = 0; i < event->property_count; i++) {
        if (cairn__span_equal(event->properties[i].name, name)) {
            return event->properties[i].value.as.integer;
        }
    }
    return -1;
}

static void take_event(fake_host *host, size_t device, const cairn__event *event) {
    int64_t id = integer_of(event, CAIRN_STR("id"));
    for (size_t i = 0; i < host->event_count; i++) {
        const host_event *known = &host->events[i];
        if (known->device == device && known->seq == event->seq) {
            host->duplicates += 1;
            host->collided = host->collided || known->id != id;
            return;
        }
    }
    CAIRN_ASSERT(host->event_count < HOST_EVENTS_MAX);
    bool dropped = cairn__span_equal(event->name, CAIRN_STR("$dropped"));
    host->events[host->event_count++] = (host_event){
        .device = device,
        .seq = event->seq,
        .id = id,
        .kind = (int)event->kind,
        .session = event->session,
        .mono_ms = event->mono_ms,
        .time_ms = event->time_ms,
        .dropped = dropped ? integer_of(event, CAIRN_STR("count")) : 0,
    };
}

static uint32_t take_request(fake_host *host, cairn__arena *arena) {
    cairn__sync_request request;
    cairn__sync_fault fault;
    cairn_status status =
        cairn__sync_request_decode(cairn__buffer_span(&host->post), arena, &request, &fault);
    CAIRN_ASSERT(status == CAIRN_OK);
    if (host->events_max > 0 && request.event_count > host->events_max) {
        return 413;
    }
    size_t device = device_of(host, request.head.device_id);
    cairn__sync_response response = { .server_ms = host->wall_ms + 250 };
    for (size_t i = 0; i < request.event_count; i++) {
        cairn__event event;
        cairn__event_fault event_fault;
        status = cairn__event_decode(request.events[i], &request.dictionary, arena, &event,
                                     &event_fault);
        CAIRN_ASSERT(status == CAIRN_OK && event.seq > response.acked_seq);
        if (!host->new_device) {
            take_event(host, device, &event);
            response.acked_seq = event.seq;
        }
    }
    const cairn__sync_rejected rejected = { host->refuse_seq, CAIRN_STR("text_too_long: shorten") };
    response.rejected = &rejected;
    response.rejected_count = host->refuse_seq > 0 ? 1 : 0;
    response.new_device_id = host->new_device;
    host->new_device = false;
    if (host->on_request != NULL) {
        host->on_request(host->self, host);
    }
    bool decides = (request.head.capabilities & CAIRN__CAPABILITY_DECIDES) != 0;
    if (decides && request.head.bundle_version != host->bundle_version) {
        response.bundle = cairn__buffer_span(&host->bundle);
        response.bundle_version = host->bundle_version;
    }
    if (decides) {
        response.facts = cairn__buffer_span(&host->facts);
        response.facts_version = host->facts_version;
    }
    cairn__sync_response_encode(&response, &host->answer);
    return 200;
}

uint32_t fake_host_serve(fake_host *host) {
    cairn__buffer_clear(&host->answer);
    if (host->post_ticket == 0) {
        return 0;
    }
    cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES_MAX);
    uint32_t status = take_request(host, &arena);
    cairn__arena_free(&arena);
    return status;
}

void fake_host_reply(fake_host *host, cairn_client *client, uint32_t status,
                     uint32_t retry_after_ms) {
    uint32_t ticket = host->post_ticket;
    cairn_span body = cairn__buffer_span(&host->answer);
    host->post_ticket = 0;
    cairn_http_done(client, ticket, status, retry_after_ms,
                    status == 200 ? body : (cairn_span){ NULL, 0 });
}

void fake_host_pass(fake_host *host, cairn_client *client, int64_t ms) {
    int64_t end_ms = host->mono_ms + ms;
    for (;;) {
        fake_host_commit(host, client, true);
        int64_t wait_ms = cairn_pump(client);
        if (host->post_ticket != 0) {
            uint32_t status = fake_host_serve(host);
            fake_host_reply(host, client, status, 0);
            continue;
        }
        if (host->op_count > 0) {
            continue;
        }
        if (wait_ms < 0 || host->mono_ms + wait_ms > end_ms) {
            break;
        }
        host->mono_ms += wait_ms > 0 ? wait_ms : 1;
        host->wall_ms += wait_ms > 0 ? wait_ms : 1;
    }
    host->wall_ms += end_ms - host->mono_ms;
    host->mono_ms = end_ms;
}

bool fake_host_empty(const fake_host *host) {
    size_t bytes = 0;
    for (size_t i = 0; i < HOST_SLOTS; i++) {
        bytes += host->slots[i].len;
    }
    return host->op_count == 0 && host->segment_count == 0 && bytes == 0;
}

size_t fake_host_count(const fake_host *host, int64_t id) {
    size_t count = 0;
    for (size_t i = 0; i < host->event_count; i++) {
        count += host->events[i].id == id;
    }
    return count;
}

cairn_status fake_host_track(cairn_client *client, int64_t id) {
    const cairn_property property = { CAIRN_STR("id"), { CAIRN_VALUE_INTEGER, { .integer = id } } };
    return cairn_track(client, CAIRN_STR("e"), &property, 1);
}
