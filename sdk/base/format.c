/* format.c: printf into a buffer. Apart from memory.c so that the slim WASM, which never
 * formats text, does not link printf. */
#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"

void cairn__buffer_format(cairn__buffer *buffer, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0) {
        buffer->failed = true;
        return;
    }
    uint8_t *at = cairn__buffer_extend(buffer, (size_t)length + 1);
    if (at == NULL) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf((char *)at, (size_t)length + 1, format, args);
    va_end(args);
    buffer->len -= 1; /* the NUL is not part of the text */
}
