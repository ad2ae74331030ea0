/* memory_fuzz.c: whatever bytes are read as a memory either are refused and leave it empty, or are
 * a memory that is written and read again to the same bytes, and that takes events. */
#include "base/assert.h"
#include "base/bytes.h"
#include "decide/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static cairn__buffer written(const cairn__memory *memory) {
    cairn__buffer bytes = cairn__buffer_make(cairn__heap(), (size_t)4 * CAIRN__MEMORY_BYTES_MAX);
    cairn__memory_write(memory, &bytes);
    CAIRN_ASSERT(!bytes.failed);
    return bytes;
}

static void note_some(cairn__memory *memory) {
    const cairn_property properties[] = {
        { CAIRN_STR("popup"), { .kind = CAIRN_VALUE_STRING, .as.string = CAIRN_STR("a") } },
        { CAIRN_STR("slot"), { .kind = CAIRN_VALUE_STRING, .as.string = CAIRN_STR("a") } },
        { CAIRN_STR("item"), { .kind = CAIRN_VALUE_STRING, .as.string = CAIRN_STR("a") } },
    };
    cairn__event event = { .time_ms = 5, .properties = properties, .property_count = 3 };
    event.name = CAIRN__EVENT_POPUP_SHOW;
    CAIRN_ASSERT(cairn__memory_note(memory, &event) == CAIRN_OK);
    event.name = CAIRN__EVENT_SLOT_CLICK;
    CAIRN_ASSERT(cairn__memory_note(memory, &event) == CAIRN_OK);
    CAIRN_ASSERT(cairn__memory_find(memory, CAIRN__MEMORY_POPUP, CAIRN_STR("a"),
                                    (cairn_span){ NULL, 0 }) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cairn__memory memory = cairn__memory_make(cairn__heap());
    if (cairn__memory_read(&memory, (cairn_span){ data, size }) != CAIRN_OK) {
        CAIRN_ASSERT(memory.count == 0 && memory.entries == NULL);
        return 0;
    }
    cairn__buffer first = written(&memory);
    cairn__memory again = cairn__memory_make(cairn__heap());
    CAIRN_ASSERT(cairn__memory_read(&again, cairn__buffer_span(&first)) == CAIRN_OK);
    cairn__buffer second = written(&again);
    CAIRN_ASSERT(cairn__span_equal(cairn__buffer_span(&first), cairn__buffer_span(&second)));
    CAIRN_ASSERT(memory.shape == again.shape);
    CAIRN_ASSERT(cairn__memory_merge(&again, &memory) == CAIRN_OK);
    note_some(&again);
    cairn__buffer_free(&first);
    cairn__buffer_free(&second);
    cairn__memory_free(&memory);
    cairn__memory_free(&again);
    return 0;
}
