/* assign.h: which variant a unit gets, from nothing but names and a stable hash.
 *
 * Everything here is a promise that outlives versions: the same salt, unit and shares give the same
 * variant on every device, on the server and in every later release. A better hash would be a new
 * version number beside these, never a change of one. (base/hash.h may change and is not for this.)
 *
 * Pure: no memory, no state, any thread. Needs nothing but string.h. Floating point is used in
 * single IEEE operations only, so that all platforms agree to the last bit. */
#ifndef CAIRN_DECIDE_ASSIGN_H
#define CAIRN_DECIDE_ASSIGN_H

#include "cairn/cairn_types.h"

enum {
    CAIRN__VARIANTS_MAX = 32, /* variants of one experiment */
    CAIRN__NO_VARIANT = -1
};

/** How (salt, unit) becomes a bucket. fnv is FNV-1a 32 bit: h = 2166136261, then for each byte
 * h = (h xor byte) * 16777619 mod 2^32 (Fowler, Noll and Vo). Bytes are UTF-8 as given, not
 * folded or normalised; an implementation over UTF-16 units agrees for ASCII only. `+` joins bytes.
 *
 * Formulas 1 and 2 are those of GrowthBook's SDKs ("hashVersion" 1 and 2,
 * https://docs.growthbook.io/lib/build-your-own), whose public cases the tests run.
 *
 *   V1: fnv(unit + salt) mod 1000 / 1000. Steps of 0.1 %. Neighbouring salts are correlated: for
 *       moving running experiments in, not for new ones.
 *   V2: fnv(decimal(fnv(salt + unit))) mod 10000 / 10000. Steps of 0.01 %. Cairn's default.
 *   V3: murmur(seed, salt + ":" + unit) mod steps / steps; murmur is MurmurHash3 x86 32 bit
 * (Appleby). Steps of 1 %, unless cairn__murmur says otherwise. Unleash's formula, whose public
 * cases the tests run: for moving running rollouts in, not for new ones. */
typedef enum cairn__assign_version {
    CAIRN__ASSIGN_V1 = 1,
    CAIRN__ASSIGN_V2 = 2,
    CAIRN__ASSIGN_V3 = 3,
    CAIRN__ASSIGN_DEFAULT = CAIRN__ASSIGN_V2
} cairn__assign_version;

/** What V3 hashes with. Unleash's rollouts have seed 0 and 100 steps; its variants seed 86028157
 * and as many steps as the sum of their weights. */
typedef struct cairn__murmur {
    uint32_t seed;
    uint32_t steps; /* 0: 100 */
} cairn__murmur;

/** The buckets `from` (included) to `to` (excluded), both in 0..1. */
typedef struct cairn__range {
    double from, to;
} cairn__range;

/** How the buckets are shared out. */
typedef struct cairn__shares {
    double coverage; /* the part of the units that takes part; below 0 and NaN: 0; above 1: 1 */
    const double *weights; /* one per variant, none negative, sum in 0.99..1.01 */
    size_t weight_count;   /* when these do not fit the variants: equal weights */
} cairn__shares;

/** A layer of experiments that exclude each other: each holds other slices of the same namespace,
 * and a unit is in exactly one bucket of it. */
typedef struct cairn__namespace {
    cairn_span name;
    cairn__assign_version version; /* V1: salted with "__" + name; others: with the name */
    const cairn__range *slices;
    size_t slice_count;
} cairn__namespace;

/** FNV-1a, 32 bit, of the bytes. */
uint32_t cairn__assign_fnv(cairn_span bytes);

/** FNV-1a of what `hash` is of, followed by the bytes. */
uint32_t cairn__assign_fnv_more(uint32_t hash, cairn_span bytes);

/** The bucket by V2 where the FNV-1a of the salt is at hand. */
double cairn__assign_bucket_after(uint32_t salt_hash, cairn_span unit);

/** MurmurHash3 x86 32 bit of the bytes. */
uint32_t cairn__assign_murmur(uint32_t seed, cairn_span bytes);

/** The bucket of a unit by V3, in [0, 1). */
double cairn__assign_murmur_bucket(const cairn__murmur *how, cairn_span salt, cairn_span unit);

/** The bucket of a unit, in [0, 1); of V3 with seed 0 and 100 steps.
 * @retval CAIRN_UNSUPPORTED  No such version; nothing written. */
cairn_status cairn__assign_bucket(cairn__assign_version version, cairn_span salt, cairn_span unit,
                                  double *bucket_out);

/** The range of each of `count` variants. Variant i begins at the sum of the weights before it and
 * is coverage * weight wide: a larger coverage adds units and moves nobody to another variant. */
void cairn__assign_ranges(const cairn__shares *shares, cairn__range *ranges_out, size_t count);

/** The first range that holds the bucket, or CAIRN__NO_VARIANT. */
int cairn__assign_choose(double bucket, const cairn__range *ranges, size_t count);

/** Is the unit in one of the slices? An unknown version: no. */
bool cairn__assign_in_namespace(const cairn__namespace *layer, cairn_span unit);

#endif
