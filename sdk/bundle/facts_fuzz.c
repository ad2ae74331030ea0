/* facts_fuzz.c: any bytes are refused, or are facts in order that are written and read the same. */
#include "base/assert.h"
#include "base/bytes.h"
#include "bundle/facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const cairn__fact_message *message) {
    cairn__arena arena = cairn__arena_make(cairn__heap(), (size_t)16 << 20);
    cairn__buffer first =
        cairn__buffer_make(cairn__heap(), (size_t)4 * CAIRN__FACT_MESSAGE_BYTES_MAX);
    cairn__buffer second =
        cairn__buffer_make(cairn__heap(), (size_t)4 * CAIRN__FACT_MESSAGE_BYTES_MAX);
    cairn__fact_message again;
    cairn__facts_write(message, &first);
    if (first.len <= CAIRN__FACT_MESSAGE_BYTES_MAX) { /* the person's 8 bytes may be new */
        CAIRN_ASSERT(cairn__facts_read(cairn__buffer_span(&first), &arena, &again) == CAIRN_OK);
        cairn__facts_write(&again, &second);
        CAIRN_ASSERT(cairn__span_equal(cairn__buffer_span(&first), cairn__buffer_span(&second)));
    }
    cairn__buffer_free(&first);
    cairn__buffer_free(&second);
    cairn__arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cairn__arena arena = cairn__arena_make(cairn__heap(), (size_t)16 << 20);
    cairn__fact_message message;
    if (cairn__facts_read((cairn_span){ data, size }, &arena, &message) == CAIRN_OK) {
        for (size_t i = 0; i < message.count; i++) {
            CAIRN_ASSERT(cairn__facts_find(&message, message.facts[i].key) == &message.facts[i]);
        }
        check_again(&message);
    }
    cairn__arena_free(&arena);
    return 0;
}
