/* facts.h: what the server tells a device of its person: values of facts, named by keys that do not
 * depend on any bundle (rules/slot_key.h). */
#ifndef CAIRN_BUNDLE_FACTS_H
#define CAIRN_BUNDLE_FACTS_H

#include "base/memory.h"

enum {
    CAIRN__FACT_MESSAGE_BYTES_MAX = 256 * 1024,
    CAIRN__FACT_MESSAGE_FACTS_MAX = 4096,
    CAIRN__FACTS_PERSON_BYTES = 8
};

typedef struct cairn__fact_value {
    uint64_t key;
    cairn_value value; /* kind NULL: known to be absent */
    int64_t until_ms;  /* it holds before this moment; 0: until other facts come */
} cairn__fact_value;

typedef struct cairn__fact_message {
    uint64_t version;
    uint8_t person[CAIRN__FACTS_PERSON_BYTES]; /* opaque: whose facts these are */
    const cairn__fact_value *facts;            /* by key, ascending, no key twice */
    size_t count;
} cairn__fact_message;

/** Append a Facts message. The facts must be in order. buffer->failed tells of no room. */
void cairn__facts_write(const cairn__fact_message *message, cairn__buffer *to);

/** @retval CAIRN_INVALID    Damaged, out of order, or over a limit.
 * @retval CAIRN_NO_MEMORY  The arena is full. Texts borrow `bytes`. */
cairn_status cairn__facts_read(cairn_span bytes, cairn__arena *arena,
                               cairn__fact_message *message_out);

/** The fact of that key, or NULL: only the server knows it. */
const cairn__fact_value *cairn__facts_find(const cairn__fact_message *message, uint64_t key);

#endif
