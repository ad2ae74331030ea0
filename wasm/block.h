/* block.h: a call's arguments as the TypeScript side lays them into linear memory.
 *
 *   block    = text16 name, text16 value, u16 count, count * property
 *   property = u8 kind (cairn_value_kind), text16 name, value
 *   value    = nothing (null) | u8 (boolean) | i64 (integer, time) | f64 (number)
 *            | text32 (string) | u16 count, count * text32 (list)
 *   text16/text32 = u16/u32 length in bytes, UTF-8
 *
 * Little-endian, unaligned. Pure; spans borrow the block, arrays live in the arena. */
#ifndef CAIRN_WASM_BLOCK_H
#define CAIRN_WASM_BLOCK_H

#include "base/memory.h"
#include "cairn/cairn_types.h"

typedef struct cairn__block {
    cairn_span name;  /* the event, or the id's type; may be empty */
    cairn_span value; /* the id's value; may be empty */
    const cairn_property *properties;
    size_t property_count;
} cairn__block;

/**
 * Read a block.
 *
 * @retval CAIRN_OK         block_out is whole.
 * @retval CAIRN_INVALID    Cut off, an unknown kind, or bytes left over.
 * @retval CAIRN_NO_MEMORY  The arena is full.
 */
cairn_status cairn__block_read(cairn_span bytes, cairn__arena *arena, cairn__block *block_out);

#endif
