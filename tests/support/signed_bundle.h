/* signed_bundle.h: what an edge gives devices, for tests of devices: the bundle of a catalogue's
 * definitions, signed with a key that is always the same. */
#ifndef TESTS_SIGNED_BUNDLE_H
#define TESTS_SIGNED_BUNDLE_H

#include "bundle/sign.h"
#include "cairn/cairn_decide.h"
#include "definitions/catalog.h"

/** The key that devices are opened with. */
cairn_bundle_key signed_bundle_key(void);

/** Replace `to` by the SignedBundle of what the catalogue holds now; its version. */
uint64_t signed_bundle_make(const cairn__catalog *catalog, cairn__buffer *to);

/** Replace `to` by the SignedBundle of a Bundle message. */
void signed_bundle_sign(cairn_span bundle, cairn__buffer *to);

#endif
