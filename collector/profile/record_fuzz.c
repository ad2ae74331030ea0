/* Any bytes read as a record, or not; what reads is written again, reads the same and folds. */
#include "base/assert.h"
#include "base/bytes.h"
#include "profile/record.h"

enum { FUZZ_BYTES_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cairn__arena arena = cairn__arena_make(cairn__heap(), FUZZ_BYTES_MAX);
    cairn__buffer bytes = cairn__buffer_make(cairn__heap(), FUZZ_BYTES_MAX);
    cairn__profile_record record;
    if (cairn__profile_record_read(cairn__span(data, size), &arena, &record) == CAIRN_OK) {
        cairn__profile_record_write(&record, &bytes);
        CAIRN_ASSERT(!bytes.failed);
        cairn__profile_record again[2];
        cairn_status status =
            cairn__profile_record_read(cairn__buffer_span(&bytes), &arena, &again[0]);
        CAIRN_ASSERT(status == CAIRN_OK || status == CAIRN_NO_MEMORY);
        again[1] = record;
        cairn_value value;
        if (status == CAIRN_OK) {
            (void)cairn__records_fold(again, 2, &arena, &value);
        }
    }
    cairn__buffer_free(&bytes);
    cairn__arena_free(&arena);
    return 0;
}
