/* envelope.c: see envelope.h. The signature comes before everything else: nothing of the bundle is
 * looked at before it is known to be the key's. */
#include "bundle/envelope.h"

#include "base/bytes.h"
#include "base/varint.h"
#include "model/wire.h"

enum {
    TAG_BUNDLE = CAIRN__TAG(1, CAIRN__WIRE_BYTES),
    TAG_KEY_ID = CAIRN__TAG(2, CAIRN__WIRE_BYTES),
    TAG_SIGNATURE = CAIRN__TAG(3, CAIRN__WIRE_BYTES),
    TAG_PROJECT = CAIRN__TAG(1, CAIRN__WIRE_BYTES),
    TAG_VERSION = CAIRN__TAG(2, CAIRN__WIRE_VARINT)
};

typedef struct envelope {
    cairn_span bundle, key_id, signature;
} envelope;

static bool read_envelope(cairn_span message, envelope *out) {
    *out = (envelope){ .bundle = { NULL, 0 } };
    if (message.len == 0) {
        return false;
    }
    cairn__cursor at = cairn__cursor_of(message);
    while (at.at < at.end) {
        uint64_t tag = 0;
        if (!cairn__read_varint(&at, &tag)) {
            return false;
        }
        cairn_span *to = tag == TAG_BUNDLE      ? &out->bundle
                         : tag == TAG_KEY_ID    ? &out->key_id
                         : tag == TAG_SIGNATURE ? &out->signature
                                                : NULL;
        bool read = to != NULL ? cairn__read_bytes(&at, to)
                               : tag >> 3 != 0 && cairn__skip_field(&at, (unsigned)(tag & 7));
        if (!read) {
            return false;
        }
    }
    return out->bundle.len > 0 && out->bundle.len <= CAIRN__BUNDLE_BYTES_MAX &&
           out->signature.len == CAIRN__SIGNATURE_BYTES;
}

/* A Bundle begins with its project and its version (docs/WIRE.md). */
static bool read_head(cairn_span bundle, cairn_span *project_out, uint64_t *version_out) {
    cairn__cursor at = cairn__cursor_of(bundle);
    uint64_t tag = 0;
    return cairn__read_varint(&at, &tag) && tag == TAG_PROJECT &&
           cairn__read_bytes(&at, project_out) && cairn__read_varint(&at, &tag) &&
           tag == TAG_VERSION && cairn__read_varint(&at, version_out) && *version_out > 0;
}

static const cairn__public_key *key_named(const cairn__bundle_trust *trust, cairn_span id) {
    for (size_t i = 0; i < trust->key_count; i++) {
        if (cairn__span_equal(trust->keys[i].id, id)) {
            return &trust->keys[i];
        }
    }
    return NULL;
}

static cairn__bundle_verdict judge_head(cairn_span bundle, const cairn__bundle_trust *trust) {
    cairn_span project = { NULL, 0 };
    uint64_t version = 0;
    if (!read_head(bundle, &project, &version)) {
        return CAIRN__BUNDLE_DAMAGED;
    }
    if (!cairn__span_equal(project, trust->project)) {
        return CAIRN__BUNDLE_OTHER_PROJECT;
    }
    if (version == trust->held_version) {
        return CAIRN__BUNDLE_SAME;
    }
    return version < trust->held_version ? CAIRN__BUNDLE_OLDER : CAIRN__BUNDLE_NEW;
}

cairn__bundle_verdict cairn__bundle_judge(cairn_span signed_bundle,
                                          const cairn__bundle_trust *trust,
                                          cairn_span *bundle_out) {
    envelope e;
    *bundle_out = (cairn_span){ NULL, 0 };
    if (!read_envelope(signed_bundle, &e)) {
        return CAIRN__BUNDLE_DAMAGED;
    }
    const cairn__public_key *key = key_named(trust, e.key_id);
    if (key == NULL) {
        return CAIRN__BUNDLE_KEY_UNKNOWN;
    }
    cairn_status status = cairn__signature_verify(key->bytes, e.bundle, e.signature.data);
    if (status != CAIRN_OK) {
        return status == CAIRN_NO_MEMORY ? CAIRN__BUNDLE_NO_MEMORY : CAIRN__BUNDLE_NOT_SIGNED;
    }
    cairn__bundle_verdict verdict = judge_head(e.bundle, trust);
    if (verdict == CAIRN__BUNDLE_NEW || verdict == CAIRN__BUNDLE_SAME) {
        *bundle_out = e.bundle;
    }
    return verdict;
}

const char *cairn__bundle_verdict_text(cairn__bundle_verdict verdict) {
    static const char *const texts[] = { "new",         "same",       "older",   "other_project",
                                         "key_unknown", "not_signed", "damaged", "no_memory" };
    return (unsigned)verdict < sizeof texts / sizeof *texts ? texts[verdict] : "damaged";
}
