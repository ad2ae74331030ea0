/* Any bytes are a mapping or a problem that says something. */
#include "cli/mapping.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cairn__mapping mapping;
    cairn__mapping_open(&mapping);
    bool ok = cairn__mapping_read(&mapping, (const char *)data, size);
    if (!ok && mapping.problem[0] == 0) {
        __builtin_trap(); /* refused without a word */
    }
    if (ok && !cairn__mapping_check(&mapping) && mapping.problem[0] == 0) {
        __builtin_trap();
    }
    cairn__mapping_close(&mapping);
    return 0;
}
