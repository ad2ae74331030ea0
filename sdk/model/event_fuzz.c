/* event_fuzz.c: what can be decoded and has no fault comes back the same after encoding. */
#include "base/assert.h"
#include "base/bytes.h"
#include "model/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 1 << 20, WIRE_BYTES = 1 << 20 };

static const cairn_span words[] = {
    { (const uint8_t *)"view", 4 },
    { (const uint8_t *)"price", 5 },
    { (const uint8_t *)"", 0 },
};

static void check_same(const cairn__event *event, cairn__arena *arena) {
    const cairn__dictionary none = { NULL, 0 };
    cairn__buffer first = cairn__buffer_make(cairn__heap(), WIRE_BYTES);
    cairn__buffer second = cairn__buffer_make(cairn__heap(), WIRE_BYTES);
    cairn__event again;
    cairn__event_fault fault;
    cairn__event_encode(&first, event);
    CAIRN_ASSERT(!first.failed);
    cairn_status status =
        cairn__event_decode(cairn__buffer_span(&first), &none, arena, &again, &fault);
    if (status == CAIRN_OK) { /* spelt out, it may be longer than an event may be */
        cairn__event_encode(&second, &again);
        CAIRN_ASSERT(cairn__span_equal(cairn__buffer_span(&first), cairn__buffer_span(&second)));
        CAIRN_ASSERT(cairn__event_peek_seq(cairn__buffer_span(&first)) == event->seq);
        CAIRN_ASSERT(cairn__event_check(&again, &fault));
    }
    cairn__buffer_free(&first);
    cairn__buffer_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cairn__arena arena = cairn__arena_make(cairn__heap(), ARENA_BYTES);
    const cairn__dictionary dictionary = { words, sizeof words / sizeof words[0] };
    cairn__event event;
    cairn__event_fault fault;
    cairn_status status =
        cairn__event_decode((cairn_span){ data, size }, &dictionary, &arena, &event, &fault);
    CAIRN_ASSERT((status == CAIRN_INVALID) == (fault.code != NULL));
    if (status == CAIRN_OK) {
        bool good = cairn__event_check(&event, &fault);
        CAIRN_ASSERT(good == (fault.code == NULL));
        if (good) {
            check_same(&event, &arena);
        }
    }
    cairn__arena_free(&arena);
    return 0;
}
