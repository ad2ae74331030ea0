/* bundle_make.h: bundles for tests and benches: every field used, different for each seed. */
#ifndef CAIRN_SUPPORT_BUNDLE_MAKE_H
#define CAIRN_SUPPORT_BUNDLE_MAKE_H

#include "bundle/bundle.h"

typedef struct bundle_shape {
    uint64_t seed;
    size_t audiences, popups, items, slots, experiments;
    size_t content_bytes; /* of each variant */
    cairn_span zones;     /* a zone table; empty: none, and the zone is UTC */
    cairn_span zone_name;
} bundle_shape;

/** Everything lies in the arena. Traps when it is full. */
void bundle_make(const bundle_shape *shape, cairn__arena *arena, cairn__bundle *out);

#endif
