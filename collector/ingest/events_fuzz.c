/* Any bytes as a JSON body: no crash, and an accepted event passes the model's own check. */
#include "base/assert.h"
#include "base/bytes.h"
#include "ingest/ingest.h"

enum { FUZZ_BYTES_MAX = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cairn__arena arena = cairn__arena_make(cairn__heap(), FUZZ_BYTES_MAX);
    cairn__ingest_problem problem;
    cairn__ingest_batch batch;
    cairn__ingest_json json = { CAIRN_STR("k"), cairn__span(data, size), 1 };
    if (cairn__ingest_events(&json, &arena, &batch, &problem) == CAIRN_OK) {
        for (size_t i = 0; i < batch.event_count; i++) {
            const cairn__ingest_event *event = &batch.events[i];
            cairn__event_fault fault;
            CAIRN_ASSERT(event->fault.code != NULL || event->event.id_count != 0);
            CAIRN_ASSERT(event->fault.code != NULL || cairn__event_check(&event->event, &fault));
            CAIRN_ASSERT(event->event.seq != 0);
        }
    }
    cairn__arena_free(&arena);
    return 0;
}
