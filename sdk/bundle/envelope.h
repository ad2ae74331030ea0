/* envelope.h: what a device does with a SignedBundle that came: believe it, or say why not. */
#ifndef CAIRN_BUNDLE_ENVELOPE_H
#define CAIRN_BUNDLE_ENVELOPE_H

#include "bundle/bundle.h"
#include "bundle/signature.h"

/** Whom a device believes, and what it holds. */
typedef struct cairn__bundle_trust {
    const cairn__public_key *keys;
    size_t key_count;
    cairn_span project;    /* the project key of this client */
    uint64_t held_version; /* of the bundle in use; 0: none */
} cairn__bundle_trust;

typedef enum cairn__bundle_verdict {
    CAIRN__BUNDLE_NEW = 0,       /* believed, and newer than what is held */
    CAIRN__BUNDLE_SAME,          /* believed, the version that is held */
    CAIRN__BUNDLE_OLDER,         /* believed, but older: refused */
    CAIRN__BUNDLE_OTHER_PROJECT, /* signed, but for another project: refused */
    CAIRN__BUNDLE_KEY_UNKNOWN,   /* signed by a key that this device does not know */
    CAIRN__BUNDLE_NOT_SIGNED,    /* the signature is not the key's */
    CAIRN__BUNDLE_DAMAGED,       /* no SignedBundle, or without project or version */
    CAIRN__BUNDLE_NO_MEMORY
} cairn__bundle_verdict;

/** The verdict on a SignedBundle message. Where it is NEW or SAME, *bundle_out is its Bundle,
 * borrowed, still to be read (read.h); otherwise empty. */
cairn__bundle_verdict cairn__bundle_judge(cairn_span signed_bundle,
                                          const cairn__bundle_trust *trust, cairn_span *bundle_out);

/** A stable text for logs and cairn_inspect ("new", "older", "key_unknown"); static. */
const char *cairn__bundle_verdict_text(cairn__bundle_verdict verdict);

#endif
