/* nul.h: names with U+0000 in JSON, which the JSON library cannot hold; inside collector/ingest
 * only.
 *
 * Where a body has such a name, every escape \u0000 in it is written as another escape of the same
 * length: of a private-use character that occurs nowhere in the body. What was parsed is turned
 * back, text by text. So the rest of the body is read as it is. Pure. */
#ifndef CAIRN_INGEST_NUL_H
#define CAIRN_INGEST_NUL_H

#include "base/memory.h"

/** The stand-in's three bytes of UTF-8; all 0: none is in use. */
typedef struct cairn__nul_mark {
    uint8_t utf8[3];
} cairn__nul_mark;

/** A copy of the body with the stand-in, in the arena.
 * @retval CAIRN_NO_MEMORY
 * @retval CAIRN_FULL       The body uses every private-use character of the basic plane. */
cairn_status cairn__nul_mark_body(cairn_span body, cairn__arena *arena, cairn_span *marked_out,
                                  cairn__nul_mark *mark_out);

/** Turn stand-ins back into U+0000, in place; the new length. */
size_t cairn__nul_restore(const cairn__nul_mark *mark, uint8_t *text, size_t len);

#endif
