/* state_fuzz.c: any payload of a state slot (its checksum is put right) is ignored or read, and
 * what was read is the same after writing it. */
#include "base/assert.h"
#include "base/bytes.h"
#include "client/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SLOT_BYTES = 1 << 20 };

static void check_same(const cairn__state *state, const cairn__person *person) {
    cairn__buffer slot = cairn__buffer_make(cairn__heap(), SLOT_BYTES);
    cairn__state again = { .version = 0 };
    cairn__person other = cairn__person_make(cairn__heap());
    cairn__state_write(&slot, state, person);
    CAIRN_ASSERT(!slot.failed);
    CAIRN_ASSERT(cairn__state_read(cairn__buffer_span(&slot), &again, &other) == CAIRN_OK);
    CAIRN_ASSERT(again.version == state->version && again.next_seq == state->next_seq);
    CAIRN_ASSERT(memcmp(again.device_id, state->device_id, sizeof again.device_id) == 0);
    CAIRN_ASSERT(
        cairn__span_equal(cairn__buffer_span(&person->bytes), cairn__buffer_span(&other.bytes)));
    CAIRN_ASSERT(other.view.property_count == person->view.property_count);
    cairn__person_free(&other);
    cairn__buffer_free(&slot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cairn__buffer slot = cairn__buffer_make(cairn__heap(), SLOT_BYTES);
    cairn__state state = { .version = 0 };
    cairn__person person = cairn__person_make(cairn__heap());
    const cairn__record record = { CAIRN__RECORD_STATE, 0, 1, { data, size } };
    cairn__record_write(&slot, &record);
    CAIRN_ASSERT(cairn__state_read(cairn__buffer_span(&slot), &state, &person) == CAIRN_OK);
    CAIRN_ASSERT(state.version <= 1);
    if (state.version == 1) {
        check_same(&state, &person);
    }
    cairn__person_free(&person);
    cairn__buffer_free(&slot);
    return 0;
}
