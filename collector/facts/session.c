#include "facts/session.h"

#define FNV_OFFSET UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

int64_t cairn__session_number(cairn_span device, uint64_t session) {
    uint64_t hash = FNV_OFFSET;
    for (size_t i = 0; i < device.len; i++) {
        hash = (hash ^ device.data[i]) * FNV_PRIME;
    }
    for (int i = 0; i < 8; i++) {
        hash = (hash ^ (session >> (8 * i) & 0xFF)) * FNV_PRIME;
    }
    return (int64_t)(hash & INT64_MAX);
}
