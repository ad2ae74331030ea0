/* event.c: the Event message by hand, in both directions. Encoding measures first and then writes
 * with one growth of the buffer; decoding counts first and then takes two arrays from the arena.
 * Unknown fields, and known ones of another wire type, are stepped over, as protobuf asks. */
#include "model/event.h"

#include "base/bytes.h"
#include "base/fault.h"
#include "base/varint.h"
#include "model/limits.h"
#include "model/wire.h"

/* --- encoding ----------------------------------------------------------------------------------*/

static size_t bytes_field_size(size_t len) {
    return 1 + cairn__wire_varint_bytes(len) + len;
}

static size_t varint_field_size(uint64_t value) {
    return value == 0 ? 0 : 1 + cairn__wire_varint_bytes(value); /* proto3: zero is left out */
}

static size_t list_size(cairn_string_list list) {
    size_t bytes = 0;
    for (size_t i = 0; i < list.count; i++) {
        bytes += bytes_field_size(list.items[i].len);
    }
    return bytes;
}

static size_t value_size(const cairn_value *value) {
    switch (value->kind) {
    case CAIRN_VALUE_BOOLEAN:
        return 2;
    case CAIRN_VALUE_INTEGER:
        return 1 + cairn__wire_varint_bytes(cairn__zigzag(value->as.integer));
    case CAIRN_VALUE_NUMBER:
        return 9;
    case CAIRN_VALUE_STRING:
        return bytes_field_size(value->as.string.len);
    case CAIRN_VALUE_TIME:
        return 1 + cairn__wire_varint_bytes(cairn__zigzag(value->as.time_ms));
    case CAIRN_VALUE_LIST:
        return bytes_field_size(list_size(value->as.list));
    case CAIRN_VALUE_NULL:
        break;
    }
    return 0;
}

static size_t property_size(const cairn_property *p) {
    return bytes_field_size(p->name.len) + value_size(&p->value);
}

static size_t id_size(const cairn_id *id) {
    return bytes_field_size(id->type.len) + bytes_field_size(id->value.len);
}

static size_t event_size(const cairn__event *event) {
    size_t bytes = varint_field_size(event->seq) + varint_field_size((uint64_t)event->time_ms) +
                   varint_field_size(event->mono_ms) + varint_field_size(event->session) +
                   varint_field_size((uint64_t)event->kind);
    bytes += event->name.len == 0 ? 0 : bytes_field_size(event->name.len);
    for (size_t i = 0; i < event->property_count; i++) {
        bytes += bytes_field_size(property_size(&event->properties[i]));
    }
    for (size_t i = 0; i < event->id_count; i++) {
        bytes += bytes_field_size(id_size(&event->ids[i]));
    }
    return bytes;
}

static uint8_t *put_head(uint8_t *to, uint8_t tag, size_t len) {
    *to++ = tag;
    return to + cairn__wire_put_varint(to, len);
}

static uint8_t *put_bytes(uint8_t *to, uint8_t tag, cairn_span bytes) {
    to = put_head(to, tag, bytes.len);
    if (bytes.len != 0) {
        memcpy(to, bytes.data, bytes.len);
    }
    return to + bytes.len;
}

static uint8_t *put_number(uint8_t *to, uint8_t tag, uint64_t value) {
    *to++ = tag;
    return to + cairn__wire_put_varint(to, value);
}

static uint8_t *put_unless_zero(uint8_t *to, uint8_t tag, uint64_t value) {
    return value == 0 ? to : put_number(to, tag, value);
}

static uint8_t *put_list(uint8_t *to, cairn_string_list list) {
    to = put_head(to, CAIRN__TAG_PROPERTY_LIST, list_size(list));
    for (size_t i = 0; i < list.count; i++) {
        to = put_bytes(to, CAIRN__TAG_LIST_ITEM, list.items[i]);
    }
    return to;
}

static uint8_t *put_value(uint8_t *to, const cairn_value *value) {
    switch (value->kind) {
    case CAIRN_VALUE_BOOLEAN:
        return put_number(to, CAIRN__TAG_PROPERTY_BOOLEAN, value->as.boolean ? 1 : 0);
    case CAIRN_VALUE_INTEGER:
        return put_number(to, CAIRN__TAG_PROPERTY_INTEGER, cairn__zigzag(value->as.integer));
    case CAIRN_VALUE_NUMBER:
        *to++ = CAIRN__TAG_PROPERTY_NUMBER;
        memcpy(to, &value->as.number, sizeof value->as.number);
        return to + sizeof value->as.number;
    case CAIRN_VALUE_STRING:
        return put_bytes(to, CAIRN__TAG_PROPERTY_TEXT, value->as.string);
    case CAIRN_VALUE_TIME:
        return put_number(to, CAIRN__TAG_PROPERTY_TIME, cairn__zigzag(value->as.time_ms));
    case CAIRN_VALUE_LIST:
        return put_list(to, value->as.list);
    case CAIRN_VALUE_NULL:
        break;
    }
    return to;
}

void cairn__event_encode(cairn__buffer *buffer, const cairn__event *event) {
    uint8_t *to = cairn__buffer_extend(buffer, event_size(event));
    if (to == NULL) {
        return;
    }
    to = put_unless_zero(to, CAIRN__TAG_EVENT_SEQ, event->seq);
    if (event->name.len > 0) {
        to = put_bytes(to, CAIRN__TAG_EVENT_NAME, event->name);
    }
    to = put_unless_zero(to, CAIRN__TAG_EVENT_TIME, (uint64_t)event->time_ms);
    to = put_unless_zero(to, CAIRN__TAG_EVENT_MONO, event->mono_ms);
    to = put_unless_zero(to, CAIRN__TAG_EVENT_SESSION, event->session);
    to = put_unless_zero(to, CAIRN__TAG_EVENT_KIND, (uint64_t)event->kind);
    for (size_t i = 0; i < event->property_count; i++) {
        const cairn_property *p = &event->properties[i];
        to = put_head(to, CAIRN__TAG_EVENT_PROPERTY, property_size(p));
        to = put_bytes(to, CAIRN__TAG_PROPERTY_NAME, p->name);
        to = put_value(to, &p->value);
    }
    for (size_t i = 0; i < event->id_count; i++) {
        const cairn_id *id = &event->ids[i];
        to = put_head(to, CAIRN__TAG_EVENT_ID, id_size(id));
        to = put_bytes(to, CAIRN__TAG_ID_TYPE, id->type);
        to = put_bytes(to, CAIRN__TAG_ID_VALUE, id->value);
    }
}

void cairn__property_encode(cairn__buffer *buffer, const cairn_property *property) {
    size_t name_bytes = property->name.len == 0 ? 0 : bytes_field_size(property->name.len);
    uint8_t *to = cairn__buffer_extend(buffer, name_bytes + value_size(&property->value));
    if (to == NULL) {
        return;
    }
    if (name_bytes > 0) {
        to = put_bytes(to, CAIRN__TAG_PROPERTY_NAME, property->name);
    }
    (void)put_value(to, &property->value);
}

/* --- decoding ----------------------------------------------------------------------------------*/

enum { KIND_UNKNOWN = CAIRN__EVENT_ERASE + 1 }; /* check() refuses it by name */

typedef struct decoder {
    const cairn__dictionary *dictionary;
    cairn__arena *arena;
    cairn__event_fault fault;
    cairn_status status;
} decoder;

static bool refuse(decoder *d, const char *code, const char *field, const char *fix) {
    if (CAIRN__FAULTS_ARE_TOLD) {
        d->fault = (cairn__event_fault){ code, field, fix };
    }
    d->status = CAIRN_INVALID;
    return false;
}

static bool malformed(decoder *d, const char *field) {
    return refuse(d, "event_malformed", field, "send the messages of proto/cairn.proto");
}

static bool no_memory(decoder *d) {
    d->status = CAIRN_NO_MEMORY;
    return false;
}

static bool skip(cairn__cursor *at, uint64_t tag) {
    if ((tag & 7) == CAIRN__WIRE_BYTES && tag >> 3 != 0) {
        cairn_span bytes;
        return cairn__wire_read_bytes(at, &bytes);
    }
    return tag >> 3 != 0 && cairn__skip_field(at, (unsigned)(tag & 7));
}

static bool read_code(decoder *d, cairn__cursor *at, const char *field, cairn_span *text_out) {
    uint64_t code = 0;
    if (!cairn__read_varint(at, &code)) {
        return malformed(d, field);
    }
    if (code == 0 || code > d->dictionary->count) {
        return refuse(d, "code_unknown", field,
                      "spell the string out, or put it into the request's dictionary");
    }
    *text_out = d->dictionary->items[code - 1];
    return true;
}

/* The number of fields of this tag, or false where the message is not well-formed. */
static bool count_fields(cairn_span message, uint64_t wanted, size_t *count_out) {
    cairn__cursor at = cairn__cursor_of(message);
    size_t count = 0;
    while (at.at < at.end) {
        uint64_t tag = 0;
        if (!cairn__read_varint(&at, &tag) || !skip(&at, tag)) {
            return false;
        }
        count += tag == wanted;
    }
    *count_out = count;
    return true;
}

static bool read_list(decoder *d, cairn_span message, cairn_value *value_out) {
    size_t count = 0;
    if (!count_fields(message, CAIRN__TAG_LIST_ITEM, &count)) {
        return malformed(d, "properties[].list");
    }
    if (count > CAIRN__LIST_ITEMS_MAX) {
        return refuse(d, "list_too_long", "properties[].list", "send at most 500 items");
    }
    cairn_span *items = cairn__arena_alloc(d->arena, count * sizeof *items);
    if (items == NULL) {
        return no_memory(d);
    }
    cairn__cursor at = cairn__cursor_of(message);
    for (size_t i = 0; i < count;) {
        uint64_t tag = 0;
        (void)cairn__read_varint(&at, &tag); /* the count has seen that it is well-formed */
        if (tag == CAIRN__TAG_LIST_ITEM) {
            (void)cairn__wire_read_bytes(&at, &items[i++]);
        } else {
            (void)skip(&at, tag);
        }
    }
    value_out->kind = CAIRN_VALUE_LIST;
    value_out->as.list = (cairn_string_list){ items, count };
    return true;
}

static bool read_text(decoder *d, cairn__cursor *at, cairn_value *value_out) {
    value_out->kind = CAIRN_VALUE_STRING;
    return cairn__wire_read_bytes(at, &value_out->as.string) || malformed(d, "properties[].text");
}

static bool read_double(decoder *d, cairn__cursor *at, cairn_value *value_out) {
    if ((size_t)(at->end - at->at) < sizeof value_out->as.number) {
        return malformed(d, "properties[].number");
    }
    value_out->kind = CAIRN_VALUE_NUMBER;
    memcpy(&value_out->as.number, at->at, sizeof value_out->as.number);
    at->at += sizeof value_out->as.number;
    return true;
}

/* A boolean, an integer or a time. */
static bool read_whole(decoder *d, cairn__cursor *at, uint64_t tag, cairn_value *value_out) {
    uint64_t raw = 0;
    if (!cairn__read_varint(at, &raw)) {
        return malformed(d, "properties[].value");
    }
    if (tag == CAIRN__TAG_PROPERTY_BOOLEAN) {
        value_out->kind = CAIRN_VALUE_BOOLEAN;
        value_out->as.boolean = raw != 0;
    } else if (tag == CAIRN__TAG_PROPERTY_INTEGER) {
        value_out->kind = CAIRN_VALUE_INTEGER;
        value_out->as.integer = cairn__unzigzag(raw);
    } else {
        value_out->kind = CAIRN_VALUE_TIME;
        value_out->as.time_ms = cairn__unzigzag(raw);
    }
    return true;
}

static bool read_property_field(decoder *d, cairn__cursor *at, uint64_t tag, cairn_property *p) {
    cairn_span list;
    switch (tag) {
    case CAIRN__TAG_PROPERTY_NAME_CODE:
        return read_code(d, at, "properties[].name_code", &p->name);
    case CAIRN__TAG_PROPERTY_NAME:
        return cairn__wire_read_bytes(at, &p->name) || malformed(d, "properties[].name");
    case CAIRN__TAG_PROPERTY_TEXT:
        return read_text(d, at, &p->value);
    case CAIRN__TAG_PROPERTY_TEXT_CODE:
        p->value.kind = CAIRN_VALUE_STRING;
        return read_code(d, at, "properties[].text_code", &p->value.as.string);
    case CAIRN__TAG_PROPERTY_NUMBER:
        return read_double(d, at, &p->value);
    case CAIRN__TAG_PROPERTY_BOOLEAN:
    case CAIRN__TAG_PROPERTY_INTEGER:
    case CAIRN__TAG_PROPERTY_TIME:
        return read_whole(d, at, tag, &p->value);
    case CAIRN__TAG_PROPERTY_LIST:
        return cairn__wire_read_bytes(at, &list) ? read_list(d, list, &p->value)
                                                 : malformed(d, "properties[].list");
    default:
        return skip(at, tag) || malformed(d, "properties[]");
    }
}

static bool read_property(decoder *d, cairn_span message, cairn_property *p) {
    cairn__cursor at = cairn__cursor_of(message);
    *p = (cairn_property){ { NULL, 0 }, { .kind = CAIRN_VALUE_NULL } };
    while (at.at < at.end) {
        uint64_t tag = 0;
        if (!cairn__read_varint(&at, &tag)) {
            return malformed(d, "properties[]");
        }
        if (!read_property_field(d, &at, tag, p)) {
            return false;
        }
    }
    return true;
}

static bool read_id(decoder *d, cairn_span message, cairn_id *id) {
    cairn__cursor at = cairn__cursor_of(message);
    *id = (cairn_id){ { NULL, 0 }, { NULL, 0 } };
    while (at.at < at.end) {
        uint64_t tag = 0;
        bool read = cairn__read_varint(&at, &tag);
        if (read && tag == CAIRN__TAG_ID_TYPE) {
            read = cairn__wire_read_bytes(&at, &id->type);
        } else if (read && tag == CAIRN__TAG_ID_VALUE) {
            read = cairn__wire_read_bytes(&at, &id->value);
        } else if (read) {
            read = skip(&at, tag);
        }
        if (!read) {
            return malformed(d, "ids[]");
        }
    }
    return true;
}

/* Room for the properties and ids, whose number a first walk over the message tells. */
static bool make_room(decoder *d, cairn_span message, cairn_property **properties_out,
                      cairn_id **ids_out) {
    cairn__cursor at = cairn__cursor_of(message);
    size_t properties = 0;
    size_t ids = 0;
    while (at.at < at.end) {
        uint64_t tag = 0;
        if (!cairn__read_varint(&at, &tag) || !skip(&at, tag)) {
            return malformed(d, "event");
        }
        properties += tag == CAIRN__TAG_EVENT_PROPERTY;
        ids += tag == CAIRN__TAG_EVENT_ID;
    }
    if (properties > CAIRN__PROPERTIES_MAX) {
        return refuse(d, "properties_too_many", "properties", "send at most 256 properties");
    }
    if (ids > CAIRN__EVENT_IDS_MAX) {
        return refuse(d, "ids_too_many", "ids", "send at most 16 ids on one event");
    }
    uint8_t *room =
        cairn__arena_alloc(d->arena, properties * sizeof **properties_out + ids * sizeof **ids_out);
    if (room == NULL) {
        return no_memory(d);
    }
    *properties_out = (cairn_property *)(void *)room;
    *ids_out = (cairn_id *)(void *)(room + properties * sizeof **properties_out);
    return true;
}

static bool read_seq(decoder *d, cairn__cursor *at, cairn__event *event) {
    if (event->seq != 0) { /* peek_seq takes the first, other readers the last: allow neither */
        return refuse(d, "seq_repeated", "seq", "give the sequence number once");
    }
    return cairn__read_varint(at, &event->seq) || malformed(d, "seq");
}

static bool read_kind(decoder *d, cairn__cursor *at, cairn__event *event) {
    uint64_t kind = 0;
    if (!cairn__read_varint(at, &kind)) {
        return malformed(d, "kind");
    }
    event->kind = (cairn__event_kind)(kind < KIND_UNKNOWN ? kind : KIND_UNKNOWN);
    return true;
}

static bool read_frame_field(decoder *d, cairn__cursor *at, uint64_t tag, cairn__event *event) {
    uint64_t raw = 0;
    switch (tag) {
    case CAIRN__TAG_EVENT_SEQ:
        return read_seq(d, at, event);
    case CAIRN__TAG_EVENT_NAME_CODE:
        return read_code(d, at, "name_code", &event->name);
    case CAIRN__TAG_EVENT_NAME:
        return cairn__wire_read_bytes(at, &event->name) || malformed(d, "name");
    case CAIRN__TAG_EVENT_TIME:
        if (!cairn__read_varint(at, &raw)) {
            return malformed(d, "time_ms");
        }
        event->time_ms = (int64_t)raw;
        return true;
    case CAIRN__TAG_EVENT_MONO:
        return cairn__read_varint(at, &event->mono_ms) || malformed(d, "mono_ms");
    case CAIRN__TAG_EVENT_SESSION:
        return cairn__read_varint(at, &event->session) || malformed(d, "session");
    case CAIRN__TAG_EVENT_KIND:
        return read_kind(d, at, event);
    default:
        return skip(at, tag) || malformed(d, "event");
    }
}

static bool read_event(decoder *d, cairn_span message, cairn__event *event) {
    cairn_property *properties = NULL;
    cairn_id *ids = NULL;
    if (!make_room(d, message, &properties, &ids)) {
        return false;
    }
    event->properties = properties;
    event->ids = ids;
    cairn__cursor at = cairn__cursor_of(message);
    while (at.at < at.end) {
        uint64_t tag = 0;
        cairn_span part = { NULL, 0 };
        (void)cairn__read_varint(&at, &tag); /* the first walk has seen the frame */
        bool read = true;
        if (tag == CAIRN__TAG_EVENT_PROPERTY) {
            (void)cairn__wire_read_bytes(&at, &part);
            read = read_property(d, part, &properties[event->property_count++]);
        } else if (tag == CAIRN__TAG_EVENT_ID) {
            (void)cairn__wire_read_bytes(&at, &part);
            read = read_id(d, part, &ids[event->id_count++]);
        } else {
            read = read_frame_field(d, &at, tag, event);
        }
        if (!read) {
            return false;
        }
    }
    return true;
}

cairn_status cairn__event_decode(cairn_span bytes, const cairn__dictionary *dictionary,
                                 cairn__arena *arena, cairn__event *event_out,
                                 cairn__event_fault *fault_out) {
    decoder d = { dictionary, arena, { NULL, NULL, NULL }, CAIRN_OK };
    *event_out = (cairn__event){ .kind = CAIRN__EVENT_TRACK };
    if (bytes.len > CAIRN__EVENT_BYTES_MAX) {
        refuse(&d, "event_too_large", "event", "send at most 64 KiB in one event");
    } else if (bytes.len > 0) {
        (void)read_event(&d, bytes, event_out);
    }
    *fault_out = d.fault;
    return d.status;
}

cairn_status cairn__property_decode(cairn_span bytes, cairn__arena *arena,
                                    cairn_property *property_out) {
    static const cairn__dictionary no_words = { NULL, 0 };
    decoder d = { &no_words, arena, { NULL, NULL, NULL }, CAIRN_OK };
    *property_out = (cairn_property){ { NULL, 0 }, { .kind = CAIRN_VALUE_NULL } };
    if (bytes.len > 0) {
        (void)read_property(&d, bytes, property_out);
    }
    return d.status;
}

uint64_t cairn__event_peek_seq(cairn_span bytes) {
    if (bytes.len == 0) {
        return 0;
    }
    cairn__cursor at = cairn__cursor_of(bytes);
    while (at.at < at.end) {
        uint64_t tag = 0;
        uint64_t seq = 0;
        if (!cairn__read_varint(&at, &tag)) {
            return 0;
        }
        if (tag == CAIRN__TAG_EVENT_SEQ) {
            return cairn__read_varint(&at, &seq) ? seq : 0;
        }
        if (!skip(&at, tag)) {
            return 0;
        }
    }
    return 0;
}
