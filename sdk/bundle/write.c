/* write.c: definitions -> bytes, by the tables of schema.c. Fields in ascending order; zeros, empty
 * texts and empty lists are left out, as proto3 does. */
#include "bundle/write.h"

#include "base/bytes.h"
#include "bundle/schema.h"
#include "model/event.h"
#include "model/wire.h"

static void put_tag(cairn__buffer *to, unsigned number, unsigned wire_type) {
    cairn__write_varint(to, number << 3 | wire_type);
}

static void put_bytes(cairn__buffer *to, unsigned number, cairn_span bytes) {
    put_tag(to, number, CAIRN__WIRE_BYTES);
    cairn__write_varint(to, bytes.len);
    cairn__buffer_append(to, bytes);
}

static void put_bytes_unless_empty(cairn__buffer *to, unsigned number, cairn_span bytes) {
    if (bytes.len > 0) {
        put_bytes(to, number, bytes);
    }
}

/* A part whose length is not known yet: the tag and one byte of room; where its content begins. */
static size_t open_part(cairn__buffer *to, unsigned number) {
    put_tag(to, number, CAIRN__WIRE_BYTES);
    cairn__buffer_byte(to, 0);
    return to->len;
}

/* The length in front of what was written since; longer ones move it. */
static void close_part(cairn__buffer *to, size_t from) {
    size_t len = to->len - from;
    size_t more = cairn__varint_bytes(len) - 1;
    if (more > 0) {
        (void)cairn__buffer_extend(to, more);
    }
    if (to->failed) {
        return;
    }
    memmove(to->data + from + more, to->data + from, len);
    cairn__put_varint(to->data + from - 1, len);
}

static void put_numbers(cairn__buffer *to, unsigned number, const uint16_t *numbers, size_t count) {
    if (numbers == NULL || count == 0) {
        return;
    }
    size_t from = open_part(to, number);
    for (size_t i = 0; i < count; i++) {
        cairn__write_varint(to, numbers[i]);
    }
    close_part(to, from);
}

static void put_doubles(cairn__buffer *to, unsigned number, const double *doubles, size_t count) {
    if (doubles != NULL && count > 0) {
        put_bytes(to, number, cairn__span(doubles, count * sizeof *doubles));
    }
}

static void put_condition(cairn__buffer *to, unsigned number, const cairn__condition *condition) {
    if (condition->rule.program_bytes == 0) {
        return;
    }
    size_t from = open_part(to, number);
    put_bytes(to, CAIRN__CONDITION_PROGRAM,
              cairn__span(condition->rule.program, condition->rule.program_bytes));
    put_numbers(to, CAIRN__CONDITION_FACTS, condition->facts, condition->rule.slot_count);
    close_part(to, from);
}

static void put_properties(cairn__buffer *to, unsigned number, const cairn_property *properties,
                           size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t from = open_part(to, number);
        cairn__property_encode(to, &properties[i]);
        close_part(to, from);
    }
}

/* A whole number of `width` bytes, as the wire has it. */
static uint64_t whole_of(const cairn__bundle_field *field, const uint8_t *at) {
    uint64_t value = 0;
    memcpy(&value, at, field->width); /* little-endian (base/bytes.h) */
    if (field->kind == CAIRN__BUNDLE_UNSIGNED) {
        return value;
    }
    return cairn__zigzag(field->width == 4 ? (int32_t)(uint32_t)value : (int64_t)value);
}

static void put_scalar(cairn__buffer *to, const cairn__bundle_field *field, const uint8_t *at) {
    unsigned wire_type = cairn__bundle_wire_type(field->kind);
    bool fixed = wire_type == CAIRN__WIRE_FIXED64;
    uint64_t value = fixed ? cairn__load_u64(at) : whole_of(field, at);
    if (value == 0) {
        return;
    }
    put_tag(to, field->number, wire_type);
    if (fixed) {
        cairn__buffer_u64(to, value);
    } else {
        cairn__write_varint(to, value);
    }
}

static void put_message(cairn__buffer *to, const cairn__bundle_message *message, const void *from);

static void put_messages(cairn__buffer *to, const cairn__bundle_field *field, const uint8_t *list,
                         size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t from = open_part(to, field->number);
        put_message(to, field->of, list + i * field->of->bytes);
        close_part(to, from);
    }
}

/* A message in place is left out when there is nothing in it. */
static void put_in_place(cairn__buffer *to, const cairn__bundle_field *field, const uint8_t *at) {
    size_t before = to->len;
    size_t from = open_part(to, field->number);
    put_message(to, field->of, at);
    if (to->len == from && !to->failed) {
        to->len = before;
    } else {
        close_part(to, from);
    }
}

static void put_list(cairn__buffer *to, const cairn__bundle_field *field, const uint8_t *base) {
    const void *list = NULL;
    size_t count = 0;
    memcpy(&list, base + field->offset, sizeof list);
    memcpy(&count, base + field->count_offset, sizeof count);
    count = list == NULL ? 0 : count;
    switch (field->kind) {
    case CAIRN__BUNDLE_NUMBERS:
        put_numbers(to, field->number, list, count);
        break;
    case CAIRN__BUNDLE_DOUBLES:
        put_doubles(to, field->number, list, count);
        break;
    case CAIRN__BUNDLE_PROPERTIES:
        put_properties(to, field->number, list, count);
        break;
    case CAIRN__BUNDLE_TEXTS:
        for (size_t i = 0; i < count; i++) {
            put_bytes(to, field->number, ((const cairn_span *)list)[i]);
        }
        break;
    default:
        put_messages(to, field, list, count);
        break;
    }
}

static void put_field(cairn__buffer *to, const cairn__bundle_field *field, const uint8_t *base) {
    const uint8_t *at = base + field->offset;
    cairn_span text;
    const uint8_t *pointer = NULL;
    switch (field->kind) {
    case CAIRN__BUNDLE_TEXT:
    case CAIRN__BUNDLE_BYTES:
        memcpy(&text, at, sizeof text);
        put_bytes_unless_empty(to, field->number, text);
        break;
    case CAIRN__BUNDLE_CONDITION:
        put_condition(to, field->number, (const cairn__condition *)(const void *)at);
        break;
    case CAIRN__BUNDLE_MESSAGE:
        put_in_place(to, field, at);
        break;
    case CAIRN__BUNDLE_POINTER:
        memcpy(&pointer, at, sizeof pointer);
        put_messages(to, field, pointer, pointer == NULL ? 0 : 1);
        break;
    case CAIRN__BUNDLE_UNSIGNED:
    case CAIRN__BUNDLE_SIGNED:
    case CAIRN__BUNDLE_DOUBLE:
    case CAIRN__BUNDLE_SHARE:
        put_scalar(to, field, at);
        break;
    default:
        put_list(to, field, base);
        break;
    }
}

static void put_message(cairn__buffer *to, const cairn__bundle_message *message, const void *from) {
    for (size_t i = 0; i < message->count; i++) {
        put_field(to, &message->fields[i], from);
    }
}

cairn_status cairn__bundle_write(const cairn__bundle *bundle, cairn__buffer *to) {
    put_message(to, &cairn__bundle_schema, bundle);
    return to->failed ? CAIRN_NO_MEMORY : CAIRN_OK;
}

cairn_status cairn__bundle_envelope_write(cairn_span bundle, cairn_span key_id,
                                          const uint8_t signature[64], cairn__buffer *to) {
    put_bytes(to, 1, bundle);
    put_bytes(to, 2, key_id);
    put_bytes(to, 3, cairn__span(signature, 64));
    return to->failed ? CAIRN_NO_MEMORY : CAIRN_OK;
}
