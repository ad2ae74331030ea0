/* write.c: definitions -> bytes, by the tables of schema.c. Fields in ascending order; zeros, empty
 * texts and empty lists are left out, as proto3 does. A first walk lists the distinct conditions,
 * in the order of first sight. */
#include "bundle/write.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "bundle/schema.h"
#include "model/event.h"
#include "model/wire.h"

typedef struct writer {
    cairn__buffer *to;
    cairn__buffer listed; /* const cairn__condition *[]: the distinct ones */
    cairn__index index;   /* of their programs */
} writer;

/* --- the distinct conditions -------------------------------------------------------------------*/

static const cairn__condition *listed_at(const writer *w, uint32_t number) {
    const cairn__condition *condition = NULL;
    memcpy(&condition, w->listed.data + number * sizeof(void *), sizeof(void *));
    return condition;
}

static size_t listed_count(const writer *w) {
    return w->listed.len / sizeof(void *);
}

static cairn_span program_of(const cairn__condition *condition) {
    return cairn__span(condition->rule.program, condition->rule.program_bytes);
}

typedef struct wanted {
    const writer *writer;
    cairn_span program;
} wanted;

static bool is_wanted(const void *context, uint32_t number) {
    const wanted *w = context;
    return cairn__span_equal(program_of(listed_at(w->writer, number)), w->program);
}

static uint64_t hash_again(const void *context, uint32_t number) {
    return cairn__hash(program_of(listed_at(context, number)), 0);
}

static bool find_listed(const writer *w, const cairn__condition *condition, uint32_t *number_out) {
    const wanted key = { w, program_of(condition) };
    return cairn__index_find(&w->index, cairn__hash(key.program, 0), is_wanted, &key, number_out);
}

/* A program says which facts it needs: the same program is the same condition. */
static void list_condition(writer *w, const cairn__condition *condition) {
    uint32_t number = 0;
    if (condition->rule.program_bytes == 0 || find_listed(w, condition, &number)) {
        return;
    }
    number = (uint32_t)listed_count(w);
    cairn__buffer_append(&w->listed, cairn__span(&condition, sizeof(const void *)));
    if (w->listed.failed || !cairn__index_insert(&w->index, cairn__hash(program_of(condition), 0),
                                                 number, hash_again, w)) {
        w->to->failed = true;
    }
}

static void list_message(writer *w, const cairn__bundle_message *message, const uint8_t *base);

/* The structs of a field that has some: where, and how many. */
static const uint8_t *structs_of(const cairn__bundle_field *field, const uint8_t *base,
                                 size_t *count_out) {
    const uint8_t *at = base + field->offset;
    *count_out = 1;
    if (field->kind == CAIRN__BUNDLE_MESSAGE) {
        return at;
    }
    const uint8_t *pointer = NULL;
    memcpy(&pointer, at, sizeof pointer);
    if (field->kind == CAIRN__BUNDLE_MESSAGES) {
        memcpy(count_out, base + field->count_offset, sizeof *count_out);
    }
    *count_out = pointer == NULL ? 0 : *count_out;
    return pointer;
}

static void list_field(writer *w, const cairn__bundle_field *field, const uint8_t *base) {
    if (field->kind == CAIRN__BUNDLE_CONDITION) {
        list_condition(w, (const cairn__condition *)(const void *)(base + field->offset));
    }
    if (field->of == NULL) {
        return;
    }
    size_t count = 0;
    const uint8_t *structs = structs_of(field, base, &count);
    for (size_t i = 0; i < count; i++) {
        list_message(w, field->of, structs + i * field->of->bytes);
    }
}

static void list_message(writer *w, const cairn__bundle_message *message, const uint8_t *base) {
    for (size_t i = 0; i < message->count; i++) {
        list_field(w, &message->fields[i], base);
    }
}

/* --- fields ------------------------------------------------------------------------------------*/

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

static void put_conditions(const writer *w, unsigned number) {
    for (uint32_t i = 0; i < listed_count(w); i++) {
        const cairn__condition *condition = listed_at(w, i);
        size_t from = open_part(w->to, number);
        put_bytes(w->to, CAIRN__CONDITION_PROGRAM, program_of(condition));
        put_numbers(w->to, CAIRN__CONDITION_FACTS, condition->facts, condition->rule.slot_count);
        close_part(w->to, from);
    }
}

static void put_use(const writer *w, unsigned number, const cairn__condition *condition) {
    uint32_t listed = 0;
    if (condition->rule.program_bytes > 0 && find_listed(w, condition, &listed)) {
        put_tag(w->to, number, CAIRN__WIRE_VARINT);
        cairn__write_varint(w->to, (uint64_t)listed + 1);
    }
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

static void put_message(writer *w, const cairn__bundle_message *message, const uint8_t *base);

static void put_messages(writer *w, const cairn__bundle_field *field, const uint8_t *base) {
    size_t count = 0;
    const uint8_t *structs = structs_of(field, base, &count);
    for (size_t i = 0; i < count; i++) {
        size_t from = open_part(w->to, field->number);
        put_message(w, field->of, structs + i * field->of->bytes);
        close_part(w->to, from);
    }
}

/* A message in place is left out when there is nothing in it. */
static void put_in_place(writer *w, const cairn__bundle_field *field, const uint8_t *at) {
    size_t before = w->to->len;
    size_t from = open_part(w->to, field->number);
    put_message(w, field->of, at);
    if (w->to->len == from && !w->to->failed) {
        w->to->len = before;
    } else {
        close_part(w->to, from);
    }
}

/* Lists of what are no messages of their own. */
static void put_list(cairn__buffer *to, const cairn__bundle_field *field, const uint8_t *base) {
    const void *list = NULL;
    size_t count = 0;
    memcpy(&list, base + field->offset, sizeof list);
    memcpy(&count, base + field->count_offset, sizeof count);
    count = list == NULL ? 0 : count;
    if (field->kind == CAIRN__BUNDLE_NUMBERS) {
        put_numbers(to, field->number, list, count);
    } else if (field->kind == CAIRN__BUNDLE_DOUBLES) {
        put_doubles(to, field->number, list, count);
    } else if (field->kind == CAIRN__BUNDLE_PROPERTIES) {
        put_properties(to, field->number, list, count);
    } else {
        for (size_t i = 0; i < count; i++) {
            put_bytes(to, field->number, ((const cairn_span *)list)[i]);
        }
    }
}

static void put_field(writer *w, const cairn__bundle_field *field, const uint8_t *base) {
    const uint8_t *at = base + field->offset;
    cairn_span text;
    switch (field->kind) {
    case CAIRN__BUNDLE_TEXT:
    case CAIRN__BUNDLE_BYTES:
        memcpy(&text, at, sizeof text);
        put_bytes_unless_empty(w->to, field->number, text);
        break;
    case CAIRN__BUNDLE_CONDITION:
        put_use(w, field->number, (const cairn__condition *)(const void *)at);
        break;
    case CAIRN__BUNDLE_CONDITIONS:
        put_conditions(w, field->number);
        break;
    case CAIRN__BUNDLE_MESSAGE:
        put_in_place(w, field, at);
        break;
    case CAIRN__BUNDLE_POINTER:
    case CAIRN__BUNDLE_MESSAGES:
        put_messages(w, field, base);
        break;
    case CAIRN__BUNDLE_UNSIGNED:
    case CAIRN__BUNDLE_SIGNED:
    case CAIRN__BUNDLE_DOUBLE:
    case CAIRN__BUNDLE_SHARE:
        put_scalar(w->to, field, at);
        break;
    default:
        put_list(w->to, field, base);
        break;
    }
}

static void put_message(writer *w, const cairn__bundle_message *message, const uint8_t *base) {
    for (size_t i = 0; i < message->count; i++) {
        put_field(w, &message->fields[i], base);
    }
}

cairn_status cairn__bundle_write(const cairn__bundle *bundle, cairn__buffer *to) {
    writer w = { .to = to,
                 .listed = cairn__buffer_make(to->allocator, CAIRN__BUNDLE_CONDITIONS_MAX *
                                                                 sizeof(const void *)) };
    const uint8_t *base = (const uint8_t *)bundle;
    list_message(&w, &cairn__bundle_schema, base);
    if (!to->failed) {
        put_message(&w, &cairn__bundle_schema, base);
    }
    cairn__index_free(&w.index);
    cairn__buffer_free(&w.listed);
    return to->failed ? CAIRN_NO_MEMORY : CAIRN_OK;
}

cairn_status cairn__bundle_envelope_write(cairn_span bundle, cairn_span key_id,
                                          const uint8_t signature[64], cairn__buffer *to) {
    put_bytes(to, 1, bundle);
    put_bytes(to, 2, key_id);
    put_bytes(to, 3, cairn__span(signature, 64));
    return to->failed ? CAIRN_NO_MEMORY : CAIRN_OK;
}
