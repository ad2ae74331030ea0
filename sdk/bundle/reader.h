/* reader.h: what read.c and check.c share: where the reading stands, and how it is refused. */
#ifndef CAIRN_BUNDLE_READER_H
#define CAIRN_BUNDLE_READER_H

#include "bundle/read.h"

typedef struct cairn__bundle_reader {
    cairn__arena *arena;
    cairn__bundle *bundle;
    cairn__bundle_fault *fault;
    cairn_status status;
    unsigned depth; /* messages that are open */
} cairn__bundle_reader;

/** The first fault stays. Always false. */
bool cairn__bundle_refuse(cairn__bundle_reader *reader, const char *field, const char *problem);
bool cairn__bundle_no_memory(cairn__bundle_reader *reader);

/** Finite, UTF-8, not over the limits of values? */
bool cairn__bundle_value_good(const cairn_value *value);

/** Everything that definitions.h and bundle.h promise beyond single fields; fills what is "made by
 * reading". */
bool cairn__bundle_check(cairn__bundle_reader *reader);

#endif
