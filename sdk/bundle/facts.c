/* facts.c: see facts.h. A Fact is read as the Property that it is but for its key and its end. */
#include "bundle/facts.h"

#include "base/bytes.h"
#include "bundle/reader.h"
#include "model/event.h"
#include "model/wire.h"

enum {
    TAG_VERSION = CAIRN__TAG(1, CAIRN__WIRE_VARINT),
    TAG_PERSON = CAIRN__TAG(2, CAIRN__WIRE_BYTES),
    TAG_FACT = CAIRN__TAG(3, CAIRN__WIRE_BYTES),
    TAG_KEY = CAIRN__TAG(1, CAIRN__WIRE_FIXED64),
    TAG_UNTIL = CAIRN__TAG(10, CAIRN__WIRE_VARINT)
};

/* --- writing -----------------------------------------------------------------------------------*/

static void put_number(cairn__buffer *to, uint8_t tag, uint64_t value) {
    if (value != 0) {
        cairn__buffer_byte(to, tag);
        cairn__write_varint(to, value);
    }
}

static void put_fact(cairn__buffer *to, const cairn__fact_value *fact) {
    const cairn_property value = { { NULL, 0 }, fact->value };
    cairn__buffer_byte(to, TAG_FACT);
    size_t length_at = to->len;
    cairn__buffer_byte(to, TAG_KEY);
    cairn__buffer_u64(to, fact->key);
    cairn__property_encode(to, &value);
    put_number(to, TAG_UNTIL, cairn__zigzag(fact->until_ms));
    size_t len = to->len - length_at;
    size_t length_bytes = cairn__varint_bytes(len);
    (void)cairn__buffer_extend(to, length_bytes);
    if (!to->failed) {
        memmove(to->data + length_at + length_bytes, to->data + length_at, len);
        cairn__put_varint(to->data + length_at, len);
    }
}

void cairn__facts_write(const cairn__fact_message *message, cairn__buffer *to) {
    put_number(to, TAG_VERSION, message->version);
    cairn__buffer_byte(to, TAG_PERSON);
    cairn__buffer_byte(to, CAIRN__FACTS_PERSON_BYTES);
    cairn__buffer_append(to, cairn__span(message->person, CAIRN__FACTS_PERSON_BYTES));
    for (size_t i = 0; i < message->count; i++) {
        put_fact(to, &message->facts[i]);
    }
}

/* --- reading -----------------------------------------------------------------------------------*/

/* The key and the end; the message is known to be well-formed. */
static bool read_frame(cairn_span message, cairn__fact_value *out) {
    cairn__cursor at = cairn__cursor_of(message);
    bool has_key = false;
    while (at.at < at.end) {
        uint64_t tag = 0;
        uint64_t until = 0;
        bool read = cairn__read_varint(&at, &tag);
        if (read && tag == TAG_KEY && at.end - at.at >= 8) {
            out->key = cairn__load_u64(at.at);
            has_key = true;
        }
        if (read && tag == TAG_UNTIL) {
            read = cairn__read_varint(&at, &until);
            out->until_ms = cairn__unzigzag(until);
        } else {
            read = read && cairn__skip_field(&at, (unsigned)(tag & 7));
        }
        if (!read) {
            return false;
        }
    }
    return has_key;
}

static cairn_status read_fact(cairn_span message, cairn__arena *arena, cairn__fact_value *out) {
    cairn_property property;
    cairn_status status = cairn__property_decode(message, arena, &property);
    if (status != CAIRN_OK) {
        return status;
    }
    *out = (cairn__fact_value){ .value = property.value };
    bool good =
        message.len > 0 && read_frame(message, out) && cairn__bundle_value_good(&out->value);
    return good ? CAIRN_OK : CAIRN_INVALID;
}

/* One field of the message. A fact goes to the room that `facts` has, where it is not NULL. */
static cairn_status read_field(cairn__cursor *at, cairn__arena *arena, cairn__fact_value *facts,
                               cairn__fact_message *out) {
    uint64_t tag = 0;
    cairn_span bytes = { NULL, 0 };
    if (!cairn__read_varint(at, &tag) || tag >> 3 == 0) {
        return CAIRN_INVALID;
    }
    if (tag == TAG_VERSION) {
        return cairn__read_varint(at, &out->version) ? CAIRN_OK : CAIRN_INVALID;
    }
    if ((tag & 7) != CAIRN__WIRE_BYTES) {
        return cairn__skip_field(at, (unsigned)(tag & 7)) ? CAIRN_OK : CAIRN_INVALID;
    }
    if (!cairn__read_bytes(at, &bytes)) {
        return CAIRN_INVALID;
    }
    if (tag == TAG_PERSON) {
        if (bytes.len != CAIRN__FACTS_PERSON_BYTES) {
            return CAIRN_INVALID;
        }
        memcpy(out->person, bytes.data, bytes.len);
    }
    if (tag != TAG_FACT) {
        return CAIRN_OK;
    }
    cairn__fact_value *to = facts == NULL ? NULL : &facts[out->count];
    out->count += 1;
    return to == NULL ? CAIRN_OK : read_fact(bytes, arena, to);
}

static cairn_status walk_message(cairn_span bytes, cairn__arena *arena, cairn__fact_value *facts,
                                 cairn__fact_message *out) {
    *out = (cairn__fact_message){ .version = 0 };
    cairn__cursor at = cairn__cursor_of(bytes);
    while (at.at < at.end) {
        cairn_status status = read_field(&at, arena, facts, out);
        if (status != CAIRN_OK || out->count > CAIRN__FACT_MESSAGE_FACTS_MAX) {
            return status != CAIRN_OK ? status : CAIRN_INVALID;
        }
    }
    return CAIRN_OK;
}

cairn_status cairn__facts_read(cairn_span bytes, cairn__arena *arena,
                               cairn__fact_message *message_out) {
    *message_out = (cairn__fact_message){ .version = 0 };
    if (bytes.len == 0 || bytes.len > CAIRN__FACT_MESSAGE_BYTES_MAX) {
        return CAIRN_INVALID;
    }
    cairn_status status = walk_message(bytes, arena, NULL, message_out);
    if (status != CAIRN_OK) {
        return status;
    }
    cairn__fact_value *facts =
        cairn__arena_alloc_zero(arena, message_out->count + 1, sizeof *facts);
    if (facts == NULL) {
        return CAIRN_NO_MEMORY;
    }
    status = walk_message(bytes, arena, facts, message_out);
    for (size_t i = 1; status == CAIRN_OK && i < message_out->count; i++) {
        status = facts[i - 1].key < facts[i].key ? CAIRN_OK : CAIRN_INVALID;
    }
    message_out->facts = facts;
    return status;
}

const cairn__fact_value *cairn__facts_find(const cairn__fact_message *message, uint64_t key) {
    size_t low = 0;
    size_t high = message->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (message->facts[middle].key == key) {
            return &message->facts[middle];
        }
        if (message->facts[middle].key < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}
