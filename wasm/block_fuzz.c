/* block_fuzz.c: any bytes are either refused or read into spans that lie inside them. */
#include "base/assert.h"
#include "wasm/block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(cairn_span part, cairn_span whole) {
    CAIRN_ASSERT(part.len <= whole.len);
    CAIRN_ASSERT(part.len == 0 ||
                 (part.data >= whole.data && part.data + part.len <= whole.data + whole.len));
}

static void check_value(const cairn_value *value, cairn_span whole) {
    if (value->kind == CAIRN_VALUE_STRING) {
        check_inside(value->as.string, whole);
    }
    if (value->kind != CAIRN_VALUE_LIST) {
        return;
    }
    for (size_t i = 0; i < value->as.list.count; i++) {
        check_inside(value->as.list.items[i], whole);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cairn__arena arena = cairn__arena_make(cairn__heap(), 1 << 20);
    cairn_span whole = { data, size };
    cairn__block block;
    if (cairn__block_read(whole, &arena, &block) == CAIRN_OK) {
        check_inside(block.name, whole);
        check_inside(block.value, whole);
        for (size_t i = 0; i < block.property_count; i++) {
            check_inside(block.properties[i].name, whole);
            check_value(&block.properties[i].value, whole);
        }
    }
    cairn__arena_free(&arena);
    return 0;
}
