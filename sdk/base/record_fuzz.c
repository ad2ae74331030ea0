/* record_fuzz.c: any bytes end the walk, and every record that is whole is written again the same.
 */
#include "base/assert.h"
#include "base/bytes.h"
#include "base/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WIRE_BYTES = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cairn__buffer again = cairn__buffer_make(cairn__heap(), WIRE_BYTES);
    cairn__cursor cursor = cairn__cursor_of((cairn_span){ data, size });
    cairn__record record;
    while (cairn__record_next(&cursor, &record)) {
        cairn__record_write(&again, &record);
    }
    size_t read = (size_t)(cursor.at - data);
    CAIRN_ASSERT(!again.failed && again.len == read);
    CAIRN_ASSERT(cairn__span_equal(cairn__buffer_span(&again), (cairn_span){ data, read }));
    cairn__buffer_free(&again);
    return 0;
}
