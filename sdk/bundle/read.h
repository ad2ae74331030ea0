/* read.h: a bundle's bytes -> definitions. Nothing is believed because it is signed: every index,
 * number, order and program is checked, so that whoever uses a bundle need not. Pure. */
#ifndef CAIRN_BUNDLE_READ_H
#define CAIRN_BUNDLE_READ_H

#include "bundle/bundle.h"

/** Where a bundle is wrong: popups[17].variants: "at least one". Static strings; NULL: nothing. */
typedef struct cairn__bundle_fault {
    const char *list; /* "popups"; NULL: the bundle itself */
    uint32_t index;   /* in that list */
    const char *field;
    const char *problem;
} cairn__bundle_fault;

/**
 * Read, check, index.
 *
 * @param bytes  A Bundle message (docs/WIRE.md). Borrowed: must outlive the bundle.
 * @param arena  Owns the rest; bounded by CAIRN__BUNDLE_ARENA_BYTES_MAX for the largest bundle.
 * @retval CAIRN_INVALID    Damaged, or breaks a limit or a promise of definitions.h: fault_out.
 * @retval CAIRN_NO_MEMORY  The arena is full.
 * Whatever is returned, what lies in the arena is garbage unless it is CAIRN_OK.
 */
cairn_status cairn__bundle_read(cairn_span bytes, cairn__arena *arena, cairn__bundle *bundle_out,
                                cairn__bundle_fault *fault_out);

/** One of a list by its name: its place, or -1. The lists are those that bundle.h has in order. */
int cairn__bundle_popup(const cairn__bundle *bundle, cairn_span name);
int cairn__bundle_audience(const cairn__bundle *bundle, cairn_span name);
int cairn__bundle_experiment(const cairn__bundle *bundle, cairn_span name);
int cairn__bundle_item(const cairn__bundle *bundle, cairn_span id);
int cairn__bundle_slot(const cairn__bundle *bundle, cairn_span name);

#endif
