/* limits.h: every bound of the data model, in one place. Both ends enforce them. */
#ifndef CAIRN_MODEL_LIMITS_H
#define CAIRN_MODEL_LIMITS_H

enum {
    CAIRN__NAME_BYTES_MAX = 100,        /* event and property names */
    CAIRN__TEXT_BYTES_MAX = 8 * 1024,   /* one string value */
    CAIRN__LIST_ITEMS_MAX = 500,        /* items of one list value */
    CAIRN__PROPERTIES_MAX = 256,        /* properties of one event */
    CAIRN__EVENT_BYTES_MAX = 64 * 1024, /* one encoded event */
    CAIRN__EVENT_IDS_MAX = 16,          /* ids on one event */
    CAIRN__ID_TYPE_BYTES_MAX = 32,
    CAIRN__ID_VALUE_BYTES_MAX = 256,
    CAIRN__PROJECT_KEY_BYTES_MAX = 64,
    CAIRN__DEVICE_ID_BYTES = 16,
    CAIRN__SDK_TEXT_BYTES_MAX = 32,           /* name, version and platform of the SDK */
    CAIRN__REASON_BYTES_MAX = 512,            /* why one event was refused */
    CAIRN__BATCH_EVENTS_MAX = 1000,           /* events of one sync request */
    CAIRN__BATCH_BYTES_MAX = 1024 * 1024,     /* one request body as sent */
    CAIRN__BODY_BYTES_MAX = 16 * 1024 * 1024, /* the same body, decompressed */
    CAIRN__DICTIONARY_ENTRIES_MAX = 4096      /* repeated strings of one request */
};

#endif
