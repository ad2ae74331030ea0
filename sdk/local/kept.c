/* kept.c: see kept.h. */
#include "local/kept.h"

#include "base/bytes.h"
#include "model/limits.h"

enum { LIST_FIRST = 8 };

/* --- copies ------------------------------------------------------------------------------------*/

static size_t block_bytes(cairn_value value) {
    if (value.kind == CAIRN_VALUE_STRING) {
        return value.as.string.len;
    }
    if (value.kind != CAIRN_VALUE_LIST) {
        return 0;
    }
    size_t bytes = value.as.list.count * sizeof(cairn_span);
    for (size_t i = 0; i < value.as.list.count; i++) {
        bytes += value.as.list.items[i].len;
    }
    return bytes;
}

static cairn_span put(uint8_t **at, cairn_span text) {
    cairn_span copy = { *at, text.len };
    if (text.len > 0) {
        memcpy(*at, text.data, text.len);
        *at += text.len;
    }
    return copy;
}

static void fill(cairn__kept *kept, cairn_value value) {
    uint8_t *at = kept->block;
    kept->value = value;
    if (value.kind == CAIRN_VALUE_STRING) {
        kept->value.as.string = put(&at, value.as.string);
    } else if (value.kind == CAIRN_VALUE_LIST) {
        cairn_span *items = (cairn_span *)(void *)kept->block;
        at = value.as.list.count == 0 ? at : at + value.as.list.count * sizeof *items;
        for (size_t i = 0; i < value.as.list.count; i++) {
            items[i] = put(&at, value.as.list.items[i]);
        }
        kept->value.as.list.items = items;
    }
}

bool cairn__kept_set(cairn__kept *kept, cairn_allocator allocator, cairn_value value) {
    size_t bytes = block_bytes(value);
    if (bytes > kept->bytes) {
        cairn__kept_free(kept, allocator);
        kept->block = allocator.resize(allocator.self, NULL, 0, bytes);
        if (kept->block == NULL) {
            return false;
        }
        kept->bytes = (uint32_t)bytes;
    }
    fill(kept, value);
    return true;
}

void cairn__kept_free(cairn__kept *kept, cairn_allocator allocator) {
    if (kept->block != NULL) {
        allocator.resize(allocator.self, kept->block, kept->bytes, 0);
    }
    *kept = (cairn__kept){ .block = NULL };
}

/* --- bytes -------------------------------------------------------------------------------------*/

void cairn__kept_write_span(cairn_span bytes, cairn__buffer *to) {
    cairn__buffer_u32(to, (uint32_t)bytes.len);
    cairn__buffer_append(to, bytes);
}

void cairn__kept_write(cairn_value value, cairn__buffer *to) {
    uint64_t bits = 0;
    cairn__buffer_byte(to, (uint8_t)value.kind);
    switch ((int)value.kind) {
    case CAIRN_VALUE_BOOLEAN:
        cairn__buffer_u64(to, value.as.boolean ? 1 : 0);
        break;
    case CAIRN_VALUE_INTEGER:
    case CAIRN_VALUE_TIME:
        cairn__buffer_u64(to, (uint64_t)value.as.integer);
        break;
    case CAIRN_VALUE_NUMBER:
        memcpy(&bits, &value.as.number, sizeof bits);
        cairn__buffer_u64(to, bits);
        break;
    case CAIRN_VALUE_STRING:
        cairn__kept_write_span(value.as.string, to);
        break;
    case CAIRN_VALUE_LIST:
        cairn__buffer_u32(to, (uint32_t)value.as.list.count);
        for (size_t i = 0; i < value.as.list.count; i++) {
            cairn__kept_write_span(value.as.list.items[i], to);
        }
        break;
    default:
        break;
    }
}

bool cairn__kept_u32(cairn__cursor *from, uint32_t *value_out) {
    if (from->end - from->at < 4) {
        return false;
    }
    *value_out = cairn__load_u32(from->at);
    from->at += 4;
    return true;
}

bool cairn__kept_u64(cairn__cursor *from, uint64_t *value_out) {
    if (from->end - from->at < 8) {
        return false;
    }
    *value_out = cairn__load_u64(from->at);
    from->at += 8;
    return true;
}

bool cairn__kept_i64(cairn__cursor *from, int64_t *value_out) {
    uint64_t bits = 0;
    bool good = cairn__kept_u64(from, &bits);
    *value_out = (int64_t)bits;
    return good;
}

bool cairn__kept_span(cairn__cursor *from, cairn_span *bytes_out) {
    uint32_t len = 0;
    if (!cairn__kept_u32(from, &len) || len > (size_t)(from->end - from->at)) {
        return false;
    }
    *bytes_out = (cairn_span){ from->at, len };
    from->at += len;
    return true;
}

static bool read_list(cairn__cursor *from, cairn__arena *arena, cairn_value *value_out) {
    uint32_t count = 0;
    if (!cairn__kept_u32(from, &count) || count > CAIRN__LIST_ITEMS_MAX) {
        return false;
    }
    cairn_span *items = cairn__arena_alloc(arena, count * sizeof *items);
    for (uint32_t i = 0; items != NULL && i < count; i++) {
        if (!cairn__kept_span(from, &items[i])) {
            return false;
        }
    }
    value_out->as.list = (cairn_string_list){ items, count };
    return items != NULL;
}

bool cairn__kept_read(cairn__cursor *from, cairn__arena *arena, cairn_value *value_out) {
    uint64_t bits = 0;
    if (from->at == from->end) {
        return false;
    }
    *value_out = (cairn_value){ .kind = (cairn_value_kind)*from->at++ };
    switch ((int)value_out->kind) {
    case CAIRN_VALUE_BOOLEAN:
        if (!cairn__kept_u64(from, &bits)) {
            return false;
        }
        value_out->as.boolean = bits != 0;
        return true;
    case CAIRN_VALUE_INTEGER:
    case CAIRN_VALUE_TIME:
        return cairn__kept_i64(from, &value_out->as.integer);
    case CAIRN_VALUE_NUMBER:
        if (!cairn__kept_u64(from, &bits)) {
            return false;
        }
        memcpy(&value_out->as.number, &bits, sizeof bits);
        return true;
    case CAIRN_VALUE_STRING:
        return cairn__kept_span(from, &value_out->as.string);
    case CAIRN_VALUE_LIST:
        return read_list(from, arena, value_out);
    default:
        return true;
    }
}

/* --- lists -------------------------------------------------------------------------------------*/

bool cairn__kept_reserve(cairn_allocator allocator, void **list, size_t item_bytes, size_t count,
                         size_t *capacity) {
    if (count < *capacity) {
        return true;
    }
    size_t grown = *capacity == 0 ? LIST_FIRST : *capacity * 2;
    void *at = allocator.resize(allocator.self, *list, *capacity * item_bytes, grown * item_bytes);
    if (at == NULL) {
        return false;
    }
    *list = at;
    *capacity = grown;
    return true;
}
