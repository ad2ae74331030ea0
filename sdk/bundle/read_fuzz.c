/* read_fuzz.c: any bytes are refused with a fault that names a field, or are a bundle that is
 * written to bytes which read and write the same again; facts and names are found. */
#include "base/assert.h"
#include "base/bytes.h"
#include "bundle/read.h"
#include "bundle/write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_found(const cairn__bundle *bundle) {
    const cairn__definitions *d = &bundle->definitions;
    for (size_t i = 0; i < d->popup_count; i++) {
        CAIRN_ASSERT(cairn__bundle_popup(bundle, d->popups[i].name) == (int)i);
    }
    for (size_t i = 0; i < d->item_count; i++) {
        CAIRN_ASSERT(cairn__bundle_item(bundle, d->items[i].id) == (int)i);
    }
}

static void check_again(const cairn__bundle *bundle) {
    cairn__arena arena = cairn__arena_make(cairn__heap(), CAIRN__BUNDLE_ARENA_BYTES_MAX);
    cairn__buffer first = cairn__buffer_make(cairn__heap(), (size_t)2 * CAIRN__BUNDLE_BYTES_MAX);
    cairn__buffer second = cairn__buffer_make(cairn__heap(), (size_t)2 * CAIRN__BUNDLE_BYTES_MAX);
    cairn__bundle again;
    cairn__bundle_fault fault;
    CAIRN_ASSERT(cairn__bundle_write(bundle, &first) == CAIRN_OK);
    CAIRN_ASSERT(cairn__bundle_read(cairn__buffer_span(&first), &arena, &again, &fault) ==
                 CAIRN_OK);
    CAIRN_ASSERT(cairn__bundle_write(&again, &second) == CAIRN_OK);
    CAIRN_ASSERT(cairn__span_equal(cairn__buffer_span(&first), cairn__buffer_span(&second)));
    cairn__buffer_free(&first);
    cairn__buffer_free(&second);
    cairn__arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cairn__arena arena = cairn__arena_make(cairn__heap(), CAIRN__BUNDLE_ARENA_BYTES_MAX);
    cairn__bundle bundle;
    cairn__bundle_fault fault;
    cairn_status status = cairn__bundle_read((cairn_span){ data, size }, &arena, &bundle, &fault);
    if (status == CAIRN_OK) {
        check_found(&bundle);
        check_again(&bundle);
    } else {
        CAIRN_ASSERT(fault.problem != NULL);
        CAIRN_ASSERT(status == CAIRN_NO_MEMORY || fault.field != NULL);
    }
    cairn__arena_free(&arena);
    return 0;
}
