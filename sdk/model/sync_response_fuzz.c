/* sync_response_fuzz.c: the device reads any answer without harm, and the server's writer writes
 * what was read so that it is read the same again. */
#include "base/assert.h"
#include "base/bytes.h"
#include "model/sync.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 1 << 20, WIRE_BYTES = 4 << 20 };

static void check_same(const cairn__sync_response *a, const cairn__sync_response *b) {
    CAIRN_ASSERT(a->acked_seq == b->acked_seq && a->server_ms == b->server_ms);
    CAIRN_ASSERT(a->bundle_version == b->bundle_version && a->facts_version == b->facts_version);
    CAIRN_ASSERT(a->next_sync_ms == b->next_sync_ms && a->retry_after_ms == b->retry_after_ms);
    CAIRN_ASSERT(a->new_device_id == b->new_device_id);
    CAIRN_ASSERT(cairn__span_equal(a->bundle, b->bundle) && cairn__span_equal(a->facts, b->facts));
    CAIRN_ASSERT(a->rejected_count == b->rejected_count);
    for (size_t i = 0; i < a->rejected_count; i++) {
        CAIRN_ASSERT(a->rejected[i].seq == b->rejected[i].seq);
        CAIRN_ASSERT(cairn__span_equal(a->rejected[i].reason, b->rejected[i].reason));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    cairn__buffer wire = cairn__buffer_make(cairn__heap(), WIRE_BYTES);
    cairn__sync_response read;
    cairn__sync_response again;
    if (cairn__sync_response_decode((cairn_span){ data, size }, &arena, &read) == CAIRN_OK) {
        cairn__sync_response_encode(&read, &wire);
        CAIRN_ASSERT(!wire.failed);
        CAIRN_ASSERT(cairn__sync_response_decode(cairn__buffer_span(&wire), &arena, &again) ==
                     CAIRN_OK);
        check_same(&read, &again);
    }
    cairn__buffer_free(&wire);
    cairn__arena_free(&arena);
    return 0;
}
