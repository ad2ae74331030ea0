#include "decide/assign.h"

/* V2 hashes the decimal digits of the first hash: at most 10 for 32 bits. */
enum { DIGITS_MAX = 10 };

static const uint32_t fnv_start = 2166136261u;
static const uint32_t fnv_prime = 16777619u;

uint32_t cairn__assign_fnv_more(uint32_t hash, cairn_span bytes) {
    for (size_t i = 0; i < bytes.len; i++) {
        hash = (hash ^ bytes.data[i]) * fnv_prime;
    }
    return hash;
}

uint32_t cairn__assign_fnv(cairn_span bytes) {
    return cairn__assign_fnv_more(fnv_start, bytes);
}

static uint32_t fnv_decimal(uint32_t number) {
    uint8_t digits[DIGITS_MAX];
    size_t at = DIGITS_MAX;
    do {
        digits[--at] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return cairn__assign_fnv((cairn_span){ digits + at, DIGITS_MAX - at });
}

double cairn__assign_bucket_after(uint32_t salt_hash, cairn_span unit) {
    return (double)(fnv_decimal(cairn__assign_fnv_more(salt_hash, unit)) % 10000) / 10000.0;
}

/* Of bytes that come in parts: the hash takes four at a time, the last in little-endian order. */
typedef struct murmur {
    uint32_t hash, block;
    uint32_t bytes;
} murmur;

static uint32_t rotate(uint32_t bits, unsigned by) {
    return bits << by | bits >> (32 - by);
}

static uint32_t murmur_block(uint32_t block) {
    return rotate(block * 0xcc9e2d51u, 15) * 0x1b873593u;
}

static void murmur_more(murmur *m, cairn_span bytes) {
    for (size_t i = 0; i < bytes.len; i++) {
        m->block |= (uint32_t)bytes.data[i] << 8 * (m->bytes % 4);
        m->bytes += 1;
        if (m->bytes % 4 == 0) {
            m->hash = rotate(m->hash ^ murmur_block(m->block), 13) * 5 + 0xe6546b64u;
            m->block = 0;
        }
    }
}

static uint32_t murmur_end(const murmur *m) {
    uint32_t hash = m->hash ^ murmur_block(m->block) ^ m->bytes;
    hash = (hash ^ hash >> 16) * 0x85ebca6bu;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35u;
    return hash ^ hash >> 16;
}

uint32_t cairn__assign_murmur(uint32_t seed, cairn_span bytes) {
    murmur m = { .hash = seed };
    murmur_more(&m, bytes);
    return murmur_end(&m);
}

double cairn__assign_murmur_bucket(const cairn__murmur *how, cairn_span salt, cairn_span unit) {
    murmur m = { .hash = how->seed };
    uint32_t steps = how->steps == 0 ? 100 : how->steps;
    murmur_more(&m, salt);
    murmur_more(&m, CAIRN_STR(":"));
    murmur_more(&m, unit);
    return (double)(murmur_end(&m) % steps) / (double)steps;
}

/* The salt is prefix + salt, so that a namespace's needs no memory to be joined in. */
static cairn_status bucket_of(cairn__assign_version version, cairn_span prefix, cairn_span salt,
                              cairn_span unit, double *bucket_out) {
    if (version == CAIRN__ASSIGN_V1) {
        uint32_t hash =
            cairn__assign_fnv_more(cairn__assign_fnv_more(cairn__assign_fnv(unit), prefix), salt);
        *bucket_out = (double)(hash % 1000) / 1000.0;
        return CAIRN_OK;
    }
    if (version == CAIRN__ASSIGN_V2) {
        *bucket_out = cairn__assign_bucket_after(
            cairn__assign_fnv_more(cairn__assign_fnv(prefix), salt), unit);
        return CAIRN_OK;
    }
    if (version == CAIRN__ASSIGN_V3) { /* has no prefix */
        const cairn__murmur how = { 0, 0 };
        *bucket_out = cairn__assign_murmur_bucket(&how, salt, unit);
        return CAIRN_OK;
    }
    return CAIRN_UNSUPPORTED;
}

cairn_status cairn__assign_bucket(cairn__assign_version version, cairn_span salt, cairn_span unit,
                                  double *bucket_out) {
    return bucket_of(version, (cairn_span){ NULL, 0 }, salt, unit, bucket_out);
}

static bool weights_fit(const cairn__shares *shares, size_t count) {
    if (shares->weights == NULL || shares->weight_count != count) {
        return false;
    }
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (!(shares->weights[i] >= 0)) { /* a NaN is not */
            return false;
        }
        sum += shares->weights[i];
    }
    return sum >= 0.99 && sum <= 1.01;
}

void cairn__assign_ranges(const cairn__shares *shares, cairn__range *ranges_out, size_t count) {
    double coverage = shares->coverage > 0 ? shares->coverage : 0; /* a NaN too becomes 0 */
    if (coverage > 1) {
        coverage = 1;
    }
    bool given = weights_fit(shares, count);
    double from = 0;
    for (size_t i = 0; i < count; i++) {
        double weight = given ? shares->weights[i] : 1.0 / (double)count;
        /* In two statements: a compiler may fuse a product and a sum of one expression into one
         * rounding, and then platforms differ at the edge of a bucket. */
        double width = coverage * weight;
        ranges_out[i].from = from;
        ranges_out[i].to = from + width;
        from += weight;
    }
}

int cairn__assign_choose(double bucket, const cairn__range *ranges, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (bucket >= ranges[i].from && bucket < ranges[i].to) {
            return (int)i;
        }
    }
    return CAIRN__NO_VARIANT;
}

bool cairn__assign_in_namespace(const cairn__namespace *layer, cairn_span unit) {
    cairn_span prefix = layer->version == CAIRN__ASSIGN_V1 ? CAIRN_STR("__") : CAIRN_STR("");
    double bucket = 0;
    if (bucket_of(layer->version, prefix, layer->name, unit, &bucket) != CAIRN_OK) {
        return false;
    }
    return cairn__assign_choose(bucket, layer->slices, layer->slice_count) != CAIRN__NO_VARIANT;
}
