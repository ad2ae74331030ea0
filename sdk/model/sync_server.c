/* sync_server.c: the server's side of the envelope, on nanopb: each repeated field is a callback
 * that notes where its bytes are; nothing is copied. Not part of the WASM core. */
#include <pb_decode.h>
#include <pb_encode.h>

#include "base/bytes.h"
#include "cairn.pb.h"
#include "model/limits.h"
#include "model/sync.h"
#include "model/wire.h"

_Static_assert((int)CAIRN__EVENT_LOGIN == cairn_v1_EventKind_LOGIN &&
                   (int)CAIRN__EVENT_LOGOUT == cairn_v1_EventKind_LOGOUT &&
                   (int)CAIRN__EVENT_PROFILE_SET == cairn_v1_EventKind_PROFILE_SET &&
                   (int)CAIRN__EVENT_PROFILE_DELETE == cairn_v1_EventKind_PROFILE_DELETE &&
                   (int)CAIRN__EVENT_DECISION == cairn_v1_EventKind_DECISION &&
                   (int)CAIRN__EVENT_ERASE == cairn_v1_EventKind_ERASE,
               "event.h and cairn.proto number the kinds alike");
_Static_assert(CAIRN__TAG_EVENT_PROPERTY >> 3 == cairn_v1_Event_properties_tag &&
                   CAIRN__TAG_PROPERTY_LIST >> 3 == cairn_v1_Property_list_tag &&
                   CAIRN__TAG_PROPERTY_TEXT_CODE >> 3 == cairn_v1_Property_text_code_tag &&
                   CAIRN__TAG_REQUEST_DICTIONARY >> 3 == cairn_v1_SyncRequest_dictionary_tag &&
                   CAIRN__TAG_REQUEST_EVENT >> 3 == cairn_v1_SyncRequest_events_tag &&
                   CAIRN__TAG_RESPONSE_NEW_DEVICE_ID >> 3 ==
                       cairn_v1_SyncResponse_new_device_id_tag,
               "wire.h and cairn.proto number the fields alike");

enum { SPANS_FIRST = 64 };

/* A growing array of spans in the arena. */
typedef struct spans {
    cairn_span *items;
    size_t count;
    size_t capacity;
    size_t count_max;
} spans;

typedef struct reader {
    const uint8_t *at; /* where nanopb's stream stands */
    cairn__arena *arena;
    cairn__sync_request *request;
    spans dictionary;
    spans events;
    spans ids;
    cairn_status status;
    cairn__sync_fault fault;
} reader;

/* --- reading a request -------------------------------------------------------------------------*/

static bool refuse(reader *r, const char *field, const char *problem) {
    r->fault = (cairn__sync_fault){ field, problem };
    r->status = CAIRN_INVALID;
    return false;
}

static bool read_at(pb_istream_t *stream, pb_byte_t *to, size_t count) {
    reader *r = stream->state;
    if (to != NULL) {
        memcpy(to, r->at, count);
    }
    r->at += count;
    return true;
}

/* Whose field it is; NULL for one of another wire type, which nanopb hands over in a stream of its
 * own. */
static reader *reader_of(const pb_istream_t *stream) {
    return stream->callback == read_at ? stream->state : NULL;
}

/* All that the callback's field holds, without looking into it. */
static cairn_span take_field(reader *r, pb_istream_t *stream) {
    cairn_span bytes = { r->at, stream->bytes_left };
    r->at += stream->bytes_left;
    stream->bytes_left = 0;
    return bytes;
}

static bool grow(reader *r, spans *list) {
    size_t capacity = list->capacity == 0 ? SPANS_FIRST : list->capacity * 2;
    cairn_span *items = cairn__arena_alloc(r->arena, capacity * sizeof *items);
    if (items == NULL) {
        r->status = CAIRN_NO_MEMORY;
        return false;
    }
    if (list->count > 0) {
        memcpy(items, list->items, list->count * sizeof *items);
    }
    list->items = items;
    list->capacity = capacity;
    return true;
}

static bool push(reader *r, spans *list, pb_istream_t *stream) {
    if (list->count == list->capacity && !grow(r, list)) {
        return false;
    }
    list->items[list->count++] = take_field(r, stream);
    return true;
}

static bool on_event(pb_istream_t *stream, const pb_field_t *field, void **arg) {
    (void)field;
    (void)arg;
    reader *r = reader_of(stream);
    if (r == NULL) {
        return false;
    }
    if (r->events.count == CAIRN__BATCH_EVENTS_MAX) {
        return refuse(r, "events", "a request carries at most 1000 events; send smaller batches");
    }
    return push(r, &r->events, stream);
}

static bool on_word(pb_istream_t *stream, const pb_field_t *field, void **arg) {
    (void)field;
    (void)arg;
    reader *r = reader_of(stream);
    if (r == NULL) {
        return false;
    }
    if (r->dictionary.count == CAIRN__DICTIONARY_ENTRIES_MAX) {
        return refuse(r, "dictionary", "a dictionary has at most 4096 entries; spell out the rest");
    }
    return push(r, &r->dictionary, stream);
}

static bool on_id(pb_istream_t *stream, const pb_field_t *field, void **arg) {
    (void)field;
    (void)arg;
    reader *r = reader_of(stream);
    if (r == NULL) {
        return false;
    }
    if (r->ids.count == CAIRN__EVENT_IDS_MAX) {
        return refuse(r, "ids", "a request names at most 16 ids in force");
    }
    return push(r, &r->ids, stream);
}

static bool on_text(pb_istream_t *stream, const pb_field_t *field, void **arg) {
    (void)field;
    reader *r = reader_of(stream);
    cairn_span *to = *arg;
    if (r == NULL) {
        return false;
    }
    *to = take_field(r, stream);
    return true;
}

static bool on_device(pb_istream_t *stream, const pb_field_t *field, void **arg) {
    (void)field;
    (void)arg;
    reader *r = reader_of(stream);
    if (r == NULL) {
        return false;
    }
    cairn_span id = take_field(r, stream);
    if (id.len != CAIRN__DEVICE_ID_BYTES) {
        return refuse(r, "device_id", "a device id is 16 random bytes");
    }
    memcpy(r->request->head.device_id, id.data, id.len);
    return true;
}

static bool on_id_part(pb_istream_t *stream, const pb_field_t *field, void **arg) {
    return on_text(stream, field, arg);
}

static bool read_one_id(reader *r, cairn_span bytes, cairn_id *id_out) {
    cairn_v1_Id message = cairn_v1_Id_init_zero;
    message.type = (pb_callback_t){ .funcs.decode = on_id_part, .arg = &id_out->type };
    message.value = (pb_callback_t){ .funcs.decode = on_id_part, .arg = &id_out->value };
    const uint8_t *outer = r->at;
    r->at = bytes.data;
    pb_istream_t stream = { .callback = read_at, .state = r, .bytes_left = bytes.len };
    bool read = pb_decode(&stream, cairn_v1_Id_fields, &message);
    r->at = outer;
    if (!read) {
        return refuse(r, "ids", "an id is a cairn.v1.Id message");
    }
    if (id_out->type.len == 0 || id_out->type.len > CAIRN__ID_TYPE_BYTES_MAX ||
        id_out->value.len == 0 || id_out->value.len > CAIRN__ID_VALUE_BYTES_MAX ||
        !cairn__utf8_valid(id_out->type) || !cairn__utf8_valid(id_out->value)) {
        return refuse(r, "ids", "an id has a type of 1 to 32 and a value of 1 to 256 bytes, UTF-8");
    }
    return true;
}

static bool read_ids(reader *r) {
    cairn_id *ids = cairn__arena_alloc_zero(r->arena, r->ids.count, sizeof *ids);
    if (ids == NULL) {
        r->status = CAIRN_NO_MEMORY;
        return false;
    }
    for (size_t i = 0; i < r->ids.count; i++) {
        if (!read_one_id(r, r->ids.items[i], &ids[i])) {
            return false;
        }
    }
    r->request->head.ids = ids;
    r->request->head.id_count = r->ids.count;
    return true;
}

static bool is_short_text(cairn_span text) {
    return text.len <= CAIRN__SDK_TEXT_BYTES_MAX && cairn__utf8_valid(text);
}

static bool check_head(reader *r) {
    static const uint8_t no_device[CAIRN__DEVICE_ID_BYTES];
    const cairn__sync_head *head = &r->request->head;
    if (head->project_key.len == 0 || head->project_key.len > CAIRN__PROJECT_KEY_BYTES_MAX) {
        return refuse(r, "project_key", "name the project by its write key, 1 to 64 bytes");
    }
    if (memcmp(head->device_id, no_device, sizeof no_device) == 0) {
        return refuse(r, "device_id", "a device id is 16 random bytes");
    }
    if (!is_short_text(head->sdk_name)) {
        return refuse(r, "sdk_name", "at most 32 bytes of UTF-8");
    }
    if (!is_short_text(head->sdk_version)) {
        return refuse(r, "sdk_version", "at most 32 bytes of UTF-8");
    }
    if (!is_short_text(head->platform)) {
        return refuse(r, "platform", "at most 32 bytes of UTF-8");
    }
    return true;
}

static void listen_for(cairn_v1_SyncRequest *message, cairn__sync_head *head) {
    message->project_key = (pb_callback_t){ .funcs.decode = on_text, .arg = &head->project_key };
    message->device_id.funcs.decode = on_device;
    message->sdk_name = (pb_callback_t){ .funcs.decode = on_text, .arg = &head->sdk_name };
    message->sdk_version = (pb_callback_t){ .funcs.decode = on_text, .arg = &head->sdk_version };
    message->platform = (pb_callback_t){ .funcs.decode = on_text, .arg = &head->platform };
    message->ids.funcs.decode = on_id;
    message->dictionary.funcs.decode = on_word;
    message->events.funcs.decode = on_event;
}

static void take_numbers(const cairn_v1_SyncRequest *message, cairn__sync_request *request) {
    request->head.sent_ms = message->sent_ms;
    request->head.consent = (int)message->consent;
    request->head.bundle_version = message->bundle_version;
    request->head.facts_version = message->facts_version;
    request->head.capabilities = message->capabilities;
}

cairn_status cairn__sync_request_decode(cairn_span body, cairn__arena *arena,
                                        cairn__sync_request *request_out,
                                        cairn__sync_fault *fault_out) {
    *request_out = (cairn__sync_request){ 0 };
    reader r = { .at = body.data, .arena = arena, .request = request_out };
    cairn_v1_SyncRequest message = cairn_v1_SyncRequest_init_zero;
    listen_for(&message, &request_out->head);
    pb_istream_t stream = { .callback = read_at, .state = &r, .bytes_left = body.len };
    bool read = pb_decode(&stream, cairn_v1_SyncRequest_fields, &message);
    if (!read && r.status == CAIRN_OK) {
        refuse(&r, "body", "send a cairn.v1.SyncRequest of proto/cairn.proto");
    }
    if (read && read_ids(&r)) {
        (void)check_head(&r);
    }
    take_numbers(&message, request_out);
    request_out->dictionary = (cairn__dictionary){ r.dictionary.items, r.dictionary.count };
    request_out->events = r.events.items;
    request_out->event_count = r.events.count;
    *fault_out = r.fault;
    return r.status;
}

/* --- writing a response ------------------------------------------------------------------------*/

static bool write_to(pb_ostream_t *stream, const pb_byte_t *bytes, size_t count) {
    cairn__buffer *to = stream->state;
    cairn__buffer_append(to, (cairn_span){ bytes, count });
    return !to->failed;
}

static bool put_span(pb_ostream_t *stream, const pb_field_t *field, void *const *arg) {
    const cairn_span *bytes = *arg;
    return bytes->len == 0 || (pb_encode_tag_for_field(stream, field) &&
                               pb_encode_string(stream, bytes->data, bytes->len));
}

static bool put_rejected(pb_ostream_t *stream, const pb_field_t *field, void *const *arg) {
    const cairn__sync_response *response = *arg;
    for (size_t i = 0; i < response->rejected_count; i++) {
        cairn_span reason = response->rejected[i].reason;
        cairn_v1_Rejected message = cairn_v1_Rejected_init_zero;
        message.seq = response->rejected[i].seq;
        message.reason = (pb_callback_t){ .funcs.encode = put_span, .arg = &reason };
        if (!pb_encode_tag_for_field(stream, field) ||
            !pb_encode_submessage(stream, cairn_v1_Rejected_fields, &message)) {
            return false;
        }
    }
    return true;
}

void cairn__sync_response_encode(const cairn__sync_response *response, cairn__buffer *to) {
    cairn__sync_response own = *response; /* nanopb's arguments are not const */
    cairn_v1_SyncResponse message = cairn_v1_SyncResponse_init_zero;
    message.acked_seq = own.acked_seq;
    message.rejected = (pb_callback_t){ .funcs.encode = put_rejected, .arg = &own };
    message.server_ms = own.server_ms;
    message.bundle = (pb_callback_t){ .funcs.encode = put_span, .arg = &own.bundle };
    message.bundle_version = own.bundle_version;
    message.facts = (pb_callback_t){ .funcs.encode = put_span, .arg = &own.facts };
    message.facts_version = own.facts_version;
    message.next_sync_ms = own.next_sync_ms;
    message.retry_after_ms = own.retry_after_ms;
    message.new_device_id = own.new_device_id;
    pb_ostream_t stream = { .callback = write_to, .state = to, .max_size = SIZE_MAX };
    if (!pb_encode(&stream, cairn_v1_SyncResponse_fields, &message)) {
        to->failed = true;
    }
}
