/* wire.h: the tags of proto/cairn.proto that are walked by hand: field number << 3 | wire type.
 * All fields of these messages are below 16, so every tag is one byte. sync_server.c asserts that
 * they agree with the generated code. */
#ifndef CAIRN_MODEL_WIRE_H
#define CAIRN_MODEL_WIRE_H

#include "base/varint.h"

enum { CAIRN__WIRE_VARINT = 0, CAIRN__WIRE_FIXED64 = 1, CAIRN__WIRE_BYTES = 2 };

#define CAIRN__TAG(number, wire_type) ((number) << 3 | (wire_type))

enum {
    CAIRN__TAG_EVENT_SEQ = CAIRN__TAG(1, CAIRN__WIRE_VARINT),
    CAIRN__TAG_EVENT_NAME_CODE = CAIRN__TAG(2, CAIRN__WIRE_VARINT),
    CAIRN__TAG_EVENT_NAME = CAIRN__TAG(3, CAIRN__WIRE_BYTES),
    CAIRN__TAG_EVENT_TIME = CAIRN__TAG(4, CAIRN__WIRE_VARINT),
    CAIRN__TAG_EVENT_MONO = CAIRN__TAG(5, CAIRN__WIRE_VARINT),
    CAIRN__TAG_EVENT_SESSION = CAIRN__TAG(6, CAIRN__WIRE_VARINT),
    CAIRN__TAG_EVENT_KIND = CAIRN__TAG(7, CAIRN__WIRE_VARINT),
    CAIRN__TAG_EVENT_PROPERTY = CAIRN__TAG(8, CAIRN__WIRE_BYTES),
    CAIRN__TAG_EVENT_ID = CAIRN__TAG(9, CAIRN__WIRE_BYTES)
};

enum {
    CAIRN__TAG_PROPERTY_NAME_CODE = CAIRN__TAG(1, CAIRN__WIRE_VARINT),
    CAIRN__TAG_PROPERTY_NAME = CAIRN__TAG(2, CAIRN__WIRE_BYTES),
    CAIRN__TAG_PROPERTY_BOOLEAN = CAIRN__TAG(3, CAIRN__WIRE_VARINT),
    CAIRN__TAG_PROPERTY_INTEGER = CAIRN__TAG(4, CAIRN__WIRE_VARINT),
    CAIRN__TAG_PROPERTY_NUMBER = CAIRN__TAG(5, CAIRN__WIRE_FIXED64),
    CAIRN__TAG_PROPERTY_TEXT = CAIRN__TAG(6, CAIRN__WIRE_BYTES),
    CAIRN__TAG_PROPERTY_TEXT_CODE = CAIRN__TAG(7, CAIRN__WIRE_VARINT),
    CAIRN__TAG_PROPERTY_TIME = CAIRN__TAG(8, CAIRN__WIRE_VARINT),
    CAIRN__TAG_PROPERTY_LIST = CAIRN__TAG(9, CAIRN__WIRE_BYTES)
};

enum { CAIRN__TAG_LIST_ITEM = CAIRN__TAG(1, CAIRN__WIRE_BYTES) };

enum {
    CAIRN__TAG_ID_TYPE = CAIRN__TAG(1, CAIRN__WIRE_BYTES),
    CAIRN__TAG_ID_VALUE = CAIRN__TAG(2, CAIRN__WIRE_BYTES)
};

enum {
    CAIRN__TAG_REQUEST_PROJECT_KEY = CAIRN__TAG(1, CAIRN__WIRE_BYTES),
    CAIRN__TAG_REQUEST_DEVICE_ID = CAIRN__TAG(2, CAIRN__WIRE_BYTES),
    CAIRN__TAG_REQUEST_SDK_NAME = CAIRN__TAG(3, CAIRN__WIRE_BYTES),
    CAIRN__TAG_REQUEST_SDK_VERSION = CAIRN__TAG(4, CAIRN__WIRE_BYTES),
    CAIRN__TAG_REQUEST_PLATFORM = CAIRN__TAG(5, CAIRN__WIRE_BYTES),
    CAIRN__TAG_REQUEST_SENT_MS = CAIRN__TAG(6, CAIRN__WIRE_VARINT),
    CAIRN__TAG_REQUEST_ID = CAIRN__TAG(7, CAIRN__WIRE_BYTES),
    CAIRN__TAG_REQUEST_CONSENT = CAIRN__TAG(8, CAIRN__WIRE_VARINT),
    CAIRN__TAG_REQUEST_BUNDLE_VERSION = CAIRN__TAG(9, CAIRN__WIRE_VARINT),
    CAIRN__TAG_REQUEST_FACTS_VERSION = CAIRN__TAG(10, CAIRN__WIRE_VARINT),
    CAIRN__TAG_REQUEST_CAPABILITIES = CAIRN__TAG(11, CAIRN__WIRE_VARINT),
    CAIRN__TAG_REQUEST_DICTIONARY = CAIRN__TAG(13, CAIRN__WIRE_BYTES),
    CAIRN__TAG_REQUEST_EVENT = CAIRN__TAG(14, CAIRN__WIRE_BYTES)
};

enum {
    CAIRN__TAG_RESPONSE_ACKED_SEQ = CAIRN__TAG(1, CAIRN__WIRE_VARINT),
    CAIRN__TAG_RESPONSE_REJECTED = CAIRN__TAG(2, CAIRN__WIRE_BYTES),
    CAIRN__TAG_RESPONSE_SERVER_MS = CAIRN__TAG(3, CAIRN__WIRE_VARINT),
    CAIRN__TAG_RESPONSE_BUNDLE = CAIRN__TAG(4, CAIRN__WIRE_BYTES),
    CAIRN__TAG_RESPONSE_BUNDLE_VERSION = CAIRN__TAG(5, CAIRN__WIRE_VARINT),
    CAIRN__TAG_RESPONSE_FACTS = CAIRN__TAG(6, CAIRN__WIRE_BYTES),
    CAIRN__TAG_RESPONSE_FACTS_VERSION = CAIRN__TAG(7, CAIRN__WIRE_VARINT),
    CAIRN__TAG_RESPONSE_NEXT_SYNC_MS = CAIRN__TAG(9, CAIRN__WIRE_VARINT),
    CAIRN__TAG_RESPONSE_RETRY_AFTER_MS = CAIRN__TAG(10, CAIRN__WIRE_VARINT),
    CAIRN__TAG_RESPONSE_NEW_DEVICE_ID = CAIRN__TAG(12, CAIRN__WIRE_VARINT)
};

enum {
    CAIRN__TAG_REJECTED_SEQ = CAIRN__TAG(1, CAIRN__WIRE_VARINT),
    CAIRN__TAG_REJECTED_REASON = CAIRN__TAG(2, CAIRN__WIRE_BYTES)
};

/* Most lengths and numbers are below 128: one byte, and no call. */

static inline size_t cairn__wire_varint_bytes(uint64_t value) {
    return value < 0x80 ? 1 : cairn__varint_bytes(value);
}

static inline size_t cairn__wire_put_varint(uint8_t *to, uint64_t value) {
    if (value < 0x80) {
        *to = (uint8_t)value;
        return 1;
    }
    return cairn__put_varint(to, value);
}

static inline bool cairn__wire_read_bytes(cairn__cursor *cursor, cairn_span *bytes_out) {
    const uint8_t *at = cursor->at;
    if (at < cursor->end && *at < 0x80 && *at < cursor->end - at) {
        *bytes_out = (cairn_span){ at + 1, *at };
        cursor->at = at + 1 + *at;
        return true;
    }
    return cairn__read_bytes(cursor, bytes_out);
}

#endif
