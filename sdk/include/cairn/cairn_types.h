/* cairn_types.h: the small types every Cairn header speaks in.
 * Nothing here allocates, blocks or keeps state. C11; usable from C++. */
#ifndef CAIRN_TYPES_H
#define CAIRN_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A borrowed run of bytes. Never NUL-terminated; whoever made it owns the bytes. */
typedef struct cairn_span {
    const uint8_t *data; /**< May be NULL only when len is 0. */
    size_t len;          /**< Bytes. */
} cairn_span;

/** What a call has to say. Outside data gets a status; a caller's bug traps. */
typedef enum cairn_status {
    CAIRN_OK = 0,
    CAIRN_INVALID,     /**< The data breaks the schema or a limit. Nothing changed. */
    CAIRN_NO_MEMORY,   /**< The memory limit given at open is reached. Nothing changed. */
    CAIRN_FULL,        /**< A bounded list or queue has no room left. */
    CAIRN_STORAGE,     /**< The storage seam failed or holds damaged bytes. */
    CAIRN_NETWORK,     /**< The transport failed, or the server answered with an error. */
    CAIRN_NOT_FOUND,   /**< No such thing. */
    CAIRN_CLOSED,      /**< The object is shut down or not started yet. */
    CAIRN_NO_CONSENT,  /**< The user has not agreed. Nothing stored. */
    CAIRN_UNSUPPORTED, /**< A newer format, or an option this build does not have. */
    CAIRN_BUSY,        /**< Try again later; a limit on work under way is reached. */
    CAIRN_DENIED       /**< The key or token does not allow it. */
} cairn_status;

/** The type of a property's value. Numbers on disk and on the wire: never renumber. */
typedef enum cairn_value_kind {
    CAIRN_VALUE_NULL = 0,
    CAIRN_VALUE_BOOLEAN = 1,
    CAIRN_VALUE_INTEGER = 2, /**< Signed 64 bit. */
    CAIRN_VALUE_NUMBER = 3,  /**< IEEE double; never NaN or infinite. */
    CAIRN_VALUE_STRING = 4,  /**< UTF-8. */
    CAIRN_VALUE_TIME = 5,    /**< Milliseconds since 1970-01-01T00:00:00Z. */
    CAIRN_VALUE_LIST = 6     /**< A list of UTF-8 strings. */
} cairn_value_kind;

typedef struct cairn_string_list {
    const cairn_span *items;
    size_t count;
} cairn_string_list;

/** One typed value; every span in it is borrowed. */
typedef struct cairn_value {
    cairn_value_kind kind;
    union {
        bool boolean;
        int64_t integer;
        double number;
        cairn_span string;
        int64_t time_ms;
        cairn_string_list list;
    } as;
} cairn_value;

/** A named value: one property of an event, of a person or of an item. */
typedef struct cairn_property {
    cairn_span name; /**< 1..100 bytes of UTF-8. */
    cairn_value value;
} cairn_property;

/** An id of a person: a type ("login", "mobile", "device", ...) and a value. */
typedef struct cairn_id {
    cairn_span type;
    cairn_span value;
} cairn_id;

/** The span of a string literal; the terminating NUL is left out. */
#define CAIRN_STR(literal) ((cairn_span){ (const uint8_t *)("" literal), sizeof(literal) - 1 })

/** The English name of a status ("CAIRN_INVALID"); static storage, never NULL. */
const char *cairn_status_name(cairn_status status);

#ifdef __cplusplus
}
#endif

#endif
