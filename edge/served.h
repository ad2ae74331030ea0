/* served.h: a bundle as it goes out: signed, and as the piece of a SyncResponse that it is, plain
 * and compressed once. Immutable; made in the pool, used and freed by the loop. */
#ifndef CAIRN_EDGE_SERVED_H
#define CAIRN_EDGE_SERVED_H

#include "edge/signing.h"

enum {
    CAIRN__SERVED_BYTES_MAX = 5 * 1024 * 1024, /* a bundle, its signature and frames */
    CAIRN__SERVED_PACKED_LEAST = 1024          /* smaller ones are not worth compressing */
};

typedef struct cairn__served {
    uint64_t version;
    size_t signed_at; /* where the SignedBundle begins in `part` */
    size_t signed_bytes;
    cairn__buffer part;   /* of a SyncResponse: its fields bundle and bundle_version */
    cairn__buffer packed; /* the same as deflate blocks, none of them the last; empty: too small */
    uint32_t part_crc;    /* gzip's, of part */
} cairn__served;

/** Sign and prepare. NULL: no memory. An empty bundle is served as none. */
cairn__served *cairn__served_make(cairn_span bundle, uint64_t version,
                                  const cairn__signing *signing);
void cairn__served_free(cairn__served *served);

/** The SignedBundle message. */
cairn_span cairn__served_signed(const cairn__served *served);

/** Append the bundle to an encoded SyncResponse (protobuf: what is appended is merged). */
void cairn__served_append(const cairn__served *served, cairn__buffer *response);

/** Only that this version is the newest. */
void cairn__served_append_version(const cairn__served *served, cairn__buffer *response);

/** A whole gzip stream of the response with the bundle, without compressing anything: what was
 * compressed once, then the response as it is. */
void cairn__served_gzip(const cairn__served *served, cairn_span response, cairn__buffer *to);

/** Does an Accept-Encoding header take gzip? */
bool cairn__accepts_gzip(cairn_span header);

#endif
