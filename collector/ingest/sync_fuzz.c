/* Any bytes as a SyncRequest: the check at the door and the fold agree on every event. */
#include "base/assert.h"
#include "base/bytes.h"
#include "ingest/ingest.h"

enum { FUZZ_BYTES_MAX = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cairn__arena arena = cairn__arena_make(cairn__heap(), FUZZ_BYTES_MAX);
    cairn__ingest_problem problem;
    cairn__ingest_sync_verdict verdict;
    cairn__ingest_batch batch;
    cairn_span body = cairn__span(data, size);
    cairn_status checked = cairn__ingest_sync_check(body, &arena, &verdict, &problem);
    if (checked == CAIRN_OK && cairn__ingest_sync(body, &arena, &batch, &problem) == CAIRN_OK) {
        CAIRN_ASSERT(batch.event_count == verdict.event_count);
        CAIRN_ASSERT(batch.rejected_count == verdict.rejected_count);
    }
    cairn__arena_free(&arena);
    return 0;
}
