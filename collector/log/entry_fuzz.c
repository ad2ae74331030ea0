/* What is read as an entry, framed again, is the same bytes; and nothing is read past the end. */
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "log/entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cairn_span rest = { data, size };
    cairn__log_entry entry;
    size_t bytes = 0;
    while (cairn__entry_parse(rest, &entry, &bytes)) {
        cairn__buffer again = cairn__buffer_make(cairn__heap(), CAIRN__LOG_ENTRY_BYTES_MAX);
        cairn__log_frame(&again, &entry);
        CAIRN_ASSERT(!again.failed);
        CAIRN_ASSERT(cairn__span_equal(cairn__buffer_span(&again), cairn__span(rest.data, bytes)));
        cairn__buffer_free(&again);
        rest = cairn__span(rest.data + bytes, rest.len - bytes);
    }
    return 0;
}
