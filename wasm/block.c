/* block.c: reads what wasm/src/block.ts writes. The page is trusted no further than any input. */
#include "wasm/block.h"

#include "base/bytes.h"

typedef struct reader {
    const uint8_t *at;
    const uint8_t *end;
    cairn__arena *arena;
    cairn_status status; /* the first thing that went wrong */
} reader;

/* The next `bytes` bytes, or NULL from the first failure on. */
static const uint8_t *take(reader *from, size_t bytes) {
    if (from->status != CAIRN_OK || (size_t)(from->end - from->at) < bytes) {
        from->status = from->status == CAIRN_OK ? CAIRN_INVALID : from->status;
        return NULL;
    }
    const uint8_t *taken = from->at;
    from->at += bytes;
    return taken;
}

static uint32_t take_u8(reader *from) {
    const uint8_t *bytes = take(from, 1);
    return bytes == NULL ? 0 : *bytes;
}

static uint32_t take_u16(reader *from) {
    const uint8_t *bytes = take(from, 2);
    return bytes == NULL ? 0 : cairn__load_u16(bytes);
}

static uint64_t take_u64(reader *from) {
    const uint8_t *bytes = take(from, 8);
    return bytes == NULL ? 0 : cairn__load_u64(bytes);
}

static cairn_span take_span(reader *from, size_t len) {
    const uint8_t *bytes = take(from, len);
    return (cairn_span){ bytes, bytes == NULL ? 0 : len };
}

static cairn_span take_text16(reader *from) {
    return take_span(from, take_u16(from));
}

static cairn_span take_text32(reader *from) {
    const uint8_t *bytes = take(from, 4);
    return take_span(from, bytes == NULL ? 0 : cairn__load_u32(bytes));
}

/* Room for `count` things of `size` bytes, each of which takes at least one byte of the input. */
static void *take_array(reader *from, size_t count, size_t size) {
    if (from->status != CAIRN_OK || count > (size_t)(from->end - from->at)) {
        from->status = from->status == CAIRN_OK ? CAIRN_INVALID : from->status;
        return NULL;
    }
    void *array = cairn__arena_alloc_zero(from->arena, count, size);
    if (array == NULL) {
        from->status = CAIRN_NO_MEMORY;
    }
    return array;
}

static cairn_string_list take_list(reader *from) {
    size_t count = take_u16(from);
    cairn_span *items = take_array(from, count, sizeof *items);
    if (items == NULL) {
        return (cairn_string_list){ NULL, 0 };
    }
    for (size_t i = 0; i < count; i++) {
        items[i] = take_text32(from);
    }
    return (cairn_string_list){ items, count };
}

static double take_number(reader *from) {
    uint64_t bits = take_u64(from);
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static cairn_value take_value(reader *from, uint32_t kind) {
    cairn_value value = { .kind = (cairn_value_kind)kind };
    switch (kind) {
    case CAIRN_VALUE_NULL:
        break;
    case CAIRN_VALUE_BOOLEAN:
        value.as.boolean = take_u8(from) != 0;
        break;
    case CAIRN_VALUE_INTEGER:
        value.as.integer = (int64_t)take_u64(from);
        break;
    case CAIRN_VALUE_NUMBER:
        value.as.number = take_number(from);
        break;
    case CAIRN_VALUE_STRING:
        value.as.string = take_text32(from);
        break;
    case CAIRN_VALUE_TIME:
        value.as.time_ms = (int64_t)take_u64(from);
        break;
    case CAIRN_VALUE_LIST:
        value.as.list = take_list(from);
        break;
    default:
        from->status = CAIRN_INVALID;
    }
    return value;
}

cairn_status cairn__block_read(cairn_span bytes, cairn__arena *arena, cairn__block *block_out) {
    reader from = { bytes.data, bytes.data + bytes.len, arena, CAIRN_OK };
    block_out->name = take_text16(&from);
    block_out->value = take_text16(&from);
    size_t count = take_u16(&from);
    cairn_property *properties = take_array(&from, count, sizeof *properties);
    for (size_t i = 0; i < count && from.status == CAIRN_OK; i++) {
        uint32_t kind = take_u8(&from);
        properties[i].name = take_text16(&from);
        properties[i].value = take_value(&from, kind);
    }
    block_out->properties = properties;
    block_out->property_count = count;
    if (from.status == CAIRN_OK && from.at != from.end) {
        return CAIRN_INVALID;
    }
    return from.status;
}
