/* bundle_peer.c: one side of protobuf.py: a bundle with a bit of everything to standard output.
 *   bundle_peer SEED */
#include <stdio.h>
#include <stdlib.h>

#include "bundle/write.h"
#include "support/bundle_make.h"

int main(int argc, char **argv) {
    const bundle_shape shape = { .seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 0,
                                 .audiences = 5,
                                 .popups = 9,
                                 .items = 8,
                                 .slots = 4,
                                 .experiments = 7,
                                 .content_bytes = 50 };
    cairn__arena arena = cairn__arena_make(cairn__heap(), 64 << 20);
    cairn__buffer bytes = cairn__buffer_make(cairn__heap(), CAIRN__BUNDLE_BYTES_MAX);
    cairn__bundle bundle;
    bundle_make(&shape, &arena, &bundle);
    bool written = cairn__bundle_write(&bundle, &bytes) == CAIRN_OK &&
                   fwrite(bytes.data, 1, bytes.len, stdout) == bytes.len;
    cairn__buffer_free(&bytes);
    cairn__arena_free(&arena);
    return written ? 0 : 1;
}
