/* Whatever the bytes are: an answer, and never more than the limit. */
#include <stdint.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "edge/inflate.h"

enum { LIMIT = 256 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const cairn__encoding encodings[] = { CAIRN__ENCODING_GZIP, CAIRN__ENCODING_ZSTD };
    for (size_t i = 0; i < 2; i++) {
        cairn__buffer to = cairn__buffer_make(cairn__heap(), LIMIT);
        cairn_status status = cairn__inflate(encodings[i], cairn__span(data, size), &to);
        CAIRN_ASSERT(to.len <= LIMIT);
        CAIRN_ASSERT(status != CAIRN_OK || size > 0);
        cairn__buffer_free(&to);
    }
    return 0;
}
